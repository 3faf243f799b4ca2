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

	// Other is the incident at the other end of a link, or from which a comment
	// was taken over.
	Other int64
	// Of is the incident on which it was said, when that was merged into this
	// one: its thread is told here too. 0 for the incident's own.
	Of int64
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
	var events, merged []journal.Event
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := load(ctx, tx, by.Tenant, []int64{id})
		if err != nil {
			return err
		}
		if i := found[id]; i == nil || !i.SeenBy(by.Scope()) {
			return notFound()
		}
		if events, err = journal.Of(ctx, tx, by.Tenant, subject(id)); err != nil {
			return err
		}
		merged, err = threads(ctx, tx, by, found[id])
		return err
	})
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(events)+len(merged))
	for k, e := range append(events, merged...) {
		entry, err := tell(e)
		if err != nil {
			return nil, err
		}
		if k >= len(events) && !entry.ofThread(&e) {
			continue
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

// maxThreads bounds the merged incidents whose threads are told with another's.
const maxThreads = 50

// threads reads the events of the incidents that were merged into one, and into
// those, as far as the reader may follow: those of the same school, which the
// merge says are the same thing, and those in scope.
func threads(ctx context.Context, tx *sqldb.Tx, by auth.Identity, into *Incident) ([]journal.Event, error) {
	var ids []int64
	for level := []int64{into.ID}; len(level) > 0 && len(ids) < maxThreads; {
		args := []any{by.Tenant}
		for _, id := range level {
			args = append(args, id)
		}
		merged, err := query(ctx, tx, " AND state = 'merged' AND merged_into <> 0 AND merged_into IN ("+marks(2, len(level))+")", args...)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(merged, byNumber)
		level = nil
		for k := range merged {
			if m := &merged[k]; (m.School == into.School || m.SeenBy(by.Scope())) && len(ids) < maxThreads && !slices.Contains(ids, m.ID) {
				ids, level = append(ids, m.ID), append(level, m.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return journal.OfMany(ctx, tx, by.Tenant, Subject, ids)
}

// ofThread keeps of a merged incident's history what was said: its declaration
// with the words of it, and comments.
func (e *Entry) ofThread(event *journal.Event) bool {
	e.Of = event.Subject.ID
	if e.Kind == EventDeclared {
		for _, c := range e.Changes {
			if c.Field == FieldTitle && e.Comment == "" || c.Field == FieldDescription {
				e.Comment, _ = c.To.(string)
			}
		}
		e.Changes = nil
		return true
	}
	e.Changes = nil
	return e.Comment != "" || len(e.Attachments) > 0
}

func tell(e journal.Event) (Entry, error) {
	var p Payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return Entry{}, fmt.Errorf("incident %d: event %s: %w", e.Subject.ID, e.Pos, err)
	}
	entry := Entry{Pos: e.Pos, At: e.At, RecordedAt: e.RecordedAt, Actor: e.Actor, Kind: e.Kind, Comment: p.Comment, Internal: p.Internal, Imported: len(p.Steps) > 0, Attachments: p.Attachments, Mentions: p.Mentions, Other: p.Other}
	var from, to Incident
	p.Was.Apply(&from)
	p.Set.Apply(&to)
	for k := range accessors {
		if accessors[k].name == FieldLevelAt || accessors[k].name == FieldSeenAt {
			continue // the entry's own instant says it
		}
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
