package web

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/visit"
)

// visitFormPage plans a visit, or changes one.
type visitFormPage struct {
	Page

	Form    *Form
	Action  string
	Verb    string
	Cancel  string
	Hidden  []Hidden
	School  string // once it is chosen
	Choose  *Field // the school, when it is not
	Fields  []Field
	Clashes clashPart
}

// clashPart says what speaks against the visit in the making.
type clashPart struct {
	Page

	Src    string // asked again when the form changes
	Said   []string
	Label  string // of the box that plans it all the same
	Sum    string // of what is said, so that the box stays ticked while it is the same
	Ticked bool
}

var (
	visitFormView  = newView[visitFormPage]("page_visit_form.html", shell)
	clashPartView  = newFragment[clashPart]("page_visit_form.html", "clashes")
	minutesOffered = []int{30, 60, 90, 120, 180, 240, 420}
)

func (s *Server) visitFormRoutes() {
	plan := needs(auth.HandleIncident)
	s.page("GET /visits/new", s.newVisit, plan)
	s.page("POST /visits/new", s.planVisit, plan)
	s.page("GET /visits/clashes", s.visitClashes, plan)
	s.page("GET /visits/{id}/edit", s.editVisit, plan)
	s.page("POST /visits/{id}/edit", s.changeVisit, plan)
}

// newVisit begins a plan with what the address knows: an incident, a school, a
// technician, an instant.
func (s *Server) newVisit(r *Request) error {
	f := r.Blank("kind", string(visit.OnSite), "minutes", "60")
	for _, name := range []string{"school", "technician", "start", "kind", "minutes", "purpose"} {
		if v := r.Address.Get(name); v != "" {
			f.values.Set(name, v)
		}
	}
	for _, v := range r.Address.All("incident") {
		number, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			continue
		}
		i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
		if err != nil {
			return err
		}
		if f.Get("school") == "" {
			f.values.Set("school", id(i.School))
		}
		if i.Assignee != 0 && f.Get("technician") == "" {
			f.values.Set("technician", id(i.Assignee))
		}
		f.values.Add("incidents", id(i.ID))
	}
	if f.Get("technician") == "" && r.Who.Person != 0 {
		f.values.Set("technician", id(r.Who.Person))
	}
	if f.Get("start") == "" {
		f.values.Set("start", s.nextHour(r, f.ID("school")).Format(localInstant))
	}
	return s.showVisitForm(r, http.StatusOK, f, nil)
}

// nextHour is the next whole hour at which a school is open.
func (s *Server) nextHour(r *Request, school int64) time.Time {
	now := r.Now().In(r.Location())
	t := now.Truncate(time.Hour).Add(time.Hour)
	cal, err := s.deps.Directory.Calendar(r.Context(), r.Who.Tenant, school)
	if err != nil {
		return t
	}
	for range 24 * 30 {
		if cal.IsOpen(t) {
			return t
		}
		t = t.Add(time.Hour)
	}
	return now.Truncate(time.Hour).Add(time.Hour)
}

// showVisitForm shows the form; v is the visit that it changes, nil for a new
// one.
func (s *Server) showVisitForm(r *Request, status int, f *Form, v *visit.Visit) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &visitFormPage{Page: Page{Title: r.T("visit.new.title"), Crumbs: []Link{{Label: r.T("visits.title"), Href: "/visits"}}}, Form: f, Action: "/visits/new", Verb: r.T("visit.new.do"), Cancel: "/visits"}
	school := f.ID("school")
	if v != nil {
		school = v.School
		p.Title, p.Action, p.Verb, p.Cancel = r.T("visit.edit.title"), "/visits/"+id(v.ID)+"/edit", r.T("common.save"), "/visits/"+id(v.ID)
		p.Crumbs = append(p.Crumbs, Link{Label: r.T("visit.number", "number", id(v.ID)), Href: p.Cancel})
		p.Hidden = append(p.Hidden, Hidden{"version", f.Get("version")})
	}
	if _, ok := n.places.School(school); !ok {
		// Places first: what can be chosen next depends on it.
		c := f.Select("school", r.T("incident.field.school"), n.schoolOptions(r.Scope(), r.T("common.choose"))).Must()
		p.Choose = &c
		for _, keep := range []string{"technician", "start", "kind", "minutes"} {
			p.Hidden = append(p.Hidden, Hidden{keep, f.Get(keep)})
		}
		p.Lede, p.Action = r.T("visit.new.where"), "/visits/new"
		return visitFormView.show(r, status, p)
	}
	p.School = n.places.SchoolName(school)
	p.Hidden = append(p.Hidden, Hidden{"school", id(school)})
	if p.Fields, err = s.visitFields(r, n, f, school, v); err != nil {
		return err
	}
	draft := draftOf(r, f)
	if v != nil {
		draft.ID = v.ID
	}
	p.Clashes, err = r.clashPart(n, draft)
	if err != nil {
		return err
	}
	return visitFormView.show(r, status, p)
}

