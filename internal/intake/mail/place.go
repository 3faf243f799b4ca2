package mailin

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"statincidents/internal/directory"
)

// folded is a text as names are compared: lower case, without accents, every
// run of other characters than letters and digits one space; spaces around.
func folded(s string) string {
	var b strings.Builder
	b.WriteByte(' ')
	gap := true
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
			gap = false
		case unicode.Is(unicode.Mn, r):
		case !gap:
			b.WriteByte(' ')
			gap = true
		}
	}
	if !gap {
		b.WriteByte(' ')
	}
	return b.String()
}

// roomIn finds the one room of a school that a text names; 0 if it names none
// or several. The longest name at a place counts: "salle 12 bis" is not "salle 12".
func roomIn(text string, rooms []directory.Room) int64 {
	text = folded(text)
	type found struct {
		name string
		id   int64
	}
	var names []found
	for _, r := range rooms {
		if r.Archived {
			continue
		}
		name := folded(r.Name)
		if trimmed := strings.TrimSpace(name); len(trimmed) < 3 || number.MatchString(trimmed) {
			// A bare number or letter says nothing without its word.
			name = " salle" + name
		}
		names = append(names, found{name, r.ID})
	}
	slices.SortFunc(names, func(a, b found) int { return len(b.name) - len(a.name) })
	room := int64(0)
	for _, n := range names {
		if len(strings.TrimSpace(n.name)) < 3 || !strings.Contains(text, n.name) {
			continue
		}
		if room != 0 && room != n.id {
			return 0
		}
		room = n.id
		text = strings.ReplaceAll(text, n.name, " . ")
	}
	return room
}

var (
	number = regexp.MustCompile(`^[0-9]{1,4}$`)
	// Asset numbers as labels show them: "PC-01234", "KPC-ADMIN-01", "HX20A-1".
	label = regexp.MustCompile(`\b[A-Z][A-Z0-9]{1,11}(?:[-_][A-Z0-9]{1,12}){1,3}\b`)
	// What looks like one and is none.
	noLabel = regexp.MustCompile(`^(COVID|UTF|ISO|USB|HDMI|WI|WIFI|RJ|DVI|MP|PS|MS|AC|KB|A4|A3|HTTP|HTTPS|SSD|DDR\d?)[-_]`)
)

// machineIn finds the one asset number that a text names; "" if none or several.
func machineIn(text string) string {
	machine := ""
	for _, l := range label.FindAllString(text, 50) {
		if !strings.ContainsAny(l, "0123456789") || noLabel.MatchString(l) || len(l) < 5 {
			continue
		}
		if machine != "" && machine != l {
			return ""
		}
		machine = l
	}
	return machine
}

// schoolIn finds the one of some schools that a text names; 0 if none or several.
func schoolIn(text string, schools []directory.School) int64 {
	text = folded(text)
	id := int64(0)
	for _, s := range schools {
		name := strings.TrimSpace(strings.TrimPrefix(folded(s.Name), " college "))
		if len(name) < 4 || !strings.Contains(text, " "+name+" ") {
			continue
		}
		if id != 0 {
			return 0
		}
		id = s.ID
	}
	return id
}
