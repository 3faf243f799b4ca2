package visit

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
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

var columns = []string{
	"tenant_id", "visit_id", "version", "sequence", "state", "kind", "school_id", "technician_id", "start_at", "end_at",
	"purpose", "note", "report", "incidents", "started_at", "ended_at", "updated_at",
}

const selectVisit = `SELECT visit_id, version, sequence, state, kind, school_id, technician_id, start_at, end_at, purpose, note, report, incidents,
	started_at, ended_at, updated_at FROM visit WHERE tenant_id = $1`

// save writes visits as they stand, new or not.
func save(ctx context.Context, tx *sqldb.Tx, tenant int64, visits []*Visit) error {
	ms := sqldb.Millis
	rows := make([][]any, len(visits))
	var links [][]any
	for k, v := range visits {
		incidents, err := json.Marshal(append([]int64{}, v.Incidents...))
		if err != nil {
			return fmt.Errorf("visit %d: %w", v.ID, err)
		}
		rows[k] = []any{
			tenant, v.ID, v.Version, v.Sequence, string(v.State), string(v.Kind), v.School, v.Technician, ms(v.Start), ms(v.End()),
			v.Purpose, v.Note, v.Report, string(incidents), ms(v.StartedAt), ms(v.EndedAt), ms(v.UpdatedAt),
		}
		if _, err := tx.Exec(ctx, `DELETE FROM visit_incident WHERE tenant_id = $1 AND visit_id = $2`, tenant, v.ID); err != nil {
			return fmt.Errorf("visit %d: %w", v.ID, err)
		}
		for _, id := range v.Incidents {
			links = append(links, []any{tenant, v.ID, id})
		}
	}
	if err := tx.Upsert(ctx, "visit", []string{"tenant_id", "visit_id"}, columns, rows); err != nil {
		return fmt.Errorf("visit: save: %w", err)
	}
	if len(links) == 0 {
		return nil
	}
	return tx.Insert(ctx, "visit_incident", []string{"tenant_id", "visit_id", "incident_id"}, links, "")
}

func scan(rows *sql.Rows) (Visit, error) {
	var v Visit
	var start, end, started, ended, updated int64
	var incidents string
	err := rows.Scan(&v.ID, &v.Version, &v.Sequence, &v.State, &v.Kind, &v.School, &v.Technician, &start, &end, &v.Purpose, &v.Note, &v.Report, &incidents,
		&started, &ended, &updated)
	if err == nil {
		err = json.Unmarshal([]byte(incidents), &v.Incidents)
	}
	if err != nil {
		return v, fmt.Errorf("visit: scan: %w", err)
	}
	if len(v.Incidents) == 0 {
		v.Incidents = nil
	}
	v.Start, v.Minutes = sqldb.Time(start), int((end-start)/time.Minute.Milliseconds())
	v.StartedAt, v.EndedAt, v.UpdatedAt = sqldb.Time(started), sqldb.Time(ended), sqldb.Time(updated)
	return v, nil
}

func query(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]Visit, error) {
	rows, err := tx.Query(ctx, selectVisit+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("visit: query: %w", err)
	}
	defer rows.Close()
	var all []Visit
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// one reads a visit, whoever asks.
func one(ctx context.Context, tx *sqldb.Tx, tenant, id int64, forUpdate bool) (Visit, error) {
	condition := " AND visit_id = $2"
	if forUpdate {
		condition += tx.ForUpdate()
	}
	all, err := query(ctx, tx, condition, tenant, id)
	if err != nil {
		return Visit{}, err
	}
	if len(all) == 0 {
		return Visit{}, notFound()
	}
	return all[0], nil
}

// Get reads one visit: NotFound when there is none or it is out of scope. Who
// declares only sees the visits of an incident of theirs (OfIncident).
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (Visit, error) {
	var v Visit
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		v, err = one(ctx, tx, by.Tenant, id, false)
		return err
	})
	if err != nil {
		return Visit{}, err
	}
	if !by.Scope().SeesSchool(v.School) {
		return Visit{}, notFound()
	}
	return v.forReader(by), nil
}

// Filter chooses visits: zero members choose all.
type Filter struct {
	From, To   time.Time // those that take place in [From, To)
	Technician int64
	School     int64
	Incident   int64
	States     []State
	IDs        []int64
	Limit      int // MaxList if 0
}

