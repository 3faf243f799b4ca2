package analysis

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/servicelevel"
	"statincidents/internal/stats"
)

// What the risk of breach is judged with.
const (
	breachWindow = 730 // days of incidents that are learned from
	breachCuts   = 6   // times that the past is foretold, two months each
	leastBreach  = 100 // incidents learned from, and tested
	breachTenths = 10  // ages at which the past is asked, in tenths of the target
	BreachMedium = 0.2 // from which a risk is medium
	BreachHigh   = 0.5 // … and high
	usefulBreach = 0.55
	breachSpread = 1 << 20 // spreads the codes of nested strata
)

// RiskClass is how a risk is shown.
type RiskClass string

// The classes.
const (
	RiskLow    RiskClass = "low"
	RiskMedium RiskClass = "medium"
	RiskHigh   RiskClass = "high"
)

// ClassOf a chance.
func ClassOf(p float64) RiskClass {
	switch {
	case p >= BreachHigh:
		return RiskHigh
	case p >= BreachMedium:
		return RiskMedium
	}
	return RiskLow
}

// BreachInput is what the night learns from: an incident a place of each list,
// in minutes of its resolution clock.
type BreachInput struct {
	Today    calendar.Day   `json:"today"`
	Cuts     []calendar.Day `json:"cuts"` // the days on which the past is foretold
	Opened   []calendar.Day `json:"opened"`
	Spent    []int          `json:"spent"`
	Over     []int          `json:"over"` // 1 when the clock has stopped
	Target   []int          `json:"target"`
	Priority []int          `json:"priority"`
	Category []int64        `json:"category"` // at the top of the tree
	Team     []int64        `json:"team"`
	Asked    []int          `json:"asked"` // at how many tenths of the target the past is asked: the last digit of its number
	// At says how long an incident had lasted on a day of Cuts on which it was
	// open: its place, the place of the day, minutes.
	At [][3]int `json:"at"`
}

// BreachOutput is how well the risk announced in the past came true.
type BreachOutput struct {
	Refusal *Refusal           `json:"refusal,omitempty"`
	Learned int                `json:"learned"`
	Tested  int                `json:"tested"`
	Share   float64            `json:"share"` // of those tested that passed their target
	Brier   float64            `json:"brier"`
	Base    float64            `json:"base"` // the Brier score of announcing that share to all
	Area    float64            `json:"area"` // 0.5 is chance
	Tenths  []stats.Calibrated `json:"tenths"`
	Classes []stats.Calibrated `json:"classes"` // low, medium, high
}

// Useful tells whether the announced risks sort incidents better than chance.
func (o *BreachOutput) Useful() bool { return o.Refusal == nil && o.Area >= usefulBreach }

// Breach learns which incidents pass the target of their resolution.
var Breach = Method[BreachInput, BreachOutput]{Name: "breach", Version: 1, Gather: gatherBreach, Run: runBreach}

func gatherBreach(ctx context.Context, w *World) (BreachInput, error) {
	in := BreachInput{Today: w.Today}
	for k := breachCuts - 1; k >= 0; k-- {
		day := w.Today.Month()
		for range 2*k + 1 {
			day = (day - 1).Month()
		}
		in.Cuts = append(in.Cuts, day)
	}
	// What is learned from must be complete, also at the first start.
	if err := w.Clocks.Fresh(ctx, w.Tenant); err != nil {
		return in, fmt.Errorf("analysis: clocks: %w", err)
	}
	first := in.Cuts[0] - breachWindow
	calendars := map[int64]*calendar.Calendar{}
	of := func(school int64) *calendar.Calendar {
		c, ok := calendars[school]
		if !ok {
			c = w.Places.Calendar(school)
			calendars[school] = c
		}
		return c
	}
	var ids []int64
	for k := range w.Facts {
		if w.Facts[k].Day >= first {
			ids = append(ids, w.Facts[k].ID)
		}
	}
	standing, err := w.Clocks.Standings(ctx, auth.ScopeAll(w.Tenant), ids)
	if err != nil {
		return in, err
	}
	for k := range w.Facts {
		f := &w.Facts[k]
		tally, ok := standing[f.ID]
		clock := tally.Resolution
		if f.Day < first || !ok || clock.Phase == servicelevel.Void {
			continue
		}
		spent, over := clock.Spent, 1
		if clock.Phase != servicelevel.Stopped {
			spent, over = clock.SpentAt(of(tally.School), w.Now), 0
		}
		path := w.Words.Path(f.Category)
		top := int64(0)
		if len(path) > 0 {
			top = path[0]
		}
		row := len(in.Opened)
		for c, day := range in.Cuts {
			if f.Day < day && (over == 0 || f.Ended == 0 || f.Ended >= day) {
				lasted := of(f.School).OpenMinutes(time.Unix(f.Opened, 0), day.Start(w.Location))
				in.At = append(in.At, [3]int{row, c, max(0, min(spent, lasted))})
			}
		}
		in.Opened = append(in.Opened, f.Day)
		in.Spent, in.Over = append(in.Spent, spent), append(in.Over, over)
		in.Target = append(in.Target, clock.Target)
		in.Priority, in.Category, in.Team = append(in.Priority, f.Priority), append(in.Category, top), append(in.Team, f.Team)
		in.Asked = append(in.Asked, int(f.ID%breachTenths))
	}
	return in, nil
}

