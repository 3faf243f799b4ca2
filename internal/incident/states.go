package incident

import (
	"slices"
	"time"

	"statincidents/internal/auth"
)

// Action is what someone does to an incident. "incident.action.NAME" is the
// translation key of its button.
type Action string

// The actions.
const (
	Take    Action = "take"    // I look after it
	Assign  Action = "assign"  // someone looks after it
	Route   Action = "route"   // another team's queue
	Plan    Action = "plan"    // work is planned for an instant
	Hold    Action = "hold"    // work has stopped, for a reason
	Resume  Action = "resume"  // work goes on
	Resolve Action = "resolve" // it works again
	Close   Action = "close"   // the unit closes what was resolved
	Confirm Action = "confirm" // the school says that it works
	Reopen  Action = "reopen"  // it does not, or it was ended by mistake
	Cancel  Action = "cancel"  // it was no incident
	Merge   Action = "merge"   // it is the same as another
	Attach  Action = "attach"  // it is a part of a main incident
	Detach  Action = "detach"  // it is not
	Edit    Action = "edit"    // correct or complete fields
	Refile  Action = "refile"  // say what kind of problem it is, before anybody looks after it
	Comment Action = "comment" // say something

	Acknowledge Action = "acknowledge" // I was named to look after it: seen
	HandOver    Action = "hand_over"   // the school has tried: the département's turn
	HandBack    Action = "hand_back"   // the school can do it
)

// Condition limits a transition to some incidents of its states.
type Condition string

// The conditions.
const (
	Always          Condition = ""
	WithAssignee    Condition = "with_assignee"
	WithoutAssignee Condition = "without_assignee"
	WithParent      Condition = "with_parent"
	Unseen          Condition = "unseen" // somebody is named and has not said that they know
)

// Same is the state "unchanged" of a transition.
const Same State = ""

// Transition is a row of the state machine: from some states, one action leads
// to one state, by who has the right, with some fields.
type Transition struct {
	Action   Action
	From     []State
	When     Condition
	To       State      // Same: the state stays
	Event    string     // kind of event written
	Right    auth.Right // needed, beside seeing the incident
	Required []Field    // must be given, not empty
	Optional []Field    // may be given
	Joined   bool       // open to who joined the incident without having declared it
	Own      bool       // open to who looks after the incident only
	At       Place      // with whom it must be
}

var (
	active   = []State{New, Assigned, Planned, Waiting}
	detail   = []Field{FieldTitle, FieldDescription, FieldSchool, FieldRoom, FieldNetwork, FieldMachine, FieldCategory, FieldImpact, FieldUrgency, FieldDeclarant, FieldOrigin, FieldOccurredAt, FieldComment}
	solution = []Field{FieldResolutionCode, FieldCauseCode, FieldResolution}
)

