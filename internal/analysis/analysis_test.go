package analysis

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/servicelevel"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// house is a département of one school with a few incidents.
type house struct {
	*Service

	incidents *incident.Service
	memory    *cube.Memory
	school    int64
}

func newHouse(t *testing.T, db *sqldb.DB) *house {
	t.Helper()
	ctx := t.Context()
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	settings := directory.DefaultSettings
	settings.Name = "Loiret"
	if err := places.SaveSettings(ctx, auth.System(1), settings); err != nil {
		t.Fatal(err)
	}
	schools, err := places.EnsureSchools(ctx, auth.System(1), []directory.School{{UAI: "0450001A", Name: "Collège A", Commune: "Gien"}})
	if err != nil {
		t.Fatal(err)
	}
	incidents := incident.NewService(db, j, places, words, paris)
	memory := cube.NewMemory(cube.Config{Tenant: 1, DB: db, Journal: j, Directory: places, Catalog: words, Location: paris})
	s := New(Parts{DB: db, Jobs: jobs.New(db, jobs.Config{}), Cube: memory, Places: places, Words: words, Incidents: incidents, Clocks: servicelevel.New(db, j, places, words, incidents)}, Config{Tenant: 1, Location: paris})
	return &house{Service: s, incidents: incidents, memory: memory, school: schools["0450001A"]}
}

func (h *house) declare(t *testing.T, title string, ago time.Duration) {
	t.Helper()
	d := incident.Declaration{Title: title, School: h.school}
	if ago > 0 {
		d.OccurredAt = sqldb.Now().Add(-ago)
	}
	if _, err := h.incidents.Declare(t.Context(), auth.System(1), d); err != nil {
		t.Fatal(err)
	}
}

// A night keeps every answer with what it was made from: it can be done again,
// a method that fails leaves its last answer and its reason, and stops no other.
func TestNight(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := newHouse(t, db)
		h.declare(t, "Écran noir", 0)
		h.declare(t, "Souris", 72*time.Hour)
		ctx := t.Context()
		if err := h.Night(ctx); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("a night before the figures are loaded: %v", err)
		}
		if err := h.memory.Load(ctx); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Latest(ctx, h.Service, LateEntry); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("before the first night: %v", err)
		}
		var fails error
		counted := Method[int, float64]{
			Name: "counted", Version: 3, Seed: 7,
			Gather: func(_ context.Context, w *World) (int, error) { return len(w.Facts), nil },
			Run:    func(_ context.Context, n int, seed uint64) (float64, error) { return float64(n) / float64(seed), fails },
		}
		h.methods = []nightly{LateEntry, counted}
		if err := h.Night(ctx); err != nil {
			t.Fatal(err)
		}
		late, made, err := Latest(ctx, h.Service, LateEntry)
		if err != nil || late.Entered != 2 || made.Today != calendar.DayOf(sqldb.Now(), h.cfg.Location) {
			t.Errorf("late entries: %+v %+v %v", late, made, err)
		}
		for range 2 { // from the table, then from memory
			n, made, err := Latest(ctx, h.Service, counted)
			if err != nil || n != 2./7 || made.Version != 3 || made.Seed != 7 {
				t.Errorf("counted: %v %+v %v", n, made, err)
			}
		}
		recording, err := h.Recorded(ctx, "counted")
		if err != nil {
			t.Fatal(err)
		}
		if d, err := replay(ctx, h.methods, recording); d != "" || err != nil {
			t.Errorf("done again it differs: %s %v", d, err)
		}
		recording.Output = json.RawMessage("0.5")
		if d, err := replay(ctx, h.methods, recording); d == "" || err != nil {
			t.Errorf("another answer is not seen (%v)", err)
		}
		if _, err := h.Recorded(ctx, "nonsense"); !fault.Is(err, fault.NotFound) {
			t.Errorf("no such method: %v", err)
		}
		fails = errors.New("out of luck")
		if err := h.Night(ctx); err == nil {
			t.Error("a method that fails is not told")
		}
		n, made, err := Latest(ctx, h.Service, counted)
		if err != nil || n != 2./7 || made.Failure != "out of luck" {
			t.Errorf("after a failure: %v %+v %v", n, made, err)
		}
		fails = nil
		h.methods[1] = Method[int, float64]{
			Name: "counted", Version: 3, Gather: counted.Gather,
			Run: func(context.Context, int, uint64) (float64, error) { return math.NaN(), nil },
		}
		if err := h.Night(ctx); err == nil {
			t.Error("what JSON cannot hold is not told")
		}
	})
}

// The world counts what counts, at the day on which it happened, and its weeks
// have no holidays.
func TestWorld(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := newHouse(t, db)
		h.declare(t, "Écran noir", 0)
		h.declare(t, "Souris", 40*24*time.Hour)
		if err := h.memory.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		w, err := h.World(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var happened []calendar.Day
		for _, f := range w.Facts {
			happened = append(happened, f.Happened-w.Today)
		}
		if d := cmp.Diff([]calendar.Day{-40, 0}, happened); d != "" {
			t.Errorf("days: %s", d)
		}
		cal := w.Places.Calendar(0)
		for k, week := range w.Weeks {
			if _, n := cal.SchoolWeek(week.Monday); n == 0 || n != week.Number || k > 0 && week.Monday <= w.Weeks[k-1].Monday {
				t.Errorf("week %d: %+v", k, week)
			}
			if at, ok := w.WeekOf(week.Monday + 3); !ok || at != k {
				t.Errorf("week of %v: %d %v", week.Monday+3, at, ok)
			}
		}
	})
}
