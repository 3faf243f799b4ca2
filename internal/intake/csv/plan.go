package csvin

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/intake/table"
)

// Reason says why a row was rejected, or what was doubtful about one that was
// kept. "intake.reason.NAME" is its sentence and "intake.mend.NAME" says what
// to do about it.
type Reason string

// The reasons.
const (
	LongField    Reason = "long_field"    // a field is longer than the limit
	OpenQuote    Reason = "open_quote"    // a quote is never closed
	FieldCount   Reason = "field_count"   // not as many fields as columns
	Truncated    Reason = "truncated"     // the file ends here
	NoTicket     Reason = "no_ticket"     // the ticket's number is missing
	NoDate       Reason = "no_date"       // an instant that is needed is missing
	BadDate      Reason = "bad_date"      // an instant in no known format
	BadNumber    Reason = "bad_number"    // a number that is none, or out of bounds
	UnknownValue Reason = "unknown_value" // a value that the profile does not know
	NoSuchSchool Reason = "no_such_school"
	NoSuchRoom   Reason = "no_such_room"
	NoSuchWord   Reason = "no_such_word" // a category, team, person or code that is not there and may not be made
	Refused      Reason = "refused"      // a rule of the incidents refuses the ticket
	SkippedHour  Reason = "skipped_hour" // an instant in the hour skipped for summer time
	CutTitle     Reason = "cut_title"    // a title longer than titles may be
	NoTitle      Reason = "no_title"     // the number was taken for the title
	// Companion is a good row that stands beside a rejected one of its ticket,
	// so that the file of rejected rows tells the whole story of the ticket. It
	// is not counted as rejected.
	Companion Reason = "companion"
)

// Problem is a rejected row, or a doubt about a row that was kept.
type Problem struct {
	Line, LastLine int
	Column         string // as in the header; "" if of no single column
	Reason         Reason
	Args           []any    // of the sentences: pairs of name and value
	Row            []string // as in the file
}

func problem(row table.Row, column string, reason Reason, args ...any) *Problem {
	return &Problem{Line: row.Line, LastLine: row.LastLine, Column: column, Reason: reason, Args: args, Row: row.Fields}
}

// ofTable is the problem of a row that the reader of tables rejected.
func ofTable(e *table.RowError, header []string) *Problem {
	column := ""
	if e.Column > 0 && e.Column <= len(header) {
		column = header[e.Column-1]
	}
	switch e.Problem {
	case table.TooLong:
		return problem(e.Row, column, LongField, "got", e.Got, "max", e.Expected)
	case table.OpenQuote:
		return problem(e.Row, column, OpenQuote)
	case table.FieldCount:
		return problem(e.Row, column, FieldCount, "got", e.Got, "expected", e.Expected)
	case table.Truncated:
	}
	return problem(e.Row, column, Truncated)
}

// cell is what a row says of one field. The zero cell says nothing: the field
// stays as it was.
type cell struct {
	said bool   // the row gives a value, maybe the empty one
	text string // words; a path has its labels separated by pathMark
	n    int64  // numbers; instants in UTC milliseconds, 0 when missing
}

const pathMark = "\x1f"

func (c cell) at() time.Time {
	if c.n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(c.n).UTC()
}

// record is a row as understood.
type record struct {
	line   int
	ticket string
	order  int64
	at     time.Time
	actor  string
	cells  [targetCount]cell
}

// plan is a profile applied to the header of a file.
type plan struct {
	profile Profile
	header  []string
	clock   *clock
	missing map[string]bool
	ticket  int // columns; -1 if none
	order   int
	at      int
	actor   int
	fields  []planned
	unused  []string // columns of the file that the profile neither reads nor ignores
}

type planned struct {
	to      int
	target  *target
	field   Field
	columns []int // -1: absent
	text    template
	values  map[string]string // by folded value
}

