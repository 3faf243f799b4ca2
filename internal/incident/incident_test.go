package incident

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// refusal describes an error as "code key field:key…", for tables.
func refusal(err error) string {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		if err == nil {
			return ""
		}
		return "not a refusal: " + err.Error()
	}
	s := string(e.Code)
	for _, f := range e.Fields {
		s += " " + f.Name + ":" + f.Key
	}
	if len(e.Fields) == 0 {
		s += " " + e.Key
	}
	return s
}

func TestDeclare(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		i := h.declare(t)
		want := Incident{
			ID: 1, Version: 1, State: New, Title: "Vidéoprojecteur noir", School: h.schoolA, Room: h.roomA, Network: directory.NetworkTeaching,
			Category: h.categories[0], Impact: DefaultImpact, Urgency: DefaultUrgency, Priority: 4, Declarant: h.teacher.Person, Origin: Portal,
			OccurredAt: i.OpenedAt, OpenedAt: i.OpenedAt, UpdatedAt: i.OpenedAt,
		}
		if diff := cmp.Diff(want, i); diff != "" {
			t.Errorf("declared (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(i, h.stored(t, i.ID)); diff != "" {
			t.Errorf("stored differs from answered:\n%s", diff)
		}
		if diff := cmp.Diff(i, h.folded(t, i.ID)); diff != "" {
			t.Errorf("the fold of events differs:\n%s", diff)
		}
	})
}

func TestDeclareRefuses(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ok := Declaration{Title: "Panne", School: h.schoolA}
		orphan := h.teacher
		orphan.Person = 0
		cases := []struct {
			name string
			by   auth.Identity
			edit func(*Declaration)
			want string
		}{
			{"nothing said", h.teacher, func(d *Declaration) { *d = Declaration{} }, "invalid title:error.field.required school:error.field.required"},
			{"blank title", h.teacher, func(d *Declaration) { d.Title = " \t\n" }, "invalid title:error.field.required"},
			{"long title", h.teacher, func(d *Declaration) { d.Title = strings.Repeat("é", MaxTitle+1) }, "invalid title:error.field.too_long"},
			{"long text", h.teacher, func(d *Declaration) { d.Description = strings.Repeat("é", MaxText+1) }, "invalid description:error.field.too_long"},
			{"another school", h.teacher, func(d *Declaration) { d.School = h.schoolB }, "invalid school:error.field.unknown"},
			{"no such school", h.lead, func(d *Declaration) { d.School = 999 }, "invalid school:error.field.unknown"},
			{"room elsewhere", h.teacher, func(d *Declaration) { d.Room = h.roomB }, "invalid room:error.incident.room_elsewhere"},
			{"archived category", h.teacher, func(d *Declaration) { d.Category = h.archived }, "invalid category:error.incident.archived"},
			{"unknown category", h.teacher, func(d *Declaration) { d.Category = 999 }, "invalid category:error.field.unknown"},
			{"impact out of range", h.teacher, func(d *Declaration) { d.Impact = 4 }, "invalid impact:error.field.unknown"},
			{"for somebody else", h.teacher, func(d *Declaration) { d.Declarant = h.referent.Person }, "invalid declarant:error.incident.not_yourself"},
			{"no person", orphan, func(*Declaration) {}, "invalid declarant:error.incident.no_person"},
			{"by phone, says a teacher", h.teacher, func(d *Declaration) { d.Origin = Phone }, "invalid origin:error.field.unknown"},
			{"in the future", h.teacher, func(d *Declaration) { d.OccurredAt = time.Now().Add(time.Hour) }, "invalid occurred_at:error.incident.occurred_in_future"},
			{"long ago", h.teacher, func(d *Declaration) { d.OccurredAt = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC) }, "invalid occurred_at:error.incident.date_too_old"},
			{"no role", auth.Identity{Tenant: 1}, func(*Declaration) {}, "forbidden error.forbidden"},
		}
		for _, c := range cases {
			d := ok
			c.edit(&d)
			if _, err := h.Declare(context.Background(), c.by, d); refusal(err) != c.want {
				t.Errorf("%s: %q, want %q", c.name, refusal(err), c.want)
			}
		}
		d := ok
		d.Declarant, d.Origin, d.OccurredAt = h.teacher.Person, Phone, time.Now().Add(-time.Hour)
		i := must[Incident](t)(h.Declare(context.Background(), h.technician, d))
		if i.Declarant != h.teacher.Person || i.Origin != Phone || !i.OccurredAt.Before(i.OpenedAt) || i.ID != 1 {
			t.Errorf("by phone: %+v", i)
		}
	})
}

func TestDeclareOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		d := Declaration{Title: "Panne", School: h.schoolA}
		ids := make(chan int64, 8)
		for range cap(ids) {
			go func() {
				i, _, err := h.DeclareOnce(ctx, h.teacher, "k-1", d)
				if err != nil {
					t.Error(err)
				}
				ids <- i.ID
			}()
		}
		for range cap(ids) {
			if id := <-ids; id != 1 {
				t.Errorf("the same key made incident %d", id)
			}
		}
		if _, again, err := h.DeclareOnce(ctx, h.teacher, "k-1", d); err != nil || !again {
			t.Errorf("again %v, %v", again, err)
		}
		d.Title = "Autre"
		if _, _, err := h.DeclareOnce(ctx, h.teacher, "k-1", d); refusal(err) != "conflict error.incident.key_used" {
			t.Error(refusal(err))
		}
		if i, again, err := h.DeclareOnce(ctx, h.referent, "k-1", d); err != nil || again || i.ID == 1 {
			t.Errorf("another account's key: %d %v %v", i.ID, again, err)
		}
	})
}

// TestLife walks an incident through every state and looks at what each
// passage sets and forgets.
func TestLife(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		i := h.declare(t)
		soon := sqldb.Now().Add(48 * time.Hour)
		steps := []struct {
			by   auth.Identity
			c    Change
			want func(Incident) bool
		}{
			{h.technician, Change{Action: Take}, func(i Incident) bool {
				return i.State == Assigned && i.Assignee == h.technician.Person && i.ReassignCount == 0
			}},
			{h.second, Change{Action: Assign, Set: Patch{Assignee: &h.second.Person, Team: &h.team}}, func(i Incident) bool {
				return i.Assignee == h.second.Person && i.ReassignCount == 1 && i.Team == h.team
			}},
			{h.second, Change{Action: Plan, Set: Patch{PlannedAt: &soon}}, func(i Incident) bool { return i.State == Planned && i.PlannedAt.Equal(soon) }},
			{h.second, Change{Action: Hold, Set: Patch{WaitingCode: &h.reason}}, func(i Incident) bool { return i.State == Waiting && i.WaitingCode == h.reason && i.PlannedAt.IsZero() }},
			{h.second, Change{Action: Resume}, func(i Incident) bool { return i.State == Assigned && i.WaitingCode == 0 }},
			{h.second, Change{Action: Route, Set: Patch{Team: &h.otherTeam}}, func(i Incident) bool {
				return i.State == New && i.Assignee == 0 && i.Team == h.otherTeam && i.ReassignCount == 2
			}},
			{h.technician, Change{Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause, Resolution: new("Câble remplacé")}}, func(i Incident) bool {
				return i.State == Resolved && !i.ResolvedAt.IsZero() && i.ResolutionCode == h.fix && i.Resolution == "Câble remplacé"
			}},
			{h.teacher, Change{Action: Reopen, Comment: "toujours noir"}, func(i Incident) bool {
				return i.State == New && i.ReopenCount == 1 && i.ResolvedAt.IsZero() && i.ResolutionCode == 0 && i.Resolution == ""
			}},
			{h.technician, Change{Action: Take}, func(i Incident) bool { return i.State == Assigned }},
			{h.technician, Change{Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}}, func(i Incident) bool { return i.State == Resolved }},
			{h.teacher, Change{Action: Confirm}, func(i Incident) bool { return i.State == Closed && !i.ClosedAt.IsZero() && !i.ResolvedAt.IsZero() }},
			{h.technician, Change{Action: Reopen, Comment: "erreur"}, func(i Incident) bool { return i.State == Assigned && i.ReopenCount == 2 && i.ClosedAt.IsZero() }},
			{h.technician, Change{Action: Cancel, Comment: "doublon"}, func(i Incident) bool { return i.State == Cancelled && !i.ClosedAt.IsZero() && i.ReopenCount == 2 }},
			{h.technician, Change{Action: Reopen, Comment: "non"}, func(i Incident) bool { return i.State == Assigned && i.ReopenCount == 2 }},
			{h.technician, Change{Action: Edit, Set: Patch{Impact: new(1), Urgency: new(1)}}, func(i Incident) bool { return i.Priority == 1 }},
			{h.technician, Change{Action: Edit, Set: Patch{School: &h.schoolB}}, func(i Incident) bool { return i.School == h.schoolB && i.Room == 0 }},
		}
		for n, step := range steps {
			step.c.Incident, step.c.Base = i.ID, i.Version
			i = h.do(t, step.by, step.c)
			if !step.want(i) {
				t.Errorf("step %d (%s): %+v", n, step.c.Action, i)
			}
			if diff := cmp.Diff(i, h.stored(t, i.ID)); diff != "" {
				t.Errorf("step %d: stored differs:\n%s", n, diff)
			}
			if diff := cmp.Diff(i, h.folded(t, i.ID)); diff != "" {
				t.Errorf("step %d: fold differs:\n%s", n, diff)
			}
		}
		if i.Version != int64(len(steps)+1) {
			t.Errorf("version %d after %d changes", i.Version, len(steps))
		}
	})
}

