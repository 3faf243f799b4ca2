package checklist

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
	"statincidents/internal/visit"
)

var system = auth.System(1)

func get[T any](tb testing.TB) func(T, error) T {
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
	db               *sqldb.DB
	school, other    int64
	tech, lead       auth.Identity
	referent         auth.Identity
	cause, fix       int64
	seeded           Template // with two mandatory items and an optional one
	incidentProj     journal.Projection
	visitsProjection journal.Projection
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx := context.Background()
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	h := &house{db: db}
	schools := get[map[string]int64](tb)(places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}, {UAI: "0450002B", Name: "Collège B"}}))
	h.school, h.other = schools["0450001A"], schools["0450002B"]
	h.cause = get[catalog.Code](tb)(words.SaveCode(ctx, system, catalog.Code{Kind: catalog.Cause, Label: "Usure"})).ID
	h.fix = get[catalog.Code](tb)(words.SaveCode(ctx, system, catalog.Code{Kind: catalog.Resolution, Label: "Remplacé"})).ID
	person := get[directory.Person](tb)(places.SavePerson(ctx, system, directory.Person{Name: "Tech Un", Kind: directory.Staff})).ID
	h.tech = auth.Identity{Tenant: 1, Account: 1, Role: auth.Technician, Person: person}
	h.lead = auth.Identity{Tenant: 1, Account: 2, Role: auth.Lead}
	h.referent = auth.Identity{Tenant: 1, Account: 3, Role: auth.Referent, Schools: []int64{h.school}}
	incidents := incident.NewService(db, j, places, words, time.UTC)
	visits := visit.New(db, j, places, incidents, nil, nil)
	h.Service = New(db, j, incidents, visits)
	h.incidentProj, h.visitsProjection = incidents.Projection(), visits.Projection()
	h.seeded = get[Template](tb)(h.SaveTemplate(ctx, h.lead, Template{Title: "Essai", Items: []Item{
		{Text: "Adresse IP", Mandatory: true, Kind: IP}, {Text: "Étiquette collée", Mandatory: true, Kind: Nothing}, {Text: "Remarque", Kind: Text},
	}}))
	return h
}

func (h *house) declare(tb testing.TB) int64 {
	tb.Helper()
	return get[incident.Incident](tb)(h.incidents.Declare(context.Background(), system, incident.Declaration{Title: "Poste à changer", School: h.school})).ID
}

func (h *house) resolve(id int64) error {
	_, err := h.incidents.Act(context.Background(), h.tech, incident.Change{Incident: id, Action: incident.Resolve, Set: incident.Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}})
	return err
}

func (h *house) rebuilt(tb testing.TB) {
	tb.Helper()
	r := get[*journal.Replay](tb)(journal.CheckRebuild(context.Background(), h.db, 1, []journal.Projection{h.incidentProj, h.visitsProjection, h.Projection()}, nil))
	for _, d := range r.Differences {
		tb.Errorf("rebuild: %s", d)
	}
}

func TestMandatoryItemsHoldBack(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		id := h.declare(t)
		first := get[List](t)(h.Add(ctx, h.tech, h.seeded.ID, On{Incident: id}))
		second := get[List](t)(h.Add(ctx, h.tech, h.seeded.ID, On{Incident: id}))
		wantHeld := func(fields ...string) {
			t.Helper()
			refusal, ok := errors.AsType[*fault.Error](h.resolve(id))
			if !ok || refusal.Code != fault.Invalid || len(refusal.Fields) != len(fields) {
				t.Fatalf("held back by %v, want %v", refusal, fields)
			}
			for k, f := range refusal.Fields {
				if f.Name != fields[k] {
					t.Errorf("held back by %s, want %s", f.Name, fields[k])
				}
			}
		}
		wantHeld(Field(first.ID, 0), Field(first.ID, 1), Field(second.ID, 0), Field(second.ID, 1))
		if _, err := h.Set(ctx, h.tech, first.ID, Change{Item: 0, Done: true, Value: "10.45.300.1"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a wrong address: %v", err)
		}
		get[List](t)(h.Set(ctx, h.tech, first.ID, Change{Item: 0, Done: true, Value: " 10.45.30.1 "}))
		l := get[List](t)(h.Set(ctx, h.tech, first.ID, Change{Item: 1, Done: true}))
		if c := l.Checks[0]; c.Value != "10.45.30.1" || c.Actor() != h.tech.Actor() || c.At.IsZero() || l.CompletedAt.IsZero() {
			t.Errorf("done: %+v, complete %s", c, l.CompletedAt)
		}
		if again := get[List](t)(h.Set(ctx, h.tech, first.ID, Change{Item: 1, Done: true})); again.Version != l.Version {
			t.Errorf("done twice writes twice: version %d", again.Version)
		}
		wantHeld(Field(second.ID, 0), Field(second.ID, 1))
		// The template changes; the list keeps its text.
		changed := h.seeded
		changed.Items = slices.Clone(changed.Items)
		changed.Items[1].Text = "Étiquette neuve"
		if next := get[Template](t)(h.SaveTemplate(ctx, h.lead, changed)); next.Version != 2 {
			t.Errorf("template version %d", next.Version)
		}
		if l = get[List](t)(h.Get(ctx, h.tech, first.ID)); l.Checks[1].Text != "Étiquette collée" || l.TemplateVersion != 1 {
			t.Errorf("the list says %q of version %d", l.Checks[1].Text, l.TemplateVersion)
		}
		get[List](t)(h.Remove(ctx, h.tech, second.ID, true))
		l = get[List](t)(h.Set(ctx, h.tech, first.ID, Change{Item: 1}))
		if !l.CompletedAt.IsZero() || l.Checks[1].Done {
			t.Errorf("unticked: %+v", l)
		}
		wantHeld(Field(first.ID, 1))
		get[List](t)(h.Set(ctx, h.tech, first.ID, Change{Item: 1, Done: true}))
		if err := h.resolve(id); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Set(ctx, h.tech, first.ID, Change{Item: 1}); !fault.Is(err, fault.Conflict) {
			t.Errorf("unticking what ended the incident: %v", err)
		}
		if _, err := h.Add(ctx, h.tech, h.seeded.ID, On{Incident: id}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a list on what is solved: %v", err)
		}
		h.rebuilt(t)
	})
}

