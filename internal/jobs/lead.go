package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/robfig/cron/v3"

	"statincidents/internal/sqldb"
)

// period is a job that comes back by itself.
type period struct {
	name, spec string
	when       cron.Schedule
	kind       string
	args       any
}

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Every adds a job of a kind at the instants of a cron expression ("30 7 * * 1-5",
// "@hourly", "@every 10m"), in the département's time. Of several processes
// one adds it. Instants that passed while no server ran are made up for by one
// job.
func (s *Service) Every(name, spec, kind string, args any) {
	when, err := ParseSchedule(spec, s.cfg.Location)
	if err != nil {
		panic("jobs: schedule of " + name + ": " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.periods = append(s.periods, period{name, spec, when, kind, args})
}

// Schedule gives the instants of a cron expression.
type Schedule = cron.Schedule

// ParseSchedule reads a cron expression whose clock stands in loc.
func ParseSchedule(spec string, loc *time.Location) (Schedule, error) {
	when, err := cronParser.Parse(spec)
	if err != nil {
		return nil, fmt.Errorf("jobs: schedule %q: %w", spec, err)
	}
	if c, ok := when.(*cron.SpecSchedule); ok {
		c.Location = loc
	}
	return when, nil
}

// term is how long a process leads without saying so again.
const term = 15 * time.Second

// lead looks after schedules, lost jobs and old ones while this process is the
// one that does.
func (s *Service) lead(ctx context.Context) {
	var pruned time.Time
	for {
		wait := term / 3
		now := sqldb.Now()
		mine, err := s.elect(ctx, now)
		if err == nil && mine {
			var next time.Time
			next, err = s.plan(ctx, now)
			if !next.IsZero() {
				wait = min(max(next.Sub(now), 100*time.Millisecond), wait)
			}
			if err == nil {
				err = s.rescue(ctx, now.Add(-s.cfg.Lost))
			}
			if err == nil && now.Sub(pruned) > time.Hour {
				pruned, err = now, s.prune(ctx, now)
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("jobs: look after the queue", "error", err)
		}
		pause(ctx, nil, wait)
		if ctx.Err() != nil {
			s.resign(ctx)
			return
		}
	}
}

// elect tells whether this process leads until its term ends.
func (s *Service) elect(ctx context.Context, now time.Time) (bool, error) {
	var worker string
	var expires int64
	look := func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.QueryRow(ctx, `SELECT worker, expires_at FROM job_leader WHERE tenant_id = $1`, s.cfg.Tenant).Scan(&worker, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	}
	if err := s.db.Read(ctx, look); err != nil {
		return false, err
	}
	ends := sqldb.Time(expires)
	if worker == s.worker && ends.Sub(now) > term/2 {
		return true, nil
	}
	if worker != s.worker && ends.After(now) && !s.cfg.Alone {
		return false, nil
	}
	var n int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		n, err = tx.Exec(ctx, `INSERT INTO job_leader (tenant_id, worker, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (tenant_id) DO UPDATE SET worker = excluded.worker, expires_at = excluded.expires_at
			WHERE job_leader.worker = excluded.worker OR job_leader.expires_at <= $4 OR job_leader.worker = $5`,
			s.cfg.Tenant, s.worker, sqldb.Millis(now.Add(term)), sqldb.Millis(now), formerLeader(s.cfg.Alone, worker))
		return err
	})
	return n > 0, err
}

// formerLeader names the dead process whose place one that is alone takes at once.
func formerLeader(alone bool, worker string) string {
	if alone {
		return worker
	}
	return ""
}

func (s *Service) resign(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM job_leader WHERE tenant_id = $1 AND worker = $2`, s.cfg.Tenant, s.worker)
		return err
	})
	if err != nil && !errors.Is(err, sqldb.ErrClosed) {
		s.log.Error("jobs: give up the lead", "error", err)
	}
}

// schedules reads when periodic jobs are due.
func (s *Service) schedules(ctx context.Context) (map[string]scheduled, error) {
	known := map[string]scheduled{}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT name, spec, next_at, last_at FROM job_schedule WHERE tenant_id = $1`, s.cfg.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name, spec string
			var next, last int64
			if err := rows.Scan(&name, &spec, &next, &last); err != nil {
				return err
			}
			known[name] = scheduled{spec, sqldb.Time(next), sqldb.Time(last)}
		}
		return rows.Err()
	})
	return known, err
}

