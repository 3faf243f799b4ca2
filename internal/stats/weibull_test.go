package stats_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

func fitted(t *testing.T, in []stats.Spell) stats.WeibullFit {
	t.Helper()
	f, ok := stats.FitWeibull(in)
	if !ok {
		t.Fatal("refused")
	}
	return f
}

// TestWeibull holds the fit to R: without truncation (survreg), and with.
// lung_lognormal has no counterpart: the product fits no log-normal law.
func TestWeibull(t *testing.T) {
	t.Parallel()
	var raw map[string]json.RawMessage
	expected(t, "19-weibull", &raw)
	read := func(key string, into any) {
		t.Helper()
		if err := json.Unmarshal(raw[key], into); err != nil {
			t.Fatal(err)
		}
	}
	const tol = 1e-5
	for name, in := range map[string][]stats.Spell{
		"waltons": spells(input(t, "19-weibull/waltons.csv"), "", "T", "E"),
		"lung":    spells(input(t, "19-weibull/lung.csv"), "", "time", "event"),
		"veteran": spells(input(t, "19-weibull/veteran.csv"), "", "time", "event"),
	} {
		var want struct {
			Shape, LogLik float64
			Intercept     float64     `json:"survreg_intercept"`
			LogScale      float64     `json:"survreg_scale"`
			Scale         float64     `json:"scale_eta"`
			VCov          [][]float64 `json:"vcov"`
			Median        float64     `json:"km_median"`
			Published     struct {
				LogLik, Rho float64
				Rate        float64 `json:"lambda_inverse"`
			} `json:"published_lifelines"`
		}
		read(name, &want)
		f := fitted(t, in)
		near(t, name+": shape", f.Shape, want.Shape, tol)
		near(t, name+": scale", f.Scale, want.Scale, tol)
		near(t, name+": intercept", math.Log(f.Scale), want.Intercept, tol)
		near(t, name+": 1/shape", 1/f.Shape, want.LogScale, tol)
		near(t, name+": log-likelihood", f.LogLik, want.LogLik, 1e-6)
		near(t, name+": var(intercept)", f.StdErrScale*f.StdErrScale, want.VCov[0][0], tol)
		near(t, name+": var(log(1/shape))", f.StdErrShape*f.StdErrShape, want.VCov[1][1], tol)
		near(t, name+": covariance", -f.Covariance, want.VCov[0][1], tol)
		if name == "waltons" {
			curve, _ := stats.KaplanMeier(in)
			q, _ := curve.Quantile(0.5, 0.95)
			near(t, "median", q, want.Median, 1e-9)
			near(t, "published rho", f.Shape, want.Published.Rho, 1e-3)
			near(t, "published lambda", 1/f.Scale, want.Published.Rate, 5e-3)
			near(t, "published log-likelihood", f.LogLik, want.Published.LogLik, 1e-6)
		}
	}
	// Shape 1: the law is a rate.
	var exponential struct{ Rate, LogLik float64 }
	read("lung_exponential", &exponential)
	var time float64
	events := 0
	for _, s := range spells(input(t, "19-weibull/lung.csv"), "", "time", "event") {
		time += s.Exit
		if s.Event {
			events++
		}
	}
	rate, _ := stats.RateOf(events, time, 0.95)
	near(t, "rate", rate.Value, exponential.Rate, 1e-9)
	near(t, "its log-likelihood", float64(events)*(math.Log(rate.Value)-1), exponential.LogLik, 1e-9)

	// Left truncation.
	in := input(t, "18-left-truncation/channing.csv")
	var men []stats.Spell
	for k, s := range spells(in, "entry", "exit", "death") {
		if in["gender"][k] == 1 {
			men = append(men, s)
		}
	}
	for name, in := range map[string][]stats.Spell{
		"truncated_optim_check_no_truncation_lung": spells(input(t, "19-weibull/lung.csv"), "", "time", "event"),
		"channing_male_truncated":                  men,
		"psych_truncated":                          spells(input(t, "18-left-truncation/psych.csv"), "entry", "exit", "death"),
	} {
		var want struct {
			Shape, Scale, LogLik float64
			SEShape              float64 `json:"se_log_shape"`
			SEScale              float64 `json:"se_log_scale"`
		}
		read(name, &want)
		f := fitted(t, in)
		near(t, name+": shape", f.Shape, want.Shape, tol)
		near(t, name+": scale", f.Scale, want.Scale, tol)
		near(t, name+": log-likelihood", f.LogLik, want.LogLik, 1e-6)
		// R took these from a numerical Hessian.
		near(t, name+": se(log shape)", f.StdErrShape, want.SEShape, 1e-4)
		near(t, name+": se(log scale)", f.StdErrScale, want.SEScale, 1e-4)
	}

	var fleet struct {
		MLE struct {
			Shape, Scale, LogLik float64
			SEShape              float64 `json:"se_log_shape"`
			SEScale              float64 `json:"se_log_scale"`
		} `json:"truncated_mle"`
		True  struct{ Shape, Scale float64 }
		Naive struct {
			Shape float64
			Scale float64 `json:"scale_eta"`
		} `json:"naive_ignoring_entry"`
		N, Failures int
		Hazard      struct {
			Age, Failures []float64
			Years         []float64 `json:"machine_years"`
			Rate          []float64
		} `json:"hazard_by_year"`
		KM struct {
			Time, Surv, CumHaz []float64
		} `json:"km"`
	}
	read("pc_fleet", &fleet)
	machines := spells(input(t, "19-weibull/pc_fleet.csv"), "entry_age", "exit_age", "failed")
	f := fitted(t, machines)
	if len(machines) != fleet.N || f.Failures != fleet.Failures {
		t.Fatalf("%d machines, %d failures", len(machines), f.Failures)
	}
	near(t, "fleet: shape", f.Shape, fleet.MLE.Shape, tol)
	near(t, "fleet: scale", f.Scale, fleet.MLE.Scale, tol)
	near(t, "fleet: log-likelihood", f.LogLik, fleet.MLE.LogLik, 1e-6)
	near(t, "fleet: se(log shape)", f.StdErrShape, fleet.MLE.SEShape, 1e-4)
	near(t, "fleet: se(log scale)", f.StdErrScale, fleet.MLE.SEScale, 1e-4)
	if !f.ShapeLimits.Holds(fleet.True.Shape) || f.ShapeLimits.Holds(fleet.Naive.Shape) {
		t.Errorf("limits of the shape %v", f.ShapeLimits)
	}
	naive := make([]stats.Spell, len(machines))
	windows, failures := make([]stats.Window, len(machines)), []float64{}
	for k, s := range machines {
		naive[k] = stats.Spell{Exit: s.Exit, Event: s.Event}
		windows[k] = stats.Window{Entry: s.Entry, Exit: s.Exit}
		if s.Event {
			failures = append(failures, s.Exit)
		}
	}
	n := fitted(t, naive)
	near(t, "naive: shape", n.Shape, fleet.Naive.Shape, tol)
	near(t, "naive: scale", n.Scale, fleet.Naive.Scale, tol)
	rates := stats.AgeRates(failures, windows, 1, 0.95)
	if len(rates) != len(fleet.Hazard.Age) {
		t.Fatalf("%d ages", len(rates))
	}
	for k, r := range rates {
		if r.From != fleet.Hazard.Age[k] || float64(r.Events) != fleet.Hazard.Failures[k] {
			t.Errorf("age %g: %d failures, want %g", r.From, r.Events, fleet.Hazard.Failures[k])
		}
		near(t, "machine-years", r.Exposure, fleet.Hazard.Years[k], 1e-9)
		near(t, "rate", r.Value, fleet.Hazard.Rate[k], 1e-9)
		if !r.Limits.Holds(r.Value) {
			t.Errorf("limits %v of %g", r.Limits, r.Value)
		}
	}
	curve, _ := stats.KaplanMeier(machines)
	if len(curve.Steps) != len(fleet.KM.Time) {
		t.Fatalf("%d steps, want %d", len(curve.Steps), len(fleet.KM.Time))
	}
	for k, s := range curve.Steps {
		near(t, "time", s.T, fleet.KM.Time[k], 1e-9)
		near(t, "S", s.S, fleet.KM.Surv[k], 1e-9)
		near(t, "hazard", s.Hazard, fleet.KM.CumHaz[k], 1e-9)
	}
}

