package similar

import "math"

// Complement naive Bayes: Rennie, Shih, Teevan, Karger, "Tackling the Poor
// Assumptions of Naive Bayes Text Classifiers", ICML 2003, without their
// normalisation of weights; the formulas are those of scikit-learn's
// ComplementNB(norm=False), against whose numbers bayes_test.go checks them. A
// class is judged by how little the text looks like all the others, which
// suits classes of very different sizes; it can learn and forget one text at a
// time.

// smoothing is the count added to every word (α).
const smoothing = 0.3

// cell is how often a class has a term.
type cell struct {
	class uint16
	times uint32
}

// bayes holds the counts of words by class.
type bayes struct {
	alpha  float64
	cells  [][]cell // by term
	total  []uint32 // by term
	tokens []uint64 // by class
	all    uint64
	known  int // terms with a count: the size of the vocabulary (V)
}

// add counts a text of a class, times times over (negative: forgets it).
func (b *bayes) add(class int, terms []count, times int) {
	for len(b.tokens) <= class {
		b.tokens = append(b.tokens, 0)
	}
	for _, c := range terms {
		for int(c.term) >= len(b.cells) {
			b.cells = append(b.cells, nil)
			b.total = append(b.total, 0)
		}
		n := int64(c.times) * int64(times)
		was := b.total[c.term]
		b.total[c.term] = uint32(int64(was) + n)
		switch {
		case was == 0 && n > 0:
			b.known++
		case was > 0 && b.total[c.term] == 0:
			b.known--
		}
		b.tokens[class] = uint64(int64(b.tokens[class]) + n)
		b.all = uint64(int64(b.all) + n)
		b.cell(c.term, class, n)
	}
}

func (b *bayes) cell(t term, class int, n int64) {
	list := b.cells[t]
	for k := range list {
		if int(list[k].class) == class {
			if list[k].times = uint32(int64(list[k].times) + n); list[k].times == 0 {
				list[k] = list[len(list)-1]
				b.cells[t] = list[:len(list)-1]
			}
			return
		}
	}
	b.cells[t] = append(list, cell{uint16(class), uint32(n)})
}

// scores writes into to[class] the logarithm by which a text belongs to each
// class, up to a constant. A text that is among those counted is left out of
// the counts when without is its class (-1: none): what the counts would say
// had it never been seen.
func (b *bayes) scores(to []float64, terms []count, without int) {
	size := 0.0
	for _, c := range terms {
		size += float64(c.times)
	}
	vocabulary := b.alpha * float64(max(b.known, 1))
	words := 0.0 // of the text, known
	less := float64(0)
	if without >= 0 {
		less = size
	}
	for k := range to {
		to[k] = 0
	}
	for _, c := range terms {
		if int(c.term) >= len(b.total) || b.total[c.term] == 0 {
			continue
		}
		times := float64(c.times)
		total := float64(b.total[c.term])
		if without >= 0 {
			total -= times
			if total == 0 {
				continue // it alone has the word
			}
		}
		words += times
		common := math.Log(b.alpha + total)
		for k := range to {
			to[k] -= times * common
		}
		for _, cell := range b.cells[c.term] {
			if int(cell.class) >= len(to) {
				continue
			}
			own := float64(cell.times)
			if int(cell.class) == without {
				own -= times
			}
			to[cell.class] += times * (common - math.Log(b.alpha+max(0, total-own)))
		}
	}
	for k := range to {
		own := 0.0
		if k < len(b.tokens) {
			own = float64(b.tokens[k])
		}
		rest := float64(b.all) - less - own
		if k == without {
			rest += size
		}
		to[k] += words * math.Log(vocabulary+rest)
	}
}
