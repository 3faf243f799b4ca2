package web

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// calendarPage shows when a school, or the usual school of the département, is
// open: a year of days, the weekly hours, holidays and closures.
type calendarPage struct {
	Page

	Bar      FilterBar
	Tabs     Tabs
	Months   []monthView
	Earlier  *Link
	Later    *Link
	Facts    string
	Legend   []dayLook
	Hours    *hoursPart
	List     *calendarList
	Count    *countPart
	Imports  string // where a file is taken, "" where the tab has none
	SchoolID int64
}

// monthView is a month of the year view, by weeks.
type monthView struct {
	Name  string
	Heads []Link // weekdays: the name, and what a screen reader says of it
	Weeks [][]dayView
}

// dayView is a day of a month; Day is 0 for the days of its neighbours.
type dayView struct {
	Day  int
	Kind string // "open", "weekend", "holiday", "public", "closure"
	Mark string // a letter for who does not tell colours apart
	Why  string
}

type dayLook struct{ Kind, Mark, Word string }

// hoursPart is the form of a week.
type hoursPart struct {
	Form   *Form
	Fields []Field
	Own    bool // the school has hours of its own
	Note   string
	Total  string
}

// calendarList is what closes days, a row each with the way to remove it, and
// the form that adds one.
type calendarList struct {
	Form   *Form
	Fields []Field
	Rows   []calendarRow
	Kind   string // last part of the address
	None   string
	Title  string
}

type calendarRow struct {
	Name, When, Where string
	Hidden            []Hidden
}

var calendarView = newView[calendarPage]("page_admin_calendar.html", shell)

const calendarPath = "/admin/calendar"

func (s *Server) adminCalendarRoutes() {
	edit := needs(auth.EditDirectory)
	s.page("GET /admin/calendar", s.calendarYear, edit)
	s.page("POST /admin/calendar/hours", s.saveHours, edit)
	s.page("POST /admin/calendar/{kind}/add", s.addDays, edit)
	s.page("POST /admin/calendar/{kind}/remove", s.removeDays, edit)
	s.page("GET /admin/calendar/import", s.calendarImport, needs(auth.ImportData))
	s.page("POST /admin/calendar/import", s.previewCalendar, needs(auth.ImportData), accepts(calendarBytes))
	s.page("POST /admin/calendar/import/confirm", s.importCalendar, needs(auth.ImportData))
	s.adminEntry(adminPart{order: 400, key: "admin.calendar", icon: "calendar-days", href: calendarPath, right: auth.EditDirectory, state: func(r *Request, n *names) ([]string, error) {
		today := calendar.DayOf(r.Now(), r.Location())
		zone := r.Settings.Zone
		said := r.T("admin.calendar.no_more", "zone", zone)
		if list := n.places.SchoolHolidays(zone); len(list) > 0 && list[len(list)-1].Last >= today {
			said = r.T("admin.calendar.known_until", "zone", zone, "day", r.MediumDay(list[len(list)-1].Last))
		}
		return []string{said, r.N("admin.calendar.closures_count", len(n.places.Closures(-1)))}, nil
	}})
}

// dayKinds are how the kinds of day are shown, with the letters of their marks.
var dayKinds = map[calendar.DayKind]string{
	calendar.OpenDay: "open", calendar.Weekend: "weekend", calendar.PublicHoliday: "public", calendar.LocalClosure: "closure", calendar.SchoolHoliday: "holiday",
}

func (s *Server) calendarYear(r *Request) error {
	return s.showCalendar(r, http.StatusOK, "", nil)
}

