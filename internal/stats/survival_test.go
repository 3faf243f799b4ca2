package stats_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

// maybe is a reference number that R could not give.
type maybe float64

func (m *maybe) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*m = maybe(math.NaN())
		return nil
	}
	var v float64
	err := json.Unmarshal(raw, &v)
	*m = maybe(v)
	return err
}

// survfit is what R's survfit says of a curve.
type survfit struct {
	Time   []float64 `json:"time"`
	Risk   []int     `json:"n_risk"`
	Events []int     `json:"n_event"`
	Censor []int     `json:"n_censor"`
	S      []float64 `json:"surv"`
	SE     []maybe   `json:"se_surv_greenwood"`
	Lower  []maybe   `json:"lower"`
	Upper  []maybe   `json:"upper"`
	Hazard []float64 `json:"cumhaz_na"`
	SEH    []maybe   `json:"se_na"`
	Q      struct {
		P     []float64 `json:"p"`
		Est   []maybe   `json:"est"`
		Lower []maybe   `json:"lower"`
		Upper []maybe   `json:"upper"`
	} `json:"quantiles"`
	LogLogLower []maybe `json:"loglog_lower"`
	LogLogUpper []maybe `json:"loglog_upper"`
	RMST        struct{ Tau, RMST, SE float64 }
}

func spells(in map[string][]float64, entry, exit, event string) []stats.Spell {
	out := make([]stats.Spell, len(in[exit]))
	for k := range out {
		out[k] = stats.Spell{Exit: in[exit][k], Event: in[event][k] == 1}
		if entry != "" {
			out[k].Entry = in[entry][k]
		}
	}
	return out
}

// agrees is near for numbers that may be missing.
func agrees(t *testing.T, what string, got float64, want maybe, tolerance float64) {
	t.Helper()
	if math.IsNaN(float64(want)) {
		if !math.IsNaN(got) && !math.IsInf(got, 0) {
			t.Errorf("%s: %g, want none", what, got)
		}
		return
	}
	near(t, what, got, float64(want), tolerance)
}

func checkCurve(t *testing.T, got stats.Survival, want survfit) {
	t.Helper()
	if len(got.Steps) != len(want.Time) {
		t.Fatalf("%d steps, want %d", len(got.Steps), len(want.Time))
	}
	const tol = 1e-9
	for k, s := range got.Steps {
		if s.T != want.Time[k] || s.AtRisk != want.Risk[k] || s.Events != want.Events[k] || s.Censored != want.Censor[k] {
			t.Fatalf("step %d: %+v, want %g %d %d %d", k, s, want.Time[k], want.Risk[k], want.Events[k], want.Censor[k])
		}
		near(t, "S", s.S, want.S[k], tol)
		agrees(t, "se", s.StdErr(), want.SE[k], tol)
		near(t, "hazard", s.Hazard, want.Hazard[k], tol)
		agrees(t, "se of the hazard", s.HazardStdErr(), want.SEH[k], tol)
		limits := s.LogLimits(0.95)
		agrees(t, "lower", limits.Low, want.Lower[k], tol)
		agrees(t, "upper", limits.High, want.Upper[k], tol)
		if want.LogLogLower != nil {
			limits := s.LogLogLimits(0.95)
			agrees(t, "log-log lower", limits.Low, want.LogLogLower[k], tol)
			agrees(t, "log-log upper", limits.High, want.LogLogUpper[k], tol)
		}
	}
	for k, p := range want.Q.P {
		q, limits := got.Quantile(p, 0.95)
		agrees(t, "quantile", q, want.Q.Est[k], tol)
		agrees(t, "lower limit of the quantile", limits.Low, want.Q.Lower[k], tol)
		agrees(t, "upper limit of the quantile", limits.High, want.Q.Upper[k], tol)
	}
}

func TestKaplanMeier(t *testing.T) {
	t.Parallel()
	var want struct {
		Lung    survfit `json:"lung"`
		Veteran survfit `json:"veteran"`
		Sex     struct {
			Chisq, P float64
			Observed []int
			Expected []float64
		} `json:"lung_logrank_sex"`
	}
	expected(t, "17-kaplan-meier", &want)
	in := input(t, "17-kaplan-meier/lung.csv")
	lung := spells(in, "", "time", "event")
	curve, ok := stats.KaplanMeier(lung)
	if !ok {
		t.Fatal("refused")
	}
	checkCurve(t, curve, want.Lung)
	mean, se, ok := curve.RestrictedMean(want.Lung.RMST.Tau)
	if !ok {
		t.Fatal("restricted mean refused")
	}
	near(t, "restricted mean", mean, want.Lung.RMST.RMST, 1e-9)
	near(t, "its standard error", se, want.Lung.RMST.SE, 1e-9)
	var sexes [2][]stats.Spell
	for k, s := range lung {
		sexes[int(in["sex"][k])-1] = append(sexes[int(in["sex"][k])-1], s)
	}
	test, ok := stats.LogRank(sexes[0], sexes[1])
	if !ok || !slices.Equal(test.Observed, want.Sex.Observed) || test.Freedom != 1 {
		t.Fatalf("%+v", test)
	}
	near(t, "chi2", test.Chi2, want.Sex.Chisq, 1e-9)
	near(t, "p", test.P, want.Sex.P, 1e-9)
	for k := range test.Expected {
		near(t, "expected", test.Expected[k], want.Sex.Expected[k], 1e-9)
	}

	curve, _ = stats.KaplanMeier(spells(input(t, "17-kaplan-meier/veteran.csv"), "", "time", "event"))
	checkCurve(t, curve, want.Veteran)
}

