package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
)

// figures shows an answer of the cube: its numbers in words, its rows as the
// items of charts, each with the address of the incidents behind it.
type figures struct {
	r   *Request
	n   *names
	say *cube.Labeler
	res cube.Result
	// click gives where a mark leads; the incidents behind it if nil.
	click func(by []cube.Dim, row cube.Row, m cube.Measure) string
}

func (r *Request) figures(n *names, res cube.Result) figures {
	return figures{r: r, n: n, say: n.labels(), res: res}
}

// unitOf is how charts write a measure.
func unitOf(m cube.Measure) chart.Unit {
	switch {
	case m.Hours():
		return chart.Hours
	case m.Share():
		return chart.Share
	}
	return chart.Number
}

// size is a figure as a length: NaN when it is not known.
func size(v cube.Value) float64 {
	if !v.Valid {
		return math.NaN()
	}
	return v.V
}

// index finds a measure among those asked; -1 if it was not.
func (f figures) index(m cube.Measure) int {
	for i, have := range f.res.Query.Measures {
		if have == m {
			return i
		}
	}
	return -1
}

func (f figures) value(row cube.Row, m cube.Measure) cube.Value {
	if i := f.index(m); i >= 0 && i < len(row.Values) {
		return row.Values[i]
	}
	return cube.Value{}
}

func (f figures) before(row cube.Row, m cube.Measure) cube.Value {
	if i := f.index(m); i >= 0 && i < len(row.Before) {
		return row.Before[i]
	}
	return cube.Value{}
}

// label is the name of a row's key on one dimension.
func (f figures) label(row cube.Row, by []cube.Dim, i int) string {
	return f.say.Label(by[i], row.Keys[i])
}

// href is where the mark of a figure leads.
func (f figures) href(by []cube.Dim, row cube.Row, m cube.Measure) string {
	if f.click != nil {
		return f.click(by, row, m)
	}
	return f.list(by, row, m)
}

// list is the address of the incidents behind a figure.
func (f figures) list(by []cube.Dim, row cube.Row, m cube.Measure) string {
	return listAddress(f.res.Drill(by, row, m)).String()
}

// title is a mark's sentence: name, exact figure, what it rests on.
func (f figures) title(label string, row cube.Row, m cube.Measure) string {
	v := f.value(row, m)
	t := f.r.Label(label) + f.say.Value(m, v)
	switch {
	case m.Hours(), m.Rate(), m.Mean(), m.Sum():
		t += " " + f.r.T("figure.on", "n", v.N)
	case m.Share():
		t += " " + f.r.T("figure.of", "n", v.N)
	}
	return t
}

// bars makes one bar a row, on the first dimension.
func (f figures) bars(rows []cube.Row, by []cube.Dim, m cube.Measure) []chart.Bar {
	var bars []chart.Bar
	for _, row := range rows {
		label := f.label(row, by, 0)
		b := chart.Bar{Label: label, Value: size(f.value(row, m)), Ghost: size(f.before(row, m)), Href: f.href(by, row, m), Title: f.title(label, row, m)}
		if row.Others {
			b.Category = 9
		}
		bars = append(bars, b)
	}
	return bars
}

// grains are the chart's buckets for the dimensions of time.
var grains = map[cube.Dim]chart.Grain{cube.DimDay: chart.Day, cube.DimWeek: chart.Week, cube.DimMonth: chart.Month, cube.DimYear: chart.Year, cube.DimSchoolYear: chart.Year}

// points makes a point a row, on a dimension of time.
func (f figures) points(rows []cube.Row, by []cube.Dim, at int, m cube.Measure, before bool) []chart.Point {
	var points []chart.Point
	for _, row := range rows {
		day, ok := bucketDay(by[at], row.Keys[at])
		if !ok {
			continue
		}
		label := f.label(row, by, at)
		p := chart.Point{At: day.Start(f.r.Location()), Value: size(f.value(row, m)), Href: f.href(by, row, m), Title: f.title(label, row, m)}
		if before {
			p.Value, p.Href, p.Title = size(f.before(row, m)), "", ""
		}
		points = append(points, p)
	}
	return points
}

// bucketDay is the first day of a bucket of time.
func bucketDay(d cube.Dim, key string) (calendar.Day, bool) {
	switch d {
	case cube.DimDay:
		return dayOf(key)
	case cube.DimWeek:
		if len(key) != 8 {
			return 0, false
		}
		year, err1 := strconv.Atoi(key[:4])
		week, err2 := strconv.Atoi(key[6:])
		if err1 != nil || err2 != nil {
			return 0, false
		}
		// ISO 8601: the week of 4 January is the first.
		return calendar.Date(year, time.January, 4).Week() + calendar.Day(7*(week-1)), true
	case cube.DimMonth:
		return dayOf(key + "-01")
	case cube.DimYear:
		return dayOf(key + "-01-01")
	case cube.DimSchoolYear:
		if len(key) < 4 {
			return 0, false
		}
		return dayOf(key[:4] + "-09-01")
	default:
		return 0, false
	}
}

