package web

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// schoolPage is one school on one page, in words that its people use.
type schoolPage struct {
	Page

	Bar       FilterBar
	Plain     []string // the situation, said
	Keys      []KeyFigure
	Flow      ChartFrame
	Types     ChartFrame
	Rooms     ChartFrame
	Machines  *Table
	Signals   []signalLine // what is out of the ordinary here
	Returning string       // how many machines come back
	Open      openPart
	OpenAt    string
	Facts     []fact
	Today     string // when it is open today
	Coming    []comingDays
	Counts    *Table // denominators by date
	Course    *ChartFrame
	Quiet     string // said instead of the figures when there are none
	Loading   bool
}

// openPart is what waits in the school, which follows events.
type openPart struct {
	Page

	Rows  []incidentRow
	Total string
	All   string
}

// comingDays is a holiday or a closure that is to come.
type comingDays struct{ When, What string }

var (
	schoolView     = newView[schoolPage]("page_school.html", shell)
	schoolOpenView = newFragment[openPart]("page_school.html", "open-now")
)

func (s *Server) schoolRoutes() {
	s.page("GET /schools/{id}", s.school, needs(auth.ViewStatistics))
	s.page("GET /schools/{id}/open", s.schoolOpen, needs(auth.ViewStatistics))
}

// pathSchool is the school of the address, if the reader may see it.
func (r *Request) pathSchool(n *names) (directory.School, error) {
	number, err := r.pathID()
	if err != nil {
		return directory.School{}, err
	}
	school, ok := n.places.School(number)
	if !ok || !r.Scope().SeesSchool(number) {
		return directory.School{}, fault.New(fault.NotFound, "error.directory.school_not_found")
	}
	return school, nil
}

func (s *Server) school(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	school, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	span := r.period()
	p := &schoolPage{Page: Page{Title: school.Name, Lede: Legend(school.Commune, school.UAI)}}
	if len(n.places.SchoolsIn(r.Scope())) > 1 {
		p.Crumbs = []Link{{Label: r.T("schools.title"), Href: r.Address.At("/schools").String()}}
	}
	if r.Who.MayDeclareIn(school.ID) {
		p.Actions = append(p.Actions, Action{Label: r.T("school.declare"), Icon: "circle-plus", Href: "/declare?school=" + id(school.ID), Primary: true})
	}
	if r.Who.Can(auth.EditDirectory) {
		p.Actions = append(p.Actions, Action{Label: r.T("common.edit"), Icon: "pencil", Href: "/admin/directory/schools/" + id(school.ID), Key: "e"})
	}
	p.Bar = r.FilterBar([]Field{r.periodField(r.Filters(), span)})
	if p.Signals, err = r.signalLines(n, school.ID); err != nil {
		return err
	}
	p.identity(r, n, school)
	p.calendar(r, n, school)
	p.counts(r, n, school)
	err = p.figures(r, n, school, span)
	if fault.Is(err, fault.Unavailable) {
		p.Loading, err = true, nil
	}
	if err != nil {
		return err
	}
	return schoolView.show(r, http.StatusOK, p)
}

// schoolFigures are the answers that the page is made of.
type schoolFigures struct {
	all, flow, types, rooms, machines, open figures
	everyone                                *figures // the whole département, if it may be told
}

// machineDays is how far back a machine that comes back is looked for.
const machineDays = 364

// whole is how many schools the département must have for its totals to be told
// beside one school's: with fewer, they would tell about a neighbour.
const whole = 5

