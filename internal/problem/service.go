package problem

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Service is the problems of every tenant.
//
// Commands: Open, OpenWith, Save, Link, Unlink, Refuse, Restore. Reads: Get,
// List, Of, Incidents, Story, Said.
type Service struct {
	db        *sqldb.DB
	j         *journal.Journal
	places    *directory.Service
	words     *catalog.Service
	incidents *incident.Service
}

// New makes the service.
func New(db *sqldb.DB, j *journal.Journal, places *directory.Service, words *catalog.Service, incidents *incident.Service) *Service {
	return &Service{db: db, j: j, places: places, words: words, incidents: incidents}
}

func notFound() error { return fault.New(fault.NotFound, "error.problem.not_found") }

// Open records a new problem and gives it its number.
func (s *Service) Open(ctx context.Context, by auth.Identity, c Content) (Problem, error) {
	if c.State == "" {
		c.State = Open
	}
	if err := s.check(ctx, by, &c, Content{}); err != nil {
		return Problem{}, err
	}
	at := sqldb.Now()
	var p Problem
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p = Problem{}
		var err error
		if p.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
			return err
		}
		return s.write(ctx, tx, by, &p, EventOpened, at, Payload{Content: &c})
	})
	return p, err
}

// Save changes what a problem says. Base is the version that the person was
// looking at; if somebody wrote meanwhile it is a Conflict "error.problem.changed".
func (s *Service) Save(ctx context.Context, by auth.Identity, id, base int64, c Content) (Problem, error) {
	before, err := s.Get(ctx, by, id)
	if err != nil {
		return Problem{}, err
	}
	if err := s.check(ctx, by, &c, before.Content); err != nil {
		return Problem{}, err
	}
	at := sqldb.Now()
	var p Problem
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		if p, err = s.locked(ctx, tx, by.Tenant, id); err != nil {
			return err
		}
		switch {
		case p.Content == c:
			return nil
		case p.Content != before.Content || base != 0 && s.wroteSince(ctx, tx, by.Tenant, id, base):
			return fault.New(fault.Conflict, "error.problem.changed")
		}
		return s.write(ctx, tx, by, &p, EventEdited, at, Payload{Content: &c})
	})
	return p, err
}

// wroteSince tells whether the content was written after a version; ties of
// incidents take nothing away from who writes.
func (s *Service) wroteSince(ctx context.Context, tx *sqldb.Tx, tenant, id, base int64) bool {
	events, err := journal.Of(ctx, tx, tenant, journal.Subject{Kind: Subject, ID: id})
	if err != nil || base < 0 || base > int64(len(events)) {
		return true
	}
	for k := range events[base:] {
		if events[base:][k].Kind == EventEdited {
			return true
		}
	}
	return false
}

func (s *Service) check(ctx context.Context, by auth.Identity, c *Content, before Content) error {
	if err := by.Require(auth.HandleIncident); err != nil {
		return err
	}
	c.clean()
	fields := c.judge()
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	if cat, ok := words.Category(c.Category); c.Category != 0 && c.Category != before.Category && (!ok || cat.Archived) {
		fields.Add("category", "error.field.unknown")
	}
	if who, ok := places.Person(c.Owner); c.Owner != 0 && c.Owner != before.Owner && (!ok || who.Kind != directory.Staff) {
		fields.Add("owner", "error.field.unknown")
	}
	return fields.Err()
}

// Link ties an incident to a problem; changed is false if it was already.
// Whoever handles incidents and sees this one may.
func (s *Service) Link(ctx context.Context, by auth.Identity, id, number int64) (changed bool, err error) {
	return s.tie(ctx, by, id, number, EventLinked)
}

// Unlink unties them.
func (s *Service) Unlink(ctx context.Context, by auth.Identity, id, number int64) (changed bool, err error) {
	return s.tie(ctx, by, id, number, EventUnlinked)
}

func (s *Service) tie(ctx context.Context, by auth.Identity, id, number int64, kind string) (changed bool, err error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return false, err
	}
	if _, err := s.incidents.Get(ctx, by.Scope(), number); err != nil {
		return false, err
	}
	at := sqldb.Now()
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		changed = false
		p, err := s.locked(ctx, tx, by.Tenant, id)
		if err != nil {
			return err
		}
		tied, err := isTied(ctx, tx, by.Tenant, id, number)
		if err != nil || tied == (kind == EventLinked) {
			return err
		}
		if kind == EventLinked && p.Incidents >= MaxIncidents {
			return fault.New(fault.Conflict, "error.problem.full", "max", MaxIncidents)
		}
		changed = true
		return s.write(ctx, tx, by, &p, kind, at, Payload{Incident: number})
	})
	return changed, err
}

// write appends an event and keeps what became of the problem.
func (s *Service) write(ctx context.Context, tx *sqldb.Tx, by auth.Identity, p *Problem, kind string, at time.Time, data Payload) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("problem: payload: %w", err)
	}
	e := journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: p.ID}, Kind: kind, Data: raw}
	p.fold(kind, at, &data)
	if err := save(ctx, tx, by.Tenant, p, kind, at, &data); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, e)
}

// Projection rebuilds the problems from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "problem", Subjects: []string{Subject, RefusalSubject}, Tables: []string{"problem", "problem_incident", "problem_refusal"}, Apply: apply}
}

func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	state := map[int64]*Problem{}
	for k := range events {
		e := &events[k]
		if e.Subject.Kind == RefusalSubject {
			var data RefusalPayload
			if err := json.Unmarshal(e.Data, &data); err != nil {
				return fmt.Errorf("problem: event %s: %w", e.Pos, err)
			}
			if err := keepRefusal(ctx, tx, e.Tenant, e.Subject.ID, e.Kind, e.At, data); err != nil {
				return err
			}
			continue
		}
		p := state[e.Subject.ID]
		if p == nil {
			stored, err := load(ctx, tx, e.Tenant, e.Subject.ID)
			switch {
			case fault.Is(err, fault.NotFound):
				stored = Problem{ID: e.Subject.ID}
			case err != nil:
				return err
			}
			p = &stored
			state[e.Subject.ID] = p
		}
		var data Payload
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return fmt.Errorf("problem %d: event %s: %w", e.Subject.ID, e.Pos, err)
		}
		p.fold(e.Kind, e.At, &data)
		if err := save(ctx, tx, e.Tenant, p, e.Kind, e.At, &data); err != nil {
			return err
		}
	}
	return nil
}
