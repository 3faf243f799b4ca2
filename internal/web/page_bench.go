package web

import (
	"math"
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
	"statincidents/internal/stats"
	"statincidents/internal/trial"
)

// benchPage puts the detectors to the test on the département's own past.
type benchPage struct {
	Page

	Waiting  string // why there is nothing yet
	Refused  string
	Findings Findings
	Chart    ChartFrame
	Table    Table
	Weeks    Table
	Exports  []Link
	Note     MethodNote
}

var benchView = newView[benchPage]("page_bench.html", shell)

func (s *Server) benchRoutes() {
	s.analysisEntry(question{order: 15, key: "bench", icon: "square-check", href: "/signals/bench", right: auth.JudgeSignal, found: func(r *Request) (string, error) {
		b, err := s.benched(r)
		if err != nil || b.Refusal != nil {
			return "", err
		}
		return b.said(r)[0], nil
	}})
	s.page("GET /signals/bench", s.bench, needs(auth.ViewStatistics))
	s.page("GET /signals/bench.csv", s.exportBench, needs(auth.ExportData))
	s.page("GET /signals/bench.xlsx", s.exportBench, needs(auth.ExportData))
}

// benched is the bench of the last night as its page says it.
type benched struct {
	analysis.BenchOutput

	made analysis.Made
}

func (s *Server) benched(r *Request) (benched, error) {
	var b benched
	var err error
	b.BenchOutput, b.made, err = s.deps.Analysis.Bench(r.Context(), r.Who)
	return b, err
}

func (s *Server) bench(r *Request) error {
	p := &benchPage{Page: Page{Title: r.T("bench.title"), Lede: r.T("bench.lede"), Crumbs: []Link{{Label: r.T("signal.title"), Href: "/signals"}}}}
	b, err := s.benched(r)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Waiting = r.T("error.analysis.none")
		return benchView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	}
	p.Note = r.methodNote("bench", "alerte-precoce")
	r.recorded(&p.Note, b.made)
	if b.Refusal != nil {
		p.Refused = r.refusal(b.Refusal)
		return benchView.show(r, http.StatusOK, p)
	}
	p.Lede = r.T("bench.lede.on", "from", r.MediumDay(b.From), "to", r.MediumDay(b.To-1))
	p.Findings = Findings{r.Printer, b.said(r)}
	p.Chart = b.chart(r)
	p.Table = b.table(r)
	p.Weeks = b.weeks(r)
	plan := trial.UsualPlan()
	p.Note.Steps = []string{
		r.T("bench.method.added", "n", r.Int(b.Table.Outbreaks), "weeks", b.Table.Weeks, "sizes", r.List(b.sizes(r))),
		r.T("bench.method.limits", "least", plan.Least),
		r.T("bench.method.noise"),
		r.T("bench.method.error", "n", r.Int(b.Table.Outbreaks)),
	}
	p.Note.Quality = append(p.Note.Quality, r.T("bench.quality", "series", r.Int(b.Table.Series), "low", r.Pct(b.Table.Low, 0)))
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: "/signals/bench." + kind, Icon: "download"})
		}
	}
	return benchView.show(r, http.StatusOK, p)
}

func (b *benched) sizes(r *Request) []string {
	out := make([]string, len(b.Table.Sizes))
	for k, n := range b.Table.Sizes {
		out[k] = r.Int(n)
	}
	return out
}

func (b *benched) row(detector string) *trial.Row {
	for k := range b.Table.Rows {
		if b.Table.Rows[k].Detector == detector {
			return &b.Table.Rows[k]
		}
	}
	return nil
}

// middle is the size of outbreak that the sentences speak of.
func (b *benched) middle() int { return len(b.Table.Sizes) / 2 }

