package web

import (
	"errors"
	"html/template"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// linksPanel is whom else an incident concerns and what it has to do with
// others.
type linksPanel struct {
	*locale.Printer

	ID      string
	Handles bool
	Counts  string // "3 people, 2 rooms"
	Members []string
	Groups  []linkGroup
	Join    *Form
	JoinBy  []Field
	Link    *Form
	LinkBy  []Field
}

// linkGroup is the incidents at the other end of one kind of link.
type linkGroup struct {
	Title string
	Kind  string // what unlinking posts, "" when it cannot be undone here
	Items []linkItem
}

type linkItem struct {
	Number string
	Label  string
	Where  string
	Href   string
	State  Badge
}

var linksView = newFragment[linksPanel]("panel_links.html", "panel-links")

func (s *Server) linkRoutes() {
	handle := needs(auth.HandleIncident)
	s.page("POST /incidents/{id}/affected", s.addAffected)
	s.page("POST /incidents/{id}/link", s.linkIncident, handle)
	s.page("POST /incidents/{id}/unlink", s.unlinkIncident, handle)
	s.incidentPanel(panel{order: 400, place: panelWork, show: s.links})
}

// links shows the panel: to who handles always, to others when there is
// something to say.
func (s *Server) links(r *Request, i incident.Incident) (template.HTML, error) {
	n, err := r.names()
	if err != nil {
		return "", err
	}
	p := linksPanel{Printer: r.Printer, ID: id(i.ID), Handles: r.Who.Can(auth.HandleIncident)}
	if people, rooms := i.AffectedPeople(), i.AffectedRooms(); i.Affected != "" {
		p.Counts = Legend(r.N("desk.affected.people", people), r.N("desk.affected.rooms", rooms))
	}
	if p.Handles {
		for _, m := range i.Affected.Members() {
			p.Members = append(p.Members, Legend(n.places.PersonName(m.Person), n.places.RoomName(m.Room)))
		}
	}
	if err := p.gather(r, n, i); err != nil {
		return "", err
	}
	if p.Handles {
		p.forms(r, n, i)
	} else if p.Counts == "" && len(p.Groups) == 0 {
		return "", nil
	}
	return linksView.html(p)
}

// gather reads the other ends of the links, those that the reader sees.
func (p *linksPanel) gather(r *Request, n *names, i incident.Incident) error {
	service, scope := r.Server.deps.Incidents, r.Scope()
	add := func(title, kind string, all []incident.Incident) {
		if len(all) == 0 {
			return
		}
		g := linkGroup{Title: r.T(title), Kind: kind}
		for _, other := range all {
			item := linkItem{Number: id(other.ID), Label: r.T("incident.number", "number", id(other.ID)) + " · " + other.Title, Href: "/incidents/" + id(other.ID), State: StateBadge(r.Printer, other.State)}
			if other.School != i.School {
				item.Where = n.places.SchoolName(other.School)
			}
			g.Items = append(g.Items, item)
		}
		p.Groups = append(p.Groups, g)
	}
	if i.Parent != 0 {
		all, err := service.Many(r.Context(), scope, []int64{i.Parent})
		if err != nil {
			return err
		}
		add("desk.links.parent", "parent", all)
	}
	merged, err := service.MergedInto(r.Context(), scope, i.ID)
	if err != nil {
		return err
	}
	add("desk.links.merged", "", merged)
	related, err := service.Many(r.Context(), scope, i.Related.List())
	if err != nil {
		return err
	}
	add("desk.links.related", "related", related)
	return nil
}

// forms are what who handles may add.
func (p *linksPanel) forms(r *Request, n *names, i incident.Incident) {
	if i.State.Open() {
		p.Join = r.formOf("affected")
		person := p.Join.Text("person", r.T("desk.affected.who"))
		person.ID, person.List = "affected-person", "affected-people"
		for _, who := range n.places.PeopleOf(i.School) {
			person.Options = append(person.Options, Option{Value: who.Name})
		}
		room := p.Join.Select("room", r.T("incident.field.room"), n.roomOptions(i.School, r.T("incident.room.none")))
		room.ID = "affected-room"
		p.JoinBy = []Field{person, room}
	}
	p.Link = r.formOf("link")
	kinds := []Option{{Value: "related", Label: r.T("desk.link.related")}, {Value: "parent", Label: r.T("desk.link.parent")}, {Value: "same", Label: r.T("desk.link.same")}}
	if !p.Link.values.Has("kind") {
		p.Link.values.Set("kind", "related")
	}
	kind := p.Link.Choices("kind", r.T("desk.link.kind"), kinds).Must()
	kind.ID = "link-kind"
	other := p.Link.Text("other", r.T("desk.link.other")).Must().Example("4812")
	other.ID, other.Mode = "link-other", "numeric"
	p.LinkBy = []Field{kind, other}
}

// retry keeps a form that was refused, so that its panel shows it again.
func (r *Request) retry(name string, f *Form) { r.refused, r.refusedForm = name, f }

// formOf is the form of a panel: the one that was just refused, or a blank one.
func (r *Request) formOf(name string) *Form {
	if r.refused == name {
		return r.refusedForm
	}
	return r.Blank()
}

// refusedPanel shows an incident's page again with a panel's refused form.
func (s *Server) refusedPanel(r *Request, number int64, name string, f *Form, err error) error {
	if !f.Refused(err) {
		return err
	}
	r.retry(name, f)
	return s.showIncident(r, status(err), number, "", r.Blank())
}

// addAffected says "I have it too", for oneself or, for who handles, for
// somebody of the school.
func (s *Server) addAffected(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	a := incident.Affected{Room: f.ID("room"), Comment: f.Get("comment")}
	if name := strings.TrimSpace(f.Get("person")); name != "" && r.Who.Can(auth.HandleIncident) {
		a.Person, err = s.personOf(r, number, name)
	}
	var after incident.Incident
	if err == nil {
		after, err = s.deps.Incidents.AlsoAffected(r.Context(), r.Who, number, a)
	}
	if err != nil {
		if _, seen := s.deps.Incidents.Get(r.Context(), r.Scope(), number); seen != nil {
			return err
		}
		return s.refusedPanel(r, number, "affected", f, err)
	}
	if err := r.Say(Notice{Text: r.T("desk.affected.done", "people", r.N("desk.affected.people", after.AffectedPeople())), Undo: undoOf(after)}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}

// personOf finds somebody of an incident's school by name.
func (s *Server) personOf(r *Request, number int64, name string) (int64, error) {
	n, err := r.names()
	if err != nil {
		return 0, err
	}
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return 0, err
	}
	for _, p := range n.places.PeopleOf(i.School) {
		if fold(p.Name) == fold(name) {
			return p.ID, nil
		}
	}
	if found := n.peopleNamed(name); len(found) == 1 {
		return r.Blank("p", found[0].Value).ID("p"), nil
	}
	return 0, fault.InvalidField("person", "desk.affected.unknown")
}

// linkIncident ties two incidents.
func (s *Server) linkIncident(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	other := r.Blank("n", strings.TrimLeft(strings.TrimSpace(f.Get("other")), "#")).ID("n")
	after, err := s.link(r, number, other, f.Get("kind"))
	if err != nil {
		return s.refusedPanel(r, number, "link", f, sameField(err, "other"))
	}
	said := Notice{Text: r.T("desk.link.done", "number", id(other)), Link: &Link{Label: r.T("incident.number", "number", id(other)), Href: "/incidents/" + id(other)}}
	if f.Get("kind") == "related" {
		said.Undo = &Undo{Action: "/incidents/" + id(number) + "/unlink", Values: map[string]string{"kind": "related", "other": id(other)}}
	} else {
		said.Undo = undoOf(after)
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}

func (s *Server) link(r *Request, number, other int64, kind string) (incident.Incident, error) {
	if other <= 0 {
		return incident.Incident{}, fault.InvalidField("other", "error.field.unknown")
	}
	switch kind {
	case "related":
		return s.deps.Incidents.Relate(r.Context(), r.Who, number, other)
	case "parent":
		return s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{Incident: number, Action: incident.Attach, Set: incident.Patch{Parent: &other}})
	case "same":
		return s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{Incident: number, Action: incident.Merge, Set: incident.Patch{MergedInto: &other}})
	}
	return incident.Incident{}, fault.InvalidField("kind", "error.field.required")
}

// sameField says beside one field of a form what was refused of another.
func sameField(err error, name string) error {
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok || refusal.Code != fault.Invalid {
		return err
	}
	moved := *refusal
	moved.Fields = nil
	for _, field := range refusal.Fields {
		if field.Name != "kind" {
			field.Name = name
		}
		moved.Fields = append(moved.Fields, field)
	}
	return &moved
}

// unlinkIncident unties them.
func (s *Server) unlinkIncident(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	said := Notice{Text: r.T("desk.unlink.done")}
	switch f.Get("kind") {
	case "parent":
		after, err := s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{Incident: number, Action: incident.Detach})
		if err != nil {
			return err
		}
		said.Undo = undoOf(after)
	case "related":
		if _, err := s.deps.Incidents.Unrelate(r.Context(), r.Who, number, f.ID("other")); err != nil {
			return err
		}
		said.Undo = &Undo{Action: "/incidents/" + id(number) + "/link", Values: map[string]string{"kind": "related", "other": f.Get("other")}}
	default:
		return fault.InvalidField("kind", "error.field.unknown")
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}
