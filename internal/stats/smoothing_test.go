package stats_test

import (
	"fmt"
	"math"
	"testing"

	"statincidents/internal/stats"
)

func TestSmoothing(t *testing.T) {
	t.Parallel()
	var want struct {
		Open []float64 `json:"open_week_rate"`
		SES  struct {
			Forecast float64
			Fitted   []float64
			SSE      float64
		} `json:"ses_alpha0.3_initial_first_value"`
		Best struct{ Alpha, L0, Forecast, SSE float64 } `json:"ses_optimised"`
		Holt struct {
			Forecast []float64
			MSE      float64
		} `json:"holt_damped_optimised"`
		Theta struct{ Forecast []float64 }
		Naive []float64 `json:"snaive"`
		Air   struct {
			HW struct {
				Alpha, Beta, Gamma float64
				SSE                float64
				Coef               map[string]float64
				Forecast           []float64 `json:"forecast12"`
			} `json:"holtwinters_log_additive"`
			Holdout struct {
				HW struct {
					Forecast        []float64
					MAE, MASE, MAPE float64
				} `json:"hw_mult"`
				Snaive, Naive struct{ MAE, MASE float64 }
			} `json:"holdout_1959_60"`
		} `json:"airpassengers"`
		Poisson struct {
			Coef, SE []float64
			Deviance float64
			Phi      float64 `json:"pearson_phi"`
		} `json:"glm_poisson"`
		NB struct {
			Coef    []float64
			Theta   float64
			SETheta float64   `json:"se_theta"`
			LogLik2 float64   `json:"twologlik"`
			Mean    []float64 `json:"next8_mean"`
			Q05     []int     `json:"next8_q05"`
			Q50     []int     `json:"next8_q50"`
			Q95     []int     `json:"next8_q95"`
		} `json:"glm_nb"`
	}
	expected(t, "22-forecast-smoothing", &want)
	x := want.Open
	ses := stats.Smooth(x, 0.3, x[0])
	near(t, "ses forecast", ses.Last, want.SES.Forecast, 1e-9)
	near(t, "ses sse", ses.SSE, want.SES.SSE, 1e-9)
	for k, v := range want.SES.Fitted {
		near(t, fmt.Sprintf("ses fitted %d", k), ses.Fitted[k], v, 1e-9)
	}
	best := stats.SmoothBest(x, 1e-4, 0.9999)
	near(t, "best forecast", best.Last, want.Best.Forecast, 1e-3)
	if best.SSE > want.Best.SSE*(1+1e-4) {
		t.Errorf("sse %v, theirs %v", best.SSE, want.Best.SSE)
	}
	holt, ok := stats.HoltDamped(x)
	if !ok || holt.MSE > want.Holt.MSE*(1+1e-4) {
		t.Errorf("holt mse %v, theirs %v", holt.MSE, want.Holt.MSE)
	}
	for h, v := range want.Holt.Forecast {
		near(t, fmt.Sprintf("holt %d", h+1), holt.Ahead(h+1), v, 2e-3) // ours has the lower mean square
	}
	for h, v := range stats.Theta(x, len(want.Theta.Forecast)) {
		near(t, fmt.Sprintf("theta %d", h+1), v, want.Theta.Forecast[h], 1e-3)
	}
	// ETS(M,N,N) and ETS(M,Ad,M) are R's own choice of a model by its likelihood:
	// nothing here chooses so, and no page shows them.

	air := input(t, "22-forecast-smoothing/airpassengers.csv")["y"]
	logs := make([]float64, len(air))
	for k, v := range air {
		logs[k] = math.Log(v)
	}
	hw, ok := stats.HoltWinters(logs, 12, want.Air.HW.Alpha, want.Air.HW.Beta, want.Air.HW.Gamma)
	if !ok {
		t.Fatal("Holt-Winters refused")
	}
	near(t, "hw sse", hw.SSE, want.Air.HW.SSE, 1e-6)
	near(t, "hw a", hw.Level, want.Air.HW.Coef["a"], 1e-6)
	near(t, "hw b", hw.Slope, want.Air.HW.Coef["b"], 1e-6)
	for k := range 12 {
		near(t, fmt.Sprintf("hw s%d", k+1), hw.Index[k], want.Air.HW.Coef[fmt.Sprintf("s%d", k+1)], 1e-6)
		near(t, fmt.Sprintf("hw %d ahead", k+1), hw.Ahead(k+1), want.Air.HW.Forecast[k], 1e-6)
	}
	// The measures, on the forecasts of the reference.
	train, test := air[:120], air[120:]
	scale := stats.NaiveError(train, 12)
	near(t, "hw MAE", stats.MeanError(test, want.Air.Holdout.HW.Forecast), want.Air.Holdout.HW.MAE, 1e-9)
	near(t, "hw MASE", stats.MeanError(test, want.Air.Holdout.HW.Forecast)/scale, want.Air.Holdout.HW.MASE, 1e-9)
	last, lastYear := make([]float64, 24), make([]float64, 24)
	for k := range 24 {
		last[k], lastYear[k] = train[119], train[108+k%12]
	}
	near(t, "seasonal naive MAE", stats.MeanError(test, lastYear), want.Air.Holdout.Snaive.MAE, 1e-9)
	near(t, "seasonal naive MASE", stats.MeanError(test, lastYear)/scale, want.Air.Holdout.Snaive.MASE, 1e-9)
	near(t, "naive MAE", stats.MeanError(test, last), want.Air.Holdout.Naive.MAE, 1e-9)

	in := input(t, "22-forecast-smoothing/weekly_school.csv")
	var rows [][]float64
	var events []int
	var exposure []float64
	row := func(week, school float64) []float64 {
		angle := 2 * math.Pi * school / 52
		return []float64{1, math.Exp(-school / 3), math.Sin(angle), math.Cos(angle), week / 52}
	}
	for k := range in["week"] {
		if in["openness"][k] > 0.3 {
			rows = append(rows, row(in["week"][k], in["school_week"][k]))
			events, exposure = append(events, int(in["incidents"][k])), append(exposure, in["openness"][k])
		}
	}
	poisson, ok := stats.PoissonRegression(rows, events, exposure)
	if !ok {
		t.Fatal("no regression")
	}
	near(t, "Poisson deviance", poisson.Deviance, want.Poisson.Deviance, 1e-7)
	near(t, "Poisson phi", poisson.Phi, want.Poisson.Phi, 1e-7)
	for c, v := range want.Poisson.Coef {
		near(t, fmt.Sprintf("Poisson coefficient %d", c), poisson.Coefficients[c], v, 1e-7)
		near(t, fmt.Sprintf("Poisson error %d", c), poisson.Errors[c]/math.Sqrt(poisson.Phi), want.Poisson.SE[c], 1e-7)
	}
	nb, ok := stats.NegativeBinomialRegression(rows, events, exposure)
	if !ok {
		t.Fatal("no negative-binomial regression")
	}
	near(t, "theta", nb.Theta, want.NB.Theta, 1e-4)
	near(t, "theta's error", nb.ThetaError, want.NB.SETheta, 1e-3)
	near(t, "log-likelihood", 2*nb.LogLik, want.NB.LogLik2, 1e-6)
	for c, v := range want.NB.Coef {
		near(t, fmt.Sprintf("NB coefficient %d", c), nb.Coefficients[c], v, 1e-4)
	}
	for k, v := range want.NB.Mean {
		open := 1.0
		if k == 7 {
			open = 0.05
		}
		mean := 0.0
		for c, x := range row(in["week"][len(in["week"])-1]+1+float64(k), float64(k)) {
			mean += x * nb.Coefficients[c]
		}
		mean = open * math.Exp(mean)
		near(t, fmt.Sprintf("NB mean %d ahead", k+1), mean, v, 1e-4)
		for p, q := range map[float64]int{0.05: want.NB.Q05[k], 0.5: want.NB.Q50[k], 0.95: want.NB.Q95[k]} {
			if got := stats.NBQuantile(p, mean, nb.Theta); got != q {
				t.Errorf("quantile %v, %d ahead: %d, want %d", p, k+1, got, q)
			}
		}
	}
}