// Transitions is the whole state machine: screens and API offer what it says
// (Available), Act does what it says, docs/incident-states.md draws it.
var Transitions = []Transition{
	{Action: Take, From: []State{New, Assigned}, To: Assigned, Event: EventAssigned, Right: auth.HandleIncident, Optional: []Field{FieldComment}},
	{Action: Take, From: []State{Planned, Waiting}, To: Same, Event: EventAssigned, Right: auth.HandleIncident, Optional: []Field{FieldComment}},
	{Action: Assign, From: []State{New, Assigned}, To: Assigned, Event: EventAssigned, Right: auth.HandleIncident, Required: []Field{FieldAssignee}, Optional: []Field{FieldTeam, FieldComment}},
	{Action: Assign, From: []State{Planned, Waiting}, To: Same, Event: EventAssigned, Right: auth.HandleIncident, Required: []Field{FieldAssignee}, Optional: []Field{FieldTeam, FieldComment}},
	{Action: Route, From: active, To: New, Event: EventAssigned, Right: auth.HandleIncident, Required: []Field{FieldTeam}, Optional: []Field{FieldComment}},
	{Action: Plan, From: active, To: Planned, Event: EventPlanned, Right: auth.HandleIncident, Required: []Field{FieldPlannedAt}, Optional: []Field{FieldAssignee, FieldComment}},
	{Action: Hold, From: active, To: Waiting, Event: EventHeld, Right: auth.HandleIncident, Required: []Field{FieldWaitingCode}, Optional: []Field{FieldComment}},
	{Action: Resume, From: []State{Planned, Waiting}, When: WithAssignee, To: Assigned, Event: EventResumed, Right: auth.HandleIncident, Optional: []Field{FieldComment}},
	{Action: Resume, From: []State{Planned, Waiting}, When: WithoutAssignee, To: New, Event: EventResumed, Right: auth.HandleIncident, Optional: []Field{FieldComment}},
	{Action: Resolve, From: active, To: Resolved, Event: EventResolved, Right: auth.HandleIncident, Required: []Field{FieldResolutionCode, FieldCauseCode}, Optional: []Field{FieldResolution, FieldComment}},
	{Action: Close, From: []State{Resolved}, To: Closed, Event: EventClosed, Right: auth.HandleIncident, Optional: []Field{FieldComment}},
	{Action: Confirm, From: []State{Resolved}, To: Closed, Event: EventClosed, Right: auth.ConfirmIncident, Optional: []Field{FieldComment}},
	{Action: Reopen, From: []State{Resolved}, When: WithAssignee, To: Assigned, Event: EventReopened, Right: auth.ConfirmIncident, Required: []Field{FieldComment}, Joined: true},
	{Action: Reopen, From: []State{Resolved}, When: WithoutAssignee, To: New, Event: EventReopened, Right: auth.ConfirmIncident, Required: []Field{FieldComment}, Joined: true},
	{Action: Reopen, From: []State{Closed, Cancelled, Merged}, When: WithAssignee, To: Assigned, Event: EventReopened, Right: auth.HandleIncident, Required: []Field{FieldComment}},
	{Action: Reopen, From: []State{Closed, Cancelled, Merged}, When: WithoutAssignee, To: New, Event: EventReopened, Right: auth.HandleIncident, Required: []Field{FieldComment}},
	{Action: Cancel, From: []State{New}, To: Cancelled, Event: EventCancelled, Right: auth.ConfirmIncident, Required: []Field{FieldComment}},
	{Action: Cancel, From: []State{Assigned, Planned, Waiting}, To: Cancelled, Event: EventCancelled, Right: auth.HandleIncident, Required: []Field{FieldComment}},
	{Action: Merge, From: active, To: Merged, Event: EventMerged, Right: auth.HandleIncident, Required: []Field{FieldMergedInto}, Optional: []Field{FieldComment}},
	{Action: Attach, From: slices.Concat(active, []State{Resolved, Closed}), To: Same, Event: EventAttached, Right: auth.HandleIncident, Required: []Field{FieldParent}, Optional: []Field{FieldComment}},
	{Action: Detach, From: States, When: WithParent, To: Same, Event: EventDetached, Right: auth.HandleIncident, Optional: []Field{FieldComment}},
	{Action: Edit, From: slices.Concat(active, []State{Cancelled, Merged}), To: Same, Event: EventEdited, Right: auth.HandleIncident, Optional: detail},
	{Action: Edit, From: []State{Resolved, Closed}, To: Same, Event: EventEdited, Right: auth.HandleIncident, Optional: slices.Concat(detail, solution)},
	{Action: Refile, From: []State{New}, To: Same, Event: EventEdited, Right: auth.DeclareIncident, Required: []Field{FieldCategory}},
	{Action: Acknowledge, From: []State{Assigned, Planned, Waiting}, When: Unseen, To: Same, Event: EventAcknowledged, Right: auth.HandleIncident, Optional: []Field{FieldComment}, Own: true},
	{Action: HandBack, From: active, At: FromSchool, To: New, Event: EventHandedBack, Right: auth.HandleIncident, Required: []Field{FieldComment}},
	{Action: Take, From: []State{New, Assigned}, At: AtSchool, To: Assigned, Event: EventAssigned, Right: auth.HandleSchool, Optional: []Field{FieldComment}},
	{Action: Take, From: []State{Planned, Waiting}, At: AtSchool, To: Same, Event: EventAssigned, Right: auth.HandleSchool, Optional: []Field{FieldComment}},
	{Action: Acknowledge, From: []State{Assigned, Planned, Waiting}, When: Unseen, At: AtSchool, To: Same, Event: EventAcknowledged, Right: auth.HandleSchool, Optional: []Field{FieldComment}, Own: true},
	{Action: Hold, From: active, At: AtSchool, To: Waiting, Event: EventHeld, Right: auth.HandleSchool, Required: []Field{FieldWaitingCode}, Optional: []Field{FieldComment}},
	{Action: Resume, From: []State{Planned, Waiting}, When: WithAssignee, At: AtSchool, To: Assigned, Event: EventResumed, Right: auth.HandleSchool, Optional: []Field{FieldComment}},
	{Action: Resume, From: []State{Planned, Waiting}, When: WithoutAssignee, At: AtSchool, To: New, Event: EventResumed, Right: auth.HandleSchool, Optional: []Field{FieldComment}},
	{Action: Resolve, From: active, At: AtSchool, To: Resolved, Event: EventResolved, Right: auth.HandleSchool, Required: []Field{FieldResolutionCode, FieldCauseCode}, Optional: []Field{FieldResolution, FieldComment}},
	{Action: HandOver, From: active, At: AtSchool, To: New, Event: EventHandedOver, Right: auth.HandleSchool, Required: []Field{FieldTried}},
	{Action: Cancel, From: []State{Assigned, Planned, Waiting}, At: AtSchool, To: Cancelled, Event: EventCancelled, Right: auth.HandleSchool, Required: []Field{FieldComment}},
	{Action: Comment, From: States, To: Same, Event: EventCommented, Right: auth.CommentIncident, Required: []Field{FieldComment}, Joined: true},
}

