package cube

import (
	"context"
	"fmt"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// SQL answers from the incident table, on both engines: slower than Memory,
// but without anything kept in memory, always up to date, and for volumes past
// one machine. It serves one tenant.
type SQL struct{ cfg Config }

// NewSQL makes the executor; it needs no start.
func NewSQL(cfg Config) *SQL { return &SQL{cfg: cfg.filled()} }

// Run answers one question.
func (s *SQL) Run(ctx context.Context, scope auth.Scope, q Query) (Result, error) {
	all, err := s.RunAll(ctx, scope, []Query{q})
	if err != nil {
		return Result{}, err
	}
	return all[0], nil
}

// RunAll answers several questions from one snapshot, one after the other.
func (s *SQL) RunAll(ctx context.Context, scope auth.Scope, qs []Query) ([]Result, error) {
	for i := range qs {
		if err := qs[i].check(); err != nil {
			return nil, err
		}
	}
	t, err := s.cfg.tables(ctx)
	if err != nil {
		return nil, err
	}
	preds := make([]*predicate, len(qs))
	for i := range qs {
		if preds[i], err = s.cfg.predicate(ctx, scope, qs[i].Filters, qs[i].Text, t.weeks); err != nil {
			return nil, err
		}
	}
	results := make([]Result, len(qs))
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx, first calendar.Day, pos journal.Pos) error {
		now := s.cfg.Now()
		for i := range qs {
			p, err := newPlan(qs[i], preds[i], calendar.DayOf(now, s.cfg.Location), first)
			if err != nil {
				return err
			}
			open := func(v view) source {
				return &sqlSource{tx: tx, tenant: s.cfg.Tenant, v: v, tables: t, now: seconds(sqldb.Millis(now))}
			}
			if results[i], err = answer(ctx, p, open); err != nil {
				return err
			}
			results[i].AsOf, results[i].At = pos.String(), now
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// read opens a snapshot with the day of the first incident and the journal's
// position.
func (s *SQL) read(ctx context.Context, fn func(ctx context.Context, tx *sqldb.Tx, first calendar.Day, pos journal.Pos) error) error {
	return s.cfg.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		pos, err := journal.Head(ctx, tx, s.cfg.Tenant)
		if err != nil {
			return err
		}
		// The index on opened_at gives the first incident at once.
		rows, err := tx.Query(ctx, `SELECT opened_day FROM incident WHERE tenant_id = $1 AND opened_at > 0 ORDER BY opened_at LIMIT 1`, s.cfg.Tenant)
		if err != nil {
			return fmt.Errorf("cube: first incident: %w", err)
		}
		defer rows.Close()
		var first calendar.Day
		if rows.Next() {
			if err := rows.Scan(&first); err != nil {
				return fmt.Errorf("cube: first incident: %w", err)
			}
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("cube: first incident: %w", err)
		}
		rows.Close()
		return fn(ctx, tx, first, pos)
	})
}

// List gives the incidents behind a figure, a page at a time.
func (s *SQL) List(ctx context.Context, scope auth.Scope, q ListQuery) (Page, error) {
	if err := q.check(); err != nil {
		return Page{}, err
	}
	t, err := s.cfg.tables(ctx)
	if err != nil {
		return Page{}, err
	}
	pred, err := s.cfg.predicate(ctx, scope, q.Filters, q.Text, t.weeks)
	if err != nil {
		return Page{}, err
	}
	pred.narrow(q.Only)
	var page Page
	err = s.read(ctx, func(ctx context.Context, tx *sqldb.Tx, first calendar.Day, pos journal.Pos) error {
		now := s.cfg.Now()
		v, err := q.plan(pred, calendar.DayOf(now, s.cfg.Location), first)
		if err != nil {
			return err
		}
		page, err = (&sqlSource{tx: tx, tenant: s.cfg.Tenant, v: v, tables: t, now: seconds(sqldb.Millis(now))}).list(ctx, q)
		page.AsOf = pos.String()
		return err
	})
	return page, err
}

// listed adds the conditions of the list behind a measure.
func (st *statement) listed(m Measure) {
	st.where(measures[m].basis)
	switch list := measures[m].list; {
	case m == Unresolved:
		st.and(resolutionSeconds + " IS NULL")
	case list == partComputers:
		st.and(st.s.knownOn(0))
	case list == partPupils:
		st.and(st.s.knownOn(1))
	case list != 0:
		st.and(st.behind(list))
	}
}

func (s *sqlSource) list(ctx context.Context, q ListQuery) (Page, error) {
	st := s.statement()
	m := q.measure()
	st.listed(m)
	var page Page
	if st.none {
		return page, nil
	}
	if err := s.tx.QueryRow(ctx, st.text("SELECT count(*)", ""), st.args...).Scan(&page.Total); err != nil {
		return page, fmt.Errorf("cube: list: %w", err)
	}
	by, descending := q.order()
	key := st.sortKey(by)
	direction, beyond := "", ">"
	if descending {
		direction, beyond = " DESC", "<"
	}
	if q.After != "" {
		c, err := parseCursor(q.After)
		if err != nil {
			return page, err
		}
		id := st.arg(c.id)
		if c.key == unknownKey {
			st.and(fmt.Sprintf("(%s = 0 AND i.incident_id %s %s)", key, beyond, id))
		} else {
			k := st.arg(int64(c.key))
			st.and(fmt.Sprintf("(%[1]s = 0 OR %[1]s %[2]s %[3]s OR %[1]s = %[3]s AND i.incident_id %[2]s %[4]s)", key, beyond, k, id))
		}
	}
	rows, err := s.tx.Query(ctx, st.text("SELECT i.incident_id, "+key,
		fmt.Sprintf("ORDER BY CASE WHEN %[1]s = 0 THEN 1 ELSE 0 END, %[1]s%[2]s, i.incident_id%[2]s LIMIT %[3]d", key, direction, q.limit()+1)), st.args...)
	if err != nil {
		return page, fmt.Errorf("cube: list: %w", err)
	}
	defer rows.Close()
	var last cursor
	for rows.Next() {
		var id, k int64
		if err := rows.Scan(&id, &k); err != nil {
			return page, fmt.Errorf("cube: list: %w", err)
		}
		if len(page.IDs) == q.limit() {
			page.Next = last.String()
			break
		}
		page.IDs = append(page.IDs, id)
		if last = (cursor{uint32(k), id}); k == 0 {
			last.key = unknownKey
		}
	}
	return page, rows.Err()
}

// sortKey is the expression that a list is sorted by, 0 when not known.
func (st *statement) sortKey(by string) string {
	switch by {
	case "opened":
		return "i.opened_at / 1000"
	case "updated":
		return "i.updated_at / 1000"
	case "priority":
		return "i.priority"
	case "school":
		st.ranked = true
		return "COALESCE(rank.n, 0)"
	case "resolved":
		return "CASE WHEN " + isOpen + " THEN 0 WHEN i.resolved_at > 0 THEN i.resolved_at / 1000 ELSE i.closed_at / 1000 END"
	}
	return "i.incident_id"
}
