package web

import (
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/directory"
	"statincidents/internal/fault"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/intake/mail/parse"
)

// mailMessagePage shows one message, inert: its words, and nothing that it
// would run, fetch or draw. Beside it, what can be done with it.
type mailMessagePage struct {
	Page

	Path    string
	State   Badge
	Why     string
	Error   string
	Facts   []mailFact
	Parts   []mailPart
	Invited string
	Files   []mailFile
	Flaws   []string
	Made    *Link
	Sorts   bool // waits for a person
	Back    bool // can be given back to sort

	Incident struct {
		Form          *Form
		Title, Text   Field
		School        Field
		Remember      *Field
		Name, Kind    Field
		RememberKnown string
	}
	Attach struct {
		Form   *Form
		Number Field
		Target *Link
		ID     string
	}
	Refuse struct {
		Form  *Form
		Block Field
	}
}

type mailFact struct{ Label, Text string }

type mailPart struct {
	Folded bool
	Label  string
	Text   string
}

type mailFile struct{ Name, Note string }

var mailMessageView = newView[mailMessagePage]("page_mail_message.html", shell)

func (s *Server) mailMessage(r *Request) error { return s.showMail(r, http.StatusOK, nil, nil, nil) }

// shownText is how much of a message is shown on its page, in bytes.
const shownText = 100_000

func (s *Server) showMail(r *Request, status int, incident, attach, refuse *Form) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	row, err := s.deps.Mail.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	m, err := s.deps.Mail.Parsed(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &mailMessagePage{Page: Page{Title: row.Subject, Crumbs: []Link{{Label: r.T("mailin.page.title"), Href: mailPath}}}, Path: mailPath + "/" + id(number)}
	if p.Title == "" {
		p.Title = r.T("mailin.page.no_subject")
	}
	p.State, p.Why, p.Error, p.Made = mailBadge(r, row.State), r.mailWhy(&row), row.Error, r.mailMade(&row)
	p.Sorts = row.State == mailin.Quarantined || row.State == mailin.Failed
	p.Back = row.State == mailin.Refused && row.Reason != mailin.ReasonTooLarge
	p.read(r, &row, m)
	if p.Sorts {
		if err := p.offerSorting(r, n, &row, m, incident, attach, refuse); err != nil {
			return err
		}
	}
	return mailMessageView.show(r, status, p)
}

// read puts a message's words in place.
func (p *mailMessagePage) read(r *Request, row *mailin.Message, m *parse.Message) {
	fact := func(key, text string) {
		if text != "" {
			p.Facts = append(p.Facts, mailFact{r.T("mailin.page." + key), text})
		}
	}
	list := func(people []parse.Address) string {
		var names []string
		for i, a := range people {
			if i == 10 {
				names = append(names, "…")
				break
			}
			names = append(names, a.String())
		}
		return strings.Join(names, ", ")
	}
	fact("from", m.From.String())
	if m.ReplyTo.Email != m.From.Email {
		fact("reply_to", m.ReplyTo.Email)
	}
	fact("to", list(m.To))
	fact("cc", list(m.Cc))
	if !m.Date.IsZero() {
		fact("sent", r.DateTime(m.Date))
	}
	fact("received", r.DateTime(row.ReceivedAt))
	fact("size", r.Bytes(row.Size))
	shown := 0
	for _, part := range m.Body {
		text := strings.Trim(part.Text, "\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		if shown += len(text); shown > shownText {
			p.Parts = append(p.Parts, mailPart{Text: r.T("mailin.note.cut")})
			break
		}
		folded := part.Kind == parse.Quoted || part.Kind == parse.Signature
		p.Parts = append(p.Parts, mailPart{Folded: folded, Label: r.T("mailin.page.part." + string(part.Kind)), Text: text})
	}
	if m.Invitation != nil {
		p.Invited = m.Invitation.Text(r.Location())
	}
	for _, f := range m.Files {
		note := r.Bytes(int64(len(f.Content)))
		if f.Refused != "" {
			note = r.T("mailin.note."+f.Refused, "name", f.Name)
		}
		p.Files = append(p.Files, mailFile{f.Name, note})
	}
	for _, f := range m.Flaws {
		p.Flaws = append(p.Flaws, r.T("mailin.flaw."+string(f)))
	}
}

