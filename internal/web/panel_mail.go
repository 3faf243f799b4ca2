package web

import (
	"html/template"

	"statincidents/internal/incident"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/locale"
)

// mailPanel shows who handles an incident the messages that it is made of:
// from whom, with whom in copy, the whole text a click away.
type mailPanel struct {
	*locale.Printer

	Summary string
	Rows    []mailLine
}

type mailLine struct {
	Href, What, From, Cc, Files string
	When                        Moment
}

// mailAnswer offers to reopen an incident whose declarant answered by e-mail
// after it was resolved. An answer is a comment: it reopens nothing by itself.
type mailAnswer struct {
	*locale.Printer

	Action, Version, Text, Comment, Preview string
}

var (
	mailPanelView  = newFragment[mailPanel]("panel_mail.html", "panel-mail")
	mailAnswerView = newFragment[mailAnswer]("panel_mail.html", "panel-mail-answer")
)

func (s *Server) mailPanelRoutes() {
	s.incidentPanel(panel{order: 910, place: panelBeside, show: s.mailPanel})
	s.incidentPanel(panel{order: 50, place: panelTop, show: s.mailAnswer})
}

func (s *Server) mailPanel(r *Request, i incident.Incident) (template.HTML, error) {
	list, err := s.deps.Mail.Of(r.Context(), r.Who, i.ID)
	if err != nil || len(list) == 0 {
		return "", err
	}
	p := mailPanel{Printer: r.Printer, Summary: r.N("mailin.panel", len(list))}
	for k := range list {
		m := &list[k]
		row := r.mailRow(m)
		line := mailLine{Href: row.Href, What: row.Subject, From: row.From, Files: row.Files, When: r.Moment(m.ReceivedAt)}
		if m.Cc != "" {
			line.Cc = r.T("mailin.panel.cc", "who", m.Cc)
		}
		p.Rows = append(p.Rows, line)
	}
	return mailPanelView.html(p)
}

func (s *Server) mailAnswer(r *Request, i incident.Incident) (template.HTML, error) {
	if i.State != incident.Resolved || i.Declarant == 0 {
		return "", nil
	}
	list, err := s.deps.Mail.Of(r.Context(), r.Who, i.ID)
	if err != nil {
		return "", err
	}
	var last *mailin.Message
	for k := range list {
		if m := &list[k]; m.Outcome == mailin.MadeComment && m.Person == i.Declarant && m.ReceivedAt.After(i.ResolvedAt) {
			last = m
		}
	}
	if last == nil {
		return "", nil
	}
	return mailAnswerView.html(mailAnswer{
		Printer: r.Printer, Action: "/incidents/" + id(i.ID) + "/act", Version: id(i.Version), Preview: last.Preview,
		Text: r.T("mailin.answer", "when", r.Relative(last.ReceivedAt, r.Now())), Comment: r.T("mailin.answer.comment"),
	})
}
