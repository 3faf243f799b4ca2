package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
)

// A call is noted from who calls and one sentence; with a code it is solved in
// the same gesture.
func TestPhone(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	for typed, want := range map[string][]string{
		"mart":         {"Mme Martin"},
		"pithiviers":   {"Collège A"},
		"collège b":    {"M. Voisin", "Collège B"},
		"0450002":      {"Collège B"},
		"tech un":      nil, // the unit does not call itself
		"zzz":          nil,
		"martin gien":  nil,
		"M. Voisin  ":  {"M. Voisin"},
		"MARTIN":       {"Mme Martin"},
		"collegue":     {"M. Collègue"},
		"%_'\"<script": nil,
	} {
		if got := b.get("/phone/who?who=" + strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(typed, "%", "%25"), " ", "+"), "\"", "%22")).texts("[role=option] strong"); !slices.Equal(got, want) {
			t.Errorf("%q offers %q, want %q", typed, got, want)
		}
	}
	a := b.get("/phone?caller=person:" + id(w.teacher)).wantStatus(http.StatusOK)
	if rest := a.text("#phone-rest"); !strings.Contains(rest, "Collège A") || !strings.Contains(rest, "Bourrage papier") || !strings.Contains(rest, "Le vidéoprojecteur reste noir") || strings.Contains(rest, "Secret de Gien") {
		t.Errorf("beside the call: %s", rest)
	}
	typed := []string{"once", a.attr("input[name=once]", "value"), "caller", "person:" + id(w.teacher), "title", "Plus de son", "room", id(w.roomA), "urgency", "1"}
	b.post("/phone", typed...).wantStatus(http.StatusOK)
	a = b.post("/phone", typed...).wantStatus(http.StatusOK) // sent twice
	if a.Request.URL.Path != "/phone" || !strings.Contains(a.text(".notice"), "Plus de son") {
		t.Fatalf("noted: %s %s", a.Request.URL, a.text("main"))
	}
	declared := get1[[]incident.Incident](t)(w.incidents.ByDeclarant(t.Context(), auth.ScopeAll(1), w.teacher, 9))
	if len(declared) != 2 || declared[0].Origin != incident.Phone || declared[0].School != w.a || declared[0].Room != w.roomA || declared[0].Urgency != 1 || declared[0].State != incident.New {
		t.Errorf("declared: %+v", declared)
	}
	a = b.post("/phone", "who", "Voisin", "title", "Mot de passe oublié", "resolution_code", id(w.fix)).wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-cause_code-error") == "" || a.attr("#f-title", "value") != "Mot de passe oublié" {
		t.Errorf("solved without a cause: %s", a.text("main"))
	}
	a = b.post("/phone", "who", "Voisin", "title", "Mot de passe oublié", "resolution_code", id(w.fix), "cause_code", id(w.cause)).wantStatus(http.StatusOK)
	if !strings.Contains(a.text(".notice"), "résolu") {
		t.Errorf("solved at once: %s", a.text("main"))
	}
	solved := get1[[]incident.Incident](t)(w.incidents.ByDeclarant(t.Context(), auth.ScopeAll(1), w.neighbour, 9))[0]
	if solved.State != incident.Resolved || solved.ResolutionCode != w.fix || solved.Assignee != w.technician || solved.Origin != incident.Phone {
		t.Errorf("solved: %+v", solved)
	}
	a = b.post("/phone", "who", "collège", "title", "Panne").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-who-error") == "" || len(a.all(".phone-who input[type=radio]")) < 2 {
		t.Errorf("several may be meant: %s", a.text("main"))
	}
}
