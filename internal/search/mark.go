package search

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Piece is a part of a text that is shown, marked where it answers a question.
type Piece struct {
	Text string
	Mark bool
}

// Plain is the text of pieces.
func Plain(pieces []Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.Text)
	}
	return b.String()
}

// Terms are the words of a question, to be looked for in texts at hand: the
// same words that the index would find.
type Terms struct {
	all []term
}

type term struct {
	word
	prefix bool // the last word, maybe unfinished
	exact  bool // of a phrase: the word as it is
}

// NewTerms reads a question; none if it says nothing or is refused.
func NewTerms(text string) Terms {
	q, err := parse(text)
	if err != nil {
		return Terms{}
	}
	var t Terms
	for _, w := range q.words {
		t.all = append(t.all, term{word: w})
	}
	for _, p := range q.phrases {
		for _, w := range p {
			t.all = append(t.all, term{word: word{folded: w}, exact: true})
		}
	}
	if q.last != (word{}) {
		t.all = append(t.all, term{word: q.last, prefix: true})
	}
	return t
}

// Count is how many terms there are.
func (t Terms) Count() int { return len(t.all) }

// Found is which of the terms a text has.
type Found uint64

// Count is how many terms were found.
func (f Found) Count() int { return bits.OnesCount64(uint64(f)) }

// All is every term found.
func (t Terms) All() Found { return Found(1)<<len(t.all) - 1 }

// In tells which terms a text has.
func (t Terms) In(text string) Found {
	if text == "" || len(t.all) == 0 {
		return 0
	}
	var f Found
	each(fold(text), func(w string) { f |= t.of(w) })
	return f
}

// of tells which terms a folded word answers. A word is only stemmed where it
// begins like a term: a stem keeps its first letters.
func (t Terms) of(w string) Found {
	var f Found
	stemmed := ""
	for k := range t.all {
		x := &t.all[k]
		switch {
		case w == x.folded || x.prefix && strings.HasPrefix(w, x.folded):
			f |= 1 << k
		case x.exact || len(w) < 2 || len(x.stem) < 2 || w[:2] != x.stem[:2]:
		default:
			if stemmed == "" {
				stemmed = stem(w)
			}
			if stemmed == x.stem {
				f |= 1 << k
			}
		}
	}
	return f
}

// stretch is a marked part of a text, in bytes.
type stretch struct{ from, to int }

// marks gives where the terms stand in a text.
func (t Terms) marks(text string) []stretch {
	if len(t.all) == 0 {
		return nil
	}
	var b strings.Builder
	var at []int // of each byte of the folded text, where its letter begins
	var ends []int
	for k, r := range text {
		n := b.Len()
		b.WriteString(fold(string(r)))
		end := k + utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size := utf8.DecodeRuneInString(text[k:])
			end = k + size
		}
		if b.Len() == n && len(ends) > 0 {
			ends[len(ends)-1] = end // an accent by itself goes with its letter
		}
		for range b.Len() - n {
			at, ends = append(at, k), append(ends, end)
		}
	}
	folded := b.String()
	var all []stretch
	eachAt(folded, func(from, to int) {
		if t.of(plain(folded[from:to])) != 0 {
			all = append(all, stretch{at[from], ends[to-1]})
		}
	})
	return all
}

// Marked cuts a text into pieces.
func (t Terms) Marked(text string) []Piece {
	return cut(text, 0, len(text), t.marks(text))
}

func cut(text string, from, to int, marks []stretch) []Piece {
	var pieces []Piece
	add := func(a, b int, mark bool) {
		if a < b {
			pieces = append(pieces, Piece{text[a:b], mark})
		}
	}
	for _, m := range marks {
		if m.from < from || m.to > to {
			continue
		}
		add(from, m.from, false)
		add(m.from, m.to, true)
		from = m.to
	}
	add(from, to, false)
	return pieces
}

// Snippet is the part of a text, most bytes long or a little more, where most
// of the terms stand; none if no term does.
func (t Terms) Snippet(text string, most int) []Piece {
	text = strings.Join(strings.Fields(text), " ")
	marks := t.marks(text)
	if len(marks) == 0 {
		return nil
	}
	best, found := 0, 0
	for k := range marks {
		var f Found
		for _, m := range marks[k:] {
			if m.to > marks[k].from+most*3/4 {
				break
			}
			f |= t.In(text[m.from:m.to])
		}
		if f.Count() > found {
			best, found = k, f.Count()
		}
	}
	from := max(0, marks[best].from-most/4)
	to := min(len(text), max(from+most, marks[best].to))
	from = max(0, min(from, to-most))
	// Whole words, as far as there are spaces near.
	if from > 0 {
		if n := strings.IndexByte(text[from:marks[best].from], ' '); n >= 0 && n < 30 {
			from += n + 1
		}
		for from > 0 && !utf8.RuneStart(text[from]) {
			from--
		}
	}
	if to < len(text) {
		if n := strings.LastIndexByte(text[marks[best].to:to], ' '); n > 0 && marks[best].to+n > to-30 {
			to = marks[best].to + n
		}
		for to < len(text) && !utf8.RuneStart(text[to]) {
			to++
		}
	}
	pieces := cut(text, from, to, marks)
	if from > 0 {
		pieces = append([]Piece{{Text: "… "}}, pieces...)
	}
	if to < len(text) {
		pieces = append(pieces, Piece{Text: " …"})
	}
	return pieces
}
