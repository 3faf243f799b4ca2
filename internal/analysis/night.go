package analysis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/jobs"
	"statincidents/internal/sqldb"
)

// Run asks for the night's work at once when a result is missing, made by
// another version of its method, or of another day: after an upgrade, a first
// start, or a night without power.
func (s *Service) Run(ctx context.Context) error {
	stale := false
	for _, m := range s.methods {
		made, err := s.made(ctx, m.name())
		if err != nil && !fault.Is(err, fault.Unavailable) {
			return err
		}
		stale = stale || err != nil || made.Version != m.version() || made.Today != calendar.DayOf(s.cfg.Now(), s.cfg.Location)
	}
	if stale {
		return s.Ask(ctx)
	}
	return nil
}

// Ask asks for the night's work now.
func (s *Service) Ask(ctx context.Context) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := s.Jobs.Insert(ctx, tx, jobNight, struct{}{}, jobs.Insertion{Priority: jobs.Later, Key: "now"})
		return err
	})
}

// night does the work as a job.
func (s *Service) night(ctx context.Context, _ struct{}) error {
	err := s.Night(ctx)
	if fault.Is(err, fault.Unavailable) {
		return jobs.Snooze(2 * time.Second) // the figures are still being loaded
	}
	return err
}

// Night asks every method and keeps each answer as it comes: killed in the
// middle, the next night begins again. A method that fails leaves its last
// result, with the reason, and does not stop the others.
func (s *Service) Night(ctx context.Context) error {
	w, err := s.World(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, m := range s.methods {
		begun := s.cfg.Now()
		in, out, err := m.work(ctx, w)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = s.keep(ctx, m, w, in, out, s.cfg.Now().Sub(begun))
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", m.name(), err), s.fail(ctx, m, w, err))
		}
		s.cfg.Log.Info("analysis", "method", m.name(), "ms", s.cfg.Now().Sub(begun).Milliseconds(), "ok", err == nil)
	}
	for _, fn := range s.after {
		failed = errors.Join(failed, fn(ctx, w))
	}
	return failed
}

func (s *Service) keep(ctx context.Context, m nightly, w *World, in, out any, took time.Duration) error {
	input, err := pack(in)
	if err != nil {
		return err
	}
	output, err := pack(out)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO analysis_result (tenant_id, method, version, seed, today, as_of, made_at, took_ms, input, output, failure)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '')
			ON CONFLICT (tenant_id, method) DO UPDATE SET version = excluded.version, seed = excluded.seed, today = excluded.today, as_of = excluded.as_of,
				made_at = excluded.made_at, took_ms = excluded.took_ms, input = excluded.input, output = excluded.output, failure = ''`,
			s.cfg.Tenant, m.name(), m.version(), strconv.FormatUint(m.seed(), 10), w.Today, w.AsOf, sqldb.Millis(s.cfg.Now()), took.Milliseconds(), input, output)
		return err
	})
}

// fail notes why a method gave nothing new.
func (s *Service) fail(ctx context.Context, m nightly, w *World, cause error) error {
	text := cause.Error()
	if len(text) > 500 {
		text = text[:500]
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO analysis_result (tenant_id, method, version, seed, today, as_of, made_at, took_ms, input, output, failure)
			VALUES ($1, $2, $3, '0', $4, $5, $6, 0, $7, $7, $8) ON CONFLICT (tenant_id, method) DO UPDATE SET failure = excluded.failure`,
			s.cfg.Tenant, m.name(), m.version(), w.Today, w.AsOf, sqldb.Millis(s.cfg.Now()), []byte{}, text)
		return err
	})
}
