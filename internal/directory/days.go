package directory

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// HolidayPeriod is a stretch of school holidays of a zone, both days in it.
type HolidayPeriod struct {
	Zone  string       `json:"zone"`
	First calendar.Day `json:"first"`
	Last  calendar.Day `json:"last"`
	Name  string       `json:"name"`
}

// PublicHoliday is a day off for everyone (férié).
type PublicHoliday struct {
	Day  calendar.Day `json:"day"`
	Name string       `json:"name"`
}

// Hours are the weekly opening hours of a school, or of the département's
// schools that have none of their own (School 0).
type Hours struct {
	School int64         `json:"school"`
	Week   calendar.Week `json:"week"`
}

// Closure is a stretch of days when a school (or all, School 0) is closed for
// a reason of its own: works, elections, a storm.
type Closure struct {
	ID     int64        `json:"id"`
	School int64        `json:"school"`
	First  calendar.Day `json:"first"`
	Last   calendar.Day `json:"last"`
	Reason string       `json:"reason"`
}

func (h HolidayPeriod) event(verb string) change {
	return change{subject: journal.Subject{Kind: SubjectSchoolHoliday, ID: int64(h.First)}, verb: verb, state: h}
}

func (h PublicHoliday) event(verb string) change {
	return change{subject: journal.Subject{Kind: SubjectPublicHoliday, ID: int64(h.Day)}, verb: verb, state: h}
}

func (c Closure) event(verb string) change {
	return change{subject: journal.Subject{Kind: SubjectClosure, ID: c.ID}, school: c.School, verb: verb, state: c}
}

// daysOf is the longest stretch that a holiday or a closure may last.
const daysOf = 400

func checkStretch(fields *fault.Fields, first, last calendar.Day) {
	if first <= 0 {
		fields.Add("first", "error.field.date")
	}
	if last < first || last > first+daysOf {
		fields.Add("last", "error.directory.stretch")
	}
}

func (h HolidayPeriod) check() error {
	var fields fault.Fields
	checkText(&fields, "zone", h.Zone, 40, true)
	checkText(&fields, "name", h.Name, maxName, true)
	checkStretch(&fields, h.First, h.Last)
	return fields.Err()
}

// SaveSchoolHolidays sets holidays of zones. One that is already there makes no
// event; one that overlaps a stored one of its zone takes its place. It returns
// how many were added, and how many removed.
func (s *Service) SaveSchoolHolidays(ctx context.Context, by auth.Identity, in []HolidayPeriod) (added, dropped int, err error) {
	list, err := tidyAll(in, func(h HolidayPeriod) HolidayPeriod {
		h.Zone, h.Name = clean(h.Zone), clean(h.Name)
		return h
	}, HolidayPeriod.check)
	if err != nil {
		return 0, 0, err
	}
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := holidayPeriods(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		toAdd, toRemove := planHolidays(stored, list)
		added, dropped = len(toAdd), len(toRemove)
		var changes []change
		for _, h := range toRemove {
			changes = append(changes, h.event(removed))
		}
		for _, h := range toAdd {
			changes = append(changes, h.event(saved))
		}
		return changes, nil
	})
	return added, dropped, err
}

// planHolidays says what must be added and removed so that the stored holidays
// hold those of the list; the last of the list wins over those it overlaps.
func planHolidays(stored, list []HolidayPeriod) (toAdd, toRemove []HolidayPeriod) {
	before := make(map[HolidayPeriod]bool, len(stored))
	for _, h := range stored {
		before[h] = true
	}
	now := slices.Clone(stored)
	for _, h := range list {
		if slices.Contains(now, h) {
			continue
		}
		now = slices.DeleteFunc(now, func(old HolidayPeriod) bool {
			return old.Zone == h.Zone && old.First <= h.Last && h.First <= old.Last
		})
		now = append(now, h)
	}
	after := make(map[HolidayPeriod]bool, len(now))
	for _, h := range now {
		after[h] = true
		if !before[h] {
			toAdd = append(toAdd, h)
		}
	}
	for _, h := range stored {
		if !after[h] {
			toRemove = append(toRemove, h)
		}
	}
	return toAdd, toRemove
}

// PlanSchoolHolidays says what SaveSchoolHolidays would add and remove.
func (x *Index) PlanSchoolHolidays(list []HolidayPeriod) (toAdd, toRemove []HolidayPeriod) {
	return planHolidays(x.days.holidays, list)
}

// RemoveSchoolHoliday forgets the holidays of a zone that begin on a day.
func (s *Service) RemoveSchoolHoliday(ctx context.Context, by auth.Identity, zone string, first calendar.Day) error {
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := holidayPeriods(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		for _, h := range stored {
			if h.Zone == zone && h.First == first {
				return []change{h.event(removed)}, nil
			}
		}
		return nil, notFound(SubjectSchoolHoliday)
	})
}

