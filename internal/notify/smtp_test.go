package notify_test

import (
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/notify"
	"statincidents/internal/testkit"
	"statincidents/internal/visit"
)

// setMail makes the house send through a server.
func (h *house) setMail(t *testing.T, p *postfix, security mailbox.Security, port int, authority string) {
	t.Helper()
	s := mailbox.Defaults
	s.Site, s.Address, s.Name = "https://incidents.example", "incidents@departement.example", "Informatique des collèges"
	s.Sending = mailbox.Server{On: true, Host: "127.0.0.1", Port: port, Security: security, Authority: authority}
	s.PerHour = 500
	if err := h.box.Save(t.Context(), system, s); err != nil {
		t.Fatal(err)
	}
}

func TestRealServer(t *testing.T) {
	t.Parallel()
	p := newPostfix(t)
	p.start(t)
	h := buildWith(t, testkit.SQLite(t), notify.Config{Grace: -1})
	printer := locale.For(locale.French, time.UTC)
	for _, c := range []struct {
		name     string
		security mailbox.Security
		port     int
		trust    string
		ok       bool
	}{
		{"STARTTLS", mailbox.StartTLS, p.starttls, p.authority, true},
		{"TLS", mailbox.TLS, p.wrapped, p.authority, true},
		{"no TLS on this machine", mailbox.None, p.plain, "", true},
		{"an authority that nobody knows", mailbox.StartTLS, p.starttls, "", false},
		{"TLS of an authority that nobody knows", mailbox.TLS, p.wrapped, "", false},
		{"STARTTLS asked of a server without it", mailbox.StartTLS, p.plain, p.authority, false},
		{"a server that is not there", mailbox.StartTLS, 1, p.authority, false},
	} {
		h.setMail(t, p, c.security, c.port, c.trust)
		err := h.Try(t.Context(), system, "essai@departement.example", printer)
		if c.ok && err != nil || !c.ok && fault.CodeOf(err) != fault.Conflict {
			t.Errorf("%s: %v", c.name, err)
		}
		if state := must[mailbox.State](t)(h.box.State(t.Context(), mailbox.Outgoing)); (state.Error == "") != c.ok {
			t.Errorf("%s: the state is %+v", c.name, state)
		}
	}
	p.arrived(t, "essai", 3)

	h.setMail(t, p, mailbox.StartTLS, p.starttls, p.authority)
	i := h.declare(t, h.teacher)
	h.work(t)
	assignee := h.second.Person
	h.act(t, h.technician, incident.Change{Incident: i.ID, Action: incident.Assign, Set: incident.Patch{Assignee: &assignee}, Comment: "Déjà « vu » : l'été — 20 €"})
	h.work(t)
	list := p.arrived(t, "martin", 2)
	var threads, ids []string
	for _, m := range list {
		if got := m.Header.Get("Auto-Submitted"); got != "auto-generated" {
			t.Errorf("Auto-Submitted is %q", got)
		}
		threads, ids = append(threads, m.Header.Get("References")), append(ids, m.Header.Get("Message-Id"))
		for _, id := range []string{m.Header.Get("Message-Id"), m.Header.Get("In-Reply-To")} {
			if about, ok := h.OfMessageID(t.Context(), id); !ok || about != i.ID {
				t.Errorf("%s is not found to be about incident %d", id, i.ID)
			}
		}
		if about, person, ok := h.OfReplyToken(t.Context(), subjectOf(t, m)); !ok || about != i.ID || person != h.teacher.Person {
			t.Errorf("the subject %q is not found to be about incident %d", subjectOf(t, m), i.ID)
		}
		body := string(must[[]byte](t)(io.ReadAll(m.Body)))
		if !strings.Contains(body, "text/plain") || !strings.Contains(body, "text/html") || strings.Contains(body, "<img") {
			t.Errorf("the message is not of two parts without pictures:\n%s", body)
		}
	}
	must[visit.Visit](t)(h.visits.Plan(t.Context(), h.technician, visit.Draft{Kind: visit.OnSite, School: h.schoolA, Technician: h.technician.Person, Start: h.tomorrow(2), Minutes: 60, Purpose: "Câbles", Incidents: []int64{i.ID}}))
	h.work(t)
	planned := p.arrived(t, "martin", 3)
	if !slices.ContainsFunc(planned, func(m *mail.Message) bool {
		raw := string(must[[]byte](t)(io.ReadAll(m.Body)))
		return strings.Contains(raw, "text/calendar") && strings.Contains(raw, "intervention.ics") && strings.Contains(raw, "multipart/alternative")
	}) {
		t.Error("the visit's message has no calendar file")
	}
	if threads[0] == "" || threads[0] != threads[1] || ids[0] == ids[1] {
		t.Errorf("threads %q, identifiers %q", threads, ids)
	}
	if !slices.ContainsFunc(list, func(m *mail.Message) bool { return strings.Contains(subjectOf(t, m), "pris en charge") }) {
		t.Error("nobody is told that it was taken")
	}
}

