package web

import (
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/sheet"
	"statincidents/internal/visit"
)

// visitsPage is the calendar of visits: a week by technician or by school, or
// a list.
type visitsPage struct {
	Page

	Tabs       Tabs
	Bar        FilterBar
	Span       string // the week in words
	Prev, Next string
	Now        string // address of the present week, "" when on it
	List       bool
	Side       string // what the rows are
	Days       []weekDay
	Rows       []weekRow
	Agenda     []agendaDay // the same by day, for a phone
	Exports    []Link
	Empty      *EmptyState
	Clashing   string // how many overlap
	Mine       string // the reader's sheet of today
}

// weekDay is a column of the week.
type weekDay struct {
	Label string
	Note  string // why schools are closed
	Today bool
	Href  string
}

// weekRow is a technician or a school with their week.
type weekRow struct {
	Name  string
	Href  string
	Cells []weekCell
}

// weekCell is one day of a row.
type weekCell struct {
	Day    string
	Visits []visitLine
	New    string // where one is planned then, "" for who may not
	Closed bool
	Today  bool
}

type agendaDay struct {
	Label  string
	Note   string
	Today  bool
	Visits []visitLine
}

var visitsView = newView[visitsPage]("page_visits.html", shell)

// listDays is how far the list reaches.
const listDays = 28

func (s *Server) visitsRoutes() {
	look := needs(auth.ViewStatistics)
	s.page("GET /visits", s.visits, look)
	s.page("GET /visits.csv", s.exportVisits, needs(auth.ExportData))
	s.page("GET /visits.xlsx", s.exportVisits, needs(auth.ExportData))
	s.navEntry(entry{order: 250, key: "visits.title", icon: "calendar-days", href: "/visits", right: auth.ViewStatistics})
	s.findable("visits.title", func(r *Request, query string) ([]Destination, error) {
		if query == "" || !r.Who.Can(auth.HandleIncident) {
			return nil, nil
		}
		var list []Destination
		for _, d := range []Destination{
			{Label: r.T("visit.day.title"), Icon: "calendar-days", Href: "/visits/day"}, {Label: r.T("visit.new.title"), Icon: "calendar-clock", Href: "/visits/new"},
		} {
			if matches(d.Label, query) {
				list = append(list, d)
			}
		}
		return list, nil
	})
}

// asked reads the address: which view, from which day on, whose visits.
func (r *Request) askedVisits() (view string, first calendar.Day, f visit.Filter) {
	view = r.Address.Get("view")
	first, err := calendar.ParseDay(r.Address.Get("week"))
	if err != nil || first == 0 || first < r.today()-10*366 || first > r.today()+10*366 {
		first = r.today()
	}
	first = first.Week()
	days := calendar.Day(7)
	if view == "list" {
		days = listDays
	}
	form := r.Filters()
	f = visit.Filter{
		From: first.Start(r.Location()), To: (first + days).Start(r.Location()), Technician: form.ID("technician"), School: form.ID("school"),
	}
	if form.Checked("all") || view == "list" {
		return view, first, f
	}
	f.States = []visit.State{visit.Planned, visit.Started, visit.Done}
	return view, first, f
}

