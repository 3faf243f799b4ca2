package web

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold drops accents and case: "Éducatif" and "educatif" are typed alike.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
