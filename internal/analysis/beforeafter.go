package analysis

import (
	"context"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/stats"
)

// A change is often decided because the last weeks were bad, and what follows
// bad luck is better luck: those weeks are not what it is compared with.
const (
	beforeWeeks = 18 // open weeks before the change, with those left out
	guardWeeks  = 3  // just before it, left out
	afterWeeks  = 18 // at most
	leastBefore = 6  // open weeks on either side
	leastAfter  = 4
	EffectLevel = 0.95
)

// More reasons to conclude nothing.
const (
	FewBefore   Why = "before"  // whole open weeks before the change
	FewAfter    Why = "after"   // … and after it
	NoneChanged Why = "changed" // no school with computers was named
	Future      Why = "future"  // the day of the change has not come
	NotSettled  Why = "settled" // the counts do not settle an effect
)

// Change is an action whose effect is asked: on a day, in some schools.
type Change struct {
	Day      calendar.Day
	Schools  []int64 // where it was made
	Category int64   // of the incidents that it should change, 0 for all
}

// EffectCell is what one group counted on one side of the change.
type EffectCell struct {
	Schools  int
	Weeks    int
	Rate     stats.Rate // incidents for 100 computers and a full open week
	Changed  bool
	After    bool
	From, To calendar.Day
}

// EffectWeek is an open week of both groups: incidents for 100 computers and a
// full open week, -1 where nothing is open. Left out are the weeks of the
// guard.
type EffectWeek struct {
	Monday           calendar.Day
	Changed, Control float64
	LeftOut, After   bool
}

// BeforeAfter is the effect of a change: a ratio of rates beyond what happened
// elsewhere in the same weeks; without a control group, beyond nothing.
type BeforeAfter struct {
	Refusal  *Refusal
	Effect   stats.Effect
	Alone    *stats.RateRatio // without control: after over before in the same schools
	Cells    []EffectCell     // changed before, changed after, control before, control after
	Weeks    []EffectWeek
	Controls int
}

// Sure tells whether the interval of the effect holds no "nothing changed".
func (b *BeforeAfter) Sure() bool {
	limits := b.Effect.Limits
	if b.Alone != nil {
		limits = b.Alone.Limits
	}
	return !limits.Holds(1)
}

// BeforeAfter measures the effect of a change within the reader's scope.
func (s *Service) BeforeAfter(ctx context.Context, scope auth.Scope, c Change) (BeforeAfter, error) {
	var out BeforeAfter
	places, err := s.Places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return out, err
	}
	words, err := s.Words.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return out, err
	}
	today := calendar.DayOf(s.cfg.Now(), s.cfg.Location)
	weeks := weeksAround(places.Calendar(0), c.Day, today)
	before, after := 0, 0
	for _, w := range weeks {
		switch {
		case w.After:
			after++
		case !w.LeftOut:
			before++
		}
	}
	changed, controls := c.groups(places, scope)
	switch {
	case c.Day > today:
		out.Refusal = &Refusal{Why: Future}
	case len(changed) == 0:
		out.Refusal = &Refusal{Why: NoneChanged}
	case before < leastBefore:
		out.Refusal = &Refusal{FewBefore, float64(before), leastBefore}
	case after < leastAfter:
		out.Refusal = &Refusal{FewAfter, float64(after), leastAfter}
	}
	if out.Refusal != nil {
		return out, nil
	}
	list := cube.ListQuery{From: weeks[0].Monday, To: weeks[len(weeks)-1].Monday + 7}
	if c.Category != 0 {
		list.Filters = []cube.Filter{CategoryFilter(words, c.Category)}
	}
	counts := [2]map[calendar.Day]int{{}, {}}
	err = s.Cube.Each(ctx, scope, list, func(f *cube.Fact) {
		switch {
		case slices.Contains(changed, f.School):
			counts[0][f.Day.Week()]++
		case slices.Contains(controls, f.School):
			counts[1][f.Day.Week()]++
		}
	})
	if err != nil {
		return out, err
	}
	out.measure(places, weeks, changed, controls, counts)
	return out, nil
}

