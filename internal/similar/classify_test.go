package similar

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/demo"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/testkit"
)

// ComplementNB of scikit-learn 1.2.1 on thirty tickets: the same numbers.
func TestBayesIsTheReference(t *testing.T) {
	t.Parallel()
	var want struct {
		Classes []string `json:"classes"`
		MNB     struct {
			Vocabulary []string `json:"vocabulary"`
		} `json:"multinomial_nb_alpha0.5"`
		CNB struct {
			Weights [][]float64 `json:"feature_log_prob"`
			Queries [][]float64 `json:"query_jll"`
		} `json:"complement_nb_alpha0.5"`
	}
	reference(t, "oracles/26-text-classifiers/expected.json", &want)
	number := map[string]term{}
	for k, w := range want.MNB.Vocabulary {
		number[w] = term(k)
	}
	b := &bayes{alpha: 0.5}
	f, err := os.Open(testkit.Shared(t, "oracles/26-text-classifiers/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	normalised := normalised(t)
	for k, row := range rows[1:] {
		b.add(slices.Index(want.Classes, row[1]), counts(number, normalised[k]), 1)
	}
	scores := make([]float64, len(want.Classes))
	for w, word := range want.MNB.Vocabulary {
		b.scores(scores, []count{{number[word], 1}}, -1)
		for k := range scores {
			if got, want := scores[k], want.CNB.Weights[k][w]; math.Abs(got-want) > 1e-10 {
				t.Fatalf("%s in %d: %v, want %v", word, k, got, want)
			}
		}
	}
	// Left out of its own counts, a text is judged as if it had never been there.
	for k, row := range rows[1:] {
		class, text := slices.Index(want.Classes, row[1]), counts(number, normalised[k])
		got, without := make([]float64, len(scores)), make([]float64, len(scores))
		b.scores(got, text, class)
		b.add(class, text, -1)
		known := b.known
		b.known = len(want.MNB.Vocabulary) // the vocabulary itself is not forgotten
		b.scores(without, text, -1)
		b.known = known
		b.add(class, text, 1)
		for c := range got {
			if math.Abs(got[c]-without[c]) > 1e-9 {
				t.Fatalf("%q without itself, class %d: %v, want %v", row[2], c, got[c], without[c])
			}
		}
	}
}

func reference(tb testing.TB, name string, into any) {
	tb.Helper()
	data, err := os.ReadFile(testkit.Shared(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		tb.Fatal(err)
	}
}

func normalised(tb testing.TB) []string {
	tb.Helper()
	var texts struct {
		Normalised []string `json:"normalised"`
	}
	reference(tb, "oracles/25-text-similarity/expected.json", &texts)
	return texts.Normalised
}

func counts(number map[string]term, text string) []count {
	times := map[term]uint8{}
	for w := range strings.FieldsSeq(text) {
		if t, ok := number[w]; ok {
			times[t]++
		}
	}
	var all []count
	for t, n := range times {
		all = append(all, count{t, n})
	}
	return all
}

// words gives the default catalogue of a new département.
func words(tb testing.TB) *catalog.Index {
	tb.Helper()
	db := testkit.SQLite(tb)
	s := catalog.New(db, journal.New(db))
	if err := s.Seed(context.Background(), auth.System(1)); err != nil {
		tb.Fatal(err)
	}
	index, err := s.Index(context.Background(), 1)
	if err != nil {
		tb.Fatal(err)
	}
	return index
}

// remembered makes a memory of the demonstration's incidents, those opened
// before an instant as they stand at the end, and gives the others.
func remembered(tb testing.TB, index *catalog.Index, from, to time.Time) (m *memory, later []incident.Incident) {
	tb.Helper()
	m = newMemory()
	m.seed(index)
	now := time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	for k, d := range demo.Generate(demo.DefaultSeed, now).Incidents {
		c, ok := index.CategoryByPath(d.Category...)
		if !ok {
			tb.Fatalf("no category %v", d.Category)
		}
		i := incident.Incident{ID: int64(k + 1), State: incident.New, Title: d.Title, Description: d.Description, Category: c.ID, School: int64(d.School + 1),
			Room: int64(d.Room + 1), Machine: d.Machine, OpenedAt: d.Opened, Priority: 3}
		for _, s := range d.Steps {
			if i.State = s.State; s.Event == incident.EventResolved {
				i.ResolvedAt = s.At
			}
		}
		switch {
		case d.Opened.Before(from):
		case d.Opened.Before(to):
			m.put(&i, nil)
		default:
			later = append(later, i)
		}
	}
	m.model.calibration = m.model.settle(m)
	return m, later
}

// verdicts judges the proposals made for incidents.
func verdicts(index *catalog.Index, m *memory, all []incident.Incident) (said []saying, sure, sureRight, top3 int) {
	for _, i := range all {
		proposals := m.classify(i.Title+"\n"+i.Description, uint32(i.School))
		if len(proposals) == 0 {
			continue
		}
		right := func(p Proposal) bool { return slices.Contains(index.Path(i.Category), p.Category) }
		said = append(said, saying{proposals[0].Confidence, right(proposals[0])})
		if slices.ContainsFunc(proposals, right) {
			top3++
		}
		if proposals[0].Sure {
			sure++
			if right(proposals[0]) {
				sureRight++
			}
		}
	}
	return said, sure, sureRight, top3
}

// What is announced comes true, on incidents that come after those learned;
// the less is known, the less is proposed.
func TestConfidenceIsWhatComesTrue(t *testing.T) {
	t.Parallel()
	index := words(t)
	split := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		from     time.Time
		share    float64 // of proposals among incidents, at least
		accuracy float64 // of proposals, at least
	}{
		{"nothing but the catalogue", split, 0.25, 0.6},
		{"two months", split.AddDate(0, -2, 0), 0.5, 0.75},
		{"two years", time.Time{}, 0.6, 0.85},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, later := remembered(t, index, c.from, split)
			later = later[:min(len(later), 2000)]
			all, sure, sureRight, top3 := verdicts(index, m, later)
			right, announced := 0, 0.0
			for _, s := range all {
				announced += s.confidence
				if s.right {
					right++
				}
			}
			n := float64(len(all))
			t.Logf("%d learned, %d judged, scale %v prior %v sure %.2f", m.model.learned, m.model.calibration.judged, m.model.calibration.scale, m.model.calibration.prior, m.model.calibration.sure)
			t.Logf("%d incidents: %.0f %% with a proposal, of which right %.1f %% (announced %.1f %%), in the first three %.1f %%; sure %d, right %d",
				len(later), 100*n/float64(len(later)), 100*float64(right)/n, 100*announced/n, 100*float64(top3)/n, sure, sureRight)
			for _, r := range reliability(all) {
				if r.Proposals > 0 {
					t.Logf("confidence %.1f-%.1f: %4d proposals, announced %.2f, right %.2f", r.From, r.To, r.Proposals, r.Announced, r.Right)
				}
				// A class of confidence with enough proposals may be wrong by a
				// tenth, chance included.
				if r.Proposals >= 100 && r.Right < r.Announced-0.1 {
					t.Errorf("confidence %.1f-%.1f: announced %.2f, right %.2f of %d", r.From, r.To, r.Announced, r.Right, r.Proposals)
				}
			}
			if n < c.share*float64(len(later)) || float64(right) < c.accuracy*n {
				t.Errorf("%v proposals for %d incidents, %d right", n, len(later), right)
			}
			if m.model.calibration.judged < enough && sure > 0 {
				t.Error("sure of what was not measured")
			}
			if float64(sureRight) < 0.87*float64(sure) {
				t.Errorf("sure of %d, right about %d", sure, sureRight)
			}
		})
	}
}