// period is the time that a chart over the answer's period covers, with the
// school holidays shaded.
func (f figures) period(d cube.Dim) chart.Period {
	loc := f.r.Location()
	p := chart.Period{From: f.res.From.Start(loc), To: f.res.To.Start(loc), Grain: grains[d], Until: f.r.Now()}
	for _, h := range f.n.places.SchoolHolidays(f.r.Settings.Zone) {
		if h.Last < f.res.From || h.First >= f.res.To {
			continue
		}
		p.Shades = append(p.Shades, chart.Shade{From: h.First.Start(loc), To: (h.Last + 1).Start(loc), Label: h.Name})
	}
	return p
}

// trend compares a figure with the one before. Worse says which direction is
// bad news: 1 up, -1 down, 0 neither.
func (f figures) trend(m cube.Measure, worse int, against string) *Trend {
	now, before := f.value(f.res.Total, m), f.before(f.res.Total, m)
	if !now.Valid || !before.Valid || before.V == 0 {
		return nil
	}
	t := &Trend{Against: against}
	change := now.V/before.V - 1
	t.Text = f.r.SignedPct(change, 0)
	if m.Share() {
		change = now.V - before.V
		t.Text = f.r.T("figure.points", "n", f.r.Signed(change*100, 1))
	}
	switch {
	case change > 0.005:
		t.Dir = "up"
	case change < -0.005:
		t.Dir = "down"
	default:
		t.Dir, t.Text = "flat", f.r.T("figure.stable")
		return t
	}
	if worse != 0 {
		if (change > 0) == (worse > 0) {
			t.Tone = "worse"
		} else {
			t.Tone = "better"
		}
	}
	return t
}

// table gives the same numbers as a chart: a row a row, a column a measure.
func (f figures) table(rows []cube.Row, by []cube.Dim, total *cube.Row, caption string) *Table {
	t := &Table{Printer: f.r.Printer, Caption: caption}
	for i, d := range by {
		t.Columns = append(t.Columns, Column{Label: f.say.Dim(d), Lead: i == 0})
	}
	for i, m := range f.res.Query.Measures {
		t.Columns = append(t.Columns, Column{Label: f.say.Measure(m), Num: true})
		if f.compared(i) {
			t.Columns = append(t.Columns, Column{Label: f.r.T("figure.before"), Num: true}, Column{Label: f.r.T("figure.change"), Num: true})
		}
	}
	for _, row := range rows {
		var cells []Cell
		for i := range by {
			cells = append(cells, Cell{Text: f.label(row, by, i)})
		}
		t.Rows = append(t.Rows, TableRow{Cells: append(cells, f.cells(by, row)...)})
	}
	if total != nil {
		t.Foot = append(t.Foot, Cell{Text: f.r.T("common.total")})
		for range by[1:] {
			t.Foot = append(t.Foot, Cell{})
		}
		t.Foot = append(t.Foot, f.cells(nil, *total)...)
	}
	return t
}

// compared tells whether a measure of the answer, by its place, is shown beside
// what it was: the one that the question is about.
func (f figures) compared(i int) bool { return i == 0 && f.res.Query.Compare != cube.CompareNone }

// cells are a row's figures, each linked to its incidents.
func (f figures) cells(by []cube.Dim, row cube.Row) []Cell {
	var cells []Cell
	for i, m := range f.res.Query.Measures {
		v := row.Values[i]
		c := Cell{Text: f.say.Value(m, v)}
		if v.N > 0 {
			c.Href = f.list(by, row, m)
		}
		cells = append(cells, c)
		if !f.compared(i) {
			continue
		}
		was := f.before(row, m)
		before, change := Cell{Text: f.say.Value(m, was)}, Cell{Text: "–"}
		if was.N > 0 {
			before.Href = listAddress(f.res.DrillBefore(by, row, m)).String()
		}
		switch {
		case !v.Valid || !was.Valid:
		case m.Share():
			change.Text = f.r.T("figure.points", "n", f.r.Signed((v.V-was.V)*100, 1))
		case was.V != 0:
			change.Text = f.r.SignedPct(v.V/was.V-1, 0)
		case v.V != 0:
			change.Text = f.r.T("figure.new")
		}
		cells = append(cells, before, change)
	}
	return cells
}

// sorted gives the rows by a measure, the largest first, what is not known last.
func (f figures) sorted(m cube.Measure) []cube.Row {
	rows := slices.Clone(f.res.Rows)
	slices.SortStableFunc(rows, func(a, b cube.Row) int {
		x, y := f.value(a, m), f.value(b, m)
		if x.Valid != y.Valid {
			if x.Valid {
				return -1
			}
			return 1
		}
		return cmp.Compare(y.V, x.V)
	})
	return rows
}