func (s *Server) visits(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	view, first, f := r.askedVisits()
	found, err := s.deps.Visits.List(r.Context(), r.Who, f)
	if err != nil {
		return err
	}
	titles, err := r.titlesOf(found...)
	if err != nil {
		return err
	}
	p := &visitsPage{Page: Page{Title: r.T("visits.title")}, List: view == "list"}
	p.Tabs = r.TabsBy("view", r.T("visits.views"), "week", r.T("visits.view.week"), "school", r.T("visits.view.school"), "list", r.T("visits.view.list"))
	p.span(r, first)
	p.bar(r, n)
	if r.mayPlan() {
		p.Actions = append(p.Actions, Action{Label: r.T("visit.plan"), Icon: "calendar-clock", Href: "/visits/new", Primary: true, Key: "n"})
		if r.Who.Person != 0 {
			p.Actions = append([]Action{{Label: r.T("visit.day.title"), Icon: "list", Href: "/visits/day", Key: "d"}, {Label: r.T("visit.feed.title"), Icon: "link", Href: "/visits/feed"}}, p.Actions...)
		}
	}
	if r.Who.Can(auth.ExportData) {
		p.Exports = []Link{{Label: "CSV", Href: r.Address.At("/visits.csv").With("view", "list").String(), Icon: "download"}, {Label: "XLSX", Href: r.Address.At("/visits.xlsx").With("view", "list").String(), Icon: "download"}}
	}
	overlaps := visit.Between(found)
	if len(overlaps) > 0 {
		p.Clashing = r.N("visits.clashing", len(overlaps))
	}
	lines := make([]visitLine, len(found))
	for k := range found {
		lines[k] = n.visitLine(&found[k], titles)
		if len(overlaps[found[k].ID]) > 0 {
			lines[k].Clash = r.T("visits.overlap")
		}
	}
	p.agenda(r, n, first, found, lines)
	if !p.List {
		p.week(r, n, first, view == "school", f, found, lines)
	}
	if len(found) == 0 && (p.List || len(p.Rows) == 0) {
		p.Empty = &EmptyState{Icon: "calendar-days", Title: r.T("visits.empty"), Text: r.T("visits.empty.text")}
		if r.mayPlan() {
			p.Empty.Action = &Link{Label: r.T("visit.plan"), Icon: "calendar-clock", Href: "/visits/new"}
		} else {
			p.Empty.Text = r.T("visits.empty.reader")
		}
	}
	return visitsView.show(r, http.StatusOK, p)
}

func (p *visitsPage) span(r *Request, first calendar.Day) {
	days := calendar.Day(7)
	p.Span = r.T("visits.week", "day", r.MediumDay(first))
	if p.List {
		days = listDays
		p.Span = r.T("visits.span", "from", r.MediumDay(first), "to", r.MediumDay(first+days-1))
	}
	p.Prev, p.Next = r.Address.With("week", (first-days).String()).String(), r.Address.With("week", (first+days).String()).String()
	if first != r.today().Week() {
		p.Now = r.Address.Without("week").String()
	}
}

func (p *visitsPage) bar(r *Request, n *names) {
	f := r.Filters()
	technicians := n.technicianOptions(r.T("visits.everybody"))
	fields := []Field{f.Select("technician", r.T("visit.field.technician"), technicians)}
	if len(n.places.SchoolsIn(r.Scope())) > 1 {
		fields = append(fields, f.Select("school", r.T("incident.field.school"), n.schoolOptions(r.Scope(), r.T("visits.every_school"))))
	}
	if !p.List {
		fields = append(fields, f.Select("all", r.T("visits.states"), []Option{{Label: r.T("visits.states.live")}, {Value: "1", Label: r.T("visits.states.all")}}))
	}
	p.Bar = r.FilterBar(fields, "view", "week")
}

// closedNote says why schools are closed on a day.
func (n *names) closedNote(d calendar.Day, school int64) string {
	cal := n.places.Calendar(school)
	switch cal.Kind(d) {
	case calendar.PublicHoliday, calendar.SchoolHoliday, calendar.LocalClosure:
		return n.r.T("visits.closed." + dayWords[cal.Kind(d)])
	case calendar.OpenDay, calendar.Weekend:
	}
	return ""
}

var dayWords = map[calendar.DayKind]string{calendar.PublicHoliday: "public_holiday", calendar.SchoolHoliday: "school_holiday", calendar.LocalClosure: "closure"}