func TestWeibullRefuses(t *testing.T) {
	t.Parallel()
	same := make([]stats.Spell, 200)
	for k := range same { // all failures at the age at which watching ended: the shape runs away
		same[k] = stats.Spell{Exit: 1000, Event: k < 20}
	}
	few := make([]stats.Spell, 100)
	for k := range few {
		few[k] = stats.Spell{Exit: float64(k + 1), Event: k < stats.LeastFailures-1}
	}
	for name, in := range map[string][]stats.Spell{"nothing": nil, "the same age": same, "too few failures": few} {
		if f, ok := stats.FitWeibull(in); ok {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// drawFleet simulates machines bought over the years and watched through a
// window of the calendar, repaired each time.
func drawFleet(seed uint64, law stats.Weibull, machines int) (failures []float64, windows []stats.Window) {
	random := rand.New(rand.NewPCG(seed, 0))
	for range machines {
		entry := random.Float64() * 6
		exit := entry + 3
		windows = append(windows, stats.Window{Entry: entry, Exit: exit})
		for done := law.Cumulated(entry); ; {
			done += random.ExpFloat64()
			t := law.Scale * math.Pow(done, 1/law.Shape)
			if t > exit {
				break
			}
			failures = append(failures, t)
		}
	}
	return failures, windows
}

// TestPowerLaw: without a reference outside, the fit must find the law that
// simulated machines follow, as often as its limits promise.
func TestPowerLaw(t *testing.T) {
	t.Parallel()
	law := stats.Weibull{Shape: 1.6, Scale: 3}
	held := 0
	for seed := range uint64(100) {
		f, ok := stats.FitPowerLaw(drawFleet(seed, law, 300))
		if !ok {
			t.Fatal("refused")
		}
		if f.ShapeLimits.Holds(law.Shape) {
			held++
		}
	}
	if held < 88 { // 95 expected; fewer than 88 once in some 300
		t.Errorf("the limits hold the true shape %d times in 100", held)
	}
	// One machine watched from 0: Crow's closed form (beta = n/Σ ln(T/t)).
	times := []float64{3, 7, 12, 18, 20, 27, 33, 41, 46, 52, 55, 60}
	f, ok := stats.FitPowerLaw(times, []stats.Window{{Exit: 64}})
	var logs float64
	for _, x := range times {
		logs += math.Log(64 / x)
	}
	if !ok {
		t.Fatal("refused")
	}
	near(t, "beta", f.Shape, 12/logs, 1e-9)
	near(t, "expected at the end", f.Cumulated(64), 12, 1e-9)
}

func TestWeibullProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		law := stats.Weibull{Shape: rapid.Float64Range(0.6, 4).Draw(t, "shape"), Scale: rapid.Float64Range(2, 12).Draw(t, "scale")}
		failures, windows := drawFleet(rapid.Uint64().Draw(t, "seed"), law, 60)
		f, ok := stats.FitPowerLaw(failures, windows)
		if !ok {
			return
		}
		// In another unit the shape is the same, and the scale is in that unit.
		for k := range failures {
			failures[k] *= 365
		}
		for k := range windows {
			windows[k].Entry *= 365
			windows[k].Exit *= 365
		}
		g, ok := stats.FitPowerLaw(failures, windows)
		if !ok || math.Abs(g.Shape-f.Shape) > 1e-7*f.Shape || math.Abs(g.Scale-365*f.Scale) > 1e-6*g.Scale {
			t.Fatalf("%+v, %+v", f.Weibull, g.Weibull)
		}
		// Doubling what was watched halves the rates.
		once := stats.AgeRates(failures, windows, 365, 0.95)
		twice := stats.AgeRates(failures, append(windows, windows...), 365, 0.95)
		for k := range once {
			if math.Abs(once[k].Value-2*twice[k].Value) > 1e-12 {
				t.Fatalf("%g, %g", once[k].Value, twice[k].Value)
			}
		}
	})
}

func BenchmarkWeibull10000(b *testing.B) {
	failures, windows := drawFleet(1, stats.Weibull{Shape: 1.6, Scale: 4}, 10_000)
	for b.Loop() {
		stats.FitPowerLaw(failures, windows)
	}
}
