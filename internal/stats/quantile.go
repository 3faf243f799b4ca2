package stats

// Quantiles. Hyndman R. J., Fan Y. (1996), Sample quantiles in statistical
// packages, Am. Stat. 50, 361-365: type 7, that of spreadsheets.

import (
	"math"
	"slices"
)

// Quantile is the quantile of type 7 of values in ascending order; NaN of none.
func Quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	h := float64(len(sorted)-1) * min(max(p, 0), 1)
	k := int(h)
	if k+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[k] + (h-float64(k))*(sorted[k+1]-sorted[k])
}

// winsorised pulls the values beyond two quantiles back to these.
func winsorised(values []float64, share float64) []float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	low, high := Quantile(sorted, share), Quantile(sorted, 1-share)
	out := make([]float64, len(values))
	for k, v := range values {
		out[k] = min(max(v, low), high)
	}
	return out
}
