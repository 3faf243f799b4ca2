package web

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
)

// monday is a day to come, well after the town's own visits.
func monday(weeks int) time.Time {
	now := time.Now().In(paris)
	d := time.Date(now.Year(), now.Month(), now.Day(), 10, 0, 0, 0, paris)
	for d.Weekday() != time.Monday {
		d = d.AddDate(0, 0, 1)
	}
	return d.AddDate(0, 0, 7*weeks)
}

func TestVisitFromAnIncident(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	plan := b.get("/incidents/"+id(w.own)).attr(`a[href^="/visits/new"]`, "href")
	form := b.get(plan).wantStatus(http.StatusOK)
	if form.attr(`input[name=incidents][value="`+id(w.own)+`"]`, "checked") != "" || form.attr(`input[name=school]`, "value") != id(w.a) {
		t.Errorf("the form does not know the incident")
	}
	if len(form.all(`input[name=incidents]`)) != 2 || len(form.all(`input[name=incidents][checked]`)) != 1 {
		t.Errorf("%d incidents offered, %d chosen", len(form.all(`input[name=incidents]`)), len(form.all(`input[name=incidents][checked]`)))
	}
	start := monday(3)
	a := b.post("/visits/new", "school", id(w.a), "kind", "on_site", "technician", id(w.technician), "start", start.Format(localInstant), "minutes", "90", "incidents", id(w.own), "note", "Digicode 1234").wantStatus(http.StatusOK)
	if !strings.HasPrefix(a.Request.URL.Path, "/visits/") || !strings.Contains(a.text(".notice"), "planifiée") {
		t.Fatalf("planned: %s %s", a.Request.URL, a.text("main"))
	}
	page := a.Request.URL.Path
	// While one is there: the colleague's incident, added in one click.
	if got := a.attr(".visit-also input[name=incident]", "value"); got != id(w.beside) {
		t.Errorf("also there: %q", got)
	}
	a = b.post(page+"/add", "incident", id(w.beside)).wantStatus(http.StatusOK)
	if len(a.all(".visit-also li")) != 0 || len(a.all(".visit-items .row-link")) != 2 {
		t.Errorf("added: %s", a.text("main"))
	}
	i := get1[incident.Incident](t)(w.incidents.Get(t.Context(), auth.ScopeAll(1), w.beside))
	if i.State != incident.Planned || !i.PlannedAt.Equal(start) {
		t.Errorf("the incident is %s at %s", i.State, i.PlannedAt)
	}
	// The declarant is told in words, the referent too, without the note.
	plain := w.as(t, "declarant").get("/incidents/" + id(w.own)).wantStatus(http.StatusOK)
	if said := plain.text(".visit-plain"); !strings.Contains(said, "Tech Un viendra lundi") {
		t.Errorf("the declarant reads %q", said)
	}
	if len(plain.hrefs(`a[href^="/visits"]`)) != 0 {
		t.Error("the declarant is offered the visit's page")
	}
	seen := w.as(t, "referent").get(page).wantStatus(http.StatusOK)
	if strings.Contains(seen.body, "Digicode") || len(seen.all("main form")) != 0 || !strings.Contains(seen.text("main"), "Tech Un") {
		t.Errorf("the referent reads %s", seen.text("main"))
	}
	if w.as(t, "referent").get("/visits?week="+start.Format(time.DateOnly)).wantStatus(http.StatusOK).text(".visit-card strong") != "Collège A" {
		t.Error("the referent's calendar does not show it")
	}
	// Called off, and back.
	a = b.post(page+"/act", "action", "cancel").wantStatus(http.StatusOK)
	if undo := a.attr(".notice form", "action"); undo != page+"/undo" {
		t.Fatalf("undo %q", undo)
	}
	b.post(page+"/undo", "version", a.attr(".notice input[name=version]", "value")).wantStatus(http.StatusOK)
	if i := get1[incident.Incident](t)(w.incidents.Get(t.Context(), auth.ScopeAll(1), w.own)); i.State != incident.Planned {
		t.Errorf("after the undo the incident is %s", i.State)
	}
}

