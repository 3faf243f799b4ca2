package chart

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text classes. Sizes are in units of the scene; ui/css/chart.css gives the
// same to the browser and a test compares them.
const (
	textLabel  = "t"    // names of marks
	textValue  = "t tv" // their figures, heavier
	textSmall  = "ts"   // axes, notes
	textStrong = "t tb" // titles of panels
)

const (
	sizeLabel = 13
	sizeSmall = 12
)

// Font gives the size of a text class and whether it is heavy.
func Font(class string) (size float64, heavy bool) {
	size = sizeLabel
	for c := range strings.FieldsSeq(class) {
		switch c {
		case "ts":
			size = sizeSmall
		case "tv", "tb":
			heavy = true
		}
	}
	return size, heavy
}

// advances of printable ASCII in hundredths of the size, measured in Atkinson
// Hyperlegible Next at weight 400. Digits are tabular.
var advances = [...]uint8{
	28, 29, 30, 65, 62, 92, 73, 16, 30, 30, 48, 61, 21, 36, 21, 39,
	62, 62, 62, 62, 62, 62, 62, 62, 62, 62, 21, 21, 55, 63, 55, 48,
	78, 63, 61, 64, 67, 57, 55, 69, 69, 39, 51, 63, 54, 82, 69, 71,
	59, 72, 61, 59, 56, 69, 59, 86, 62, 57, 61, 32, 39, 34, 55, 37,
	24, 52, 57, 48, 56, 54, 31, 56, 55, 25, 24, 49, 26, 84, 55, 55,
	57, 57, 35, 47, 33, 54, 46, 68, 48, 45, 46, 34, 24, 34, 55,
}

// textWidth estimates the width of a line. It errs on the wide side by some
// 6 %, for the system fonts that stand in.
func textWidth(s, class string) float64 {
	size, heavy := Font(class)
	sum := 0
	for _, r := range s {
		sum += advance(r)
	}
	factor := 1.06
	if heavy {
		factor = 1.1
	}
	return float64(sum) / 100 * size * factor
}

func advance(r rune) int {
	switch {
	case r >= ' ' && int(r-' ') < len(advances):
		return int(advances[r-' '])
	case r == '\u202f':
		return 14
	case r == '\u00a0':
		return 28
	case r == '’' || r == '·':
		return 27
	case r == '—' || r == 'œ' || r == '%':
		return 92
	case r == 'Œ':
		return 101
	case unicode.Is(unicode.Mn, r):
		return 0
	case unicode.IsUpper(r):
		return 67
	case r < 0x2000:
		return 57
	}
	return 100
}

// fit cuts a text with an ellipsis so that it stays within a width.
func fit(s string, width float64, class string) string {
	if textWidth(s, class) <= width {
		return s
	}
	for s != "" {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		if cut := strings.TrimRight(s, " ,;-–—'’\u00a0\u202f") + "…"; textWidth(cut, class) <= width {
			return cut
		}
	}
	return ""
}

// wrap breaks a text at spaces into at most n lines within a width; the last
// is cut if need be.
func wrap(s string, width float64, class string, n int) []string {
	var lines []string
	line := ""
	words := strings.Fields(s)
	for i, w := range words {
		longer := strings.TrimPrefix(line+" "+w, " ")
		if line == "" || textWidth(longer, class) <= width {
			line = longer
			continue
		}
		if len(lines) == n-1 {
			return append(lines, fit(strings.Join(append([]string{line}, words[i:]...), " "), width, class))
		}
		lines, line = append(lines, fit(line, width, class)), w
	}
	return append(lines, fit(line, width, class))
}
