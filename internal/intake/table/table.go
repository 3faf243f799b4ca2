// Package table reads tables of delimited text as people really send them:
// compressed or not, in UTF-8, Windows-1252 or UTF-16, separated by commas,
// semicolons, tabs or bars, with line ends of every kind inside quotes, lone
// quotes, fields of any length, and files cut in the middle.
//
// A row that cannot be understood is handed out as a *RowError, with the lines
// of the file that it came from, and reading goes on with the next one: only a
// failure of the underlying reader ends it.
package table

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// DefaultMaxField is the longest field that is accepted when nothing else is
// said, in characters.
const DefaultMaxField = 1_000_000

// maxRaw is how much of an unreadable line is kept to show it, in bytes.
const maxRaw = 64 << 10

// Options says how to read; the zero value detects everything.
type Options struct {
	Encoding  string // one of Encodings; "" detects
	Separator rune   // 0 detects
	MaxField  int    // in characters; 0 is DefaultMaxField
}

// Format is what a file turned out to be.
type Format struct {
	Compressed bool
	Encoding   string
	BOM        bool
	Separator  rune
}

// Row is one row of the table. Lines are counted from 1, the header's
// included, as an editor shows them: a row with line ends inside a field has a
// LastLine after its Line.
type Row struct {
	Line, LastLine int
	Fields         []string
}

// Problem says why a row was rejected.
type Problem string

// The problems.
const (
	TooLong    Problem = "too_long"    // a field has more characters than the limit
	OpenQuote  Problem = "open_quote"  // a quote opens a field and never closes it
	FieldCount Problem = "field_count" // not as many fields as the header
	Truncated  Problem = "truncated"   // the file ends in the middle of this row, or its compression is damaged
)

// RowError is a row that could not be understood. Fields holds what can be made
// of it, so that it can be shown, mended and read again; for a line too long to
// be kept it holds its beginning.
type RowError struct {
	Row

	Problem  Problem
	Column   int // of the field concerned, from 1; 0 if none
	Got      int // characters (TooLong) or fields (FieldCount)
	Expected int
}

// Error gives the developer's view.
func (r *RowError) Error() string {
	return fmt.Sprintf("line %d: %s (column %d, got %d, expected %d)", r.Line, r.Problem, r.Column, r.Got, r.Expected)
}

// ErrEmpty is returned by New for a file without a header.
var ErrEmpty = errors.New("table: the file is empty")

// Reader reads one table.
type Reader struct {
	count    *counter
	cut      *cut
	lenient  *lenient
	format   Format
	header   []string
	headLine int

	src      io.Reader
	buf      []byte // decoded text not yet handed out
	pos      int    // start of the next row in buf
	line     int    // line of the file at pos
	eof      bool   // src has ended
	err      error  // src has failed
	sep      []byte
	eol      byte // '\n', or '\r' for the old Macintosh
	maxField int
	maxQuote int // bytes after which a quote is taken as never closed
	maxRow   int // bytes after which a row is given up
	told     bool

	text []byte // the row being built, unescaped
	ends []int  // end of each field in text
}

// New detects the format of a file and reads its header. It fails with
// ErrEmpty if there is none, and with the reader's own errors.
func New(r io.Reader, o Options) (*Reader, error) {
	t := &Reader{count: &counter{r: r}, maxField: o.MaxField, line: 1}
	if t.maxField <= 0 {
		t.maxField = DefaultMaxField
	}
	t.maxQuote = 4*t.maxField + 64<<10
	t.maxRow = 2*t.maxQuote + 16<<20
	if err := t.open(o); err != nil {
		return nil, err
	}
	row, err := t.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, ErrEmpty
	case err != nil:
		if _, ok := errors.AsType[*RowError](err); ok {
			return nil, fmt.Errorf("table: header: %w", err)
		}
		return nil, err
	}
	t.header, t.headLine = names(row.Fields), row.Line
	return t, nil
}

