package stats

// Cumulative sums: small rises that last.
//
// Höhle M., Paul M. (2008), Count data regression charts for the monitoring of
// surveillance time series, Comput. Stat. Data Anal. 52, 4357-4368; Lucas J.
// M. (1985), Counted data CUSUM's, Technometrics 27, 129-144 (run lengths);
// Lorden G. (1971), Procedures for reacting to a change in distribution, Ann.
// Math. Stat. 42, 1897-1908 (at least e^h between false alarms).

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// CUSUM weighs, week after week, the evidence that the mean is Factor times
// what is expected; it tells above Limit and begins again, or, with Hold, goes
// on up to Hold at most and tells as long as it is above Limit.
type CUSUM struct {
	Factor float64 // above 1
	Limit  float64
	Hold   float64 // 0: begins again
}

// CUSUMPoint is the sum after a week, before it begins again.
type CUSUMPoint struct {
	Sum   float64
	Alarm bool
}

// Run follows counts whose expected means and sizes are given by week; sizes
// may be infinite (Poisson). A week without expected mean leaves the sum.
func (c CUSUM) Run(counts []int, mean, size []float64) []CUSUMPoint {
	out := make([]CUSUMPoint, len(counts))
	sum := 0.0
	for t, y := range counts {
		if mean[t] > 0 {
			sum = max(0, sum+c.Step(y, mean[t], size[t]))
		}
		out[t] = CUSUMPoint{sum, sum > c.Limit}
		switch {
		case c.Hold > 0:
			sum = min(sum, c.Hold)
		case out[t].Alarm:
			sum = 0
		}
	}
	return out
}

// Step is what a count adds to the sum: the log of its likelihood ratio.
func (c CUSUM) Step(count int, mean, size float64) float64 {
	y := float64(count)
	if size > poissonSize {
		return y*math.Log(c.Factor) - (c.Factor-1)*mean
	}
	return y*math.Log(c.Factor) - (y+size)*math.Log((size+c.Factor*mean)/(size+mean))
}

// PoissonRunLength is the mean number of weeks until the sum of (count -
// reference), kept at 0 at least, exceeds a limit, where the counts have a
// mean: Lucas's Markov chain, for whole references and limits.
func PoissonRunLength(mean float64, reference, limit int) float64 {
	n := limit + 1
	if !(mean > 0) || reference < 0 || limit < 0 {
		return math.NaN()
	}
	a := mat.NewDense(n, n, nil)
	ones := mat.NewVecDense(n, nil)
	for from := range n {
		ones.SetVec(from, 1)
		for to := range n {
			// From one sum to another: the count that makes it, or any smaller for 0.
			chance := poissonAt(float64(to-from+reference), mean)
			if to-from+reference < 0 {
				chance = 0
			}
			if to == 0 {
				chance = poissonUpTo(float64(reference-from), mean)
			}
			if from == to {
				a.Set(from, to, 1-chance)
			} else {
				a.Set(from, to, -chance)
			}
		}
	}
	var length mat.VecDense
	if err := length.SolveVec(a, ones); err != nil {
		return math.Inf(1)
	}
	return length.AtVec(0)
}
