package stats

// The comparison of two rates by the conditional binomial: given n events in
// all, those of the first are Bin(n, t1/(t1+t2)).
//
// Przyborowski J., Wilenski H. (1940), Biometrika 31, 313-323; limits of
// Clopper C. J., Pearson E. S. (1934), Biometrika 26, 404-413.

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// RateRatio compares a first rate with a second one. Value is NaN and High
// infinite where the second counted nothing.
type RateRatio struct {
	Value  float64
	Limits Interval
	P      float64 // two-sided chance of as little likely a split where the rates are alike
	More   float64 // chance of as many in the first
	Fewer  float64 // chance of as few in the first
}

// CompareRates gives the exact comparison; ok is false without exposure.
func CompareRates(events1 int, exposure1 float64, events2 int, exposure2, level float64) (r RateRatio, ok bool) {
	if events1 < 0 || events2 < 0 || !(exposure1 > 0) || !(exposure2 > 0) {
		return RateRatio{}, false
	}
	x, n := float64(events1), float64(events1+events2)
	p0 := exposure1 / (exposure1 + exposure2)
	r = RateRatio{Value: math.NaN(), P: 1, More: 1, Fewer: 1, Limits: Interval{0, math.Inf(1)}}
	if events2 > 0 {
		r.Value = x / exposure1 / (float64(events2) / exposure2)
	}
	if n == 0 {
		return r, true
	}
	odds := func(p float64) float64 { return p / (1 - p) * exposure2 / exposure1 }
	a := (1 - level) / 2
	if events1 > 0 {
		r.Limits.Low = odds(mathext.InvRegIncBeta(x, n-x+1, a))
	}
	if events2 > 0 {
		r.Limits.High = odds(mathext.InvRegIncBeta(x+1, n-x, 1-a))
	}
	r.Fewer = binomialUpTo(x, n, p0)
	r.More = 1 - binomialUpTo(x-1, n, p0)
	if events1 > 0 {
		r.More = mathext.RegIncBeta(x, n-x+1, p0)
	}
	// As R's binom.test: all splits that are no more likely, within rounding.
	here := binomialAt(x, n, p0) * (1 + 1e-7)
	r.P = 0
	for k := 0.0; k <= n; k++ {
		if at := binomialAt(k, n, p0); at <= here {
			r.P += at
		}
	}
	r.P = min(1, r.P)
	return r, true
}

func binomialUpTo(x, n, p float64) float64 {
	switch {
	case x < 0:
		return 0
	case x >= n:
		return 1
	}
	return mathext.RegIncBeta(n-x, x+1, 1-p)
}

func binomialAt(x, n, p float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(x + 1)
	c, _ := math.Lgamma(n - x + 1)
	return math.Exp(a - b - c + x*math.Log(p) + (n-x)*math.Log1p(-p))
}
