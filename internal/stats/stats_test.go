package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

func TestRateLimits(t *testing.T) {
	t.Parallel()
	var want struct {
		Exact95, Exact998, Midp95 struct{ Rate, Lower, Upper []float64 }
		Ulm                       struct{ Lower, Upper float64 } `json:"ulm1990_example"`
	}
	expected(t, "08-rate-ci", &want)
	in := input(t, "08-rate-ci/input.csv")
	for k, y := range ints(in["events"]) {
		exposure := in["exposure"][k]
		rate, ok := stats.RateOf(y, exposure, 0.95)
		if !ok {
			t.Fatal(y)
		}
		name := fmt.Sprintf("%d events", y)
		near(t, name+" rate", rate.Value, want.Exact95.Rate[k], 1e-12)
		near(t, name+" low", rate.Limits.Low, want.Exact95.Lower[k], 1e-8)
		near(t, name+" high", rate.Limits.High, want.Exact95.Upper[k], 1e-8)
		wide := stats.PoissonLimits(y, 0.998).Over(exposure)
		near(t, name+" low 99.8", wide.Low, want.Exact998.Lower[k], 1e-8)
		near(t, name+" high 99.8", wide.High, want.Exact998.Upper[k], 1e-8)
		mid := stats.PoissonMidP(y, 0.95).Over(exposure)
		near(t, name+" mid-p low", mid.Low, want.Midp95.Lower[k], 1e-7)
		near(t, name+" mid-p high", mid.High, want.Midp95.Upper[k], 1e-7)
	}
	ulm := stats.PoissonLimits(10, 0.95)
	near(t, "Ulm", ulm.Low, want.Ulm.Lower, 1e-6)
	near(t, "Ulm", ulm.High, want.Ulm.Upper, 1e-6)
	for _, exposure := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, ok := stats.RateOf(3, exposure, 0.95); ok {
			t.Errorf("a rate by %v", exposure)
		}
	}
}

func TestRateProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		y := rapid.IntRange(0, 500).Draw(rt, "events")
		exposure := rapid.Float64Range(0.1, 1e5).Draw(rt, "exposure")
		one, _ := stats.RateOf(y, exposure, 0.95)
		two, _ := stats.RateOf(y, 2*exposure, 0.95)
		if !one.Limits.Holds(one.Value) {
			rt.Fatalf("%+v", one)
		}
		if math.Abs(two.Value*2-one.Value) > 1e-12*one.Value || math.Abs(two.Limits.High*2-one.Limits.High) > 1e-12*one.Limits.High {
			rt.Fatalf("doubled exposure does not halve: %+v %+v", one, two)
		}
		mid := stats.PoissonMidP(y, 0.95)
		if exact := stats.PoissonLimits(y, 0.95); mid.Low < exact.Low-1e-9 || mid.High > exact.High+1e-9 {
			rt.Fatalf("mid-p %+v is wider than %+v", mid, exact)
		}
	})
}

func TestStandardise(t *testing.T) {
	t.Parallel()
	var want struct {
		Expected, Observed, SIR, Lower, Upper []float64
		Crude                                 []float64 `json:"crude_rate"`
	}
	expected(t, "14-standardisation", &want)
	in := input(t, "14-standardisation/input.csv")
	var cells []stats.Stratum
	for k := range in["college"] {
		cells = append(cells, stats.Stratum{Unit: int(in["college"][k]) - 1, Stratum: int(in["age"][k]), Events: int(in["incidents"][k]), Exposure: in["machines"][k]})
	}
	got := stats.Standardise(cells, 0.95)
	if len(got) != len(want.SIR) {
		t.Fatalf("%d units", len(got))
	}
	for k, u := range got {
		name := fmt.Sprintf("unit %d", k)
		near(t, name+" observed", float64(u.Observed), want.Observed[k], 0)
		near(t, name+" expected", u.Expected, want.Expected[k], 1e-9)
		near(t, name+" ratio", u.Ratio, want.SIR[k], 1e-9)
		near(t, name+" low", u.Limits.Low, want.Lower[k], 1e-9)
		near(t, name+" high", u.Limits.High, want.Upper[k], 1e-9)
		near(t, name+" crude", u.Crude, want.Crude[k], 1e-9)
	}
}

