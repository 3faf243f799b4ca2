package privacy_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"statincidents/internal/app"
	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
	"statincidents/internal/visit"
)

// house is the whole program on a database of one engine.
type house struct {
	*app.App

	by     auth.Identity
	admin  auth.Account
	boss   auth.Identity
	school directory.School
	tech   directory.Person
	techs  auth.Identity
	dir    string // of the embedded database
}

func engines(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		h := open(t, app.Config{Dir: dir})
		h.dir = dir
		fn(t, h)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		fn(t, open(t, app.Config{DB: testkit.PostgresURL(t)}))
	})
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func open(t *testing.T, cfg app.Config) *house {
	t.Helper()
	cfg.Log, cfg.Exclusive, cfg.ShowMail = slog.New(slog.DiscardHandler), true, true
	a := must[*app.App](t)(app.New(t.Context(), cfg))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- a.Jobs.Run(ctx) }()
	go func() { done <- a.Notify.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{App: a, by: auth.System(app.Tenant)}
	h.school = must[directory.School](t)(a.Directory.SaveSchool(t.Context(), h.by, directory.School{UAI: "0450001A", Name: "Collège Jean Moulin"}))
	h.admin = must[auth.Account](t)(a.Auth.CreateAccount(t.Context(), h.by, auth.NewAccount{Login: "chef", Name: "Le Chef", Password: "une-phrase-assez-longue", Role: auth.Administrator}))
	h.boss = must[auth.Identity](t)(a.Auth.IdentityOf(t.Context(), h.admin.ID))
	h.tech = h.person(t, directory.Person{Name: "Bruno Tessier", Kind: directory.Staff, Email: "b.tessier@loiret.example"})
	h.techs = h.account(t, "b.tessier", auth.Technician, h.tech)
	return h
}

func (h *house) person(t testing.TB, p directory.Person) directory.Person {
	t.Helper()
	return must[directory.Person](t)(h.Directory.SavePerson(t.Context(), h.by, p))
}

func (h *house) account(t testing.TB, login string, role auth.Role, p directory.Person) auth.Identity {
	t.Helper()
	a := must[auth.Account](t)(h.Auth.CreateAccount(t.Context(), h.by, auth.NewAccount{Login: login, Password: "une-phrase-assez-longue", Role: role, Person: p.ID, Schools: []int64{h.school.ID}}))
	return must[auth.Identity](t)(h.Auth.IdentityOf(t.Context(), a.ID))
}

func (h *house) declare(t testing.TB, by auth.Identity, d incident.Declaration) incident.Incident {
	t.Helper()
	d.School = h.school.ID
	return must[incident.Incident](t)(h.Incidents.Declare(t.Context(), by, d))
}

func (h *house) act(t testing.TB, by auth.Identity, c incident.Change) incident.Incident {
	t.Helper()
	return must[incident.Incident](t)(h.Incidents.Act(t.Context(), by, c))
}

// wait lets the jobs work until ok.
func (h *house) wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			list, err := h.Jobs.List(t.Context(), h.by, jobs.Filter{})
			t.Fatalf("waited in vain for %s: %+v %v", what, list, err)
		}
	}
}

// The person that tests erase.
const (
	herName  = "Séverine Zylberstein"
	herLogin = "s.zylberstein"
	herEmail = "severine.zylberstein@ac-orleans-tours.example"
	herPhone = "06 47 82 19 33"
)

