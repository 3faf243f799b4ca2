package chart

import "math"

// linear maps values to positions.
type linear struct{ lo, hi, from, to float64 }

func (l linear) at(v float64) float64 {
	if l.hi == l.lo {
		return l.from
	}
	v = math.Max(l.lo, math.Min(l.hi, v))
	return l.from + (v-l.lo)/(l.hi-l.lo)*(l.to-l.from)
}

// niceSteps of hours follow the clock, those of numbers the decimals.
var hourSteps = []float64{1. / 60, 2. / 60, 5. / 60, 10. / 60, 15. / 60, 0.5, 1, 2, 3, 6, 12, 24, 48, 72, 120, 240, 480, 720, 1200, 2400, 4800}

// step is the smallest readable step of which at most n cover a span.
func (u Unit) step(span float64, n int) float64 {
	if n < 1 {
		n = 1
	}
	least := span / float64(n)
	if !(least > 0) || math.IsInf(least, 0) { // also NaN
		return 1
	}
	if u == Hours {
		for _, s := range hourSteps {
			if s >= least*(1-1e-9) {
				return s
			}
		}
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5, 10} {
		if s := m * power; s >= least*(1-1e-9) {
			return s
		}
	}
	return 10 * power
}

// ticks are round values that cover lo…hi, at most n steps, both ends included
// and so perhaps beyond lo and hi. Counts take whole steps.
func (u Unit) ticks(lo, hi float64, n int, whole bool) []float64 {
	if !known(lo) || !known(hi) || hi < lo {
		lo, hi = 0, 1
	}
	if hi == lo {
		if hi == 0 {
			hi = 1
		} else {
			lo, hi = math.Min(0, lo), math.Max(0, hi)
		}
	}
	step := u.step(hi-lo, n)
	if whole && u == Number && step < 1 {
		step = 1
	}
	first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	if last <= first {
		last = first + 1
	}
	var out []float64
	for k := first; k <= last; k++ {
		out = append(out, k*step)
	}
	return out
}

// roundBelow is the greatest of 1, 2, 4 times a power of ten that is not above
// v: a quarter of it is a readable value too.
func roundBelow(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{4, 2} {
		if m*power <= v {
			return m * power
		}
	}
	return power
}

// bounds gathers the least and the greatest of known values.
type bounds struct {
	lo, hi float64
	any    bool
	whole  bool // every value was an integer
}

func newBounds() bounds { return bounds{whole: true} }

func (b *bounds) take(vs ...float64) {
	for _, v := range vs {
		if !known(v) {
			continue
		}
		if !b.any || v < b.lo {
			b.lo = v
		}
		if !b.any || v > b.hi {
			b.hi = v
		}
		b.any = true
		if v != math.Trunc(v) {
			b.whole = false
		}
	}
}