func addedUp(counts []int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// said are the sentences at the top.
func (b *benched) said(r *Request) []string {
	t, m := &b.Table, b.middle()
	told := addedUp(t.Rule.ByWeek)
	out := []string{r.N("bench.found.rule", told, "weeks", r.Int(t.Judged), "series", r.Int(t.Series), "per", r.Num(t.Rule.Usual, 1))}
	found := t.Rule.Found[m]
	out = append(out, r.T("bench.found.added", "size", t.Sizes[m], "first", r.Pct(found[0], 0), "weeks", t.Weeks, "all", r.Pct(found[len(found)-1], 0)))
	if usual := b.row(trial.EARS1); usual != nil && !usual.Silent {
		out = append(out, r.N("bench.found.usual", addedUp(usual.ByWeek), "per", r.Num(usual.Usual, 1)))
	}
	// At the same noise, who finds most: said also where it is not ours.
	ours := b.row(trial.Ours)
	if ours == nil || ours.Silent {
		return out
	}
	best := ours
	last := t.Weeks - 1
	for k := range t.Rows {
		one := &t.Rows[k]
		if !one.Silent && one.AtOne <= 1 && one.Found[m][last] > best.Found[m][last]+1e-9 {
			best = one
		}
	}
	if best == ours {
		out = append(out, r.T("bench.found.first", "size", t.Sizes[m], "share", r.Pct(ours.Found[m][last], 0), "weeks", t.Weeks))
	} else {
		out = append(out, r.T("bench.found.beaten", "size", t.Sizes[m], "other", r.T("bench.detector."+best.Detector), "best", r.Pct(best.Found[m][last], 0), "share", r.Pct(ours.Found[m][last], 0)))
	}
	return out
}

// chart shows what each detector finds at the same noise.
func (b *benched) chart(r *Request) ChartFrame {
	m, last := b.middle(), b.Table.Weeks-1
	f := ChartFrame{
		Printer: r.Printer, ID: "bench", Title: r.T("bench.chart.title", "size", b.Table.Sizes[m], "weeks", b.Table.Weeks),
		Question: r.T("bench.chart.what"), How: r.T("bench.chart.how"),
	}
	g := &chart.Bars{Head: chart.Head{ID: "bench-chart", Label: f.Title, Desc: f.Question, Unit: chart.Share}}
	for k := range b.Table.Rows {
		one := &b.Table.Rows[k]
		if one.Silent {
			continue
		}
		share := one.Found[m][last]
		limits := shareLimits(share, b.Table.Outbreaks)
		g.Items = append(g.Items, chart.Bar{
			Label: r.T("bench.detector." + one.Detector), Value: share, Low: limits.Low, High: limits.High, Href: "#bench-title",
			Title: r.T("bench.chart.bar", "detector", r.T("bench.detector."+one.Detector), "share", r.Pct(share, 0), "low", r.Pct(limits.Low, 0), "high", r.Pct(limits.High, 0)),
		})
	}
	f.Drawing = chart.Render(g, r.Printer, chart.Full)
	return f
}

// shareLimits are Wilson's 95 % limits of a share of n.
func shareLimits(share float64, n int) stats.Interval {
	z, m := stats.Z95, float64(max(1, n))
	center := (share + z*z/(2*m)) / (1 + z*z/m)
	half := z * math.Sqrt(share*(1-share)/m+z*z/(4*m*m)) / (1 + z*z/m)
	return stats.Interval{Low: max(0, center-half), High: min(1, center+half)}
}

func (b *benched) table(r *Request) Table {
	t := Table{Printer: r.Printer, ID: "bench-table", Caption: r.T("bench.table"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("bench.column.detector"), Lead: true}, {Label: r.T("bench.column.own"), Num: true}, {Label: r.T("bench.column.per"), Num: true},
	}}
	for _, size := range b.Table.Sizes {
		t.Columns = append(t.Columns, Column{Label: r.T("bench.column.found", "size", size), Num: true})
	}
	add := func(one *trial.Row) {
		cells := []Cell{{Text: r.T("bench.detector." + one.Detector)}}
		if one.Silent {
			cells = append(cells, Cell{Text: "—", Note: r.T("bench.silent")}, Cell{Text: "—"})
			for range b.Table.Sizes {
				cells = append(cells, Cell{Text: "—"})
			}
		} else {
			cells = append(cells, Cell{Text: r.Int(addedUp(one.ByWeek))}, Cell{Text: r.Num(one.Usual, 1)})
			for _, found := range one.Found {
				cells = append(cells, Cell{Text: r.Pct(found[len(found)-1], 0), Note: r.T("bench.first", "share", r.Pct(found[0], 0))})
			}
		}
		t.Rows = append(t.Rows, TableRow{Cells: cells})
	}
	add(&b.Table.Rule)
	for k := range b.Table.Rows {
		add(&b.Table.Rows[k])
	}
	return t
}

// weekly are the detectors of the table by week.
var weekly = []string{trial.OursRule, trial.FarringtonOpen, trial.EARS3, trial.EARS1, trial.EARS1All}

func (b *benched) byWeek(detector string) []int {
	if detector == trial.OursRule {
		return b.Table.Rule.ByWeek
	}
	if one := b.row(detector); one != nil && !one.Silent {
		return one.ByWeek
	}
	return nil
}

// weeks is what each would have said, week by week, with the week's incidents.
func (b *benched) weeks(r *Request) Table {
	t := Table{Printer: r.Printer, ID: "bench-weeks", Caption: r.T("bench.weeks"), Hide: true, Stacked: true, Columns: []Column{{Label: r.T("bench.column.week"), Lead: true}}}
	for _, d := range weekly {
		t.Columns = append(t.Columns, Column{Label: r.T("bench.detector." + d), Num: true})
	}
	for k, monday := range slices.Backward(b.Mondays) {
		cells := []Cell{{Text: r.MediumDay(monday), Href: weekHref(monday)}}
		for _, d := range weekly {
			cell := Cell{Text: "—"}
			if counts := b.byWeek(d); k < len(counts) {
				cell.Text = r.Int(counts[k])
			}
			cells = append(cells, cell)
		}
		t.Rows = append(t.Rows, TableRow{Cells: cells})
	}
	return t
}

// weekHref is the list of a week's incidents.
func weekHref(monday calendar.Day) string {
	return "/incidents?from=" + monday.String() + "&to=" + (monday + 6).String()
}

// exportBench sends the table.
func (s *Server) exportBench(r *Request) error {
	b, err := s.benched(r)
	if err != nil {
		return err
	}
	columns := []sheet.Column{{Title: r.T("bench.column.detector"), Width: 44}}
	for _, key := range []string{"own", "per", "noise"} {
		columns = append(columns, sheet.Column{Title: r.T("bench.column." + key), Kind: sheet.Number, Width: 18})
	}
	for _, size := range b.Table.Sizes {
		for w := range b.Table.Weeks {
			columns = append(columns, sheet.Column{Title: r.T("bench.column.within", "size", size, "weeks", strconv.Itoa(w+1)), Kind: sheet.Number, Width: 18})
		}
	}
	out, err := r.download("bench", columns)
	if err != nil {
		return err
	}
	for _, one := range append([]trial.Row{b.Table.Rule}, b.Table.Rows...) {
		if one.Silent || b.Refusal != nil {
			continue
		}
		row := []any{r.T("bench.detector." + one.Detector), float64(addedUp(one.ByWeek)), math.Round(100*one.Usual) / 100, math.Round(100*one.AtOne) / 100}
		for _, found := range one.Found {
			for _, share := range found {
				row = append(row, math.Round(1e4*share)/1e4)
			}
		}
		if err := out.Row(row...); err != nil {
			return err
		}
	}
	return out.Close()
}