// fill makes a life in which she appears everywhere.
func (h *house) fill(t testing.TB) (her directory.Person, hers auth.Identity) {
	t.Helper()
	ctx := t.Context()
	her = h.person(t, directory.Person{Name: "Séverine Ancien-Nom", Kind: directory.Teacher, School: h.school.ID})
	her.Name, her.Email, her.Phone, her.External = herName, herEmail, herPhone, "EZV-4711"
	her = h.person(t, her)
	hers = h.account(t, herLogin, auth.Declarant, her)
	mine := h.declare(t, hers, incident.Declaration{Title: "Vidéoprojecteur en panne (Mme ZYLBERSTEIN Severine)", Description: "Me joindre au +33 6.47.82.19.33 ou " + strings.ToUpper(herEmail)})
	other := h.declare(t, h.by, incident.Declaration{Title: "Imprimante", Description: "Vu avec Mme Zylberstein ce matin"})
	h.act(t, hers, incident.Change{Incident: mine.ID, Action: incident.Comment, Comment: "Merci, " + herName + "\n0647821933"})
	h.act(t, h.by, incident.Change{Incident: mine.ID, Action: incident.Comment, Internal: true, Comment: "Rappeler @" + herName + " (compte " + herLogin + ")"})
	assigned := h.act(t, h.techs, incident.Change{Incident: mine.ID, Action: incident.Assign, Set: incident.Patch{Assignee: &h.tech.ID}})
	title := "Vidéoprojecteur de Zylberstein Séverine"
	h.act(t, h.techs, incident.Change{Incident: mine.ID, Base: assigned.Version, Action: incident.Edit, Set: incident.Patch{Title: &title}})
	h.act(t, h.techs, incident.Change{Incident: other.ID, Action: incident.Comment, Comment: "Mme Zylberstein confirme"})

	file := must[attachment.Attachment](t)(h.Files.Put(ctx, hers, "photo de "+herName+".txt", strings.NewReader("vu par "+herName)))
	h.act(t, hers, incident.Change{Incident: mine.ID, Action: incident.Comment, Comment: "Ci-joint", Attachments: []int64{file.ID}})
	v := visit.Draft{Kind: visit.OnSite, School: h.school.ID, Technician: h.tech.ID, Start: time.Now().Add(time.Hour), Minutes: 60, Purpose: "Rendez-vous avec " + herName, Incidents: []int64{mine.ID}}
	must[visit.Visit](t)(h.Visits.Plan(ctx, h.techs, v))
	raw := fmt.Sprintf("From: =?utf-8?q?S=C3=A9verine_Zylberstein?= <%s>\r\nTo: support@loiret.example\r\nSubject: Plus de son\r\nMessage-ID: <a1@x.example>\r\nDate: Mon, 2 Nov 2026 08:00:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBonjour, plus de son en salle 12.\r\n\r\n-- \r\n%s\r\n%s\r\n", herEmail, herName, herPhone)
	about := "From: Bruno Tessier <b.tessier@loiret.example>\r\nTo: support@loiret.example\r\nSubject: Collegue\r\nMessage-ID: <a2@x.example>\r\nDate: Mon, 2 Nov 2026 08:00:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nS=C3=A9verine=\r\n Zylberstein est absente.\r\n"
	stranger := "From: Inconnue <inconnue@elsewhere.example>\r\nTo: support@loiret.example\r\nSubject: Hors sujet\r\nMessage-ID: <a3@x.example>\r\nDate: Mon, 2 Nov 2026 08:00:00 +0100\r\n\r\nBonjour\r\n"
	if n, err := h.Mail.Receive(ctx, mailin.Incoming{Raw: []byte(raw)}, mailin.Incoming{Raw: []byte(about)}, mailin.Incoming{Raw: []byte(stranger)}); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	h.wait(t, "the messages", func() bool {
		c, err := h.Mail.Counts(ctx)
		return err == nil && c[mailin.Received] == 0
	})
	h.wait(t, "a letter", func() bool {
		return h.count(t, `SELECT count(*) FROM notify_outbox WHERE address = '`+herEmail+`'`) > 0
	})
	if err := h.Search.Fresh(ctx, app.Tenant); err != nil {
		t.Fatal(err)
	}
	return her, hers
}

func (h *house) count(t testing.TB, query string) (n int) {
	t.Helper()
	err := h.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return tx.QueryRow(ctx, query).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sound checks that the journal and the state are as they must be.
func (h *house) sound(t testing.TB) {
	t.Helper()
	if _, err := h.Journal.Seal(t.Context(), app.Tenant); err != nil {
		t.Fatal(err)
	}
	v := must[*journal.Verification](t)(journal.Verify(t.Context(), h.DB, app.Tenant))
	if v.Break != nil {
		t.Errorf("the chain is broken: %+v", v.Break)
	}
	replay := must[*journal.Replay](t)(journal.CheckRebuild(t.Context(), h.DB, app.Tenant, h.Projections(), nil))
	for _, d := range replay.Differences {
		t.Error(d)
	}
}
