package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/servicelevel"
)

// Fact is an incident as the methods look at it.
type Fact struct {
	cube.Fact

	Occurred int64        // seconds since 1970: when it happened, which may be before it was declared
	Happened calendar.Day // its local day
	Parent   int64        // the main incident that this one is a part of, 0 if none
}

// Week is an open school week of the département: an ISO week with at least
// one open day.
type Week struct {
	Monday   calendar.Day `json:"monday"`
	Year     int          `json:"year"`   // school year, that in which it begins
	Number   int          `json:"number"` // of the open week since the rentrée, from 1
	Openness float64      `json:"open"`   // open half-days over those of a usual week
}

// World is what the methods of a night look at: every incident that counts
// (not merged, not cancelled), the open weeks, who stands where. It is not to
// be changed.
type World struct {
	Tenant   int64
	Location *time.Location
	Now      time.Time
	Today    calendar.Day
	AsOf     string // position in the journal
	Places   *directory.Index
	Words    *catalog.Index
	Clocks   *servicelevel.Service
	Facts    []Fact // by the day they happened, then by number
	// Weeks are the open weeks from that of the first incident to the present
	// one, without holes: holidays are not among them.
	Weeks []Week
	// Outbreaks are stretches that people judged out of the ordinary: what is
	// usual is not learned from them.
	Outbreaks []Outbreak

	week  map[calendar.Day]int // by Monday
	texts textsSince
}

// World gathers it: fault.Unavailable while the figures are being loaded.
func (s *Service) World(ctx context.Context) (*World, error) {
	now := s.cfg.Now()
	w := &World{Tenant: s.cfg.Tenant, Location: s.cfg.Location, Now: now, Clocks: s.Clocks, Today: calendar.DayOf(now, s.cfg.Location)}
	var err error
	if w.Places, err = s.Places.Index(ctx, s.cfg.Tenant); err != nil {
		return nil, fmt.Errorf("analysis: directory: %w", err)
	}
	if w.Words, err = s.Words.Index(ctx, s.cfg.Tenant); err != nil {
		return nil, fmt.Errorf("analysis: catalogue: %w", err)
	}
	all := auth.ScopeAll(s.cfg.Tenant)
	res, err := s.Cube.Run(ctx, all, cube.Query{Measures: []cube.Measure{cube.Count}})
	if err != nil {
		return nil, err
	}
	w.AsOf = res.AsOf
	w.Facts = make([]Fact, 0, res.Total.Values[0].N)
	if err := s.Cube.Each(ctx, all, cube.ListQuery{}, func(f *cube.Fact) { w.Facts = append(w.Facts, Fact{Fact: *f, Occurred: f.Opened, Happened: f.Day}) }); err != nil {
		return nil, err
	}
	slices.SortFunc(w.Facts, func(a, b Fact) int { return cmp.Compare(a.ID, b.ID) })
	err = s.Incidents.Circumstances(ctx, all, func(c incident.Circumstance) {
		k, ok := slices.BinarySearchFunc(w.Facts, c.ID, func(f Fact, id int64) int { return cmp.Compare(f.ID, id) })
		if !ok {
			return // merged or cancelled
		}
		f := &w.Facts[k]
		if sec := c.Occurred.Unix(); sec > 0 && sec < f.Opened {
			f.Occurred, f.Happened = sec, calendar.DayOf(c.Occurred, s.cfg.Location)
		}
		f.Parent = c.Parent
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(w.Facts, func(a, b Fact) int { return cmp.Compare(a.Happened, b.Happened) })
	w.numberWeeks()
	w.texts = s.texts
	if s.learned != nil {
		if w.Outbreaks, err = s.learned(ctx); err != nil {
			return nil, fmt.Errorf("analysis: outbreaks: %w", err)
		}
	}
	return w, nil
}

func (w *World) numberWeeks() {
	w.week = map[calendar.Day]int{}
	if len(w.Facts) == 0 {
		return
	}
	cal := w.Places.Calendar(0)
	for monday := w.Facts[0].Happened.Week(); monday <= w.Today; monday += 7 {
		if year, n := cal.SchoolWeek(monday); n > 0 {
			w.week[monday] = len(w.Weeks)
			w.Weeks = append(w.Weeks, Week{Monday: monday, Year: year, Number: n, Openness: cal.Openness(monday)})
		}
	}
}

// WeekOf gives the place in Weeks of a day's week; false in holidays.
func (w *World) WeekOf(day calendar.Day) (int, bool) {
	k, ok := w.week[day.Week()]
	return k, ok
}

// Whole is the number of weeks of Weeks that are over: all, or all but the
// present one.
func (w *World) Whole() int {
	n := len(w.Weeks)
	if n > 0 && w.Weeks[n-1].Monday+7 > w.Today {
		n--
	}
	return n
}

// Openness of a school in a week, with its own closures.
func (w *World) Openness(school int64, week Week) float64 {
	return w.Places.Calendar(school).Openness(week.Monday)
}

// Computers in service in a school, on average over the seven days of a week;
// 0 when no number is known.
func (w *World) Computers(school int64, week Week) float64 {
	return 365.25 / 7 * cube.ComputerYearsOf(w.Places, school, week.Monday, week.Monday+7)
}
