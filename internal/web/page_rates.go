package web

import (
	"math"
	"net/http"
	"strings"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
)

// ratesPage shows rates with the interval in which the true level lies.
type ratesPage struct {
	Page

	Bar      FilterBar
	Loading  bool
	Refused  string
	Findings Findings
	Tabs     Tabs
	Chart    ChartFrame
	Table    Table
	Exports  []Link
	Note     MethodNote
}

var ratesView = newView[ratesPage]("page_rates.html", shell)

func (s *Server) ratesRoutes() {
	s.analysisEntry(question{order: 10, key: "rates", icon: "chart-bar", href: "/rates"})
	s.page("GET /rates", s.rates, needs(auth.ViewStatistics))
	s.page("GET /rates.csv", s.exportRates, needs(auth.ExportData))
	s.page("GET /rates.xlsx", s.exportRates, needs(auth.ExportData))
}

// ratesAsked is what the address asks.
type ratesAsked struct {
	analysis.Rates

	names  *names
	span   period
	query  analysis.RatesQuery
	public bool // as for a document that leaves the service
	hidden int  // rows that such a document does not show
}

func (s *Server) askRates(r *Request) (ratesAsked, error) {
	n, err := r.names()
	if err != nil {
		return ratesAsked{}, err
	}
	f := r.Filters()
	a := ratesAsked{names: n, span: r.period(), public: f.Checked("public")}
	a.query = analysis.RatesQuery{By: analysis.RateBySchool, From: a.span.From, To: a.span.To, School: f.ID("school"), Category: f.ID("category")}
	if f.Get("by") == string(analysis.RateByCategory) || a.query.School != 0 || len(n.places.SchoolsIn(r.Scope())) == 1 {
		a.query.By = analysis.RateByCategory
	}
	if a.Rates, err = s.deps.Analysis.Rates(r.Context(), r.Scope(), a.query); err != nil {
		return a, err
	}
	if a.public {
		a.hidden = a.Public()
	}
	return a, nil
}

func (s *Server) rates(r *Request) error {
	p := &ratesPage{Page: Page{Title: r.T("rates.title")}, Note: r.methodNote("rates", "taux")}
	a, err := s.askRates(r)
	f := r.Filters()
	if err == nil || fault.Is(err, fault.Unavailable) {
		n := a.names
		fields := []Field{r.periodField(f, a.span)}
		if len(n.places.SchoolsIn(r.Scope())) > 1 {
			fields = append(fields, f.Select("school", r.T("cube.dim.school"), n.schoolOptions(r.Scope(), r.T("common.all"))))
		}
		fields = append(fields, f.Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("common.all"))), f.Check("public", r.T("rates.public")))
		p.Bar = r.FilterBar(fields, "by")
	}
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Loading = true
		return ratesView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	}
	p.Lede = r.T("rates.lede", "period", r.spanLabel(a.From, a.To))
	if a.Refusal != nil {
		p.Refused = r.refusal(a.Refusal)
		return ratesView.show(r, http.StatusOK, p)
	}
	if a.query.School == 0 && len(a.names.places.SchoolsIn(r.Scope())) > 1 {
		p.Tabs = r.TabsBy("by", r.T("rates.by"), "school", r.T("rates.by.school"), "category", r.T("rates.by.category"))
	}
	p.Findings = Findings{r.Printer, a.findings(r)}
	p.Chart, p.Table = a.chart(r), a.table(r)
	if p.Note.Quality, err = s.quality(r, a.list(), cube.DimCategory); err != nil {
		return err
	}
	if a.Unknown > 0 {
		p.Note.Quality = append(p.Note.Quality, r.N("rates.unknown", a.Unknown, "missed", r.Int(a.Missed)))
	}
	if a.Late > 0 {
		p.Note.Quality = append(p.Note.Quality, r.T("rates.late", "share", r.Pct(a.Late, 0)))
	}
	p.Note.Steps = []string{
		r.T("rates.method.exposure", "exposure", r.Num(a.All.Rate.Exposure*100, 0)),
		r.T("rates.method.limits"),
		r.T("rates.method.few", "few", analysis.FewForDigits, "public", analysis.FewForPublic),
	}
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/rates." + kind).String(), Icon: "download"})
		}
	}
	return ratesView.show(r, http.StatusOK, p)
}

// list is the incidents that rates rest on.
func (a *ratesAsked) list() cube.ListQuery {
	q := cube.ListQuery{From: a.span.From, To: a.span.To}
	if a.query.School != 0 {
		q.Filters = append(q.Filters, cube.Filter{Dim: cube.DimSchool, In: []string{id(a.query.School)}})
	}
	if a.query.Category != 0 {
		q.Filters = append(q.Filters, analysis.CategoryFilter(a.names.words, a.query.Category))
	}
	return q
}

// behind leads to the incidents of a row.
func (a *ratesAsked) behind(r *Request, row analysis.RateRow) string {
	q := a.list()
	switch {
	case a.query.By == analysis.RateBySchool:
		q.Filters = append(q.Filters, cube.Filter{Dim: cube.DimSchool, In: []string{id(row.ID)}})
	case row.ID != 0:
		if a.query.Category != 0 {
			q.Filters = q.Filters[:len(q.Filters)-1] // what is under it says it too
		}
		q.Filters = append(q.Filters, analysis.CategoryFilter(a.names.words, row.ID))
	default:
		q.Filters = append(q.Filters, cube.Filter{Dim: cube.DimCategory, In: []string{""}})
	}
	return listAddress(q).String()
}

func (a *ratesAsked) label(r *Request, row analysis.RateRow) string {
	switch {
	case a.query.By == analysis.RateBySchool:
		return a.names.places.SchoolName(row.ID)
	case row.ID == 0:
		return r.T("rates.no_category")
	case row.ID == a.query.Category:
		return r.T("rates.itself", "category", a.names.kind(row.ID))
	}
	return a.names.kind(row.ID)
}

