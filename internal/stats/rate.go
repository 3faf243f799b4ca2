package stats

// Rates and their limits.
//
// Garwood F. (1936), Fiducial limits for the Poisson distribution, Biometrika
// 28, 437-442. Ulm K. (1990), A simple method to calculate the confidence
// interval of a standardized mortality ratio, Am. J. Epidemiol. 131, 373-375.
// Mid-p: Cohen G. R., Yang S. Y. (1994), Mid-P confidence intervals for the
// Poisson expectation, Stat. Med. 13, 2189-2203.

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a confidence or credible interval.
type Interval struct{ Low, High float64 }

// Over divides an interval by an exposure.
func (i Interval) Over(exposure float64) Interval {
	return Interval{i.Low / exposure, i.High / exposure}
}

// Holds tells whether v lies in the interval, its ends included.
func (i Interval) Holds(v float64) bool { return i.Low <= v && v <= i.High }

// PoissonLimits gives the exact (Garwood) limits, at a level such as 0.95, of
// the number of events to be expected where so many were counted.
func PoissonLimits(events int, level float64) Interval {
	a := (1 - level) / 2
	limits := Interval{High: distuv.ChiSquared{K: 2*float64(events) + 2}.Quantile(1-a) / 2}
	if events > 0 {
		limits.Low = distuv.ChiSquared{K: 2 * float64(events)}.Quantile(a) / 2
	}
	return limits
}

// PoissonMidP gives the mid-p limits: narrower than the exact ones, which are
// cautious for tiny counts.
func PoissonMidP(events int, level float64) Interval {
	a := (1 - level) / 2
	y := float64(events)
	// The chance of more than y, and half of that of y itself; it grows with the mean.
	above := func(mean float64) float64 { return poissonAbove(y, mean) + poissonAt(y, mean)/2 }
	exact := PoissonLimits(events, level)
	limits := Interval{High: root(func(m float64) float64 { return above(m) - (1 - a) }, exact.Low, exact.High)}
	if events > 0 {
		limits.Low = root(func(m float64) float64 { return above(m) - a }, exact.Low, exact.High)
	}
	return limits
}

// Rate is a number of events for an exposure, with its limits.
type Rate struct {
	Events   int
	Exposure float64
	Value    float64
	Limits   Interval
}

// RateOf is a rate with exact limits; ok is false without exposure.
func RateOf(events int, exposure, level float64) (rate Rate, ok bool) {
	if events < 0 || !(exposure > 0) || math.IsInf(exposure, 0) {
		return Rate{}, false
	}
	return Rate{events, exposure, float64(events) / exposure, PoissonLimits(events, level).Over(exposure)}, true
}

// poissonAbove is the chance of more than y events where mean are expected.
func poissonAbove(y, mean float64) float64 {
	if mean <= 0 {
		return 0
	}
	return mathext.GammaIncReg(y+1, mean)
}

// poissonUpTo is the chance of y events or fewer where mean are expected.
func poissonUpTo(y, mean float64) float64 {
	switch {
	case y < 0:
		return 0
	case mean <= 0:
		return 1
	}
	return mathext.GammaIncRegComp(math.Floor(y)+1, mean)
}

// poissonAt is the chance of exactly y events where mean are expected.
func poissonAt(y, mean float64) float64 {
	if mean <= 0 {
		if y == 0 {
			return 1
		}
		return 0
	}
	g, _ := math.Lgamma(y + 1)
	return math.Exp(y*math.Log(mean) - mean - g)
}

// root finds where a growing function crosses zero between two bounds, by
// bisection to the last bit.
func root(f func(float64) float64, low, high float64) float64 {
	for range 200 {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		if f(middle) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return low + (high-low)/2
}
