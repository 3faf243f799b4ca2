package csvin

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/intake/table"
)

// maxProfile bounds the text of a profile, in bytes.
const maxProfile = 256 << 10

// ParseProfile reads a profile written in TOML and checks it. What is wrong is
// a fault.Invalid refusal whose fields are named by their key ("fields.state.column")
// and say the line: nothing that is not understood is passed over.
func ParseProfile(text string) (Profile, error) {
	if len(text) > maxProfile {
		return Profile{}, fault.New(fault.TooLarge, "error.intake.profile.too_large", "max", maxProfile)
	}
	var p Profile
	meta, err := toml.Decode(text, &p)
	if err != nil {
		if bad, ok := errors.AsType[toml.ParseError](err); ok {
			return Profile{}, &fault.Error{Code: fault.Invalid, Key: "error.intake.profile", Err: err, Fields: []fault.Field{{
				Name: "toml", Key: "error.intake.profile.syntax",
				Args: map[string]any{"line": bad.Position.Line, "what": bad.Message},
			}}}
		}
		return Profile{}, &fault.Error{Code: fault.Invalid, Key: "error.intake.profile", Err: err, Fields: []fault.Field{{
			Name: "toml", Key: "error.intake.profile.syntax", Args: map[string]any{"line": lineOfType(text, err), "what": err.Error()},
		}}}
	}
	lines := locate(text)
	var fields fault.Fields
	note := func(key, sentence string, args ...any) {
		fields.Add(key, sentence, append(args, "line", lines.of(key))...)
	}
	for _, key := range meta.Undecoded() {
		note(strings.Join(key, "."), "error.intake.profile.unknown_key")
	}
	p.check(note)
	if len(fields) > 0 {
		return Profile{}, &fault.Error{Code: fault.Invalid, Key: "error.intake.profile", Fields: fields}
	}
	return p, nil
}

// Check judges a profile made by other means than ParseProfile.
func (p Profile) Check() error {
	var fields fault.Fields
	p.check(func(key, sentence string, args ...any) { fields.Add(key, sentence, append(args, "line", 0)...) })
	return fields.Err()
}

// TOML writes the profile, as ParseProfile reads it.
func (p Profile) TOML() (string, error) {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(p); err != nil {
		return "", fmt.Errorf("csvin: write profile %q: %w", p.Name, err)
	}
	return b.String(), nil
}

type noter func(key, sentence string, args ...any)

func (p Profile) check(note noter) {
	if p.Name == "" || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(p.Name) > 40 {
		note("name", "error.intake.profile.name")
	}
	if p.Source == "" {
		note("source", "error.intake.profile.missing")
	}
	if len(p.Source) > 60 {
		note("source", "error.field.too_long", "max", 60)
	}
	if e := p.File.Encoding; e != "" && e != "auto" && !slices.Contains(table.Encodings, e) {
		note("file.encoding", "error.intake.profile.one_of", "value", e, "words", strings.Join(append([]string{"auto"}, table.Encodings...), ", "))
	}
	if _, ok := separator(p.File.Separator); !ok {
		note("file.separator", "error.intake.profile.separator", "value", p.File.Separator)
	}
	if p.File.MaxField < 0 {
		note("file.max_field", "error.intake.profile.number", "value", p.File.MaxField)
	}
	if _, err := zone(p.Dates.Zone); err != nil {
		note("dates.zone", "error.intake.profile.zone", "value", p.Dates.Zone)
	}
	for _, f := range p.Dates.Formats {
		// A format that does not give back the day it shows is not one.
		shown := time.Date(2021, 11, 23, 0, 0, 0, 0, time.UTC)
		back, err := time.Parse(f, shown.Format(f))
		if err != nil || back.Year() != 2021 || back.YearDay() != shown.YearDay() {
			note("dates.formats", "error.intake.profile.date_format", "value", f)
		}
	}
	p.checkRows(note)
	for name, f := range p.Fields {
		i := slices.IndexFunc(targets[:], func(t target) bool { return t.name == name })
		if i < 0 {
			note("fields."+name, "error.intake.profile.one_of", "value", name, "words", joinTargets())
			continue
		}
		checkField(note, "fields."+name, &targets[i], f)
	}
	for _, need := range []string{"state", "title", "opened_at"} {
		// A ticket without its own date was opened at its first update.
		if _, ok := p.Fields[need]; !ok && (need != "opened_at" || p.Rows.Per != PerUpdate) {
			note("fields."+need, "error.intake.profile.missing")
		}
	}
}

func joinTargets() string {
	return strings.Join(Targets(), ", ")
}