// SavePublicHolidays sets public holidays, one a day; what is already so makes
// no event. It returns how many changed.
func (s *Service) SavePublicHolidays(ctx context.Context, by auth.Identity, in []PublicHoliday) (int, error) {
	list, err := tidyAll(in, func(h PublicHoliday) PublicHoliday {
		h.Name = clean(h.Name)
		return h
	}, func(h PublicHoliday) error {
		var fields fault.Fields
		checkText(&fields, "name", h.Name, maxName, true)
		if h.Day <= 0 {
			fields.Add("day", "error.field.date")
		}
		return fields.Err()
	})
	if err != nil {
		return 0, err
	}
	var n int
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := publicHolidays(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		now := make(map[calendar.Day]string, len(stored))
		for _, h := range stored {
			now[h.Day] = h.Name
		}
		var changes []change
		for _, h := range MergePublicHolidays(list) {
			if now[h.Day] != h.Name {
				changes = append(changes, h.event(saved))
			}
		}
		n = len(changes)
		return changes, nil
	})
	return n, err
}

// MergePublicHolidays keeps one holiday a day: two that fall together (Ascension on 1
// May 2008) share their names.
func MergePublicHolidays(list []PublicHoliday) []PublicHoliday {
	var out []PublicHoliday
	at := map[calendar.Day]int{}
	for _, h := range list {
		i, ok := at[h.Day]
		if !ok {
			at[h.Day] = len(out)
			out = append(out, h)
			continue
		}
		if out[i].Name != h.Name {
			out[i].Name += ", " + h.Name
		}
	}
	return out
}

// RemovePublicHoliday forgets the public holiday of a day.
func (s *Service) RemovePublicHoliday(ctx context.Context, by auth.Identity, day calendar.Day) error {
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := publicHolidays(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		for _, h := range stored {
			if h.Day == day {
				return []change{h.event(removed)}, nil
			}
		}
		return nil, notFound(SubjectPublicHoliday)
	})
}

// SaveHours sets the opening hours of a school, or those of every school that
// has none of its own (school 0). An empty week gives a school back the
// département's hours.
func (s *Service) SaveHours(ctx context.Context, by auth.Identity, school int64, week calendar.Week) error {
	week, err := week.Tidy()
	if err != nil {
		return &fault.Error{Code: fault.Invalid, Key: "error.invalid", Fields: []fault.Field{{Name: "hours", Key: "error.directory.hours"}}, Err: err}
	}
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		if school != 0 {
			if err := requireSchool(ctx, tx, by.Tenant, school); err != nil {
				return nil, err
			}
		}
		return []change{{subject: journal.Subject{Kind: SubjectHours, ID: school}, school: school, verb: saved, state: Hours{School: school, Week: week}}}, nil
	})
}

// SaveClosure creates a closure (ID 0) or changes the one of that ID.
func (s *Service) SaveClosure(ctx context.Context, by auth.Identity, in Closure) (Closure, error) {
	in.Reason = clean(in.Reason)
	var fields fault.Fields
	checkText(&fields, "reason", in.Reason, maxName, true)
	checkStretch(&fields, in.First, in.Last)
	if err := fields.Err(); err != nil {
		return Closure{}, err
	}
	isNew := in.ID == 0
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		if in.School != 0 {
			if err := requireSchool(ctx, tx, by.Tenant, in.School); err != nil {
				return nil, err
			}
		}
		if err := s.identify(ctx, tx, by.Tenant, SubjectClosure, &in.ID, isNew); err != nil {
			return nil, err
		}
		return []change{in.event(saved)}, nil
	})
	return in, err
}

// RemoveClosure forgets a closure.
func (s *Service) RemoveClosure(ctx context.Context, by auth.Identity, id int64) error {
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := closures(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		for _, c := range stored {
			if c.ID == id {
				return []change{c.event(removed)}, nil
			}
		}
		return nil, notFound(SubjectClosure)
	})
}

// The years of public holidays that a new département is given.
const (
	firstYear = 2010
	lastYear  = 2040
)