// breachStrata are the strata of an incident, the widest first.
func breachStrata(priority int, category, team int64) []int {
	wide := priority
	middle := wide*breachSpread + int(category)
	return []int{wide, middle, middle*breachSpread + int(team)}
}

// learn makes the model of what was known on a day: cut is its place in Cuts,
// or -1 for today.
func (in *BreachInput) learn(cut int) (*stats.RiskModel, int, bool) {
	last, lasted := in.Today+1, map[int]int{}
	if cut >= 0 {
		last = in.Cuts[cut]
		for _, at := range in.At {
			if at[1] == cut {
				lasted[at[0]] = at[2]
			}
		}
	}
	var list []stats.RiskSpell
	for k, day := range in.Opened {
		if day >= last || day < last-breachWindow {
			continue
		}
		s := stats.Spell{Exit: float64(in.Spent[k]), Event: in.Over[k] == 1}
		if minutes, open := lasted[k]; open {
			s = stats.Spell{Exit: float64(minutes)}
		}
		list = append(list, stats.RiskSpell{Spell: s, Strata: breachStrata(in.Priority[k], in.Category[k], in.Team[k])})
	}
	m, ok := stats.NewRiskModel(list)
	return m, len(list), ok
}

func runBreach(ctx context.Context, in BreachInput, _ uint64) (BreachOutput, error) {
	var out BreachOutput
	_, out.Learned, _ = in.learn(-1)
	if out.Learned < leastBreach {
		out.Refusal = &Refusal{FewPast, float64(out.Learned), leastBreach}
		return out, nil
	}
	var list []stats.Announced
	for c, from := range in.Cuts {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		to := in.Today
		if c+1 < len(in.Cuts) {
			to = in.Cuts[c+1]
		}
		m, learned, ok := in.learn(c)
		if !ok || learned < leastBreach {
			continue
		}
		for k, day := range in.Opened {
			target := in.Target[k]
			if day < from || day >= to || target <= 0 {
				continue
			}
			// Each is asked at one age, so that no two answers speak of the same
			// incident; it must have lasted until then, and what became of it be known.
			age := in.Asked[k] * target / breachTenths
			if in.Spent[k] <= age || in.Over[k] == 0 && in.Spent[k] <= target {
				continue
			}
			if p, _, ok := m.Risk(breachStrata(in.Priority[k], in.Category[k], in.Team[k]), float64(age), float64(target)); ok {
				list = append(list, stats.Announced{P: p, Happened: in.Spent[k] > target})
			}
		}
	}
	out.Tested = len(list)
	if out.Tested < leastBreach {
		out.Refusal = &Refusal{FewPast, float64(out.Tested), leastBreach}
		return out, nil
	}
	for _, a := range list {
		if a.Happened {
			out.Share++
		}
	}
	out.Share /= float64(len(list))
	out.Brier, out.Base = stats.Brier(list), out.Share*(1-out.Share)
	out.Area, _ = stats.Discrimination(list)
	out.Tenths = stats.Calibration(list, []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}, DurationLevel)
	out.Classes = stats.Calibration(list, []float64{BreachMedium, BreachHigh}, DurationLevel)
	return out, nil
}

