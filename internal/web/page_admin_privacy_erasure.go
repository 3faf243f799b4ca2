package web

import (
	"net/http"
	"strconv"

	"statincidents/internal/fault"
	"statincidents/internal/privacy"
)

// erasurePage shows an erasure: being looked for, to be confirmed, at work,
// done.
type erasurePage struct {
	Page

	State    Badge
	Text     string
	Progress *Progress
	Lists    []factList
	Warnings []warning
	Guesses  []guessRow
	More     string
	Form     *Form
	Confirm  *Field
	Files    *Field
	Path     string
	Cancel   bool
}

type factList struct {
	Title string
	Facts []string
}

type warning struct {
	Text string
	Link *Link
}

type guessRow struct {
	Number        string
	Place, Around string
	Text, Href    string
	Chosen        bool
}

var erasureView = newView[erasurePage]("page_admin_privacy_erasure.html", shell)

const erasuresPath = privacyPath + "/erasures"

func (r *Request) erasureBadge(state privacy.State) Badge {
	b := Badge{Icon: "clock", Word: r.T("privacy.state." + string(state))}
	switch state {
	case privacy.Done:
		b.Icon, b.Tone = "circle-check", "good"
	case privacy.Ready:
		b.Icon, b.Tone = "circle-help", "warning"
	}
	return b
}

func (s *Server) erasures(r *Request) error {
	p := r.privacyPage("erasures")
	list, err := s.deps.Privacy.Erasures(r.Context(), r.Who)
	if err != nil {
		return err
	}
	accounts, err := s.deps.Auth.Names(r.Context())
	if err != nil {
		return err
	}
	if len(list) == 0 {
		p.Empty = &EmptyState{Icon: "user-check", Title: r.T("privacy.erasures.none"), Text: r.T("privacy.erasures.none_text"), Action: &Link{Label: r.T("privacy.tab.people"), Href: privacyPath}}
		return privacyView.show(r, http.StatusOK, p)
	}
	p.Table = &Table{Printer: r.Printer, Caption: r.T("privacy.tab.erasures"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("privacy.erasures.number"), Lead: true}, {Label: r.T("privacy.erasures.state")}, {Label: r.T("privacy.erasures.asked")}, {Label: r.T("privacy.erasures.ended")}, {Label: r.T("privacy.erasures.by")},
	}}
	for _, e := range list {
		badge, asked := r.erasureBadge(e.State), r.Moment(e.AskedAt)
		name := e.Name()
		if e.State != privacy.Done && e.Who.Name != "" {
			name = e.Who.Name
		}
		ended := Cell{}
		if !e.EndedAt.IsZero() {
			at := r.Moment(e.EndedAt)
			ended.Moment = &at
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: name, Href: erasuresPath + "/" + id(e.ID)}, {Badge: &badge}, {Moment: &asked}, ended, {Text: r.askedBy(e, accounts)}}})
	}
	return privacyView.show(r, http.StatusOK, p)
}

func (s *Server) prepareErasure(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	e, err := s.deps.Privacy.Prepare(r.Context(), r.Who, f.Get("who"))
	if err != nil {
		return err
	}
	return r.Redirect(erasuresPath + "/" + id(e.ID))
}

func (s *Server) erasure(r *Request) error {
	e, err := s.erasureOf(r)
	if err != nil {
		return err
	}
	return s.showErasure(r, http.StatusOK, e, r.Blank("files", "1"))
}

func (s *Server) erasureOf(r *Request) (privacy.Erasure, error) {
	number, err := r.pathID()
	if err != nil {
		return privacy.Erasure{}, err
	}
	return s.deps.Privacy.Erasure(r.Context(), r.Who, number)
}

func (s *Server) showErasure(r *Request, status int, e privacy.Erasure, f *Form) error {
	title := r.T("privacy.erase.title", "name", e.Who.Name)
	if e.State == privacy.Done {
		title = e.Name()
	}
	p := &erasurePage{
		Page:  Page{Title: title, Crumbs: r.adminCrumbs(Link{Label: r.T("privacy.title"), Href: privacyPath}, Link{Label: r.T("privacy.tab.erasures"), Href: erasuresPath})},
		State: r.erasureBadge(e.State), Path: erasuresPath + "/" + id(e.ID), Cancel: e.State == privacy.Searching || e.State == privacy.Ready,
	}
	c := e.Counts
	switch e.State {
	case privacy.Searching, privacy.Running:
		p.Text = r.T("privacy.erase." + string(e.State))
		p.Progress = &Progress{ID: "erasure", Label: p.State.Word, Done: int(min(c.Seen, c.Total)), Total: int(c.Total), Said: r.T("privacy.erase.progress", "done", min(c.Seen, c.Total), "total", c.Total)}
		r.W.Header().Set("Refresh", "3")
	case privacy.Done:
		p.Text = r.T("privacy.erase.done")
		if c.Left > 0 {
			p.Warnings = []warning{{Text: r.N("privacy.erase.left", int(c.Left))}}
		}
		p.Lists = []factList{{r.T("privacy.erase.report"), r.erasureFacts(e)}}
	case privacy.Ready:
		s.preview(r, p, e, f)
	}
	return erasureView.show(r, status, p)
}

