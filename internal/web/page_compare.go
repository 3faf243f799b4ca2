package web

import (
	"math"
	"net/http"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
	"statincidents/internal/stats"
)

// comparePage tells the schools that differ from those that chance sets apart.
type comparePage struct {
	Page

	Bar      FilterBar
	Loading  bool
	Refused  string // why nothing is concluded
	Findings Findings
	Funnel   ChartFrame
	Levels   ChartFrame
	HasLevel bool
	Table    Table
	Exports  []Link
	Note     MethodNote
}

var compareView = newView[comparePage]("page_compare.html", shell)

func (s *Server) compareRoutes() {
	s.analysisEntry(question{order: 20, key: "compare", icon: "school", href: "/schools/compare?period=12m"})
	s.page("GET /schools/compare", s.compare, needs(auth.ViewStatistics))
	s.page("GET /schools/compare.csv", s.exportCompare, needs(auth.ExportData))
	s.page("GET /schools/compare.xlsx", s.exportCompare, needs(auth.ExportData))
}

// comparison is what the page makes of a comparison for its reader.
type comparison struct {
	analysis.Comparison

	span period
}

func (s *Server) compareHonestly(r *Request) (comparison, error) {
	c := comparison{span: r.period()}
	var err error
	c.Comparison, err = s.deps.Analysis.Compare(r.Context(), r.Scope(), c.span.From, c.span.To)
	return c, err
}

func (s *Server) compare(r *Request) error {
	p := &comparePage{Page: Page{Title: r.T("compare.title"), Crumbs: []Link{{Label: r.T("schools.title"), Href: r.Address.At("/schools").String()}}}}
	f := r.Filters()
	p.Bar = r.FilterBar([]Field{r.periodField(f, r.period())})
	c, err := s.compareHonestly(r)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Loading = true
		return compareView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	}
	p.Lede = r.T("compare.lede", "period", r.spanLabel(c.From, c.To))
	p.Note = r.methodNote("compare", "comparer-les-colleges")
	if c.Unknown > 0 {
		p.Note.Quality = append(p.Note.Quality, r.N("compare.quality.unknown", c.Unknown))
	}
	if c.Refusal != nil {
		p.Refused = r.refusal(c.Refusal)
		return compareView.show(r, http.StatusOK, p)
	}
	p.Findings = Findings{r.Printer, c.findings(r)}
	p.Funnel = c.funnel(r)
	p.Levels, p.HasLevel = c.levels(r)
	p.Table = c.table(r)
	p.Note.Steps = []string{
		r.T("compare.method.expected", "rate", r.Num(c.Rate, 1), "events", r.Int(c.Events), "schools", r.Int(c.All)),
		r.T("compare.method.funnel", "phi", r.Num(c.Dispersion.Phi, 2)),
		r.T("compare.method.shrunk", "draws", r.Int(analysis.RankDraws), "seed", analysis.RankSeed),
		r.T("compare.method.tests", "p", r.chance(c.Tests.RatioP), "dean", r.chance(c.Tests.DeanP)),
	}
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/schools/compare." + kind).String(), Icon: "download"})
		}
	}
	return compareView.show(r, http.StatusOK, p)
}

// chance writes a probability as people read it.
func (r *Request) chance(p float64) string {
	if p < 0.001 {
		return r.T("compare.chance.below", "p", r.Num(0.001, 3))
	}
	return r.Num(p, 3)
}

// more says a ratio in words: "30 % de plus", "12 % de moins", "autant".
func (r *Request) more(ratio float64) string {
	switch share := math.Round(100*(ratio-1)) / 100; {
	case share > 0:
		return r.T("compare.more", "share", r.Pct(share, 0))
	case share < 0:
		return r.T("compare.fewer", "share", r.Pct(-share, 0))
	}
	return r.T("compare.same")
}

// spoken bounds the schools that have a sentence of their own.
const spoken = 5

