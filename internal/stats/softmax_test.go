package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/stats"
	"statincidents/internal/testkit"
)

// The naive Bayes numbers of this folder are those of package similar, which
// learns and forgets text by text.
func TestSoftmax(t *testing.T) {
	t.Parallel()
	var want struct {
		Classes  []string
		Logistic struct {
			Intercept []float64
			Queries   [][]float64 `json:"query_proba"`
		} `json:"logistic_multinomial_C10_on_word_tfidf"`
		Toy struct {
			Y     []int
			P     []float64
			Brier float64
			Loss  float64 `json:"log_loss"`
			AUC   float64
			ECE   float64 `json:"ece_5_bins"`
		} `json:"calibration_toy"`
	}
	expected(t, "26-text-classifiers", &want)
	var texts struct {
		Normalised []string
		Queries    []string `json:"queries_normalised"`
	}
	raw, err := os.ReadFile(testkit.Shared(t, "oracles/25-text-similarity/expected.json"))
	if err == nil {
		err = json.Unmarshal(raw, &texts)
	}
	if err != nil {
		t.Fatal(err)
	}
	number, holding := map[string]int{}, []float64{}
	for _, text := range texts.Normalised {
		seen := map[int]bool{}
		for w := range strings.FieldsSeq(text) {
			if _, ok := number[w]; !ok {
				number[w] = len(number)
				holding = append(holding, 0)
			}
			if !seen[number[w]] {
				seen[number[w]] = true
				holding[number[w]]++
			}
		}
	}
	row := func(text string) []stats.Feature {
		var out []stats.Feature
		times := map[int]float64{}
		for w := range strings.FieldsSeq(text) {
			if k, ok := number[w]; ok {
				times[k]++
			}
		}
		norm := 0.0
		for k, n := range times {
			v := n * (math.Log((1+float64(len(texts.Normalised)))/(1+holding[k])) + 1)
			out = append(out, stats.Feature{Index: k, Value: v})
			norm += v * v
		}
		for k := range out {
			out[k].Value /= math.Sqrt(norm)
		}
		return out
	}
	var rows [][]stats.Feature
	var class []int
	for k, line := range table(t, "26-text-classifiers/input.csv") {
		rows, class = append(rows, row(texts.Normalised[k])), append(class, slices.Index(want.Classes, line[1]))
	}
	m, ok := stats.FitSoftmax(rows, class, len(want.Classes), len(number), 10, 1e-8, 2000)
	if !ok {
		t.Fatal("refused")
	}
	for q, text := range texts.Queries {
		for c, p := range m.Probabilities(row(text)) {
			near(t, fmt.Sprintf("query %d, class %d", q, c), p, want.Logistic.Queries[q][c], 1e-4)
		}
	}
	mean := 0.0 // intercepts are known up to a constant
	for c, v := range want.Logistic.Intercept {
		mean += (m.Intercept(c) - v) / float64(len(want.Classes))
	}
	for c, v := range want.Logistic.Intercept {
		near(t, "intercept", m.Intercept(c)-mean, v, 1e-3)
	}
	var said []stats.Said
	for k, p := range want.Toy.P {
		said = append(said, stats.Said{Chance: p, True: want.Toy.Y[k] == 1})
	}
	brier, loss, area, ece := stats.CalibrationOf(said, 5)
	near(t, "Brier", brier, want.Toy.Brier, 1e-12)
	near(t, "log-loss", loss, want.Toy.Loss, 1e-12)
	near(t, "area", area, want.Toy.AUC, 1e-12)
	near(t, "ECE", ece, want.Toy.ECE, 1e-12)
	if _, ok := stats.FitSoftmax(nil, nil, 2, 1, 1, 1e-6, 10); ok {
		t.Error("fitted on nothing")
	}
}
