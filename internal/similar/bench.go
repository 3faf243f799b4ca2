package similar

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// MaxTests is how many incidents a bench asks about at most.
const MaxTests = 2_000

// Depths are at how many answers a hit is counted.
var Depths = [...]int{1, 3, 5}

// Measured is a ranking measured: how often the true answer was among the first
// ones.
type Measured struct {
	Name  string
	Tests int
	Hits  [len(Depths)]int // at each of Depths
	MRR   float64          // mean of 1/rank, 0 when it was not given
	Error float64          // standard error of MRR
}

// Share is the proportion of hits at one of Depths, with its limits.
func (r *Measured) Share(depth int) (share, low, high float64) {
	if r.Tests == 0 {
		return 0, 0, 1
	}
	low, high = Wilson(float64(r.Hits[depth]), float64(r.Tests))
	return float64(r.Hits[depth]) / float64(r.Tests), low, high
}

// Wilson gives the 95 % limits of a proportion (Wilson 1927).
func Wilson(k, n float64) (low, high float64) {
	const z = 1.959963984540054
	p := k / n
	mid, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, (mid-half)/(1+z*z/n)), min(1, (mid+half)/(1+z*z/n))
}

// Evaluation is a bench's outcome: each ranking on the same incidents.
type Evaluation struct {
	Target   string
	At       time.Time // incidents opened before it were known
	Known    int       // resolved before it
	Answers  int       // different answers among them
	Copies   int       // incidents left out, whose text was already known
	Rankings []Measured
}

// tally measures one ranking.
type tally struct {
	Measured

	sum, squares float64
}

func (t *tally) add(answers []uint32, truth uint32) {
	t.Tests++
	at := slices.Index(answers, truth)
	if at < 0 {
		return
	}
	for k, depth := range Depths {
		if at < depth {
			t.Hits[k]++
		}
	}
	r := 1 / float64(at+1)
	t.sum, t.squares = t.sum+r, t.squares+r*r
}

func (t *tally) done() Measured {
	n := float64(max(t.Tests, 1))
	t.MRR = t.sum / n
	t.Error = math.Sqrt(max(0, t.squares/n-t.MRR*t.MRR) / n)
	return t.Measured
}

// Bench asks, of the incidents resolved after an instant (zero: the last fifth
// of the département's history), what the suggestions would have said when
// each was opened: with those resolved by then, and no other. Incidents whose
// very text was already known are left out, or copies would make it easy. The
// truth is the code with which each was resolved.
func (s *Service) Bench(ctx context.Context, id int64, at time.Time) (Evaluation, error) {
	places, err := s.places.Index(ctx, id)
	if err != nil {
		return Evaluation{}, err
	}
	words, err := s.words.Index(ctx, id)
	if err != nil {
		return Evaluation{}, err
	}
	all, err := s.wholeHistory(ctx, id)
	if err != nil {
		return Evaluation{}, err
	}
	all = slices.DeleteFunc(all, func(i incident.Incident) bool { return i.OpenedAt.IsZero() })
	e := evaluate(all, at, places, words, true)
	e.Target = "resolution code"
	return e, nil
}

