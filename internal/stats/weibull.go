package stats

// How a rate of failure grows with age.
//
// Weibull W. (1951), J. Appl. Mech. 18, 293-297; left truncation: Hong Y.,
// Meeker W. Q., McCalley J. D. (2009), Ann. Appl. Stat. 3, 857-879. Repaired
// machines: the power law process, Crow L. H. (1974), in Reliability and
// Biometry, SIAM, 379-410; seen through windows of age the two have the same
// likelihood.

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Weibull is a law of ages: the share that reaches age t without a failure is
// exp(-(t/Scale)^Shape). Of machines that are repaired each time, (t/Scale)^Shape
// is the number of failures to be expected up to age t (a power law process).
type Weibull struct {
	Shape, Scale float64
}

// WeibullFit is a law fitted by maximum likelihood.
type WeibullFit struct {
	Weibull
	LogLik   float64
	Failures int
	// Of the logarithms of shape and scale, from the observed information.
	StdErrShape, StdErrScale, Covariance float64
	// ShapeLimits are profile likelihood limits at 95 %; an end that the data
	// do not settle is the bound of the search.
	ShapeLimits Interval
}

// Window is a stretch of ages through which one machine was watched.
type Window struct{ Entry, Exit float64 }

// LeastFailures is how many failures a fit needs.
const LeastFailures = 10

// shapeBound bounds the logarithm of the shape: a fit that runs into it says
// that there is not enough information (all failures at the same age).
const shapeBound = 3

// FitWeibull fits the law of ages at the failure that ends a spell, with
// delayed entry. It is refused with too few failures, and when the shape runs
// away.
func FitWeibull(spells []Spell) (WeibullFit, bool) {
	windows := make([]Window, 0, len(spells))
	var failures []float64
	for _, s := range spells {
		if !(s.Exit > s.Entry) || s.Entry < 0 || math.IsInf(s.Exit, 0) {
			continue
		}
		windows = append(windows, Window{s.Entry, s.Exit})
		if s.Event {
			failures = append(failures, s.Exit)
		}
	}
	return FitPowerLaw(failures, windows)
}

// FitPowerLaw fits the rate of failures of machines that are repaired each
// time: the ages at all failures seen through the windows.
func FitPowerLaw(failures []float64, windows []Window) (WeibullFit, bool) {
	if len(failures) < LeastFailures {
		return WeibullFit{}, false
	}
	l := likelihood{n: float64(len(failures))}
	for _, w := range windows {
		l.unit = max(l.unit, w.Exit)
	}
	if !(l.unit > 0) {
		return WeibullFit{}, false
	}
	for _, t := range failures {
		if !(t > 0) {
			return WeibullFit{}, false
		}
		l.logs += math.Log(t / l.unit)
	}
	for _, w := range windows {
		if !(w.Exit > w.Entry) || w.Entry < 0 {
			continue
		}
		l.exits = append(l.exits, math.Log(w.Exit/l.unit))
		if w.Entry > 0 {
			l.entries = append(l.entries, math.Log(w.Entry/l.unit))
		}
	}
	// The scale follows from the shape: one dimension is left, searched coarsely
	// first because truncation may make it bend more than once.
	best, at := math.Inf(-1), 0.0
	const coarse = 0.5
	for x := -shapeBound * 1.0; x <= shapeBound; x += coarse {
		if v, _, _ := l.profile(x); v > best {
			best, at = v, x
		}
	}
	low, high := max(-shapeBound, at-coarse), min(shapeBound, at+coarse)
	x := at
	for range 60 { // Newton, kept between the bounds by halving
		_, slope, bend := l.profile(x)
		if slope > 0 {
			low = x
		} else {
			high = x
		}
		next := x - slope/bend
		if !(bend < 0) || next <= low || next >= high {
			next = (low + high) / 2
		}
		if math.Abs(next-x) < 1e-11 {
			x = next
			break
		}
		x = next
	}
	if math.Abs(x) > shapeBound-1e-6 {
		return WeibullFit{}, false
	}
	out := l.at(x)
	if !(out.StdErrShape > 0) || !(out.StdErrScale > 0) {
		return WeibullFit{}, false
	}
	out.Failures = len(failures)
	drop := distuv.ChiSquared{K: 1}.Quantile(0.95) / 2
	top, _, _ := l.profile(x)
	below := func(y float64) float64 { v, _, _ := l.profile(y); return top - drop - v }
	out.ShapeLimits = Interval{math.Exp(-shapeBound), math.Exp(shapeBound)}
	reach := 6 * out.StdErrShape
	if lo := max(-shapeBound, x-reach); below(lo) > 0 {
		out.ShapeLimits.Low = math.Exp(crossingOf(func(y float64) float64 { return -below(y) }, lo, x))
	}
	if hi := min(shapeBound, x+reach); below(hi) > 0 {
		out.ShapeLimits.High = math.Exp(crossingOf(below, x, hi))
	}
	return out, true
}

