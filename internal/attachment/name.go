package attachment

import (
	"slices"
	"strings"
	"unicode"
)

// cleanName is a name that is safe to show and to save: the last part of a
// path, without what cannot be seen or turns the writing round.
func cleanName(name string) string {
	name = strings.ToValidUTF8(name, "")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), strings.ContainsRune(`<>:"|?*`, r):
			return -1
		}
		return r
	}, name)
	name = strings.Trim(strings.Join(strings.Fields(name), " "), ". ")
	if r := []rune(name); len(r) > maxName {
		ext := ""
		if dot := strings.LastIndexByte(name, '.'); dot > 0 && len(name)-dot <= 6 {
			ext = name[dot:]
		}
		name = string(r[:maxName-len([]rune(ext))]) + ext
	}
	return name
}

// named gives the name of a file of a type: what it is called, ending as the
// type does.
func named(name string, t Type) string {
	if name == "" {
		name = "document"
		if t.Picture() {
			name = "photo"
		}
	}
	ends := extensions[t]
	lower := strings.ToLower(name)
	if slices.ContainsFunc(ends, func(e string) bool { return strings.HasSuffix(lower, e) }) {
		return name
	}
	// A picture that was made anew changes its ending; anything else keeps its
	// own before the true one.
	for _, former := range []string{".webp", ".gif", ".jpg", ".jpeg", ".png", ".jfif"} {
		if t.Picture() && strings.HasSuffix(lower, former) {
			name = name[:len(name)-len(former)]
			break
		}
	}
	return name + ends[0]
}
