package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Ref names something by its number, with the words that are shown for it.
type Ref struct {
	ID   int64  `json:"id"`
	Name string `json:"name" doc:"As shown; may change, the number does not."`
}

// Incident is one incident as it stands. What is not known or not reached is
// absent.
type Incident struct {
	ID      int64 `json:"id" doc:"Its number, as shown."`
	Version int64 `json:"version" doc:"Counts its changes; the ETag."`

	State       string `json:"state" enum:"new,assigned,planned,waiting,resolved,closed,cancelled,merged"`
	Open        bool   `json:"open" doc:"Whether somebody still has to act."`
	Title       string `json:"title"`
	Description string `json:"description,omitempty" doc:"Left out of lists unless asked for."`

	School    *Ref   `json:"school,omitempty"`
	Room      *Ref   `json:"room,omitempty"`
	Network   string `json:"network,omitempty" enum:"administrative,teaching"`
	Machine   string `json:"machine,omitempty" doc:"Label on the machine (asset number)."`
	Category  *Ref   `json:"category,omitempty" doc:"Its name is the path from the top, with > between."`
	Impact    int    `json:"impact,omitempty" doc:"1 high … 3 low."`
	Urgency   int    `json:"urgency,omitempty" doc:"1 high … 3 low."`
	Priority  int    `json:"priority,omitempty" doc:"1 critical … 5 planned, from the matrix."`
	Declarant *Ref   `json:"declarant,omitempty"`
	Assignee  *Ref   `json:"assignee,omitempty"`
	Team      *Ref   `json:"team,omitempty"`
	Origin    string `json:"origin" enum:"portal,phone,email,agent,monitoring,import,label"`

	WaitingCode    *Ref   `json:"waiting_code,omitempty" doc:"Why work has stopped."`
	CauseCode      *Ref   `json:"cause_code,omitempty"`
	ResolutionCode *Ref   `json:"resolution_code,omitempty"`
	Resolution     string `json:"resolution,omitempty" doc:"What was done. Left out of lists unless asked for."`
	MergedInto     int64  `json:"merged_into,omitempty"`
	Target         string `json:"target,omitempty" enum:"met,missed" doc:"Whether the service target was met, when known."`
	ReopenCount    int    `json:"reopen_count"`
	ReassignCount  int    `json:"reassign_count"`

	Level   string     `json:"level,omitempty" enum:"school,handed,lapsed,taken" doc:"Who handles it: school while (or since) its school does; else how it came from there to the département. Absent: the département directly."`
	LevelAt *time.Time `json:"level_at,omitempty" doc:"Since when."`
	Tried   string     `json:"tried,omitempty" doc:"What the school tried before it handed over."`
	SeenAt  *time.Time `json:"seen_at,omitempty" doc:"When who handles it now first did something about it."`

	Parent         int64   `json:"parent,omitempty" doc:"The main incident that it is a part of."`
	Related        []int64 `json:"related,omitempty" doc:"Incidents that it has to do with."`
	Rating         string  `json:"rating,omitempty" enum:"satisfied,neutral,unsatisfied" doc:"The declarant's answer after closing."`
	AffectedPeople int     `json:"affected_people" doc:"People known to be concerned: the declarant and those who said that they have it too."`
	AffectedRooms  int     `json:"affected_rooms"`

	OccurredAt time.Time  `json:"occurred_at" doc:"When it began to fail."`
	OpenedAt   time.Time  `json:"opened_at" doc:"When it was declared."`
	PlannedAt  *time.Time `json:"planned_at,omitempty"`
	ResolvedAt *time.Time `json:"resolved_at,omitempty"`
	ClosedAt   *time.Time `json:"closed_at,omitempty"`
	UpdatedAt  time.Time  `json:"updated_at"`

	ExternalSource string `json:"external_source,omitempty" doc:"The software it was imported from."`
	ExternalID     string `json:"external_id,omitempty" doc:"Its number there."`

	Actions []Action `json:"actions,omitempty" doc:"What the account may do to it as it stands; not in lists."`
}

// Action is something that may be done to an incident as it stands.
type Action struct {
	Action   string   `json:"action"`
	To       string   `json:"to,omitempty" doc:"The state it leads to; absent if it stays."`
	Required []string `json:"required,omitempty" doc:"Members that must be given."`
	Optional []string `json:"optional,omitempty"`
}

