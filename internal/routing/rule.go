// Package routing gives new incidents to somebody by rules: the first rule, in
// their order, whose conditions an incident meets says which team or
// technician. Rules are off until somebody switches them on, and can be tried
// on past incidents before. A reader of the journal applies them to incidents
// as they are declared, through the same command as a person's hand.
package routing

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// Rule is one assignment rule. An empty condition holds for every incident.
type Rule struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	On       bool   `json:"on,omitempty"`
	Position int    `json:"position"`

	// Conditions: all must hold, each by one of its values.
	Schools    []int64           `json:"schools,omitempty"`
	Categories []int64           `json:"categories,omitempty"` // with all below them
	Network    directory.Network `json:"network,omitempty"`
	Priorities []int             `json:"priorities,omitempty"`
	Origins    []incident.Origin `json:"origins,omitempty"`
	Words      []string          `json:"words,omitempty"` // one of them begins a word of the title or description, accents and case apart

	// What is done: a technician, or the least loaded of a team, or a team's
	// queue.
	Team   int64 `json:"team,omitempty"`
	Person int64 `json:"person,omitempty"`
	Least  bool  `json:"least,omitempty"` // of the team's technicians, who has the fewest open incidents
}

// Meets tells whether an incident meets the conditions. Path gives the
// categories from the top to one.
func (r *Rule) Meets(i *incident.Incident, path func(int64) []int64) bool {
	switch {
	case len(r.Schools) > 0 && !slices.Contains(r.Schools, i.School):
		return false
	case len(r.Categories) > 0 && !slices.ContainsFunc(path(i.Category), func(c int64) bool { return slices.Contains(r.Categories, c) }):
		return false
	case r.Network != "" && r.Network != i.Network:
		return false
	case len(r.Priorities) > 0 && !slices.Contains(r.Priorities, i.Priority):
		return false
	case len(r.Origins) > 0 && !slices.Contains(r.Origins, i.Origin):
		return false
	case len(r.Words) > 0:
		text := " " + fold(i.Title+" "+i.Description)
		return slices.ContainsFunc(r.Words, func(w string) bool { return strings.Contains(text, " "+fold(w)) })
	}
	return true
}

// Meeting is the first of some rules, in their order, that an incident meets;
// nil if none. All counts rules that are off too.
func Meeting(rules []Rule, i *incident.Incident, path func(int64) []int64, all bool) *Rule {
	for k := range rules {
		if (all || rules[k].On) && rules[k].Meets(i, path) {
			return &rules[k]
		}
	}
	return nil
}

// fold is a text without accents, case and punctuation, one space between
// words.
func fold(text string) string {
	t := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	plain, _, err := transform.String(t, text)
	if err != nil {
		plain = text
	}
	return strings.Join(strings.FieldsFunc(strings.ToLower(plain), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }), " ")
}