func TestFunnel(t *testing.T) {
	t.Parallel()
	var want struct {
		Exact map[string][]float64 `json:"exact_poisson_interpolated"`
		Over  map[string]struct {
			Phi, Tau2                float64
			LL95, UL95, LL998, UL998 []float64
		} `json:"funnelplotr_overdispersed"`
	}
	expected(t, "11-funnel", &want)
	in := input(t, "11-funnel/input.csv")
	for p, limits := range map[float64][]float64{0.001: want.Exact["0.001"], 0.025: want.Exact["0.025"], 0.975: want.Exact["0.975"], 0.999: want.Exact["0.999"]} {
		for k, e := range in["expected"] {
			near(t, fmt.Sprintf("limit %v at %v", p, e), stats.FunnelLimit(e, p), limits[k], 1e-8)
		}
	}
	d, ok := stats.DispersionOf(ints(in["incidents"]), in["expected"])
	if !ok {
		t.Fatal("no dispersion")
	}
	cqc := want.Over["CQC"]
	near(t, "phi", d.Phi, cqc.Phi, 1e-8)
	near(t, "tau2", d.Tau2, cqc.Tau2, 1e-8)
	for k, e := range in["expected"] {
		// The reference prints them before they are squared.
		l95, l998 := d.Limits(e, stats.Z95), d.Limits(e, 3.090232) // as the reference writes it
		near(t, "low 95", math.Sqrt(l95.Low), cqc.LL95[k], 1e-8)
		near(t, "high 95", math.Sqrt(l95.High), cqc.UL95[k], 1e-8)
		near(t, "low 99.8", math.Sqrt(l998.Low), cqc.LL998[k], 1e-8)
		near(t, "high 99.8", math.Sqrt(l998.High), cqc.UL998[k], 1e-8)
	}
	if _, ok := stats.DispersionOf([]int{3, 4}, []float64{0, 4}); ok {
		t.Error("the dispersion of one unit")
	}
}

func TestHeterogeneity(t *testing.T) {
	t.Parallel()
	var want struct {
		Chisq struct {
			T, P float64
			DF   int
		}
		Dean struct{ Stat, P float64 }        `json:"dean_PB"`
		LRT  struct{ Stat, P, Theta float64 } `json:"lrt_nb"`
	}
	expected(t, "13-heterogeneity", &want)
	in := input(t, "13-heterogeneity/input.csv")
	h, ok := stats.HeterogeneityOf(ints(in["incidents"]), in["expected"])
	if !ok || h.Freedom != want.Chisq.DF {
		t.Fatalf("%+v", h)
	}
	near(t, "chi-square", h.ChiSquare, want.Chisq.T, 1e-8)
	near(t, "its chance", h.ChiSquareP/want.Chisq.P, 1, 1e-8)
	near(t, "Dean", h.Dean, want.Dean.Stat, 1e-8)
	near(t, "its chance", h.DeanP/want.Dean.P, 1, 1e-8)
	near(t, "likelihood ratio", h.Ratio, want.LRT.Stat, 1e-5)
	near(t, "its chance", 2*h.RatioP/want.LRT.P, 1, 1e-4)
}

