package notify

import (
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/signal"
)

// happening is one event of an incident, with what stood before and after it.
type happening struct {
	event         journal.Event
	payload       incident.Payload
	before, after incident.Incident
	trip          *trip          // of a visit, whose event it then is
	signal        *signal.Signal // that opened
	undone        bool           // it was taken back, or what came after it
	actor         int64          // the person who did it; 0 if nobody of the directory
}

// reader is a person who may be told.
type reader struct {
	person  int64
	address string
	name    string
	team    int64
	who     auth.Identity // what they may see now
}

// audience gives the kind of message that each person gets of an event, one a
// person at most. People are told neither what they did themselves (but that
// their declaration is recorded) nor, in a comment for the unit, what they may
// not read; the latter is judged again when the message is sent. Staff are
// those who handle incidents, referents those of the incident's school.
func audience(h *happening, staff, referents []reader) map[int64]string {
	told := map[int64]string{}
	i := &h.after
	tell := func(person int64, kind string) {
		if person == 0 || kind == "" || person == h.actor && kind != KindReceived {
			return
		}
		if _, already := told[person]; !already {
			told[person] = kind
		}
	}
	handles := map[int64]bool{}
	for _, r := range staff {
		handles[r.person] = true
	}
	hidden := h.payload.Internal // the comment, not the rest of the event
	for _, person := range h.payload.Mentions {
		if !hidden || handles[person] {
			tell(person, KindMentioned)
		}
	}
	if h.event.Kind == incident.EventCommented {
		if i.Assignee != 0 && (!hidden || handles[i.Assignee]) {
			tell(i.Assignee, KindWorkCommented)
		}
		if !hidden {
			tell(i.Declarant, KindCommented)
			for _, person := range i.Affected.People() {
				tell(person, KindFollowed)
			}
		}
		return told
	}
	// A part of a mass incident is no declaration and no work of its own.
	part := i.Parent != 0 && h.event.Kind == incident.EventDeclared
	own := ownKind(h)
	if part {
		own = ""
	}
	if h.event.Kind == incident.EventReopened {
		tell(i.Assignee, KindWorkReopened)
	}
	if i.Assignee != 0 && i.Assignee != h.before.Assignee && !part {
		tell(i.Assignee, KindAssigned)
	}
	tell(i.Declarant, own)
	if own != "" && own != KindReceived && own != KindTaken {
		for _, person := range i.Affected.People() {
			tell(person, KindFollowed)
		}
	}
	if i.AtSchool() || h.before.AtSchool() {
		h.school(referents, tell)
	}
	queued := i.State == incident.New && !i.AtSchool() && (h.before.State != incident.New || h.before.Team != i.Team || h.before.AtSchool())
	if queued && !part {
		for _, r := range teamOf(staff, i.Team) {
			tell(r.person, KindQueued)
		}
	}
	for _, r := range referents {
		switch h.event.Kind {
		case incident.EventDeclared:
			tell(r.person, KindSchoolNew)
		case incident.EventResolved:
			tell(r.person, KindSchoolResolved)
		}
	}
	return told
}

// school tells a school's referents of what they handle first: what comes to
// them, and what has gone to the département without them.
func (h *happening) school(referents []reader, tell func(int64, string)) {
	comes := h.after.AtSchool() && h.after.State == incident.New && (!h.before.AtSchool() || h.before.State != incident.New)
	gone := h.before.AtSchool() && h.after.FromSchool()
	for _, r := range referents {
		switch {
		case comes && h.event.Kind != incident.EventResumed:
			tell(r.person, KindAtSchool)
		case gone:
			tell(r.person, KindPassedOn)
		}
	}
}

// teamOf are the staff of a team; all of them when the incident has none, or
// nobody is said to work in it.
func teamOf(staff []reader, team int64) []reader {
	var members []reader
	for _, r := range staff {
		if r.team == team && team != 0 {
			members = append(members, r)
		}
	}
	if len(members) == 0 {
		return staff
	}
	return members
}

// ownKind is what the declarant is told of an event.
func ownKind(h *happening) string {
	switch h.event.Kind {
	case incident.EventDeclared:
		return KindReceived
	case incident.EventAssigned:
		if h.before.Assignee == 0 && h.after.Assignee != 0 && h.before.State == incident.New {
			return KindTaken
		}
	case incident.EventHandedOver:
		return KindHandedOver
	case incident.EventPlanned:
		return KindPlanned
	case incident.EventHeld:
		return KindWaiting
	case incident.EventResolved:
		return KindResolved
	case incident.EventClosed:
		return KindClosed
	case incident.EventCancelled:
		return KindCancelled
	case incident.EventMerged:
		return KindMerged
	case incident.EventReopened:
		return KindReopened
	}
	return ""
}

// moves are the events after which an earlier one of them needs no message any
// more: what is told is how things stand.
var moves = []string{
	incident.EventDeclared, incident.EventAssigned, incident.EventPlanned, incident.EventHeld, incident.EventResumed, incident.EventResolved,
	incident.EventClosed, incident.EventReopened, incident.EventCancelled, incident.EventMerged, incident.EventHandedOver, incident.EventHandedBack,
}

// toldOf are the events of incidents that may be told.
var toldOf = append(slices.Clone(moves), incident.EventCommented)
