package stats_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

// agePolicies are those of the oracle, also here so that the test runs without
// it. The last one's optimum lies at the bound of R's search: waiting for the
// failure is cheaper.
var agePolicies = []struct{ Shape, Eta, CP, CF, T, Cost, At7, Failure float64 }{
	{2.5, 1000, 1, 5, 493.046952872323, 0.00346204273878926, 0.14285965283516, 0.00563530248993014},
	{1.7, 9, 1, 2, 13.1669774111267, 0.246534057413789, 0.264120519611848, 0.249059783052449},
	{1.7, 9, 1, 5, 5.11144874690207, 0.50848418485758, 0.520798263740449, 0.622649457631123},
	{2.5, 8, 1, 3, 5.25484646403226, 0.332724724969118, 0.347395448157675, 0.42264768674476},
	{3.2, 9, 600, 950, 8.56636968976458, 111.63361298844, 114.553967339666, 117.853093325543},
	{1.2, 10, 1, 1.5, math.Inf(1), 0.159463207169071, 0.233797745957251, 0.159463207169071},
}

func TestAgeReplacement(t *testing.T) {
	t.Parallel()
	for _, w := range agePolicies {
		checkAge(t, w.Shape, w.Eta, w.CP, w.CF, w.T, w.Cost, w.At7, w.Failure)
	}
}

func checkAge(t *testing.T, shape, eta, cp, cf, age, cost, at7, failure float64) {
	t.Helper()
	law := stats.Weibull{Shape: shape, Scale: eta}
	r := stats.Replacement{Planned: cp, Failure: cf}
	o, ok := r.Optimum(law)
	if !ok {
		t.Fatal("refused")
	}
	if math.IsInf(age, 1) {
		if !o.Never() {
			t.Errorf("replace at %g", o.Age)
		}
	} else {
		near(t, "age", o.Age, age, 1e-5)
	}
	near(t, "cost", o.Cost, cost, 1e-9)
	near(t, "cost at 7", r.CostRate(law, 7), at7, 1e-9)
	near(t, "cost of waiting", cf/law.Mean(), failure, 1e-9)
}

func TestAgeReplacementOracle(t *testing.T) {
	t.Parallel()
	var want []struct {
		Shape, Eta, CP, CF float64
		T                  float64 `json:"T_opt"`
		Cost               float64 `json:"cost_rate"`
		At7                float64 `json:"cost_at_7"`
		Failure            float64 `json:"run_to_failure"`
	}
	expected(t, "20-age-replacement", &want)
	for _, w := range want {
		if w.Cost > w.Failure {
			w.T, w.Cost = math.Inf(1), w.Failure // see agePolicies
		}
		checkAge(t, w.Shape, w.Eta, w.CP, w.CF, w.T, w.Cost, w.At7, w.Failure)
	}
}

func TestMinimalRepair(t *testing.T) {
	t.Parallel()
	type row struct {
		Beta, Alpha float64
		Replace     float64 `json:"cost_replace"`
		Repair      float64 `json:"cost_minimal_repair"`
		T           float64 `json:"T_opt"`
		Cost        float64 `json:"cost_rate"`
		Check       float64
	}
	check := func(t *testing.T, rows []row) {
		t.Helper()
		for _, w := range rows {
			o, ok := stats.Replacement{Policy: stats.RepairedEachTime, Planned: w.Replace, Failure: w.Repair}.Optimum(stats.Weibull{Shape: w.Beta, Scale: w.Alpha})
			if !ok {
				t.Fatal("refused")
			}
			near(t, "age", o.Age, w.T, 1e-9)
			near(t, "cost", o.Cost, w.Cost, 1e-9)
			near(t, "numerical minimum", o.Age, w.Check, 1e-4)
		}
	}
	check(t, []row{
		{2.5, 1000, 1, 5, 446.658388441524, 0.00373141243911703, 446.65838801609},
		{1.6, 3, 700, 60, 19.1698390585115, 97.3751871869711, 19.1698393338576},
		{1.3, 1.2, 700, 60, 20.0504426641754, 151.285105478148, 20.0504426431053},
	})
	t.Run("oracle", func(t *testing.T) {
		t.Parallel()
		var want []row
		expected(t, "37-minimal-repair-replacement", &want)
		check(t, want)
	})
}

func TestReplacementProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		law := stats.Weibull{Shape: rapid.Float64Range(0.5, 5).Draw(t, "shape"), Scale: rapid.Float64Range(1, 20).Draw(t, "scale")}
		r := stats.Replacement{
			Policy:  rapid.SampledFrom([]stats.Policy{stats.ReplacedAtFailure, stats.RepairedEachTime}).Draw(t, "policy"),
			Planned: rapid.Float64Range(1, 1000).Draw(t, "planned"), Failure: rapid.Float64Range(1, 2000).Draw(t, "failure"),
			Yearly: rapid.SampledFrom([]float64{0, 0, 40, 200}).Draw(t, "yearly"), From: rapid.Float64Range(0, 10).Draw(t, "from"),
		}
		o, ok := r.Optimum(law)
		if !ok {
			t.Fatal("refused")
		}
		if o.Never() {
			if law.Shape > 1 && r.Yearly > 0 && r.Policy == stats.RepairedEachTime && r.Failure > 0 {
				t.Fatalf("never, though it costs more each year")
			}
			return
		}
		// Nothing is cheaper than the best, but for the grid of the search.
		for _, at := range []float64{0.3, 0.6, 0.9, 0.98, 1.02, 1.1, 1.5, 3} {
			if c := r.CostRate(law, o.Age*at); c < o.Cost*(1-1e-3) {
				t.Fatalf("%g at %g, the best %g at %g", c, o.Age*at, o.Cost, o.Age)
			}
		}
		// Everything twice as dear: the same age.
		d := r
		d.Planned, d.Failure, d.Yearly = 2*r.Planned, 2*r.Failure, 2*r.Yearly
		if p, _ := d.Optimum(law); math.Abs(p.Age-o.Age) > 1e-6*o.Age {
			t.Fatalf("%g, then %g", o.Age, p.Age)
		}
		// A cost that grows with age never makes one keep a machine longer.
		e := r
		e.Yearly += 100
		if p, _ := e.Optimum(law); p.Age > o.Age*1.01+0.01 {
			t.Fatalf("%g, with a cost of age %g", o.Age, p.Age)
		}
	})
}

func TestReplacementDoubt(t *testing.T) {
	t.Parallel()
	failures, windows := drawFleet(3, stats.Weibull{Shape: 2, Scale: 3}, 400)
	f, ok := stats.FitPowerLaw(failures, windows)
	if !ok {
		t.Fatal("refused")
	}
	r := stats.Replacement{Policy: stats.RepairedEachTime, Planned: 700, Failure: 120}
	o, _ := r.Optimum(f.Weibull)
	d, ok := r.Doubt(f, 7, 0.9, 2000, 45)
	again, _ := r.Doubt(f, 7, 0.9, 2000, 45)
	if !ok || d != again || !d.Age.Holds(o.Age) || d.Extra.Low < 0 || d.Sooner+d.Later > 1 {
		t.Errorf("%+v, best %+v", d, o)
	}
	if !d.RuleCost.Holds(r.CostRate(f.Weibull, 7)) {
		t.Errorf("cost %g in %v", r.CostRate(f.Weibull, 7), d.RuleCost)
	}
}
