package stats

// Empirical Bayes: each unit's ratio pulled towards that of all, the more so
// the less is known of it. O_i is Poisson(θ_i E_i), θ_i is Gamma(shape ν,
// rate a); the pair is fitted by maximum likelihood of the negative binomial
// that follows.
//
// Clayton D., Kaldor J. (1987), Empirical Bayes estimates of age-standardized
// relative risks for use in disease mapping, Biometrics 43, 671-681; Marshall
// R. J. (1991), Mapping disease and mortality rates using empirical Bayes
// estimators, Appl. Stat. 40, 283-294.

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Prior is how the true ratios of units differ: Gamma(Shape, Rate). Alike is
// set when the counts show no difference beyond chance: all units have Mean.
type Prior struct {
	Shape, Rate float64
	Mean        float64
	Alike       bool

	ratio float64 // likelihood ratio against no difference
}

// alike is the shape from which units do not differ: a standard deviation of
// one hundredth.
const alike = 1e4

// PriorOf fits how units differ from observed and expected counts.
func PriorOf(observed []int, expected []float64) (Prior, bool) {
	o, e := judgeable(observed, expected)
	if len(o) < 2 {
		return Prior{}, false
	}
	return fitGamma(o, e)
}

func fitGamma(o, e []float64) (Prior, bool) {
	var sumO, sumE float64
	for k := range o {
		sumO, sumE = sumO+o[k], sumE+e[k]
	}
	mean := sumO / sumE
	// Moments give the start.
	var excess, weight float64
	for k := range o {
		d := o[k] - e[k]*mean
		excess += d*d - o[k]
		weight += e[k] * e[k] * mean * mean
	}
	start := alike
	if excess > 0 {
		start = min(max(weight/excess, 0.05), alike)
	}
	x := [2]float64{math.Log(start), math.Log(mean)}
	ll := gammaLikelihood(o, e, x)
	for range 200 {
		step := newtonStep(o, e, x)
		var next [2]float64
		moved := false
		for range 40 {
			next = [2]float64{min(x[0]+step[0], math.Log(alike)+1), x[1] + step[1]}
			if at := gammaLikelihood(o, e, next); at >= ll {
				moved = at > ll || next != x
				ll = at
				break
			}
			step[0], step[1] = step[0]/2, step[1]/2
		}
		small := math.Abs(next[0]-x[0]) < 1e-12 && math.Abs(next[1]-x[1]) < 1e-12
		if moved {
			x = next
		}
		if !moved || small {
			break
		}
	}
	p := Prior{Shape: math.Exp(x[0]), Mean: math.Exp(x[1])}
	var poisson float64
	for k := range o {
		g, _ := math.Lgamma(o[k] + 1)
		poisson += o[k]*math.Log(e[k]*mean) - e[k]*mean - g
	}
	p.ratio = max(0, 2*(ll-poisson))
	if p.Shape >= alike {
		return Prior{Shape: math.Inf(1), Rate: math.Inf(1), Mean: mean, Alike: true}, true
	}
	p.Rate = p.Shape / p.Mean
	return p, true
}

// gammaLikelihood is the log-likelihood of the negative binomial at the logs
// of its shape and mean ratio.
func gammaLikelihood(o, e []float64, x [2]float64) float64 {
	shape, mean := math.Exp(x[0]), math.Exp(x[1])
	base, _ := math.Lgamma(shape)
	sum := 0.0
	for k := range o {
		m := e[k] * mean
		a, _ := math.Lgamma(o[k] + shape)
		b, _ := math.Lgamma(o[k] + 1)
		sum += a - base - b + shape*math.Log(shape/(shape+m))
		if o[k] > 0 {
			sum += o[k] * math.Log(m/(shape+m))
		}
	}
	return sum
}

