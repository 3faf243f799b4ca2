package web

import (
	"net/http"

	"statincidents/internal/auth"
)

// loginCodePage asks for the second factor of somebody whose password was right.
type loginCodePage struct {
	Page

	Form *Form
	Next string
	Code Field
}

var loginCodeView = newView[loginCodePage]("page_login_code.html", door)

func (s *Server) loginCodeRoutes() {
	s.page("GET /login/code", s.loginCode, public())
	s.page("POST /login/code", s.checkCode, public())
}

func (s *Server) loginCode(r *Request) error {
	if _, err := s.deps.Sessions.Awaited(r.Context()); err != nil {
		if unauthenticated(err) {
			return r.Redirect("/login")
		}
		return err
	}
	return s.showLoginCode(r, http.StatusOK, r.Blank())
}

func (s *Server) showLoginCode(r *Request, status int, f *Form) error {
	code := f.Text("code", r.T("access.code")).Must().AtMost(40).Fill("one-time-code").Hinted(r.T("access.code.hint"))
	code.Value, code.Focus = "", true
	return loginCodeView.show(r, status, &loginCodePage{Page: Page{Title: r.T("access.code.title")}, Form: f, Next: r.next(), Code: code})
}

func (s *Server) checkCode(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	who, err := s.deps.Sessions.Awaited(r.Context())
	if err != nil {
		if unauthenticated(err) {
			return r.Redirect("/login")
		}
		return err
	}
	err = s.deps.Auth.CheckFactor(r.Context(), who, f.Get("code"), s.deps.ClientAddress(r.Request))
	if f.Refused(err) {
		return s.showLoginCode(r, status(err), f)
	}
	if err != nil {
		return err
	}
	if err := s.deps.Sessions.SignIn(r.Context(), who); err != nil {
		return err
	}
	return r.Redirect(r.next())
}

// enter signs in somebody who was recognised, or asks for the second factor.
func (s *Server) enter(r *Request, who auth.Identity, next string) error {
	if !who.Factor {
		if err := s.deps.Sessions.SignIn(r.Context(), who); err != nil {
			return err
		}
		return r.Redirect(next)
	}
	if err := s.deps.Sessions.Await(r.Context(), who); err != nil {
		return err
	}
	to := Address{Path: "/login/code"}
	if next != "/" {
		to = to.With("next", next)
	}
	return r.Redirect(to.String())
}
