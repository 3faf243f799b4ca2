package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/mailbox"
	"statincidents/internal/notify"
)

// mailboxPage is « Messagerie »: how messages are sent and received, and how each
// stands.
type mailboxPage struct {
	Page

	Tabs  Tabs
	Sides []systemRow

	Test    *Form
	To      Field
	Form    *Form
	General []Field
	Sending []Field
	Trusted []Field // less often needed, of each side
	Receive []Field
	Heard   []Field

	Table   *Table
	Note    string
	Empty   *EmptyState
	Bounces []bounceRow
	Roles   []roleModes
}

type bounceRow struct {
	Address, Reason string
	State           Badge
	Last            Moment
}

var mailboxView = newView[mailboxPage]("page_admin_mail.html", shell)

const mailboxPath = "/admin/mail"

func (s *Server) adminMailRoutes() {
	manage := needs(auth.ManageAccounts)
	s.page("GET /admin/mail", s.mailbox, manage)
	s.page("POST /admin/mail", s.saveMailbox, manage)
	s.page("POST /admin/mail/test", s.tryMail, manage, lasts(time.Minute))
	s.page("POST /admin/mail/trust", s.trustAddress, manage)
	s.page("POST /admin/mail/defaults", s.saveMailDefaults, manage)
	s.adminMailWordsRoutes()
	s.adminEntry(adminPart{order: 450, key: "mailbox", icon: "mail", href: mailboxPath, right: auth.ManageAccounts, state: func(r *Request, _ *names) ([]string, error) {
		rows, err := s.mailSides(r)
		if err != nil {
			return nil, err
		}
		var said []string
		for _, row := range rows {
			said = append(said, r.Label(row.Name)+row.Badge.Word)
		}
		return said, nil
	}})
}

func (s *Server) mailbox(r *Request) error {
	switch r.Address.Get("tab") {
	case "":
		now, err := s.deps.Mailbox.Shown(r.Context(), r.Who)
		if err != nil {
			return err
		}
		return s.showMailbox(r, http.StatusOK, r.mailForm(now), nil)
	case "messages":
		return s.mailMessages(r)
	case "words":
		return s.mailWords(r)
	case "defaults":
		return s.showMailDefaults(r, http.StatusOK, nil)
	case "bounces":
		return s.mailBounces(r)
	}
	return s.lost(r)
}

// mailFrame is what every tab has.
func (s *Server) mailFrame(r *Request) *mailboxPage {
	p := &mailboxPage{Page: Page{Title: r.T("mailbox.title"), Lede: r.T("mailbox.what"), Crumbs: r.adminCrumbs()}}
	p.Tabs = Tabs{Label: r.T("mailbox.title")}
	for _, tab := range []string{"", "messages", "words", "defaults", "bounces"} {
		href, key := mailboxPath, "mailbox.tab.settings"
		if tab != "" {
			href, key = mailboxPath+"?tab="+tab, "mailbox.tab."+tab
		}
		p.Tabs.Items = append(p.Tabs.Items, Tab{Label: r.T(key), Href: href, Current: tab == r.Address.Get("tab")})
	}
	return p
}

