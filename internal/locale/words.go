package locale

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"statincidents/internal/fault"
)

// List joins names: "a, b et c".
func (p *Printer) List(items []string) string {
	switch len(items) {
	case 0:
		return ""
	case 1:
		return items[0]
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " " + p.T("common.and") + " " + items[last]
}

// Quote puts a text between the quotation marks of the language: « a », “a”.
func (p *Printer) Quote(s string) string {
	if p.lang == English {
		return "“" + s + "”"
	}
	return "«" + nnbsp + s + nnbsp + "»"
}

// Label is a name with its colon and a space, to stand before a value:
// "Collège : ", "School: ".
func (p *Printer) Label(name string) string {
	if p.lang == English {
		return name + ": "
	}
	return name + nnbsp + ": "
}

// Error says a refusal in words, and for each wrong input field its own
// sentence. An error that is not a refusal is not explained: its summary is the
// general one. A word among the arguments (a right, a state) is translated when
// the catalogue has "NAME.WORD".
func (p *Printer) Error(err error) (summary string, fields map[string]string) {
	if err == nil {
		return "", nil
	}
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Code == fault.Internal {
		return p.T("error.internal"), nil
	}
	key := e.Key
	if key == "" {
		key = "error." + string(e.Code)
	}
	for _, f := range e.Fields {
		if fields == nil {
			fields = make(map[string]string, len(e.Fields))
		}
		text := p.refusal(f.Key, f.Args)
		if before, twice := fields[f.Name]; twice {
			text = before + " " + text
		}
		fields[f.Name] = text
	}
	return p.refusal(key, e.Args), fields
}

func (p *Printer) refusal(key string, args map[string]any) string {
	if n, ok := args["n"].(int); ok && !p.Has(key) {
		form := key + ".other"
		if p.singular(n) && p.Has(key+".one") {
			form = key + ".one"
		}
		key = form
	}
	s, ok := p.sentences[key]
	if !ok {
		noteMissing(p.lang, key)
		return key
	}
	return p.fill(key, s, func(name string) (any, bool) {
		v, ok := args[name]
		if word, isWord := v.(string); isWord && p.Has(name+"."+word) {
			v = Key(name + "." + word)
		}
		return v, ok
	})
}

// Typeset gives a text the marks of its language: curly apostrophes and a real
// ellipsis in both; in French a narrow no-break space instead of the ordinary
// one before ; : ! ? % » and after «. It never adds a space where there is
// none, so addresses and times pass untouched.
func Typeset(lang Lang, s string) string {
	if strings.Contains(s, "...") {
		s = strings.ReplaceAll(s, "...", "…")
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	before := rune(0)
	for i, r := range s {
		after, _ := utf8.DecodeRuneInString(s[i+width(s[i:]):])
		switch {
		case r == '\'' && (unicode.IsLetter(before) || unicode.IsDigit(before)) && (unicode.IsLetter(after) || after == '{' || after == '«'):
			r = '’'
		case lang == French && (r == ' ' || r == '\u00a0') && (before == '«' || strings.ContainsRune(";:!?%»", after)):
			r = '\u202f'
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

// width is the bytes of the first rune of s, also when it is not valid UTF-8.
func width(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
