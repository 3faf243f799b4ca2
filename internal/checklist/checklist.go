// Package checklist is what must be done in order and proved: lists of items
// made from templates, on an incident or a visit, ticked one by one with the
// values that they ask for.
//
// A list keeps the text of the template as it was when the list was made. A
// mandatory item that is not done holds back the resolution of its incident
// and the end of its visit (HoldIncident, HoldVisit).
package checklist

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"statincidents/internal/fault"
	"statincidents/internal/journal"
)

// Subjects of the journal.
const (
	Subject         = "checklist"
	SubjectTemplate = "checklist_template"
)

// Kind is what an item records beside being done. "checklist.kind.NAME" is its
// translation key.
type Kind string

// The kinds.
const (
	Nothing Kind = "none"
	Text    Kind = "text"
	Number  Kind = "number"
	Asset   Kind = "asset"   // number on a label
	IP      Kind = "ip"      // address
	Version Kind = "version" // of a program, a driver, a firmware
	YesNo   Kind = "yes_no"
	Photo   Kind = "photo"   // number of a file that was sent
	Machine Kind = "machine" // the machine concerned
)

// Kinds lists every kind.
var Kinds = []Kind{Nothing, Text, Number, Asset, IP, Version, YesNo, Photo, Machine}

// Item is one line of a template.
type Item struct {
	Text      string `json:"text"`
	Help      string `json:"help,omitempty"`
	Mandatory bool   `json:"mandatory,omitempty"`
	Kind      Kind   `json:"kind"`
}

// Template is what lists are made with.
type Template struct {
	ID       int64  `json:"id"`
	Version  int64  `json:"version"` // counts its changes
	Title    string `json:"title"`
	About    string `json:"about,omitempty"` // when to use it
	Items    []Item `json:"items"`
	Archived bool   `json:"archived,omitempty"`
}

