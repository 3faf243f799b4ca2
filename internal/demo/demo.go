// Package demo makes the demonstration: a département that never was, with the
// Loiret's real collèges (their names and places) and invented people,
// machines and incidents. Everything follows from a seed and a "now": the same
// two give the same département to the letter.
//
// Some stories are planted in it (Story): a bad model of computer, a trouble
// zone, a projector that comes back, a failed update, a slow drift. They are
// told with their numbers in docs/demo.md, so that statistics can be seen to
// find them.
package demo

import (
	"math/rand/v2"
	"slices"
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// DefaultSeed is the seed of the demonstration that docs/demo.md describes.
const DefaultSeed = 45

// Source is the external source of the demonstration's incidents, and the
// beginning of the keys of its people.
const Source = "demo"

// TimeZone is the zone whose clocks the demonstration reads.
const TimeZone = "Europe/Paris"

// Incidents is about how many incidents a demonstration has.
const Incidents = 30_000

// Dataset is a generated département. Things refer to one another by their
// index in these lists; None stands for nothing.
type Dataset struct {
	Seed      uint64
	Now       time.Time
	Settings  directory.Settings
	Schools   []School
	Rooms     []Room
	People    []Person
	Teams     []string
	Exposures []Exposure
	Holidays  []directory.HolidayPeriod // those that the program does not know
	Closures  []Closure
	Incidents []Incident // by instant of declaration
	Stories   []Story

	numbers *numbers // once it is loaded
}

// None is the index of nothing.
const None = -1

// School is a collège with what the generator needs of it.
type School struct {
	directory.School

	Pupils    int // today
	Computers int // today
	sector    int // the team that goes there
	appetite  float64
	rooms     map[roomUse][]int
	machines  map[thing][]machine
	computers map[roomUse][]machine // by the use of the room they stand in
	people    map[directory.PersonKind][]int
	tilt      []float64 // by kind: how this school leans
}

// Room is a room of a school.
type Room struct {
	School  int
	Name    string
	Network directory.Network
}

// Person is someone of a school, or of the unit (School None).
type Person struct {
	Key    string // external key
	Name   string
	Kind   directory.PersonKind
	School int
	Email  string
	Team   string // of somebody of the unit
}

// Exposure is a school's denominator from a day on.
type Exposure struct {
	School    int
	From      calendar.Day
	Computers int
	Pupils    int
}

// Closure is a closure of one school.
type Closure struct {
	School      int
	First, Last calendar.Day
	Reason      string
}

// Incident is one generated incident with its life so far.
type Incident struct {
	Title       string
	Description string
	School      int
	Room        int // None when of the whole school
	Network     directory.Network
	Machine     string
	Category    []string // labels from the top, in the default catalogue
	Impact      int
	Urgency     int
	Declarant   int // None for what monitoring saw
	Origin      incident.Origin
	Occurred    time.Time
	Opened      time.Time
	Steps       []Step // what followed, in order, all before Now
	Story       string // key of the planted story it belongs to; empty for the others
}

// Step is what somebody did to an incident.
type Step struct {
	At       time.Time
	By       int // person; None for the program
	Event    string
	State    incident.State // the state after the step
	Assignee int            // None: untouched
	Team     int            // None: untouched
	Planned  time.Time
	Code     string // waiting reason or resolution code, by its label
	Cause    string
	Text     string // what was done to solve it
	Comment  string
	Internal bool
}

// Story is something planted for statistics to find.
type Story struct {
	Key       string
	From, To  calendar.Day // first and last day concerned
	Schools   []int
	Incidents int // planted, declared by Now
	// Machines, Room and Category say what the story is about, where it is.
	Machines []string
	Room     int
	Category []string
}

// Keys of the planted stories.
const (
	BadModel  = "bad_model"
	Zone      = "zone"
	Projector = "projector"
	Update    = "update"
	Drift     = "drift"
)

// generator holds what a generation needs; rng is its only source of chance.
type generator struct {
	rng     *rand.Rand
	ds      *Dataset
	loc     *time.Location
	kinds   []kind
	school  *calendar.Calendar // open days of collèges
	service *calendar.Calendar // open days of the unit: it works through school holidays
	start   calendar.Day
	today   calendar.Day
	techs   [][]int // people of each team
}

// Generate makes the département of a seed as it stands at an instant.
func Generate(seed uint64, now time.Time) *Dataset { return generate(seed, now, true) }

// Quiet makes the same without any story: nothing is there to be found, but for
// what is ordinary (years that grow, schools that lean to some kinds).
func Quiet(seed uint64, now time.Time) *Dataset { return generate(seed, now, false) }

func generate(seed uint64, now time.Time, planted bool) *Dataset {
	g := newGenerator(seed, now)
	stories := 0
	if planted {
		stories = g.plantStories()
	}
	g.fill(Incidents - stories)
	slices.SortStableFunc(g.ds.Incidents, func(a, b Incident) int { return a.Opened.Compare(b.Opened) })
	for i := range g.ds.Stories {
		s := &g.ds.Stories[i]
		for _, inc := range g.ds.Incidents {
			if inc.Story == s.Key {
				s.Incidents++
			}
		}
	}
	return g.ds
}

// newGenerator makes the world of a seed, where nothing has happened yet.
func newGenerator(seed uint64, now time.Time) *generator {
	loc := directory.Settings{TimeZone: TimeZone}.Location()
	now = now.In(loc).Truncate(time.Minute)
	g := &generator{
		rng: rand.New(rand.NewPCG(seed, 0x5741)), loc: loc, kinds: readKinds(),
		ds: &Dataset{Seed: seed, Now: now, Settings: directory.Settings{Name: "Loiret", TimeZone: TimeZone, Zone: "B", Language: "fr"}},
	}
	g.today = calendar.DayOf(now, loc)
	g.start = firstDay(g.today)
	g.makeCalendars()
	g.makeSchools()
	g.makePeople()
	g.makeExposures()
	g.tiltSchools()
	return g
}

// firstDay is the first day of the school years shown: the present one and the
// two before it, or three before it while it is less than half a year old, so
// that there are always two whole years to compare.
func firstDay(today calendar.Day) calendar.Day {
	year := today.SchoolYear()
	if today < calendar.Date(year+1, time.March, 1) {
		year--
	}
	return calendar.Date(year-2, time.September, 1)
}

// makeCalendars builds the calendars of the collèges and of the unit. School
// holidays that are not published yet are those of the year before, 52 weeks
// later.
func (g *generator) makeCalendars() {
	r := calendar.Rules{Location: g.loc, Hours: calendar.DefaultHours}
	first, last := g.start.SchoolYear(), g.today.SchoolYear()+1
	for year := first; year <= last+1; year++ {
		for _, h := range calendar.FrenchHolidays(year) {
			r.Public = append(r.Public, h.Day)
		}
	}
	known := calendar.FrenchSchoolHolidays("B")
	for year := known[len(known)-1].First.SchoolYear() + 1; year <= last; year++ {
		for _, p := range known {
			if p.First.SchoolYear() == year-1 {
				p.First, p.Last = p.First+364, p.Last+364
				known = append(slices.Clip(known), p)
				g.ds.Holidays = append(g.ds.Holidays, directory.HolidayPeriod{Zone: "B", First: p.First, Last: p.Last, Name: p.Name})
			}
		}
	}
	g.service = calendar.New(calendar.Rules{Location: g.loc, Public: r.Public, Hours: calendar.Week{unitDay, unitDay, unitDay, unitDay, unitDay}})
	for _, p := range known {
		r.Holidays = append(r.Holidays, p.Range)
	}
	g.school = calendar.New(r)
}

var unitDay = []calendar.Span{{From: 8 * 60, To: 12*60 + 30}, {From: 13*60 + 15, To: 17*60 + 15}}
