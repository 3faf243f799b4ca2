package stock

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Service is the stock of every tenant.
//
// Commands: SaveItem, SavePlace, Book (one movement or an order of many),
// CountPlace, Reverse. Reads: Stock, Ledger, UsedOn, Consumption.
type Service struct {
	db        *sqldb.DB
	j         *journal.Journal
	incidents *incident.Service
}

// New makes the service.
func New(db *sqldb.DB, j *journal.Journal, incidents *incident.Service) *Service {
	return &Service{db: db, j: j, incidents: incidents}
}

func (s *Service) record(ctx context.Context, tx *sqldb.Tx, by auth.Identity, at time.Time, kind string, subject journal.Subject, school int64, state any) error {
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("stock: payload of %s: %w", kind, err)
	}
	e := []journal.Event{{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: subject, School: school, Kind: kind, Data: data}}
	if err := apply(ctx, tx, e); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, e...)
}

func tooLong(fields *fault.Fields, name, text string, most int) {
	if utf8.RuneCountInString(text) > most {
		fields.Add(name, "error.field.too_long", "max", most)
	}
}

func inRange(fields *fault.Fields, name string, n, low, high int64) {
	if n < low || n > high {
		fields.Add(name, "error.field.range", "min", low, "max", high)
	}
}

// the turns of commands that judge a whole list.
const (
	turnItems  = "stock/items"
	turnPlaces = "stock/places"
)

// SaveItem creates an item (ID 0) or changes the one of that ID. Its name is
// free among those that are not archived, its reference among all.
func (s *Service) SaveItem(ctx context.Context, by auth.Identity, in Item) (Item, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return Item{}, err
	}
	in.clean()
	if err := in.check(); err != nil {
		return Item{}, err
	}
	given := in.ID
	at := sqldb.Now()
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		in.ID = given
		names := []string{turnItems}
		if given != 0 {
			names = append(names, turnOf(given))
		}
		if err := tx.Turn(ctx, by.Tenant, names...); err != nil {
			return err
		}
		return s.saveItem(ctx, tx, by, at, &in)
	})
	return in, err
}

func (i *Item) clean() {
	i.Reference, i.Name, i.Kind, i.Unit, i.Supplier = clean(i.Reference), clean(i.Name), clean(i.Kind), clean(i.Unit), clean(i.Supplier)
}

func (i *Item) check() error {
	var fields fault.Fields
	if i.Name == "" {
		fields.Add("name", "error.field.required")
	}
	for name, text := range map[string]string{"name": i.Name, "reference": i.Reference, "kind": i.Kind, "unit": i.Unit, "supplier": i.Supplier} {
		tooLong(&fields, name, text, MaxName)
	}
	tooLong(&fields, "note", i.Note, MaxNote)
	inRange(&fields, "price", i.Price, 0, MaxPrice)
	inRange(&fields, "minimum", i.Minimum, 0, MaxQuantity)
	inRange(&fields, "wanted", i.Wanted, 0, MaxQuantity)
	return fields.Err()
}

func (s *Service) saveItem(ctx context.Context, tx *sqldb.Tx, by auth.Identity, at time.Time, in *Item) error {
	stored, err := items(ctx, tx, "", by.Tenant)
	if err != nil {
		return err
	}
	found := in.ID == 0
	for _, o := range stored {
		switch {
		case o.ID == in.ID:
			found = true
		case in.Reference != "" && o.Reference == in.Reference:
			return fault.InvalidField("reference", "error.field.taken")
		case !in.Archived && !o.Archived && o.Name == in.Name:
			return fault.InvalidField("name", "error.field.taken")
		}
	}
	switch {
	case !found:
		return fault.New(fault.NotFound, "error.stock.item_not_found")
	case in.ID == 0 && len(stored) >= MaxItems:
		return fault.InvalidField("name", "error.stock.too_many", "max", MaxItems)
	}
	if in.Archived {
		held, err := levels(ctx, tx, " AND item_id = $2 AND quantity > 0", by.Tenant, in.ID)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			return fault.InvalidField("archived", "error.stock.item_not_empty")
		}
	}
	if in.ID == 0 {
		if in.ID, err = tx.NextIDs(ctx, by.Tenant, SubjectItem, 1); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, by, at, EventItemSaved, journal.Subject{Kind: SubjectItem, ID: in.ID}, 0, in)
}

