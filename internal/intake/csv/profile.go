// Package csvin is the door for tables of incidents that another software
// exported: delimited text, compressed or not, with one row a ticket or one
// row for each update of a ticket.
//
// A Profile says how such a file is written and what its columns mean; Suggest
// guesses one from a sample, Preview shows what a profile makes of it, and an
// Importer brings the whole file in, through the commands of the directory,
// the catalog and the incidents. What cannot be understood is kept with its
// line and reason, to be mended and imported again.
package csvin

import (
	"embed"
	"path"
	"slices"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// Profile says how a file is written and what its columns mean.
type Profile struct {
	Name   string            `toml:"name"`   // how it is called on the command line
	Title  map[string]string `toml:"title"`  // shown, by language ("fr", "en")
	Source string            `toml:"source"` // the software: with its number, what an incident is known by
	File   File              `toml:"file"`
	Dates  Dates             `toml:"dates"`
	Rows   Rows              `toml:"rows"`
	Fields map[string]Field  `toml:"fields"` // by field of an incident, see Targets
	Ignore []string          `toml:"ignore"` // columns that are known and left out: not told as unknown
}

// File is how the text is written.
type File struct {
	Encoding  string   `toml:"encoding,omitempty"`  // see table.Encodings; "" or "auto" detects
	Separator string   `toml:"separator,omitempty"` // one character, "tab", or "" or "auto" to detect
	Missing   []string `toml:"missing,omitempty"`   // values that mean "not known"; the empty one always does
	MaxField  int      `toml:"max_field,omitempty"` // longest field, in characters; 0 is the longest text of an incident
}

// Dates is how instants are written.
type Dates struct {
	// Zone is where the clock of the source stands when an instant does not
	// say: a place ("Europe/Paris"), "UTC", or a fixed difference ("+02:00").
	// "" is Europe/Paris.
	Zone string `toml:"zone,omitempty"`
	// Formats are tried in order. Each shows how 2 January 2006, 15:04:05
	// would be written: "02/01/2006 15:04" is day first; "2/1/2006" takes days
	// and months with or without their zero. None tries the usual ones.
	Formats []string `toml:"formats,omitempty"`
}

// Kinds of row.
const (
	PerTicket = "ticket" // a row is a ticket as it stands
	PerUpdate = "update" // a row is a ticket as it stood after an update; a ticket has several
)

// Rows is what a row is.
type Rows struct {
	Per       string `toml:"per"`                  // PerTicket or PerUpdate
	Ticket    string `toml:"ticket"`               // column of the ticket's number there
	Order     string `toml:"order,omitempty"`      // column of a number that orders a ticket's rows (PerUpdate)
	At        string `toml:"at,omitempty"`         // column of the instant of the update
	Actor     string `toml:"actor,omitempty"`      // column of who made it
	ActorKind string `toml:"actor_kind,omitempty"` // kind of these people; "" is technician
}

// What to do with a value that a profile does not know.
const (
	Reject     = "reject"  // the row is rejected
	Keep       = "keep"    // the field stays as it was, and it is told
	UseDefault = "default" // the field's default is taken, and it is told
	Ignore     = "ignore"  // the field has no value; nothing is told
)

// Field says where a field's value comes from (one of Column, Columns, Template
// and Constant) and what it means.
type Field struct {
	Column   string   `toml:"column,omitempty"`
	Columns  []string `toml:"columns,omitempty"`  // a path, from the top: for the category
	Template string   `toml:"template,omitempty"` // text with {columns}; what is missing goes with the text before it
	Constant string   `toml:"constant,omitempty"`

	// Values gives the meaning of values as written, whatever their case and
	// accents.
	Values map[string]string `toml:"values,omitempty"`
	// Unknown is what to do with a value that is neither in Values nor one of
	// the field's own: Reject (as "" means), Keep, UseDefault or Ignore. A
	// field of free words (school, category, person, text…) has no unknown
	// value unless Unknown is said.
	Unknown  string `toml:"unknown,omitempty"`
	Default  string `toml:"default,omitempty"`  // when the value is missing
	Optional bool   `toml:"optional,omitempty"` // the column may be absent from the file
	Kind     string `toml:"kind,omitempty"`     // of people; "" is other for declarants, technician for assignees
	Create   *bool  `toml:"create,omitempty"`   // make what is not there yet; true if not said, but for schools
}

// columns lists the columns that the field reads.
func (f Field) columns() []string {
	switch {
	case f.Column != "":
		return []string{f.Column}
	case len(f.Columns) > 0:
		return f.Columns
	case f.Template != "":
		return templateColumns(f.Template)
	}
	return nil
}

// sort of value that a field takes.
type sort int

const (
	sortText    sort = iota // free text
	sortLine                // free text of one line
	sortPlace               // a school
	sortRoom                // a room of the school
	sortPath                // a category
	sortPerson              // a person
	sortTeam                // a team
	sortCode                // a code of the catalog
	sortWord                // one of a closed list
	sortNumber              // a number within bounds
	sortInstant             // an instant
)

// target is a field of an incident that a profile can fill.
type target struct {
	name  string
	sort  sort
	words []string // for sortWord
	low   int      // for sortNumber
	high  int
}

// The targets, in the order of cells.
const (
	toState = iota
	toTitle
	toDescription
	toSchool
	toRoom
	toNetwork
	toMachine
	toCategory
	toImpact
	toUrgency
	toPriority
	toDeclarant
	toAssignee
	toTeam
	toOrigin
	toWaiting
	toCause
	toResolutionCode
	toResolution
	toTarget
	toReopenCount
	toReassignCount
	toOccurred
	toOpened
	toPlanned
	toResolved
	toClosed
	toComment
	targetCount
)

var targets = [targetCount]target{
	toState:          {name: "state", sort: sortWord, words: words(incident.States)},
	toTitle:          {name: "title", sort: sortLine},
	toDescription:    {name: "description", sort: sortText},
	toSchool:         {name: "school", sort: sortPlace},
	toRoom:           {name: "room", sort: sortRoom},
	toNetwork:        {name: "network", sort: sortWord, words: []string{"administrative", "teaching"}},
	toMachine:        {name: "machine", sort: sortLine},
	toCategory:       {name: "category", sort: sortPath},
	toImpact:         {name: "impact", sort: sortNumber, low: 1, high: 3},
	toUrgency:        {name: "urgency", sort: sortNumber, low: 1, high: 3},
	toPriority:       {name: "priority", sort: sortNumber, low: 1, high: 5},
	toDeclarant:      {name: "declarant", sort: sortPerson},
	toAssignee:       {name: "assignee", sort: sortPerson},
	toTeam:           {name: "team", sort: sortTeam},
	toOrigin:         {name: "origin", sort: sortWord, words: words(incident.Origins)},
	toWaiting:        {name: "waiting_code", sort: sortCode},
	toCause:          {name: "cause_code", sort: sortCode},
	toResolutionCode: {name: "resolution_code", sort: sortCode},
	toResolution:     {name: "resolution", sort: sortText},
	toTarget:         {name: "target", sort: sortWord, words: []string{"met", "missed"}},
	toReopenCount:    {name: "reopen_count", sort: sortNumber, high: 1_000_000},
	toReassignCount:  {name: "reassign_count", sort: sortNumber, high: 1_000_000},
	toOccurred:       {name: "occurred_at", sort: sortInstant},
	toOpened:         {name: "opened_at", sort: sortInstant},
	toPlanned:        {name: "planned_at", sort: sortInstant},
	toResolved:       {name: "resolved_at", sort: sortInstant},
	toClosed:         {name: "closed_at", sort: sortInstant},
	toComment:        {name: "comment", sort: sortText},
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// Targets lists the fields of an incident that a profile can fill, by the names
// they have everywhere, in the order in which a form shows them.
func Targets() []string {
	names := make([]string, targetCount)
	for i := range targets {
		names[i] = targets[i].name
	}
	return names
}

// WordsOf lists the values of a field with a closed list ("state", "origin"…);
// nil for any other field.
func WordsOf(f string) []string {
	for i := range targets {
		if targets[i].name == f {
			return slices.Clone(targets[i].words)
		}
	}
	return nil
}

//go:embed profiles/*.toml
var profiles embed.FS

// BuiltIn lists the profiles that come with the program, by name.
func BuiltIn() []string {
	entries, err := profiles.ReadDir("profiles")
	if err != nil {
		panic(err) // embedded: cannot fail
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".toml"))
	}
	return names
}

// Named gives a profile that comes with the program; fault.NotFound otherwise.
func Named(name string) (Profile, error) {
	data, err := profiles.ReadFile(path.Join("profiles", strings.ReplaceAll(name, "/", "")+".toml"))
	if err != nil {
		return Profile{}, fault.New(fault.NotFound, "error.intake.profile.not_found", "name", name, "names", strings.Join(BuiltIn(), ", "))
	}
	return ParseProfile(string(data))
}
