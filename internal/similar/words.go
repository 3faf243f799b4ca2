package similar

import (
	"slices"
	"strings"

	"statincidents/internal/search"
)

const (
	// maxVocabulary bounds the words known: a département's whole life has
	// some tens of thousands; what comes after is names and keys.
	maxVocabulary = 200_000
	// maxTerms bounds the different words kept of one text.
	maxTerms = 60
	// maxTimes is how often a word counts in one text.
	maxTimes = 31
)

// term is the number of a stem in a vocabulary.
type term uint32

// count is a term and how often a text has it.
type count struct {
	term  term
	times uint8
}

// vocabulary numbers the stems of the words met. A word's stem is computed
// once: the rest of a load is look-ups.
type vocabulary struct {
	word map[string]term // folded word → its stem's number
	stem map[string]term
	name []string // of a term: the stem
}

// none is the term of words that count for nothing.
const none = ^term(0)

func newVocabulary() *vocabulary {
	return &vocabulary{word: map[string]term{}, stem: map[string]term{}}
}

// size is how many terms there are.
func (v *vocabulary) size() int { return len(v.stem) }

// learn gives a word's term, new or not; none for a stop word and when the
// vocabulary is full.
func (v *vocabulary) learn(folded string) term {
	if t, ok := v.word[folded]; ok {
		return t
	}
	t := none
	switch {
	case len(v.word) >= maxVocabulary:
		return none
	case search.Says(folded):
		s := search.Stem(folded)
		var known bool
		if t, known = v.stem[s]; !known {
			t = term(len(v.stem))
			s = strings.Clone(s)
			v.stem[s] = t
			v.name = append(v.name, s)
		}
	}
	v.word[strings.Clone(folded)] = t
	return t
}

// know gives the term of a word already met, or of another word of the same
// stem.
func (v *vocabulary) know(folded string) term {
	if t, ok := v.word[folded]; ok {
		return t
	}
	if !search.Says(folded) {
		return none
	}
	if t, ok := v.stem[search.Stem(folded)]; ok {
		return t
	}
	return none
}

// read makes the terms of a text, by number, with how often it has each. Find
// is learn or know.
func read(find func(string) term, texts ...string) []count {
	terms := make([]count, 0, 24)
	for _, text := range texts {
		search.EachWord(text, func(w string) {
			t := find(w)
			if t == none {
				return
			}
			for k := range terms {
				if terms[k].term == t {
					terms[k].times = min(terms[k].times+1, maxTimes)
					return
				}
			}
			if len(terms) < maxTerms {
				terms = append(terms, count{t, 1})
			}
		})
	}
	slices.SortFunc(terms, func(a, b count) int { return int(a.term) - int(b.term) })
	return terms
}

// pack writes terms, sorted, in a few bytes each.
func pack(to []byte, terms []count) []byte {
	last := term(0)
	for _, c := range terms {
		to = appendUvarint(to, uint64(c.term-last)<<1|flag(c.times > 1))
		if c.times > 1 {
			to = append(to, c.times)
		}
		last = c.term
	}
	return to
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func appendUvarint(to []byte, x uint64) []byte {
	for x >= 0x80 {
		to = append(to, byte(x)|0x80)
		x >>= 7
	}
	return append(to, byte(x))
}

// unpack reads what pack wrote.
func unpack(b []byte) []count {
	terms := make([]count, 0, len(b)/2+1)
	last := term(0)
	for at := 0; at < len(b); {
		var x uint64
		for shift := 0; ; shift += 7 {
			c := b[at]
			at++
			x |= uint64(c&0x7f) << shift
			if c < 0x80 {
				break
			}
		}
		last += term(x >> 1)
		c := count{last, 1}
		if x&1 == 1 {
			c.times = b[at]
			at++
		}
		terms = append(terms, c)
	}
	return terms
}
