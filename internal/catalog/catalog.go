// Package catalog holds the words that a département chooses: the tree of
// categories, the codes of cause, resolution and waiting, and the matrix that
// makes a priority of impact and urgency. All of it is data.
package catalog

// Category is a node of the tree of incident types.
type Category struct {
	ID       int64  `json:"id"`
	Parent   int64  `json:"parent,omitempty"`   // 0 at the top
	Label    string `json:"label"`              // in the département's language
	LabelEN  string `json:"label_en,omitempty"` // in English; Label if empty
	Icon     string `json:"icon,omitempty"`     // lucide's name in the icon sprite, for the declaration page; may be empty
	Position int    `json:"position,omitempty"` // order among its siblings
	Archived bool   `json:"archived,omitempty"` // no longer offered, still counted
}

// In is the label in a language ("fr", "en"): the département's where there is
// no other.
func (c Category) In(language string) string { return in(language, c.Label, c.LabelEN) }

func in(language, label, english string) string {
	if language == "en" && english != "" {
		return english
	}
	return label
}

// MaxDepth is how many levels the tree of categories may have.
const MaxDepth = 3

// CodeKind is what a code is for.
type CodeKind string

// CodeKinds lists every kind of code.
var CodeKinds = []CodeKind{Cause, Resolution, Waiting}

// The kinds of code.
const (
	Cause      CodeKind = "cause"      // why it happened, filled at resolution
	Resolution CodeKind = "resolution" // how it was solved
	Waiting    CodeKind = "waiting"    // why work has stopped
)

// Code is one word of a short list.
type Code struct {
	ID       int64    `json:"id"`
	Kind     CodeKind `json:"kind"`
	Label    string   `json:"label"`
	LabelEN  string   `json:"label_en,omitempty"`
	Position int      `json:"position,omitempty"`
	Archived bool     `json:"archived,omitempty"`
	// Runs says of a waiting reason that the service clocks go on all the same:
	// the unit waits for itself. Those of the other reasons are paused.
	Runs bool `json:"runs,omitempty"`
}

// In is the label in a language ("fr", "en").
func (c Code) In(language string) string { return in(language, c.Label, c.LabelEN) }

// Matrix gives a priority (1 critical … 5 planned) for impact and urgency
// (each 1 high … 3 low): Matrix[impact-1][urgency-1].
type Matrix [3][3]int

// DefaultMatrix is the matrix that a new département starts from (ITIL's).
var DefaultMatrix = Matrix{{1, 2, 3}, {2, 3, 4}, {3, 4, 5}}

// Priority is the priority of an impact and urgency; 0 if either is unknown.
func (m Matrix) Priority(impact, urgency int) int {
	if impact < 1 || impact > 3 || urgency < 1 || urgency > 3 {
		return 0
	}
	return m[impact-1][urgency-1]
}
