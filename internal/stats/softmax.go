package stats

// Multinomial logistic regression on sparse rows, with the squares of the
// weights held down: minimise ½‖W‖² + C Σ log-loss; the intercepts are free.
//
// Böhning D. (1992), Multinomial logistic regression algorithm, Ann. Inst. Stat.
// Math. 44, 197-200; Liu D. C., Nocedal J. (1989), On the limited memory BFGS
// method, Math. Program. 45, 503-528. Measures of probabilities: Brier G. W.
// (1950), Mon. Weather Rev. 78, 1-3; Naeini M. P. et al. (2015), AAAI 29 (ECE).

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// Feature is a value of a sparse row.
type Feature struct {
	Index int
	Value float64
}

// Softmax is a fitted classifier.
type Softmax struct {
	classes, features int
	weights           []float64 // class × (features, intercept)
}

// FitSoftmax fits; rows that name no feature know the intercepts only. It is
// refused with fewer than two classes or no row.
func FitSoftmax(rows [][]Feature, class []int, classes, features int, c, tolerance float64, rounds int) (Softmax, bool) {
	if len(rows) == 0 || len(rows) != len(class) || classes < 2 {
		return Softmax{}, false
	}
	m := Softmax{classes: classes, features: features}
	width := features + 1
	p := make([]float64, classes)
	both := func(w, gradient []float64) float64 {
		at := Softmax{classes, features, w}
		loss := 0.0
		clear(gradient)
		for k := range w {
			if k%width != features {
				loss += w[k] * w[k] / 2
				if gradient != nil {
					gradient[k] = w[k]
				}
			}
		}
		for k, row := range rows {
			at.fill(row, p)
			loss -= c * math.Log(max(p[class[k]], 1e-300))
			if gradient == nil {
				continue
			}
			for j := range p {
				d := p[j]
				if j == class[k] {
					d--
				}
				for _, f := range row {
					gradient[j*width+f.Index] += c * d * f.Value
				}
				gradient[j*width+features] += c * d
			}
		}
		return loss
	}
	problem := optimize.Problem{
		Func: func(w []float64) float64 { return both(w, nil) },
		Grad: func(g, w []float64) { both(w, g) },
	}
	found, err := optimize.Minimize(problem, make([]float64, classes*width), &optimize.Settings{GradientThreshold: tolerance, MajorIterations: rounds}, &optimize.LBFGS{})
	if found == nil || err != nil && found.X == nil {
		return Softmax{}, false
	}
	m.weights = found.X
	return m, true
}

func (m Softmax) fill(row []Feature, p []float64) {
	width := m.features + 1
	most := math.Inf(-1)
	for j := range p {
		s := m.weights[j*width+m.features]
		for _, f := range row {
			s += m.weights[j*width+f.Index] * f.Value
		}
		p[j] = s
		most = max(most, s)
	}
	sum := 0.0
	for j := range p {
		p[j] = math.Exp(p[j] - most)
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
}

// Probabilities of each class for a row.
func (m Softmax) Probabilities(row []Feature) []float64 {
	p := make([]float64, m.classes)
	m.fill(row, p)
	return p
}

// Intercept of a class.
func (m Softmax) Intercept(class int) float64 { return m.weights[class*(m.features+1)+m.features] }

// Said is a probability that was announced, and what came true.
type Said struct {
	Chance float64
	True   bool
}

// CalibrationOf measures probabilities: Brier's score, the logarithmic loss, the
// area under the curve (ties by halves), and the expected calibration error over
// so many classes of equal width.
func CalibrationOf(all []Said, bins int) (brier, loss, area, calibration float64) {
	n := float64(len(all))
	chance, right, size := make([]float64, bins), make([]float64, bins), make([]float64, bins)
	var pairs, above float64
	for _, s := range all {
		y, p := 0.0, s.Chance
		if s.True {
			y = 1
			loss -= math.Log(p) / n
		} else {
			loss -= math.Log1p(-p) / n
		}
		brier += (p - y) * (p - y) / n
		b := min(int(p*float64(bins)+1e-12), bins-1)
		chance[b], right[b], size[b] = chance[b]+p, right[b]+y, size[b]+1
	}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b Said) int { return cmp.Compare(a.Chance, b.Chance) })
	for _, a := range sorted {
		for _, b := range sorted {
			if a.True && !b.True {
				pairs++
				switch {
				case a.Chance > b.Chance:
					above++
				case a.Chance == b.Chance:
					above += 0.5
				}
			}
		}
	}
	for b := range bins {
		calibration += math.Abs(chance[b]-right[b]) / n
	}
	return brier, loss, above / pairs, calibration
}
