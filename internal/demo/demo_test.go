package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var testNow = time.Date(2026, 11, 24, 14, 5, 0, 0, time.UTC)

func open(tb testing.TB, db *sqldb.DB) Services {
	tb.Helper()
	j := journal.New(db)
	s := Services{Directory: directory.New(db, j), Catalog: catalog.New(db, j)}
	s.Incidents = incident.NewService(db, j, s.Directory, s.Catalog, directory.Settings{TimeZone: TimeZone}.Location())
	return s
}

func TestSameSeedSameDepartement(t *testing.T) {
	t.Parallel()
	a, b, c := Generate(7, testNow), Generate(7, testNow), Generate(8, testNow)
	// Not cmp.Diff: it takes a minute over this much.
	for i := range a.Incidents {
		if !reflect.DeepEqual(a.Incidents[i], b.Incidents[i]) {
			t.Fatalf("the same seed made another incident %d:\n%+v\n%+v", i, a.Incidents[i], b.Incidents[i])
		}
	}
	if len(a.Incidents) != len(b.Incidents) || !reflect.DeepEqual([]any{a.People, a.Rooms, a.Exposures, a.Stories}, []any{b.People, b.Rooms, b.Exposures, b.Stories}) {
		t.Error("the same seed made other places")
	}
	if reflect.DeepEqual(a.Incidents, c.Incidents) {
		t.Error("another seed made the same département")
	}
}

func TestDepartementIsBelievable(t *testing.T) {
	t.Parallel()
	// A day of term, one in summer, one beyond the holidays that are published.
	for _, now := range []time.Time{testNow, time.Date(2026, 8, 3, 9, 0, 0, 0, time.UTC), time.Date(2029, 2, 14, 9, 0, 0, 0, time.UTC)} {
		t.Run(now.Format(time.DateOnly), func(t *testing.T) {
			t.Parallel()
			ds := Generate(DefaultSeed, now)
			checkPlaces(t, ds)
			checkIncidents(t, ds)
			checkShape(t, ds)
		})
	}
}

func checkPlaces(t *testing.T, ds *Dataset) {
	t.Helper()
	computers, pupils := 0, 0
	for _, s := range ds.Schools {
		computers += s.Computers
		pupils += s.Pupils
	}
	if len(ds.Schools) != 58 || pupils != 31_596 || computers < 9_900 || computers > 10_100 {
		t.Errorf("%d schools, %d pupils, %d computers", len(ds.Schools), pupils, computers)
	}
	names, keys := map[string]bool{}, map[string]bool{}
	for _, p := range ds.People {
		if names[p.Name] || keys[p.Key] {
			t.Errorf("twice: %+v", p)
		}
		names[p.Name], keys[p.Key] = true, true
		if strings.Trim(p.Email, "abcdefghijklmnopqrstuvwxyz0123456789.-@") != "" {
			t.Errorf("e-mail %q", p.Email)
		}
	}
}

func checkIncidents(t *testing.T, ds *Dataset) {
	t.Helper()
	for i, inc := range ds.Incidents {
		fail := func(what string) {
			if !t.Failed() {
				t.Errorf("incident %d: %s: %+v", i, what, inc)
			}
		}
		if i > 0 && inc.Opened.Before(ds.Incidents[i-1].Opened) || inc.Opened.After(ds.Now) || inc.Occurred.After(inc.Opened) {
			fail("out of time")
		}
		if inc.Room != None && ds.Rooms[inc.Room].School != inc.School || inc.Declarant != None && ds.People[inc.Declarant].School != inc.School {
			fail("of another school")
		}
		if inc.Title == "" || inc.Description == "" || strings.ContainsAny(inc.Title+inc.Description, "{}") || len([]rune(inc.Title)) > 120 {
			fail("its words")
		}
		at, state := inc.Opened, incident.New
		for _, s := range inc.Steps {
			if !s.At.After(at) || s.At.After(ds.Now) {
				fail("a step out of time")
			}
			if !legal(state, s) {
				fail(fmt.Sprintf("%s from %s", s.Event, state))
			}
			at, state = s.At, s.State
		}
		if state.Open() && ds.Now.Sub(inc.Opened) > 200*24*time.Hour {
			fail("forgotten")
		}
	}
}