func TestActRefuses(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		i, other := h.declare(t), h.declare(t)
		h.do(t, h.technician, Change{Incident: other.ID, Action: Cancel, Comment: "essai"})
		outsider := h.referent
		outsider.Schools = []int64{h.schoolB}
		ended := h.declare(t)
		h.do(t, h.technician, Change{Incident: ended.ID, Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}})
		cases := []struct {
			name string
			by   auth.Identity
			c    Change
			want string
		}{
			{"out of scope", outsider, Change{Action: Comment, Comment: "?"}, "not_found error.incident.not_found"},
			{"no such incident", h.lead, Change{Incident: 999, Action: Comment, Comment: "?"}, "not_found error.incident.not_found"},
			{"no right", h.teacher, Change{Action: Take}, "forbidden error.forbidden"},
			{"another state's right", h.referent, Change{Action: Confirm}, "conflict state:error.incident.changed_meanwhile"},
			{"no such action", h.lead, Change{Action: "explode"}, "invalid action:error.field.unknown"},
			{"not in this state", h.lead, Change{Action: Close}, "conflict state:error.incident.changed_meanwhile"},
			{"required missing", h.lead, Change{Action: Resolve, Set: Patch{ResolutionCode: &h.fix}}, "invalid cause_code:error.field.required"},
			{"required empty", h.lead, Change{Action: Assign, Set: Patch{Assignee: new(int64(0))}}, "invalid assignee:error.field.required"},
			{"field not taken", h.lead, Change{Action: Edit, Set: Patch{State: new(Closed), Priority: new(1)}}, "invalid state:error.incident.field_not_taken priority:error.incident.field_not_taken"},
			{"code of another kind", h.lead, Change{Action: Hold, Set: Patch{WaitingCode: &h.cause}}, "invalid waiting_code:error.field.unknown"},
			{"empty comment", h.teacher, Change{Action: Comment, Comment: "  "}, "invalid comment:error.field.required"},
			{"long comment", h.teacher, Change{Action: Comment, Comment: strings.Repeat("x", MaxText+1)}, "invalid comment:error.field.too_long"},
			{"internal comment of a teacher", h.teacher, Change{Action: Comment, Comment: "x", Internal: true}, "forbidden error.forbidden"},
			{"into itself", h.lead, Change{Action: Merge, Set: Patch{MergedInto: &i.ID}}, "invalid merged_into:error.incident.merge_itself"},
			{"into a cancelled one", h.lead, Change{Action: Merge, Set: Patch{MergedInto: &other.ID}}, "invalid merged_into:error.incident.merge_ended"},
			{"into nothing", h.lead, Change{Action: Merge, Set: Patch{MergedInto: new(int64(77))}}, "invalid merged_into:error.field.unknown"},
			{"planned yesterday", h.lead, Change{Action: Plan, Set: Patch{PlannedAt: new(time.Now().Add(-24 * time.Hour))}}, "invalid planned_at:error.incident.planned_before_opened"},
			{"a version to come", h.lead, Change{Action: Edit, Base: 99, Set: Patch{Title: new("x")}}, "invalid version:error.field.unknown"},
			{"emptied title", h.lead, Change{Action: Edit, Set: Patch{Title: new(" ")}}, "invalid title:error.field.required"},
			{"resolved cancelled by its declarant", h.teacher, Change{Incident: ended.ID, Action: Cancel, Comment: "x"}, "conflict state:error.incident.changed_meanwhile"},
		}
		for _, c := range cases {
			if c.c.Incident == 0 {
				c.c.Incident = i.ID
			}
			if _, err := h.Act(context.Background(), c.by, c.c); refusal(err) != c.want {
				t.Errorf("%s: %q, want %q", c.name, refusal(err), c.want)
			}
		}
		if got := h.stored(t, i.ID); got.Version != 1 {
			t.Errorf("a refusal left a trace: version %d", got.Version)
		}
	})
}

