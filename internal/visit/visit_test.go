package visit

import (
	"context"
	"slices"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func TestIncidentsFollowTheirVisit(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		one, two := h.declare(t, h.a), h.declare(t, h.a)
		start := h.workday(t, 9)
		v := h.plan(t, start, one)
		if i := h.incident(t, one); i.State != incident.Planned || !i.PlannedAt.Equal(start) || i.Assignee != h.tech.Person {
			t.Fatalf("planned: %s at %s by %d", i.State, i.PlannedAt, i.Assignee)
		}
		v = must[Visit](t)(h.Add(ctx, h.tech, v.ID, two))
		later := start.Add(24 * time.Hour)
		v = must[Visit](t)(h.Change(ctx, h.second, v.ID, v.Version, Edit{Start: &later, Technician: &h.second.Person}))
		for _, id := range []int64{one, two} {
			if i := h.incident(t, id); i.State != incident.Planned || !i.PlannedAt.Equal(later) || i.Assignee != h.second.Person {
				t.Errorf("moved: %s at %s by %d", i.State, i.PlannedAt, i.Assignee)
			}
		}
		if v.Sequence != 1 {
			t.Errorf("sequence %d after one move", v.Sequence)
		}
		v = must[Visit](t)(h.Undo(ctx, h.second, v.ID, v.Version))
		if i := h.incident(t, one); !v.Start.Equal(start) || !i.PlannedAt.Equal(start) || v.Sequence != 2 {
			t.Errorf("taken back: visit %s, incident %s, sequence %d", v.Start, i.PlannedAt, v.Sequence)
		}
		if _, err := h.Undo(ctx, h.second, v.ID, v.Version); !fault.Is(err, fault.Conflict) {
			t.Errorf("taking back twice: %v", err)
		}
		v = must[Visit](t)(h.Act(ctx, h.tech, v.ID, v.Version, Cancel))
		if i := h.incident(t, one); i.State != incident.Assigned || !i.PlannedAt.IsZero() {
			t.Errorf("called off: %s at %s", i.State, i.PlannedAt)
		}
		v = must[Visit](t)(h.Undo(ctx, h.tech, v.ID, v.Version))
		if i := h.incident(t, two); v.State != Planned || i.State != incident.Planned {
			t.Errorf("called off by mistake: visit %s, incident %s", v.State, i.State)
		}
		// An incident that was put on hold by hand stays so when its visit is done.
		v = must[Visit](t)(h.Act(ctx, h.tech, v.ID, 0, Begin))
		must[incident.Incident](t)(h.incidents.Act(ctx, h.tech, incident.Change{Incident: one, Action: incident.Resolve, Set: incident.Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}}))
		v = must[Visit](t)(h.Act(ctx, h.tech, v.ID, v.Version, Finish))
		if v.State != Done || v.StartedAt.IsZero() || v.EndedAt.IsZero() {
			t.Errorf("done: %+v", v)
		}
		if i := h.incident(t, one); i.State != incident.Resolved {
			t.Errorf("a solved incident became %s", i.State)
		}
		if i := h.incident(t, two); i.State != incident.Assigned {
			t.Errorf("an incident that was not solved is %s", i.State)
		}
		if _, err := h.Act(ctx, h.tech, v.ID, v.Version, Cancel); !fault.Is(err, fault.Conflict) {
			t.Errorf("calling off what is done: %v", err)
		}
		h.rebuilt(t)
	})
}

