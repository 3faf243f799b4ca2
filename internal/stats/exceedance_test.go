package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"statincidents/internal/stats"
)

// madePanel invents a quiet département: schools of unequal size and level,
// categories of unequal rate, a wave in September, holidays left out.
func madePanel(schools, categories, weeks int, seed uint64) *stats.Panel {
	src := rand.NewPCG(seed, 1)
	rng := rand.New(src)
	p := &stats.Panel{}
	for t := range weeks {
		p.Number = append(p.Number, t%36+1)
	}
	open := make([]float64, weeks)
	for t := range open {
		open[t] = []float64{1, 1, 1, 7. / 9}[rng.IntN(4)]
	}
	for range schools {
		computers, level := make([]float64, weeks), distuv.Gamma{Alpha: 6, Beta: 6, Src: src}.Rand()
		size := 80 + 200*rng.Float64()
		counts := make([][]int, categories)
		for c := range counts {
			counts[c] = make([]int, weeks)
			rate := 0.04 / float64(categories) * 2 / float64(1+c)
			for t := range weeks {
				computers[t] = size
				season := 1 + math.Exp(-float64(t%36)/3)
				mean := size * rate * level * season * open[t] * distuv.Gamma{Alpha: 8, Beta: 8, Src: src}.Rand()
				counts[c][t] = int(distuv.Poisson{Lambda: mean, Src: src}.Rand())
			}
		}
		p.Counts, p.Computers, p.Openness = append(p.Counts, counts), append(p.Computers, computers), append(p.Openness, open)
	}
	return p
}

func same(t interface{ Fatalf(string, ...any) }, what string, a, b *stats.Reading) {
	close := func(x, y float64) bool { return x == y || math.Abs(x-y) <= 1e-9*max(1e-6, math.Abs(x)) }
	if a.Tested != b.Tested || a.Observed != b.Observed || a.Window != b.Window || a.Alert != b.Alert ||
		!close(a.Expected, b.Expected) || !close(a.P, b.P) || !close(a.Adjusted, b.Adjusted) || !close(a.Size, b.Size) {
		t.Fatalf("%s:\n%+v\n%+v", what, *a, *b)
	}
}

func detect(t interface{ Fatalf(string, ...any) }, p *stats.Panel) map[string]*stats.Reading {
	readings, ok := stats.UsualExceedance().Detect(p, len(p.Number)-1)
	if !ok {
		t.Fatalf("refused")
	}
	out := map[string]*stats.Reading{}
	for k := range readings {
		out[fmt.Sprint(readings[k].School, " ", readings[k].Category)] = &readings[k]
	}
	return out
}

func TestExceedanceProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		schools, categories := rapid.IntRange(2, 8).Draw(rt, "schools"), rapid.IntRange(1, 4).Draw(rt, "categories")
		weeks := rapid.IntRange(16, 120).Draw(rt, "weeks")
		p := madePanel(schools, categories, weeks, rapid.Uint64().Draw(rt, "seed"))
		if rapid.Bool().Draw(rt, "an outbreak") {
			for l := range 2 {
				p.Counts[0][0][weeks-1-l] += 6
			}
		}
		if rapid.Bool().Draw(rt, "an old outbreak") {
			p.Outbreaks = append(p.Outbreaks, stats.Cell{School: 1, Category: 0, Week: weeks / 2})
		}
		want := detect(rt, p)
		at := func(m map[string]*stats.Reading, school, category int) *stats.Reading {
			return m[fmt.Sprint(school, " ", category)]
		}

		// Schools in another order.
		order := rand.New(rand.NewPCG(uint64(weeks), 2)).Perm(schools)
		q := *p
		q.Counts, q.Computers, q.Openness, q.Outbreaks = nil, nil, nil, nil
		for to, s := range order {
			q.Counts, q.Computers, q.Openness = append(q.Counts, p.Counts[s]), append(q.Computers, p.Computers[s]), append(q.Openness, p.Openness[s])
			for _, o := range p.Outbreaks {
				if o.School == s {
					q.Outbreaks = append(q.Outbreaks, stats.Cell{School: to, Category: o.Category, Week: o.Week})
				}
			}
		}
		got := detect(rt, &q)
		for to, s := range order {
			for c := range categories {
				same(rt, "permuted", at(want, s, c), at(got, to, c))
			}
			same(rt, "permuted", at(want, s, stats.All), at(got, to, stats.All))
		}

		// An empty school.
		q = *p
		none := make([][]int, categories)
		for c := range none {
			none[c] = make([]int, weeks)
		}
		q.Counts = append(append([][][]int{}, p.Counts...), none)
		q.Computers = append(append([][]float64{}, p.Computers...), make([]float64, weeks))
		q.Openness = append(append([][]float64{}, p.Openness...), p.Openness[0])
		got = detect(rt, &q)
		for name, r := range want {
			same(rt, "with an empty school", r, got[name])
		}
		if at(got, schools, 0).Tested {
			rt.Fatalf("an empty school is tested")
		}

		// Holidays: closed weeks with a few incidents of the summer.
		hole := rapid.IntRange(1, weeks-1).Draw(rt, "holidays before")
		insert := func(row []float64, v float64) []float64 {
			return append(append(append([]float64{}, row[:hole]...), v, v), row[hole:]...)
		}
		q = stats.Panel{Number: append(append(append([]int{}, p.Number[:hole]...), 0, 0), p.Number[hole:]...)}
		for s := range schools {
			var rows [][]int
			for _, row := range p.Counts[s] {
				rows = append(rows, append(append(append([]int{}, row[:hole]...), 1, 0), row[hole:]...))
			}
			q.Counts = append(q.Counts, rows)
			q.Computers, q.Openness = append(q.Computers, insert(p.Computers[s], 100)), append(q.Openness, insert(p.Openness[s], 0.1))
		}
		for _, o := range p.Outbreaks {
			if o.Week >= hole {
				o.Week += 2
			}
			q.Outbreaks = append(q.Outbreaks, o)
		}
		got = detect(rt, &q)
		for name, r := range want {
			same(rt, "with holidays", r, got[name])
		}

		// Twice the computers for the same incidents: half the rate, the same signals.
		q = *p
		q.Computers = nil
		for s := range schools {
			double := make([]float64, weeks)
			for k, v := range p.Computers[s] {
				double[k] = 2 * v
			}
			q.Computers = append(q.Computers, double)
		}
		got = detect(rt, &q)
		for name, r := range want {
			same(rt, "twice the computers", r, got[name])
		}
	})
}