func TestMergeShowsWhereItWent(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		a, b := h.declare(t), h.declare(t)
		got := h.do(t, h.technician, Change{Incident: a.ID, Action: Merge, Set: Patch{MergedInto: &b.ID}})
		if got.State != Merged || got.MergedInto != b.ID || got.ClosedAt.IsZero() {
			t.Errorf("%+v", got)
		}
		all := must[[]Incident](t)(h.MergedInto(context.Background(), h.teacher.Scope(), b.ID))
		if len(all) != 1 || all[0].ID != a.ID {
			t.Errorf("%+v", all)
		}
		if hidden := must[[]Incident](t)(h.MergedInto(context.Background(), auth.ScopeSchools(1, h.schoolB), b.ID)); len(hidden) != 0 {
			t.Errorf("another school sees %+v", hidden)
		}
	})
}

func TestStoryHidesWhatTheUnitSays(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		i := h.declare(t)
		h.do(t, h.technician, Change{Incident: i.ID, Action: Comment, Comment: "encore eux", Internal: true})
		h.do(t, h.technician, Change{Incident: i.ID, Action: Take, Comment: "secret", Internal: true})
		h.do(t, h.teacher, Change{Incident: i.ID, Action: Comment, Comment: "merci"})
		full := must[[]Entry](t)(h.Story(ctx, h.lead, i.ID))
		if len(full) != 4 || full[1].Comment != "encore eux" || !full[1].Internal {
			t.Errorf("the unit reads %+v", full)
		}
		seen := must[[]Entry](t)(h.Story(ctx, h.teacher, i.ID))
		if len(seen) != 3 || seen[1].Kind != EventAssigned || seen[1].Comment != "" || seen[2].Comment != "merci" {
			t.Errorf("the teacher reads %+v", seen)
		}
		want := []FieldChange{{FieldState, New, Assigned}, {FieldAssignee, int64(0), h.technician.Person}}
		if diff := cmp.Diff(want, full[2].Changes); diff != "" {
			t.Errorf("changes:\n%s", diff)
		}
		if _, err := h.Story(ctx, auth.Identity{Tenant: 1, Role: auth.Referent, Schools: []int64{h.schoolB}}, i.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("out of scope: %v", err)
		}
	})
}

func TestManyKeepsTheOrderAndTheScope(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		a := h.declare(t)
		b := must[Incident](t)(h.Declare(ctx, h.lead, Declaration{Title: "x", School: h.schoolB}))
		c := h.declare(t)
		ids := func(scope auth.Scope) (ids []int64) {
			for _, i := range must[[]Incident](t)(h.Many(ctx, scope, []int64{c.ID, 99, b.ID, a.ID})) {
				ids = append(ids, i.ID)
			}
			return ids
		}
		for name, try := range map[string]struct {
			scope auth.Scope
			want  []int64
		}{
			"all":     {auth.ScopeAll(1), []int64{c.ID, b.ID, a.ID}},
			"school":  {auth.ScopeSchools(1, h.schoolB), []int64{b.ID}},
			"own":     {auth.ScopeOwn(1, h.teacher.Person), []int64{c.ID, a.ID}},
			"nothing": {auth.Scope{}, nil},
			"tenant":  {auth.ScopeAll(2), nil},
		} {
			if diff := cmp.Diff(try.want, ids(try.scope)); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
	})
}

// What commands and imports wrote is what the journal says, replayed from its
// beginning into another database.
func TestJournalRebuildsTheIncidents(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		a, b := h.declare(t), h.declare(t)
		h.do(t, h.technician, Change{Incident: a.ID, Action: Take})
		h.do(t, h.technician, Change{Incident: b.ID, Action: Merge, Set: Patch{MergedInto: &a.ID}})
		h.bring(t, histories(h, 3000)...)
		told := h.told("INC1")
		imported := h.bring(t, told).IDs[0]
		h.do(t, h.technician, Change{Incident: imported, Action: Reopen, Comment: "encore"})
		told.Steps[0].Set.Category = &h.categories[2]
		h.bring(t, told)
		projections := []journal.Projection{h.places.Projection(), h.words.Projection(), h.Projection()}
		replay, err := journal.CheckRebuild(ctx, db, 1, projections, nil)
		if err != nil {
			t.Fatal(err)
		}
		if replay.Total != 0 {
			t.Errorf("%d differences: %v", replay.Total, replay.Differences)
		}
		if last := replay.Tables[len(replay.Tables)-3]; last.Table != "incident" || last.Stored < 500 || last.Stored != last.Replayed {
			t.Errorf("%+v", last)
		}
	})
}
