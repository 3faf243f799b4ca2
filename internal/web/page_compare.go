package web

import (
	"math"
	"net/http"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
	"statincidents/internal/stats"
)

// comparePage tells the schools that differ from those that chance sets apart.
type comparePage struct {
	Page

	Bar      FilterBar
	Loading  bool
	Refused  string   // why nothing is concluded
	Findings []string // sentences made from the data
	Funnel   ChartFrame
	Levels   ChartFrame
	HasLevel bool
	Table    Table
	Exports  []Link
	Method   []string
	Quality  string
}

var compareView = newView[comparePage]("page_compare.html", shell)

func (s *Server) compareRoutes() {
	s.page("GET /schools/compare", s.compare, needs(auth.ViewStatistics))
	s.page("GET /schools/compare.csv", s.exportCompare, needs(auth.ExportData))
	s.page("GET /schools/compare.xlsx", s.exportCompare, needs(auth.ExportData))
}

// What a comparison needs before it says anything, and what it is made with.
const (
	leastEvents  = 20
	leastWeeks   = 8
	leastSchools = 5
	compareLevel = 0.9  // of the intervals of ratios and ranks
	actLevel     = 1.2  // a true ratio from which one would act
	actChance    = 0.95 // how sure one wants to be of it
	rankDraws    = 4000
	rankSeed     = 45
)

// comparedSchool is a school among the others.
type comparedSchool struct {
	school   directory.School
	years    float64 // computers times years in service
	observed int
	expected float64
	ratio    float64
	shrunk   stats.Shrunk
	rank     stats.Interval
	exact    stats.Interval // where a school of the common level stays 998 times in 1,000, by chance alone
	limits   stats.Interval // the same with the usual differences between schools
	verdict  string         // "above", "below" or "usual"; "compare.verdict.NAME"
}

// comparison is all that the page and its files show.
type comparison struct {
	refused    string
	args       []any
	span       period
	from, to   calendar.Day
	schools    []comparedSchool // in scope, the highest ratio first
	all        int              // compared, in scope or not
	unknown    int              // schools in scope without a known number of computers
	events     int
	rate       float64 // of all, for 100 computers and a year
	dispersion stats.Dispersion
	tests      stats.Heterogeneity
	prior      stats.Prior
	least      float64 // expected of the smallest of all, in scope or not
	most       float64 // … and of the largest
	wide       float64 // median share of the table that an interval of ranks covers
}

// compareHonestly judges every school against all, and keeps those in the
// reader's scope: what is said of all (the common level, how much schools
// differ) shows no school.
func (s *Server) compareHonestly(r *Request) (comparison, error) {
	n, err := r.names()
	if err != nil {
		return comparison{}, err
	}
	c := comparison{span: r.period()}
	all := auth.ScopeAll(r.Who.Tenant)
	res, err := s.deps.Cube.Run(r.Context(), all, cube.Query{By: []cube.Dim{cube.DimSchool}, Measures: []cube.Measure{cube.Per100Computers}, From: c.span.From, To: c.span.To})
	if err != nil {
		return c, err
	}
	c.from, c.to = res.From, res.To
	counted := map[string]int{}
	for _, row := range res.Rows {
		counted[row.Keys[0]] = row.Values[0].N
	}
	years := cube.ComputerYears(n.places, c.from, min(c.to, r.today()+1))
	var sum float64
	var compared []comparedSchool
	for _, school := range n.places.Schools() {
		if years[school.ID] > 0 {
			one := comparedSchool{school: school, years: years[school.ID], observed: counted[id(school.ID)]}
			compared, sum, c.events = append(compared, one), sum+one.years, c.events+one.observed
		} else if r.Scope().SeesSchool(school.ID) {
			c.unknown++
		}
	}
	c.all = len(compared)
	weeks := openWeeks(n.places.Calendar(0), c.from, min(c.to, r.today()+1))
	switch {
	case c.all < leastSchools:
		c.refused, c.args = "compare.refused.schools", []any{"n", c.all, "least", leastSchools}
	case weeks < leastWeeks:
		c.refused, c.args = "compare.refused.weeks", []any{"n", weeks, "least", leastWeeks}
	case c.events < leastEvents:
		c.refused, c.args = "compare.refused.events", []any{"n", c.events, "least", leastEvents}
	}
	if c.refused != "" {
		return c, nil
	}
	c.rate = 100 * float64(c.events) / sum
	c.judge(compared, sum)
	c.schools = slices.DeleteFunc(compared, func(one comparedSchool) bool { return !r.Scope().SeesSchool(one.school.ID) })
	slices.SortStableFunc(c.schools, func(a, b comparedSchool) int {
		switch {
		case a.shrunk.Ratio > b.shrunk.Ratio:
			return -1
		case a.shrunk.Ratio < b.shrunk.Ratio:
			return 1
		}
		return 0
	})
	return c, nil
}

