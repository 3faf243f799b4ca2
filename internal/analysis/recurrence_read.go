package analysis

import (
	"cmp"
	"context"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/stats"
)

// ComesBack is what a reader sees of what comes back.
type ComesBack struct {
	Recurrence

	Made   Made
	Within int // open days after an end
	All    ReturnRate
	// Machines and rooms named: those judged by their machine, and by their room.
	ByMachine, ByRoom ReturnRate
	Causes            []CauseReturns // those that come back most first
}

// ReturnRate is how often an incident that ended was followed by another at
// the same place within some open days, those too recent to tell being counted
// for as long as they have been watched (Kaplan-Meier).
type ReturnRate struct {
	Ended  int // incidents that ended
	Back   int // of which another followed within the days
	Share  float64
	Limits stats.Interval // of 95 %
	Known  bool           // there is enough to tell
}

// CauseReturns tells how well repairs hold, by the cause that was noted.
type CauseReturns struct {
	Cause    int64 // 0: none was noted
	Ended    int
	Back     int
	Expected float64 // that would have come back, were all causes alike
	Ratio    float64 // true ratio: mean of what is believed
	Limits   stats.Interval
	Verdict  Verdict
	Tend     Tend // of the département
}

// ComesBack reads the last night's result for a reader. Within is how many open
// days after an end an incident is the same one coming back; out of bounds, the
// usual. What is said of all (levels of a family, of the other lots) shows no
// school.
func (s *Service) ComesBack(ctx context.Context, scope auth.Scope, within int) (ComesBack, error) {
	out, made, err := Latest(ctx, s, WhatComesBack)
	if err != nil {
		return ComesBack{}, err
	}
	if within < 1 || within > MostWithin {
		within = ReturnWithin
	}
	v := ComesBack{Recurrence: out.seenBy(scope), Made: made, Within: within}
	v.returned(scope.All(), out.Causes)
	return v, nil
}

// seenBy keeps what is about the schools of a scope.
func (r *Recurrence) seenBy(scope auth.Scope) Recurrence {
	if scope.All() {
		return *r
	}
	v := *r
	of := func(c CameBack) bool { return scope.SeesSchool(c.School) }
	v.Machines, v.Rooms = kept(r.Machines, of), kept(r.Rooms, of)
	v.Returns = kept(r.Returns, func(x Return) bool { return scope.SeesSchool(x.School) })
	v.Echoes = kept(r.Echoes, func(e Echo) bool {
		return !slices.ContainsFunc(e.Schools, func(id int64) bool { return !scope.SeesSchool(id) })
	})
	v.Models = nil
	for _, m := range r.Models {
		m.Schools = kept(m.Schools, scope.SeesSchool)
		if len(m.Schools) > 0 {
			v.Models = append(v.Models, m)
		}
	}
	return v
}

func kept[T any](all []T, keep func(T) bool) []T {
	var out []T
	for _, one := range all {
		if keep(one) {
			out = append(out, one)
		}
	}
	return out
}

// returned works out how often what ended came back.
func (v *ComesBack) returned(all bool, trends map[int64]Tend) {
	spell := func(r Return) stats.Spell { return stats.Spell{Exit: float64(r.Gap) + 0.5, Event: r.Next != 0} }
	until := float64(v.Within) + 0.5
	rate := func(keep func(Return) bool) (ReturnRate, stats.Survival) {
		var spells []stats.Spell
		var out ReturnRate
		for _, r := range v.Returns {
			if !keep(r) {
				continue
			}
			spells = append(spells, spell(r))
			out.Ended++
			if r.Next != 0 && r.Gap <= v.Within {
				out.Back++
			}
		}
		curve, ok := stats.KaplanMeier(spells)
		if !ok {
			return out, curve
		}
		at := curve.At(until)
		limits := at.LogLogLimits(0.95)
		out.Share, out.Limits, out.Known = 1-at.S, stats.Interval{Low: 1 - limits.High, High: 1 - limits.Low}, out.Ended >= LeastEvents && out.Back > 0
		return out, curve
	}
	var curve stats.Survival
	v.All, curve = rate(func(Return) bool { return true })
	v.ByMachine, _ = rate(func(r Return) bool { return !r.Room })
	v.ByRoom, _ = rate(func(r Return) bool { return r.Room })
	if !v.All.Known {
		return
	}
	at := map[int64]*CauseReturns{}
	var list []*CauseReturns
	for _, r := range v.Returns {
		c := at[r.Cause]
		if c == nil {
			c = &CauseReturns{Cause: r.Cause, Verdict: VerdictUsual, Tend: Tend{Verdict: TooFew}}
			at[r.Cause] = c
			list = append(list, c)
		}
		c.Ended++
		c.Expected += curve.At(min(float64(r.Gap)+0.5, until)).Hazard
		if r.Next != 0 && r.Gap <= v.Within {
			c.Back++
		}
	}
	observed, expected := make([]int, len(list)), make([]float64, len(list))
	for k, c := range list {
		observed[k], expected[k] = c.Back, c.Expected
	}
	prior, ok := stats.PriorOf(observed, expected)
	for _, c := range list {
		if ok {
			b := prior.Shrink(c.Back, c.Expected, RecurrenceLevel)
			c.Ratio, c.Limits = b.Ratio, b.Limits
			switch {
			case b.Above(ActLevel) > actChance:
				c.Verdict = VerdictAbove
			case b.Above(1/ActLevel) < 1-actChance:
				c.Verdict = VerdictBelow
			}
		}
		if t, known := trends[c.Cause]; known && all {
			c.Tend = t
		}
		v.Causes = append(v.Causes, *c)
	}
	slices.SortStableFunc(v.Causes, func(a, b CauseReturns) int {
		return cmp.Or(cmp.Compare(b.Ratio, a.Ratio), cmp.Compare(a.Cause, b.Cause))
	})
}