// meets tells whether a row applies to an incident as it stands.
func (t *Transition) meets(i *Incident) bool {
	if !slices.Contains(t.From, i.State) {
		return false
	}
	switch t.At {
	case AtSchool:
		if i.Level != AtSchoolLevel {
			return false
		}
	case FromSchool:
		if i.Level == Direct || i.Level == AtSchoolLevel {
			return false
		}
	case Anywhere:
	}
	switch t.When {
	case WithAssignee:
		return i.Assignee != 0
	case WithoutAssignee:
		return i.Assignee == 0
	case WithParent:
		return i.Parent != 0
	case Unseen:
		return i.Assignee != 0 && i.SeenAt.IsZero() && i.ExternalID == "" // an import does not say who had seen it
	case Always:
	}
	return true
}

// openTo tells whether somebody who sees the incident may do the row: who has
// only joined it does not end it for its declarant.
func (t *Transition) openTo(by auth.Identity, i *Incident) bool {
	if !by.Can(t.Right) {
		return false
	}
	if t.Own && (by.Person == 0 || i.Assignee != by.Person) {
		return false
	}
	person, own := by.Scope().Own()
	return t.Joined || !own || i.Declarant == person
}

// takes tells whether the row accepts a field.
func (t *Transition) takes(f Field) bool {
	return slices.Contains(t.Required, f) || slices.Contains(t.Optional, f)
}

// Available lists what someone may do to an incident as it stands, in the
// table's order, one row an action. What would change nothing (take what is
// already mine) or says the same twice (confirm, for whoever may close) is
// left out of the offer.
func Available(by auth.Identity, i Incident) []Transition {
	if by.Tenant == 0 || !i.SeenBy(by.Scope()) {
		return nil
	}
	var rows []Transition
	for _, t := range Transitions {
		if !t.meets(&i) || !t.openTo(by, &i) {
			continue
		}
		switch t.Action {
		case Take:
			if by.Person == 0 || i.Assignee == by.Person && i.State != New {
				continue
			}
		case Confirm, Refile:
			if by.Can(auth.HandleIncident) {
				continue // they close, and edit
			}
		default:
		}
		rows = append(rows, t)
	}
	return rows
}

// find gives the row of an action on an incident as it stands. Known tells
// whether any row of the action applies, whoever asks.
func find(by auth.Identity, action Action, i *Incident) (row *Transition, known bool) {
	for k := range Transitions {
		t := &Transitions[k]
		if t.Action != action || !t.meets(i) {
			continue
		}
		known = true
		if t.openTo(by, i) {
			return t, true
		}
	}
	return nil, known
}

// effects changes what follows from the step from before to i: instants,
// counters, and what has no meaning in the new state. What was asked is
// already in i; at is the instant of the change.
func (i *Incident) effects(before *Incident, at time.Time) {
	if i.State != before.State {
		ended := before.State == Resolved || before.State == Closed
		switch i.State {
		case Resolved:
			i.ResolvedAt = at
		case Closed, Cancelled, Merged:
			i.ClosedAt = at
		case New, Assigned, Planned, Waiting:
			if !before.State.Open() {
				i.ResolvedAt, i.ClosedAt = time.Time{}, time.Time{}
				i.CauseCode, i.ResolutionCode, i.Resolution, i.MergedInto = 0, 0, "", 0
				i.Rating, i.RatedAt = "", time.Time{}
			}
			if ended {
				i.ReopenCount++
			}
		}
		if i.State != Waiting {
			i.WaitingCode = 0
		}
		if i.State == New || i.State == Assigned || i.State == Waiting {
			i.PlannedAt = time.Time{}
		}
	}
	moved := func(a, b int64) bool { return a != 0 && b != 0 && a != b }
	if moved(before.Assignee, i.Assignee) || moved(before.Team, i.Team) {
		i.ReassignCount++
	}
}
