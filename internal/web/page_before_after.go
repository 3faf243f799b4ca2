package web

import (
	"math"
	"net/http"
	"strconv"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
)

// effectPage tells whether an action changed something.
type effectPage struct {
	Page

	Form     *Form
	Fields   []Field
	Schools  Field // where the change was made
	Chosen   string
	Loading  bool
	Refused  string
	Asked    bool // the form was sent
	Findings Findings
	Warning  string
	Chart    ChartFrame
	Table    Table
	Exports  []Link
	Note     MethodNote
}

var effectView = newView[effectPage]("page_before_after.html", shell)

func (s *Server) effectRoutes() {
	s.analysisEntry(question{order: 80, key: "effect", icon: "arrow-left-right", href: "/before-after"})
	s.page("GET /before-after", s.effect, needs(auth.ViewStatistics))
	s.page("GET /before-after.csv", s.exportEffect, needs(auth.ExportData))
	s.page("GET /before-after.xlsx", s.exportEffect, needs(auth.ExportData))
}

// change reads the action of the address.
func (r *Request) change(f *Form) analysis.Change {
	c := analysis.Change{Category: f.ID("category")}
	c.Day, _ = dayOf(f.Get("day"))
	for _, v := range f.All("changed") {
		if school, err := strconv.ParseInt(v, 10, 64); err == nil && len(c.Schools) < cube.MaxFilterValues {
			c.Schools = append(c.Schools, school)
		}
	}
	return c
}

func (s *Server) effect(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	f := r.Filters()
	p := &effectPage{Page: Page{Title: r.T("effect.title"), Lede: r.T("effect.lede")}, Form: f, Note: r.methodNote("effect", "avant-apres")}
	day := f.Input("date", "day", r.T("effect.day")).Must()
	p.Fields = []Field{day, f.Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("common.all"))).Plain()}
	p.Schools = f.Choices("changed", r.T("effect.changed"), n.schoolOptions(r.Scope(), "")[1:]).Plain()
	p.Schools.Multiple, p.Schools.Hint = true, r.T("effect.changed.hint")
	c := r.change(f)
	p.Chosen = r.N("effect.chosen", len(c.Schools))
	if p.Asked = c.Day != 0; !p.Asked {
		return effectView.show(r, http.StatusOK, p)
	}
	b, err := s.deps.Analysis.BeforeAfter(r.Context(), r.Scope(), c)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Loading = true
		return effectView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	}
	if b.Refusal != nil {
		p.Refused = r.refusal(b.Refusal)
	}
	if len(b.Cells) == 0 {
		return effectView.show(r, http.StatusOK, p)
	}
	if b.Refusal == nil {
		p.Findings = Findings{r.Printer, r.effectFindings(n, c, b)}
	}
	if b.Controls == 0 {
		p.Warning = r.T("effect.warning.alone")
	}
	p.Chart, p.Table = r.effectChart(n, c, b), r.effectTable(n, c, b)
	p.Note.Steps = []string{r.T("effect.method.design"), r.T("effect.method.guard")}
	if b.Alone == nil && b.Refusal == nil {
		p.Note.Steps = append(p.Note.Steps, r.T("effect.method.model", "phi", r.Num(b.Effect.Model.Phi, 2), "p", r.chance(b.Effect.P), "freedom", b.Effect.Model.Freedom))
	}
	q := cube.ListQuery{From: b.Weeks[0].Monday, To: b.Weeks[len(b.Weeks)-1].Monday + 7}
	if p.Note.Quality, err = s.quality(r, q, cube.DimCategory, cube.DimSchool); err != nil {
		return err
	}
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/before-after." + kind).String(), Icon: "download"})
		}
	}
	return effectView.show(r, http.StatusOK, p)
}

// effectFindings say the effect, its interval, and whether it could be chance.
func (r *Request) effectFindings(n *names, c analysis.Change, b analysis.BeforeAfter) []string {
	what := r.T("effect.all_kinds")
	if c.Category != 0 {
		what = n.category(c.Category)
	}
	ratio, limits := b.Effect.Ratio, b.Effect.Limits
	key := "effect.found"
	if b.Alone != nil {
		ratio, limits, key = b.Alone.Value, b.Alone.Limits, "effect.alone"
	}
	said := []string{r.T(key, "day", r.Day(c.Day), "kind", what, "much", r.more(ratio), "low", r.more(limits.Low), "high", r.more(limits.High))}
	if b.Sure() {
		return append(said, r.T("effect.sure"))
	}
	return append(said, r.T("effect.unsure"))
}

