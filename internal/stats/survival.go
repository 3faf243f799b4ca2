package stats

// How long things last when some of them are not over yet.
//
// Kaplan E. L., Meier P. (1958), Nonparametric estimation from incomplete
// observations, J. Am. Stat. Assoc. 53, 457-481. Greenwood M. (1926), The
// natural duration of cancer. Nelson W. (1972), Technometrics 14, 945-966.
// Limits of quantiles: Brookmeyer R., Crowley J. (1982), Biometrics 38, 29-41.
// Delayed entry: Tsai W.-Y., Jewell N. P., Wang M.-C. (1987), Biometrika 74,
// 883-886. Restricted mean: Irwin J. O. (1949), J. Hyg. 47, 188-189.

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Spell is one thing watched: from when (0 is its beginning), until when, and
// whether what is waited for happened then. Without Event it went on.
type Spell struct {
	Entry, Exit float64
	Event       bool
}

// Step is what a survival curve knows at a time at which something ended.
type Step struct {
	T        float64
	AtRisk   int // Entry < T <= Exit
	Events   int
	Censored int
	S        float64 // share that lasts longer than T
	// Greenwood is Σ d/(Y(Y-d)) up to T: the variance of S divided by S squared.
	Greenwood float64
	Hazard    float64 // cumulative, Nelson-Aalen
	hazardVar float64
}

// StdErr is the standard error of S (Greenwood); NaN once S is 0.
func (s Step) StdErr() float64 { return s.S * math.Sqrt(s.Greenwood) }

// HazardStdErr is the standard error of the cumulative hazard.
func (s Step) HazardStdErr() float64 { return math.Sqrt(s.hazardVar) }

// Survival is a survival curve: a step wherever something ended.
type Survival struct {
	Steps   []Step
	N       int // things watched
	Events  int
	Dropped int     // left out: not after their entry, or not a number
	Last    float64 // the longest time watched
}

// KaplanMeier estimates how long things last. Spells that do not end after
// their entry, or before 0, are left out and counted. It is refused without
// any other.
func KaplanMeier(spells []Spell) (Survival, bool) {
	return KaplanMeierFrom(spells, 0)
}

// KaplanMeierFrom does the same from the first time at which at least so many
// are watched: with delayed entry the first risk sets may be tiny, and one
// event in them would carry the curve to 0. S is then what is left of those
// that reached that time.
func KaplanMeierFrom(spells []Spell, leastAtRisk int) (Survival, bool) {
	out := Survival{Last: math.Inf(-1)}
	events, censored := make([]float64, 0, len(spells)), make([]float64, 0, len(spells)/4)
	var entries []float64
	for _, s := range spells {
		if !(s.Exit >= 0) || math.IsInf(s.Exit, 0) || math.IsNaN(s.Entry) || s.Entry > 0 && s.Exit <= s.Entry {
			out.Dropped++
			continue
		}
		out.N++
		out.Last = max(out.Last, s.Exit)
		if s.Event {
			events = append(events, s.Exit)
		} else {
			censored = append(censored, s.Exit)
		}
		if s.Entry > 0 {
			entries = append(entries, s.Entry)
		}
	}
	if out.N == 0 {
		return Survival{Dropped: out.Dropped}, false
	}
	slices.Sort(events)
	slices.Sort(censored)
	slices.Sort(entries)
	out.Steps = make([]Step, 0, len(events)+len(censored))
	s, started := Step{S: 1}, false
	atRisk := out.N - len(entries)
	entered := 0
	for e, c := 0, 0; e < len(events) || c < len(censored); {
		t := math.Inf(1)
		if e < len(events) {
			t = events[e]
		}
		if c < len(censored) {
			t = min(t, censored[c])
		}
		for entered < len(entries) && entries[entered] < t {
			entered++
			atRisk++
		}
		s.T, s.AtRisk, s.Events, s.Censored = t, atRisk, 0, 0
		for e < len(events) && events[e] == t {
			s.Events++
			e++
		}
		for c < len(censored) && censored[c] == t {
			s.Censored++
			c++
		}
		atRisk -= s.Events + s.Censored
		if started = started || s.AtRisk >= leastAtRisk; !started {
			continue
		}
		if s.Events > 0 {
			d, y := float64(s.Events), float64(s.AtRisk)
			s.S *= 1 - d/y
			s.Greenwood += d / (y * (y - d)) // infinite once none is left
			s.Hazard += d / y
			s.hazardVar += d / (y * y)
			out.Events += s.Events
		}
		out.Steps = append(out.Steps, s)
	}
	return out, len(out.Steps) > 0
}