func TestNothingIsProposedForNothing(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.seed(words(t))
	for _, text := range []string{"", "à l'", "bonjour merci", "xyzzy plugh", "42", strings.Repeat("zzz ", 50)} {
		if got := m.classify(text, 0); got != nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestWhatIsProposed(t *testing.T) {
	t.Parallel()
	index := words(t)
	m := newMemory()
	m.seed(index)
	for text, want := range map[string]string{
		"Bourrage papier sur le copieur du CDI":                "Impression et copieur",
		"j'ai oublié mon mot de passe":                         "Comptes et mots de passe",
		"vidéoprojecteur : pas d'image, la lampe est éteinte":  "Vidéoprojecteur ou écran interactif",
		"plus de wifi en salle 12":                             "Réseau et Wi-Fi",
		"message suspect reçu, hameçonnage":                    "Sécurité",
		"la tablette ne charge plus":                           "Tablettes et classes mobiles",
		"Le téléphone de la vie scolaire n'a plus de tonalité": "Téléphonie",
	} {
		got := m.classify(text, 0)
		if len(got) == 0 || index.PathLabels(got[0].Category, "fr")[0] != want {
			t.Errorf("%q: %v, want %s", text, got, want)
			continue
		}
		if got[0].Sure || len(got[0].Words) == 0 {
			t.Errorf("%q: %+v is sure, or without reason", text, got[0])
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	index := words(b)
	m, later := remembered(b, index, time.Time{}, time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC))
	b.ReportAllocs()
	for k := 0; b.Loop(); k++ {
		i := &later[k%len(later)]
		m.classify(i.Title+"\n"+i.Description, uint32(i.School))
	}
}