func (p Profile) checkRows(note noter) {
	if p.Rows.Ticket == "" {
		note("rows.ticket", "error.intake.profile.missing")
	}
	switch p.Rows.Per {
	case PerTicket:
		if p.Rows.Order != "" {
			note("rows.order", "error.intake.profile.only_updates")
		}
	case PerUpdate:
		if p.Rows.At == "" {
			note("rows.at", "error.intake.profile.missing")
		}
	default:
		note("rows.per", "error.intake.profile.one_of", "value", p.Rows.Per, "words", PerTicket+", "+PerUpdate)
	}
	checkKind(note, "rows.actor_kind", p.Rows.ActorKind)
}

func checkKind(note noter, key, kind string) {
	kinds := words(directory.PersonKinds)
	if kind != "" && !slices.Contains(kinds, kind) {
		note(key, "error.intake.profile.one_of", "value", kind, "words", strings.Join(kinds, ", "))
	}
}

func checkField(note noter, key string, t *target, f Field) {
	sources := 0
	for _, said := range []bool{f.Column != "", len(f.Columns) > 0, f.Template != "", f.Constant != ""} {
		if said {
			sources++
		}
	}
	if sources != 1 {
		note(key, "error.intake.profile.one_source")
	}
	if len(f.Columns) > 0 && t.sort != sortPath {
		note(key+".columns", "error.intake.profile.only_category")
	}
	if len(f.Columns) > 3 {
		note(key+".columns", "error.intake.profile.too_deep", "max", 3)
	}
	if f.Template != "" {
		if t.sort != sortText && t.sort != sortLine {
			note(key+".template", "error.intake.profile.only_text")
		}
		if len(templateColumns(f.Template)) == 0 {
			note(key+".template", "error.intake.profile.no_column", "value", f.Template)
		}
	}
	switch f.Unknown {
	case "", Reject, Keep, Ignore:
	case UseDefault:
		if f.Default == "" {
			note(key+".default", "error.intake.profile.missing")
		}
	default:
		note(key+".unknown", "error.intake.profile.one_of", "value", f.Unknown, "words", strings.Join([]string{Reject, Keep, UseDefault, Ignore}, ", "))
	}
	checkKind(note, key+".kind", f.Kind)
	for written, meant := range f.Values {
		checkWord(note, key+".values."+written, t, meant)
	}
	if f.Default != "" {
		checkWord(note, key+".default", t, f.Default)
	}
	if f.Constant != "" {
		checkWord(note, key+".constant", t, f.Constant)
	}
}

// checkWord judges a value that the profile itself gives to a field.
func checkWord(note noter, key string, t *target, v string) {
	switch t.sort {
	case sortWord:
		if v != "" && !slices.Contains(t.words, v) {
			note(key, "error.intake.profile.one_of", "value", v, "words", strings.Join(t.words, ", "))
		}
	case sortNumber:
		if n, err := strconv.Atoi(v); v != "" && (err != nil || n < t.low || n > t.high) {
			note(key, "error.intake.profile.range", "value", v, "low", t.low, "high", t.high)
		}
	case sortInstant:
		note(key, "error.intake.profile.no_instant")
	default:
	}
}

// separator reads the separator of a profile: 0 detects.
func separator(s string) (rune, bool) {
	switch s {
	case "", "auto":
		return 0, true
	case "tab", "\t":
		return '\t', true
	}
	r, size := utf8.DecodeRuneInString(s)
	return r, size == len(s) && r != utf8.RuneError && r != '"' && r != '\n' && r != '\r'
}

// places gives the line of each key of a TOML text. It knows the shapes that
// profiles are written in; a key inside braces has the line of their name.
type places map[string]int

func (p places) of(key string) int {
	for key != "" {
		if line, ok := p[key]; ok {
			return line
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			break
		}
		key = key[:i]
	}
	return 1
}

func locate(text string) places {
	found := places{}
	prefix := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			if end := strings.IndexByte(line, ']'); end > 0 {
				prefix = keyOf(strings.Trim(line[:end], "[ "))
				found.note(prefix, i+1)
				prefix += "."
			}
		default:
			if eq := equals(line); eq > 0 {
				found.note(prefix+keyOf(line[:eq]), i+1)
			}
		}
	}
	return found
}

func (p places) note(key string, line int) {
	if _, ok := p[key]; !ok {
		p[key] = line
	}
}

// equals is the place of the = of a line, outside quotes.
func equals(line string) int {
	var quote rune
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case r == '=':
			return i
		}
	}
	return -1
}

// keyOf is a dotted key without its quotes and spaces.
func keyOf(s string) string {
	parts := strings.Split(s, ".")
	for i := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(parts[i]), `"'`)
	}
	return strings.Join(parts, ".")
}

// lineOfType is the line of a value of the wrong type, which the decoder names
// by its key only.
func lineOfType(text string, err error) int {
	lines := locate(text)
	best, bestLen := 1, 0
	for key, line := range lines {
		last := key[strings.LastIndexByte(key, '.')+1:]
		if len(key) > bestLen && strings.Contains(err.Error(), `"`+last+`"`) {
			best, bestLen = line, len(key)
		}
	}
	return best
}
