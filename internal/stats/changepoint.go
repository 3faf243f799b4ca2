package stats

// Since when: one change of a rate of events under a known exposure.
//
// Worsley K. J. (1986), Confidence regions and tests for a change-point in a
// sequence of exponential family random variables, Biometrika 73, 91-104;
// Carlin B. P., Gelfand A. E., Smith A. F. M. (1992), Hierarchical Bayesian
// analysis of changepoint problems, Appl. Stat. 41, 389-405.

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Change is where a rate changed most likely: after the first At values.
// Likelihood is the log of the likelihood ratio against no change. From and To
// are the first and the last of the Set of places that are believable at 95 %.
// P is the chance of as large a ratio where nothing changes, by drawings.
type Change struct {
	At            int
	Likelihood    float64
	Before, After float64 // events per unit of exposure
	Set           []int
	P             float64
}

// within95 is half the 95 % quantile of chi-square with one degree of freedom,
// as METHODS of profile likelihoods have it.
const within95 = 3.84

// ChangePoint finds it. Values without exposure change nothing. It is refused
// with fewer than two values with exposure or no event.
func ChangePoint(events []int, exposure []float64, draws int, seed uint64) (Change, bool) {
	n, all, open := 0, 0.0, 0
	for t, e := range exposure {
		if !(e >= 0) || events[t] < 0 || e == 0 && events[t] > 0 {
			return Change{}, false
		}
		if e > 0 {
			open++
		}
		n, all = n+events[t], all+e
	}
	if open < 2 || n == 0 {
		return Change{}, false
	}
	profile := make([]float64, len(events))
	best, at := changeProfile(events, exposure, n, all, profile)
	c := Change{At: at, Likelihood: best, P: 1}
	var a, ea float64
	for t := range at {
		a, ea = a+float64(events[t]), ea+exposure[t]
	}
	c.Before, c.After = a/ea, (float64(n)-a)/(all-ea)
	for j := 1; j < len(events); j++ {
		if 2*(best-profile[j]) <= within95 {
			c.Set = append(c.Set, j)
		}
	}
	if draws > 0 {
		// Given their number, events fall in proportion to the exposure.
		src := rand.NewPCG(seed, uint64(len(events)))
		drawn := make([]int, len(events))
		as := 1
		for range draws {
			multinomial(drawn, n, exposure, all, src)
			if v, _ := changeProfile(drawn, exposure, n, all, profile); v >= best {
				as++
			}
		}
		c.P = float64(as) / float64(draws+1)
	}
	return c, true
}

// changeProfile fills the log-likelihood ratio of a change after each first j
// values (minus infinity where one side has no exposure) and gives the largest.
func changeProfile(events []int, exposure []float64, n int, all float64, profile []float64) (best float64, at int) {
	none := float64(n) * math.Log(float64(n)/all)
	best = math.Inf(-1)
	a, ea := 0, 0.0
	profile[0] = math.Inf(-1)
	for j := 1; j < len(events); j++ {
		a, ea = a+events[j-1], ea+exposure[j-1]
		profile[j] = math.Inf(-1)
		if eb := all - ea; exposure[j-1] > 0 && ea > 0 && eb > all*1e-12 {
			profile[j] = plogp(float64(a), ea) + plogp(float64(n-a), eb) - none
			if profile[j] > best {
				best, at = profile[j], j
			}
		}
	}
	return best, at
}

func plogp(n, e float64) float64 {
	if n == 0 {
		return 0
	}
	return n * math.Log(n/e)
}

// multinomial draws n events over cells in proportion to their weights.
func multinomial(into []int, n int, weight []float64, all float64, src rand.Source) {
	for t := range into {
		into[t] = 0
		if n == 0 || weight[t] <= 0 {
			continue
		}
		if p := weight[t] / all; p < 1-1e-12 {
			into[t] = int(distuv.Binomial{N: float64(n), P: p, Src: src}.Rand())
		} else {
			into[t] = n
		}
		n, all = n-into[t], all-weight[t]
	}
}
