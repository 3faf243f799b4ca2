package web

import (
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/incident"
)

// Several incidents are chosen, what would become of each is shown, it is done,
// and taken back as a whole.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	list := b.get("/incidents?open=yes")
	if n := list.count("input[name=ids]"); n != 3 {
		t.Fatalf("%d rows may be chosen", n)
	}
	if n := w.as(t, "declarant").get("/incidents?open=yes").count("input[name=ids]"); n != 0 {
		t.Errorf("a declarant may choose %d rows", n)
	}
	b.post("/incidents/"+id(w.beside)+"/act", "action", "cancel", "comment", "Doublon")
	chosen := []string{"ids", id(w.own) + "," + id(w.beside) + "," + id(w.foreign)}
	page := b.post("/incidents/bulk", append([]string{"action", "resolve"}, chosen...)...).wantStatus(http.StatusOK)
	if page.count("select[name=resolution_code]") != 1 {
		t.Fatal("the action's fields are not asked for")
	}
	page = b.post("/incidents/bulk", append([]string{"action", "resolve", "step", "preview"}, chosen...)...)
	if page.wantStatus(http.StatusUnprocessableEntity); page.text("#f-resolution_code-error") == "" {
		t.Errorf("a missing code: %s", page.text("main"))
	}
	with := append([]string{"action", "resolve", "resolution_code", id(w.fix), "cause_code", id(w.cause)}, chosen...)
	page = b.post("/incidents/bulk", append([]string{"step", "preview"}, with...)...).wantStatus(http.StatusOK)
	if text := page.text("main"); !strings.Contains(text, "2 changeront") || !strings.Contains(text, "1 ne peut pas") {
		t.Fatalf("the preview says %s", text)
	}
	if i := w.stands(t, w.own); i.State != incident.New {
		t.Fatal("the preview wrote")
	}
	started := b.post("/incidents/bulk", append([]string{"step", "run"}, with...)...)
	path := started.Request.URL.Path
	report := b.until(path, func(a *answer) bool { return a.count(".bulk-list") > 0 })
	if text := report.text("main"); !strings.Contains(text, "2 traités") || !strings.Contains(text, "1 refusé") {
		t.Errorf("the report says %s", text)
	}
	w.as(t, "second").get(path).wantStatus(http.StatusNotFound)
	back := b.post(path + "/undo").wantStatus(http.StatusOK)
	if text := back.text("main"); !strings.Contains(text, "2 annulés") {
		t.Errorf("taken back: %s", text)
	}
	if i := w.stands(t, w.own); i.State != incident.New || i.ResolutionCode != 0 {
		t.Errorf("not as it was: %+v", i)
	}
	// All that the filter leaves, without ticking.
	page = b.post("/incidents/bulk", "all", "1", "filter", "school="+id(w.b), "action", "take", "step", "preview").wantStatus(http.StatusOK)
	if page.count("input[name=ids]") != 1 || page.attr("input[name=ids]", "value") != id(w.foreign) {
		t.Errorf("all of the filter: %s", page.text("main"))
	}
}

func (w *town) stands(t *testing.T, number int64) incident.Incident {
	t.Helper()
	return get1[incident.Incident](t)(w.incidents.Get(t.Context(), system.Scope(), number))
}

// A main incident opens a part in another school, says one message to all, and
// when it is resolved offers the same to its parts.
func TestMassIncident(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	at := "/incidents/" + id(w.own)
	page := b.post(at+"/spread", "schools", id(w.b)).wantStatus(http.StatusOK)
	if text := page.text(".incident-mass"); !strings.Contains(text, "2 collèges touchés") || !strings.Contains(text, "Collège B") {
		t.Fatalf("the panel says %s", text)
	}
	said := b.post(at+"/message", "comment", "Un technicien passe à 14 h")
	b.until(said.Request.URL.Path, func(a *answer) bool { return a.count(".bulk-list") > 0 })
	parts := get1[[]incident.Incident](t)(w.incidents.Children(t.Context(), system.Scope(), w.own))
	if len(parts) != 1 {
		t.Fatalf("%d parts", len(parts))
	}
	for _, number := range []int64{w.own, parts[0].ID} {
		if text := b.get("/incidents/" + id(number)).text(".story"); !strings.Contains(text, "passe à 14 h") {
			t.Errorf("incident %d was not told: %s", number, text)
		}
	}
	if text := b.get("/incidents/" + id(parts[0].ID)).text(".incident-links"); !strings.Contains(text, "vidéoprojecteur") {
		t.Errorf("the part does not lead to the main one: %s", text)
	}
	done := b.post(at+"/act", "action", "resolve", "resolution_code", id(w.fix), "cause_code", id(w.cause)).wantStatus(http.StatusOK)
	next := done.attr(".notice a", "href")
	if !strings.Contains(next, "/incidents/bulk") || !strings.Contains(next, id(parts[0].ID)) {
		t.Fatalf("the parts are not offered: %q in %s", next, done.text(".notice"))
	}
	form := b.get(next).wantStatus(http.StatusOK)
	if form.attr("select[name=resolution_code] option[selected]", "value") != id(w.fix) {
		t.Error("the code is asked for again")
	}
}

