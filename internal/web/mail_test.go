package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/auth"
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
