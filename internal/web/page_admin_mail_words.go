package web

import (
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
	"statincidents/internal/notify"
)

// mailWordsPage is where the words of one kind of message are changed.
type mailWordsPage struct {
	Page

	Form      *Form
	Lang      string
	Subject   Field
	Body      Field
	Languages Tabs
	Variables []string
	Own       bool
	Action    string
	// How a reader would see it.
	Shown     string
	ShownBody notify.Body
}

var mailWordsView = newView[mailWordsPage]("page_admin_mail_words.html", shell)

func (s *Server) adminMailWordsRoutes() {
	manage := needs(auth.ManageAccounts)
	s.page("GET /admin/mail/words/{kind}", s.editMailWords, manage)
	s.page("POST /admin/mail/words/{kind}", s.saveMailWords, manage)
	s.page("POST /admin/mail/words/{kind}/reset", s.resetMailWords, manage)
}

func (s *Server) mailWords(r *Request) error {
	p := s.mailFrame(r)
	own, err := s.deps.Notify.OwnWords(r.Context())
	if err != nil {
		return err
	}
	p.Note = r.T("mailbox.words.note")
	p.Table = &Table{Printer: r.Printer, Caption: r.T("mailbox.tab.words"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("mailbox.messages.what"), Lead: true}, {Label: r.T("mailbox.words.subject"), Wrap: true}, {Label: r.T("mailbox.words.whose")},
	}}
	for _, kind := range notify.Kinds {
		words, err := s.deps.Notify.WordsOf(r.Context(), kind, r.Lang())
		if err != nil {
			return err
		}
		whose := Badge{Icon: "mail", Word: r.T("mailbox.words.product")}
		if len(own[kind]) > 0 {
			whose = Badge{Icon: "pencil", Word: r.T("mailbox.words.own")}
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Text: r.T("notify.kind." + kind), Href: mailboxPath + "/words/" + kind}, {Text: words.Subject}, {Badge: &whose}}})
	}
	return mailboxView.show(r, http.StatusOK, p)
}

// wordsAsked is the kind and the language of the address.
func (r *Request) wordsAsked() (kind string, lang locale.Lang, err error) {
	kind, lang = r.PathValue("kind"), locale.Lang(r.FormValue("lang"))
	if !lang.Valid() {
		lang = r.Lang()
	}
	if !slices.Contains(notify.Kinds, kind) {
		return "", "", fault.New(fault.NotFound, "error.not_found")
	}
	return kind, lang, nil
}

func (s *Server) editMailWords(r *Request) error {
	kind, lang, err := r.wordsAsked()
	if err != nil {
		return err
	}
	w, err := s.deps.Notify.WordsOf(r.Context(), kind, lang)
	if err != nil {
		return err
	}
	return s.showMailWords(r, http.StatusOK, w, r.Blank("subject", w.Subject, "body", w.Body))
}

func (s *Server) showMailWords(r *Request, status int, w notify.Words, f *Form) error {
	path := mailboxPath + "/words/" + w.Kind
	p := &mailWordsPage{
		Page: Page{Title: r.T("notify.kind." + w.Kind), Lede: r.T("mailbox.words.lede"), Crumbs: append(r.adminCrumbs(), Link{Label: r.T("mailbox.title"), Href: mailboxPath + "?tab=words"})},
		Form: f, Own: w.Own, Action: path, Variables: notify.VariablesOf(w.Kind), Lang: string(w.Lang),
		Subject:   f.Text("subject", r.T("mailbox.words.subject")).Must().AtMost(notify.MaxWordsSubject),
		Body:      f.Area("body", r.T("mailbox.words.body")).Must().AtMost(notify.MaxWordsBody).Hinted(r.T("mailbox.words.body_hint")),
		Languages: Tabs{Label: r.T("web.account.language")},
	}
	for _, lang := range locale.Langs {
		p.Languages.Items = append(p.Languages.Items, Tab{Label: r.T("web.language." + string(lang)), Href: path + "?lang=" + string(lang), Current: lang == w.Lang})
	}
	p.Shown, p.ShownBody = s.deps.Notify.Preview(notify.Words{Kind: w.Kind, Lang: w.Lang, Subject: f.Get("subject"), Body: strings.ReplaceAll(f.Get("body"), "\r\n", "\n")}, locale.For(w.Lang, r.Location()))
	return mailWordsView.show(r, status, p)
}

func (s *Server) saveMailWords(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	kind, lang, err := r.wordsAsked()
	if err != nil {
		return err
	}
	w := notify.Words{Kind: kind, Lang: lang, Subject: f.Get("subject"), Body: f.Get("body"), Own: true}
	if f.Checked("preview") {
		err = notify.CheckWords(notify.Words{Kind: kind, Lang: lang, Subject: strings.TrimSpace(w.Subject), Body: strings.TrimSpace(strings.ReplaceAll(w.Body, "\r\n", "\n"))})
		if err == nil {
			return s.showMailWords(r, http.StatusOK, w, f)
		}
	} else {
		err = s.deps.Notify.SaveWords(r.Context(), r.Who, w)
	}
	if f.Refused(err) {
		return s.showMailWords(r, status(err), w, f)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("mailbox.words.saved")}); err != nil {
		return err
	}
	return r.Redirect(mailboxPath + "/words/" + kind + "?lang=" + string(lang))
}

func (s *Server) resetMailWords(r *Request) error {
	if _, err := r.Typed(); err != nil {
		return err
	}
	kind, lang, err := r.wordsAsked()
	if err != nil {
		return err
	}
	was, err := s.deps.Notify.WordsOf(r.Context(), kind, lang)
	if err != nil {
		return err
	}
	if err := s.deps.Notify.ResetWords(r.Context(), r.Who, kind, lang); err != nil {
		return err
	}
	back := mailboxPath + "/words/" + kind
	said := Notice{Text: r.T("mailbox.words.reset_done")}
	if was.Own {
		said.Undo = &Undo{Action: back, Values: map[string]string{"lang": string(lang), "subject": was.Subject, "body": was.Body}}
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect(back + "?lang=" + string(lang))
}