// SchoolRef names a school in a request: by its number, or by its official
// code (UAI).
type SchoolRef struct {
	ID  int64
	UAI string
}

// MarshalJSON writes a number or a text.
func (s SchoolRef) MarshalJSON() ([]byte, error) {
	if s.UAI != "" {
		return json.Marshal(s.UAI)
	}
	return strconv.AppendInt(nil, s.ID, 10), nil
}

// UnmarshalJSON reads a number or a text.
func (s *SchoolRef) UnmarshalJSON(data []byte) error {
	*s = SchoolRef{}
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &s.UAI)
	}
	if err := json.Unmarshal(data, &s.ID); err != nil {
		return fmt.Errorf("a school is a number or a code: %w", err)
	}
	return nil
}

// NewIncident is a declaration.
type NewIncident struct {
	Title       string     `json:"title" doc:"One sentence, 200 characters at most."`
	Description string     `json:"description,omitempty" doc:"100,000 characters at most."`
	School      SchoolRef  `json:"school"`
	Room        int64      `json:"room,omitempty"`
	Network     string     `json:"network,omitempty" enum:"administrative,teaching"`
	Machine     string     `json:"machine,omitempty" doc:"Label on the machine (asset number)."`
	Category    int64      `json:"category,omitempty"`
	Impact      int        `json:"impact,omitempty" doc:"1 high … 3 low."`
	Urgency     int        `json:"urgency,omitempty" doc:"1 high … 3 low."`
	Declarant   int64      `json:"declarant,omitempty" doc:"A person, for whoever declares for somebody; the account's own if absent."`
	Origin      string     `json:"origin,omitempty" enum:"portal,phone,email,agent,monitoring" doc:"The door it came in by; portal if absent."`
	OccurredAt  *time.Time `json:"occurred_at,omitempty" doc:"When it began to fail; now if absent."`
	Attachments []int64    `json:"attachments,omitempty" doc:"Files already sent."`
	SchoolFirst bool       `json:"school_first,omitempty" doc:"For whoever handles incidents: leave it to the school's referent first, where the school handles first. For others the school's choice decides."`
	Tried       string     `json:"tried,omitempty" doc:"For referents: what was tried already; hands over at once. 4,000 characters at most."`
}

// IncidentEdit corrects or completes fields: absent ones are untouched, 0 or an
// empty text clears.
type IncidentEdit struct {
	Title          *string    `json:"title,omitempty"`
	Description    *string    `json:"description,omitempty"`
	School         *SchoolRef `json:"school,omitempty"`
	Room           *int64     `json:"room,omitempty"`
	Network        *string    `json:"network,omitempty" doc:"administrative, teaching or empty."`
	Machine        *string    `json:"machine,omitempty"`
	Category       *int64     `json:"category,omitempty"`
	Impact         *int       `json:"impact,omitempty"`
	Urgency        *int       `json:"urgency,omitempty"`
	Declarant      *int64     `json:"declarant,omitempty"`
	Origin         *string    `json:"origin,omitempty"`
	OccurredAt     *time.Time `json:"occurred_at,omitempty"`
	CauseCode      *int64     `json:"cause_code,omitempty" doc:"Once resolved."`
	ResolutionCode *int64     `json:"resolution_code,omitempty" doc:"Once resolved."`
	Resolution     *string    `json:"resolution,omitempty" doc:"Once resolved."`
	Comment        string     `json:"comment,omitempty" doc:"Said with the change."`
	Internal       bool       `json:"internal,omitempty" doc:"The comment is for the unit only."`
}

// Transition is a step in an incident's life. Its actions tell which members
// each needs.
type Transition struct {
	Action         string     `json:"action" enum:"take,assign,route,plan,hold,resume,resolve,close,confirm,reopen,cancel,merge,acknowledge,hand_over,hand_back"`
	Assignee       *int64     `json:"assignee,omitempty" doc:"Person."`
	Team           *int64     `json:"team,omitempty"`
	PlannedAt      *time.Time `json:"planned_at,omitempty"`
	WaitingCode    *int64     `json:"waiting_code,omitempty"`
	CauseCode      *int64     `json:"cause_code,omitempty"`
	ResolutionCode *int64     `json:"resolution_code,omitempty"`
	Resolution     *string    `json:"resolution,omitempty"`
	MergedInto     *int64     `json:"merged_into,omitempty" doc:"The incident that it is the same as."`
	Parent         *int64     `json:"parent,omitempty" doc:"The main incident that it is a part of."`
	Tried          *string    `json:"tried,omitempty" doc:"What the school tried, to hand over."`
	Comment        string     `json:"comment,omitempty"`
	Internal       bool       `json:"internal,omitempty" doc:"The comment is for the unit only."`
}

