package stats

// Funnel plots.
//
// Spiegelhalter D. J. (2005), Funnel plots for comparing institutional
// performance, Stat. Med. 24, 1185-1202: exact limits (appendix A.1.1) and
// additive over-dispersion on the scale of square roots (section 4).

import "math"

// FunnelLimit is the observed over expected ratio that a unit of the target's
// level stays under with probability p, by interpolated Poisson counts.
func FunnelLimit(expected, p float64) float64 {
	// The smallest k with F(k) >= p.
	low, high := -1.0, math.Ceil(expected+10*math.Sqrt(expected)+20)
	for poissonUpTo(high, expected) < p {
		low, high = high, 2*high
	}
	for high-low > 1 {
		middle := math.Floor((low + high) / 2)
		if poissonUpTo(middle, expected) >= p {
			high = middle
		} else {
			low = middle
		}
	}
	at, before := poissonUpTo(high, expected), poissonUpTo(high-1, expected)
	return max(0, (high-(at-p)/(at-before))/expected)
}

// Dispersion is how much units of one process differ beyond Poisson's chance.
type Dispersion struct {
	Phi  float64 // mean square of the standardised residuals: 1 for Poisson
	Tau2 float64 // variance between units, on the scale of square roots
	Z    []float64
}

// winsor is the share of the residuals pulled in on each side, so that the
// units that the funnel is to show do not widen it.
const winsor = 0.1

// DispersionOf measures over-dispersion of observed over expected counts. It
// needs two units at least that something is expected of.
func DispersionOf(observed []int, expected []float64) (Dispersion, bool) {
	var z, w []float64
	for k, e := range expected {
		if e > 0 {
			s := 1 / (2 * math.Sqrt(e))
			z = append(z, (math.Sqrt(float64(observed[k])/e)-1)/s)
			w = append(w, 1/(s*s))
		}
	}
	if len(z) < 2 {
		return Dispersion{}, false
	}
	d := Dispersion{Z: z}
	n := float64(len(z))
	for _, v := range winsorised(z, winsor) {
		d.Phi += v * v / n
	}
	if n*d.Phi > n-1 {
		var sum, squares float64
		for _, v := range w {
			sum += v
			squares += v * v
		}
		d.Tau2 = (n*d.Phi - (n - 1)) / (sum - squares/sum)
	}
	return d, true
}

// Limits are the ratios between which a unit of the target's level stays, z
// standard deviations on each side, chance and over-dispersion together.
func (d Dispersion) Limits(expected, z float64) Interval {
	half := z * math.Sqrt(1/(4*expected)+d.Tau2)
	low, high := max(0, 1-half), 1+half
	return Interval{low * low, high * high}
}

// The standard deviations of the limits that are drawn: 95 % and 99.8 %.
const (
	Z95  = 1.959963984540054
	Z998 = 3.090232306167813
)
