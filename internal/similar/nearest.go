package similar

import (
	"cmp"
	"math"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/incident"
)

// Likeness of a resolved incident to another: half its words, half what else
// it has in common, less with age.
const (
	wordsShare      = 0.5
	attributesShare = 1 - wordsShare
	// fading is the age, in days, at which a likeness counts for 1/e.
	fading = 365
	// neighbours is how many incidents, the most alike, are looked at.
	neighbours = 200
	// leastLike is the likeness under which an incident is not like another.
	leastLike = 0.12
	// maxAsked is how many of a report's words are looked up, the rarest first.
	maxAsked = 24
)

// BM25's usual parameters: how soon repeating a word stops counting, and how
// much long texts are held back.
const k1, b = 1.2, 0.75

// idf is how much a word that df texts of n have tells (Lucene's form of
// BM25, Robertson & Zaragoza 2009).
func idf(n, df float64) float64 { return math.Log(1 + (n-df+0.5)/(df+0.5)) }

// saturated is the weight of a word that a text of some length has times over.
func saturated(times, length, mean float64) float64 {
	return times / (times + k1*(1-b+b*length/mean))
}

// attribute is what two incidents may have in common beside words.
type attribute struct {
	kind attributeKind
	id   uint32
}

type attributeKind uint8

const (
	ofCategory attributeKind = iota // itself or one above it
	ofMachine
	ofRoom
	ofSchool
	ofPriority
)

// weightOf says how much an attribute counts, beside how rare its value is:
// the kind of trouble, its machine and its urgency speak of the solution, the
// place less (chosen on the demonstration and on UCI 498 by "bench suggest").
var weightOf = [...]float64{ofCategory: 1, ofMachine: 0.6, ofRoom: 0.2, ofSchool: 0.2, ofPriority: 0.3}

// attributes lists what a record has, its category's path included.
func (r *record) attributes(words *catalog.Index, to []attribute) []attribute {
	for _, id := range words.Path(int64(r.category)) {
		to = append(to, attribute{ofCategory, uint32(id)})
	}
	for _, a := range [...]attribute{{ofMachine, r.machine}, {ofRoom, r.room}, {ofSchool, r.school}, {ofPriority, uint32(r.priority)}} {
		if a.id != 0 {
			to = append(to, a)
		}
	}
	return to
}

// common is the share of what an incident has that a record has too, by what
// each tells.
type common struct {
	all   []attribute
	tells []float64
	total float64
	types map[uint32]float64 // by category: what those on the way to it tell
}

func (m *memory) commonWith(q *record) *common {
	c := &common{all: q.attributes(m.model.catalogue, nil), types: map[uint32]float64{}}
	for _, a := range c.all {
		t := weightOf[a.kind] * math.Log(1+float64(m.solved)/float64(1+m.having[a]))
		c.tells = append(c.tells, t)
		c.total += t
	}
	return c
}

func (c *common) share(m *memory, r *record) float64 {
	if c.total == 0 {
		return 0
	}
	sum, known := c.types[r.category]
	if !known {
		for k, a := range c.all {
			if a.kind == ofCategory && slices.Contains(m.model.catalogue.Path(int64(r.category)), int64(a.id)) {
				sum += c.tells[k]
			}
		}
		c.types[r.category] = sum
	}
	for k, a := range c.all {
		same := false
		switch a.kind {
		case ofCategory:
		case ofMachine:
			same = r.machine == a.id
		case ofRoom:
			same = r.room == a.id
		case ofSchool:
			same = r.school == a.id
		case ofPriority:
			same = uint32(r.priority) == a.id
		}
		if same {
			sum += c.tells[k]
		}
	}
	return sum / c.total
}

// neighbour is a solved incident that is like another.
type neighbour struct {
	at   slot
	like float64
}

// closeness is how much a neighbour's word counts: the fourth power of its
// likeness, so that the few that are really alike are not outvoted by the many
// that are a little (on UCI 498 hit@1 of the group rises from .587 with the
// square to .606).
func closeness(like float64) float64 { return like * like * like * like }

