package web

import (
	"html/template"
	"net/http"

	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// overviewPage is the lead's first look: what is open, what changes, where.
type overviewPage struct {
	Page

	Bar      FilterBar
	Keys     []KeyFigure
	Flow     ChartFrame
	Schools  ChartFrame
	Types    ChartFrame
	Hours    ChartFrame
	Signals  []signalLine
	Signaled string // how many signals go on
	Map      ChartFrame
	HasMap   bool
	Latest   latestPart
	LatestAt string
	Empty    *EmptyState
	Loading  bool
}

// latestPart is the list that follows events.
type latestPart struct {
	Page

	Rows []incidentRow
	All  string
}

var (
	overviewView = newView[overviewPage]("page_overview.html", shell)
	latestView   = newFragment[latestPart]("page_overview.html", "latest")
)

func (s *Server) overviewRoutes() {
	s.page("GET /overview", s.overview, needs(auth.ViewStatistics))
	s.page("GET /overview/latest", s.latest, needs(auth.ViewStatistics))
	s.navEntry(entry{order: 10, key: "overview.title", icon: "layout-dashboard", href: "/overview", right: auth.ViewStatistics, phone: true})
}

// overviewLimit is how many schools are drawn; the table has them all.
const overviewLimit = 30

func (s *Server) overview(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	span := r.period()
	about, err := r.conditions()
	if err != nil {
		return err
	}
	p := &overviewPage{Page: Page{Title: r.T("overview.title")}, Bar: r.incidentFilters(n, span, about.Filters)}
	if r.Who.Can(auth.DeclareIncident) {
		p.Actions = append(p.Actions, Action{Label: r.T("declare.verb"), Icon: "circle-plus", Href: "/declare"})
	}
	results, err := s.deps.Cube.RunAll(r.Context(), r.Scope(), overviewQuestions(r, span, about))
	if fault.Is(err, fault.Unavailable) {
		p.Loading = true
		return overviewView.show(r, http.StatusOK, p)
	}
	if err != nil {
		return err
	}
	all, flow, schools, types, hours := results[0], results[1], results[2], results[3], results[4]
	if all.Population == 0 && all.Total.Values[2].V == 0 {
		p.Empty = r.overviewEmpty()
	}
	p.Lede = r.N("overview.lede", len(n.places.SchoolsIn(r.Scope())), "period", r.spanLabel(all.From, all.To))
	if c := all.Query.Compare; c != cube.CompareNone {
		p.Lede = Legend(p.Lede, r.T("overview.lede.against", "against", against(r, c)))
	}
	p.keys(r, r.figures(n, all), r.figures(n, flow), span)
	p.Flow = overviewFlow(r, r.figures(n, flow), r.figures(n, all))
	p.Schools = overviewSchools(r, r.figures(n, schools))
	p.Types = overviewTypes(r, r.figures(n, types))
	p.Hours = overviewHours(r, r.figures(n, hours))
	p.Map, p.HasMap = overviewMap(r, n, r.figures(n, schools))
	if p.Signals, err = r.signalLines(n, 0); err != nil {
		return err
	}
	p.Signaled = r.N("signal.overview", len(p.Signals))
	if p.Latest, err = s.latestOf(r, n, about); err != nil {
		return err
	}
	p.LatestAt = r.Address.At("/overview/latest").String()
	return overviewView.show(r, http.StatusOK, p)
}

func overviewQuestions(r *Request, span period, about cube.ListQuery) []cube.Query {
	base := cube.Query{Filters: about.Filters, Text: about.Text, From: span.From, To: span.To}
	ask := func(by []cube.Dim, compare bool, measures ...cube.Measure) cube.Query {
		q := base
		q.By, q.Measures = by, measures
		if compare && span.From != 0 {
			q.Compare = compareOf(span)
		}
		return q
	}
	grain := cube.Dim(span.granularity(r.today()))
	return []cube.Query{
		ask(nil, true, cube.Opened, cube.Resolved, cube.Backlog, cube.ResolutionMedian, cube.Unresolved, cube.ReopenedShare, cube.RepeatShare, cube.Per100Computers),
		ask([]cube.Dim{grain}, true, cube.Opened, cube.Resolved, cube.Backlog),
		ask([]cube.Dim{cube.DimSchool}, false, cube.Per100Computers, cube.Count, cube.Backlog, cube.ResolutionMedian),
		ask([]cube.Dim{cube.DimCategory}, true, cube.Count, cube.ResolutionMedian),
		ask([]cube.Dim{cube.DimWeekday, cube.DimHour}, false, cube.Count),
	}
}

// compareOf is the comparison that suits a period: the year before for a school
// year, so that a September meets a September; else the days just before.
func compareOf(span period) cube.Compare {
	switch span.Preset {
	case "school-year", "last-school-year", "12m":
		return cube.CompareSchoolYear
	}
	return cube.ComparePrevious
}

func against(r *Request, c cube.Compare) string {
	if c == cube.CompareNone {
		return ""
	}
	return r.T("figure.against." + string(c))
}

func (p *overviewPage) keys(r *Request, f, flow figures, span period) {
	spark := func(m cube.Measure, label string) template.HTML {
		var values []float64
		for _, row := range flow.res.Rows {
			values = append(values, size(flow.value(row, m)))
		}
		if len(values) < 2 {
			return ""
		}
		return (&chart.Spark{Head: chart.Head{ID: "spark-" + string(m), Label: label}, Values: values}).HTML(r.Printer)
	}
	key := func(m cube.Measure, worse int, note string) KeyFigure {
		v := f.value(f.res.Total, m)
		k := KeyFigure{Label: r.T("overview.key." + string(m)), Value: f.say.Value(m, v), Trend: f.trend(m, worse, ""), Note: note}
		if v.N > 0 {
			k.Href = f.list(nil, f.res.Total, m)
		}
		return k
	}
	open := key(cube.Backlog, 1, r.T("overview.key.backlog.note", "day", r.MediumDay(f.res.To-1)))
	open.Spark = spark(cube.Backlog, r.T("overview.spark.backlog"))
	opened := key(cube.Opened, 1, span.Label)
	opened.Spark = spark(cube.Opened, r.T("overview.spark.opened"))
	median := key(cube.ResolutionMedian, 1, r.T("overview.key.median.note", "n", f.value(f.res.Total, cube.ResolutionMedian).N, "open", int(f.value(f.res.Total, cube.Unresolved).V)))
	rate := key(cube.Per100Computers, 1, r.T("overview.key.rate.note"))
	repeat := key(cube.RepeatShare, 1, r.T("overview.key.repeat.note"))
	reopened := key(cube.ReopenedShare, 1, r.T("overview.key.reopened.note", "n", f.value(f.res.Total, cube.ReopenedShare).N))
	p.Keys = []KeyFigure{open, opened, median, rate, repeat, reopened}
}

func (r *Request) overviewEmpty() *EmptyState {
	e := &EmptyState{Icon: "inbox", Title: r.T("overview.empty.title"), Text: r.T("overview.empty.text")}
	switch {
	case r.Who.Can(auth.ImportData):
		e.Action = &Link{Label: r.T("overview.empty.import"), Href: "/admin/imports", Icon: "import"}
	case r.Who.Can(auth.DeclareIncident):
		e.Action = &Link{Label: r.T("declare.verb"), Href: "/declare", Icon: "circle-plus"}
	}
	return e
}

// question is a chart's subtitle: what, of whom, when, up to when.
func (f figures) question(what string) string {
	return f.r.T("figure.question", "what", what, "n", f.res.Population, "period", f.r.spanLabel(f.res.From, f.res.To))
}

func overviewFlow(r *Request, f, all figures) ChartFrame {
	by := f.res.Query.By
	opened, resolved := all.value(all.res.Total, cube.Opened), all.value(all.res.Total, cube.Resolved)
	c := ChartFrame{
		Printer: r.Printer, ID: "flow", Question: f.question(r.T("overview.flow.what")), How: r.T("overview.flow.how"),
		Title: r.T("overview.flow.title", "opened", int(opened.V), "resolved", int(resolved.V), "open", int(all.value(all.res.Total, cube.Backlog).V)),
		Table: f.table(f.res.Rows, by, &f.res.Total, r.T("overview.flow.what")), Exports: r.exports(f.res.Query),
	}
	line := func(m cube.Measure, category int) chart.Series {
		return chart.Series{Label: f.say.Measure(m), Category: category, Points: f.points(f.res.Rows, by, 0, m, false)}
	}
	c.Drawing = chart.Render(&chart.Lines{
		Head: chart.Head{ID: "flow-chart", Label: c.Title, Desc: c.Question}, Period: f.period(by[0]),
		Series: []chart.Series{line(cube.Opened, 1), line(cube.Resolved, 2), line(cube.Backlog, 3)},
	}, r.Printer, chart.Full)
	return c
}

func overviewSchools(r *Request, f figures) ChartFrame {
	by := f.res.Query.By
	m := cube.Per100Computers
	if !f.value(f.res.Total, m).Valid {
		m = cube.Count
	}
	c := ChartFrame{
		Printer: r.Printer, ID: "schools", Title: f.foundRate(m, r.T("overview.schools.title."+string(m))), Question: f.question(r.T("overview.schools.what." + string(m))),
		How: r.T("overview.schools.how"), Table: f.table(f.res.Rows, by, &f.res.Total, r.T("overview.schools.what."+string(m))), Exports: r.exports(f.res.Query),
	}
	rows := f.sorted(m)
	if len(rows) > overviewLimit {
		rows = rows[:overviewLimit]
		c.Question += " · " + r.T("overview.schools.first", "n", overviewLimit, "all", len(f.res.Rows))
	}
	bars := &chart.Bars{Head: chart.Head{ID: "schools-chart", Label: c.Title, Desc: c.Question, Unit: unitOf(m)}, Items: f.bars(rows, by, m)}
	if total := f.value(f.res.Total, m); m == cube.Per100Computers && total.Valid {
		bars.Ref = &chart.Ref{Value: total.V, Label: r.T("overview.schools.mean", "value", f.say.Value(m, total))}
	}
	c.Drawing = chart.Render(bars, r.Printer, chart.Half)
	return c
}

func overviewTypes(r *Request, f figures) ChartFrame {
	by := f.res.Query.By
	c := ChartFrame{
		Printer: r.Printer, ID: "types", Title: f.foundChange(cube.Count, r.T("overview.types.title")), Question: f.question(r.T("overview.types.what")),
		How: r.T("overview.types.how"), Table: f.table(f.res.Rows, by, &f.res.Total, r.T("overview.types.what")), Exports: r.exports(f.res.Query),
	}
	bars := &chart.Bars{Head: chart.Head{ID: "types-chart", Label: c.Title, Desc: c.Question}, Items: f.bars(f.res.Rows, by, cube.Count)}
	if cmp := f.res.Query.Compare; cmp != cube.CompareNone {
		bars.Ghost = against(r, cmp)
	}
	c.Drawing = chart.Render(bars, r.Printer, chart.Half)
	return c
}

func overviewHours(r *Request, f figures) ChartFrame {
	c := ChartFrame{
		Printer: r.Printer, ID: "hours", Title: f.foundCell(cube.Count, r.T("overview.hours.title")), Question: f.question(r.T("overview.hours.what")),
		How: r.T("overview.hours.how"), Table: f.table(f.res.Rows, f.res.Query.By, &f.res.Total, r.T("overview.hours.what")), Exports: r.exports(f.res.Query),
	}
	c.Drawing = chart.Render(f.heat("hours-chart", c.Title, c.Question, cube.Count), r.Printer, chart.Full)
	return c
}

// heat crosses the first two dimensions, empty rows and columns at the edges
// left out (nobody reports at 3 in the morning).
func (f figures) heat(id, label, desc string, m cube.Measure) *chart.Heat {
	by := f.res.Query.By
	h := &chart.Heat{Head: chart.Head{ID: id, Label: label, Desc: desc, Unit: unitOf(m)}}
	rows, cols := trimmed(f.res.Margins[0], by[0]), trimmed(f.res.Margins[1], by[1])
	at := map[[2]string]cube.Row{}
	for _, row := range f.res.Rows {
		at[[2]string{row.Keys[0], row.Keys[1]}] = row
	}
	for _, c := range cols {
		h.Cols = append(h.Cols, f.label(c, by[1:], 0))
	}
	if by[1] == cube.DimHour {
		for _, c := range cols {
			h.ShortCols = append(h.ShortCols, c.Keys[0])
		}
	}
	for _, row := range rows {
		name := f.label(row, by, 0)
		h.Rows = append(h.Rows, name)
		if by[0] == cube.DimWeekday {
			h.ShortRows = append(h.ShortRows, short(name, 3))
		}
		var cells []chart.Cell
		for _, col := range cols {
			cell, ok := at[[2]string{row.Keys[0], col.Keys[0]}]
			if !ok {
				cells = append(cells, chart.Cell{})
				continue
			}
			c := chart.Cell{Value: size(f.value(cell, m)), Title: f.title(Legend(name, f.label(col, by[1:], 0)), cell, m)}
			if f.value(cell, m).N > 0 {
				c.Href = f.href(by, cell, m)
			}
			cells = append(cells, c)
		}
		h.Cells = append(h.Cells, cells)
	}
	return h
}

func short(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n])
	}
	return s
}

