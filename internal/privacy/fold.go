package privacy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folded is a text without case and accents, that remembers where each of its
// bytes comes from.
type folded struct {
	text string
	from []int32 // byte of the text as written, one more for its end; nil: the same
}

// at gives the place in the text as written.
func (f *folded) at(i int) int {
	if f.from == nil {
		return i
	}
	return int(f.from[i])
}

// fold takes case, accents and ligatures off, and makes one space of every
// kind of space.
func fold(s string) folded {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return folded{text: strings.ToLower(s)}
	}
	var b strings.Builder
	b.Grow(len(s))
	f := folded{from: make([]int32, 0, len(s)+1)}
	put := func(r rune, at int) {
		before := b.Len()
		b.WriteRune(r)
		for range b.Len() - before {
			f.from = append(f.from, int32(at))
		}
	}
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf:
			put(unicode.ToLower(r), i)
		case r == 'œ' || r == 'Œ':
			put('o', i)
			put('e', i)
		case r == 'æ' || r == 'Æ':
			put('a', i)
			put('e', i)
		case r == '’':
			put('\'', i)
		case unicode.IsSpace(r):
			put(' ', i)
		default:
			var buf [utf8.UTFMax]byte
			n := utf8.EncodeRune(buf[:], r)
			for _, part := range string(norm.NFD.Bytes(buf[:n])) {
				if !unicode.Is(unicode.Mn, part) {
					put(unicode.ToLower(part), i)
				}
			}
		}
	}
	f.text = b.String()
	f.from = append(f.from, int32(len(s)))
	return f
}

// tokens are the words of a name, folded.
func tokens(name string) []string {
	return strings.FieldsFunc(fold(name).text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