func (s *Server) visitFields(r *Request, n *names, f *Form, school int64, v *visit.Visit) ([]Field, error) {
	var kinds, lengths []Option
	for _, k := range visit.Kinds {
		kinds = append(kinds, Option{Value: string(k), Label: r.T("visit.kind." + string(k)), Icon: kindIcon(k)})
	}
	offered := minutesOffered
	if typed, err := strconv.Atoi(f.Get("minutes")); err == nil {
		offered = withNumber(offered, typed)
	}
	for _, m := range offered {
		lengths = append(lengths, Option{Value: strconv.Itoa(m), Label: r.Duration(time.Duration(m) * time.Minute)})
	}
	fields := []Field{
		f.Choices("kind", r.T("visit.field.kind"), kinds).Must(),
		f.Select("technician", r.T("visit.field.technician"), n.technicianOptions(r.T("common.choose"))).Must(),
		f.Input("datetime-local", "start", r.T("visit.field.start")).Must(),
		f.Select("minutes", r.T("visit.field.minutes"), lengths).Must(),
	}
	open, err := r.openAt(school)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, value := range f.All("incidents") {
		if number, err := strconv.ParseInt(value, 10, 64); err == nil {
			ids = append(ids, number)
		}
	}
	if v != nil {
		ids = append(ids, v.Incidents...)
	}
	chosen, err := s.deps.Incidents.Many(r.Context(), r.Scope(), ids)
	if err != nil {
		return nil, err
	}
	listed := map[int64]bool{}
	var options []Option
	for _, i := range append(chosen, open...) {
		if listed[i.ID] || i.School != school {
			continue
		}
		listed[i.ID] = true
		options = append(options, Option{Value: id(i.ID), Label: Legend(r.T("incident.number", "number", id(i.ID))+" "+i.Title, n.places.RoomName(i.Room))})
	}
	if len(options) > 0 {
		c := f.Choices("incidents", r.T("visit.field.incidents"), options).Hinted(r.T("visit.field.incidents.hint"))
		c.Multiple = true
		for k := range c.Options {
			c.Options[k].Chosen = c.Options[k].Chosen && c.Options[k].Value != ""
		}
		fields = append(fields, c)
	}
	return append(fields,
		f.Text("purpose", r.T("visit.field.purpose")).AtMost(visit.MaxPurpose).Hinted(r.T("visit.field.purpose.hint")),
		f.Area("note", r.T("visit.field.note")).AtMost(visit.MaxNote).Hinted(r.T("visit.field.note.hint"))), nil
}

// withNumber puts a number in a rising list where it belongs.
func withNumber(list []int, n int) []int {
	out := make([]int, 0, len(list)+1)
	done := n <= 0
	for _, m := range list {
		if !done && n <= m {
			done = true
			if n < m {
				out = append(out, n)
			}
		}
		out = append(out, m)
	}
	if !done {
		out = append(out, n)
	}
	return out
}

// draftOf reads the form as far as it can be understood.
func draftOf(r *Request, f *Form) visit.Visit {
	v := visit.Visit{
		State: visit.Planned, Kind: visit.Kind(f.Get("kind")), School: f.ID("school"), Technician: f.ID("technician"),
		Purpose: f.Get("purpose"), Note: f.Get("note"), Minutes: int(f.ID("minutes")),
	}
	if t, err := time.ParseInLocation(localInstant, f.Get("start"), r.Location()); err == nil {
		v.Start = t
	}
	for _, value := range f.All("incidents") {
		if number, err := strconv.ParseInt(value, 10, 64); err == nil {
			v.Incidents = append(v.Incidents, number)
		}
	}
	return v
}

