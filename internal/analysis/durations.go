package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/stats"
)

// DurationClock is how time is counted between the declaration and the end.
type DurationClock string

// The clocks.
const (
	OpenHours  DurationClock = "open"  // hours during which the school is open
	ClockHours DurationClock = "clock" // all hours
)

// What durations are judged with.
const (
	DurationLevel    = 0.95 // of limits
	leastDurations   = 20   // incidents of a curve
	MostCurves       = 6
	durationsDiffer  = 0.05
	restrictedDays   = 10 // working days up to which means are compared
	forgottenAfter   = 90 // days after which an open incident may have been forgotten
	bulkShare        = 0.1
	bulkLeast        = 30
	durationPoints   = 240 // kept of a curve that is shown
	calendarFortnite = 14
)

// DurationSplits are the dimensions by which durations can be compared.
var DurationSplits = []cube.Dim{cube.DimCategory, cube.DimTeam, cube.DimPriority, cube.DimNetwork, cube.DimSchool}

// DurationQuestion asks how long incidents last.
type DurationQuestion struct {
	List  cube.ListQuery // which ones: filters, words, period of the declaration
	Clock DurationClock
	By    cube.Dim // "" for all together
}

// Estimate is a time in hours with its limits; NaN where it is not reached.
type Estimate struct {
	Hours  float64
	Limits stats.Interval
}

// Known tells whether the time is reached.
func (e Estimate) Known() bool { return !math.IsNaN(e.Hours) }

// DurationCurve is how long the incidents of a group last.
type DurationCurve struct {
	Key          string // of the dimension; "" of all
	N, Open      int
	Curve        stats.Survival
	Median, P90  Estimate
	Mean         float64 // hours up to the limit of Durations.Until; NaN when not known
	MeanErr      float64
	ClosedMedian float64 // what those that are over say alone: too short; NaN of none
	ClosedP90    float64
}

// Durations is the answer.
type Durations struct {
	Refusal  *Refusal
	Clock    DurationClock
	From, To calendar.Day
	All      DurationCurve
	Groups   []DurationCurve // the largest first
	Left     int             // groups with too few incidents, or past MostCurves
	Test     stats.LogRankTest
	Tested   bool
	Until    float64 // hours up to which means are compared
	// Forgotten are the incidents open for very long, declared before a day.
	Forgotten       int
	ForgottenBefore calendar.Day
	// Bulk is a day on which a large share of all ended: they may have ended
	// long before. 0 for none.
	Bulk  calendar.Day
	BulkN int
}

// Differ tells whether the groups last differently beyond chance.
func (d *Durations) Differ() bool { return d.Tested && d.Test.P < durationsDiffer }

// lengths turns facts into durations.
type lengths struct {
	clock    DurationClock
	now      int64
	location *time.Location
	places   *directory.Index
	calendar map[int64]*calendar.Calendar
}

func (s *Service) lengths(places *directory.Index, clock DurationClock) *lengths {
	return &lengths{clock: clock, now: s.cfg.Now().Unix(), location: s.cfg.Location, places: places, calendar: map[int64]*calendar.Calendar{}}
}

func (l *lengths) of(school int64) *calendar.Calendar {
	c, ok := l.calendar[school]
	if !ok {
		c = l.places.Calendar(school)
		l.calendar[school] = c
	}
	return c
}

// spell is the length of an incident in hours: until its end, or until now
// without it.
func (l *lengths) spell(school, opened, end int64) stats.Spell {
	until := end
	if end == 0 {
		until = max(l.now, opened)
	}
	hours := float64(until-opened) / 3600
	if l.clock != ClockHours {
		hours = float64(l.of(school).OpenMinutes(time.Unix(opened, 0), time.Unix(until, 0))) / 60
	}
	return stats.Spell{Exit: hours, Event: end != 0}
}

// timed is an incident as durations look at it.
type timed struct {
	opened, end, school int64
	ended               calendar.Day
	key                 int64
}