func (s *Server) askSchool(r *Request, n *names, school directory.School, span period) (schoolFigures, error) {
	here := cube.ListQuery{Filters: []cube.Filter{{Dim: cube.DimSchool, In: []string{id(school.ID)}}}}
	usual := overviewQuestions(r, span, here)
	rooms := cube.Query{Filters: here.Filters, By: []cube.Dim{cube.DimRoom}, Measures: []cube.Measure{cube.Count, cube.RepeatShare, cube.ResolutionMedian}, From: span.From, To: span.To}
	machines := cube.Query{Filters: here.Filters, By: []cube.Dim{cube.DimMachine}, Measures: []cube.Measure{cube.Count, cube.Backlog}, From: r.today() - machineDays}
	open := cube.Query{Filters: here.Filters, Measures: []cube.Measure{cube.Backlog}, From: r.today()}
	results, err := s.deps.Cube.RunAll(r.Context(), r.Scope(), []cube.Query{usual[0], usual[1], usual[3], rooms, machines, open})
	if err != nil {
		return schoolFigures{}, err
	}
	f := schoolFigures{
		all: r.figures(n, results[0]), flow: r.figures(n, results[1]), types: r.figures(n, results[2]),
		rooms: r.figures(n, results[3]), machines: r.figures(n, results[4]), open: r.figures(n, results[5]),
	}
	if len(n.places.Schools()) < whole {
		return f, nil
	}
	// A school compares itself with the whole. These totals are the same for
	// everybody and lead to no incident, so that the scope may be left here.
	res, err := s.deps.Cube.Run(r.Context(), auth.ScopeAll(r.Who.Tenant), cube.Query{
		Measures: []cube.Measure{cube.Per100Computers, cube.ResolutionMedian, cube.RepeatShare}, From: span.From, To: span.To,
	})
	if err != nil {
		return f, err
	}
	everyone := r.figures(n, res)
	f.everyone = &everyone
	return f, nil
}

func (p *schoolPage) figures(r *Request, n *names, school directory.School, span period) error {
	f, err := r.Server.askSchool(r, n, school, span)
	if err != nil {
		return err
	}
	if p.Open, err = r.Server.openIn(r, n, school); err != nil {
		return err
	}
	p.OpenAt = "/schools/" + id(school.ID) + "/open"
	p.plain(r, f, span)
	p.keys(r, f, school, span)
	p.machines(r, f.machines)
	if f.all.res.Population == 0 {
		p.Quiet = r.T("school.quiet", "period", span.Label)
		return nil
	}
	p.Flow = overviewFlow(r, f.flow, f.all)
	p.Types = overviewTypes(r, f.types)
	p.Rooms = schoolRooms(r, n, school, f.rooms)
	return nil
}

// plain says the main figures in sentences.
func (p *schoolPage) plain(r *Request, f schoolFigures, span period) {
	open := f.open.value(f.open.res.Total, cube.Backlog)
	said := r.N("school.plain.open", int(open.V))
	if open.N == 0 {
		said = r.T("school.plain.none")
	}
	p.Plain = append(p.Plain, said)
	count := f.all.value(f.all.res.Total, cube.Opened)
	said = r.N("school.plain.opened", int(count.V), "period", r.spanLabel(f.all.res.From, f.all.res.To))
	if count.N == 0 {
		said = r.T("school.plain.quiet", "period", r.spanLabel(f.all.res.From, f.all.res.To))
	}
	rate := f.all.value(f.all.res.Total, cube.Per100Computers)
	switch {
	case !rate.Valid || count.N == 0:
	case f.everyone != nil && f.everyone.value(f.everyone.res.Total, cube.Per100Computers).Valid:
		said += " " + r.T("school.plain.rates", "rate", f.all.say.Value(cube.Per100Computers, rate),
			"all", f.everyone.say.Value(cube.Per100Computers, f.everyone.value(f.everyone.res.Total, cube.Per100Computers)))
	default:
		said += " " + r.T("school.plain.rate", "rate", f.all.say.Value(cube.Per100Computers, rate))
	}
	p.Plain = append(p.Plain, said)
}

func (p *schoolPage) keys(r *Request, f schoolFigures, school directory.School, span period) {
	vs := against(r, f.all.res.Query.Compare)
	total := f.all.res.Total
	compared := func(m cube.Measure, otherwise string) string {
		if f.everyone == nil {
			return otherwise
		}
		return r.T("school.whole", "value", f.everyone.say.Value(m, f.everyone.value(f.everyone.res.Total, m)))
	}
	key := func(label string, m cube.Measure, note string) KeyFigure {
		v := f.all.value(total, m)
		k := KeyFigure{Label: label, Value: f.all.say.Value(m, v), Trend: f.all.trend(m, 1, vs), Note: note}
		if v.N > 0 {
			k.Href = f.all.list(nil, total, m)
		}
		return k
	}
	open := KeyFigure{Label: r.T("school.key.open"), Value: r.Int(int(f.open.value(f.open.res.Total, cube.Backlog).V)), Href: "/incidents?open=yes&school=" + id(school.ID), Note: r.T("school.key.now")}
	opened := key(r.T("overview.key.opened"), cube.Opened, span.Label)
	opened.Spark = f.spark(r)
	median := f.all.value(total, cube.ResolutionMedian)
	p.Keys = []KeyFigure{
		open, opened,
		key(r.T("schools.column.rate"), cube.Per100Computers, compared(cube.Per100Computers, "")),
		key(r.T("overview.key.resolution_median"), cube.ResolutionMedian,
			Legend(r.T("school.on", "n", median.N, "open", int(f.all.value(total, cube.Unresolved).V)), compared(cube.ResolutionMedian, ""))),
		key(r.T("overview.key.repeat_share"), cube.RepeatShare, compared(cube.RepeatShare, r.T("overview.key.repeat.note"))),
	}
}