func TestShrink(t *testing.T) {
	t.Parallel()
	type fit struct {
		Theta, Beta0 float64
		RR           []float64
		PostLow95    []float64 `json:"post_low95"`
		PostHigh95   []float64 `json:"post_high95"`
		Above        []float64 `json:"prob_above_1.2"`
		Estmm        []float64
		A, B         json.RawMessage // numbers, or rows in other fits
	}
	number := func(raw json.RawMessage) float64 {
		v, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var want map[string]map[string]fit
	expected(t, "12-empirical-bayes", &want)
	for _, c := range []struct{ name, observed, expected string }{
		{"nc_sids", "observed", "expected"}, {"scotland", "cases", "expected"}, {"colleges58", "incidents", "expected"},
	} {
		in := input(t, "12-empirical-bayes/"+c.name+".csv")
		o, e := ints(in[c.observed]), in[c.expected]
		prior, ok := stats.PriorOf(o, e)
		if !ok {
			t.Fatal(c.name)
		}
		ref := want[c.name]["nb_mle"]
		near(t, c.name+" theta", prior.Shape/ref.Theta, 1, 1e-5)
		near(t, c.name+" mean", math.Log(prior.Mean), ref.Beta0, 1e-5)
		for k := range o {
			s := prior.Shrink(o[k], e[k], 0.95)
			near(t, c.name+" ratio", s.Ratio/ref.RR[k], 1, 1e-5)
			if ref.Above != nil {
				near(t, c.name+" above", s.Above(1.2), ref.Above[k], 1e-5)
				near(t, c.name+" low", s.Limits.Low/ref.PostLow95[k], 1, 1e-5)
				near(t, c.name+" high", s.Limits.High/ref.PostHigh95[k], 1, 1e-5)
			}
		}
	}
	for _, c := range []struct{ name, observed, exposure string }{
		{"nc_sids", "observed", "births"}, {"auckland", "deaths", "personyears"}, {"colleges58", "incidents", "machines"},
	} {
		in := input(t, "12-empirical-bayes/"+c.name+".csv")
		ref := want[c.name]["marshall_global"]
		a, b, shrunk := stats.Moments(ints(in[c.observed]), in[c.exposure])
		near(t, c.name+" A", a/number(ref.A), 1, 1e-9)
		near(t, c.name+" b", b/number(ref.B), 1, 1e-9)
		for k := range shrunk {
			near(t, c.name+" rate", shrunk[k]/ref.Estmm[k], 1, 1e-9)
		}
	}
}

func TestShrinkProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(rt, "units")
		o, e := make([]int, n), make([]float64, n)
		for k := range o {
			o[k] = rapid.IntRange(0, 200).Draw(rt, "observed")
			e[k] = rapid.Float64Range(0, 150).Draw(rt, "expected")
		}
		prior, ok := stats.PriorOf(o, e)
		if !ok {
			return
		}
		for k := range o {
			if e[k] == 0 {
				continue
			}
			s := prior.Shrink(o[k], e[k], 0.9)
			own := float64(o[k]) / e[k]
			low, high := min(own, prior.Mean), max(own, prior.Mean)
			if s.Ratio < low-1e-9*low || s.Ratio > high+1e-9*high {
				rt.Fatalf("%v is not between its own %v and all %v", s.Ratio, own, prior.Mean)
			}
			if s.Limits.Low > s.Limits.High {
				rt.Fatalf("%+v", s)
			}
		}
		// A unit that nothing is expected of says nothing of the others.
		again, _ := stats.PriorOf(slices.Concat(o, []int{0}), slices.Concat(e, []float64{0}))
		if again != prior {
			rt.Fatalf("%+v with an empty unit, %+v without", again, prior)
		}
	})
}

func TestRanks(t *testing.T) {
	t.Parallel()
	in := input(t, "12-empirical-bayes/colleges58.csv")
	o, e := ints(in["incidents"]), in["expected"]
	prior, _ := stats.PriorOf(o, e)
	units := make([]stats.Shrunk, len(o))
	top := 0
	for k := range o {
		units[k] = prior.Shrink(o[k], e[k], 0.9)
		if units[k].Ratio > units[top].Ratio {
			top = k
		}
	}
	a, b := stats.Ranks(units, 0.9, 4000, 7), stats.Ranks(units, 0.9, 4000, 7)
	for k := range a {
		if a[k] != b[k] || a[k].Low < 1 || a[k].High > float64(len(o)) || a[k].Low > a[k].High {
			t.Errorf("%+v %+v", a[k], b[k])
		}
	}
	if a[top].Low > 3 {
		t.Errorf("the highest ratio ranks %+v", a[top])
	}
}

func TestAllAlike(t *testing.T) {
	t.Parallel()
	prior, ok := stats.PriorOf([]int{10, 10, 10, 10}, []float64{10, 10, 10, 10})
	if !ok || !prior.Alike || prior.Mean != 1 {
		t.Fatalf("%+v", prior)
	}
	s := prior.Shrink(30, 10, 0.9)
	if s.Ratio != 1 || s.Above(1.2) != 0 || s.Above(0.9) != 1 {
		t.Errorf("%+v", s)
	}
	if _, ok := stats.PriorOf([]int{0, 0}, []float64{3, 4}); ok {
		t.Error("a prior of no event")
	}
}

