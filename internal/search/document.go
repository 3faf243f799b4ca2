package search

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/incident"
)

// Limits of what is indexed of one incident, the same on both engines:
// PostgreSQL keeps positions up to 16,383 and 255 of a word.
const (
	maxWords  = 8000
	maxRepeat = 250
)

// gap separates two texts so that no phrase runs over it. It stands for a word
// too frequent to be kept as well. One letter: no word is one letter long.
const gap = "z"

// text is what is indexed of some texts: their words in order. A gap has
// neither a folded form nor a stem; a number only a stem, since nobody looks for
// the beginning of one.
type text []word

// document is what is indexed of one incident.
type document struct {
	open  text     // what everybody who sees the incident reads
	inner text     // what the unit says among itself
	marks []string // who sees it: its school, people
	block string   // which block of numbers it is in
}

// read makes the document of an incident: its number, title, description,
// machine label, resolution, number in the software it came from, the names of
// its place, and the comments.
func read(t *incident.Text, places ...string) document {
	var d document
	seen := map[string]int{}
	number := strconv.FormatInt(t.ID, 10)
	seen[number]++
	d.open = append(d.open, word{"", number})
	for _, s := range []string{t.Title, t.Description, t.Machine, t.Resolution, t.ExternalID} {
		d.open.add(s, seen)
	}
	for _, s := range places {
		d.open.add(s, seen)
	}
	for _, s := range t.Comments {
		d.open.add(s, seen)
	}
	seen = map[string]int{}
	for _, s := range t.Internal {
		d.inner.add(s, seen)
	}
	if t.School != 0 {
		d.marks = append(d.marks, schoolMark(t.School))
	}
	for _, p := range t.People {
		if mark := personMark(p); !slices.Contains(d.marks, mark) {
			d.marks = append(d.marks, mark)
		}
	}
	d.block = strconv.FormatInt(t.ID/blockSize, 10)
	return d
}

func schoolMark(id int64) string { return "s" + strconv.FormatInt(id, 10) }
func personMark(id int64) string { return "p" + strconv.FormatInt(id, 10) }

// add puts the words of a text after those before it, with a gap between.
func (d *text) add(text string, seen map[string]int) {
	if text == "" || len(*d) >= maxWords {
		return
	}
	*d = append(*d, word{})
	each(fold(text), func(w string) {
		if len(*d) >= maxWords {
			return
		}
		s := stem(w)
		seen[w]++
		if s != w {
			seen[s]++
		}
		if seen[w] > maxRepeat || seen[s] > maxRepeat {
			*d = append(*d, word{})
			return
		}
		*d = append(*d, word{w, s})
	})
}

// columns writes a text for FTS5: stems, and words as they are.
func (d text) columns() (stems, folded string) {
	var s, f strings.Builder
	for k, w := range d {
		if k > 0 {
			s.WriteByte(' ')
			f.WriteByte(' ')
		}
		s.WriteString(cmp.Or(w.stem, gap))
		f.WriteString(cmp.Or(w.folded, gap))
	}
	return s.String(), f.String()
}

// Beginnings of these lengths are indexed as such; FTS5 does it by itself.
const shortest, longest = 2, 3

// vector writes the document as a tsvector: stems as they are, words with "="
// before them, their beginnings with "<", the unit's with "!" before that; marks
// with "@", the block with "#".
func (d document) vector(tenant int64) string {
	var b strings.Builder
	write := func(t text, before string) {
		begun := map[string]bool{}
		for k, w := range t {
			at := strconv.Itoa(k + 1)
			if w.stem != "" {
				b.WriteString("'" + before + w.stem + "':" + at + " ")
			}
			if w.folded != "" {
				b.WriteString("'" + before + "=" + w.folded + "':" + at + " ")
			}
			for n := shortest; n <= longest && n <= len(w.folded); n++ {
				if beginning := w.folded[:n]; !begun[beginning] {
					begun[beginning] = true
					b.WriteString("'" + before + "<" + beginning + "' ")
				}
			}
		}
	}
	write(d.open, "")
	write(d.inner, "!")
	for _, m := range d.marks {
		b.WriteString("'@" + m + "' ")
	}
	b.WriteString("'#" + strconv.FormatInt(tenant, 10) + "." + d.block + "'")
	return b.String()
}