// value says a rate: without decimals, and its interval only, where there are
// few incidents.
func (a *ratesAsked) value(r *Request, row analysis.RateRow) string {
	if row.Tiny() {
		return r.T("rates.between", "low", r.Num(row.MidP.Low, 0), "high", r.Num(row.MidP.High, 0))
	}
	return r.Num(row.Rate.Value, digits(row.Rate.Value))
}

// digits keeps a rate from pretending to more than it knows.
func digits(v float64) int {
	if v >= 10 {
		return 0
	}
	return 1
}

func (a *ratesAsked) findings(r *Request) []string {
	all := a.All.Rate
	said := []string{r.T("rates.found.all", "rate", r.Num(all.Value, digits(all.Value)), "low", r.Num(all.Limits.Low, digits(all.Value)), "high", r.Num(all.Limits.High, digits(all.Value)), "n", r.Int(all.Events))}
	if len(a.Rows) > 1 && a.query.By == analysis.RateByCategory {
		if first := a.Rows[0]; !first.Tiny() {
			said = append(said, r.T("rates.found.first", "name", a.label(r, first), "rate", a.value(r, first), "share", r.Pct(float64(first.Rate.Events)/float64(all.Events), 0)))
		}
	}
	apart := 0
	for _, row := range a.Rows {
		if a.query.By == analysis.RateBySchool && !row.Rate.Limits.Holds(all.Value) {
			apart++
		}
	}
	if a.query.By == analysis.RateBySchool && len(a.Rows) > 1 {
		said = append(said, r.N("rates.found.apart", apart, "all", r.Int(len(a.Rows))))
	}
	if all.Events < analysis.LeastEvents {
		said = append(said, r.T("rates.found.few", "n", r.Int(all.Events)))
	}
	if a.hidden > 0 {
		said = append(said, r.N("rates.found.hidden", a.hidden, "least", analysis.FewForPublic))
	}
	return said
}

func (a *ratesAsked) chart(r *Request) ChartFrame {
	b := &chart.Bars{Head: chart.Head{ID: "rates-chart", Label: r.T("rates.chart.title")}}
	if a.query.By == analysis.RateBySchool && len(a.Rows) > 1 {
		b.Ref = &chart.Ref{Value: a.All.Rate.Value, Label: r.T("rates.chart.ref")}
	}
	for _, row := range a.Rows {
		b.Items = append(b.Items, chart.Bar{
			Label: a.label(r, row), Value: row.Rate.Value, Low: row.Rate.Limits.Low, High: row.Rate.Limits.High, Href: a.behind(r, row),
			Title: r.N("rates.chart.bar", row.Rate.Events, "name", a.label(r, row), "rate", a.value(r, row), "low", r.Num(row.Rate.Limits.Low, digits(row.Rate.Value)), "high", r.Num(row.Rate.Limits.High, digits(row.Rate.Value))),
		})
	}
	f := ChartFrame{Printer: r.Printer, ID: "rates", Title: r.T("rates.chart.title"), Question: r.T("rates.chart.what", "period", r.spanLabel(a.From, a.To)), How: r.T("rates.chart.how")}
	b.Desc = f.Question
	f.Drawing = chart.Render(b, r.Printer, chart.Half)
	return f
}

func (a *ratesAsked) table(r *Request) Table {
	lead := r.T("cube.dim.school")
	if a.query.By == analysis.RateByCategory {
		lead = r.T("incident.field.category")
	}
	t := Table{
		Printer: r.Printer, ID: "rates-table", Caption: r.T("rates.table"), Hide: true, Stacked: true,
		Columns: []Column{{Label: lead, Lead: true}, {Label: r.T("rates.column.events"), Num: true}, {Label: r.T("rates.column.rate"), Num: true}, {Label: r.T("rates.column.limits"), Num: true}, {Label: r.T("rates.column.exposure"), Num: true}},
	}
	cells := func(name, href string, row analysis.RateRow) []Cell {
		return []Cell{
			{Text: name, Href: href}, {Text: r.Int(row.Rate.Events)}, {Text: a.value(r, row)},
			{Text: r.T("rates.between", "low", r.Num(row.Rate.Limits.Low, digits(row.Rate.Value)), "high", r.Num(row.Rate.Limits.High, digits(row.Rate.Value)))}, {Text: r.Num(row.Rate.Exposure*100, 0)},
		}
	}
	for _, row := range a.Rows {
		t.Rows = append(t.Rows, TableRow{Cells: cells(a.label(r, row), a.behind(r, row), row)})
	}
	t.Foot = cells(r.T("rates.all"), "", a.All)
	return t
}

func (s *Server) exportRates(r *Request) error {
	a, err := s.askRates(r)
	if err != nil {
		return err
	}
	columns := []sheet.Column{{Title: r.T("rates.column.name"), Width: 40}}
	for _, c := range []string{"events", "exposure", "rate", "low", "high", "midp_low", "midp_high"} {
		columns = append(columns, sheet.Column{Title: strings.TrimSpace(r.T("rates.column." + c)), Kind: sheet.Number, Width: 16})
	}
	out, err := r.download("rates", columns)
	if err != nil {
		return err
	}
	round := func(v float64) float64 { return math.Round(v*1e4) / 1e4 }
	for _, row := range a.Rows {
		err := out.Row(a.label(r, row), float64(row.Rate.Events), round(row.Rate.Exposure*100), round(row.Rate.Value),
			round(row.Rate.Limits.Low), round(row.Rate.Limits.High), round(row.MidP.Low), round(row.MidP.High))
		if err != nil {
			return err
		}
	}
	return out.Close()
}
