package cube

import (
	"context"
	"fmt"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Fact is one incident as the statistical methods look at it. Instants are
// seconds since 1970, 0 when not reached; identifiers are 0 when not known.
type Fact struct {
	ID                       int64
	Opened, Resolved, Closed int64        // an open incident has neither of the last two
	Day, Ended               calendar.Day // of the opening, and of the end; Ended is 0 while it is open
	School, Room, Category   int64
	Cause, Solution          int64
	Team, Assignee           int64
	Machine                  string // its label
	State                    incident.State
	Network, Target          string
	Origin                   incident.Origin
	Level                    incident.Level
	Priority                 int
	Reopened                 bool // at least once
	Reassigned               int
	// Spent are the open minutes of the resolution clock, pauses aside, when it
	// has stopped; -1 otherwise.
	Spent int
}

// End is the instant of the end: the resolution, else the closing, never
// before the opening; 0 while the incident is open.
func (f *Fact) End() int64 {
	switch {
	case f.Ended == 0:
		return 0
	case f.Resolved > 0:
		return max(f.Resolved, f.Opened)
	}
	return max(f.Closed, f.Opened)
}

// Each calls fn with every incident of a list (the same predicate as List and
// the figure that it stands behind), by number. Sort, After and Limit are not
// looked at. The fact is the caller's only during the call; fn must be quick
// and must not ask the executor anything.
func (m *Memory) Each(ctx context.Context, scope auth.Scope, q ListQuery, fn func(*Fact)) error {
	now := m.cfg.Now()
	if err := m.refresh(ctx, now); err != nil {
		return err
	}
	if err := q.check(); err != nil {
		return err
	}
	pred, err := m.cfg.predicate(ctx, scope, q.Filters, q.Text, nil)
	if err != nil {
		return err
	}
	pred.narrow(q.Only)
	m.mu.RLock()
	defer m.mu.RUnlock()
	f := m.facts
	pred.calend = f.tables.weeks
	v, err := q.plan(pred, calendar.DayOf(now, m.cfg.Location), f.firstDay())
	if err != nil {
		return err
	}
	meas := q.measure()
	s := f.selectionOf(v.pred, measures[meas].basis, v.first, v.lo(), v.hi(), v.shift)
	f.restrict(&s, meas)
	var known [][]span
	if i := meas.ratedIndex(); i >= 0 {
		known = f.known(v.pred, i)
	}
	var buf [chunkRows]uint16
	var fact Fact
	give := func(n, i int) {
		row := uint32(n*chunkRows + i)
		if known != nil {
			if c := f.chunks[n]; !within(known[c.school[i]], calendar.Day(c.openedDay[i])) {
				return
			}
		}
		f.fact(row, &fact)
		fn(&fact)
	}
	for n, c := range f.chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		sel, all, _ := s.pick(n, c, buf[:])
		if all {
			for i := range c.n {
				give(n, i)
			}
			continue
		}
		for _, i := range sel {
			give(n, int(i))
		}
	}
	return nil
}

// fact reads what Each gives of a row.
func (f *facts) fact(row uint32, into *Fact) {
	r := f.get(row)
	c, i := f.at(row)
	*into = Fact{
		ID: r.id, Opened: int64(r.opened), Resolved: int64(r.resolved), Closed: int64(r.closed),
		Day: calendar.Day(c.openedDay[i]), Ended: calendar.Day(c.endedDay[i]),
		School: r.school, Room: r.room, Category: r.category, Cause: r.cause, Solution: r.solution, Team: r.team, Assignee: r.assignee,
		Machine: r.machine, State: r.state, Network: r.network, Target: r.target, Origin: r.origin, Level: r.level,
		Priority: r.priority, Reopened: r.reopened > 0, Reassigned: r.reassigned, Spent: -1,
	}
	if minutes, stopped := c.spent(true, i); stopped {
		into.Spent = int(minutes)
	}
}

// Each does from the tables what Memory does from its columns.
func (s *SQL) Each(ctx context.Context, scope auth.Scope, q ListQuery, fn func(*Fact)) error {
	if err := q.check(); err != nil {
		return err
	}
	t, err := s.cfg.tables(ctx)
	if err != nil {
		return err
	}
	pred, err := s.cfg.predicate(ctx, scope, q.Filters, q.Text, t.weeks)
	if err != nil {
		return err
	}
	pred.narrow(q.Only)
	return s.read(ctx, func(ctx context.Context, tx *sqldb.Tx, first calendar.Day, _ journal.Pos) error {
		now := s.cfg.Now()
		v, err := q.plan(pred, calendar.DayOf(now, s.cfg.Location), first)
		if err != nil {
			return err
		}
		return (&sqlSource{tx: tx, tenant: s.cfg.Tenant, v: v, tables: t, now: seconds(sqldb.Millis(now))}).each(ctx, q, fn)
	})
}

// selectFact has its columns in the order in which each reads them.
const selectFact = `SELECT i.incident_id, i.opened_at / 1000,
	CASE WHEN ` + isOpen + ` THEN 0 ELSE i.resolved_at / 1000 END, CASE WHEN ` + isOpen + ` THEN 0 ELSE i.closed_at / 1000 END,
	i.opened_day, ` + endedDay + `, i.school_id, i.room_id, i.category_id, i.cause_code_id, i.resolution_code_id, i.team_id, i.assignee_id,
	i.machine_label, i.state, i.network, i.target, i.origin, i.level, i.priority, CASE WHEN i.reopen_count > 0 THEN 1 ELSE 0 END,
	CASE WHEN i.reassign_count > 0 THEN i.reassign_count ELSE 0 END, COALESCE(CASE WHEN k.resolution_phase = 'stopped' THEN k.resolution_spent END, -1)`

func (s *sqlSource) each(ctx context.Context, q ListQuery, fn func(*Fact)) error {
	st := s.statement()
	st.listed(q.measure())
	if st.none {
		return nil
	}
	st.joins["clock"] = true
	rows, err := s.tx.Query(ctx, st.text(selectFact, "ORDER BY i.incident_id"), st.args...)
	if err != nil {
		return fmt.Errorf("cube: facts: %w", err)
	}
	defer rows.Close()
	var f Fact
	for rows.Next() {
		var reopened int
		if err := rows.Scan(&f.ID, &f.Opened, &f.Resolved, &f.Closed, &f.Day, &f.Ended, &f.School, &f.Room, &f.Category, &f.Cause, &f.Solution, &f.Team, &f.Assignee,
			&f.Machine, &f.State, &f.Network, &f.Target, &f.Origin, &f.Level, &f.Priority, &reopened, &f.Reassigned, &f.Spent); err != nil {
			return fmt.Errorf("cube: facts: %w", err)
		}
		f.Reopened = reopened != 0
		fn(&f)
	}
	return rows.Err()
}
