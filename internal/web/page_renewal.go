package web

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
	"statincidents/internal/stats"
)

// renewalPage tells how machines age, and what the rule of seven years costs.
type renewalPage struct {
	Page

	Bar      FilterBar
	Loading  bool
	Refused  string
	Fill     *Link // where a list of machines is brought
	Findings Findings
	Ages     ChartFrame
	Models   ChartFrame
	Table    Table
	Exports  []Link
	Note     MethodNote
}

var renewalView = newView[renewalPage]("page_renewal.html", shell)

func (s *Server) renewalRoutes() {
	s.page("GET /renewal", s.renewal, needs(auth.ViewStatistics))
	s.page("GET /renewal.csv", s.exportRenewal, needs(auth.ExportData))
	s.page("GET /renewal.xlsx", s.exportRenewal, needs(auth.ExportData))
	s.machineImportRoutes()
	s.analysisEntry(question{order: 80, key: "renewal", icon: "calendar-days", href: "/renewal"})
}

// usualCosts are what the page begins with, in euros.
var usualCosts = map[string]float64{"new": 700, "repair": 60, "lost": 0, "late": 0}

// costNames are the costs that the address holds.
var costNames = []string{"new", "repair", "lost", "late"}

func (r *Request) renewalCosts() analysis.RenewalCosts {
	value := func(name string) float64 {
		v, err := strconv.ParseFloat(strings.Replace(r.Address.Get(name), ",", ".", 1), 64)
		if err != nil || v < 0 || v > 100_000 || math.IsNaN(v) {
			return usualCosts[name]
		}
		return v
	}
	return analysis.RenewalCosts{New: value("new"), Repair: value("repair"), Lost: value("lost"), Late: value("late")}
}

func (s *Server) renewal(r *Request) error {
	costs := r.renewalCosts()
	p := &renewalPage{Page: Page{Title: r.T("renewal.title"), Lede: r.T("renewal.lede")}}
	f := r.Filters()
	given := map[string]float64{"new": costs.New, "repair": costs.Repair, "lost": costs.Lost, "late": costs.Late}
	var fields []Field
	for _, name := range costNames {
		field := f.Input("number", name, r.T("renewal.cost."+name))
		field.Value = strconv.FormatFloat(given[name], 'f', -1, 64)
		fields = append(fields, field)
	}
	p.Bar = r.FilterBar(fields)
	if r.Who.Can(auth.EditDirectory) {
		p.Fill = &Link{Label: r.T("renewal.fill"), Href: machinesPath, Icon: "upload"}
	}
	d, err := s.deps.Analysis.Renewal(r.Context(), r.Who, costs)
	if fault.Is(err, fault.Unavailable) {
		p.Loading = true
		return renewalView.show(r, http.StatusOK, p)
	}
	if err != nil {
		return err
	}
	if d.Refusal != nil {
		p.Refused = r.refusal(d.Refusal)
		return renewalView.show(r, http.StatusOK, p)
	}
	p.Findings = Findings{r.Printer, r.renewalFindings(&d)}
	p.Ages = r.renewalAges(&d)
	p.Models = r.renewalModels(&d)
	p.Table = r.renewalTable(&d)
	p.Note = r.methodNote("renewal", "renouvellement")
	p.Note.Steps = []string{r.T("renewal.method.watched", "since", r.Day(d.Since), "machines", r.Int(d.Machines), "incidents", r.Int(d.Matched))}
	if d.Repaired.Refusal == nil {
		p.Note.Steps = append(p.Note.Steps, r.T("renewal.method.repaired", "shape", r.Num(d.Repaired.Fit.Shape, 2), "low", r.Num(d.Repaired.Fit.ShapeLimits.Low, 2), "high", r.Num(d.Repaired.Fit.ShapeLimits.High, 2), "scale", r.Num(d.Repaired.Fit.Scale, 1)))
	}
	if d.Replaced.Refusal == nil {
		p.Note.Steps = append(p.Note.Steps, r.T("renewal.method.replaced", "shape", r.Num(d.Replaced.Fit.Shape, 2), "low", r.Num(d.Replaced.Fit.ShapeLimits.Low, 2), "high", r.Num(d.Replaced.Fit.ShapeLimits.High, 2), "scale", r.Num(d.Replaced.Fit.Scale, 1)))
	}
	p.Note.Steps = append(p.Note.Steps, r.T("renewal.method.doubt"))
	p.Note.Quality = []string{r.T("renewal.quality", "undated", r.Int(d.Undated), "unknown", r.Int(d.Unknown), "impossible", r.Int(d.Impossible))}
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/renewal." + kind).String(), Icon: "download"})
		}
	}
	return renewalView.show(r, http.StatusOK, p)
}

