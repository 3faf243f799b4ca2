package privacy

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// what a word is that names somebody.
type what int

const (
	aName what = iota
	anEmail
	aPhone
	aKey     // a login, a number in another software
	aSurname // by itself or after a title
)

// span is a place in a text.
type span struct {
	from, to int
	what     what
}

// words finds what names somebody, whatever its case, accents, spaces and
// dots.
type words struct {
	patterns []pattern
}

type pattern struct {
	what what
	re   *regexp.Regexp
}

const (
	gap   = `[\s.,_'\-]{1,3}`
	pause = `[\s.\-/]{0,2}`
)

// namePattern matches a name of two words or more, in its order or with its
// last words first (« Claire Martin », « MARTIN Claire »); "" for a single word.
func namePattern(name string) string {
	t := tokens(name)
	if len(t) < 2 || len(strings.Join(t, "")) < 5 {
		return ""
	}
	var all []string
	for k := range t {
		turned := slices.Concat(t[k:], t[:k])
		for i := range turned {
			turned[i] = regexp.QuoteMeta(turned[i])
		}
		all = append(all, strings.Join(turned, gap))
	}
	return strings.Join(all, "|")
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// phonePattern matches a telephone number however it is grouped; "" for one
// too short to be anybody's.
func phonePattern(phone string) string {
	d := digits(phone)
	d = strings.TrimPrefix(d, "00")
	prefix := ""
	if rest, ok := strings.CutPrefix(d, "33"); ok && len(rest) >= 9 {
		d = "0" + strings.TrimPrefix(rest, "0")
	}
	if len(d) < 8 {
		return ""
	}
	if len(d) == 10 && d[0] == '0' {
		prefix, d = `(?:(?:\+|00)33[\s.\-]{0,2}(?:\(0\)[\s.\-]{0,2})?|0)`, d[1:]
	}
	return prefix + pause + strings.Join(strings.Split(d, ""), pause)
}

// distinctive tells whether a login or a key is no word of the language: only
// then is it looked for in texts by itself.
func distinctive(key string) bool {
	return utf8.RuneCountInString(key) >= 4 && strings.ContainsFunc(key, unicode.IsLetter) && strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsLetter(r) })
}

func compile(kind what, parts []string) []pattern {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	if len(parts) == 0 {
		return nil
	}
	// The longest first: of two that begin together it is the one meant.
	slices.SortStableFunc(parts, func(a, b string) int { return len(b) - len(a) })
	return []pattern{{kind, regexp.MustCompile("(?:" + strings.Join(parts, "|") + ")")}}
}

// newWords makes the finder of what surely names somebody.
func newWords(w Wanted) *words {
	var emails, phones, names, keys []string
	for _, e := range w.Emails {
		emails = append(emails, regexp.QuoteMeta(fold(e).text))
	}
	for _, p := range w.Phones {
		phones = append(phones, phonePattern(p))
	}
	for _, n := range w.Names {
		names = append(names, namePattern(n))
	}
	for _, k := range w.Keys {
		if distinctive(k) {
			keys = append(keys, regexp.QuoteMeta(fold(k).text))
		}
	}
	return &words{slices.Concat(compile(anEmail, emails), compile(aPhone, phones), compile(aName, names), compile(aKey, keys))}
}

// find gives the places where a text names somebody, in order, none over
// another.
func (w *words) find(s string) []span {
	if len(w.patterns) == 0 || s == "" {
		return nil
	}
	f := fold(s)
	var all []span
	for _, p := range w.patterns {
		for from := 0; from < len(f.text); {
			m := p.re.FindStringIndex(f.text[from:])
			if m == nil {
				break
			}
			a, b := from+m[0], from+m[1]
			if b == a {
				break
			}
			if !bounded(f.text, a, b, p.what) {
				_, size := utf8.DecodeRuneInString(f.text[a:])
				from = a + size
				continue
			}
			all = append(all, span{f.at(a), f.at(b), p.what})
			from = b
		}
	}
	slices.SortStableFunc(all, func(a, b span) int { return a.from - b.from })
	kept := all[:0]
	for _, m := range all {
		if n := len(kept); n == 0 || m.from >= kept[n-1].to {
			kept = append(kept, m)
		}
	}
	return kept
}

