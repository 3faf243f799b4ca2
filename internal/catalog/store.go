package catalog

import (
	"context"
	"encoding/json"
	"fmt"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Kinds of subject in the journal. Every event is "saved", with the whole new
// state of its subject.
const (
	SubjectCategory = "category"
	SubjectCode     = "code"
	SubjectMatrix   = "priority_matrix" // identified by the tenant

	saved = ".saved"
)

// change is one event in the making.
type change struct {
	subject journal.Subject
	state   any
}

func (c Category) saved() change {
	return change{journal.Subject{Kind: SubjectCategory, ID: c.ID}, c}
}

func (c Code) saved() change { return change{journal.Subject{Kind: SubjectCode, ID: c.ID}, c} }

// apply brings the tables to the state that the events tell. The commands and
// the rebuilding of the state from the journal both go through it.
func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	var pending batch
	for _, e := range events {
		if !pending.takes(e) {
			if err := pending.write(ctx, tx); err != nil {
				return err
			}
			pending = batch{}
		}
		if err := pending.add(e); err != nil {
			return fmt.Errorf("catalog: read event %s at %s: %w", e.Kind, e.Pos, err)
		}
	}
	return pending.write(ctx, tx)
}

// batch gathers rows of one table, none twice, to write them together.
type batch struct {
	kind string
	seen map[int64]bool
	rows [][]any
}

func (b *batch) takes(e journal.Event) bool {
	return b.kind == "" || b.kind == e.Kind && !b.seen[e.Subject.ID]
}

func (b *batch) add(e journal.Event) error {
	if b.kind == "" {
		b.kind, b.seen = e.Kind, map[int64]bool{}
	}
	b.seen[e.Subject.ID] = true
	switch e.Kind {
	case SubjectCategory + saved:
		var c Category
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return err
		}
		b.rows = append(b.rows, []any{e.Tenant, c.ID, c.Parent, c.Label, c.LabelEN, c.Icon, c.Position, sqldb.Flag(c.Archived)})
	case SubjectCode + saved:
		var c Code
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return err
		}
		b.rows = append(b.rows, []any{e.Tenant, c.ID, string(c.Kind), c.Label, c.LabelEN, c.Position, sqldb.Flag(c.Archived), sqldb.Flag(c.Runs)})
	case SubjectTile + saved:
		var t Tile
		if err := json.Unmarshal(e.Data, &t); err != nil {
			return err
		}
		b.rows = append(b.rows, []any{e.Tenant, t.Category, sqldb.Flag(t.Shown), t.Position, t.Icon, t.Label, t.LabelEN, t.Advice, t.AdviceEN})
	case SubjectMatrix + saved:
		var m Matrix
		if err := json.Unmarshal(e.Data, &m); err != nil {
			return err
		}
		for i, row := range m {
			for u, p := range row {
				b.rows = append(b.rows, []any{e.Tenant, i + 1, u + 1, p})
			}
		}
	default:
		return fmt.Errorf("unknown kind")
	}
	return nil
}

func (b *batch) write(ctx context.Context, tx *sqldb.Tx) error {
	switch b.kind {
	case SubjectCategory + saved:
		return tx.Upsert(ctx, "category", []string{"tenant_id", "category_id"},
			[]string{"tenant_id", "category_id", "parent_id", "label", "label_en", "icon", "position", "archived"}, b.rows)
	case SubjectCode + saved:
		return tx.Upsert(ctx, "code", []string{"tenant_id", "code_id"},
			[]string{"tenant_id", "code_id", "kind", "label", "label_en", "position", "archived", "clock_runs"}, b.rows)
	case SubjectTile + saved:
		return tx.Upsert(ctx, "portal_tile", []string{"tenant_id", "category_id"},
			[]string{"tenant_id", "category_id", "shown", "position", "icon", "label", "label_en", "advice", "advice_en"}, b.rows)
	case SubjectMatrix + saved:
		return tx.Upsert(ctx, "priority_matrix", []string{"tenant_id", "impact", "urgency"},
			[]string{"tenant_id", "impact", "urgency", "priority"}, b.rows)
	}
	return nil
}

func each(ctx context.Context, tx *sqldb.Tx, query string, tenant int64, scan func(func(...any) error) error) error {
	rows, err := tx.Query(ctx, query, tenant)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
	}
	return rows.Err()
}

func categories(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Category, error) {
	var all []Category
	err := each(ctx, tx, `SELECT category_id, parent_id, label, label_en, icon, position, archived FROM category WHERE tenant_id = $1`, tenant, func(scan func(...any) error) error {
		var c Category
		var archived int64
		err := scan(&c.ID, &c.Parent, &c.Label, &c.LabelEN, &c.Icon, &c.Position, &archived)
		c.Archived = archived == 1
		all = append(all, c)
		return err
	})
	return all, err
}

func codes(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Code, error) {
	var all []Code
	err := each(ctx, tx, `SELECT code_id, kind, label, label_en, position, archived, clock_runs FROM code WHERE tenant_id = $1`, tenant, func(scan func(...any) error) error {
		var c Code
		var archived, runs int64
		err := scan(&c.ID, &c.Kind, &c.Label, &c.LabelEN, &c.Position, &archived, &runs)
		c.Archived, c.Runs = archived == 1, runs == 1
		all = append(all, c)
		return err
	})
	return all, err
}

func matrix(ctx context.Context, tx *sqldb.Tx, tenant int64) (Matrix, error) {
	m := DefaultMatrix
	err := each(ctx, tx, `SELECT impact, urgency, priority FROM priority_matrix WHERE tenant_id = $1`, tenant, func(scan func(...any) error) error {
		var impact, urgency, priority int
		if err := scan(&impact, &urgency, &priority); err != nil {
			return err
		}
		if impact < 1 || impact > 3 || urgency < 1 || urgency > 3 {
			return fmt.Errorf("priority matrix: impact %d, urgency %d", impact, urgency)
		}
		m[impact-1][urgency-1] = priority
		return nil
	})
	return m, err
}