// erasureFacts counts what goes.
func (r *Request) erasureFacts(e privacy.Erasure) []string {
	var facts []string
	if e.Account != 0 && e.Who.Login != "" {
		facts = append(facts, r.T("privacy.erase.account", "login", e.Who.Login))
	}
	if e.Person != 0 && e.State == privacy.Ready {
		facts = append(facts, r.T("privacy.erase.card"))
	}
	c := e.Counts
	for _, part := range []struct {
		key string
		n   int64
	}{{"sessions", c.Sessions}, {"tokens", c.Tokens}, {"mails", c.Mails}, {"raws", c.Raws}, {"letters", c.Letters}, {"events", c.Events}, {"texts", c.Texts}} {
		if part.n > 0 {
			facts = append(facts, r.N("privacy.erase."+part.key, int(part.n)))
		}
	}
	return facts
}

// preview says what goes, what stays without a name, what stays and why.
func (s *Server) preview(r *Request, p *erasurePage, e privacy.Erasure, f *Form) {
	c := e.Counts
	changed := []string{r.T("privacy.erase.as", "name", e.Name())}
	if c.Declared > 0 {
		changed = append(changed, r.N("privacy.erase.declared", int(c.Declared)))
	}
	if c.Handled > 0 {
		changed = append(changed, r.N("privacy.erase.handled", int(c.Handled)))
	}
	p.Lists = []factList{
		{r.T("privacy.erase.gone"), r.erasureFacts(e)},
		{r.T("privacy.erase.changed"), changed},
		{r.T("privacy.erase.kept"), []string{r.T("privacy.erase.kept.story"), r.T("privacy.erase.kept.stock"), r.T("privacy.erase.kept.chain"), r.T("privacy.erase.kept.backup")}},
	}
	if c.Open > 0 {
		p.Warnings = append(p.Warnings, warning{r.N("privacy.erase.open", int(c.Open)), &Link{Label: r.T("privacy.erase.open_link"), Href: "/incidents?open=yes&assignee=" + id(e.Person)}})
	}
	if len(e.Who.Shared) > 0 {
		p.Warnings = append(p.Warnings, warning{Text: r.T("privacy.erase.shared", "names", r.List(e.Who.Shared))})
	}
	chosen := map[string]bool{}
	for _, v := range f.All("guess") {
		chosen[v] = true
	}
	for k, g := range e.Guesses {
		row := guessRow{Number: strconv.Itoa(k), Place: privacy.Place(r.Printer, g.Kind()) + " " + g.ID(), Around: g.Around, Text: g.Text, Chosen: chosen[strconv.Itoa(k)]}
		switch g.Kind() {
		case "incident":
			row.Href = "/incidents/" + g.ID()
		case "visit":
			row.Href = "/visits/" + g.ID()
		}
		p.Guesses = append(p.Guesses, row)
	}
	if more := int(c.Guesses) - len(e.Guesses); more > 0 {
		p.More = r.N("privacy.erase.more", more)
	}
	if c.Files > 0 {
		files := f.Check("files", r.T("privacy.erase.files")).Hinted(r.N("privacy.erase.files_hint", int(c.Files)))
		p.Files = &files
	}
	confirm := f.Text("confirmation", r.T("privacy.erase.confirmation", "expected", e.Who.Confirmation())).Must().Fill("off").AtMost(300)
	p.Form, p.Confirm = f, &confirm
}

func (s *Server) confirmErasure(r *Request) error {
	e, err := s.erasureOf(r)
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	in := privacy.Decision{Confirmation: f.Get("confirmation"), Files: f.Checked("files")}
	for _, v := range f.All("guess") {
		k, err := strconv.Atoi(v)
		if err != nil {
			return fault.New(fault.Invalid, "error.field.unknown")
		}
		in.Guesses = append(in.Guesses, k)
	}
	err = s.deps.Privacy.Confirm(r.Context(), r.Who, e.ID, in)
	if f.Refused(err) {
		return s.showErasure(r, status(err), e, f)
	}
	if err != nil {
		return err
	}
	return r.Redirect(erasuresPath + "/" + id(e.ID))
}

func (s *Server) cancelErasure(r *Request) error {
	e, err := s.erasureOf(r)
	if err != nil {
		return err
	}
	if err := s.deps.Privacy.Cancel(r.Context(), r.Who, e.ID); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("privacy.erase.cancelled")}); err != nil {
		return err
	}
	return r.Redirect(privacyPath)
}

// askedBy is who began an erasure.
func (r *Request) askedBy(e privacy.Erasure, accounts map[int64]string) string {
	if e.Left {
		return r.T("privacy.erasures.left")
	}
	return accounts[e.By]
}
