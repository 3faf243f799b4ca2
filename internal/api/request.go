package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// request is what the API knows of the request in hand.
type request struct {
	id       string
	method   string
	path     string
	language locale.Lang
	location *time.Location
	who      auth.Identity
	token    int64 // 0 for a session
	entries  int   // of the list that is the answer; -1 if it is none
}

type requestKey struct{}

// requestOf gives the request of a context; an empty one outside of a request.
func requestOf(ctx context.Context) *request {
	if req, ok := ctx.Value(requestKey{}).(*request); ok {
		return req
	}
	return &request{language: locale.French, location: time.UTC}
}

// identity is who asks.
func identity(ctx context.Context) auth.Identity { return requestOf(ctx).who }

var plainID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// begin notes the request and its language, and names it: by the name that the
// server or the client gave it, else by one of ours.
func (a *API) begin(w http.ResponseWriter, r *http.Request) (*http.Request, *request) {
	id := w.Header().Get("X-Request-ID")
	if id == "" {
		if id = r.Header.Get("X-Request-ID"); !plainID.MatchString(id) {
			id = rand.Text()[:16]
		}
		w.Header().Set("X-Request-ID", id)
	}
	req := &request{id: id, method: r.Method, path: r.URL.Path, entries: -1, location: a.deps.Location, language: locale.Match("", r.Header.Get("Accept-Language"))}
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, req)), req
}

// authenticate says who asks: by a bearer token, or, for reading from our own
// pages only, by the browser's session.
func (a *API) authenticate(r *http.Request, req *request) error {
	var err error
	header := r.Header.Get("Authorization")
	scheme, secret, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		req.who, req.token, err = a.deps.Auth.IdentityOfToken(r.Context(), strings.TrimSpace(secret))
	case header != "":
		err = fault.New(fault.Unauthenticated, "error.api.bearer_only")
	case a.deps.Sessions != nil:
		req.who, err = a.session(r)
	default:
		err = fault.New(fault.Unauthenticated, "error.api.no_token")
	}
	if err != nil {
		return err
	}
	if r.Header.Get("Accept-Language") == "" && req.who.Locale != "" {
		req.language = locale.Match(req.who.Locale, "")
	}
	return nil
}

func (a *API) session(r *http.Request) (auth.Identity, error) {
	none := fault.New(fault.Unauthenticated, "error.api.no_token")
	cookie, err := r.Cookie(a.deps.Sessions.Cookie.Name)
	if err != nil {
		return auth.Identity{}, none
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return auth.Identity{}, fault.New(fault.Unauthenticated, "error.api.session_reads")
	}
	// "none" is an address typed by hand; a browser too old to say is kept out
	// of cross-site reads by the cookie's SameSite and by the lack of CORS.
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return auth.Identity{}, fault.New(fault.Unauthenticated, "error.api.session_reads")
	}
	ctx, err := a.deps.Sessions.Load(r.Context(), cookie.Value)
	if err != nil {
		return auth.Identity{}, err
	}
	who, err := a.deps.Sessions.Identity(ctx)
	if err == nil && who.MustFactor {
		// The session opens only the page where the second factor is set up.
		return auth.Identity{}, fault.New(fault.Forbidden, "error.auth.factor.needed")
	}
	return who, err
}

// still tells whether the one who asked could ask again: streams check it.
func (a *API) still(r *http.Request) func(context.Context) error {
	return func(ctx context.Context) error {
		var req request
		return a.authenticate(r.WithContext(ctx), &req)
	}
}

// limiter bounds how many requests a second each token, or each account by its
// session, may make.
type limiter struct {
	rate  rate.Limit
	burst int

	mu      sync.Mutex
	buckets map[[2]int64]*rate.Limiter // token, account
}

// allow takes a place; else it refuses with the seconds to wait.
func (l *limiter) allow(req *request) error {
	k := [2]int64{req.token, req.who.Account}
	l.mu.Lock()
	b := l.buckets[k]
	if b == nil {
		b = rate.NewLimiter(l.rate, l.burst)
		l.buckets[k] = b // as many as there are tokens and accounts
	}
	l.mu.Unlock()
	if b.Allow() {
		return nil
	}
	return fault.New(fault.TooMany, "error.too_many", "seconds", max(1, int(1/float64(l.rate))))
}
