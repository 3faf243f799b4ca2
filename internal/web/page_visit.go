package web

import (
	"net/http"
	"strconv"

	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/checklist"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/visit"
)

// visitPage is one visit: what for, where, who to see, the incidents with their
// check-lists, the time, and what else could be done there.
type visitPage struct {
	Page

	Visit    visit.Visit
	Line     visitLine
	Clashes  []string
	Steps    []visitStep
	Facts    []fact
	Contacts []contact
	Work     []visitIncident
	Also     []alsoItem // while you are there
	Report   *Field
	MayPlan  bool
	Lists    *checklistsPart // of the visit itself
	Time     *timePart       // of the whole visit
	Due      []checklistDue  // unfinished lists of the school's other incidents
	Back     string          // "day" on the sheet of the day
}

// visitStep is a button that takes the visit on.
type visitStep struct {
	Action, Label, Icon, Key string
	Primary                  bool
}

// contact is somebody of the school to call.
type contact struct{ Name, Role, Phone, Tel, Email string }

// visitIncident is an incident of a visit as the technician needs it there.
type visitIncident struct {
	Title, Href, Number string
	State, Priority     Badge
	Room, Machine       string
	Description         string
	Lists               *checklistsPart
	Time                *timePart
}

// checklistDue is a list that was begun in the school and waits.
type checklistDue struct{ Title, Href, Note string }

// alsoItem is something else to do in the school.
type alsoItem struct {
	ID       string
	Label    string
	Href     string
	Note     string
	Priority Badge
}

var visitView = newView[visitPage]("page_visit.html", shell)

func (s *Server) visitRoutes() {
	handle := needs(auth.HandleIncident)
	s.page("GET /visits/{id}", s.visit, needs(auth.ViewStatistics))
	s.page("POST /visits/{id}/act", s.actOnVisit, handle)
	s.page("POST /visits/{id}/undo", s.undoVisit, handle)
	s.page("POST /visits/{id}/add", s.addToVisit, handle)
	s.page("POST /visits/{id}/report", s.reportVisit, handle)
	s.incidentPanel(panel{order: 100, place: panelTop, show: s.visitsOf})
}

// pathVisit is the visit of the address, if the reader may see it.
func (s *Server) pathVisit(r *Request) (visit.Visit, error) {
	number, err := r.pathID()
	if err != nil {
		return visit.Visit{}, err
	}
	return s.deps.Visits.Get(r.Context(), r.Who, number)
}

func (s *Server) visit(r *Request) error {
	v, err := s.pathVisit(r)
	if err != nil {
		return err
	}
	return s.showVisit(r, http.StatusOK, v, nil)
}

// showVisit shows the page; refused is a refusal to say on top.
func (s *Server) showVisit(r *Request, status int, v visit.Visit, refused *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p, err := s.tellVisit(r, n, v)
	if err != nil {
		return err
	}
	if refused != nil {
		p.Notice = &Notice{Text: refused.Summary, Tone: "critical"}
		for _, w := range refused.Wrong() {
			p.Clashes = append(p.Clashes, w.Label)
		}
	}
	p.Crumbs = []Link{{Label: r.T("visits.title"), Href: "/visits?week=" + r.dayAt(v.Start).Week().String()}}
	if p.MayPlan {
		p.Actions = append(p.Actions,
			Action{Label: r.T("visit.change"), Icon: "pencil", Href: "/visits/" + id(v.ID) + "/edit", Key: "e"},
			Action{Label: r.T("visit.ics"), Icon: "download", Href: "/visits/" + id(v.ID) + "/visit.ics"})
		if v.State.Active() {
			if p.Also, err = s.whileThere(r, n, v); err != nil {
				return err
			}
			if p.Due, err = s.dueThere(r, v); err != nil {
				return err
			}
		}
	}
	return visitView.show(r, status, p)
}

