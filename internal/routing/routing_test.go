package routing_test

import (
	"context"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/routing"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

type house struct {
	j         *journal.Journal
	places    *directory.Service
	words     *catalog.Service
	incidents *incident.Service
	rules     *routing.Service
	jobs      *jobs.Service

	a, b          int64
	network, wifi int64
	team, other   int64
	first, second int64
	ctx           context.Context
}

func newHouse(t *testing.T, db *sqldb.DB) *house {
	t.Helper()
	ctx := t.Context()
	h := &house{ctx: ctx, j: journal.New(db)}
	h.places, h.words = directory.New(db, h.j), catalog.New(db, h.j)
	h.incidents = incident.NewService(db, h.j, h.places, h.words, time.UTC)
	h.jobs = jobs.New(db, jobs.Config{Poll: 10 * time.Millisecond})
	h.rules = routing.New(db, h.j, h.places, h.words, h.incidents, h.jobs)
	settings := directory.DefaultSettings
	settings.Name = "Loiret"
	if err := h.places.SaveSettings(ctx, system, settings); err != nil {
		t.Fatal(err)
	}
	schools := must[map[string]int64](t)(h.places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "A", Commune: "Gien"}, {UAI: "0450002B", Name: "B", Commune: "Gien"}}))
	h.a, h.b = schools["0450001A"], schools["0450002B"]
	teams := must[map[string]int64](t)(h.places.EnsureTeams(ctx, system, []string{"Réseaux", "Secteur"}))
	h.team, h.other = teams["Réseaux"], teams["Secteur"]
	person := func(name string, team int64) int64 {
		return must[directory.Person](t)(h.places.SavePerson(ctx, system, directory.Person{Name: name, Kind: directory.Staff, Team: team})).ID
	}
	h.first, h.second = person("Alice", h.team), person("Bruno", h.team)
	h.network = must[catalog.Category](t)(h.words.SaveCategory(ctx, system, catalog.Category{Label: "Réseau"})).ID
	h.wifi = must[catalog.Category](t)(h.words.SaveCategory(ctx, system, catalog.Category{Label: "Wi-Fi", Parent: h.network})).ID
	return h
}

func (h *house) declare(t *testing.T, d incident.Declaration) int64 {
	t.Helper()
	return must[incident.Incident](t)(h.incidents.Declare(h.ctx, system, d)).ID
}

func (h *house) save(t *testing.T, r routing.Rule, on bool) routing.Rule {
	t.Helper()
	r = must[routing.Rule](t)(h.rules.Save(h.ctx, system, r))
	if on {
		r = must[routing.Rule](t)(h.rules.Switch(h.ctx, system, r.ID, true))
	}
	return r
}