func (t *Reader) open(o Options) error {
	plain, compressed, err := unzip(bufio.NewReaderSize(t.count, 256<<10))
	if err != nil {
		return err
	}
	t.cut, t.format.Compressed = plain, compressed
	in := bufio.NewReaderSize(plain, sampleSize)
	sample, err := in.Peek(sampleSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("table: read: %w", err)
	}
	detected, bom := detectEncoding(sample)
	t.format.Encoding = o.Encoding
	if t.format.Encoding == "" || bom > 0 { // a mark is certain, a setting may be stale
		t.format.Encoding = detected
	}
	t.format.BOM = bom > 0
	if _, err := in.Discard(bom); err != nil {
		return fmt.Errorf("table: read: %w", err)
	}
	if t.src, t.lenient, err = decoder(t.format.Encoding, in); err != nil {
		return err
	}
	for len(t.buf) < sampleSize && t.more() { //nolint:revive // filling is the body
	}
	if t.err != nil {
		return fmt.Errorf("table: read: %w", t.err)
	}
	head := t.buf[:min(len(t.buf), sampleSize)]
	t.eol = '\n'
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		t.eol = '\r'
	}
	sep := o.Separator
	if said, n := saidSeparator(head); n > 0 { // Excel's own "sep=;" line
		sep = said
		t.pos, t.line = n, 2
	} else if sep == 0 {
		sep = detectSeparator(head, t.eol, len(head) < sampleSize)
	}
	t.format.Separator = sep
	t.sep = []byte(string(sep))
	return nil
}

// Format tells what the file turned out to be.
func (t *Reader) Format() Format { return t.format }

// Header gives the names of the columns, trimmed. A name is never empty and
// never there twice: such columns are told apart by their number.
func (t *Reader) Header() []string { return t.header }

// HeaderLine is the line of the header in the file.
func (t *Reader) HeaderLine() int { return t.headLine }

// BytesRead is how much of the file (as stored: compressed or not) has been
// taken so far. It may be called from another goroutine.
func (t *Reader) BytesRead() int64 { return t.count.n.Load() }

// Recoded counts the bytes that were not UTF-8 in a UTF-8 file, and were read
// as Windows-1252.
func (t *Reader) Recoded() int {
	if t.lenient == nil {
		return 0
	}
	return t.lenient.recoded
}

// Read gives the next row, which has as many fields as the header; a *RowError
// if it cannot be understood, after which Read can be called again; io.EOF at
// the end; or the failure of the underlying reader. Empty lines are skipped.
func (t *Reader) Read() (Row, error) {
	row, err := t.next()
	if err != nil {
		return row, err
	}
	// Programs that end each line with a separator write one empty field more.
	for len(row.Fields) > len(t.header) && row.Fields[len(row.Fields)-1] == "" {
		row.Fields = row.Fields[:len(row.Fields)-1]
	}
	if len(row.Fields) != len(t.header) {
		return Row{}, &RowError{Row: row, Problem: FieldCount, Got: len(row.Fields), Expected: len(t.header)}
	}
	return row, nil
}

// more takes more text from the source; false at its end.
func (t *Reader) more() bool {
	if t.eof {
		return false
	}
	if t.pos > 0 && t.pos >= len(t.buf)/2 {
		t.buf = t.buf[:copy(t.buf, t.buf[t.pos:])]
		t.pos = 0
	}
	const chunk = 128 << 10
	if cap(t.buf)-len(t.buf) < chunk {
		grown := make([]byte, len(t.buf), 2*cap(t.buf)+chunk)
		copy(grown, t.buf)
		t.buf = grown
	}
	for range 100 {
		n, err := t.src.Read(t.buf[len(t.buf):cap(t.buf)])
		t.buf = t.buf[:len(t.buf)+n]
		if err != nil {
			t.eof = true
			if !errors.Is(err, io.EOF) {
				t.err = err
			}
			return n > 0
		}
		if n > 0 {
			return true
		}
	}
	t.eof, t.err = true, io.ErrNoProgress
	return false
}