// clashPart says what speaks against a visit; one that is out of all bounds is
// refused anyway.
func (r *Request) clashPart(n *names, v visit.Visit) (clashPart, error) {
	p := clashPart{Page: Page{Printer: r.Printer}, Src: "/visits/clashes", Label: r.T("visit.anyway")}
	if v.ID != 0 {
		p.Src += "?visit=" + id(v.ID)
	}
	if day := calendar.DayOf(v.Start, r.Location()); v.Start.IsZero() || v.Minutes <= 0 || v.Minutes > visit.MaxMinutes || day < r.today()-visit.PastDays || day > r.today()+visit.FutureDays {
		return p, nil
	}
	said, err := r.clashes(n, v)
	sum := fnv.New32a()
	for _, line := range said {
		fmt.Fprintln(sum, line)
	}
	p.Said, p.Sum = said, strconv.FormatUint(uint64(sum.Sum32()), 36)
	return p, err
}

func (s *Server) visitClashes(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	f := r.Filters()
	v := draftOf(r, f)
	v.ID = f.ID("visit")
	p, err := r.clashPart(n, v)
	if err != nil {
		return err
	}
	p.Ticked = f.Checked("anyway") && f.Get("clash") == p.Sum
	return clashPartView.show(r, p)
}

// warned tells whether the visit may be saved: nothing speaks against it, or
// the reader has said to do it all the same.
func (s *Server) warned(r *Request, f *Form, v visit.Visit) (bool, error) {
	if f.Checked("anyway") {
		return true, nil
	}
	n, err := r.names()
	if err != nil {
		return false, err
	}
	p, err := r.clashPart(n, v)
	return len(p.Said) == 0, err
}

func (s *Server) planVisit(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	d := draftOf(r, f)
	if ok, err := s.warned(r, f, d); err != nil {
		return err
	} else if !ok {
		return s.showVisitForm(r, http.StatusConflict, f, nil)
	}
	v, err := s.deps.Visits.Plan(r.Context(), r.Who, visit.Draft{
		Kind: d.Kind, School: d.School, Technician: d.Technician, Start: d.Start, Minutes: d.Minutes, Purpose: d.Purpose, Note: d.Note, Incidents: d.Incidents,
	})
	if err != nil {
		if f.Refused(err) {
			return s.showVisitForm(r, status(err), f, nil)
		}
		return err
	}
	if err := r.sayVisit("visit.done.plan", v); err != nil {
		return err
	}
	return r.Redirect("/visits/" + id(v.ID))
}

func (s *Server) editVisit(r *Request) error {
	v, err := s.pathVisit(r)
	if err != nil {
		return err
	}
	f := r.Blank("version", strconv.FormatInt(v.Version, 10), "kind", string(v.Kind), "technician", id(v.Technician), "school", id(v.School),
		"start", v.Start.In(r.Location()).Format(localInstant), "minutes", strconv.Itoa(v.Minutes), "purpose", v.Purpose, "note", v.Note)
	for _, number := range v.Incidents {
		f.values.Add("incidents", id(number))
	}
	return s.showVisitForm(r, http.StatusOK, f, &v)
}

func (s *Server) changeVisit(r *Request) error {
	v, err := s.pathVisit(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	f.values.Set("school", id(v.School))
	d := draftOf(r, f)
	d.ID = v.ID
	moved := !d.Start.Equal(v.Start) || d.Minutes != v.Minutes || d.Technician != v.Technician || d.Kind != v.Kind
	if ok, err := s.warned(r, f, d); err != nil {
		return err
	} else if moved && !ok {
		return s.showVisitForm(r, http.StatusConflict, f, &v)
	}
	base, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	if d.Incidents == nil {
		d.Incidents = []int64{}
	}
	after, err := s.deps.Visits.Change(r.Context(), r.Who, v.ID, base, visit.Edit{
		Kind: &d.Kind, Technician: &d.Technician, Start: &d.Start, Minutes: &d.Minutes, Purpose: &d.Purpose, Note: &d.Note, Incidents: &d.Incidents,
	})
	if err != nil {
		if f.Refused(err) {
			if fault.Is(err, fault.Conflict) {
				f.values.Set("version", strconv.FormatInt(v.Version, 10))
			}
			return s.showVisitForm(r, status(err), f, &v)
		}
		return err
	}
	if after.Version > v.Version {
		if err := r.sayVisit("visit.done.change", after); err != nil {
			return err
		}
	}
	return r.Redirect("/visits/" + id(v.ID))
}

// sayVisit says what was done, with its undo.
func (r *Request) sayVisit(key string, v visit.Visit) error {
	return r.Say(Notice{Text: r.T(key), Undo: &Undo{Action: "/visits/" + id(v.ID) + "/undo", Values: map[string]string{"version": strconv.FormatInt(v.Version, 10)}}})
}

// plannedFor is the start of a plan for an incident.
func plannedFor(i incident.Incident) string { return "/visits/new?incident=" + id(i.ID) }