// List reads visits by instant, those of the schools that the reader sees.
func (s *Service) List(ctx context.Context, by auth.Identity, f Filter) ([]Visit, error) {
	if _, own := by.Scope().Own(); own || by.Scope().Nothing() {
		return nil, nil
	}
	args := []any{by.Tenant}
	var where strings.Builder
	and := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where.WriteString(" AND " + condition)
	}
	cond, more := by.Scope().SQL("school_id", "0", len(args)+1)
	where.WriteString(" AND " + cond)
	args = append(args, more...)
	if !f.From.IsZero() {
		and("end_at > ?", sqldb.Millis(f.From))
	}
	if !f.To.IsZero() {
		and("start_at < ?", sqldb.Millis(f.To))
	}
	if f.Technician != 0 {
		and("technician_id = ?", f.Technician)
	}
	if f.School != 0 {
		and("school_id = ?", f.School)
	}
	if f.Incident != 0 {
		and("visit_id IN (SELECT visit_id FROM visit_incident WHERE tenant_id = $1 AND incident_id = ?)", f.Incident)
	}
	if len(f.States) > 0 {
		marks := strings.TrimSuffix(strings.Repeat("?,", len(f.States)), ",")
		values := make([]any, len(f.States))
		for k, st := range f.States {
			values[k] = string(st)
		}
		and("state IN ("+marks+")", values...)
	}
	if len(f.IDs) > 0 {
		ids := f.IDs[:min(len(f.IDs), MaxList)]
		values := make([]any, len(ids))
		for k, id := range ids {
			values[k] = id
		}
		and("visit_id IN ("+strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")+")", values...)
	}
	limit := f.Limit
	if limit <= 0 || limit > MaxList {
		limit = MaxList
	}
	var all []Visit
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = query(ctx, tx, where.String()+" ORDER BY start_at, visit_id LIMIT "+strconv.Itoa(limit), args...)
		return err
	})
	for k := range all {
		all[k] = all[k].forReader(by)
	}
	return all, err
}

// OfIncident reads the visits for one incident that the reader sees, by
// instant. A declarant is told when, who and how, and nothing of what else the
// visit is for.
func (s *Service) OfIncident(ctx context.Context, by auth.Identity, id int64) ([]Visit, error) {
	if _, err := s.incidents.Get(ctx, by.Scope(), id); err != nil {
		return nil, err
	}
	var all []Visit
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = query(ctx, tx, ` AND visit_id IN (SELECT visit_id FROM visit_incident WHERE tenant_id = $1 AND incident_id = $2) ORDER BY start_at, visit_id`, by.Tenant, id)
		return err
	})
	for k := range all {
		all[k] = all[k].forReader(by)
		if !by.Scope().SeesSchool(all[k].School) {
			all[k].Incidents, all[k].Purpose = []int64{id}, ""
		}
	}
	return all, err
}

// Projection rebuilds visits, time spent, timers and calendar links from the
// journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{
		Name:     "visit",
		Subjects: []string{Subject, SubjectTime, SubjectTimer, SubjectFeed},
		Tables:   []string{"visit", "visit_incident", "work_time", "work_timer", "visit_feed"},
		Apply:    apply,
	}
}

// apply folds events: the last one of each visit and time entry is its state.
func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	last := map[int64]*Visit{}
	entries := map[int64]*Time{}
	for k := range events {
		e := &events[k]
		switch e.Subject.Kind {
		case Subject:
			v := &Visit{}
			if err := json.Unmarshal(e.Data, v); err != nil {
				return fmt.Errorf("visit %d: event %s: %w", e.Subject.ID, e.Pos, err)
			}
			last[e.Subject.ID] = v
		case SubjectTime:
			t := &Time{}
			if err := json.Unmarshal(e.Data, t); err != nil {
				return fmt.Errorf("time %d: event %s: %w", e.Subject.ID, e.Pos, err)
			}
			entries[e.Subject.ID] = t
		case SubjectTimer:
			if err := applyTimer(ctx, tx, e); err != nil {
				return err
			}
		case SubjectFeed:
			if err := applyFeed(ctx, tx, e); err != nil {
				return err
			}
		}
	}
	if len(last) > 0 {
		if err := save(ctx, tx, events[0].Tenant, sorted(last)); err != nil {
			return err
		}
	}
	if len(entries) > 0 {
		return saveTimes(ctx, tx, events[0].Tenant, sorted(entries))
	}
	return nil
}

// sorted gives the values of a map by key.
func sorted[T any](m map[int64]*T) []*T {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	all := make([]*T, len(keys))
	for k, id := range keys {
		all[k] = m[id]
	}
	return all
}