// judge works out each school's place among all.
func (c *comparison) judge(compared []comparedSchool, years float64) {
	observed, expected := make([]int, len(compared)), make([]float64, len(compared))
	for k := range compared {
		one := &compared[k]
		one.expected = one.years * float64(c.events) / years
		one.ratio = float64(one.observed) / one.expected
		observed[k], expected[k] = one.observed, one.expected
	}
	c.dispersion, _ = stats.DispersionOf(observed, expected)
	c.tests, _ = stats.HeterogeneityOf(observed, expected)
	c.prior, _ = stats.PriorOf(observed, expected)
	beliefs := make([]stats.Shrunk, len(compared))
	for k := range compared {
		beliefs[k] = c.prior.Shrink(observed[k], expected[k], compareLevel)
	}
	ranks := stats.Ranks(beliefs, compareLevel, rankDraws, rankSeed)
	widths := make([]float64, len(compared))
	for k := range compared {
		one := &compared[k]
		one.shrunk, one.rank = beliefs[k], ranks[k]
		one.exact = stats.Interval{Low: stats.FunnelLimit(one.expected, 0.001), High: stats.FunnelLimit(one.expected, 0.999)}
		one.limits = c.dispersion.Limits(one.expected, stats.Z998)
		one.verdict = "usual"
		switch {
		case one.shrunk.Above(actLevel) > actChance:
			one.verdict = "above"
		case one.shrunk.Above(1/actLevel) < 1-actChance:
			one.verdict = "below"
		}
		widths[k] = (one.rank.High - one.rank.Low + 1) / float64(len(compared))
	}
	c.least, c.most = slices.Min(expected), slices.Max(expected)
	slices.Sort(widths)
	c.wide = stats.Quantile(widths, 0.5)
}

// differ tells whether schools differ beyond chance: without it no ranking is
// shown.
func (c *comparison) differ() bool { return c.tests.RatioP < 0.05 }

// own tells whether the reader sees one school only: it stands on the band of
// all, without a rank.
func (c *comparison) own() bool { return len(c.schools) == 1 && c.all > 1 }

