package stock

import (
	"context"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Row is a line of a list of items that somebody brings. A field that the list
// has no column for is left as it is.
type Row struct {
	Line     int
	Item     Item
	Has      map[string]bool // the columns of the list: "price", "minimum"…
	Place    string          // name of the place that Quantity is of
	Quantity int64
	Counted  bool // the list says a quantity
}

// Change is what a row of a list does or would do.
type Change struct {
	Line     int
	Name     string
	New      bool  // the item is made
	Edited   bool  // it is there and becomes different
	From, To int64 // quantity in the place, when it changes
	Place    string
	Moved    bool
	Err      error // why the row is left out
}

// Import brings a list of items in: items are known by their reference, else
// by their name; a quantity is a count of its place. Rows that are wrong are
// left out and told, the others are all done or none. Without really, nothing
// is done: the changes are those that it would make.
func (s *Service) Import(ctx context.Context, by auth.Identity, rows []Row, really bool) ([]Change, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return nil, err
	}
	if len(rows) > MaxItems {
		return nil, fault.InvalidField("file", "error.stock.too_many", "max", MaxItems)
	}
	at := sqldb.Now()
	var changes []Change
	work := func(ctx context.Context, tx *sqldb.Tx) error {
		changes = nil
		stored, err := items(ctx, tx, "", by.Tenant)
		if err != nil {
			return err
		}
		where, err := places(ctx, tx, "", by.Tenant)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c, err := s.importRow(ctx, tx, by, at, row, &stored, where, really)
			if err != nil {
				return err
			}
			changes = append(changes, c)
		}
		return nil
	}
	if !really {
		err := s.db.Read(ctx, work)
		return changes, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// Every item may be concerned: commands on any of them wait.
		known, err := items(ctx, tx, "", by.Tenant)
		if err != nil {
			return err
		}
		names := []string{turnItems}
		for _, i := range known {
			names = append(names, turnOf(i.ID))
		}
		if err := tx.Turn(ctx, by.Tenant, names...); err != nil {
			return err
		}
		return work(ctx, tx)
	})
	return changes, err
}

func (s *Service) importRow(ctx context.Context, tx *sqldb.Tx, by auth.Identity, at time.Time, row Row, stored *[]Item, where []Place, really bool) (Change, error) {
	row.Item.clean()
	c := Change{Line: row.Line, Name: row.Item.Name, Place: row.Place}
	if c.Name == "" {
		c.Name = row.Item.Reference
	}
	k := -1
	for n, i := range *stored {
		if row.Item.Reference != "" && i.Reference == row.Item.Reference || row.Item.Reference == "" && i.Name == row.Item.Name && !i.Archived {
			k = n
		}
	}
	item := Item{}
	if k >= 0 {
		item = (*stored)[k]
	}
	before := item
	row.merge(&item)
	c.New, c.Edited = k < 0, k >= 0 && item != before
	if err := item.check(); err != nil {
		c.Err = err
		return c, nil
	}
	var place int64
	if row.Counted {
		for _, p := range where {
			if p.Name == clean(row.Place) && !p.Archived {
				place = p.ID
			}
		}
		var fields fault.Fields
		if place == 0 {
			fields.Add("place", "error.stock.place_not_found")
		}
		inRange(&fields, "quantity", row.Quantity, 0, MaxQuantity)
		if c.Err = fields.Err(); c.Err != nil {
			return c, nil
		}
		if item.ID != 0 {
			var err error
			if c.From, err = level(ctx, tx, by.Tenant, item.ID, place); err != nil {
				return c, err
			}
		}
		c.To, c.Moved = row.Quantity, row.Quantity != c.From
	}
	if !really {
		if k < 0 {
			*stored = append(*stored, item) // a second row of it is not a second item
		}
		return c, nil
	}
	if c.New || c.Edited {
		if err := s.saveItem(ctx, tx, by, at, &item); err != nil {
			if fault.Is(err, fault.Invalid) {
				c.Err = err
				return c, nil
			}
			return c, err
		}
	}
	if k < 0 {
		*stored = append(*stored, item)
	} else {
		(*stored)[k] = item
	}
	if !c.Moved {
		return c, nil
	}
	m := Movement{Kind: Count, At: at, Item: item.ID, Price: item.Price, Reason: fmt.Sprintf("Import, %d", row.Line), To: place, Quantity: c.To - c.From}
	if m.Quantity < 0 {
		m.From, m.To, m.Quantity = place, 0, -m.Quantity
	}
	return c, s.write(ctx, tx, by, &m)
}

// merge sets what the list says.
func (r *Row) merge(i *Item) {
	set := func(column string, text *string, said string) {
		if r.Has[column] && said != "" {
			*text = said
		}
	}
	set("reference", &i.Reference, r.Item.Reference)
	set("name", &i.Name, r.Item.Name)
	set("kind", &i.Kind, r.Item.Kind)
	set("unit", &i.Unit, r.Item.Unit)
	set("supplier", &i.Supplier, r.Item.Supplier)
	if r.Has["price"] && r.Item.Price != 0 {
		i.Price = r.Item.Price
	}
	if r.Has["minimum"] {
		i.Minimum = r.Item.Minimum
	}
	if r.Has["wanted"] {
		i.Wanted = r.Item.Wanted
	}
}
