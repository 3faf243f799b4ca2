package calendar

import (
	"sort"
	"time"
)

// DayKind says why a day is open or closed.
type DayKind uint8

// The kinds of day.
const (
	OpenDay       DayKind = iota
	Weekend               // a weekday that is never open
	PublicHoliday         // férié
	LocalClosure
	SchoolHoliday
)

// Calendar answers when a place is open. It is immutable, and safe for any
// number of readers. An instant counts as its minute: seconds are dropped.
//
// Days are laid in a table of running totals, so that the open minutes between
// two instants cost two look-ups whatever lies between them. The table covers
// tableFirst to tableLast and every day that the rules name; beyond it the
// weekly hours alone hold.
type Calendar struct {
	loc   *time.Location
	hours Week
	first Day
	kind  []DayKind // of each day from first on
	moved []bool    // the clocks change during that day
	// before[i] is the open minutes from first to the beginning of day first+i.
	before []int32
	// weeks[i] is the number of the i-th ISO week of the table in its school
	// year, 0 if it has no open day.
	weeks     []int8
	weekStart Day // the Monday of weeks[0]
	weekly    int // open minutes of a usual week
	halfDays  int // open half-days of a usual week
}

// The days that every table covers.
var (
	tableFirst = Date(2000, time.January, 1)
	tableLast  = Date(2050, time.December, 31)
)

// New makes the calendar of rules. The hours must be tidy (Week.Tidy).
func New(r Rules) *Calendar {
	c := &Calendar{loc: r.Location, hours: r.Hours}
	if c.loc == nil {
		c.loc = time.UTC
	}
	first, last := tableFirst, tableLast
	for _, d := range r.Public {
		first, last = min(first, d), max(last, d)
	}
	for _, list := range [][]Range{r.Holidays, r.Closures} {
		for _, s := range list {
			if s.First <= s.Last {
				first, last = min(first, s.First), max(last, s.Last)
			}
		}
	}
	c.first = first.Week()
	n := int(last.Week()+7) - int(c.first)
	c.kind, c.moved, c.before = make([]DayKind, n), make([]bool, n), make([]int32, n+1)
	c.close(r)
	for weekday := range 7 {
		c.weekly += c.hours.minutes(weekday)
		c.halfDays += c.hours.halfDays(weekday)
	}
	midnight := c.first.Start(c.loc)
	for i := range n {
		next := (c.first + Day(i+1)).Start(c.loc)
		c.moved[i] = next.Sub(midnight) != 24*time.Hour
		c.before[i+1] = c.before[i] + int32(c.dayMinutes(i, midnight, next))
		midnight = next
	}
	c.numberWeeks()
	return c
}

// close notes why each day is closed, the strongest reason last.
func (c *Calendar) close(r Rules) {
	for i := range c.kind {
		if len(c.hours[i%7]) == 0 {
			c.kind[i] = Weekend
		}
	}
	mark := func(list []Range, k DayKind) {
		for _, s := range list {
			for d := s.First; d <= s.Last; d++ {
				c.kind[d-c.first] = k
			}
		}
	}
	mark(r.Holidays, SchoolHoliday)
	mark(r.Closures, LocalClosure)
	for _, d := range r.Public {
		c.kind[d-c.first] = PublicHoliday
	}
}

// dayMinutes is how long the i-th day is open. When the clocks change in the
// middle of open hours, the minutes that pass are counted, not those of the
// dial.
func (c *Calendar) dayMinutes(i int, midnight, next time.Time) int {
	switch {
	case c.kind[i] != OpenDay:
		return 0
	case c.moved[i]:
		return c.walk(i%7, midnight, next)
	}
	return c.hours.minutes(i % 7)
}

// walk counts minute by minute.
func (c *Calendar) walk(weekday int, from, to time.Time) int {
	n := 0
	for t := from; t.Before(to); t = t.Add(time.Minute) {
		h, m, _ := t.In(c.loc).Clock()
		if c.openAt(weekday, h*60+m) {
			n++
		}
	}
	return n
}

func (c *Calendar) openAt(weekday, minute int) bool {
	for _, s := range c.hours[weekday] {
		if minute >= s.From && minute < s.To {
			return true
		}
	}
	return false
}

// Location is the place whose clocks the calendar reads.
func (c *Calendar) Location() *time.Location { return c.loc }

// Day is the local day of an instant.
func (c *Calendar) Day(t time.Time) Day { return DayOf(t, c.loc) }

// Kind says why a day is open or closed.
func (c *Calendar) Kind(d Day) DayKind {
	if i := int(d - c.first); i >= 0 && i < len(c.kind) {
		return c.kind[i]
	}
	if len(c.hours[d.Weekday()]) == 0 {
		return Weekend
	}
	return OpenDay
}

