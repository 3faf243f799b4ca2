package stats

// Empirical Bayes where most units are alike and a few are not: ratios come
// from two gamma distributions instead of one. With one, a lone unit ten times
// worse than all the others is pulled back among them.
//
// DuMouchel W. (1999), Bayesian data mining in large frequency tables, with an
// application to the FDA spontaneous reporting system, Am. Stat. 53, 177-190
// (the multi-item gamma Poisson shrinker).

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/optimize"
)

// MixedPrior is how true ratios differ: Gamma(Shape, Rate) of most units, and
// with the chance Share one that is wider and higher. Few units tell of the
// second one, so that its shape is not fitted: it is farShape.
type MixedPrior struct {
	Shape, Rate         float64
	FarShape, FarRate   float64
	Share               float64 // 0: one distribution says as much
	Likelihood, OfAlone float64 // logs: of the two, and of one alone
}

// cell is how many units have the same counts.
type cell struct{ o, e, n float64 }

// farShape leaves a unit that is unlike most to its own counts: an exponential
// distribution. Fitted on the two or three that there are, it would know their
// ratios far too well.
const farShape = 1

// mostShape is the largest shape: a standard deviation of one hundredth.
const mostShape = alike

// MixedPriorOf fits how units differ from observed and expected counts. A
// second distribution is kept only if it gains more than what it costs
// (Akaike, and a little more).
func MixedPriorOf(observed []int, expected []float64) (MixedPrior, bool) {
	o, e := judgeable(observed, expected)
	if len(o) < 2 {
		return MixedPrior{}, false
	}
	at := map[[2]float64]int{}
	var cells []cell
	for k := range o {
		key := [2]float64{o[k], e[k]}
		c, ok := at[key]
		if !ok {
			c = len(cells)
			at[key] = c
			cells = append(cells, cell{o: o[k], e: e[k]})
		}
		cells[c].n++
	}
	one, ok := fitGamma(o, e)
	if !ok {
		return MixedPrior{}, false
	}
	p := MixedPrior{Shape: min(one.Shape, mostShape)}
	p.Rate = p.Shape / one.Mean
	alone := mixedLikelihood(cells, p)
	p.OfAlone, p.Likelihood = alone, alone
	best := p
	// Shape, means and share on scales without bounds: the second mean is above
	// the first.
	read := func(x []float64) MixedPrior {
		near := math.Exp(x[1])
		far := near * (1 + math.Exp(x[2]))
		m := MixedPrior{Shape: min(math.Exp(x[0]), mostShape), FarShape: farShape, Share: 0.5 / (1 + math.Exp(-x[3]))}
		m.Rate, m.FarRate = m.Shape/near, m.FarShape/far
		return m
	}
	for _, farther := range []float64{2, 8} {
		start := []float64{math.Log(min(p.Shape*3, 50)), math.Log(one.Mean), math.Log(farther), -3}
		found, err := optimize.Minimize(optimize.Problem{Func: func(x []float64) float64 {
			for _, v := range x {
				if math.Abs(v) > 12 {
					return math.Inf(1)
				}
			}
			return -mixedLikelihood(cells, read(x))
		}}, start, &optimize.Settings{FuncEvaluations: 2000, Converger: &optimize.FunctionConverge{Absolute: 1e-7, Iterations: 60}}, &optimize.NelderMead{})
		if err != nil || found == nil {
			continue
		}
		if m := read(found.X); -found.F > best.Likelihood && -found.F > alone+3 {
			m.Likelihood, m.OfAlone = -found.F, alone
			best = m
		}
	}
	return best, true
}

func mixedLikelihood(cells []cell, p MixedPrior) float64 {
	sum := 0.0
	for _, c := range cells {
		near := math.Log1p(-p.Share) + logNegBinomial(c.o, c.e, p.Shape, p.Rate)
		if p.Share > 0 {
			far := math.Log(p.Share) + logNegBinomial(c.o, c.e, p.FarShape, p.FarRate)
			near = max(near, far) + math.Log1p(math.Exp(-math.Abs(near-far)))
		}
		sum += c.n * near
	}
	return sum
}

// logNegBinomial is the log of the chance of o events where e are expected of a
// unit of ratio 1 and ratios are Gamma(shape, rate).
func logNegBinomial(o, e, shape, rate float64) float64 {
	a, _ := math.Lgamma(o + shape)
	b, _ := math.Lgamma(shape)
	c, _ := math.Lgamma(o + 1)
	v := a - b - c + shape*math.Log(rate/(rate+e))
	if o > 0 {
		v += o * math.Log(e/(rate+e))
	}
	return v
}

// MixedShrunk is what is believed of a unit's ratio once its counts are seen.
type MixedShrunk struct {
	Ratio  float64 // mean
	Far    float64 // chance that it is one of the few
	Limits Interval

	near, far [2]float64 // shape and rate
}

// Shrink gives what is believed of a unit, with a credible interval of a level
// such as 0.9.
func (p MixedPrior) Shrink(observed int, expected, level float64) MixedShrunk {
	o := float64(observed)
	s := MixedShrunk{near: [2]float64{p.Shape + o, p.Rate + expected}, far: [2]float64{p.FarShape + o, p.FarRate + expected}}
	if p.Share > 0 {
		odds := math.Log(p.Share) - math.Log1p(-p.Share) + logNegBinomial(o, expected, p.FarShape, p.FarRate) - logNegBinomial(o, expected, p.Shape, p.Rate)
		s.Far = 1 / (1 + math.Exp(-odds))
		s.Ratio = s.Far * s.far[0] / s.far[1]
	}
	s.Ratio += (1 - s.Far) * s.near[0] / s.near[1]
	top := 4 * (s.near[0] + 10) / s.near[1]
	if s.Far > 0 {
		top = max(top, 4*(s.far[0]+10)/s.far[1])
	}
	for s.Above(top) > 1e-9 {
		top *= 2
	}
	at := func(q float64) float64 { return root(func(r float64) float64 { return 1 - s.Above(r) - q }, 0, top) }
	s.Limits = Interval{at((1 - level) / 2), at((1 + level) / 2)}
	return s
}

// Above is the chance that the unit's true ratio is above a value.
func (s MixedShrunk) Above(ratio float64) float64 {
	if ratio <= 0 {
		return 1
	}
	v := (1 - s.Far) * mathext.GammaIncRegComp(s.near[0], s.near[1]*ratio)
	if s.Far > 0 {
		v += s.Far * mathext.GammaIncRegComp(s.far[0], s.far[1]*ratio)
	}
	return v
}
