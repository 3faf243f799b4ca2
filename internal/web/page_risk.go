package web

import (
	"net/http"
	"slices"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/servicelevel"
)

// riskPage lists the open incidents that may pass their target, and says what
// such announcements were worth.
type riskPage struct {
	Page

	Bar      FilterBar
	Tabs     Tabs
	Loading  string
	Refused  string
	Findings Findings
	Table    Table
	Count    string
	Pager    Pager
	Empty    *EmptyState
	Past     ChartFrame
	Note     MethodNote
}

var riskView = newView[riskPage]("page_risk.html", shell)

func (s *Server) risk(r *Request) error {
	q, err := r.conditions()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &riskPage{Page: Page{Title: r.T("times.risk.title"), Lede: r.T("times.risk.lede")}, Tabs: r.timesTabs("/times/risk")}
	p.Bar = r.riskFilters(n)
	b, err := s.deps.Analysis.OpenRisks(r.Context(), r.Who, q)
	if fault.Is(err, fault.Unavailable) {
		p.Loading = r.T("error.analysis.none")
		return riskView.show(r, http.StatusOK, p)
	}
	if err != nil {
		return err
	}
	if b.Refusal != nil {
		p.Refused = r.refusal(b.Refusal)
		return riskView.show(r, http.StatusOK, p)
	}
	p.Findings = Findings{r.Printer, r.riskFindings(&b)}
	page := cube.Page{Total: len(b.Open)}
	byID := map[int64]analysis.OpenRisk{}
	for _, one := range b.Open {
		page.IDs = append(page.IDs, one.ID)
		byID[one.ID] = one
	}
	p.Count = r.counted("times.risk.count", len(b.Open))
	p.Pager = r.cut(&page)
	found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
	if err != nil {
		return err
	}
	p.Table = Table{Printer: r.Printer, ID: "risk-table", Caption: r.T("times.risk.table"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("times.risk.column.incident"), Lead: true, Wrap: true}, {Label: r.T("cube.dim.category"), Wrap: true}, {Label: r.T("cube.dim.priority")},
		{Label: r.T("times.risk.column.spent"), Num: true}, {Label: r.T("times.risk.column.target"), Num: true}, {Label: r.T("times.risk.column.risk"), Num: true}, {Label: r.T("times.risk.column.class")},
	}}
	for _, i := range found {
		one := byID[i.ID]
		badge := riskBadge(r, one)
		priority := PriorityBadge(r.Printer, i.Priority)
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{
			{Text: i.Title, Href: "/incidents/" + id(i.ID), Note: n.place(i)}, {Text: n.kind(i.Category)}, {Badge: &priority},
			{Text: r.OpenMinutes(one.Spent)}, {Text: r.OpenMinutes(one.Target)}, {Text: r.percent(one.P)}, {Badge: &badge},
		}})
	}
	if len(b.Open) == 0 {
		p.Empty = &EmptyState{Icon: "circle-check", Title: r.T("times.risk.empty.title"), Text: r.T("times.risk.empty.text")}
	}
	p.Past = r.riskPast(&b)
	p.Note = r.methodNote("times.risk", "delais")
	p.Note.Steps = []string{
		r.T("times.risk.method.chance", "n", r.Int(b.Learned)), r.T("times.risk.method.past", "n", r.Int(b.Tested)),
		r.T("times.risk.method.score", "brier", r.Num(b.Brier, 3), "base", r.Num(b.Base, 3), "area", r.Num(b.Area, 2)),
	}
	if b.NoTarget > 0 {
		p.Note.Quality = append(p.Note.Quality, r.N("times.risk.quality.no_target", b.NoTarget))
	}
	r.recorded(&p.Note, b.Made)
	return riskView.show(r, http.StatusOK, p)
}

// riskFilters has no period: what is open is open, whenever it was declared.
func (r *Request) riskFilters(n *names) FilterBar {
	f, all := r.Filters(), r.T("common.all")
	var fields []Field
	if len(n.places.SchoolsIn(r.Scope())) > 1 {
		fields = append(fields, f.Select("school", r.T("cube.dim.school"), n.schoolOptions(r.Scope(), all)))
	}
	tops := []Option{{Label: all}}
	for _, c := range n.words.Children(0) {
		tops = append(tops, Option{Value: id(c.ID), Label: c.In(n.lang())})
	}
	fields = append(fields, f.Select("category", r.T("cube.dim.category"), tops), f.Select("team", r.T("cube.dim.team"), n.teamOptions(r.T("common.all.f"))))
	return r.FilterBar(fields)
}

// riskBadge shows a chance as one of three classes.
func riskBadge(r *Request, one analysis.OpenRisk) Badge {
	b := Badge{Word: r.T("times.risk.class." + string(one.Class)), Icon: "circle-check"}
	switch one.Class {
	case analysis.RiskHigh:
		b.Icon, b.Tone = "triangle-alert", "critical"
	case analysis.RiskMedium:
		b.Icon, b.Tone = "timer", "warning"
	case analysis.RiskLow:
	}
	return b
}

