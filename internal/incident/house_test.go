package incident

import (
	"context"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// house is a small département with its people.
type house struct {
	*Service
	db *sqldb.DB

	schoolA, schoolB   int64
	roomA, roomB       int64
	categories         []int64
	archived           int64
	team, otherTeam    int64
	cause, fix, reason int64
	teacher, referent  auth.Identity // of school A
	technician, second auth.Identity
	lead               auth.Identity
}

var system = auth.System(1)

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx := context.Background()
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	h := &house{db: db}
	schools := must[map[string]int64](tb)(places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}, {UAI: "0450002B", Name: "Collège B"}}))
	h.schoolA, h.schoolB = schools["0450001A"], schools["0450002B"]
	room := func(school int64, name string) int64 {
		return must[directory.Room](tb)(places.SaveRoom(ctx, system, directory.Room{School: school, Name: name, Network: directory.NetworkTeaching})).ID
	}
	h.roomA, h.roomB = room(h.schoolA, "Salle 12"), room(h.schoolB, "Salle 9")
	for _, label := range []string{"Ordinateur", "Imprimante", "Réseau"} {
		h.categories = append(h.categories, must[catalog.Category](tb)(words.SaveCategory(ctx, system, catalog.Category{Label: label})).ID)
	}
	old := must[catalog.Category](tb)(words.SaveCategory(ctx, system, catalog.Category{Label: "Minitel"}))
	old.Archived = true
	h.archived = must[catalog.Category](tb)(words.SaveCategory(ctx, system, old)).ID
	code := func(kind catalog.CodeKind, label string) int64 {
		return must[catalog.Code](tb)(words.SaveCode(ctx, system, catalog.Code{Kind: kind, Label: label})).ID
	}
	h.cause, h.fix, h.reason = code(catalog.Cause, "Usure"), code(catalog.Resolution, "Remplacé"), code(catalog.Waiting, "Pièce")
	teams := must[map[string]int64](tb)(places.EnsureTeams(ctx, system, []string{"Unité Collèges", "Réseau"}))
	h.team, h.otherTeam = teams["Unité Collèges"], teams["Réseau"]
	person := func(name string, kind directory.PersonKind, school int64) int64 {
		return must[directory.Person](tb)(places.SavePerson(ctx, system, directory.Person{Name: name, Kind: kind, School: school})).ID
	}
	identity := func(account int64, role auth.Role, person int64, schools ...int64) auth.Identity {
		return auth.Identity{Tenant: 1, Account: account, Role: role, Person: person, Schools: schools}
	}
	h.teacher = identity(1, auth.Declarant, person("Mme Martin", directory.Teacher, h.schoolA), h.schoolA)
	h.referent = identity(2, auth.Referent, person("M. Petit", directory.ITReferent, h.schoolA), h.schoolA)
	h.technician = identity(3, auth.Technician, person("Tech Un", directory.Staff, 0))
	h.second = identity(4, auth.Technician, person("Tech Deux", directory.Staff, 0))
	h.lead = identity(5, auth.Lead, person("Chef", directory.Staff, 0))
	h.Service = NewService(db, j, places, words, paris)
	return h
}

var paris = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return loc
}()

// declare makes one incident of the teacher in school A.
func (h *house) declare(tb testing.TB) Incident {
	tb.Helper()
	return must[Incident](tb)(h.Declare(context.Background(), h.teacher, Declaration{Title: "Vidéoprojecteur noir", School: h.schoolA, Room: h.roomA, Category: h.categories[0]}))
}

func (h *house) do(tb testing.TB, by auth.Identity, c Change) Incident {
	tb.Helper()
	return must[Incident](tb)(h.Act(context.Background(), by, c))
}

// history is the stored events of an incident, in order.
func (h *house) history(tb testing.TB, id int64) []journal.Event {
	tb.Helper()
	var events []journal.Event
	err := h.db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		events, err = journal.Of(ctx, tx, 1, journal.Subject{Kind: Subject, ID: id})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return events
}

// folded is the incident that its events make, to be compared with the stored one.
func (h *house) folded(tb testing.TB, id int64) Incident {
	tb.Helper()
	i := Incident{ID: id}
	for _, e := range h.history(tb, id) {
		if err := i.Fold(&e); err != nil {
			tb.Fatal(err)
		}
	}
	return i
}

func (h *house) stored(tb testing.TB, id int64) Incident {
	tb.Helper()
	return must[Incident](tb)(h.Get(context.Background(), auth.ScopeAll(1), id))
}

// rebuilt fails unless the journal explains every row as it is stored.
func (h *house) rebuilt(tb testing.TB) {
	tb.Helper()
	replay := must[*journal.Replay](tb)(journal.CheckRebuild(tb.Context(), h.db, 1, []journal.Projection{h.Projection()}, nil))
	for _, d := range replay.Differences {
		tb.Error(d.String())
	}
}
