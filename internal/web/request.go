package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/locale"
)

// Request is what a handler gets: the browser's request, who asks, in which
// language (the printer's methods are its own: r.T, r.Date…), and where the
// answer goes.
type Request struct {
	*http.Request
	*locale.Printer

	W        http.ResponseWriter
	Server   *Server
	ID       string        // of the request, in the log and on the page of a fault
	Who      auth.Identity // zero for a reader who is not signed in
	SignedIn bool
	Address  Address // where the reader is, with the whole state
	Settings directory.Settings

	entries     int    // of the file that is sent: see exported
	refused     string // the panel whose form was just refused
	refusedForm *Form
}

// Now is the instant at which the page is made.
func (r *Request) Now() time.Time { return r.Server.deps.Now() }

// Scope is what the reader may see.
func (r *Request) Scope() auth.Scope { return r.Who.Scope() }

// Fragmentary tells whether a script asks, which swaps a part of its page.
func (r *Request) Fragmentary() bool { return r.Header.Get("Hx-Request") == "true" }

// exported says how many rows a file that is taken away has.
func (r *Request) exported(entries int) { r.entries += entries }

// Redirect sends the reader to another of our pages after something was done.
func (r *Request) Redirect(to string) error {
	if !local(to) {
		to = "/"
	}
	if r.Fragmentary() {
		r.W.Header().Set("Hx-Redirect", to)
		r.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(r.W, r.Request, to, http.StatusSeeOther) //nolint:gosec // a path of ours, checked above
	return nil
}

// Notice is one sentence about what was just done, shown on the next page in
// its place, with an undo for some seconds.
type Notice struct {
	Text string // in the reader's language
	Tone string // "" (done), "warning", "critical"
	Undo *Undo
	Link *Link
}

// Undo is the command that takes back what was done: a form that is posted.
type Undo struct {
	Action string
	Values map[string]string
}

// Link is an address with its name.
type Link struct {
	Label string
	Href  string
	Icon  string
}

// undoSeconds is how long « Annuler » is offered.
const undoSeconds = 10

const noticeKey = "notice"

// Say keeps a notice for the reader's next page.
func (r *Request) Say(n Notice) error {
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	r.Server.deps.Sessions.Put(r.Context(), noticeKey, string(data))
	return nil
}

// heard takes the notice that waits, if any.
func (r *Request) heard() *Notice {
	if !r.SignedIn {
		return nil
	}
	text := r.Server.deps.Sessions.PopString(r.Context(), noticeKey)
	if text == "" {
		return nil
	}
	var n Notice
	if json.Unmarshal([]byte(text), &n) != nil {
		return nil
	}
	return &n
}

// local tells whether an address given by the browser is a path of ours, so
// that it may be followed.
func local(to string) bool {
	return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.ContainsAny(to, "\\\r\n\t")
}

// next is where to go after signing in.
func (r *Request) next() string {
	if to := r.FormValue("next"); local(to) {
		return to
	}
	return "/"
}
