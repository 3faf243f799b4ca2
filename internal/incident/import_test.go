package incident

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var march = time.Date(2016, 3, 1, 8, 0, 0, 0, time.UTC)

// told is a history of three steps, by the minute.
func (h *house) told(id string) History {
	person := journal.Actor{Kind: journal.ByPerson, ID: h.technician.Person}
	return History{Source: "servicenow", ExternalID: id, Steps: []Step{
		{At: march, Actor: person, Set: Patch{State: new(New), Title: new("Imprimante"), School: &h.schoolA, Category: &h.categories[1], Priority: new(3)}},
		{At: march.Add(time.Minute), Actor: person, Kind: EventAssigned, Set: Patch{State: new(Assigned), Title: new("Imprimante"), Assignee: &h.technician.Person, Priority: new(3)}},
		{At: march.Add(time.Hour), Actor: person, Kind: EventResolved, Set: Patch{State: new(Resolved), Title: new("Imprimante"), Assignee: &h.technician.Person, ResolvedAt: new(march.Add(time.Hour)), Priority: new(3)}, Comment: "toner"},
	}}
}

func (h *house) bring(tb testing.TB, hs ...History) ImportResult {
	tb.Helper()
	r := must[ImportResult](tb)(h.ImportHistories(context.Background(), system, hs))
	for _, x := range r.Rejected {
		tb.Fatalf("rejected %s: %v", x.ExternalID, x.Err)
	}
	return r
}

func counts(r ImportResult) string {
	return fmt.Sprintf("%d created, %d updated, %d unchanged, %d events, %d rejected", r.Created, r.Updated, r.Unchanged, r.Events, len(r.Rejected))
}

func TestImportTellsThePast(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		told := h.told("INC1")
		slices.Reverse(told.Steps)
		told.Steps = append(told.Steps, told.Steps[1]) // and a repeated row
		if got := counts(must[ImportResult](t)(h.PreviewHistories(ctx, system, []History{told}))); got != "1 created, 0 updated, 0 unchanged, 3 events, 0 rejected" {
			t.Errorf("preview: %s", got)
		}
		r := h.bring(t, told)
		if got := counts(r); got != "1 created, 0 updated, 0 unchanged, 3 events, 0 rejected" {
			t.Error(got)
		}
		i := must[Incident](t)(h.ByExternal(ctx, auth.ScopeAll(1), "servicenow", "INC1"))
		want := Incident{
			ID: r.IDs[0], Version: 3, State: Resolved, Title: "Imprimante", School: h.schoolA, Category: h.categories[1], Priority: 3, Assignee: h.technician.Person,
			Origin: Import, OccurredAt: march, OpenedAt: march, ResolvedAt: march.Add(time.Hour), UpdatedAt: march.Add(time.Hour), ExternalSource: "servicenow", ExternalID: "INC1",
		}
		if diff := cmp.Diff(want, i); diff != "" {
			t.Errorf("imported:\n%s", diff)
		}
		if diff := cmp.Diff(i, h.folded(t, i.ID)); diff != "" {
			t.Errorf("fold:\n%s", diff)
		}
		story := must[[]Entry](t)(h.Story(ctx, h.technician, i.ID))
		if story[0].Kind != EventDeclared || story[1].Kind != EventAssigned || !story[1].At.Equal(march.Add(time.Minute)) || !story[1].Imported ||
			len(story[1].Changes) != 2 || story[2].Comment != "toner" || time.Since(story[0].RecordedAt) > time.Minute {
			t.Errorf("story: %+v", story)
		}
		if _, err := h.ImportHistories(ctx, h.technician, nil); refusal(err) != "forbidden error.forbidden" {
			t.Error(refusal(err))
		}
	})
}

