package stock

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Stock is what there is, as it stood in one snapshot.
type Stock struct {
	Items  []Item  // by kind, then name
	Places []Place // depots, cars, cupboards; by name
	levels map[[2]int64]int64
	totals map[int64]int64
}

// Stock reads what there is. Archived items and places are in it.
func (s *Service) Stock(ctx context.Context, by auth.Identity) (*Stock, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return nil, err
	}
	st := &Stock{levels: map[[2]int64]int64{}, totals: map[int64]int64{}}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if st.Items, err = items(ctx, tx, "", by.Tenant); err != nil {
			return err
		}
		if st.Places, err = places(ctx, tx, "", by.Tenant); err != nil {
			return err
		}
		held, err := levels(ctx, tx, "", by.Tenant)
		for _, l := range held {
			st.levels[[2]int64{l.Item, l.Place}] = l.Quantity
			st.totals[l.Item] += l.Quantity
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(st.Items, func(a, b Item) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(st.Places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(slices.Index(PlaceKinds, a.Kind), slices.Index(PlaceKinds, b.Kind)), strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return st, nil
}

// At is how many of an item lie in a place.
func (st *Stock) At(item, place int64) int64 { return st.levels[[2]int64{item, place}] }

// Total is how many of an item there are, all places together.
func (st *Stock) Total(item int64) int64 { return st.totals[item] }

// Item finds an item.
func (st *Stock) Item(id int64) (Item, bool) {
	k := slices.IndexFunc(st.Items, func(i Item) bool { return i.ID == id })
	if k < 0 {
		return Item{}, false
	}
	return st.Items[k], true
}

// Place finds a place.
func (st *Stock) Place(id int64) (Place, bool) {
	k := slices.IndexFunc(st.Places, func(p Place) bool { return p.ID == id })
	if k < 0 {
		return Place{}, false
	}
	return st.Places[k], true
}

// Near is where somebody takes from when they do not say: their car if it
// holds the item (any item, if 0), else the first depot that does, else their
// car, else the first depot.
func (st *Stock) Near(person, item int64) int64 {
	var car, depot, holding int64
	for _, p := range st.Places {
		if p.Archived || p.Kind == Car && p.Person != person || p.Kind == Cupboard {
			continue
		}
		if p.Kind == Car && car == 0 && person != 0 {
			car = p.ID
		}
		if p.Kind == Depot && depot == 0 {
			depot = p.ID
		}
		if holding == 0 && p.Kind == Depot && item != 0 && st.At(item, p.ID) > 0 {
			holding = p.ID
		}
	}
	switch {
	case car != 0 && (item == 0 || st.At(item, car) > 0):
		return car
	case holding != 0:
		return holding
	case car != 0 && item == 0:
		return car
	}
	return cmp.Or(depot, car)
}

// LedgerQuery asks for lines of the ledger; zero fields ask for all.
type LedgerQuery struct {
	Item, Place, Incident, School int64
	Kind                          Kind
	From, To                      time.Time // To is excluded
	Before                        int64     // movements older than this one, for the next page
	Limit                         int       // 100 if 0, 10,000 at most
}

// Ledger reads lines of the ledger, the last booked first.
func (s *Service) Ledger(ctx context.Context, by auth.Identity, q LedgerQuery) ([]Movement, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return nil, err
	}
	args := []any{by.Tenant}
	var where strings.Builder
	add := func(condition string, v any) {
		args = append(args, v)
		fmt.Fprintf(&where, condition, len(args))
	}
	if q.Item != 0 {
		add(" AND item_id = $%[1]d", q.Item)
	}
	if q.Place != 0 {
		add(" AND (from_id = $%[1]d OR to_id = $%[1]d)", q.Place)
	}
	if q.Incident != 0 {
		add(" AND incident_id = $%[1]d", q.Incident)
	}
	if q.School != 0 {
		add(" AND school_id = $%[1]d", q.School)
	}
	if q.Kind != "" {
		add(" AND kind = $%[1]d", string(q.Kind))
	}
	if !q.From.IsZero() {
		add(" AND at >= $%[1]d", sqldb.Millis(q.From))
	}
	if !q.To.IsZero() {
		add(" AND at < $%[1]d", sqldb.Millis(q.To))
	}
	if q.Before != 0 {
		add(" AND movement_id < $%[1]d", q.Before)
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	add(" ORDER BY movement_id DESC LIMIT $%[1]d", min(q.Limit, 10_000))
	var all []Movement
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = movements(ctx, tx, where.String(), args...)
		return err
	})
	return all, err
}

// Used is a part used on an incident.
type Used struct {
	Movement int64
	Item     int64
	Name     string
	Unit     string
	Quantity int64
	At       time.Time
	From     int64  // place; 0 for whoever does not manage the stock
	Place    string // its name; "" for them
	Price    int64  // cents, of one; 0 for them
}