// tellVisit gathers what a visit's page and the sheet of the day say.
func (s *Server) tellVisit(r *Request, n *names, v visit.Visit) (*visitPage, error) {
	titles, err := r.titlesOf(v)
	if err != nil {
		return nil, err
	}
	p := &visitPage{Visit: v, Line: n.visitLine(&v, titles), MayPlan: r.mayPlan()}
	p.Page = Page{Title: p.Line.School, Lede: p.Line.When}
	if v.State.Active() {
		if p.Clashes, err = r.clashes(n, v); err != nil {
			return nil, err
		}
	}
	looks := map[visit.Action]visitStep{visit.Begin: {Icon: "map-pin", Primary: true, Key: "s"}, visit.Finish: {Icon: "circle-check", Key: "f"}, visit.Cancel: {Icon: "ban"}, visit.Resume: {Icon: "rotate-ccw"}}
	for _, a := range visit.Actions(r.Who, v) {
		step := looks[a]
		step.Action, step.Label = string(a), r.T("visit.action."+string(a))
		step.Primary = step.Primary || a == visit.Finish && v.State == visit.Started
		p.Steps = append(p.Steps, step)
	}
	p.facts(r, n)
	lists, err := s.listsOfVisit(r, v)
	if err != nil {
		return nil, err
	}
	p.Lists = lists[0]
	spent := map[int64]*timePart{}
	if p.MayPlan {
		for _, number := range append([]int64{0}, v.Incidents...) {
			on := visit.On{Visit: v.ID, Incident: number}
			if spent[number], err = s.timePart(r, on, "/visits/"+id(v.ID)); err != nil {
				return nil, err
			}
		}
	}
	p.Time = spent[0]
	for _, number := range v.Incidents {
		i, ok := titles[number]
		if !ok {
			continue
		}
		p.Work = append(p.Work, visitIncident{
			Lists: lists[i.ID], Time: spent[i.ID],
			Title: i.Title, Href: "/incidents/" + id(i.ID), Number: r.T("incident.number", "number", id(i.ID)), State: StateBadge(r.Printer, i.State), Priority: PriorityBadge(r.Printer, i.Priority),
			Room: n.places.RoomName(i.Room), Machine: i.Machine, Description: i.Description,
		})
	}
	if p.MayPlan {
		f := r.Blank("report", v.Report)
		c := f.Area("report", r.T("visit.field.report")).AtMost(visit.MaxNote).Hinted(r.T("visit.field.report.hint")).Plain()
		c.ID = "report-" + id(v.ID)
		p.Report = &c
		p.Contacts = n.contacts(v.School)
	}
	return p, nil
}

func (p *visitPage) facts(r *Request, n *names) {
	v := p.Visit
	add := func(key, text, href string) {
		if text != "" {
			p.Facts = append(p.Facts, fact{Label: r.T(key), Text: text, Href: href})
		}
	}
	add("visit.field.purpose", v.Purpose, "")
	add("visit.field.technician", p.Line.Who, "")
	add("visit.field.kind", p.Line.Kind, "")
	school, _ := n.places.School(v.School)
	if v.Kind == visit.OnSite {
		add("visit.address", Legend(school.Address, Legend2(school.PostalCode, school.Commune)), mapLink(school))
	}
	add("visit.field.note", v.Note, "")
	if !v.StartedAt.IsZero() {
		add("visit.began", r.DateTime(v.StartedAt), "")
	}
	if !v.EndedAt.IsZero() {
		add("visit.ended", r.DateTime(v.EndedAt), "")
	}
}

// Legend2 joins a postal code and a town.
func Legend2(code, town string) string {
	if code == "" {
		return town
	}
	return code + " " + town
}

// mapLink opens the map program of a phone; nothing is asked of anybody until
// it is touched.
func mapLink(s directory.School) string {
	if !s.Located {
		return ""
	}
	at := strconv.FormatFloat(s.Lat, 'f', 6, 64) + "," + strconv.FormatFloat(s.Lon, 'f', 6, 64)
	return "geo:" + at + "?q=" + at
}

// contacts are the people to see in a school: who knows its computers first.
func (n *names) contacts(school int64) []contact {
	var list []contact
	for _, kind := range []directory.PersonKind{directory.ITReferent, directory.Administrative, directory.Caretaker} {
		for _, p := range n.places.PeopleOf(school) {
			if p.Kind == kind && len(list) < 4 {
				list = append(list, contact{Name: p.Name, Role: n.r.T("directory.person_kind." + string(kind)), Phone: p.Phone, Tel: telOf(p.Phone), Email: p.Email})
			}
		}
	}
	return list
}

// telOf is a number as a telephone dials it.
func telOf(phone string) string {
	var digits []rune
	for _, c := range phone {
		if c >= '0' && c <= '9' || c == '+' && len(digits) == 0 {
			digits = append(digits, c)
		}
	}
	if len(digits) == 0 {
		return ""
	}
	return string(digits)
}

