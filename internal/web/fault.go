package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

var errSignIn = fault.New(fault.Unauthenticated, "error.unauthenticated")

// errNoFactor is what somebody gets everywhere whose role must have a second
// factor, until it is set up.
var errNoFactor = fault.New(fault.Forbidden, "error.auth.factor.needed")

func unauthenticated(err error) bool { return fault.Is(err, fault.Unauthenticated) }

var statuses = map[fault.Code]int{
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.NotFound:        http.StatusNotFound,
	fault.Forbidden:       http.StatusForbidden,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Conflict:        http.StatusConflict,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// status is the HTTP status of an error.
func status(err error) int {
	if code, ok := statuses[fault.CodeOf(err)]; ok {
		return code
	}
	return http.StatusInternalServerError
}

// understood turns errors of the ground that a reader can act upon into refusals.
func understood(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &fault.Error{Code: fault.TooLarge, Key: "error.too_large", Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &fault.Error{Code: fault.Unavailable, Key: "web.fault.slow", Err: err}
	}
	return err
}

// faultPage says what happened, why, and what to do.
type faultPage struct {
	Page

	Status  int
	Code    string
	Summary string
	Fields  []string // what is wrong with each field
	Typed   []typed  // what was sent, so that nothing typed is lost
	Back    string   // where the form was, "" if not known
	Retry   bool
}

type typed struct{ Name, Value string }

var (
	faultView     = newView[faultPage]("page_fault.html", shell)
	faultDoorView = newView[faultPage]("page_fault.html", door)
)

// refuse is the one place that turns an error into an answer.
func (s *Server) refuse(r *Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the reader has gone
	}
	if errors.Is(err, errNoFactor) && r.Method == http.MethodGet {
		if err = r.Redirect(factorPath); err == nil {
			return
		}
	}
	err = understood(err)
	code := fault.CodeOf(err)
	if code == fault.Internal {
		s.log.Error("web: fault", "request", r.ID, "route", r.Pattern, "error", err)
	} else {
		s.log.Debug("web: refusal", "request", r.ID, "route", r.Pattern, "error", err)
	}
	if code == fault.Unauthenticated && !r.SignedIn {
		s.toLogin(r)
		return
	}
	if r.Printer == nil {
		r.Printer = locale.For(locale.French, nil)
	}
	summary, fields := r.Error(err)
	p := &faultPage{
		Page: Page{Title: r.T("web.fault.title." + string(code))}, Status: status(err), Code: string(code),
		Summary: summary, Retry: code == fault.Internal || code == fault.Unavailable || code == fault.TooMany,
	}
	for _, name := range slices.Sorted(keys(fields)) {
		p.Fields = append(p.Fields, fields[name])
	}
	if r.Method == http.MethodPost && r.readForm() == nil {
		p.Typed = whatWasTyped(r.PostForm)
	}
	if ref, err := url.Parse(r.Referer()); err == nil && ref.Host == r.Host && local(ref.Path) {
		p.Back = ref.RequestURI()
	}
	view := faultView
	if !r.SignedIn {
		view = faultDoorView
	}
	if err := view.show(r, p.Status, p); err != nil {
		s.log.Error("web: page of a fault", "request", r.ID, "error", err)
		http.Error(r.W, r.T("error.internal"), http.StatusInternalServerError)
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// whatWasTyped lists what a refused form held that costs effort to type again.
func whatWasTyped(form url.Values) []typed {
	var list []typed
	for name, values := range form {
		if strings.Contains(name, "password") || strings.Contains(name, "code") {
			continue
		}
		for _, v := range values {
			if len(strings.TrimSpace(v)) >= 12 {
				list = append(list, typed{name, v})
			}
		}
	}
	slices.SortFunc(list, func(a, b typed) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// toLogin sends a reader to sign in, and back.
func (s *Server) toLogin(r *Request) {
	to, next := "/login", r.URL
	if r.Fragmentary() { // back to the page, not to the part of it that was asked for
		if page, err := url.Parse(r.Header.Get("Hx-Current-Url")); err == nil && page.Host == r.Host {
			next = page
		}
	}
	if r.Method == http.MethodGet && next.Path != "/" {
		to += "?" + url.Values{"next": {next.RequestURI()}}.Encode()
	}
	if r.Fragmentary() {
		r.W.Header().Set("Hx-Redirect", to)
		r.W.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(r.W, r.Request, to, http.StatusSeeOther)
}

// lost answers every address that no page has.
func (s *Server) lost(*Request) error { return fault.New(fault.NotFound, "error.not_found") }
