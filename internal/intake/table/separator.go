package table

import (
	"bytes"
	"strings"
)

// Separators are the ones that are detected, likeliest first.
var Separators = []rune{';', ',', '\t', '|'}

// saidSeparator reads the line "sep=;" that Excel puts at the top, and gives
// its size.
func saidSeparator(head []byte) (sep rune, size int) {
	line, _, found := bytes.Cut(head, []byte{'\n'})
	if !found || len(line) > 16 {
		return 0, 0
	}
	text := strings.Trim(string(line), "\"\r")
	rest, ok := strings.CutPrefix(strings.ToLower(text), "sep=")
	if !ok {
		return 0, 0
	}
	runes := []rune(rest)
	if len(runes) != 1 || runes[0] == '"' {
		return 0, 0
	}
	return runes[0], len(line) + 1
}

// detectSeparator reads the sample with each separator and chooses the one
// that cuts most rows into the header's number of fields; with equal shares,
// the one that makes more fields. whole tells that the sample is the file.
func detectSeparator(head []byte, eol byte, whole bool) rune {
	best, bestScore := ',', 0.0
	for _, sep := range Separators {
		rows, same, width := shape(head, eol, sep, whole)
		if width < 2 || rows == 0 {
			continue
		}
		// Width breaks ties only: 0.02 for each further column, up to half a row in ten.
		score := float64(same)/float64(rows) + min(0.02*float64(width), 0.5)/10
		if score > bestScore {
			best, bestScore = sep, score
		}
	}
	return best
}

// shape counts the sample's rows, and how many have as many fields as the first.
func shape(head []byte, eol byte, sep rune, whole bool) (rows, same, width int) {
	const enough = 200
	t := &Reader{
		buf: head, eof: true, eol: eol, sep: []byte(string(sep)), line: 1, cut: &cut{},
		maxField: sampleSize, maxQuote: sampleSize, maxRow: 4 * sampleSize,
	}
	for rows < enough && t.pos < len(t.buf) {
		s := t.scan(0, -1)
		last := t.pos+s.size == len(t.buf)
		n := len(t.ends)
		empty := n == 1 && len(t.text) == 0
		t.pos += s.size
		if empty || (last && !whole && rows > 0) { // the last row of a sample is cut
			continue
		}
		rows++
		if width == 0 {
			width = n
		}
		if n == width && s.open == 0 {
			same++
		}
	}
	return rows, same, width
}