// breachModel keeps the model of the last night.
type breachModel struct {
	mu    sync.Mutex
	at    time.Time
	model *stats.RiskModel
}

// breachModel gives the model that the last night learned, made again from
// what the night kept.
func (s *Service) breachModel(ctx context.Context, made Made) (*stats.RiskModel, error) {
	s.breach.mu.Lock()
	defer s.breach.mu.Unlock()
	if s.breach.model != nil && s.breach.at.Equal(made.At) {
		return s.breach.model, nil
	}
	kept, err := s.Recorded(ctx, Breach.Name)
	if err != nil {
		return nil, err
	}
	var in BreachInput
	if err := json.Unmarshal(kept.Input, &in); err != nil {
		return nil, fmt.Errorf("analysis: input of %s: %w", Breach.Name, err)
	}
	m, _, ok := in.learn(-1)
	if !ok {
		return nil, fmt.Errorf("analysis: %s learned from nothing", Breach.Name)
	}
	s.breach.at, s.breach.model = kept.At, m
	return m, nil
}

// OpenRisk is how likely an open incident is to pass the target of its
// resolution.
type OpenRisk struct {
	ID, School, Category, Team int64
	Priority                   int
	Spent, Target              int // minutes of the resolution clock
	Paused                     bool
	P                          float64
	Class                      RiskClass
	Known                      int // incidents of its kind that lasted as long
}

// RiskBoard are the open incidents in the order of their risk.
type RiskBoard struct {
	Made
	BreachOutput

	Open     []OpenRisk // with a target that is not yet passed
	Late     int        // past it already
	NoTarget int        // without one, or whose clock was not yet read
}

// OpenRisks tells the risk of the open incidents of a list that the reader
// sees, the highest first, whenever they were declared.
func (s *Service) OpenRisks(ctx context.Context, by auth.Identity, list cube.ListQuery) (RiskBoard, error) {
	var b RiskBoard
	if err := by.Require(auth.ViewStatistics); err != nil {
		return b, err
	}
	var err error
	if b.BreachOutput, b.Made, err = Latest(ctx, s, Breach); err != nil || b.Refusal != nil {
		return b, err
	}
	model, err := s.breachModel(ctx, b.Made)
	if err != nil {
		return b, err
	}
	list.From, list.To, list.Measure = 0, 0, cube.Count
	list.Filters = append(slices.Clone(list.Filters), cube.Filter{Dim: cube.DimOpen, In: []string{"yes"}})
	var facts []cube.Fact
	if err := s.Cube.Each(ctx, by.Scope(), list, func(f *cube.Fact) { facts = append(facts, *f) }); err != nil {
		return b, err
	}
	ids := make([]int64, len(facts))
	for k := range facts {
		ids[k] = facts[k].ID
	}
	standing, err := s.Clocks.Standings(ctx, by.Scope(), ids)
	if err != nil {
		return b, err
	}
	places, err := s.Places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return b, err
	}
	words, err := s.Words.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return b, err
	}
	now := s.cfg.Now()
	for k := range facts {
		f := &facts[k]
		tally, ok := standing[f.ID]
		clock := tally.Resolution
		if !ok || clock.Target <= 0 || clock.Phase == servicelevel.Void || clock.Phase == servicelevel.Stopped {
			b.NoTarget++
			continue
		}
		spent := clock.SpentAt(places.Calendar(tally.School), now)
		if spent > clock.Target || clock.Late(now) {
			b.Late++
			continue
		}
		one := OpenRisk{
			ID: f.ID, School: f.School, Category: f.Category, Team: f.Team, Priority: f.Priority,
			Spent: spent, Target: clock.Target, Paused: clock.Phase == servicelevel.Paused,
		}
		top := int64(0)
		if path := words.Path(f.Category); len(path) > 0 {
			top = path[0]
		}
		if one.P, one.Known, ok = model.Risk(breachStrata(f.Priority, top, f.Team), float64(spent), float64(clock.Target)); !ok {
			b.NoTarget++
			continue
		}
		one.P = math.Round(one.P*1e6) / 1e6
		one.Class = ClassOf(one.P)
		b.Open = append(b.Open, one)
	}
	slices.SortFunc(b.Open, func(a, c OpenRisk) int { return cmp.Or(cmp.Compare(c.P, a.P), cmp.Compare(a.ID, c.ID)) })
	return b, nil
}
