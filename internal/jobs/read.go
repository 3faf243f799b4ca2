package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Queue is how one kind of job stands.
type Queue struct {
	Kind  string
	Count map[State]int
	// Oldest is since when the first of the due ones waits; zero if none does.
	Oldest time.Time
}

// Waiting is how many are still to be done.
func (q Queue) Waiting() int { return q.Count[Available] + q.Count[Retryable] + q.Count[Running] }

// Failing is how many failed and wait for another try or were given up.
func (q Queue) Failing() int { return q.Count[Retryable] + q.Count[Discarded] }

// Overview tells how every kind stands, by name. It needs the right ViewSystem.
func (s *Service) Overview(ctx context.Context, by auth.Identity) ([]Queue, error) {
	if err := by.Require(auth.ViewSystem); err != nil {
		return nil, err
	}
	queues := map[string]*Queue{}
	s.mu.Lock()
	for name := range s.kinds {
		queues[name] = &Queue{Kind: name, Count: map[State]int{}}
	}
	s.mu.Unlock()
	now := sqldb.Millis(sqldb.Now())
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT kind, state, count(*), coalesce(min(CASE WHEN state IN ('available', 'retryable') AND scheduled_at <= $2 THEN scheduled_at END), 0)
			FROM job WHERE tenant_id = $1 GROUP BY kind, state`, by.Tenant, now)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var state State
			var n int
			var oldest int64
			if err := rows.Scan(&kind, &state, &n, &oldest); err != nil {
				return err
			}
			q := queues[kind]
			if q == nil {
				q = &Queue{Kind: kind, Count: map[State]int{}}
				queues[kind] = q
			}
			q.Count[state] = n
			if at := sqldb.Time(oldest); !at.IsZero() && (q.Oldest.IsZero() || at.Before(q.Oldest)) {
				q.Oldest = at
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: overview: %w", err)
	}
	list := make([]Queue, 0, len(queues))
	for _, q := range queues {
		list = append(list, *q)
	}
	slices.SortFunc(list, func(a, b Queue) int {
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return list, nil
}

// Periodic is a job that comes back by itself.
type Periodic struct {
	Name, Spec, Kind string
	Next, Last       time.Time // zero: not yet
}

// Periodics lists the periodic jobs. It needs the right ViewSystem.
func (s *Service) Periodics(ctx context.Context, by auth.Identity) ([]Periodic, error) {
	if err := by.Require(auth.ViewSystem); err != nil {
		return nil, err
	}
	known, err := s.schedules(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Periodic
	for _, p := range s.periods {
		list = append(list, Periodic{Name: p.name, Spec: p.spec, Kind: p.kind, Next: known[p.name].next, Last: known[p.name].last})
	}
	return list, nil
}

// Job is one job as administrators see it, without its arguments, which may
// name people.
type Job struct {
	ID          int64
	Kind        string
	State       State
	Attempt     int
	MaxAttempts int
	At          time.Time // when it is or was due
	CreatedAt   time.Time
	AttemptedAt time.Time
	FinishedAt  time.Time
	Error       string
	Died        bool // the error is that its process stopped
}

// Filter chooses jobs; empty fields choose all.
type Filter struct {
	Kind   string
	States []State
	Limit  int // 100 if 0
}

// List gives jobs, the latest first. It needs the right ViewSystem.
func (s *Service) List(ctx context.Context, by auth.Identity, f Filter) ([]Job, error) {
	if err := by.Require(auth.ViewSystem); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > 1000 {
		f.Limit = 100
	}
	query := `SELECT job_id, kind, state, attempt, max_attempts, scheduled_at, created_at, attempted_at, finished_at, error FROM job WHERE tenant_id = $1`
	args := []any{by.Tenant}
	add := func(text string, v any) {
		args = append(args, v)
		query += fmt.Sprintf(text, len(args))
	}
	if f.Kind != "" {
		add(" AND kind = $%d", f.Kind)
	}
	for k, state := range f.States {
		add([]string{" AND (state = $%d", " OR state = $%d"}[min(k, 1)], string(state))
	}
	if len(f.States) > 0 {
		query += ")"
	}
	add(" ORDER BY job_id DESC LIMIT $%d", f.Limit)
	var list []Job
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var j Job
			var at, created, attempted, finished int64
			if err := rows.Scan(&j.ID, &j.Kind, &j.State, &j.Attempt, &j.MaxAttempts, &at, &created, &attempted, &finished, &j.Error); err != nil {
				return err
			}
			j.At, j.CreatedAt, j.AttemptedAt, j.FinishedAt = sqldb.Time(at), sqldb.Time(created), sqldb.Time(attempted), sqldb.Time(finished)
			j.Died = j.Error == errDied
			list = append(list, j)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: list: %w", err)
	}
	return list, nil
}

// alone keeps a job whose key another one has taken meanwhile from coming back.
const alone = ` AND (unique_key = '' OR state IN ('available', 'retryable') OR NOT EXISTS (SELECT 1 FROM job o WHERE o.tenant_id = job.tenant_id AND o.kind = job.kind
	AND o.unique_key = job.unique_key AND o.state IN ('available', 'running', 'retryable')))`

// Retry has a job run at once: one that waits, failed, was given up or
// cancelled. It gets its attempts anew. Conflict "error.jobs.state" when it is
// running or completed.
func (s *Service) Retry(ctx context.Context, by auth.Identity, id int64) error {
	return s.move(ctx, by, id, `UPDATE job SET state = 'available', attempt = 0, scheduled_at = $3, finished_at = 0
		WHERE tenant_id = $1 AND job_id = $2 AND state IN ('available', 'retryable', 'discarded', 'cancelled')`+alone)
}

// Cancel keeps a waiting job from being run. Conflict "error.jobs.state" when
// it is running or has ended.
func (s *Service) Cancel(ctx context.Context, by auth.Identity, id int64) error {
	return s.move(ctx, by, id, `UPDATE job SET state = 'cancelled', finished_at = $3 WHERE tenant_id = $1 AND job_id = $2 AND state IN ('available', 'retryable')`)
}

// RetryAll is Retry for every job that failed or was given up, of one kind or
// of all; it tells how many.
func (s *Service) RetryAll(ctx context.Context, by auth.Identity, kind string) (int64, error) {
	if err := by.Require(auth.ViewSystem); err != nil {
		return 0, err
	}
	var n int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		n, err = tx.Exec(ctx, `UPDATE job SET state = 'available', attempt = 0, scheduled_at = $3, finished_at = 0
			WHERE tenant_id = $1 AND (kind = $2 OR $2 = '') AND state IN ('retryable', 'discarded')`+alone, by.Tenant, kind, sqldb.Millis(sqldb.Now()))
		tx.OnCommit(s.Wake)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("jobs: retry all: %w", err)
	}
	return n, nil
}

func (s *Service) move(ctx context.Context, by auth.Identity, id int64, statement string) error {
	if err := by.Require(auth.ViewSystem); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var known int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM job WHERE tenant_id = $1 AND job_id = $2`, by.Tenant, id).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return fault.New(fault.NotFound, "error.not_found")
		}
		n, err := tx.Exec(ctx, statement, by.Tenant, id, sqldb.Millis(sqldb.Now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "error.jobs.state")
		}
		tx.OnCommit(s.Wake)
		return nil
	})
}