// UsedOn lists the parts used on an incident that the reader sees, taken-back
// ones left out. Whoever does not manage the stock is told their names and
// numbers only.
func (s *Service) UsedOn(ctx context.Context, by auth.Identity, number int64) ([]Used, error) {
	if _, err := s.incidents.Get(ctx, by.Scope(), number); err != nil {
		return nil, err
	}
	manages := by.Can(auth.ManageStock)
	var all []Used
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var u Used
			var at int64
			var kind Kind
			if err := rows.Scan(&u.Movement, &kind, &u.Item, &u.Name, &u.Unit, &u.Quantity, &at, &u.From, &u.Place, &u.Price); err != nil {
				return err
			}
			u.At = sqldb.Time(at)
			if kind == Return {
				u.Quantity = -u.Quantity
			}
			if !manages {
				u.From, u.Place, u.Price = 0, "", 0
			}
			all = append(all, u)
			return nil
		}, `SELECT m.movement_id, m.kind, m.item_id, i.name, i.unit, m.quantity, m.at, m.from_id + m.to_id, coalesce(p.name, ''), m.price
			FROM stock_movement m JOIN stock_item i ON i.tenant_id = m.tenant_id AND i.item_id = m.item_id
			LEFT JOIN stock_place p ON p.tenant_id = m.tenant_id AND p.place_id = m.from_id + m.to_id
			WHERE m.tenant_id = $1 AND m.incident_id = $2 AND m.incident_id <> 0 AND m.kind IN ('use', 'return') AND m.reverses = 0 AND m.reversed_by = 0
			ORDER BY m.movement_id`, by.Tenant, number)
	})
	return all, err
}

// Point is the level of an item after a movement.
type Point struct {
	At       time.Time
	Quantity int64
}

// Course is the level of an item over time, all places together or in one, by
// the instants at which it moved, oldest first.
func (s *Service) Course(ctx context.Context, by auth.Identity, item, place int64) ([]Point, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return nil, err
	}
	var all []Movement
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = movements(ctx, tx, " AND item_id = $2 ORDER BY at, movement_id", by.Tenant, item)
		return err
	})
	if err != nil {
		return nil, err
	}
	var points []Point
	var level int64
	for _, m := range all {
		before := level
		switch {
		case place != 0 && m.To == place:
			level += m.Quantity
		case place != 0 && m.From == place:
			level -= m.Quantity
		case place == 0 && m.From == 0:
			level += m.Quantity
		case place == 0 && m.To == 0:
			level -= m.Quantity
		}
		if level != before {
			points = append(points, Point{m.At, level})
		}
	}
	return points, nil
}

// Consumed is what was used of an item in a month, in a school.
type Consumed struct {
	Item, School int64 // School is 0 when it was used on no incident
	Month        time.Time
	Quantity     int64
	Cost         int64 // cents
}

// Consumption counts what was used, less what came back and what was taken
// back, by month of the location, item and school, between two instants.
func (s *Service) Consumption(ctx context.Context, by auth.Identity, from, to time.Time, loc *time.Location) ([]Consumed, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return nil, err
	}
	var all []Movement
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = movements(ctx, tx, " AND at >= $2 AND at < $3 AND kind IN ('use', 'return') AND reverses = 0 AND reversed_by = 0", by.Tenant, sqldb.Millis(from), sqldb.Millis(to))
		return err
	})
	if err != nil {
		return nil, err
	}
	type key struct {
		item, school int64
		month        int
	}
	sums := map[key]*Consumed{}
	for _, m := range all {
		y, month, _ := m.At.In(loc).Date()
		k := key{m.Item, m.School, y*12 + int(month)}
		c := sums[k]
		if c == nil {
			c = &Consumed{Item: m.Item, School: m.School, Month: time.Date(y, month, 1, 0, 0, 0, 0, loc)}
			sums[k] = c
		}
		sign := int64(1)
		if m.Kind == Return {
			sign = -1
		}
		c.Quantity += sign * m.Quantity
		c.Cost += sign * m.Cost()
	}
	out := make([]Consumed, 0, len(sums))
	for _, c := range sums {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Consumed) int {
		return cmp.Or(a.Month.Compare(b.Month), cmp.Compare(a.Item, b.Item), cmp.Compare(a.School, b.School))
	})
	return out, nil
}

// Item finds one item.
func (s *Service) Item(ctx context.Context, by auth.Identity, id int64) (Item, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return Item{}, err
	}
	var found []Item
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		found, err = items(ctx, tx, " AND item_id = $2", by.Tenant, id)
		return err
	})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "error.stock.item_not_found")
	}
	if err != nil {
		return Item{}, err
	}
	return found[0], nil
}

// Movement finds one line of the ledger.
func (s *Service) Movement(ctx context.Context, by auth.Identity, id int64) (Movement, error) {
	if err := by.Require(auth.ManageStock); err != nil {
		return Movement{}, err
	}
	return s.movement(ctx, by, id)
}
