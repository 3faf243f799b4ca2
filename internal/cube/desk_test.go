package cube

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// done is what a world's desk did about an incident, for the naive loop.
type done struct {
	response, resolution stand
	parts, cents         int64
}

// stand is how a clock stands in its table.
type stand struct {
	phase         string
	target, spent int64
	late          time.Time
}

func (s stand) word(now time.Time) string {
	switch {
	case s.target == 0 || s.phase == "void":
		return ""
	case !s.late.IsZero() && !s.late.After(now):
		return "late"
	case s.phase == "stopped":
		return "kept"
	}
	return "running"
}

type visited struct {
	state     string
	incidents []int64
}

type listed struct {
	incident          int64
	completed, failed int64
	removed           bool
}

type spent struct {
	incident, minutes int64
	withdrawn         bool
}

// did is what was done about an incident.
func (w *world) did(id int64) *done {
	if w.desk[id] == nil {
		w.desk[id] = &done{}
	}
	return w.desk[id]
}

// amount is how much an incident has of what a measure adds up.
func (w *world) amount(m Measure, i *incident.Incident) float64 {
	d := w.did(i.ID)
	var visits, minutes, lists, failures int64
	for _, v := range w.visits {
		for _, id := range v.incidents {
			if id == i.ID && v.state == "done" {
				visits++
			}
		}
	}
	for _, s := range w.times {
		if s.incident == i.ID && !s.withdrawn {
			minutes += s.minutes
		}
	}
	for _, l := range w.lists {
		if l.incident == i.ID && !l.removed {
			lists, failures = lists+l.completed, failures+l.failed
		}
	}
	switch m {
	case Reassignments:
		return float64(i.ReassignCount)
	case Visits:
		return float64(visits)
	case WorkTime:
		return float64(minutes) / 60
	case Parts:
		return float64(d.parts)
	case PartsCost:
		return float64(d.cents) / 100
	case Checklists:
		return float64(lists)
	case ChecksFailed:
		return float64(failures)
	}
	return 0
}

// at is where a quantity is kept.
func (d *desk) at(q quantity) *int64 {
	return []*int64{&d.reassigned, &d.parts, &d.cents, &d.visits, &d.minutes, &d.lists, &d.failures}[q]
}

// act does something about an incident, as the room concerned would: its rows,
// and the event, if there is one.
func (w *world) act(ctx context.Context, tx *sqldb.Tx, r *rand.Rand, id int64) ([]journal.Event, error) {
	t := w.tenant
	event := func(kind string, number int64, data any) ([]journal.Event, error) {
		raw, err := json.Marshal(data)
		return []journal.Event{{Tenant: t, At: w.now, Actor: auth.System(t).Actor(), Subject: journal.Subject{Kind: kind, ID: number}, Kind: kind + ".done", Data: raw}}, err
	}
	next := func() int64 { w.number++; return w.number }
	// Something that is there already, or a new one.
	old := func(n int) (int64, bool) {
		if n == 0 || w.number == 0 || r.IntN(2) == 0 {
			return next(), false
		}
		return int64(1 + r.IntN(int(w.number))), true
	}
	switch r.IntN(6) {
	case 0, 1:
		return nil, w.clock(ctx, tx, r, id)
	case 2: // a part used, or given back
		n, price := int64(1+r.IntN(3)), int64(r.IntN(5000))
		from, to := int64(1), int64(0)
		kind := []string{"use", "return", "count"}[r.IntN(3)]
		d := w.did(id)
		switch kind {
		case "use":
			d.parts, d.cents = d.parts+n, d.cents+n*price
		case "return":
			from, to = 0, 1
			d.parts, d.cents = d.parts-n, d.cents-n*price
		}
		number := next()
		err := tx.Insert(ctx, "stock_movement", []string{"tenant_id", "movement_id", "at", "kind", "item_id", "from_id", "to_id", "quantity", "price", "incident_id", "actor_kind", "actor_id"},
			[][]any{{t, number, 0, kind, 1, from, to, n, price, id, "system", 0}}, "")
		if err != nil {
			return nil, err
		}
		return event("stock_movement", number, map[string]any{"incident": id})
	case 3: // a visit planned, made, called off, for one or two incidents
		number, _ := old(len(w.visits))
		v := &visited{state: []string{"planned", "done", "done", "cancelled"}[r.IntN(4)], incidents: []int64{id}}
		if other := int64(1 + r.IntN(len(w.incidents))); other != id {
			v.incidents = append(v.incidents, other)
		}
		w.visits[number] = v
		_, err := tx.Exec(ctx, `DELETE FROM visit_incident WHERE tenant_id = $1 AND visit_id = $2`, t, number)
		if err == nil {
			err = tx.Upsert(ctx, "visit", []string{"tenant_id", "visit_id"},
				[]string{"tenant_id", "visit_id", "version", "sequence", "state", "kind", "school_id", "technician_id", "start_at", "end_at", "updated_at"},
				[][]any{{t, number, 1, 1, v.state, "on_site", 1, 1, 0, 0, 0}})
		}
		for _, i := range v.incidents {
			if err == nil {
				err = tx.Insert(ctx, "visit_incident", []string{"tenant_id", "visit_id", "incident_id"}, [][]any{{t, number, i}}, "")
			}
		}
		if err != nil {
			return nil, err
		}
		return event("visit", number, map[string]any{"incidents": v.incidents})
	case 4: // time noted, corrected, withdrawn
		number, _ := old(len(w.times))
		s := w.times[number]
		if s == nil {
			s = &spent{incident: id}
			w.times[number] = s
		}
		s.minutes, s.withdrawn = int64(5+r.IntN(90)), r.IntN(4) == 0
		err := tx.Upsert(ctx, "work_time", []string{"tenant_id", "time_id"},
			[]string{"tenant_id", "time_id", "incident_id", "school_id", "technician_id", "day", "minutes", "withdrawn", "logged_at"},
			[][]any{{t, number, s.incident, 1, 1, 1, s.minutes, sqldb.Flag(s.withdrawn), 0}})
		if err != nil {
			return nil, err
		}
		return event("work_time", number, map[string]any{"incident": s.incident})
	}
	// A list added, ticked, removed.
	number, _ := old(len(w.lists))
	l := w.lists[number]
	if l == nil {
		l = &listed{incident: id}
		w.lists[number] = l
	}
	l.completed, l.failed, l.removed = int64(r.IntN(2)), int64(r.IntN(3)), r.IntN(5) == 0
	err := tx.Upsert(ctx, "checklist", []string{"tenant_id", "checklist_id"},
		[]string{"tenant_id", "checklist_id", "version", "template_id", "template_version", "title", "incident_id", "school_id", "checks", "items", "done", "mandatory_left", "added_at", "completed_at", "removed", "failed"},
		[][]any{{t, number, 1, 1, 1, "x", l.incident, 1, "[]", 3, 1, 0, 0, l.completed * 1000, sqldb.Flag(l.removed), l.failed}})
	if err != nil {
		return nil, err
	}
	return event("checklist", number, map[string]any{"ticked": 1})
}