// agenda lists the visits by day.
func (p *visitsPage) agenda(r *Request, n *names, first calendar.Day, found []visit.Visit, lines []visitLine) {
	days := calendar.Day(7)
	if p.List {
		days = listDays
	}
	for d := first; d < first+days; d++ {
		day := agendaDay{Label: r.Day(d), Note: n.closedNote(d, 0), Today: d == r.today()}
		for k := range found {
			if r.dayAt(found[k].Start) == d {
				day.Visits = append(day.Visits, lines[k])
			}
		}
		// One's own first: a phone shows little at a time.
		slices.SortStableFunc(day.Visits, func(a, b visitLine) int { return order(b.Mine) - order(a.Mine) })
		if len(day.Visits) > 0 || day.Today && !p.List {
			p.Agenda = append(p.Agenda, day)
		}
	}
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

// week lays the visits out by row and day.
func (p *visitsPage) week(r *Request, n *names, first calendar.Day, bySchool bool, f visit.Filter, found []visit.Visit, lines []visitLine) {
	last := first + 4
	for k := range found {
		last = max(last, min(first+6, r.dayAt(found[k].Start)))
	}
	for d := first; d <= last; d++ {
		p.Days = append(p.Days, weekDay{
			Label: r.ShortWeekday(d.Time().Weekday()) + " " + strconv.Itoa(d.Time().Day()), Note: n.closedNote(d, f.School), Today: d == r.today(),
		})
	}
	key := func(v *visit.Visit) int64 { return v.Technician }
	p.Side = r.T("visit.field.technician")
	var rows []int64
	if bySchool {
		key = func(v *visit.Visit) int64 { return v.School }
		p.Side = r.T("incident.field.school")
		for _, school := range n.places.SchoolsIn(r.Scope()) {
			rows = append(rows, school.ID)
		}
	} else {
		for _, t := range n.places.Technicians() {
			rows = append(rows, t.ID)
		}
		for k := range found { // who has left the unit, but not yet the calendar
			if !slices.Contains(rows, found[k].Technician) {
				rows = append(rows, found[k].Technician)
			}
		}
		if i := slices.Index(rows, r.Who.Person); i > 0 {
			rows = slices.Insert(slices.Delete(rows, i, i+1), 0, r.Who.Person) // oneself first
		}
	}
	for _, subject := range rows {
		busy := slices.ContainsFunc(found, func(v visit.Visit) bool { return key(&v) == subject })
		empty := bySchool || !r.mayPlan() || f.Technician != 0 && f.Technician != subject
		if !busy && empty {
			continue
		}
		row := weekRow{Name: n.places.PersonName(subject), Href: r.Address.With("technician", id(subject)).String()}
		if bySchool {
			row.Name, row.Href = n.places.SchoolName(subject), r.Address.With("school", id(subject)).String()
		}
		for d := first; d <= last; d++ {
			cell := weekCell{Day: r.Day(d), Closed: n.closedNote(d, f.School) != "", Today: d == r.today()}
			for k := range found {
				if key(&found[k]) == subject && r.dayAt(found[k].Start) == d {
					cell.Visits = append(cell.Visits, lines[k])
				}
			}
			if r.mayPlan() && d >= r.today() {
				cell.New = Address{Path: "/visits/new"}.With("start", d.String()+"T09:00").String()
				if bySchool {
					cell.New += "&school=" + id(subject)
				} else {
					cell.New += "&technician=" + id(subject)
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		p.Rows = append(p.Rows, row)
	}
}

// exportVisits writes the visits of the address as a table.
func (s *Server) exportVisits(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	_, _, f := r.askedVisits()
	found, err := s.deps.Visits.List(r.Context(), r.Who, f)
	if err != nil {
		return err
	}
	ids := make([]int64, len(found))
	for k := range found {
		ids[k] = found[k].ID
	}
	spent, err := s.deps.Visits.Spent(r.Context(), r.Who, ids)
	if err != nil {
		return err
	}
	titles, err := r.titlesOf(found...)
	if err != nil {
		return err
	}
	out, err := r.download("visits", []sheet.Column{
		{Title: r.T("visit.field.number"), Kind: sheet.Number}, {Title: r.T("visit.field.state")}, {Title: r.T("visit.field.kind")},
		{Title: r.T("visit.field.start"), Kind: sheet.DateTime}, {Title: r.T("visit.field.end"), Kind: sheet.DateTime}, {Title: r.T("visit.field.minutes"), Kind: sheet.Number},
		{Title: "UAI", Width: 10}, {Title: r.T("incident.field.school"), Width: 32}, {Title: r.T("visit.field.technician"), Width: 24},
		{Title: r.T("visit.field.purpose"), Width: 40}, {Title: r.T("visit.field.incidents"), Width: 40}, {Title: r.T("time.spent"), Kind: sheet.Number},
	})
	if err != nil {
		return err
	}
	for k := range found {
		v := &found[k]
		school, _ := n.places.School(v.School)
		var incidents []string
		for _, number := range v.Incidents {
			if i, ok := titles[number]; ok {
				incidents = append(incidents, "#"+id(number)+" "+i.Title)
			}
		}
		var minutes any
		if m := spent[v.ID]; m > 0 {
			minutes = m
		}
		if err := out.Row(v.ID, r.T("visit.state."+string(v.State)), r.T("visit.kind."+string(v.Kind)), v.Start, v.End(), v.Minutes, school.UAI, school.Name,
			n.places.PersonName(v.Technician), v.Purpose, Legend(incidents...), minutes); err != nil {
			return err
		}
	}
	return out.Close()
}