// years writes an age.
func (r *Request) years(v float64) string {
	decimals := 1
	if v == math.Trunc(v) {
		decimals = 0
	}
	return r.T("renewal.years", "n", r.Num(v, decimals))
}

// wholeEuros of a year.
func (r *Request) wholeEuros(v float64) string { return r.T("renewal.euros", "n", r.Num(v, 0)) }

// renewalFindings answer « replace at seven years? », one hypothesis a sentence.
func (r *Request) renewalFindings(d *analysis.Renewal) []string {
	said := []string{r.renewalAnswer("repaired", &d.Repaired), r.renewalAnswer("replaced", &d.Replaced)}
	for _, a := range d.Ages {
		if a.From == analysis.RenewalRule-1 && a.Exposure > 0 {
			said = append(said, r.T("renewal.found.age", "age", r.Num(a.From, 0), "next", r.Num(a.To, 0), "rate", r.Num(100*a.Value, 0), "low", r.Num(100*a.Limits.Low, 0), "high", r.Num(100*a.Limits.High, 0)))
		}
	}
	if n := len(d.Models); n > 1 {
		worst, rest := d.Models[0], 0.0
		for _, m := range d.Models[1:] {
			rest = max(rest, m.Rate.Limits.High)
		}
		if worst.Rate.Limits.Low > rest && worst.Rate.Events >= analysis.LeastEvents {
			said = append(said, r.T("renewal.found.model", "model", r.modelName(worst.Model), "rate", r.Num(100*worst.Rate.Value, 0), "low", r.Num(100*worst.Rate.Limits.Low, 0), "high", r.Num(100*worst.Rate.Limits.High, 0), "machines", r.Int(worst.Machines)))
		}
	}
	return said
}

func (r *Request) renewalAnswer(key string, p *analysis.Policy) string {
	key = "renewal.found." + key
	switch {
	case p.Refusal != nil:
		return r.T(key+".refused", "why", r.refusal(p.Refusal))
	case !p.Ages:
		return r.T(key+".no_ageing", "low", r.Num(p.Fit.ShapeLimits.Low, 2), "high", r.Num(p.Fit.ShapeLimits.High, 2))
	case p.Best.Never():
		return r.T(key + ".never")
	case p.Beyond():
		return r.T("renewal.found.beyond", "policy", r.T("renewal.policy."+strings.TrimPrefix(key, "renewal.found.")), "oldest", r.years(p.Oldest), "rule", r.wholeEuros(p.RuleCost), "last", r.wholeEuros(p.Costs[len(p.Costs)-1].Cost), "age", r.years(p.Costs[len(p.Costs)-1].Age))
	}
	high := r.T("renewal.found.far")
	if !math.IsInf(p.Doubt.Age.High, 0) {
		high = r.years(p.Doubt.Age.High)
	}
	verdict := "unsure"
	switch {
	case p.Doubt.Sooner > 0.9:
		verdict = "sooner"
	case p.Doubt.Later > 0.9:
		verdict = "later"
	}
	return r.T(key+".best", "best", r.years(p.Best.Age), "low", r.years(p.Doubt.Age.Low), "high", high, "extra", r.Pct(p.Extra(), 0),
		"extra_low", r.Pct(p.Doubt.Extra.Low, 0), "extra_high", r.Pct(p.Doubt.Extra.High, 0), "verdict", r.T("renewal.verdict."+verdict))
}

func (r *Request) modelName(model string) string {
	if model == "" {
		return r.T("renewal.no_model")
	}
	return model
}

func (r *Request) renewalAges(d *analysis.Renewal) ChartFrame {
	g := &chart.Bars{Head: chart.Head{ID: "ages-chart", Label: r.T("renewal.ages.title")}}
	t := &Table{Printer: r.Printer, Caption: r.T("renewal.ages.title"), Columns: []Column{{Label: r.T("renewal.column.age"), Lead: true}}}
	for _, key := range []string{"incidents", "years", "rate"} {
		t.Columns = append(t.Columns, Column{Label: r.T("renewal.column." + key), Num: true})
	}
	for _, a := range d.Ages {
		if a.Exposure <= 0 {
			continue
		}
		label := r.T("renewal.ages.class", "from", r.Num(a.From, 0), "to", r.Num(a.To, 0))
		limits := r.T("times.between", "low", r.Num(100*a.Limits.Low, 0), "high", r.Num(100*a.Limits.High, 0))
		g.Items = append(g.Items, chart.Bar{Label: label, Value: 100 * a.Value, Low: 100 * a.Limits.Low, High: 100 * a.Limits.High, Title: r.T("renewal.ages.bar", "age", label, "rate", r.Num(100*a.Value, 0), "limits", limits, "n", r.Int(a.Events), "years", r.Num(a.Exposure, 0))})
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{{Text: label}, {Text: r.Int(a.Events)}, {Text: r.Num(a.Exposure, 0)}, {Text: r.Num(100*a.Value, 0), Note: limits}}})
	}
	f := ChartFrame{Printer: r.Printer, ID: "ages", Title: r.T("renewal.ages.flat"), Question: r.T("renewal.ages.what", "n", r.Int(d.Matched), "machines", r.Int(d.Machines)), How: r.T("renewal.ages.how"), Table: t}
	if d.Repaired.Refusal == nil && d.Repaired.Ages {
		f.Title = r.T("renewal.ages.grows")
	}
	g.Desc = f.Title
	f.Drawing = chart.Render(g, r.Printer, chart.Half)
	return f
}

