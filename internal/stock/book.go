package stock

import (
	"context"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Order is a movement that somebody wants to book.
type Order struct {
	Kind     Kind // Receive, Use, Move, Return or Loss
	Item     int64
	From, To int64 // as the kind asks
	Quantity int64
	Price    int64 // cents, of one; the item's if 0
	Incident int64 // of a use or a return
	Reason   string
	// Anyway books a movement of more than there is: what is missing is found
	// first, as a discrepancy of the count.
	Anyway bool
	At     time.Time // when it happened; now if zero. Never in the future.
}

// Book books movements, all or none, and gives them as they stand in the
// ledger; a discrepancy that was recorded comes before the movement that
// showed it.
//
// Refusals: Forbidden; Invalid with the fields of the line concerned (its
// number before the name, "2.quantity", when there are several); Conflict
// "error.stock.short" with what stands (Theirs of the field quantity) when
// there is not enough and Anyway is not said.
func (s *Service) Book(ctx context.Context, by auth.Identity, orders ...Order) ([]Movement, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return nil, err
	}
	if len(orders) == 0 || len(orders) > MaxLines {
		return nil, fault.InvalidField("lines", "error.field.range", "min", 1, "max", MaxLines)
	}
	at := sqldb.Now()
	var fields fault.Fields
	var touched []int64
	schools := map[int64]int64{}
	for k := range orders {
		o := &orders[k]
		o.Reason = clean(o.Reason)
		name := lineName(k, len(orders))
		o.check(&fields, name, at)
		touched = append(touched, o.Item)
		if o.Incident != 0 && schools[o.Incident] == 0 {
			i, err := s.incidents.Get(ctx, by.Scope(), o.Incident)
			if fault.Is(err, fault.NotFound) {
				fields.Add(name("incident"), "error.incident.not_found")
				continue
			}
			if err != nil {
				return nil, err
			}
			schools[o.Incident] = i.School
		}
	}
	if err := fields.Err(); err != nil {
		return nil, err
	}
	var out []Movement
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		out = nil
		if err := tx.Turn(ctx, by.Tenant, turnsOf(touched)...); err != nil {
			return err
		}
		for k, o := range orders {
			done, err := s.book(ctx, tx, by, at, o, schools[o.Incident])
			if err != nil {
				return renamed(err, lineName(k, len(orders)))
			}
			out = append(out, done...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// lineName names the fields of a line, alone or among others.
func lineName(k, n int) func(string) string {
	if n == 1 {
		return func(field string) string { return field }
	}
	return func(field string) string { return fmt.Sprintf("%d.%s", k+1, field) }
}

func renamed(err error, name func(string) string) error {
	refusal, ok := err.(*fault.Error) //nolint:errorlint // made just below, not wrapped
	if !ok {
		return err
	}
	again := *refusal
	again.Fields = nil
	for _, f := range refusal.Fields {
		f.Name = name(f.Name)
		again.Fields = append(again.Fields, f)
	}
	return &again
}

// check judges the shape of an order.
func (o *Order) check(fields *fault.Fields, name func(string) string, now time.Time) {
	takes := map[Kind][2]bool{Receive: {false, true}, Use: {true, false}, Move: {true, true}, Return: {false, true}, Loss: {true, false}}
	ends, ok := takes[o.Kind]
	if !ok {
		fields.Add(name("kind"), "error.field.unknown")
		return
	}
	for k, place := range []int64{o.From, o.To} {
		field := name([]string{"from", "to"}[k])
		switch {
		case ends[k] && place == 0:
			fields.Add(field, "error.field.required")
		case !ends[k] && place != 0:
			fields.Add(field, "error.field.unknown")
		}
	}
	if o.Kind == Move && o.From == o.To && o.From != 0 {
		fields.Add(name("to"), "error.stock.same_place")
	}
	if o.Item == 0 {
		fields.Add(name("item"), "error.field.required")
	}
	if o.Kind == Loss && o.Reason == "" {
		fields.Add(name("reason"), "error.field.required")
	}
	if o.Incident != 0 && o.Kind != Use && o.Kind != Return {
		fields.Add(name("incident"), "error.field.unknown")
	}
	inRange(fields, name("quantity"), o.Quantity, 1, MaxQuantity)
	inRange(fields, name("price"), o.Price, 0, MaxPrice)
	tooLong(fields, name("reason"), o.Reason, MaxNote)
	if o.At.After(now.Add(time.Minute)) {
		fields.Add(name("at"), "error.field.date")
	}
}

// book writes one movement; the turn of its item is taken.
func (s *Service) book(ctx context.Context, tx *sqldb.Tx, by auth.Identity, now time.Time, o Order, school int64) ([]Movement, error) {
	item, err := known(ctx, tx, by.Tenant, o.Item, o.From, o.To)
	if err != nil {
		return nil, err
	}
	m := Movement{Kind: o.Kind, At: o.At, Item: o.Item, From: o.From, To: o.To, Quantity: o.Quantity, Price: o.Price, Incident: o.Incident, School: school, Reason: o.Reason}
	if m.At.IsZero() {
		m.At = now
	}
	if m.Price == 0 {
		m.Price = item.Price
	}
	var done []Movement
	if o.From != 0 {
		stands, err := level(ctx, tx, by.Tenant, o.Item, o.From)
		if err != nil {
			return nil, err
		}
		if missing := o.Quantity - stands; missing > 0 {
			if !o.Anyway {
				return nil, short(item, stands)
			}
			found := Movement{Kind: Count, At: m.At, Item: o.Item, To: o.From, Quantity: missing, Price: item.Price, Incident: o.Incident, School: school, Reason: o.Reason, Discrepancy: true}
			if err := s.write(ctx, tx, by, &found); err != nil {
				return nil, err
			}
			done = append(done, found)
		}
	}
	if err := s.write(ctx, tx, by, &m); err != nil {
		return nil, err
	}
	return append(done, m), nil
}

// short says that there is not enough, and what there is.
func short(item Item, stands int64) error {
	return &fault.Error{
		Code: fault.Conflict, Key: "error.stock.short", Args: map[string]any{"name": item.Name, "stands": stands},
		Fields: []fault.Field{{Name: "quantity", Key: "error.stock.only", Args: map[string]any{"stands": stands}, Theirs: stands}},
	}
}

func (s *Service) write(ctx context.Context, tx *sqldb.Tx, by auth.Identity, m *Movement) error {
	id, err := tx.NextIDs(ctx, by.Tenant, SubjectMovement, 1)
	if err != nil {
		return err
	}
	m.ID, m.By = id, by.Actor()
	return s.record(ctx, tx, by, m.At, EventBooked, journal.Subject{Kind: SubjectMovement, ID: m.ID}, m.School, booked{
		Kind: m.Kind, Item: m.Item, From: m.From, To: m.To, Quantity: m.Quantity, Price: m.Price, Incident: m.Incident, School: m.School,
		Reason: m.Reason, Discrepancy: m.Discrepancy, Reverses: m.Reverses,
	})
}

// Counted is what a count found of an item in a place. Seen is what the ledger
// said when the sheet was shown.
type Counted struct {
	Item, Seen, Found int64
}

// CountPlace books the differences that a count of a place found, all or none.
// It is a Conflict when the ledger has moved since the sheet was shown: what
// stands now is told for each item (the field is its number).
func (s *Service) CountPlace(ctx context.Context, by auth.Identity, place int64, found []Counted, reason string) ([]Movement, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return nil, err
	}
	reason = clean(reason)
	var fields fault.Fields
	tooLong(&fields, "reason", reason, MaxNote)
	if len(found) > MaxItems {
		fields.Add("lines", "error.field.range", "min", 1, "max", MaxItems)
	}
	var touched []int64
	for _, c := range found {
		inRange(&fields, fmt.Sprint(c.Item), c.Found, 0, MaxQuantity)
		touched = append(touched, c.Item)
	}
	if err := fields.Err(); err != nil {
		return nil, err
	}
	at := sqldb.Now()
	var out []Movement
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		out = nil
		if err := tx.Turn(ctx, by.Tenant, turnsOf(touched)...); err != nil {
			return err
		}
		var moved []fault.Field
		for _, c := range found {
			item, err := known(ctx, tx, by.Tenant, c.Item, 0, place)
			if err != nil {
				return err
			}
			stands, err := level(ctx, tx, by.Tenant, c.Item, place)
			if err != nil {
				return err
			}
			if stands != c.Seen {
				moved = append(moved, fault.Field{Name: fmt.Sprint(c.Item), Key: "error.stock.moved", Args: map[string]any{"stands": stands}, Theirs: stands})
				continue
			}
			if stands == c.Found {
				continue
			}
			m := Movement{Kind: Count, At: at, Item: c.Item, Price: item.Price, Reason: reason, To: place, Quantity: c.Found - stands}
			if m.Quantity < 0 {
				m.From, m.To, m.Quantity = place, 0, -m.Quantity
			}
			if err := s.write(ctx, tx, by, &m); err != nil {
				return err
			}
			out = append(out, m)
		}
		if len(moved) > 0 {
			return &fault.Error{Code: fault.Conflict, Key: "error.stock.count_moved", Fields: moved}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Reverse takes a movement back by the opposite one, once. It is refused when
// what it brought has gone meanwhile.
func (s *Service) Reverse(ctx context.Context, by auth.Identity, id int64) (Movement, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return Movement{}, err
	}
	first, err := s.movement(ctx, by, id)
	if err != nil {
		return Movement{}, err
	}
	at := sqldb.Now()
	var m Movement
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Turn(ctx, by.Tenant, turnOf(first.Item)); err != nil {
			return err
		}
		stored, err := movements(ctx, tx, " AND movement_id = $2", by.Tenant, id)
		if err != nil {
			return err
		}
		was := stored[0]
		if was.ReversedBy != 0 || was.Reverses != 0 {
			return fault.New(fault.Conflict, "error.stock.reversed")
		}
		m = was
		m.At, m.From, m.To, m.Reverses, m.Reason, m.Discrepancy = at, was.To, was.From, was.ID, "", false
		if m.From != 0 {
			stands, err := level(ctx, tx, by.Tenant, m.Item, m.From)
			if err != nil {
				return err
			}
			if stands < m.Quantity {
				found, err := items(ctx, tx, " AND item_id = $2", by.Tenant, m.Item)
				if err != nil || len(found) == 0 {
					return err
				}
				return short(found[0], stands)
			}
		}
		return s.write(ctx, tx, by, &m)
	})
	return m, err
}

func (s *Service) movement(ctx context.Context, by auth.Identity, id int64) (Movement, error) {
	var found []Movement
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		found, err = movements(ctx, tx, " AND movement_id = $2", by.Tenant, id)
		return err
	})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "error.stock.movement_not_found")
	}
	if err != nil {
		return Movement{}, err
	}
	return found[0], nil
}
