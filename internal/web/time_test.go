package web

import (
	"net/http"
	"strings"
	"testing"
)

func TestTimeOnAnIncident(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	page := "/incidents/" + id(w.own)
	a := b.post("/time", "incident", id(w.own), "minutes", "30", "back", page).wantStatus(http.StatusOK)
	if a.Request.URL.Path != page || a.text(".section-head:has(#time-i"+id(w.own)+"-v0) strong") != "30 min" {
		t.Errorf("logged: %s %s", a.Request.URL, a.text(".notice"))
	}
	entry := a.attr(".time-entries a", "href")
	undo, back := a.attr(".notice form", "action"), a.attr(".notice input[name=back]", "value")
	a = b.post(undo, "back", back).wantStatus(http.StatusOK)
	if len(a.all(".time-entries li")) != 0 {
		t.Errorf("withdrawn: %s", a.text(".time-entries"))
	}
	again := a.attr(".notice form", "action")
	a = b.post(again, "minutes", "30", "day", a.attr(".notice input[name=day]", "value")).wantStatus(http.StatusOK)
	if len(a.all(".time-entries li")) != 1 {
		t.Error("the withdrawal is not taken back")
	}
	form := b.get(entry).wantStatus(http.StatusOK)
	if form.attr("#f-minutes", "value") != "30" {
		t.Errorf("to correct: %s", form.text("main"))
	}
	b.post(entry, "minutes", "0", "day", form.attr("#f-day", "value")).wantStatus(http.StatusUnprocessableEntity)
	b.post(entry, "minutes", "45", "day", form.attr("#f-day", "value"), "note", "par téléphone").wantStatus(http.StatusOK)
	w.as(t, "second").post(entry, "minutes", "1", "day", form.attr("#f-day", "value")).wantStatus(http.StatusForbidden)

	a = b.post("/time/timer", "do", "start", "incident", id(w.own), "back", page).wantStatus(http.StatusOK)
	if a.attr(".time-do input[name=do]", "value") != "stop" {
		t.Errorf("the timer does not run: %s", a.text(".time-do"))
	}
	if other := b.get("/incidents/" + id(w.foreign)); other.attr(".time-do .muted a", "href") != page {
		t.Error("another incident does not say where the timer runs")
	}
	a = b.post("/time/timer", "do", "stop", "back", page).wantStatus(http.StatusOK)
	if total := a.text(".section-head:has(#time-i" + id(w.own) + "-v0) strong"); total != "46 min" {
		t.Errorf("total %q", total)
	}
	if body := w.as(t, "referent").get(page).body; strings.Contains(body, "par téléphone") {
		t.Error("the referent reads the unit's time")
	}
	export := b.get("/incidents.csv?period=all").wantStatus(http.StatusOK)
	if !strings.Contains(export.body, "Temps passé") || !strings.Contains(export.body, ";46") {
		t.Errorf("export:\n%s", export.body)
	}
	if strings.Contains(w.as(t, "referent").get("/incidents.csv?period=all").body, "Temps passé") {
		t.Error("the referent exports the unit's time")
	}
}
