package table

import "bytes"

// scanned is the shape of one row in the buffer; its text is in Reader.text.
type scanned struct {
	size    int  // bytes, the line end included
	lines   int  // line ends inside, the last one included
	ended   bool // by a line end, not by the end of the file
	open    int  // column (from 1) whose quote never closes, read as a plain character; 0 if none
	endless bool // longer than a row may be
	quote   int  // offset of the quote that never closes, or else of the first one whose field holds a quote that nobody doubled; -1 if none
}

// at gives the byte at an offset from the start of the row.
func (t *Reader) at(off int) (byte, bool) {
	for t.pos+off >= len(t.buf) {
		if !t.more() {
			return 0, false
		}
	}
	return t.buf[t.pos+off], true
}

// find gives the offset of the first byte c from an offset on, looking no
// further than limit bytes.
func (t *Reader) find(off int, c byte, limit int) int {
	from := off
	for {
		if i := bytes.IndexByte(t.buf[min(t.pos+from, len(t.buf)):], c); i >= 0 {
			return from + i
		}
		from = max(from, len(t.buf)-t.pos)
		if from-off > limit || !t.more() {
			return -1
		}
	}
}

// sepAt tells whether the separator stands at an offset.
func (t *Reader) sepAt(off int) bool {
	for i, c := range t.sep {
		if b, ok := t.at(off + i); !ok || b != c {
			return false
		}
	}
	return true
}

// eolAt gives the size of the line end at an offset: 0 if there is none.
func (t *Reader) eolAt(off int) int {
	b, ok := t.at(off)
	switch {
	case !ok:
		return 0
	case b == t.eol:
		return 1
	case b == '\r':
		if n, ok := t.at(off + 1); ok && n == t.eol {
			return 2
		}
	}
	return 0
}

// scan reads the row that starts at an offset from pos. The quote at the
// offset plain, if not negative, is read as a plain character.
func (t *Reader) scan(start, plain int) scanned {
	s := scanned{quote: -1}
	t.text, t.ends = t.text[:0], t.ends[:0]
	off := start
	for {
		if b, ok := t.at(off); ok && b == '"' && off != plain && s.open == 0 {
			end, closed := t.quoted(&s, off)
			if !closed {
				s.open, s.quote = len(t.ends)+1, off
				off = t.bare(off)
			} else {
				off = end
			}
		} else {
			off = t.bare(off)
		}
		t.ends = append(t.ends, len(t.text))
		if off-start > t.maxRow {
			s.endless = true
			break
		}
		if n := t.eolAt(off); n > 0 {
			off += n
			s.lines++
			s.ended = true
			break
		}
		if !t.sepAt(off) { // the end of the file
			break
		}
		off += len(t.sep)
	}
	s.size = off - start
	return s
}

// bare reads a field without quotes, up to its separator or line end.
func (t *Reader) bare(off int) int {
	from := off
	for {
		rest := t.buf[min(t.pos+off, len(t.buf)):]
		n := 0
		for n < len(rest) && rest[n] != t.sep[0] && rest[n] != t.eol && rest[n] != '\r' {
			n++
		}
		off += n
		switch {
		case n == len(rest):
			if off-from > t.maxRow || !t.more() {
				t.keep(from, off)
				return off
			}
		case t.eolAt(off) > 0 || t.sepAt(off):
			t.keep(from, off)
			return off
		default: // a lone carriage return, or a byte like the separator's first
			off++
		}
	}
}

// quoted reads a field between quotes. It gives the offset after the closing
// quote, or false if none is found.
func (t *Reader) quoted(s *scanned, open int) (end int, closed bool) {
	mark, lines, lone := len(t.text), 0, false
	off := open + 1
	for {
		q := t.find(off, '"', t.maxQuote)
		if q < 0 || q-open > t.maxQuote {
			t.text = t.text[:mark]
			return 0, false
		}
		lines += bytes.Count(t.buf[t.pos+off:t.pos+q], []byte{t.eol})
		next, ok := t.at(q + 1)
		switch {
		case ok && next == '"':
			t.keep(off, q+1)
			off = q + 2
			continue
		case !ok || t.eolAt(q+1) > 0 || t.sepAt(q+1):
			t.keep(off, q)
			s.lines += lines
			if lone && s.quote < 0 {
				s.quote = open
			}
			return q + 1, true
		}
		if gap := t.blank(q + 1); gap > q+1 && (t.eolAt(gap) > 0 || t.sepAt(gap)) { // "text" ;
			t.keep(off, q)
			s.lines += lines
			return gap, true
		}
		lone = true // a quote that nobody doubled: a plain character
		t.keep(off, q+1)
		off = q + 1
	}
}

// blank gives the offset after the spaces at an offset (few: a slip, not text).
func (t *Reader) blank(off int) int {
	for range 8 {
		if b, ok := t.at(off); !ok || b != ' ' {
			break
		}
		off++
	}
	return off
}

// keep adds text to the row. The character 0 has no place in text and one of
// the engines refuses it.
func (t *Reader) keep(from, to int) {
	part := t.buf[t.pos+from : t.pos+to]
	if bytes.IndexByte(part, 0) < 0 {
		t.text = append(t.text, part...)
		return
	}
	for _, b := range part {
		if b != 0 {
			t.text = append(t.text, b)
		}
	}
}

// reconsider judges a row in which a quoted field holds quotes that nobody
// doubled. If that field has line ends, or the row has not the header's number
// of fields, the quote that opened it may have been a plain character: that
// reading, in which the row ends with its line, is preferred when it gives the
// header's number of fields, to the row after it as well.
func (t *Reader) reconsider(first scanned) scanned {
	want := len(t.header)
	spread := first.lines > 1 || first.lines == 1 && !first.ended
	if want == 0 || !spread && len(t.ends) == want {
		return first
	}
	other := t.scan(0, first.quote)
	fits := len(t.ends) == want && other.open == 0
	if fits && spread {
		if _, more := t.at(other.size); more {
			t.scan(other.size, -1)
			fits = len(t.ends) == want
		}
	}
	// Once more in any case: looking elsewhere has used the text of the row.
	if fits {
		return t.scan(0, first.quote)
	}
	return t.scan(0, -1)
}

// tear makes the last row of a damaged file, whose end was lost inside quotes:
// all that is left belongs to it.
func (t *Reader) tear(s scanned) scanned {
	t.scan(0, s.quote) // the fields before the quote
	t.ends = t.ends[:s.open-1]
	keep := 0
	if n := len(t.ends); n > 0 {
		keep = t.ends[n-1]
	}
	t.text = t.text[:keep]
	size := len(t.buf) - t.pos
	s.lines = bytes.Count(t.buf[t.pos:], []byte{t.eol})
	t.keep(s.quote+1, size)
	t.ends = append(t.ends, len(t.text))
	s.size, s.ended = size, false
	return s
}
