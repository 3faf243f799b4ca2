// Package locale speaks to people in their language: sentences from the
// catalogues, numbers, dates, durations, lists and the order of words.
//
// A sentence is a key of catalog/LANG/AREA.json with {placeholders}; a sentence
// that counts has two keys, "x.one" and "x.other", chosen by N. The catalogues
// are set by the rules of each language when they are read (see Typeset), so
// they may be typed on an ordinary keyboard.
package locale

import (
	"cmp"
	"embed"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// Lang is a language of the product.
type Lang string

// The languages. French is the first and the default.
const (
	French  Lang = "fr"
	English Lang = "en"
)

// Langs lists every language, the default first.
var Langs = []Lang{French, English}

// Valid tells whether l is one of the languages.
func (l Lang) Valid() bool { return slices.Contains(Langs, l) }

// String is the language's code, as in the lang attribute of a page.
func (l Lang) String() string { return string(l) }

func (l Lang) tag() language.Tag {
	if l == English {
		return language.BritishEnglish
	}
	return language.French
}

var matcher = language.NewMatcher([]language.Tag{language.French, language.English})

// Match chooses the language: the preferred one when it is one of ours, else
// the best of a browser's Accept-Language header, else French.
func Match(preferred, acceptLanguage string) Lang {
	if l := Lang(preferred); l.Valid() {
		return l
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return French
	}
	_, i, _ := matcher.Match(tags...)
	return Langs[i]
}

//go:embed catalog/*/*.json
var files embed.FS

// catalogues are read once; they are embedded, so a failure is a mistake of
// ours that the first test finds.
var catalogues = sync.OnceValue(func() map[Lang]catalogue {
	all, err := load(files)
	if err != nil {
		panic("locale: " + err.Error())
	}
	return all
})

// Printer writes in one language and one time zone. It is immutable and may be
// used by many goroutines.
type Printer struct {
	lang      Lang
	loc       *time.Location
	sentences catalogue
	collators *sync.Pool // a collate.Collator serves one goroutine at a time
}

var collators = map[Lang]*sync.Pool{
	French:  collatorPool(French),
	English: collatorPool(English),
}

func collatorPool(l Lang) *sync.Pool {
	return &sync.Pool{New: func() any { return collate.New(l.tag(), collate.Numeric) }}
}

// For gives the printer of a language and a place. An unknown language is
// French, a nil place is UTC.
func For(lang Lang, loc *time.Location) *Printer {
	if !lang.Valid() {
		lang = French
	}
	if loc == nil {
		loc = time.UTC
	}
	return &Printer{lang: lang, loc: loc, sentences: catalogues()[lang], collators: collators[lang]}
}

// Lang is the printer's language.
func (p *Printer) Lang() Lang { return p.lang }

// Location is the printer's time zone.
func (p *Printer) Location() *time.Location { return p.loc }

// Compare orders two names as a reader of the language expects: accents and
// case count last, "Salle 2" comes before "Salle 12".
func (p *Printer) Compare(a, b string) int {
	c := p.collators.Get().(*collate.Collator)
	defer p.collators.Put(c)
	return cmp.Or(c.CompareString(a, b), strings.Compare(a, b))
}

// Sort orders names in place, as Compare does.
func (p *Printer) Sort(names []string) {
	c := p.collators.Get().(*collate.Collator)
	defer p.collators.Put(c)
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(c.CompareString(a, b), strings.Compare(a, b))
	})
}

// CollationKey is a byte string whose plain order is that of Compare, to keep
// beside a name that is ordered often.
func (p *Printer) CollationKey(s string) string {
	c := p.collators.Get().(*collate.Collator)
	defer p.collators.Put(c)
	var b collate.Buffer
	return string(c.KeyFromString(&b, s))
}