// newtonStep is Newton's step on the logs of shape and mean, or one along the
// gradient where the likelihood is not concave.
func newtonStep(o, e []float64, x [2]float64) [2]float64 {
	shape, mean := math.Exp(x[0]), math.Exp(x[1])
	digamma, trigamma := mathext.Digamma(shape), mathext.Zeta(2, shape)
	var g, gg, gm, hm, hsm float64
	for k := range o {
		m := e[k] * mean
		t := shape + m
		g += mathext.Digamma(o[k]+shape) - digamma + math.Log(shape/t) + 1 - (o[k]+shape)/t
		gg += mathext.Zeta(2, o[k]+shape) - trigamma + 1/shape - 1/t - (m-o[k])/(t*t)
		gm += shape * (o[k] - m) / t
		hm -= (o[k] + shape) * shape * m / (t * t)
		hsm += (o[k] - m) * shape * m / (t * t)
	}
	gs, hs := shape*g, shape*g+shape*shape*gg
	det := hs*hm - hsm*hsm
	if hs < 0 && det > 0 {
		return [2]float64{clip(-(hm*gs - hsm*gm) / det), clip(-(hs*gm - hsm*gs) / det)}
	}
	return [2]float64{clip(math.Copysign(min(1, math.Abs(gs)), gs)), clip(gm / max(1, -hm))}
}

// clip bounds a step on a log scale.
func clip(v float64) float64 { return min(max(v, -2), 2) }

// Shrunk is what is believed of a unit's ratio once its counts are seen.
type Shrunk struct {
	Ratio  float64 // mean
	Weight float64 // of its own counts, from 0 to 1
	Limits Interval

	shape, rate float64
}

// Shrink gives what is believed of a unit, with a credible interval of a level
// such as 0.9.
func (p Prior) Shrink(observed int, expected, level float64) Shrunk {
	if p.Alike {
		return Shrunk{Ratio: p.Mean, Limits: Interval{p.Mean, p.Mean}, shape: p.Shape, rate: p.Rate}
	}
	s := Shrunk{Weight: expected / (expected + p.Rate), shape: p.Shape + float64(observed), rate: p.Rate + expected}
	s.Ratio = s.shape / s.rate
	belief := distuv.Gamma{Alpha: s.shape, Beta: s.rate}
	s.Limits = Interval{belief.Quantile((1 - level) / 2), belief.Quantile((1 + level) / 2)}
	return s
}

// Above is the chance that the unit's true ratio is above a value.
func (s Shrunk) Above(ratio float64) float64 {
	if math.IsInf(s.shape, 0) {
		if s.Ratio > ratio {
			return 1
		}
		return 0
	}
	return mathext.GammaIncRegComp(s.shape, s.rate*ratio)
}

// Ranks gives, for each unit, the interval of a level such as 0.9 of its rank
// (1 the highest) over so many draws; the same seed gives the same ranks.
func Ranks(units []Shrunk, level float64, draws int, seed uint64) []Interval {
	src := rand.NewPCG(seed, 0)
	ranks := make([][]float64, len(units))
	for k := range ranks {
		ranks[k] = make([]float64, draws)
	}
	order := make([]int, len(units))
	drawn := make([]float64, len(units))
	for d := range draws {
		for k, u := range units {
			order[k], drawn[k] = k, u.Ratio
			if !math.IsInf(u.shape, 0) {
				drawn[k] = distuv.Gamma{Alpha: u.shape, Beta: u.rate, Src: src}.Rand()
			}
		}
		slices.SortFunc(order, func(a, b int) int {
			switch {
			case drawn[a] > drawn[b]:
				return -1
			case drawn[a] < drawn[b]:
				return 1
			}
			return 0
		})
		for place, k := range order {
			ranks[k][d] = float64(place + 1)
		}
	}
	out := make([]Interval, len(units))
	for k := range ranks {
		slices.Sort(ranks[k])
		out[k] = Interval{math.Floor(Quantile(ranks[k], (1-level)/2)), math.Ceil(Quantile(ranks[k], (1+level)/2))}
	}
	return out
}

// Moments is Marshall's global estimator of rates: what needs no likelihood,
// to check the other by.
func Moments(events []int, exposure []float64) (variance, mean float64, shrunk []float64) {
	var sum, all float64
	for k := range events {
		sum, all = sum+float64(events[k]), all+exposure[k]
	}
	if !(all > 0) {
		return 0, math.NaN(), make([]float64, len(events))
	}
	mean = sum / all
	var s2 float64
	for k := range events {
		if exposure[k] > 0 {
			d := float64(events[k])/exposure[k] - mean
			s2 += exposure[k] * d * d / all
		}
	}
	variance = max(0, s2-mean/(all/float64(len(events))))
	shrunk = make([]float64, len(events))
	for k := range events {
		shrunk[k] = mean
		if exposure[k] > 0 && variance > 0 {
			shrunk[k] = mean + variance*(float64(events[k])/exposure[k]-mean)/(variance+mean/exposure[k])
		}
	}
	return variance, mean, shrunk
}