// openWeeks counts the weeks with an open day.
func openWeeks(cal *calendar.Calendar, from, to calendar.Day) int {
	n := 0
	for week := from.Week(); week < to; week += 7 {
		for d := max(week, from); d < min(week+7, to); d++ {
			if cal.DayMinutes(d) > 0 {
				n++
				break
			}
		}
	}
	return n
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
	p.Lede = r.T("compare.lede", "period", r.spanLabel(c.from, c.to))
	if c.unknown > 0 {
		p.Quality = r.N("compare.quality.unknown", c.unknown)
	}
	if c.refused != "" {
		p.Refused = r.T(c.refused, c.args...)
		return compareView.show(r, http.StatusOK, p)
	}
	p.Findings = c.findings(r)
	p.Funnel = c.funnel(r)
	p.Levels, p.HasLevel = c.levels(r)
	p.Table = c.table(r)
	p.Method = []string{
		r.T("compare.method.expected", "rate", r.Num(c.rate, 1), "events", r.Int(c.events), "schools", r.Int(c.all)),
		r.T("compare.method.funnel", "phi", r.Num(c.dispersion.Phi, 2)),
		r.T("compare.method.shrunk", "draws", r.Int(rankDraws), "seed", rankSeed),
		r.T("compare.method.tests", "p", r.chance(c.tests.RatioP), "dean", r.chance(c.tests.DeanP)),
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
	if !c.differ() {
		said = append(said, r.T("compare.found.alike"))
	} else if c.wide > 0.5 && !c.own() {
		said = append(said, r.T("compare.found.differ"), r.T("compare.found.no_rank"))
	} else {
		said = append(said, r.T("compare.found.differ"))
	}
	one := func(key string, s comparedSchool) {
		said = append(said, r.T(key, "school", s.school.Name, "much", r.more(s.shrunk.Ratio), "low", r.more(s.shrunk.Limits.Low), "high", r.more(s.shrunk.Limits.High)))
	}
	if c.own() {
		one("compare.found.school", c.schools[0])
		return said
	}
	told := 0
	for _, s := range c.schools {
		if s.verdict == "above" && told < spoken {
			one("compare.found.school", s)
			told++
		}
	}
	if told == 0 && c.differ() {
		said = append(said, r.T("compare.found.none"))
	}
	return append(said, r.T("compare.found.by_chance", "n", r.Int(int(math.Round(0.05*float64(c.all)))), "all", r.Int(c.all)))
}

func (c *comparison) href(r *Request, s comparedSchool) string {
	return r.Address.Without("sort").At("/schools/" + id(s.school.ID)).String()
}

func (c *comparison) funnel(r *Request) ChartFrame {
	g := &chart.Funnel{
		Head:   chart.Head{ID: "funnel-chart", Label: r.T("compare.funnel.title")},
		Target: chart.Ref{Value: 1, Label: r.T("compare.funnel.target")},
		Across: r.T("compare.funnel.across"),
		From:   c.least, To: c.most,
		Limits: []chart.FunnelLimit{
			{Label: r.T("compare.funnel.exact"), Line: chart.ByChance, Low: func(e float64) float64 { return stats.FunnelLimit(e, 0.001) }, High: func(e float64) float64 { return stats.FunnelLimit(e, 0.999) }},
			{Label: r.T("compare.funnel.l95"), Line: chart.Inner, Low: func(e float64) float64 { return c.dispersion.Limits(e, stats.Z95).Low }, High: func(e float64) float64 { return c.dispersion.Limits(e, stats.Z95).High }},
			{Label: r.T("compare.funnel.l998"), Line: chart.Outer, Low: func(e float64) float64 { return c.dispersion.Limits(e, stats.Z998).Low }, High: func(e float64) float64 { return c.dispersion.Limits(e, stats.Z998).High }},
		},
	}
	outside := 0
	for _, s := range c.schools {
		out := !s.limits.Holds(s.ratio)
		if out {
			outside++
		}
		g.Points = append(g.Points, chart.FunnelPoint{
			Label: s.school.Name, X: s.expected, Y: s.ratio, Out: out, Href: c.href(r, s),
			Title: r.T("compare.funnel.point", "school", s.school.Name, "observed", r.Int(s.observed), "expected", r.Num(s.expected, 1), "much", r.more(s.ratio)),
		})
	}
	found := r.N("compare.funnel.found", outside)
	if c.own() {
		found = r.T("compare.funnel.own." + map[bool]string{true: "in", false: "out"}[outside == 0])
	}
	f := ChartFrame{Printer: r.Printer, ID: "funnel", Title: found, Question: r.T("compare.funnel.what", "period", r.spanLabel(c.from, c.to)), How: r.T("compare.funnel.how")}
	g.Desc = f.Title
	f.Drawing = chart.Render(g, r.Printer, chart.Full)
	return f
}

// levels shows what is believed of each school; nothing where none differs.
func (c *comparison) levels(r *Request) (ChartFrame, bool) {
	if !c.differ() || len(c.schools) < 2 {
		return ChartFrame{}, false
	}
	b := &chart.Bars{Head: chart.Head{ID: "levels-chart", Label: r.T("compare.levels.title")}, Ref: &chart.Ref{Value: 1, Label: r.T("compare.levels.ref")}}
	for _, s := range c.schools {
		b.Items = append(b.Items, chart.Bar{
			Label: s.school.Name, Value: s.shrunk.Ratio, Low: s.shrunk.Limits.Low, High: s.shrunk.Limits.High, Href: c.href(r, s),
			Title: r.T("compare.levels.bar", "school", s.school.Name, "much", r.more(s.shrunk.Ratio), "low", r.more(s.shrunk.Limits.Low), "high", r.more(s.shrunk.Limits.High)),
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
	for _, s := range c.schools {
		rank := "—"
		if c.differ() && !c.own() {
			rank = r.T("compare.rank", "low", r.Int(int(s.rank.Low)), "high", r.Int(int(s.rank.High)), "all", r.Int(c.all))
		}
		badge := verdicts[s.verdict]
		badge.Word = r.T("compare.verdict." + s.verdict)
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: s.school.Name, Href: c.href(r, s)},
			{Text: r.Int(s.observed), Href: r.Address.Without("sort").At("/incidents").With("school", id(s.school.ID)).String(), Aside: true},
			{Text: r.Num(s.expected, 1)}, {Text: r.Num(s.ratio, 2)},
			{Text: r.Num(s.shrunk.Ratio, 2), Note: r.T("compare.between", "low", r.Num(s.shrunk.Limits.Low, 2), "high", r.Num(s.shrunk.Limits.High, 2))},
			{Text: r.Pct(s.shrunk.Above(actLevel), 0)}, {Text: rank}, {Badge: &badge},
		}})
	}
	return t
}

var verdicts = map[string]Badge{"above": {Icon: "arrow-up", Tone: "warning"}, "below": {Icon: "arrow-down", Tone: "good"}, "usual": {Icon: "equal"}}

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
	for _, s := range c.schools {
		if c.own() {
			s.rank = stats.Interval{Low: math.NaN(), High: math.NaN()}
		}
		err := out.Row(s.school.UAI, s.school.Name, round(s.years), float64(s.observed), round(s.expected), round(s.ratio), round(s.shrunk.Ratio),
			round(s.shrunk.Limits.Low), round(s.shrunk.Limits.High), round(s.shrunk.Above(actLevel)), s.rank.Low, s.rank.High, round(s.limits.Low), round(s.limits.High), r.T("compare.verdict."+s.verdict))
		if err != nil {
			return err
		}
	}
	return out.Close()
}
