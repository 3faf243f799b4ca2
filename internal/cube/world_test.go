package cube

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

var paris = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return loc
}()

// world is a small département in a real database.
type world struct {
	db         *sqldb.DB
	j          *journal.Journal
	tenant     int64
	dir        *directory.Service
	cat        *catalog.Service
	schools    []int64 // the first one in the list is 0: not known
	rooms      []int64
	people     []int64
	teams      []int64
	categories []int64 // of all levels
	causes     []int64
	solutions  []int64
	index      *directory.Index
	tree       *catalog.Index
	weeks      *calendar.Calendar
	incidents  []incident.Incident
	text       map[string][]int64
	now        time.Time
	reasons    []int64
	desk       map[int64]*done
	visits     map[int64]*visited
	lists      map[int64]*listed
	times      map[int64]*spent
	number     int64 // of the last thing of the desk
}

// Match makes the world the text index of its own incidents: a word stands for
// a fixed list.
func (w *world) Match(_ context.Context, _ int64, text string) ([]int64, error) {
	return w.text[text], nil
}

var tenants atomic.Int64

// newWorld makes a département of its own in a database that several share.
func newWorld(tb testing.TB, db *sqldb.DB) *world {
	tb.Helper()
	ctx := context.Background()
	j := journal.New(db)
	w := &world{
		db: db, j: j, tenant: tenants.Add(1), dir: directory.New(db, j), cat: catalog.New(db, j),
		now: time.Date(2016, 10, 20, 9, 30, 0, 0, time.UTC), text: map[string][]int64{},
		desk: map[int64]*done{}, visits: map[int64]*visited{}, lists: map[int64]*listed{}, times: map[int64]*spent{},
	}
	by := auth.System(w.tenant)
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	zero := []int64{0}
	w.schools, w.rooms, w.people, w.teams, w.categories, w.causes, w.solutions = zero, zero, zero, zero, zero, zero, zero
	communes := []string{"Orléans", "Pithiviers", "Orléans", "", "Éclose", "Montargis"}
	schools := make([]directory.School, len(communes))
	for i, c := range communes {
		schools[i] = directory.School{UAI: fmt.Sprintf("045%04dA", i), Name: fmt.Sprintf("Collège %c", 'Z'-i), Commune: c}
	}
	ids, err := w.dir.EnsureSchools(ctx, by, schools)
	must(err)
	for _, s := range schools {
		w.schools = append(w.schools, ids[s.UAI])
	}
	var rooms []directory.Room
	for _, s := range w.schools[1:] {
		for i := range 2 {
			rooms = append(rooms, directory.Room{School: s, Name: fmt.Sprintf("Salle %d", i+1)})
		}
	}
	byRoom, err := w.dir.EnsureRooms(ctx, by, rooms)
	must(err)
	for _, r := range rooms {
		w.rooms = append(w.rooms, byRoom[directory.RoomKey{School: r.School, Name: r.Name}])
	}
	var people []directory.Person
	for i, k := range []directory.PersonKind{directory.Teacher, directory.Administrative, directory.Staff, directory.OtherPerson, directory.Teacher} {
		people = append(people, directory.Person{Name: fmt.Sprintf("Personne %d", i), Kind: k, External: fmt.Sprint("p", i)})
	}
	byKey, err := w.dir.EnsurePeople(ctx, by, people)
	must(err)
	for _, p := range people {
		w.people = append(w.people, byKey[p.External])
	}
	byName, err := w.dir.EnsureTeams(ctx, by, []string{"Collèges", "Réseau"})
	must(err)
	for _, name := range []string{"Collèges", "Réseau"} {
		w.teams = append(w.teams, byName[name])
	}
	_, err = w.dir.SaveExposures(ctx, by, []directory.Exposure{
		{School: w.schools[1], From: calendar.Date(2014, 9, 1), Computers: 100, Pupils: 400},
		{School: w.schools[1], From: calendar.Date(2016, 1, 11), Computers: 130, Pupils: 380},
		{School: w.schools[2], From: calendar.Date(2015, 12, 1), Computers: 60, Pupils: 0},
		{School: w.schools[3], From: calendar.Date(2015, 1, 1), Computers: 80, Pupils: 300},
		{School: w.schools[3], From: calendar.Date(2016, 2, 1), Computers: 0, Pupils: 310},
		{School: w.schools[3], From: calendar.Date(2016, 6, 1), Computers: 90, Pupils: 0},
	})
	must(err)
	categories, err := w.cat.EnsureCategoryPaths(ctx, by, [][]string{
		{"Matériel"}, {"Matériel", "Poste"}, {"Matériel", "Poste", "Écran"}, {"Réseau"}, {"Réseau", "Wi-Fi"}, {"Logiciel"},
	})
	must(err)
	w.categories = append(slices.Clone(w.categories), categories...)
	causes, err := w.cat.EnsureCodes(ctx, by, catalog.Cause, []string{"Usure", "Erreur"})
	must(err)
	solutions, err := w.cat.EnsureCodes(ctx, by, catalog.Resolution, []string{"Remplacé", "Réglé"})
	must(err)
	w.causes = append(slices.Clone(w.causes), causes["Usure"], causes["Erreur"])
	w.solutions = append(slices.Clone(w.solutions), solutions["Remplacé"], solutions["Réglé"])
	reasons, err := w.cat.EnsureCodes(ctx, by, catalog.Waiting, []string{"Pièce", "Fournisseur"})
	must(err)
	w.reasons = []int64{0, 0, reasons["Pièce"], reasons["Fournisseur"]}
	w.index, err = w.dir.Index(ctx, w.tenant)
	must(err)
	w.tree, err = w.cat.Index(ctx, w.tenant)
	must(err)
	rules := calendar.Rules{Location: paris, Hours: calendar.DefaultHours}
	for _, p := range calendar.FrenchSchoolHolidays("B") {
		rules.Holidays = append(rules.Holidays, calendar.Range{First: p.First, Last: p.Last})
	}
	w.weeks = calendar.New(rules)
	return w
}