// showCalendar shows the page; tab and f are those of a refused form.
func (s *Server) showCalendar(r *Request, status int, tab string, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	filters := r.Filters()
	school := filters.ID("school")
	if f != nil {
		school = f.ID("school")
	}
	if tab == "" {
		tab = r.Address.Get("tab")
	}
	p := &calendarPage{Page: Page{Title: r.T("admin.calendar.title"), Lede: r.T("admin.calendar.what"), Crumbs: r.adminCrumbs()}, SchoolID: school}
	p.Tabs = r.TabsBy("tab", r.T("admin.calendar.tabs"), "year", r.T("admin.calendar.year"), "hours", r.T("admin.calendar.hours"), "holidays", r.T("admin.calendar.holidays"),
		"public", r.T("admin.calendar.public"), "closures", r.T("admin.calendar.closures"), "count", r.T("admin.calendar.count"))
	for i, name := range []string{"year", "hours", "holidays", "public", "closures", "count"} {
		p.Tabs.Items[i].Current = name == tab || i == 0 && tab == ""
		p.Tabs.Items[i].Href = Address{Path: calendarPath}.With("tab", map[bool]string{true: name}[i > 0]).With("school", map[bool]string{true: id(school)}[school != 0]).String()
	}
	if tab == "" || tab == "year" || tab == "hours" {
		p.Bar = r.FilterBar([]Field{filters.Select("school", r.T("admin.field.school"), n.schoolOptions(r.Scope(), r.T("admin.calendar.usual")))}, "tab", "year")
		p.Bar.Action = calendarPath
	}
	switch tab {
	case "hours":
		p.Hours = hoursOf(r, n, school, f)
	case "holidays":
		p.List, p.Imports = holidayList(r, n, f), calendarPath+"/import?kind=holidays"
	case "public":
		p.List, p.Imports = publicList(r, n, f), calendarPath+"/import?kind=public"
	case "closures":
		p.List = closureList(r, n, f)
	case "count":
		p.Count = countOf(r, n)
	default:
		p.year(r, n, school)
	}
	return calendarView.show(r, status, p)
}

// reason says why a day is not an ordinary one.
func (n *names) reason(day calendar.Day, kind calendar.DayKind, school int64) string {
	switch kind {
	case calendar.PublicHoliday:
		for _, h := range n.places.PublicHolidays() {
			if h.Day == day {
				return h.Name
			}
		}
	case calendar.LocalClosure:
		for _, c := range n.places.Closures(school) {
			if c.First <= day && day <= c.Last {
				return c.Reason
			}
		}
	case calendar.SchoolHoliday:
		zone := n.places.Settings().Zone
		if s, ok := n.places.School(school); ok && s.Zone != "" {
			zone = s.Zone
		}
		for _, h := range n.places.SchoolHolidays(zone) {
			if h.First <= day && day <= h.Last {
				return h.Name
			}
		}
	case calendar.OpenDay, calendar.Weekend:
	}
	return ""
}

func (p *calendarPage) year(r *Request, n *names, school int64) {
	today := calendar.DayOf(r.Now(), r.Location())
	year := today.SchoolYear()
	if y, err := strconv.Atoi(r.Address.Get("year")); err == nil && y >= 2000 && y <= 2049 {
		year = y
	}
	cal := n.places.Calendar(school)
	at := func(y int) *Link {
		return &Link{Label: r.SchoolYear(y), Href: r.Address.With("year", strconv.Itoa(y)).String()}
	}
	p.Heading = r.T("admin.calendar.heading", "year", r.SchoolYear(year))
	p.Earlier, p.Later = at(year-1), at(year+1)
	first, last := calendar.Date(year, time.September, 1), calendar.Date(year+1, time.August, 31)
	counts := map[string]int{}
	minutes := 0
	for month := first; month <= last; {
		next := (month + 32).Month()
		m := monthView{Name: r.MonthYear(month.Time())}
		for weekday := range 7 {
			d := time.Weekday((weekday + 1) % 7)
			m.Heads = append(m.Heads, Link{Label: string([]rune(r.ShortWeekday(d))[:1]), Href: r.Weekday(d)})
		}
		week := make([]dayView, 7)
		for day := month; day < next; day++ {
			kind := cal.Kind(day)
			v := dayView{Day: int(day-month) + 1, Kind: dayKinds[kind], Why: r.T("admin.calendar.kind." + dayKinds[kind])}
			if why := n.reason(day, kind, school); why != "" {
				v.Why = r.Label(v.Why) + why
			}
			v.Mark = markOf(r, v.Kind)
			counts[v.Kind]++
			minutes += cal.DayMinutes(day)
			week[day.Weekday()] = v
			if day.Weekday() == 6 || day == next-1 {
				m.Weeks = append(m.Weeks, week)
				week = make([]dayView, 7)
			}
		}
		p.Months = append(p.Months, m)
		month = next
	}
	p.Facts = Legend(r.N("admin.calendar.open_days", counts["open"]), openTime(r, minutes))
	for _, kind := range []string{"open", "weekend", "holiday", "public", "closure"} {
		p.Legend = append(p.Legend, dayLook{kind, markOf(r, kind), r.T("admin.calendar.kind."+kind) + " (" + r.Int(counts[kind]) + ")"})
	}
}

