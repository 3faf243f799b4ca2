package analysis

import (
	"strings"
	"unicode"
)

// Batch is the lot or model that a machine's label names: what comes before
// its first separator ("HX22C" of HX22C-00421, "VP" of VP-1038-12), a school's
// code put first left out, or the letters that it begins with ("PC" of
// PC004512). It is "" where the label says none: a bare number. It stands in
// for the model of the inventory.
func Batch(label string) string {
	rest := strings.TrimSpace(label)
	for range 2 {
		cut := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		head := rest
		if cut >= 0 {
			head = rest[:cut]
		}
		switch {
		case head == "":
			return ""
		case isUAI(head):
			if cut < 0 {
				return ""
			}
			rest = rest[cut+1:]
			continue
		case strings.IndexFunc(head, unicode.IsLetter) < 0:
			return ""
		case cut < 0:
			return strings.ToUpper(head[:letters(head)])
		}
		return strings.ToUpper(head)
	}
	return ""
}

// letters is how many bytes of letters a word begins with.
func letters(word string) int {
	if k := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }); k >= 0 {
		return k
	}
	return len(word)
}

// isUAI tells whether a word is the code of a school: seven digits, a letter.
func isUAI(word string) bool {
	if len(word) != 8 {
		return false
	}
	for k := range 7 {
		if word[k] < '0' || word[k] > '9' {
			return false
		}
	}
	return word[7] >= 'A' && word[7] <= 'Z' || word[7] >= 'a' && word[7] <= 'z'
}

// RoomKind is what a room's name says that it is for: its words up to the
// first that is a number or a lone letter ("Salle" of Salle 12, "Salle de
// technologie", "CDI").
func RoomKind(name string) string {
	var kept []string
	for word := range strings.FieldsSeq(name) {
		if strings.IndexFunc(word, unicode.IsDigit) >= 0 || len([]rune(word)) == 1 {
			break
		}
		kept = append(kept, word)
	}
	return strings.Join(kept, " ")
}