func (f schoolFigures) spark(r *Request) template.HTML {
	var values []float64
	for _, row := range f.flow.res.Rows {
		values = append(values, size(f.flow.value(row, cube.Opened)))
	}
	if len(values) < 2 {
		return ""
	}
	return (&chart.Spark{Head: chart.Head{ID: "spark-opened", Label: r.T("overview.spark.opened")}, Values: values}).HTML(r.Printer)
}

// shownRooms is how many rooms are drawn; the table has them all.
const shownRooms = 12

// schoolRooms counts by room. Rooms where nothing happened are in the table.
func schoolRooms(r *Request, n *names, school directory.School, f figures) ChartFrame {
	by := f.res.Query.By
	c := ChartFrame{Printer: r.Printer, ID: "rooms", Title: r.T("school.rooms.title"), Question: f.question(r.T("school.rooms.what")), How: r.T("school.rooms.how"), Exports: r.exports(f.res.Query)}
	t := &Table{Printer: r.Printer, Caption: r.T("school.rooms.what"), Columns: []Column{
		{Label: f.say.Dim(cube.DimRoom), Lead: true}, {Label: f.say.Dim(cube.DimNetwork)},
		{Label: f.say.Measure(cube.Count), Num: true}, {Label: f.say.Measure(cube.RepeatShare), Num: true}, {Label: f.say.Measure(cube.ResolutionMedian), Num: true},
	}}
	bars := &chart.Bars{Head: chart.Head{ID: "rooms-chart", Label: c.Title, Desc: c.Question}}
	told := map[string]bool{}
	for _, row := range f.sorted(cube.Count) {
		if row.Values[0].N == 0 {
			continue
		}
		told[row.Keys[0]] = true
		label, network := f.label(row, by, 0), "—"
		if room, ok := n.roomOfKey(row.Keys[0]); ok {
			label, network = room.Name, r.networkName(room.Network)
			if room.Archived {
				label = r.T("school.room.gone", "room", room.Name)
			}
		}
		if len(bars.Items) < shownRooms {
			bars.Items = append(bars.Items, chart.Bar{Label: label, Value: row.Values[0].V, Href: f.list(by, row, cube.Count), Title: f.title(label, row, cube.Count)})
		}
		t.Rows = append(t.Rows, TableRow{Cells: append([]Cell{{Text: label}, {Text: network}}, f.cells(by, row)...)})
	}
	if len(t.Rows) > shownRooms {
		c.Question += " · " + r.T("school.rooms.first", "n", shownRooms, "all", len(t.Rows))
	}
	for _, room := range n.places.Rooms(school.ID) {
		if !room.Archived && !told[id(room.ID)] {
			t.Rows = append(t.Rows, TableRow{Cells: []Cell{{Text: room.Name}, {Text: r.networkName(room.Network)}, {Text: "0"}, {Text: "—"}, {Text: "—"}}})
		}
	}
	c.Table = t
	if len(bars.Items) == 0 {
		c.Empty = r.T("school.rooms.none")
		return c
	}
	c.Drawing = chart.Render(bars, r.Printer, chart.Half)
	return c
}

func (r *Request) networkName(n directory.Network) string {
	if n == directory.NetworkUnknown {
		return "—"
	}
	return r.T("directory.network." + string(n))
}

// shownMachines is how many machines that come back are shown.
const shownMachines = 8

