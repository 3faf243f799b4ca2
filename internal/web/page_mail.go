package web

import (
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	mailin "statincidents/internal/intake/mail"
)

// mailPage lists the messages that came in: those that a person sorts first.
type mailPage struct {
	Page

	Bar   FilterBar
	Tabs  Tabs
	Rows  []mailRow
	Bulk  bool   // rows can be chosen
	Here  string // where the list is, to come back to
	Pager Pager
	Empty *EmptyState
}

type mailRow struct {
	ID, Href, Subject, From, Preview string
	Why                              string
	State                            Badge
	Moment                           Moment
	Files                            string
	Made                             *Link
}

var mailView = newView[mailPage]("page_mail.html", shell)

const mailPath = "/mail"

func (s *Server) mailRoutes() {
	sorts := needs(auth.SortMail)
	s.page("GET /mail", s.mail, sorts)
	s.page("POST /mail/bulk", s.mailBulk, sorts)
	s.page("GET /mail/senders", s.mailSenders, sorts)
	s.page("POST /mail/senders", s.mailUnblock, sorts)
	s.page("GET /mail/{id}", s.mailMessage, sorts)
	s.page("GET /mail/{id}/raw", s.mailRaw, sorts)
	s.page("POST /mail/{id}/incident", s.mailIncident, sorts)
	s.page("POST /mail/{id}/attach", s.mailAttach, sorts)
	s.page("POST /mail/{id}/refuse", s.mailRefuse, sorts)
	s.page("POST /mail/{id}/back", s.mailBack, sorts)
	s.page("POST /mail/{id}/replay", s.mailReplay, sorts)
	s.mailPanelRoutes()
	s.adminEntry(adminPart{order: 350, key: "mailin.admin", icon: "inbox", href: mailPath, right: auth.SortMail, state: s.mailStands})
	s.navEntry(entry{order: 250, key: "mailin.page.nav", icon: "mail", href: mailPath, right: auth.SortMail})
	s.findable("mailin.page.nav", func(r *Request, query string) ([]Destination, error) {
		if title := r.T("mailin.page.title"); query != "" && r.Who.Can(auth.SortMail) && matches(title, query) {
			return []Destination{{Label: title, Icon: "mail", Href: mailPath}}, nil
		}
		return nil, nil
	})
}

// mailStands says how the mail stands, on the administration's first page.
func (s *Server) mailStands(r *Request, _ *names) ([]string, error) {
	counts, err := s.deps.Mail.Counts(r.Context())
	if err != nil {
		return nil, err
	}
	last, err := s.deps.Mail.Last(r.Context())
	if err != nil {
		return nil, err
	}
	backlog, err := s.deps.Mail.Backlog(r.Context())
	if err != nil {
		return nil, err
	}
	line := r.T("mailin.admin.never")
	if !last.IsZero() {
		line = r.T("mailin.admin.last", "when", r.Relative(last, r.Now()))
	}
	lines := []string{Legend(r.N("mailin.admin.sort", counts[mailin.Quarantined]), line)}
	if n := counts[mailin.Failed]; n > 0 {
		lines = append(lines, r.N("mailin.admin.failed", n))
	}
	if n := backlog + counts[mailin.Received]; n > 0 {
		lines = append(lines, r.N("mailin.admin.backlog", n))
	}
	return lines, nil
}

// mailTab is a view of the list, with its states; none for all.
type mailTab struct {
	key    string
	states []mailin.State
}

var mailTabs = []mailTab{
	{"sort", []mailin.State{mailin.Quarantined}},
	{"failed", []mailin.State{mailin.Failed}},
	{"refused", []mailin.State{mailin.Refused}},
	{"all", nil},
}