// TestImportAgain is the rule of ImportHistories case by case, each after the
// first import of told.
func TestImportAgain(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		local *Change // done here in between
		edit  func(h *house, told *History)
		want  string
		look  func(h *house, i Incident) bool
	}{
		{"the same file", nil, func(*house, *History) {}, "0 created, 0 updated, 1 unchanged, 0 events, 0 rejected", func(h *house, i Incident) bool { return i.Version == 3 }},
		{"an older file", nil, func(_ *house, told *History) { told.Steps = told.Steps[:2] }, "0 created, 0 updated, 1 unchanged, 0 events, 0 rejected", func(h *house, i Incident) bool { return i.State == Resolved }},
		{"a later step", nil, func(_ *house, told *History) {
			told.Steps = append(told.Steps, Step{At: march.Add(2 * time.Hour), Kind: EventClosed, Set: Patch{State: new(Closed)}})
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool {
			return i.State == Closed && i.ClosedAt.Equal(march.Add(2*time.Hour)) && i.Title == "Imprimante"
		}},
		{"later steps alone", nil, func(_ *house, told *History) {
			told.Steps = []Step{{At: march.Add(2 * time.Hour), Set: Patch{Title: new("Imprimante HP")}}}
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool {
			return i.State == Resolved && i.Title == "Imprimante HP" && i.School == h.schoolA
		}},
		{"another step of the last minute", nil, func(_ *house, told *History) {
			told.Steps = append(told.Steps, Step{At: march.Add(time.Hour), Kind: EventEdited, Set: Patch{Priority: new(2)}})
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool { return i.Priority == 2 }},
		{"a corrected step", nil, func(_ *house, told *History) {
			told.Steps[0].Set.Category = new(int64(3))
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool { return i.Category == 3 && i.State == Resolved }},
		{"a corrected last step", nil, func(_ *house, told *History) {
			told.Steps[2].Set.Priority = new(1)
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool { return i.Priority == 1 }},
		{"a missed comment in the middle", nil, func(_ *house, told *History) {
			told.Steps = append(told.Steps, Step{At: march.Add(2 * time.Minute), Kind: EventCommented, Comment: "oubliée"})
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool {
			return i.State == Resolved && i.UpdatedAt.Equal(march.Add(time.Hour))
		}},
		{"every step mapped anew", nil, func(h *house, told *History) {
			for n := range told.Steps {
				told.Steps[n].Set.School = &h.schoolB
			}
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool { return i.School == h.schoolB && i.State == Resolved }},
		{"a local change stays", &Change{Action: Edit, Set: Patch{Title: new("Imprimante du CDI")}}, func(_ *house, told *History) {
			told.Steps = append(told.Steps, Step{At: march.Add(2 * time.Hour), Kind: EventClosed, Set: Patch{State: new(Closed), Title: new("Imprimante")}})
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool { return i.State == Closed && i.Title == "Imprimante du CDI" }},
		{"a local change gives way to a newer one", &Change{Action: Edit, Set: Patch{Title: new("Imprimante du CDI")}}, func(_ *house, told *History) {
			told.Steps = append(told.Steps, Step{At: march.Add(2 * time.Hour), Set: Patch{Title: new("Imprimante HP")}})
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool { return i.Title == "Imprimante HP" }},
		{"reopened", nil, func(_ *house, told *History) {
			told.Steps = append(told.Steps, Step{At: march.Add(2 * time.Hour), Kind: EventReopened, Set: Patch{State: new(Assigned), ReopenCount: new(1)}})
		}, "0 created, 1 updated, 0 unchanged, 1 events, 0 rejected", func(h *house, i Incident) bool { return i.ResolvedAt.IsZero() && i.ReopenCount == 1 }},
	}
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		for n, c := range cases {
			id := fmt.Sprintf("INC%d", n)
			r := h.bring(t, h.told(id))
			if c.local != nil {
				change := *c.local
				change.Incident = r.IDs[0]
				h.do(t, h.technician, change)
			}
			told := h.told(id)
			c.edit(h, &told)
			preview := must[ImportResult](t)(h.PreviewHistories(context.Background(), system, []History{told}))
			got := h.bring(t, told)
			if counts(got) != c.want || counts(preview) != c.want {
				t.Errorf("%s: %s (preview %s), want %s", c.name, counts(got), counts(preview), c.want)
			}
			i := h.stored(t, r.IDs[0])
			if !c.look(h, i) {
				t.Errorf("%s: %+v", c.name, i)
			}
			if diff := cmp.Diff(i, h.folded(t, i.ID)); diff != "" {
				t.Errorf("%s: fold:\n%s", c.name, diff)
			}
			if again := h.bring(t, told); again.Events != 0 {
				t.Errorf("%s: a third time: %s", c.name, counts(again))
			}
		}
	})
}

func TestImportRejectsOneByOne(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	at := []Step{{At: march}}
	hs := []History{
		h.told("INC1"),
		{Source: "x", Steps: at},
		{Source: "x", ExternalID: "1"},
		{Source: "x", ExternalID: "2", Steps: []Step{{}}},
		{Source: "x", ExternalID: "3", Steps: []Step{{At: march, Set: Patch{State: new(State("-100"))}}}},
		h.told("INC1"),
		{Source: "x", ExternalID: "4", Steps: at},
	}
	r := must[ImportResult](t)(h.ImportHistories(context.Background(), system, hs))
	var got []string
	for _, x := range r.Rejected {
		got = append(got, fmt.Sprint(x.Index, " ", refusal(x.Err)))
	}
	want := []string{
		"1 invalid external_id:error.incident.import_no_id", "2 invalid steps:error.incident.import_no_steps", "3 invalid at:error.incident.import_no_date",
		"4 invalid state:error.incident.import_bad_value", "5 invalid external_id:error.incident.import_duplicate",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rejected:\n%s", diff)
	}
	if counts(r) != "2 created, 0 updated, 0 unchanged, 4 events, 5 rejected" || r.IDs[0] != 1 || r.IDs[6] != 2 || r.IDs[5] != 0 {
		t.Errorf("%s %v", counts(r), r.IDs)
	}
	if i := h.stored(t, 2); i.Title != "4" || i.State != New || i.Origin != Import {
		t.Errorf("with nothing said: %+v", i)
	}
}

// Any history, brought in any two cuts, is the same incident as in one; the
// stored state is the fold of the events; a second time nothing is written.
func TestImportInPiecesIsImportInOne(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		serial := 0
		rapid.Check(t, func(rt *rapid.T) {
			serial++
			steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) Step {
				s := Step{At: march.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "minute")) * time.Minute)}
				s.Set.State = new(rapid.SampledFrom(States).Draw(rt, "state"))
				if rapid.Bool().Draw(rt, "says priority") {
					s.Set.Priority = new(rapid.IntRange(1, 4).Draw(rt, "priority"))
				}
				if rapid.Bool().Draw(rt, "says title") {
					s.Set.Title = new(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "title"))
				}
				s.Comment = rapid.SampledFrom([]string{"", "", "vu"}).Draw(rt, "comment")
				return s
			}), 1, 8).Draw(rt, "steps")
			slices.SortStableFunc(steps, func(a, b Step) int { return a.At.Compare(b.At) })
			cut := rapid.IntRange(1, len(steps)).Draw(rt, "cut")
			whole := History{Source: "whole", ExternalID: fmt.Sprint(serial), Steps: steps}
			part := History{Source: "parts", ExternalID: fmt.Sprint(serial), Steps: steps[:cut]}
			one := h.bring(t, whole).IDs[0]
			two := h.bring(t, part).IDs[0]
			part.Steps = steps
			h.bring(t, part)
			if again := h.bring(t, part, whole); again.Events != 0 {
				rt.Fatalf("again: %s", counts(again))
			}
			a, b := h.stored(t, one), h.stored(t, two)
			if diff := cmp.Diff(b, h.folded(t, two)); diff != "" {
				rt.Fatalf("fold:\n%s", diff)
			}
			b.ID, b.ExternalSource, b.ExternalID, b.Version = a.ID, a.ExternalSource, a.ExternalID, a.Version
			if a.Title == whole.ExternalID {
				b.Title = a.Title
			}
			if diff := cmp.Diff(a, b); diff != "" {
				rt.Fatalf("in pieces differs:\n%s", diff)
			}
		})
	})
}