// machines lists those that were reported at least twice within a year.
func (p *schoolPage) machines(r *Request, f figures) {
	t := &Table{Printer: r.Printer, Caption: r.T("school.machines"), Hide: true, Columns: []Column{
		{Label: f.say.Dim(cube.DimMachine), Lead: true}, {Label: r.T("school.machines.year"), Num: true}, {Label: r.T("schools.column.open"), Num: true},
	}}
	returning := 0
	for _, row := range f.sorted(cube.Count) {
		if row.Keys[0] == "" || row.Values[0].N < 2 {
			continue
		}
		if returning++; returning > shownMachines {
			continue
		}
		open := Cell{Text: r.Int(int(row.Values[1].V))}
		if row.Values[1].N == 0 {
			open.Text = "—"
		}
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: f.label(row, f.res.Query.By, 0), Href: f.list(f.res.Query.By, row, cube.Count)}, {Text: r.Int(int(row.Values[0].V))}, open,
		}})
	}
	if returning == 0 {
		return
	}
	p.Machines, p.Returning = t, r.N("school.machines.count", returning)
	if returning > shownMachines {
		p.Returning = Legend(p.Returning, r.T("school.machines.first", "n", shownMachines))
	}
}

// openIn lists what waits in a school now.
func (s *Server) openIn(r *Request, n *names, school directory.School) (openPart, error) {
	p := openPart{All: "/incidents?open=yes&school=" + id(school.ID)}
	p.Printer = r.Printer
	page, err := s.deps.Cube.List(r.Context(), r.Scope(), cube.ListQuery{
		Filters: []cube.Filter{{Dim: cube.DimSchool, In: []string{id(school.ID)}}, {Dim: cube.DimOpen, In: []string{"yes"}}}, Limit: 6,
	})
	if err != nil {
		return p, err
	}
	found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
	if err != nil {
		return p, err
	}
	for _, i := range found {
		row := r.incidentRow(n, i)
		row.Where = n.places.RoomName(i.Room)
		if row.Where == "" {
			row.Where = r.T("incident.room.none")
		}
		p.Rows = append(p.Rows, row)
	}
	p.Total = r.N("incidents.count", page.Total)
	return p, nil
}

// schoolOpen gives the list alone, when an event has come.
func (s *Server) schoolOpen(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	school, err := r.pathSchool(n)
	if err != nil {
		return err
	}
	p, err := s.openIn(r, n, school)
	if err != nil {
		return err
	}
	return schoolOpenView.show(r, p)
}

func (p *schoolPage) identity(r *Request, n *names, s directory.School) {
	add := func(key, text string) {
		if text != "" {
			p.Facts = append(p.Facts, fact{Label: r.T("school.fact." + key), Text: text})
		}
	}
	add("address", strings.TrimSpace(Legend(s.Address, strings.TrimSpace(s.PostalCode+" "+s.Commune))))
	add("uai", s.UAI)
	if e, ok := n.places.ExposureAt(s.ID, r.today()); ok {
		add("computers", orDash(r, e.Computers))
		add("pupils", orDash(r, e.Pupils))
	}
	rooms := 0
	for _, room := range n.places.Rooms(s.ID) {
		if !room.Archived {
			rooms++
		}
	}
	add("rooms", orDash(r, rooms))
	if s.Opened != 0 {
		add("opened", r.MediumDay(s.Opened))
	}
	if s.Closed != 0 {
		add("closed", r.MediumDay(s.Closed))
	}
}

// shownComing is how many holidays and closures are announced.
const shownComing = 4

