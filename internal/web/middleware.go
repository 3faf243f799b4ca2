package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/klauspost/compress/gzhttp"

	"statincidents/internal/fault"
)

// chain puts what every request goes through around the pages. From the
// outside in, and why in this order:
//
//  1. request id and access log: sees the final status of everything below;
//  2. recover: a panic becomes a logged 500, inside the log;
//  3. security headers: on every answer, refusals included;
//  4. compression: of whatever is answered below, streams left alone;
//  5. cross-origin protection: nothing below sees a forged request;
//  6. the route's own (route.go): body limit, deadline, session, identity,
//     language, right. Static files go without.
func (s *Server) chain(next http.Handler) http.Handler {
	next = s.sameOrigin(next)
	next = compress(next)
	next = s.secure(next)
	next = s.recovered(next)
	return s.logged(next)
}

type requestIDKey struct{}

// requestID is the id that the log gave to a request.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// logged writes one line a request, without the address (its query may hold
// what people search), the account or the client's address.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := s.deps.Now()
		id := rand.Text()[:10]
		r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
		w.Header().Set("X-Request-ID", id)
		sw := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(sw, r)
		route := r.Pattern
		if route == "" {
			route = "none"
		}
		took := s.deps.Now().Sub(begin)
		level := slog.LevelInfo
		if route == "GET /static/" {
			level = slog.LevelDebug
		}
		s.log.Log(r.Context(), level, "request", "id", id, "method", r.Method, "route", route, "status", sw.code(), "bytes", sw.bytes, "ms", took.Milliseconds())
		if s.deps.Observe != nil {
			s.deps.Observe(route, sw.code(), took)
		}
	})
}

// statusWriter notes what was answered.
type statusWriter struct {
	http.ResponseWriter

	status int
	bytes  int64
}

// WriteHeader notes the first status.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (w *statusWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush serves those who ask for a Flusher rather than a ResponseController.
func (w *statusWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint,err113 // net/http panics with this very value
				panic(p)
			}
			s.log.Error("web: panic", "request", requestID(r.Context()), "route", r.Pattern, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			http.Error(w, "500", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// policy lets a page use our own files and nothing else. No inline script or
// style, no other origin, no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (s *Server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()")
		// Pages show what their reader may see; school computers are shared.
		h.Set("Cache-Control", "no-store")
		if s.deps.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// compress uses gzip for text longer than a packet; never for a stream, whose
// bytes must leave at once.
var compress = func() func(http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1400), gzhttp.ContentTypes([]string{
		"text/html", "text/css", "text/javascript", "text/plain", "text/csv", "image/svg+xml", "application/json", "application/problem+json",
	}))
	if err != nil {
		panic("web: compression: " + err.Error()) // the options are constants
	}
	return func(next http.Handler) http.Handler { return wrap(next) }
}()

// sameOrigin refuses what another site makes a browser send.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s.deps.Sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			r, err := s.request(w, req)
			if err == nil {
				err = fault.New(fault.Forbidden, "web.fault.foreign")
			}
			s.refuse(r, err)
		})).ServeHTTP(w, req)
	}))
	return p.Handler(next)
}