func (r *Request) effectChart(n *names, c analysis.Change, b analysis.BeforeAfter) ChartFrame {
	loc := r.Location()
	first, last := b.Weeks[0].Monday, b.Weeks[len(b.Weeks)-1].Monday+7
	f := r.figures(n, cube.Result{From: first, To: last})
	l := &chart.Lines{
		Head:   chart.Head{ID: "effect-chart", Label: r.T("effect.chart.title")},
		Period: f.period(cube.DimWeek),
		Series: []chart.Series{{Label: r.T("effect.group.changed"), Category: 1, Gaps: true}},
	}
	l.Notes = []chart.Note{{At: c.Day.Start(loc), Label: r.T("effect.chart.note")}}
	if b.Controls > 0 {
		l.Series = append(l.Series, chart.Series{Label: r.T("effect.group.control"), Category: 2, Gaps: true})
	}
	for _, w := range b.Weeks {
		for k, v := range []float64{w.Changed, w.Control}[:len(l.Series)] {
			if v < 0 {
				continue
			}
			l.Series[k].Points = append(l.Series[k].Points, chart.Point{
				At: w.Monday.Start(loc), Value: v, Href: r.effectBehind(n, c, k == 0, w.Monday, w.Monday+7),
				Title: r.T("effect.chart.point", "group", l.Series[k].Label, "day", r.MediumDay(w.Monday), "rate", r.Num(v, 2)),
			})
		}
	}
	out := ChartFrame{Printer: r.Printer, ID: "effect", Title: r.T("effect.chart.title"), Question: r.T("effect.chart.what", "period", r.spanLabel(first, last)), How: r.T("effect.chart.how")}
	l.Desc = out.Question
	out.Drawing = chart.Render(l, r.Printer, chart.Full)
	return out
}

// effectBehind leads to the incidents of a group between two days.
func (r *Request) effectBehind(n *names, c analysis.Change, changed bool, from, to calendar.Day) string {
	q := cube.ListQuery{From: from, To: to}
	f := cube.Filter{Dim: cube.DimSchool}
	for _, school := range c.Schools {
		if changed {
			f.In = append(f.In, id(school))
		} else {
			f.NotIn = append(f.NotIn, id(school))
		}
	}
	q.Filters = []cube.Filter{f}
	if c.Category != 0 {
		q.Filters = append(q.Filters, analysis.CategoryFilter(n.words, c.Category))
	}
	return listAddress(q).String()
}

var effectColumns = []string{"schools", "weeks", "events", "rate", "limits"}

func (r *Request) effectTable(n *names, c analysis.Change, b analysis.BeforeAfter) Table {
	t := Table{Printer: r.Printer, ID: "effect-table", Caption: r.T("effect.table"), Hide: true, Stacked: true, Columns: []Column{{Label: r.T("effect.column.group"), Lead: true}}}
	for _, key := range effectColumns {
		t.Columns = append(t.Columns, Column{Label: r.T("effect.column." + key), Num: true})
	}
	for _, cell := range b.Cells {
		if cell.Weeks == 0 {
			continue
		}
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: r.cellName(cell), Note: r.spanLabel(cell.From, cell.To), Href: r.effectBehind(n, c, cell.Changed, cell.From, cell.To)},
			{Text: r.Int(cell.Schools)}, {Text: r.Int(cell.Weeks)}, {Text: r.Int(cell.Rate.Events)}, {Text: r.Num(cell.Rate.Value, 2)},
			{Text: r.T("rates.between", "low", r.Num(cell.Rate.Limits.Low, 2), "high", r.Num(cell.Rate.Limits.High, 2))},
		}})
	}
	return t
}

func (r *Request) cellName(cell analysis.EffectCell) string {
	group, side := "control", "before"
	if cell.Changed {
		group = "changed"
	}
	if cell.After {
		side = "after"
	}
	return r.T("effect.cell", "group", r.T("effect.group."+group), "side", r.T("effect.side."+side))
}

// exportEffect sends the weeks of both groups, from which the effect is made.
func (s *Server) exportEffect(r *Request) error {
	b, err := s.deps.Analysis.BeforeAfter(r.Context(), r.Scope(), r.change(r.Filters()))
	if err != nil {
		return err
	}
	columns := []sheet.Column{
		{Title: r.T("effect.column.week"), Width: 14}, {Title: r.T("effect.column.side"), Width: 18},
		{Title: r.T("effect.group.changed"), Kind: sheet.Number, Width: 18}, {Title: r.T("effect.group.control"), Kind: sheet.Number, Width: 18},
	}
	out, err := r.download("effect", columns)
	if err != nil {
		return err
	}
	value := func(v float64) float64 {
		if v < 0 {
			return math.NaN()
		}
		return math.Round(v*1e4) / 1e4
	}
	for _, w := range b.Weeks {
		side := "before"
		switch {
		case w.After:
			side = "after"
		case w.LeftOut:
			side = "left_out"
		}
		if err := out.Row(w.Monday.String(), r.T("effect.side."+side), value(w.Changed), value(w.Control)); err != nil {
			return err
		}
	}
	return out.Close()
}
