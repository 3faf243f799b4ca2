package servicelevel_test

import (
	"context"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/servicelevel"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

// house is a département with two schools, a technician and some incidents
// imported with their past.
type house struct {
	db        *sqldb.DB
	j         *journal.Journal
	places    *directory.Service
	words     *catalog.Service
	incidents *incident.Service
	service   *servicelevel.Service

	a, b, tech       int64
	network, printer int64
	part             int64
	loc              *time.Location
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newHouse(t *testing.T, db *sqldb.DB) *house {
	t.Helper()
	ctx := context.Background()
	h := &house{db: db, j: journal.New(db), loc: must[*time.Location](t)(time.LoadLocation("Europe/Paris"))}
	h.places, h.words = directory.New(db, h.j), catalog.New(db, h.j)
	h.incidents = incident.NewService(db, h.j, h.places, h.words, h.loc)
	h.service = servicelevel.New(db, h.j, h.places, h.words, h.incidents)
	settings := directory.DefaultSettings
	settings.Name = "Loiret"
	if err := h.places.SaveSettings(ctx, system, settings); err != nil {
		t.Fatal(err)
	}
	schools := must[map[string]int64](t)(h.places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "A", Commune: "Gien"}, {UAI: "0450002B", Name: "B", Commune: "Gien"}}))
	h.a, h.b = schools["0450001A"], schools["0450002B"]
	h.tech = must[directory.Person](t)(h.places.SavePerson(ctx, system, directory.Person{Name: "Tech", Kind: directory.Staff})).ID
	h.network = must[catalog.Category](t)(h.words.SaveCategory(ctx, system, catalog.Category{Label: "Réseau"})).ID
	h.printer = must[catalog.Category](t)(h.words.SaveCategory(ctx, system, catalog.Category{Label: "Impression"})).ID
	h.part = must[catalog.Code](t)(h.words.SaveCode(ctx, system, catalog.Code{Kind: catalog.Waiting, Label: "Pièce"})).ID
	return h
}

func (h *house) at(text string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, h.loc)
	if err != nil {
		panic(err)
	}
	return at
}

// past imports an incident that was declared, taken, and perhaps resolved.
func (h *house) past(t *testing.T, external string, priority int, category int64, opened, taken, resolved string) int64 {
	t.Helper()
	steps := []incident.Step{
		{At: h.at(opened), Kind: incident.EventDeclared, Set: incident.Patch{State: new(incident.New), Title: new("Panne " + external), School: &h.a, Category: &category, Priority: &priority}},
	}
	if taken != "" {
		steps = append(steps, incident.Step{At: h.at(taken), Set: incident.Patch{State: new(incident.Assigned), Assignee: &h.tech}})
	}
	if resolved != "" {
		steps = append(steps, incident.Step{At: h.at(resolved), Set: incident.Patch{State: new(incident.Resolved), ResolvedAt: new(h.at(resolved))}})
	}
	done := must[incident.ImportResult](t)(h.incidents.ImportHistories(context.Background(), system, []incident.History{{Source: "test", ExternalID: external, Steps: steps}}))
	if len(done.Rejected) > 0 {
		t.Fatalf("rejected: %+v", done.Rejected)
	}
	return done.IDs[0]
}

func (h *house) fresh(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	var last journal.Pos
	err := h.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		last, err = journal.Last(ctx, tx, 1)
		return err
	})
	// On PostgreSQL a reader waits for whatever runs elsewhere in the cluster.
	for err == nil {
		if err = h.service.Fresh(ctx, 1); err != nil {
			break
		}
		var at journal.Pos
		if at, err = h.j.Cursor(ctx, 1, servicelevel.Reader); err == nil && at.Compare(last) >= 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal(err)
}

func (h *house) check(t *testing.T, incidents int) {
	t.Helper()
	got := must[servicelevel.Report](t)(h.service.Check(context.Background(), system, false, nil))
	if got.Incidents != incidents || got.Differences != 0 {
		t.Errorf("%d incidents compared (want %d), %d differences: %+v", got.Incidents, incidents, got.Differences, got.First)
	}
}

