package web

import (
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/routing"
)

func TestRoutingRules(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "lead")
	if got := b.get("/admin/routing").text(".empty h2"); got == "" {
		t.Error("nothing teaches the first step")
	}
	b.post("/admin/routing/new", "name", "Impression", "categories", id(w.printing)).wantStatus(http.StatusUnprocessableEntity)
	a := b.post("/admin/routing/new", "name", "Impression", "categories", id(w.printing), "team", id(w.team)).wantStatus(http.StatusOK)
	if got := a.text(".rule"); !strings.Contains(got, "Impression") || !strings.Contains(got, "inactive") {
		t.Errorf("the new rule says %q", got)
	}
	// Two of the three incidents of the town are about printing.
	if got := a.text("#trial"); !strings.Contains(got, "2 incidents sur 3") {
		t.Errorf("tried: %q", got)
	}
	b.post("/admin/routing/new", "name", "Reste", "person", id(w.technician), "words", "vidéo, écran").wantStatus(http.StatusOK)
	rules := get1[[]routing.Rule](t)(w.rules.Rules(t.Context(), 1))
	if len(rules) != 2 || len(rules[1].Words) != 2 {
		t.Fatalf("rules %+v", rules)
	}
	path := "/admin/routing/" + id(rules[1].ID)
	if got := b.post(path+"/switch", "on", "1").text(".rules > li:nth-child(2) .badge"); got != "active" {
		t.Errorf("switched on: %q", got)
	}
	if got := b.post(path+"/move", "to", "up").text(".rules > li:nth-child(1) .row-link"); got != "Reste" {
		t.Errorf("first is %q", got)
	}
	if got := b.get(path).texts(".rule-history li"); len(got) != 3 {
		t.Errorf("history %q", got)
	}
	b.get(path + "/remove").wantStatus(http.StatusOK)
	if got := b.post(path + "/remove").texts(".rules > li"); len(got) != 1 {
		t.Errorf("left: %q", got)
	}
}
