package servicelevel

import (
	"context"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Tell writes an event for each clock that has come to its warning, or past
// its target, and was not told of yet: once for a clock and a kind, whatever
// happens to the incident later. It does a bounded number at a time, the
// oldest first, and the rest at the next call.
func (s *Service) Tell(ctx context.Context, tenant int64, now time.Time) error {
	for _, clock := range []ClockName{Response, Resolution} {
		for _, kind := range []string{EventBreached, EventWarned} {
			if err := s.tell(ctx, tenant, clock, kind, now); err != nil {
				return fmt.Errorf("servicelevel: tell: %w", err)
			}
		}
	}
	return nil
}

func (s *Service) tell(ctx context.Context, tenant int64, clock ClockName, kind string, now time.Time) error {
	var due []kept
	find := func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		due, err = untold(ctx, tx, tenant, clock, kind, now)
		return err
	}
	// Look first without the writer: most of the time there is nothing.
	if err := s.db.Read(ctx, find); err != nil || len(due) == 0 {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := turn(ctx, tx, tenant); err != nil { // another process may have told meanwhile
			return err
		}
		if err := find(ctx, tx); err != nil || len(due) == 0 {
			return err
		}
		events := make([]journal.Event, len(due))
		for n := range due {
			r := due[n].Response
			if clock == Resolution {
				r = due[n].Resolution
			}
			at := r.WarnAt
			if kind == EventBreached {
				at = r.LateAt
			}
			e, err := event(auth.System(tenant), Subject, due[n].Incident, kind[len(Subject):], at, Said{Clock: clock, Target: r.Target, Due: r.Due, LateAt: r.LateAt})
			if err != nil {
				return err
			}
			e.School = due[n].School
			events[n] = e
		}
		if err := apply(ctx, tx, events); err != nil {
			return err
		}
		return s.j.Append(ctx, tx, events...)
	})
}

// untold finds the clocks of which an event is owed.
func untold(ctx context.Context, tx *sqldb.Tx, tenant int64, clock ClockName, kind string, now time.Time) ([]kept, error) {
	c := string(clock)
	when := c + "_warn_at > $3 AND (" + c + "_late_at = 0 OR " + c + "_late_at > $2)"
	if kind == EventBreached {
		when = c + "_late_at <> 0 AND " + c + "_late_at <= $2 AND " + c + "_late_at > $3"
	}
	return clocks(ctx, tx, ` AND `+c+`_phase = 'running' AND `+c+`_warn_at <> 0 AND `+c+`_warn_at <= $2 AND `+when+`
		AND NOT EXISTS (SELECT 1 FROM service_said d WHERE d.tenant_id = service_clock.tenant_id AND d.incident_id = service_clock.incident_id AND d.clock = $4 AND d.what = $5)
		ORDER BY `+c+`_warn_at, incident_id LIMIT $6`, tenant, sqldb.Millis(now), sqldb.Millis(now.Add(-news)), c, kind, watchChunk)
}