// renewalCurves is how many models are drawn.
const renewalCurves = 8

func (r *Request) renewalModels(d *analysis.Renewal) ChartFrame {
	g := &chart.Steps{Head: chart.Head{ID: "models-chart", Label: r.T("renewal.models.title"), Unit: chart.Share}, Top: 1, Across: r.T("renewal.models.across"), Marks: []chart.Ref{{Value: analysis.RenewalRule, Label: r.T("renewal.models.rule")}}}
	for _, m := range d.Models {
		if !m.Drawn || len(g.Curves) == renewalCurves {
			continue
		}
		curve := chart.Steep{Label: r.modelName(m.Model), Category: len(g.Curves) + 1, Points: []chart.StepPoint{{X: m.Curve.From(), Y: 1, Low: 1, High: 1}}}
		last := -1.0
		for _, step := range m.Curve.Steps {
			if step.AtRisk < 10 {
				break
			}
			if step.T-last < 0.03 {
				continue
			}
			last = step.T
			limits := step.LogLogLimits(analysis.RenewalLevel)
			curve.Points = append(curve.Points, chart.StepPoint{X: step.T, Y: step.S, Low: limits.Low, High: limits.High})
		}
		g.Curves = append(g.Curves, curve)
	}
	f := ChartFrame{Printer: r.Printer, ID: "models", Title: r.T("renewal.models.title"), Question: r.T("renewal.models.what"), How: r.T("renewal.models.how")}
	g.Desc = f.Question
	f.Drawing = chart.Render(g, r.Printer, chart.Full)
	return f
}

func (r *Request) renewalTable(d *analysis.Renewal) Table {
	t := Table{Printer: r.Printer, ID: "renewal-table", Caption: r.T("renewal.table"), Hide: true, Stacked: true, Columns: []Column{{Label: r.T("renewal.column.policy"), Lead: true, Wrap: true}}}
	for age := 4.0; age <= 10; age++ {
		t.Columns = append(t.Columns, Column{Label: r.years(age), Num: true})
	}
	for _, row := range []struct {
		key string
		p   *analysis.Policy
	}{{"repaired", &d.Repaired}, {"replaced", &d.Replaced}} {
		if row.p.Refusal != nil {
			continue
		}
		cells := []Cell{{Text: r.T("renewal.policy." + row.key)}}
		for _, c := range row.p.Costs {
			cells = append(cells, Cell{Text: r.wholeEuros(c.Cost)})
		}
		t.Rows = append(t.Rows, TableRow{Cells: cells})
	}
	return t
}

// exportRenewal sends the rates by age and by model.
func (s *Server) exportRenewal(r *Request) error {
	d, err := s.deps.Analysis.Renewal(r.Context(), r.Who, r.renewalCosts())
	if err != nil {
		return err
	}
	columns := []sheet.Column{{Title: r.T("renewal.column.what"), Width: 24}}
	for _, key := range []string{"incidents", "years", "rate", "low", "high"} {
		columns = append(columns, sheet.Column{Title: r.T("renewal.column." + key), Kind: sheet.Number, Width: 18})
	}
	out, err := r.download("renewal", columns)
	if err != nil {
		return err
	}
	row := func(name string, rate stats.Rate) error {
		return out.Row(name, float64(rate.Events), rate.Exposure, 100*rate.Value, 100*rate.Limits.Low, 100*rate.Limits.High)
	}
	for _, a := range d.Ages {
		if a.Exposure > 0 {
			if err := row(r.T("renewal.ages.class", "from", r.Num(a.From, 0), "to", r.Num(a.To, 0)), a.Rate); err != nil {
				return err
			}
		}
	}
	for _, m := range d.Models {
		if err := row(r.modelName(m.Model), m.Rate); err != nil {
			return err
		}
	}
	return out.Close()
}
