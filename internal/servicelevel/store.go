package servicelevel

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Said is what an event tells of a clock.
type Said struct {
	Clock  ClockName `json:"clock"`
	Target int       `json:"target"`           // minutes
	Due    time.Time `json:"due"`              // when the target is used up
	LateAt time.Time `json:"late_at,omitzero"` // first instant past it
}

// ClockName says which of the two clocks.
type ClockName string

// The clocks.
const (
	Response   ClockName = "response"
	Resolution ClockName = "resolution"
)

// apply brings the tables to the state that the events tell.
func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for k := range events {
		if err := applyOne(ctx, tx, &events[k]); err != nil {
			return fmt.Errorf("servicelevel: event %s at %s: %w", events[k].Kind, events[k].Pos, err)
		}
	}
	return nil
}

func applyOne(ctx context.Context, tx *sqldb.Tx, e *journal.Event) error {
	switch e.Kind {
	case SubjectTarget + saved:
		var t Target
		if err := json.Unmarshal(e.Data, &t); err != nil {
			return err
		}
		return tx.Upsert(ctx, "service_target", []string{"tenant_id", "priority", "category_id", "from_day"},
			[]string{"tenant_id", "priority", "category_id", "from_day", "response", "resolution"},
			[][]any{{e.Tenant, t.Priority, t.Category, int64(t.From), t.Response, t.Resolution}})
	case SubjectTarget + removed:
		var t Target
		if err := json.Unmarshal(e.Data, &t); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM service_target WHERE tenant_id = $1 AND priority = $2 AND category_id = $3 AND from_day = $4`,
			e.Tenant, t.Priority, t.Category, int64(t.From))
		return err
	case SubjectSetting + saved:
		var s Settings
		if err := json.Unmarshal(e.Data, &s); err != nil {
			return err
		}
		return tx.Upsert(ctx, "service_setting", []string{"tenant_id"}, []string{"tenant_id", "warn_share"}, [][]any{{e.Tenant, s.Warn}})
	case EventWarned, EventBreached:
		var s Said
		if err := json.Unmarshal(e.Data, &s); err != nil {
			return err
		}
		return tx.Upsert(ctx, "service_said", []string{"tenant_id", "incident_id", "clock", "what"},
			[]string{"tenant_id", "incident_id", "clock", "what", "at"},
			[][]any{{e.Tenant, e.Subject.ID, string(s.Clock), e.Kind, sqldb.Millis(e.At)}})
	}
	return fmt.Errorf("unknown kind")
}

func targets(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Target, error) {
	rows, err := tx.Query(ctx, `SELECT priority, category_id, from_day, response, resolution FROM service_target WHERE tenant_id = $1`, tenant)
	if err != nil {
		return nil, fmt.Errorf("servicelevel: targets: %w", err)
	}
	defer rows.Close()
	var all []Target
	for rows.Next() {
		var t Target
		var from int64
		if err := rows.Scan(&t.Priority, &t.Category, &from, &t.Response, &t.Resolution); err != nil {
			return nil, fmt.Errorf("servicelevel: targets: %w", err)
		}
		t.From = calendar.Day(from)
		all = append(all, t)
	}
	return all, rows.Err()
}

func loadIndex(ctx context.Context, tx *sqldb.Tx, tenant, version int64) (*Index, error) {
	list, err := targets(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	x := &Index{Targets: NewTargets(list), Warn: DefaultWarn, version: version}
	rows, err := tx.Query(ctx, `SELECT warn_share FROM service_setting WHERE tenant_id = $1`, tenant)
	if err != nil {
		return nil, fmt.Errorf("servicelevel: settings: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&x.Warn); err != nil {
			return nil, err
		}
	}
	return x, rows.Err()
}

// kept is a row of the table of clocks.
type kept struct {
	Incident, School, Declarant int64
	Opened                      time.Time
	Tally
}

func keep(s *Story, t Tally) kept {
	return kept{Incident: s.Incident, School: s.School, Declarant: s.Declarant, Opened: s.Opened, Tally: t}
}

var clockColumns = []string{
	"tenant_id", "incident_id", "school_id", "declarant_id", "opened_at", "clock_school_id",
	"response_phase", "response_target", "response_spent", "response_since", "response_due", "response_warn_at", "response_late_at",
	"resolution_phase", "resolution_target", "resolution_spent", "resolution_since", "resolution_due", "resolution_warn_at", "resolution_late_at",
}

var selectClock = "SELECT " + strings.Join(clockColumns[1:], ", ") + " FROM service_clock WHERE tenant_id = $1"

func (k *kept) row(tenant int64) []any {
	row := []any{tenant, k.Incident, k.School, k.Declarant, sqldb.Millis(k.Opened), k.Tally.School}
	for _, r := range []*Reading{&k.Response, &k.Resolution} {
		row = append(row, string(r.Phase), r.Target, r.Spent, sqldb.Millis(r.Since), sqldb.Millis(r.Due), sqldb.Millis(r.WarnAt), sqldb.Millis(r.LateAt))
	}
	return row
}

// same tells whether two rows keep the same.
func (k *kept) same(other *kept) bool { return slices.Equal(k.row(0), other.row(0)) }

func scanClock(rows *sql.Rows) (kept, error) {
	var k kept
	var opened int64
	var at [2][4]int64
	a, b := &k.Response, &k.Resolution
	err := rows.Scan(&k.Incident, &k.School, &k.Declarant, &opened, &k.Tally.School,
		&a.Phase, &a.Target, &a.Spent, &at[0][0], &at[0][1], &at[0][2], &at[0][3],
		&b.Phase, &b.Target, &b.Spent, &at[1][0], &at[1][1], &at[1][2], &at[1][3])
	if err != nil {
		return k, fmt.Errorf("servicelevel: scan: %w", err)
	}
	k.Opened = sqldb.Time(opened)
	for i, r := range []*Reading{a, b} {
		r.Since, r.Due, r.WarnAt, r.LateAt = sqldb.Time(at[i][0]), sqldb.Time(at[i][1]), sqldb.Time(at[i][2]), sqldb.Time(at[i][3])
	}
	return k, nil
}

func clocks(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]kept, error) {
	rows, err := tx.Query(ctx, selectClock+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("servicelevel: clocks: %w", err)
	}
	defer rows.Close()
	var all []kept
	for rows.Next() {
		k, err := scanClock(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// perStatement bounds the length of a list in a condition.
const perStatement = 500

// clocksOf reads the rows of some incidents.
func clocksOf(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64) (map[int64]kept, error) {
	found := make(map[int64]kept, len(ids))
	for part := range slices.Chunk(ids, perStatement) {
		args := []any{tenant}
		var marks strings.Builder
		for n, id := range part {
			args = append(args, id)
			marks.WriteString(", $" + strconv.Itoa(n+2))
		}
		all, err := clocks(ctx, tx, " AND incident_id IN ("+marks.String()[2:]+")", args...)
		if err != nil {
			return nil, err
		}
		for _, k := range all {
			found[k.Incident] = k
		}
	}
	return found, nil
}

// stamps is the counter that tells the rows of the table of clocks apart by
// when they were written. The counter's row is held until the commit, so that
// stamps go up in the order of the commits: a reader that has seen one has seen
// all those below it.
const stamps = "servicelevel.stamp"

func writeClocks(ctx context.Context, tx *sqldb.Tx, tenant int64, all []kept) error {
	if len(all) == 0 {
		return nil
	}
	stamp, err := tx.NextIDs(ctx, tenant, stamps, int64(len(all)))
	if err != nil {
		return err
	}
	rows := make([][]any, len(all))
	for n := range all {
		rows[n] = append(all[n].row(tenant), stamp+int64(n))
	}
	return tx.Upsert(ctx, "service_clock", []string{"tenant_id", "incident_id"}, append(slices.Clone(clockColumns), "stamp"), rows)
}

// Standings gives how the clocks of some incidents stand, as far as the scope
// goes; those that the reader has not come to yet are absent.
func (s *Service) Standings(ctx context.Context, scope auth.Scope, ids []int64) (map[int64]Tally, error) {
	out := make(map[int64]Tally, len(ids))
	if scope.Nothing() || len(ids) == 0 {
		return out, nil
	}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := clocksOf(ctx, tx, scope.Tenant(), ids)
		if err != nil {
			return err
		}
		for id, k := range found {
			if scope.Sees(k.School, k.Declarant) {
				out[id] = k.Tally
			}
		}
		return nil
	})
	return out, err
}

// Pressure says how pressing an incident is.
type Pressure string

// The pressures.
const (
	Late Pressure = "late" // a clock that runs, or is paused, is past its target
	Soon Pressure = "soon" // people have been warned of a clock that runs
	Due  Pressure = "due"  // a clock has an instant to keep to, past or to come
)

// going is the condition of the index service_clock_going, word for word.
const going = "(response_phase IN ('running', 'paused') OR resolution_phase IN ('running', 'paused'))"

// Pressing gives the numbers of the incidents in scope whose clock presses at
// an instant, the most pressing first: by the instant that the clock in
// question is due.
func (s *Service) Pressing(ctx context.Context, scope auth.Scope, p Pressure, now time.Time) ([]int64, error) {
	if scope.Nothing() {
		return nil, nil
	}
	cond, args := scope.SQL("school_id", "declarant_id", 2)
	at := "$" + strconv.Itoa(2+len(args))
	if p != Due {
		args = append(args, sqldb.Millis(now))
	}
	test := func(clock string) string {
		goes := clock + "_phase IN ('running', 'paused') AND "
		switch p {
		case Late:
			return "(" + goes + clock + "_late_at <> 0 AND " + clock + "_late_at <= " + at + ")"
		case Soon:
			return "(" + clock + "_phase = 'running' AND " + clock + "_warn_at <> 0 AND " + clock + "_warn_at <= " + at + " AND " + clock + "_late_at > " + at + ")"
		case Due:
		}
		return "(" + goes + clock + "_due <> 0)"
	}
	a, b := test(string(Response)), test(string(Resolution))
	query := "SELECT incident_id, CASE WHEN " + a + " AND (response_due <= resolution_due OR resolution_due = 0 OR NOT " + b + ") THEN response_due ELSE resolution_due END AS due FROM service_clock WHERE tenant_id = $1 AND " + going + " AND (" +
		a + " OR " + b + ") AND " + cond + " ORDER BY due, incident_id"
	var ids []int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, query, append([]any{scope.Tenant()}, args...)...)
		if err != nil {
			return fmt.Errorf("servicelevel: pressing: %w", err)
		}
		defer rows.Close()
		ids = nil
		for rows.Next() {
			var id, due int64
			if err := rows.Scan(&id, &due); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}