// newPlan finds the columns of a profile in a header: by their exact name,
// else whatever their case and accents. A column that is not there is a
// refusal, one field a column.
func newPlan(p Profile, header []string) (*plan, error) {
	c, err := newClock(p.Dates)
	if err != nil {
		return nil, fault.InvalidField("dates.zone", "error.intake.profile.zone", "value", p.Dates.Zone, "line", 0)
	}
	pl := &plan{profile: p, header: header, clock: c, missing: map[string]bool{"": true}}
	for _, m := range p.File.Missing {
		pl.missing[m] = true
	}
	var absent fault.Fields
	used := make([]bool, len(header))
	folded := make([]string, len(header))
	for i, h := range header {
		folded[i] = fold(h)
	}
	find := func(key, name string, needed bool) int {
		if name == "" {
			return -1
		}
		i := slices.Index(header, name)
		if i < 0 {
			i = slices.Index(folded, fold(name))
		}
		if i >= 0 {
			used[i] = true
		} else if needed {
			absent.Add(key, "error.intake.no_column", "column", name)
		}
		return i
	}
	pl.ticket = find("rows.ticket", p.Rows.Ticket, true)
	pl.order = find("rows.order", p.Rows.Order, true)
	pl.at = find("rows.at", p.Rows.At, p.Rows.Per == PerUpdate)
	pl.actor = find("rows.actor", p.Rows.Actor, true)
	for to := range targets {
		f, ok := p.Fields[targets[to].name]
		if !ok {
			continue
		}
		one := planned{to: to, target: &targets[to], field: f, values: map[string]string{}}
		for _, name := range f.columns() {
			one.columns = append(one.columns, find("fields."+targets[to].name, name, !f.Optional))
		}
		if f.Template != "" {
			one.text.literals, _ = cutTemplate(f.Template)
			one.text.columns = one.columns
		}
		for written, meant := range f.Values {
			one.values[fold(written)] = meant
		}
		pl.fields = append(pl.fields, one)
	}
	for _, name := range p.Ignore {
		find("", name, false)
	}
	for i, h := range header {
		if !used[i] && !strings.HasPrefix(h, ownColumn) {
			pl.unused = append(pl.unused, h)
		}
	}
	if len(absent) > 0 {
		return nil, &fault.Error{Code: fault.Invalid, Key: "error.intake.columns", Fields: absent}
	}
	return pl, nil
}

// value is a field of the row, "" if missing.
func (pl *plan) value(row table.Row, column int) string {
	if column < 0 {
		return ""
	}
	v := row.Fields[column]
	if pl.missing[v] || pl.missing[strings.TrimSpace(v)] {
		return ""
	}
	return v
}

func (pl *plan) name(column int) string {
	if column < 0 {
		return ""
	}
	return pl.header[column]
}

// key gives the number of the ticket that a row is about.
func (pl *plan) key(row table.Row) (string, *Problem) {
	v := tidy(pl.value(row, pl.ticket))
	if v == "" {
		return "", problem(row, pl.name(pl.ticket), NoTicket)
	}
	if utf8.RuneCountInString(v) > maxKey {
		return "", problem(row, pl.name(pl.ticket), LongField, "got", utf8.RuneCountInString(v), "max", maxKey)
	}
	return v, nil
}

// understand reads a row. Doubts about a row that is kept go to doubt.
func (pl *plan) understand(row table.Row, doubt func(*Problem)) (record, *Problem) {
	r := record{line: row.Line}
	var bad *Problem
	if r.ticket, bad = pl.key(row); bad != nil {
		return r, bad
	}
	if pl.order >= 0 {
		v := strings.TrimSpace(pl.value(row, pl.order))
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return r, problem(row, pl.name(pl.order), BadNumber, "value", show(v))
		}
		r.order = n
	}
	if pl.at >= 0 {
		if r.at, bad = pl.instant(row, pl.at, doubt); bad != nil {
			return r, bad
		}
		if r.at.IsZero() && pl.profile.Rows.Per == PerUpdate {
			return r, problem(row, pl.name(pl.at), NoDate)
		}
	}
	r.actor = tidy(pl.value(row, pl.actor))
	if len(r.actor) > maxPerson {
		if n := utf8.RuneCountInString(r.actor); n > maxPerson {
			return r, problem(row, pl.name(pl.actor), LongField, "got", n, "max", maxPerson)
		}
	}
	for i := range pl.fields {
		f := &pl.fields[i]
		c, bad := pl.cell(row, f, doubt)
		if bad != nil {
			return r, bad
		}
		r.cells[f.to] = c
	}
	return r, pl.finish(row, &r, doubt)
}