// near gives the solved incidents that are most like one, in a reader's scope,
// the most alike first. Now is the instant from which ages are counted, in
// seconds; what was resolved after it is not known yet.
func (m *memory) near(q *record, text []count, scope auth.Scope, now uint32) []neighbour {
	if m.solved == 0 || scope.Nothing() {
		return nil
	}
	scores, highest := m.bm25(text)
	defer scorePool.Put(&scores)
	c := m.commonWith(q)
	all := scope.All()
	heap := make([]neighbour, 0, neighbours)
	for k := range m.records {
		if scores[k] == 0 && (q.category == 0 || m.records[k].category != q.category) {
			continue
		}
		r := &m.records[k]
		if r.state != isSolved || r.id == q.id || r.code == 0 || r.resolved > now || !all && !scope.Sees(int64(r.school), int64(r.declarant)) {
			continue
		}
		text := 0.0
		if highest > 0 {
			text = min(1, float64(scores[k])/highest)
		}
		need := leastLike
		if len(heap) == neighbours {
			need = heap[0].like
		}
		most := wordsShare*text + attributesShare
		if most < need {
			continue
		}
		age := math.Exp(-float64(now-r.resolved) / (fading * 86_400))
		if most*age < need {
			continue
		}
		if like := (wordsShare*text + attributesShare*c.share(m, r)) * age; like >= leastLike {
			heap = push(heap, neighbour{slot(k), like})
		}
	}
	slices.SortFunc(heap, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(b.like, a.like), cmp.Compare(m.records[b.at].id, m.records[a.at].id))
	})
	return heap
}

// push keeps the most alike, the least of them at the top of the heap.
func push(heap []neighbour, n neighbour) []neighbour {
	if len(heap) < neighbours {
		heap = append(heap, n)
		for k := len(heap) - 1; k > 0 && heap[k].like < heap[(k-1)/2].like; k = (k - 1) / 2 {
			heap[k], heap[(k-1)/2] = heap[(k-1)/2], heap[k]
		}
		return heap
	}
	if n.like <= heap[0].like {
		return heap
	}
	heap[0] = n
	for k := 0; ; {
		least := k
		for c := 2*k + 1; c <= 2*k+2 && c < len(heap); c++ {
			if heap[c].like < heap[least].like {
				least = c
			}
		}
		if least == k {
			return heap
		}
		heap[k], heap[least] = heap[least], heap[k]
		k = least
	}
}

// bm25 scores every slot by the words of a text, and tells the score of a text
// of mean length that has each of them once.
func (m *memory) bm25(text []count) (scores []float32, highest float64) {
	scores = blankScores(len(m.records))
	mean := float64(m.length) / float64(max(m.solved, 1))
	type asked struct {
		count
		idf float64
	}
	var words []asked
	for _, c := range text {
		if int(c.term) >= len(m.df) || m.df[c.term] == 0 {
			continue
		}
		words = append(words, asked{c, idf(float64(m.solved), float64(m.df[c.term]))})
	}
	slices.SortFunc(words, func(a, b asked) int { return cmp.Or(cmp.Compare(b.idf, a.idf), cmp.Compare(a.term, b.term)) })
	for _, w := range words[:min(len(words), maxAsked)] {
		weight := w.idf * float64(w.times)
		highest += weight / (1 + k1)
		for _, p := range m.postings[w.term] {
			r := &m.records[p>>5]
			scores[p>>5] += float32(weight * saturated(float64(p&31), float64(r.length), mean))
		}
	}
	return scores, highest
}

// question is an incident as the memory would remember it.
func (m *memory) question(i *incident.Incident) (record, []count) {
	return record{
		id: i.ID, school: uint32(i.School), room: uint32(i.Room), category: uint32(i.Category), priority: uint8(i.Priority), machine: m.label[i.Machine],
	}, read(m.words.know, i.Title, i.Description)
}