// findings are the sentences at the top.
func (c *comparison) findings(r *Request) []string {
	var said []string
	if !c.Differ() {
		said = append(said, r.T("compare.found.alike"))
	} else if !c.Ranked() && !c.Own() {
		said = append(said, r.T("compare.found.differ"), r.T("compare.found.no_rank"))
	} else {
		said = append(said, r.T("compare.found.differ"))
	}
	one := func(key string, s analysis.ComparedSchool) {
		said = append(said, r.T(key, "school", s.School.Name, "much", r.more(s.Shrunk.Ratio), "low", r.more(s.Shrunk.Limits.Low), "high", r.more(s.Shrunk.Limits.High)))
	}
	if c.Own() {
		one("compare.found.school", c.Schools[0])
		return said
	}
	told := 0
	for _, s := range c.Schools {
		if s.Verdict == analysis.VerdictAbove && told < spoken {
			one("compare.found.school", s)
			told++
		}
	}
	if told == 0 && c.Differ() {
		said = append(said, r.T("compare.found.none"))
	}
	return append(said, r.T("compare.found.by_chance", "n", r.Int(int(math.Round(0.05*float64(c.All)))), "all", r.Int(c.All)))
}

func (c *comparison) href(r *Request, s analysis.ComparedSchool) string {
	return r.Address.Without("sort").At("/schools/" + id(s.School.ID)).String()
}

func (c *comparison) funnel(r *Request) ChartFrame {
	g := &chart.Funnel{
		Head:   chart.Head{ID: "funnel-chart", Label: r.T("compare.funnel.title")},
		Target: chart.Ref{Value: 1, Label: r.T("compare.funnel.target")},
		Across: r.T("compare.funnel.across"),
		From:   c.Least, To: c.Most,
		Limits: []chart.FunnelLimit{
			{Label: r.T("compare.funnel.exact"), Line: chart.ByChance, Low: func(e float64) float64 { return stats.FunnelLimit(e, 0.001) }, High: func(e float64) float64 { return stats.FunnelLimit(e, 0.999) }},
			{Label: r.T("compare.funnel.l95"), Line: chart.Inner, Low: func(e float64) float64 { return c.Dispersion.Limits(e, stats.Z95).Low }, High: func(e float64) float64 { return c.Dispersion.Limits(e, stats.Z95).High }},
			{Label: r.T("compare.funnel.l998"), Line: chart.Outer, Low: func(e float64) float64 { return c.Dispersion.Limits(e, stats.Z998).Low }, High: func(e float64) float64 { return c.Dispersion.Limits(e, stats.Z998).High }},
		},
	}
	outside := 0
	for _, s := range c.Schools {
		out := !s.Limits.Holds(s.Ratio)
		if out {
			outside++
		}
		g.Points = append(g.Points, chart.FunnelPoint{
			Label: s.School.Name, X: s.Expected, Y: s.Ratio, Out: out, Href: c.href(r, s),
			Title: r.T("compare.funnel.point", "school", s.School.Name, "observed", r.Int(s.Observed), "expected", r.Num(s.Expected, 1), "much", r.more(s.Ratio)),
		})
	}
	found := r.N("compare.funnel.found", outside)
	if c.Own() {
		found = r.T("compare.funnel.own." + map[bool]string{true: "in", false: "out"}[outside == 0])
	}
	f := ChartFrame{Printer: r.Printer, ID: "funnel", Title: found, Question: r.T("compare.funnel.what", "period", r.spanLabel(c.From, c.To)), How: r.T("compare.funnel.how")}
	g.Desc = f.Title
	f.Drawing = chart.Render(g, r.Printer, chart.Full)
	return f
}

// levels shows what is believed of each school; nothing where none differs.
func (c *comparison) levels(r *Request) (ChartFrame, bool) {
	if !c.Differ() || len(c.Schools) < 2 {
		return ChartFrame{}, false
	}
	b := &chart.Bars{Head: chart.Head{ID: "levels-chart", Label: r.T("compare.levels.title")}, Ref: &chart.Ref{Value: 1, Label: r.T("compare.levels.ref")}}
	for _, s := range c.Schools {
		b.Items = append(b.Items, chart.Bar{
			Label: s.School.Name, Value: s.Shrunk.Ratio, Low: s.Shrunk.Limits.Low, High: s.Shrunk.Limits.High, Href: c.href(r, s),
			Title: r.T("compare.levels.bar", "school", s.School.Name, "much", r.more(s.Shrunk.Ratio), "low", r.more(s.Shrunk.Limits.Low), "high", r.more(s.Shrunk.Limits.High)),
		})
	}
	f := ChartFrame{Printer: r.Printer, ID: "levels", Title: r.T("compare.levels.title"), Question: r.T("compare.levels.what"), How: r.T("compare.levels.how")}
	b.Desc = f.Question
	f.Drawing = chart.Render(b, r.Printer, chart.Half)
	return f, true
}

