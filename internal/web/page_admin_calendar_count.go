package web

import (
	"strings"
	"time"

	"statincidents/internal/calendar"
)

// countPart answers how many open minutes lie between two instants, and shows
// how it comes to that, a day a line.
type countPart struct {
	Fields []Field
	Wrong  string
	Answer string
	Ends   string
	Table  *Table
	More   string
}

// explainedDays is how many days the explanation tells one by one.
const explainedDays = 62

func countOf(r *Request, n *names) *countPart {
	f := r.Filters()
	now := r.Now().In(r.Location())
	if f.Get("from") == "" {
		f.values.Set("from", now.AddDate(0, 0, -7).Format(localInstant))
	}
	if f.Get("to") == "" {
		f.values.Set("to", now.Format(localInstant))
	}
	p := &countPart{Fields: []Field{
		f.Select("school", r.T("admin.field.school"), n.schoolOptions(r.Scope(), r.T("admin.calendar.usual"))).Plain(),
		f.Input("datetime-local", "from", r.T("admin.calendar.from")).Plain(), f.Input("datetime-local", "to", r.T("admin.calendar.to")).Plain(),
	}}
	from, err := time.ParseInLocation(localInstant, strings.TrimSpace(f.Get("from")), r.Location())
	to, err2 := time.ParseInLocation(localInstant, strings.TrimSpace(f.Get("to")), r.Location())
	const tooLong = 20 * 366 * 24 * time.Hour
	if err != nil || err2 != nil || to.Before(from) || to.Sub(from) > tooLong {
		p.Wrong = r.T("admin.calendar.count_wrong")
		return p
	}
	school := f.ID("school")
	cal := n.places.Calendar(school)
	total := cal.OpenMinutes(from, to)
	p.Answer = r.T("admin.calendar.count_answer", "time", openTime(r, total), "minutes", total)
	p.Ends = r.T("admin.calendar.count_between", "from", r.DateTime(from), "to", r.DateTime(to))
	p.Table = &Table{Printer: r.Printer, Caption: r.T("admin.calendar.count_how"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("admin.calendar.day"), Lead: true}, {Label: r.T("admin.calendar.what_day"), Wrap: true}, {Label: r.T("admin.calendar.counted"), Num: true},
	}}
	first, last := cal.Day(from), cal.Day(to)
	said := 0
	for day := first; day <= last; day++ {
		if int(day-first) == explainedDays {
			break
		}
		begin, end := day.Start(r.Location()), (day + 1).Start(r.Location())
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		minutes := cal.OpenMinutes(begin, end)
		said += minutes
		kind := cal.Kind(day)
		why := n.reason(day, kind, school)
		word := r.T("admin.calendar.kind." + dayKinds[kind])
		switch {
		case why != "":
			word = r.Label(word) + why
		case kind == calendar.OpenDay:
			week, _ := n.places.Hours(school)
			word = r.Label(word) + spansText(r, week[day.Weekday()])
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: Cells(r.Day(day), word, openTime(r, minutes))})
	}
	if rest := int(last-first) + 1 - explainedDays; rest > 0 {
		p.More = r.T("admin.calendar.count_rest", "days", rest, "time", openTime(r, total-said))
	}
	p.Table.Foot = Cells(r.T("common.total"), "", openTime(r, total))
	return p
}
