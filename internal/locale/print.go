package locale

import (
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/feature/plural"

	"statincidents/internal/calendar"
)

// Key is an argument that is itself a sentence: T translates it.
type Key string

// T gives the sentence of a key. Args come in pairs, name and value; values
// are written in the language (see Value). An unknown key gives the key itself
// and is noted in Missing.
func (p *Printer) T(key string, args ...any) string {
	s, ok := p.sentences[key]
	if !ok {
		noteMissing(p.lang, key)
		return key
	}
	if len(s.names) == 0 {
		return s.literals[0]
	}
	return p.fill(key, s, func(name string) (any, bool) {
		for i := 0; i+1 < len(args); i += 2 {
			if args[i] == name {
				return args[i+1], true
			}
		}
		return nil, false
	})
}

// N gives the sentence of a key that counts n things: key.one or key.other by
// the plural rule of the language (in French 0 and 1 are singular). {n} is n.
func (p *Printer) N(key string, n int, args ...any) string {
	form := key + ".other"
	if p.singular(n) {
		if one := key + ".one"; p.Has(one) {
			form = one
		}
	}
	return p.T(form, append([]any{"n", n}, args...)...)
}

// Has tells whether the key has a sentence.
func (p *Printer) Has(key string) bool {
	_, ok := p.sentences[key]
	return ok
}

func (p *Printer) singular(n int) bool {
	if n < 0 {
		n = -n
	}
	if n >= 10_000_000 { // the plural tables want the last digits only
		n = n%10_000_000 + 10_000_000
	}
	return plural.Cardinal.MatchPlural(p.lang.tag(), n, 0, 0, 0, 0) == plural.One
}

func (p *Printer) fill(key string, s sentence, arg func(name string) (any, bool)) string {
	var b strings.Builder
	for i, name := range s.names {
		b.WriteString(s.literals[i])
		v, ok := arg(name)
		if !ok {
			noteMissing(p.lang, key+" {"+name+"}")
			b.WriteString("{" + name + "}")
			continue
		}
		b.WriteString(p.Value(v))
	}
	b.WriteString(s.literals[len(s.names)])
	return b.String()
}

// Value writes one argument: integers grouped, floats with one decimal unless
// whole, instants with date and time, durations, days, lists, keys translated,
// the rest as fmt does.
func (p *Printer) Value(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case Key:
		return p.T(string(v))
	case []string:
		return p.List(v)
	case time.Time:
		return p.DateTime(v)
	case time.Duration:
		return p.Duration(v)
	case calendar.Day:
		return p.Day(v)
	case error:
		text, _ := p.Error(v)
		return text
	case fmt.Stringer:
		return v.String()
	}
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt(), r.CanUint():
		return p.Int(v)
	case r.CanFloat():
		if f := r.Float(); f == float64(int64(f)) {
			return p.Num(f, 0)
		}
		return p.Num(r.Float(), 1)
	}
	return fmt.Sprint(v)
}

// missing notes keys asked for in vain, each once, so that a test can fail on
// them and the log names them without flooding.
var missing struct {
	sync.Mutex
	keys map[string]bool
}

func noteMissing(lang Lang, key string) {
	missing.Lock()
	defer missing.Unlock()
	id := string(lang) + ": " + key
	// A key built from outside bytes must not fill the memory.
	if missing.keys[id] || len(missing.keys) >= 1000 {
		return
	}
	if missing.keys == nil {
		missing.keys = map[string]bool{}
	}
	missing.keys[id] = true
	slog.Warn("no translation", "lang", string(lang), "key", key)
}

// Missing lists the keys and placeholders asked for in vain since the start,
// as "fr: some.key". Tests of pages fail when it is not empty.
func Missing() []string {
	missing.Lock()
	defer missing.Unlock()
	keys := make([]string, 0, len(missing.keys))
	for k := range missing.keys {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
