package stats

// Quantiles. Hyndman R. J., Fan Y. (1996), Sample quantiles in statistical
// packages, Am. Stat. 50, 361-365: type 7, that of spreadsheets, unless asked
// for another.

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

// QuantileType names a definition of Hyndman and Fan.
type QuantileType uint8

// The types: 6 puts the k-th of n at k/(n+1), 7 at (k-1)/(n-1), 8 at
// (k-1/3)/(n+1/3), which is about the median of its law whatever the law.
const (
	Type6 QuantileType = 6
	Type7 QuantileType = 7
	Type8 QuantileType = 8
)

// QuantileOf is the quantile of a type of values in ascending order; NaN of
// none, and for a type that is not there.
func QuantileOf(sorted []float64, p float64, kind QuantileType) float64 {
	n := float64(len(sorted))
	p = min(max(p, 0), 1)
	var h float64 // the place, from 1
	switch kind {
	case Type6:
		h = (n + 1) * p
	case Type7:
		h = (n-1)*p + 1
	case Type8:
		h = (n+1.0/3)*p + 1.0/3
	default:
		return math.NaN()
	}
	if n == 0 {
		return math.NaN()
	}
	k := math.Floor(h)
	low, high := sorted[int(min(max(k, 1), n))-1], sorted[int(min(max(k+1, 1), n))-1]
	return low + (h-k)*(high-low)
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