// legal asks the state machine of incidents.
func legal(from incident.State, s Step) bool {
	return slices.ContainsFunc(incident.Transitions, func(tr incident.Transition) bool {
		return tr.Event == s.Event && slices.Contains(tr.From, from) && (tr.To == s.State || tr.To == incident.Same && s.State == from)
	})
}

func checkShape(t *testing.T, ds *Dataset) {
	t.Helper()
	if n := len(ds.Incidents); n < 29_000 || n > 31_000 {
		t.Errorf("%d incidents", n)
	}
	month, weekday, open := map[string]int{}, map[time.Weekday]int{}, 0
	for _, inc := range ds.Incidents {
		month[inc.Opened.Format("2006-01")]++
		weekday[inc.Opened.Weekday()]++
		if n := len(inc.Steps); n == 0 || inc.Steps[n-1].State.Open() {
			open++
		}
	}
	last := calendar.DayOf(ds.Now, ds.Now.Location()).SchoolYear()
	for year := last - 1; year > last-3; year-- {
		september, june, august := month[fmt.Sprintf("%d-09", year)], month[fmt.Sprintf("%d-06", year+1)], month[fmt.Sprintf("%d-08", year+1)]
		if september*10 < june*12 || june < 3*august {
			t.Errorf("%d: September %d, June %d, August %d", year, september, june, august)
		}
	}
	if weekday[time.Monday] < weekday[time.Wednesday] || weekday[time.Sunday]*40 > weekday[time.Monday] {
		t.Errorf("by weekday: %v", weekday)
	}
	if open > 600 {
		t.Errorf("%d open incidents", open)
	}
}

// Statistics must be able to find the stories: each stands out by a plain count.
func TestStoriesStandOut(t *testing.T) {
	t.Parallel()
	ds := Generate(DefaultSeed, testNow)
	story := map[string]Story{}
	for _, s := range ds.Stories {
		story[s.Key] = s
	}
	in := func(s Story, inc Incident) bool {
		d := calendar.DayOf(inc.Opened, ds.Now.Location())
		return d >= s.From && d <= s.To
	}
	count := func(keep func(Incident) bool) int {
		n := 0
		for _, inc := range ds.Incidents {
			if keep(inc) {
				n++
			}
		}
		return n
	}

	bad := story[BadModel]
	other, ours := 0, 0
	for _, inc := range ds.Incidents {
		if in(bad, inc) && inc.Category[0] == "Ordinateur" && inc.Machine != "" {
			if strings.HasPrefix(inc.Machine, BadBatch) {
				ours++
			} else {
				other++
			}
		}
	}
	ratio := float64(ours) / float64(len(bad.Machines)) / (float64(other) / float64(computersNow-len(bad.Machines)))
	if ratio < 4 {
		t.Errorf("bad model: %.1f times the others' rate (%d on %d machines, %d on the rest)", ratio, ours, len(bad.Machines), other)
	}

	zone := story[Zone]
	network := func(inc Incident) bool { return len(inc.Category) > 1 && inc.Category[1] == zone.Category[1] }
	inside := count(func(inc Incident) bool {
		return in(zone, inc) && network(inc) && slices.Contains(zone.Schools, inc.School)
	})
	outside := count(func(inc Incident) bool {
		return in(zone, inc) && network(inc) && !slices.Contains(zone.Schools, inc.School)
	})
	if float64(inside)/6 < 5*float64(outside)/52 {
		t.Errorf("zone: %d incidents in 6 schools, %d in the 52 others", inside, outside)
	}

	projector := story[Projector]
	if n := count(func(inc Incident) bool { return in(projector, inc) && inc.Machine == projector.Machines[0] }); n < 12 {
		t.Errorf("projector: %d incidents", n)
	}
	update := story[Update]
	weeks := map[calendar.Day]int{}
	for _, inc := range ds.Incidents {
		if slices.Equal(inc.Category, update.Category) {
			weeks[calendar.DayOf(inc.Opened, ds.Now.Location()).Week()]++
		}
	}
	for w, n := range weeks {
		if w != update.From && n*4 > weeks[update.From] {
			t.Errorf("update: %d in the week of %s, %d in that of %s", weeks[update.From], update.From, n, w)
		}
	}
	drift := story[Drift]
	half := drift.From + (drift.To-drift.From)/2
	slow := func(first, last calendar.Day) int {
		return count(func(inc Incident) bool {
			d := calendar.DayOf(inc.Opened, ds.Now.Location())
			return inc.School == drift.Schools[0] && slices.Equal(inc.Category, drift.Category) && d >= first && d < last
		})
	}
	if a, b := slow(drift.From, half), slow(half, drift.To+1); b < 2*a {
		t.Errorf("drift: %d in the first half, %d in the second", a, b)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s := open(t, db)
		ds := Generate(DefaultSeed, testNow)
		ds.Incidents = ds.Incidents[len(ds.Incidents)-1200:] // every state is among the last ones
		last := 0
		for range 2 { // the second finds everything there
			if err := Load(ctx, 1, s, ds, func(done, total int) { last = done * 100 / total }); err != nil {
				t.Fatal(err)
			}
		}
		if last != 100 {
			t.Errorf("progress ended at %d %%", last)
		}
		counts := map[string]int{}
		err := db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			for _, table := range []string{"school", "room", "person", "team", "exposure", "closure", "incident"} {
				var n int
				if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
					return err
				}
				counts[table] = n
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"school": 58, "room": len(ds.Rooms), "person": len(ds.People), "team": len(ds.Teams), "exposure": len(ds.Exposures), "closure": len(ds.Closures), "incident": 1200}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Error(diff)
		}
		checkLoaded(t, s, ds)

		// Everything stored is explained by the journal.
		projections := []journal.Projection{s.Directory.Projection(), s.Catalog.Projection(), s.Incidents.Projection()}
		replay, err := journal.CheckRebuild(ctx, db, 1, projections, nil)
		if err != nil {
			t.Fatal(err)
		}
		if replay.Total != 0 || len(replay.Skipped) != 0 {
			t.Errorf("the journal explains it otherwise: %d differences, %v, skipped %v", replay.Total, replay.Differences, replay.Skipped)
		}
	})
}

