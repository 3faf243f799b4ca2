// Package directory knows where and who: schools (collèges), rooms, people,
// teams, the calendar's holidays and opening hours, and the denominators
// (computers in service and pupils, by date).
package directory

import (
	"statincidents/internal/calendar"
)

// Network is the side of a school's network that something stands on.
type Network string

// The networks.
const (
	NetworkUnknown        Network = ""
	NetworkAdministrative Network = "administrative"
	NetworkTeaching       Network = "teaching"
)

// School is one establishment. UAI is its official code (7 digits and a
// letter), or the code under which another software knew the place.
type School struct {
	ID         int64
	UAI        string
	Name       string
	Commune    string
	INSEE      string // municipality code
	PostalCode string
	Address    string
	Lat, Lon   float64 // WGS84, meaningful only if Located
	Located    bool
	Zone       string       // school-holiday zone: "A", "B", "C"
	Opened     calendar.Day // 0 if unknown
	Closed     calendar.Day // 0 if open
}

// Room is a place inside a school.
type Room struct {
	ID       int64
	School   int64
	Name     string
	Network  Network
	Archived bool
}

// PersonKind is what someone is to the incidents; it is a dimension of the
// statistics, the person is not.
type PersonKind string

// The kinds of person. There are no pupils here, on purpose.
const (
	Teacher        PersonKind = "teacher"
	Administrative PersonKind = "administrative" // secretary, steward, principal
	Caretaker      PersonKind = "caretaker"
	ITReferent     PersonKind = "referent"
	Staff          PersonKind = "technician" // of the IT unit
	OtherPerson    PersonKind = "other"
)

// Person is someone who declares or handles incidents.
type Person struct {
	ID       int64
	Name     string
	Kind     PersonKind
	School   int64 // 0 if of no single school
	Email    string
	Phone    string
	External string // key in the software they were imported from, unique if set
}

// Team is a group of technicians.
type Team struct {
	ID       int64
	Name     string
	Archived bool
}

// Exposure is a denominator: what is in service in a school from a day on,
// until the school's next one.
type Exposure struct {
	School    int64
	From      calendar.Day
	Computers int
	Pupils    int
	Source    string
}
