package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

// schoolYears are open weeks of some years, Poisson around a level with a wave
// in September, holidays that move.
func schoolYears(seed uint64, years int, level float64) []stats.SchoolWeek {
	r := rand.New(rand.NewPCG(seed, 8))
	var weeks []stats.SchoolWeek
	for y := range years {
		closed := map[int]bool{7 + y%2: true, 8 + y%2: true, 16: true, 17: true, 23 + y%3: true, 24 + y%3: true, 31 + y%2: true, 32 + y%2: true}
		number := 0
		for w := range 44 {
			if closed[w] {
				continue
			}
			number++
			mean := level * (1 + 0.8*math.Exp(-float64(number)/3))
			n, limit := 0, math.Exp(-mean/10)
			for range 10 { // Poisson in ten parts
				for p := r.Float64(); p > limit; p *= r.Float64() {
					n++
				}
			}
			weeks = append(weeks, stats.SchoolWeek{Number: number, Place: 52*y + w, Openness: 1, Count: n})
		}
	}
	return weeks
}

// On weeks with holidays that move, ours errs less than what people do by hand,
// and its interval holds what it says.
func TestForecastBackTest(t *testing.T) {
	t.Parallel()
	b, ok := stats.BackTestWeeks(schoolYears(1, 4, 80), 8, 36)
	if !ok || b.Origins != 36 || len(b.Trials) != len(stats.Rivals) {
		t.Fatalf("%+v %v", b, ok)
	}
	t.Logf("%+v", b)
	for _, r := range b.Trials[1:] {
		if r.MAE < b.Trials[0].MAE {
			t.Errorf("%s errs less: %+v, ours %+v", r.Rival, r, b.Trials[0])
		}
	}
	if b.Coverage < 0.8 || b.Coverage > 0.99 {
		t.Errorf("the interval of 90 %% holds %.0f %% of weeks", 100*b.Coverage)
	}
	if _, ok := stats.BackTestWeeks(schoolYears(1, 1, 80), 8, 36); ok {
		t.Error("a back-test on one year")
	}
}

func TestForecastProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		past := schoolYears(rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(1, 3).Draw(rt, "years"), rapid.Float64Range(1, 60).Draw(rt, "level"))
		past = past[:rapid.IntRange(8, len(past)).Draw(rt, "weeks")]
		ahead := []stats.SchoolWeek{{Number: 3, Place: 200, Openness: 1}, {Number: 3, Place: 200, Openness: 0.5}, {Number: 3, Place: 200, Openness: 0}}
		got, _, ok := stats.ForecastWeeks(past, ahead)
		if !ok {
			if slices.ContainsFunc(past, func(w stats.SchoolWeek) bool { return w.Count > 0 }) {
				rt.Fatal("refused")
			}
			return
		}
		// Half as open, half as much; closed, nothing. A holiday in the past is not seen.
		if math.Abs(got[1].Mean*2-got[0].Mean) > 1e-9*got[0].Mean || got[2] != (stats.Foreseen{}) {
			rt.Fatalf("%+v", got)
		}
		if got[0].Low > got[0].High || float64(got[0].High) < got[0].Mean*0.5 {
			rt.Fatalf("%+v", got[0])
		}
		holiday := append(slices.Clone(past), stats.SchoolWeek{Number: 0, Place: past[len(past)-1].Place, Openness: 0, Count: 3})
		again, _, _ := stats.ForecastWeeks(holiday, ahead)
		if again[0] != got[0] {
			rt.Fatalf("a holiday changes %+v to %+v", got[0], again[0])
		}
	})
	if _, _, ok := stats.ForecastWeeks(schoolYears(1, 1, 10)[:7], nil); ok {
		t.Error("a forecast from seven weeks")
	}
}

func BenchmarkForecastBackTest(b *testing.B) {
	weeks := schoolYears(1, 5, 80)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := stats.BackTestWeeks(weeks, 8, 36); !ok {
			b.Fatal("refused")
		}
	}
}
