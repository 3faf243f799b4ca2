package stats

// The mean cumulative function: how many events a unit has had on average by
// an age, when each comes under observation and leaves it at ages of its own.
//
// Nelson W. (1988), Graphical analysis of system repair data, J. Qual. Technol.
// 20, 24-35; robust variance: Lawless J. F., Nadeau C. (1995), Some simple
// robust methods for the analysis of recurrent events, Technometrics 37,
// 158-168.

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Life is one unit under observation from an age to another, with the ages of
// its events in between. Ages may be in any unit of time.
type Life struct {
	Entry, Exit float64 // observed at ages in (Entry, Exit]
	Events      []float64
}

// Cumulative is the mean number of events of a unit up to an age.
type Cumulative struct {
	Age     float64
	AtRisk  int     // units observed at that age
	Events  int     // at that very age
	Mean    float64 // events for one unit since the youngest age
	SE      float64 // robust: whatever makes some units have more events than others
	Poisson float64 // standard error if the events were independent
}

// Limits are those of a level such as 0.95, on a log scale, so that they are
// never below 0.
func (c Cumulative) Limits(level float64) Interval {
	if c.Mean <= 0 {
		return Interval{}
	}
	f := math.Exp(distuv.UnitNormal.Quantile((1+level)/2) * c.SE / c.Mean)
	return Interval{c.Mean / f, c.Mean * f}
}

// MCF gives the mean cumulative function at each age at which something
// happened, in ascending order; what is out of a unit's observation is not
// counted. It is empty where nothing was observed.
func MCF(lives []Life) []Cumulative {
	type moment struct {
		age  float64
		unit int
	}
	var entries, exits, events []moment
	for k, l := range lives {
		if !(l.Exit > l.Entry) {
			continue
		}
		entries, exits = append(entries, moment{l.Entry, k}), append(exits, moment{l.Exit, k})
		for _, age := range l.Events {
			if age > l.Entry && age <= l.Exit {
				events = append(events, moment{age, k})
			}
		}
	}
	byAge := func(a, b moment) int { return cmp.Or(cmp.Compare(a.age, b.age), cmp.Compare(a.unit, b.unit)) }
	slices.SortFunc(entries, byAge)
	slices.SortFunc(exits, byAge)
	slices.SortFunc(events, byAge)
	// A unit's part of the variance is the square of what it had beyond what
	// was expected of it: own(t) − A(t) while it is observed, where A sums
	// d/Y² over all and own takes A off what came before its entry. Sums of own
	// and of its square over those at risk give all of them at each age.
	own := make([]float64, len(lives))
	var sum, squares, gone, spent, mean, poisson float64
	risk := 0
	out := make([]Cumulative, 0, len(events))
	for at := 0; at < len(events); {
		age := events[at].age
		// Entries first: between two ages of events nothing else moves, and a
		// unit must have come in to go out.
		for len(entries) > 0 && entries[0].age < age {
			own[entries[0].unit] = spent
			sum, squares, risk = sum+spent, squares+spent*spent, risk+1
			entries = entries[1:]
		}
		for len(exits) > 0 && exits[0].age < age {
			u := exits[0].unit
			gone += (own[u] - spent) * (own[u] - spent)
			sum, squares, risk = sum-own[u], squares-own[u]*own[u], risk-1
			exits = exits[1:]
		}
		here := at
		for here < len(events) && events[here].age == age {
			here++
		}
		d, y := float64(here-at), float64(risk)
		spent += d / (y * y)
		for ; at < here; at++ {
			u := events[at].unit
			sum, squares = sum+1/y, squares+2*own[u]/y+1/(y*y)
			own[u] += 1 / y
		}
		mean += d / y
		poisson += d / (y * y)
		variance := gone + squares - 2*spent*sum + y*spent*spent
		out = append(out, Cumulative{age, risk, int(d), mean, math.Sqrt(max(0, variance)), math.Sqrt(poisson)})
	}
	return out
}

// CumulativeAt gives the function at any age: that of the last event before it.
func CumulativeAt(f []Cumulative, age float64) Cumulative {
	k, found := slices.BinarySearchFunc(f, age, func(c Cumulative, a float64) int { return cmp.Compare(c.Age, a) })
	switch {
	case found:
		return f[k]
	case k == 0:
		return Cumulative{Age: age}
	}
	c := f[k-1]
	c.Age, c.Events = age, 0
	return c
}

// CumulativeDifference compares two groups of units at an age: the mean
// number of events more in the first, with its limits of a level.
func CumulativeDifference(a, b []Cumulative, age, level float64) (difference float64, limits Interval) {
	x, y := CumulativeAt(a, age), CumulativeAt(b, age)
	d := x.Mean - y.Mean
	half := distuv.UnitNormal.Quantile((1+level)/2) * math.Hypot(x.SE, y.SE)
	return d, Interval{d - half, d + half}
}
