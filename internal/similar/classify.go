package similar

import (
	"cmp"
	"context"
	"math"
	"slices"
	"unicode/utf8"

	"statincidents/internal/catalog"
	"statincidents/internal/fault"
	"statincidents/internal/search"
)

// Bounds of a question and of its answer.
const (
	// MaxText is how much of a text is read, in characters.
	MaxText = 5_000
	// MaxProposals is how many categories are proposed at most.
	MaxProposals = 3
	// Least is the confidence under which nothing is proposed.
	Least = 0.4
	// leastOther is the confidence under which no second category is.
	leastOther = 0.1
)

// Proposal is a category that a text probably is of.
type Proposal struct {
	Category int64
	// Confidence is how often such a proposal is right, from 0 to 1, as
	// measured on the département's own incidents; less when they are few. It
	// is that of the category or of one below it.
	Confidence float64
	// Sure says that the category may be filled in beforehand: proposals as
	// confident as this one were right nine times out of ten. Never before
	// enough incidents were resolved to measure it.
	Sure bool
	// Words are those of the text that speak for it most, as folded.
	Words []string
}

// Classify proposes categories for what someone writes, the most probable
// first: the deepest category of which one may be confident, then others that
// are possible. None is said when nothing reaches Least: asking is better than
// guessing. School (0 if unknown) is where it happens.
func (s *Service) Classify(ctx context.Context, tenant int64, text string, school int64) ([]Proposal, error) {
	if len(text) > MaxText && utf8.RuneCountInString(text) > MaxText {
		return nil, fault.InvalidField("text", "error.field.too_long", "max", MaxText)
	}
	var found []Proposal
	err := s.use(ctx, tenant, func(m *memory) error {
		found = m.classify(text, uint32(school))
		return nil
	})
	return found, err
}

// model learns categories from the words of resolved incidents, beginning with
// the catalogue's own. It goes down the tree of categories: at each branching
// the words choose between the branches, so that what brothers have in common
// does not blur them.
type model struct {
	branching   map[uint32]*branching // by category; 0 at the top
	learned     int
	catalogue   *catalog.Index
	seeds       []seeding
	calibration calibration
}

// branching is the choice between the categories under one.
type branching struct {
	bayes   bayes
	class   map[uint32]int // by category
	child   []uint32       // category, by class
	texts   []int          // resolved incidents, by class
	all     int
	schools map[uint32]int // resolved incidents by school
	here    map[place]int  // and by class in it
}

type place struct {
	school uint32
	class  int
}

// seeding is a text of the catalogue that was learned.
type seeding struct {
	category uint32
	terms    []count
}

func newModel() *model {
	return &model{branching: map[uint32]*branching{}, calibration: uncalibrated}
}

// add counts a text of one of the branches.
func (b *branching) add(category uint32, terms []count, times int) int {
	c, ok := b.class[category]
	if !ok {
		c = len(b.child)
		b.class[category] = c
		b.child = append(b.child, category)
		b.texts = append(b.texts, 0)
	}
	b.bayes.add(c, terms, times)
	return c
}

// steps calls fn at each branching on the way to a category.
func (m *model) steps(category uint32, fn func(b *branching, to uint32)) {
	from := uint32(0)
	for _, id := range m.catalogue.Path(int64(category)) {
		b := m.branching[from]
		if b == nil {
			b = &branching{bayes: bayes{alpha: smoothing}, class: map[uint32]int{}, schools: map[uint32]int{}, here: map[place]int{}}
			m.branching[from] = b
		}
		fn(b, uint32(id))
		from = uint32(id)
	}
}

func (m *model) learn(r *record, text []count) { m.count(r, text, 1) }

func (m *model) unlearn(r *record, text []count) { m.count(r, text, -1) }

func (m *model) count(r *record, text []count, times int) {
	if r.category == 0 || len(text) == 0 {
		return
	}
	m.learned += times
	m.steps(r.category, func(b *branching, to uint32) {
		c := b.add(to, text, times)
		b.texts[c] += times
		b.all += times
		if r.school != 0 {
			b.schools[r.school] += times
			b.here[place{r.school, c}] += times
		}
	})
}

// seed teaches the words of the catalogue, in place of those of the one
// before: what is known of a category before any incident was resolved.
func (m *memory) seed(index *catalog.Index) {
	d := m.model
	if d.catalogue != nil && !samePlaces(d.catalogue, index) {
		d.branching, d.learned, d.seeds = map[uint32]*branching{}, 0, nil
		d.catalogue = index
		clear(m.having)
		for k := range m.records {
			if r := &m.records[k]; r.id != 0 && r.state == isSolved {
				d.learn(r, m.terms(r.text))
				for _, a := range r.attributes(index, nil) {
					m.having[a]++
				}
			}
		}
	}
	for _, s := range d.seeds {
		d.steps(s.category, func(b *branching, to uint32) { b.add(to, s.terms, -seedWeight) })
	}
	d.seeds, d.catalogue = nil, index
	for _, c := range index.Categories() {
		if c.Archived || slices.ContainsFunc(index.Children(c.ID), func(c catalog.Category) bool { return !c.Archived }) {
			continue
		}
		s := seeding{uint32(c.ID), read(m.words.learn, seedText(index, c.ID)...)}
		d.steps(s.category, func(b *branching, to uint32) { b.add(to, s.terms, seedWeight) })
		d.seeds = append(d.seeds, s)
	}
}

