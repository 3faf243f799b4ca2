package incident

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// colleague makes another teacher of school A, who declared nothing.
func (h *house) colleague(tb testing.TB, account int64, name string) auth.Identity {
	tb.Helper()
	places := h.Service.places
	p := must[directory.Person](tb)(places.SavePerson(tb.Context(), system, directory.Person{Name: name, Kind: directory.Teacher, School: h.schoolA}))
	return auth.Identity{Tenant: 1, Account: account, Role: auth.Declarant, Person: p.ID, Schools: []int64{h.schoolA}}
}

// Joining an incident counts the person and their room once, opens it to them
// (and to nobody else), is what the journal says, and does not tell colleagues
// who it was.
func TestAlsoAffected(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		i := h.declare(t)
		paul, anne := h.colleague(t, 21, "M. Paul"), h.colleague(t, 22, "Mme Anne")
		if _, err := h.Get(ctx, paul.Scope(), i.ID); !fault.Is(err, fault.NotFound) {
			t.Fatalf("seen before joining: %v", err)
		}
		other := must[directory.Room](t)(h.Service.places.SaveRoom(ctx, system, directory.Room{School: h.schoolA, Name: "Salle 13"})).ID
		joined := must[Incident](t)(h.AlsoAffected(ctx, paul, i.ID, Affected{Room: other, Comment: "Ici aussi"}))
		again := must[Incident](t)(h.AlsoAffected(ctx, paul, i.ID, Affected{Room: other}))
		if again.Version != joined.Version {
			t.Error("saying it twice wrote twice")
		}
		if joined.AffectedPeople() != 2 || joined.AffectedRooms() != 2 {
			t.Errorf("%d people, %d rooms", joined.AffectedPeople(), joined.AffectedRooms())
		}
		if got := h.stored(t, i.ID); got != joined {
			t.Errorf("stored %+v, answered %+v", got, joined)
		}
		if got := h.folded(t, i.ID); got != joined {
			t.Errorf("the journal says %+v, stored %+v", got, joined)
		}
		// The technician adds a room for a caller whom nobody knows.
		called := must[Incident](t)(h.AlsoAffected(ctx, h.technician, i.ID, Affected{Room: h.roomA}))
		if called.AffectedPeople() != 2 || called.AffectedRooms() != 2 {
			t.Errorf("the incident's own room counted twice: %+v", called)
		}

		if _, err := h.Get(ctx, paul.Scope(), i.ID); err != nil {
			t.Errorf("who joined does not see it: %v", err)
		}
		if _, err := h.Get(ctx, anne.Scope(), i.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("who did not join sees it: %v", err)
		}
		var actions []Action
		for _, row := range Available(paul, called) {
			actions = append(actions, row.Action)
		}
		if !slices.Equal(actions, []Action{Comment}) {
			t.Errorf("who joined may %v", actions)
		}
		if _, err := h.Act(ctx, paul, Change{Incident: i.ID, Action: Cancel, Comment: "non"}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("who joined cancels somebody else's incident: %v", err)
		}
		if _, err := h.Act(ctx, paul, Change{Incident: i.ID, Action: Comment, Comment: "Toujours noir"}); err != nil {
			t.Errorf("who joined may not speak: %v", err)
		}
		for _, entry := range must[[]Entry](t)(h.Story(ctx, h.teacher, i.ID)) {
			for _, c := range entry.Changes {
				if c.Field == FieldAffected {
					t.Error("the declarant is told who has it too")
				}
			}
		}

		refused := map[string]struct {
			by   auth.Identity
			a    Affected
			code fault.Code
		}{
			"somebody of another school": {auth.Identity{Tenant: 1, Account: 9, Role: auth.Declarant, Person: h.referent.Person, Schools: []int64{h.schoolB}}, Affected{}, fault.NotFound},
			"for somebody else":          {anne, Affected{Person: paul.Person}, fault.Invalid},
			"in another school's room":   {anne, Affected{Room: h.roomB}, fault.Invalid},
			"nobody, nowhere":            {h.technician, Affected{}, fault.Invalid},
			"with a file of nobody":      {anne, Affected{Attachments: []int64{7}}, fault.Invalid},
		}
		for name, c := range refused {
			if _, err := h.AlsoAffected(ctx, c.by, i.ID, c.a); !fault.Is(err, c.code) {
				t.Errorf("%s: %v", name, err)
			}
		}
		h.do(t, h.technician, Change{Incident: i.ID, Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}})
		if _, err := h.AlsoAffected(ctx, anne, i.ID, Affected{}); !fault.Is(err, fault.Conflict) {
			t.Errorf("joined what is resolved: %v", err)
		}
		resolved := h.stored(t, i.ID)
		if rows := Available(paul, resolved); len(rows) != 2 || rows[0].Action != Reopen {
			t.Errorf("who joined may not say that it still fails: %v", rows)
		}
		h.rebuilt(t)
	})
}

// Whoever joined by mistake may take it back, and sees it no longer.
func TestAffectedIsTakenBack(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		i := h.declare(t)
		paul := h.colleague(t, 21, "M. Paul")
		joined := must[Incident](t)(h.AlsoAffected(t.Context(), paul, i.ID, Affected{}))
		if back := must[Incident](t)(h.Undo(t.Context(), paul, i.ID, joined.Version)); back.Affected != "" {
			t.Errorf("still there: %q", back.Affected)
		}
		if _, err := h.Get(t.Context(), paul.Scope(), i.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("still seen: %v", err)
		}
		h.rebuilt(t)
	})
}

// A circle is the same whatever the order in which people join it, has each
// once, and gives back who is in it.
func TestCircle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		member := rapid.Custom(func(t *rapid.T) Member {
			return Member{rapid.Int64Range(0, 12).Draw(t, "person"), rapid.Int64Range(0, 3).Draw(t, "room")}
		})
		members := rapid.SliceOfN(member, 0, 12).Draw(t, "members")
		c := CircleOf(members...)
		if again := CircleOf(c.Members()...); again != c {
			t.Fatalf("%q, then %q", c, again)
		}
		slices.Reverse(members)
		if turned := CircleOf(members...); turned != c {
			t.Fatalf("%q, turned %q", c, turned)
		}
		for person := range int64(14) {
			in := person != 0 && slices.ContainsFunc(members, func(m Member) bool { return m.Person == person })
			if c.Has(person) != in || slices.Contains(c.People(), person) != in {
				t.Fatalf("%q: person %d", c, person)
			}
		}
		for _, m := range members {
			if m.Room != 0 && !slices.Contains(c.Members(), m) {
				t.Fatalf("%q lost %+v", c, m)
			}
		}
	})
}
