package web

import (
	"net/http"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
)

// splitPage takes a second incident out of one where two things were reported.
type splitPage struct {
	Page

	ID     string
	Form   *Form
	Fields []Field
}

var splitView = newView[splitPage]("page_incident_split.html", shell)

func (s *Server) splitRoutes() {
	s.page("GET /incidents/{id}/split", s.splitIncident, needs(auth.HandleIncident))
	s.page("POST /incidents/{id}/split", s.saveSplit, needs(auth.HandleIncident))
}

func (s *Server) splitIncident(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	return s.showSplit(r, http.StatusOK, i, r.Blank("description", i.Description, "room", id(i.Room), "category", id(i.Category)))
}

func (s *Server) showSplit(r *Request, status int, i incident.Incident, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	story, err := s.deps.Incidents.Story(r.Context(), r.Who, i.ID)
	if err != nil {
		return err
	}
	p := &splitPage{
		Page: Page{Title: r.T("desk.split.title", "number", id(i.ID)), Lede: r.T("desk.split.lede"),
			Crumbs: []Link{{Label: r.T("incidents.title"), Href: "/incidents"}, {Label: r.T("incident.number", "number", id(i.ID)) + " · " + i.Title, Href: "/incidents/" + id(i.ID)}}},
		ID: id(i.ID), Form: f,
	}
	p.Fields = append(p.Fields, f.Text("title", r.T("incident.field.title")).Must().AtMost(incident.MaxTitle).First(),
		f.Area("description", r.T("incident.field.description")).Hinted(r.T("desk.split.description")).AtMost(incident.MaxText),
		n.control(f, incident.FieldCategory, i), n.control(f, incident.FieldRoom, i))
	var said []Option
	for _, e := range story {
		if e.Comment == "" || e.Of != 0 {
			continue
		}
		who, err := n.actor(e.Actor)
		if err != nil {
			return err
		}
		said = append(said, Option{Value: e.Pos.String(), Label: Legend(who, r.DateTime(e.At), excerpt(e.Comment, 140))})
	}
	if len(said) > 0 {
		c := f.Choices("comments", r.T("desk.split.comments"), said)
		c.Multiple = true
		p.Fields = append(p.Fields, c)
	}
	return splitView.show(r, status, p)
}

// excerpt is the beginning of a text, on one line.
func excerpt(text string, most int) string {
	runes := []rune(text)
	for k, c := range runes {
		if c == '\n' {
			runes[k] = ' '
		}
	}
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}

func (s *Server) saveSplit(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	part := incident.Split{Title: f.Get("title"), Description: f.Get("description"), Category: f.ID("category"), Room: f.ID("room")}
	for _, v := range f.All("comments") {
		pos, parsed := journal.ParsePos(v)
		if parsed != nil {
			err = fault.InvalidField("comments", "error.field.unknown")
			break
		}
		part.Comments = append(part.Comments, pos)
	}
	var fresh incident.Incident
	if err == nil {
		fresh, err = s.deps.Incidents.Split(r.Context(), r.Who, number, part)
	}
	if err != nil {
		if f.Refused(err) {
			return s.showSplit(r, status(err), i, f)
		}
		return err
	}
	if err := r.Say(Notice{Text: r.T("desk.split.done", "number", id(number))}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(fresh.ID))
}
