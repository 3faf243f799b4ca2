package web

import (
	"math"
	"net/http"
	"slices"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
	"statincidents/internal/stats"
)

// timesPage tells how long one waits, those who still wait included.
type timesPage struct {
	Page

	Bar      FilterBar
	Tabs     Tabs
	Loading  bool
	Refused  string
	Findings Findings
	Curves   ChartFrame
	Table    Table
	Exports  []Link
	Note     MethodNote
}

var timesView = newView[timesPage]("page_times.html", shell)

func (s *Server) timesRoutes() {
	s.page("GET /times", s.times, needs(auth.ViewStatistics))
	s.page("GET /times.csv", s.exportTimes, needs(auth.ExportData))
	s.page("GET /times.xlsx", s.exportTimes, needs(auth.ExportData))
	s.page("GET /times/risk", s.risk, needs(auth.ViewStatistics))
	s.analysisEntry(question{order: 40, key: "times", icon: "hourglass", href: "/times"})
	s.analysisEntry(question{order: 41, key: "times.risk", icon: "timer", href: "/times/risk", found: s.riskFound})
}

// timesAsked is what the reader's address asks of durations.
func (r *Request) timesAsked() (analysis.DurationQuestion, period, error) {
	q := analysis.DurationQuestion{Clock: analysis.OpenHours}
	var err error
	if q.List, err = r.conditions(); err != nil {
		return q, period{}, err
	}
	span := r.period()
	q.List.From, q.List.To = span.From, span.To
	if r.Address.Get("hours") == string(analysis.ClockHours) {
		q.Clock = analysis.ClockHours
	}
	if by := cube.Dim(r.Address.Get("by")); slices.Contains(analysis.DurationSplits, by) {
		q.By = by
	}
	return q, span, nil
}

// timesTabs are the two pages on delays.
func (r *Request) timesTabs(current string) Tabs {
	t := Tabs{Label: r.T("times.tabs")}
	for _, path := range []string{"/times", "/times/risk"} {
		t.Items = append(t.Items, Tab{Label: r.T("times.tab." + path[1:]), Href: path, Current: path == current})
	}
	return t
}

// length writes hours of either clock.
func (r *Request) length(clock analysis.DurationClock, hours float64) string {
	switch {
	case math.IsNaN(hours):
		return "—"
	case clock == analysis.ClockHours:
		return r.Hours(hours)
	}
	return r.OpenMinutes(int(math.Round(hours * 60)))
}

// times shows how long incidents last.
func (s *Server) times(r *Request) error {
	q, span, err := r.timesAsked()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	f := r.Filters()
	by := []Option{{Label: r.T("times.by.none")}}
	for _, dim := range analysis.DurationSplits {
		by = append(by, Option{Value: string(dim), Label: n.labels().Dim(dim)})
	}
	p := &timesPage{Page: Page{Title: r.T("times.title"), Lede: r.T("times.lede")}, Tabs: r.timesTabs("/times")}
	p.Bar = r.incidentFilters(n, span, q.List.Filters,
		f.Select("team", r.T("cube.dim.team"), n.teamOptions(r.T("common.all.f"))),
		f.Select("by", r.T("times.by"), by),
		f.Select("hours", r.T("times.hours"), []Option{{Label: r.T("times.hours.open")}, {Value: string(analysis.ClockHours), Label: r.T("times.hours.clock")}}))
	d, err := s.deps.Analysis.Durations(r.Context(), r.Scope(), q)
	if fault.Is(err, fault.Unavailable) {
		p.Loading = true
		return timesView.show(r, http.StatusOK, p)
	}
	if err != nil {
		return err
	}
	if d.Refusal != nil {
		p.Refused = r.refusal(d.Refusal)
		return timesView.show(r, http.StatusOK, p)
	}
	v := timesShown{r: r, n: n, q: q, d: &d}
	p.Findings = Findings{r.Printer, v.findings()}
	p.Curves = v.curves()
	p.Table = v.table()
	p.Note = r.methodNote("times", "delais")
	p.Note.Steps = []string{
		r.T("times.method.curve", "n", r.Int(d.All.N), "open", r.Int(d.All.Open)),
		r.T("times.method.clock." + string(d.Clock)),
		r.T("times.method.limits"),
		r.T("times.method.mean", "until", r.length(d.Clock, d.Until)),
	}
	if d.Tested {
		p.Note.Steps = append(p.Note.Steps, r.T("times.method.test", "chi2", r.Num(d.Test.Chi2, 1), "df", r.Int(d.Test.Freedom), "p", r.chance(d.Test.P)))
	}
	dims := []cube.Dim{cube.DimCategory}
	if p.Note.Quality, err = s.quality(r, q.List, dims...); err != nil {
		return err
	}
	if d.Bulk != 0 {
		p.Note.Quality = append(p.Note.Quality, r.T("times.quality.bulk", "day", r.Day(d.Bulk), "n", r.Int(d.BulkN)))
	}
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/times." + kind).String(), Icon: "download"})
		}
	}
	return timesView.show(r, http.StatusOK, p)
}

