package web

import (
	"net/http"
	"strconv"

	"statincidents/internal/fault"
	"statincidents/internal/notify"
)

// outboxPage shows what would have been sent: in the demonstration only, whose
// people are invented.
type outboxPage struct {
	Page

	Table Table
	Empty *EmptyState
}

// letterPage is one message of the outbox.
type letterPage struct {
	Page

	To    string
	When  Moment
	Lines notify.Body
}

var (
	outboxView = newView[outboxPage]("page_outbox.html", shell)
	letterView = newView[letterPage]("page_outbox_letter.html", shell)
)

const outboxPath = "/outbox"

func (s *Server) outboxRoutes() {
	if !s.deps.Demo {
		return
	}
	s.page("GET /outbox", s.outbox)
	s.page("GET /outbox/{id}", s.letter)
	s.navEntry(entry{order: 880, key: "outbox.nav", icon: "mail", href: outboxPath, end: true})
}

func (s *Server) outbox(r *Request) error {
	list, err := s.deps.Notify.Shown(r.Context(), 60)
	if err != nil {
		return err
	}
	p := &outboxPage{Page: Page{Title: r.T("outbox.title"), Lede: r.T("outbox.lede")}}
	if len(list) == 0 {
		p.Empty = &EmptyState{Icon: "mail", Title: r.T("outbox.none"), Text: r.T("outbox.none_text"), Action: &Link{Label: r.T("outbox.declare"), Href: "/declare"}}
	}
	p.Table = Table{Printer: r.Printer, Caption: r.T("outbox.title"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("mailbox.words.subject"), Lead: true}, {Label: r.T("mailbox.messages.to")}, {Label: r.T("mailbox.messages.what")}, {Label: r.T("mailbox.messages.made")},
	}}
	for _, m := range list {
		when := r.Moment(m.At)
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: m.Subject, Href: outboxPath + "/" + id(m.ID)}, {Text: Legend(m.Name, m.Address)}, {Text: r.T("notify.kind." + m.Kind)}, {Moment: &when}}})
	}
	return outboxView.show(r, http.StatusOK, p)
}

func (s *Server) letter(r *Request) error {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "error.not_found")
	}
	m, err := s.deps.Notify.ShownOne(r.Context(), n)
	if err != nil {
		return err
	}
	return letterView.show(r, http.StatusOK, &letterPage{
		Page: Page{Title: m.Subject, Crumbs: []Link{{Label: r.T("outbox.title"), Href: outboxPath}}},
		To:   Legend(m.Name, m.Address), When: r.Moment(m.At), Lines: m.Body,
	})
}
