package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/locale"
)

// Limits of a request unless its route says otherwise.
const (
	bodyLimit = 1 << 20 // bytes
	timeLimit = 30 * time.Second
)

type route struct {
	public bool
	early  bool
	right  auth.Right
	any    []auth.Right
	body   int64
	limit  time.Duration
}

type option func(*route)

// public lets in a reader who is not signed in.
func public() option { return func(o *route) { o.public = true } }

// unfactored lets in somebody whose role must have a second factor and who has
// none yet.
func unfactored() option { return func(o *route) { o.early = true } }

// needs asks for a right; a handler may ask for more.
func needs(right auth.Right) option { return func(o *route) { o.right = right } }

// needsAny asks for one of several rights.
func needsAny(rights ...auth.Right) option { return func(o *route) { o.any = rights } }

// accepts sets the largest body, in bytes, where a form carries a file.
func accepts(bytes int64) option { return func(o *route) { o.body = bytes } }

// lasts sets how long the handler may take; 0 is as long as the reader stays.
func lasts(d time.Duration) option { return func(o *route) { o.limit = d } }

// page registers a handler for a pattern of http.ServeMux ("GET /schools/{id}").
// Around it, from the outside in: body limit, deadline, session, identity,
// language, right. What it returns as an error becomes a page in refuse.
func (s *Server) page(pattern string, fn func(*Request) error, options ...option) {
	o := route{body: bodyLimit, limit: timeLimit}
	for _, opt := range options {
		opt(&o)
	}
	s.patterns = append(s.patterns, pattern)
	s.mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Body != nil {
			req.Body = http.MaxBytesReader(w, req.Body, o.body)
		}
		if o.limit > 0 {
			ctx, cancel := context.WithTimeout(req.Context(), o.limit)
			defer cancel()
			req = req.WithContext(ctx)
		}
		s.deps.Sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			r, err := s.request(w, req)
			defer r.dropFiles()
			if err == nil {
				err = s.admit(r, o)
			}
			if err == nil {
				err = fn(r)
			}
			s.noteExport(r) // what was cut short left all the same
			if err != nil {
				s.refuse(r, err)
			}
		})).ServeHTTP(w, req)
	}))
}

// request works out who asks and in which language. It always gives a Request
// that can be answered, also with an error.
func (s *Server) request(w http.ResponseWriter, req *http.Request) (*Request, error) {
	r := &Request{Request: req, W: w, Server: s, ID: requestID(req.Context()), Address: NewAddress(req.URL)}
	settings, settingsErr := s.deps.Directory.Settings(req.Context(), s.deps.Tenant)
	r.Settings = settings
	who, err := s.deps.Sessions.Identity(req.Context())
	if err == nil {
		r.Who, r.SignedIn = who, true
	} else if !unauthenticated(err) && settingsErr == nil {
		settingsErr = err
	}
	r.Printer = locale.For(r.language(), settings.Location())
	r.W.Header().Add("Vary", "Accept-Language, Cookie")
	return r, settingsErr
}

// language is the account's, else what the reader chose outside, else the
// browser's, else the département's.
func (r *Request) language() locale.Lang {
	preferred := r.Who.Locale
	if preferred == "" {
		if c, err := r.Cookie("lang"); err == nil {
			preferred = c.Value
		}
	}
	if lang := locale.Lang(r.Address.Get("lang")); lang.Valid() && r.Method == http.MethodGet && !r.SignedIn {
		http.SetCookie(r.W, &http.Cookie{Name: "lang", Value: string(lang), Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, Secure: r.Server.deps.Secure, HttpOnly: true}) //nolint:gosec // a language; Secure follows the installation
		preferred = string(lang)
	}
	accept := r.Header.Get("Accept-Language")
	if preferred == "" && accept == "" {
		preferred = r.Settings.Language
	}
	return locale.Match(preferred, accept)
}

// admit keeps out who may not come in.
func (s *Server) admit(r *Request, o route) error {
	switch {
	case !r.SignedIn && !o.public:
		return errSignIn
	case r.SignedIn && r.Who.MustFactor && !o.early && !o.public:
		return errNoFactor
	case o.right != "":
		return r.Who.Require(o.right)
	case len(o.any) > 0 && !slices.ContainsFunc(o.any, r.Who.Can):
		return r.Who.Require(o.any[0])
	}
	return nil
}
