package cube

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/incident"
)

// chunkRows is how many incidents a chunk holds: its columns of one and two
// bytes fit the first-level cache, and a small département does not pay for a
// large one.
const chunkRows = 1 << 14

// chunk is a stretch of incidents, one array a field: 70 bytes an incident.
// Instants are seconds since 1970 (0 = not reached), days are local days
// (0 = none), identifiers are codes of a dictionary (0 = not known).
type chunk struct {
	n int

	id, opened, resolved, closed, updated [chunkRows]uint32
	room, machine, declarant, assignee    [chunkRows]uint32
	// The next older incident (row + 1, 0 at the end) on the same machine, and
	// in the same room: what a repeat is computed from.
	olderMachine, olderInRoom [chunkRows]uint32

	openedDay, endedDay                     [chunkRows]uint16
	school, category, cause, solution, team [chunkRows]uint16

	severity [chunkRows]uint8 // priority | impact << 3 | urgency << 5 | repeat << 7
	status   [chunkRows]uint8 // state | network << 3 | target << 5 | reopened << 7
	source   [chunkRows]uint8 // origin | hour of the opening << 3
	handled  [chunkRows]uint8 // level

	outcome                        [chunkRows]uint8  // response clock | resolution clock << 2 | rating << 4 | reassignments (at most 3) << 6
	waiting                        [chunkRows]uint8  // why, a code of reasons
	responseSpent, resolutionSpent [chunkRows]uint16 // open minutes of a clock that has stopped; unspent, or longSpent for those that do not fit
	desk                           [chunkRows]uint16 // place in desks, from 1
	desks                          []desk            // what few incidents have

	// What the whole chunk is about, so that it can be skipped.
	minOpened, maxOpened uint16
	minEnded, maxEnded   uint16 // of those that ended
	open                 int    // not ended
	excluded             int    // merged or cancelled
}

const bytesPerIncident = 70

const (
	reopenedBit = 1 << 7 // of status
	repeatBit   = 1 << 7 // of severity
)

// dict numbers values as they come; code 0 is the zero value, "not known".
type dict[K comparable] struct {
	codes map[K]uint32
	keys  []K
}

func newDict[K comparable]() *dict[K] {
	var zero K
	return &dict[K]{codes: map[K]uint32{zero: 0}, keys: []K{zero}}
}

func (d *dict[K]) code(k K) uint32 {
	c, ok := d.codes[k]
	if !ok {
		c = uint32(len(d.keys))
		d.codes[k] = c
		d.keys = append(d.keys, k)
	}
	return c
}

// facts are the columns and their dictionaries.
type facts struct {
	loc    *localizer
	chunks []*chunk
	rows   int

	// Rows are in the order of numbers, except those in late (by number), whose
	// number was lower than one already there.
	maxID    uint32
	late     map[uint32]uint32
	lateRows map[uint32]bool

	schools, rooms, categories, codes, teams, people *dict[int64]
	machines                                         *dict[string]
	reasons                                          *dict[int64] // of waiting; one byte

	// heads of the chains of repeats: row + 1 of the newest.
	machineHead []uint32 // by machine code
	roomHead    []uint32 // by room code

	followers followers
	visits    map[int64][]int64 // the incidents of each visit
	pending   pending           // targets that will be passed unless somebody acts

	tables *tables
	derived
}

func newFacts(loc *time.Location, t *tables) *facts {
	f := &facts{
		loc: &localizer{loc: loc}, late: map[uint32]uint32{}, lateRows: map[uint32]bool{},
		schools: newDict[int64](), rooms: newDict[int64](), categories: newDict[int64](),
		codes: newDict[int64](), teams: newDict[int64](), people: newDict[int64](), machines: newDict[string](), reasons: newDict[int64](),
		followers: followers{of: map[uint32][]int64{}, by: map[int64]map[uint32]bool{}},
		visits:    map[int64][]int64{}, pending: pending{at: map[uint32][2]uint32{}},
	}
	f.use(t)
	return f
}

func (f *facts) at(row uint32) (*chunk, int) {
	return f.chunks[row/chunkRows], int(row % chunkRows)
}

// find gives the row of an incident's number.
func (f *facts) find(id uint32) (uint32, bool) {
	if row, ok := f.late[id]; ok {
		return row, true
	}
	row := uint32(sort.Search(f.rows, func(r int) bool { return f.ordered(uint32(r)) >= id }))
	if int(row) >= f.rows {
		return 0, false
	}
	c, i := f.at(row)
	return row, c.id[i] == id && !f.lateRows[row]
}

// ordered is the number at a row, or that of the last row in order before a
// late one, so that a search by halves works.
func (f *facts) ordered(row uint32) uint32 {
	for len(f.lateRows) > 0 && row > 0 && f.lateRows[row] {
		row--
	}
	c, i := f.at(row)
	return c.id[i]
}