// timesShown says an answer to its reader.
type timesShown struct {
	r *Request
	n *names
	q analysis.DurationQuestion
	d *analysis.Durations
}

// name of a curve.
func (v *timesShown) name(c *analysis.DurationCurve) string {
	if v.q.By == "" || c == &v.d.All {
		return v.r.T("times.all")
	}
	return v.n.labels().Label(v.q.By, c.Key)
}

// href opens the incidents of a curve; open only those still open.
func (v *timesShown) href(c *analysis.DurationCurve, open bool) string {
	list := v.q.List
	list.Filters = slices.Clone(list.Filters)
	if v.q.By != "" && c != &v.d.All {
		list.Filters = append(slices.DeleteFunc(list.Filters, func(f cube.Filter) bool { return f.Dim == v.q.By }), cube.Filter{Dim: v.q.By, In: []string{c.Key}})
	}
	if open {
		list.Filters = append(list.Filters, cube.Filter{Dim: cube.DimOpen, In: []string{"yes"}})
	}
	return listAddress(list).String()
}

func (v *timesShown) length(hours float64) string { return v.r.length(v.d.Clock, hours) }

// between writes limits: an end that the data do not reach is said as such.
func (v *timesShown) between(e analysis.Estimate) string {
	switch {
	case !e.Known() || math.IsNaN(e.Limits.Low):
		return ""
	case math.IsNaN(e.Limits.High):
		return v.r.T("times.above", "low", v.length(e.Limits.Low))
	}
	return v.r.T("times.between", "low", v.length(e.Limits.Low), "high", v.length(e.Limits.High))
}

// headline is what the curve of all says.
func (v *timesShown) headline() string {
	all := &v.d.All
	switch {
	case !all.Median.Known():
		return v.r.T("times.found.open_half")
	case !all.P90.Known():
		return v.r.T("times.found.half", "median", v.length(all.Median.Hours))
	}
	return v.r.T("times.found.both."+string(v.d.Clock), "median", v.length(all.Median.Hours), "p90", v.length(all.P90.Hours))
}

func (v *timesShown) findings() []string {
	r, all := v.r, &v.d.All
	said := []string{v.headline() + " " + r.counted("times.found.counted", all.Open)}
	if all.Median.Known() && all.P90.Known() && !math.IsNaN(all.Median.Limits.High) && !math.IsNaN(all.P90.Limits.High) {
		said = append(said, r.T("times.found.limits", "median", v.between(all.Median), "p90", v.between(all.P90)))
	}
	if all.Open > 0 && !math.IsNaN(all.ClosedP90) {
		short := func(closed float64, whole analysis.Estimate) float64 {
			if !whole.Known() || whole.Hours == 0 {
				return 1
			}
			return 1 - closed/whole.Hours
		}
		a, b := short(all.ClosedMedian, all.Median), short(all.ClosedP90, all.P90)
		if max(a, b) >= 0.01 {
			said = append(said, r.T("times.found.closed", "median", v.length(all.ClosedMedian), "p90", v.length(all.ClosedP90), "short", r.Pct(max(a, b), 0)))
		} else {
			said = append(said, r.T("times.found.closed_same"))
		}
	}
	said = append(said, v.compared()...)
	if v.d.Forgotten > 0 {
		said = append(said, r.N("times.found.forgotten", v.d.Forgotten, "day", r.Day(v.d.ForgottenBefore)))
	}
	return said
}

