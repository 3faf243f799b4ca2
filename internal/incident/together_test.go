package incident

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func TestTwoPeopleAtOnce(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		first  func(h *house) Change
		second func(h *house) Change
		want   string         // refusal of the second
		theirs map[string]any // what it is shown
		look   func(h *house, i Incident) bool
	}{
		{
			name:   "different fields are merged",
			first:  func(h *house) Change { return Change{Action: Edit, Set: Patch{Title: new("Noir")}} },
			second: func(h *house) Change { return Change{Action: Edit, Set: Patch{Machine: new("PC-1")}} },
			look:   func(_ *house, i Incident) bool { return i.Title == "Noir" && i.Machine == "PC-1" },
		},
		{
			name:   "impact and urgency make one priority",
			first:  func(h *house) Change { return Change{Action: Edit, Set: Patch{Impact: new(1)}} },
			second: func(h *house) Change { return Change{Action: Edit, Set: Patch{Urgency: new(1)}} },
			look:   func(_ *house, i Incident) bool { return i.Priority == 1 },
		},
		{
			name:   "the same value is no matter",
			first:  func(h *house) Change { return Change{Action: Edit, Set: Patch{Title: new("Noir")}} },
			second: func(h *house) Change { return Change{Action: Edit, Set: Patch{Title: new("Noir")}} },
			look:   func(_ *house, i Incident) bool { return i.Title == "Noir" && i.Version == 2 },
		},
		{
			name: "a field to two values is shown",
			first: func(h *house) Change {
				return Change{Action: Edit, Set: Patch{Title: new("Noir"), Machine: new("PC-2")}}
			},
			second: func(h *house) Change {
				return Change{Action: Edit, Set: Patch{Title: new("Éteint"), Machine: new("PC-1")}}
			},
			want:   "conflict title:error.incident.changed_meanwhile machine:error.incident.changed_meanwhile",
			theirs: map[string]any{"title": "Noir", "machine": "PC-2"},
			look:   func(_ *house, i Incident) bool { return i.Title == "Noir" && i.Version == 2 },
		},
		{
			name:   "both take it",
			first:  func(h *house) Change { return Change{Action: Assign, Set: Patch{Assignee: &h.second.Person}} },
			second: func(h *house) Change { return Change{Action: Take} },
			want:   "conflict assignee:error.incident.changed_meanwhile",
			look:   func(h *house, i Incident) bool { return i.Assignee == h.second.Person },
		},
		{
			name:  "resolved while put on hold",
			first: func(h *house) Change { return Change{Action: Hold, Set: Patch{WaitingCode: &h.reason}} },
			second: func(h *house) Change {
				return Change{Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}}
			},
			want:   "conflict state:error.incident.changed_meanwhile",
			theirs: map[string]any{"state": Waiting},
			look:   func(_ *house, i Incident) bool { return i.State == Waiting },
		},
		{
			name:   "no longer possible",
			first:  func(h *house) Change { return Change{Action: Cancel, Comment: "doublon"} },
			second: func(h *house) Change { return Change{Action: Take} },
			want:   "conflict state:error.incident.changed_meanwhile",
			theirs: map[string]any{"state": Cancelled},
			look:   func(_ *house, i Incident) bool { return i.State == Cancelled },
		},
		{
			name:   "a comment always passes",
			first:  func(h *house) Change { return Change{Action: Cancel, Comment: "doublon"} },
			second: func(h *house) Change { return Change{Action: Comment, Comment: "merci"} },
			look:   func(_ *house, i Incident) bool { return i.State == Cancelled && i.Version == 3 },
		},
		{
			name:   "a room of the school that it had",
			first:  func(h *house) Change { return Change{Action: Edit, Set: Patch{School: &h.schoolB}} },
			second: func(h *house) Change { return Change{Action: Edit, Set: Patch{Room: &h.roomA}} },
			want:   "conflict school:error.incident.changed_meanwhile",
			look:   func(h *house, i Incident) bool { return i.School == h.schoolB && i.Room == 0 },
		},
	}
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		for _, c := range cases {
			i := must[Incident](t)(h.Declare(context.Background(), h.teacher, Declaration{Title: "Vidéoprojecteur", School: h.schoolA}))
			first, second := c.first(h), c.second(h)
			first.Incident, first.Base, second.Incident, second.Base = i.ID, i.Version, i.ID, i.Version
			h.do(t, h.second, first)
			_, err := h.Act(context.Background(), h.technician, second)
			if refusal(err) != c.want {
				t.Errorf("%s: %q, want %q", c.name, refusal(err), c.want)
			}
			if e, ok := errors.AsType[*fault.Error](err); ok {
				for _, f := range e.Fields {
					if want, ok := c.theirs[f.Name]; ok && want != f.Theirs {
						t.Errorf("%s: %s stands as %v, want %v", c.name, f.Name, f.Theirs, want)
					}
				}
			}
			if got := h.stored(t, i.ID); !c.look(h, got) {
				t.Errorf("%s: %+v", c.name, got)
			}
		}
	})
}

