package problem

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

const columns = `problem_id, version, state, title, description, cause, workaround, public, category_id, owner_id, incidents, opened_at, ended_at, updated_at`

func scan(row interface{ Scan(...any) error }) (Problem, error) {
	var p Problem
	var public, opened, ended, updated int64
	err := row.Scan(&p.ID, &p.Version, &p.State, &p.Title, &p.Description, &p.Cause, &p.Workaround, &public, &p.Category, &p.Owner, &p.Incidents, &opened, &ended, &updated)
	p.Public = public != 0
	p.OpenedAt, p.EndedAt, p.UpdatedAt = sqldb.Time(opened), sqldb.Time(ended), sqldb.Time(updated)
	return p, err
}

func load(ctx context.Context, tx *sqldb.Tx, tenant, id int64) (Problem, error) {
	p, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM problem WHERE tenant_id = $1 AND problem_id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Problem{}, notFound()
	}
	if err != nil {
		return Problem{}, fmt.Errorf("problem: read: %w", err)
	}
	return p, nil
}

// locked reads a problem that nobody else changes until the end of the
// transaction.
func (s *Service) locked(ctx context.Context, tx *sqldb.Tx, tenant, id int64) (Problem, error) {
	if tx.Dialect() == sqldb.PostgreSQL {
		// Before anything is written: see incident.lock.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, fmt.Sprintf("problem/%d/%d", tenant, id)); err != nil {
			return Problem{}, fmt.Errorf("problem: lock: %w", err)
		}
	}
	return load(ctx, tx, tenant, id)
}

func isTied(ctx context.Context, tx *sqldb.Tx, tenant, id, number int64) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM problem_incident WHERE tenant_id = $1 AND problem_id = $2 AND incident_id = $3`, tenant, id, number).Scan(&n)
	return n > 0, err
}

// save keeps a problem as an event left it, and the tie that the event made or
// undid.
func save(ctx context.Context, tx *sqldb.Tx, tenant int64, p *Problem, kind string, at time.Time, data *Payload) error {
	public := 0
	if p.Public {
		public = 1
	}
	_, err := tx.Exec(ctx, `INSERT INTO problem (tenant_id, `+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (tenant_id, problem_id) DO UPDATE SET version = excluded.version, state = excluded.state, title = excluded.title, description = excluded.description,
		cause = excluded.cause, workaround = excluded.workaround, public = excluded.public, category_id = excluded.category_id, owner_id = excluded.owner_id,
		incidents = excluded.incidents, opened_at = excluded.opened_at, ended_at = excluded.ended_at, updated_at = excluded.updated_at`,
		tenant, p.ID, p.Version, string(p.State), p.Title, p.Description, p.Cause, p.Workaround, public, p.Category, p.Owner, p.Incidents,
		sqldb.Millis(p.OpenedAt), sqldb.Millis(p.EndedAt), sqldb.Millis(p.UpdatedAt))
	if err == nil {
		switch kind {
		case EventLinked:
			_, err = tx.Exec(ctx, `INSERT INTO problem_incident (tenant_id, problem_id, incident_id, linked_at) VALUES ($1, $2, $3, $4)`, tenant, p.ID, data.Incident, sqldb.Millis(at))
		case EventUnlinked:
			_, err = tx.Exec(ctx, `DELETE FROM problem_incident WHERE tenant_id = $1 AND problem_id = $2 AND incident_id = $3`, tenant, p.ID, data.Incident)
		}
	}
	if err != nil {
		return fmt.Errorf("problem: save: %w", err)
	}
	return nil
}

// Get reads one problem, for who handles incidents.
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (Problem, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Problem{}, err
	}
	var p Problem
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		p, err = load(ctx, tx, by.Tenant, id)
		return err
	})
	return p, err
}

// MaxList is how many problems a list holds, those that strike first, then the
// latest changed.
const MaxList = 1000

// List reads the problems, for who handles incidents.
func (s *Service) List(ctx context.Context, by auth.Identity) ([]Problem, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return nil, err
	}
	return s.read(ctx, `SELECT `+columns+` FROM problem WHERE tenant_id = $1
		ORDER BY CASE state WHEN 'open' THEN 0 WHEN 'known' THEN 1 WHEN 'resolved' THEN 2 ELSE 3 END, updated_at DESC, problem_id DESC LIMIT $2`, by.Tenant, MaxList)
}

func (s *Service) read(ctx context.Context, query string, args ...any) ([]Problem, error) {
	var all []Problem
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		all = nil
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scan(rows)
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("problem: list: %w", err)
	}
	return all, nil
}

// Of gives the problems that an incident is tied to, as far as the reader may
// know: all for who handles incidents; for others who see the incident, the
// title, state and workaround of the public ones.
func (s *Service) Of(ctx context.Context, by auth.Identity, number int64) ([]Problem, error) {
	if _, err := s.incidents.Get(ctx, by.Scope(), number); err != nil {
		return nil, err
	}
	all, err := s.read(ctx, `SELECT `+columns+` FROM problem WHERE tenant_id = $1 AND problem_id IN (SELECT problem_id FROM problem_incident WHERE tenant_id = $1 AND incident_id = $2) ORDER BY problem_id`, by.Tenant, number)
	if err != nil || by.Can(auth.HandleIncident) {
		return all, err
	}
	var told []Problem
	for _, p := range all {
		if p.Public {
			told = append(told, Problem{ID: p.ID, Content: Content{State: p.State, Title: p.Title, Workaround: p.Workaround, Public: true}})
		}
	}
	return told, nil
}

// Incidents lists the numbers of the incidents tied to a problem, latest tied
// first, for who handles incidents.
func (s *Service) Incidents(ctx context.Context, by auth.Identity, id int64) ([]int64, error) {
	if _, err := s.Get(ctx, by, id); err != nil {
		return nil, err
	}
	var ids []int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ids = nil
		rows, err := tx.Query(ctx, `SELECT incident_id FROM problem_incident WHERE tenant_id = $1 AND problem_id = $2 ORDER BY linked_at DESC, incident_id DESC LIMIT $3`, by.Tenant, id, MaxIncidents)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n int64
			if err := rows.Scan(&n); err != nil {
				return err
			}
			ids = append(ids, n)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("problem: incidents: %w", err)
	}
	return ids, nil
}

// Entry is one thing that happened to a problem.
type Entry struct {
	At       time.Time
	Actor    journal.Actor
	Kind     string
	Incident int64 // which was tied or untied
	State    State // it went to, "" if it stayed
	Changed  bool  // its words changed
}

// Story tells what happened to a problem, oldest first.
func (s *Service) Story(ctx context.Context, by auth.Identity, id int64) ([]Entry, error) {
	if _, err := s.Get(ctx, by, id); err != nil {
		return nil, err
	}
	var events []journal.Event
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		events, err = journal.Of(ctx, tx, by.Tenant, journal.Subject{Kind: Subject, ID: id})
		return err
	})
	if err != nil {
		return nil, err
	}
	var p Problem
	entries := make([]Entry, 0, len(events))
	for k := range events {
		e := &events[k]
		var data Payload
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return nil, fmt.Errorf("problem %d: event %s: %w", id, e.Pos, err)
		}
		entry := Entry{At: e.At, Actor: e.Actor, Kind: e.Kind, Incident: data.Incident}
		before := p.Content
		p.fold(e.Kind, e.At, &data)
		if p.State != before.State {
			entry.State = p.State
		}
		before.State = p.State
		entry.Changed = p.Content != before
		entries = append(entries, entry)
	}
	return entries, nil
}
