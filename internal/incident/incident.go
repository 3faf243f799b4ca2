// Package incident is the heart: what an incident is, which states it goes
// through, who may do what to it, and how its story is told.
//
// A command decides on a Patch (the fields that change), writes it as an event
// and applies the same Patch to the stored state: state is always the fold of
// the events.
package incident

import (
	"time"

	"statincidents/internal/directory"
)

// Subject is the journal's subject kind for incidents.
const Subject = "incident"

// State is where an incident stands.
type State string

// The states.
const (
	New       State = "new"
	Assigned  State = "assigned"
	Planned   State = "planned"
	Waiting   State = "waiting"
	Resolved  State = "resolved"
	Closed    State = "closed"
	Cancelled State = "cancelled"
	Merged    State = "merged"
)

// States lists every state in the order of life.
var States = []State{New, Assigned, Planned, Waiting, Resolved, Closed, Cancelled, Merged}

// Open tells whether somebody still has to act.
func (s State) Open() bool { return s == New || s == Assigned || s == Planned || s == Waiting }

// Origin is the door by which an incident came in.
type Origin string

// The origins.
const (
	Portal     Origin = "portal"
	Phone      Origin = "phone"
	Email      Origin = "email"
	Agent      Origin = "agent"
	Monitoring Origin = "monitoring"
	Import     Origin = "import"
	Label      Origin = "label" // a QR label, without an account
)

// Origins lists every origin.
var Origins = []Origin{Portal, Phone, Email, Agent, Monitoring, Import, Label}

// Target says whether the service target was met, when known.
type Target string

// The values of Target.
const (
	TargetUnknown Target = ""
	TargetMet     Target = "met"
	TargetMissed  Target = "missed"
)

// Incident is the present state of one incident. Identifiers are 0 when
// unknown, instants zero when not reached.
type Incident struct {
	ID      int64 // its number, as shown: #4812
	Version int64 // counts its events; a change says which version it was made on

	State       State
	Title       string
	Description string

	School   int64
	Room     int64
	Network  directory.Network
	Machine  string // label on the machine (asset number)
	Category int64
	Impact   int // 1 high … 3 low
	Urgency  int // 1 high … 3 low
	Priority int // 1 critical … 5 planned, from the matrix

	Declarant int64 // person
	Assignee  int64 // person
	Team      int64
	Origin    Origin

	WaitingCode    int64 // catalog code, while waiting
	CauseCode      int64
	ResolutionCode int64
	Resolution     string // what was done, in words
	MergedInto     int64
	Target         Target

	ReopenCount   int
	ReassignCount int

	Level   Level     // who handles it: its school first, or the département
	LevelAt time.Time // since when, for what has been at its school; zero else
	Tried   string    // what the school tried before it handed it over
	SeenAt  time.Time // when who handles it now first did something about it

	Parent   int64  // the mass incident that it is a child of
	Affected Circle // who has it too: for those who handle only
	Related  Numbers
	Rating   Rating    // the declarant's answer after closing
	RatedAt  time.Time // when it was first given

	OccurredAt time.Time // when it began to fail
	OpenedAt   time.Time // when it was declared
	PlannedAt  time.Time // when work is planned
	ResolvedAt time.Time
	ClosedAt   time.Time
	UpdatedAt  time.Time

	ExternalSource string // the software it was imported from
	ExternalID     string // its number there
}

