package stats_test

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"statincidents/internal/testkit"
)

// expected reads the reference numbers of an oracle.
func expected(t *testing.T, folder string, into any) {
	t.Helper()
	raw, err := os.ReadFile(testkit.Shared(t, "oracles/"+folder+"/expected.json"))
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// input reads columns of numbers of an oracle's file; text is its place among
// the values met before.
func input(t *testing.T, file string) map[string][]float64 {
	t.Helper()
	f, err := os.Open(testkit.Shared(t, "oracles/"+file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]float64{}
	for c, name := range rows[0] {
		met := map[string]int{}
		for _, row := range rows[1:] {
			v, err := strconv.ParseFloat(row[c], 64)
			if err != nil {
				if _, ok := met[row[c]]; !ok {
					met[row[c]] = len(met)
				}
				v = float64(met[row[c]])
			}
			out[name] = append(out[name], v)
		}
	}
	return out
}

func ints(values []float64) []int {
	out := make([]int, len(values))
	for k, v := range values {
		out[k] = int(v)
	}
	return out
}

// near fails unless got is within a relative tolerance of want, or an absolute
// one where want is below 1.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance*max(1, math.Abs(want)) {
		t.Errorf("%s: %.15g, want %.15g", what, got, want)
	}
}
