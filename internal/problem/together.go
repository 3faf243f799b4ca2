package problem

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// The program finds reports that say the same thing and proposes to make a
// problem of them; a person opens it, or says that they have nothing to do with
// one another. The refusal is remembered.

// RefusalSubject is the journal's subject kind for proposals that were refused.
const RefusalSubject = "problem_refusal"

// Kinds of event of a refusal. Each carries a RefusalPayload.
const (
	EventRefused  = RefusalSubject + ".refused"
	EventRestored = RefusalSubject + ".restored"
)

// RefusalPayload is the data of an event of a refusal.
type RefusalPayload struct {
	Incidents []int64 `json:"incidents,omitempty"` // that go together no more
}

// MaxTogether is how many incidents one proposal holds.
const MaxTogether = 500

// OpenWith opens a problem and ties incidents to it, all at once.
func (s *Service) OpenWith(ctx context.Context, by auth.Identity, c Content, numbers []int64) (Problem, error) {
	if c.State == "" {
		c.State = Open
	}
	if err := s.check(ctx, by, &c, Content{}); err != nil {
		return Problem{}, err
	}
	numbers, err := s.seen(ctx, by, numbers)
	if err != nil {
		return Problem{}, err
	}
	at := sqldb.Now()
	var p Problem
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p = Problem{}
		var err error
		if p.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
			return err
		}
		if err := s.write(ctx, tx, by, &p, EventOpened, at, Payload{Content: &c}); err != nil {
			return err
		}
		for _, n := range numbers {
			if err := s.write(ctx, tx, by, &p, EventLinked, at, Payload{Incident: n}); err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}

// seen gives incidents, each once, if whoever asks sees all of them.
func (s *Service) seen(ctx context.Context, by auth.Identity, numbers []int64) ([]int64, error) {
	numbers = slices.Compact(slices.Sorted(slices.Values(numbers)))
	if len(numbers) > MaxTogether {
		return nil, fault.New(fault.TooLarge, "error.problem.full", "max", MaxTogether)
	}
	found, err := s.incidents.Many(ctx, by.Scope(), numbers)
	if err != nil {
		return nil, err
	}
	if len(found) < len(numbers) {
		return nil, fault.New(fault.NotFound, "error.incident.not_found")
	}
	return numbers, nil
}

// Refuse remembers that incidents that looked alike have nothing to do with one
// another, and gives the refusal's number. Whoever handles incidents and sees
// all of them may.
func (s *Service) Refuse(ctx context.Context, by auth.Identity, numbers []int64) (int64, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return 0, err
	}
	numbers, err := s.seen(ctx, by, numbers)
	if err != nil {
		return 0, err
	}
	if len(numbers) < 2 {
		return 0, fault.New(fault.Invalid, "error.problem.together")
	}
	at := sqldb.Now()
	var id int64
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		if id, err = tx.NextIDs(ctx, by.Tenant, RefusalSubject, 1); err != nil {
			return err
		}
		return s.writeRefusal(ctx, tx, by, id, EventRefused, at, RefusalPayload{Incidents: numbers})
	})
	return id, err
}

// Restore takes a refusal back; it is nothing to do it twice.
func (s *Service) Restore(ctx context.Context, by auth.Identity, id int64) error {
	if err := by.Require(auth.HandleIncident); err != nil {
		return err
	}
	at := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM problem_refusal WHERE tenant_id = $1 AND refusal_id = $2`, by.Tenant, id).Scan(&n); err != nil || n == 0 {
			return err
		}
		return s.writeRefusal(ctx, tx, by, id, EventRestored, at, RefusalPayload{})
	})
}

func (s *Service) writeRefusal(ctx context.Context, tx *sqldb.Tx, by auth.Identity, id int64, kind string, at time.Time, data RefusalPayload) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("problem: payload: %w", err)
	}
	if err := keepRefusal(ctx, tx, by.Tenant, id, kind, at, data); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: RefusalSubject, ID: id}, Kind: kind, Data: raw})
}

// keepRefusal is what an event does to the table.
func keepRefusal(ctx context.Context, tx *sqldb.Tx, tenant, id int64, kind string, at time.Time, data RefusalPayload) error {
	_, err := tx.Exec(ctx, `DELETE FROM problem_refusal WHERE tenant_id = $1 AND refusal_id = $2`, tenant, id)
	if kind == EventRefused {
		for _, n := range data.Incidents {
			if err == nil {
				_, err = tx.Exec(ctx, `INSERT INTO problem_refusal (tenant_id, refusal_id, incident_id, refused_at) VALUES ($1, $2, $3, $4)`, tenant, id, n, sqldb.Millis(at))
			}
		}
	}
	if err != nil {
		return fmt.Errorf("problem: refusal: %w", err)
	}
	return nil
}

// Together is what people have said of some incidents.
type Together struct {
	Problems map[int64][]int64        // by incident: the problems that it is tied to
	Refused  map[int64]map[int64]bool // by refusal: its incidents
}

// maxAsked bounds one question about incidents.
const maxAsked = 10_000

// Said reads what people have said of some incidents, for who handles
// incidents.
func (s *Service) Said(ctx context.Context, by auth.Identity, numbers []int64) (Together, error) {
	said := Together{Problems: map[int64][]int64{}, Refused: map[int64]map[int64]bool{}}
	if err := by.Require(auth.HandleIncident); err != nil {
		return said, err
	}
	numbers = numbers[:min(len(numbers), maxAsked)]
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for part := range slices.Chunk(numbers, 500) {
			in, args := placeholders(part, by.Tenant)
			err := pairs(ctx, tx, `SELECT incident_id, problem_id FROM problem_incident WHERE tenant_id = $1 AND incident_id IN (`+in+`) ORDER BY problem_id`, args, func(incident, problem int64) {
				said.Problems[incident] = append(said.Problems[incident], problem)
			})
			if err != nil {
				return err
			}
			err = pairs(ctx, tx, `SELECT incident_id, refusal_id FROM problem_refusal WHERE tenant_id = $1 AND incident_id IN (`+in+`)`, args, func(incident, refusal int64) {
				if said.Refused[refusal] == nil {
					said.Refused[refusal] = map[int64]bool{}
				}
				said.Refused[refusal][incident] = true
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return said, fmt.Errorf("problem: together: %w", err)
	}
	return said, nil
}

func placeholders(ids []int64, tenant int64) (string, []any) {
	args := []any{tenant}
	var b []byte
	for k, id := range ids {
		if k > 0 {
			b = append(b, ", "...)
		}
		args = append(args, id)
		b = fmt.Appendf(b, "$%d", len(args))
	}
	return string(b), args
}

func pairs(ctx context.Context, tx *sqldb.Tx, query string, args []any, fn func(a, b int64)) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b int64
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		fn(a, b)
	}
	return rows.Err()
}

// Done tells whether nothing is left to propose about incidents that look
// alike: all are tied to one problem, or a refusal holds all but fewer than
// least of them.
func (t *Together) Done(numbers []int64, least int) bool {
	tied := map[int64]int{}
	for _, n := range numbers {
		for _, p := range t.Problems[n] {
			if tied[p]++; tied[p] == len(numbers) {
				return true
			}
		}
	}
	for _, refused := range t.Refused {
		fresh := 0
		for _, n := range numbers {
			if !refused[n] {
				fresh++
			}
		}
		if fresh < len(numbers) && fresh < least {
			return true
		}
	}
	return false
}
