package csvin

import (
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

var folders = sync.Pool{New: func() any {
	return transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
}}

// fold makes words that differ in case, accents, apostrophes or spaces equal.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			plain = false
			break
		}
	}
	if !plain {
		t := folders.Get().(transform.Transformer)
		if out, _, err := transform.String(t, s); err == nil {
			s = out
		}
		folders.Put(t)
		s = strings.NewReplacer("’", "'", "œ", "oe", "Œ", "oe", "\u00a0", " ", "\u202f", " ").Replace(s)
	}
	return strings.ToLower(tidy(s))
}

// tidy is a name as it is kept: no spaces around, none doubled inside.
func tidy(s string) string {
	if !strings.ContainsAny(s, "\t\n\r\u00a0\u202f") && !strings.Contains(s, "  ") {
		return strings.TrimSpace(s)
	}
	return strings.Join(strings.Fields(s), " ")
}

// usualFormats are tried when a profile says none: day first, as in France, or
// in the order of the standards.
var usualFormats = []string{
	"2/1/2006 15:04:05", "2/1/2006 15:04", "2/1/2006 15h04", "2/1/2006",
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02",
	"2-1-2006 15:04:05", "2-1-2006 15:04", "2-1-2006", "2.1.2006 15:04", "2.1.2006",
	"2/1/06 15:04", "2/1/06",
}

// clock reads instants. It remembers the values that it has read: a file
// repeats them.
type clock struct {
	formats []string
	loc     *time.Location
	known   map[string]instant
}

type instant struct {
	at    time.Time
	ok    bool
	moved bool // not on the clock of the place: in the hour skipped for summer time
}

func newClock(d Dates) (*clock, error) {
	loc, err := zone(d.Zone)
	if err != nil {
		return nil, err
	}
	c := &clock{formats: d.Formats, loc: loc, known: map[string]instant{}}
	if len(c.formats) == 0 {
		c.formats = usualFormats
	}
	return c, nil
}

// zone reads a place, "UTC" or a fixed difference such as "+02:00".
func zone(name string) (*time.Location, error) {
	if name == "" {
		name = "Europe/Paris"
	}
	if name[0] == '+' || name[0] == '-' {
		t, err := time.Parse("-07:00", name)
		if err != nil {
			return nil, err
		}
		_, seconds := t.Zone()
		return time.FixedZone(name, seconds), nil
	}
	if name == "Local" { // the machine's own clock is nobody's rule
		return nil, errors.New("no such place")
	}
	return time.LoadLocation(name)
}

// maxKnown bounds the memory of instants.
const maxKnown = 1 << 16

func (c *clock) read(s string) instant {
	if i, ok := c.known[s]; ok {
		return i
	}
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	i := c.parse(s)
	c.known[strings.Clone(s)] = i
	return i
}

func (c *clock) parse(s string) instant {
	s = tidy(s)
	for _, format := range c.formats {
		t, err := time.ParseInLocation(format, s, c.loc)
		if err != nil {
			continue
		}
		// An instant in the hour that a place skips comes out an hour away.
		return instant{at: t.UTC(), ok: true, moved: t.Location() == c.loc && !shows(t, format, s)}
	}
	return instant{}
}

// shows tells whether the clock at t shows the hour that was written.
func shows(t time.Time, format, s string) bool {
	wall, err := time.Parse(format, s)
	return err != nil || wall.Hour() == t.Hour()
}

// template is a text with {columns}.
type template struct {
	literals []string // one more than columns
	columns  []int    // places in the header; -1 if absent
}

// cutTemplate cuts a template into literals and names of columns. A brace that
// is not closed stays text.
func cutTemplate(s string) (literals, names []string) {
	for {
		before, rest, ok := strings.Cut(s, "{")
		if !ok {
			return append(literals, s), names
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return append(literals, s), names
		}
		literals, names = append(literals, before), append(names, name)
		s = after
	}
}

func templateColumns(s string) []string {
	_, names := cutTemplate(s)
	return names
}

// fill writes the values in; what is missing goes with the text before it, and
// a template with nothing to write is missing itself.
func (t template) fill(value func(column int) string) string {
	var b strings.Builder
	any := false
	for i, c := range t.columns {
		v := ""
		if c >= 0 {
			v = tidy(value(c))
		}
		if v == "" {
			continue
		}
		// The text before the first value stays only if it opens the template.
		if any || i == 0 {
			b.WriteString(t.literals[i])
		}
		b.WriteString(v)
		any = true
	}
	if !any {
		return ""
	}
	b.WriteString(t.literals[len(t.columns)])
	return b.String()
}
