package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Entry is one thing that happened to an incident, as its page tells it.
type Entry struct {
	Pos        journal.Pos
	At         time.Time // when it happened
	RecordedAt time.Time // when it was written here: later, for an import
	Actor      journal.Actor
	Kind       string // "incident.resolved"; "incident.event.resolved" is its translation key
	Changes    []FieldChange
	Comment    string
	Internal   bool // the comment is for the unit only
	Imported   bool

	Attachments []int64 // files that came with it
	Mentions    []int64 // persons whom the comment calls
}

// FieldChange is a field's former and new value, of the type that Incident has
// for it.
type FieldChange struct {
	Field    Field
	From, To any
}

// Story tells what happened to an incident, oldest first. Comments kept for
// the unit are left out for whoever may not handle incidents.
func (s *Service) Story(ctx context.Context, by auth.Identity, id int64) ([]Entry, error) {
	var events []journal.Event
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := load(ctx, tx, by.Tenant, []int64{id})
		if err != nil {
			return err
		}
		if i := found[id]; i == nil || !i.SeenBy(by.Scope()) {
			return notFound()
		}
		events, err = journal.Of(ctx, tx, by.Tenant, subject(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(events))
	for _, e := range events {
		entry, err := tell(e)
		if err != nil {
			return nil, err
		}
		if entry.Internal && !by.Can(auth.HandleIncident) {
			if e.Kind == EventCommented {
				continue
			}
			entry.Comment, entry.Attachments, entry.Mentions = "", nil, nil
		}
		if !by.Can(auth.HandleIncident) {
			entry.Changes = slices.DeleteFunc(entry.Changes, func(c FieldChange) bool { return c.Field == FieldAffected })
			if e.Kind == EventAffected && entry.Comment == "" && len(entry.Attachments) == 0 {
				entry.Actor = journal.Actor{Kind: journal.BySystem} // somebody has it too; who is not told
			}
		}
		entries = append(entries, entry)
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	return entries, nil
}

func tell(e journal.Event) (Entry, error) {
	var p Payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return Entry{}, fmt.Errorf("incident %d: event %s: %w", e.Subject.ID, e.Pos, err)
	}
	entry := Entry{Pos: e.Pos, At: e.At, RecordedAt: e.RecordedAt, Actor: e.Actor, Kind: e.Kind, Comment: p.Comment, Internal: p.Internal, Imported: len(p.Steps) > 0, Attachments: p.Attachments, Mentions: p.Mentions}
	var from, to Incident
	p.Was.Apply(&from)
	p.Set.Apply(&to)
	for k := range accessors {
		if a := &accessors[k]; a.has(&p.Set) && !a.same(&from, &to) {
			entry.Changes = append(entry.Changes, FieldChange{Field: a.name, From: a.value(&from), To: a.value(&to)})
		}
	}
	return entry, nil
}

// At gives an incident as it stood at one of its versions.
func (s *Service) At(ctx context.Context, scope auth.Scope, id, version int64) (Incident, error) {
	var at Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := load(ctx, tx, scope.Tenant(), []int64{id})
		if err != nil {
			return err
		}
		now := found[id]
		if now == nil || !now.SeenBy(scope) {
			return notFound()
		}
		if version < 1 || version > now.Version {
			return notFound()
		}
		events, err := journal.Of(ctx, tx, scope.Tenant(), subject(id))
		if err != nil {
			return err
		}
		if int64(len(events)) < version {
			return fmt.Errorf("incident %d: version %d but %d events", id, version, len(events))
		}
		for k := range events[:version] {
			if err := at.Fold(&events[k]); err != nil {
				return err
			}
		}
		return nil
	})
	return at, err
}
