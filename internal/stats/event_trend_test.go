package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

// Submarine diesels (Ascher & Feingold 1984), reliability growth (ReliaWiki)
// and intervals between failures (Todinov 2005), typed from the literature.
var (
	grampus = []float64{
		0.86, 1.258, 1.317, 1.442, 1.897, 2.011, 2.122, 2.439, 3.203, 3.298, 3.902, 3.91, 4, 4.247, 4.411, 4.456, 4.517, 4.899, 4.91, 5.676, 5.755, 6.137, 6.221, 6.311, 6.613, 6.975, 7.335, 8.158, 8.498, 8.69,
		9.042, 9.33, 9.394, 9.426, 9.872, 10.191, 11.511, 11.575, 12.1, 12.126, 12.368, 12.681, 12.795, 13.399, 13.668, 13.78, 13.877, 14.007, 14.028, 14.035, 14.173, 14.173, 14.449, 14.587, 14.61, 15.07,
	}
	growth  = []float64{2.7, 10.3, 12.5, 30.6, 57, 61.3, 80, 109.5, 125, 128.6, 143.8, 167.9, 229.2, 296.7, 320.6, 328.2, 366.2, 396.7, 421.1, 438.2, 501.2, 620}
	todinov = []float64{104, 131, 1597, 59, 4, 503, 157, 6, 118, 173, 114, 62, 101, 216, 106, 140, 1, 102, 3, 393, 96, 232, 89, 61, 37, 293, 7, 165, 87, 99}
)

type trendNumbers struct {
	N          int
	T          float64
	U          float64    `json:"laplace_U"`
	P          float64    `json:"laplace_p_two_sided"`
	Chi        float64    `json:"milhdbk189_chi2"`
	Freedom    int        `json:"milhdbk189_df"`
	ChiP       float64    `json:"milhdbk189_p_two_sided"`
	Beta       float64    `json:"beta_mle"`
	Lambda     float64    `json:"lambda_mle"`
	Unbiased   float64    `json:"beta_unbiased"`
	Limits     [2]float64 `json:"beta_ci95"`
	Intensity  float64    `json:"intensity_at_T"`
	CvM        float64    `json:"cvm"`
	PooledU    float64    `json:"pooled_laplace_U"`
	PooledChi  float64    `json:"pooled_milhdbk_chi2"`
	PooledFree int        `json:"pooled_milhdbk_df"`
	Likelihood float64    `json:"loglik"`
	UAll       float64    `json:"U_all"`
	UTruncated float64    `json:"U_failure_truncated"`
	BetaAll    float64    `json:"beta_mle_all"`
	Published  struct{ Beta, Lambda float64 }
}

func TestTrendOfOneUnit(t *testing.T) {
	t.Parallel()
	var want map[string]trendNumbers
	expected(t, "16-trend-repairable", &want)
	halfbeak := input(t, "16-trend-repairable/halfbeak.csv")["kilohours"]
	for name, times := range map[string][]float64{"halfbeak_T25.5181": halfbeak, "grampus_T16": grampus, "reliasoft_growth_failure_terminated": growth} {
		w := want[name]
		got, ok := stats.TrendOf(times, w.T, 0.95)
		if !ok || got.N != w.N || got.Freedom != w.Freedom {
			t.Fatalf("%s: %+v", name, got)
		}
		near(t, name+" U", got.Laplace, w.U, 1e-9)
		near(t, name+" p", got.LaplaceP, w.P, 1e-9)
		near(t, name+" chi", got.ChiSquare, w.Chi, 1e-9)
		near(t, name+" chi p", got.ChiSquareP, w.ChiP, 1e-9)
		near(t, name+" beta", got.Beta, w.Beta, 1e-9)
		near(t, name+" lambda", got.Scale, w.Lambda, 1e-9)
		near(t, name+" unbiased", got.Unbiased, w.Unbiased, 1e-9)
		near(t, name+" low", got.Limits.Low, w.Limits[0], 1e-9)
		near(t, name+" high", got.Limits.High, w.Limits[1], 1e-9)
		near(t, name+" intensity", got.Intensity, w.Intensity, 1e-9)
		near(t, name+" misfit", got.Misfit, w.CvM, 1e-9)
		if p := w.Published; p.Beta > 0 {
			near(t, name+" published beta", got.Beta, p.Beta, 1e-5)
			near(t, name+" published lambda", got.Scale, p.Lambda, 1e-5)
		}
	}
	// Todinov's U leaves the last event out, his beta counts it; U of all is
	// that of a unit watched just past its last event.
	w := want["todinov"]
	times := cumulated(todinov)
	end := times[len(times)-1]
	got, _ := stats.TrendOf(times, end, 0.95)
	near(t, "todinov U", got.Laplace, w.UTruncated, 1e-9)
	near(t, "todinov beta", got.Beta, w.BetaAll, 1e-9)
	past, _ := stats.TrendOf(times, math.Nextafter(end, 1e9), 0.95)
	near(t, "todinov U of all", past.Laplace, w.UAll, 1e-9)
}

func cumulated(gaps []float64) []float64 {
	out, at := make([]float64, len(gaps)), 0.0
	for k, d := range gaps {
		at += d
		out[k] = at
	}
	return out
}