func markOf(r *Request, kind string) string {
	if kind == "open" || kind == "weekend" {
		return ""
	}
	return r.T("admin.calendar.mark." + kind)
}

// openTime writes a length of open time, whose days are not of 24 hours.
func openTime(r *Request, minutes int) string {
	return r.T("admin.calendar.open_time", "h", minutes/60, "m", fmt.Sprintf("%02d", minutes%60))
}

func hoursOf(r *Request, n *names, school int64, f *Form) *hoursPart {
	week, own := n.places.Hours(school)
	if f == nil {
		f = r.Blank()
		for weekday, spans := range week {
			f.values.Set("day"+strconv.Itoa(weekday+1), spansText(r, spans))
		}
	}
	part := &hoursPart{Form: f, Own: own && school != 0, Note: r.T("admin.calendar.hours_usual")}
	if school != 0 {
		part.Note = r.T("admin.calendar.hours_inherited")
		if own {
			part.Note = r.T("admin.calendar.hours_own")
		}
	}
	total := 0
	for weekday, spans := range week {
		for _, s := range spans {
			total += s.To - s.From
		}
		part.Fields = append(part.Fields, f.Text("day"+strconv.Itoa(weekday+1), r.Weekday(time.Weekday((weekday+1)%7))).Plain().Example(r.T("admin.calendar.hours_example")))
	}
	part.Total = r.T("admin.calendar.hours_total", "time", openTime(r, total))
	return part
}

func spansText(r *Request, spans []calendar.Span) string {
	var list []string
	for _, s := range spans {
		list = append(list, r.T("admin.calendar.span", "from", clockText(s.From), "to", clockText(s.To)))
	}
	return strings.Join(list, ", ")
}

func clockText(minute int) string { return fmt.Sprintf("%d:%02d", minute/60, minute%60) }

var spanText = regexp.MustCompile(`(\d{1,2})\s*(?:[h:.]\s*(\d{2})?)?\s*(?:-|–|—|à|to)\s*(\d{1,2})\s*(?:[h:.]\s*(\d{2})?)?`)

// spansOf reads "8:00-12:30, 13h30 à 17h30"; ok is false for what is not only
// such spans.
func spansOf(text string) (spans []calendar.Span, ok bool) {
	rest := spanText.ReplaceAllStringFunc(strings.ToLower(text), func(m string) string {
		g := spanText.FindStringSubmatch(m)
		var v [4]int
		for i := range v {
			v[i], _ = strconv.Atoi(g[i+1])
		}
		spans = append(spans, calendar.Span{From: v[0]*60 + v[1], To: v[2]*60 + v[3]})
		return ""
	})
	rest = strings.NewReplacer(",", "", ";", "", "/", "", "et", "", "and", "", "\u00a0", "", "\u202f", "").Replace(rest)
	return spans, strings.TrimSpace(rest) == ""
}

