package directory_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

func setup(t *testing.T, db *sqldb.DB) (*directory.Service, func() *directory.Index) {
	t.Helper()
	s := directory.New(db, journal.New(db))
	return s, func() *directory.Index {
		t.Helper()
		x, err := s.Index(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func events(t *testing.T, db *sqldb.DB) int {
	t.Helper()
	var n int
	err := db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM event`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// checkRebuild wants every stored row to be what the journal says.
func checkRebuild(t *testing.T, db *sqldb.DB, s *directory.Service) {
	t.Helper()
	replay, err := journal.CheckRebuild(context.Background(), db, 1, []journal.Projection{s.Projection()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if replay.Total != 0 || len(replay.Skipped) != 0 || replay.Events != int64(events(t, db)) {
		t.Errorf("of %d events, %d differences: %v; skipped %v", replay.Events, replay.Total, replay.Differences, replay.Skipped)
	}
}

func TestEnsureIsIdempotent(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		all := func() (map[string]int64, map[directory.RoomKey]int64, map[string]int64, map[string]int64) {
			schools, err := s.EnsureSchools(ctx, system, []directory.School{{UAI: "0450937Z", Name: "Collège Robert Schuman"}, {UAI: "0450003j"}})
			if err != nil {
				t.Fatal(err)
			}
			a := schools["0450937Z"]
			rooms, err := s.EnsureRooms(ctx, system, []directory.Room{{School: a, Name: "Salle 12"}, {School: a, Name: "Salle 9"}, {School: a, Name: " Salle  9 "}})
			if err != nil {
				t.Fatal(err)
			}
			people, err := s.EnsurePeople(ctx, system, []directory.Person{{External: "u1", Name: "Zoé Émile", Kind: directory.Staff}, {External: "u2", School: a}})
			if err != nil {
				t.Fatal(err)
			}
			teams, err := s.EnsureTeams(ctx, system, []string{"Nord", "Est"})
			if err != nil {
				t.Fatal(err)
			}
			return schools, rooms, people, teams
		}
		schools, rooms, people, teams := all()
		before := events(t, db)
		if before != 8 {
			t.Errorf("%d events for 8 new things", before)
		}
		schools2, rooms2, people2, teams2 := all()
		if diff := cmp.Diff([]any{schools, rooms, people, teams}, []any{schools2, rooms2, people2, teams2}); diff != "" {
			t.Errorf("the second time gave other identifiers:\n%s", diff)
		}
		if n := events(t, db); n != before {
			t.Errorf("%d events for nothing new", n-before)
		}
		x := index()
		var names []string
		for _, r := range x.Rooms(schools["0450937Z"]) {
			names = append(names, r.Name)
		}
		if diff := cmp.Diff([]string{"Salle 9", "Salle 12"}, names); diff != "" {
			t.Errorf("rooms:\n%s", diff)
		}
		if sc, ok := x.SchoolByUAI("0450003J"); !ok || sc.Name != "0450003J" || sc.ID != schools["0450003j"] {
			t.Errorf("school without a name: %+v %v", sc, ok)
		}
		if p, ok := x.PersonByExternal("u1"); !ok || p.ID != people["u1"] || x.TeamName(teams["Est"]) != "Est" {
			t.Errorf("person %+v %v, teams %v", p, ok, teams)
		}
		if got := x.Technicians(); len(got) != 1 || got[0].Name != "Zoé Émile" {
			t.Errorf("technicians: %+v", got)
		}
	})
}

func TestSavingAndRefusing(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		school, err := s.SaveSchool(ctx, system, directory.School{UAI: "0450937z", Name: "Collège Robert Schuman", Commune: "Amilly", Lat: 47.98, Lon: 2.76, Located: true, Zone: "B", Opened: calendar.Date(1971, 2, 11)})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := index().School(school.ID); !ok || got != school {
			t.Errorf("saved %+v, indexed %+v", school, got)
		}
		room, err := s.SaveRoom(ctx, system, directory.Room{School: school.ID, Name: "CDI", Network: directory.NetworkTeaching})
		if err != nil {
			t.Fatal(err)
		}
		room.Name, room.Archived = "CDI (ancien)", true
		if _, err := s.SaveRoom(ctx, system, room); err != nil {
			t.Fatal(err)
		}
		if got, _ := index().Room(room.ID); got != room {
			t.Errorf("saved %+v, indexed %+v", room, got)
		}
		person, err := s.SavePerson(ctx, system, directory.Person{Name: "Jeanne Martin", Kind: directory.Teacher, School: school.ID, Email: "j@example.org", External: "jm"})
		if err != nil {
			t.Fatal(err)
		}
		refused := []struct {
			name, field string
			try         func() error
		}{
			{"a school's code twice", "uai", func() error {
				_, err := s.SaveSchool(ctx, system, directory.School{UAI: "0450937Z", Name: "Autre"})
				return err
			}},
			{"a place outside the world", "lat", func() error {
				_, err := s.SaveSchool(ctx, system, directory.School{UAI: "1", Located: true, Lat: 91})
				return err
			}},
			{"a room's name twice", "name", func() error {
				_, err := s.SaveRoom(ctx, system, directory.Room{School: school.ID, Name: "CDI (ancien)"})
				return err
			}},
			{"a room of no school", "school", func() error {
				_, err := s.SaveRoom(ctx, system, directory.Room{School: 99, Name: "x"})
				return err
			}},
			{"a person's key twice", "external", func() error {
				_, err := s.SavePerson(ctx, system, directory.Person{Name: "x", External: "jm"})
				return err
			}},
			{"a pupil", "kind", func() error {
				_, err := s.SavePerson(ctx, system, directory.Person{Name: "x", Kind: "pupil"})
				return err
			}},
			{"fewer than no computers", "computers", func() error {
				_, err := s.SaveExposures(ctx, system, []directory.Exposure{{School: school.ID, Computers: -1}})
				return err
			}},
			{"a time zone that is none", "time_zone", func() error {
				return s.SaveSettings(ctx, system, directory.Settings{Name: "x", TimeZone: "Mars", Zone: "B", Language: "fr"})
			}},
		}
		before := events(t, db)
		for _, c := range refused {
			err := c.try()
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Code != fault.Invalid || e.Fields[0].Name != c.field {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if n := events(t, db); n != before {
			t.Errorf("%d events from refused commands", n-before)
		}
		if _, err := s.SavePerson(ctx, system, directory.Person{ID: person.ID + 1, Name: "x"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("change of nobody: %v", err)
		}
		if _, err := s.SaveTeam(ctx, auth.Identity{Tenant: 1, Role: auth.Referent}, directory.Team{Name: "x"}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a referent makes a team: %v", err)
		}
		settings := directory.Settings{Name: "Loiret", TimeZone: "Europe/Paris", Zone: "B", Accent: "#0a6e6e", Language: "fr"}
		if got, err := s.Settings(ctx, 1); err != nil || got != directory.DefaultSettings {
			t.Errorf("a new département: %+v %v", got, err)
		}
		if err := s.SaveSettings(ctx, system, settings); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Settings(ctx, 1); err != nil || got != settings {
			t.Errorf("settings %+v %v", got, err)
		}
	})
}

func TestExposureByDate(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		ids, err := s.EnsureSchools(ctx, system, []directory.School{{UAI: "A"}})
		if err != nil {
			t.Fatal(err)
		}
		a := ids["A"]
		list := []directory.Exposure{{School: a, From: 100, Computers: 10, Pupils: 50}, {School: a, From: 200, Computers: 20, Pupils: 60}}
		for i, want := range []int{2, 0} {
			if n, err := s.SaveExposures(ctx, system, list); err != nil || n != want {
				t.Errorf("time %d: %d changed, want %d (%v)", i+1, n, want, err)
			}
		}
		for day, want := range map[calendar.Day]int{99: 0, 100: 10, 199: 10, 200: 20, 5000: 20} {
			if e, ok := index().ExposureAt(a, day); e.Computers != want || ok != (want > 0) {
				t.Errorf("day %d: %+v %v, want %d", day, e, ok, want)
			}
		}
		if err := s.RemoveExposure(ctx, system, a, 200); err != nil {
			t.Fatal(err)
		}
		if e, _ := index().ExposureAt(a, 5000); e.Computers != 10 {
			t.Errorf("after removal: %+v", e)
		}
		if err := s.RemoveExposure(ctx, system, a, 200); !fault.Is(err, fault.NotFound) {
			t.Errorf("removed twice: %v", err)
		}
	})
}

// Two services on one database are two processes: each must see what the other wrote.
func TestIndexSeesAnotherProcess(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		_, index := setup(t, db)
		other, _ := setup(t, db)
		if n := len(index().Teams()); n != 0 {
			t.Fatalf("%d teams", n)
		}
		if _, err := other.EnsureTeams(ctx, system, []string{"Nord"}); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(30 * time.Second); len(index().Teams()) == 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the other process's team is not seen after 5 s")
			}
		}
	})
}

func TestProjectionRebuildsTheTables(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, _ := setup(t, db)
		ids, err := s.EnsureSchools(ctx, system, []directory.School{{UAI: "A"}, {UAI: "B"}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.SaveRoom(ctx, system, directory.Room{School: ids["A"], Name: "1"})
		if err != nil {
			t.Fatal(err)
		}
		r.Name = "2" // the freed name is then taken by another room: order matters
		if _, err := s.SaveRoom(ctx, system, r); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SaveRoom(ctx, system, directory.Room{School: ids["A"], Name: "1"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SaveExposures(ctx, system, []directory.Exposure{{School: ids["A"], From: 3, Computers: 3}}); err != nil {
			t.Fatal(err)
		}
		if err := s.RemoveExposure(ctx, system, ids["A"], 3); err != nil {
			t.Fatal(err)
		}
		checkRebuild(t, db, s)
	})
}

// Names pass from one room to another while many write: whoever commits, the
// journal must tell it in an order in which each name was free.
func TestConcurrentRenamesReplay(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		ids, err := s.EnsureSchools(ctx, system, []directory.School{{UAI: "A"}})
		if err != nil {
			t.Fatal(err)
		}
		names := []string{"1", "2", "3", "4", "5"}
		if _, err := s.EnsureRooms(ctx, system, []directory.Room{{School: ids["A"], Name: "1"}, {School: ids["A"], Name: "2"}, {School: ids["A"], Name: "3"}}); err != nil {
			t.Fatal(err)
		}
		rooms := index().Rooms(ids["A"])
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				for n := range 12 {
					r := rooms[(w+n)%len(rooms)]
					r.Name = names[(w*7+n*3)%len(names)]
					if _, err := s.SaveRoom(ctx, system, r); err != nil && !fault.Is(err, fault.Invalid) {
						t.Errorf("writer %d: %v", w, err)
					}
				}
			})
		}
		group.Wait()
		checkRebuild(t, db, s)
	})
}