// Patch is a set of changed fields: nil means untouched. It is the payload of
// every incident event (Set, with the former values in Was).
type Patch struct {
	State          *State             `json:"state,omitempty"`
	Title          *string            `json:"title,omitempty"`
	Description    *string            `json:"description,omitempty"`
	School         *int64             `json:"school,omitempty"`
	Room           *int64             `json:"room,omitempty"`
	Network        *directory.Network `json:"network,omitempty"`
	Machine        *string            `json:"machine,omitempty"`
	Category       *int64             `json:"category,omitempty"`
	Impact         *int               `json:"impact,omitempty"`
	Urgency        *int               `json:"urgency,omitempty"`
	Priority       *int               `json:"priority,omitempty"`
	Declarant      *int64             `json:"declarant,omitempty"`
	Assignee       *int64             `json:"assignee,omitempty"`
	Team           *int64             `json:"team,omitempty"`
	Origin         *Origin            `json:"origin,omitempty"`
	WaitingCode    *int64             `json:"waiting_code,omitempty"`
	CauseCode      *int64             `json:"cause_code,omitempty"`
	ResolutionCode *int64             `json:"resolution_code,omitempty"`
	Resolution     *string            `json:"resolution,omitempty"`
	MergedInto     *int64             `json:"merged_into,omitempty"`
	Target         *Target            `json:"target,omitempty"`
	ReopenCount    *int               `json:"reopen_count,omitempty"`
	ReassignCount  *int               `json:"reassign_count,omitempty"`
	Level          *Level             `json:"level,omitempty"`
	LevelAt        *time.Time         `json:"level_at,omitempty"`
	Tried          *string            `json:"tried,omitempty"`
	SeenAt         *time.Time         `json:"seen_at,omitempty"`
	Parent         *int64             `json:"parent,omitempty"`
	Affected       *Circle            `json:"affected,omitempty"`
	Related        *Numbers           `json:"related,omitempty"`
	Rating         *Rating            `json:"rating,omitempty"`
	RatedAt        *time.Time         `json:"rated_at,omitempty"`
	OccurredAt     *time.Time         `json:"occurred_at,omitempty"`
	OpenedAt       *time.Time         `json:"opened_at,omitempty"`
	PlannedAt      *time.Time         `json:"planned_at,omitempty"`
	ResolvedAt     *time.Time         `json:"resolved_at,omitempty"`
	ClosedAt       *time.Time         `json:"closed_at,omitempty"`
	ExternalSource *string            `json:"external_source,omitempty"`
	ExternalID     *string            `json:"external_id,omitempty"`
}

// Public is the patch without what only those who handle incidents may know.
func (p Patch) Public() Patch {
	p.Affected = nil
	return p
}

// Kinds of incident event. Each carries a Payload.
const (
	EventDeclared = Subject + ".declared"
	EventEdited   = Subject + ".edited"
	EventAssigned = Subject + ".assigned"
	EventPlanned  = Subject + ".planned"
	EventHeld     = Subject + ".held"    // waiting for a reason
	EventResumed  = Subject + ".resumed" // no longer waiting
	EventResolved = Subject + ".resolved"

	EventAcknowledged = Subject + ".acknowledged" // who was named to look after it has seen it
	EventHandedOver   = Subject + ".handed_over"  // from its school to the département
	EventHandedBack   = Subject + ".handed_back"  // and back

	EventClosed    = Subject + ".closed"
	EventReopened  = Subject + ".reopened"
	EventCancelled = Subject + ".cancelled"
	EventMerged    = Subject + ".merged"
	EventCommented = Subject + ".commented"
	EventAffected  = Subject + ".affected" // somebody else has it too
	EventAbsorbed  = Subject + ".absorbed" // another was merged into it
	EventReleased  = Subject + ".released" // that one is no longer
	EventAttached  = Subject + ".attached" // it is a part of a main incident
	EventDetached  = Subject + ".detached"
	EventRelated   = Subject + ".related"
	EventUnrelated = Subject + ".unrelated"
	EventSplit     = Subject + ".split"   // a part of it became another incident
	EventRated     = Subject + ".rated"   // the declarant answered after closing
	EventUndone    = Subject + ".undone"  // the event before was taken back by who made it
	EventUpdated   = Subject + ".updated" // a row of an imported history
)

// Payload is the data of every incident event.
type Payload struct {
	Set     Patch  `json:"set"`
	Was     Patch  `json:"was"`
	Comment string `json:"comment,omitempty"`
	// Internal marks a comment that only the unit sees.
	Internal bool `json:"internal,omitempty"`
	// Attachments are the files that came with it (internal/attachment).
	Attachments []int64 `json:"attachments,omitempty"`
	// Mentions are the persons that the comment calls by name.
	Mentions []int64 `json:"mentions,omitempty"`
	// Other is the incident at the other end of a link, or the one from which a
	// comment was taken over.
	Other int64 `json:"other,omitempty"`
	// Steps are the digests of the imported steps that made this event (see
	// ImportHistories); empty for what was done here.
	Steps []string `json:"steps,omitempty"`
}
