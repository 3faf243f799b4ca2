package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

// seats reads lives from columns ID, Days and No. (1 an event, 0 the end).
func seats(t *testing.T, file string) []stats.Life {
	t.Helper()
	in := input(t, file)
	return lives(in["ID"], in["Days"], in["No."])
}

func lives(ids, ages, events []float64) []stats.Life {
	at := map[float64]int{}
	var out []stats.Life
	for k, id := range ids {
		u, ok := at[id]
		if !ok {
			u = len(out)
			at[id] = u
			out = append(out, stats.Life{})
		}
		if events[k] > 0 {
			out[u].Events = append(out[u].Events, ages[k])
		} else {
			out[u].Exit = ages[k]
		}
	}
	return out
}

func TestMCF(t *testing.T) {
	t.Parallel()
	type numbers struct {
		Time, MCF    []float64
		SE           []float64 `json:"se"`
		LawlessSE    []float64 `json:"se_lawless_nadeau"`
		Poisson      []float64 `json:"se_poisson"`
		Lower, Upper []float64
		Published    struct{ Time, MCF []float64 }
	}
	var want struct {
		Seats numbers `json:"valve_seats"`
		Five  numbers `json:"reliasoft5"`
	}
	expected(t, "15-mcf", &want)
	in := input(t, "15-mcf/reliasoft5.csv")
	for name, c := range map[string]struct {
		lives []stats.Life
		want  numbers
		se    []float64
	}{
		"valve seats": {seats(t, "15-mcf/valve_seats.csv"), want.Seats, want.Seats.LawlessSE},
		"five":        {lives(in["id"], in["time"], in["event"]), want.Five, want.Five.SE},
	} {
		f := stats.MCF(c.lives)
		for k, age := range c.want.Time {
			got := stats.CumulativeAt(f, age)
			near(t, name+" MCF", got.Mean, c.want.MCF[k], 1e-9)
			near(t, name+" se", got.SE, c.se[k], 1e-9)
			if c.want.Poisson != nil {
				near(t, name+" se of independent events", got.Poisson, c.want.Poisson[k], 1e-9)
			}
			if c.want.Lower != nil {
				// The reference draws symmetric limits; ours stay above 0.
				near(t, name+" low", got.Mean-1.959963984540054*got.SE, c.want.Lower[k], 1e-9)
				near(t, name+" high", got.Mean+1.959963984540054*got.SE, c.want.Upper[k], 1e-9)
			}
		}
		for k, age := range c.want.Published.Time {
			got := stats.CumulativeAt(f, age).Mean
			if k+1 < len(c.want.Published.Time) && c.want.Published.Time[k+1] == age {
				continue // the published table takes events of the same age one by one
			}
			near(t, name+" published", got, c.want.Published.MCF[k], 1e-5)
		}
	}
}

// The five systems of ReliaWiki, typed from its page: the function agrees with
// what is printed, and the variance with its definition.
func TestMCFAsPublished(t *testing.T) {
	t.Parallel()
	five := []stats.Life{
		{Exit: 17, Events: []float64{5, 10, 15}}, {Exit: 19, Events: []float64{6, 13, 17}}, {Exit: 26, Events: []float64{12, 20, 25}},
		{Exit: 24, Events: []float64{13, 15}}, {Exit: 28, Events: []float64{16, 22, 25}},
	}
	f := stats.MCF(five)
	if len(f) != 11 {
		t.Fatalf("%d steps", len(f))
	}
	near(t, "first", f[0].Mean, 0.2, 1e-12)
	near(t, "first variance", f[0].SE*f[0].SE, 0.032, 1e-12)
	near(t, "last", f[10].Mean, 11.0/3, 1e-12)
}

// naive is the definition, term by term.
func naive(lives []stats.Life) (ages, mean, se []float64) {
	for _, l := range lives {
		for _, x := range l.Events {
			if x > l.Entry && x <= l.Exit {
				ages = append(ages, x)
			}
		}
	}
	slices.Sort(ages)
	ages = slices.Compact(ages)
	own := make([]float64, len(lives))
	m := 0.0
	for _, age := range ages {
		y, d := 0.0, 0.0
		count := func(l stats.Life) (n float64) {
			for _, x := range l.Events {
				if x == age {
					n++
				}
			}
			return n
		}
		for _, l := range lives {
			if l.Entry < age && age <= l.Exit {
				y++
				d += count(l)
			}
		}
		m += d / y
		v := 0.0
		for k, l := range lives {
			if l.Entry < age && age <= l.Exit {
				own[k] += (count(l) - d/y) / y
			}
			v += own[k] * own[k]
		}
		mean, se = append(mean, m), append(se, math.Sqrt(v))
	}
	return ages, mean, se
}

func TestMCFProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var lives []stats.Life
		for range rapid.IntRange(1, 12).Draw(rt, "units") {
			l := stats.Life{Entry: float64(rapid.IntRange(0, 20).Draw(rt, "entry"))}
			l.Exit = l.Entry + float64(rapid.IntRange(0, 20).Draw(rt, "length"))
			for range rapid.IntRange(0, 5).Draw(rt, "events") {
				l.Events = append(l.Events, float64(rapid.IntRange(0, 45).Draw(rt, "age")))
			}
			lives = append(lives, l)
		}
		f := stats.MCF(lives)
		ages, mean, se := naive(lives)
		if len(f) != len(ages) {
			rt.Fatalf("%d steps, want %d", len(f), len(ages))
		}
		for k, c := range f {
			if c.Age != ages[k] || math.Abs(c.Mean-mean[k]) > 1e-9 || math.Abs(c.SE-se[k]) > 1e-7 {
				rt.Fatalf("step %d: %+v, want %v ± %v", k, c, mean[k], se[k])
			}
			if limits := c.Limits(0.95); !limits.Holds(c.Mean) || limits.Low < 0 {
				rt.Fatalf("%+v", limits)
			}
		}
		// The order of units does not matter.
		slices.Reverse(lives)
		for k, c := range stats.MCF(lives) {
			if math.Abs(c.Mean-f[k].Mean) > 1e-9 || math.Abs(c.SE-f[k].SE) > 1e-7 {
				rt.Fatalf("step %d: %+v then %+v", k, f[k], c)
			}
		}
	})
	if f := stats.MCF(nil); len(f) != 0 {
		t.Error(f)
	}
	a := stats.MCF([]stats.Life{{Exit: 10, Events: []float64{2, 4}}, {Exit: 10, Events: []float64{3}}})
	d, limits := stats.CumulativeDifference(a, a, 5, 0.95)
	if d != 0 || !limits.Holds(0) {
		t.Error(d, limits)
	}
}

func BenchmarkMCF(b *testing.B) {
	for _, units := range []int{1_000, 10_000, 100_000} {
		draw := rand.New(rand.NewPCG(7, 0))
		lives := make([]stats.Life, units)
		for k := range lives {
			lives[k] = stats.Life{Entry: 100 * draw.Float64(), Exit: 500}
			for range draw.IntN(4) {
				lives[k].Events = append(lives[k].Events, 500*draw.Float64())
			}
		}
		b.Run(sizeName(units), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stats.MCF(lives)
			}
		})
	}
}

func sizeName(n int) string {
	if n >= 1000 {
		return fmt.Sprintf("%dk", n/1000)
	}
	return "small"
}
