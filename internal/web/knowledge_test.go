package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/knowledge"
)

// An article is made of a resolution, seen before it is kept, published, read
// by who it is for, restored and counted.
func TestArticleFromAResolution(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	tech := w.identity(auth.Technician, w.technician)
	w.act(t, tech, incident.Change{Incident: w.own, Action: incident.Resolve, Set: incident.Patch{CauseCode: &w.cause, ResolutionCode: &w.fix, Resolution: new("Lampe changée")}})
	b := w.as(t, "technician")
	write := b.get("/incidents/" + id(w.own)).wantStatus(http.StatusOK).hrefs("section[aria-labelledby=articles] a")
	if len(write) != 1 {
		t.Fatalf("no article can be made of a resolution: %q", write)
	}
	form := b.get(write[0]).wantStatus(http.StatusOK)
	body := form.text("textarea[name=body]")
	if !strings.Contains(body, "Depuis lundi matin") || !strings.Contains(body, "Lampe changée") || !strings.Contains(body, "Usure") || form.attr("input[name=title]", "value") != "Le vidéoprojecteur reste noir" {
		t.Errorf("the article begins with %q", body)
	}
	typed := []string{"title", "Changer la lampe", "audience", "everyone", "body", "## Marche\n\n1. **Éteindre** <script>x</script>", "incident", id(w.own), "version", ""}
	seen := b.post("/knowledge/new", append(typed, "preview", "1")...).wantStatus(http.StatusOK)
	if seen.text(".article-body strong") != "Éteindre" || len(seen.all(".article-body script")) != 0 {
		t.Errorf("the preview shows %q", seen.text(".article-body"))
	}
	kept := b.post("/knowledge/new", append(typed, "publish", "1")...).wantStatus(http.StatusOK)
	address := kept.Request.URL.Path
	if kept.text("h1") != "Changer la lampe" {
		t.Fatalf("after publishing: %q at %s", kept.text("h1"), address)
	}
	d := w.as(t, "declarant")
	if got := d.get(address).wantStatus(http.StatusOK); len(got.all(".article-editions")) != 0 || !strings.Contains(got.text(".article-body"), "Éteindre") {
		t.Error("a declarant is shown the history, or not the article")
	}
	d.post(address+"/use", "use", "helped").wantStatus(http.StatusOK)
	b.post(address+"/edit", "title", "Changer la lampe", "audience", "technicians", "body", "Autrement", "version", "1").wantStatus(http.StatusOK)
	b.post(address+"/edit", "title", "Autre", "audience", "technicians", "body", "Autrement encore", "version", "1").wantStatus(http.StatusConflict)
	d.get(address).wantStatus(http.StatusNotFound)
	old := b.get(address + "?version=1").wantStatus(http.StatusOK)
	if !strings.Contains(old.text(".article-body"), "Éteindre") || old.attr(".notice.warning input[name=version]", "value") != "2" {
		t.Errorf("the first version: %q", old.text(".article-body"))
	}
	all, err := w.knowledge.List(context.Background(), system, knowledge.Filter{Text: "lampe"})
	if err != nil || len(all) != 1 || all[0].Uses.Helped != 1 || all[0].Incident != w.own {
		t.Errorf("%+v, %v", all, err)
	}
	list := b.get("/knowledge?q=lampe&audience=technicians").wantStatus(http.StatusOK)
	if got := list.hrefs(".incident-list .row-link"); len(got) != 1 || got[0] != address {
		t.Errorf("the list shows %q", got)
	}
	if got := b.get("/go?q=lampe").hrefs("a"); !strings.Contains(strings.Join(got, " "), address) {
		t.Errorf("going to it: %q", got)
	}
}

func TestArticlesBesideAnIncident(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	a := b.get("/incidents/" + id(w.own)).wantStatus(http.StatusOK)
	if got := a.texts("section[aria-labelledby=articles] summary"); len(got) != 2 || got[0] != "Le vidéoprojecteur reste noir" {
		t.Errorf("proposed: %q", got)
	}
	if got := w.as(t, "declarant").get("/incidents/" + id(w.own)).all("section[aria-labelledby=articles]"); len(got) != 0 {
		t.Error("a declarant is shown the technicians' panel")
	}
	b.post("/knowledge/"+id(w.secretAdvice)+"/use", "use", "applied", "incident", id(w.own)).wantStatus(http.StatusOK)
	got, err := w.knowledge.Get(context.Background(), system, w.secretAdvice)
	if err != nil || got.Uses.Applied != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
