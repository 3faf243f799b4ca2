// Package directory knows where and who: schools (collèges), rooms, people,
// teams, the calendar's holidays and opening hours, and the denominators
// (computers in service and pupils, by date).
package directory

import (
	"strings"

	"statincidents/internal/calendar"
)

// Network is the side of a school's network that something stands on.
type Network string

// Networks lists the networks that can be chosen.
var Networks = []Network{NetworkAdministrative, NetworkTeaching}

// The networks.
const (
	NetworkUnknown        Network = ""
	NetworkAdministrative Network = "administrative"
	NetworkTeaching       Network = "teaching"
)

// School is one establishment. UAI is its official code (7 digits and a
// letter), or the code under which another software knew the place.
type School struct {
	ID         int64        `json:"id"`
	UAI        string       `json:"uai"`
	Name       string       `json:"name"`
	Commune    string       `json:"commune,omitempty"`
	INSEE      string       `json:"insee,omitempty"` // municipality code
	PostalCode string       `json:"postal_code,omitempty"`
	Address    string       `json:"address,omitempty"`
	Lat        float64      `json:"lat,omitempty"` // WGS84, meaningful only if Located
	Lon        float64      `json:"lon,omitempty"`
	Located    bool         `json:"located,omitempty"`
	Zone       string       `json:"zone,omitempty"`   // school-holiday zone: "A", "B", "C"; empty: the département's
	Opened     calendar.Day `json:"opened,omitempty"` // 0 if unknown
	Closed     calendar.Day `json:"closed,omitempty"` // 0 if open
}

// Room is a place inside a school.
type Room struct {
	ID       int64   `json:"id"`
	School   int64   `json:"school"`
	Name     string  `json:"name"`
	Network  Network `json:"network,omitempty"`
	Archived bool    `json:"archived,omitempty"`
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

// PersonKinds lists every kind.
var PersonKinds = []PersonKind{Teacher, Administrative, Caretaker, ITReferent, Staff, OtherPerson}

// Person is someone who declares or handles incidents.
type Person struct {
	ID       int64      `json:"id"`
	Name     string     `json:"name"`
	Kind     PersonKind `json:"kind"`
	School   int64      `json:"school,omitempty"` // 0 if of no single school
	Email    string     `json:"email,omitempty"`
	Phone    string     `json:"phone,omitempty"`
	Team     int64      `json:"team,omitempty"`     // of somebody of the unit, 0 if none
	External string     `json:"external,omitempty"` // key in the software they were imported from, unique if set
}

// PseudonymKey begins the External key of who stands for somebody whose
// identity was taken out of old incidents (package privacy).
const PseudonymKey = "pseudonym:"

// Pseudonym tells whether p stands for somebody and is nobody: such people keep
// the kind of whom they stand for, and are in no list.
func (p Person) Pseudonym() bool { return strings.HasPrefix(p.External, PseudonymKey) }

// Team is a group of technicians.
type Team struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Archived bool   `json:"archived,omitempty"`
}

// Exposure is a denominator: what is in service in a school from a day on,
// until the school's next one.
type Exposure struct {
	School    int64        `json:"school"`
	From      calendar.Day `json:"from"`
	Computers int          `json:"computers"`
	Pupils    int          `json:"pupils"`
	Source    string       `json:"source,omitempty"`
}
