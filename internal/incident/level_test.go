package incident

import (
	"context"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// first lets school A handle first.
func (h *house) first(tb testing.TB, hours int, categories ...int64) {
	tb.Helper()
	must[directory.Support](tb)(h.places.SaveSupport(context.Background(), system, directory.Support{School: h.schoolA, First: true, Hours: hours, Categories: categories}))
}

func refused(tb testing.TB, err error, code fault.Code) {
	tb.Helper()
	if !fault.Is(err, code) {
		tb.Errorf("%v, want %s", err, code)
	}
}

func TestSchoolHandlesFirst(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		if i := h.declare(t); i.Level != Direct || !i.LevelAt.IsZero() {
			t.Errorf("without a choice: %q", i.Level)
		}
		h.first(t, 0)
		i := h.declare(t)
		if !i.AtSchool() || !i.LevelAt.Equal(i.OpenedAt) {
			t.Fatalf("declared: %q at %s", i.Level, i.LevelAt)
		}
		other := auth.Identity{Tenant: 1, Account: 9, Role: auth.Referent, Person: h.lead.Person, Schools: []int64{h.schoolB}}
		tried := "Redémarré, autre câble"
		_, err := h.Act(ctx, other, Change{Incident: i.ID, Action: HandOver, Set: Patch{Tried: &tried}})
		refused(t, err, fault.NotFound)
		_, err = h.Act(ctx, h.teacher, Change{Incident: i.ID, Action: HandOver, Set: Patch{Tried: &tried}})
		refused(t, err, fault.Forbidden)
		_, err = h.Act(ctx, h.teacher, Change{Incident: i.ID, Action: Take})
		refused(t, err, fault.Forbidden)
		_, err = h.Act(ctx, h.referent, Change{Incident: i.ID, Action: HandOver})
		refused(t, err, fault.Invalid)
		_, err = h.Act(ctx, h.referent, Change{Incident: i.ID, Action: Plan, Set: Patch{PlannedAt: new(time.Now().Add(time.Hour))}})
		refused(t, err, fault.Forbidden)

		i = h.do(t, h.referent, Change{Incident: i.ID, Action: Take})
		if i.State != Assigned || i.Assignee != h.referent.Person || !i.AtSchool() || i.SeenAt.IsZero() {
			t.Errorf("taken by the referent: %+v", i)
		}
		i = h.do(t, h.referent, Change{Incident: i.ID, Action: HandOver, Set: Patch{Tried: &tried}})
		if i.State != New || i.Level != HandedOver || i.Assignee != 0 || i.Tried != tried || !i.SeenAt.IsZero() || i.LevelAt.IsZero() {
			t.Errorf("handed over: %+v", i)
		}
		_, err = h.Act(ctx, h.referent, Change{Incident: i.ID, Action: Take})
		refused(t, err, fault.Forbidden)
		_, err = h.Act(ctx, h.technician, Change{Incident: i.ID, Action: HandBack})
		refused(t, err, fault.Invalid) // a reason is needed
		i = h.do(t, h.technician, Change{Incident: i.ID, Action: HandBack, Comment: "Le câble est dans le placard"})
		if !i.AtSchool() || i.State != New || i.Tried != "" || i.Team != 0 {
			t.Errorf("handed back: %+v", i)
		}
		i = must[Incident](t)(h.Undo(ctx, h.technician, i.ID, i.Version))
		if i.Level != HandedOver || i.Tried != tried {
			t.Errorf("not handed back after all: %+v", i)
		}
		i = h.do(t, h.technician, Change{Incident: i.ID, Action: HandBack, Comment: "Le câble est dans le placard"})
		i = h.do(t, h.referent, Change{Incident: i.ID, Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}})
		if i.State != Resolved || !i.AtSchool() {
			t.Errorf("resolved at school: %+v", i)
		}
		passages := must[[]Passage](t)(h.Passages(ctx, h.teacher.Scope(), i.ID))
		var levels []Level
		for _, p := range passages {
			levels = append(levels, p.To)
		}
		if len(passages) != 3 || passages[1].Why != tried || passages[2].To != AtSchoolLevel || passages[2].Why != "Le câble est dans le placard" {
			t.Errorf("passages: %v, %+v", levels, passages)
		}
		i = h.do(t, h.teacher, Change{Incident: i.ID, Action: Reopen, Comment: "Toujours noir"})
		if !i.AtSchool() || !i.SeenAt.IsZero() {
			t.Errorf("reopened: %+v", i)
		}

		// The département does not wait.
		i = h.do(t, h.technician, Change{Incident: h.declare(t).ID, Action: Comment, Comment: "Essayez l'autre entrée"})
		if !i.AtSchool() {
			t.Error("a comment takes nothing from the school")
		}
		i = h.do(t, h.referent, Change{Incident: i.ID, Action: Take})
		i = h.do(t, h.technician, Change{Incident: i.ID, Action: Hold, Set: Patch{WaitingCode: &h.reason}})
		if i.Level != Fetched || i.Assignee != h.technician.Person {
			t.Errorf("taken by the département: %+v", i)
		}
		h.rebuilt(t)
	})
}

