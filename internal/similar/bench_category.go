package similar

import (
	"context"
	"math"
	"slices"
	"time"

	"statincidents/internal/catalog"
	"statincidents/internal/incident"
	"statincidents/internal/stats"
)

// CategoryBench measures the proposal of a category by a split in time.
type CategoryBench struct {
	At     time.Time // incidents opened before it were known
	Known  int
	Asked  int
	Copies int // left out: their very text was already known
	// Proposed, Right: incidents with a proposal, and those where it was on the
	// way to the true category; Filled, FilledRight: those that would have been
	// filled in beforehand.
	Proposed, Right, Filled, FilledRight int
	// What each would give as the one exact category, when it may not abstain.
	Frequent, Ours, Logistic int
	Of                       []CategoryShare // by first category
}

// CategoryShare is the same for the incidents of a first category.
type CategoryShare struct {
	Category                                    int64
	Asked, Proposed, Right, Filled, FilledRight int
}

// The rival of the classifier in use: as many of the latest texts as it takes
// into account, and how much their weights are held down.
const (
	rivalTexts  = 4000
	rivalC      = 20
	rivalRounds = 40
)

// BenchCategory asks, of incidents opened after an instant (zero: the last fifth
// of the history), what category would have been proposed from their text, with
// those resolved before and no other; and a multinomial logistic regression on
// the same words beside it.
func (s *Service) BenchCategory(ctx context.Context, id int64, at time.Time) (CategoryBench, error) {
	words, err := s.words.Index(ctx, id)
	if err != nil {
		return CategoryBench{}, err
	}
	all, err := s.wholeHistory(ctx, id)
	if err != nil {
		return CategoryBench{}, err
	}
	all = slices.DeleteFunc(all, func(i incident.Incident) bool {
		return i.OpenedAt.IsZero() || i.Category == 0 || i.State != incident.Resolved && i.State != incident.Closed
	})
	slices.SortStableFunc(all, func(a, b incident.Incident) int { return a.OpenedAt.Compare(b.OpenedAt) })
	if at.IsZero() && len(all) > 0 {
		at = all[len(all)*4/5].OpenedAt
	}
	return evaluateCategory(all, at, words), nil
}

func evaluateCategory(all []incident.Incident, at time.Time, words *catalog.Index) CategoryBench {
	b := CategoryBench{At: at}
	m := newMemory()
	m.seed(words)
	known, frequent := map[string]bool{}, map[int64]int{}
	var past, later []incident.Incident
	for _, i := range all {
		text := m.key(read(m.words.learn, i.Title, i.Description))
		switch {
		case i.OpenedAt.Before(at):
			if i.ResolvedAt.Before(at) {
				m.put(&i, nil)
				frequent[i.Category]++
				past = append(past, i)
			}
		case known[text]:
			b.Copies++
		default:
			later = append(later, i)
		}
		known[text] = true
	}
	b.Known = len(past)
	m.model.calibration = m.model.settle(m)
	for k := range past { // the usual one
		if c := past[k].Category; frequent[c] > frequent[past[0].Category] {
			past[0], past[k] = past[k], past[0]
		}
	}
	every := max(1, len(later)/MaxTests)
	logistic := rivalOf(m, past[max(0, len(past)-rivalTexts):])
	share := map[int64]*CategoryShare{}
	for k := 0; k < len(later); k += every {
		i := later[k]
		b.Asked++
		path := words.Path(i.Category)
		if len(path) == 0 {
			continue
		}
		of := share[path[0]]
		if of == nil {
			of = &CategoryShare{Category: path[0]}
			share[path[0]] = of
		}
		of.Asked++
		text := i.Title + "\n" + i.Description
		if proposals := m.classify(text, uint32(i.School)); len(proposals) > 0 {
			right := slices.Contains(path, proposals[0].Category)
			b.Proposed++
			of.Proposed++
			if right {
				b.Right++
				of.Right++
			}
			if proposals[0].Sure {
				b.Filled++
				of.Filled++
				if right {
					b.FilledRight++
					of.FilledRight++
				}
			}
		}
		if len(past) > 0 && past[0].Category == i.Category {
			b.Frequent++
		}
		terms := read(m.words.know, text)
		best := likely{}
		for _, l := range m.model.spread(m.model.calibration, terms, uint32(i.School), 0) {
			if l.leaf && l.probability > best.probability {
				best = l
			}
		}
		if int64(best.category) == i.Category {
			b.Ours++
		}
		if logistic(terms) == i.Category {
			b.Logistic++
		}
	}
	for _, s := range share {
		b.Of = append(b.Of, *s)
	}
	slices.SortFunc(b.Of, func(x, y CategoryShare) int { return y.Asked - x.Asked })
	return b
}

// rivalOf fits the logistic regression on words weighted by their rarity.
func rivalOf(m *memory, past []incident.Incident) func([]count) int64 {
	class, categories := map[int64]int{}, []int64{}
	holding := map[term]float64{}
	number := map[term]int{}
	texts := make([][]count, len(past))
	for k, i := range past {
		texts[k] = read(m.words.know, i.Title, i.Description)
		if _, ok := class[i.Category]; !ok {
			class[i.Category] = len(categories)
			categories = append(categories, i.Category)
		}
		for _, c := range texts[k] {
			holding[c.term]++
			if _, ok := number[c.term]; !ok {
				number[c.term] = len(number)
			}
		}
	}
	row := func(text []count) []stats.Feature {
		var out []stats.Feature
		norm := 0.0
		for _, c := range text {
			if k, ok := number[c.term]; ok {
				v := float64(c.times) * (math.Log((1+float64(len(past)))/(1+holding[c.term])) + 1)
				out = append(out, stats.Feature{Index: k, Value: v})
				norm += v * v
			}
		}
		for k := range out {
			out[k].Value /= math.Sqrt(norm)
		}
		return out
	}
	rows, truth := make([][]stats.Feature, len(past)), make([]int, len(past))
	for k, i := range past {
		rows[k], truth[k] = row(texts[k]), class[i.Category]
	}
	fitted, ok := stats.FitSoftmax(rows, truth, len(categories), len(number), rivalC, 1e-3, rivalRounds)
	return func(text []count) int64 {
		if !ok {
			return 0
		}
		best, at := 0.0, 0
		for k, p := range fitted.Probabilities(row(text)) {
			if p > best {
				best, at = p, k
			}
		}
		return categories[at]
	}
}
