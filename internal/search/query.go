package search

import (
	"strings"
	"unicode/utf8"

	"statincidents/internal/fault"
)

// Limits on a question.
const (
	MaxQuery = 200 // characters
	MaxTerms = 12  // words and phrases
)

// question is what an incident must have: every word (by its stem), the last
// one maybe unfinished, and every phrase (the words as they are, side by side).
type question struct {
	words   []word
	last    word // zero if the question ends with a phrase
	phrases [][]string
}

// parse reads what someone typed. A quotation mark that is not closed is
// none; French ones do too.
func parse(text string) (question, error) {
	if utf8.RuneCountInString(text) > MaxQuery {
		return question{}, fault.InvalidField("text", "error.search.too_long", "max", MaxQuery)
	}
	text = strings.NewReplacer("«", `"`, "»", `"`, "“", `"`, "”", `"`).Replace(text)
	var q question
	terms := 0
	parts := strings.Split(text, `"`)
	for k, part := range parts {
		inside := k%2 == 1 && k < len(parts)-1
		ws := words(part)
		if len(ws) == 0 {
			continue
		}
		terms += len(ws)
		if inside {
			q.last = word{}
			phrase := make([]string, len(ws))
			for n, w := range ws {
				phrase[n] = w.folded
			}
			q.phrases = append(q.phrases, phrase)
			continue
		}
		q.words = append(q.words, ws...)
		q.last = ws[len(ws)-1]
	}
	if terms > MaxTerms {
		return question{}, fault.InvalidField("text", "error.search.too_many_words", "max", MaxTerms)
	}
	if q.last != (word{}) {
		// The last word is asked as a beginning; asked as a word too it would
		// have to be finished.
		q.words = q.words[:len(q.words)-1]
	}
	return q, nil
}

func (q question) empty() bool { return len(q.words) == 0 && len(q.phrases) == 0 && q.last == word{} }

// reach is where a question is asked: whether the unit's words count, and of
// which marks an incident must have one (nil: any incident).
type reach struct {
	inner bool
	marks [][]string // one of each list
}

// fts5 writes the question for SQLite. Every word is ASCII letters and digits.
// spelling is every word that begins like the last one, nil if that is not
// known: then it is asked as a beginning.
func (q question) fts5(r reach, spelling []string) string {
	stems, words := "stems", "words"
	if r.inner {
		stems, words = "{stems istems}", "{words iwords}"
	}
	var terms []string
	for _, marks := range r.marks {
		terms = append(terms, `(marks : "`+strings.Join(marks, `" OR marks : "`)+`")`)
	}
	for _, w := range q.words {
		terms = append(terms, stems+` : "`+w.stem+`"`)
	}
	for _, p := range q.phrases {
		terms = append(terms, words+` : "`+strings.Join(p, " ")+`"`)
	}
	if q.last != (word{}) {
		last := []string{stems + ` : "` + q.last.stem + `"`}
		if spelling == nil {
			last = append(last, words+` : "`+q.last.folded+`" *`)
		}
		for _, w := range spelling {
			last = append(last, words+` : "`+w+`"`)
		}
		terms = append(terms, `(`+strings.Join(last, " OR ")+`)`)
	}
	return strings.Join(terms, " AND ")
}

// tsquery writes the question for PostgreSQL; see fts5 for spelling.
func (q question) tsquery(r reach, spelling []string) string {
	var terms []string
	both := func(of func(before string) string) {
		if r.inner {
			terms = append(terms, "("+of("")+" | "+of("!")+")")
			return
		}
		terms = append(terms, "("+of("")+")")
	}
	for _, marks := range r.marks {
		terms = append(terms, "('@"+strings.Join(marks, "' | '@")+"')")
	}
	for _, w := range q.words {
		both(func(before string) string { return "'" + before + w.stem + "'" })
	}
	for _, p := range q.phrases {
		both(func(before string) string {
			return "('" + before + "=" + strings.Join(p, "' <-> '"+before+"=") + "')"
		})
	}
	if q.last != (word{}) {
		both(func(before string) string {
			last := []string{"'" + before + q.last.stem + "'"}
			switch n := len(q.last.folded); {
			case n >= shortest && n <= longest:
				last = append(last, "'"+before+"<"+q.last.folded+"'")
			case spelling == nil:
				last = append(last, "'"+before+"="+q.last.folded+"':*")
			}
			for _, w := range spelling {
				last = append(last, "'"+before+"="+w+"'")
			}
			return strings.Join(last, " | ")
		})
	}
	return strings.Join(terms, " & ")
}