func TestWhereDeclarationsBegin(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		h.first(t, 0, h.categories[0])
		d := func(category int64, origin Origin) Declaration {
			return Declaration{Title: "Panne", School: h.schoolA, Category: category, Origin: origin}
		}
		asked, tried := d(h.categories[0], Phone), d(h.categories[0], "")
		asked.SchoolFirst, asked.Declarant = true, h.teacher.Person
		tried.Tried = "Tout"
		for _, c := range []struct {
			name string
			by   auth.Identity
			d    Declaration
			want Level
		}{
			{"a teacher", h.teacher, d(h.categories[0], ""), AtSchoolLevel},
			{"another category", h.teacher, d(h.categories[1], ""), Direct},
			{"no category", h.teacher, d(0, ""), Direct},
			{"mail", system, d(h.categories[0], Email), AtSchoolLevel},
			{"a label", system, d(h.categories[0], Label), AtSchoolLevel},
			{"a call", h.technician, d(h.categories[0], Phone), Direct},
			{"a call left to the school", h.technician, asked, AtSchoolLevel},
			{"monitoring", system, d(h.categories[0], Monitoring), Direct},
			{"a referent", h.referent, d(h.categories[0], ""), AtSchoolLevel},
			{"a referent who has tried", h.referent, tried, HandedOver},
			{"a teacher who says so", h.teacher, tried, AtSchoolLevel},
		} {
			i, err := h.Declare(ctx, c.by, c.d)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if i.Level != c.want || (i.Tried != "") != (c.want == HandedOver) {
				t.Errorf("%s: level %q, tried %q; want %q", c.name, i.Level, i.Tried, c.want)
			}
		}
		asked.Category = h.categories[1]
		_, err := h.Declare(ctx, h.technician, asked)
		refused(t, err, fault.Invalid)
		h.rebuilt(t)
	})
}

func TestLapse(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		h.first(t, 4)
		untouched, taken, spoken, asked := h.declare(t), h.declare(t), h.declare(t), h.declare(t)
		h.do(t, h.referent, Change{Incident: taken.ID, Action: Take})
		h.do(t, h.referent, Change{Incident: spoken.ID, Action: Comment, Comment: "Je passe demain"})
		h.do(t, h.teacher, Change{Incident: asked.ID, Action: Comment, Comment: "Alors ?"})
		places := must[*directory.Index](t)(h.places.Index(ctx, 1))
		due := LapsesAt(places, untouched)
		if want := places.Calendar(h.schoolA).AddOpenMinutes(untouched.OpenedAt, 240); !due.Equal(want) {
			t.Errorf("due %s, want %s", due, want)
		}
		if n, err := h.Lapse(ctx, 1, due.Add(-time.Second)); n != 0 || err != nil {
			t.Errorf("too early: %d, %v", n, err)
		}
		later := due.Add(time.Hour)
		if n, err := h.Lapse(ctx, 1, later); n != 2 || err != nil {
			t.Errorf("%d handed over, %v", n, err)
		}
		for name, c := range map[string]struct {
			id   int64
			want Level
		}{"untouched": {untouched.ID, Lapsed}, "only the declarant spoke": {asked.ID, Lapsed}, "taken": {taken.ID, AtSchoolLevel}, "the referent spoke": {spoken.ID, AtSchoolLevel}} {
			if got := h.stored(t, c.id); got.Level != c.want {
				t.Errorf("%s: %q, want %q", name, got.Level, c.want)
			}
		}
		if n, err := h.Lapse(ctx, 1, later); n != 0 || err != nil {
			t.Errorf("again: %d, %v", n, err)
		}
		h.rebuilt(t)
	})
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		i := h.do(t, system, Change{Incident: h.declare(t).ID, Action: Assign, Set: Patch{Assignee: &h.technician.Person}})
		_, err := h.Act(ctx, h.second, Change{Incident: i.ID, Action: Acknowledge})
		refused(t, err, fault.Forbidden) // it is not theirs
		i = h.do(t, h.technician, Change{Incident: i.ID, Action: Acknowledge})
		if i.State != Assigned || i.SeenAt.IsZero() {
			t.Errorf("seen: %+v", i)
		}
		_, err = h.Act(ctx, h.technician, Change{Incident: i.ID, Action: Acknowledge})
		refused(t, err, fault.Conflict)
		i = h.do(t, h.technician, Change{Incident: i.ID, Action: Assign, Set: Patch{Assignee: &h.second.Person}})
		if !i.SeenAt.IsZero() {
			t.Error("the next one has not seen it")
		}
		if events := h.history(t, i.ID); events[2].Kind != EventAcknowledged {
			t.Errorf("event %s", events[2].Kind)
		}
		h.rebuilt(t)
	})
}
