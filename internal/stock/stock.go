// Package stock knows the parts of the unit: what they are, where they lie,
// and the ledger of what became of each. Quantities are the fold of the
// ledger; none is ever below zero: a movement that would take more than there
// is says what stands, or records the difference as what it is.
package stock

import (
	"fmt"
	"strings"
	"time"

	"statincidents/internal/journal"
)

// Subjects of the journal.
const (
	SubjectItem     = "stock_item"
	SubjectPlace    = "stock_place"
	SubjectMovement = "stock_movement"
)

// Kinds of event.
const (
	EventItemSaved  = SubjectItem + ".saved"
	EventPlaceSaved = SubjectPlace + ".saved"
	EventBooked     = SubjectMovement + ".booked"
)

// Limits.
const (
	MaxQuantity = 1_000_000
	MaxPrice    = 100_000_00 // cents
	MaxName     = 200        // characters
	MaxNote     = 2000
	MaxLines    = 500 // of an order or a count
	MaxItems    = 5000
	MaxPlaces   = 1000
)

// Item is something that is kept: a screen, a cable, a cartridge.
type Item struct {
	ID        int64  `json:"id"`
	Reference string `json:"reference,omitempty"` // the maker's or the unit's; unique if set
	Name      string `json:"name"`
	Kind      string `json:"kind,omitempty"`  // under which it is listed: "Écrans"
	Unit      string `json:"unit,omitempty"`  // "pièce" if empty
	Price     int64  `json:"price,omitempty"` // cents, of the last order
	Supplier  string `json:"supplier,omitempty"`
	Note      string `json:"note,omitempty"`
	Minimum   int64  `json:"minimum,omitempty"` // below it the unit is told
	Wanted    int64  `json:"wanted,omitempty"`  // what an order brings it back to
	Archived  bool   `json:"archived,omitempty"`
}

// Order is how many to order so that there is what is wanted.
func (i Item) Order(quantity int64) int64 {
	return max(0, max(i.Wanted, i.Minimum)-quantity)
}

// Short tells whether a quantity is below the minimum.
func (i Item) Short(quantity int64) bool { return quantity < i.Minimum }

// PlaceKind is what a place is.
type PlaceKind string

// The kinds of place.
const (
	Depot    PlaceKind = "depot"    // the unit's
	Car      PlaceKind = "car"      // a technician's
	Cupboard PlaceKind = "cupboard" // in a school
)

// PlaceKinds lists them.
var PlaceKinds = []PlaceKind{Depot, Car, Cupboard}

// Place is somewhere that parts lie.
type Place struct {
	ID       int64     `json:"id"`
	Name     string    `json:"name"`
	Kind     PlaceKind `json:"kind"`
	Person   int64     `json:"person,omitempty"` // whose car
	School   int64     `json:"school,omitempty"` // whose cupboard
	Archived bool      `json:"archived,omitempty"`
}

// Kind is what a movement is.
type Kind string

// The kinds of movement.
const (
	Receive Kind = "receive" // from a supplier into a place
	Use     Kind = "use"     // out of a place, on an incident or not
	Move    Kind = "move"    // from one place to another
	Return  Kind = "return"  // what was used comes back into a place
	Loss    Kind = "loss"    // broken, lost, stolen, out of date
	Count   Kind = "count"   // what a count found to be more or less than the ledger said
)

// Kinds lists them.
var Kinds = []Kind{Receive, Use, Move, Return, Loss, Count}

// Movement is one line of the ledger. It is never changed: it is taken back by
// another one.
type Movement struct {
	ID       int64
	At       time.Time
	Kind     Kind
	Item     int64
	From, To int64 // places; 0 is outside
	Quantity int64 // above zero
	Price    int64 // cents, of one
	Incident int64
	School   int64 // of the incident, when it was booked
	Reason   string
	// Discrepancy marks a count that was booked because more was taken than the
	// ledger knew of.
	Discrepancy bool
	Reverses    int64 // the movement that it takes back
	ReversedBy  int64 // the movement that took it back
	By          journal.Actor
}

// Cost is what the movement is worth, in cents.
func (m Movement) Cost() int64 { return m.Price * m.Quantity }

// booked is the payload of a movement's event.
type booked struct {
	Kind        Kind   `json:"kind"`
	Item        int64  `json:"item"`
	From        int64  `json:"from,omitempty"`
	To          int64  `json:"to,omitempty"`
	Quantity    int64  `json:"quantity"`
	Price       int64  `json:"price,omitempty"`
	Incident    int64  `json:"incident,omitempty"`
	School      int64  `json:"school,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Discrepancy bool   `json:"discrepancy,omitempty"`
	Reverses    int64  `json:"reverses,omitempty"`
}

// Level is how many of an item lie in a place.
type Level struct {
	Item, Place, Quantity int64
}

// clean is a line of text as it is kept.
func clean(s string) string { return strings.Join(strings.Fields(s), " ") }

func turnOf(item int64) string { return fmt.Sprintf("stock/item/%d", item) }