// From is the first time that the curve speaks of.
func (s Survival) From() float64 {
	if len(s.Steps) == 0 {
		return math.NaN()
	}
	return s.Steps[0].T
}

// At is the step that holds at a time; before the first, everything lasts.
func (s Survival) At(t float64) Step {
	k := sort.Search(len(s.Steps), func(k int) bool { return s.Steps[k].T > t })
	if k == 0 {
		return Step{T: t, AtRisk: s.N, S: 1}
	}
	return s.Steps[k-1]
}

// LogLimits are limits of S on the scale of its logarithm.
func (s Step) LogLimits(level float64) Interval {
	return s.logLimits(normalQuantile(level))
}

func (s Step) logLimits(z float64) Interval {
	if s.S <= 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	w := z * math.Sqrt(s.Greenwood)
	return Interval{s.S * math.Exp(-w), min(1, s.S*math.Exp(w))}
}

// LogLogLimits are limits of S on the scale of log(-log S): they stay between
// 0 and 1 and are better with few events.
func (s Step) LogLogLimits(level float64) Interval {
	switch {
	case s.S <= 0:
		return Interval{math.NaN(), math.NaN()}
	case s.S >= 1:
		return Interval{1, 1}
	}
	w := normalQuantile(level) * math.Sqrt(s.Greenwood) / math.Log(s.S)
	at := math.Log(-math.Log(s.S))
	low, high := math.Exp(-math.Exp(at-w)), math.Exp(-math.Exp(at+w))
	return Interval{min(low, high), max(low, high)}
}

// normalQuantile is the z of a two-sided level: 1.96 of 0.95.
func normalQuantile(level float64) float64 {
	return distuv.UnitNormal.Quantile((1 + level) / 2)
}

// exactly is how near a curve must be to a share to have reached it exactly.
const exactly = 1.4901161193847656e-08 // the square root of 2^-52

// Quantile is the time by which a share p of things is over: the first at
// which S is 1-p or less, half-way to the next drop when it is 1-p exactly.
// Its limits are where the limits of the curve (on the log scale) cross. What
// is not reached is NaN.
func (s Survival) Quantile(p, level float64) (q float64, limits Interval) {
	z := normalQuantile(level)
	q = s.crossing(p, func(x Step) float64 { return x.S })
	limits.Low = s.crossing(p, func(x Step) float64 { return x.logLimits(z).Low })
	limits.High = s.crossing(p, func(x Step) float64 { return x.logLimits(z).High })
	return q, limits
}

func (s Survival) crossing(p float64, of func(Step) float64) float64 {
	first := math.NaN()
	last := math.NaN()
	for _, step := range s.Steps {
		v := of(step)
		if math.IsNaN(v) {
			break
		}
		last = step.T
		if math.IsNaN(first) && v <= 1-p+exactly {
			first = step.T
		}
		if v <= 1-p-exactly {
			return (first + step.T) / 2
		}
	}
	return (first + last) / 2 // flat at the share until the end; NaN if never reached
}

// RestrictedMean is the mean time up to a limit (what lasts longer counts as
// the limit), with its standard error. It is refused when the curve does not
// reach that far.
func (s Survival) RestrictedMean(limit float64) (mean, stdErr float64, ok bool) {
	if len(s.Steps) == 0 || !(limit > 0) || s.Last < limit && s.Steps[len(s.Steps)-1].S > 0 {
		return 0, 0, false
	}
	n := sort.Search(len(s.Steps), func(k int) bool { return s.Steps[k].T > limit })
	var variance float64
	right := limit
	for k := n - 1; k >= 0; k-- { // the area to the right of each step
		step := s.Steps[k]
		mean += step.S * (right - step.T)
		right = step.T
		if step.Events > 0 && step.AtRisk > step.Events {
			d, y := float64(step.Events), float64(step.AtRisk)
			variance += mean * mean * d / (y * (y - d))
		}
	}
	return mean + right, math.Sqrt(variance), true
}

// Longer is the chance that something which has lasted until age a lasts
// longer than t; it is refused before a, and when nothing lasted that long.
func (s Survival) Longer(t, a float64) (p float64, ok bool) {
	already := s.At(a).S
	if t < a || already <= 0 {
		return 0, false
	}
	return s.At(t).S / already, true
}