func TestIntermittent(t *testing.T) {
	t.Parallel()
	var want struct {
		Croston float64               `json:"forecast_croston_alpha0.1"`
		Mean    struct{ Out float64 } `json:"tsintermittent_croston"`
		SBA     struct{ Out float64 } `json:"tsintermittent_sba"`
		TSB     struct{ Out float64 } `json:"tsintermittent_tsb"`
	}
	expected(t, "23-intermittent", &want)
	y := input(t, "23-intermittent/input.csv")["y"]
	near(t, "Croston", stats.Croston(y, 0.1), want.Croston, 1e-9)
	near(t, "SBA", stats.SBA(y, 0.1), want.SBA.Out, 1e-9)
	near(t, "Croston from the mean", stats.SBA(y, 0.1)/0.95, want.Mean.Out, 1e-9)
	near(t, "TSB", stats.TSB(y, 0.1, 0.1), want.TSB.Out, 1e-9)
}

func TestDieboldMariano(t *testing.T) {
	t.Parallel()
	type one struct{ Stat, P float64 }
	var want struct {
		H3 one `json:"h3_power1"`
		H1 one `json:"h1_power2"`
	}
	expected(t, "24-diebold-mariano", &want)
	in := input(t, "24-diebold-mariano/input.csv")
	for _, c := range []struct {
		ahead int
		power float64
		want  one
	}{{3, 1, want.H3}, {1, 2, want.H1}} {
		got, ok := stats.DieboldMariano(in["e1"], in["e2"], c.ahead, c.power)
		if !ok {
			t.Fatal("refused")
		}
		near(t, "statistic", got.Statistic, c.want.Stat, 1e-9)
		near(t, "p", got.P, c.want.P, 1e-9)
	}
	if _, ok := stats.DieboldMariano([]float64{1, 1}, []float64{1, 2}, 1, 1); ok {
		t.Error("two errors are enough")
	}
	same := []float64{1, 2, 3, 1, 2, 3, 1, 2}
	if _, ok := stats.DieboldMariano(same, same, 1, 1); ok {
		t.Error("the same errors differ")
	}
}
