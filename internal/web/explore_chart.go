package web

import (
	"math"
	"slices"
	"time"

	"statincidents/internal/chart"
	"statincidents/internal/cube"
)

// The charts that a reader may choose, kept in the address as "chart"; without
// it the one that suits the question best is drawn.
const (
	asLines   = "lines"
	asColumns = "columns"
	asBars    = "bars"
	asHeat    = "heat"
)

// drawings lists the charts that can show an answer, the best first.
func drawings(q cube.Query) []string {
	m := q.Measures[0]
	sums := m.Additive() && m != cube.Backlog // parts may be put on each other
	switch {
	case len(q.By) == 1 && isBucket(q.By[0]) && sums:
		return []string{asColumns, asLines}
	case len(q.By) == 1 && isBucket(q.By[0]):
		return []string{asLines}
	case len(q.By) == 1:
		return []string{asBars}
	case len(q.By) != 2:
		return nil
	case isBucket(q.By[0]) && isBucket(q.By[1]):
		return []string{asHeat}
	case isBucket(q.By[0]) || isBucket(q.By[1]):
		if sums {
			return []string{asLines, asColumns, asHeat}
		}
		return []string{asLines, asHeat}
	case sums:
		return []string{asHeat, asBars}
	}
	return []string{asHeat}
}

// maxCells is how many cells a drawing may have before it is a table only.
const maxCells = 1500

// draw draws the answer as the reader chose, or as suits it; nil when a table
// says it better.
func (f figures) draw(label string) chart.Chart {
	q := f.res.Query
	kinds := drawings(q)
	if len(f.res.Rows) == 0 || len(kinds) == 0 {
		return nil
	}
	kind := f.r.Address.Get("chart")
	if !slices.Contains(kinds, kind) {
		kind = kinds[0]
	}
	m := q.Measures[0]
	head := chart.Head{ID: "answer-chart", Label: label, Desc: f.question(f.r.T("explore.what")), Unit: unitOf(m)}
	if len(q.By) == 1 {
		return f.drawOne(kind, head, m)
	}
	switch {
	case kind == asHeat && len(f.res.Margins[0])*len(f.res.Margins[1]) > maxCells:
		return nil
	case kind == asHeat:
		return f.heat(head.ID, label, head.Desc, m)
	case kind == asBars:
		return f.stackedBars(head, m)
	}
	at, other := 0, 1
	if !isBucket(q.By[0]) {
		at, other = 1, 0
	}
	if kind == asColumns {
		return &chart.Columns{Head: head, Period: f.period(q.By[at]), Series: f.series(m, at, other, maxParts, true)}
	}
	return &chart.Lines{Head: head, Period: f.period(q.By[at]), Series: f.series(m, at, other, maxLines, false)}
}

func (f figures) drawOne(kind string, head chart.Head, m cube.Measure) chart.Chart {
	q := f.res.Query
	if kind == asBars {
		bars := &chart.Bars{Head: head, Items: f.bars(f.drawn(f.res.Rows, m), q.By, m)}
		for i, row := range f.drawn(f.res.Rows, m) {
			if f.r.Address.Has(string(q.By[0]), row.Keys[0]) {
				bars.Items[i].State = chart.On
			}
		}
		if q.Compare != cube.CompareNone {
			bars.Ghost = against(f.r, q.Compare)
		}
		return bars
	}
	series := chart.Series{Label: f.say.Measure(m), Category: 1, Points: f.points(f.res.Rows, q.By, 0, m, false)}
	var ghost *chart.Series
	if q.Compare != cube.CompareNone {
		ghost = &chart.Series{Label: against(f.r, q.Compare), Points: f.points(f.res.Rows, q.By, 0, m, true)}
	}
	if kind == asColumns {
		return &chart.Columns{Head: head, Period: f.period(q.By[0]), Series: []chart.Series{series}, Ghost: ghost}
	}
	return &chart.Lines{Head: head, Period: f.period(q.By[0]), Series: []chart.Series{series}, Ghost: ghost}
}

// drawn are the rows of a bar each: without the bar of all others where it
// would make the named ones small.
func (f figures) drawn(rows []cube.Row, m cube.Measure) []cube.Row {
	if i := f.heavy(rows, m); i >= 0 {
		return rows[:i]
	}
	return rows
}

// heavy is the place of the row of all others, the last, if it is larger than
// every named one; -1 otherwise.
func (f figures) heavy(rows []cube.Row, m cube.Measure) int {
	last := len(rows) - 1
	if last < 1 || !rows[last].Others || !m.Additive() {
		return -1
	}
	for _, row := range rows[:last] {
		if f.value(row, m).V >= f.value(rows[last], m).V {
			return -1
		}
	}
	return last
}