// edits draws a change of some fields.
func edits(rt *rapid.T) Patch {
	var p Patch
	texts := rapid.SampledFrom([]string{"a", "b", "c"})
	if rapid.Bool().Draw(rt, "title?") {
		p.Title = new(texts.Draw(rt, "title"))
	}
	if rapid.Bool().Draw(rt, "machine?") {
		p.Machine = new(texts.Draw(rt, "machine"))
	}
	if rapid.Bool().Draw(rt, "impact?") {
		p.Impact = new(rapid.IntRange(1, 3).Draw(rt, "impact"))
	}
	if rapid.Bool().Draw(rt, "urgency?") {
		p.Urgency = new(rapid.IntRange(1, 3).Draw(rt, "urgency"))
	}
	return p
}

// Edits on versions of any age: what is accepted stands, what is refused was
// changed by another to something else, nothing else moves, and the stored
// state is the fold of the events.
func TestAnyInterleavingIsTheFoldOfItsEvents(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		rapid.Check(t, func(rt *rapid.T) {
			i := h.declare(t)
			states := []Incident{{}, i} // by version
			for range rapid.IntRange(1, 8).Draw(rt, "changes") {
				base := rapid.IntRange(1, len(states)-1).Draw(rt, "base")
				set := edits(rt)
				now := states[len(states)-1]
				want := now
				set.Apply(&want)
				clash := false
				for _, f := range set.Fields() {
					touched := false
					for v := base; v < len(states)-1; v++ {
						touched = touched || !byField[f].same(&states[v], &states[v+1])
					}
					clash = clash || touched && !byField[f].same(&now, &want)
				}
				got, err := h.Act(context.Background(), h.technician, Change{Incident: i.ID, Base: int64(base), Action: Edit, Set: set})
				if clash != fault.Is(err, fault.Conflict) || !clash && err != nil {
					rt.Fatalf("clash %t, refusal %q", clash, refusal(err))
				}
				if clash {
					continue
				}
				want.Priority = [3][3]int{{1, 2, 3}, {2, 3, 4}, {3, 4, 5}}[want.Impact-1][want.Urgency-1]
				want.Version, want.UpdatedAt = got.Version, got.UpdatedAt
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatalf("accepted (-want +got):\n%s", diff)
				}
				if got.Version > now.Version {
					states = append(states, got)
				}
			}
			stored := h.stored(t, i.ID)
			if diff := cmp.Diff(states[len(states)-1], stored); diff != "" {
				rt.Fatalf("stored:\n%s", diff)
			}
			if diff := cmp.Diff(stored, h.folded(t, i.ID)); diff != "" {
				rt.Fatalf("fold:\n%s", diff)
			}
		})
	})
}

// Eight people really at once, each on what they last saw, until each has
// made their changes: every accepted one is an event, in the order in which it
// was applied, on both engines.
func TestManyPeopleReallyAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		i := h.declare(t)
		const people, changes = 8, 12
		var wg sync.WaitGroup
		for n := range people {
			wg.Go(func() {
				seen := i
				for done := 0; done < changes; {
					set := Patch{Title: new(fmt.Sprintf("%d-%d", n, done))}
					if done%2 == 0 {
						set = Patch{Description: new(fmt.Sprintf("%d-%d", n, done)), Impact: new(1 + (n+done)%3)}
					}
					got, err := h.Act(ctx, h.technician, Change{Incident: i.ID, Base: seen.Version, Action: Edit, Set: set})
					switch {
					case err == nil:
						seen = got
						done++
					case fault.Is(err, fault.Conflict):
						var err error
						if seen, err = h.Get(ctx, h.technician.Scope(), i.ID); err != nil {
							t.Error(err)
							return
						}
					default:
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		stored := h.stored(t, i.ID)
		if diff := cmp.Diff(stored, h.folded(t, i.ID)); diff != "" {
			t.Errorf("fold:\n%s", diff)
		}
		if want := int64(1 + people*changes); stored.Version != want || len(h.history(t, i.ID)) != int(want) {
			t.Errorf("version %d, %d events, want %d", stored.Version, len(h.history(t, i.ID)), want)
		}
	})
}
