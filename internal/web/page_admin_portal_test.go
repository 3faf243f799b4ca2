package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
)

// The pictures are put, moved, worded and taken off, each step with its way
// back, and the declaration form shows them so.
func TestPortalPictures(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	lead := w.as(t, "lead")
	onForm := func() []string {
		t.Helper()
		var words []string
		for _, n := range w.as(t, "declarant").get("/declare").all(".declare-what .choice") {
			words = append(words, textOf(n))
		}
		return words
	}
	words, err := w.catalog.Index(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	top := words.Children(0)
	if len(top) < 2 {
		t.Fatalf("%d categories", len(top))
	}
	a, b := top[0], top[1]
	lead.post("/admin/portal/"+id(a.ID)+"/show", "shown", "1").wantStatus(http.StatusOK)
	lead.post("/admin/portal/"+id(b.ID), "shown", "1", "label", "Mot simple", "icon", "printer", "advice", "Patientez.").wantStatus(http.StatusOK)
	if got := onForm(); !slices.Equal(got, []string{a.Label, "Mot simple"}) {
		t.Fatalf("put: %q", got)
	}
	page := lead.post("/admin/portal/"+id(b.ID)+"/move", "to", "up").wantStatus(http.StatusOK)
	if got := onForm(); !slices.Equal(got, []string{"Mot simple", a.Label}) {
		t.Errorf("moved: %q", got)
	}
	lead.post(page.attr(".notice form", "action"), "to", page.attr(".notice input[name=to]", "value"))
	if got := onForm(); !slices.Equal(got, []string{a.Label, "Mot simple"}) {
		t.Errorf("moved back: %q", got)
	}
	page = lead.post("/admin/portal/"+id(a.ID)+"/show", "shown", "").wantStatus(http.StatusOK)
	if got := onForm(); !slices.Equal(got, []string{"Mot simple"}) {
		t.Errorf("taken off: %q", got)
	}
	if !strings.Contains(page.text(".tiles"), "Patientez.") {
		t.Errorf("no advice on the page: %q", page.text(".tiles"))
	}
	lead.post("/admin/portal/"+id(b.ID), "shown", "1", "label", strings.Repeat("x", catalog.MaxTileLabel+1)).wantStatus(http.StatusUnprocessableEntity)
	if _, err := w.catalog.MoveTile(t.Context(), auth.System(1), a.ID, 1); err == nil {
		t.Error("a picture that is not shown was moved")
	}
}