// Durations tells how long the incidents of a question last, of those that the
// reader sees. Those still open count for the time that they have lasted.
func (s *Service) Durations(ctx context.Context, scope auth.Scope, q DurationQuestion) (Durations, error) {
	d := Durations{Clock: q.Clock}
	if q.Clock != ClockHours {
		d.Clock = OpenHours
	}
	places, err := s.Places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return d, err
	}
	words, err := s.Words.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return d, err
	}
	key := func(f *cube.Fact) int64 {
		switch q.By {
		case cube.DimCategory:
			if path := words.Path(f.Category); len(path) > 0 {
				return path[0]
			}
			return 0
		case cube.DimTeam:
			return f.Team
		case cube.DimPriority:
			return int64(f.Priority)
		case cube.DimSchool:
			return f.School
		case cube.DimNetwork:
			return int64(slices.Index(durationNetworks, f.Network))
		default:
			return 0
		}
	}
	var facts []timed
	list := q.List
	list.Measure = cube.Count
	if err := s.Cube.Each(ctx, scope, list, func(f *cube.Fact) {
		facts = append(facts, timed{f.Opened, f.End(), f.School, f.Ended, key(f)})
	}); err != nil {
		return d, err
	}
	today := calendar.DayOf(s.cfg.Now(), s.cfg.Location)
	d.From, d.To = list.From, list.To
	if d.To == 0 || d.To > today+1 {
		d.To = today + 1
	}
	if d.From == 0 {
		d.From = d.To
		for _, f := range facts {
			d.From = min(d.From, calendar.DayOf(time.Unix(f.opened, 0), s.cfg.Location))
		}
	}
	if len(facts) < leastDurations {
		d.Refusal = &Refusal{FewEvents, float64(len(facts)), leastDurations}
		return d, nil
	}
	l := s.lengths(places, d.Clock)
	d.Until = restrictedUntil(places.Calendar(0), d.Clock, today)
	d.ForgottenBefore = today - forgottenAfter
	before := d.ForgottenBefore.Start(s.cfg.Location).Unix()
	all := make([]stats.Spell, len(facts))
	groups, ends := map[int64][]stats.Spell{}, map[calendar.Day]int{}
	over := 0
	for k, f := range facts {
		all[k] = l.spell(f.school, f.opened, f.end)
		if q.By != "" {
			groups[f.key] = append(groups[f.key], all[k])
		}
		if f.end == 0 {
			if f.opened < before {
				d.Forgotten++
			}
			continue
		}
		over++
		ends[f.ended]++
	}
	for day, n := range ends {
		if n >= bulkLeast && float64(n) > bulkShare*float64(over) && (n > d.BulkN || n == d.BulkN && day < d.Bulk) {
			d.Bulk, d.BulkN = day, n
		}
	}
	if int(d.To-d.From) < 7*LeastWeeks {
		d.Bulk = 0 // of a few days any is a large share
	}
	d.All = curveOf(all, d.Until)
	d.compare(q.By, groups)
	return d, nil
}

// durationNetworks are the keys of the network, by number.
var durationNetworks = []string{"", string(directory.NetworkAdministrative), string(directory.NetworkTeaching)}

// compare makes the curves of groups, and tests whether they differ.
func (d *Durations) compare(by cube.Dim, groups map[int64][]stats.Spell) {
	if by == "" {
		return
	}
	keys := make([]int64, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b int64) int {
		return cmp.Or(cmp.Compare(len(groups[b]), len(groups[a])), cmp.Compare(a, b))
	})
	var tested [][]stats.Spell
	for _, k := range keys {
		if len(tested) == MostCurves || len(groups[k]) < leastDurations {
			d.Left++
			continue
		}
		c := curveOf(groups[k], d.Until)
		c.Key = strconv.FormatInt(k, 10)
		switch {
		case by == cube.DimNetwork:
			c.Key = durationNetworks[max(k, 0)]
		case k == 0:
			c.Key = ""
		}
		tested = append(tested, groups[k])
		d.Groups = append(d.Groups, c)
	}
	d.Test, d.Tested = stats.LogRank(tested...)
	if by == cube.DimPriority {
		slices.SortFunc(d.Groups, func(a, b DurationCurve) int { return cmp.Compare(a.Key, b.Key) })
	}
}

func curveOf(spells []stats.Spell, until float64) DurationCurve {
	c := DurationCurve{N: len(spells), ClosedMedian: math.NaN(), ClosedP90: math.NaN(), Mean: math.NaN()}
	var closed []float64
	for _, s := range spells {
		if s.Event {
			closed = append(closed, s.Exit)
		}
	}
	c.Open = len(spells) - len(closed)
	curve, ok := stats.KaplanMeier(spells)
	if !ok {
		c.Median, c.P90 = Estimate{Hours: math.NaN()}, Estimate{Hours: math.NaN()}
		return c
	}
	c.Curve = curve
	c.Median.Hours, c.Median.Limits = curve.Quantile(0.5, DurationLevel)
	c.P90.Hours, c.P90.Limits = curve.Quantile(0.9, DurationLevel)
	if mean, stdErr, ok := curve.RestrictedMean(until); ok {
		c.Mean, c.MeanErr = mean, stdErr
	}
	slices.Sort(closed)
	c.ClosedMedian, c.ClosedP90 = stats.Quantile(closed, 0.5), stats.Quantile(closed, 0.9)
	return c
}

// restrictedUntil is the limit of means in hours: two usual weeks.
func restrictedUntil(cal *calendar.Calendar, clock DurationClock, today calendar.Day) float64 {
	if clock == ClockHours {
		return calendarFortnite * 24
	}
	week := 0
	for monday := today.Week() - 52*7; monday <= today; monday += 7 {
		minutes := 0
		for d := monday; d < monday+7; d++ {
			minutes += cal.DayMinutes(d)
		}
		week = max(week, minutes)
	}
	return float64(week*restrictedDays/5) / 60
}

// Points are the steps of a curve that a drawing needs, up to a time.
func (c *DurationCurve) Points(until float64) []stats.Step {
	steps := c.Curve.Steps
	n, _ := slices.BinarySearchFunc(steps, until, func(s stats.Step, t float64) int {
		if s.T <= t {
			return -1
		}
		return 1
	})
	steps = steps[:n]
	if len(steps) <= durationPoints {
		return steps
	}
	out := make([]stats.Step, 0, durationPoints)
	next := 0.0
	for k, s := range steps {
		if s.T >= next || k == len(steps)-1 {
			out = append(out, s)
			next = (math.Floor(s.T/until*durationPoints) + 1) * until / durationPoints
		}
	}
	return out
}
