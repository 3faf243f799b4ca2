package stats_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/stats"
	"statincidents/internal/testkit"
)

// parc is the generated fleet of the reference: machines and incidents of each
// model and build of Windows, maker by maker.
const parc = `
HP ProDesk400G6 159/6 28/1 239/6 19/0
HP ProDesk400G7 43/0 76/2 36/2 193/7
HP ProBook450G8 19/2 191/9 192/12 346/16
Dell OptiPlex3080 96/6 73/4 82/4 20/0
Dell OptiPlex7010 47/3 128/4 320/38
Dell Latitude3520 82/5 49/0 130/8 11/0
Lenovo M70q 88/8 315/24 10/1 147/12
Lenovo M75s 204/3 227/8 330/11 89/4
Acer VeritonN4680 129/9 122/4 176/3 123/2`

type fleet struct {
	cases  []int
	weight []float64
	nodes  []string
	sets   [][]int32
}

func (f *fleet) add(leaf, maker, model string, machines float64, incidents int) {
	cell := int32(len(f.cases))
	f.cases, f.weight = append(f.cases, incidents), append(f.weight, machines)
	for _, node := range []string{leaf, model, maker} {
		at := slices.Index(f.nodes, node)
		if at < 0 {
			at = len(f.nodes)
			f.nodes, f.sets = append(f.nodes, node), append(f.sets, nil)
		}
		f.sets[at] = append(f.sets[at], cell)
	}
}

func typedParc(t testing.TB) *fleet {
	t.Helper()
	f := &fleet{}
	for line := range strings.Lines(strings.TrimSpace(parc)) {
		words := strings.Fields(line)
		for k, cell := range words[2:] {
			var machines float64
			var incidents int
			if _, err := fmt.Sscanf(cell, "%f/%d", &machines, &incidents); err != nil {
				t.Fatal(err)
			}
			build := []string{"W10-22H2", "W11-22H2", "W11-23H2", "W11-24H2"}[k]
			f.add(words[1]+"|"+build, words[0], words[1], machines, incidents)
		}
	}
	return f
}

