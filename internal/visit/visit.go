// Package visit is planned work at a school, on site or at a distance: who goes
// where, when, for which incidents, and the time that it took.
//
// An event of a visit holds the whole state that it made: state is the last
// event of each visit, and taking an action back is the state before it. The
// incidents of a visit follow it (see Settle): planned with it, free again when
// it is over or called off.
package visit

import (
	"context"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Subject is the journal's subject kind for visits.
const Subject = "visit"

// State is where a visit stands. "visit.state.NAME" is its translation key.
type State string

// The states.
const (
	Planned   State = "planned"
	Started   State = "started"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// States lists every state in the order of life.
var States = []State{Planned, Started, Done, Cancelled}

// Active tells whether the work is still to be done.
func (s State) Active() bool { return s == Planned || s == Started }

// Kind is how the work is done.
type Kind string

// The kinds.
const (
	OnSite Kind = "on_site"
	Remote Kind = "remote"
)

// Kinds lists every kind.
var Kinds = []Kind{OnSite, Remote}

// Visit is one piece of planned work. Its JSON is the payload of its events.
type Visit struct {
	ID         int64     `json:"id"`
	Version    int64     `json:"version"`  // counts its events
	Sequence   int       `json:"sequence"` // RFC 5545: raised when calendars must notice
	State      State     `json:"state"`
	Kind       Kind      `json:"kind"`
	School     int64     `json:"school"`
	Technician int64     `json:"technician"` // person of the unit
	Start      time.Time `json:"start"`
	Minutes    int       `json:"minutes"`             // planned duration
	Purpose    string    `json:"purpose,omitempty"`   // what for, in words that the school reads
	Note       string    `json:"note,omitempty"`      // for the unit: keys, access, what to bring
	Report     string    `json:"report,omitempty"`    // for the unit: what was found and done
	Incidents  []int64   `json:"incidents,omitempty"` // in the order in which they were chosen
	StartedAt  time.Time `json:"started_at,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// End is when the work is planned to end.
func (v *Visit) End() time.Time { return v.Start.Add(time.Duration(v.Minutes) * time.Minute) }

// Overlaps tells whether two visits want the same minutes.
func (v *Visit) Overlaps(o *Visit) bool { return v.Start.Before(o.End()) && o.Start.Before(v.End()) }

// Handles tells whether the visit is for an incident.
func (v *Visit) Handles(incident int64) bool { return slices.Contains(v.Incidents, incident) }

// forReader leaves out what the unit says to itself.
func (v Visit) forReader(by auth.Identity) Visit {
	if !by.Can(auth.HandleIncident) {
		v.Note, v.Report = "", ""
	}
	return v
}

// Action is what somebody does to a visit. "visit.action.NAME" is the
// translation key of its button.
type Action string

// The actions.
const (
	Begin  Action = "start"  // the technician is there
	Finish Action = "finish" // the work is done
	Cancel Action = "cancel" // it will not take place
	Resume Action = "resume" // it was ended by mistake, or is not over
)

// steps is the state machine: from which states an action leads where.
var steps = map[Action]struct {
	from  []State
	to    State
	event string
}{
	Begin:  {[]State{Planned}, Started, EventStarted},
	Finish: {[]State{Planned, Started}, Done, EventDone},
	Cancel: {[]State{Planned, Started}, Cancelled, EventCancelled},
	Resume: {[]State{Done, Cancelled}, Planned, EventResumed},
}

// Actions lists what may be done to a visit as it stands, likeliest first.
func Actions(by auth.Identity, v Visit) []Action {
	if !by.Can(auth.HandleIncident) {
		return nil
	}
	var list []Action
	for _, a := range []Action{Begin, Finish, Resume, Cancel} {
		if slices.Contains(steps[a].from, v.State) {
			list = append(list, a)
		}
	}
	return list
}

// Kinds of event of a visit. Each carries the Visit as it then stands.
const (
	EventPlanned   = Subject + ".planned"
	EventMoved     = Subject + ".moved"  // other instant, duration or technician
	EventEdited    = Subject + ".edited" // anything else
	EventStarted   = Subject + ".started"
	EventDone      = Subject + ".done"
	EventCancelled = Subject + ".cancelled"
	EventResumed   = Subject + ".resumed"
	EventUndone    = Subject + ".undone" // the event before was taken back by who made it
)

// Limits on what is typed and asked.
const (
	MaxPurpose   = 200
	MaxNote      = 10_000
	MaxIncidents = 50
	MinMinutes   = 5
	MaxMinutes   = 12 * 60
	MaxList      = 2000 // visits of one answer
	// PastDays and FutureDays bound the instants that can be planned.
	PastDays   = 366
	FutureDays = 2 * 366
)

// UndoTime is how long somebody may take back what they did to a visit.
const UndoTime = 2 * time.Minute

// Guard holds an action back for a reason that another room knows (a mandatory
// item of a check-list that is not done). It runs inside the command's
// transaction and only reads.
type Guard func(ctx context.Context, tx *sqldb.Tx, by auth.Identity, action Action, before, after *Visit) error
