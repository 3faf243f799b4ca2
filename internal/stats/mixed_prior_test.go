package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

// fleetOf draws machines: most have a rate about 1, a share of them about ten
// times as much, more or less.
func fleetOf(seed uint64, units int, share, expected float64) ([]int, []float64) {
	src := rand.NewPCG(seed, 0)
	draw := rand.New(src)
	observed, expect := make([]int, units), make([]float64, units)
	for k := range observed {
		theta := distuv.Gamma{Alpha: 10, Beta: 10, Src: src}.Rand()
		if draw.Float64() < share {
			theta = distuv.Gamma{Alpha: 1, Beta: 0.1, Src: src}.Rand()
		}
		expect[k] = expected
		observed[k] = int(distuv.Poisson{Lambda: theta * expected, Src: src}.Rand())
	}
	return observed, expect
}

// A lone bad machine among many that are alike is believed; with one gamma it
// is pulled back among them.
func TestMixedPriorBelievesALoneUnit(t *testing.T) {
	t.Parallel()
	observed, expected := fleetOf(3, 1300, 0, 0.8)
	observed[0] = 14
	p, ok := stats.MixedPriorOf(observed, expected)
	if !ok || p.Share == 0 {
		t.Fatalf("%+v", p)
	}
	if s := p.Shrink(14, 0.8, 0.9); s.Above(2) < 0.99 || s.Far < 0.99 {
		t.Errorf("of fourteen where 0.8 are expected: %+v, above 2 %v", s, s.Above(2))
	}
	if s := p.Shrink(3, 0.8, 0.9); s.Above(2) > 0.5 {
		t.Errorf("three is nothing: %v", s.Above(2))
	}
	one, _ := stats.PriorOf(observed, expected)
	if s := one.Shrink(14, 0.8, 0.9); s.Above(2) > 0.98 {
		t.Errorf("one gamma would do as well: %v", s.Above(2))
	}
}

// Both parts are found again where they are there, and none where it is not.
func TestMixedPriorFindsItsParts(t *testing.T) {
	t.Parallel()
	p, _ := stats.MixedPriorOf(fleetOf(5, 4000, 0.05, 3))
	if near, far := p.Shape/p.Rate, p.FarShape/p.FarRate; math.Abs(near-1) > 0.1 || math.Abs(far-10) > 2.5 || math.Abs(p.Share-0.05) > 0.02 {
		t.Errorf("means %v and %v, share %v", near, far, p.Share)
	}
	kept := 0
	for seed := range uint64(20) {
		if p, _ := stats.MixedPriorOf(fleetOf(100+seed, 1000, 0, 1)); p.Share > 0 {
			kept++
		}
	}
	if kept > 3 {
		t.Errorf("a second distribution in %d of 20 fleets that have none", kept)
	}
}

func TestMixedPriorProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := stats.MixedPrior{Shape: rapid.Float64Range(0.3, 50).Draw(rt, "shape"), FarShape: rapid.Float64Range(0.3, 20).Draw(rt, "far"), Share: rapid.Float64Range(0, 0.5).Draw(rt, "share")}
		p.Rate, p.FarRate = p.Shape, p.FarShape/rapid.Float64Range(1, 20).Draw(rt, "mean")
		o, e := rapid.IntRange(0, 40).Draw(rt, "observed"), rapid.Float64Range(0.05, 20).Draw(rt, "expected")
		s := p.Shrink(o, e, 0.9)
		if !s.Limits.Holds(s.Ratio) && s.Limits.High < s.Ratio*0.5 || math.Abs(s.Above(s.Limits.Low)-0.95) > 1e-6 || math.Abs(s.Above(s.Limits.High)-0.05) > 1e-6 {
			rt.Fatalf("%+v: %+v", p, s)
		}
		// More events, a higher belief; and Bayes' rule by the sum of it.
		if more := p.Shrink(o+1, e, 0.9); more.Ratio < s.Ratio-1e-9 {
			rt.Fatalf("%v then %v", s.Ratio, more.Ratio)
		}
		var mass, above float64
		density := func(x, shape, rate float64) float64 { return distuv.Gamma{Alpha: shape, Beta: rate}.Prob(x) }
		const step = 1e-3
		for u := step / 2; u < 1; u += step { // x = (u/(1-u))², dense near 0
			r := u / (1 - u)
			x := r * r
			w := ((1-p.Share)*density(x, p.Shape, p.Rate) + p.Share*density(x, p.FarShape, p.FarRate)) * math.Exp(distuv.Poisson{Lambda: x * e}.LogProb(float64(o))) * 2 * r / ((1 - u) * (1 - u))
			mass += w
			if x > 2 {
				above += w
			}
		}
		if mass > 0 && math.Abs(above/mass-s.Above(2)) > 0.01 {
			rt.Fatalf("%+v, %d of %v: %v, by Bayes' rule %v", p, o, e, s.Above(2), above/mass)
		}
	})
	if _, ok := stats.MixedPriorOf([]int{0, 0}, []float64{1, 1}); ok {
		t.Error("a prior of nothing")
	}
}

func BenchmarkMixedPrior(b *testing.B) {
	observed, expected := fleetOf(5, 10_000, 0.02, 0.3)
	b.ReportAllocs()
	for b.Loop() {
		stats.MixedPriorOf(observed, expected)
	}
}