// crossingOf is root to a precision that is enough for a limit.
func crossingOf(f func(float64) float64, low, high float64) float64 {
	for range 30 {
		if middle := (low + high) / 2; f(middle) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// likelihood holds what the likelihood needs, ages in units of the largest.
type likelihood struct {
	n, logs        float64 // failures, and the sum of the logarithms of their ages
	exits, entries []float64
	unit           float64
}

// sums are Σ(exit^k - entry^k), and the same with the logarithm and its square
// as factors.
func (l *likelihood) sums(k float64) (s, s1, s2 float64) {
	for _, x := range l.exits {
		v := math.Exp(k * x)
		s, s1, s2 = s+v, s1+v*x, s2+v*x*x
	}
	for _, x := range l.entries {
		v := math.Exp(k * x)
		s, s1, s2 = s-v, s1-v*x, s2-v*x*x
	}
	return s, s1, s2
}

// profile is the likelihood at the best scale for a shape, by the logarithm of
// the shape, with its first two derivatives.
func (l *likelihood) profile(x float64) (value, slope, bend float64) {
	k := math.Exp(x)
	s, s1, s2 := l.sums(k)
	if !(s > 0) {
		return math.Inf(-1), 0, 0
	}
	value = l.n*x - l.n*math.Log(s/l.n) + k*l.logs - l.n
	slope = l.n + k*(l.logs-l.n*s1/s)
	bend = k*(l.logs-l.n*s1/s) - l.n*k*k*(s2/s-(s1/s)*(s1/s))
	return value, slope, bend
}

// at is the fit at a shape, its scale the best one.
func (l *likelihood) at(x float64) WeibullFit {
	k := math.Exp(x)
	s, s1, s2 := l.sums(k)
	scale := math.Pow(s/l.n, 1/k) // in units
	m := l.logs
	logScale := math.Log(scale)
	// In the age divided by the scale: H = Σ z^k = n, and with logarithms.
	h1 := (s1 - logScale*s) / (s / l.n)
	h2 := (s2 - 2*logScale*s1 + logScale*logScale*s) / (s / l.n)
	// Minus the second derivatives by the logarithms of shape and scale.
	aa := -k*(m-l.n*logScale) + k*h1 + k*k*h2
	ab := -k * k * h1
	bb := k * k * l.n
	det := aa*bb - ab*ab
	logLik := l.n*x + (k-1)*(m+l.n*math.Log(l.unit)) - k*l.n*(logScale+math.Log(l.unit)) - l.n
	return WeibullFit{
		Weibull: Weibull{Shape: k, Scale: scale * l.unit}, LogLik: logLik,
		StdErrShape: math.Sqrt(bb / det), StdErrScale: math.Sqrt(aa / det), Covariance: -ab / det,
	}
}

// Survives is the share that reaches an age without a failure.
func (w Weibull) Survives(t float64) float64 { return math.Exp(-w.Cumulated(t)) }

// Cumulated is the number of failures to be expected up to an age of a machine
// that is repaired each time.
func (w Weibull) Cumulated(t float64) float64 {
	if t <= 0 {
		return 0
	}
	return math.Pow(t/w.Scale, w.Shape)
}

// Rate is the rate of failure at an age.
func (w Weibull) Rate(t float64) float64 {
	return w.Shape / w.Scale * math.Pow(t/w.Scale, w.Shape-1)
}

// Mean is the mean age at the first failure.
func (w Weibull) Mean() float64 { return w.Scale * math.Gamma(1+1/w.Shape) }

// MeanUpTo is the mean age at the failure, or at age t when that comes first.
func (w Weibull) MeanUpTo(t float64) float64 {
	if t <= 0 {
		return 0
	}
	return w.Mean() * mathext.GammaIncReg(1/w.Shape, w.Cumulated(t))
}