func TestCompareRates(t *testing.T) {
	t.Parallel()
	var want struct {
		RR, Lower, Upper []*float64
		P                []float64 `json:"p_two_sided"`
		Greater          []float64 `json:"p_greater"`
		Less             []float64 `json:"p_less"`
	}
	expected(t, "09-rate-ratio", &want)
	in := input(t, "09-rate-ratio/input.csv")
	for k := range in["x1"] {
		x1, x2 := int(in["x1"][k]), int(in["x2"][k])
		name := fmt.Sprintf("%d/%v and %d/%v", x1, in["t1"][k], x2, in["t2"][k])
		r, ok := stats.CompareRates(x1, in["t1"][k], x2, in["t2"][k], 0.95)
		if !ok {
			t.Fatal(name)
		}
		if want.RR[k] == nil {
			if !math.IsNaN(r.Value) {
				t.Errorf("%s: %v", name, r.Value)
			}
		} else {
			near(t, name+" ratio", r.Value, *want.RR[k], 1e-9)
		}
		near(t, name+" low", r.Limits.Low, *want.Lower[k], 1e-9)
		if want.Upper[k] == nil {
			if !math.IsInf(r.Limits.High, 1) {
				t.Errorf("%s: up to %v", name, r.Limits.High)
			}
		} else {
			near(t, name+" high", r.Limits.High, *want.Upper[k], 1e-9)
		}
		near(t, name+" p", r.P, want.P[k], 1e-9)
		near(t, name+" more", r.More, want.Greater[k], 1e-9)
		near(t, name+" fewer", r.Fewer, want.Less[k], 1e-9)
	}
}

func TestBeforeAfter(t *testing.T) {
	t.Parallel()
	var want struct {
		Poisson struct {
			Coef, SE []float64
			Deviance float64
		}
		Quasi struct {
			Phi   float64
			SE, P []float64
		}
		Effect float64   `json:"effect_ratio"`
		CI     []float64 `json:"effect_ci95_quasi"`
	}
	expected(t, "35-before-after-with-control", &want)
	in := input(t, "35-before-after-with-control/input.csv")
	var weeks []stats.BeforeAfterWeek
	for k := range in["week"] {
		weeks = append(weeks, stats.BeforeAfterWeek{
			Changed: in["group"][k] == 1, After: in["post"][k] == 1, Events: int(in["incidents"][k]), Exposure: in["machines"][k] * in["openness"][k],
		})
	}
	got, ok := stats.BeforeAfter(weeks, 0.95)
	if !ok {
		t.Fatal("no answer")
	}
	for k := range want.Poisson.Coef {
		near(t, "coefficient", got.Model.Coefficients[k], want.Poisson.Coef[k], 1e-7)
		near(t, "error", got.Model.Errors[k], want.Quasi.SE[k], 1e-7)
		near(t, "chance", got.Model.P(k), want.Quasi.P[k], 1e-7)
	}
	near(t, "deviance", got.Model.Deviance, want.Poisson.Deviance, 1e-7)
	near(t, "phi", got.Model.Phi, want.Quasi.Phi, 1e-7)
	near(t, "effect", got.Ratio, want.Effect, 1e-7)
	near(t, "low", got.Limits.Low, want.CI[0], 1e-7)
	near(t, "high", got.Limits.High, want.CI[1], 1e-7)
	for name, weeks := range map[string][]stats.BeforeAfterWeek{
		"nothing": nil, "no control": weeksOf(weeks, func(w stats.BeforeAfterWeek) bool { return w.Changed }), "no after": weeksOf(weeks, func(w stats.BeforeAfterWeek) bool { return !w.After }),
		"no event": {{Changed: true, Exposure: 1}, {After: true, Exposure: 1}, {Changed: true, After: true, Exposure: 1}, {Exposure: 1}, {Exposure: 2}},
	} {
		if got, ok := stats.BeforeAfter(weeks, 0.95); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func weeksOf(weeks []stats.BeforeAfterWeek, keep func(stats.BeforeAfterWeek) bool) []stats.BeforeAfterWeek {
	var out []stats.BeforeAfterWeek
	for _, w := range weeks {
		if keep(w) {
			out = append(out, w)
		}
	}
	return out
}