func TestDelayedEntry(t *testing.T) {
	t.Parallel()
	var want struct {
		MACS struct {
			survfit
			Published struct {
				N      int                      `json:"n_event_times"`
				AtRisk struct{ T, N []float64 } `json:"at_risk"`
				S      float64                  `json:"S_0.791"`
			} `json:"published_lifelines_test"`
		} `json:"macs"`
		Channing survfit `json:"channing_male"`
		Psych    survfit `json:"psych"`
		Tiny     struct {
			Entry, Time []float64
			S           []float64 `json:"S_lifelines_test"`
		}
	}
	expected(t, "18-left-truncation", &want)
	macs, _ := stats.KaplanMeier(spells(input(t, "18-left-truncation/macs.csv"), "entry", "exit", "death"))
	checkCurve(t, macs, want.MACS.survfit)

	in := input(t, "18-left-truncation/channing.csv")
	var men []stats.Spell
	for k, s := range spells(in, "entry", "exit", "death") {
		if in["gender"][k] == 1 {
			men = append(men, s)
		}
	}
	curve, _ := stats.KaplanMeier(men)
	checkCurve(t, curve, want.Channing)
	// Two deaths among the first two watched, and nobody would ever live longer:
	// from ten at risk on the curve speaks of those that reach 843 months.
	curve, ok := stats.KaplanMeierFrom(men, 10)
	if !ok || curve.From() != 843 || curve.Steps[len(curve.Steps)-1].S < 0.05 {
		t.Errorf("from %g to S = %g", curve.From(), curve.Steps[len(curve.Steps)-1].S)
	}

	curve, _ = stats.KaplanMeier(spells(input(t, "18-left-truncation/psych.csv"), "entry", "exit", "death"))
	checkCurve(t, curve, want.Psych)

	// lifelines' own small test.
	tiny := make([]stats.Spell, len(want.Tiny.Entry))
	for k := range tiny {
		tiny[k] = stats.Spell{Entry: want.Tiny.Entry[k], Exit: want.Tiny.Time[k], Event: true}
	}
	curve, _ = stats.KaplanMeier(tiny)
	for k, at := range []float64{0, 1, 2, 3, 4, 5, 10} {
		near(t, "S", curve.At(at).S, want.Tiny.S[k], 1e-9)
	}

	times := 0
	for _, s := range macs.Steps {
		if s.Events > 0 {
			times++
		}
	}
	if times != want.MACS.Published.N {
		t.Errorf("%d times of death, published %d", times, want.MACS.Published.N)
	}
	for k, at := range want.MACS.Published.AtRisk.T {
		if got := macs.At(at).AtRisk; float64(got) != want.MACS.Published.AtRisk.N[k] {
			t.Errorf("%d at risk at %g, published %g", got, at, want.MACS.Published.AtRisk.N[k])
		}
	}
	near(t, "published", macs.At(0.791).S, want.MACS.Published.S, 1e-12)
}