// beyond says what the drawing leaves to the table.
func (f figures) beyond() string {
	q := f.res.Query
	rows := f.res.Rows
	if len(q.By) == 0 || len(q.By) > 2 || isBucket(q.By[0]) || len(q.By) == 2 && f.r.Address.Get("chart") != asBars {
		return ""
	}
	if len(q.By) == 2 {
		rows = f.res.Margins[0]
	}
	if i := f.heavy(rows, q.Measures[0]); i >= 0 {
		return f.r.T("explore.beyond", "value", f.say.Value(q.Measures[0], f.value(rows[i], q.Measures[0])))
	}
	return ""
}

// How many lines can be told apart, and how many parts of a bar: eight colours,
// the last one standing for all others.
const (
	maxLines = 6
	maxParts = 8
)

// series makes a series of each key of a dimension, along the other one, which
// is of time. With rest, what is past the most that are shown is summed up in
// one, so that stacks reach the total; else it is left out.
func (f figures) series(m cube.Measure, at, other, most int, rest bool) []chart.Series {
	by := f.res.Query.By
	rows := map[string][]cube.Row{}
	for _, row := range f.res.Rows {
		rows[row.Keys[other]] = append(rows[row.Keys[other]], row)
	}
	margins := f.res.Margins[other]
	var series []chart.Series
	for i, margin := range margins {
		if i == most || rest && i == most-1 && len(margins) > most {
			break
		}
		category := i + 1
		if margin.Others {
			category = 9
		}
		series = append(series, chart.Series{Label: f.label(margin, by[other:], 0), Category: category, Points: f.points(rows[margin.Keys[0]], by, at, m, false), Gaps: !m.Additive()})
	}
	if !rest || len(series) == len(margins) {
		return series
	}
	others := chart.Series{Label: f.r.T("explore.others"), Category: 9}
	index := map[time.Time]int{}
	for _, margin := range margins[len(series):] {
		for _, p := range f.points(rows[margin.Keys[0]], by, at, m, false) {
			i, known := index[p.At]
			if !known {
				i = len(others.Points)
				index[p.At] = i
				others.Points = append(others.Points, chart.Point{At: p.At})
			}
			if !math.IsNaN(p.Value) {
				others.Points[i].Value += p.Value
			}
		}
	}
	slices.SortFunc(others.Points, func(a, b chart.Point) int { return a.At.Compare(b.At) })
	return append(series, others)
}

// stackedBars makes a bar of each key of the first dimension, shared between
// the keys of the second.
func (f figures) stackedBars(head chart.Head, m cube.Measure) chart.Chart {
	by := f.res.Query.By
	bars := &chart.Bars{Head: head, Items: f.bars(f.drawn(f.res.Margins[0], m), by[:1], m)}
	cols := f.res.Margins[1]
	for i, col := range cols {
		if i == maxParts-1 && len(cols) > maxParts {
			bars.Parts = append(bars.Parts, chart.Part{Label: f.r.T("explore.others"), Category: 9})
			break
		}
		part := chart.Part{Label: f.label(col, by[1:], 0), Category: i + 1}
		if col.Others {
			part.Category = 9
		}
		bars.Parts = append(bars.Parts, part)
	}
	at := map[string]int{}
	for i, row := range f.drawn(f.res.Margins[0], m) {
		at[row.Keys[0]] = i
		bars.Items[i].Values = make([]float64, len(bars.Parts))
		bars.Items[i].Hrefs = make([]string, len(bars.Parts))
		bars.Items[i].Titles = make([]string, len(bars.Parts))
	}
	part := map[string]int{}
	for i, col := range cols {
		part[col.Keys[0]] = min(i, len(bars.Parts)-1)
	}
	for _, row := range f.res.Rows {
		v := size(f.value(row, m))
		i, known := at[row.Keys[0]]
		if !known || math.IsNaN(v) || v == 0 {
			continue
		}
		k := part[row.Keys[1]]
		item := &bars.Items[i]
		item.Values[k] += v
		if k < len(bars.Parts)-1 || len(cols) <= maxParts {
			item.Hrefs[k] = f.href(by, row, m)
			item.Titles[k] = f.title(Legend(item.Label, f.label(row, by, 1)), row, m)
		}
	}
	return bars
}

func isBucket(d cube.Dim) bool { _, ok := grains[d]; return ok }

func kindOf(c chart.Chart) string {
	switch c := c.(type) {
	case *chart.Bars:
		if len(c.Parts) > 0 {
			return "stack"
		}
		return "bars"
	case *chart.Heat:
		return "heat"
	}
	return "time"
}