// What a crash between the visit and its incidents left is made up for.
func TestSettleAfterACrash(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		id := h.declare(t, h.a)
		v := Visit{State: Planned, Kind: OnSite, School: h.a, Technician: h.tech.Person, Start: h.workday(t, 9), Minutes: 60, Incidents: []int64{id}}
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			v.ID, v.Version = 1, 0
			return h.record(ctx, tx, h.tech, EventPlanned, &v, nil, sqldb.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		if i := h.incident(t, id); i.State != incident.New {
			t.Fatalf("before: %s", i.State)
		}
		for range 2 {
			if err := h.SettleAll(ctx, 1, sqldb.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if i := h.incident(t, id); i.State != incident.Planned || i.Version != 2 {
			t.Errorf("settled: %s, version %d", i.State, i.Version)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := t.Context()
	mine, foreign := h.declare(t, h.a), h.declare(t, h.b)
	start := h.workday(t, 9)
	good := Draft{Kind: OnSite, School: h.a, Technician: h.tech.Person, Start: start, Minutes: 60, Purpose: "Contrôle"}
	for _, c := range []struct {
		name   string
		by     auth.Identity
		change func(*Draft)
		field  string
	}{
		{"no kind", h.tech, func(d *Draft) { d.Kind = "" }, "kind"},
		{"no school", h.tech, func(d *Draft) { d.School = 0 }, "school"},
		{"unknown school", h.tech, func(d *Draft) { d.School = 99 }, "school"},
		{"a teacher goes", h.tech, func(d *Draft) { d.Technician = h.teacher.Person }, "technician"},
		{"no instant", h.tech, func(d *Draft) { d.Start = time.Time{} }, "start"},
		{"in ten years", h.tech, func(d *Draft) { d.Start = start.AddDate(10, 0, 0) }, "start"},
		{"no time", h.tech, func(d *Draft) { d.Minutes = 0 }, "minutes"},
		{"a week long", h.tech, func(d *Draft) { d.Minutes = 5000 }, "minutes"},
		{"for nothing", h.tech, func(d *Draft) { d.Purpose = " " }, "purpose"},
		{"long purpose", h.tech, func(d *Draft) { d.Purpose = string(make([]byte, 0)) + longText(201) }, "purpose"},
		{"incident elsewhere", h.tech, func(d *Draft) { d.Incidents = []int64{mine, foreign} }, "incidents"},
		{"no such incident", h.tech, func(d *Draft) { d.Incidents = []int64{999} }, "incidents"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := good
			c.change(&d)
			_, err := h.Plan(ctx, c.by, d)
			f, ok := err.(*fault.Error) //nolint:errorlint // refusals are returned as they are
			if !ok || f.Code != fault.Invalid || len(f.Fields) == 0 || f.Fields[0].Name != c.field {
				t.Errorf("refusal %v, want one of %s", err, c.field)
			}
		})
	}
	for _, by := range []auth.Identity{h.teacher, h.referent} {
		if _, err := h.Plan(ctx, by, good); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s plans: %v", by.Role, err)
		}
	}
}

func longText(n int) string { return string(slices.Repeat([]byte("x"), n)) }

func TestScope(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		id := h.declare(t, h.a)
		v := h.plan(t, h.workday(t, 9), id, h.declare(t, h.a))
		for _, c := range []struct {
			name string
			by   auth.Identity
			sees bool
			note bool
		}{
			{"technician", h.tech, true, true}, {"referent of the school", h.referent, true, false},
			{"referent of another", h.stranger, false, false}, {"declarant", h.teacher, false, false},
		} {
			got, err := h.Get(ctx, c.by, v.ID)
			if (err == nil) != c.sees || err != nil && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s reads the visit: %v", c.name, err)
			}
			if (got.Note != "") != c.note {
				t.Errorf("%s reads the note %q", c.name, got.Note)
			}
			list := must[[]Visit](t)(h.List(ctx, c.by, Filter{School: h.a}))
			if (len(list) == 1) != c.sees || len(list) == 1 && (list[0].Note != "") != c.note {
				t.Errorf("%s lists %+v", c.name, list)
			}
		}
		told := must[[]Visit](t)(h.OfIncident(ctx, h.teacher, id))
		if len(told) != 1 || told[0].Note != "" || told[0].Purpose != "" || !slices.Equal(told[0].Incidents, []int64{id}) {
			t.Errorf("the declarant is told %+v", told)
		}
		if _, err := h.OfIncident(ctx, h.other, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("a colleague asks about it: %v", err)
		}
	})
}

