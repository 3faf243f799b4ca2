package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"statincidents/internal/sqldb"
)

// Progress is told how far a long work is; total is 0 while unknown.
type Progress func(done, total int64)

func (p Progress) tell(done, total int64) {
	if p != nil {
		p(done, total)
	}
}

// maxDifferences bounds the differences that a report lists; it counts all.
const maxDifferences = 100

// Replay is what CheckRebuild found.
type Replay struct {
	Events      int64            // events replayed
	Skipped     map[string]int64 // events of subjects that no projection knows, by kind of subject
	Tables      []ReplayedTable  // in the order of the projections
	Differences []Difference     // the first ones
	Total       int64            // of all differences
}

// ReplayedTable counts the rows compared.
type ReplayedTable struct {
	Projection, Table string
	Stored, Replayed  int64 // rows
	Differences       int64
}

// Difference is a row that the journal does not explain as it is stored.
type Difference struct {
	Table string
	Key   string // "school_id 12": the row's key without the tenant
	// Column is empty when the whole row is missing on one side: then Stored or
	// Replayed is nil.
	Column           string
	Stored, Replayed any
}

// String tells a difference in a line.
func (d Difference) String() string {
	switch {
	case d.Column != "":
		return fmt.Sprintf("%s %s: %s is %s, the journal says %s", d.Table, d.Key, d.Column, short(d.Stored), short(d.Replayed))
	case d.Stored == nil:
		return fmt.Sprintf("%s %s: missing, the journal says that it is there", d.Table, d.Key)
	}
	return fmt.Sprintf("%s %s: stored, unknown to the journal", d.Table, d.Key)
}

func short(v any) string {
	s := fmt.Sprintf("%v", v)
	if text, ok := v.(string); ok {
		s = fmt.Sprintf("%q", text)
	}
	if r := []rune(s); len(r) > 80 {
		return string(r[:77]) + "…"
	}
	return s
}