// record is one incident as the columns need it.
type record struct {
	id                                  int64
	state                               incident.State
	school, room, category              int64
	network, target                     string
	machine                             string
	impact, urgency, priority, reopened int
	declarant, assignee, team           int64
	cause, solution                     int64
	origin                              incident.Origin
	level                               incident.Level
	opened, resolved, closed, updated   uint32 // seconds
	waiting                             int64
	rating                              incident.Rating
	reassigned                          int

	joined bool    // an event changed who follows it
	people []int64 // who does then
}

var errTooMany = errors.New("cube: more distinct values than two bytes can number; use the SQL executor")

// put writes a record at a row (f.rows to append) without looking at repeats.
func (f *facts) put(row uint32, r *record) error {
	if r.id <= 0 || r.id > math.MaxUint32 {
		return fmt.Errorf("cube: incident number %d does not fit four bytes; use the SQL executor", r.id)
	}
	if int(row) == f.rows {
		if int(row/chunkRows) == len(f.chunks) {
			f.chunks = append(f.chunks, &chunk{minOpened: math.MaxUint16, minEnded: math.MaxUint16})
		}
		f.rows++
		c, i := f.at(row)
		c.n++
		c.responseSpent[i], c.resolutionSpent[i] = unspent, unspent
		id := uint32(r.id)
		if id < f.maxID {
			f.late[id], f.lateRows[row] = row, true
		} else {
			f.maxID = id
		}
	}
	c, i := f.at(row)
	c.id[i] = uint32(r.id)

	school, category, cause, solution, team := f.schools.code(r.school), f.categories.code(r.category), f.codes.code(r.cause), f.codes.code(r.solution), f.teams.code(r.team)
	if max(school, category, cause, solution, team) > math.MaxUint16 {
		return errTooMany
	}
	c.school[i], c.category[i], c.cause[i], c.solution[i], c.team[i] = uint16(school), uint16(category), uint16(cause), uint16(solution), uint16(team)
	c.room[i], c.machine[i] = f.rooms.code(r.room), f.machines.code(r.machine)
	c.declarant[i], c.assignee[i] = f.people.code(r.declarant), f.people.code(r.assignee)
	f.extend()

	state := slices.Index(incident.States, r.state)
	if state < 0 {
		return errors.New("cube: unknown state " + string(r.state))
	}
	open := r.state.Open()
	resolved, closed := r.resolved, r.closed
	if open {
		resolved, closed = 0, 0
	}
	c.opened[i], c.resolved[i], c.closed[i], c.updated[i] = r.opened, resolved, closed, r.updated
	day, hour := f.loc.day(r.opened)
	c.openedDay[i] = day
	c.endedDay[i] = 0
	if !open {
		end, _ := f.loc.day(resolved)
		if resolved == 0 {
			end, _ = f.loc.day(closed)
		}
		c.endedDay[i] = max(end, day)
	}
	c.severity[i] = c.severity[i]&repeatBit | small(r.priority, 5) | small(r.impact, 3)<<3 | small(r.urgency, 3)<<5
	c.status[i] = uint8(state) | word(networkWords, r.network)<<3 | word(targetWords, r.target)<<5
	if r.reopened > 0 {
		c.status[i] |= reopenedBit
	}
	c.source[i] = word(originWords, string(r.origin)) | hour<<3
	c.handled[i] = word(handledWords, handledWord(r.level))
	reason := f.reasons.code(r.waiting)
	if reason > math.MaxUint8 {
		return errTooMany
	}
	c.waiting[i] = uint8(reason)
	c.outcome[i] = c.outcome[i]&clockBits | word(ratingWords, string(r.rating))<<4 | uint8(min(max(r.reassigned, 0), 3))<<6
	if r.reassigned >= 3 || c.desk[i] != 0 {
		c.side(i).reassigned = max(0, int64(r.reassigned))
	}
	return nil
}

// get reads a record back, to be changed.
func (f *facts) get(row uint32) record {
	c, i := f.at(row)
	return record{
		id: int64(c.id[i]), state: incident.States[c.status[i]&7],
		school: f.schools.keys[c.school[i]], room: f.rooms.keys[c.room[i]], category: f.categories.keys[c.category[i]],
		network: wordOf(networkWords, c.status[i]>>3&3), target: wordOf(targetWords, c.status[i]>>5&3),
		machine: f.machines.keys[c.machine[i]],
		impact:  int(c.severity[i] >> 3 & 3), urgency: int(c.severity[i] >> 5 & 3), priority: int(c.severity[i] & 7), reopened: int(c.status[i] >> 7),
		declarant: f.people.keys[c.declarant[i]], assignee: f.people.keys[c.assignee[i]], team: f.teams.keys[c.team[i]],
		cause: f.codes.keys[c.cause[i]], solution: f.codes.keys[c.solution[i]],
		origin: incident.Origin(wordOf(originWords, c.source[i]&7)), level: levelOf(c.handled[i]),
		opened: c.opened[i], resolved: c.resolved[i], closed: c.closed[i], updated: c.updated[i],
		waiting: f.reasons.keys[c.waiting[i]], rating: incident.Rating(wordOf(ratingWords, c.outcome[i]>>4&3)), reassigned: int(c.had(ofReassignments, i)),
	}
}