// NewComment is something said about an incident.
type NewComment struct {
	Text        string  `json:"text,omitempty" doc:"Needed unless there are attachments."`
	Internal    bool    `json:"internal,omitempty" doc:"For the unit only."`
	Attachments []int64 `json:"attachments,omitempty" doc:"Files already sent."`
}

// Affected is somebody who has the same incident.
type Affected struct {
	Person      int64   `json:"person,omitempty" doc:"Who, for whoever handles incidents; the account's own person if absent."`
	Room        int64   `json:"room,omitempty" doc:"Where they have it, in the incident's school."`
	Comment     string  `json:"comment,omitempty" doc:"2,000 characters at most."`
	Attachments []int64 `json:"attachments,omitempty" doc:"Files already sent, 20 at most."`
}

// Split is the second incident that is taken out of one.
type Split struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Category    int64    `json:"category,omitempty" doc:"That of the first if absent."`
	Room        int64    `json:"room,omitempty" doc:"That of the first if absent."`
	Comments    []string `json:"comments,omitempty" doc:"Places in the journal of the story's entries whose comments it takes over."`
}

// Rating is the declarant's answer after closing.
type Rating struct {
	Rating  string `json:"rating" enum:"satisfied,neutral,unsatisfied"`
	Comment string `json:"comment,omitempty" doc:"2,000 characters at most; whoever sees the incident reads it."`
}

// Mentions are comments that call somebody.
type Mentions struct {
	Items []Mention `json:"items"`
}

// Mention is one of them.
type Mention struct {
	Incident int64     `json:"incident"`
	Title    string    `json:"title"`
	At       time.Time `json:"at"`
	Comment  string    `json:"comment"`
	Internal bool      `json:"internal,omitempty"`
}

// IncidentPage is a part of a list of incidents.
type IncidentPage struct {
	Items []Incident `json:"items"`
	Next  string     `json:"next,omitempty" doc:"Give it back as after to get what follows; absent at the end."`
	Total int        `json:"total" doc:"Length of the whole list."`
	AsOf  string     `json:"as_of" doc:"Place in the journal that the list takes account of; a stream's after."`
}

// Change is the data of a stream's event "incident": something happened to an
// incident.
type Change struct {
	Pos      string         `json:"pos" doc:"Place in the journal; the event's id."`
	Kind     string         `json:"kind" doc:"What happened: incident.declared, incident.assigned…"`
	Incident int64          `json:"incident"`
	Version  int64          `json:"version" doc:"The incident's version when told, at least that of the event."`
	School   int64          `json:"school"`
	At       time.Time      `json:"at"`
	Actor    Actor          `json:"actor"`
	Set      map[string]any `json:"set" doc:"The new values of what changed."`
	Comment  string         `json:"comment,omitempty"`
	Internal bool           `json:"internal,omitempty"`
}

// Actor is who caused something.
type Actor struct {
	Kind string `json:"kind" enum:"account,person,system"`
	ID   int64  `json:"id,omitempty"`
}

// Departure is the data of a stream's event "gone": an incident left the
// account's scope.
type Departure struct {
	Incident int64 `json:"incident"`
}

// Story is what happened to an incident, as far as its reader may know.
type Story struct {
	Entries []StoryEntry `json:"entries" doc:"In order."`
}

// StoryEntry is one thing that happened.
type StoryEntry struct {
	Kind     string        `json:"kind" doc:"incident.declared, incident.assigned…"`
	At       time.Time     `json:"at"`
	Actor    Actor         `json:"actor"`
	By       string        `json:"by,omitempty" doc:"The actor's name, when known."`
	Changes  []StoryChange `json:"changes,omitempty"`
	Comment  string        `json:"comment,omitempty"`
	Internal bool          `json:"internal,omitempty" doc:"The comment is for the unit only."`

	Attachments []int64 `json:"attachments,omitempty" doc:"Files that came with it."`
}

// StoryChange is one field that changed.
type StoryChange struct {
	Field string `json:"field"`
	From  any    `json:"from,omitempty"`
	To    any    `json:"to,omitempty"`
}