var compareColumns = []string{"observed", "expected", "ratio", "shrunk", "above", "rank", "verdict"}

func (c *comparison) table(r *Request) Table {
	t := Table{Printer: r.Printer, ID: "compare-table", Caption: r.T("compare.table"), Hide: true, Stacked: true, Columns: []Column{{Label: r.T("schools.column.name"), Lead: true}}}
	for _, key := range compareColumns {
		t.Columns = append(t.Columns, Column{Label: r.T("compare.column." + key), Num: key != "verdict"})
	}
	for _, s := range c.Schools {
		rank := "—"
		if c.Differ() && !c.Own() {
			rank = r.T("compare.rank", "low", r.Int(int(s.Rank.Low)), "high", r.Int(int(s.Rank.High)), "all", r.Int(c.All))
		}
		badge := verdicts[s.Verdict]
		badge.Word = r.T("compare.verdict." + string(s.Verdict))
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: s.School.Name, Href: c.href(r, s)},
			{Text: r.Int(s.Observed), Href: r.Address.Without("sort").At("/incidents").With("school", id(s.School.ID)).String(), Aside: true},
			{Text: r.Num(s.Expected, 1)}, {Text: r.Num(s.Ratio, 2)},
			{Text: r.Num(s.Shrunk.Ratio, 2), Note: r.T("compare.between", "low", r.Num(s.Shrunk.Limits.Low, 2), "high", r.Num(s.Shrunk.Limits.High, 2))},
			{Text: r.Pct(s.Shrunk.Above(analysis.ActLevel), 0)}, {Text: rank}, {Badge: &badge},
		}})
	}
	return t
}

var verdicts = map[analysis.Verdict]Badge{"above": {Icon: "arrow-up", Tone: "warning"}, "below": {Icon: "arrow-down", Tone: "good"}, "usual": {Icon: "equal"}}

// exportCompare sends the table with what it was made from, so that anybody
// can do the calculation again.
func (s *Server) exportCompare(r *Request) error {
	c, err := s.compareHonestly(r)
	if err != nil {
		return err
	}
	columns := []sheet.Column{{Title: "UAI", Width: 10}, {Title: r.T("schools.column.name"), Width: 40}}
	for _, key := range []string{"years", "observed", "expected", "ratio", "shrunk", "low", "high", "above", "rank_low", "rank_high", "limit_low", "limit_high"} {
		columns = append(columns, sheet.Column{Title: r.T("compare.column." + key), Kind: sheet.Number, Width: 16})
	}
	columns = append(columns, sheet.Column{Title: r.T("compare.column.verdict"), Width: 24})
	out, err := r.download("compare", columns)
	if err != nil {
		return err
	}
	round := func(v float64) float64 { return math.Round(v*1e4) / 1e4 }
	for _, s := range c.Schools {
		if c.Own() {
			s.Rank = stats.Interval{Low: math.NaN(), High: math.NaN()}
		}
		err := out.Row(s.School.UAI, s.School.Name, round(s.Years), float64(s.Observed), round(s.Expected), round(s.Ratio), round(s.Shrunk.Ratio),
			round(s.Shrunk.Limits.Low), round(s.Shrunk.Limits.High), round(s.Shrunk.Above(analysis.ActLevel)), s.Rank.Low, s.Rank.High, round(s.Limits.Low), round(s.Limits.High), r.T("compare.verdict."+string(s.Verdict)))
		if err != nil {
			return err
		}
	}
	return out.Close()
}