// levelOf is the level that a code of handled stands for.
func levelOf(code uint8) incident.Level {
	if w := wordOf(handledWords, code); w != directWord {
		return incident.Level(w)
	}
	return incident.Direct
}

// small keeps a level between 1 and most; anything else is not known.
func small(n, most int) uint8 {
	if n < 1 || n > most {
		return 0
	}
	return uint8(n)
}

// word codes a word of a closed list from 1 on; 0 is not known.
func word(list []string, w string) uint8 { return uint8(slices.Index(list, w) + 1) }

func wordOf(list []string, code uint8) string {
	if code == 0 || int(code) > len(list) {
		return ""
	}
	return list[code-1]
}

// added brings the summary of a chunk up to date after a row was added.
func (c *chunk) added(i int) {
	c.minOpened, c.maxOpened = min(c.minOpened, c.openedDay[i]), max(c.maxOpened, c.openedDay[i])
	if d := c.endedDay[i]; d == 0 {
		c.open++
	} else {
		c.minEnded, c.maxEnded = min(c.minEnded, d), max(c.maxEnded, d)
	}
	c.excluded += int(leftOut[c.status[i]])
}

// changed does the same after a row was changed, from its former opened day,
// ended day and leftOut. The bounds of the ends may stay too wide, which only
// costs a look; those of the opening are exact.
func (c *chunk) changed(i int, opened, ended uint16, out uint8) {
	if ended == 0 {
		c.open--
	}
	c.excluded -= int(out)
	c.added(i)
	if c.openedDay[i] != opened && (opened == c.minOpened || opened == c.maxOpened) {
		c.minOpened, c.maxOpened = math.MaxUint16, 0
		for _, d := range c.openedDay[:c.n] {
			c.minOpened, c.maxOpened = min(c.minOpened, d), max(c.maxOpened, d)
		}
	}
}

// isCounted tells whether incidents of a state are counted when nobody asks
// for that state.
func isCounted(s incident.State) bool { return s != incident.Merged && s != incident.Cancelled }

// leftOut is 1 for the statuses of incidents that are not counted.
var leftOut = statusTable(func(s uint8) uint8 {
	if isCounted(incident.States[s&7]) {
		return 0
	}
	return 1
})

func statusTable(of func(uint8) uint8) (t [256]uint8) {
	for s := range t {
		t[s] = of(uint8(s))
	}
	return t
}

// firstDay is the day of the first incident, 0 if there is none.
func (f *facts) firstDay() calendar.Day {
	first := uint16(math.MaxUint16)
	for _, c := range f.chunks {
		first = min(first, c.minOpened)
	}
	if first == math.MaxUint16 {
		return 0
	}
	return calendar.Day(first)
}

// bytes is the memory that the columns hold.
func (f *facts) bytes() int { return len(f.chunks) * chunkRows * bytesPerIncident }

// seconds is an instant of the columns, from milliseconds.
func seconds(ms int64) uint32 {
	switch {
	case ms <= 0:
		return 0
	case ms/1000 > math.MaxUint32:
		return math.MaxUint32
	}
	return uint32(ms / 1000)
}

// localizer turns instants into local days and hours, remembering the zone
// offset of the last instants so that the zone's table is seldom read.
type localizer struct {
	loc        *time.Location
	start, end int64 // seconds for which offset holds
	offset     int64
}

func (l *localizer) day(sec uint32) (day uint16, hour uint8) {
	if sec == 0 {
		return 0, 0
	}
	t := int64(sec)
	if t < l.start || t >= l.end {
		at := time.Unix(t, 0).In(l.loc)
		start, end := at.ZoneBounds()
		_, offset := at.Zone()
		l.start, l.end, l.offset = math.MinInt64, math.MaxInt64, int64(offset)
		if !start.IsZero() {
			l.start = start.Unix()
		}
		if !end.IsZero() {
			l.end = end.Unix()
		}
	}
	local := max(0, t+l.offset)
	return uint16(min(local/86400, maxDay)), uint8(local % 86400 / 3600)
}