// compared says whether groups differ, and which stand out.
func (v *timesShown) compared() []string {
	r := v.r
	if v.q.By == "" {
		return nil
	}
	if !v.d.Tested {
		return []string{r.T("times.found.no_groups")}
	}
	if !v.d.Differ() {
		return []string{r.T("times.found.alike", "p", r.chance(v.d.Test.P))}
	}
	said := []string{r.T("times.found.differ", "p", r.chance(v.d.Test.P))}
	slow, fast := -1, -1
	for k := range v.d.Groups {
		mean := v.d.Groups[k].Mean
		if math.IsNaN(mean) {
			continue
		}
		if slow < 0 || mean > v.d.Groups[slow].Mean {
			slow = k
		}
		if fast < 0 || mean < v.d.Groups[fast].Mean {
			fast = k
		}
	}
	if slow >= 0 && slow != fast {
		a, b := &v.d.Groups[slow], &v.d.Groups[fast]
		gap, wide := a.Mean-b.Mean, stats.Z95*math.Hypot(a.MeanErr, b.MeanErr)
		said = append(said, r.T("times.found.slowest", "slow", v.name(a), "slow_mean", v.length(a.Mean), "fast", v.name(b), "fast_mean", v.length(b.Mean),
			"until", v.length(v.d.Until), "low", v.length(max(0, gap-wide)), "high", v.length(gap+wide)))
	}
	return said
}

// shown are the curves that are drawn.
func (v *timesShown) shown() []*analysis.DurationCurve {
	if len(v.d.Groups) == 0 {
		return []*analysis.DurationCurve{&v.d.All}
	}
	list := make([]*analysis.DurationCurve, len(v.d.Groups))
	for k := range v.d.Groups {
		list[k] = &v.d.Groups[k]
	}
	return list
}

// timesReach is how far across the curves are drawn: somewhat beyond the time
// by which nine in ten are over.
func (v *timesShown) reach() float64 {
	to := 0.0
	for _, c := range v.shown() {
		if c.P90.Known() {
			to = max(to, 1.25*c.P90.Hours)
		} else {
			to = max(to, c.Curve.Last)
		}
	}
	return min(max(to, 4), 2*v.d.Until)
}

// timesMarks is how many places of a curve open its incidents.
const timesMarks = 8

func (v *timesShown) curves() ChartFrame {
	r, to := v.r, v.reach()
	g := &chart.Steps{
		Head: chart.Head{ID: "times-chart", Label: r.T("times.chart.title"), Unit: chart.Share}, Top: 1, To: to,
		Across: r.T("times.chart.across." + string(v.d.Clock)), AcrossU: chart.Number,
	}
	if v.d.Clock == analysis.ClockHours {
		g.AcrossU = chart.Hours
	}
	list := v.shown()
	for k, c := range list {
		curve := chart.Steep{Label: v.name(c), Category: k + 1, Points: []chart.StepPoint{{X: 0, Y: 0}}}
		if len(list) == 1 {
			curve.Category = 0
		}
		for _, step := range c.Points(to) {
			limits := step.LogLogLimits(analysis.DurationLevel)
			curve.Points = append(curve.Points, chart.StepPoint{X: step.T, Y: 1 - step.S, Low: 1 - limits.High, High: 1 - limits.Low})
		}
		last := curve.Points[len(curve.Points)-1]
		last.X = min(to, max(last.X, c.Curve.Last))
		curve.Points = append(curve.Points, last)
		for m := 1; m <= timesMarks; m++ {
			at := to * float64(m) / timesMarks
			if at > c.Curve.Last {
				break
			}
			step := c.Curve.At(at)
			limits := step.LogLogLimits(analysis.DurationLevel)
			curve.Hits = append(curve.Hits, chart.StepHit{X: at, Y: 1 - step.S, Href: v.href(c, false), Title: r.T("times.chart.point",
				"name", v.name(c), "share", r.Pct(1-step.S, 0), "at", v.length(at), "low", r.Pct(1-limits.High, 0), "high", r.Pct(1-limits.Low, 0))})
		}
		g.Curves = append(g.Curves, curve)
	}
	f := ChartFrame{Printer: r.Printer, ID: "times", Title: v.headline(), Question: r.T("times.chart.what", "period", r.spanLabel(v.d.From, v.d.To), "n", r.Int(v.d.All.N)), How: r.T("times.chart.how")}
	if v.d.Tested {
		f.Title = r.T(map[bool]string{true: "times.chart.differ", false: "times.chart.alike"}[v.d.Differ()])
	}
	if v.d.Left > 0 {
		f.How += " " + r.N("times.chart.left", v.d.Left)
	}
	g.Desc = f.Title
	f.Drawing = chart.Render(g, r.Printer, chart.Full)
	return f
}

