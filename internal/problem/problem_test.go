package problem

import (
	"slices"
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
	db                            *sqldb.DB
	technician, teacher, referent auth.Identity
	incidents                     *incident.Service
	school                        int64
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx, system := tb.Context(), auth.System(1)
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	incidents := incident.NewService(db, j, places, words, time.UTC)
	h := &house{Service: New(db, j, places, words, incidents), db: db, incidents: incidents}
	schools := must[map[string]int64](tb)(places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}, {UAI: "0450002B", Name: "Collège B"}}))
	h.school = schools["0450001A"]
	person := func(name string, kind directory.PersonKind) int64 {
		return must[directory.Person](tb)(places.SavePerson(ctx, system, directory.Person{Name: name, Kind: kind})).ID
	}
	h.technician = auth.Identity{Tenant: 1, Account: 1, Role: auth.Technician, Person: person("Tech", directory.Staff)}
	h.teacher = auth.Identity{Tenant: 1, Account: 2, Role: auth.Declarant, Person: person("Prof", directory.Teacher), Schools: []int64{h.school}}
	h.referent = auth.Identity{Tenant: 1, Account: 3, Role: auth.Referent, Person: person("Réf", directory.ITReferent), Schools: []int64{schools["0450002B"]}}
	return h
}

func (h *house) declare(tb testing.TB) int64 {
	tb.Helper()
	return must[incident.Incident](tb)(h.incidents.Declare(tb.Context(), h.teacher, incident.Declaration{Title: "Plus d'Internet", School: h.school})).ID
}

func (h *house) rebuilt(tb testing.TB) {
	tb.Helper()
	replay := must[*journal.Replay](tb)(journal.CheckRebuild(tb.Context(), h.db, 1, []journal.Projection{h.Projection()}, nil))
	for _, d := range replay.Differences {
		tb.Error(d.String())
	}
}

// A problem ties incidents together, once each; its workaround reaches who sees
// one of them only when it is public, and its cause never.
func TestProblem(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		a, b := h.declare(t), h.declare(t)
		p := must[Problem](t)(h.Open(ctx, h.technician, Content{Title: "  Commutateur\tqui chauffe ", Workaround: "Rebrancher"}))
		if p.Title != "Commutateur qui chauffe" || p.State != Open || p.ID == 0 {
			t.Errorf("%+v", p)
		}
		for _, n := range []int64{a, b} {
			if changed := must[bool](t)(h.Link(ctx, h.technician, p.ID, n)); !changed {
				t.Error("not tied")
			}
		}
		if changed := must[bool](t)(h.Link(ctx, h.technician, p.ID, a)); changed {
			t.Error("tied twice")
		}
		if told := must[[]Problem](t)(h.Of(ctx, h.teacher, a)); len(told) != 0 {
			t.Errorf("the declarant is told of what is not public: %+v", told)
		}
		c := p.Content
		c.State, c.Cause, c.Public = Known, "Ventilateur mort", true
		saved := must[Problem](t)(h.Save(ctx, h.technician, p.ID, p.Version, c)) // ties since then take nothing away
		if told := must[[]Problem](t)(h.Of(ctx, h.teacher, a)); len(told) != 1 || told[0].Workaround != "Rebrancher" || told[0].Cause != "" {
			t.Errorf("the declarant is told %+v", told)
		}
		if _, err := h.Of(ctx, h.referent, a); !fault.Is(err, fault.NotFound) {
			t.Errorf("another school is told: %v", err)
		}
		c.Title = "Autre"
		if _, err := h.Save(ctx, h.technician, p.ID, p.Version, c); !fault.Is(err, fault.Conflict) {
			t.Errorf("written over: %v", err)
		}
		c.State = Resolved
		ended := must[Problem](t)(h.Save(ctx, h.technician, p.ID, saved.Version, c))
		if ended.EndedAt.IsZero() || ended.Incidents != 2 {
			t.Errorf("%+v", ended)
		}
		if ids := must[[]int64](t)(h.Incidents(ctx, h.technician, p.ID)); !slices.Equal(ids, []int64{b, a}) {
			t.Errorf("incidents: %v", ids)
		}
		must[bool](t)(h.Unlink(ctx, h.technician, p.ID, b))
		if now := must[Problem](t)(h.Get(ctx, h.technician, p.ID)); now.Incidents != 1 {
			t.Errorf("%d incidents", now.Incidents)
		}
		if story := must[[]Entry](t)(h.Story(ctx, h.technician, p.ID)); len(story) != 6 || story[3].State != Known || story[5].Incident != b {
			t.Errorf("story: %+v", story)
		}
		h.rebuilt(t)
	})
}

func TestProblemRefusals(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := t.Context()
	p := must[Problem](t)(h.Open(ctx, h.technician, Content{Title: "x"}))
	for name, c := range map[string]struct {
		err  error
		code fault.Code
	}{
		"no title":               {second(h.Open(ctx, h.technician, Content{})), fault.Invalid},
		"known without a cause":  {second(h.Open(ctx, h.technician, Content{Title: "x", State: Known})), fault.Invalid},
		"public without a word":  {second(h.Open(ctx, h.technician, Content{Title: "x", Public: true})), fault.Invalid},
		"of no category":         {second(h.Open(ctx, h.technician, Content{Title: "x", Category: 99})), fault.Invalid},
		"followed by a teacher":  {second(h.Open(ctx, h.technician, Content{Title: "x", Owner: h.teacher.Person})), fault.Invalid},
		"by a declarant":         {second(h.Open(ctx, h.teacher, Content{Title: "x"})), fault.Forbidden},
		"seen by a referent":     {second(h.Get(ctx, h.referent, p.ID)), fault.Forbidden},
		"listed by a declarant":  {second(h.List(ctx, h.teacher)), fault.Forbidden},
		"unknown":                {second(h.Get(ctx, h.technician, 99)), fault.NotFound},
		"tied to nothing":        {second(h.Link(ctx, h.technician, p.ID, 99)), fault.NotFound},
		"tied by a declarant":    {second(h.Link(ctx, h.teacher, p.ID, 1)), fault.Forbidden},
		"nothing tied to it yet": {second(h.Link(ctx, h.technician, 99, h.declare(t))), fault.NotFound},
	} {
		if !fault.Is(c.err, c.code) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