type scheduled struct {
	spec       string
	next, last time.Time
}

// plan adds the periodic jobs that are due; it tells when the next one is.
func (s *Service) plan(ctx context.Context, now time.Time) (time.Time, error) {
	s.mu.Lock()
	periods := s.periods
	s.mu.Unlock()
	if len(periods) == 0 {
		return time.Time{}, nil
	}
	known, err := s.schedules(ctx)
	if err != nil {
		return time.Time{}, err
	}
	var first time.Time
	for _, p := range periods {
		k, ok := known[p.name]
		switch {
		case !ok || k.spec != p.spec:
			k.next = p.when.Next(now)
			err = s.reschedule(ctx, p, k.next, k.last, time.Time{})
		case !k.next.After(now):
			due := k.next
			k.next = p.when.Next(now)
			err = s.reschedule(ctx, p, k.next, now, due)
		}
		if err != nil {
			return first, err
		}
		if first.IsZero() || k.next.Before(first) {
			first = k.next
		}
	}
	return first, nil
}

// reschedule writes the next instant and, if one is due, its job, together.
func (s *Service) reschedule(ctx context.Context, p period, next, last, due time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if !due.IsZero() {
			// Another process may have been the leader a moment ago.
			n, err := tx.Exec(ctx, `UPDATE job_schedule SET next_at = $4, last_at = $5 WHERE tenant_id = $1 AND name = $2 AND next_at = $3`,
				s.cfg.Tenant, p.name, sqldb.Millis(due), sqldb.Millis(next), sqldb.Millis(last))
			if err != nil || n == 0 {
				return err
			}
			_, err = s.Insert(ctx, tx, p.kind, p.args, Insertion{Key: p.name + "@" + strconv.FormatInt(due.Unix(), 10)})
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO job_schedule (tenant_id, name, spec, next_at, last_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant_id, name) DO UPDATE SET spec = excluded.spec, next_at = excluded.next_at`,
			s.cfg.Tenant, p.name, p.spec, sqldb.Millis(next), sqldb.Millis(last))
		return err
	})
}

// rescue gives back the jobs of processes that died: those without a sign of
// life since an instant, and not this process's own.
func (s *Service) rescue(ctx context.Context, silentSince time.Time) error {
	const lost = `tenant_id = $1 AND state = 'running' AND beat_at < $2 AND worker <> $3`
	var n int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM job WHERE `+lost, s.cfg.Tenant, sqldb.Millis(silentSince), s.worker).Scan(&n)
	})
	if err != nil || n == 0 {
		return err
	}
	now := sqldb.Millis(sqldb.Now())
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		n, err = tx.Exec(ctx, `UPDATE job SET state = CASE WHEN attempt >= max_attempts THEN 'discarded' ELSE 'retryable' END,
			finished_at = CASE WHEN attempt >= max_attempts THEN CAST($4 AS BIGINT) ELSE 0 END, scheduled_at = $4, worker = '', error = $5 WHERE `+lost,
			s.cfg.Tenant, sqldb.Millis(silentSince), s.worker, now, errDied)
		return err
	})
	if err == nil && n > 0 {
		s.log.Warn("jobs: taken back from a process that died", "jobs", n)
		s.Wake()
	}
	return err
}

// errDied is the error of a job whose process died; screens translate it.
const errDied = "the process that ran it stopped"

// prune removes what ended long ago.
func (s *Service) prune(ctx context.Context, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM job WHERE tenant_id = $1 AND state = 'completed' AND finished_at < $2`, s.cfg.Tenant, sqldb.Millis(now.Add(-s.cfg.Keep))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM job WHERE tenant_id = $1 AND state IN ('discarded', 'cancelled') AND finished_at < $2`, s.cfg.Tenant, sqldb.Millis(now.Add(-10*s.cfg.Keep)))
		return err
	})
}
