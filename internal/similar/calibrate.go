package similar

import (
	"cmp"
	"math"
	"slices"
)

const (
	// maxJudged is how many of the most recent resolved incidents a
	// calibration is measured on.
	maxJudged = 2_000
	// enough is from how many resolved incidents on confidence is measured;
	// under it, it is only supposed, and kept low.
	enough = 150
	// precise is how often proposals must have been right to be filled in
	// beforehand, and leastSure how many of them that must rest on.
	precise, leastSure = 0.9, 50
)

// calibration turns scores into confidence: the scale of the scores and the
// weight of the shares are those that would have given the département's own
// recent incidents the least surprise, each judged as if it had never been
// learned.
type calibration struct {
	scale, prior float64
	trust        float64 // by which confidence is lowered while little is known
	sure         float64 // confidence from which proposals are right nine times out of ten
	judged       int
	learned      int // when it was made
	table        []Reliability
}

// Reliability compares the confidence announced with what came true.
type Reliability struct {
	From, To  float64 // confidence
	Proposals int
	Announced float64 // mean confidence
	Right     float64 // share that was right
}

// uncalibrated is what is supposed of a département that has resolved nothing.
var uncalibrated = calibration{scale: 0.9, prior: 0.3, trust: 0.8, sure: 2}

// stale tells whether a calibration is worth making again.
func (m *model) stale() bool {
	return m.learned > m.calibration.learned+max(50, m.calibration.learned/20)
}

// judged are the incidents that a calibration is measured on.
func (m *memory) judged() []slot {
	var all []slot
	for k := range m.records {
		if r := &m.records[k]; r.id != 0 && r.state == isSolved && r.category != 0 && r.text.len > 0 && m.model.offered(r.category) {
			all = append(all, slot(k))
		}
	}
	slices.SortFunc(all, func(a, b slot) int { return cmp.Compare(m.records[b].id, m.records[a].id) })
	return all[:min(len(all), maxJudged)]
}

// settle measures a calibration anew.
func (m *model) settle(of *memory) calibration {
	sample := of.judged()
	c := uncalibrated
	c.judged, c.learned = len(sample), m.learned
	if len(sample) < enough {
		return c
	}
	// Each incident meets the branchings on its way, with and without itself
	// learned; the scores do not depend on the scale.
	type fork struct {
		scores, priors []float64
		truth          int
	}
	ways := make([][]fork, len(sample))
	most := 0
	for k, at := range sample {
		r := &of.records[at]
		text := of.terms(r.text)
		m.steps(r.category, func(b *branching, to uint32) {
			f := fork{make([]float64, len(b.child)), make([]float64, len(b.child)), b.class[to]}
			b.bayes.scores(f.scores, text, f.truth)
			b.priors(f.priors, r.school)
			ways[k] = append(ways[k], f)
			most = max(most, len(b.child))
		})
	}
	least := math.Inf(1)
	buffer := make([]float64, most)
	for _, scale := range []float64{0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.3, 1.7, 2.2, 3} {
		for _, prior := range []float64{0, 0.3, 0.6, 1} {
			try := calibration{scale: scale, prior: prior}
			surprise := 0.0
			for _, way := range ways {
				for _, f := range way {
					p := buffer[:copy(buffer, f.scores)]
					try.probabilities(p, f.priors)
					surprise -= math.Log(max(p[f.truth], 1e-12))
				}
			}
			if surprise < least {
				least, c.scale, c.prior = surprise, scale, prior
			}
		}
	}
	c.trust = 1
	said := make([]saying, 0, len(sample))
	for _, at := range sample {
		r := &of.records[at]
		chosen := m.choose(m.spread(c, of.terms(r.text), r.school, r.category), c.trust)
		said = append(said, saying{chosen.probability, slices.Contains(m.catalogue.Path(int64(r.category)), int64(chosen.category))})
	}
	c.table = reliability(said)
	c.sure = sureFrom(said)
	return c
}

// saying is a proposal that can be judged.
type saying struct {
	confidence float64
	right      bool
}

// reliability sorts proposals into ten classes of confidence.
func reliability(all []saying) []Reliability {
	table := make([]Reliability, 10)
	for k := range table {
		table[k].From, table[k].To = float64(k)/10, float64(k+1)/10
	}
	for _, s := range all {
		r := &table[min(int(s.confidence*10), 9)]
		r.Proposals++
		r.Announced += s.confidence
		if s.right {
			r.Right++
		}
	}
	for k := range table {
		if n := float64(table[k].Proposals); n > 0 {
			table[k].Announced /= n
			table[k].Right /= n
		}
	}
	return table
}

// sureFrom is the confidence from which on proposals were right often enough.
func sureFrom(all []saying) float64 {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b saying) int { return cmp.Compare(b.confidence, a.confidence) })
	sure, right := 2.0, 0
	for k, s := range all {
		if s.right {
			right++
		}
		if k+1 >= leastSure && float64(right) >= precise*float64(k+1) && s.confidence >= Least {
			sure = s.confidence
		}
	}
	return sure
}
