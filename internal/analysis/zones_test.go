package analysis

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/demo"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/testkit"
)

var demoNow = time.Date(2026, 11, 24, 14, 5, 0, 0, time.UTC)

// demoWorld is the demonstration as the methods see it, without the time that it
// takes to record its incidents; weeks before its start: as it was then.
type demoWorld struct {
	ds    *demo.Dataset
	world *World
}

func inventedWorld(t testing.TB, seed uint64) demoWorld {
	t.Helper()
	db := testkit.SQLite(t)
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	ds := demo.Generate(seed, demoNow)
	incidents := ds.Incidents
	ds.Incidents = nil
	services := demo.Services{Directory: places, Catalog: words, Incidents: incident.NewService(db, j, places, words, ds.Settings.Location())}
	if err := demo.Load(t.Context(), 1, services, ds, nil); err != nil {
		t.Fatal(err)
	}
	ds.Incidents = incidents
	w := &World{Tenant: 1, Location: ds.Settings.Location(), Now: demoNow}
	w.Today = calendar.DayOf(demoNow, w.Location)
	var err error
	if w.Places, err = places.Index(t.Context(), 1); err == nil {
		w.Words, err = words.Index(t.Context(), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range incidents {
		school, _ := w.Places.SchoolByUAI(ds.Schools[i.School].UAI)
		category, ok := w.Words.CategoryByPath(i.Category...)
		if !ok {
			t.Fatalf("no category %v", i.Category)
		}
		f := Fact{Fact: cube.Fact{ID: int64(k + 1), Opened: i.Opened.Unix(), Day: calendar.DayOf(i.Opened, w.Location), School: school.ID, Category: category.ID}}
		f.Happened = f.Day
		w.Facts = append(w.Facts, f)
	}
	slices.SortStableFunc(w.Facts, func(a, b Fact) int { return cmp.Compare(a.Happened, b.Happened) })
	w.numberWeeks()
	return demoWorld{ds, w}
}

// at is the world as it was on an earlier day.
func (i demoWorld) at(day calendar.Day) *World {
	w := *i.world
	w.Today = day
	w.Facts = slices.Clone(w.Facts[:slices.IndexFunc(append(w.Facts, Fact{Happened: 1 << 30}), func(f Fact) bool { return f.Happened > day })])
	w.Weeks, w.week = nil, nil
	w.numberWeeks()
	return &w
}

func (i demoWorld) story(t testing.TB, key string) demo.Story {
	t.Helper()
	k := slices.IndexFunc(i.ds.Stories, func(s demo.Story) bool { return s.Key == key })
	if k < 0 {
		t.Fatal(key)
	}
	return i.ds.Stories[k]
}

// The zone planted around Pithiviers is found at its time, for what it is, and
// not before.
func TestZonesOfTheDemonstration(t *testing.T) {
	t.Parallel()
	d := inventedWorld(t, demo.DefaultSeed)
	planted := d.story(t, demo.Zone)
	in := gatherZones(d.at(planted.To + 3)) // the Monday after
	out := findZones(in, Zones.Seed)
	if out.Refusal != nil || len(out.Zones) == 0 {
		t.Fatalf("nothing is found: %+v", out.Scans)
	}
	z := out.Zones[0]
	network, _ := d.world.Words.CategoryByPath("Réseau et Wi-Fi")
	if z.Category != network.ID || !z.Alert() || z.P > 1e-4 || z.Weeks != 3 || z.Since != planted.From.Week() {
		t.Errorf("category %d, p %v, %d weeks since %v", z.Category, z.P, z.Weeks, z.Since)
	}
	for _, k := range planted.Schools {
		school, _ := d.world.Places.SchoolByUAI(d.ds.Schools[k].UAI)
		if !slices.ContainsFunc(z.Members, func(m ZoneMember) bool { return m.School == school.ID }) {
			t.Errorf("%s is not in the zone", school.Name)
		}
	}
	if len(z.Members) > len(planted.Schools)+1 {
		t.Errorf("%d schools in the zone, %d planted", len(z.Members), len(planted.Schools))
	}
	sum, expected := 0, 0.0
	for _, m := range z.Members {
		sum, expected = sum+m.Observed, expected+m.Expected
	}
	if sum != z.Observed || expected-z.Expected > 0.01 || z.Expected-expected > 0.01 {
		t.Errorf("the schools make %d of %.2f, the zone %d of %.2f", sum, expected, z.Observed, z.Expected)
	}

	// In ordinary weeks nothing is found, but for a school alone: that of the
	// drift, which is planted too.
	drift, _ := d.world.Places.SchoolByUAI(d.ds.Schools[d.story(t, demo.Drift).Schools[0]].UAI)
	for day := planted.From - 7*24; day < planted.From; day += 56 {
		for _, q := range findZones(gatherZones(d.at(day.Week())), Zones.Seed).Zones {
			if len(q.Members) > 1 || q.Centre != drift.ID {
				t.Errorf("%v: p %.4f, %d schools around %s, %d of %.1f", day, q.P, len(q.Members), d.world.Places.SchoolName(q.Centre), q.Observed, q.Expected)
			}
		}
	}
	own := z.Members[1].School
	seen, ok := z.seenBy(auth.ScopeSchools(1, own))
	if !ok || len(seen.Members) != 1 || seen.Observed != z.Members[1].Observed || seen.Hidden != len(z.Members)-1 || len(seen.Others) != 0 || seen.Centre != own {
		t.Errorf("a referent sees %+v", seen)
	}
	if _, ok := z.seenBy(auth.ScopeSchools(1, z.Others[0].School)); ok {
		t.Error("a referent sees a zone of others")
	}
}

func TestZonesRefuse(t *testing.T) {
	t.Parallel()
	if out := findZones(ZoneInput{}, 1); out.Refusal == nil || out.Refusal.Why != FewSchools {
		t.Errorf("nothing known: %+v", out.Refusal)
	}
	in := ZoneInput{Weeks: make([]Week, 9)}
	family := ZoneFamily{}
	for k := range 6 {
		in.Schools = append(in.Schools, ZoneSchool{ID: int64(k + 1), Lat: 48, Lon: 2 + float64(k)/10})
		in.Exposure = append(in.Exposure, slices.Repeat([]float64{100}, 9))
		family.Counts = append(family.Counts, slices.Repeat([]int{3}, 9))
	}
	in.Families = []ZoneFamily{family}
	if out := findZones(in, 1); out.Refusal == nil || out.Refusal.Why != FewWeeks || out.Refusal.Have != 9 {
		t.Errorf("nine weeks: %+v", out.Refusal)
	}
}

func BenchmarkZones(b *testing.B) {
	in := gatherZones(inventedWorld(b, demo.DefaultSeed).world)
	for b.Loop() {
		if out := findZones(in, 1); len(out.Zones) == 0 {
			b.Fatal(out.Scans)
		}
	}
}
