// Package problem keeps problems: the cause behind several incidents, what is
// known of it, and how people get round it meanwhile.
//
// A problem is handled by the unit. Its workaround is shown on the page of
// every incident that is tied to it; to declarants and schools only when the
// problem is public.
package problem

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"statincidents/internal/fault"
)

// Subject is the journal's subject kind for problems.
const Subject = "problem"

// State is where a problem stands.
type State string

// The states.
const (
	Open     State = "open"     // looked into
	Known    State = "known"    // the cause is known, people get round it
	Resolved State = "resolved" // the cause is gone
	Closed   State = "closed"   // nobody has met it since
)

// States lists every state in the order of life.
var States = []State{Open, Known, Resolved, Closed}

// Active tells whether the problem still strikes.
func (s State) Active() bool { return s == Open || s == Known }

// Limits, in characters.
const (
	MaxTitle = 200
	MaxText  = 20_000
)

// MaxIncidents is how many incidents one problem ties together.
const MaxIncidents = 5000

// Content is what people write about a problem.
type Content struct {
	State       State  `json:"state"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Cause       string `json:"cause,omitempty"`
	Workaround  string `json:"workaround,omitempty"`
	Public      bool   `json:"public,omitempty"` // declarants and schools read the workaround
	Category    int64  `json:"category,omitempty"`
	Owner       int64  `json:"owner,omitempty"` // person of the unit who looks into it
}

// Problem is the present state of one problem.
type Problem struct {
	Content

	ID        int64
	Version   int64 // counts its events; a change says which version it was made on
	Incidents int   // tied to it
	OpenedAt  time.Time
	EndedAt   time.Time // when it was resolved; zero while it strikes
	UpdatedAt time.Time
}

// Kinds of problem event. Each carries a Payload.
const (
	EventOpened   = Subject + ".opened"
	EventEdited   = Subject + ".edited"
	EventLinked   = Subject + ".linked"
	EventUnlinked = Subject + ".unlinked"
)

// Payload is the data of every problem event.
type Payload struct {
	Content  *Content `json:"content,omitempty"`  // what it says from then on
	Incident int64    `json:"incident,omitempty"` // which was tied or untied
}

// clean makes texts safe to store and show.
func (c *Content) clean() {
	c.Title = strings.Join(strings.Fields(text(c.Title)), " ")
	for _, s := range []*string{&c.Description, &c.Cause, &c.Workaround} {
		*s = text(*s)
	}
}

func text(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r != '\n' && unicode.IsControl(r):
			return -1
		}
		return r
	}, s))
}

// judge says what is wrong with a content, field by field.
func (c *Content) judge() fault.Fields {
	var fields fault.Fields
	if c.Title == "" {
		fields.Add("title", "error.field.required")
	}
	for _, t := range []struct {
		name, text string
		most       int
	}{{"title", c.Title, MaxTitle}, {"description", c.Description, MaxText}, {"cause", c.Cause, MaxText}, {"workaround", c.Workaround, MaxText}} {
		if utf8.RuneCountInString(t.text) > t.most {
			fields.Add(t.name, "error.field.too_long", "max", t.most)
		}
	}
	switch {
	case !slices.Contains(States, c.State):
		fields.Add("state", "error.field.unknown")
	case c.State != Open && c.Cause == "":
		fields.Add("cause", "error.problem.cause_needed")
	}
	if c.Public && c.Workaround == "" {
		fields.Add("workaround", "error.problem.workaround_needed")
	}
	return fields
}

// fold applies an event: from a zero Problem with its ID, folding every event
// gives the stored state.
func (p *Problem) fold(kind string, at time.Time, data *Payload) {
	at = at.UTC().Truncate(time.Millisecond)
	if kind == EventOpened {
		p.OpenedAt = at
	}
	if c := data.Content; c != nil {
		switch {
		case c.State.Active():
			p.EndedAt = time.Time{}
		case p.State.Active() || p.EndedAt.IsZero():
			p.EndedAt = at
		}
		p.Content = *c
	}
	switch kind {
	case EventLinked:
		p.Incidents++
	case EventUnlinked:
		p.Incidents--
	}
	p.Version++
	if at.After(p.UpdatedAt) {
		p.UpdatedAt = at
	}
}