// clock writes how the clocks of an incident stand, as their reader would:
// without an event.
func (w *world) clock(ctx context.Context, tx *sqldb.Tx, r *rand.Rand, id int64) error {
	draw := func() stand {
		s := stand{phase: []string{"running", "paused", "stopped", "stopped", "void"}[r.IntN(5)], target: int64(r.IntN(3) * 60)}
		switch r.IntN(4) {
		case 0:
			s.spent = int64(r.IntN(200_000))
		default:
			s.spent = int64(r.IntN(600))
		}
		if s.target > 0 && s.phase != "void" && r.IntN(2) == 0 {
			s.late = w.now.Add(time.Duration(r.IntN(200)-120) * time.Hour)
			if s.phase == "stopped" && s.late.After(w.now) {
				s.late = time.Time{}
			}
		}
		return s
	}
	d := w.did(id)
	d.response, d.resolution = draw(), draw()
	stamp, err := tx.NextIDs(ctx, w.tenant, "servicelevel.stamp", 1)
	if err != nil {
		return err
	}
	columns := []string{"tenant_id", "incident_id", "school_id", "declarant_id", "opened_at", "clock_school_id", "stamp"}
	row := []any{w.tenant, id, 0, 0, 0, 0, stamp}
	for name, s := range map[string]stand{"response": d.response, "resolution": d.resolution} {
		for column, v := range map[string]any{"phase": s.phase, "target": s.target, "spent": s.spent, "since": 0, "due": 0, "warn_at": 0, "late_at": sqldb.Millis(s.late)} {
			columns, row = append(columns, name+"_"+column), append(row, v)
		}
	}
	return tx.Upsert(ctx, "service_clock", columns[:2], columns, [][]any{row})
}

// A clock that runs becomes late by the passing of time alone, for both
// executors at the same instant.
func TestClocksRipen(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		w := newWorld(t, db)
		r := seeded(3)
		i := w.random(r, 1)
		i.State = incident.Assigned
		w.store(t, []incident.Incident{i})
		late := w.now.Add(time.Hour)
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := w.clock(ctx, tx, r, 1); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `UPDATE service_clock SET resolution_phase = 'running', resolution_target = 60, resolution_late_at = $2 WHERE tenant_id = $1`, w.tenant, sqldb.Millis(late))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		m, s := executors(t, w)
		for _, step := range []struct {
			after time.Duration
			want  float64
		}{{0, 0}, {time.Hour - time.Second, 0}, {time.Hour, 1}, {2 * time.Hour, 1}} {
			at := w.now.Add(step.after)
			m.cfg.Now, s.cfg.Now = func() time.Time { return at }, func() time.Time { return at }
			for name, e := range map[string]Executor{"memory": m, "SQL": s} {
				res, err := e.Run(ctx, auth.ScopeAll(w.tenant), Query{Measures: []Measure{ResolutionLate, ResolutionKept}, By: []Dim{DimResolutionClock}})
				if err != nil {
					t.Fatal(err)
				}
				if got := res.Total.Values[0].V; got != step.want {
					t.Errorf("%s, %s later: %v late, want %v", name, step.after, got, step.want)
				}
				word := map[float64]string{0: "running", 1: "late"}[step.want]
				if d := cmp.Diff([]string{word}, res.Rows[0].Keys); d != "" {
					t.Errorf("%s, %s later (-want +got):\n%s", name, step.after, d)
				}
			}
		}
	})
}

// Time that does not fit a column is kept all the same.
func TestLongClocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	f := newFacts(paris, newTables(w.index, w.tree, nil))
	c := &chunk{n: 1}
	f.chunks, f.rows = []*chunk{c}, 1
	for _, minutes := range []int64{0, 1, longSpent - 1, longSpent, unspent, unspent + 1, 1 << 30} {
		f.setClocks(0, &clocks{id: 1, response: clock{spent: minutes}, resolution: clock{spent: minutes + 1}}, 0)
		for resolution, want := range map[bool]int64{false: minutes, true: minutes + 1} {
			if got, stopped := c.spent(resolution, 0); !stopped || int64(got) != want {
				t.Errorf("%d minutes are kept as %d (stopped %s)", want, got, strconv.FormatBool(stopped))
			}
		}
	}
}