func TestDurationsStillOpen(t *testing.T) {
	t.Parallel()
	var want struct {
		KM struct {
			Median, P75, P90, RMST240 float64
			Lower, Upper              []float64
			N, Events                 int
			SurvAt                    struct{ T, S []float64 } `json:"surv_at"`
		} `json:"km"`
		Closed      struct{ Median, P90 float64 } `json:"closed_only"`
		Truth       struct{ Median, P90 float64 } `json:"truth_later"`
		Conditional struct {
			A, S   []float64
			Matrix [][]maybe `json:"matrix_s_by_a"`
		} `json:"conditional_P_longer_than_s_given_open_at_a"`
		LogRank   struct{ Chisq, DF, P float64 } `json:"logrank_priority"`
		Quantiles struct {
			P     []float64
			Types map[string][]float64
		} `json:"quantile_types_final_hours"`
	}
	expected(t, "31-duration-censored", &want)
	in := input(t, "31-duration-censored/input.csv")
	all := spells(in, "", "hours", "resolved")
	curve, ok := stats.KaplanMeier(all)
	if !ok || curve.N != want.KM.N || curve.Events != want.KM.Events {
		t.Fatalf("%d, %d events", curve.N, curve.Events)
	}
	for k, p := range []float64{0.5, 0.75, 0.9} {
		q, limits := curve.Quantile(p, 0.95)
		near(t, "quantile", q, []float64{want.KM.Median, want.KM.P75, want.KM.P90}[k], 1e-9)
		near(t, "lower", limits.Low, want.KM.Lower[k], 1e-9)
		near(t, "upper", limits.High, want.KM.Upper[k], 1e-9)
	}
	mean, _, _ := curve.RestrictedMean(240)
	near(t, "restricted mean", mean, want.KM.RMST240, 1e-9)
	for k, at := range want.KM.SurvAt.T {
		near(t, "S", curve.At(at).S, want.KM.SurvAt.S[k], 1e-9)
	}
	for i, s := range want.Conditional.S {
		for j, a := range want.Conditional.A {
			p, ok := curve.Longer(s, a)
			if !ok {
				p = math.NaN()
			}
			agrees(t, "conditional", p, want.Conditional.Matrix[i][j], 1e-9)
		}
	}
	var groups [6][]stats.Spell
	var closed []float64
	for k, s := range all {
		groups[int(in["priority"][k])] = append(groups[int(in["priority"][k])], s)
		if s.Event {
			closed = append(closed, s.Exit)
		}
	}
	test, ok := stats.LogRank(groups[:]...)
	if !ok || float64(test.Freedom) != want.LogRank.DF {
		t.Fatalf("%+v", test)
	}
	near(t, "chi2", test.Chi2, want.LogRank.Chisq, 1e-9)
	near(t, "p", test.P, want.LogRank.P, 1e-9)
	slices.Sort(closed)
	near(t, "closed only", stats.Quantile(closed, 0.5), want.Closed.Median, 1e-9)
	near(t, "closed only", stats.Quantile(closed, 0.9), want.Closed.P90, 1e-6) // printed with four decimals
	final := slices.Clone(in["final_hours"])
	slices.Sort(final)
	near(t, "truth", stats.Quantile(final, 0.5), want.Truth.Median, 1e-6)
	near(t, "truth", stats.Quantile(final, 0.9), want.Truth.P90, 1e-6)
	for k, p := range want.Quantiles.P {
		for name, kind := range map[string]stats.QuantileType{"6": stats.Type6, "7": stats.Type7, "8": stats.Type8} {
			near(t, "type "+name, stats.QuantileOf(final, p, kind), want.Quantiles.Types[name][k], 1e-9)
		}
	}
}

// Remission of 42 patients under 6-MP and placebo (Freireich 1963; Gehan
// 1965), typed from Collett: median 23 and 8 weeks, log-rank 16.79.
func TestRemission(t *testing.T) {
	t.Parallel()
	drug := []stats.Spell{}
	for _, w := range []float64{6, 6, 6, 7, 10, 13, 16, 22, 23} {
		drug = append(drug, stats.Spell{Exit: w, Event: true})
	}
	for _, w := range []float64{6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35} {
		drug = append(drug, stats.Spell{Exit: w})
	}
	var placebo []stats.Spell
	for _, w := range []float64{1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23} {
		placebo = append(placebo, stats.Spell{Exit: w, Event: true})
	}
	a, _ := stats.KaplanMeier(drug)
	b, _ := stats.KaplanMeier(placebo)
	near(t, "S(6)", a.At(6).S, 18.0/21, 1e-12)
	near(t, "S(10)", a.At(10.5).S, 0.7529, 1e-4)
	if q, _ := a.Quantile(0.5, 0.95); q != 23 {
		t.Errorf("median %g", q)
	}
	if q, _ := b.Quantile(0.5, 0.95); q != 8 {
		t.Errorf("median %g", q)
	}
	test, _ := stats.LogRank(drug, placebo)
	near(t, "log-rank", test.Chi2, 16.793, 1e-4)
}

func TestSurvivalRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]stats.Spell{
		"nothing":        nil,
		"not a number":   {{Exit: math.NaN(), Event: true}},
		"before 0":       {{Exit: -1}},
		"before entered": {{Entry: 4, Exit: 4, Event: true}},
	} {
		if c, ok := stats.KaplanMeier(in); ok {
			t.Errorf("%s: %+v", name, c)
		}
	}
	open, _ := stats.KaplanMeier([]stats.Spell{{Exit: 3}, {Exit: 5}})
	if q, l := open.Quantile(0.5, 0.95); !math.IsNaN(q) || !math.IsNaN(l.Low) || !math.IsNaN(l.High) {
		t.Errorf("a median of what never ended: %g %v", q, l)
	}
	if _, _, ok := open.RestrictedMean(6); ok {
		t.Error("a mean beyond what was seen")
	}
	if _, ok := stats.LogRank([]stats.Spell{{Exit: 1, Event: true}}); ok {
		t.Error("a test of one group")
	}
}