func (v *timesShown) table() Table {
	r := v.r
	t := Table{Printer: r.Printer, ID: "times-table", Caption: r.T("times.table"), Hide: true, Stacked: true, Columns: []Column{{Label: r.T("times.column.group"), Lead: true, Wrap: true}}}
	for _, key := range []string{"n", "open", "median", "p90", "mean", "closed"} {
		t.Columns = append(t.Columns, Column{Label: r.T("times.column." + key), Num: true})
	}
	list := v.shown()
	if len(v.d.Groups) > 0 {
		list = append(list, &v.d.All)
	}
	for _, c := range list {
		mean := "—"
		if !math.IsNaN(c.Mean) {
			mean = v.length(c.Mean)
		}
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: v.name(c), Href: v.href(c, false)},
			{Text: r.Int(c.N)}, {Text: r.Int(c.Open), Href: v.href(c, true), Aside: true},
			{Text: v.length(c.Median.Hours), Note: v.between(c.Median)}, {Text: v.length(c.P90.Hours), Note: v.between(c.P90)},
			{Text: mean}, {Text: r.T("times.pair", "median", v.length(c.ClosedMedian), "p90", v.length(c.ClosedP90))},
		}})
	}
	return t
}

// exportTimes sends every step of every curve, in hours.
func (s *Server) exportTimes(r *Request) error {
	q, _, err := r.timesAsked()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	d, err := s.deps.Analysis.Durations(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	v := timesShown{r: r, n: n, q: q, d: &d}
	columns := []sheet.Column{{Title: r.T("times.column.group"), Width: 36}}
	for _, key := range []string{"hours", "at_risk", "ended", "censored", "share", "low", "high"} {
		columns = append(columns, sheet.Column{Title: r.T("times.column." + key), Kind: sheet.Number, Width: 16})
	}
	out, err := r.download("times", columns)
	if err != nil {
		return err
	}
	round := func(x float64) float64 { return math.Round(x*1e6) / 1e6 }
	list := []*analysis.DurationCurve{&d.All}
	for k := range d.Groups {
		list = append(list, &d.Groups[k])
	}
	for _, c := range list {
		for _, step := range c.Curve.Steps {
			limits := step.LogLogLimits(analysis.DurationLevel)
			if err := out.Row(v.name(c), round(step.T), float64(step.AtRisk), float64(step.Events), float64(step.Censored), round(1-step.S), round(1-limits.High), round(1-limits.Low)); err != nil {
				return err
			}
		}
	}
	return out.Close()
}

// percent writes a chance for people: never 0 or 100 of what is not certain.
func (r *Request) percent(p float64) string {
	return r.Pct(min(max(math.Round(p*100), 1), 99)/100, 0)
}

// counted is N with a sentence of its own for none at all ("KEY.none").
func (r *Request) counted(key string, n int, args ...any) string {
	if n == 0 {
		return r.T(key+".none", args...)
	}
	return r.N(key, n, args...)
}
