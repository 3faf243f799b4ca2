package cube

import (
	"slices"

	"statincidents/internal/calendar"
)

// Drill gives the list behind a figure of a result: by are the dimensions of
// the row's keys (Query.By for Rows, one of them for a margin, none for the
// total). The list is as long as the figure is large: for a count the count
// itself, for a median or mean the incidents with a duration, for a share its
// numerator, for a rate the incidents counted (Value.N).
func (r Result) Drill(by []Dim, row Row, m Measure) ListQuery {
	q := ListQuery{Filters: slices.Clone(r.Query.Filters), Text: r.Query.Text, From: r.Query.From, To: r.Query.To, Measure: m}
	for i, d := range by {
		key := row.Keys[i]
		switch {
		case d.bucket():
			if q.From == 0 || q.From < r.From {
				q.From = r.From
			}
			if q.To == 0 || q.To > r.To {
				q.To = r.To
			}
			from, to := d.span(key)
			q.From, q.To = max(q.From, from), min(q.To, to)
		case key == OthersKey && row.Others:
			if len(r.Top) > 0 {
				q.Filters = append(q.Filters, Filter{Dim: d, NotIn: r.Top})
			}
		default:
			q.Filters = append(q.Filters, Filter{Dim: d, In: []string{key}})
		}
	}
	return q
}

// DrillBefore gives the list behind a figure of the comparison.
func (r Result) DrillBefore(by []Dim, row Row, m Measure) ListQuery {
	q := r.Drill(by, row, m)
	if q.To == 0 {
		q.To = r.To // the earlier period does not move with the day
	}
	q.Shift = r.Shift
	return q
}

// span gives the days of a bucket.
func (d Dim) span(key string) (from, to calendar.Day) {
	ord, err := d.ordOf(key)
	if err != nil {
		return 0, 0
	}
	switch d {
	case DimDay:
		return calendar.Day(ord), calendar.Day(ord + 1)
	case DimWeek:
		return calendar.Day(ord), calendar.Day(ord + 7)
	case DimMonth:
		first := calendar.Date(ord/12, 1, 1).Time().AddDate(0, ord%12, 0)
		return calendar.DayOf(first, first.Location()), calendar.DayOf(first.AddDate(0, 1, 0), first.Location())
	case DimYear:
		return calendar.Date(ord, 1, 1), calendar.Date(ord+1, 1, 1)
	}
	return calendar.Date(ord, 9, 1), calendar.Date(ord+1, 9, 1)
}

// Span gives the days [from, to) that a key of a bucket of time stands for (a
// chart's axis); ok is false for other dimensions and keys that are not theirs.
func (d Dim) Span(key string) (from, to calendar.Day, ok bool) {
	if !d.bucket() || d.checkKey(key) != nil {
		return 0, 0, false
	}
	from, to = d.span(key)
	return from, to, true
}