// bounded tells whether what was found is not a part of a longer word.
func bounded(s string, from, to int, kind what) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:from])
	after, size := utf8.DecodeRuneInString(s[to:])
	wordy := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	if from > 0 && (wordy(before) || kind == anEmail && strings.ContainsRune("._%+-", before)) {
		return false
	}
	if to == len(s) {
		return true
	}
	if wordy(after) || kind == anEmail && strings.ContainsRune("_-", after) {
		return false
	}
	if kind == anEmail && after == '.' && to+size < len(s) {
		next, _ := utf8.DecodeRuneInString(s[to+size:])
		return !wordy(next)
	}
	return true
}

// replace puts something else at the places found; it gives the text and how
// many places there were.
func (w *words) replace(s string, with func(span) string) (string, int) {
	found := w.find(s)
	return splice(s, found, with), len(found)
}

func splice(s string, found []span, with func(span) string) string {
	if len(found) == 0 {
		return s
	}
	var b strings.Builder
	at := 0
	for _, m := range found {
		b.WriteString(s[at:m.from])
		b.WriteString(with(m))
		at = m.to
	}
	b.WriteString(s[at:])
	return b.String()
}

// titles are what people write before a surname.
const titles = `(?:(?:m|mme|mlle|mr|mrs|ms|monsieur|madame|mademoiselle|dr)\.?\s{1,2}|[a-z]\.\s?)?`

// newGuesses finds what may be somebody: the surname alone, a login made of it,
// a name that two people have. A person decides on each.
func newGuesses(w Wanted) *words {
	var names, keys []string
	for _, n := range w.Names {
		if s := surname(n); utf8.RuneCountInString(s) >= 3 {
			names = append(names, titles+regexp.QuoteMeta(s))
		}
	}
	for _, n := range w.Shared {
		if p := namePattern(n); p != "" {
			names = append(names, p)
		}
	}
	for _, k := range w.Keys {
		// A login that is a word of the language (« enseignant ») is nobody's in a
		// text; one made of the surname may be.
		if made := slices.ContainsFunc(w.Names, func(n string) bool { return strings.Contains(fold(k).text, surname(n)) }); made && !distinctive(k) && utf8.RuneCountInString(k) >= 3 {
			keys = append(keys, regexp.QuoteMeta(fold(k).text))
		}
	}
	return &words{slices.Concat(compile(aName, names), compile(aKey, keys))}
}

// newNear finds who surely is meant in the texts of an incident that is theirs:
// the surname too, after a title or with a capital (see nearly).
func newNear(w Wanted) *words {
	near := newWords(Wanted{Names: slices.Concat(w.Names, w.Shared), Emails: w.Emails, Phones: w.Phones, Keys: w.Keys})
	var surnames []string
	for _, n := range slices.Concat(w.Names, w.Shared) {
		if s := surname(n); utf8.RuneCountInString(s) >= 3 {
			surnames = append(surnames, titles+regexp.QuoteMeta(s))
		}
	}
	near.patterns = append(near.patterns, compile(aSurname, surnames)...)
	return near
}

// nearly tells whether what was found of a surname is a name and no word of the
// language: « Mme petit », « Petit ».
func nearly(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return unicode.IsUpper(first) || strings.ContainsAny(text, " .\u00a0\u202f")
}

// surname is the word of a name that is written in capitals, else the last.
func surname(name string) string {
	parts := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, p := range parts {
		if utf8.RuneCountInString(p) > 1 && strings.ToUpper(p) == p {
			return fold(p).text
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fold(parts[len(parts)-1]).text
}