// mailSides says how sending and receiving stand.
func (s *Server) mailSides(r *Request) ([]systemRow, error) {
	settings, err := s.deps.Mailbox.Settings(r.Context())
	if err != nil {
		return nil, err
	}
	var rows []systemRow
	for _, side := range []struct {
		side   mailbox.Side
		server mailbox.Server
	}{{mailbox.Outgoing, settings.Sending}, {mailbox.Incoming, settings.Receiving}} {
		state, err := s.deps.Mailbox.State(r.Context(), side.side)
		if err != nil {
			return nil, err
		}
		row := systemRow{Name: r.T("mailbox.side." + string(side.side))}
		switch {
		case !side.server.On && s.deps.Demo && side.side == mailbox.Outgoing:
			row.Badge, row.Text = Badge{Icon: "eye", Word: r.T("mailbox.state.shown")}, r.T("mailbox.state.shown_text")
		case !side.server.On:
			row.Badge, row.Text = Badge{Icon: "ban", Word: r.T("mailbox.state.off")}, r.T("mailbox.state.off_text."+string(side.side))
		case state.At.IsZero():
			row.Badge, row.Text = Badge{Icon: "clock", Word: r.T("mailbox.state.untried")}, r.T("mailbox.state.untried_text", "server", side.server.Address())
		case state.Error == "":
			row.Badge, row.Text = Badge{Icon: "circle-check", Word: r.T("mailbox.state.well"), Tone: "good"}, r.T("mailbox.state.well_text", "server", side.server.Address(), "when", r.Relative(state.At, r.Now()))
		default:
			row.Badge, row.Text = Badge{Icon: "circle-alert", Word: r.T("mailbox.state.ill"), Tone: "critical"}, r.T("mailbox.state.ill_text", "server", side.server.Address(), "since", r.Relative(state.Since, r.Now()), "error", state.Error)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (r *Request) mailForm(m mailbox.Settings) *Form {
	check := func(on bool) string {
		if on {
			return "1"
		}
		return ""
	}
	if m.Site == "" {
		scheme := "http"
		if r.Server.deps.Secure {
			scheme = "https"
		}
		m.Site = scheme + "://" + r.Host
	}
	return r.Blank("site", m.Site, "address", m.Address, "name", m.Name, "folder", m.Folder, "per_hour", strconv.Itoa(m.PerHour), "digest_at", m.DigestAt,
		"sending_on", check(m.Sending.On), "sending_host", m.Sending.Host, "sending_port", strconv.Itoa(m.Sending.Port), "sending_security", string(m.Sending.Security),
		"sending_user", m.Sending.User, "sending_authority", m.Sending.Authority,
		"receiving_on", check(m.Receiving.On), "receiving_host", m.Receiving.Host, "receiving_port", strconv.Itoa(m.Receiving.Port), "receiving_security", string(m.Receiving.Security),
		"receiving_user", m.Receiving.User, "receiving_authority", m.Receiving.Authority)
}

func (s *Server) showMailbox(r *Request, status int, f, test *Form) error {
	p := s.mailFrame(r)
	var err error
	if p.Sides, err = s.mailSides(r); err != nil {
		return err
	}
	if test == nil {
		test = r.Blank("to", s.ownAddress(r))
	}
	p.Test, p.To = test, test.Input("email", "to", r.T("mailbox.test.to")).Must().AtMost(254)
	p.Form = f
	p.General = []Field{
		f.Text("site", r.T("mailbox.site")).Must().AtMost(200).Hinted(r.T("mailbox.site_hint")),
		f.Input("email", "address", r.T("mailbox.address")).Must().AtMost(200).Hinted(r.T("mailbox.address_hint")),
		f.Text("name", r.T("mailbox.name")).AtMost(200).Hinted(r.T("mailbox.name_hint")),
	}
	server := func(side string) (usual, trust []Field) {
		var secure []Option
		for _, sec := range mailbox.Securities {
			secure = append(secure, Option{Value: string(sec), Label: r.T("mailbox.security." + string(sec))})
		}
		usual = []Field{
			f.Check(side+"_on", r.T("mailbox."+side+"_on")),
			f.Text(side+"_host", r.T("mailbox.host")).AtMost(200),
			f.Input("number", side+"_port", r.T("mailbox.port")).Must(),
			f.Select(side+"_security", r.T("mailbox.security"), secure).Plain(),
			f.Text(side+"_user", r.T("mailbox.user")).AtMost(200).Fill("off"),
			f.Password(side+"_password", r.T("mailbox.password")).AtMost(200).Fill("new-password").Hinted(r.T("mailbox.password_hint")),
		}
		return usual, []Field{f.Area(side+"_authority", r.T("mailbox.authority")).Hinted(r.T("mailbox.authority_hint"))}
	}
	p.Sending, p.Trusted = server("sending")
	p.Receive, p.Heard = server("receiving")
	p.Sending = append(p.Sending,
		f.Input("number", "per_hour", r.T("mailbox.per_hour")).Must().Hinted(r.T("mailbox.per_hour_hint")),
		f.Input("time", "digest_at", r.T("mailbox.digest_at")).Must().Hinted(r.T("mailbox.digest_at_hint")))
	p.Receive = append(p.Receive, f.Text("folder", r.T("mailbox.folder")).AtMost(200))
	return mailboxView.show(r, status, p)
}

// ownAddress is the reader's own, when the directory knows it.
func (s *Server) ownAddress(r *Request) string {
	n, err := r.names()
	if err != nil {
		return ""
	}
	person, _ := n.places.Person(r.Who.Person)
	return person.Email
}

func (s *Server) saveMailbox(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	number := func(name string) int {
		n, err := strconv.Atoi(strings.TrimSpace(f.Get(name)))
		if err != nil {
			return 0 // refused beside its field
		}
		return n
	}
	server := func(side string) mailbox.Server {
		return mailbox.Server{
			On: f.Checked(side + "_on"), Host: f.Get(side + "_host"), Port: number(side + "_port"), Security: mailbox.Security(f.Get(side + "_security")),
			User: f.Get(side + "_user"), Password: f.Get(side + "_password"), Authority: f.Get(side + "_authority"),
		}
	}
	err = s.deps.Mailbox.Save(r.Context(), r.Who, mailbox.Settings{
		Site: f.Get("site"), Address: f.Get("address"), Name: f.Get("name"), Folder: f.Get("folder"), PerHour: number("per_hour"), DigestAt: f.Get("digest_at"),
		Sending: server("sending"), Receiving: server("receiving"),
	})
	if f.Refused(err) {
		return s.showMailbox(r, status(err), f, nil)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("mailbox.saved")}); err != nil {
		return err
	}
	return r.Redirect(mailboxPath)
}

func (s *Server) tryMail(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	err = s.deps.Notify.Try(r.Context(), r.Who, f.Get("to"), r.Printer)
	if f.Refused(err) {
		now, shownErr := s.deps.Mailbox.Shown(r.Context(), r.Who)
		if shownErr != nil {
			return shownErr
		}
		return s.showMailbox(r, status(err), r.mailForm(now), f)
	}
	if err != nil {
		return err
	}
	said := Notice{Text: r.T("mailbox.test.sent", "to", f.Get("to"))}
	settings, err := s.deps.Mailbox.Settings(r.Context())
	if err != nil {
		return err
	}
	if !settings.Sending.On {
		said = Notice{Text: r.T("mailbox.test.shown"), Link: &Link{Label: r.T("outbox.title"), Href: outboxPath}}
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect(mailboxPath)
}

// messageStates are how messages stand, with their look.
func (r *Request) messageState(e notify.Entry) Badge {
	b := Badge{Icon: "clock", Word: r.T("notify.state." + string(e.State))}
	switch e.State {
	case notify.Sent:
		b.Icon, b.Tone = "circle-check", "good"
	case notify.Failed:
		b.Icon, b.Tone = "circle-alert", "critical"
	case notify.Skipped:
		b.Icon = "ban"
	case notify.Outbox:
		b.Icon = "eye"
	case notify.Digested:
		b.Icon = "merge"
	case notify.Queued:
		if e.Tries > 0 {
			b.Icon, b.Tone, b.Word = "triangle-alert", "warning", r.N("notify.tried", e.Tries)
		}
	case notify.Held:
	}
	return b
}

// messageNote says why a message stands where it does.
func (r *Request) messageNote(e notify.Entry) string {
	switch {
	case e.Reason != "":
		return r.T("notify.reason." + e.Reason)
	case e.State == notify.Held:
		return r.T("notify.held_until", "when", e.DueAt)
	}
	return ""
}

func (s *Server) mailMessages(r *Request) error {
	p := s.mailFrame(r)
	list, err := s.deps.Notify.Lately(r.Context(), r.Who, "", 200)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		p.Empty = &EmptyState{Icon: "mail", Title: r.T("mailbox.messages.none"), Text: r.T("mailbox.messages.none_text"), Action: &Link{Label: r.T("mailbox.tab.settings"), Href: mailboxPath}}
		return mailboxView.show(r, http.StatusOK, p)
	}
	counts, err := s.deps.Notify.Counts(r.Context(), r.Who, r.Now().Add(-24*time.Hour))
	if err != nil {
		return err
	}
	p.Note = r.T("mailbox.messages.note", "sent", counts[notify.Sent]+counts[notify.Outbox], "queued", counts[notify.Queued], "held", counts[notify.Held], "failed", counts[notify.Failed])
	p.Table = r.messageTable(list, r.T("mailbox.tab.messages"))
	return mailboxView.show(r, http.StatusOK, p)
}

func (r *Request) messageTable(list []notify.Entry, caption string) *Table {
	t := &Table{Printer: r.Printer, Caption: caption, Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("mailbox.messages.what"), Lead: true}, {Label: r.T("mailbox.messages.to")}, {Label: r.T("mailbox.messages.incident")}, {Label: r.T("mailbox.messages.made")}, {Label: r.T("mailbox.messages.state")},
	}}
	for _, e := range list {
		state, made := r.messageState(e), r.Moment(e.CreatedAt)
		about := Cell{}
		if e.Incident != 0 {
			about = Cell{Text: r.T("mailbox.messages.number", "n", id(e.Incident)), Href: "/incidents/" + id(e.Incident), Aside: true}
		}
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{{Text: r.T("notify.kind." + e.Kind)}, {Text: e.Address}, about, {Moment: &made}, {Badge: &state, Note: r.messageNote(e)}}})
	}
	return t
}

