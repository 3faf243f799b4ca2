package privacy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/privacy"
	"statincidents/internal/sqldb"
)

// figures are the answers to every measure by every one of some dimensions.
func figures(t testing.TB, x cube.Executor, dims []cube.Dim) map[string][]cube.Row {
	t.Helper()
	var qs []cube.Query
	for from := 0; from < len(cube.Measures); from += cube.MaxMeasures {
		part := cube.Measures[from:min(from+cube.MaxMeasures, len(cube.Measures))]
		qs = append(qs, cube.Query{Measures: part})
		for _, d := range dims {
			qs = append(qs, cube.Query{Measures: part, By: []cube.Dim{d}, Order: "key"})
		}
	}
	answers := must[[]cube.Result](t)(x.RunAll(t.Context(), auth.System(app.Tenant).Scope(), qs))
	out := map[string][]cube.Row{}
	for k, a := range answers {
		out[fmt.Sprint(qs[k].Measures, qs[k].By)] = append(a.Rows, a.Total)
	}
	return out
}

func same(t testing.TB, what string, before, after map[string][]cube.Row) {
	t.Helper()
	for q, rows := range before {
		if !reflect.DeepEqual(rows, after[q]) {
			t.Fatalf("%s: %s\nbefore %+v\nafter  %+v", what, q, rows, after[q])
		}
	}
}

// Pseudonyms change no figure, whatever the world: every measure by every
// dimension gives the same before and after, in memory (as it stood, and loaded
// anew) and by SQL.
func TestPseudonymsLeaveTheFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	t.Parallel()
	engines(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		var people, rooms, categories []int64
		for k, kind := range append(directory.PersonKinds, directory.PersonKinds...) {
			people = append(people, h.person(t, directory.Person{Name: fmt.Sprintf("Zoé Nommée%d", k), Kind: kind, School: h.school.ID}).ID)
		}
		people = append(people, h.tech.ID)
		for _, name := range []string{"101", "102"} {
			rooms = append(rooms, must[directory.Room](t)(h.Directory.SaveRoom(ctx, h.by, directory.Room{School: h.school.ID, Name: name})).ID)
		}
		categories = must[[]int64](t)(h.Catalog.EnsureCategoryPaths(ctx, h.by, [][]string{{"Matériel"}, {"Matériel", "Poste"}}))
		codes := must[map[string]int64](t)(h.Catalog.EnsureCodes(ctx, h.by, catalog.Resolution, []string{"Réglé"}))
		counting := cube.Config{Tenant: app.Tenant, DB: h.DB, Journal: h.Journal, Directory: h.Directory, Catalog: h.Catalog, Location: h.Location}
		bySQL, memory := cube.NewSQL(counting), cube.NewMemory(counting)
		if err := memory.Load(ctx); err != nil {
			t.Fatal(err)
		}
		number, drawn, failed := 0, 0, false
		rapid.Check(t, func(rt *rapid.T) {
			// Each draw looks at whole tables, on two engines: forty are enough
			// until one fails, which rapid then makes smaller.
			if drawn++; drawn > 40 && !failed {
				return
			}
			defer func() { failed = failed || rt.Failed() }()
			var histories []incident.History
			for range rapid.IntRange(1, 4).Draw(rt, "incidents") {
				number++
				histories = append(histories, history(rt, number, h.school.ID, people, rooms, categories, codes["Réglé"]))
			}
			r := must[incident.ImportResult](t)(h.Incidents.ImportHistories(ctx, h.by, histories))
			if len(r.Rejected) > 0 {
				rt.Fatalf("%+v", r.Rejected)
			}
			for k, id := range r.IDs {
				if rapid.Bool().Draw(rt, "affected") {
					last := histories[k].Steps[len(histories[k].Steps)-1].At
					h.joined(t, id, last, incident.Member{Person: rapid.SampledFrom(people).Draw(rt, "joined"), Room: rooms[0]}, incident.Member{Person: rapid.SampledFrom(people).Draw(rt, "joined too")})
				}
			}
			if err := memory.CatchUp(ctx); err != nil {
				rt.Fatal(err)
			}
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(cube.Dims), 3, 3, rapid.ID[cube.Dim]).Draw(rt, "dimensions")
			sqlBefore, before := figures(t, bySQL, some), figures(t, memory, some)
			if err := h.Privacy.PurgeOld(ctx, privacy.People, rapid.IntRange(privacy.LeastOld, 3000).Draw(rt, "days")); err != nil {
				rt.Fatal(err)
			}
			same(t, "by SQL", sqlBefore, figures(t, bySQL, some))
			same(t, "in memory", before, figures(t, memory, some))
			if err := memory.CatchUp(ctx); err != nil {
				rt.Fatal(err)
			}
			same(t, "in memory, told", before, figures(t, memory, some))
		})
		before := figures(t, bySQL, cube.Dims)
		if err := h.Privacy.PurgeOld(ctx, privacy.People, privacy.LeastOld); err != nil {
			t.Fatal(err)
		}
		same(t, "by SQL", before, figures(t, bySQL, cube.Dims))
		loaded := cube.NewMemory(counting)
		if err := loaded.Load(ctx); err != nil {
			t.Fatal(err)
		}
		same(t, "the two executors", before, figures(t, loaded, cube.Dims))
		if n := h.count(t, `SELECT count(*) FROM incident i JOIN person p ON p.tenant_id = i.tenant_id AND p.person_id = i.declarant_id WHERE p.external LIKE 'pseudonym:%'`); n < 5 {
			t.Errorf("only %d incidents have a pseudonym", n)
		}
		h.sound(t)
	})
}