// CheckRebuild replays every event of a tenant through the projections into an
// empty database in a temporary folder, and compares each of their tables with
// the stored one, row by row. All is read from one snapshot: writers go on.
func CheckRebuild(ctx context.Context, db *sqldb.DB, tenant int64, projections []Projection, progress Progress) (*Replay, error) {
	by, err := bySubject(projections)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "statincidents-rebuild-")
	if err != nil {
		return nil, fmt.Errorf("journal: rebuild: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	scratch, err := sqldb.Open(ctx, sqldb.Config{Dir: dir, Scratch: true})
	if err != nil {
		return nil, fmt.Errorf("journal: rebuild: %w", err)
	}
	defer scratch.Close() //nolint:errcheck // nothing there is kept
	report := &Replay{Skipped: map[string]int64{}}
	err = db.Read(ctx, func(ctx context.Context, source *sqldb.Tx) error {
		// The snapshot holds the state of exactly the events that it shows, also
		// those that readers must still wait for.
		var total int64
		if err := source.QueryRow(ctx, `SELECT count(*) FROM event WHERE tenant_id = $1`, tenant).Scan(&total); err != nil {
			return err
		}
		err := everyEvent(ctx, source, tenant, func(events []Event) error {
			progress.tell(report.Events, total)
			report.Events += int64(len(events))
			return scratch.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				return by.apply(ctx, tx, events, report.Skipped)
			})
		})
		if err != nil {
			return err
		}
		progress.tell(total, total)
		return scratch.Read(ctx, func(ctx context.Context, replayed *sqldb.Tx) error {
			return report.compare(ctx, source, replayed, tenant, projections)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("journal: rebuild: %w", err)
	}
	return report, nil
}

// Rebuild empties the tables of the projections for a tenant and makes them
// again from the journal, in one transaction: it is all done or not at all.
// Nobody writes meanwhile; on SQLite open the database with Exclusive. It
// returns the number of events replayed.
func Rebuild(ctx context.Context, db *sqldb.DB, tenant int64, projections []Projection, progress Progress) (int64, error) {
	by, err := bySubject(projections)
	if err != nil {
		return 0, err
	}
	var done int64
	err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		done = 0
		if tx.Dialect() == sqldb.PostgreSQL {
			// Waits for the commands in flight and keeps new ones out, so that
			// every event that will ever explain these rows is seen.
			tables := []string{"event"}
			for _, p := range projections {
				tables = append(tables, p.Tables...)
			}
			if _, err := tx.Exec(ctx, "LOCK TABLE "+strings.Join(tables, ", ")+" IN EXCLUSIVE MODE"); err != nil {
				return err
			}
		}
		for _, p := range projections {
			for _, table := range p.Tables {
				if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE tenant_id = $1", tenant); err != nil {
					return fmt.Errorf("empty %s: %w", table, err)
				}
			}
		}
		var total int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM event WHERE tenant_id = $1`, tenant).Scan(&total); err != nil {
			return err
		}
		err := everyEvent(ctx, tx, tenant, func(events []Event) error {
			progress.tell(done, total)
			done += int64(len(events))
			return by.apply(ctx, tx, events, map[string]int64{})
		})
		if err != nil {
			return err
		}
		return sqldb.TouchAll(ctx, tx, tenant)
	})
	if err != nil {
		return 0, fmt.Errorf("journal: rebuild: %w", err)
	}
	return done, nil
}

// projectors finds the projection of a kind of subject.
type projectors map[string]*Projection

func bySubject(projections []Projection) (projectors, error) {
	by := projectors{}
	tables := map[string]string{}
	for i := range projections {
		p := &projections[i]
		for _, kind := range p.Subjects {
			if other := by[kind]; other != nil {
				return nil, fmt.Errorf("journal: subject %s belongs to projections %s and %s", kind, other.Name, p.Name)
			}
			by[kind] = p
		}
		for _, table := range p.Tables {
			if other, ok := tables[table]; ok {
				return nil, fmt.Errorf("journal: table %s belongs to projections %s and %s", table, other, p.Name)
			}
			tables[table] = p.Name
		}
	}
	return by, nil
}

// apply gives each run of events of one projection to it, so that a projection
// that looks at another's rows finds them as they were.
func (by projectors) apply(ctx context.Context, tx *sqldb.Tx, events []Event, skipped map[string]int64) error {
	for len(events) > 0 {
		p := by[events[0].Subject.Kind]
		n := 1
		for n < len(events) && by[events[n].Subject.Kind] == p {
			n++
		}
		if p == nil {
			for _, e := range events[:n] {
				skipped[e.Subject.Kind]++
			}
		} else if err := p.Apply(ctx, tx, events[:n]); err != nil {
			return fmt.Errorf("%s, events %v to %v: %w", p.Name, events[0].Pos, events[n-1].Pos, err)
		}
		events = events[n:]
	}
	return nil
}

// everyEvent reads the whole journal of a tenant as the transaction sees it.
func everyEvent(ctx context.Context, tx *sqldb.Tx, tenant int64, fn func([]Event) error) error {
	for after := (Pos{}); ; {
		rows, err := tx.Query(ctx, selectEvent+`WHERE tenant_id = $1 AND (xact, seq) > ($2, $3) ORDER BY xact, seq LIMIT $4`, tenant, after.Xact, after.Seq, batch)
		if err != nil {
			return err
		}
		events, err := scan(rows)
		if err != nil || len(events) == 0 {
			return err
		}
		if err := fn(events); err != nil {
			return err
		}
		after = events[len(events)-1].Pos
	}
}

func (r *Replay) compare(ctx context.Context, source, replayed *sqldb.Tx, tenant int64, projections []Projection) error {
	known, err := replayed.Tables(ctx)
	if err != nil {
		return err
	}
	for _, p := range projections {
		for _, name := range p.Tables {
			i := slices.IndexFunc(known, func(t sqldb.Table) bool { return t.Name == name })
			if i < 0 {
				return fmt.Errorf("projection %s: there is no table %s", p.Name, name)
			}
			if err := r.compareTable(ctx, source, replayed, tenant, p.Name, known[i]); err != nil {
				return fmt.Errorf("compare %s: %w", name, err)
			}
		}
	}
	return nil
}

func (r *Replay) compareTable(ctx context.Context, source, replayed *sqldb.Tx, tenant int64, projection string, table sqldb.Table) error {
	stored, err := openRows(ctx, source, table, tenant)
	if err != nil {
		return err
	}
	defer stored.rows.Close()
	again, err := openRows(ctx, replayed, table, tenant)
	if err != nil {
		return err
	}
	defer again.rows.Close()
	counts := ReplayedTable{Projection: projection, Table: table.Name}
	differ := func(d Difference) {
		d.Table = table.Name
		counts.Differences++
		r.Total++
		if len(r.Differences) < maxDifferences {
			r.Differences = append(r.Differences, d)
		}
	}
	if err := errors.Join(stored.next(), again.next()); err != nil {
		return err
	}
	for stored.row != nil || again.row != nil {
		var order int
		switch {
		case stored.row == nil:
			order = 1
		case again.row == nil:
			order = -1
		default:
			order = compareKeys(stored.row, again.row, stored.key)
		}
		if order == 0 {
			for i, column := range table.Columns {
				if compareValues(stored.row[i], again.row[i]) != 0 {
					differ(Difference{Key: stored.name(), Column: column.Name, Stored: stored.row[i], Replayed: again.row[i]})
				}
			}
		}
		if order < 0 {
			differ(Difference{Key: stored.name(), Stored: stored.row})
		}
		if order > 0 {
			differ(Difference{Key: again.name(), Replayed: again.row})
		}
		if order <= 0 {
			counts.Stored++
			if err := stored.next(); err != nil {
				return err
			}
		}
		if order >= 0 {
			counts.Replayed++
			if err := again.next(); err != nil {
				return err
			}
		}
	}
	r.Tables = append(r.Tables, counts)
	return nil
}

// tableRows walks a tenant's rows of a table in the order of the key, the same
// on both engines.
type tableRows struct {
	table sqldb.Table
	key   []int // places of the key's columns
	rows  *sql.Rows
	row   []any // nil at the end
}

func openRows(ctx context.Context, tx *sqldb.Tx, table sqldb.Table, tenant int64) (*tableRows, error) {
	t := &tableRows{table: table}
	order := make([]string, 0, len(table.Key))
	for _, name := range table.Key {
		i := slices.Index(table.Names(), name)
		t.key = append(t.key, i)
		if table.Columns[i].Type == sqldb.Text && tx.Dialect() == sqldb.PostgreSQL {
			name += ` COLLATE "C"` // as bytes, whatever the database's language
		}
		order = append(order, name)
	}
	var err error
	t.rows, err = tx.Query(ctx, "SELECT "+strings.Join(table.Names(), ", ")+" FROM "+table.Name+" WHERE tenant_id = $1 ORDER BY "+strings.Join(order, ", "), tenant) //nolint:rowserrcheck // next checks it
	return t, err
}

func (t *tableRows) next() error {
	if !t.rows.Next() {
		t.row = nil
		return t.rows.Err()
	}
	row := make([]any, len(t.table.Columns))
	into := make([]any, len(row))
	for i := range row {
		into[i] = &row[i]
	}
	if err := t.rows.Scan(into...); err != nil {
		return err
	}
	t.row = row
	return nil
}

// name is the key in words, without the tenant.
func (t *tableRows) name() string {
	var parts []string
	for _, i := range t.key {
		if name := t.table.Columns[i].Name; name != "tenant_id" {
			parts = append(parts, fmt.Sprintf("%s %v", name, t.row[i]))
		}
	}
	return strings.Join(parts, ", ")
}

func compareKeys(a, b []any, key []int) int {
	for _, i := range key {
		if c := compareValues(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// compareValues orders what the drivers give: both give int64, float64, string,
// []byte or nil for our four types of column.
func compareValues(a, b any) int {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return cmpInt(x, y)
		}
	case float64:
		if y, ok := b.(float64); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y)
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y)
		}
	case nil:
		if b == nil {
			return 0
		}
		return -1
	}
	return 1
}