func (s *Server) mailBounces(r *Request) error {
	p := s.mailFrame(r)
	list, err := s.deps.Notify.Bounces(r.Context(), r.Who)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		p.Empty = &EmptyState{Icon: "circle-check", Title: r.T("mailbox.bounces.none"), Text: r.T("mailbox.bounces.none_text")}
	}
	for _, b := range list {
		row := bounceRow{Address: b.Address, Reason: b.Reason, Last: r.Moment(b.LastAt), State: Badge{Icon: "triangle-alert", Word: r.N("mailbox.bounces.some", b.Bounces), Tone: "warning"}}
		if b.Permanent {
			row.State = Badge{Icon: "ban", Word: r.T("mailbox.bounces.stopped"), Tone: "critical"}
		}
		p.Bounces = append(p.Bounces, row)
	}
	p.Note = r.T("mailbox.bounces.note")
	return mailboxView.show(r, http.StatusOK, p)
}

func (s *Server) trustAddress(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if err := s.deps.Notify.Trust(r.Context(), r.Who, f.Get("address")); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("mailbox.bounces.trusted", "address", f.Get("address"))}); err != nil {
		return err
	}
	return r.Redirect(mailboxPath + "?tab=bounces")
}

// roleModes are the choices of a role that chose nothing.
type roleModes struct {
	Title  string
	Role   string
	Groups []wishGroup
}

