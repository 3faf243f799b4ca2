package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

// The toy of the reference (scikit-learn), typed here.
var toy = struct{ y, p []float64 }{[]float64{0, 0, 1, 1, 1, 0, 1, 0, 1, 1}, []float64{0.1, 0.4, 0.35, 0.8, 0.7, 0.2, 0.9, 0.55, 0.6, 0.3}}

func TestAnnouncedChances(t *testing.T) {
	t.Parallel()
	list := make([]stats.Announced, len(toy.y))
	for k := range list {
		list[k] = stats.Announced{P: toy.p[k], Happened: toy.y[k] == 1}
	}
	near(t, "Brier", stats.Brier(list), 0.1725, 1e-12)
	area, ok := stats.Discrimination(list)
	if !ok {
		t.Fatal("refused")
	}
	near(t, "area", area, 0.8333333333333333, 1e-12)
	n := 0
	for _, c := range stats.Calibration(list, []float64{0.2, 0.4, 0.6, 0.8}, 0.95) {
		if c.N > 0 && !c.Limits.Holds(c.Observed()) {
			t.Errorf("%+v", c)
		}
		n += c.N
	}
	if n != len(list) {
		t.Errorf("%d of %d in the table", n, len(list))
	}
	if _, ok := stats.Discrimination(list[:2]); ok {
		t.Error("an area without a case that happened")
	}
	// Clopper and Pearson's own example: 3 of 10 at 95 %.
	limits := stats.ShareLimits(3, 10, 0.95)
	near(t, "low", limits.Low, 0.06673951, 1e-7)
	near(t, "high", limits.High, 0.6524529, 1e-7)
	if l := stats.ShareLimits(0, 0, 0.95); l != (stats.Interval{Low: 0, High: 1}) {
		t.Errorf("of nothing: %v", l)
	}
}

// quickAndSlow draws lengths: a stratum that is quick, one that is slow.
func quickAndSlow(random *rand.Rand, n int) []stats.RiskSpell {
	list := make([]stats.RiskSpell, n)
	for k := range list {
		slow := k % 2
		length := random.ExpFloat64() * float64(5+15*slow)
		censored := random.ExpFloat64() * 60
		list[k] = stats.RiskSpell{Spell: stats.Spell{Exit: min(length, censored), Event: length <= censored}, Strata: []int{slow, slow*10 + k%10}}
	}
	return list
}

func TestRiskOfLasting(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 0))
	m, ok := stats.NewRiskModel(quickAndSlow(random, 20_000))
	if !ok {
		t.Fatal("refused")
	}
	// An exponential law forgets its age: exp(-4/20) whatever was waited.
	for _, age := range []float64{0, 3, 10} {
		p, _, _ := m.Risk([]int{1, 13}, age, age+4)
		near(t, "slow", p, math.Exp(-0.2), 0.04)
		p, _, _ = m.Risk([]int{0, 3}, age, age+4)
		near(t, "quick", p, math.Exp(-0.8), 0.04)
	}
	if p, _, ok := m.Risk([]int{1, 13}, 5, 4); !ok || p != 1 {
		t.Error("past its limit and not late")
	}
	if _, _, ok := m.Risk(nil, 1e6, 2e6); ok {
		t.Error("a chance at an age that nothing reached")
	}
	// What is announced happens as often: others of the same law.
	var list []stats.Announced
	for _, s := range quickAndSlow(random, 4000) {
		if age, limit := 2.0, 9.0; s.Exit > age && (s.Event || s.Exit > limit) {
			p, _, _ := m.Risk(s.Strata, age, limit)
			list = append(list, stats.Announced{P: p, Happened: s.Exit > limit})
		}
	}
	for _, c := range stats.Calibration(list, []float64{0.33, 0.66}, 0.999) {
		if c.N > 0 && !c.Limits.Holds(c.Mean) {
			t.Errorf("announced %.3f, happened %d of %d", c.Mean, c.Happened, c.N)
		}
	}
	if area, _ := stats.Discrimination(list); area < 0.65 {
		t.Errorf("area %g", area)
	}
}

func TestRiskProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []stats.RiskSpell
		for _, s := range drawSpells(t, "spells") {
			s.Exit -= s.Entry
			s.Entry = 0
			list = append(list, stats.RiskSpell{Spell: s, Strata: []int{rapid.IntRange(0, 3).Draw(t, "stratum")}})
		}
		m, ok := stats.NewRiskModel(list)
		if !ok {
			t.Fatal("refused")
		}
		age := rapid.Float64Range(0, 20).Draw(t, "age")
		last := 1.0
		for limit := age; limit < 30; limit += 1.5 {
			p, _, ok := m.Risk([]int{rapid.IntRange(0, 4).Draw(t, "asked")}, age, limit)
			if !ok {
				return
			}
			if p < 0 || p > 1 {
				t.Fatalf("a chance of %g", p)
			}
			q, _, _ := m.Risk(nil, age, limit)
			if q > last {
				t.Fatalf("a longer limit, a higher chance: %g, %g", last, q)
			}
			last = q
		}
	})
}