// SeedCalendar gives a new département the calendar that the program knows:
// metropolitan public holidays, the school holidays of the zones A, B and C, a
// collège's usual hours. What is already there is left as it is.
func (s *Service) SeedCalendar(ctx context.Context, by auth.Identity) error {
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		var changes []change
		storedPublic, err := publicHolidays(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		if len(storedPublic) == 0 {
			var all []PublicHoliday
			for year := firstYear; year <= lastYear; year++ {
				for _, h := range calendar.FrenchHolidays(year) {
					all = append(all, PublicHoliday{h.Day, h.Name})
				}
			}
			for _, h := range MergePublicHolidays(all) {
				changes = append(changes, h.event(saved))
			}
		}
		storedPeriods, err := holidayPeriods(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		for _, zone := range []string{"A", "B", "C"} {
			if slices.ContainsFunc(storedPeriods, func(h HolidayPeriod) bool { return h.Zone == zone }) {
				continue
			}
			for _, p := range calendar.FrenchSchoolHolidays(zone) {
				changes = append(changes, HolidayPeriod{zone, p.First, p.Last, p.Name}.event(saved))
			}
		}
		storedHours, err := openingHours(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		if _, ok := storedHours[0]; !ok {
			changes = append(changes, change{subject: journal.Subject{Kind: SubjectHours}, verb: saved, state: Hours{Week: calendar.DefaultHours}})
		}
		return changes, nil
	})
}

// days is what the directory knows of open and closed days, with the calendars
// made of it so far.
type days struct {
	holidays []HolidayPeriod // by zone and day
	public   []PublicHoliday // by day
	hours    map[int64]calendar.Week
	closures []Closure // by day

	mu   sync.Mutex
	made map[calendarKey]*calendar.Calendar
}

// calendarKey tells calendars apart: schools of one zone, without hours or
// closures of their own, share theirs.
type calendarKey struct {
	zone, timeZone string
	school         int64 // 0 unless the school has something of its own
}

func loadDays(ctx context.Context, tx *sqldb.Tx, tenant int64) (*days, error) {
	d := &days{made: map[calendarKey]*calendar.Calendar{}}
	var err error
	if d.holidays, err = holidayPeriods(ctx, tx, tenant); err != nil {
		return nil, err
	}
	if d.public, err = publicHolidays(ctx, tx, tenant); err != nil {
		return nil, err
	}
	if d.hours, err = openingHours(ctx, tx, tenant); err != nil {
		return nil, err
	}
	d.closures, err = closures(ctx, tx, tenant)
	return d, err
}

// same tells whether another reading found the same days.
func (d *days) same(other *days) bool {
	return slices.Equal(d.holidays, other.holidays) && slices.Equal(d.public, other.public) &&
		slices.Equal(d.closures, other.closures) && reflect.DeepEqual(d.hours, other.hours)
}

// Calendar tells when a school is open: its zone's school holidays, public
// holidays, its closures and the département's, its hours or the département's.
// School 0 (or one that is not there) stands for the département's usual school.
func (x *Index) Calendar(school int64) *calendar.Calendar {
	d := x.days
	key := calendarKey{zone: x.settings.Zone, timeZone: x.settings.TimeZone}
	if s, ok := x.School(school); ok {
		if s.Zone != "" {
			key.zone = s.Zone
		}
		_, ownHours := d.hours[school]
		if ownHours || slices.ContainsFunc(d.closures, func(c Closure) bool { return c.School == school }) {
			key.school = school
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c, ok := d.made[key]; ok {
		return c
	}
	c := calendar.New(d.rules(key, x.settings))
	d.made[key] = c
	return c
}

func (d *days) rules(key calendarKey, s Settings) calendar.Rules {
	r := calendar.Rules{Location: s.Location(), Hours: d.weekOf(key.school)}
	for _, h := range d.public {
		r.Public = append(r.Public, h.Day)
	}
	for _, h := range d.holidays {
		if h.Zone == key.zone {
			r.Holidays = append(r.Holidays, calendar.Range{First: h.First, Last: h.Last})
		}
	}
	for _, c := range d.closures {
		if c.School == 0 || c.School == key.school {
			r.Closures = append(r.Closures, calendar.Range{First: c.First, Last: c.Last})
		}
	}
	return r
}

func (d *days) weekOf(school int64) calendar.Week {
	if w, ok := d.hours[school]; ok {
		return w
	}
	if w, ok := d.hours[0]; ok {
		return w
	}
	return calendar.DefaultHours
}

// Calendar tells when a school is open (see Index.Calendar).
func (s *Service) Calendar(ctx context.Context, tenant, school int64) (*calendar.Calendar, error) {
	x, err := s.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return x.Calendar(school), nil
}

// Hours are a school's weekly hours; own is false if they are the
// département's.
func (x *Index) Hours(school int64) (week calendar.Week, own bool) {
	_, own = x.days.hours[school]
	return x.days.weekOf(school), own
}

// SchoolHolidays lists the holidays of a zone by day; of every zone, by zone,
// for "".
func (x *Index) SchoolHolidays(zone string) []HolidayPeriod {
	if zone == "" {
		return x.days.holidays
	}
	var all []HolidayPeriod
	for _, h := range x.days.holidays {
		if h.Zone == zone {
			all = append(all, h)
		}
	}
	return all
}

// PublicHolidays lists the public holidays by day.
func (x *Index) PublicHolidays() []PublicHoliday { return x.days.public }

// Closures lists the closures of a school and those of all schools, by day;
// every closure for school -1.
func (x *Index) Closures(school int64) []Closure {
	if school == -1 {
		return x.days.closures
	}
	var all []Closure
	for _, c := range x.days.closures {
		if c.School == 0 || c.School == school {
			all = append(all, c)
		}
	}
	return all
}