// The published numbers, without any file: ReliaWiki, Todinov example 5.11, and
// the two submarines of Ascher and Feingold.
func TestTrendAsPublished(t *testing.T) {
	t.Parallel()
	g, _ := stats.TrendOf(growth, 620, 0.95)
	near(t, "growth beta", g.Beta, 0.61421, 1e-5)
	near(t, "growth lambda", g.Scale, 0.42394, 1e-5)
	near(t, "growth mean time at the end", 1/g.Intensity, 45.883, 1e-4)
	times := cumulated(todinov)
	d, _ := stats.TrendOf(times, times[len(times)-1], 0.95)
	near(t, "Todinov U", d.Laplace, 2.409, 1e-3)
	near(t, "Todinov beta", d.Beta, 1.588, 1e-3)
	near(t, "Todinov lambda", d.Scale, 3.703e-5, 1e-7)
	s, _ := stats.TrendOf(grampus, 16, 0.95)
	near(t, "Grampus p", s.LaplaceP, 0.69, 5e-3)
}

func TestPooledTrend(t *testing.T) {
	t.Parallel()
	var want map[string]trendNumbers
	expected(t, "16-trend-repairable", &want)
	w := want["valve_seats"]
	got, ok := stats.PooledTrend(seats(t, "16-trend-repairable/valve_seats.csv"))
	if !ok || got.Freedom != w.PooledFree {
		t.Fatalf("%+v", got)
	}
	near(t, "U", got.Laplace, w.PooledU, 1e-9)
	near(t, "chi", got.ChiSquare, w.PooledChi, 1e-9)
	near(t, "beta", got.Beta, w.Beta, 1e-9)
	near(t, "lambda", got.Scale, w.Lambda, 1e-9)
	near(t, "log-likelihood", got.Likelihood, w.Likelihood, 1e-9)
}

func TestTrendProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.SliceOfN(rapid.Float64Range(0.01, 99), 3, 60).Draw(rt, "times")
		one, ok := stats.TrendOf(times, 100, 0.95)
		if !ok {
			rt.Skip()
		}
		// The order in which events are given does not matter, nor the unit of time.
		mixed := slices.Clone(times)
		slices.Reverse(mixed)
		for k := range mixed {
			mixed[k] *= 24
		}
		two, _ := stats.TrendOf(mixed, 2400, 0.95)
		if math.Abs(one.Laplace-two.Laplace) > 1e-9 || math.Abs(one.Beta-two.Beta) > 1e-9 {
			rt.Fatalf("%+v then %+v", one, two)
		}
		// A unit alone is the pool of one, and time told backwards the opposite trend.
		pooled, _ := stats.PooledTrend([]stats.Life{{Exit: 100, Events: times}})
		if math.Abs(pooled.Laplace-one.Laplace) > 1e-9 || math.Abs(pooled.Beta-one.Beta) > 1e-7*one.Beta {
			rt.Fatalf("alone %+v, pooled %+v", one, pooled)
		}
		for k := range mixed {
			mixed[k] = 2400 - mixed[k]
		}
		if back, ok := stats.TrendOf(mixed, 2400, 0.95); ok && math.Abs(back.Laplace+one.Laplace) > 1e-9 {
			rt.Fatalf("backwards %v, forwards %v", back.Laplace, one.Laplace)
		}
		if !one.Limits.Holds(one.Beta) && one.N > 3 {
			rt.Fatalf("%+v", one)
		}
	})
	for name, refused := range map[string][]float64{"none": nil, "one": {5}, "past the end": {5, 101}, "before the beginning": {-1, 5}, "two, one of them the end": {5, 100}, "not a number": {5, 6, math.NaN()}} {
		if r, ok := stats.TrendOf(refused, 100, 0.95); ok {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, ok := stats.PooledTrend([]stats.Life{{Exit: 10, Events: []float64{3}}}); ok {
		t.Error("a trend of one event")
	}
}

// A constant rate is called a trend as often as announced.
func TestTrendCriesWolfAsAnnounced(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(7, 0))
	const runs = 4000
	wrong := 0
	for range runs {
		var lives []stats.Life
		for range 5 {
			l := stats.Life{Exit: 50 + 100*draw.Float64()}
			for x := draw.ExpFloat64() * 40; x < l.Exit; x += draw.ExpFloat64() * 40 {
				l.Events = append(l.Events, x)
			}
			lives = append(lives, l)
		}
		if r, ok := stats.PooledTrend(lives); ok && r.LaplaceP < 0.05 {
			wrong++
		}
	}
	if share := float64(wrong) / runs; share < 0.035 || share > 0.065 { // 4 standard errors
		t.Errorf("%.3f of constant rates are called a trend", share)
	}
}

func BenchmarkTrend(b *testing.B) {
	draw := rand.New(rand.NewPCG(7, 0))
	lives := make([]stats.Life, 10_000)
	for k := range lives {
		lives[k].Exit = 500
		for range draw.IntN(4) {
			lives[k].Events = append(lives[k].Events, 1+499*draw.Float64())
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		stats.PooledTrend(lives)
	}
}
