package servicelevel

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/incident"
	"statincidents/internal/journal"
)

// Story is what an incident's events say that clocks look at.
type Story struct {
	Incident  int64
	Opened    time.Time // when it was declared: both clocks begin
	School    int64     // as it stands last, with the declarant: who sees it
	Declarant int64
	Steps     []Step // in the journal's order, never empty for an incident that exists
}

// Step is how the incident stands from an instant on.
type Step struct {
	At       time.Time // not before the step before it
	State    incident.State
	School   int64
	Category int64
	Priority int
	Assignee int64
	Waiting  int64 // reason code, while waiting
	AtSchool bool  // its school handles it: the département's clocks do not run
	Answers  bool  // somebody of the unit took it in hand: the response clock stops
}

// answering are the kinds of event by which the unit takes an incident in hand
// (with a state that says so). A comment or a correction does not.
var answering = []string{
	incident.EventDeclared, incident.EventAssigned, incident.EventPlanned, incident.EventHeld, incident.EventResumed,
	incident.EventAcknowledged, incident.EventResolved, incident.EventClosed, incident.EventReopened, incident.EventUpdated,
}

// inHand are the states in which somebody looks after the incident, or did.
var inHand = []incident.State{incident.Assigned, incident.Planned, incident.Waiting, incident.Resolved, incident.Closed}

// StoryOf reads an incident's own events, in the journal's order.
//
//   - What was taken back (incident.EventUndone) never was: the event and its
//     undoing are left out.
//   - An event that was recorded after a later one (an import) takes effect at
//     the instant of the one before it: clocks do not run backwards.
//   - What the program did by itself (an assignment rule) does not answer;
//     imported steps count as done by people.
//   - What is done while the incident is with its school is not the unit's
//     doing, and neither answers nor counts.
func StoryOf(events []journal.Event) (Story, error) {
	var s Story
	kept, err := standing(events)
	if err != nil {
		return s, err
	}
	var i incident.Incident
	for k := range kept {
		e := kept[k].event
		s.Incident = e.Subject.ID
		kept[k].payload.Set.Apply(&i)
		at := e.At
		if n := len(s.Steps); n > 0 && at.Before(s.Steps[n-1].At) {
			at = s.Steps[n-1].At
		}
		byUnit := e.Actor.Kind != journal.BySystem || len(kept[k].payload.Steps) > 0
		step := Step{
			At: at, State: i.State, School: i.School, Category: i.Category, Priority: i.Priority, Assignee: i.Assignee, AtSchool: i.AtSchool(),
			Answers: byUnit && !i.AtSchool() && slices.Contains(answering, e.Kind) && slices.Contains(inHand, i.State),
		}
		if i.State == incident.Waiting {
			step.Waiting = i.WaitingCode
		}
		if n := len(s.Steps); n > 0 && s.Steps[n-1].same(&step) {
			continue
		}
		s.Steps = append(s.Steps, step)
	}
	s.Opened, s.School, s.Declarant = i.OpenedAt, i.School, i.Declarant
	if len(s.Steps) > 0 {
		if s.Opened.IsZero() {
			s.Opened = s.Steps[0].At
		}
		// The first standing begins with the declaration, and nothing happens
		// before it.
		s.Steps[0].At = s.Opened
		for k := range s.Steps[1:] {
			if s.Steps[k+1].At.Before(s.Steps[k].At) {
				s.Steps[k+1].At = s.Steps[k].At
			}
		}
	}
	return s, nil
}

type read struct {
	event   *journal.Event
	payload incident.Payload
}

// standing drops what was taken back, with its undoing.
func standing(events []journal.Event) ([]read, error) {
	kept := make([]read, 0, len(events))
	for k := range events {
		r := read{event: &events[k]}
		if err := json.Unmarshal(events[k].Data, &r.payload); err != nil {
			return nil, fmt.Errorf("servicelevel: incident %d, event %s: %w", events[k].Subject.ID, events[k].Pos, err)
		}
		if events[k].Kind == incident.EventUndone && len(kept) > 1 {
			kept = kept[:len(kept)-1]
			continue
		}
		kept = append(kept, r)
	}
	return kept, nil
}

// same tells whether nothing that clocks look at has changed. A step that
// answers is one more only if the one before did not.
func (s *Step) same(next *Step) bool {
	a, b := *s, *next
	a.At, b.At = time.Time{}, time.Time{}
	b.Answers = b.Answers && !a.Answers
	a.Answers = false
	return a == b
}
