package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
)

// commonPage tells what the incidents of a list have in common.
type commonPage struct {
	Page

	Bar      FilterBar
	Loading  bool
	Refused  string
	Findings Findings
	Chart    *ChartFrame
	Back     Link // the list that is asked about
	Note     MethodNote
}

var commonView = newView[commonPage]("page_common.html", shell)

func (s *Server) commonRoutes() {
	s.page("GET /common", s.common, needs(auth.ViewStatistics), lasts(2*analysis.FactorTime))
	s.analysisEntry(question{order: 55, key: "factor", icon: "scan-search", href: "/common?period=90d"})
}

// commonAddress asks what the incidents of the reader's list have in common.
func (r *Request) commonAddress() string {
	return r.Address.Without("after", "sort", "measure").At("/common").String()
}

func (s *Server) common(r *Request) error {
	q, span, err := r.list()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &commonPage{Page: Page{Title: r.T("factor.title"), Lede: r.T("factor.lede")}, Bar: r.incidentFilters(n, span, q.Filters)}
	p.Back = Link{Label: r.T("factor.list"), Href: r.Address.At("/incidents").String(), Icon: "list"}
	p.Note = r.methodNote("factor", "facteur-commun")
	c, err := s.deps.Analysis.Common(r.Context(), r.Scope(), q)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Loading = true
		return commonView.show(r, http.StatusOK, p)
	case errors.Is(err, context.DeadlineExceeded):
		p.Refused = r.T("factor.refused.time")
		return commonView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	case c.Refusal != nil:
		p.Refused = r.refusal(c.Refusal)
		return commonView.show(r, http.StatusOK, p)
	}
	p.Findings = Findings{r.Printer, factorFindings(r, n, &c)}
	p.Chart = factorChart(r, n, q, &c)
	p.Note.Steps = factorSteps(r, &c)
	if p.Note.Quality, err = s.quality(r, q, cube.DimMachine, cube.DimRoom, cube.DimCause); err != nil {
		return err
	}
	return commonView.show(r, http.StatusOK, p)
}

func factorSteps(r *Request, c *analysis.CommonFactors) []string {
	steps := []string{
		r.T("factor.method.units", "incidents", r.Int(c.Incidents), "cases", r.Int(c.Cases), "machines", r.Int(c.Machines), "others", r.Int(c.Others), "period", r.spanLabel(c.From, c.To)),
		r.T("factor.method.scan", "sets", r.Int(c.Sets), "draws", r.Int(analysis.FactorReplicates), "seed", analysis.FactorSeed, "p", r.Pct(analysis.FactorP, 0)),
	}
	if c.Cut {
		steps = append(steps, r.T("factor.method.cut"))
	}
	if c.Sampled {
		steps = append(steps, r.T("factor.method.sampled"))
	}
	if len(c.Left) > 0 {
		words := make([]string, len(c.Left))
		for k, name := range c.Left {
			words[k] = r.T("factor.attribute." + name)
		}
		steps = append(steps, r.T("factor.method.left", "attributes", strings.Join(words, ", ")))
	}
	return steps
}

// traits names what incidents have in common: "lot HX22C", "salle CDI et réseau
// administratif".
func traits(r *Request, n *names, f *analysis.Factor) string {
	said := ""
	for k, t := range f.Traits {
		one := r.T("factor.trait."+t.Attribute, "value", traitValue(r, n, t))
		if k == 0 {
			said = one
		} else {
			said = r.T("factor.and", "a", said, "b", one)
		}
	}
	return said
}

func traitValue(r *Request, n *names, t analysis.FactorTrait) string {
	dim := cube.Dim(t.Attribute)
	switch {
	case t.Attribute == "week":
		if day, err := calendar.ParseDay(t.Value); err == nil {
			return r.Day(day)
		}
	case dim.Valid():
		return n.labels().Label(dim, t.Value)
	}
	return t.Value
}

func factorSentence(r *Request, n *names, c *analysis.CommonFactors, f *analysis.Factor, first bool) string {
	key := "factor.found.next"
	if first {
		key = "factor.found.first"
	}
	if f.Times == 0 {
		key += ".alone"
	}
	return r.T(key, "what", traits(r, n, f), "n", r.Int(f.Cases), "all", r.Int(c.Cases), "usual", r.Pct(f.Usual, 1), "times", r.Num(f.Times, 1), "share", r.Pct(f.Share, 0), "expected", r.Num(f.Expected, 0), "p", r.chance(f.P))
}

func factorFindings(r *Request, n *names, c *analysis.CommonFactors) []string {
	if len(c.Factors) == 0 {
		return []string{r.T("factor.found.none", "cases", r.Int(c.Cases), "others", r.Int(c.Others))}
	}
	said := make([]string, 0, len(c.Factors)+1)
	for k := range c.Factors {
		said = append(said, factorSentence(r, n, c, &c.Factors[k], k == 0))
	}
	return append(said, r.T("factor.found.not_cause"))
}

// factorHref is the list of the incidents that have something in common.
func factorHref(q cube.ListQuery, f *analysis.Factor, c *analysis.CommonFactors) string {
	if len(f.Filters) == 0 {
		return ""
	}
	q.From, q.To, q.Sort, q.After = c.From, c.To, "", ""
	q.Filters = append(append([]cube.Filter{}, q.Filters...), f.Filters...)
	return listAddress(q).String()
}

func factorChart(r *Request, n *names, q cube.ListQuery, c *analysis.CommonFactors) *ChartFrame {
	if len(c.Factors) == 0 {
		return nil
	}
	b := &chart.Bars{Head: chart.Head{ID: "factor-chart", Label: r.T("factor.title"), Unit: chart.Share}, Ghost: r.T("factor.ghost")}
	t := &Table{Printer: r.Printer, ID: "factor-table", Caption: r.T("factor.title"), Hide: true, Stacked: true, Columns: []Column{{Label: r.T("factor.column.what"), Lead: true, Wrap: true}}}
	for _, key := range []string{"cases", "others", "share", "usual", "times", "expected", "llr", "p"} {
		t.Columns = append(t.Columns, Column{Label: r.T("factor.column." + key), Num: true})
	}
	for k := range c.Factors {
		f := &c.Factors[k]
		name, href := traits(r, n, f), factorHref(q, f, c)
		times := "—"
		if f.Times > 0 {
			times = r.Num(f.Times, 1)
		}
		b.Items = append(b.Items, chart.Bar{Label: name, Value: f.Share, Ghost: f.Usual, Href: href, Title: factorSentence(r, n, c, f, k == 0)})
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: name, Href: href}, {Text: r.Int(f.Cases)}, {Text: r.Int(f.Others)}, {Text: r.Pct(f.Share, 0)}, {Text: r.Pct(f.Usual, 1)},
			{Text: times}, {Text: r.Num(f.Expected, 1)}, {Text: r.Num(f.LLR, 2)}, {Text: r.chance(f.P)},
		}})
	}
	f := &ChartFrame{Printer: r.Printer, ID: "factor-figure", Title: r.T("factor.chart.title"), Question: r.T("factor.chart.what", "period", r.spanLabel(c.From, c.To)), How: r.T("factor.chart.how"), Table: t}
	b.Desc = f.Question
	f.Drawing = chart.Render(b, r.Printer, chart.Full)
	return f
}