func (w *world) config() Config {
	return Config{
		Tenant: w.tenant, DB: w.db, Journal: w.j, Directory: w.dir, Catalog: w.cat, Text: w, Location: paris,
		Weeks: func(context.Context) (SchoolWeeks, error) { return w.weeks, nil },
		Now:   func() time.Time { return w.now },
	}
}

// random draws one incident. Choices are few so that groups meet.
func (w *world) random(r *rand.Rand, id int64) incident.Incident {
	pick := func(list []int64) int64 { return list[r.IntN(len(list))] }
	opened := time.Date(2015, 8, 20, 0, 0, 0, 0, paris).Add(time.Duration(r.IntN(430*24*3600)) * time.Second).Add(time.Duration(r.IntN(1000)) * time.Millisecond)
	i := incident.Incident{
		ID: id, Version: 1, Title: "x", State: incident.States[r.IntN(len(incident.States))],
		School: pick(w.schools), Room: pick(w.rooms), Category: pick(w.categories), Declarant: pick(w.people), Assignee: pick(w.people), Team: pick(w.teams),
		Network: []directory.Network{"", directory.NetworkAdministrative, directory.NetworkTeaching}[r.IntN(3)],
		Machine: []string{"", "", "PC-1", "PC-2", "pc-2", "É 3"}[r.IntN(6)],
		Impact:  r.IntN(4), Urgency: r.IntN(4), Priority: r.IntN(6), Origin: incident.Origins[r.IntN(len(incident.Origins))],
		Target: []incident.Target{"", incident.TargetMet, incident.TargetMissed}[r.IntN(3)], ReopenCount: max(0, r.IntN(4)-2), Level: []incident.Level{"", "", "school", "handed", "lapsed", "taken"}[r.IntN(6)],
		OccurredAt: opened, OpenedAt: opened, UpdatedAt: opened.Add(time.Duration(r.IntN(1e6)) * time.Second),
	}
	i.WaitingCode, i.ReassignCount = pick(w.reasons), max(0, r.IntN(9)-4)
	i.Rating = []incident.Rating{"", "", incident.Satisfied, incident.Neutral, incident.Unsatisfied}[r.IntN(5)]
	for range max(0, r.IntN(8)-5) {
		i.Affected = incident.CircleOf(append(i.Affected.Members(), incident.Member{Person: pick(w.people)})...)
	}
	w.finish(r, &i)
	return i
}

// finish gives the dates and codes of the state, now and then with a mistake
// that an import could make.
func (w *world) finish(r *rand.Rand, i *incident.Incident) {
	pick := func(list []int64) int64 { return list[r.IntN(len(list))] }
	later := func() time.Time {
		scale := []int{3600, 86400, 40 * 86400}[r.IntN(3)]
		t := i.OpenedAt.Add(time.Duration(r.IntN(scale)) * time.Second)
		if r.IntN(40) == 0 {
			t = i.OpenedAt.Add(-time.Hour)
		}
		return t
	}
	i.ResolvedAt, i.ClosedAt, i.CauseCode, i.ResolutionCode = time.Time{}, time.Time{}, 0, 0
	switch {
	case i.State.Open():
		if r.IntN(20) == 0 {
			i.ResolvedAt = later()
		}
	case i.State == incident.Resolved:
		i.ResolvedAt, i.CauseCode, i.ResolutionCode = later(), pick(w.causes), pick(w.solutions)
	default:
		if r.IntN(5) > 0 {
			i.ResolvedAt, i.CauseCode, i.ResolutionCode = later(), pick(w.causes), pick(w.solutions)
		}
		if r.IntN(10) > 0 {
			i.ClosedAt = later()
		}
	}
}

