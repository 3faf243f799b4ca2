package web

import (
	"html/template"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/notify"
)

// messagesPanel says which messages left about an incident, to those who
// handle it: to whom and when, never what they said.
type messagesPanel struct {
	*locale.Printer

	Summary string
	Rows    []messageLine
	Late    bool // something did not leave
}

type messageLine struct {
	What  string
	To    string
	State Badge
	Note  string
	When  Moment
}

var messagesPanelView = newFragment[messagesPanel]("panel_messages.html", "panel-messages")

func (s *Server) messagesPanelRoutes() {
	if s.deps.Notify == nil {
		return
	}
	s.incidentPanel(panel{order: 900, place: panelBeside, show: s.messagesPanel})
}

func (s *Server) messagesPanel(r *Request, i incident.Incident) (template.HTML, error) {
	if !r.Who.Can(auth.HandleIncident) {
		return "", nil
	}
	list, err := s.deps.Notify.Log(r.Context(), r.Who, i.ID)
	if err != nil || len(list) == 0 {
		return "", err
	}
	p := messagesPanel{Printer: r.Printer}
	left := 0
	for _, e := range slices.Backward(list) {
		when := e.SentAt
		if when.IsZero() {
			when = e.CreatedAt
		} else {
			left++
		}
		p.Late = p.Late || e.State == notify.Failed || e.State == notify.Queued && e.Tries > 0
		p.Rows = append(p.Rows, messageLine{What: r.T("notify.kind." + e.Kind), To: e.Address, State: r.messageState(e), Note: r.messageNote(e), When: r.Moment(when)})
	}
	p.Summary = r.N("messages.panel", left)
	return messagesPanelView.html(p)
}