// history draws the life of an incident of the last ten years.
func history(rt *rapid.T, number int, school int64, people, rooms, categories []int64, code int64) incident.History {
	person := func(what string) int64 { return rapid.SampledFrom(people).Draw(rt, what) }
	at := time.Now().Add(-time.Duration(rapid.IntRange(1, 87_000).Draw(rt, "hours")) * time.Hour)
	declarant, room, category := person("declarant"), rapid.SampledFrom(rooms).Draw(rt, "room"), rapid.SampledFrom(categories).Draw(rt, "category")
	title := "Écran noir"
	steps := []incident.Step{{At: at, Kind: incident.EventDeclared, Actor: journal.Actor{Kind: journal.ByPerson, ID: declarant},
		Set: incident.Patch{School: &school, Declarant: &declarant, Room: &room, Category: &category, Title: &title}}}
	next := func(kind string, set incident.Patch) {
		at = at.Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "wait")) * time.Minute)
		if at.Before(time.Now()) {
			steps = append(steps, incident.Step{At: at, Kind: kind, Actor: journal.Actor{Kind: journal.ByPerson, ID: person("actor")}, Set: set, Comment: "vu avec Mme Nommée1"})
		}
	}
	state := func(s incident.State) *incident.State { return &s }
	if rapid.Bool().Draw(rt, "assigned") {
		assignee := person("assignee")
		next(incident.EventAssigned, incident.Patch{State: state(incident.Assigned), Assignee: &assignee})
	}
	if rapid.IntRange(0, 4).Draw(rt, "ends") > 0 {
		next(incident.EventResolved, incident.Patch{State: state(incident.Resolved), ResolvedAt: &at, ResolutionCode: &code})
		rating := rapid.SampledFrom(incident.Ratings).Draw(rt, "rating")
		next(incident.EventClosed, incident.Patch{State: state(rapid.SampledFrom([]incident.State{incident.Closed, incident.Closed, incident.Cancelled}).Draw(rt, "end")), Rating: &rating})
	}
	return incident.History{Source: "ancien", ExternalID: fmt.Sprint(number), Steps: steps}
}