// DayMinutes is how long a day is open.
func (c *Calendar) DayMinutes(d Day) int { return c.beforeDay(d+1) - c.beforeDay(d) }

// beforeDay is the open minutes from the table's first day to the beginning of
// a day, negative for a day before the table.
func (c *Calendar) beforeDay(d Day) int {
	i := int(d - c.first)
	switch {
	case i < 0:
		weeks := (i - 6) / 7 // whole weeks down to the day's Monday
		total := weeks * c.weekly
		for w := range i - weeks*7 {
			total += c.hours.minutes(w)
		}
		return total
	case i < len(c.before):
		return int(c.before[i])
	}
	over := i - len(c.kind)
	total := int(c.before[len(c.kind)]) + over/7*c.weekly
	for w := range over % 7 {
		total += c.hours.minutes(w)
	}
	return total
}

// beforeInstant is the open minutes from the table's first day to the minute
// of an instant.
func (c *Calendar) beforeInstant(t time.Time) int {
	local := t.In(c.loc)
	y, m, d := local.Date()
	day := Date(y, m, d)
	total := c.beforeDay(day)
	if c.Kind(day) != OpenDay {
		return total
	}
	if i := int(day - c.first); i >= 0 && i < len(c.moved) && c.moved[i] {
		return total + c.walk(day.Weekday(), day.Start(c.loc), t.Truncate(time.Minute))
	}
	minute := local.Hour()*60 + local.Minute()
	for _, s := range c.hours[day.Weekday()] {
		total += max(0, min(s.To, minute)-s.From)
	}
	return total
}

// OpenMinutes counts the open minutes of [from, to); it is negative if to
// comes first. Any cut of an interval into parts keeps the sum.
func (c *Calendar) OpenMinutes(from, to time.Time) int {
	return c.beforeInstant(to) - c.beforeInstant(from)
}

// IsOpen tells whether the minute of an instant is open.
func (c *Calendar) IsOpen(t time.Time) bool {
	local := t.In(c.loc)
	y, m, d := local.Date()
	day := Date(y, m, d)
	return c.Kind(day) == OpenDay && c.openAt(day.Weekday(), local.Hour()*60+local.Minute())
}

// NextOpen is the first open instant from t on, t itself if it is open. It is
// the zero time for a calendar that never opens again.
func (c *Calendar) NextOpen(t time.Time) time.Time {
	if c.IsOpen(t) {
		return t
	}
	// The end of the first open minute, less that minute.
	end := c.AddOpenMinutes(t, 1)
	if end.IsZero() {
		return end
	}
	return end.Add(-time.Minute)
}

// AddOpenMinutes is the first instant by which n open minutes have passed since
// from: OpenMinutes(from, AddOpenMinutes(from, n)) = n for n > 0. It is from
// itself for n ≤ 0, and the zero time for a calendar that never opens again.
func (c *Calendar) AddOpenMinutes(from time.Time, n int) time.Time {
	if n <= 0 {
		return from
	}
	target := c.beforeInstant(from) + n
	day, ok := c.dayReaching(target)
	if !ok {
		return time.Time{}
	}
	left := target - c.beforeDay(day) // > 0, and the day has as many
	if i := int(day - c.first); i >= 0 && i < len(c.moved) && c.moved[i] {
		t := day.Start(c.loc)
		for ; left > 0; t = t.Add(time.Minute) {
			h, m, _ := t.In(c.loc).Clock()
			if c.openAt(day.Weekday(), h*60+m) {
				left--
			}
		}
		return t.In(from.Location())
	}
	y, m, d := day.Time().Date()
	for _, s := range c.hours[day.Weekday()] {
		if length := s.To - s.From; left > length {
			left -= length
			continue
		}
		return time.Date(y, m, d, 0, s.From+left, 0, 0, c.loc).In(from.Location())
	}
	return time.Time{} // not reached: the day has as many minutes
}

// dayReaching is the first day by whose end the running total reaches target.
func (c *Calendar) dayReaching(target int) (Day, bool) {
	last := len(c.kind)
	switch {
	case target > int(c.before[last]):
		if c.weekly == 0 {
			return 0, false
		}
		over := target - int(c.before[last])
		weeks := (over - 1) / c.weekly
		d := c.first + Day(last+weeks*7)
		for c.beforeDay(d+1) < target {
			d++
		}
		return d, true
	case target <= 0:
		// Before the table: c.weekly is not 0, or no total would be below 0.
		if c.weekly == 0 {
			break
		}
		weeks := (target - c.weekly) / c.weekly
		d := c.first + Day((weeks-1)*7)
		for c.beforeDay(d+1) < target {
			d++
		}
		return d, true
	}
	i := sort.Search(last, func(i int) bool { return int(c.before[i+1]) >= target })
	return c.first + Day(i), true
}
