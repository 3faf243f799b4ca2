package notify_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/mailbox"
	"statincidents/internal/notify"
	"statincidents/internal/signal"
	"statincidents/internal/sqldb"
	"statincidents/internal/visit"
)

var system = auth.System(1)

// house is a small département where everybody has an address.
type house struct {
	*notify.Service
	db        *sqldb.DB
	box       *mailbox.Service
	jobs      *jobs.Service
	incidents *incident.Service
	visits    *visit.Service
	signals   *signal.Service
	paris     *time.Location
	places    *directory.Service
	accounts  *auth.Service
	journal   *journal.Journal

	schoolA, schoolB         int64
	room                     int64
	cause, fix, reason       int64
	team                     int64
	teacher, colleague       auth.Identity // school A; the colleague has no account
	referent, otherReferent  auth.Identity // school A, school B
	technician, second, lead auth.Identity
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func build(t *testing.T, db *sqldb.DB) *house {
	t.Helper()
	return buildWith(t, db, notify.Config{Show: true, Site: func() string { return "https://incidents.example" }, Grace: -1})
}

func buildWith(t *testing.T, db *sqldb.DB, cfg notify.Config) *house {
	t.Helper()
	ctx := t.Context()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	h := &house{db: db, journal: j, places: places, paris: paris, signals: signal.New(db, j, 1, paris)}
	h.accounts = auth.New(db, j, auth.Config{Tenant: 1})
	h.jobs = jobs.New(db, jobs.Config{Tenant: 1, Location: paris, Poll: 5 * time.Millisecond})
	h.box = mailbox.New(db, j, 1)
	h.incidents = incident.NewService(db, j, places, words, paris)
	schools := must[map[string]int64](t)(places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}, {UAI: "0450002B", Name: "Collège B"}}))
	h.schoolA, h.schoolB = schools["0450001A"], schools["0450002B"]
	h.room = must[directory.Room](t)(places.SaveRoom(ctx, system, directory.Room{School: h.schoolA, Name: "Salle 12"})).ID
	code := func(kind catalog.CodeKind, label string) int64 {
		return must[catalog.Code](t)(words.SaveCode(ctx, system, catalog.Code{Kind: kind, Label: label})).ID
	}
	h.cause, h.fix, h.reason = code(catalog.Cause, "Usure"), code(catalog.Resolution, "Câble remplacé"), code(catalog.Waiting, "Pièce commandée")
	h.team = must[map[string]int64](t)(places.EnsureTeams(ctx, system, []string{"Unité Collèges"}))["Unité Collèges"]
	person := func(name string, kind directory.PersonKind, school int64, address string) int64 {
		return must[directory.Person](t)(places.SavePerson(ctx, system, directory.Person{Name: name, Kind: kind, School: school, Email: address})).ID
	}
	someone := func(login string, role auth.Role, name string, kind directory.PersonKind, address string, schools ...int64) auth.Identity {
		home := int64(0)
		if len(schools) > 0 {
			home = schools[0]
		}
		p := person(name, kind, home, address)
		a := must[auth.Account](t)(h.accounts.CreateAccount(ctx, system, auth.NewAccount{Login: login, Password: "une phrase de passe longue", Role: role, Person: p, Schools: schools, Locale: "fr"}))
		return must[auth.Identity](t)(h.accounts.IdentityOf(ctx, a.ID))
	}
	h.teacher = someone("martin", auth.Declarant, "Mme Martin", directory.Teacher, "martin@college-a.example", h.schoolA)
	h.colleague = auth.Somebody(1, person("M. Durand", directory.Teacher, h.schoolA, "durand@college-a.example"), "M. Durand", h.schoolA)
	h.referent = someone("petit", auth.Referent, "M. Petit", directory.ITReferent, "petit@college-a.example", h.schoolA)
	h.otherReferent = someone("grand", auth.Referent, "Mme Grand", directory.ITReferent, "grand@college-b.example", h.schoolB)
	h.technician = someone("tech", auth.Technician, "Tech Un", directory.Staff, "tech@departement.example")
	h.second = someone("tech2", auth.Technician, "Tech Deux", directory.Staff, "tech2@departement.example")
	h.lead = someone("chef", auth.Lead, "Chef", directory.Staff, "chef@departement.example")
	cfg.Tenant, cfg.Location = 1, paris
	h.visits = visit.New(db, j, places, h.incidents, h.accounts, nil)
	h.Service = notify.New(notify.Parts{
		DB: db, Journal: j, Jobs: h.jobs, Mailbox: h.box, Signer: auth.NewSigner(db, 1), Accounts: h.accounts, Places: places, Words: words, Incidents: h.incidents, Visits: h.visits, Signals: h.signals,
	}, cfg)
	h.readAll(t) // what made the house is no news
	return h
}

// readAll has the reader see everything that is written. On PostgreSQL it may
// have to wait for transactions of others on the same cluster.
func (h *house) readAll(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err := h.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		var last journal.Pos
		err := h.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			var err error
			last, err = journal.Last(ctx, tx, 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if seen := must[journal.Pos](t)(h.journal.Cursor(t.Context(), 1, "notify")); seen.Compare(last) >= 0 {
			return
		}
	}
	t.Fatal("the reader does not see the end of the journal")
}

// work runs jobs until none is due.
func (h *house) work(t *testing.T) {
	t.Helper()
	h.readAll(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.jobs.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		list := must[[]jobs.Job](t)(h.jobs.List(t.Context(), system, jobs.Filter{States: []jobs.State{jobs.Available, jobs.Running, jobs.Retryable}, Limit: 1000}))
		busy := false
		for _, j := range list {
			busy = busy || j.State == jobs.Running || !j.At.After(sqldb.Now())
		}
		if !busy {
			return
		}
	}
	t.Fatal("the jobs do not end")
}

// workFor runs jobs for a moment, then stops as a server does.
func (h *house) workFor(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if err := h.jobs.Run(ctx); err != nil {
		t.Error(err)
	}
}

func (h *house) declare(t *testing.T, by auth.Identity) incident.Incident {
	t.Helper()
	return must[incident.Incident](t)(h.incidents.Declare(t.Context(), by, incident.Declaration{Title: "Vidéoprojecteur noir", Description: "La lampe clignote.", School: h.schoolA, Room: h.room}))
}

func (h *house) act(t *testing.T, by auth.Identity, c incident.Change) incident.Incident {
	t.Helper()
	return must[incident.Incident](t)(h.incidents.Act(t.Context(), by, c))
}

func (h *house) resolve(t *testing.T, id int64) incident.Incident {
	t.Helper()
	fix, cause, text := h.fix, h.cause, "Le câble a été changé."
	return h.act(t, h.technician, incident.Change{Incident: id, Action: incident.Resolve, Set: incident.Patch{ResolutionCode: &fix, CauseCode: &cause, Resolution: &text}})
}

// told is what the outbox holds, oldest first, as "kind address".
func (h *house) told(t *testing.T) []string {
	t.Helper()
	list := must[[]notify.Shown](t)(h.Shown(t.Context(), 300))
	var out []string
	for _, m := range slices.Backward(list) {
		out = append(out, m.Kind+" "+m.Address)
	}
	return out
}

// last is the latest message of a kind.
func (h *house) last(t *testing.T, kind string) notify.Shown {
	t.Helper()
	for _, m := range must[[]notify.Shown](t)(h.Shown(t.Context(), 300)) {
		if m.Kind == kind {
			return m
		}
	}
	t.Fatalf("no message of kind %s among %s", kind, strings.Join(h.told(t), ", "))
	return notify.Shown{}
}