// old makes one incident of long ago in which she is everywhere.
func (h *house) old(t testing.TB, number string, her directory.Person, hers auth.Identity, handler int64) int64 {
	t.Helper()
	at := time.Now().AddDate(-2, 0, 0)
	s := func(text string) *string { return &text }
	state := func(s incident.State) *incident.State { return &s }
	account := journal.Actor{Kind: journal.ByAccount, ID: hers.Account}
	r := must[incident.ImportResult](t)(h.Incidents.ImportHistories(t.Context(), h.by, []incident.History{{Source: "ancien", ExternalID: number, Steps: []incident.Step{
		{At: at, Kind: incident.EventDeclared, Actor: account, Set: incident.Patch{School: &h.school.ID, Declarant: &her.ID,
			Title: s("Écran de Mme Zylberstein"), Description: s("Appeler " + herName + " au 0647821933, " + herEmail)}},
		{At: at.Add(time.Hour), Kind: incident.EventAssigned, Actor: journal.Actor{Kind: journal.ByPerson, ID: handler}, Set: incident.Patch{State: state(incident.Assigned), Assignee: &handler}},
		{At: at.Add(2 * time.Hour), Kind: incident.EventCommented, Actor: account, Comment: "Merci ! Zylberstein"},
		{At: at.Add(3 * time.Hour), Kind: incident.EventResolved, Actor: journal.Actor{Kind: journal.ByPerson, ID: handler}, Set: incident.Patch{State: state(incident.Resolved)}},
		{At: at.Add(4 * time.Hour), Kind: incident.EventClosed, Actor: account, Set: incident.Patch{State: state(incident.Closed)}},
	}}}))
	if len(r.Rejected) > 0 {
		t.Fatalf("%+v", r.Rejected)
	}
	h.joined(t, r.IDs[0], at.Add(5*time.Hour), incident.Member{Person: her.ID})
	return r.IDs[0]
}

