package stock

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

var (
	itemColumns  = []string{"tenant_id", "item_id", "reference", "name", "kind", "unit", "price", "supplier", "note", "minimum", "wanted", "archived"}
	placeColumns = []string{"tenant_id", "place_id", "name", "kind", "person_id", "school_id", "archived"}
	moveColumns  = []string{
		"tenant_id", "movement_id", "at", "kind", "item_id", "from_id", "to_id", "quantity", "price", "incident_id", "school_id", "reason",
		"discrepancy", "reverses", "reversed_by", "actor_kind", "actor_id",
	}
)

const (
	selectItem  = `SELECT item_id, reference, name, kind, unit, price, supplier, note, minimum, wanted, archived FROM stock_item WHERE tenant_id = $1`
	selectPlace = `SELECT place_id, name, kind, person_id, school_id, archived FROM stock_place WHERE tenant_id = $1`
	selectMove  = `SELECT movement_id, at, kind, item_id, from_id, to_id, quantity, price, incident_id, school_id, reason, discrepancy, reverses, reversed_by, actor_kind, actor_id
		FROM stock_movement WHERE tenant_id = $1`
)

// each runs a query and gives every row to fn.
func each(ctx context.Context, tx *sqldb.Tx, fn func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("stock: query: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return fmt.Errorf("stock: scan: %w", err)
		}
	}
	return rows.Err()
}

func items(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) (all []Item, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var i Item
		var archived int64
		err := rows.Scan(&i.ID, &i.Reference, &i.Name, &i.Kind, &i.Unit, &i.Price, &i.Supplier, &i.Note, &i.Minimum, &i.Wanted, &archived)
		i.Archived = archived != 0
		all = append(all, i)
		return err
	}, selectItem+condition, args...)
	return all, err
}

func places(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) (all []Place, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var p Place
		var archived int64
		err := rows.Scan(&p.ID, &p.Name, &p.Kind, &p.Person, &p.School, &archived)
		p.Archived = archived != 0
		all = append(all, p)
		return err
	}, selectPlace+condition, args...)
	return all, err
}

func movements(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) (all []Movement, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var m Movement
		var at, discrepancy int64
		err := rows.Scan(&m.ID, &at, &m.Kind, &m.Item, &m.From, &m.To, &m.Quantity, &m.Price, &m.Incident, &m.School, &m.Reason,
			&discrepancy, &m.Reverses, &m.ReversedBy, &m.By.Kind, &m.By.ID)
		m.At, m.Discrepancy = sqldb.Time(at), discrepancy != 0
		all = append(all, m)
		return err
	}, selectMove+condition, args...)
	return all, err
}

func levels(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) (all []Level, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var l Level
		err := rows.Scan(&l.Item, &l.Place, &l.Quantity)
		all = append(all, l)
		return err
	}, `SELECT item_id, place_id, quantity FROM stock_level WHERE tenant_id = $1`+condition, args...)
	return all, err
}

// level is how many of an item lie in a place.
func level(ctx context.Context, tx *sqldb.Tx, tenant, item, place int64) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT quantity FROM stock_level WHERE tenant_id = $1 AND item_id = $2 AND place_id = $3`, tenant, item, place).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// Projection rebuilds the stock from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{
		Name: "stock", Subjects: []string{SubjectItem, SubjectPlace, SubjectMovement},
		Tables: []string{"stock_item", "stock_place", "stock_movement", "stock_level"}, Apply: apply,
	}
}

// apply folds events, in the journal's order, into the tables.
func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for k := range events {
		if err := applyOne(ctx, tx, &events[k]); err != nil {
			return fmt.Errorf("stock: event %s of %s %d: %w", events[k].Pos, events[k].Subject.Kind, events[k].Subject.ID, err)
		}
	}
	return nil
}

func applyOne(ctx context.Context, tx *sqldb.Tx, e *journal.Event) error {
	switch e.Subject.Kind {
	case SubjectItem:
		var i Item
		if err := json.Unmarshal(e.Data, &i); err != nil {
			return err
		}
		return tx.Upsert(ctx, "stock_item", itemColumns[:2], itemColumns, [][]any{{
			e.Tenant, e.Subject.ID, i.Reference, i.Name, i.Kind, i.Unit, i.Price, i.Supplier, i.Note, i.Minimum, i.Wanted, sqldb.Flag(i.Archived),
		}})
	case SubjectPlace:
		var p Place
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return err
		}
		return tx.Upsert(ctx, "stock_place", placeColumns[:2], placeColumns, [][]any{{
			e.Tenant, e.Subject.ID, p.Name, string(p.Kind), p.Person, p.School, sqldb.Flag(p.Archived),
		}})
	}
	var b booked
	if err := json.Unmarshal(e.Data, &b); err != nil {
		return err
	}
	err := tx.Insert(ctx, "stock_movement", moveColumns, [][]any{{
		e.Tenant, e.Subject.ID, sqldb.Millis(e.At), string(b.Kind), b.Item, b.From, b.To, b.Quantity, b.Price, b.Incident, b.School, b.Reason,
		sqldb.Flag(b.Discrepancy), b.Reverses, 0, e.Actor.Kind, e.Actor.ID,
	}}, "")
	if err != nil {
		return err
	}
	if b.Reverses != 0 {
		if _, err := tx.Exec(ctx, `UPDATE stock_movement SET reversed_by = $3 WHERE tenant_id = $1 AND movement_id = $2`, e.Tenant, b.Reverses, e.Subject.ID); err != nil {
			return err
		}
	}
	if b.Kind == Receive && b.Price > 0 && b.Reverses == 0 {
		if _, err := tx.Exec(ctx, `UPDATE stock_item SET price = $3 WHERE tenant_id = $1 AND item_id = $2`, e.Tenant, b.Item, b.Price); err != nil {
			return err
		}
	}
	for place, change := range map[int64]int64{b.From: -b.Quantity, b.To: b.Quantity} {
		if place == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO stock_level (tenant_id, item_id, place_id, quantity) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant_id, item_id, place_id) DO UPDATE SET quantity = stock_level.quantity + $4`, e.Tenant, b.Item, place, change); err != nil {
			return err
		}
	}
	return nil
}
