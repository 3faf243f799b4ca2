package csvin

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"

	"statincidents/internal/intake/table"
)

// spool keeps the rows of a file on disk, and in memory only where the rows of
// each ticket are: the rows of a ticket may stand anywhere in the file, and
// texts may be long, so neither order nor memory can be counted on.
type spool struct {
	file    *os.File
	w       *bufio.Writer
	size    int64
	width   int // fields in a row
	buf     []byte
	rows    []spooled
	tickets map[string]int32
	names   []string
}

// spooled is a row: where it is, and whose.
type spooled struct {
	at     int64
	size   int32
	ticket int32
}

func newSpool(width int) (*spool, error) {
	f, err := os.CreateTemp("", "statincidents-import-*")
	if err != nil {
		return nil, fmt.Errorf("csvin: temporary file: %w", err)
	}
	return &spool{file: f, w: bufio.NewWriterSize(f, 256<<10), width: width, tickets: map[string]int32{}}, nil
}

// close deletes the rows.
func (s *spool) close() {
	s.file.Close()
	os.Remove(s.file.Name()) //nolint:errcheck // a temporary file that stays is the system's to sweep
}

// add keeps a row of a ticket.
func (s *spool) add(ticket string, row table.Row) error {
	id, ok := s.tickets[ticket]
	if !ok {
		id = int32(len(s.names))
		// A copy: the name shares its memory with its whole row.
		ticket = string([]byte(ticket))
		s.tickets[ticket] = id
		s.names = append(s.names, ticket)
	}
	b := binary.AppendUvarint(s.buf[:0], uint64(row.Line))
	b = binary.AppendUvarint(b, uint64(row.LastLine-row.Line))
	for _, f := range row.Fields {
		b = binary.AppendUvarint(b, uint64(len(f)))
		b = append(b, f...)
	}
	s.buf = b
	if _, err := s.w.Write(b); err != nil {
		return fmt.Errorf("csvin: temporary file: %w", err)
	}
	s.rows = append(s.rows, spooled{s.size, int32(len(b)), id})
	s.size += int64(len(b))
	return nil
}

// seal ends the adding: tickets come out in the order of their first row.
func (s *spool) seal() error {
	s.tickets = nil
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("csvin: temporary file: %w", err)
	}
	slices.SortStableFunc(s.rows, func(a, b spooled) int { return int(a.ticket) - int(b.ticket) })
	return nil
}

// each gives the rows of each ticket, in the file's order, until fn fails.
func (s *spool) each(fn func(ticket string, rows []table.Row) error) error {
	var rows []table.Row
	for from := 0; from < len(s.rows); {
		to := from + 1
		for to < len(s.rows) && s.rows[to].ticket == s.rows[from].ticket {
			to++
		}
		rows = rows[:0]
		var err error
		if rows, err = s.read(rows, s.rows[from:to]); err != nil {
			return err
		}
		if err := fn(s.names[s.rows[from].ticket], rows); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// read takes rows from disk, in one piece where they stand together.
func (s *spool) read(rows []table.Row, where []spooled) ([]table.Row, error) {
	for len(where) > 0 {
		n, size := 1, int64(where[0].size)
		for n < len(where) && where[n].at == where[0].at+size {
			size += int64(where[n].size)
			n++
		}
		if int64(cap(s.buf)) < size {
			s.buf = make([]byte, size)
		}
		b := s.buf[:size]
		if _, err := s.file.ReadAt(b, where[0].at); err != nil {
			return nil, fmt.Errorf("csvin: temporary file: %w", err)
		}
		text := string(b)
		for range n {
			var row table.Row
			var err error
			if row, text, err = s.decode(text); err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
		where = where[n:]
	}
	return rows, nil
}

func (s *spool) decode(text string) (table.Row, string, error) {
	damaged := false
	next := func() int {
		n, size := uvarint(text)
		if size <= 0 || n > uint64(1<<40) {
			damaged = true
			return 0
		}
		text = text[size:]
		return int(n)
	}
	row := table.Row{Line: next()}
	row.LastLine = row.Line + next()
	row.Fields = make([]string, s.width)
	for i := range row.Fields {
		n := next()
		if damaged || n > len(text) {
			return row, "", fmt.Errorf("csvin: temporary file: %w", io.ErrUnexpectedEOF)
		}
		row.Fields[i], text = text[:n], text[n:]
	}
	return row, text, nil
}

// uvarint is binary.Uvarint on a string.
func uvarint(s string) (uint64, int) {
	var x uint64
	for i := range min(len(s), binary.MaxVarintLen64) {
		b := s[i]
		x |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return x, i + 1
		}
	}
	return 0, 0
}