// An address that the server refuses for good fails once and is not tried
// again; the server's state stays good.
func TestRefusedAddress(t *testing.T) {
	t.Parallel()
	p := newPostfix(t)
	p.start(t)
	h := buildWith(t, testkit.SQLite(t), notify.Config{Grace: -1})
	h.setMail(t, p, mailbox.StartTLS, p.starttls, p.authority)
	person, _ := must[*directory.Index](t)(h.places.Index(t.Context(), 1)).Person(h.teacher.Person)
	person.Email = "nobody@college-a.example"
	if _, err := h.places.SavePerson(t.Context(), system, person); err != nil {
		t.Fatal(err)
	}
	i := h.declare(t, h.teacher)
	h.work(t)
	for _, e := range must[[]notify.Entry](t)(h.Log(t.Context(), h.technician, i.ID)) {
		if e.Kind == notify.KindReceived && (e.State != notify.Failed || e.Reason != notify.ReasonRefused) {
			t.Errorf("%+v", e)
		}
	}
	if bounces := must[[]notify.Bounce](t)(h.Bounces(t.Context(), system)); len(bounces) != 1 || !bounces[0].Permanent {
		t.Errorf("%+v", bounces)
	}
	h.act(t, h.technician, incident.Change{Incident: i.ID, Action: incident.Take})
	h.work(t)
	for _, e := range must[[]notify.Entry](t)(h.Log(t.Context(), h.technician, i.ID)) {
		if e.Kind == notify.KindTaken && (e.State != notify.Skipped || e.Reason != notify.ReasonBouncing) {
			t.Errorf("after the refusal: %+v", e)
		}
	}
	if box := must[mailbox.State](t)(h.box.State(t.Context(), mailbox.Outgoing)); box.Error != "" {
		t.Errorf("the server is said to fail: %+v", box)
	}
}

// The server is away, the program is stopped and started meanwhile: every
// message arrives, once.
func TestServerAwayAndBack(t *testing.T) {
	t.Parallel()
	p := newPostfix(t)
	h := buildWith(t, testkit.SQLite(t), notify.Config{Grace: -1})
	h.setMail(t, p, mailbox.StartTLS, p.starttls, p.authority)
	const n = 20
	for range n {
		h.declare(t, h.teacher)
	}
	h.work(t) // in vain
	if box := must[mailbox.State](t)(h.box.State(t.Context(), mailbox.Outgoing)); box.Error == "" {
		t.Error("the state does not say that the server is away")
	}
	waiting := must[[]jobs.Job](t)(h.jobs.List(t.Context(), system, jobs.Filter{Kind: "notify.deliver", States: []jobs.State{jobs.Retryable}, Limit: 1000}))
	if len(waiting) == 0 || waiting[0].Error == "" {
		t.Fatalf("%d messages wait to be tried again: %+v", len(waiting), waiting)
	}
	p.start(t)
	for round := range 6 { // stopped in the middle, again and again
		if _, err := h.jobs.RetryAll(t.Context(), system, ""); err != nil {
			t.Fatal(err)
		}
		h.workFor(t, time.Duration(20+15*round)*time.Millisecond)
	}
	if _, err := h.jobs.RetryAll(t.Context(), system, ""); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	seen := map[string]int{}
	for _, m := range p.arrived(t, "martin", n) {
		seen[m.Header.Get("Message-Id")]++
	}
	if len(seen) != n {
		t.Errorf("%d different messages arrived, want %d", len(seen), n)
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s arrived %d times", id, times)
		}
	}
	counts := must[map[notify.State]int](t)(h.Counts(t.Context(), system, time.Time{}))
	if counts[notify.Queued] != 0 || counts[notify.Failed] != 0 {
		t.Error(fmt.Sprint(counts))
	}
}
