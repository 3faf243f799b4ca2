package directory

import (
	"context"
	"slices"
	"sort"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/sqldb"
)

// Index is a tenant's directory in memory, at one version. It never changes;
// its lists belong to it and must not be changed by the reader.
type Index struct {
	version  int64
	settings Settings

	schools     []School // by name, in French order
	schoolByID  map[int64]int
	schoolByUAI map[string]int

	rooms      map[int64][]Room // by school, in French order with numbers as numbers
	roomByID   map[int64]Room
	roomByName map[RoomKey]int64

	people     []Person // by name, in French order
	listed     []Person // those who are somebody
	personByID map[int64]int
	byExternal map[string]int
	bySchool   map[int64][]Person

	teams     []Team
	teamByID  map[int64]Team
	exposures map[int64][]Exposure // by school, by day
	days      *days
	support   map[int64]Support // by school
}

// RoomKey is how people know a room: its name in its school.
type RoomKey struct {
	School int64
	Name   string
}

// load reads the whole directory in one snapshot.
func (s *Service) load(ctx context.Context, tx *sqldb.Tx, tenant, version int64) (*Index, error) {
	x := &Index{version: version}
	var err error
	if x.settings, err = settings(ctx, tx, tenant); err != nil {
		return nil, err
	}
	if x.schools, err = schools(ctx, tx, tenant); err != nil {
		return nil, err
	}
	allRooms, err := rooms(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	if x.people, err = people(ctx, tx, tenant); err != nil {
		return nil, err
	}
	if x.teams, err = teams(ctx, tx, tenant); err != nil {
		return nil, err
	}
	allExposures, err := exposures(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	if x.support, err = supports(ctx, tx, tenant); err != nil {
		return nil, err
	}
	if x.days, err = loadDays(ctx, tx, tenant); err != nil {
		return nil, err
	}
	// Calendars cost a millisecond or two to make: they outlive changes of
	// other things.
	if last, ok := s.days.Load(tenant); ok && last.(*days).same(x.days) {
		x.days = last.(*days)
	}
	s.days.Store(tenant, x.days)
	x.arrange(allRooms, allExposures)
	return x, nil
}

// arrange sorts and indexes what was read.
func (x *Index) arrange(allRooms []Room, allExposures []Exposure) {
	frenchOrder(x.schools, func(s School) string { return s.Name + " " + s.Commune })
	x.schoolByID = make(map[int64]int, len(x.schools))
	x.schoolByUAI = make(map[string]int, len(x.schools))
	for i, s := range x.schools {
		x.schoolByID[s.ID] = i
		x.schoolByUAI[s.UAI] = i
	}

	frenchOrder(allRooms, func(r Room) string { return r.Name })
	x.rooms = map[int64][]Room{}
	x.roomByID = make(map[int64]Room, len(allRooms))
	x.roomByName = make(map[RoomKey]int64, len(allRooms))
	for _, r := range allRooms {
		x.rooms[r.School] = append(x.rooms[r.School], r)
		x.roomByID[r.ID] = r
		x.roomByName[RoomKey{r.School, r.Name}] = r.ID
	}

	frenchOrder(x.people, func(p Person) string { return p.Name })
	x.personByID = make(map[int64]int, len(x.people))
	x.byExternal = map[string]int{}
	x.bySchool = map[int64][]Person{}
	for i, p := range x.people {
		x.personByID[p.ID] = i
		if p.External != "" {
			x.byExternal[p.External] = i
		}
		if p.Pseudonym() {
			continue
		}
		x.listed = append(x.listed, p)
		x.bySchool[p.School] = append(x.bySchool[p.School], p)
	}

	frenchOrder(x.teams, func(t Team) string { return t.Name })
	x.teamByID = make(map[int64]Team, len(x.teams))
	for _, t := range x.teams {
		x.teamByID[t.ID] = t
	}

	x.exposures = map[int64][]Exposure{}
	for _, e := range allExposures {
		x.exposures[e.School] = append(x.exposures[e.School], e)
	}
}

// frenchOrder sorts by a text as a French reader expects: accents and case
// count last, numbers count as numbers ("Salle 9" before "Salle 12").
func frenchOrder[T any](list []T, text func(T) string) {
	c := collate.New(language.French, collate.Numeric)
	var buf collate.Buffer
	keys := make([][]byte, len(list))
	order := make([]int, len(list))
	for i, item := range list {
		keys[i] = c.KeyFromString(&buf, text(item))
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return slices.Compare(keys[order[i]], keys[order[j]]) < 0 })
	sorted := make([]T, len(list))
	for i, from := range order {
		sorted[i] = list[from]
	}
	copy(list, sorted)
}

// Version counts the changes of the directory.
func (x *Index) Version() int64 { return x.version }

// Settings are the département's choices.
func (x *Index) Settings() Settings { return x.settings }

// Schools lists every school by name.
func (x *Index) Schools() []School { return x.schools }

// SchoolsIn lists the schools that a reader may see, by name.
func (x *Index) SchoolsIn(scope auth.Scope) []School {
	if scope.All() {
		return x.schools
	}
	var seen []School
	for _, s := range x.schools {
		if scope.SeesSchool(s.ID) {
			seen = append(seen, s)
		}
	}
	return seen
}

// School finds a school.
func (x *Index) School(id int64) (School, bool) { return at(x.schools, x.schoolByID, id) }

// SchoolByUAI finds a school by its official code.
func (x *Index) SchoolByUAI(uai string) (School, bool) { return at(x.schools, x.schoolByUAI, uai) }

// SchoolName is a school's name, empty if there is no such school.
func (x *Index) SchoolName(id int64) string {
	s, _ := x.School(id)
	return s.Name
}

func at[K comparable, T any](list []T, by map[K]int, key K) (T, bool) {
	i, ok := by[key]
	if !ok {
		var none T
		return none, false
	}
	return list[i], true
}

// Rooms lists a school's rooms by name, archived ones too.
func (x *Index) Rooms(school int64) []Room { return x.rooms[school] }

// Room finds a room.
func (x *Index) Room(id int64) (Room, bool) {
	r, ok := x.roomByID[id]
	return r, ok
}

// RoomName is a room's name, empty if there is no such room.
func (x *Index) RoomName(id int64) string { return x.roomByID[id].Name }

// RoomByName finds a room by its name in a school.
func (x *Index) RoomByName(school int64, name string) (Room, bool) {
	id, ok := x.roomByName[RoomKey{school, clean(name)}]
	return x.roomByID[id], ok
}

// People lists everyone by name, pseudonyms aside.
func (x *Index) People() []Person { return x.listed }

// PeopleOf lists a school's people by name; those of no single school for 0.
func (x *Index) PeopleOf(school int64) []Person { return x.bySchool[school] }

// Technicians lists the unit's people by name: those to whom an incident can
// be given.
func (x *Index) Technicians() []Person {
	var all []Person
	for _, p := range x.people {
		if p.Kind == Staff {
			all = append(all, p)
		}
	}
	return all
}

// Person finds a person.
func (x *Index) Person(id int64) (Person, bool) { return at(x.people, x.personByID, id) }

// PersonName is a person's name, empty if there is no such person.
func (x *Index) PersonName(id int64) string {
	p, _ := x.Person(id)
	return p.Name
}

// PersonByExternal finds a person by the key of the software they came from.
func (x *Index) PersonByExternal(key string) (Person, bool) { return at(x.people, x.byExternal, key) }

// Members lists who works in a team, by name.
func (x *Index) Members(team int64) []Person {
	var all []Person
	for _, p := range x.Technicians() {
		if p.Team == team && team != 0 {
			all = append(all, p)
		}
	}
	return all
}

// Teams lists every team by name, archived ones too.
func (x *Index) Teams() []Team { return x.teams }

// Team finds a team.
func (x *Index) Team(id int64) (Team, bool) {
	t, ok := x.teamByID[id]
	return t, ok
}

// TeamName is a team's name, empty if there is no such team.
func (x *Index) TeamName(id int64) string { return x.teamByID[id].Name }

// Exposures lists a school's denominators from the oldest to the newest.
func (x *Index) Exposures(school int64) []Exposure { return x.exposures[school] }

// ExposureAt is what was in service in a school on a day; false before the
// first known figure.
func (x *Index) ExposureAt(school int64, day calendar.Day) (Exposure, bool) {
	list := x.exposures[school]
	i, found := slices.BinarySearchFunc(list, day, func(e Exposure, d calendar.Day) int { return int(e.From) - int(d) })
	if !found {
		i--
	}
	if i < 0 {
		return Exposure{}, false
	}
	return list[i], true
}
