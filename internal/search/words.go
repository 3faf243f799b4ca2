package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/french"
	"golang.org/x/text/unicode/norm"
)

// maxWord cuts a word that is none (a key, a path without separators), in bytes.
const maxWord = 40

// word is a word as it is indexed: folded, and its stem.
type word struct{ folded, stem string }

// elided are the words that lose their vowel before an apostrophe.
var elided = map[string]bool{
	"c": true, "d": true, "j": true, "l": true, "m": true, "n": true, "s": true, "t": true,
	"qu": true, "jusqu": true, "lorsqu": true, "puisqu": true, "quoiqu": true,
}

// Word is a word of a text as everything that reads French here knows it.
type Word struct {
	Folded string // lower case, accents folded
	Stem   string // its French stem
}

// Words cuts a text into the words that count, in order, at most limit of
// them: the one way in which texts are read for searching, comparing and
// sorting. What is not ASCII is written so that each word is (see words).
func Words(text string, limit int) []Word {
	var all []Word
	EachWord(text, func(folded string) {
		if len(all) < limit {
			all = append(all, Word{folded, Stem(folded)})
		}
	})
	return all
}

// EachWord calls fn with each word of a text, folded, in order.
func EachWord(text string, fn func(folded string)) { each(fold(text), fn) }

// Tokens are all the words of a text, folded, those of one letter too: for
// names, of which each part may matter ("Salle B").
func Tokens(text string) []string {
	return strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// Stem is the French stem of a folded word.
func Stem(folded string) string { return stem(folded) }

// words cuts a text into the words that count: runs of letters and digits,
// lower case, accents folded, elisions ("l'", "qu'") and words of one letter
// left out. The result is ASCII: a letter of another alphabet is written
// "xHEXz", so that neither engine has an opinion about it.
func words(text string) []word {
	var all []word
	each(fold(text), func(w string) {
		all = append(all, word{w, stem(w)})
	})
	return all
}

// fold lowers a text and takes its accents off.
func fold(s string) string {
	ascii := true
	for k := range len(s) {
		if s[k] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(s) {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(unicode.ToLower(r))
		case r == 'œ' || r == 'Œ':
			b.WriteString("oe")
		case r == 'æ' || r == 'Æ':
			b.WriteString("ae")
		case r == '’' || r == 'ʼ':
			b.WriteByte('\'')
		case unicode.Is(unicode.Mn, r):
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// each calls fn with the words of a folded text, in order.
func each(folded string, fn func(string)) {
	eachAt(folded, func(from, to int) { fn(plain(folded[from:to])) })
}

// eachAt calls fn with where the words of a folded text stand, in order.
func eachAt(folded string, fn func(from, to int)) {
	start := -1
	for k, r := range folded + " " {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			if start < 0 {
				start = k
			}
			continue
		}
		if start >= 0 {
			w, from := folded[start:k], start
			start = -1
			if r == '\'' && elided[w] || utf8.RuneCountInString(w) == 1 && !unicode.IsDigit(rune(w[0])) {
				continue
			}
			fn(from, k)
		}
	}
}

// plain writes a word in ASCII, cut at maxWord.
func plain(w string) string {
	ascii := true
	for k := range len(w) {
		if w[k] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if !ascii {
		const hex = "0123456789abcdef"
		var b strings.Builder
		for _, r := range w {
			if r < utf8.RuneSelf {
				b.WriteRune(r)
				continue
			}
			b.WriteByte('x')
			for shift := 20; shift >= 0; shift -= 4 {
				b.WriteByte(hex[r>>shift&15])
			}
			b.WriteByte('z')
		}
		w = b.String()
	}
	if len(w) > maxWord {
		w = w[:maxWord]
	}
	return w
}

// stem is the French stem of a folded word. The accents are taken off first:
// half of the people type none, and both halves must find the same.
func stem(w string) string {
	if w[0] >= '0' && w[0] <= '9' {
		return w
	}
	s := snowball(w)
	if len(s) < 2 {
		return w
	}
	return s
}

// snowball is the Snowball stemmer on one word as it is.
func snowball(w string) string {
	env := snowballstem.NewEnv(w)
	french.Stem(env)
	return env.Current()
}
