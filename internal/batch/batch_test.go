package batch

import (
	"context"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

type house struct {
	*Service
	technician, other, teacher auth.Identity
	incidents                  *incident.Service
	school                     int64
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx, system := tb.Context(), auth.System(1)
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	incidents := incident.NewService(db, j, places, words, time.UTC)
	h := &house{Service: New(db, incidents, nil, nil), incidents: incidents}
	tb.Cleanup(h.Close)
	h.school = must[map[string]int64](tb)(places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}}))["0450001A"]
	person := func(name string, kind directory.PersonKind) int64 {
		return must[directory.Person](tb)(places.SavePerson(ctx, system, directory.Person{Name: name, Kind: kind})).ID
	}
	h.technician = auth.Identity{Tenant: 1, Account: 1, Role: auth.Technician, Person: person("Un", directory.Staff)}
	h.other = auth.Identity{Tenant: 1, Account: 2, Role: auth.Technician, Person: person("Deux", directory.Staff)}
	h.teacher = auth.Identity{Tenant: 1, Account: 3, Role: auth.Declarant, Person: person("Prof", directory.Teacher), Schools: []int64{h.school}}
	return h
}

func (h *house) declare(tb testing.TB) int64 {
	tb.Helper()
	return must[incident.Incident](tb)(h.incidents.Declare(tb.Context(), h.teacher, incident.Declaration{Title: "Panne", School: h.school})).ID
}

// ended waits for a batch, with a bound.
func (h *house) ended(tb testing.TB, id int64) Batch {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	for {
		b := must[Batch](tb)(h.Get(ctx, h.technician, id))
		if !b.Ended.IsZero() && !h.Working(id) {
			return b
		}
		select {
		case <-ctx.Done():
			tb.Fatal("the batch does not end")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// A batch does to each what the incident's own command does, says what was
// refused and why, and is taken back as a whole but for what somebody changed
// since.
func TestBatch(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		a, b, mine, cancelled := h.declare(t), h.declare(t), h.declare(t), h.declare(t)
		must[incident.Incident](t)(h.incidents.Act(ctx, h.technician, incident.Change{Incident: mine, Action: incident.Take}))
		must[incident.Incident](t)(h.incidents.Act(ctx, h.technician, incident.Change{Incident: cancelled, Action: incident.Cancel, Comment: "non"}))
		id := must[int64](t)(h.Start(ctx, h.technician, []int64{a, b, mine, cancelled, 999, a}, Change{Action: incident.Take}))
		done := h.ended(t, id)
		want := map[int64]Outcome{a: Done, b: Done, mine: Unchanged, cancelled: Refused, 999: Refused}
		if len(done.Items) != len(want) {
			t.Errorf("%d items", len(done.Items))
		}
		for _, item := range done.Items {
			if item.Outcome != want[item.Incident] {
				t.Errorf("incident %d: %s, want %s", item.Incident, item.Outcome, want[item.Incident])
			}
			if (item.Outcome == Refused) != (item.Reason != nil) {
				t.Errorf("incident %d: %s because %v", item.Incident, item.Outcome, item.Reason)
			}
		}
		if _, err := h.Get(ctx, h.other, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("somebody else's batch: %v", err)
		}
		must[incident.Incident](t)(h.incidents.Act(ctx, h.other, incident.Change{Incident: b, Action: incident.Comment, Comment: "je regarde"}))
		if !done.MayUndo(done.Ended.Add(time.Second)) || done.MayUndo(done.Ended.Add(time.Hour)) {
			t.Error("may be undone at the wrong time")
		}
		back := must[Batch](t)(h.Undo(ctx, h.technician, id))
		want[a], want[b] = Undone, Kept
		for _, item := range back.Items {
			if item.Outcome != want[item.Incident] {
				t.Errorf("taken back, incident %d: %s, want %s", item.Incident, item.Outcome, want[item.Incident])
			}
		}
		if i := must[incident.Incident](t)(h.incidents.Get(ctx, auth.ScopeAll(1), a)); i.State != incident.New || i.Assignee != 0 {
			t.Errorf("not as it was: %+v", i)
		}
	})
}

func TestBatchRefusals(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	for name, c := range map[string]struct {
		by   auth.Identity
		ids  []int64
		c    Change
		code fault.Code
	}{
		"a declarant":       {h.teacher, []int64{1}, Change{Action: incident.Take}, fault.Forbidden},
		"nothing":           {h.technician, nil, Change{Action: incident.Take}, fault.Invalid},
		"too many":          {h.technician, make([]int64, Max+1), Change{Action: incident.Take}, fault.Invalid},
		"without a problem": {h.technician, []int64{1}, Change{Problem: 4}, fault.Invalid},
	} {
		if _, err := h.Start(t.Context(), c.by, c.ids, c.c); !fault.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