// checkLoaded compares stored incidents with what was generated.
func checkLoaded(t *testing.T, s Services, ds *Dataset) {
	t.Helper()
	ctx := context.Background()
	places, err := s.Directory.Index(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	words, err := s.Catalog.Index(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(ds.Incidents); i += 13 {
		inc := ds.Incidents[i]
		got, err := s.Incidents.Get(ctx, auth.ScopeAll(1), int64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		type facts struct {
			Title, School, Room, Assignee, Resolution string
			Category                                  []string
			State                                     incident.State
			Opened, Occurred                          time.Time
			Reopened                                  int
			Ended                                     bool
		}
		want := facts{Title: inc.Title, School: ds.Schools[inc.School].UAI, Category: inc.Category, State: incident.New, Opened: inc.Opened, Occurred: inc.Occurred}
		if inc.Room != None {
			want.Room = ds.Rooms[inc.Room].Name
		}
		for _, step := range inc.Steps {
			want.State = step.State
			if step.Assignee != None {
				want.Assignee = ds.People[step.Assignee].Name
			}
			switch step.Event {
			case incident.EventResolved:
				want.Resolution, want.Ended = step.Text, true
			case incident.EventReopened:
				want.Resolution, want.Ended = "", false
				want.Reopened++
			}
		}
		school, _ := places.School(got.School)
		have := facts{
			Title: got.Title, School: school.UAI, Room: places.RoomName(got.Room), Assignee: places.PersonName(got.Assignee), Resolution: got.Resolution,
			Category: words.PathLabels(got.Category, "fr"), State: got.State, Opened: got.OpenedAt, Occurred: got.OccurredAt, Reopened: got.ReopenCount, Ended: !got.ResolvedAt.IsZero(),
		}
		if diff := cmp.Diff(want, have, cmpopts.EquateApproxTime(time.Second)); diff != "" {
			t.Errorf("incident %d:\n%s", i+1, diff)
		}
	}
	cast, ok := CastOf(places)
	if !ok || cast.Referent.School == 0 || cast.Referent.School != cast.Declarant.School || cast.Technician.Kind != directory.Staff || cast.Lead.Kind != directory.Staff {
		t.Errorf("cast %+v %v", cast, ok)
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, testkit.SQLite(t))
	ds := Generate(DefaultSeed, sqldb.Now())
	ds.Incidents = nil
	if _, err := newLive(ctx, 1, s, LiveOptions{Seed: DefaultSeed}); err == nil {
		t.Error("live without a demonstration")
	}
	if err := Load(ctx, 1, s, ds, nil); err != nil {
		t.Fatal(err)
	}
	l, err := newLive(ctx, 1, s, LiveOptions{Seed: DefaultSeed})
	if err != nil {
		t.Fatal(err)
	}
	states := map[incident.State]int{}
	for range 60 {
		if err := l.tick(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for id := int64(1); ; id++ {
		inc, err := s.Incidents.Get(ctx, auth.ScopeAll(1), id)
		if err != nil {
			break
		}
		states[inc.State]++
		if inc.School == 0 || inc.Category == 0 || inc.Origin != incident.Monitoring && inc.Declarant == 0 {
			t.Errorf("%+v", inc)
		}
	}
	if states[incident.New] == 0 || states[incident.Assigned] == 0 || states[incident.Resolved] == 0 {
		t.Errorf("after 60 events: %v", states)
	}
}

func TestWordsOfTheCatalogue(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, testkit.SQLite(t))
	if err := s.Catalog.Seed(ctx, auth.System(1)); err != nil {
		t.Fatal(err)
	}
	words, err := s.Catalog.Index(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range readKinds() {
		if c, ok := words.CategoryByPath(k.path...); !ok || len(words.Children(c.ID)) > 0 {
			t.Errorf("%q is no leaf of the default catalogue", k.Path)
		}
		if len(k.Titles) < 3 || len(k.Details) < 2 || len(k.Solutions) == 0 || k.Minutes <= 0 {
			t.Errorf("%q has too few words", k.Path)
		}
		for _, end := range k.Solutions {
			_, cause := words.CodeByLabel(catalog.Cause, end.Cause)
			_, code := words.CodeByLabel(catalog.Resolution, end.Code)
			if !cause || !code || len(end.Texts) == 0 {
				t.Errorf("%q: %q, %q", k.Path, end.Cause, end.Code)
			}
		}
	}
	for reason := range holding {
		if _, ok := words.CodeByLabel(catalog.Waiting, reason); !ok {
			t.Errorf("waiting reason %q", reason)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Generate(DefaultSeed, testNow)
	}
}

func BenchmarkLoad(b *testing.B) {
	for name, fresh := range map[string]func(testing.TB) *sqldb.DB{"SQLite": testkit.SQLite, "PostgreSQL": testkit.PostgreSQL} {
		b.Run(name, func(b *testing.B) {
			ds := Generate(DefaultSeed, testNow)
			for b.Loop() {
				b.StopTimer()
				s := open(b, fresh(b))
				b.StartTimer()
				if err := Load(context.Background(), 1, s, ds, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// docs/demo.md tells the stories with their numbers: they must be these.
func TestDocumentTellsTheStories(t *testing.T) {
	t.Parallel()
	ds := Generate(DefaultSeed, testNow)
	raw, err := os.ReadFile(filepath.Join(testkit.Root(), "docs", "demo.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, s := range ds.Stories {
		row := fmt.Sprintf("| `%s` | %d | %d | %s | %s |", s.Key, s.Incidents, len(s.Schools), s.From, s.To)
		if !strings.Contains(text, row) {
			t.Errorf("docs/demo.md does not say %s", row)
		}
		if len(s.Machines) == 1 && !strings.Contains(text, s.Machines[0]) {
			t.Errorf("docs/demo.md does not name %s", s.Machines[0])
		}
	}
	for _, number := range []string{
		fmt.Sprintf("%d incidents", len(ds.Incidents)), fmt.Sprintf("%d rooms", len(ds.Rooms)), fmt.Sprintf("%d people", len(ds.People)),
		fmt.Sprintf("seed %d", DefaultSeed), fmt.Sprintf("%d computers of the batch `%s`", len(ds.Stories[0].Machines), BadBatch),
	} {
		if !strings.Contains(text, number) {
			t.Errorf("docs/demo.md does not say %q", number)
		}
	}
}