func (s *Server) saveHours(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	school := f.ID("school")
	was, own := n.places.Hours(school)
	undo := map[string]string{"school": id(school)}
	var week calendar.Week
	var wrong fault.Fields
	for i := range week {
		name := "day" + strconv.Itoa(i+1)
		if own || school == 0 {
			undo[name] = spansText(r, was[i])
		}
		if f.Checked("usual") {
			continue
		}
		spans, ok := spansOf(f.Get(name))
		if !ok {
			wrong.Add(name, "admin.calendar.hours_unread")
		}
		for _, span := range spans {
			if ok && (span.From >= span.To || span.To > 24*60) {
				wrong.Add(name, "error.directory.hours")
				break
			}
		}
		week[i] = spans
	}
	if !own && school != 0 {
		undo["usual"] = "1"
	}
	err = wrong.Err()
	if err == nil {
		err = s.deps.Directory.SaveHours(r.Context(), r.Who, school, week)
	}
	if f.Refused(err) {
		return s.showCalendar(r, status(err), "hours", f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.calendar.hours_saved"), Undo: &Undo{Action: calendarPath + "/hours", Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(Address{Path: calendarPath}.With("tab", "hours").With("school", map[bool]string{true: id(school)}[school != 0]).String())
}

// past is how far back the lists of days go: the school year before this one.
func (r *Request) past() calendar.Day {
	return calendar.Date(calendar.DayOf(r.Now(), r.Location()).SchoolYear()-1, time.September, 1)
}

func (r *Request) stretch(first, last calendar.Day) string {
	if first == last {
		return r.MediumDay(first)
	}
	return r.T("common.from_to", "from", r.MediumDay(first), "to", r.MediumDay(last))
}

func holidayList(r *Request, n *names, f *Form) *calendarList {
	if f == nil {
		f = r.Blank("zone", r.Settings.Zone)
	}
	list := &calendarList{Form: f, Kind: "holidays", Title: r.T("admin.calendar.holidays_add"), None: r.T("admin.calendar.holidays_none"), Fields: []Field{
		f.Text("zone", r.T("admin.calendar.zone")).Must().AtMost(40), f.Text("name", r.T("admin.calendar.name")).Must().AtMost(200),
		f.Input("date", "first", r.T("admin.calendar.first")).Must(), f.Input("date", "last", r.T("admin.calendar.last")).Must(),
	}}
	for _, h := range n.places.SchoolHolidays("") {
		if h.Last < r.past() {
			continue
		}
		list.Rows = append(list.Rows, calendarRow{Name: h.Name, When: r.stretch(h.First, h.Last), Where: r.T("admin.calendar.zone_is", "zone", h.Zone), Hidden: []Hidden{
			{"zone", h.Zone}, {"name", h.Name}, {"first", h.First.String()}, {"last", h.Last.String()},
		}})
	}
	return list
}

func publicList(r *Request, n *names, f *Form) *calendarList {
	if f == nil {
		f = r.Blank()
	}
	list := &calendarList{Form: f, Kind: "public", Title: r.T("admin.calendar.public_add"), None: r.T("admin.calendar.public_none"), Fields: []Field{
		f.Text("name", r.T("admin.calendar.name")).Must().AtMost(200), f.Input("date", "first", r.T("admin.calendar.day")).Must(),
	}}
	until := r.past() + 4*366 // the computed ones go on for decades
	for _, h := range n.places.PublicHolidays() {
		if h.Day < r.past() || h.Day > until {
			continue
		}
		list.Rows = append(list.Rows, calendarRow{Name: h.Name, When: r.Day(h.Day), Hidden: []Hidden{{"name", h.Name}, {"first", h.Day.String()}}})
	}
	return list
}

func closureList(r *Request, n *names, f *Form) *calendarList {
	if f == nil {
		f = r.Blank()
	}
	list := &calendarList{Form: f, Kind: "closures", Title: r.T("admin.calendar.closures_add"), None: r.T("admin.calendar.closures_none"), Fields: []Field{
		f.Select("school", r.T("admin.field.school"), n.schoolOptions(r.Scope(), r.T("admin.calendar.every_school"))).Plain(),
		f.Text("reason", r.T("admin.calendar.reason")).Must().AtMost(200),
		f.Input("date", "first", r.T("admin.calendar.first")).Must(), f.Input("date", "last", r.T("admin.calendar.last")).Must(),
	}}
	for _, c := range slices.Backward(n.places.Closures(-1)) {
		where := r.T("admin.calendar.every_school")
		if c.School != 0 {
			where = n.places.SchoolName(c.School)
		}
		list.Rows = append(list.Rows, calendarRow{Name: c.Reason, When: r.stretch(c.First, c.Last), Where: where, Hidden: []Hidden{
			{"id", id(c.ID)}, {"school", id(c.School)}, {"reason", c.Reason}, {"first", c.First.String()}, {"last", c.Last.String()},
		}})
	}
	return list
}

// days is what a form of the calendar holds.
type typedDays struct {
	kind        string
	first, last calendar.Day
}

func (r *Request) typedDays() (*Form, typedDays, error) {
	f, err := r.Typed()
	if err != nil {
		return nil, typedDays{}, err
	}
	d := typedDays{kind: r.PathValue("kind")}
	if !slices.Contains([]string{"holidays", "public", "closures"}, d.kind) {
		return f, d, fault.New(fault.NotFound, "error.not_found")
	}
	var wrong fault.Fields
	d.first, d.last = dayField(&wrong, f, "first"), dayField(&wrong, f, "last")
	return f, d, wrong.Err()
}

func (s *Server) addDays(r *Request) error {
	f, d, err := r.typedDays()
	name := ""
	undo := map[string]string{}
	if err == nil {
		ctx, dir := r.Context(), s.deps.Directory
		switch d.kind {
		case "holidays":
			name = f.Get("name")
			undo = map[string]string{"zone": f.Get("zone"), "first": f.Get("first"), "name": name, "last": f.Get("last")}
			_, _, err = dir.SaveSchoolHolidays(ctx, r.Who, []directory.HolidayPeriod{{Zone: f.Get("zone"), First: d.first, Last: d.last, Name: name}})
		case "public":
			name = f.Get("name")
			undo = map[string]string{"first": f.Get("first"), "name": name}
			_, err = dir.SavePublicHolidays(ctx, r.Who, []directory.PublicHoliday{{Day: d.first, Name: name}})
		default:
			var c directory.Closure
			c, err = dir.SaveClosure(ctx, r.Who, directory.Closure{School: f.ID("school"), First: d.first, Last: d.last, Reason: f.Get("reason")})
			name = c.Reason
			undo = map[string]string{"id": id(c.ID), "school": id(c.School), "reason": c.Reason, "first": c.First.String(), "last": c.Last.String()}
		}
	}
	if f != nil && f.Refused(err) {
		return s.showCalendar(r, status(err), d.kind, f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.calendar.added", "name", name), Undo: &Undo{Action: calendarPath + "/" + d.kind + "/remove", Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(calendarPath + "?tab=" + d.kind)
}

func (s *Server) removeDays(r *Request) error {
	f, d, err := r.typedDays()
	if err != nil {
		return err
	}
	undo := map[string]string{}
	for _, name := range []string{"zone", "name", "school", "reason", "first", "last"} {
		if f.values.Has(name) {
			undo[name] = f.Get(name)
		}
	}
	name := f.Get("name")
	switch d.kind {
	case "holidays":
		err = s.deps.Directory.RemoveSchoolHoliday(r.Context(), r.Who, f.Get("zone"), d.first)
	case "public":
		err = s.deps.Directory.RemovePublicHoliday(r.Context(), r.Who, d.first)
	default:
		name = f.Get("reason")
		err = s.deps.Directory.RemoveClosure(r.Context(), r.Who, f.ID("id"))
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.calendar.removed", "name", name), Undo: &Undo{Action: calendarPath + "/" + d.kind + "/add", Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(calendarPath + "?tab=" + d.kind)
}
