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

// fts5 writes the question for SQLite. Every word is ASCII letters and digits.
func (q question) fts5() string {
	var terms []string
	for _, w := range q.words {
		terms = append(terms, `stems : "`+w.stem+`"`)
	}
	for _, p := range q.phrases {
		terms = append(terms, `words : "`+strings.Join(p, " ")+`"`)
	}
	if q.last != (word{}) {
		terms = append(terms, `(stems : "`+q.last.stem+`" OR words : "`+q.last.folded+`" *)`)
	}
	return strings.Join(terms, " AND ")
}

// tsquery writes the question for PostgreSQL.
func (q question) tsquery() string {
	var terms []string
	for _, w := range q.words {
		terms = append(terms, "'"+w.stem+"'")
	}
	for _, p := range q.phrases {
		terms = append(terms, "('="+strings.Join(p, "' <-> '=")+"')")
	}
	if q.last != (word{}) {
		terms = append(terms, "('"+q.last.stem+"' | '="+q.last.folded+"':*)")
	}
	return strings.Join(terms, " & ")
}