// Check is an item of a list, with what was done about it.
type Check struct {
	Item

	Done  bool      `json:"done,omitempty"`
	Value string    `json:"value,omitempty"`
	By    string    `json:"by,omitempty"` // kind of actor
	ByID  int64     `json:"by_id,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// Actor is who did it, or undid it.
func (c *Check) Actor() journal.Actor { return journal.Actor{Kind: c.By, ID: c.ByID} }

// On is what a list is for: an incident, a visit, or an incident during a
// visit.
type On struct{ Incident, Visit int64 }

// List is a check-list in hand.
type List struct {
	ID              int64     `json:"id"`
	Version         int64     `json:"version"`
	Template        int64     `json:"template"`
	TemplateVersion int64     `json:"template_version"`
	Title           string    `json:"title"`
	Incident        int64     `json:"incident,omitempty"`
	Visit           int64     `json:"visit,omitempty"`
	School          int64     `json:"school"`
	Checks          []Check   `json:"checks"`
	AddedAt         time.Time `json:"added_at"`
	// CompletedAt is when the last mandatory item was done (the last item, if
	// none is mandatory); zero until then.
	CompletedAt time.Time `json:"completed_at,omitzero"`
	Removed     bool      `json:"removed,omitempty"`
}

// Done counts the items that are done.
func (l *List) Done() int {
	n := 0
	for _, c := range l.Checks {
		if c.Done {
			n++
		}
	}
	return n
}

// Failed counts the yes-or-no items that were answered no.
func (l *List) Failed() int {
	n := 0
	for _, c := range l.Checks {
		if c.Done && c.Kind == YesNo && c.Value == "no" {
			n++
		}
	}
	return n
}

// Left gives the mandatory items that are not done, by their place in the list.
func (l *List) Left() []int {
	var left []int
	for k, c := range l.Checks {
		if c.Mandatory && !c.Done {
			left = append(left, k)
		}
	}
	return left
}

// Complete tells whether all that must be done is.
func (l *List) Complete() bool {
	if slices.ContainsFunc(l.Checks, func(c Check) bool { return c.Mandatory }) {
		return len(l.Left()) == 0
	}
	return l.Done() == len(l.Checks)
}

// Field names an item in a refusal: "checklist.LIST.ITEM"; the page's anchor is
// the same with hyphens.
func Field(list int64, item int) string {
	return "checklist." + strconv.FormatInt(list, 10) + "." + strconv.Itoa(item)
}

// Limits on what is typed.
const (
	MaxTitle = 120
	MaxAbout = 500
	MaxItem  = 300
	MaxHelp  = 600
	MaxItems = 80
	MaxValue = 500
	MaxLists = 30 // on one incident or visit
)

var (
	assetForm   = regexp.MustCompile(`^[\pL\pN][\pL\pN._/ -]{1,39}$`)
	versionForm = regexp.MustCompile(`^[\pL\pN][\pL\pN._()+/ -]{0,59}$`)
)

// value cleans and judges what an item records; the second result is the key of
// the refusal, "" if there is none.
func (k Kind) value(s string) (string, string) {
	s = line(s)
	if k == Nothing {
		return "", ""
	}
	if s == "" {
		return "", "error.field.required"
	}
	if len([]rune(s)) > MaxValue {
		return s, "error.checklist.long"
	}
	bad := false
	switch k {
	case Number:
		n, err := strconv.ParseFloat(strings.ReplaceAll(strings.ReplaceAll(s, ",", "."), " ", ""), 64)
		bad = err != nil || n != n || n > 1e12 || n < -1e12
	case Asset:
		bad = !assetForm.MatchString(s)
	case IP:
		addr, err := netip.ParseAddr(s)
		if bad = err != nil || addr.IsUnspecified() || addr.Zone() != ""; !bad {
			s = addr.String()
		}
	case Version:
		bad = !versionForm.MatchString(s)
	case YesNo:
		bad = s != "yes" && s != "no"
	case Photo:
		n, err := strconv.ParseInt(s, 10, 64)
		bad = err != nil || n <= 0
	case Text, Machine, Nothing:
	}
	if bad {
		return s, "error.checklist.value." + string(k)
	}
	return s, ""
}

// tidy puts a template as it is kept: items without a text are left out.
func (t *Template) tidy() {
	t.Title, t.About = line(t.Title), paragraph(t.About)
	var items []Item
	for _, i := range t.Items {
		i.Text, i.Help = line(i.Text), paragraph(i.Help)
		if i.Kind == "" {
			i.Kind = Nothing
		}
		if i.Text != "" || i.Help != "" {
			items = append(items, i)
		}
	}
	t.Items = items
}

// check judges a template. The fields of an item are "text.N", "kind.N"…
func (t *Template) check() error {
	var bad fault.Fields
	long := func(field, s string, limit int) {
		if len([]rune(s)) > limit {
			bad.Add(field, "error.field.too_long", "max", limit)
		}
	}
	if t.Title == "" {
		bad.Add("title", "error.field.required")
	}
	long("title", t.Title, MaxTitle)
	long("about", t.About, MaxAbout)
	if len(t.Items) == 0 {
		bad.Add("text.0", "error.checklist.no_items")
	}
	if len(t.Items) > MaxItems {
		bad.Add("title", "error.checklist.many_items", "max", MaxItems)
	}
	for n, i := range t.Items {
		at := "." + strconv.Itoa(n)
		if i.Text == "" {
			bad.Add("text"+at, "error.field.required")
		}
		long("text"+at, i.Text, MaxItem)
		long("help"+at, i.Help, MaxHelp)
		if !slices.Contains(Kinds, i.Kind) {
			bad.Add("kind"+at, "error.field.unknown")
		}
	}
	return bad.Err()
}

// line cleans a text of one line, paragraph one of several.
func line(s string) string { return strings.Join(strings.Fields(paragraph(s)), " ") }

func paragraph(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}
