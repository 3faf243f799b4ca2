package web

import (
	"html/template"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// askedPanel says to the school what an incident waits for, with the question
// that was asked, so that it is answered rather than searched for.
type askedPanel struct {
	*locale.Printer

	Title, Who, Words string
	When              Moment
}

var askedView = newFragment[askedPanel]("panel_asked.html", "panel-asked")

func (s *Server) askedRoutes() {
	s.incidentPanel(panel{order: 10, place: panelTop, show: s.asked})
}

func (s *Server) asked(r *Request, i incident.Incident) (template.HTML, error) {
	if i.State != incident.Waiting || r.Who.Can(auth.HandleIncident) {
		return "", nil
	}
	story, err := s.deps.Incidents.Story(r.Context(), r.Who, i.ID)
	if err != nil {
		return "", err
	}
	n, err := r.names()
	if err != nil {
		return "", err
	}
	for _, e := range slices.Backward(story) {
		if e.Kind == incident.EventCommented && e.Actor.ID == r.Who.Person && r.Who.Person != 0 {
			return "", nil // answered
		}
		if e.Kind != incident.EventHeld {
			continue
		}
		if e.Comment == "" {
			return "", nil // the reason is on the sheet
		}
		said, err := n.entry(e)
		if err != nil {
			return "", err
		}
		return askedView.html(askedPanel{Printer: r.Printer, Title: r.T("incident.asked", "reason", n.value(incident.FieldWaitingCode, i.WaitingCode)), Who: said.Who, Words: e.Comment, When: said.When})
	}
	return "", nil
}
