package csvin

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"statincidents/internal/fault"
	"statincidents/internal/intake/table"
)

var utc = time.UTC

// Sample is the beginning of a file.
type Sample struct {
	Format   table.Format
	Header   []string
	Rows     []table.Row
	Problems []*Problem // rows that are not even rows
	Whole    bool       // nothing follows
}

// TakeSample reads the beginning of a file, with what a profile says of its
// text (nothing but defaults for an empty File).
func TakeSample(r io.Reader, f File, rows int) (Sample, error) {
	sep, ok := separator(f.Separator)
	if !ok {
		return Sample{}, fault.InvalidField("file.separator", "error.intake.profile.separator", "value", f.Separator, "line", 0)
	}
	o := table.Options{Separator: sep, MaxField: f.MaxField}
	if f.Encoding != "auto" {
		o.Encoding = f.Encoding
	}
	if o.MaxField == 0 {
		o.MaxField = maxText
	}
	t, err := open(r, o)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Format: t.Format(), Header: t.Header()}
	for len(s.Rows) < rows {
		row, err := t.Read()
		if errors.Is(err, io.EOF) {
			s.Whole = true
			return s, nil
		}
		if bad, ok := errors.AsType[*table.RowError](err); ok {
			s.Problems = append(s.Problems, ofTable(bad, s.Header))
			continue
		}
		if err != nil {
			return s, fmt.Errorf("csvin: sample: %w", err)
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

// open starts reading a table; what a person can mend is a refusal.
func open(r io.Reader, o table.Options) (*table.Reader, error) {
	t, err := table.New(r, o)
	if errors.Is(err, table.ErrEmpty) {
		return nil, fault.New(fault.Invalid, "error.intake.empty")
	}
	if bad, ok := errors.AsType[*table.RowError](err); ok {
		return nil, &fault.Error{Code: fault.Invalid, Key: "error.intake.header", Args: map[string]any{"line": bad.Line}, Err: err}
	}
	return t, err
}

// Understood is a row as a profile reads it.
type Understood struct {
	Line   int
	Ticket string
	At     time.Time // of the update; zero if the row does not say
	Actor  string
	Values []Value // in the order of Targets; only those that the row gives
}

// Value is a field as a profile reads it. Its text is a word of the field
// ("closed"), a label, a number, or labels of a path; an instant is in At.
type Value struct {
	Field string
	Text  string
	Path  []string
	At    time.Time
}

// Previewed is what a profile makes of a sample.
type Previewed struct {
	Rows     []Understood
	Rejected []*Problem
	Doubts   []*Problem
	Unused   []string // columns that the profile neither reads nor ignores
}

// Preview shows what a profile makes of a sample, without any database. A
// column that the profile reads and the sample has not is a refusal.
func Preview(p Profile, s Sample) (Previewed, error) {
	if err := p.Check(); err != nil {
		return Previewed{}, err
	}
	pl, err := newPlan(p, s.Header)
	if err != nil {
		return Previewed{}, err
	}
	out := Previewed{Unused: pl.unused, Rejected: s.Problems}
	for _, row := range s.Rows {
		r, bad := pl.understand(row, func(d *Problem) { out.Doubts = append(out.Doubts, d) })
		if bad != nil {
			out.Rejected = append(out.Rejected, bad)
			continue
		}
		u := Understood{Line: r.line, Ticket: r.ticket, At: r.at, Actor: r.actor}
		for to := range targets {
			if c := r.cells[to]; c.said {
				u.Values = append(u.Values, c.value(&targets[to]))
			}
		}
		out.Rows = append(out.Rows, u)
	}
	return out, nil
}

func (c cell) value(t *target) Value {
	v := Value{Field: t.name, Text: c.text}
	switch t.sort {
	case sortInstant:
		v.At = c.at()
	case sortNumber:
		if c.n != 0 {
			v.Text = fmt.Sprint(c.n)
		}
	case sortPath:
		v.Text = ""
		if c.text != "" {
			v.Path = strings.Split(c.text, pathMark)
		}
	default:
	}
	return v
}
