package live

import (
	"encoding/json"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
)

// Kinds of notice: the "event" of a server-sent event.
const (
	Changed = "incident" // an incident was declared or changed: data is a Change
	Gone    = "gone"     // an incident left the reader's scope: data is a Departure
	Signal  = "signal"   // a method found something out of the ordinary: data is a Sighting
	Clock   = "clock"    // a clock of the unit is about to be late, or is: data is an Alarm
	Resync  = "resync"   // too much happened to be told: read again; data is {}
)

// Notice is one thing to tell a subscriber. A notice without a kind only says
// how far the subscriber is.
type Notice struct {
	Pos  journal.Pos // the client's next Last-Event-ID
	Kind string
	Data []byte // JSON on one line, shared between subscribers: never written to
}

// Change is the data of a Changed notice: an event as its readers may see it.
type Change struct {
	Pos      string         `json:"pos"`
	Kind     string         `json:"kind"` // the event's: "incident.assigned"
	Incident int64          `json:"incident"`
	Version  int64          `json:"version"` // the incident's version when told, at least that of the event
	School   int64          `json:"school"`
	At       time.Time      `json:"at"`
	Actor    ChangeActor    `json:"actor"`
	Set      incident.Patch `json:"set"` // the new values of what changed
	Comment  string         `json:"comment,omitempty"`
	Internal bool           `json:"internal,omitempty"`
}

// ChangeActor is who caused a change: kind "account", "person" or "system".
type ChangeActor struct {
	Kind string `json:"kind"`
	ID   int64  `json:"id,omitempty"`
}

// Departure is the data of a Gone notice.
type Departure struct {
	Incident int64 `json:"incident"`
}

// clockSubject is the subject of the events about clocks: the incident by its
// number. What they carry is service levels' affair but for the clock's name.
const clockSubject = "servicelevel"

// clockEvents are those that screens are told of.
var clockEvents = []string{clockSubject + ".warned", clockSubject + ".breached"}

// Alarm is the data of a Clock notice, for those who handle incidents.
type Alarm struct {
	Kind     string    `json:"kind"` // the event's: "servicelevel.breached"
	Incident int64     `json:"incident"`
	Clock    string    `json:"clock"`
	At       time.Time `json:"at"`
}

// signalEvent is the event of a signal that opens; its school is the one that it
// is about, 0 for several or all.
const signalEvent = "signal.opened"

// Sighting is the data of a Signal notice, for those who see the signal.
type Sighting struct {
	Kind   string    `json:"kind"`
	Signal int64     `json:"signal"`
	At     time.Time `json:"at"`
}

// place is what decides who sees an incident.
type place struct {
	school, declarant int64
	affected          incident.Circle
	known             bool
}

func (p place) seenBy(scope auth.Scope) bool {
	return incident.Visible(scope, p.school, p.declarant, p.affected)
}

// telling is an event on its way to the audiences. Each form of it is encoded
// once, however many subscribers get it.
type telling struct {
	event   *journal.Event
	payload incident.Payload
	now     place
	version int64

	clock bool // of a clock: payload is empty
	alarm []byte
	sight []byte // of a signal: payload is empty

	full, public, gone []byte
}

func newTelling(e *journal.Event) (*telling, error) {
	t := &telling{event: e, clock: e.Subject.Kind == clockSubject}
	if e.Kind == signalEvent {
		t.sight = encode(Sighting{e.Kind, e.Subject.ID, e.At})
		return t, nil
	}
	if t.clock {
		var said struct {
			Clock string `json:"clock"`
		}
		if err := json.Unmarshal(e.Data, &said); err != nil {
			return nil, fmt.Errorf("payload of %s: %w", e.Kind, err)
		}
		t.alarm = encode(Alarm{e.Kind, e.Subject.ID, said.Clock, e.At})
		return t, nil
	}
	if err := json.Unmarshal(e.Data, &t.payload); err != nil {
		return nil, fmt.Errorf("payload of %s: %w", e.Kind, err)
	}
	return t, nil
}

// seenBefore tells whether an audience saw the incident before the event, or
// sees it where the event put it.
func (t *telling) seenBefore(a Audience) bool {
	set, was := &t.payload.Set, &t.payload.Was
	after := place{school: or(set.School, t.now.school), declarant: or(set.Declarant, t.now.declarant), affected: or(set.Affected, t.now.affected)}
	before := after
	if set.School != nil {
		before.school = or(was.School, 0)
	}
	if set.Declarant != nil {
		before.declarant = or(was.Declarant, 0)
	}
	if set.Affected != nil {
		before.affected = or(was.Affected, "")
	}
	return after.seenBy(a.Scope) || before.seenBy(a.Scope)
}

func or[T any](v *T, other T) T {
	if v != nil {
		return *v
	}
	return other
}

// notice is what an audience is told of the event, if anything.
func (t *telling) notice(a Audience) (Notice, bool) {
	n := Notice{Pos: t.event.Pos}
	if t.sight != nil {
		n.Kind, n.Data = Signal, t.sight
		return n, a.Scope.All() || t.event.School != 0 && a.Scope.SeesSchool(t.event.School)
	}
	if t.clock {
		n.Kind, n.Data = Clock, t.alarm
		return n, a.Internal && t.now.known && t.now.seenBy(a.Scope)
	}
	if t.now.known && t.now.seenBy(a.Scope) {
		n.Kind = Changed
		n.Data = t.content(a.Internal)
		return n, n.Data != nil
	}
	if t.seenBefore(a) {
		n.Kind = Gone
		if t.gone == nil {
			t.gone = encode(Departure{t.event.Subject.ID})
		}
		n.Data = t.gone
		return n, true
	}
	return n, false
}

// content encodes the event, with or without an internal comment; nil when
// nothing is left to tell.
func (t *telling) content(internal bool) []byte {
	if internal {
		if t.full == nil {
			t.full = encode(t.change(t.payload.Set, t.payload.Comment, t.payload.Internal))
		}
		return t.full
	}
	if t.public != nil {
		return t.public
	}
	set := t.payload.Set.Public()
	switch {
	case !t.payload.Internal:
		t.public = encode(t.change(set, t.payload.Comment, false))
	case set != (incident.Patch{}):
		t.public = encode(t.change(set, "", false))
	}
	return t.public
}

func (t *telling) change(set incident.Patch, comment string, internal bool) Change {
	actor := ChangeActor{t.event.Actor.Kind, t.event.Actor.ID}
	if t.payload.Set.Affected != nil && set.Affected == nil && comment == "" {
		actor = ChangeActor{Kind: journal.BySystem} // who has it too is not told to everybody
	}
	return Change{
		Pos: t.event.Pos.String(), Kind: t.event.Kind, Incident: t.event.Subject.ID, Version: t.version,
		School: t.now.school, At: t.event.At, Actor: actor,
		Set: set, Comment: comment, Internal: internal,
	}
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain fields always encode
	}
	return data
}
