package web

import (
	"cmp"
	"net/http"

	"statincidents/internal/fault"
)

type loginPage struct {
	Page

	Form     *Form
	Next     string
	Login    Field
	Password Field
	Provider *Link // to sign in at the identity provider, if there is one
}

var loginView = newView[loginPage]("page_login.html", door)

func (s *Server) loginRoutes() {
	s.page("GET /login", s.login, public())
	s.page("POST /login", s.signIn, public())
	s.page("POST /logout", s.signOut, unfactored())
}

func (s *Server) login(r *Request) error {
	if r.SignedIn {
		return r.Redirect(r.next())
	}
	if s.deps.FirstRun != nil {
		if needed, err := s.deps.FirstRun.Needed(r.Context()); err != nil || needed {
			if err != nil {
				return err
			}
			return r.Redirect("/first-run")
		}
	}
	return s.showLogin(r, http.StatusOK, r.Blank())
}

func (s *Server) showLogin(r *Request, status int, f *Form) error {
	login := f.Text("login", r.T("login.login")).Must().Fill("username")
	password := f.Password("password", r.T("login.password")).Must().Fill("current-password")
	login.Focus = f.Get("login") == ""
	password.Focus = !login.Focus
	p := &loginPage{Page: Page{Title: r.T("login.title")}, Form: f, Next: r.next(), Login: login, Password: password}
	set, err := s.deps.Auth.Settings(r.Context())
	if err != nil {
		return err
	}
	if set.OIDC.Enabled && s.deps.OIDC != nil {
		to := Address{Path: "/login/oidc"}
		if p.Next != "/" {
			to = to.With("next", p.Next)
		}
		p.Provider = &Link{Label: r.T("access.oidc.go", "name", cmp.Or(set.OIDC.Label, r.T("access.oidc.default"))), Href: to.String()}
	}
	return loginView.show(r, status, p)
}

func (s *Server) signIn(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	id, err := s.deps.Auth.Authenticate(r.Context(), f.Get("login"), f.Get("password"), s.deps.ClientAddress(r.Request))
	if err != nil {
		if fault.Is(err, fault.Unavailable) {
			f.Summary, _ = f.Error(err) // the directory is down: local accounts still come in
			return s.showLogin(r, status(err), f)
		}
		return s.refusedSignIn(r, f, err)
	}
	return s.enter(r, id, r.next())
}

// refusedSignIn shows the form again with why, keeping the login.
func (s *Server) refusedSignIn(r *Request, f *Form, err error) error {
	if !f.Refused(err) {
		if !fault.Is(err, fault.Forbidden) {
			return err
		}
		f.Summary, _ = f.Error(err) // recognised, but with no role here
	}
	return s.showLogin(r, status(err), f)
}

// signOut ends the session and what the browser kept of the pages.
func (s *Server) signOut(r *Request) error {
	if err := s.deps.Sessions.SignOut(r.Context()); err != nil {
		return err
	}
	r.W.Header().Set("Clear-Site-Data", `"cache"`)
	return r.Redirect("/login")
}
