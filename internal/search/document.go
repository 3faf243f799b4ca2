package search

import (
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

// document is what is indexed of one incident: its words in order. A gap has
// an empty folded form.
type document []word

// read makes the document of an incident: its number, title, description,
// machine label, resolution, number in the software it came from, and the
// comments that everybody who sees the incident may read.
func read(t *incident.Text) document {
	d := words(strconv.FormatInt(t.ID, 10))
	seen := map[string]int{}
	for _, w := range d {
		seen[w.folded]++
	}
	add := func(text string) {
		if text == "" || len(d) >= maxWords {
			return
		}
		d = append(d, word{})
		each(fold(text), func(w string) {
			if len(d) >= maxWords {
				return
			}
			s := stem(w)
			seen[w]++
			if s != w {
				seen[s]++
			}
			if seen[w] > maxRepeat || seen[s] > maxRepeat {
				d = append(d, word{})
				return
			}
			d = append(d, word{w, s})
		})
	}
	for _, text := range []string{t.Title, t.Description, t.Machine, t.Resolution, t.ExternalID} {
		add(text)
	}
	for _, c := range t.Comments {
		add(c)
	}
	return d
}

// columns writes the document for FTS5: stems, and words as they are.
func (d document) columns() (stems, folded string) {
	var s, f strings.Builder
	for k, w := range d {
		if k > 0 {
			s.WriteByte(' ')
			f.WriteByte(' ')
		}
		if w.folded == "" {
			s.WriteString(gap)
			f.WriteString(gap)
			continue
		}
		s.WriteString(w.stem)
		f.WriteString(w.folded)
	}
	return s.String(), f.String()
}

// vector writes the document as a tsvector: stems as they are, words with "="
// before them.
func (d document) vector() string {
	var b strings.Builder
	for k, w := range d {
		if w.folded == "" {
			continue
		}
		at := strconv.Itoa(k + 1)
		b.WriteString(w.stem + ":" + at + " '=" + w.folded + "':" + at + " ")
	}
	return b.String()
}
