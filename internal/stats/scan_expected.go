package stats

// What a scan expects of each site and week.
//
// The product's own: each site keeps its long-run level, shrunk (Clayton and
// Kaldor 1987), and each week its total, so that neither a site that is always
// worse nor the wave of September is a cluster. The others are those of the
// textbook (Kulldorff 1997, 2005), to be checked against published numbers:
// where sites differ and weeks are noisy they cry wolf.

// OwnLevels gives each site's level against all, shrunk, from a long past of
// events and exposure by site and week, and the over-dispersion of a site's
// weeks around it: variance = mean + kappa·mean². It is refused under 8 weeks
// that have both events and exposure, and with fewer than two sites.
func OwnLevels(observed [][]int, exposure [][]float64) (levels []float64, kappa float64, ok bool) {
	even := make([]float64, len(observed))
	for k := range even {
		even[k] = 1
	}
	base := KeptTotals(observed, exposure, even)
	o, e := make([]int, len(observed)), make([]float64, len(observed))
	used := map[int]bool{}
	for site := range observed {
		for t, y := range observed[site] {
			if base[site][t] > 0 {
				o[site] += y
				e[site] += base[site][t]
				used[t] = true
			}
		}
	}
	prior, fits := PriorOf(o, e)
	if !fits || len(used) < leastWeeks {
		return nil, 0, false
	}
	for site := range observed {
		levels = append(levels, prior.Shrink(o[site], e[site], 0.9).Ratio)
	}
	fitted := KeptTotals(observed, exposure, levels)
	var excess, weight float64
	for site := range fitted {
		for t, m := range fitted[site] {
			if m > 0 {
				d := float64(observed[site][t]) - m
				excess += d*d - m
				weight += m * m
			}
		}
	}
	if weight > 0 {
		kappa = min(max(0, excess/weight), 2)
	}
	return levels, kappa, true
}

// leastWeeks is the shortest past from which a level is told.
const leastWeeks = 8

// KeptTotals shares each week's events among the sites by exposure × level:
// col_t · n_it θ_i / Σ_j n_jt θ_j.
func KeptTotals(observed [][]int, exposure [][]float64, levels []float64) [][]float64 {
	out := make([][]float64, len(observed))
	if len(observed) == 0 {
		return out
	}
	for site := range observed {
		out[site] = make([]float64, len(observed[site]))
	}
	for t := range observed[0] {
		total, sum := 0, 0.0
		for site := range observed {
			total += observed[site][t]
			sum += exposure[site][t] * levels[site]
		}
		for site := range observed {
			if sum > 0 {
				out[site][t] = float64(total) * exposure[site][t] * levels[site] / sum
			}
		}
	}
	return out
}

// EvenRate expects the same rate of every site and week (plain Poisson).
func EvenRate(observed [][]int, exposure [][]float64) [][]float64 {
	total, sum := 0, 0.0
	for site := range observed {
		for t, y := range observed[site] {
			total += y
			sum += exposure[site][t]
		}
	}
	out := make([][]float64, len(observed))
	for site := range observed {
		out[site] = make([]float64, len(observed[site]))
		for t := range out[site] {
			if sum > 0 {
				out[site][t] = float64(total) * exposure[site][t] / sum
			}
		}
	}
	return out
}

// BothTotals expects of each cell its row's total × its column's (permutation
// scan: no exposure is known).
func BothTotals(observed [][]int) [][]float64 {
	out := make([][]float64, len(observed))
	if len(observed) == 0 {
		return out
	}
	total, columns := 0, make([]int, len(observed[0]))
	rows := make([]int, len(observed))
	for site := range observed {
		for t, y := range observed[site] {
			rows[site] += y
			columns[t] += y
			total += y
		}
	}
	for site := range observed {
		out[site] = make([]float64, len(columns))
		for t := range columns {
			if total > 0 {
				out[site][t] = float64(rows[site]) * float64(columns[t]) / float64(total)
			}
		}
	}
	return out
}
