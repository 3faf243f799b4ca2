package web

import (
	"html/template"
	"net/url"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// massPanel is a main incident's reach: the schools touched, their parts, and
// what is done to all at once.
type massPanel struct {
	*locale.Printer

	ID      string
	Parts   []linkItem
	Summary string
	Open    int
	Actions []Link // on all the parts that are open (or resolved), main one included
	Message *Form
	Text    Field
	Spread  *Form
	Schools Field
	Handles bool
}

var massView = newFragment[massPanel]("panel_mass.html", "panel-mass")

func (s *Server) massRoutes() {
	s.page("POST /incidents/{id}/spread", s.spread, needs(auth.HandleIncident))
	s.page("POST /incidents/{id}/message", s.messageAll, needs(auth.HandleIncident))
	s.incidentPanel(panel{order: 300, place: panelWork, show: s.mass})
}

func (s *Server) mass(r *Request, i incident.Incident) (template.HTML, error) {
	handles := r.Who.Can(auth.HandleIncident)
	if i.Parent != 0 {
		return "", nil
	}
	parts, err := s.deps.Incidents.Children(r.Context(), r.Scope(), i.ID)
	if err != nil {
		return "", err
	}
	if len(parts) == 0 && (!handles || !i.State.Open()) {
		return "", nil
	}
	n, err := r.names()
	if err != nil {
		return "", err
	}
	p := massPanel{Printer: r.Printer, ID: id(i.ID), Handles: handles}
	schools := map[int64]bool{i.School: true}
	people, rooms := i.AffectedPeople(), i.AffectedRooms()
	all := url.Values{"ids": {id(i.ID)}}
	resolved := 0
	for k := range parts {
		part := &parts[k]
		schools[part.School] = true
		people, rooms = people+part.AffectedPeople(), rooms+part.AffectedRooms()
		if part.State.Open() {
			p.Open++
		}
		if part.State == incident.Resolved {
			resolved++
		}
		if part.State.Open() || part.State == incident.Resolved {
			all.Add("ids", id(part.ID))
		}
		p.Parts = append(p.Parts, linkItem{Number: id(part.ID), Label: n.places.SchoolName(part.School), Where: r.T("incident.number", "number", id(part.ID)), Href: "/incidents/" + id(part.ID), State: StateBadge(r.Printer, part.State)})
	}
	if len(parts) > 0 {
		p.Summary = Legend(r.N("desk.mass.schools", len(schools)), r.N("desk.affected.people", people), r.N("desk.affected.rooms", rooms), r.N("desk.mass.open", p.Open))
	}
	if !handles {
		return massView.html(p)
	}
	offer := func(action incident.Action, ok bool) {
		if ok && len(parts) > 0 {
			all.Set("action", string(action))
			p.Actions = append(p.Actions, Link{Label: r.T("desk.mass." + string(action)), Icon: actionLooks[action].icon, Href: "/incidents/bulk?" + all.Encode()})
		}
	}
	offer(incident.Resolve, p.Open > 0)
	offer(incident.Close, resolved > 0)
	offer(incident.Hold, p.Open > 0)
	if len(parts) > 0 {
		p.Message = r.formOf("message")
		p.Text = p.Message.Area("comment", r.T("desk.mass.message")).Must().AtMost(incident.MaxText).Hinted(r.T("desk.mass.message_hint"))
		p.Text.ID = "mass-message"
	}
	if i.State.Open() {
		p.Spread = r.formOf("spread")
		var options []Option
		for _, school := range n.places.SchoolsIn(r.Scope()) {
			if !schools[school.ID] && school.Closed == 0 {
				options = append(options, Option{Value: id(school.ID), Label: school.Name})
			}
		}
		p.Schools = p.Spread.Choices("schools", r.T("desk.mass.choose"), options)
		p.Schools.Multiple, p.Schools.Optional = true, ""
	}
	return massView.html(p)
}

// spread makes a part of the incident in each chosen school.
func (s *Server) spread(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	var schools []int64
	for _, v := range f.All("schools") {
		school, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return fault.InvalidField("schools", "error.field.unknown")
		}
		schools = append(schools, school)
	}
	made, err := s.deps.Incidents.Spread(r.Context(), r.Who, number, schools)
	if err != nil {
		if _, seen := s.deps.Incidents.Get(r.Context(), r.Scope(), number); seen != nil {
			return seen
		}
		return s.refusedPanel(r, number, "spread", f, err)
	}
	if err := r.Say(Notice{Text: r.N("desk.mass.made", len(made))}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}

// messageAll says the same to every school: a public comment on the main
// incident and on each of its parts that is not merged away.
func (s *Server) messageAll(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if _, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number); err != nil {
		return err
	}
	parts, err := s.deps.Incidents.Children(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	ids := []int64{number}
	for k := range parts {
		if parts[k].State != incident.Merged && parts[k].State != incident.Cancelled && len(ids) < batch.Max {
			ids = append(ids, parts[k].ID)
		}
	}
	c := batch.Change{Action: incident.Comment, Comment: f.Get("comment")}
	if _, err := s.foresee(r, ids, c); err != nil {
		return s.refusedPanel(r, number, "message", f, err)
	}
	started, err := s.deps.Batches.Start(r.Context(), r.Who, ids, c)
	if err != nil {
		return err
	}
	return r.Redirect("/batches/" + id(started))
}

// alsoParts offers to do to the open parts what was just done to the main
// incident.
func (s *Server) alsoParts(r *Request, i incident.Incident, action incident.Action) (*Link, error) {
	if action != incident.Resolve && action != incident.Close || i.Parent != 0 {
		return nil, nil //nolint:nilnil // nothing to offer
	}
	parts, err := s.deps.Incidents.Children(r.Context(), r.Scope(), i.ID)
	if err != nil {
		return nil, err
	}
	left := url.Values{"action": {string(action)}}
	for k := range parts {
		if action == incident.Resolve && parts[k].State.Open() || action == incident.Close && parts[k].State == incident.Resolved {
			left.Add("ids", id(parts[k].ID))
		}
	}
	if len(left["ids"]) == 0 {
		return nil, nil //nolint:nilnil // nothing to offer
	}
	if action == incident.Resolve {
		left.Set("resolution_code", id(i.ResolutionCode))
		left.Set("cause_code", id(i.CauseCode))
		left.Set("resolution", i.Resolution)
	}
	return &Link{Label: r.N("desk.mass.also", len(left["ids"])), Href: "/incidents/bulk?" + left.Encode()}, nil
}
