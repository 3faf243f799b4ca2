// Package places is the door for the files that fill the directory: schools,
// denominators (computers, pupils), school holidays and public holidays, in the
// ministry's formats or any table or iCalendar file.
//
// Each import has the same two steps: Preview says what would change and which
// rows cannot be taken, Import does it. Importing the same file twice changes
// nothing.
package places

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/intake/table"
)

// Action is what an import does to one thing.
type Action string

// The actions.
const (
	Add    Action = "add"
	Change Action = "change"
	Remove Action = "remove"
)

// Difference is one field that an import changes.
type Difference struct{ Field, From, To string }

// Step is one thing that an import does.
type Step struct {
	Action Action
	What   string       // the thing, as people name it
	Fields []Difference // for Change
}

// Rejection is a row that cannot be taken.
type Rejection struct {
	Line   int            // in the file, from 1
	Column string         // name of the column concerned; may be empty
	Value  string         // what stands there, shortened
	Key    string         // translation key of the reason
	Args   map[string]any // arguments of the reason
}

// Report says what an import does (Preview) or did (Import).
type Report struct {
	Format   table.Format
	Header   []string
	Mapping  Mapping // the columns used
	Rows     int     // rows read, the header not counted
	Skipped  int     // rows that do not concern the import (other département, teachers' holidays…)
	Same     int     // things already as they should be
	Steps    []Step
	Rejected []Rejection
}

// Count is how many steps are of an action.
func (r *Report) Count(a Action) int {
	n := 0
	for _, s := range r.Steps {
		if s.Action == a {
			n++
		}
	}
	return n
}

func (r *Report) reject(line int, column, value, key string, args ...any) {
	const shown = 80
	if cut := []rune(value); len(cut) > shown {
		value = string(cut[:shown]) + "…"
	}
	e := fault.New(fault.Invalid, key, args...)
	r.Rejected = append(r.Rejected, Rejection{Line: line, Column: column, Value: value, Key: key, Args: e.Args})
}

// Mapping says which column of a file holds which field: field → column name.
type Mapping map[string]string

// Options say how to read a table; the zero value detects everything.
type Options struct {
	Table   table.Options
	Mapping Mapping // columns by field; a field without one is looked for by its usual names
}

// maxRows bounds a file: ten times every collège of France.
const maxRows = 100_000

// reading is a table being read with its columns found.
type reading struct {
	*table.Reader
	report *Report
	column map[string]int // field → index
}

// open reads the header and finds the columns. required fields must be found.
func open(in io.Reader, o Options, usual map[string][]string, required ...string) (*reading, error) {
	t, err := table.New(in, o.Table)
	switch {
	case errors.Is(err, table.ErrEmpty):
		return nil, fault.New(fault.Invalid, "places.error.empty")
	case err != nil:
		if _, ok := errors.AsType[*table.RowError](err); ok {
			return nil, fault.New(fault.Invalid, "places.error.header")
		}
		return nil, err
	}
	r := &reading{Reader: t, report: &Report{Format: t.Format(), Header: t.Header(), Mapping: Mapping{}}, column: map[string]int{}}
	if err := r.find(o.Mapping, usual); err != nil {
		return nil, err
	}
	var missing fault.Fields
	for _, field := range required {
		if _, ok := r.column[field]; !ok {
			missing.Add(field, "places.error.column_missing", "columns", strings.Join(t.Header(), ", "))
		}
	}
	return r, missing.Err()
}

func (r *reading) find(given Mapping, usual map[string][]string) error {
	header := r.Header()
	folded := make([]string, len(header))
	for i, name := range header {
		folded[i] = fold(name)
	}
	var wrong fault.Fields
	for field, name := range given {
		i := slices.Index(header, name)
		if i < 0 {
			i = slices.Index(folded, fold(name))
		}
		if _, known := usual[field]; !known || i < 0 {
			wrong.Add(field, "places.error.column_unknown", "column", name)
			continue
		}
		r.column[field] = i
	}
	for field, names := range usual {
		if _, ok := r.column[field]; ok {
			continue
		}
		for _, name := range names {
			i := slices.IndexFunc(folded, func(f string) bool { return matches(f, name) })
			if i >= 0 {
				r.column[field] = i
				break
			}
		}
	}
	for field, i := range r.column {
		r.report.Mapping[field] = header[i]
	}
	return wrong.Err()
}

