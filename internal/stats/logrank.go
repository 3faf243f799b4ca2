package stats

// Do several groups last equally long?
//
// Mantel N. (1966), Cancer Chemother. Rep. 50, 163-170; Peto R., Peto J.
// (1972), J. R. Stat. Soc. A 135, 185-207. The variance is that of the
// hypergeometric law, as in R's survdiff with rho = 0.

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// LogRankTest compares what was observed in each group with what would have
// been if all lasted equally long.
type LogRankTest struct {
	Observed []int
	Expected []float64
	Chi2     float64
	Freedom  int
	P        float64
}

// LogRank tests whether groups last equally long. It is refused with fewer
// than two groups in which anything could have happened.
func LogRank(groups ...[]Spell) (LogRankTest, bool) {
	type sorted struct {
		events, exits, entries []float64
		e, x, n                int
		atRisk                 int
	}
	all := make([]sorted, len(groups))
	for k, spells := range groups {
		g := &all[k]
		for _, s := range spells {
			if !(s.Exit >= 0) || math.IsInf(s.Exit, 0) || math.IsNaN(s.Entry) || s.Entry > 0 && s.Exit <= s.Entry {
				continue
			}
			g.exits = append(g.exits, s.Exit)
			if s.Event {
				g.events = append(g.events, s.Exit)
			}
			if s.Entry > 0 {
				g.entries = append(g.entries, s.Entry)
			}
		}
		slices.Sort(g.events)
		slices.Sort(g.exits)
		slices.Sort(g.entries)
		g.atRisk = len(g.exits) - len(g.entries)
	}
	n := len(groups)
	out := LogRankTest{Observed: make([]int, n), Expected: make([]float64, n)}
	variance := make([]float64, n*n)
	died, watched := make([]float64, n), make([]float64, n)
	for {
		t := math.Inf(1)
		for k := range all {
			if g := &all[k]; g.e < len(g.events) {
				t = min(t, g.events[g.e])
			}
		}
		if math.IsInf(t, 1) {
			break
		}
		var d, y float64
		for k := range all {
			g := &all[k]
			for g.n < len(g.entries) && g.entries[g.n] < t {
				g.n++
				g.atRisk++
			}
			for g.x < len(g.exits) && g.exits[g.x] < t {
				g.x++
				g.atRisk--
			}
			from := g.e
			for g.e < len(g.events) && g.events[g.e] == t {
				g.e++
			}
			died[k], watched[k] = float64(g.e-from), float64(g.atRisk)
			out.Observed[k] += g.e - from
			d, y = d+died[k], y+watched[k]
		}
		for k := range all {
			share := watched[k] / y
			out.Expected[k] += d * share
			if y <= 1 {
				continue
			}
			spread := d * share * (y - d) / (y - 1)
			variance[k*n+k] += spread
			for j := range all {
				variance[k*n+j] -= spread * watched[j] / y
			}
		}
	}
	// The differences sum to 0: one group says nothing more than the others.
	var kept []int
	for k := range all {
		if out.Expected[k] > 0 {
			kept = append(kept, k)
		}
	}
	if len(kept) < 2 {
		return LogRankTest{}, false
	}
	out.Freedom = len(kept) - 1
	v := mat.NewSymDense(out.Freedom, nil)
	u := mat.NewVecDense(out.Freedom, nil)
	for i, k := range kept[:out.Freedom] {
		u.SetVec(i, float64(out.Observed[k])-out.Expected[k])
		for j, l := range kept[:out.Freedom] {
			v.SetSym(i, j, variance[k*n+l])
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(v) {
		return LogRankTest{}, false
	}
	var solved mat.VecDense
	if err := factor.SolveVecTo(&solved, u); err != nil {
		return LogRankTest{}, false
	}
	out.Chi2 = mat.Dot(u, &solved)
	out.P = distuv.ChiSquared{K: float64(out.Freedom)}.Survival(out.Chi2)
	return out, true
}
