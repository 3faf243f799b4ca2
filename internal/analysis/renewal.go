package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/machine"
	"statincidents/internal/stats"
)

// What renewal is judged with.
const (
	RenewalLevel  = 0.95
	RenewalRule   = 7.0 // years
	renewalDraws  = 1000
	renewalSeed   = 45
	renewalModels = 6
	renewalAtRisk = 10 // watched machines from which a curve begins
	leastFleet    = 50 // machines with a date of purchase
	year          = 365.25
)

// RenewalCosts are what a reader believes, in euros.
type RenewalCosts struct {
	New    float64 // a new machine
	Repair float64 // an incident, work and parts
	Lost   float64 // the class time that an incident costs
	Late   float64 // each year that a machine is kept beyond the rule
}

// Policy answers one hypothesis on what becomes of a machine that fails.
type Policy struct {
	Refusal  *Refusal
	Fit      stats.WeibullFit
	Best     stats.Optimum
	Doubt    stats.Doubt
	RuleCost float64      // a machine and year at the rule
	Costs    []PolicyCost // at whole ages
	Oldest   float64      // the highest age at which machines were watched: beyond it nothing is known
	Ages     bool         // failures certainly come more often with age
	What     stats.Replacement
}

// PolicyCost is what replacing at an age costs, a machine and year.
type PolicyCost struct{ Age, Cost float64 }

// ModelRate is how often machines of a model fail.
type ModelRate struct {
	Model    string
	Machines int
	Rate     stats.Rate // incidents a machine and year
	Curve    stats.Survival
	Drawn    bool
}

// Renewal is the answer.
type Renewal struct {
	Refusal    *Refusal
	Machines   int // watched: with a date of purchase
	Undated    int // without one
	Unknown    int // incidents with a label that no machine of the list has
	Impossible int // incidents before the machine was bought, or after it left: left out
	Matched    int // incidents of the watched machines
	Since      calendar.Day
	Ages       []stats.AgeRate
	Models     []ModelRate
	Repaired   Policy // a failure is repaired
	Replaced   Policy // a failure ends the machine's life
}

// Renewal tells how machines age, of those that the reader sees.
func (s *Service) Renewal(ctx context.Context, by auth.Identity, costs RenewalCosts) (Renewal, error) {
	var out Renewal
	if err := by.Require(auth.ViewStatistics); err != nil {
		return out, err
	}
	list, err := s.Machines.List(ctx, by.Scope())
	if err != nil {
		return out, err
	}
	incidents := map[string][]calendar.Day{}
	if err := s.Cube.Each(ctx, by.Scope(), cube.ListQuery{}, func(f *cube.Fact) {
		if out.Since == 0 || f.Day < out.Since {
			out.Since = f.Day
		}
		if f.Machine != "" {
			incidents[f.Machine] = append(incidents[f.Machine], f.Day)
		}
	}); err != nil {
		return out, err
	}
	out.judge(list, incidents, calendar.DayOf(s.cfg.Now(), s.cfg.Location), costs)
	return out, nil
}