// groups keeps the schools in scope: where the change was made, and all
// others, which they are compared with.
func (c Change) groups(places *directory.Index, scope auth.Scope) (changed, controls []int64) {
	for _, school := range places.SchoolsIn(scope) {
		if slices.Contains(c.Schools, school.ID) {
			changed = append(changed, school.ID)
		} else {
			controls = append(controls, school.ID)
		}
	}
	return changed, controls
}

// weeksAround are the whole open weeks around a day: that of the day itself is
// on neither side and absent.
func weeksAround(cal *calendar.Calendar, day, today calendar.Day) []EffectWeek {
	var before, after []EffectWeek
	for monday := day.Week() - 7; len(before) < beforeWeeks && monday > day-2*366; monday -= 7 {
		if cal.Openness(monday) > 0 {
			before = append(before, EffectWeek{Monday: monday, LeftOut: len(before) < guardWeeks})
		}
	}
	slices.Reverse(before)
	for monday := day.Week() + 7; len(after) < afterWeeks && monday+7 <= today+1; monday += 7 {
		if cal.Openness(monday) > 0 {
			after = append(after, EffectWeek{Monday: monday, After: true})
		}
	}
	return append(before, after...)
}

func (b *BeforeAfter) measure(places *directory.Index, weeks []EffectWeek, changed, controls []int64, counts [2]map[calendar.Day]int) {
	b.Weeks, b.Controls = weeks, len(controls)
	var rows []stats.BeforeAfterWeek
	cells := [2][2]EffectCell{}
	events, exposures := [2][2]int{}, [2][2]float64{}
	for g, schools := range [2][]int64{changed, controls} {
		for k := range weeks {
			w := &weeks[k]
			exposure := 0.0
			for _, school := range schools {
				exposure += computerWeeks(places, school, w.Monday, w.Monday+7)
			}
			n, rate := counts[g][w.Monday], -1.0
			if exposure > 0 {
				rate = 100 * float64(n) / exposure
			}
			if g == 0 {
				w.Changed = rate
			} else {
				w.Control = rate
			}
			if exposure == 0 || w.LeftOut {
				continue
			}
			side := 0
			if w.After {
				side = 1
			}
			rows = append(rows, stats.BeforeAfterWeek{Changed: g == 0, After: w.After, Events: n, Exposure: exposure})
			events[g][side], exposures[g][side] = events[g][side]+n, exposures[g][side]+exposure
			cell := &cells[g][side]
			if cell.Weeks == 0 {
				cell.From = w.Monday
			}
			cell.Weeks, cell.To = cell.Weeks+1, w.Monday+7
		}
	}
	total := 0
	for g, schools := range [2][]int64{changed, controls} {
		for side := range 2 {
			cell := &cells[g][side]
			cell.Schools, cell.Changed, cell.After = len(schools), g == 0, side == 1
			cell.Rate, _ = stats.RateOf(events[g][side], exposures[g][side]/100, EffectLevel)
			b.Cells = append(b.Cells, *cell)
			if g == 0 {
				total += events[g][side]
			}
		}
	}
	var ok bool
	switch {
	case total < LeastEvents:
		b.Refusal = &Refusal{FewEvents, float64(total), LeastEvents}
	case len(controls) == 0:
		var alone stats.RateRatio
		if alone, ok = stats.CompareRates(events[0][1], exposures[0][1], events[0][0], exposures[0][0], EffectLevel); ok && events[0][0] > 0 {
			b.Alone = &alone
			return
		}
		b.Refusal = &Refusal{Why: NotSettled}
	default:
		if b.Effect, ok = stats.BeforeAfter(rows, EffectLevel); !ok {
			b.Refusal = &Refusal{Why: NotSettled}
		}
	}
}
