package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	mailin "statincidents/internal/intake/mail"
)

// A technician sorts a stranger's message: it is shown inert, becomes an
// incident with its sender remembered, and can be taken back.
func TestMailIsSorted(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	list := b.get("/mail")
	if rows := list.texts(".mail-row .row-link"); len(rows) != 1 || rows[0] != "Wifi <b>coupé</b>" {
		t.Fatalf("rows %q", rows)
	}
	page := b.get("/mail/1")
	if got := page.texts(".mail-text"); len(got) != 2 || got[0] != "Plus de wifi au CDI." || !strings.Contains(got[1], "Nadia") {
		t.Errorf("text %q", got)
	}
	if n := len(page.all(".mail-letter b, .mail-letter script, .mail-letter img")); n != 0 {
		t.Errorf("%d elements of the sender's", n)
	}
	if n := len(page.all("details.mail-fold")); n != 1 {
		t.Errorf("%d folded stretches", n)
	}
	b.post("/mail/1/incident", "title", "", "school", id(w.a)).wantStatus(http.StatusUnprocessableEntity)
	done := b.post("/mail/1/incident", "title", "Wifi coupé", "description", "Plus de wifi", "school", id(w.a), "remember", "1", "name", "Nadia Leroy", "kind", "teacher")
	if len(done.all(".notice form[action='/mail/1/back']")) != 1 {
		t.Error("it cannot be taken back")
	}
	if len(done.all(".empty")) != 1 {
		t.Error("the list is not empty")
	}
	b.post("/mail/1/back")
	if rows := b.get("/mail").texts(".mail-row .row-link"); len(rows) != 1 {
		t.Errorf("rows %q", rows)
	}
	// Refused in bulk, with undo.
	b.post("/mail/bulk", "do", "refuse", "message", "1", "back", "/mail")
	m, err := w.mail.Get(context.Background(), auth.System(1), 1)
	if err != nil || m.State != mailin.Refused {
		t.Errorf("%s, %v", m.State, err)
	}
	b.post("/mail/bulk", "do", "back", "messages", "1", "back", "/mail")
	// Attached to an incident that is shown first.
	if got := b.get("/mail/1?incident=" + id(w.own)).texts(".mail-acts section[aria-labelledby=attach] a"); len(got) != 1 || !strings.Contains(got[0], "vidéoprojecteur") {
		t.Errorf("target %q", got)
	}
	b.post("/mail/1/attach", "incident", id(w.own))
	if m, err := w.mail.Get(context.Background(), auth.System(1), 1); err != nil || m.State != mailin.Done || m.Incident != w.own {
		t.Errorf("%s %d, %v", m.State, m.Incident, err)
	}
}

// The original is taken away as a file, never shown by the browser.
func TestMailOriginalIsAFile(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "technician")
	res, err := b.Get(b.base + "/mail/1/raw")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); got != "application/octet-stream" || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%s, %s", got, res.Header.Get("Content-Disposition"))
	}
}

// An answer by e-mail after the resolution reopens nothing: the page offers it
// to those who handle the incident, and tells nobody else who wrote.
func TestAnswerAfterResolutionOffersToReopen(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ctx := context.Background()
	get1[directory.Person](t)(w.mail.Directory.SavePerson(ctx, system, directory.Person{ID: w.teacher, Name: "Mme Martin", Kind: directory.Teacher, School: w.a, Email: "martin@a.example"}))
	get1[incident.Incident](t)(w.incidents.Act(ctx, system, incident.Change{Incident: w.own, Action: incident.Resolve, Set: incident.Patch{ResolutionCode: &w.fix, CauseCode: &w.cause}}))
	time.Sleep(5 * time.Millisecond) // the next instant that the database can tell apart
	raw := "From: martin@a.example\nSubject: RE: [#" + id(w.own) + "] noir\nMessage-ID: <m2@a>\nCc: chef@a.example\n\nÇa ne marche toujours pas.\n"
	get1[int](t)(w.mail.Receive(ctx, mailin.Incoming{Raw: []byte(raw)}))
	if err := w.mail.Read(ctx, 2); err != nil {
		t.Fatal(err)
	}
	own := "/incidents/" + id(w.own)
	if n := len(w.as(t, "declarant").get(own).all(".mail-answer, [aria-labelledby=mail-title]")); n != 0 {
		t.Errorf("the declarant is shown %d parts of the unit's", n)
	}
	b := w.as(t, "technician")
	page := b.get(own)
	if page.text(".mail-answer .mail-quote") != "« Ça ne marche toujours pas. »" || !strings.Contains(page.text("[aria-labelledby=mail-title]"), "chef@a.example") {
		t.Fatalf("offer %q, messages %q", page.text(".mail-answer"), page.text("[aria-labelledby=mail-title]"))
	}
	if i := get1[incident.Incident](t)(w.incidents.Get(ctx, auth.ScopeAll(1), w.own)); i.State != incident.Resolved {
		t.Errorf("the answer made it %s", i.State)
	}
	b.post(own+"/act", "action", "reopen", "version", page.attr(".mail-answer input[name=version]", "value"), "comment", page.attr(".mail-answer input[name=comment]", "value"))
	if i := get1[incident.Incident](t)(w.incidents.Get(ctx, auth.ScopeAll(1), w.own)); !i.State.Open() {
		t.Errorf("it is %s", i.State)
	}
	if n := len(b.get(own).all(".mail-answer")); n != 0 {
		t.Error("it is offered again")
	}
}