// A problem's workaround is read on its incidents: by who handles them at once,
// by the declarant when it is public.
func TestProblemPages(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b, declarant := w.as(t, "technician"), w.as(t, "declarant")
	at := "/incidents/" + id(w.own)
	a := b.post("/problems/new", "title", "", "state", "open").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-title-error") == "" {
		t.Error("a missing title is not said beside its field")
	}
	a = b.post("/problems/new", "title", "Câbles HDMI fatigués", "state", "open", "workaround", "Tourner la fiche", "link", id(w.own)).wantStatus(http.StatusOK)
	where := a.Request.URL.Path
	if text := b.get(at).text(".problem-panel"); !strings.Contains(text, "Tourner la fiche") {
		t.Errorf("who handles reads %q", text)
	}
	if text := declarant.get(at).text("main"); strings.Contains(text, "Tourner la fiche") {
		t.Error("the declarant reads what is not public")
	}
	b.post(where+"/edit", "version", "2", "title", "Câbles HDMI fatigués", "state", "known", "cause", "Secret de fabrication", "workaround", "Tourner la fiche", "public", "1").wantStatus(http.StatusOK)
	if text := declarant.get(at).text("main"); !strings.Contains(text, "Tourner la fiche") || strings.Contains(text, "Secret de fabrication") {
		t.Errorf("the declarant reads %q", text)
	}
	if n := b.post(where+"/link", "incidents", "#"+id(w.beside)+" "+id(w.foreign)).wantStatus(http.StatusOK).count("main .bulk-list li"); n != 3 {
		t.Errorf("%d incidents are tied", n)
	}
	if text := b.get("/go?q=hdmi").body; !strings.Contains(text, where) {
		t.Error("the problem is not found")
	}
	b.get("/problems.csv").wantStatus(http.StatusOK)
}

// Links, who has it too, a name called in a comment, a macro, the answer after
// closing: each from its form.
func TestDeskForms(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	at := "/incidents/" + id(w.own)
	if a := b.post(at+"/link", "kind", "same", "other", "99999").wantStatus(http.StatusUnprocessableEntity); a.text("#link-other-error") == "" {
		t.Errorf("an unknown number is not said beside its field: %s", a.text(".incident-links"))
	}
	a := b.post(at+"/link", "kind", "related", "other", "#"+id(w.beside)).wantStatus(http.StatusOK)
	if !strings.Contains(a.text(".incident-links"), "Bourrage") {
		t.Errorf("related: %s", a.text(".incident-links"))
	}
	a = b.post(at+"/unlink", "kind", "related", "other", id(w.beside))
	if strings.Contains(a.text(".incident-links"), "Bourrage") {
		t.Error("still related")
	}
	b.post(at+"/affected", "room", id(w.roomB)).wantStatus(http.StatusUnprocessableEntity)
	b.post(at+"/act", "action", "comment", "comment", "@Cheffe qu'en dites-vous ?")
	if text := w.as(t, "lead").get("/mentions").text("main"); !strings.Contains(text, "qu'en dites-vous") {
		t.Errorf("who is called reads %q", text)
	}
	lead := w.as(t, "lead")
	lead.post("/presets/new", "kind", "macro", "label", "Lampe", "action", "resolve", "resolution_code", id(w.fix), "cause_code", id(w.cause), "shared", "1").wantStatus(http.StatusOK)
	macro := b.get(at).attr("input[name=macro]", "value")
	if macro == "" {
		t.Fatal("the shared macro is not offered")
	}
	a = b.post(at+"/macro", "macro", macro).wantStatus(http.StatusOK)
	if a.text(".incident-line .badge") != "résolu" || a.attr(".notice form", "action") == "" {
		t.Errorf("after the macro: %s", a.text(".incident-line"))
	}
	declarant := w.as(t, "declarant")
	declarant.post(at+"/act", "action", "confirm")
	if declarant.get(at).count(".rating form") != 1 || b.get(at).count(".rating form") != 0 {
		t.Error("the question is for the declarant, once it is closed")
	}
	a = declarant.post(at+"/rate", "rating", "satisfied", "comment", "Merci").wantStatus(http.StatusOK)
	if !strings.Contains(a.text(".rating"), "Satisfait") {
		t.Errorf("the answer: %s", a.text(".rating"))
	}
	part := b.post("/incidents/"+id(w.beside)+"/split", "title", "Et le scanner").wantStatus(http.StatusOK)
	if !strings.Contains(part.text(".incident-links"), "Bourrage") {
		t.Errorf("the part leads to %s", part.text(".incident-links"))
	}
}