func (s *Server) showMailDefaults(r *Request, status int, f *Form) error {
	p := s.mailFrame(r)
	for k := range p.Tabs.Items {
		p.Tabs.Items[k].Current = k == 3
	}
	standing, err := s.deps.Notify.Standing(r.Context(), r.Who)
	if err != nil {
		return err
	}
	for _, role := range auth.Roles {
		row := roleModes{Title: r.T("role." + string(role)), Role: string(role)}
		for _, g := range notify.GroupsOf(role) {
			group := wishGroup{Title: r.T("notify.group." + g.Name)}
			for _, topic := range g.Topics {
				group.Topics = append(group.Topics, r.wish(string(role)+"."+string(topic), topic, standing[role][topic]))
			}
			row.Groups = append(row.Groups, group)
		}
		p.Roles = append(p.Roles, row)
	}
	p.Form = f
	p.Note = r.T("mailbox.defaults.note")
	return mailboxView.show(r, status, p)
}

func (s *Server) saveMailDefaults(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	role := auth.Role(f.Get("role"))
	modes := map[notify.Topic]notify.Mode{}
	for _, g := range notify.GroupsOf(role) {
		for _, topic := range g.Topics {
			if mode := f.Get(string(role) + "." + string(topic)); mode != "" {
				modes[topic] = notify.Mode(mode)
			}
		}
	}
	err = s.deps.Notify.SetStanding(r.Context(), r.Who, role, modes)
	if f.Refused(err) {
		return s.showMailDefaults(r, status(err), f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("web.saved")}); err != nil {
		return err
	}
	return r.Redirect(mailboxPath + "?tab=defaults")
}