// calendar says whether the school is open today, and when it will not be.
func (p *schoolPage) calendar(r *Request, n *names, s directory.School) {
	today := r.today()
	cal := n.places.Calendar(s.ID)
	zone := s.Zone
	if zone == "" {
		zone = n.places.Settings().Zone
	}
	type stretch struct {
		first, last calendar.Day
		what        string
	}
	var coming []stretch
	for _, h := range n.places.SchoolHolidays(zone) {
		coming = append(coming, stretch{h.First, h.Last, h.Name})
	}
	for _, h := range n.places.PublicHolidays() {
		coming = append(coming, stretch{h.Day, h.Day, h.Name})
	}
	for _, c := range n.places.Closures(s.ID) {
		what := r.T("school.closure")
		if c.Reason != "" {
			what = r.T("school.closure.reason", "reason", c.Reason)
		}
		coming = append(coming, stretch{c.First, c.Last, what})
	}
	slices.SortStableFunc(coming, func(a, b stretch) int { return int(a.first) - int(b.first) })
	reason := ""
	for _, c := range coming {
		if c.last < today {
			continue
		}
		if c.first <= today && reason == "" {
			reason = c.what
		}
		if len(p.Coming) == shownComing || c.first > today+364 {
			break
		}
		p.Coming = append(p.Coming, comingDays{When: r.spanLabel(c.first, c.last+1), What: c.what})
	}
	week, _ := n.places.Hours(s.ID)
	if cal.Kind(today) == calendar.OpenDay {
		var spans []string
		for _, span := range week[today.Weekday()] {
			spans = append(spans, r.T("school.hours.span", "from", r.clock(today, span.From), "to", r.clock(today, span.To)))
		}
		p.Today = r.T("school.hours.open", "spans", r.List(spans))
		return
	}
	if cal.Kind(today) == calendar.Weekend {
		reason = ""
	}
	p.Today = r.T("school.hours.closed")
	if reason != "" {
		p.Today = r.T("school.hours.closed.reason", "reason", reason)
	}
	if next := cal.NextOpen(r.Now()); !next.IsZero() {
		p.Today += " " + r.T("school.hours.next", "when", r.DateTime(next))
	}
}

// clock says a minute of a day.
func (r *Request) clock(day calendar.Day, minute int) string {
	y, m, d := day.Time().Date()
	return r.Time(time.Date(y, m, d, 0, minute, 0, 0, r.Location()))
}

// counts shows the denominators by date, the newest first.
func (p *schoolPage) counts(r *Request, n *names, s directory.School) {
	list := n.places.Exposures(s.ID)
	if len(list) == 0 {
		return
	}
	p.Counts = &Table{Printer: r.Printer, Caption: r.T("school.counts"), Hide: true, Columns: []Column{
		{Label: r.T("school.counts.from"), Lead: true}, {Label: r.T("schools.column.computers"), Num: true}, {Label: r.T("schools.column.pupils"), Num: true},
	}}
	for _, e := range slices.Backward(list) {
		p.Counts.Rows = append(p.Counts.Rows, TableRow{Cells: Cells(r.MediumDay(e.From), orDash(r, e.Computers), orDash(r, e.Pupils))})
	}
	if len(list) < 3 {
		return // two dates are read faster than drawn
	}
	p.Course = countsChart(r, n, s, list)
}

// countsYears is how far back the denominators are drawn.
const countsYears = 6

func countsChart(r *Request, n *names, s directory.School, list []directory.Exposure) *ChartFrame {
	loc := r.Location()
	first := max(list[0].From, r.today()-countsYears*365).Month()
	var computers, pupils chart.Series
	computers = chart.Series{Label: r.T("schools.column.computers"), Category: 1, Gaps: true}
	pupils = chart.Series{Label: r.T("schools.column.pupils"), Category: 3, Gaps: true}
	for day := first; day <= r.today(); day = (day + 31).Month() {
		e, ok := n.places.ExposureAt(s.ID, min(r.today(), (day+31).Month()-1))
		if !ok {
			continue
		}
		at, title := day.Start(loc), r.MonthYear(day.Time())
		if e.Computers > 0 {
			computers.Points = append(computers.Points, chart.Point{At: at, Value: float64(e.Computers), Title: fmt.Sprintf("%s%s", r.Label(title), r.T("school.counts.computers", "n", e.Computers))})
		}
		if e.Pupils > 0 {
			pupils.Points = append(pupils.Points, chart.Point{At: at, Value: float64(e.Pupils), Title: fmt.Sprintf("%s%s", r.Label(title), r.T("school.counts.pupils", "n", e.Pupils))})
		}
	}
	lines := &chart.Lines{Head: chart.Head{ID: "counts-chart", Label: r.T("school.counts")}, Period: chart.Period{From: first.Start(loc), To: (r.today() + 1).Start(loc), Grain: chart.Month}}
	for _, series := range []chart.Series{computers, pupils} {
		if len(series.Points) > 0 {
			lines.Series = append(lines.Series, series)
		}
	}
	if len(lines.Series) == 0 {
		return nil
	}
	return &ChartFrame{Printer: r.Printer, ID: "counts", Under: true, Title: r.T("school.counts.course"), Drawing: chart.Render(lines, r.Printer, chart.Half)}
}