func (s *Server) mail(r *Request) error {
	p := &mailPage{Page: Page{Title: r.T("mailin.page.title"), Lede: r.T("mailin.page.lede"), Actions: []Action{{Label: r.T("mailin.page.senders"), Icon: "ban", Href: mailPath + "/senders"}}}}
	counts, err := s.deps.Mail.Counts(r.Context())
	if err != nil {
		return err
	}
	view := r.Address.Get("view")
	filter := mailin.Filter{States: mailTabs[0].states, Text: r.Address.Get("q")}
	p.Tabs.Label = r.T("mailin.page.views")
	for i, t := range mailTabs {
		value := t.key
		if i == 0 {
			value = ""
		}
		tab := Tab{Label: r.T("mailin.page.view." + t.key), Href: r.Address.Without("after").With("view", value).String(), Current: view == value}
		if tab.Current {
			filter.States = t.states
		}
		if t.key == "sort" || t.key == "failed" {
			if n := counts[t.states[0]]; n > 0 {
				tab.Count = r.Int(n)
			}
		}
		p.Tabs.Items = append(p.Tabs.Items, tab)
	}
	if filter.Before, err = strconv.ParseInt(r.Address.Get("after"), 10, 64); err != nil {
		filter.Before = 0
	}
	p.Bar = r.FilterBar([]Field{r.Filters().Input("search", "q", r.T("filter.text")).Example(r.T("mailin.page.search"))}, "view")
	list, total, err := s.deps.Mail.List(r.Context(), r.Who, filter)
	if err != nil {
		return err
	}
	for i := range list {
		p.Rows = append(p.Rows, r.mailRow(&list[i]))
	}
	p.Bulk, p.Here = view != "all", r.Address.String()
	next := ""
	if len(list) > 0 && len(list) < total {
		next = id(list[len(list)-1].ID)
	}
	if len(list) < 50 {
		next = ""
	}
	p.Pager = r.Pager(len(list), total, next)
	if len(list) == 0 {
		p.Empty = r.mailEmpty(view, filter.Text)
	}
	return mailView.show(r, http.StatusOK, p)
}

func (r *Request) mailEmpty(view, text string) *EmptyState {
	if text != "" {
		return &EmptyState{Icon: "search", Title: r.T("mailin.page.none.title"), Text: r.T("mailin.page.none.text"), Action: &Link{Label: r.T("web.filters.clear"), Href: r.Address.Without("q").String()}}
	}
	if view == "" {
		return &EmptyState{Icon: "inbox", Title: r.T("mailin.page.empty.title"), Text: r.T("mailin.page.empty.text"), Action: &Link{Label: r.T("mailin.page.view.all"), Href: mailPath + "?view=all", Icon: "list"}}
	}
	return &EmptyState{Icon: "mail", Title: r.T("mailin.page.nothing.title"), Text: r.T("mailin.page.nothing.text")}
}

func (r *Request) mailRow(m *mailin.Message) mailRow {
	row := mailRow{
		ID: id(m.ID), Href: mailPath + "/" + id(m.ID), Subject: m.Subject, From: m.From.Name, Preview: m.Preview,
		State: mailBadge(r, m.State), Moment: r.Moment(m.ReceivedAt), Why: r.mailWhy(m), Made: r.mailMade(m),
	}
	if row.Subject == "" {
		row.Subject = r.T("mailin.page.no_subject")
	}
	if row.From == "" {
		row.From = m.From.Email
	}
	if row.From == "" {
		row.From = r.T("mailin.page.nobody")
	}
	if m.Files > 0 {
		row.Files = r.N("mailin.page.files", m.Files)
	}
	return row
}

// mailWhy says why a message stands where it does.
func (r *Request) mailWhy(m *mailin.Message) string {
	why := ""
	if m.Reason != "" {
		why = r.T("mailin.reason." + string(m.Reason))
	}
	if m.State == mailin.Failed {
		why = r.N("mailin.page.attempts", m.Attempts)
	}
	return why
}

// mailMade links to what a message became.
func (r *Request) mailMade(m *mailin.Message) *Link {
	switch m.Outcome {
	case mailin.MadeIncident, mailin.MadeComment:
		return &Link{Label: r.T("mailin.outcome."+string(m.Outcome), "number", id(m.Incident)), Href: "/incidents/" + id(m.Incident)}
	case mailin.NotedBounce:
		return &Link{Label: r.T("mailin.outcome.bounce")}
	}
	return nil
}