// judge does the work, without a clock.
func (out *Renewal) judge(list []machine.Machine, incidents map[string][]calendar.Day, today calendar.Day, costs RenewalCosts) {
	type group struct {
		spells   []stats.Spell
		machines int
		events   int
		years    float64
	}
	models := map[string]*group{}
	var windows []stats.Window
	var failures []float64
	var lives []stats.Spell
	for _, m := range list {
		days := incidents[m.Label]
		delete(incidents, m.Label)
		if m.Purchased == 0 || m.Purchased > today {
			out.Undated++
			continue
		}
		end := today
		if m.Retired != 0 {
			end = min(end, m.Retired)
		}
		age := func(d calendar.Day) float64 { return float64(d-m.Purchased) / year }
		w := stats.Window{Entry: max(0, age(out.Since)), Exit: age(end)}
		if out.Since == 0 || w.Exit <= w.Entry {
			continue
		}
		out.Machines++
		windows = append(windows, w)
		lives = append(lives, stats.Spell{Entry: w.Entry, Exit: w.Exit, Event: m.Retired != 0 && m.RetiredWhy == machine.Broken})
		g := models[m.Model]
		if g == nil {
			g = &group{}
			models[m.Model] = g
		}
		g.machines++
		g.years += w.Exit - w.Entry
		slices.Sort(days)
		first := stats.Spell{Entry: w.Entry, Exit: w.Exit}
		for _, d := range days {
			if d < m.Purchased || d > end {
				out.Impossible++ // before it was bought, or after it left
				continue
			}
			t := min(max(age(d), w.Entry+0.5/year), w.Exit) // a day counts at its noon
			if !first.Event {
				first.Exit, first.Event = t, true
			}
			failures = append(failures, t)
			g.events++
		}
		g.spells = append(g.spells, first)
	}
	for _, days := range incidents {
		out.Unknown += len(days)
	}
	out.Matched = len(failures)
	switch {
	case out.Machines < leastFleet:
		out.Refusal = &Refusal{FewMachines, float64(out.Machines), leastFleet}
		return
	case out.Matched < LeastEvents:
		out.Refusal = &Refusal{FewFailures, float64(out.Matched), LeastEvents}
		return
	}
	out.Ages = stats.AgeRates(failures, windows, 1, RenewalLevel)
	for name, g := range models {
		one := ModelRate{Model: name, Machines: g.machines}
		if one.Rate, _ = stats.RateOf(g.events, g.years, RenewalLevel); g.events >= LeastEvents {
			one.Curve, one.Drawn = stats.KaplanMeierFrom(g.spells, renewalAtRisk)
		}
		out.Models = append(out.Models, one)
	}
	slices.SortFunc(out.Models, func(a, b ModelRate) int {
		return cmp.Or(cmp.Compare(b.Rate.Value, a.Rate.Value), cmp.Compare(a.Model, b.Model))
	})
	out.Repaired = policy(stats.Replacement{Policy: stats.RepairedEachTime, Planned: costs.New, Failure: costs.Repair + costs.Lost, Yearly: costs.Late, From: RenewalRule},
		func() (stats.WeibullFit, bool) { return stats.FitPowerLaw(failures, windows) }, len(failures))
	for _, w := range windows {
		out.Repaired.Oldest = max(out.Repaired.Oldest, w.Exit)
	}
	broken := 0
	for _, l := range lives {
		if l.Event {
			broken++
		}
	}
	out.Replaced = policy(stats.Replacement{Policy: stats.ReplacedAtFailure, Planned: costs.New, Failure: costs.New + costs.Repair + costs.Lost, Yearly: costs.Late, From: RenewalRule},
		func() (stats.WeibullFit, bool) { return stats.FitWeibull(lives) }, broken)
	out.Replaced.Oldest = out.Repaired.Oldest
}

func policy(what stats.Replacement, fit func() (stats.WeibullFit, bool), failures int) Policy {
	p := Policy{What: what}
	var ok bool
	if p.Fit, ok = fit(); !ok {
		p.Refusal = &Refusal{FewFailures, float64(failures), stats.LeastFailures}
		return p
	}
	if p.Best, ok = what.Optimum(p.Fit.Weibull); !ok {
		p.Refusal = &Refusal{NoCosts, 0, 0}
		return p
	}
	p.Ages = p.Fit.ShapeLimits.Low > 1
	p.RuleCost = what.CostRate(p.Fit.Weibull, RenewalRule)
	for age := 4.0; age <= 10; age++ {
		p.Costs = append(p.Costs, PolicyCost{age, what.CostRate(p.Fit.Weibull, age)})
	}
	p.Doubt, _ = what.Doubt(p.Fit, RenewalRule, 0.9, renewalDraws, renewalSeed)
	return p
}

// Beyond tells that the cheapest age, if any, lies past all that was watched:
// the law says nothing reliable there, and the advice is to wait.
func (p *Policy) Beyond() bool { return p.Best.Age > p.Oldest }

// Extra is how much more the rule costs than the best age, as a share.
func (p *Policy) Extra() float64 {
	if p.Best.Cost <= 0 {
		return math.NaN()
	}
	return max(0, p.RuleCost/p.Best.Cost-1)
}
