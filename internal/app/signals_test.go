package app

import (
	"context"
	"slices"
	"testing"
	"time"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/demo"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/machine"
	"statincidents/internal/servicelevel"
	"statincidents/internal/signal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// planted is the demonstration of docs/demo.md with its methods and signals.
func planted(t *testing.T, db *sqldb.DB) (*App, *analysis.World, *demo.Dataset) {
	t.Helper()
	ctx := t.Context()
	paris, err := time.LoadLocation(demo.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, time.November, 24, 15, 5, 0, 0, paris)
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	incidents := incident.NewService(db, j, places, words, paris)
	set := demo.Generate(demo.DefaultSeed, now)
	if err := demo.Load(ctx, Tenant, demo.Services{Directory: places, Catalog: words, Incidents: incidents}, set, nil); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	memory := cube.NewMemory(cube.Config{DB: db, Journal: j, Tenant: Tenant, Directory: places, Catalog: words, Location: paris, Now: clock})
	if err := memory.Load(ctx); err != nil {
		t.Fatal(err)
	}
	a := &App{Journal: j, DB: db, Signals: signal.New(db, j, Tenant, paris)}
	a.Analysis = analysis.New(analysis.Parts{DB: db, Jobs: jobs.New(db, jobs.Config{}), Cube: memory, Places: places, Words: words, Incidents: incidents, Clocks: servicelevel.New(db, j, places, words, incidents), Machines: machine.New(db, j, places)},
		analysis.Config{Tenant: Tenant, Location: paris, Now: clock})
	a.signals()
	w, err := a.Analysis.World(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return a, w, set
}

// The stories of the demonstration are signals at the right week, a night that
// is cut short and run again gives the same, and what was judged true is told
// to the methods.
func TestSignalsFindWhatIsPlanted(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute")
	}
	ctx := t.Context()
	a, w, set := planted(t, testkit.SQLite(t))
	if err := a.Analysis.Night(ctx); err != nil {
		t.Fatal(err)
	}
	story := map[string]demo.Story{}
	for _, s := range set.Stories {
		story[s.Key] = s
	}
	computer, ok := w.Words.CategoryByPath("Ordinateur")
	if !ok {
		t.Fatal("no category of computers")
	}
	lead := auth.Identity{Tenant: Tenant, Role: auth.Lead}
	list := func(f signal.Filter) []signal.Signal {
		t.Helper()
		all, err := a.Signals.List(ctx, lead, f)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	school := func(k int) int64 {
		s, _ := w.Places.SchoolByUAI(set.Schools[k].UAI)
		return s.ID
	}
	// The failed update: the whole département, computers, in its week.
	week := story[demo.Update].From.Week()
	updated := slices.ContainsFunc(list(signal.Filter{Method: signal.Warning, Category: computer.ID}), func(s signal.Signal) bool {
		return len(s.Schools) == 0 && slices.ContainsFunc(s.Entries, func(e signal.Entry) bool { return e.Week == week && !e.Calm && e.Excess() > 100 })
	})
	if !updated {
		t.Errorf("no signal of computers in all schools in the week of %s", week)
	}
	if n := len(list(signal.Filter{Method: signal.Warning, Category: computer.ID, From: week, To: week + 7})); n < 6 {
		t.Errorf("%d signals of computers in the week of the update: some of its 50 schools stand out by themselves", n)
	}
	// The zone: most of its schools have a signal of their own.
	zone := story[demo.Zone]
	network, _ := w.Words.CategoryByPath("Réseau et Wi-Fi")
	from, to := zone.From, zone.To+7
	found := 0
	for _, k := range zone.Schools {
		if len(list(signal.Filter{School: school(k), Category: network.ID, From: from, To: to})) > 0 {
			found++
		}
	}
	if found < 4 {
		t.Errorf("%d of the %d schools of the zone have a signal", found, len(zone.Schools))
	}
	// The slow drift of one school.
	drift := story[demo.Drift]
	if all := list(signal.Filter{Method: signal.Drift, State: signal.Open, School: school(drift.Schools[0])}); len(all) == 0 {
		t.Error("the slow drift is no signal")
	}
	before := list(signal.Filter{})
	if err := a.observe(ctx, w); err != nil {
		t.Fatal(err)
	}
	again := list(signal.Filter{})
	if len(before) != len(again) {
		t.Fatalf("%d signals, %d when the night is run again", len(before), len(again))
	}
	for k := range before {
		if before[k].ID != again[k].ID || before[k].Version != again[k].Version {
			t.Errorf("signal %d (version %d) is %d (version %d) when the night is run again", before[k].ID, before[k].Version, again[k].ID, again[k].Version)
		}
	}
	// A zone is one signal, for what it is.
	var members []analysis.ZoneMember
	for _, k := range zone.Schools {
		members = append(members, analysis.ZoneMember{School: school(k)})
	}
	z := analysis.Zone{Category: network.ID, Centre: school(zone.Schools[0]), Members: members, Since: from.Week(), Weeks: 3, Observed: 66, Expected: 21, P: 1e-4}
	if err := a.Signals.Observe(ctx, signal.Zone, w.Today.Week(), []signal.Finding{zoned(w, &z)}); err != nil {
		t.Fatal(err)
	}
	if all := list(signal.Filter{Method: signal.Zone, State: signal.Open}); len(all) != 1 || len(all[0].Schools) != len(members) || all[0].Label == "" {
		t.Errorf("the zone: %+v", all)
	}
	judged := before[0]
	for _, s := range before {
		if s.Method == signal.Warning {
			judged = s
		}
	}
	if _, _, err := a.Signals.Judge(ctx, lead, judged.ID, signal.True, ""); err != nil {
		t.Fatal(err)
	}
	if told, err := a.learned(ctx); err != nil || len(told) != 1 || !slices.Equal(told[0].Schools, judged.Schools) || told[0].Category != judged.Category || told[0].To != judged.Last()+7 {
		t.Errorf("%+v, %v", told, err)
	}
	replay, err := journal.CheckRebuild(ctx, a.DB, Tenant, []journal.Projection{a.Signals.Projection()}, nil)
	if err != nil || replay.Total != 0 {
		t.Errorf("%v, %v", replay, err)
	}
}

// A night that is killed between two weeks leaves whole weeks, and the next one
// ends where it would have.
func TestSignalsOfANightCutShort(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	j := journal.New(db)
	once, cut := signal.New(db, j, 1, time.UTC), signal.New(db, j, 2, time.UTC)
	monday := calendar.Date(2026, time.March, 2)
	weeks := [][]signal.Finding{}
	for k := range 8 {
		f := []signal.Finding{{Series: "a", Figures: signal.Figures{Observed: float64(3 + k%3), Expected: 1, P: 0.01 + 0.1*float64(k%4)}, Flagged: k%4 == 1}}
		if k == 5 {
			f = nil
		}
		weeks = append(weeks, f)
	}
	night := func(s *signal.Service, until int) {
		for k := range weeks[:until] {
			if err := s.Observe(context.Background(), signal.Warning, monday+calendar.Day(7*k), weeks[k]); err != nil {
				t.Fatal(err)
			}
		}
	}
	night(once, len(weeks))
	night(cut, 5)
	night(cut, 2)
	night(cut, len(weeks))
	of := func(s *signal.Service, tenant int64) (states []string) {
		all, err := s.List(context.Background(), auth.Identity{Tenant: tenant, Role: auth.Lead}, signal.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			states = append(states, one.Series+string(one.State)+one.First().String()+one.Last().String()+one.Observed().String())
		}
		return states
	}
	if a, b := of(once, 1), of(cut, 2); !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("%v, cut short %v", a, b)
	}
}
