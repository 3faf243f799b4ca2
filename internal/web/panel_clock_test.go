package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/incident"
)

// Who works reads the account, who waits a sentence; the total is the sum.
func TestClockPanel(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx := context.Background()
	if err := w.service.SeedUsual(ctx, system); err != nil {
		t.Fatal(err)
	}
	page := "/incidents/" + id(w.own)
	a := w.as(t, "technician").get(page).wantStatus(http.StatusOK)
	if got := a.texts(".clock-line strong"); len(got) != 2 {
		t.Errorf("clocks: %q", got)
	}
	if got := w.as(t, "declarant").get(page).text(".clock-plain"); !strings.Contains(got, "au plus tard") {
		t.Errorf("the declarant reads %q", got)
	}
	if got := w.as(t, "declarant").get(page).texts(".clock"); len(got) != 0 {
		t.Errorf("the declarant is shown the account: %q", got)
	}
	if _, err := w.incidents.Act(ctx, system, incident.Change{Incident: w.own, Action: incident.Hold, Set: incident.Patch{WaitingCode: &w.reason}}); err != nil {
		t.Fatal(err)
	}
	if got := w.as(t, "declarant").get(page).texts(".clock-plain"); len(got) != 1 || !strings.Contains(got[0], "Attente d'une pièce") {
		t.Errorf("while waiting the declarant reads %q", got)
	}
	if got := w.as(t, "technician").get(page).text(".clock:last-of-type .badge"); got != "en pause" {
		t.Errorf("the resolution clock is %q", got)
	}
}