// matches tells whether a folded column name is the usual one; "x*" stands for
// a name that begins with x.
func matches(folded, usual string) bool {
	if prefix, ok := strings.CutSuffix(usual, "*"); ok {
		return strings.HasPrefix(folded, prefix)
	}
	return folded == usual
}

// fold keeps the letters and digits of a name, without case or accents.
func fold(name string) string {
	plain, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), name)
	if err != nil {
		plain = name
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, plain)
}

// has tells whether a field has a column.
func (r *reading) has(field string) bool { _, ok := r.column[field]; return ok }

// record is one row of the file.
type record struct {
	r      *reading
	line   int
	fields []string
}

// get is the trimmed text of a field, empty if it has no column.
func (c record) get(field string) string {
	i, ok := c.r.column[field]
	if !ok {
		return ""
	}
	v := strings.TrimSpace(c.fields[i])
	if v == "?" || v == "-" {
		return ""
	}
	return v
}

// reject notes that the row cannot be taken because of a field.
func (c record) reject(field, key string, args ...any) {
	value := ""
	if i, ok := c.r.column[field]; ok {
		value = c.fields[i]
	}
	c.r.report.reject(c.line, c.r.report.Mapping[field], value, key, args...)
}

// each calls fn for every row that can be read, and notes the others.
func (r *reading) each(fn func(record)) error {
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if bad, ok := errors.AsType[*table.RowError](err); ok {
			r.report.Rows++
			r.report.reject(bad.Line, "", strings.Join(bad.Fields, " | "), "places.error.row."+string(bad.Problem), "got", bad.Got, "expected", bad.Expected)
		} else if err != nil {
			return err
		} else {
			r.report.Rows++
			fn(record{r, row.Line, row.Fields})
		}
		if r.report.Rows >= maxRows {
			return fault.New(fault.TooLarge, "places.error.too_many_rows", "limit", maxRows)
		}
	}
}

// number reads a count written as people do: "1 234", "1234,0", "12".
func number(s string) (int, error) {
	s = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "").Replace(s)
	whole, part, cut := strings.Cut(strings.ReplaceAll(s, ",", "."), ".")
	if cut && strings.Trim(part, "0") != "" {
		return 0, fmt.Errorf("places: %q is not a whole number", s)
	}
	n, err := strconv.Atoi(whole)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("places: %q is not a count", s)
	}
	return n, nil
}

// decimal reads a number with a point or a comma.
func decimal(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(s), ",", "."), 64)
	if err != nil || v != v {
		return 0, fmt.Errorf("places: %q is not a number", s)
	}
	return v, nil
}

// dateOf reads a date: 2006-01-02, 02/01/2006 (day first, padded or not),
// 20060102, or a school year (2023-2024, for its first of September).
func dateOf(s string) (calendar.Day, error) {
	s = strings.TrimSpace(s)
	if d, err := calendar.ParseDay(s); err == nil && d != 0 {
		return d, nil
	}
	if a, b, ok := strings.Cut(s, "-"); ok && len(a) == 4 && len(b) == 4 {
		x, errA := strconv.Atoi(a)
		y, errB := strconv.Atoi(b)
		if errA == nil && errB == nil && y == x+1 && x > 1900 {
			return calendar.Date(x, 9, 1), nil
		}
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '.' || r == '-' })
	if len(parts) == 1 && len(s) == 8 {
		parts = []string{s[6:], s[4:6], s[:4]}
	}
	if len(parts) != 3 || len(parts[2]) != 4 || len(parts[0]) > 2 || len(parts[1]) > 2 {
		return 0, fmt.Errorf("places: %q is not a date", s)
	}
	if len(parts[0]) == 1 {
		parts[0] = "0" + parts[0]
	}
	if len(parts[1]) == 1 {
		parts[1] = "0" + parts[1]
	}
	d, err := calendar.ParseDay(parts[2] + "-" + parts[1] + "-" + parts[0])
	if err != nil || d == 0 {
		return 0, fmt.Errorf("places: %q is not a date", s)
	}
	return d, nil
}
