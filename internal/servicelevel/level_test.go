package servicelevel_test

import (
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/servicelevel"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// What the reader keeps of incidents that begin at their school is what their
// stories say.
func TestClocksWaitForTheSchool(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := newHouse(t, db)
		if err := h.service.SaveTarget(ctx, system, servicelevel.Target{Response: 60, Resolution: 600}); err != nil {
			t.Fatal(err)
		}
		must[directory.Support](t)(h.places.SaveSupport(ctx, system, directory.Support{School: h.a, First: true}))
		person := must[directory.Person](t)(h.places.SavePerson(ctx, system, directory.Person{Name: "Référent", Kind: directory.ITReferent, School: h.a})).ID
		referent := auth.Identity{Tenant: 1, Account: 5, Role: auth.Referent, Person: person, Schools: []int64{h.a}}
		declare := func() int64 {
			return must[incident.Incident](t)(h.incidents.Declare(ctx, referent, incident.Declaration{Title: "Panne", School: h.a})).ID
		}
		act := func(by auth.Identity, c incident.Change) {
			must[incident.Incident](t)(h.incidents.Act(ctx, by, c))
		}
		tried := "Tout"
		waiting, handed, back := declare(), declare(), declare()
		act(referent, incident.Change{Incident: waiting, Action: incident.Take})
		for _, id := range []int64{handed, back} {
			act(referent, incident.Change{Incident: id, Action: incident.HandOver, Set: incident.Patch{Tried: &tried}})
		}
		act(system, incident.Change{Incident: back, Action: incident.HandBack, Comment: "À vous"})
		h.fresh(t)
		stands := must[map[int64]servicelevel.Tally](t)(h.service.Standings(ctx, system.Scope(), []int64{waiting, handed, back}))
		for id, want := range map[int64]servicelevel.Phase{waiting: servicelevel.Paused, handed: servicelevel.Running, back: servicelevel.Paused} {
			if s := stands[id]; s.Response.Phase != want || s.Resolution.Phase != want {
				t.Errorf("incident %d: %+v, want %s", id, s, want)
			}
		}
		if s := stands[waiting]; !s.Response.Due.IsZero() || !s.Response.WarnAt.IsZero() {
			t.Errorf("nobody is to be warned of what is at its school: %+v", s.Response)
		}
		h.check(t, 3)
	})
}
