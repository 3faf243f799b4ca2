package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// UndoTime is how long somebody may take back what they did. Screens offer it
// for ten seconds; the rest is for slow networks and readers.
const UndoTime = 2 * time.Minute

// undoable are the events that may be taken back: those by which an incident
// moves. A declaration and a comment stay said; an import is not a gesture.
var undoable = map[string]bool{
	EventEdited: true, EventAssigned: true, EventPlanned: true, EventHeld: true, EventResumed: true, EventResolved: true,
	EventClosed: true, EventReopened: true, EventCancelled: true, EventMerged: true, EventAffected: true,
	EventAcknowledged: true, EventHandedOver: true, EventHandedBack: true, EventAttached: true, EventDetached: true,
}

// Undo takes back the last thing that happened to an incident: the event after
// which it had that version. Everything that the event changed is again as it
// was, instants and counters included: a resolution taken back was no
// resolution, and what puts it back is no reopening. Both events stay in the
// journal and in the story; a comment that came with the action stays said.
//
// Only who did it may, within UndoTime, and while nothing has happened since;
// else it is a Conflict "error.incident.undo". NotFound when out of scope.
func (s *Service) Undo(ctx context.Context, by auth.Identity, id, version int64) (Incident, error) {
	at := sqldb.Now()
	var out Incident
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		out, err = s.undo(ctx, tx, by, id, version, at)
		return err
	})
	if err != nil {
		return Incident{}, err
	}
	return out, nil
}

func (s *Service) undo(ctx context.Context, tx *sqldb.Tx, by auth.Identity, id, version int64, at time.Time) (Incident, error) {
	found, err := s.hold(ctx, tx, by.Tenant, id)
	if err != nil {
		return Incident{}, err
	}
	before := found[id]
	if before == nil || !before.SeenBy(by.Scope()) {
		return Incident{}, notFound()
	}
	events, err := journal.Of(ctx, tx, by.Tenant, subject(id))
	if err != nil {
		return Incident{}, err
	}
	if int64(len(events)) != before.Version || len(events) == 0 {
		return Incident{}, fmt.Errorf("incident %d: version %d but %d events", id, before.Version, len(events))
	}
	last := events[len(events)-1]
	if version != before.Version || last.Actor != by.Actor() || !undoable[last.Kind] || at.Sub(last.RecordedAt) > UndoTime {
		return Incident{}, fault.New(fault.Conflict, "error.incident.undo")
	}
	var p Payload
	if err := json.Unmarshal(last.Data, &p); err != nil {
		return Incident{}, fmt.Errorf("incident %d: event %s: %w", id, last.Pos, err)
	}
	after := *before
	p.Was.Apply(&after)
	if len(p.Steps) > 0 || !after.SeenBy(by.Scope()) && last.Kind != EventAffected {
		return Incident{}, fault.New(fault.Conflict, "error.incident.undo")
	}
	set, was := Diff(before, &after)
	if set.empty() {
		return *before, nil
	}
	sides, err := s.sides(ctx, tx, by.Tenant, before, &after, found)
	if err != nil {
		return Incident{}, err
	}
	return s.writeAll(ctx, tx, by, before, &after, EventUndone, at, Payload{Set: set, Was: was}, sides)
}
