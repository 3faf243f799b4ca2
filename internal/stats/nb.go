package stats

// The negative binomial of counts whose mean is not quite known: mean μ,
// variance μ + μ²/r. gonum has none; its tail is an incomplete beta.
//
// Abramowitz M., Stegun I. (1964), Handbook of Mathematical Functions,
// 26.5.26; Johnson N. L., Kemp A. W., Kotz S. (2005), Univariate Discrete
// Distributions, 3rd ed., section 5.6.

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// poissonSize is the size from which the incomplete beta loses digits and the
// Poisson distribution is the same to ten of them.
const poissonSize = 1e7

// NBAtLeast is the chance of y events or more where mean are expected, with a
// size r (infinite: Poisson). A size that is not above 0 is refused by NaN.
func NBAtLeast(y int, mean, r float64) float64 {
	switch {
	case math.IsNaN(mean) || !(r > 0) || mean < 0:
		return math.NaN()
	case y <= 0:
		return 1
	case mean == 0:
		return 0
	case r > poissonSize:
		return poissonAbove(float64(y-1), mean)
	}
	return mathext.RegIncBeta(float64(y), r, mean/(mean+r))
}

// NBAt is the chance of exactly y events.
func NBAt(y int, mean, r float64) float64 {
	switch {
	case y < 0:
		return 0
	case mean == 0 || r > poissonSize:
		return poissonAt(float64(y), mean)
	}
	v := float64(y)
	a, _ := math.Lgamma(v + r)
	b, _ := math.Lgamma(r)
	c, _ := math.Lgamma(v + 1)
	return math.Exp(a - b - c + r*math.Log(r/(r+mean)) + v*math.Log(mean/(r+mean)))
}

// NBMidP is the chance of more than y events, and half of that of y itself.
func NBMidP(y int, mean, r float64) float64 {
	return NBAtLeast(y+1, mean, r) + NBAt(y, mean, r)/2
}

// NBQuantile is the smallest count that is not exceeded with a chance p.
func NBQuantile(p, mean, r float64) int {
	if !(p > 0) || mean == 0 {
		return 0
	}
	short := func(y int) bool { return 1-NBAtLeast(y+1, mean, r) < p }
	high := 1
	for short(high) && high < 1<<40 {
		high *= 2
	}
	low := -1
	for high-low > 1 {
		if middle := low + (high-low)/2; short(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// NBRatio gives the limits, at a level such as 0.9, of the ratio of the true
// mean to the one expected where y were counted: the means under which y would
// be neither too many nor too few. It agrees with NBAtLeast: the lower limit
// is above 1 when the chance of so many is below half of what the level leaves.
func NBRatio(y int, expected, r, level float64) Interval {
	a := (1 - level) / 2
	if !(expected > 0) {
		return Interval{0, math.Inf(1)}
	}
	high := 1.0
	for NBAtLeast(y+1, high*expected, r) < 1-a && high < 1e12 {
		high *= 2
	}
	limits := Interval{High: root(func(m float64) float64 { return NBAtLeast(y+1, m*expected, r) - (1 - a) }, 0, high)}
	if y > 0 {
		limits.Low = root(func(m float64) float64 { return NBAtLeast(y, m*expected, r) - a }, 0, high)
	}
	return limits
}