func TestVisitClashesAreShownFirst(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	start := monday(3)
	send := func(more ...string) *answer {
		return b.post("/visits/new", append([]string{"school", id(w.a), "kind", "on_site", "technician", id(w.technician), "start", start.Format(localInstant), "minutes", "60", "purpose", "Passage"}, more...)...)
	}
	if a := send(); a.StatusCode != http.StatusOK {
		t.Fatalf("first: %d %s", a.StatusCode, a.text("main"))
	}
	a := send().wantStatus(http.StatusConflict)
	if said := a.text("#clashes"); !strings.Contains(said, "Tech Un est déjà attendu à Collège A") {
		t.Errorf("said %q", said)
	}
	if a.attr("#f-purpose", "value") != "Passage" {
		t.Error("what was typed is lost")
	}
	if a := send("anyway", "1").wantStatus(http.StatusOK); !strings.Contains(a.text(".notice.warning"), "déjà attendu") {
		t.Errorf("afterwards the page says %q", a.text("main"))
	}
	if a := b.get("/visits?week=" + start.Format(time.DateOnly)); a.text(".notice.warning") == "" || len(a.all(".visit-card .tone-warning")) != 2 {
		t.Errorf("the calendar does not show the overlap: %s", a.text("main"))
	}
	night := start.Add(-8 * time.Hour)
	a = b.get("/visits/clashes?school=" + id(w.a) + "&kind=on_site&technician=" + id(w.technician) + "&minutes=60&start=" + night.Format(localInstant)).wantStatus(http.StatusOK)
	if !strings.Contains(a.body, "heures d’ouverture") {
		t.Errorf("at night: %s", a.body)
	}
	// The box that plans it all the same stays ticked while the reasons stay.
	asked := "/visits/clashes?school=" + id(w.a) + "&kind=on_site&technician=" + id(w.technician) + "&minutes=60&anyway=1&clash=" + a.attr("[name=clash]", "value") + "&start="
	if a := b.get(asked + night.Format(localInstant)); !strings.Contains(a.body, "checked") {
		t.Errorf("asked again: %s", a.body)
	}
	if a := b.get(asked + start.Format(localInstant)); strings.Contains(a.body, "checked") {
		t.Errorf("ticked for other reasons: %s", a.body)
	}
}

func TestCalendarLink(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	b.post("/visits/feed").wantStatus(http.StatusOK)
	address := b.get("/visits/feed").attr("#feed", "value")
	stranger := w.reader(t)
	read := func() *answer {
		return stranger.get(strings.TrimPrefix(address, w.URL))
	}
	a := read().wantStatus(http.StatusOK)
	if a.Header.Get("Content-Type") != "text/calendar; charset=utf-8" || strings.Count(a.body, "BEGIN:VEVENT") != 2 {
		t.Errorf("%s\n%s", a.Header.Get("Content-Type"), a.body)
	}
	b.post("/visits/feed").wantStatus(http.StatusOK)
	read().wantStatus(http.StatusNotFound)
	address = b.get("/visits/feed").attr("#feed", "value")
	read().wantStatus(http.StatusOK)
	b.post("/visits/feed/close").wantStatus(http.StatusOK)
	read().wantStatus(http.StatusNotFound)
}

func TestVisitsExport(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for _, c := range []struct {
		login string
		rows  int
	}{{"technician", 2}, {"referent", 1}} {
		a := w.as(t, c.login).get("/visits.csv?view=list").wantStatus(http.StatusOK)
		if rows := strings.Count(strings.TrimSpace(a.body), "\n"); rows != c.rows {
			t.Errorf("%s exports %s rows:\n%s", c.login, strconv.Itoa(rows), a.body)
		}
	}
}
