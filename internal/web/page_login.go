package web

import (
	"net/http"
)

type loginPage struct {
	Page

	Form     *Form
	Next     string
	Login    Field
	Password Field
}

var loginView = newView[loginPage]("page_login.html", door)

func (s *Server) loginRoutes() {
	s.page("GET /login", s.login, public())
	s.page("POST /login", s.signIn, public())
	s.page("POST /logout", s.signOut)
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
	return loginView.show(r, status, &loginPage{
		Page: Page{Title: r.T("login.title")}, Form: f, Next: r.next(), Login: login, Password: password,
	})
}

func (s *Server) signIn(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	id, err := s.deps.Auth.Authenticate(r.Context(), f.Get("login"), f.Get("password"), s.deps.ClientAddress(r.Request))
	if f.Refused(err) {
		return s.showLogin(r, status(err), f)
	}
	if err != nil {
		return err
	}
	if err := s.deps.Sessions.SignIn(r.Context(), id); err != nil {
		return err
	}
	return r.Redirect(r.next())
}

// signOut ends the session and what the browser kept of the pages.
func (s *Server) signOut(r *Request) error {
	if err := s.deps.Sessions.SignOut(r.Context()); err != nil {
		return err
	}
	r.W.Header().Set("Clear-Site-Data", `"cache"`)
	return r.Redirect("/login")
}
