package web

import (
	"net/http"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// accountPage is « Mon compte »: what one decides for oneself.
type accountPage struct {
	Page

	Reach     string // the role in a sentence
	Look      *Form
	Locale    Field
	Theme     Field
	Secrets   *Form
	Former    Field
	Password  Field
	Outside   string // who vouches for the account, "" for its password
	Factor    string // its second factor, "" if it has none
	MayToken  bool
	Tokens    []tokenRow
	TokenForm *Form
	Label     Field
	Life      Field
	Fresh     string // a token just made: shown once
}

type tokenRow struct {
	ID      int64
	Label   string
	Made    string
	Ends    string
	Used    string
	Revoked bool
}

var accountView = newView[accountPage]("page_account.html", shell)

func (s *Server) accountRoutes() {
	s.page("GET /account", s.account)
	s.page("POST /account/look", s.saveLook)
	s.page("POST /account/password", s.changePassword)
	s.page("POST /account/tokens", s.createToken, needs(auth.ExportData))
	s.page("GET /account/tokens/{id}/revoke", s.confirmRevoke)
	s.page("POST /account/tokens/{id}/revoke", s.revokeToken)
	s.navEntry(entry{order: 900, key: "web.nav.account", icon: "circle-user", href: "/account", phone: true, roles: []auth.Role{auth.Declarant}})
	s.findPages()
}

// accountForms are the page's forms; the one that was refused takes the place
// of its blank.
type accountForms struct {
	secrets, token *Form
	fresh          string
}

func (s *Server) account(r *Request) error {
	return s.showAccount(r, http.StatusOK, accountForms{})
}

func (s *Server) showAccount(r *Request, status int, forms accountForms) error {
	look := r.Blank("locale", r.Who.Locale, "theme", r.Who.Theme)
	if forms.secrets == nil {
		forms.secrets = r.Blank()
	}
	if forms.token == nil {
		forms.token = r.Blank("life", "365")
	}
	p := &accountPage{
		Page:  Page{Title: r.T("web.nav.account"), Lede: Legend(r.Who.Name, r.Who.Login, r.T("role."+string(r.Who.Role)))},
		Reach: r.T("role.reach." + string(r.Who.Role)),
		Look:  look,
		Locale: look.Choices("locale", r.T("web.account.language"), []Option{
			{Value: "", Label: r.T("web.account.language.auto"), Icon: "languages"},
			{Value: "fr", Label: r.T("web.language.fr")},
			{Value: "en", Label: r.T("web.language.en")},
		}).Plain(),
		Theme: look.Choices("theme", r.T("web.account.theme"), []Option{
			{Value: "", Label: r.T("web.account.theme.auto"), Icon: "monitor"},
			{Value: "light", Label: r.T("web.account.theme.light"), Icon: "sun"},
			{Value: "dark", Label: r.T("web.account.theme.dark"), Icon: "moon"},
		}).Plain(),
		Secrets:   forms.secrets,
		Former:    forms.secrets.Password("former", r.T("web.account.password.former")).Must().Fill("current-password"),
		Password:  forms.secrets.Password("password", r.T("web.account.password.new")).Must().Fill("new-password").Hinted(r.T("login.password_hint", "min", auth.MinPassword)),
		MayToken:  r.Who.Can(auth.ExportData),
		TokenForm: forms.token,
		Label:     forms.token.Text("label", r.T("web.account.token.label")).Must().AtMost(100).Example(r.T("web.account.token.example")),
		Life: forms.token.Select("life", r.T("web.account.token.life"), []Option{
			{Value: "30", Label: r.N("date.days", 30)}, {Value: "90", Label: r.N("date.days", 90)}, {Value: "365", Label: r.N("date.days", 365)},
			{Value: "0", Label: r.T("web.account.token.for_ever")},
		}).Plain(),
		Fresh: forms.fresh,
	}
	if r.Who.Provider != auth.ByPassword {
		p.Outside = r.T("access.outside." + string(r.Who.Provider))
	}
	if r.Who.Factor {
		state, err := s.deps.Auth.FactorOf(r.Context(), r.Who, r.Who.Account)
		if err != nil {
			return err
		}
		p.Factor = Legend(r.T("access.factor.since", "day", r.Date(state.Since)), r.N("access.recovery.left", state.Recovery))
	}
	if !p.MayToken {
		return accountView.show(r, status, p)
	}
	tokens, err := s.deps.Auth.Tokens(r.Context(), r.Who, r.Who.Account)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		row := r.tokenRow(t)
		if !row.Revoked {
			p.Tokens = append(p.Tokens, row)
		}
	}
	return accountView.show(r, status, p)
}

func (s *Server) saveLook(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	if err := s.deps.Auth.SetPreferences(r.Context(), r.Who, f.Get("locale"), f.Get("theme")); err != nil {
		return err
	}
	if lang := locale.Lang(f.Get("locale")); lang.Valid() {
		r.Printer = locale.For(lang, r.Location())
	}
	if err := r.Say(Notice{Text: r.T("web.saved"), Undo: &Undo{Action: "/account/look", Values: map[string]string{"locale": r.Who.Locale, "theme": r.Who.Theme}}}); err != nil {
		return err
	}
	return r.Redirect("/account")
}

func (s *Server) changePassword(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	id, err := s.deps.Auth.ChangePassword(r.Context(), r.Who, f.Get("former"), f.Get("password"))
	if f.Refused(err) {
		return s.showAccount(r, status(err), accountForms{secrets: f})
	}
	if err != nil {
		return err
	}
	if err := s.deps.Sessions.SignIn(r.Context(), id); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("web.account.password.changed")}); err != nil {
		return err
	}
	return r.Redirect("/account")
}

func (s *Server) createToken(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(f.Get("life"))
	if err != nil || days < 0 || days > 3650 {
		return fault.InvalidField("life", "error.field.range", "min", 0, "max", 3650)
	}
	secret, _, err := s.deps.Auth.CreateToken(r.Context(), r.Who, r.Who.Account, f.Get("label"), time.Duration(days)*24*time.Hour)
	if f.Refused(err) {
		return s.showAccount(r, status(err), accountForms{token: f})
	}
	if err != nil {
		return err
	}
	// Shown by this answer and never again, hence no redirection.
	return s.showAccount(r, http.StatusOK, accountForms{fresh: secret})
}

func (s *Server) confirmRevoke(r *Request) error {
	tokens, err := s.deps.Auth.Tokens(r.Context(), r.Who, r.Who.Account)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if strconv.FormatInt(t.ID, 10) == r.PathValue("id") && t.RevokedAt.IsZero() {
			return r.Confirm(Confirm{
				Title: r.T("web.account.token.revoke_title", "label", t.Label), Text: r.T("web.account.token.revoke_text"),
				Verb: r.T("web.account.token.revoke"), Action: r.URL.Path, Cancel: "/account",
				Crumbs: []Link{{Label: r.T("web.nav.account"), Href: "/account"}},
			})
		}
	}
	return fault.New(fault.NotFound, "error.not_found")
}

func (s *Server) revokeToken(r *Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "error.not_found")
	}
	if err := s.deps.Auth.RevokeToken(r.Context(), r.Who, id); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("web.account.token.revoked")}); err != nil {
		return err
	}
	return r.Redirect("/account")
}