// listsOfVisit gathers the check-lists of a visit (under 0) and of each of its
// incidents, for who works on them.
func (s *Server) listsOfVisit(r *Request, v visit.Visit) (map[int64]*checklistsPart, error) {
	parts := map[int64]*checklistsPart{}
	if !r.mayPlan() {
		return parts, nil
	}
	own, err := s.deps.Checks.OfVisit(r.Context(), r.Who, v.ID)
	if err != nil {
		return nil, err
	}
	of, err := s.deps.Checks.Of(r.Context(), r.Who, v.Incidents...)
	if err != nil {
		return nil, err
	}
	incidents, err := s.deps.Incidents.Many(r.Context(), r.Scope(), v.Incidents)
	if err != nil {
		return nil, err
	}
	back := "/visits/" + id(v.ID)
	if parts[0], err = s.checklistsPart(r, own, checklist.On{Visit: v.ID}, v.State.Active(), back); err != nil {
		return nil, err
	}
	parts[0].Level = 3
	for _, i := range incidents {
		mine := slices.DeleteFunc(slices.Clone(of), func(l checklist.List) bool { return l.Incident != i.ID })
		if parts[i.ID], err = s.checklistsPart(r, mine, checklist.On{Incident: i.ID}, i.State.Open() && v.State.Active(), back); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// whileThere proposes what else waits in the school.
func (s *Server) whileThere(r *Request, n *names, v visit.Visit) ([]alsoItem, error) {
	open, err := r.openAt(v.School)
	if err != nil {
		return nil, err
	}
	others, err := s.deps.Visits.List(r.Context(), r.Who, visit.Filter{School: v.School, States: []visit.State{visit.Planned, visit.Started}})
	if err != nil {
		return nil, err
	}
	elsewhere := map[int64]visit.Visit{}
	for _, o := range others {
		for _, number := range o.Incidents {
			if o.ID != v.ID {
				elsewhere[number] = o
			}
		}
	}
	var list []alsoItem
	for _, i := range open {
		if v.Handles(i.ID) || len(list) == 20 {
			continue
		}
		item := alsoItem{ID: id(i.ID), Label: i.Title, Href: "/incidents/" + id(i.ID), Priority: PriorityBadge(r.Printer, i.Priority)}
		item.Note = Legend(n.places.RoomName(i.Room), r.T("incident.state."+string(i.State)), r.Relative(i.OpenedAt, r.Now()))
		if o, ok := elsewhere[i.ID]; ok {
			item.Note = Legend(item.Note, r.T("visit.also.planned", "when", r.ShortDateTime(o.Start), "who", n.places.PersonName(o.Technician)))
		} else if i.State == incident.Waiting {
			item.Note = Legend(item.Note, n.words.CodeLabel(i.WaitingCode, n.lang()))
		}
		list = append(list, item)
	}
	return list, nil
}

func (s *Server) actOnVisit(r *Request) error {
	v, err := s.pathVisit(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	base, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	after, err := s.deps.Visits.Act(r.Context(), r.Who, v.ID, base, visit.Action(f.Get("action")))
	if err != nil {
		if f.Refused(err) {
			return s.showVisit(r, status(err), v, f)
		}
		return err
	}
	if err := r.sayVisit("visit.done."+f.Get("action"), after); err != nil {
		return err
	}
	return r.Redirect(r.backTo(f, v))
}

// backTo is where a form of a visit leads: its page, or the sheet of the day
// that it stood on.
func (r *Request) backTo(f *Form, v visit.Visit) string {
	if f.Get("back") == "day" {
		return "/visits/day?day=" + r.dayAt(v.Start).String() + "#visit-" + id(v.ID)
	}
	return "/visits/" + id(v.ID)
}

func (s *Server) undoVisit(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	if _, err := s.deps.Visits.Undo(r.Context(), r.Who, number, version); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("visit.undone")}); err != nil {
		return err
	}
	return r.Redirect("/visits/" + id(number))
}

// addToVisit takes further incidents of the school along.
func (s *Server) addToVisit(r *Request) error {
	v, err := s.pathVisit(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	after, err := s.deps.Visits.Add(r.Context(), r.Who, v.ID, f.ID("incident"))
	if err != nil {
		if f.Refused(err) {
			return s.showVisit(r, status(err), v, f)
		}
		return err
	}
	if after.Version > v.Version {
		if err := r.sayVisit("visit.done.add", after); err != nil {
			return err
		}
	}
	return r.Redirect("/visits/" + id(v.ID))
}

// reportVisit keeps what was typed on the spot.
func (s *Server) reportVisit(r *Request) error {
	v, err := s.pathVisit(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	text := f.Get("report")
	after, err := s.deps.Visits.Change(r.Context(), r.Who, v.ID, 0, visit.Edit{Report: &text})
	if err != nil {
		if f.Refused(err) {
			v.Report = text // nothing typed is lost
			return s.showVisit(r, status(err), v, f)
		}
		return err
	}
	if after.Version > v.Version {
		if err := r.sayVisit("visit.done.report", after); err != nil {
			return err
		}
	}
	return r.Redirect(r.backTo(f, v))
}

// dueThere lists the check-lists that were begun in the school on something
// else and wait for somebody to be there.
func (s *Server) dueThere(r *Request, v visit.Visit) ([]checklistDue, error) {
	found, err := s.deps.Checks.Unfinished(r.Context(), r.Who, v.School, 50)
	if err != nil {
		return nil, err
	}
	var due []checklistDue
	for k := range found {
		l := &found[k]
		if l.Incident != 0 && v.Handles(l.Incident) || l.Incident == 0 && l.Visit == v.ID {
			continue
		}
		d := checklistDue{Title: l.Title, Href: "/checklists/" + id(l.ID), Note: r.N("checklist.left", len(l.Left()))}
		if l.Incident != 0 {
			d.Note = Legend(r.T("incident.number", "number", id(l.Incident)), d.Note)
		}
		due = append(due, d)
	}
	return due, nil
}