// SavePlace creates a place (ID 0) or changes the one of that ID. A car is
// somebody's, a cupboard a school's.
func (s *Service) SavePlace(ctx context.Context, by auth.Identity, in Place) (Place, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return Place{}, err
	}
	in.Name = clean(in.Name)
	var fields fault.Fields
	if in.Name == "" {
		fields.Add("name", "error.field.required")
	}
	tooLong(&fields, "name", in.Name, MaxName)
	switch in.Kind {
	case Depot:
		in.Person, in.School = 0, 0
	case Car:
		in.School = 0
		if in.Person == 0 {
			fields.Add("person", "error.field.required")
		}
	case Cupboard:
		in.Person = 0
		if in.School == 0 {
			fields.Add("school", "error.field.required")
		}
	default:
		fields.Add("kind", "error.field.unknown")
	}
	if err := fields.Err(); err != nil {
		return Place{}, err
	}
	given := in.ID
	at := sqldb.Now()
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		in.ID = given
		if err := tx.Turn(ctx, by.Tenant, turnPlaces); err != nil {
			return err
		}
		return s.savePlace(ctx, tx, by, at, &in)
	})
	return in, err
}

func (s *Service) savePlace(ctx context.Context, tx *sqldb.Tx, by auth.Identity, at time.Time, in *Place) error {
	stored, err := places(ctx, tx, "", by.Tenant)
	if err != nil {
		return err
	}
	found := in.ID == 0
	for _, o := range stored {
		if o.ID == in.ID {
			found = true
		} else if o.Name == in.Name && !o.Archived && !in.Archived {
			return fault.InvalidField("name", "error.field.taken")
		}
	}
	switch {
	case !found:
		return fault.New(fault.NotFound, "error.stock.place_not_found")
	case in.ID == 0 && len(stored) >= MaxPlaces:
		return fault.InvalidField("name", "error.stock.too_many", "max", MaxPlaces)
	}
	if in.Archived {
		held, err := levels(ctx, tx, " AND place_id = $2 AND quantity > 0", by.Tenant, in.ID)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			return fault.InvalidField("archived", "error.stock.place_not_empty")
		}
	}
	if in.ID == 0 {
		if in.ID, err = tx.NextIDs(ctx, by.Tenant, SubjectPlace, 1); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, by, at, EventPlaceSaved, journal.Subject{Kind: SubjectPlace, ID: in.ID}, in.School, in)
}

// known finds an item and the places that a movement names.
func known(ctx context.Context, tx *sqldb.Tx, tenant, item int64, at ...int64) (Item, error) {
	found, err := items(ctx, tx, " AND item_id = $2", tenant, item)
	if err != nil {
		return Item{}, err
	}
	if len(found) == 0 || found[0].Archived {
		return Item{}, fault.InvalidField("item", "error.stock.item_not_found")
	}
	for k, id := range at {
		if id == 0 {
			continue
		}
		p, err := places(ctx, tx, " AND place_id = $2", tenant, id)
		if err != nil {
			return Item{}, err
		}
		if len(p) == 0 || p[0].Archived {
			return Item{}, fault.InvalidField([]string{"from", "to"}[k], "error.stock.place_not_found")
		}
	}
	return found[0], nil
}

// turnsOf are the turns that commands on items take.
func turnsOf(ids []int64) []string {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	names := make([]string, len(ids))
	for k, id := range ids {
		names[k] = turnOf(id)
	}
	return names
}