// offerSorting makes the forms of what can be done with a message that waits.
func (p *mailMessagePage) offerSorting(r *Request, n *names, row *mailin.Message, m *parse.Message, incident, attach, refuse *Form) error {
	s := r.Server
	f := incident
	if f == nil {
		draft, err := s.deps.Mail.Draft(r.Context(), r.Who, row.ID)
		if err != nil {
			return err
		}
		f = r.Blank("title", draft.Title, "description", draft.Description, "name", m.From.Name, "kind", string(directory.Teacher))
		if draft.School != 0 {
			f.values.Set("school", id(draft.School))
		}
		if row.Person == 0 {
			f.values.Set("remember", "1")
		}
	}
	p.Incident.Form = f
	p.Incident.Title = f.Text("title", r.T("incident.field.title")).Must().AtMost(200)
	p.Incident.School = f.Select("school", r.T("cube.dim.school"), n.schoolOptions(r.Scope(), r.T("common.choose"))).Must()
	p.Incident.Text = f.Area("description", r.T("incident.field.description"))
	if row.Person == 0 && row.From.Email != "" {
		remember := f.Check("remember", r.T("mailin.page.remember", "address", row.From.Email)).Hinted(r.T("mailin.page.remember_hint"))
		p.Incident.Remember = &remember
		p.Incident.Name = f.Text("name", r.T("directory.admin.person.name")).Plain().AtMost(200)
		var kinds []Option
		for _, k := range r.personKinds() {
			if k.Value != string(directory.Staff) {
				kinds = append(kinds, k)
			}
		}
		p.Incident.Kind = f.Select("kind", r.T("directory.admin.person.kind"), kinds).Plain()
	} else if row.Person != 0 {
		p.Incident.RememberKnown = r.T("mailin.page.known", "who", n.places.PersonName(row.Person))
	}

	a := attach
	if a == nil {
		a = r.Blank()
		target := r.Address.Get("incident")
		if target == "" && row.Incident != 0 {
			target = id(row.Incident)
		}
		a.values.Set("incident", strings.TrimLeft(target, "#"))
	}
	p.Attach.Form = a
	p.Attach.Number = a.Text("incident", r.T("mailin.page.number")).Plain().AtMost(20)
	p.Attach.Number.Mode = "numeric"
	if number, err := strconv.ParseInt(a.Get("incident"), 10, 64); err == nil && number > 0 {
		i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
		switch {
		case err == nil:
			p.Attach.ID = id(i.ID)
			p.Attach.Target = &Link{Label: Legend(r.T("incident.number", "number", id(i.ID)), i.Title, n.place(i), r.T("state."+string(i.State))), Href: "/incidents/" + id(i.ID)}
		case fault.Is(err, fault.NotFound) && attach == nil:
			a.Refused(fault.InvalidField("incident", "error.incident.not_found"))
			p.Attach.Number = a.Text("incident", r.T("mailin.page.number")).Plain().AtMost(20)
		case !fault.Is(err, fault.NotFound):
			return err
		}
	}

	b := refuse
	if b == nil {
		b = r.Blank()
	}
	p.Refuse.Form = b
	options := []Option{{Label: r.T("mailin.page.refuse_this")}}
	if row.From.Email != "" {
		options = append(options, Option{Value: row.From.Email, Label: r.T("mailin.page.refuse_sender", "sender", row.From.Email)})
		if domain := row.From.Domain(); domain != "" {
			options = append(options, Option{Value: "@" + domain, Label: r.T("mailin.page.refuse_domain", "domain", domain)})
		}
	}
	p.Refuse.Block = b.Choices("block", r.T("mailin.page.refuse_what"), options).Plain()
	return nil
}

// mailRaw gives a message as it came, to be kept, never to be shown.
func (s *Server) mailRaw(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	raw, err := s.deps.Mail.Raw(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	h := r.W.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="message-`+id(number)+`.eml"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	_, err = r.W.Write(raw) //nolint:gosec // a file to be kept: octet-stream, attachment, nosniff
	return err
}

// sorted goes on after a message was sorted: to the list, with a sentence.
func (r *Request) sorted(n Notice) error {
	if err := r.Say(n); err != nil {
		return err
	}
	return r.Redirect(mailPath)
}

func (s *Server) mailIncident(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	i, err := s.deps.Mail.MakeIncident(r.Context(), r.Who, number, mailin.NewIncident{
		Title: f.Get("title"), Description: f.Get("description"), School: f.ID("school"),
		Remember: f.Checked("remember"), Name: f.Get("name"), Kind: directory.PersonKind(f.Get("kind")),
	})
	if fault.Is(err, fault.Invalid) && f.Refused(err) {
		return s.showMail(r, status(err), f, nil, nil)
	}
	if err != nil {
		return err
	}
	return r.sorted(Notice{
		Text: r.T("mailin.page.made"), Link: &Link{Label: r.T("incident.number", "number", id(i.ID)), Href: "/incidents/" + id(i.ID)},
		Undo: &Undo{Action: mailPath + "/" + id(number) + "/back"},
	})
}

func (s *Server) mailAttach(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	i, err := s.deps.Mail.AttachTo(r.Context(), r.Who, number, f.ID("incident"))
	if fault.Is(err, fault.Invalid) && f.Refused(err) {
		return s.showMail(r, status(err), nil, f, nil)
	}
	if err != nil {
		return err
	}
	return r.sorted(Notice{Text: r.T("mailin.page.attached"), Link: &Link{Label: r.T("incident.number", "number", id(i.ID)), Href: "/incidents/" + id(i.ID)}})
}

func (s *Server) mailRefuse(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := s.deps.Mail.Refuse(r.Context(), r.Who, []int64{number}, f.Get("block"))
	if fault.Is(err, fault.Invalid) && f.Refused(err) {
		return s.showMail(r, status(err), nil, nil, f)
	}
	if err != nil {
		return err
	}
	text := r.N("mailin.page.refused", n)
	if block := f.Get("block"); block != "" {
		text += " " + r.T("mailin.page.blocked", "sender", block)
	}
	return r.sorted(Notice{Text: text, Undo: &Undo{Action: mailPath + "/" + id(number) + "/back", Values: map[string]string{"unblock": f.Get("block")}}})
}

// mailBack takes back what was done with a message: it waits again.
func (s *Server) mailBack(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := s.deps.Mail.GiveBack(r.Context(), r.Who, []int64{number})
	if err != nil {
		return err
	}
	if sender := f.Get("unblock"); sender != "" {
		if err := s.deps.Mail.Unblock(r.Context(), r.Who, sender); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return r.sorted(Notice{Text: r.N("mailin.page.given_back", n)})
}

func (s *Server) mailReplay(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	n, err := s.deps.Mail.Replay(r.Context(), r.Who, []int64{number})
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.N("mailin.page.replayed", n)}); err != nil {
		return err
	}
	return r.Redirect(mailPath + "/" + id(number))
}
