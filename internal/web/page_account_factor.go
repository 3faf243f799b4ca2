package web

import (
	"html/template"
	"net/http"
	"strings"

	"statincidents/internal/qr"
)

// factorPage sets up one's second factor, or says how it stands.
type factorPage struct {
	Page

	Must     bool // the role cannot work without
	Since    string
	Left     string // recovery codes
	FewLeft  bool
	Form     *Form
	Code     Field
	Secret   string // of the draft, in groups of four
	URI      string
	QR       string // path
	Size     int
	Recovery []string // shown once
}

// QRSide is the side of the picture with its margin, in modules.
func (p *factorPage) QRSide() int { return p.Size + 2*qr.Quiet }

// App opens the authenticator of a telephone on which the page is read.
func (p *factorPage) App() template.URL {
	return template.URL(p.URI) //nolint:gosec // made by us, always otpauth:
}

var factorView = newView[factorPage]("page_account_factor.html", shell)

const factorPath = "/account/factor"

func (s *Server) accountFactorRoutes() {
	s.page("GET /account/factor", s.factor, unfactored())
	s.page("POST /account/factor", s.confirmFactor, unfactored())
	s.page("POST /account/factor/recovery", s.renewRecovery)
	s.page("POST /account/factor/remove", s.removeFactor)
}

func (s *Server) factor(r *Request) error {
	return s.showFactor(r, http.StatusOK, r.Blank(), nil)
}

// showFactor shows the page; recovery are codes just made.
func (s *Server) showFactor(r *Request, status int, f *Form, recovery []string) error {
	p := &factorPage{
		Page: Page{Title: r.T("access.factor"), Crumbs: []Link{{Label: r.T("web.nav.account"), Href: "/account"}}},
		Must: r.Who.MustFactor && recovery == nil, Form: f, Recovery: recovery,
		Code: f.Text("code", r.T("access.code")).Must().AtMost(40).Fill("one-time-code"),
	}
	p.Code.Value = ""
	state, err := s.deps.Auth.FactorOf(r.Context(), r.Who, r.Who.Account)
	if err != nil {
		return err
	}
	if !state.Since.IsZero() {
		p.Since = r.T("access.factor.since", "day", r.Date(state.Since))
		p.Left = r.N("access.recovery.left", state.Recovery)
		p.FewLeft = state.Recovery < 3
		return factorView.show(r, status, p)
	}
	draft, err := s.deps.Auth.DraftFactor(r.Context(), r.Who)
	if err != nil {
		return err
	}
	code, err := qr.New(draft.URI)
	if err != nil {
		return err
	}
	p.QR, p.Size, p.URI = code.Path(), code.Size, draft.URI
	var groups []string
	for rest := draft.Secret; rest != ""; {
		n := min(4, len(rest))
		groups, rest = append(groups, rest[:n]), rest[n:]
	}
	p.Secret = strings.Join(groups, " ")
	return factorView.show(r, status, p)
}

func (s *Server) confirmFactor(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	recovery, err := s.deps.Auth.ConfirmFactor(r.Context(), r.Who, f.Get("code"))
	if f.Refused(err) {
		return s.showFactor(r, status(err), f, nil)
	}
	if err != nil {
		return err
	}
	// Shown by this answer and never again, hence no redirection.
	return s.showFactor(r, http.StatusOK, r.Blank(), recovery)
}

func (s *Server) renewRecovery(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	recovery, err := s.deps.Auth.RenewRecovery(r.Context(), r.Who, f.Get("code"))
	if f.Refused(err) {
		return s.showFactor(r, status(err), f, nil)
	}
	if err != nil {
		return err
	}
	return s.showFactor(r, http.StatusOK, r.Blank(), recovery)
}

func (s *Server) removeFactor(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	err = s.deps.Auth.RemoveFactor(r.Context(), r.Who, f.Get("code"))
	if f.Refused(err) {
		return s.showFactor(r, status(err), f, nil)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("access.factor.removed")}); err != nil {
		return err
	}
	return r.Redirect("/account")
}