// samePlaces tells whether every category of one catalogue stands in another
// where it stood.
func samePlaces(a, b *catalog.Index) bool {
	for _, c := range a.Categories() {
		if !slices.Equal(a.Path(c.ID), b.Path(c.ID)) {
			return false
		}
	}
	return true
}

// priors writes the logarithm of each branch's share in a school: that of the
// département as long as the school has few incidents.
func (b *branching) priors(to []float64, school uint32) {
	const weight = 20 // incidents' worth of the département's shares
	for k := range to {
		share := (float64(b.texts[k]) + 1) / (float64(b.all) + float64(len(to)))
		to[k] = math.Log((float64(b.here[place{school, k}]) + weight*share) / (float64(b.schools[school]) + weight))
	}
}

// probabilities turns the scores of branches into probabilities, in place.
func (c *calibration) probabilities(scores, priors []float64) {
	most := math.Inf(-1)
	for k := range scores {
		scores[k] = c.scale*scores[k] + c.prior*priors[k]
		most = max(most, scores[k])
	}
	sum := 0.0
	for k := range scores {
		scores[k] = math.Exp(scores[k] - most)
		sum += scores[k]
	}
	for k := range scores {
		scores[k] /= sum
	}
}

// likely is a category with its probability, those below it included.
type likely struct {
	category    uint32
	probability float64
	leaf        bool
}

// spread gives the probability of each category, from the top down; branches
// too improbable to be proposed are not followed. A text that was learned is
// judged as if it had not been when without is its category.
func (m *model) spread(c calibration, terms []count, school, without uint32) []likely {
	var all []likely
	own := m.catalogue.Path(int64(without))
	var down func(from uint32, share float64)
	down = func(from uint32, share float64) {
		b := m.branching[from]
		if b == nil {
			return
		}
		p, priors := make([]float64, len(b.child)), make([]float64, len(b.child))
		learned := -1
		for k, id := range own {
			if k == 0 && from == 0 || k > 0 && own[k-1] == int64(from) {
				learned = b.class[uint32(id)]
			}
		}
		b.bayes.scores(p, terms, learned)
		b.priors(priors, school)
		c.probabilities(p, priors)
		offered := 0.0
		for k, id := range b.child {
			if m.offered(id) {
				offered += p[k]
			}
		}
		for k, id := range b.child {
			if q := share * p[k] / offered; q >= leastOther/2 && m.offered(id) {
				all = append(all, likely{id, q, m.branching[id] == nil})
				down(id, q)
			}
		}
	}
	down(0, 1)
	return all
}

// classify is Classify on a memory.
func (m *memory) classify(text string, school uint32) []Proposal {
	d := m.model
	top := d.branching[0]
	terms := read(m.words.know, text)
	if top == nil || !top.bayes.knows(terms) {
		return nil
	}
	all := d.spread(d.calibration, terms, school, 0)
	chosen := d.choose(all, d.calibration.trust)
	if chosen.category == 0 || chosen.probability*d.calibration.trust < Least {
		return nil
	}
	propose := func(l likely) Proposal {
		p := l.probability * d.calibration.trust
		return Proposal{Category: int64(l.category), Confidence: p, Words: m.because(text, l.category)}
	}
	first := propose(chosen)
	first.Sure = first.Confidence >= d.calibration.sure
	proposals := []Proposal{first}
	slices.SortFunc(all, func(a, b likely) int {
		return cmp.Or(cmp.Compare(b.probability, a.probability), cmp.Compare(a.category, b.category))
	})
	for _, l := range all {
		if len(proposals) < MaxProposals && l.leaf && l.category != chosen.category && l.probability*d.calibration.trust >= leastOther {
			proposals = append(proposals, propose(l))
		}
	}
	return proposals
}

// offered tells whether a category may be chosen today.
func (m *model) offered(category uint32) bool {
	c, ok := m.catalogue.Category(int64(category))
	return ok && !c.Archived
}

// choose goes down the tree as long as one branch is likely enough to be
// proposed.
func (m *model) choose(all []likely, trust float64) likely {
	var at likely
	for {
		var next likely
		for _, l := range all {
			if c, _ := m.catalogue.Category(int64(l.category)); uint32(c.Parent) == at.category && l.probability > next.probability {
				next = l
			}
		}
		if next.category == 0 || at.category != 0 && next.probability*trust < Least {
			return at
		}
		at = next
	}
}

// knows tells whether any of a text's words was ever met.
func (b *bayes) knows(terms []count) bool {
	return slices.ContainsFunc(terms, func(c count) bool { return int(c.term) < len(b.total) && b.total[c.term] > 0 })
}

// because gives the words of a text that speak most for a category, at the
// branching that leads to it and at the top.
func (m *memory) because(text string, category uint32) []string {
	type reason struct {
		word   string
		weight float64
	}
	var reasons []reason
	search.EachWord(text, func(w string) {
		t := m.words.know(w)
		if t == none || len(reasons) > maxTerms || slices.ContainsFunc(reasons, func(r reason) bool { return r.word == w }) {
			return
		}
		weight := 0.0
		m.model.steps(category, func(b *branching, to uint32) {
			scores := make([]float64, len(b.child))
			b.bayes.scores(scores, []count{{t, 1}}, -1)
			mean := 0.0
			for _, v := range scores {
				mean += v / float64(len(scores))
			}
			weight += scores[b.class[to]] - mean
		})
		if weight > 0.05 {
			reasons = append(reasons, reason{w, weight})
		}
	})
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(b.weight, a.weight) })
	var words []string
	for k := 0; k < len(reasons) && k < 3; k++ {
		words = append(words, reasons[k].word)
	}
	return words
}
