package stats

// Failures by age: how many happened at each age, for how long machines of
// that age were watched. Limits are exact (rate.go).

import "math"

// AgeRate is the rate of failures between two ages.
type AgeRate struct {
	From, To float64
	Rate
}

// AgeRates counts failures and time watched by classes of age, from the first
// class in which any machine was watched to the last.
func AgeRates(failures []float64, windows []Window, width, level float64) []AgeRate {
	if !(width > 0) {
		return nil
	}
	const most = 1000 // classes
	watched, failed := make([]float64, most), make([]int, most)
	first, last := most, -1
	for _, w := range windows {
		if !(w.Exit > w.Entry) || w.Entry < 0 || w.Exit >= most*width {
			continue
		}
		for k := int(w.Entry / width); k <= int(w.Exit/width); k++ {
			from, to := max(w.Entry, float64(k)*width), min(w.Exit, float64(k+1)*width)
			if to > from {
				watched[k] += to - from
				first, last = min(first, k), max(last, k)
			}
		}
	}
	for _, t := range failures {
		if k := math.Floor(t / width); t >= 0 && k < most {
			failed[int(k)]++
		}
	}
	var out []AgeRate
	for k := first; k <= last; k++ {
		r := AgeRate{From: float64(k) * width, To: float64(k+1) * width}
		if rate, ok := RateOf(failed[k], watched[k], level); ok {
			r.Rate = rate
		}
		out = append(out, r)
	}
	return out
}
