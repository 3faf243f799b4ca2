package stats

// Are there differences at all? Tests that counts are Poisson about what is
// expected of each.
//
// Potthoff R. F., Whittinghill M. (1966), Biometrika 53, 183-190; Dean C. B.
// (1992), Testing for overdispersion in Poisson and binomial regression models,
// J. Am. Stat. Assoc. 87, 451-457 (P_B); likelihood ratio against the negative
// binomial, its chance halved since the variance is at its bound: Self S. G.,
// Liang K. Y. (1987), J. Am. Stat. Assoc. 82, 605-610.

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Heterogeneity holds the tests' statistics with the chance of one as great
// where all units are alike.
type Heterogeneity struct {
	ChiSquare, ChiSquareP float64
	Freedom               int
	Dean, DeanP           float64
	Ratio, RatioP         float64 // likelihood ratio
}

// HeterogeneityOf tests observed against expected counts; it needs two units
// at least that something is expected of, and one event.
func HeterogeneityOf(observed []int, expected []float64) (Heterogeneity, bool) {
	o, e := judgeable(observed, expected)
	if len(o) < 2 {
		return Heterogeneity{}, false
	}
	h := Heterogeneity{Freedom: len(o) - 1}
	var excess, squares float64
	for k := range o {
		d := o[k] - e[k]
		h.ChiSquare += d * d / e[k]
		excess += d*d - o[k]
		squares += e[k] * e[k]
	}
	h.ChiSquareP = distuv.ChiSquared{K: float64(h.Freedom)}.Survival(h.ChiSquare)
	h.Dean = excess / math.Sqrt(2*squares)
	h.DeanP = math.Erfc(h.Dean/math.Sqrt2) / 2
	prior, ok := fitGamma(o, e)
	if !ok {
		return h, false
	}
	h.RatioP = 1
	if h.Ratio = prior.ratio; h.Ratio > 0 {
		h.RatioP = distuv.ChiSquared{K: 1}.Survival(h.Ratio) / 2
	}
	return h, true
}

// judgeable keeps the units that something is expected of; none if there was
// no event.
func judgeable(observed []int, expected []float64) (o, e []float64) {
	sum := 0
	for k, v := range expected {
		if v > 0 {
			o, e = append(o, float64(observed[k])), append(e, v)
			sum += observed[k]
		}
	}
	if sum == 0 {
		return nil, nil
	}
	return o, e
}
