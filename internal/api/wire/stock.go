package wire

import "time"

// Item is something that is kept in stock.
type Item struct {
	ID        int64  `json:"id"`
	Reference string `json:"reference,omitempty" doc:"The maker's or the unit's, unique."`
	Name      string `json:"name"`
	Kind      string `json:"kind,omitempty" doc:"The family under which it is listed."`
	Unit      string `json:"unit,omitempty"`
	Price     int64  `json:"price" doc:"Cents, of the last order."`
	Supplier  string `json:"supplier,omitempty"`
	Note      string `json:"note,omitempty"`
	Minimum   int64  `json:"minimum" doc:"Below it the item is short."`
	Wanted    int64  `json:"wanted" doc:"What an order brings it back to."`
	Archived  bool   `json:"archived,omitempty"`
	Quantity  int64  `json:"quantity" doc:"All places together."`
	Short     bool   `json:"short" doc:"There is less than the minimum."`
	Order     int64  `json:"order" doc:"How many to order."`
	Held      []Held `json:"held" doc:"How many lie where."`
}

// NewItem is an item to keep in stock, or what an item becomes.
type NewItem struct {
	Reference string `json:"reference,omitempty" doc:"The maker's or the unit's, unique."`
	Name      string `json:"name"`
	Kind      string `json:"kind,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Price     int64  `json:"price,omitempty" doc:"Cents."`
	Supplier  string `json:"supplier,omitempty"`
	Note      string `json:"note,omitempty"`
	Minimum   int64  `json:"minimum,omitempty"`
	Wanted    int64  `json:"wanted,omitempty"`
	Archived  bool   `json:"archived,omitempty"`
}

// NewStockPlace is a place to keep parts in, or what a place becomes.
type NewStockPlace struct {
	Name     string `json:"name"`
	Kind     string `json:"kind" enum:"depot,car,cupboard"`
	Person   int64  `json:"person,omitempty" doc:"Whose car it is."`
	School   int64  `json:"school,omitempty" doc:"Whose cupboard it is."`
	Archived bool   `json:"archived,omitempty"`
}

// Made is the number of what was made or changed.
type Made struct {
	ID int64 `json:"id"`
}

// Held is how many of an item lie in a place.
type Held struct {
	Place    int64 `json:"place"`
	Quantity int64 `json:"quantity"`
}

// StockPlace is somewhere that parts lie.
type StockPlace struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Kind     string `json:"kind" enum:"depot,car,cupboard"`
	Person   int64  `json:"person,omitempty" doc:"Whose car it is."`
	School   int64  `json:"school,omitempty" doc:"Whose cupboard it is."`
	Archived bool   `json:"archived,omitempty"`
}

// Stock is what there is.
type Stock struct {
	Items  []Item       `json:"items"`
	Places []StockPlace `json:"places"`
}

// NewMovement is a movement to book.
type NewMovement struct {
	Kind     string     `json:"kind" enum:"receive,use,move,return,loss"`
	Item     int64      `json:"item"`
	From     int64      `json:"from,omitempty" doc:"Place, of what goes out or moves."`
	To       int64      `json:"to,omitempty" doc:"Place, of what comes in or moves."`
	Quantity int64      `json:"quantity"`
	Price    int64      `json:"price,omitempty" doc:"Cents, of one; the item's if absent."`
	Incident int64      `json:"incident,omitempty" doc:"Of a use or a return."`
	Reason   string     `json:"reason,omitempty"`
	Anyway   bool       `json:"anyway,omitempty" doc:"Take more than there is: the difference is booked as a count."`
	At       *time.Time `json:"at,omitempty" doc:"When it happened; now if absent."`
}

// Movement is a line of the ledger.
type Movement struct {
	ID          int64     `json:"id"`
	At          time.Time `json:"at"`
	Kind        string    `json:"kind" enum:"receive,use,move,return,loss,count"`
	Item        int64     `json:"item"`
	From        int64     `json:"from,omitempty"`
	To          int64     `json:"to,omitempty"`
	Quantity    int64     `json:"quantity"`
	Price       int64     `json:"price" doc:"Cents, of one."`
	Incident    int64     `json:"incident,omitempty"`
	School      int64     `json:"school,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Discrepancy bool      `json:"discrepancy,omitempty" doc:"More was taken than the ledger knew of."`
	Reverses    int64     `json:"reverses,omitempty" doc:"The movement that it takes back."`
	ReversedBy  int64     `json:"reversed_by,omitempty" doc:"The movement that took it back."`
	Actor       Actor     `json:"actor"`
}

// Movements are lines of the ledger.
type Movements struct {
	Items []Movement `json:"items" doc:"The last booked first; those that a booking made, in their order."`
	Next  int64      `json:"next,omitempty" doc:"Give it back as before to get what precedes; absent at the end."`
}

// UsedPart is a part used on an incident.
type UsedPart struct {
	Movement int64  `json:"movement"`
	Item     int64  `json:"item"`
	Name     string `json:"name"`
	Quantity int64  `json:"quantity"`
	Price    int64  `json:"price,omitempty" doc:"Cents, of one; for whoever manages the stock."`
}

// UsedParts are the parts used on an incident.
type UsedParts struct {
	Items []UsedPart `json:"items"`
}