// finish gives a row what it cannot do without.
func (pl *plan) finish(row table.Row, r *record, doubt func(*Problem)) *Problem {
	if opened := &r.cells[toOpened]; opened.n == 0 {
		if pl.profile.Rows.Per == PerTicket {
			return problem(row, pl.column(toOpened), NoDate)
		}
		*opened = cell{} // a ticket without its own date was opened at its first update
	}
	title := &r.cells[toTitle]
	switch n := utf8.RuneCountInString(title.text); {
	case n == 0:
		*title = cell{said: true, text: r.ticket}
		doubt(problem(row, pl.column(toTitle), NoTitle))
	case n > maxTitle:
		if d := &r.cells[toDescription]; d.text == "" {
			*d = cell{said: true, text: title.text}
		}
		title.text = string([]rune(title.text)[:maxTitle-1]) + "…"
		doubt(problem(row, pl.column(toTitle), CutTitle, "got", n, "max", maxTitle))
	}
	return nil
}

// column names the column that a field is read from, to show it.
func (pl *plan) column(to int) string {
	f := pl.profile.Fields[targets[to].name]
	if c := f.columns(); len(c) > 0 {
		return c[0]
	}
	return ""
}

func (pl *plan) instant(row table.Row, column int, doubt func(*Problem)) (time.Time, *Problem) {
	v := pl.value(row, column)
	if v == "" {
		return time.Time{}, nil
	}
	i := pl.clock.read(v)
	if !i.ok {
		return time.Time{}, problem(row, pl.name(column), BadDate, "value", show(v))
	}
	if i.moved {
		doubt(problem(row, pl.name(column), SkippedHour, "value", v))
	}
	return i.at, nil
}

// cell reads one field of a row.
func (pl *plan) cell(row table.Row, f *planned, doubt func(*Problem)) (cell, *Problem) {
	var v string
	column := -1
	switch {
	case f.field.Constant != "":
		return f.constant(f.field.Constant), nil
	case f.field.Template != "":
		v = f.text.fill(func(c int) string { return pl.value(row, c) })
	case f.target.sort == sortPath:
		return pl.path(row, f)
	default:
		column = f.columns[0]
		if column < 0 {
			return cell{}, nil
		}
		if f.target.sort == sortInstant {
			at, bad := pl.instant(row, column, doubt)
			return cell{said: true, n: millis(at)}, bad
		}
		v = pl.value(row, column)
	}
	if f.target.sort != sortText {
		v = tidy(v)
	}
	if v == "" {
		if f.field.Default != "" {
			return f.constant(f.field.Default), nil
		}
		if f.to == toState {
			return pl.unknown(row, f, column, v, doubt)
		}
		return cell{said: true}, nil
	}
	if meant, ok := f.values[fold(v)]; ok && len(f.values) > 0 {
		return f.constant(meant), nil
	}
	return pl.own(row, f, column, v, doubt)
}

