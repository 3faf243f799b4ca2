package similar

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/testkit"
)

// tickets are the texts and topics of the reference.
func tickets(tb testing.TB) (topics, texts []string) {
	tb.Helper()
	f, err := os.Open(testkit.Shared(tb, "oracles/25-text-similarity/input.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	for _, row := range rows[1:] {
		topics, texts = append(topics, row[1]), append(texts, row[2])
	}
	return topics, texts
}

// Both cosines are scikit-learn's, and so are the groups that they make. Of the
// rest of the reference, Jaccard's shingles and MinHash's bands are for sizes
// that a département does not have, and are not built.
func TestTextsIsTheReference(t *testing.T) {
	t.Parallel()
	type matrix struct {
		Features int         `json:"n_features"`
		Cosine   [][]float64 `json:"cosine_matrix"`
	}
	var want struct {
		Letters  matrix `json:"tfidf_char_wb_3_5_sublinear"`
		Words    matrix `json:"tfidf_words"`
		Clusters []int  `json:"clusters_threshold_0.30_single_linkage"`
		Pairs    struct {
			TP, FP, FN            int
			Precision, Recall, F1 float64
		} `json:"pairwise_vs_category"`
		BCubed struct{ Precision, Recall, F1 float64 } `json:"bcubed_vs_category"`
	}
	reference(t, "oracles/25-text-similarity/expected.json", &want)
	texts := normalised(t)
	var words, groups [][]string
	for _, text := range texts {
		all := strings.Fields(text)
		groups = append(groups, letters(all))
		words = append(words, all)
	}
	l, w := weigh(groups), weigh(words)
	repeats := make([]bool, len(texts)) // the reference counts repeated words as they are, we by their logarithm
	for k, all := range words {
		repeats[k] = len(slices.Compact(slices.Sorted(slices.Values(all)))) < len(all)
	}
	for name, c := range map[string]struct {
		got  vectors
		want matrix
	}{"letters": {l, want.Letters}, "words": {w, want.Words}} {
		features := uint32(0)
		for _, v := range c.got {
			for _, f := range v {
				features = max(features, f.id+1)
			}
		}
		if int(features) != c.want.Features {
			t.Errorf("%s: %d features, want %d", name, features, c.want.Features)
		}
		for i := range texts {
			for j := range texts {
				if name == "words" && (repeats[i] || repeats[j]) {
					continue
				}
				if got := c.got.cosine(i, j); math.Abs(got-c.want.Cosine[i][j]) > 1e-9 {
					t.Fatalf("%s of %d and %d: %v, want %v", name, i+1, j+1, got, c.want.Cosine[i][j])
				}
			}
		}
	}
	var links []Link
	for i := range texts {
		for j := range i {
			if l.cosine(i, j) >= 0.30 {
				links = append(links, Link{i, j})
			}
		}
	}
	got := Clusters(len(texts), links)
	topics, _ := tickets(t)
	var tp, fp, fn int
	var precision, recall float64
	for i := range texts {
		same, both, topic := 0.0, 0.0, 0.0
		for j := range texts {
			together, ofOne := got[i] == got[j], topics[i] == topics[j]
			if together != (want.Clusters[i] == want.Clusters[j]) {
				t.Errorf("%d and %d: together %v", i+1, j+1, together)
			}
			if together {
				same++
			}
			if ofOne {
				topic++
			}
			if together && ofOne {
				both++
			}
			if j < i {
				switch {
				case together && ofOne:
					tp++
				case together:
					fp++
				case ofOne:
					fn++
				}
			}
		}
		precision += both / same / float64(len(texts))
		recall += both / topic / float64(len(texts))
	}
	if p := want.Pairs; tp != p.TP || fp != p.FP || fn != p.FN {
		t.Errorf("pairs: %d, %d, %d, want %+v", tp, fp, fn, p)
	}
	if b := want.BCubed; math.Abs(precision-b.Precision) > 1e-12 || math.Abs(recall-b.Recall) > 1e-12 {
		t.Errorf("B-cubed: %v, %v, want %+v", precision, recall, b)
	}
}

// The measures of a ranking are the reference's: its mean reciprocal rank, and
// how often an answer was among the first five. Its precision at 5 and its nDCG
// are of rankings with several answers, which no page of ours has.
func TestRankingMeasuresAreTheReference(t *testing.T) {
	t.Parallel()
	var want struct {
		MRR float64
		Hit float64 `json:"recall_at_5_hit"`
	}
	reference(t, "oracles/27-ranking-measures/expected.json", &want)
	f, err := os.Open(testkit.Shared(t, "oracles/27-ranking-measures/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var measured tally
	for _, row := range rows[1:] {
		answers := make([]uint32, len(row))
		for k, relevant := range row {
			answers[k] = 2
			if relevant == "1" {
				answers[k] = 1
			}
		}
		measured.add(answers, 1)
	}
	got := measured.done()
	hit, _, _ := got.Share(len(Depths) - 1)
	if math.Abs(got.MRR-want.MRR) > 1e-12 || math.Abs(hit-want.Hit) > 1e-12 || Depths[len(Depths)-1] != 5 {
		t.Errorf("MRR %v, hit %v, want %+v", got.MRR, hit, want)
	}
}

func TestTextsProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringMatching(`([a-zéè0-9']{0,9} ?){0,12}`), 1, 8).Draw(rt, "texts")
		a := NewTexts(texts)
		for i := range texts {
			for j := range texts {
				like := a.Like(i, j)
				if math.IsNaN(like) || like < 0 || like > 1 || math.Abs(like-a.Like(j, i)) > 1e-12 {
					rt.Fatalf("%q and %q: %v", texts[i], texts[j], like)
				}
			}
		}
		var links []Link
		for range rapid.IntRange(0, 12).Draw(rt, "links") {
			links = append(links, Link{rapid.IntRange(0, 9).Draw(rt, "a"), rapid.IntRange(0, 9).Draw(rt, "b")})
		}
		one := Clusters(10, links)
		slices.Reverse(links)
		if two := Clusters(10, links); !slices.Equal(one, two) {
			rt.Fatalf("%v then %v", one, two)
		}
		for _, l := range links {
			if one[l.A] != one[l.B] || one[one[l.A]] != one[l.A] {
				rt.Fatalf("%v of %v", one, links)
			}
		}
	})
}

// Typing mistakes, abbreviations and another order leave texts alike; another
// trouble in the same room does not.
func TestTextsReadsPeople(t *testing.T) {
	t.Parallel()
	texts := []string{
		"Plus d'Internet dans la salle 204 depuis ce matin", "salle 204 : plus internet depuis ce matn", "Le vidéoprojecteur de la salle 204 reste noir",
		"VP salle 204 noir", "Mot de passe oublié pour Pronote", "mdp pronote oublié",
	}
	a := NewTexts(texts)
	for _, pair := range [][2]int{{0, 1}, {2, 3}, {4, 5}} {
		for other := range texts {
			if other != pair[0] && other != pair[1] && a.Like(pair[0], other) >= a.Like(pair[0], pair[1]) {
				t.Errorf("%q is more like %q than %q", texts[pair[0]], texts[other], texts[pair[1]])
			}
		}
	}
}

func BenchmarkTexts(b *testing.B) {
	for _, n := range []int{200, 1000} {
		texts := make([]string, n)
		for k := range texts {
			texts[k] = fmt.Sprintf("Le poste %d de la salle %d ne démarre plus depuis ce matin, écran noir après la mise à jour %d", k, k%40, k%7)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a := NewTexts(texts)
				for i := range texts {
					for j := range i {
						_ = a.Like(i, j)
					}
				}
			}
		})
	}
}