// The likelihood ratios are TreeScan's, the chances within Monte-Carlo error.
func TestTreeScan(t *testing.T) {
	t.Parallel()
	var want struct {
		Total int
		Cuts  []struct {
			Node     string
			Observed int
			Expected float64
			LLR, P   float64
		}
	}
	expected(t, "34-tree-scan-parc", &want)
	file, err := os.Open(testkit.Shared(t, "oracles/34-tree-scan-parc/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{}
	for _, row := range rows[1:] {
		machines, _ := strconv.ParseFloat(row[4], 64)
		incidents, _ := strconv.Atoi(row[5])
		f.add(row[0], row[1], row[2], machines, incidents)
	}
	if typed := typedParc(t); !slices.Equal(typed.cases, f.cases) || !slices.Equal(typed.weight, f.weight) || !slices.Equal(typed.nodes, f.nodes) {
		t.Error("the typed table is not the file")
	}
	got, err := stats.TreeScan(t.Context(), f.cases, f.weight, f.sets, stats.ScanSettings{Least: 2, Replicates: 9999, Seed: 12345678})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, n := range f.cases {
		total += n
	}
	if total != want.Total {
		t.Errorf("%d cases", total)
	}
	for _, cut := range want.Cuts {
		s := got[slices.Index(f.nodes, cut.Node)]
		if s.Cases != cut.Observed || math.Abs(s.Expected-cut.Expected) > 0.005 || math.Abs(s.P-cut.P) > 0.012 {
			t.Errorf("%s: %+v, want %+v", cut.Node, s, cut)
		}
		near(t, cut.Node, s.LLR, cut.LLR, 1e-6)
	}
}

// The same without any file: the three significant nodes of the typed table.
func TestTreeScanAsTyped(t *testing.T) {
	t.Parallel()
	f := typedParc(t)
	got, err := stats.TreeScan(t.Context(), f.cases, f.weight, f.sets, stats.ScanSettings{Least: 2, Replicates: 999, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for node, llr := range map[string]float64{"OptiPlex7010|W11-23H2": 12.387996, "OptiPlex7010": 8.018410, "M70q": 5.366829} {
		s := got[slices.Index(f.nodes, node)]
		if math.Abs(s.LLR-llr) > 1e-6 || s.P > 0.05 {
			t.Errorf("%s: %+v", node, s)
		}
	}
}

// villages draws units with a few attributes, as sets.
func villages(draw *rand.Rand, units, attributes, values int) [][]int32 {
	sets := make([][]int32, attributes*values)
	for u := range int32(units) {
		for a := range attributes {
			at := a*values + draw.IntN(values)
			sets[at] = append(sets[at], u)
		}
	}
	return sets
}

func TestCommonFactorIsItsDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		n := rapid.IntRange(20, 400).Draw(rt, "units")
		sets := villages(draw, n, 3, 5)
		cases := make([]bool, n)
		c := 0
		for k := range cases {
			if cases[k] = draw.Float64() < 0.7; cases[k] {
				c++
			}
		}
		got, err := stats.CommonFactor(rt.Context(), cases, sets, stats.ScanSettings{Least: 1, Replicates: 19, Seed: 3})
		if err != nil {
			rt.Fatal(err)
		}
		for k, set := range sets {
			in := 0.0
			for _, u := range set {
				if cases[u] {
					in++
				}
			}
			size, all, pop := float64(len(set)), float64(c), float64(n)
			want := 0.0
			if in*pop > size*all {
				l := func(x, of float64) float64 {
					if x == 0 {
						return 0
					}
					return x * math.Log(x/of)
				}
				want = l(in, size) + l(size-in, size) + l(all-in, pop-size) + l(pop-size-all+in, pop-size) - l(all, pop) - l(pop-all, pop)
			}
			if s := got[k]; s.Cases != int(in) || math.Abs(s.LLR-want) > 1e-9*max(1, want) || s.P <= 0 || s.P > 1 {
				rt.Fatalf("set %d of %v: %+v, want %v", k, size, s, want)
			}
		}
		// The same seed gives the same chances; a set without more than its share has chance 1.
		again, _ := stats.CommonFactor(rt.Context(), cases, sets, stats.ScanSettings{Least: 1, Replicates: 19, Seed: 3})
		if !slices.Equal(got, again) {
			rt.Fatal("not the same again")
		}
	})
}

// Where cases fall anywhere alike, an answer at 5 % comes once in twenty.
func TestCommonFactorCriesWolfAsAnnounced(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(5, 0))
	const runs = 400
	wrong := 0
	for run := range runs {
		const units = 300
		sets := villages(draw, units, 4, 6)
		cases := make([]bool, units)
		for _, k := range draw.Perm(units)[:40] {
			cases[k] = true
		}
		got, err := stats.CommonFactor(t.Context(), cases, sets, stats.ScanSettings{Least: 2, Replicates: 99, Seed: uint64(run)})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(got, func(s stats.ScanSet) bool { return s.P <= 0.05 }) {
			wrong++
		}
	}
	if share := float64(wrong) / runs; share < 0.01 || share > 0.095 { // 4 standard errors
		t.Errorf("%.3f of quiet runs accuse somebody", share)
	}
}

func TestCommonFactorEdges(t *testing.T) {
	t.Parallel()
	sets := [][]int32{{0, 1}, {}}
	for name, cases := range map[string][]bool{"no case": {false, false, false}, "all cases": {true, true, true}, "nobody": {}} {
		s := sets
		if len(cases) == 0 {
			s = nil
		}
		got, err := stats.CommonFactor(t.Context(), cases, s, stats.ScanSettings{Replicates: 9})
		if err != nil || slices.ContainsFunc(got, func(s stats.ScanSet) bool { return s.P != 1 || s.LLR != 0 }) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := stats.CommonFactor(ctx, []bool{true, false}, sets[:1], stats.ScanSettings{Replicates: 999}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := stats.TreeScan(ctx, []int{1, 0}, []float64{1, 1}, [][]int32{{0}}, stats.ScanSettings{Replicates: 9}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// 2,000 sets and 999 draws, as on the page.
func BenchmarkCommonFactor(b *testing.B) {
	for _, units := range []int{2_000, 6_000, 20_000} {
		draw := rand.New(rand.NewPCG(7, 0))
		sets := villages(draw, units, 40, 50)
		cases := make([]bool, units)
		for _, k := range draw.Perm(units)[:units/10] {
			cases[k] = true
		}
		b.Run(sizeName(units), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := stats.CommonFactor(b.Context(), cases, sets, stats.ScanSettings{Least: 3, Replicates: 999, Seed: 45}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
