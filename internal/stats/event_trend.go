package stats

// Do the events of a unit that is repaired each time come more and more often?
//
// Laplace P. S., in Cox D. R., Lewis P. A. W. (1966), The Statistical Analysis
// of Series of Events, Methuen, ch. 3; MIL-HDBK-189C (2011), Reliability Growth
// Management; power law: Crow L. H. (1974), Reliability analysis for complex
// repairable systems, in Reliability and Biometry, SIAM, 379-410; pooled
// units: Ascher H., Feingold H. (1984), Repairable Systems Reliability, Dekker.

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// EventTrend tells whether events come closer together (Laplace above 0, Beta
// above 1) or further apart, with the chance of as great a departure, either
// way, where their rate is constant.
type EventTrend struct {
	N int // events

	Laplace, LaplaceP float64 // normal where the rate is constant

	ChiSquare, ChiSquareP float64 // MIL-HDBK-189
	Freedom               int

	// The power law: Scale·t^Beta events are expected by time t.
	Beta, Scale float64
	Unbiased    float64  // Beta, its mean deviation for few events taken off
	Limits      Interval // of Beta; of a single unit
	Intensity   float64  // events for one unit of time, at the end
	Misfit      float64  // Cramér-von Mises, of a single unit
	Likelihood  float64  // its log
}

// TrendOf judges one unit watched from 0 to end, events at the given times. One
// watched until its last event (end is that event) is judged by what came
// before it. It is refused under two events that tell.
func TrendOf(times []float64, end, level float64) (EventTrend, bool) {
	t := slices.Clone(times)
	slices.Sort(t)
	for k, x := range t {
		if !(x > 0) || x > end || math.IsInf(end, 0) || k > 0 && t[k-1] > x {
			return EventTrend{}, false
		}
	}
	n := len(t)
	told := n // events whose time is not given by the end
	if n > 0 && t[n-1] == end {
		told--
	}
	if told < 2 {
		return EventTrend{}, false
	}
	r := EventTrend{N: n, Freedom: 2 * told}
	sum, logs := 0.0, 0.0
	for _, x := range t[:told] {
		sum += x
		logs += math.Log(end / x)
	}
	if logs == 0 {
		return EventTrend{}, false
	}
	m := float64(told)
	r.Laplace = (sum/m - end/2) / (end * math.Sqrt(1/(12*m)))
	r.ChiSquare = 2 * logs
	r.judge()
	r.Beta = float64(n) / logs
	r.Scale = float64(n) / math.Pow(end, r.Beta)
	r.Intensity = r.Beta * float64(n) / end
	// The unbiased form loses one event, or two where the last one is the end.
	r.Unbiased = r.Beta * float64(told-1) / float64(n)
	chi := distuv.ChiSquared{K: float64(r.Freedom)}
	r.Limits = Interval{r.Beta * chi.Quantile((1-level)/2) / (2 * float64(n)), r.Beta * chi.Quantile((1+level)/2) / (2 * float64(n))}
	r.Misfit = 1 / (12 * m)
	for k, x := range t[:told] {
		d := math.Pow(x/end, r.Unbiased) - (2*float64(k)+1)/(2*m)
		r.Misfit += d * d
	}
	for _, x := range t {
		r.Likelihood += math.Log(r.Scale) + math.Log(r.Beta) + (r.Beta-1)*math.Log(x)
	}
	r.Likelihood -= float64(n)
	return r, true
}

// PooledTrend judges several units together, each watched from 0 to its Exit
// (Entry does not count): are they, as a group, getting worse? It is refused
// under two events.
func PooledTrend(lives []Life) (EventTrend, bool) {
	var r EventTrend
	var sum, middle, spread, logs, logTimes float64
	var watched []Life
	for _, l := range lives {
		if !(l.Exit > 0) || math.IsInf(l.Exit, 0) {
			continue
		}
		n := 0.0
		for _, x := range l.Events {
			if x > 0 && x <= l.Exit {
				n++
				sum += x
				logs += math.Log(l.Exit / x)
				logTimes += math.Log(x)
			}
		}
		middle += n * l.Exit / 2
		spread += n * l.Exit * l.Exit / 12
		r.N += int(n)
		watched = append(watched, l)
	}
	if r.N < 2 || logs == 0 {
		return EventTrend{}, false
	}
	r.Freedom = 2 * r.N
	r.Laplace = (sum - middle) / math.Sqrt(spread)
	r.ChiSquare = 2 * logs
	r.judge()
	// Beta solves n/β + Σ ln t = n Σ T^β ln T / Σ T^β; with T in units of the
	// longest, powers stay within 1.
	longest := 0.0
	for _, l := range watched {
		longest = max(longest, l.Exit)
	}
	n := float64(r.N)
	relative := logTimes - n*math.Log(longest)
	score := func(beta float64) float64 {
		var weight, moment float64
		for _, l := range watched {
			x := l.Exit / longest
			w := math.Pow(x, beta)
			weight, moment = weight+w, moment+w*math.Log(x)
		}
		return n*moment/weight - n/beta - relative
	}
	r.Beta = root(score, 1e-6, 1e3)
	weight := 0.0
	for _, l := range watched {
		weight += math.Pow(l.Exit/longest, r.Beta)
	}
	r.Scale = n / weight / math.Pow(longest, r.Beta)
	r.Intensity = r.Beta * r.Scale * math.Pow(longest, r.Beta-1)
	r.Likelihood = n*math.Log(r.Scale) + n*math.Log(r.Beta) + (r.Beta-1)*logTimes - n
	return r, true
}

// judge turns statistics into chances, two-sided.
func (r *EventTrend) judge() {
	r.LaplaceP = math.Erfc(math.Abs(r.Laplace) / math.Sqrt2)
	chi := distuv.ChiSquared{K: float64(r.Freedom)}
	below := chi.CDF(r.ChiSquare)
	r.ChiSquareP = 2 * min(below, 1-below)
	if above := chi.Survival(r.ChiSquare); above < below {
		r.ChiSquareP = 2 * above
	}
}
