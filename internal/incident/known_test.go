package incident

import (
	"context"
	"slices"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// What a declarant learns of the others' incidents: those of their school,
// open, alike; nothing of another school, whatever they ask.
func TestKnownAt(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		now := sqldb.Now().Add(time.Second)
		declare := func(d Declaration) int64 {
			d.Title = "Cela ne marche pas"
			return must[Incident](t)(h.Declare(ctx, h.technician, d)).ID
		}
		room := declare(Declaration{School: h.schoolA, Room: h.roomA, Category: h.categories[1]})
		both := declare(Declaration{School: h.schoolA, Room: h.roomA, Category: h.categories[0]})
		whole := declare(Declaration{School: h.schoolA, Category: h.categories[0]})
		machine := declare(Declaration{School: h.schoolA, Machine: "HX20A-7"})
		other := declare(Declaration{School: h.schoolB, Room: h.roomB, Category: h.categories[0], Machine: "HX20A-7"})
		ended := declare(Declaration{School: h.schoolA, Room: h.roomA, Category: h.categories[0]})
		h.do(t, h.technician, Change{Incident: ended, Action: Cancel, Comment: "Erreur"})
		nowhere := auth.Identity{Tenant: 1, Account: 9, Role: auth.Declarant, Person: h.teacher.Person}
		foreign := auth.Identity{Tenant: 2, Account: 9, Role: auth.Administrator}
		for _, c := range []struct {
			name  string
			by    auth.Identity
			about About
			want  []int64
		}{
			{"nothing said but the school", h.teacher, About{School: h.schoolA}, nil},
			{"the room", h.teacher, About{School: h.schoolA, Room: h.roomA}, []int64{both, room}},
			{"the room and the matter", h.teacher, About{School: h.schoolA, Room: h.roomA, Category: h.categories[0]}, []int64{whole, both, room}},
			{"the matter", h.teacher, About{School: h.schoolA, Category: h.categories[0]}, []int64{whole, both}},
			{"the machine, however it is written", h.teacher, About{School: h.schoolA, Machine: " hx20a-7 "}, []int64{machine}},
			{"another school", h.teacher, About{School: h.schoolB, Room: h.roomB, Category: h.categories[0], Machine: "HX20A-7"}, nil},
			{"a room of another school", h.teacher, About{School: h.schoolA, Room: h.roomB}, nil},
			{"who declares nowhere", nowhere, About{School: h.schoolA, Room: h.roomA}, nil},
			{"another département", foreign, About{School: h.schoolA, Room: h.roomA}, nil},
			{"the unit, in the other school", h.technician, About{School: h.schoolB, Room: h.roomB}, []int64{other}},
		} {
			known, err := h.KnownAt(ctx, c.by, c.about, now)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			var got []int64
			for _, k := range known {
				got = append(got, k.ID)
			}
			if c.name == "the matter" || c.name == "the room and the matter" { // opened in the same instant: any order within a rank
				slices.Sort(got)
				slices.Sort(c.want)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
		if known := must[[]Known](t)(h.KnownAt(ctx, h.teacher, About{School: h.schoolA, Room: h.roomA}, now.Add(knownWithin+time.Hour))); len(known) != 0 {
			t.Errorf("half a year later %d are still shown", len(known))
		}
		for range 6 {
			declare(Declaration{School: h.schoolA, Room: h.roomA})
		}
		if known := must[[]Known](t)(h.KnownAt(ctx, h.teacher, About{School: h.schoolA, Room: h.roomA}, now.Add(time.Second))); len(known) != maxKnown {
			t.Errorf("%d are shown", len(known))
		}
	})
}

// The rooms where one declared come first, the last one first, of that school.
func TestRecentRooms(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		if rooms := must[[]int64](t)(h.RecentRooms(ctx, h.teacher, h.schoolA, 5)); len(rooms) != 0 {
			t.Errorf("before anything: %v", rooms)
		}
		h.declare(t)
		h.declare(t)
		if rooms := must[[]int64](t)(h.RecentRooms(ctx, h.teacher, h.schoolA, 5)); !slices.Equal(rooms, []int64{h.roomA}) {
			t.Errorf("after two: %v", rooms)
		}
		if rooms := must[[]int64](t)(h.RecentRooms(ctx, h.teacher, h.schoolB, 5)); len(rooms) != 0 {
			t.Errorf("in the other school: %v", rooms)
		}
		if rooms := must[[]int64](t)(h.RecentRooms(ctx, h.referent, h.schoolA, 5)); len(rooms) != 0 {
			t.Errorf("of somebody else: %v", rooms)
		}
	})
}

// Who declared says what kind of problem it is while nobody looks after it.
func TestRefile(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		i := h.declare(t)
		if got := h.do(t, h.teacher, Change{Incident: i.ID, Action: Refile, Set: Patch{Category: &h.categories[2]}}); got.Category != h.categories[2] || got.State != New {
			t.Errorf("refiled: %+v", got)
		}
		if _, err := h.Act(ctx, h.teacher, Change{Incident: i.ID, Action: Refile, Set: Patch{Category: &h.archived}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("to an archived category: %v", err)
		}
		h.do(t, h.technician, Change{Incident: i.ID, Action: Take})
		if _, err := h.Act(ctx, h.teacher, Change{Incident: i.ID, Action: Refile, Set: Patch{Category: &h.categories[0]}}); !fault.Is(err, fault.Conflict) {
			t.Errorf("once taken: %v", err)
		}
		if i.ID == 0 || h.folded(t, i.ID).Category != h.categories[2] {
			t.Error("the story does not give the category")
		}
	})
}