// drawSpells makes spells on a grid, so that times meet.
func drawSpells(t *rapid.T, name string) []stats.Spell {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stats.Spell {
		entry := rapid.IntRange(0, 20).Draw(t, "entry")
		return stats.Spell{Entry: float64(entry), Exit: float64(entry + rapid.IntRange(1, 20).Draw(t, "length")), Event: rapid.Bool().Draw(t, "event")}
	}), 1, 60).Draw(t, name)
}

func TestSurvivalProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawSpells(t, "spells")
		a, ok := stats.KaplanMeier(in)
		if !ok {
			t.Fatal("refused")
		}
		// The order of rows says nothing.
		mixed := slices.Clone(in)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		b, _ := stats.KaplanMeier(mixed)
		if !slices.Equal(a.Steps, b.Steps) {
			t.Fatal("another order, another curve")
		}
		last := 1.0
		for _, s := range a.Steps {
			if s.S > last || s.S < 0 {
				t.Fatalf("the curve climbs: %+v", s)
			}
			last = s.S
			// By hand, from the definition.
			risk, events := 0, 0
			for _, x := range in {
				if (x.Entry == 0 || x.Entry < s.T) && x.Exit >= s.T {
					risk++
				}
				if x.Event && x.Exit == s.T {
					events++
				}
			}
			if risk != s.AtRisk || events != s.Events {
				t.Fatalf("%+v: at risk %d, events %d", s, risk, events)
			}
			if l := s.LogLimits(0.9); s.S > 0 && !math.IsInf(s.Greenwood, 0) && !l.Holds(s.S) {
				t.Fatalf("limits %v of %g", l, s.S)
			}
			if l := s.LogLogLimits(0.9); s.S > 0 && !(l.Low-1e-12 <= s.S && s.S <= l.High+1e-12) {
				t.Fatalf("log-log limits %v of %g", l, s.S)
			}
		}
		// Everything twice as long: the same curve, stretched.
		double := slices.Clone(in)
		for k := range double {
			double[k].Entry *= 2
			double[k].Exit *= 2
		}
		c, _ := stats.KaplanMeier(double)
		for k := range c.Steps {
			if c.Steps[k].S != a.Steps[k].S {
				t.Fatal("another unit, another curve")
			}
		}
		// Two equal groups do not differ, and the same group is itself.
		if test, ok := stats.LogRank(in, in); ok && test.P < 0.999 {
			t.Fatalf("a group differs from itself: %+v", test)
		}
	})
}

// TestSurvivalWithoutCensoring: with everything over, the curve is the share
// that lasted longer and its mean is the mean.
func TestSurvivalWithoutCensoring(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 50).Draw(t, "values")
		in := make([]stats.Spell, len(values))
		var sum float64
		for k, v := range values {
			in[k] = stats.Spell{Exit: v, Event: true}
			sum += v
		}
		c, _ := stats.KaplanMeier(in)
		at := rapid.Float64Range(0, 100).Draw(t, "at")
		longer := 0
		for _, v := range values {
			if v > at {
				longer++
			}
		}
		if got := c.At(at).S; math.Abs(got-float64(longer)/float64(len(values))) > 1e-9 {
			t.Fatalf("S = %g, %d of %d", got, longer, len(values))
		}
		if mean, _, ok := c.RestrictedMean(101); !ok || math.Abs(mean-sum/float64(len(values))) > 1e-9*max(1, sum) {
			t.Fatalf("mean %g, %g", mean, sum/float64(len(values)))
		}
	})
}

func BenchmarkKaplanMeier500000(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	in := make([]stats.Spell, 500_000)
	for k := range in {
		in[k] = stats.Spell{Exit: math.Exp(3 + 1.5*random.NormFloat64()), Event: random.Float64() < 0.98}
	}
	for b.Loop() {
		c, _ := stats.KaplanMeier(in)
		c.Quantile(0.5, 0.95)
	}
}

func BenchmarkLogRank500000(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	groups := make([][]stats.Spell, 5)
	for k := range 500_000 {
		groups[k%5] = append(groups[k%5], stats.Spell{Exit: math.Exp(3 + 1.5*random.NormFloat64()), Event: random.Float64() < 0.98})
	}
	for b.Loop() {
		stats.LogRank(groups...)
	}
}