// next gives the next row that is not an empty line, whatever its number of
// fields.
func (t *Reader) next() (Row, error) {
	for {
		if t.pos == len(t.buf) && !t.more() {
			return Row{}, t.end()
		}
		s := t.scan(0, -1)
		torn := s.open > 0 && t.eof && t.cut.err != nil
		switch {
		case torn:
			s = t.tear(s)
		case s.open == 0 && s.quote >= 0:
			s = t.reconsider(s)
		}
		if t.err != nil {
			return Row{}, fmt.Errorf("table: read: %w", t.err)
		}
		row := t.row(s)
		t.pos += s.size
		t.line += s.lines
		switch {
		case t.cut.err != nil && t.eof && t.pos == len(t.buf) && !s.ended:
			t.told = true
			return Row{}, &RowError{Row: row, Problem: Truncated, Got: len(row.Fields), Expected: len(t.header)}
		case s.endless:
			t.skipLine()
			return Row{}, &RowError{Row: row, Problem: TooLong, Column: len(row.Fields), Got: t.maxRow, Expected: t.maxField}
		case len(row.Fields) == 1 && row.Fields[0] == "" && s.open == 0:
			continue
		case s.open > 0 && (t.header == nil || len(row.Fields) != len(t.header)):
			return Row{}, &RowError{Row: row, Problem: OpenQuote, Column: s.open, Got: len(row.Fields), Expected: len(t.header)}
		}
		if column, n := t.tooLong(row.Fields); column > 0 {
			return Row{}, &RowError{Row: row, Problem: TooLong, Column: column, Got: n, Expected: t.maxField}
		}
		return row, nil
	}
}

// end is what follows the last row: the damage of the file, once, then io.EOF.
func (t *Reader) end() error {
	if t.err != nil {
		return fmt.Errorf("table: read: %w", t.err)
	}
	if t.cut.err != nil && !t.told {
		t.told = true
		return &RowError{Row: Row{Line: t.line, LastLine: t.line}, Problem: Truncated, Expected: len(t.header)}
	}
	return io.EOF
}

func (t *Reader) tooLong(fields []string) (column, n int) {
	for i, f := range fields {
		if len(f) <= t.maxField {
			continue
		}
		if n := utf8.RuneCountInString(f); n > t.maxField {
			return i + 1, n
		}
	}
	return 0, 0
}

// row makes the row of the last scan; its fields share one string.
func (t *Reader) row(s scanned) Row {
	if s.endless && len(t.text) > maxRaw {
		t.text = t.text[:maxRaw]
		for i := range t.ends {
			t.ends[i] = min(t.ends[i], maxRaw)
		}
	}
	whole := strings.ToValidUTF8(string(t.text), "\uFFFD")
	fields := make([]string, len(t.ends))
	from := 0
	if len(whole) == len(t.text) {
		for i, to := range t.ends {
			fields[i] = whole[from:to]
			from = to
		}
	} else { // only when a row was cut inside a character
		for i, to := range t.ends {
			fields[i] = strings.ToValidUTF8(string(t.text[from:to]), "\uFFFD")
			from = to
		}
	}
	last := t.line + s.lines
	if s.ended {
		last-- // the line end that ends the row belongs to it
	}
	return Row{Line: t.line, LastLine: max(t.line, last), Fields: fields}
}

// skipLine gives up the rest of a line without keeping it.
func (t *Reader) skipLine() {
	for {
		if i := bytes.IndexByte(t.buf[t.pos:], t.eol); i >= 0 {
			t.pos += i + 1
			t.line++
			return
		}
		t.pos = len(t.buf)
		if !t.more() {
			return
		}
	}
}

// names makes the header usable as keys.
func names(fields []string) []string {
	seen := make(map[string]bool, len(fields))
	out := make([]string, len(fields))
	for i, f := range fields {
		f = strings.Join(strings.Fields(strings.Map(dropMarks, f)), " ")
		if f == "" || seen[f] {
			f = strings.TrimSpace(fmt.Sprintf("%s (%d)", f, i+1))
		}
		for seen[f] {
			f += "'"
		}
		seen[f] = true
		out[i] = f
	}
	return out
}

// dropMarks removes a byte-order mark that a program glued inside the file.
func dropMarks(r rune) rune {
	if r == '\uFEFF' || r == 0 {
		return -1
	}
	return r
}