// own takes a value that the profile does not translate.
func (pl *plan) own(row table.Row, f *planned, column int, v string, doubt func(*Problem)) (cell, *Problem) {
	switch f.target.sort {
	case sortWord:
		if w := fold(v); slices.Contains(f.target.words, w) {
			return cell{said: true, text: w}, nil
		}
		return pl.unknown(row, f, column, v, doubt)
	case sortNumber:
		n, err := strconv.Atoi(v)
		if err != nil || n < f.target.low || n > f.target.high {
			if f.field.Unknown == "" {
				return cell{}, problem(row, pl.name(column), BadNumber, "value", show(v))
			}
			return pl.unknown(row, f, column, v, doubt)
		}
		return cell{said: true, n: int64(n)}, nil
	default:
	}
	if f.field.Unknown != "" {
		return pl.unknown(row, f, column, v, doubt)
	}
	limit := maxLabel
	switch {
	case f.target.sort == sortText, f.to == toTitle:
		limit = maxText
	case f.to == toMachine:
		limit = maxMachine
	case f.target.sort == sortPerson:
		limit = maxPerson
	}
	if len(v) > limit {
		if n := utf8.RuneCountInString(v); n > limit {
			return cell{}, problem(row, pl.name(column), LongField, "got", n, "max", limit)
		}
	}
	return cell{said: true, text: v}, nil
}

// unknown does what the profile says with a value that it does not know.
func (pl *plan) unknown(row table.Row, f *planned, column int, v string, doubt func(*Problem)) (cell, *Problem) {
	if f.field.Unknown == Ignore {
		return cell{said: true}, nil
	}
	told := problem(row, pl.name(column), UnknownValue, "value", show(v), "field", f.target.name)
	switch f.field.Unknown {
	case Keep:
		doubt(told)
		return cell{}, nil
	case UseDefault:
		doubt(told)
		return f.constant(f.field.Default), nil
	}
	return cell{}, told
}

// constant is a value in the profile's own words.
func (f *planned) constant(v string) cell {
	if f.target.sort == sortNumber {
		n, err := strconv.Atoi(v)
		if err != nil {
			return cell{said: true}
		}
		return cell{said: true, n: int64(n)}
	}
	return cell{said: true, text: v}
}

// path reads the labels of a category, from the top; the first one missing
// ends it.
func (pl *plan) path(row table.Row, f *planned) (cell, *Problem) {
	var labels []string
	for _, column := range f.columns {
		v := tidy(pl.value(row, column))
		if meant, ok := f.values[fold(v)]; ok {
			v = meant
		}
		if v == "" {
			break
		}
		if n := utf8.RuneCountInString(v); n > maxLabel {
			return cell{}, problem(row, pl.name(column), LongField, "got", n, "max", maxLabel)
		}
		labels = append(labels, v)
	}
	if len(labels) == 0 && f.field.Default != "" {
		labels = []string{f.field.Default}
	}
	return cell{said: true, text: strings.Join(labels, pathMark)}, nil
}

// show shortens a value for a sentence.
func show(v string) string {
	const enough = 60
	if utf8.RuneCountInString(v) <= enough {
		return v
	}
	return string([]rune(v)[:enough-1]) + "…"
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// kindOf is the kind of the people of a field.
func (p Profile) kindOf(field string) directory.PersonKind {
	if k := p.Fields[field].Kind; k != "" {
		return directory.PersonKind(k)
	}
	if field == "declarant" {
		return directory.OtherPerson
	}
	return directory.Staff
}

// actorKind is the kind of the people who made the updates.
func (p Profile) actorKind() directory.PersonKind {
	if p.Rows.ActorKind != "" {
		return directory.PersonKind(p.Rows.ActorKind)
	}
	return directory.Staff
}

// creates tells whether an import may make what a field names and is not there.
func (p Profile) creates(field string) bool {
	if c := p.Fields[field].Create; c != nil {
		return *c
	}
	return field != "school"
}

// Limits of what an incident, the directory and the catalog hold, in characters.
const (
	maxTitle   = incident.MaxTitle
	maxMachine = incident.MaxMachine
	maxText    = incident.MaxText
	maxKey     = incident.MaxKey
	maxLabel   = 200
	maxPerson  = 130 // with the source before it, it is still a label
)

// ownColumn begins the names of the columns that a file of rejected rows has
// before those of the original; an import passes over them.
const ownColumn = "!"
