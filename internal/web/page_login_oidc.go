package web

import (
	"encoding/json"
	"errors"
	"net/http"

	"statincidents/internal/auth/oidc"
	"statincidents/internal/fault"
)

// Signing in at an identity provider: the browser goes there and comes back
// with a code.

// roundKey is where a session keeps a sign-in that is on its way.
const roundKey = "oidc"

// round is a sign-in on its way, and where the reader wanted to go.
type round struct {
	oidc.Round

	Next string
}

func (s *Server) loginOIDCRoutes() {
	s.page("GET /login/oidc", s.goToProvider, public())
	s.page("GET /login/oidc/back", s.backFromProvider, public())
}

// providerBack is our address to which the provider sends browsers back.
func (r *Request) providerBack() string {
	scheme := "http://"
	if r.Server.deps.Secure {
		scheme = "https://"
	}
	return scheme + r.Host + "/login/oidc/back"
}

func (s *Server) goToProvider(r *Request) error {
	set, err := s.deps.Auth.Settings(r.Context())
	if err != nil {
		return err
	}
	if !set.OIDC.Enabled || s.deps.OIDC == nil {
		return fault.New(fault.NotFound, "error.not_found")
	}
	way := round{Round: oidc.NewRound(), Next: r.next()}
	to, err := s.deps.OIDC.Begin(r.Context(), set.OIDC, r.providerBack(), way.Round)
	if err != nil {
		s.log.Error("web: identity provider", "request", r.ID, "error", err)
		return &fault.Error{Code: fault.Unavailable, Key: "error.auth.outside.provider_down", Err: err}
	}
	kept, err := json.Marshal(way)
	if err != nil {
		return err
	}
	s.deps.Sessions.Put(r.Context(), roundKey, string(kept))
	http.Redirect(r.W, r.Request, to, http.StatusSeeOther) //nolint:gosec // the provider that an administrator configured
	return nil
}

func (s *Server) backFromProvider(r *Request) error {
	set, err := s.deps.Auth.Settings(r.Context())
	if err != nil {
		return err
	}
	if !set.OIDC.Enabled || s.deps.OIDC == nil {
		return fault.New(fault.NotFound, "error.not_found")
	}
	var way round
	if kept := s.deps.Sessions.PopString(r.Context(), roundKey); kept == "" || json.Unmarshal([]byte(kept), &way) != nil {
		return s.notThere(r) // come back twice, or from elsewhere
	}
	q := r.URL.Query()
	who, err := s.deps.OIDC.Finish(r.Context(), set.OIDC, r.providerBack(), way.Round, q.Get("state"), q.Get("code"))
	if errors.Is(err, oidc.ErrRefused) {
		s.log.Warn("web: identity provider's answer refused", "request", r.ID, "error", err)
		return s.notThere(r)
	}
	if err != nil {
		s.log.Error("web: identity provider", "request", r.ID, "error", err)
		return &fault.Error{Code: fault.Unavailable, Key: "error.auth.outside.provider_down", Err: err}
	}
	id, err := s.deps.Auth.Admit(r.Context(), who)
	if err != nil {
		return s.refusedSignIn(r, r.Blank(), err)
	}
	next := way.Next
	if !local(next) {
		next = "/"
	}
	return s.enter(r, id, next)
}

// notThere shows the sign-in page again after a round that did not end well.
func (s *Server) notThere(r *Request) error {
	return s.refusedSignIn(r, r.Blank(), fault.New(fault.Unauthenticated, "error.auth.outside.round"))
}