func TestClashes(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := t.Context()
	start := h.workday(t, 9)
	v := h.plan(t, start)
	thought := func(change func(*Visit)) []ClashKind {
		w := Visit{Kind: OnSite, School: h.b, Technician: h.second.Person, Start: start, Minutes: 60}
		change(&w)
		var kinds []ClashKind
		for _, c := range must[[]Clash](t)(h.Clashes(ctx, h.tech, w)) {
			kinds = append(kinds, c.Kind)
			if c.Kind == Overlap && c.Visit.ID != v.ID {
				t.Errorf("overlaps visit %d", c.Visit.ID)
			}
		}
		return kinds
	}
	for _, c := range []struct {
		name   string
		change func(*Visit)
		want   []ClashKind
	}{
		{"another technician", func(*Visit) {}, nil},
		{"same technician", func(w *Visit) { w.Technician = h.tech.Person }, []ClashKind{Overlap}},
		{"just after", func(w *Visit) { w.Technician, w.Start = h.tech.Person, v.End() }, nil},
		{"just before", func(w *Visit) { w.Technician, w.Start = h.tech.Person, start.Add(-time.Hour) }, nil},
		{"a minute too long", func(w *Visit) { w.Technician, w.Start, w.Minutes = h.tech.Person, start.Add(-time.Hour), 61 }, []ClashKind{Overlap}},
		{"itself", func(w *Visit) { w.ID, w.Technician = v.ID, h.tech.Person }, nil},
		{"before it opens", func(w *Visit) { w.Start = start.Add(-4 * time.Hour) }, []ClashKind{Hours}},
		{"the same at a distance", func(w *Visit) { w.Start, w.Kind = start.Add(-4*time.Hour), Remote }, nil},
		{"on Sunday", func(w *Visit) {
			d := calendar.DayOf(start, paris)
			w.Start = start.AddDate(0, 0, 6-d.Weekday())
		}, []ClashKind{Weekend}},
	} {
		if got := thought(c.change); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if found := Between([]Visit{{ID: 1, State: Planned, Technician: 1, Start: start, Minutes: 60}, {ID: 2, State: Planned, Technician: 1, Start: start.Add(time.Hour), Minutes: 60}, {ID: 3, State: Started, Technician: 1, Start: start.Add(30 * time.Minute), Minutes: 60}, {ID: 4, State: Planned, Technician: 2, Start: start, Minutes: 60}}); len(found) != 3 || len(found[3]) != 2 {
		t.Errorf("overlaps %v", found)
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		id := h.declare(t, h.a)
		v := h.plan(t, h.workday(t, 9), id)
		remote := must[Time](t)(h.LogTime(ctx, h.tech, Time{Incident: id, Minutes: 15, Note: "prise en main"}))
		must[Time](t)(h.LogTime(ctx, h.second, Time{Incident: id, Visit: v.ID, Minutes: 60}))
		must[Time](t)(h.LogTime(ctx, h.tech, Time{Visit: v.ID, Minutes: 30}))
		total := func() int { return must[map[int64]int](t)(h.Minutes(ctx, h.tech, []int64{id, 999}))[id] }
		if total() != 75 {
			t.Errorf("total %d, want 75", total())
		}
		if _, err := h.CorrectTime(ctx, h.second, Time{ID: remote.ID, Minutes: 1, Day: remote.Day}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("another technician corrects: %v", err)
		}
		must[Time](t)(h.CorrectTime(ctx, h.lead, Time{ID: remote.ID, Minutes: 20, Day: remote.Day, Note: "prise en main"}))
		if total() != 80 {
			t.Errorf("corrected total %d, want 80", total())
		}
		must[Time](t)(h.CorrectTime(ctx, h.tech, Time{ID: remote.ID, Withdrawn: true}))
		if total() != 60 || len(must[[]Time](t)(h.TimeOn(ctx, h.tech, On{Incident: id}))) != 1 {
			t.Errorf("withdrawn total %d, want 60", total())
		}
		must[Time](t)(h.CorrectTime(ctx, h.tech, Time{ID: remote.ID, Minutes: 20, Day: remote.Day}))
		if total() != 80 {
			t.Errorf("brought back: %d, want 80", total())
		}
		for name, bad := range map[string]Time{
			"nothing": {Minutes: 5}, "no minutes": {Incident: id}, "two days": {Incident: id, Minutes: 3000}, "tomorrow": {Incident: id, Minutes: 5, Day: remote.Day + 1},
			"another's visit": {Incident: h.declare(t, h.a), Visit: v.ID, Minutes: 5},
		} {
			if _, err := h.LogTime(ctx, h.tech, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.LogTime(ctx, h.referent, Time{Incident: id, Minutes: 5}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a referent logs time: %v", err)
		}
		if list := must[[]Time](t)(h.TimeOn(ctx, h.referent, On{Incident: id})); len(list) != 0 {
			t.Errorf("a referent reads time: %v", list)
		}
		h.rebuilt(t)
	})
}

func TestTimer(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		one, two := h.declare(t, h.a), h.declare(t, h.a)
		if _, err := h.StopTimer(ctx, h.tech); !fault.Is(err, fault.Conflict) {
			t.Errorf("stopping nothing: %v", err)
		}
		if _, stopped, err := h.StartTimer(ctx, h.tech, On{Incident: one}); err != nil || stopped != nil {
			t.Fatalf("start: %v %v", stopped, err)
		}
		if _, stopped, err := h.StartTimer(ctx, h.tech, On{Incident: two}); err != nil || stopped == nil || stopped.Incident != one || stopped.Minutes != 1 {
			t.Fatalf("start elsewhere: %v %v", stopped, err)
		}
		if running := must[*Timer](t)(h.Timer(ctx, h.tech)); running == nil || running.Incident != two {
			t.Errorf("running %v", running)
		}
		if running := must[*Timer](t)(h.Timer(ctx, h.second)); running != nil {
			t.Errorf("another's timer runs: %v", running)
		}
		h.rebuilt(t)
		if entry := must[Time](t)(h.StopTimer(ctx, h.tech)); entry.Incident != two || entry.Minutes != 1 {
			t.Errorf("stopped %+v", entry)
		}
		if err := h.DropTimer(ctx, h.tech); err != nil {
			t.Errorf("dropping nothing: %v", err)
		}
		h.rebuilt(t)
	})
}