func TestConditions(t *testing.T) {
	t.Parallel()
	path := func(c int64) []int64 { return map[int64][]int64{1: {1}, 11: {1, 11}}[c] }
	i := incident.Incident{School: 4, Category: 11, Network: directory.NetworkTeaching, Priority: 3, Origin: incident.Phone, Title: "Borne Wi-Fi éteinte", Description: "Depuis l'orage"}
	for _, tc := range []struct {
		name string
		rule routing.Rule
		want bool
	}{
		{"nothing asked", routing.Rule{}, true},
		{"one of the schools", routing.Rule{Schools: []int64{3, 4}}, true},
		{"another school", routing.Rule{Schools: []int64{3}}, false},
		{"a category above", routing.Rule{Categories: []int64{1}}, true},
		{"a category beside", routing.Rule{Categories: []int64{12}}, false},
		{"the network", routing.Rule{Network: directory.NetworkTeaching}, true},
		{"the other network", routing.Rule{Network: directory.NetworkAdministrative}, false},
		{"a priority", routing.Rule{Priorities: []int{1, 3}}, true},
		{"another priority", routing.Rule{Priorities: []int{1}}, false},
		{"an origin", routing.Rule{Origins: []incident.Origin{incident.Phone}}, true},
		{"another origin", routing.Rule{Origins: []incident.Origin{incident.Email}}, false},
		{"a word, accents and case apart", routing.Rule{Words: []string{"ETEINT"}}, true},
		{"words of the description", routing.Rule{Words: []string{"toner", "l'orage"}}, true},
		{"the middle of a word", routing.Rule{Words: []string{"rage"}}, false},
		{"all must hold", routing.Rule{Schools: []int64{4}, Priorities: []int{1}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.rule.Meets(&i, path); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := newHouse(t, db)
		off := h.save(t, routing.Rule{Name: "Éteinte", Team: h.other}, false)
		h.save(t, routing.Rule{Name: "Wi-Fi", Categories: []int64{h.network}, Team: h.team, Least: true}, true)
		h.save(t, routing.Rule{Name: "Reste", Schools: []int64{h.a}, Team: h.other}, true)

		stands := func(id int64) incident.Incident {
			t.Helper()
			return must[incident.Incident](t)(h.incidents.Get(h.ctx, system.Scope(), id))
		}
		route := func(id int64) string {
			t.Helper()
			r := must[*routing.Rule](t)(h.rules.Route(h.ctx, 1, id))
			if r == nil {
				return ""
			}
			return r.Name
		}
		one := h.declare(t, incident.Declaration{Title: "Plus de Wi-Fi", School: h.b, Category: h.wifi})
		two := h.declare(t, incident.Declaration{Title: "Encore", School: h.b, Category: h.wifi})
		rest := h.declare(t, incident.Declaration{Title: "Écran", School: h.a})
		none := h.declare(t, incident.Declaration{Title: "Écran", School: h.b})
		for id, want := range map[int64]string{one: "Wi-Fi", rest: "Reste", none: ""} {
			if got := route(id); got != want {
				t.Errorf("%d went by %q, want %q", id, got, want)
			}
		}
		if got := route(two); got != "Wi-Fi" {
			t.Errorf("the second went by %q", got)
		}
		// The least loaded first: the two share the work.
		if a, b := stands(one), stands(two); a.Assignee == b.Assignee || a.State != incident.Assigned || a.Team != h.team {
			t.Errorf("to %d and %d, %s, team %d", a.Assignee, b.Assignee, a.State, a.Team)
		}
		if i := stands(rest); i.State != incident.New || i.Team != h.other || i.Assignee != 0 {
			t.Errorf("a team's queue: %+v", i)
		}
		// Once done it is people's: a rule does nothing twice.
		if got := route(one); got != "" {
			t.Errorf("routed again by %q", got)
		}
		story := must[[]incident.Entry](t)(h.incidents.Story(h.ctx, system, one))
		if last := story[len(story)-1]; last.Actor.Kind != journal.BySystem || !last.Internal || last.Comment == "" {
			t.Errorf("the story says %+v", last)
		}
		// Before the others once it is on and first.
		must[routing.Rule](t)(h.rules.Switch(h.ctx, system, off.ID, true))
		third := h.declare(t, incident.Declaration{Title: "Wi-Fi", School: h.b, Category: h.wifi})
		if got := route(third); got != "Éteinte" {
			t.Errorf("the first rule is %q", got)
		}
		if moved := must[bool](t)(h.rules.Move(h.ctx, system, off.ID, 5)); !moved {
			t.Error("the rule did not move")
		}
		if rules := must[[]routing.Rule](t)(h.rules.Rules(h.ctx, 1)); rules[2].ID != off.ID || rules[0].Name != "Wi-Fi" {
			t.Errorf("order %+v", rules)
		}
		if history := must[[]routing.Entry](t)(h.rules.History(h.ctx, system, off.ID)); len(history) < 3 || !history[1].Rule.On {
			t.Errorf("history %+v", history)
		}
		replay := must[*journal.Replay](t)(journal.CheckRebuild(h.ctx, db, 1, []journal.Projection{h.places.Projection(), h.words.Projection(), h.incidents.Projection(), h.rules.Projection()}, nil))
		if replay.Total != 0 {
			t.Errorf("not the fold of the journal: %+v", replay.Differences)
		}
	})
}

// From the declaration to the assignment, through the journal and a job.
func TestRunRoutesWhatIsDeclared(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := newHouse(t, db)
		h.save(t, routing.Rule{Name: "Tout", Person: h.first}, true)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- h.rules.Run(ctx, 1) }()
		go func() { ended <- h.jobs.Run(ctx) }()
		defer func() {
			stop()
			for range 2 {
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
		}()
		id := h.declare(t, incident.Declaration{Title: "Écran", School: h.b})
		imported := must[incident.ImportResult](t)(h.incidents.ImportHistories(ctx, system, []incident.History{{Source: "test", ExternalID: "1", Steps: []incident.Step{
			{At: sqldb.Now().Add(-time.Minute), Kind: incident.EventDeclared, Set: incident.Patch{Title: new("Ancien"), School: &h.a}},
		}}})).IDs[0]
		for deadline := time.Now().Add(20 * time.Second); ; {
			if must[incident.Incident](t)(h.incidents.Get(ctx, system.Scope(), id)).Assignee == h.first {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("nobody got the incident")
			}
			time.Sleep(10 * time.Millisecond)
		}
		if i := must[incident.Incident](t)(h.incidents.Get(ctx, system.Scope(), imported)); i.Assignee != 0 {
			t.Errorf("an imported history was given to %d", i.Assignee)
		}
	})
}

func TestTryOnThePast(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := newHouse(t, db)
		h.save(t, routing.Rule{Name: "Wi-Fi", Categories: []int64{h.network}, Team: h.team}, false)
		given := func(category, team int64) {
			id := h.declare(t, incident.Declaration{Title: "Panne", School: h.a, Category: category})
			if team != 0 {
				must[incident.Incident](t)(h.incidents.Act(h.ctx, system, incident.Change{Incident: id, Action: incident.Route, Set: incident.Patch{Team: &team}}))
			}
		}
		given(h.wifi, h.team)
		given(h.wifi, h.team)
		given(h.wifi, h.other)
		given(h.wifi, 0)
		given(0, h.other)
		got := must[routing.TryReport](t)(h.rules.Try(h.ctx, system, sqldb.Now().Add(-time.Hour)))
		if got.Incidents != 5 || got.Unmet != 1 || got.Trials[0].Met != 4 || got.Team != (routing.Agreement{Same: 2, Known: 3}) || len(got.Trials[0].Examples) != 3 {
			t.Errorf("%+v", got)
		}
	})
}

func TestRulesAreJudged(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := newHouse(t, db)
		for name, r := range map[string]routing.Rule{
			"no name": {Team: h.team}, "nobody": {Name: "x"}, "an unknown school": {Name: "x", Team: h.team, Schools: []int64{99}},
			"an unknown priority": {Name: "x", Team: h.team, Priorities: []int{9}}, "an unknown network": {Name: "x", Team: h.team, Network: "?"}, "least of nobody": {Name: "x", Person: h.first, Team: 99, Least: true},
		} {
			if _, err := h.rules.Save(h.ctx, system, r); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		tech := auth.Identity{Tenant: 1, Role: auth.Technician}
		if _, err := h.rules.Save(h.ctx, tech, routing.Rule{Name: "x", Team: h.team}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("by a technician: %v", err)
		}
		if _, err := h.rules.Try(h.ctx, tech, time.Time{}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("tried by a technician: %v", err)
		}
	})
}