// trimmed leaves out the empty hours before the first and after the last.
func trimmed(rows []cube.Row, d cube.Dim) []cube.Row {
	if d != cube.DimHour {
		return rows
	}
	first, last := 0, len(rows)-1
	for first < last && rows[first].Values[0].N == 0 {
		first++
	}
	for last > first && rows[last].Values[0].N == 0 {
		last--
	}
	if first > last {
		return rows
	}
	return rows[first : last+1]
}

// overviewMap puts the schools where they are.
func overviewMap(r *Request, n *names, f figures) (ChartFrame, bool) {
	c := ChartFrame{Printer: r.Printer, ID: "map", Title: r.T("overview.map.title"), Question: f.question(r.T("overview.map.what")), How: r.T("overview.map.how"),
		Table: f.table(f.res.Rows, f.res.Query.By, &f.res.Total, r.T("overview.map.what"))}
	m, ok := f.places(cube.Count, cube.Per100Computers, func(school directory.School, row cube.Row) string {
		return r.T("overview.map.mark", "school", school.Name, "commune", school.Commune, "n", int(f.value(row, cube.Count).V), "rate", f.say.Value(cube.Per100Computers, f.value(row, cube.Per100Computers)))
	})
	if !ok {
		return c, false
	}
	m.Head = chart.Head{ID: "map-chart", Label: c.Title, Desc: c.Question}
	m.SizeLabel, m.ShadeLabel = r.T("overview.map.size"), r.T("overview.map.shade")
	c.Drawing = chart.Render(m, r.Printer, chart.Half)
	return c, true
}

func (s *Server) latestOf(r *Request, n *names, about cube.ListQuery) (latestPart, error) {
	page, err := s.deps.Cube.List(r.Context(), r.Scope(), cube.ListQuery{Filters: about.Filters, Text: about.Text, Limit: 8})
	if err != nil {
		return latestPart{}, err
	}
	found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
	if err != nil {
		return latestPart{}, err
	}
	p := latestPart{All: r.Address.At("/incidents").With("period", "all").String()}
	p.Printer = r.Printer
	for _, i := range found {
		p.Rows = append(p.Rows, r.incidentRow(n, i))
	}
	return p, nil
}

// latest gives the list alone, when an event has come.
func (s *Server) latest(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	about, err := r.conditions()
	if err != nil {
		return err
	}
	p, err := s.latestOf(r, n, about)
	if err != nil {
		return err
	}
	return latestView.show(r, p)
}