func TestListsOfAVisit(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		v := get[visit.Visit](t)(h.visits.Plan(ctx, h.tech, visit.Draft{Kind: visit.OnSite, School: h.school, Technician: h.tech.Person, Start: sqldb.Now().Add(time.Hour), Minutes: 60, Purpose: "Baie"}))
		l := get[List](t)(h.Add(ctx, h.tech, h.seeded.ID, On{Visit: v.ID}))
		if _, err := h.visits.Act(ctx, h.tech, v.ID, 0, visit.Finish); !fault.Is(err, fault.Invalid) {
			t.Errorf("ending an unfinished visit: %v", err)
		}
		if _, err := h.visits.Act(ctx, h.tech, v.ID, 0, visit.Begin); err != nil {
			t.Errorf("beginning it: %v", err)
		}
		if got := get[[]List](t)(h.OfVisit(ctx, h.tech, v.ID)); len(got) != 1 || got[0].ID != l.ID {
			t.Errorf("lists %v", got)
		}
		if got := get[[]List](t)(h.Unfinished(ctx, h.tech, h.school, 10)); len(got) != 1 {
			t.Errorf("unfinished %v", got)
		}
		get[List](t)(h.Set(ctx, h.tech, l.ID, Change{Item: 0, Done: true, Value: "10.0.0.1"}))
		get[List](t)(h.Set(ctx, h.tech, l.ID, Change{Item: 1, Done: true}))
		if _, err := h.visits.Act(ctx, h.tech, v.ID, 0, visit.Finish); err != nil {
			t.Errorf("ending it: %v", err)
		}
		h.rebuilt(t)
	})
}

