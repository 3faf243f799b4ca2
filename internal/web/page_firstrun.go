package web

import (
	"net/http"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
)

// firstRunPage makes the first administrator, for whoever can read the code
// that the server printed when it started.
type firstRunPage struct {
	Page

	Form   *Form
	Fields []Field
}

var firstRunView = newView[firstRunPage]("page_firstrun.html", door)

func (s *Server) firstRunRoutes() {
	s.page("GET /first-run", s.firstRun, public())
	s.page("POST /first-run", s.claim, public())
}

// firstRunOpen is NotFound once there is an administrator.
func (s *Server) firstRunOpen(r *Request) error {
	if s.deps.FirstRun == nil {
		return fault.New(fault.NotFound, "error.not_found")
	}
	needed, err := s.deps.FirstRun.Needed(r.Context())
	if err == nil && !needed {
		return fault.New(fault.NotFound, "error.not_found")
	}
	return err
}

func (s *Server) firstRun(r *Request) error {
	if err := s.firstRunOpen(r); err != nil {
		return err
	}
	return s.showFirstRun(r, http.StatusOK, r.Blank())
}

func (s *Server) showFirstRun(r *Request, status int, f *Form) error {
	code := f.Text("code", r.T("login.first.code")).Must().Hinted(r.T("login.first.code_hint")).Fill("off")
	code.Focus = true
	return firstRunView.show(r, status, &firstRunPage{
		Page: Page{Title: r.T("login.first.title")}, Form: f,
		Fields: []Field{
			code,
			f.Text("name", r.T("login.first.name")).Must().Fill("name").AtMost(200),
			f.Text("login", r.T("login.login")).Must().Hinted(r.T("login.first.login_hint")).Fill("username").AtMost(auth.MaxLogin),
			f.Password("password", r.T("login.password")).Must().Hinted(r.T("login.password_hint", "min", auth.MinPassword)).Fill("new-password"),
		},
	})
}

func (s *Server) claim(r *Request) error {
	if err := s.firstRunOpen(r); err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	id, err := s.deps.FirstRun.Claim(r.Context(), f.Get("code"), auth.NewAccount{
		Login: f.Get("login"), Name: strings.TrimSpace(f.Get("name")), Password: f.Get("password"), Locale: r.Lang().String(),
	})
	if f.Refused(err) {
		return s.showFirstRun(r, status(err), f)
	}
	if err != nil {
		return err
	}
	if err := s.deps.Sessions.SignIn(r.Context(), id); err != nil {
		return err
	}
	return r.Redirect("/")
}
