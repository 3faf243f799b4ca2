package stats

// Many tests at once: the share of false ones among those shown.
//
// Benjamini Y., Hochberg Y. (1995), Controlling the false discovery rate, J.
// R. Stat. Soc. B 57, 289-300; Benjamini Y., Yekutieli D. (2001), The control
// of the false discovery rate in multiple testing under dependency, Ann. Stat.
// 29, 1165-1188; Holm S. (1979), Scand. J. Stat. 6, 65-70.

import (
	"cmp"
	"slices"
)

// BenjaminiHochberg adjusts the p-values of a family: showing those at or
// under q lets a share q of false ones through at most, where tests are
// independent or go together.
func BenjaminiHochberg(p []float64) []float64 { return stepUp(p, 1) }

// BenjaminiYekutieli is the strict form, which holds whatever ties the tests.
func BenjaminiYekutieli(p []float64) []float64 {
	harmonic := 0.0
	for k := range p {
		harmonic += 1 / float64(k+1)
	}
	return stepUp(p, harmonic)
}

func stepUp(p []float64, factor float64) []float64 {
	order, m := ascending(p), float64(len(p))
	out := make([]float64, len(p))
	least := 1.0
	for k, at := range slices.Backward(order) {
		least = min(least, factor*m/float64(k+1)*p[at])
		out[at] = least
	}
	return out
}

// Holm adjusts p-values so that the chance of even one false among those at or
// under a level is at most that level.
func Holm(p []float64) []float64 {
	order := ascending(p)
	out := make([]float64, len(p))
	most := 0.0
	for k, at := range order {
		most = max(most, min(1, float64(len(p)-k)*p[at]))
		out[at] = most
	}
	return out
}

// ascending lists the places of values from the least on.
func ascending(p []float64) []int {
	order := make([]int, len(p))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	return order
}