func (r *Request) riskFindings(b *analysis.RiskBoard) []string {
	counts := map[analysis.RiskClass]int{}
	for _, one := range b.Open {
		counts[one.Class]++
	}
	said := []string{r.counted("times.risk.found.high", counts[analysis.RiskHigh]) + " " + r.counted("times.risk.found.medium", counts[analysis.RiskMedium])}
	if b.Late > 0 {
		said = append(said, r.N("times.risk.found.late", b.Late))
	}
	if !b.Useful() {
		return append(said, r.T("times.risk.found.useless"))
	}
	for k, c := range slices.Backward(b.Classes) {
		if c.N > 0 {
			said = append(said, r.T("times.risk.found.came_true", "class", r.T("times.risk.class."+riskClasses[k]), "announced", r.Pct(c.Mean, 0), "observed", r.Num(100*c.Observed(), 0), "n", r.Int(c.N)))
		}
	}
	return said
}

// riskClasses are the classes in the order of BreachOutput.Classes.
var riskClasses = []string{string(analysis.RiskLow), string(analysis.RiskMedium), string(analysis.RiskHigh)}

// riskPast compares what was announced with what happened.
func (r *Request) riskPast(b *analysis.RiskBoard) ChartFrame {
	g := &chart.Bars{Head: chart.Head{ID: "risk-chart", Label: r.T("times.risk.past.title"), Unit: chart.Share}, Ghost: r.T("times.risk.past.announced")}
	t := &Table{Printer: r.Printer, Caption: r.T("times.risk.past.title"), Columns: []Column{{Label: r.T("times.risk.column.announced"), Lead: true}}}
	for _, key := range []string{"n", "mean", "happened", "observed"} {
		t.Columns = append(t.Columns, Column{Label: r.T("times.risk.column." + key), Num: true})
	}
	holds := 0
	seen := 0
	for _, c := range b.Tenths {
		label := r.T("times.between", "low", r.Pct(c.Low, 0), "high", r.Pct(c.High, 0))
		if c.N == 0 {
			t.Rows = append(t.Rows, TableRow{Cells: Cells(label, r.Int(0), "—", "—", "—")})
			continue
		}
		seen++
		if c.Limits.Holds(c.Mean) {
			holds++
		}
		limits := r.T("times.between", "low", r.Pct(c.Limits.Low, 0), "high", r.Pct(c.Limits.High, 0))
		g.Items = append(g.Items, chart.Bar{
			Label: label, Value: c.Observed(), Low: c.Limits.Low, High: c.Limits.High, Ghost: c.Mean,
			Title: r.T("times.risk.past.bar", "n", r.Int(c.N), "announced", r.Pct(c.Mean, 0), "happened", r.Int(c.Happened), "limits", limits),
		})
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{{Text: label}, {Text: r.Int(c.N)}, {Text: r.Pct(c.Mean, 0)}, {Text: r.Int(c.Happened)}, {Text: r.Pct(c.Observed(), 0), Note: limits}}})
	}
	f := ChartFrame{Printer: r.Printer, ID: "past", Title: r.T("times.risk.past.found", "n", r.Int(holds), "all", r.Int(seen)), Question: r.T("times.risk.past.what", "n", r.Int(b.Tested)), How: r.T("times.risk.past.how"), Table: t}
	g.Desc = f.Title
	f.Drawing = chart.Render(g, r.Printer, chart.Half)
	return f
}

// risksOf are the risks of some incidents that the reader may be told; none
// where the announcements are worth nothing.
func (s *Server) risksOf(r *Request, ids []int64) (map[int64]analysis.OpenRisk, error) {
	if s.deps.Analysis == nil || len(ids) == 0 || !r.Who.Can(auth.ViewStatistics) {
		return nil, nil
	}
	b, err := s.deps.Analysis.OpenRisks(r.Context(), r.Who, cube.ListQuery{Only: ids})
	if fault.Is(err, fault.Unavailable) || err == nil && !b.Useful() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[int64]analysis.OpenRisk{}
	for _, one := range b.Open {
		out[one.ID] = one
	}
	return out, nil
}

// riskPressure orders a list by the risk of passing the target.
const riskPressure servicelevel.Pressure = "risk"

// risky are the open incidents in the order of their risk.
func (s *Server) risky(r *Request) ([]int64, error) {
	b, err := s.deps.Analysis.OpenRisks(r.Context(), r.Who, cube.ListQuery{})
	if fault.Is(err, fault.Unavailable) {
		return nil, nil
	}
	ids := make([]int64, 0, len(b.Open))
	for _, one := range b.Open {
		ids = append(ids, one.ID)
	}
	return ids, err
}

// riskFound says what threatens now.
func (s *Server) riskFound(r *Request) (string, error) {
	b, err := s.deps.Analysis.OpenRisks(r.Context(), r.Who, cube.ListQuery{})
	if err != nil || b.Refusal != nil || !b.Useful() {
		return "", err
	}
	high := 0
	for _, one := range b.Open {
		if one.Class == analysis.RiskHigh {
			high++
		}
	}
	return r.counted("times.risk.found.high", high), nil
}
