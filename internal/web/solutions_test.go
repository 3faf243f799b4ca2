package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
)

// A technician is told what worked on incidents like one, sets a solution
// aside, takes it back, and resolves by one key; a referent reads what was
// done in their own school only.
func TestSolutionsBesideAnIncident(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	tech := w.identity(auth.Technician, w.technician)
	for k := range 6 {
		d := incident.Declaration{Title: "Bourrage papier au copieur", School: w.a, Room: w.roomA, Category: w.printing}
		if k%2 == 1 {
			d.School, d.Room = w.b, w.roomB
		}
		number := w.declare(t, d)
		w.act(t, tech, incident.Change{Incident: number, Action: incident.Take})
		w.act(t, tech, incident.Change{Incident: number, Action: incident.Resolve, Set: incident.Patch{CauseCode: &w.cause, ResolutionCode: &w.fix, Resolution: new("Rouleaux nettoyés")}})
	}
	w.settle(t)
	page := "/incidents/" + id(w.beside)
	b := w.as(t, "technician")
	a := b.get(page).wantStatus(http.StatusOK)
	if got := a.texts(".solution-name"); len(got) != 1 || !strings.Contains(got[0], "Remplacé") || !strings.Contains(a.text(".solution-words"), "Rouleaux nettoyés") {
		t.Fatalf("solutions %q, words %q", got, a.text(".solution-words"))
	}
	if got := a.hrefs(".solution .near a"); len(got) != 6 {
		t.Errorf("the figure opens %q", got)
	}
	form := func(do string) []string {
		v := url.Values{"do": {do}}
		for _, n := range a.all(".solution-list form input[type=hidden]") {
			if name := attribute(n, "name"); name != "do" {
				v.Set(name, attribute(n, "value"))
			}
		}
		var pairs []string
		for name := range v {
			pairs = append(pairs, name, v.Get(name))
		}
		return pairs
	}
	refused := form("refuse")
	if b.post(page+"/solutions", refused...).wantStatus(http.StatusOK).text(".solutions > .solution-list") != "" {
		t.Error("what was set aside is still proposed")
	}
	if a := b.get(page); len(a.texts(".solution-more .solution-name")) != 1 {
		t.Error("what was set aside cannot be taken back")
	}
	b.post(page+"/solutions", form("restore")...).wantStatus(http.StatusOK)

	referent := w.as(t, "referent")
	r := referent.get(page).wantStatus(http.StatusOK)
	if got := r.hrefs(".solution .near a"); len(got) != 3 || len(r.all(".solution-do")) != 0 {
		t.Errorf("the referent is shown %q, %d buttons", got, len(r.all(".solution-do")))
	}
	if got := w.as(t, "declarant").get("/incidents/" + id(w.own)).all(".solutions"); len(got) != 0 {
		t.Error("a declarant is shown solutions")
	}
	if got := b.get("/incidents/" + id(w.own)).text(".solutions"); !strings.Contains(got, "ressemble") {
		t.Errorf("of what nothing is known: %q", got)
	}

	a = b.get(page)
	b.post(page+"/solutions", form("apply")...).wantStatus(http.StatusOK)
	i, err := w.incidents.Get(context.Background(), system.Scope(), w.beside)
	if err != nil || i.State != incident.Resolved || i.ResolutionCode != w.fix || i.CauseCode != w.cause || i.Resolution != "Rouleaux nettoyés" {
		t.Errorf("%+v, %v", i, err)
	}
	verdicts, err := w.similar.Verdicts(context.Background(), system, i)
	if err != nil || len(verdicts) != 1 || verdicts[0].Refused {
		t.Errorf("%+v, %v", verdicts, err)
	}
	if got := b.get(page).all(".solutions"); len(got) != 0 {
		t.Error("solutions are proposed for what is resolved")
	}
}