// joined says that people had an incident too, at an instant of the past.
func (h *house) joined(t testing.TB, id int64, at time.Time, members ...incident.Member) {
	t.Helper()
	circle := incident.CircleOf(members...)
	data := fmt.Appendf(nil, `{"set":{"affected":%q},"was":{}}`, circle)
	err := h.DB.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		e := journal.Event{Tenant: app.Tenant, At: at.Truncate(time.Millisecond), Actor: journal.Actor{Kind: journal.BySystem}, Subject: journal.Subject{Kind: incident.Subject, ID: id}, School: h.school.ID, Kind: incident.EventAffected, Data: data}
		if err := h.Journal.Append(ctx, tx, e); err != nil {
			return err
		}
		return h.Incidents.Again(ctx, tx, app.Tenant, []int64{id})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOldIncidentsForgetWhoDeclaredThem(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		her := h.person(t, directory.Person{Name: herName, Kind: directory.Teacher, School: h.school.ID, Email: herEmail, Phone: herPhone})
		hers := h.account(t, herLogin, auth.Declarant, her)
		gone := h.person(t, directory.Person{Name: "Rémi Parti", Kind: directory.Staff})
		first, second := h.old(t, "1", her, hers, gone.ID), h.old(t, "2", her, hers, h.tech.ID)
		young := h.declare(t, hers, incident.Declaration{Title: "Souris", Description: "Signé : " + herName})
		if err := h.Search.Fresh(ctx, app.Tenant); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Journal.Seal(ctx, app.Tenant); err != nil {
			t.Fatal(err)
		}
		p := must[privacy.Old](t)(h.Privacy.PreviewOld(ctx, h.boss, privacy.People, 365))
		if p.Incidents != 2 || p.People != 1 || len(p.Handlers) != 1 || p.Handlers[0] != "Rémi Parti" {
			t.Errorf("preview: %+v", p)
		}
		if err := h.Privacy.SetOld(ctx, h.boss, map[privacy.Kind]int{privacy.People: 365}, false); !fault.Is(err, fault.Invalid) {
			t.Errorf("set without a word: %v", err)
		}
		if err := h.Privacy.SetRetention(ctx, h.boss, map[privacy.Kind]int{privacy.People: 365}); !fault.Is(err, fault.Invalid) {
			t.Errorf("set as another: %v", err)
		}
		if err := h.Privacy.SetOld(ctx, h.techs, map[privacy.Kind]int{privacy.People: 365}, true); !fault.Is(err, fault.Forbidden) {
			t.Errorf("set by a technician: %v", err)
		}
		if err := h.Privacy.SetOld(ctx, h.boss, map[privacy.Kind]int{privacy.People: 365}, true); err != nil {
			t.Fatal(err)
		}
		if err := h.Privacy.PurgeNow(ctx, h.boss); err != nil {
			t.Fatal(err)
		}
		h.wait(t, "the departed", func() bool {
			list := must[[]privacy.Erasure](t)(h.Privacy.Erasures(ctx, h.boss))
			return len(list) == 1 && list[0].State == privacy.Done
		})
		i := must[incident.Incident](t)(h.Incidents.Get(ctx, h.by.Scope(), first))
		other := must[incident.Incident](t)(h.Incidents.Get(ctx, h.by.Scope(), second))
		places := must[*directory.Index](t)(h.Directory.Index(ctx, app.Tenant))
		shown, _ := places.Person(i.Declarant)
		if !shown.Pseudonym() || shown.Kind != her.Kind || shown.Email != "" || i.Declarant != other.Declarant || !i.Affected.Has(i.Declarant) || i.Affected.Has(her.ID) {
			t.Errorf("%+v %+v %+v", shown, i, other)
		}
		if name := places.PersonName(gone.ID); !strings.HasPrefix(name, "Technicien parti n°") || i.Assignee != gone.ID {
			t.Errorf("the departed is %q", name)
		}
		if name := places.PersonName(h.tech.ID); name != h.tech.Name {
			t.Errorf("who is here became %q", name)
		}
		for _, p := range places.People() {
			if p.Pseudonym() {
				t.Errorf("a pseudonym is in the list of people: %+v", p)
			}
		}
		// Her young incident and her card are as they were; of the old ones nothing leads to her.
		if now := must[incident.Incident](t)(h.Incidents.Get(ctx, h.by.Scope(), young.ID)); now.Declarant != her.ID || !strings.Contains(now.Description, herName) {
			t.Errorf("%+v", now)
		}
		events := must[[]journal.Event](t)(ofIncidents(ctx, h, first, second))
		for _, e := range events {
			var p incident.Payload
			if err := json.Unmarshal(e.Data, &p); err != nil {
				t.Fatal(err)
			}
			if e.Actor.ID == hers.Account && e.Actor.Kind == journal.ByAccount || p.Set.Declarant != nil && *p.Set.Declarant == her.ID || strings.Contains(plain(string(e.Data)), "zylberstein") || strings.Contains(plain(string(e.Data)), "0647821933") {
				t.Errorf("event %s names her: %+v %s", e.Pos, e.Actor, e.Data)
			}
		}
		if found, err := h.Search.Match(ctx, app.Tenant, "zylberstein"); err != nil || len(found) != 1 || found[0] != young.ID {
			t.Errorf("%v %v", found, err)
		}
		for _, trace := range h.traces(t) {
			if !strings.HasPrefix(trace, "person.") && !strings.HasPrefix(trace, "account.") && !strings.HasPrefix(trace, "event.") && !strings.HasPrefix(trace, "incident.") && !strings.HasPrefix(trace, "search") && !strings.HasPrefix(trace, "notify") {
				t.Error(trace)
			}
		}
		if p := must[privacy.Old](t)(h.Privacy.PreviewOld(ctx, h.boss, privacy.People, 365)); p.Incidents != 0 || len(p.Handlers) != 0 {
			t.Errorf("still due: %+v", p)
		}
		h.sound(t)

		// Texts.
		if err := h.Privacy.PurgeOld(ctx, privacy.Words, 365); err != nil {
			t.Fatal(err)
		}
		if i := must[incident.Incident](t)(h.Incidents.Get(ctx, h.by.Scope(), first)); i.Description != "" || !strings.HasPrefix(i.Title, "Écran de") {
			t.Errorf("%+v", i)
		}
		for _, e := range must[[]journal.Event](t)(ofIncidents(ctx, h, first, second)) {
			if strings.Contains(string(e.Data), "Merci") || strings.Contains(string(e.Data), "Appeler") {
				t.Errorf("%s", e.Data)
			}
		}
		h.sound(t)
	})
}

func ofIncidents(ctx context.Context, h *house, numbers ...int64) (events []journal.Event, err error) {
	err = h.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		events, err = journal.OfMany(ctx, tx, app.Tenant, incident.Subject, numbers)
		return err
	})
	return events, err
}
