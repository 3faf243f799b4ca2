package notify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// since gives what was told after some messages, sorted.
func (h *house) since(t *testing.T, before int) []string {
	t.Helper()
	h.work(t)
	all := h.told(t)
	out := slices.Clone(all[before:])
	slices.Sort(out)
	return out
}

func TestPeopleOfTheChainAreTold(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		must[directory.Support](t)(h.places.SaveSupport(ctx, system, directory.Support{School: h.schoolA, First: true, Hours: 4}))
		expect := func(what string, before int, want ...string) int {
			t.Helper()
			got := h.since(t, before)
			if !slices.Equal(got, want) {
				t.Errorf("%s: told %q, want %q", what, got, want)
			}
			return before + len(got)
		}
		i := h.declare(t, h.teacher)
		n := expect("declared", 0, "at_school petit@college-a.example", "received martin@college-a.example")
		if m := h.last(t, "received"); !strings.Contains(m.Body.Text(), "référent informatique") {
			t.Errorf("the declarant is not told who sees to it: %s", m.Body.Text())
		}
		i = h.act(t, h.referent, incident.Change{Incident: i.ID, Action: incident.Take})
		n = expect("taken at school", n, "taken martin@college-a.example")
		h.act(t, h.teacher, incident.Change{Incident: i.ID, Action: incident.Comment, Comment: "Je suis en salle 12"})
		expect("a word to the referent", n, "work_commented petit@college-a.example")
		tried := "Autre câble, autre prise"
		i = h.act(t, h.referent, incident.Change{Incident: i.ID, Action: incident.HandOver, Set: incident.Patch{Tried: &tried}})
		h.work(t)
		if m := h.last(t, "handed_over"); m.Address != "martin@college-a.example" || !strings.Contains(m.Body.Text(), tried) {
			t.Errorf("handed over: %s: %s", m.Address, m.Body.Text())
		}
		n = len(h.told(t))
		h.act(t, h.technician, incident.Change{Incident: i.ID, Action: incident.HandBack, Comment: "Un câble est dans l'armoire", Internal: true})
		n = expect("handed back", n, "at_school petit@college-a.example")
		if m := h.last(t, "at_school"); !strings.Contains(m.Body.Text(), "armoire") {
			t.Errorf("handed back without why: %s", m.Body.Text())
		}
		if moved, err := h.incidents.Lapse(ctx, 1, time.Now().Add(30*24*time.Hour)); err != nil || moved != 1 {
			t.Fatalf("lapsed: %d, %v", moved, err)
		}
		got := h.since(t, n)
		if !slices.Contains(got, "passed_on petit@college-a.example") || !slices.Contains(got, "handed_over martin@college-a.example") {
			t.Errorf("lapsed: told %q", got)
		}
	})
}
