package web

import (
	"html/template"
	"net/http"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
)

// presencePanel says who else of the unit has the incident open. It helps two
// people not to do the same twice; it locks nothing.
type presencePanel struct {
	*locale.Printer

	Incident int64
	Others   []presentOther
}

type presentOther struct {
	Name    string
	Writing bool
}

var presenceView = newFragment[presencePanel]("panel_presence.html", "panel-presence")

func (s *Server) presenceRoutes() {
	s.page("POST /incidents/{id}/presence", s.here, needs(auth.HandleIncident))
	s.incidentPanel(panel{order: 10, place: panelTop, show: s.presence})
}

// presence tells who is there, and that the reader is. Declarants and schools
// are neither shown nor told.
func (s *Server) presence(r *Request, i incident.Incident) (template.HTML, error) {
	if err := s.deps.Queue.Read(r.Context(), r.Who, i); err != nil {
		return "", err
	}
	if !r.Who.Can(auth.HandleIncident) {
		return "", nil
	}
	p, err := s.presentOn(r, i.ID, false)
	if err != nil {
		return "", err
	}
	return presenceView.html(*p)
}

func (s *Server) presentOn(r *Request, number int64, writing bool) (*presencePanel, error) {
	others, err := s.deps.Queue.Here(r.Context(), r.Who, number, writing)
	if err != nil {
		return nil, err
	}
	n, err := r.names()
	if err != nil {
		return nil, err
	}
	p := &presencePanel{Printer: r.Printer, Incident: number}
	for _, o := range others {
		name, err := n.actor(journal.Actor{Kind: journal.ByAccount, ID: o.Account})
		if err != nil {
			return nil, err
		}
		p.Others = append(p.Others, presentOther{Name: name, Writing: o.Writing})
	}
	return p, nil
}

// here is told by open pages every few seconds, and when they are left.
func (s *Server) here(r *Request) error {
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
	if f.Checked("gone") {
		if err := s.deps.Queue.Gone(r.Context(), r.Who, number); err != nil {
			return err
		}
		r.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	p, err := s.presentOn(r, number, f.Checked("writing"))
	if err != nil {
		return err
	}
	return presenceView.show(r, *p)
}
