package web

import (
	"math"

	"statincidents/internal/cube"
)

// Findings are what a chart's title says when its figures say something; the
// plain name of the chart otherwise. A difference is said only when chance
// alone hardly explains it: three standard deviations of a Poisson count.
const surely = 3

// foundChange says which name grew or shrank most against the comparison, by a
// count; else which one is the first.
func (f figures) foundChange(m cube.Measure, plain string) string {
	r, best, change := f.r, cube.Row{}, 0.0
	for _, row := range f.res.Rows {
		now, before := f.value(row, m), f.before(row, m)
		if row.Others || row.Keys[0] == "" || !now.Valid || !before.Valid || before.V < 5 {
			continue
		}
		if z := (now.V - before.V) / math.Sqrt(now.V+before.V); math.Abs(z) > surely && math.Abs(z) > math.Abs(change) {
			best, change = row, z
		}
	}
	if change != 0 {
		now, before := f.value(best, m), f.before(best, m)
		return r.T("found.change", "name", f.label(best, f.res.Query.By, 0), "change", r.SignedPct(now.V/before.V-1, 0), "before", int(before.V), "now", int(now.V))
	}
	total := f.value(f.res.Total, m)
	if rows := f.sorted(m); len(rows) > 1 && total.V >= 20 && !rows[0].Others && rows[0].Keys[0] != "" {
		first := f.value(rows[0], m)
		return r.T("found.first", "name", f.label(rows[0], f.res.Query.By, 0), "n", int(first.V), "all", int(total.V), "share", r.Pct(first.V/total.V, 0))
	}
	return plain
}

// foundRate says which name is farthest above the whole, by a rate.
func (f figures) foundRate(m cube.Measure, plain string) string {
	total := f.value(f.res.Total, m)
	if !total.Valid || total.V <= 0 {
		return plain
	}
	best, far, many := cube.Row{}, 0.0, 0
	for _, row := range f.res.Rows {
		v := f.value(row, m)
		if row.Others || !v.Valid || v.V <= total.V {
			continue
		}
		expected := float64(v.N) * total.V / v.V
		if z := (float64(v.N) - expected) / math.Sqrt(expected); z > surely {
			many++
			if z > far {
				best, far = row, z
			}
		}
	}
	if many == 0 {
		return plain
	}
	v := f.value(best, m)
	args := []any{"name", f.label(best, f.res.Query.By, 0), "value", f.say.Value(m, v), "times", f.r.Num(v.V/total.V, 1)}
	if many == 1 {
		return f.r.T("found.rate.alone", args...)
	}
	return f.r.N("found.rate", many-1, args...)
}

// foundCell says which crossing of two dimensions holds most.
func (f figures) foundCell(m cube.Measure, plain string) string {
	by, best := f.res.Query.By, -1
	for i, row := range f.res.Rows {
		if best < 0 || f.value(row, m).V > f.value(f.res.Rows[best], m).V {
			best = i
		}
	}
	if best < 0 || f.value(f.res.Rows[best], m).V < 5 {
		return plain
	}
	row := f.res.Rows[best]
	return f.r.T("found.cell", "a", f.label(row, by, 0), "b", f.label(row, by, 1), "n", int(f.value(row, m).V))
}
