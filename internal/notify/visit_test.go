package notify_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
	"statincidents/internal/visit"
)

// tomorrow is an open hour to come.
func (h *house) tomorrow(days int) time.Time {
	return sqldb.Now().Add(time.Duration(days) * 24 * time.Hour).Truncate(time.Hour)
}

func TestPeopleAreToldOfVisits(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		i := h.declare(t, h.teacher)
		h.work(t)
		n := len(h.told(t))
		expect := func(what string, want ...string) {
			t.Helper()
			got := h.since(t, n)
			if !slices.Equal(got, want) {
				t.Errorf("%s: told %q, want %q", what, got, want)
			}
			n += len(got)
		}
		v := must[visit.Visit](t)(h.visits.Plan(ctx, h.technician, visit.Draft{Kind: visit.OnSite, School: h.schoolA, Technician: h.technician.Person, Start: h.tomorrow(2), Minutes: 60, Purpose: "Vidéoprojecteurs", Note: "code du portail 1234", Incidents: []int64{i.ID}}))
		expect("planned", "visit_planned martin@college-a.example", "visit_planned petit@college-a.example")
		for _, m := range must[[]string](t)(h.texts(ctx, n-2)) {
			if !strings.Contains(m, "intervention.ics") || strings.Contains(m, "1234") {
				t.Errorf("planned: %s", m)
			}
		}
		start := h.tomorrow(3)
		v = must[visit.Visit](t)(h.visits.Change(ctx, h.technician, v.ID, 0, visit.Edit{Start: &start}))
		expect("moved", "visit_moved martin@college-a.example", "visit_moved petit@college-a.example")
		note := "apporter une échelle"
		v = must[visit.Visit](t)(h.visits.Change(ctx, h.technician, v.ID, 0, visit.Edit{Note: &note}))
		expect("a note for the unit")
		must[visit.Visit](t)(h.visits.Act(ctx, h.technician, v.ID, 0, visit.Cancel))
		expect("cancelled", "visit_cancelled martin@college-a.example", "visit_cancelled petit@college-a.example")

		// Planned and cancelled before anybody was told: nothing happened.
		v = must[visit.Visit](t)(h.visits.Plan(ctx, h.technician, visit.Draft{Kind: visit.Remote, School: h.schoolB, Technician: h.second.Person, Start: h.tomorrow(4), Minutes: 30, Purpose: "Test"}))
		must[visit.Visit](t)(h.visits.Act(ctx, h.technician, v.ID, 0, visit.Cancel))
		expect("called off at once")
		// Without an incident; somebody else goes.
		must[visit.Visit](t)(h.visits.Plan(ctx, h.technician, visit.Draft{Kind: visit.Remote, School: h.schoolB, Technician: h.second.Person, Start: h.tomorrow(5), Minutes: 30, Purpose: "Mise à jour"}))
		expect("for nothing declared", "visit_planned grand@college-b.example", "visit_planned tech2@departement.example")
		if m := h.last(t, "visit_planned"); !strings.Contains(m.Body.Text(), "Mise à jour") || !strings.Contains(m.Body.Text(), "distance") {
			t.Errorf("remote: %s", m.Body.Text())
		}
	})
}

// texts are the messages after some.
func (h *house) texts(ctx context.Context, before int) ([]string, error) {
	list, err := h.Shown(ctx, 300)
	slices.Reverse(list)
	var out []string
	for _, m := range list[before:] {
		out = append(out, m.Body.Text())
	}
	return out, err
}