// wholeHistory reads the incidents that a bench is made on, the newest first,
// as many as the memory would hold.
func (s *Service) wholeHistory(ctx context.Context, id int64) ([]incident.Incident, error) {
	var all []incident.Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for below := int64(1) << 62; len(all) < s.limit; {
			page, err := incident.Before(ctx, tx, id, below, loadPage)
			if err != nil || len(page) == 0 {
				return err
			}
			below = page[len(page)-1].ID
			all = append(all, page...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("similar: bench: %w", err)
	}
	return all, nil
}

// moment is an incident being opened or resolved.
type moment struct {
	at       time.Time
	i        *incident.Incident
	resolved bool
}

// evaluate is Bench on incidents as they stand; without places it cannot tell
// what held, and measures likeness alone.
func evaluate(all []incident.Incident, at time.Time, places *directory.Index, words *catalog.Index, unique bool) Evaluation {
	solved := func(i *incident.Incident) bool {
		return (i.State == incident.Resolved || i.State == incident.Closed) && i.ResolutionCode != 0 && !i.ResolvedAt.IsZero()
	}
	var moments []moment
	for k := range all {
		i := &all[k]
		moments = append(moments, moment{i.OpenedAt, i, false})
		if solved(i) {
			moments = append(moments, moment{i.ResolvedAt, i, true})
		}
	}
	slices.SortStableFunc(moments, func(a, b moment) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.i.ID, b.i.ID)) })
	if at.IsZero() && len(moments) > 0 {
		at = moments[len(moments)*4/5].at
	}
	e := Evaluation{At: at}
	after := 0
	for _, mo := range moments {
		if !mo.resolved && !mo.at.Before(at) && solved(mo.i) {
			after++
		}
	}
	every := max(1, after/MaxTests) // spread over the whole stretch
	m := newMemory()
	m.seed(words)
	counts := newCounts()
	known := map[string]bool{}
	tallies := []tally{{Measured: Measured{Name: "most frequent"}}, {Measured: Measured{Name: "most frequent of its type"}}, {Measured: Measured{Name: "most alike"}}}
	if places != nil {
		tallies = append(tallies, tally{Measured: Measured{Name: "suggested"}})
	}
	seen := 0
	for _, mo := range moments {
		i := mo.i
		if mo.resolved {
			m.put(i, nil)
			counts.add(uint32(i.Category), uint32(i.ResolutionCode))
			if i.OpenedAt.Before(at) && mo.at.Before(at) {
				e.Known++
			}
			continue
		}
		text := m.key(read(m.words.learn, i.Title, i.Description))
		if mo.at.Before(at) || !solved(i) {
			known[text] = true
		} else {
			seen++
			switch {
			case unique && known[text]:
				e.Copies++
			case seen%every == 0 && tallies[0].Tests < MaxTests:
				truth := uint32(i.ResolutionCode)
				tallies[0].add(counts.order(0), truth)
				tallies[1].add(counts.order(uint32(i.Category)), truth)
				votes, suggested := m.answers(i, places, seconds(mo.at))
				tallies[2].add(complete(votes, counts.order(uint32(i.Category))), truth)
				if places != nil {
					tallies[3].add(complete(suggested, counts.order(uint32(i.Category))), truth)
				}
			}
			known[text] = true
		}
		opened := *i
		opened.State, opened.ResolvedAt, opened.ResolutionCode, opened.CauseCode, opened.Resolution = incident.New, time.Time{}, 0, 0, ""
		m.put(&opened, nil)
	}
	e.Answers = len(counts.all)
	for k := range tallies {
		e.Rankings = append(e.Rankings, tallies[k].done())
	}
	return e
}

// answers ranks the codes that were used on incidents like one: by likeness
// alone, and as they are suggested.
func (m *memory) answers(i *incident.Incident, places *directory.Index, now uint32) (votes, suggested []uint32) {
	q, text := m.question(i)
	near := m.near(&q, text, auth.ScopeAll(1), now)
	weight := map[uint32]float64{}
	for _, n := range near {
		weight[m.records[n.at].code] += closeness(n.like)
	}
	for code := range weight {
		votes = append(votes, code)
	}
	slices.SortFunc(votes, func(a, b uint32) int { return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b)) })
	if places == nil {
		return votes, nil
	}
	for _, s := range m.ranked(near, places, now, q.category) {
		if !slices.Contains(suggested, uint32(s.Code)) {
			suggested = append(suggested, uint32(s.Code))
		}
	}
	return votes, suggested
}

// complete ends a ranking with what another one has beside it.
func complete(answers, others []uint32) []uint32 {
	for _, o := range others {
		if !slices.Contains(answers, o) {
			answers = append(answers, o)
		}
	}
	return answers
}

// counts is how often each answer was given, in all and by type.
type answerCounts struct {
	all map[uint32]int
	of  map[uint32]map[uint32]int
}

func newCounts() *answerCounts {
	return &answerCounts{all: map[uint32]int{}, of: map[uint32]map[uint32]int{}}
}

func (c *answerCounts) add(category, answer uint32) {
	c.all[answer]++
	if c.of[category] == nil {
		c.of[category] = map[uint32]int{}
	}
	c.of[category][answer]++
}

// order lists the answers, the most frequent of a category first, then the
// most frequent in all; category 0 is no category.
func (c *answerCounts) order(category uint32) []uint32 {
	var answers []uint32
	for a := range c.all {
		answers = append(answers, a)
	}
	own := c.of[category]
	if category == 0 {
		own = nil
	}
	slices.SortFunc(answers, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(own[b], own[a]), cmp.Compare(c.all[b], c.all[a]), cmp.Compare(a, b))
	})
	return answers
}
