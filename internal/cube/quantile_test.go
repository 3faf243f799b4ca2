package cube

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/testkit"
)

func TestQuantilesAreThoseOfTheSorted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := draws(rt)
		n := 1 + r.IntN([]int{5, 100, 4 * histogramFrom}[r.IntN(3)])
		values := make([]uint32, n)
		most := []int{1, 3, 50, 100_000, 1 << 25, math.MaxUint32}[r.IntN(6)]
		for i := range values {
			values[i] = uint32(r.IntN(most + 1))
			switch r.IntN(8) {
			case 0: // around a power of two, where buckets end
				values[i] = 1<<r.IntN(32) - uint32(r.IntN(3)) + 1
			case 1:
				values[i] = math.MaxUint32 - uint32(r.IntN(300))
			}
		}
		before := slices.Clone(values)
		var scratch []uint32
		got := quantiles(values, []quantile{median, decile}, &scratch)
		if !slices.Equal(values, before) {
			rt.Fatal("the values were moved")
		}
		slices.Sort(values)
		for k, q := range []quantile{median, decile} {
			i, weight := q.index(n)
			want := float64(values[i])
			if weight > 0 {
				want += weight * (float64(values[i+1]) - want)
			}
			if got[k] != want {
				rt.Fatalf("quantile %d/%d of %d values is %v, want %v", q.num, q.den, n, got[k], want)
			}
		}
	})
}

// R's type 7 of 1,200 durations, from the reference numbers.
func TestTypeSeven(t *testing.T) {
	t.Parallel()
	f, err := os.Open(testkit.Shared(t, "oracles/31-duration-censored/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(rows[0], "final_hours")
	var values []uint32
	for _, row := range rows[1:] {
		h, err := strconv.ParseFloat(row[column], 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, uint32(math.Round(h*3600)))
	}
	var scratch []uint32
	got := quantiles(values, []quantile{median, decile}, &scratch)
	for k, want := range []float64{58.6667, 523.58333} { // printed with four or five decimals
		if math.Abs(got[k]/3600-want) > 1e-4 {
			t.Errorf("quantile %v of %d durations is %v h, want %v", []quantile{median, decile}[k], len(values), got[k]/3600, want)
		}
	}
}