// What the reader kept event after event is what the stories say, also after
// the rules have changed.
func TestTableEqualsRecomputation(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := newHouse(t, db)
		if err := h.service.SeedUsual(ctx, system); err != nil {
			t.Fatal(err)
		}
		inTime := h.past(t, "1", 2, h.network, "2026-03-02 08:00", "2026-03-02 09:00", "2026-03-03 10:00")
		late := h.past(t, "2", 1, h.network, "2026-03-02 08:00", "2026-03-02 09:30", "2026-03-09 10:00")
		open := h.past(t, "3", 4, h.printer, "2026-03-02 08:00", "", "")
		live := must[incident.Incident](t)(h.incidents.Declare(ctx, system, incident.Declaration{Title: "En direct", School: h.b, Category: h.printer}))
		h.fresh(t)
		all := []int64{inTime, late, open, live.ID}
		stands := must[map[int64]servicelevel.Tally](t)(h.service.Standings(ctx, system.Scope(), all))
		if s := stands[inTime]; !s.Response.InTime() || !s.Resolution.InTime() || s.Resolution.Spent != 510+120 || s.Resolution.Target != 1020 {
			t.Errorf("in time: %+v", s)
		}
		if s := stands[late]; s.Response.InTime() || s.Resolution.InTime() || s.Response.Spent != 90 || s.Resolution.Phase != servicelevel.Stopped {
			t.Errorf("late: %+v", s)
		}
		h.check(t, 4)

		// Work goes on, a school closes, a reason no longer stops the clock: the
		// reader follows, and recomputes what the rules change.
		for _, c := range []incident.Change{
			{Incident: live.ID, Action: incident.Assign, Set: incident.Patch{Assignee: &h.tech}},
			{Incident: live.ID, Action: incident.Hold, Set: incident.Patch{WaitingCode: &h.part}},
			{Incident: open, Action: incident.Hold, Set: incident.Patch{WaitingCode: &h.part}},
		} {
			if _, err := h.incidents.Act(ctx, system, c); err != nil {
				t.Fatal(err)
			}
		}
		h.fresh(t)
		if s := must[map[int64]servicelevel.Tally](t)(h.service.Standings(ctx, system.Scope(), all))[live.ID]; s.Resolution.Phase != servicelevel.Paused || !s.Resolution.Due.IsZero() {
			t.Errorf("waiting: %+v", s)
		}
		h.check(t, 4)
		if _, err := h.words.SaveCode(ctx, system, catalog.Code{ID: h.part, Kind: catalog.Waiting, Label: "Pièce", Runs: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.places.SaveClosure(ctx, system, directory.Closure{School: h.a, First: calendar.Date(2026, 3, 3), Last: calendar.Date(2026, 3, 3), Reason: "Travaux"}); err != nil {
			t.Fatal(err)
		}
		h.fresh(t)
		stands = must[map[int64]servicelevel.Tally](t)(h.service.Standings(ctx, system.Scope(), all))
		if s := stands[live.ID]; s.Resolution.Phase != servicelevel.Running {
			t.Errorf("the reason no longer stops the clock: %+v", s)
		}
		if s := stands[inTime]; s.Resolution.Spent != 510 {
			t.Errorf("closed on the second day: %d minutes", s.Resolution.Spent)
		}
		h.check(t, 4)

		// A reader of one school sees its own only.
		if got := must[map[int64]servicelevel.Tally](t)(h.service.Standings(ctx, auth.ScopeSchools(1, h.b), all)); len(got) != 1 {
			t.Errorf("%d clocks for a reader of one school", len(got))
		}
		if _, err := h.service.Clock(ctx, auth.ScopeSchools(1, h.b), open, sqldb.Now()); !fault.Is(err, fault.NotFound) {
			t.Errorf("another school's clock: %v", err)
		}

		// A row that is wrong is found, and put right.
		if err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE service_clock SET resolution_spent = 1 WHERE tenant_id = 1 AND incident_id = $1`, inTime)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if got := must[servicelevel.Report](t)(h.service.Check(ctx, system, true, nil)); got.Differences != 1 || got.First[0].Incident != inTime {
			t.Errorf("a wrong row: %+v", got)
		}
		h.check(t, 4)
	})
}

// Each clock is told of once, whatever happens later; an old backlog is not.
func TestTellingOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := newHouse(t, db)
		if err := h.service.SeedUsual(ctx, system); err != nil {
			t.Fatal(err)
		}
		id := h.past(t, "1", 1, h.network, "2026-03-02 08:00", "2026-03-02 08:10", "")
		told := func(now string) []string {
			t.Helper()
			h.fresh(t)
			events := func() []journal.Event {
				var all []journal.Event
				err := db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
					var err error
					all, err = journal.OfMany(ctx, tx, 1, servicelevel.Subject, []int64{id, id + 1})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return all
			}
			before := len(events())
			if err := h.service.Tell(ctx, 1, h.at(now)); err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, e := range events()[before:] {
				kinds = append(kinds, e.Kind)
				if e.School != h.a {
					t.Errorf("told of school %d", e.School)
				}
			}
			return kinds
		}
		for _, step := range []struct {
			now  string
			want int
			kind string
		}{
			{"2026-03-02 12:00", 0, ""},
			{"2026-03-02 16:00", 1, servicelevel.EventWarned}, // 75 % of 510 minutes: 382
			{"2026-03-02 17:00", 0, ""},
			{"2026-03-02 18:00", 0, ""}, // closed: the last minute is used, none is too many
			{"2026-03-03 08:30", 1, servicelevel.EventBreached},
			{"2026-03-03 09:30", 0, ""},
		} {
			got := told(step.now)
			if len(got) != step.want || len(got) > 0 && got[0] != step.kind {
				t.Errorf("at %s: %v, want %d %s", step.now, got, step.want, step.kind)
			}
		}
		h.past(t, "2", 1, h.network, "2026-02-02 08:00", "", "")
		if got := told("2026-03-03 10:00"); len(got) != 0 {
			t.Errorf("told again: %v", got)
		}
		replay := must[*journal.Replay](t)(journal.CheckRebuild(ctx, db, 1, []journal.Projection{h.places.Projection(), h.words.Projection(), h.incidents.Projection(), h.service.Projection()}, nil))
		if replay.Total != 0 {
			t.Errorf("the state is not the fold of the journal: %+v", replay.Differences)
		}
	})
}

func TestPressing(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := newHouse(t, db)
		if err := h.service.SeedUsual(ctx, system); err != nil {
			t.Fatal(err)
		}
		late := h.past(t, "1", 1, h.network, "2026-03-02 08:00", "2026-03-02 08:10", "")
		soon := h.past(t, "2", 2, h.network, "2026-03-02 08:00", "2026-03-02 08:10", "")
		calm := h.past(t, "3", 5, h.network, "2026-03-02 08:00", "2026-03-02 08:10", "")
		h.past(t, "4", 1, h.network, "2026-03-02 08:00", "2026-03-02 08:10", "2026-03-09 10:00")
		h.fresh(t)
		now := h.at("2026-03-03 15:00")
		for pressure, want := range map[servicelevel.Pressure][]int64{servicelevel.Late: {late}, servicelevel.Soon: {soon}, servicelevel.Due: {late, soon, calm}} {
			got := must[[]int64](t)(h.service.Pressing(ctx, system.Scope(), pressure, now))
			if !equal(got, want) {
				t.Errorf("%s: %v, want %v", pressure, got, want)
			}
			if got := must[[]int64](t)(h.service.Pressing(ctx, auth.ScopeSchools(1, h.b), pressure, now)); len(got) != 0 {
				t.Errorf("%s for another school: %v", pressure, got)
			}
		}
	})
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if a[k] != b[k] {
			return false
		}
	}
	return true
}

// A change of target never changes the past, and asks for the right.
func TestTargetsKeepThePast(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := newHouse(t, db)
		if err := h.service.SeedUsual(ctx, system); err != nil {
			t.Fatal(err)
		}
		today := calendar.DayOf(sqldb.Now(), h.loc)
		if err := h.service.SaveTarget(ctx, system, servicelevel.Target{Priority: 1, From: today - 1, Resolution: 10}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a target of yesterday: %v", err)
		}
		if err := h.service.SaveTarget(ctx, system, servicelevel.Target{Priority: 1, From: today + 7, Resolution: 10}); err != nil {
			t.Fatal(err)
		}
		past := h.past(t, "1", 1, h.network, "2026-03-02 08:00", "2026-03-02 08:10", "2026-03-02 09:00")
		h.fresh(t)
		if s := must[map[int64]servicelevel.Tally](t)(h.service.Standings(ctx, system.Scope(), []int64{past}))[past]; s.Resolution.Target != 510 {
			t.Errorf("the past is judged by %d minutes", s.Resolution.Target)
		}
		if err := h.service.RemoveTarget(ctx, system, servicelevel.Key{Priority: 1}, 0); !fault.Is(err, fault.Conflict) {
			t.Errorf("a target in force taken back: %v", err)
		}
		if err := h.service.RemoveTarget(ctx, system, servicelevel.Key{Priority: 1}, today+7); err != nil {
			t.Error(err)
		}
		for name, err := range map[string]error{
			"target": h.service.SaveTarget(ctx, auth.Identity{Tenant: 1, Role: auth.Technician}, servicelevel.Target{From: today, Resolution: 10}),
			"warn":   h.service.SaveWarn(ctx, auth.Identity{Tenant: 1, Role: auth.Technician}, 50),
		} {
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s by a technician: %v", name, err)
			}
		}
	})
}
