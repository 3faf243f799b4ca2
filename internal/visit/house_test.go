package visit

import (
	"context"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

var system = auth.System(1)

var paris = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return loc
}()

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// house is a small département with two schools and its people.
type house struct {
	*Service
	db        *sqldb.DB
	j         *journal.Journal
	places    *directory.Service
	incidents *incident.Service

	a, b               int64
	teacher, other     auth.Identity // declare in a
	referent, stranger auth.Identity // of a, of b
	tech, second, lead auth.Identity
	cause, fix         int64
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx := context.Background()
	j := journal.New(db)
	h := &house{db: db, j: j, places: directory.New(db, j)}
	words := catalog.New(db, j)
	if err := h.places.SeedCalendar(ctx, system); err != nil {
		tb.Fatal(err)
	}
	schools := must[map[string]int64](tb)(h.places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}, {UAI: "0450002B", Name: "Collège B"}}))
	h.a, h.b = schools["0450001A"], schools["0450002B"]
	h.cause = must[catalog.Code](tb)(words.SaveCode(ctx, system, catalog.Code{Kind: catalog.Cause, Label: "Usure"})).ID
	h.fix = must[catalog.Code](tb)(words.SaveCode(ctx, system, catalog.Code{Kind: catalog.Resolution, Label: "Remplacé"})).ID
	account := int64(0)
	who := func(name string, kind directory.PersonKind, role auth.Role, school int64) auth.Identity {
		account++
		p := must[directory.Person](tb)(h.places.SavePerson(ctx, system, directory.Person{Name: name, Kind: kind, School: school}))
		id := auth.Identity{Tenant: 1, Account: account, Role: role, Person: p.ID}
		if school != 0 {
			id.Schools = []int64{school}
		}
		return id
	}
	h.teacher = who("Mme Martin", directory.Teacher, auth.Declarant, h.a)
	h.other = who("M. Collègue", directory.Teacher, auth.Declarant, h.a)
	h.referent = who("M. Petit", directory.ITReferent, auth.Referent, h.a)
	h.stranger = who("Mme Loin", directory.ITReferent, auth.Referent, h.b)
	h.tech = who("Tech Un", directory.Staff, auth.Technician, 0)
	h.second = who("Tech Deux", directory.Staff, auth.Technician, 0)
	h.lead = who("Cheffe", directory.Staff, auth.Lead, 0)
	h.incidents = incident.NewService(db, j, h.places, words, paris)
	h.Service = New(db, j, h.places, h.incidents, nil, nil)
	return h
}

func (h *house) declare(tb testing.TB, school int64) int64 {
	tb.Helper()
	by := h.teacher
	if school != h.a {
		by = system
	}
	return must[incident.Incident](tb)(h.incidents.Declare(context.Background(), by, incident.Declaration{Title: "Vidéoprojecteur noir", School: school})).ID
}

func (h *house) incident(tb testing.TB, id int64) incident.Incident {
	tb.Helper()
	return must[incident.Incident](tb)(h.incidents.Get(context.Background(), auth.ScopeAll(1), id))
}

// workday is a day to come on which schools are open, at an hour.
func (h *house) workday(tb testing.TB, hour int) time.Time {
	tb.Helper()
	cal := must[interface {
		IsOpen(time.Time) bool
	}](tb)(h.places.Calendar(context.Background(), 1, h.a))
	now := sqldb.Now().In(paris)
	for d := 1; ; d++ {
		t := time.Date(now.Year(), now.Month(), now.Day()+d, hour, 0, 0, 0, paris)
		if cal.IsOpen(t) && cal.IsOpen(t.Add(2*time.Hour)) {
			return t.UTC()
		}
	}
}

func (h *house) plan(tb testing.TB, start time.Time, incidents ...int64) Visit {
	tb.Helper()
	return must[Visit](tb)(h.Plan(context.Background(), h.tech, Draft{Kind: OnSite, School: h.a, Technician: h.tech.Person, Start: start, Minutes: 90, Purpose: "Salle 12", Note: "Clé à la loge", Incidents: incidents}))
}

// rebuilt makes sure that the journal gives the same tables.
func (h *house) rebuilt(tb testing.TB) {
	tb.Helper()
	r, err := journal.CheckRebuild(context.Background(), h.db, 1, []journal.Projection{h.incidents.Projection(), h.Projection()}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, d := range r.Differences {
		tb.Errorf("rebuild: %s", d)
	}
}