var incidentColumns = []string{
	"tenant_id", "incident_id", "version", "state", "title", "school_id", "room_id", "network", "machine_label",
	"category_id", "impact", "urgency", "priority", "declarant_id", "assignee_id", "team_id", "origin",
	"cause_code_id", "resolution_code_id", "target", "level", "reopen_count", "occurred_at", "opened_at", "resolved_at", "closed_at", "updated_at",
	"opened_day", "opened_hour", "resolved_day", "closed_day", "affected", "waiting_code_id", "rating", "reassign_count",
}

func incidentRow(tenant int64, i *incident.Incident) []any {
	ms := sqldb.Millis
	day := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return int64(calendar.DayOf(t, paris))
	}
	return []any{
		tenant, i.ID, i.Version, string(i.State), i.Title, i.School, i.Room, string(i.Network), i.Machine,
		i.Category, i.Impact, i.Urgency, i.Priority, i.Declarant, i.Assignee, i.Team, string(i.Origin),
		i.CauseCode, i.ResolutionCode, string(i.Target), string(i.Level), i.ReopenCount, ms(i.OccurredAt), ms(i.OpenedAt), ms(i.ResolvedAt), ms(i.ClosedAt), ms(i.UpdatedAt),
		day(i.OpenedAt), i.OpenedAt.In(paris).Hour(), day(i.ResolvedAt), day(i.ClosedAt), string(i.Affected), i.WaitingCode, string(i.Rating), i.ReassignCount,
	}
}

// followerRows are who joined incidents, as their context would write them.
func followerRows(tenant int64, all []incident.Incident) (rows [][]any) {
	for k := range all {
		for _, person := range all[k].Affected.People() {
			rows = append(rows, []any{tenant, person, all[k].ID})
		}
	}
	return rows
}

var followerColumns = []string{"tenant_id", "person_id", "incident_id"}

// store writes incidents as their context would, without events.
func (w *world) store(tb testing.TB, all []incident.Incident) {
	tb.Helper()
	rows := make([][]any, len(all))
	for i := range all {
		rows[i] = incidentRow(w.tenant, &all[i])
	}
	err := w.db.Write(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Insert(ctx, "incident", incidentColumns, rows, ""); err != nil {
			return err
		}
		return tx.Insert(ctx, "incident_follower", followerColumns, followerRows(w.tenant, all), "")
	})
	if err != nil {
		tb.Fatal(err)
	}
	w.incidents = append(w.incidents, all...)
}

// event makes the event that turns one state of an incident into another.
func (w *world) event(from, to *incident.Incident, at time.Time) journal.Event {
	var p incident.Payload
	s := &p.Set
	diff(&s.State, from.State, to.State)
	diff(&s.School, from.School, to.School)
	diff(&s.Room, from.Room, to.Room)
	diff(&s.Network, from.Network, to.Network)
	diff(&s.Machine, from.Machine, to.Machine)
	diff(&s.Category, from.Category, to.Category)
	diff(&s.Impact, from.Impact, to.Impact)
	diff(&s.Urgency, from.Urgency, to.Urgency)
	diff(&s.Priority, from.Priority, to.Priority)
	diff(&s.Declarant, from.Declarant, to.Declarant)
	diff(&s.Assignee, from.Assignee, to.Assignee)
	diff(&s.Team, from.Team, to.Team)
	diff(&s.Origin, from.Origin, to.Origin)
	diff(&s.CauseCode, from.CauseCode, to.CauseCode)
	diff(&s.ResolutionCode, from.ResolutionCode, to.ResolutionCode)
	diff(&s.Target, from.Target, to.Target)
	diff(&s.Level, from.Level, to.Level)
	diff(&s.ReopenCount, from.ReopenCount, to.ReopenCount)
	diff(&s.OpenedAt, from.OpenedAt, to.OpenedAt)
	diff(&s.ResolvedAt, from.ResolvedAt, to.ResolvedAt)
	diff(&s.ClosedAt, from.ClosedAt, to.ClosedAt)
	diff(&s.Affected, from.Affected, to.Affected)
	diff(&s.WaitingCode, from.WaitingCode, to.WaitingCode)
	diff(&s.Rating, from.Rating, to.Rating)
	diff(&s.ReassignCount, from.ReassignCount, to.ReassignCount)
	data, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return journal.Event{
		Tenant: w.tenant, At: at, Actor: auth.System(w.tenant).Actor(), Subject: journal.Subject{Kind: incident.Subject, ID: to.ID},
		School: to.School, Kind: incident.EventEdited, Data: data,
	}
}

func diff[T comparable](to **T, a, b T) {
	if a != b {
		*to = &b
	}
}
