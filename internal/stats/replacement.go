package stats

// When to replace a machine.
//
// Barlow R. E., Hunter L. C. (1960), Optimum preventive maintenance policies,
// Oper. Res. 8, 90-100: policy I (replaced when it fails, or at an age) and
// policy II (repaired each time it fails, replaced at an age).

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Policy is what happens to a machine that fails.
type Policy uint8

// The policies.
const (
	ReplacedAtFailure Policy = iota // a failure ends its life
	RepairedEachTime                // a failure costs a repair, and leaves its age as it was
)

// Replacement is a question of cost: Planned is the cost of a replacement at
// the chosen age, Failure that of one failure: an unplanned replacement, or a
// repair. Yearly is added each year that a machine is kept beyond From.
type Replacement struct {
	Policy           Policy
	Planned, Failure float64
	Yearly, From     float64
}

// CostRate is the cost by unit of time of replacing at age t.
func (r Replacement) CostRate(w Weibull, t float64) float64 {
	if !(t > 0) {
		return math.Inf(1)
	}
	late := r.Yearly * max(0, t-r.From)
	if r.Policy == RepairedEachTime {
		return (r.Planned + r.Failure*w.Cumulated(t) + late) / t
	}
	s := w.Survives(t)
	if late > 0 { // only those still there pay it
		late = r.Yearly * (w.MeanUpTo(t) - w.MeanUpTo(r.From))
	}
	return (r.Planned*s + r.Failure*(1-s) + late) / w.MeanUpTo(t)
}

// Optimum is the cheapest age.
type Optimum struct {
	Age  float64 // infinite: never before it fails for good
	Cost float64 // by unit of time, at that age
}

// Never tells that waiting is always cheaper.
func (o Optimum) Never() bool { return math.IsInf(o.Age, 1) }

// almostNone is a share of machines so small that an optimum beyond it is no
// advice: in practice they are all replaced at their failure.
const almostNone = 1e-3

// Optimum finds the cheapest age; it is refused when the costs say nothing.
// Where a machine that ages no more (shape 1 or less), or whose failure costs
// no more than a planned replacement, is best kept, the age is infinite.
func (r Replacement) Optimum(w Weibull) (Optimum, bool) {
	if !(r.Planned > 0) || !(r.Failure >= 0) || r.Yearly < 0 || r.From < 0 || !(w.Shape > 0) || !(w.Scale > 0) {
		return Optimum{}, false
	}
	if r.Yearly == 0 {
		return r.classical(w), true
	}
	return r.searched(w), true
}

func (r Replacement) classical(w Weibull) Optimum {
	never := Optimum{Age: math.Inf(1)}
	if r.Policy == RepairedEachTime {
		if w.Shape <= 1 || r.Failure == 0 {
			return never // its cost by year falls for ever
		}
		t := w.Scale * math.Pow(r.Planned/(r.Failure*(w.Shape-1)), 1/w.Shape)
		return Optimum{t, r.CostRate(w, t)}
	}
	never.Cost = r.Failure / w.Mean()
	if w.Shape <= 1 || r.Failure <= r.Planned {
		return never
	}
	// The left side grows with age from 0 without bound: it crosses once.
	least := r.Planned / (r.Failure - r.Planned)
	balance := func(t float64) float64 { return w.Rate(t)*w.MeanUpTo(t) - (1 - w.Survives(t)) - least }
	high := w.Scale
	for balance(high) < 0 {
		if high *= 2; w.Survives(high) < almostNone && balance(high) < 0 {
			return never
		}
	}
	t := root(balance, 0, high)
	if w.Survives(t) < almostNone {
		return never
	}
	return Optimum{t, r.CostRate(w, t)}
}

// searched looks at ages one by one: with a yearly cost from some age on there
// may be two low points.
func (r Replacement) searched(w Weibull) Optimum {
	most := 5 * max(w.Scale, r.From)
	if r.Policy == RepairedEachTime {
		plain := r
		plain.Yearly = 0
		most = r.From + 5
		if o := plain.classical(w); !o.Never() {
			most = max(most, 1.5*o.Age)
		} else {
			most = max(most, 100)
		}
	}
	best := Optimum{Cost: math.Inf(1)}
	try := func(t float64) {
		if c := r.CostRate(w, t); c < best.Cost {
			best = Optimum{t, c}
		}
	}
	const steps = 400
	for k := 1; k <= steps; k++ {
		try(most * float64(k) / steps)
	}
	try(r.From)
	around := best.Age
	for step := most / steps; step > 1e-9*most; step /= 2 {
		try(around - step/2)
		try(around + step/2)
		around = best.Age
	}
	if r.Policy == ReplacedAtFailure && w.Survives(best.Age) < almostNone || best.Age >= most {
		best.Age = math.Inf(1)
	}
	return best
}

// Doubt says what is known of the best age, and of what a rule costs beyond
// it, given how well the law is known.
type Doubt struct {
	Age   Interval // of the best age; High may be infinite
	Extra Interval // of cost(rule)/cost(best age) - 1
	Sooner,
	Later float64 // the chances that the best age lies before, and after, the rule by half a year or more
	// RuleCost is where the yearly cost of the rule lies.
	RuleCost Interval
}

// Doubt draws laws as likely as the fit allows (normal on the logarithms) and
// asks each for its best age.
func (r Replacement) Doubt(f WeibullFit, rule, level float64, draws int, seed uint64) (Doubt, bool) {
	if _, ok := r.Optimum(f.Weibull); !ok || !(rule > 0) || draws < 100 {
		return Doubt{}, false
	}
	random := rand.New(rand.NewPCG(seed, 0))
	slope := f.Covariance / f.StdErrShape
	rest := math.Sqrt(max(0, f.StdErrScale*f.StdErrScale-slope*slope))
	ages, extras, costs := make([]float64, draws), make([]float64, draws), make([]float64, draws)
	var d Doubt
	for k := range draws {
		a, b := random.NormFloat64(), random.NormFloat64()
		w := Weibull{f.Shape * math.Exp(a*f.StdErrShape), f.Scale * math.Exp(slope*a+rest*b)}
		o, _ := r.Optimum(w)
		costs[k] = r.CostRate(w, rule)
		best := o.Cost
		if o.Never() {
			best = r.CostRate(w, 1e3*max(w.Scale, rule))
			if r.Policy == ReplacedAtFailure {
				best = r.Failure / w.Mean()
			}
		}
		ages[k], extras[k] = o.Age, max(0, costs[k]/best-1)
		switch {
		case o.Age < rule-0.5:
			d.Sooner++
		case o.Age > rule+0.5:
			d.Later++
		}
	}
	d.Sooner /= float64(draws)
	d.Later /= float64(draws)
	ends := func(values []float64) Interval {
		slices.Sort(values)
		at := func(p float64) float64 { return values[min(draws-1, int(p*float64(draws)))] }
		return Interval{at((1 - level) / 2), at((1 + level) / 2)}
	}
	d.Age, d.Extra, d.RuleCost = ends(ages), ends(extras), ends(costs)
	return d, true
}