func mailBadge(r *Request, s mailin.State) Badge {
	b := map[mailin.State]Badge{
		mailin.Received: {Icon: "hourglass"}, mailin.Quarantined: {Icon: "inbox", Tone: "warning"}, mailin.Failed: {Icon: "circle-x", Tone: "critical"},
		mailin.Done: {Icon: "circle-check", Tone: "good"}, mailin.Refused: {Icon: "ban"},
	}[s]
	b.Word = r.T("mailin.state." + string(s))
	return b
}

// mailBulk sorts several messages at once.
func (s *Server) mailBulk(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	var ids []int64
	for _, value := range append(f.All("message"), strings.Split(f.Get("messages"), ",")...) {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			ids = append(ids, n)
		}
	}
	back := f.Get("back")
	if !local(back) {
		back = mailPath
	}
	notice := Notice{}
	var n int
	switch f.Get("do") {
	case "refuse":
		if n, err = s.deps.Mail.Refuse(r.Context(), r.Who, ids, ""); err == nil {
			notice = Notice{Text: r.N("mailin.page.refused", n), Undo: &Undo{Action: mailPath + "/bulk", Values: map[string]string{"do": "back", "messages": joined(ids), "back": back}}}
		}
	case "replay":
		if n, err = s.deps.Mail.Replay(r.Context(), r.Who, ids); err == nil {
			notice = Notice{Text: r.N("mailin.page.replayed", n)}
		}
	case "back":
		if n, err = s.deps.Mail.GiveBack(r.Context(), r.Who, ids); err == nil {
			notice = Notice{Text: r.N("mailin.page.given_back", n)}
		}
	default:
		return s.lost(r)
	}
	if f.Refused(err) {
		// Nothing was chosen, or somebody else was quicker: said above the list.
		notice = Notice{Text: f.Summary, Tone: "warning"}
		for _, w := range f.Wrong() {
			notice.Text = w.Label
		}
	} else if err != nil {
		return err
	}
	if err := r.Say(notice); err != nil {
		return err
	}
	return r.Redirect(back)
}

func joined(ids []int64) string {
	words := make([]string, len(ids))
	for i, n := range ids {
		words[i] = id(n)
	}
	return strings.Join(words, ",")
}

// mailSendersPage lists the senders that are refused.
type mailSendersPage struct {
	Page

	Rows  []blockRow
	Empty *EmptyState
}

type blockRow struct {
	Sender, Who string
	At          Moment
}

var mailSendersView = newView[mailSendersPage]("page_mail_senders.html", shell)

func (s *Server) mailSenders(r *Request) error {
	list, err := s.deps.Mail.Blocked(r.Context(), r.Who)
	if err != nil {
		return err
	}
	names, err := s.deps.Auth.Names(r.Context())
	if err != nil {
		return err
	}
	p := &mailSendersPage{Page: Page{Title: r.T("mailin.page.senders"), Lede: r.T("mailin.page.senders.lede"), Crumbs: []Link{{Label: r.T("mailin.page.title"), Href: mailPath}}}}
	for _, b := range list {
		p.Rows = append(p.Rows, blockRow{Sender: b.Sender, Who: names[b.Account], At: r.Moment(b.At)})
	}
	if len(list) == 0 {
		p.Empty = &EmptyState{Icon: "mail", Title: r.T("mailin.page.senders.empty.title"), Text: r.T("mailin.page.senders.empty.text")}
	}
	return mailSendersView.show(r, http.StatusOK, p)
}

func (s *Server) mailUnblock(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if err := s.deps.Mail.Unblock(r.Context(), r.Who, f.Get("sender")); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("mailin.page.unblocked", "sender", f.Get("sender"))}); err != nil {
		return err
	}
	return r.Redirect(mailPath + "/senders")
}