func TestExceedance(t *testing.T) {
	t.Parallel()
	const schools, categories, weeks = 20, 6, 112
	at := weeks - 1
	fresh := func() *stats.Panel { return madePanel(schools, categories, weeks, 45) }
	e := stats.UsualExceedance()
	find := func(t *testing.T, p *stats.Panel, school, category int) stats.Reading {
		t.Helper()
		readings, ok := e.Detect(p, at)
		if !ok {
			t.Fatal("refused")
		}
		for _, r := range readings {
			if r.School == school && r.Category == category {
				return r
			}
		}
		t.Fatal("no such series")
		return stats.Reading{}
	}

	t.Run("a plain outbreak is told, with its figures", func(t *testing.T) {
		t.Parallel()
		p := fresh()
		p.Counts[3][4][at], p.Counts[3][4][at-1] = 7, 5
		r := find(t, p, 3, 4)
		if !r.Alert || r.Observed != 7 || r.Recent != 12 || r.Window < 2 || r.WindowObserved < 12 {
			t.Errorf("%+v", r)
		}
		if l := r.Limits(0.9); l.Low <= 1 || !l.Holds(r.Ratio()) {
			t.Errorf("ratio %v, limits %+v", r.Ratio(), l)
		}
	})
	t.Run("a new school works at once, a closed one is dropped", func(t *testing.T) {
		t.Parallel()
		p := fresh()
		for k := range weeks {
			if k < at {
				p.Computers[5][k] = 0
			} else {
				p.Computers[6][k] = 0
			}
			for c := range categories {
				if k < at {
					p.Counts[5][c][k] = 0
				}
			}
		}
		r := find(t, p, 5, 0)
		if !r.Tested || r.Usual != 1 || r.Expected <= 0 {
			t.Errorf("new: %+v", r)
		}
		if find(t, p, 6, 0).Tested {
			t.Error("a closed school is tested")
		}
	})
	t.Run("a school closed most of the week is not judged", func(t *testing.T) {
		t.Parallel()
		p := fresh()
		p.Openness[2] = append([]float64{}, p.Openness[2]...)
		p.Openness[2][at] = 0.3
		if find(t, p, 2, 0).Tested || !find(t, p, 1, 0).Tested {
			t.Error("judged wrongly")
		}
	})
	t.Run("an outbreak judged true teaches nothing", func(t *testing.T) {
		t.Parallel()
		p := fresh()
		quiet := find(t, p, 3, 4)
		for k := at - 20; k < at-14; k++ {
			p.Counts[3][4][k] += 15
		}
		taught := find(t, p, 3, 4)
		for k := at - 20; k < at-14; k++ {
			p.Outbreaks = append(p.Outbreaks, stats.Cell{School: 3, Category: 4, Week: k})
		}
		judged := find(t, p, 3, 4)
		if !(taught.Expected > 1.5*quiet.Expected) || math.Abs(judged.Expected/quiet.Expected-1) > 0.1 {
			t.Errorf("expected %v before, %v with the outbreak, %v once judged", quiet.Expected, taught.Expected, judged.Expected)
		}
	})
	t.Run("late entry lowers what is expected", func(t *testing.T) {
		t.Parallel()
		p := fresh()
		whole := find(t, p, 1, 1)
		p.Completeness = make([]float64, weeks)
		for k := range p.Completeness {
			p.Completeness[k] = 1
		}
		p.Completeness[at] = 0.6
		near(t, "expected", find(t, p, 1, 1).Expected, 0.6*whole.Expected, 1e-9)
	})
	t.Run("a category never seen is rare, not impossible", func(t *testing.T) {
		t.Parallel()
		p := fresh()
		for s := range schools {
			clear(p.Counts[s][2])
		}
		p.Counts[4][2][at] = 1
		if r := find(t, p, 4, 2); r.P == 0 || r.Alert {
			t.Errorf("%+v", r)
		}
	})
	t.Run("too short a past is refused", func(t *testing.T) {
		t.Parallel()
		if _, ok := e.Detect(madePanel(5, 2, 11, 1), 10); ok {
			t.Error("eleven weeks are judged")
		}
		if _, ok := e.Detect(madePanel(5, 2, 12, 1), 11); !ok {
			t.Error("twelve weeks are not judged")
		}
	})
	t.Run("a strip tells what the reading tells", func(t *testing.T) {
		t.Parallel()
		b, ok := e.Baseline(fresh(), at)
		if !ok {
			t.Fatal("refused")
		}
		strip := b.Strip(2, 1, 30)
		r := find(t, fresh(), 2, 1)
		if w := strip[len(strip)-1]; len(strip) != 30 || w.Observed != r.Observed || w.Expected != r.Expected || float64(w.High) < w.Expected {
			t.Errorf("%+v beside %+v", w, r)
		}
		if b.Strip(stats.All, stats.All, 5) != nil || b.Strip(99, 0, 5) != nil {
			t.Error("a strip of nothing")
		}
	})
}

func BenchmarkEarlyWarning(b *testing.B) {
	for _, schools := range []int{58, 580} {
		p := madePanel(schools, 12, 180, 45)
		b.Run(fmt.Sprintf("%dx12x180", schools), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := stats.UsualExceedance().Detect(p, 179); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