func TestWhoMay(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := t.Context()
	id := h.declare(t)
	l := get[List](t)(h.Add(ctx, h.tech, h.seeded.ID, On{Incident: id}))
	if _, err := h.Add(ctx, h.referent, h.seeded.ID, On{Incident: id}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a referent adds: %v", err)
	}
	if _, err := h.Set(ctx, h.referent, l.ID, Change{Item: 1, Done: true}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a referent ticks: %v", err)
	}
	if _, err := h.SaveTemplate(ctx, h.tech, h.seeded); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a technician changes a template: %v", err)
	}
	if got := get[[]List](t)(h.Of(ctx, h.referent, id)); got != nil {
		t.Errorf("a referent reads %v", got)
	}
	if _, err := h.Set(ctx, h.tech, 999, Change{Done: true}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such list: %v", err)
	}
	if _, err := h.Set(ctx, h.tech, l.ID, Change{Item: 7, Done: true}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no such item: %v", err)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind Kind
		in   string
		want string // "!" is a refusal
	}{
		{Nothing, "anything", ""}, {Text, "", "!"}, {Text, " a\tb ", "a b"}, {Text, strings.Repeat("x", MaxValue+1), "!"},
		{Number, "12,5", "12,5"}, {Number, "1 200", "1 200"}, {Number, "douze", "!"}, {Number, "NaN", "!"}, {Number, "1e99", "!"},
		{Asset, "HX20A-17", "HX20A-17"}, {Asset, "1", "!"}, {Asset, "<b>", "!"},
		{IP, "10.45.2.1", "10.45.2.1"}, {IP, "10.45.2.256", "!"}, {IP, "0.0.0.0", "!"}, {IP, "fe80::1", "fe80::1"}, {IP, "FE80::0001", "fe80::1"}, {IP, "fe80::1%eth0", "!"},
		{Version, "23H2", "23H2"}, {Version, "10.0.22631", "10.0.22631"}, {Version, "-", "!"},
		{YesNo, "yes", "yes"}, {YesNo, "oui", "!"}, {Photo, "12", "12"}, {Photo, "-1", "!"}, {Photo, "x", "!"}, {Machine, "HX20A-1", "HX20A-1"},
	} {
		got, refusal := c.kind.value(c.in)
		if (refusal != "") != (c.want == "!") || refusal == "" && got != c.want {
			t.Errorf("%s %q: %q %q, want %q", c.kind, c.in, got, refusal, c.want)
		}
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := t.Context()
	for name, bad := range map[string]Template{
		"no title": {Items: []Item{{Text: "a"}}}, "no items": {Title: "a"}, "empty item": {Title: "a", Items: []Item{{Help: "b"}}},
		"unknown kind": {Title: "a", Items: []Item{{Text: "a", Kind: "song"}}}, "long": {Title: strings.Repeat("a", MaxTitle+1), Items: []Item{{Text: "a"}}},
		"many items": {Title: "a", Items: slices.Repeat([]Item{{Text: "a"}}, MaxItems+1)},
	} {
		if _, err := h.SaveTemplate(ctx, h.lead, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.Seed(ctx, system); err != nil {
		t.Fatal(err)
	}
	if all := get[[]Template](t)(h.Templates(ctx, h.tech)); len(all) != 1 {
		t.Errorf("a département with its own templates gets %d more", len(all)-1)
	}
	empty := build(t, testkit.SQLite(t))
	if err := empty.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM checklist_template`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := empty.Seed(ctx, system); err != nil {
			t.Fatal(err)
		}
	}
	if all := get[[]Template](t)(empty.Templates(ctx, empty.tech)); len(all) != len(seeds) {
		t.Errorf("%d templates, want %d", len(all), len(seeds))
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		id := h.declare(t)
		for k := range 3 {
			l := get[List](t)(h.Add(ctx, h.tech, h.seeded.ID, On{Incident: id}))
			switch k {
			case 2:
				get[List](t)(h.Remove(ctx, h.tech, l.ID, true))
			case 1:
				get[List](t)(h.Set(ctx, h.tech, l.ID, Change{Item: 0, Done: true, Value: "10.0.0.1"}))
				get[List](t)(h.Set(ctx, h.tech, l.ID, Change{Item: 1, Done: true}))
			}
		}
		p := Period{From: sqldb.Now().Add(-time.Hour), To: sqldb.Now().Add(time.Hour)}
		for _, by := range []auth.Identity{h.tech, h.referent} {
			groups := get[[]Group](t)(h.Completion(ctx, by, p, 0, 0, true))
			if len(groups) != 1 || groups[0].Lists != 2 || groups[0].Completed != 1 || groups[0].Items != 6 || groups[0].Done != 2 || groups[0].School != h.school {
				t.Errorf("%s: %+v", by.Role, groups)
			}
		}
		if groups := get[[]Group](t)(h.Completion(ctx, auth.Identity{Tenant: 1, Role: auth.Referent, Schools: []int64{h.other}}, p, 0, 0, false)); len(groups) != 0 {
			t.Errorf("another school's referent: %+v", groups)
		}
		if groups := get[[]Group](t)(h.Completion(ctx, h.tech, Period{From: p.To, To: p.To.Add(time.Hour)}, 0, 0, false)); len(groups) != 0 {
			t.Errorf("another period: %+v", groups)
		}
	})
}

// The parts by school sum up to the whole, and a median lies among its lists.
func TestCountSums(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		begin := time.Unix(1_700_000_000, 0)
		all := rapid.SliceOf(rapid.Custom(func(t *rapid.T) counted {
			c := counted{template: rapid.Int64Range(1, 3).Draw(t, "template"), school: rapid.Int64Range(1, 3).Draw(t, "school"), items: 5, done: rapid.IntRange(0, 5).Draw(t, "done"), added: begin}
			if rapid.Bool().Draw(t, "complete") {
				c.completed = begin.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "took")) * time.Minute)
			}
			return c
		})).Draw(t, "lists")
		whole, parts := count(all, false), count(all, true)
		for _, w := range whole {
			var lists, completed, done int
			low, high := time.Duration(1<<62), time.Duration(0)
			for _, p := range parts {
				if p.Template == w.Template {
					lists, completed, done = lists+p.Lists, completed+p.Completed, done+p.Done
					if p.Completed > 0 {
						low, high = min(low, p.Median), max(high, p.Median)
					}
				}
			}
			if lists != w.Lists || completed != w.Completed || done != w.Done {
				t.Fatalf("%+v is not the sum of its parts", w)
			}
			if w.Completed > 0 && (w.Median < low || w.Median > high) {
				t.Fatalf("median %s outside %s to %s", w.Median, low, high)
			}
		}
	})
}
