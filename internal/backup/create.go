package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Create writes a backup of the whole database to a file that does not exist,
// while writers go on. The file bears its name only once it is complete and
// flushed. The database may have been opened as it is (sqldb.Config.AsIs).
func Create(ctx context.Context, db *sqldb.DB, path string, progress Progress) (*Manifest, error) {
	m, err := create(ctx, db, path, progress)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return m, nil
}

func create(ctx context.Context, db *sqldb.DB, path string, progress Progress) (m *Manifest, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(fs.ErrExist, err))
	}
	// The work is done in a folder of its own beside the file.
	dir, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".part-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	schema, target, err := db.Schema(ctx)
	if err != nil {
		return nil, err
	}
	part := filepath.Join(dir, sqldb.FileName)
	if db.Dialect() == sqldb.SQLite {
		stop := watchSize(part, filepath.Join(db.Dir(), sqldb.FileName), progress)
		err = db.SnapshotTo(ctx, part)
		stop()
	} else {
		if schema != target {
			return nil, fmt.Errorf("the schema is %d, this program knows %d: use the program that made it", schema, target)
		}
		err = export(ctx, db, dir, progress)
	}
	if err != nil {
		return nil, err
	}
	file, err := sqldb.OpenFile(ctx, part, false)
	if err != nil {
		return nil, err
	}
	err = file.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if m, err = describe(ctx, tx, db.Dialect(), schema, progress); err != nil {
			return err
		}
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "CREATE TABLE "+manifestTable+" (manifest TEXT NOT NULL) STRICT"); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO "+manifestTable+" (manifest) VALUES ($1)", string(text))
		return err
	})
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// Two backups to one name at once: the second one must not replace the first.
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(fs.ErrExist, err))
	}
	return m, sqldb.Publish(part, path)
}

// watchSize tells the progress of a copy by the size of its file.
func watchSize(part, source string, progress Progress) (stop func()) {
	size := func(path string) int64 {
		if info, err := os.Stat(path); err == nil {
			return info.Size()
		}
		return 0
	}
	total := size(source)
	progress.tell(Copying, 0, total)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				progress.tell(Copying, min(size(part), total), total)
			}
		}
	}()
	return func() {
		close(quit)
		<-done
		progress.tell(Copying, total, total)
	}
}

// export copies a PostgreSQL database into a new SQLite one in a folder.
func export(ctx context.Context, db *sqldb.DB, dir string, progress Progress) error {
	to, err := sqldb.Open(ctx, sqldb.Config{Dir: dir, Scratch: true})
	if err != nil {
		return err
	}
	err = db.Read(ctx, func(ctx context.Context, source *sqldb.Tx) error {
		// Writing the copy may take longer than an idle transaction is allowed.
		if _, err := source.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
			return err
		}
		tables, alone, err := shared(ctx, source, to)
		if err != nil {
			return err
		}
		total, err := estimate(ctx, source, tables)
		if err != nil {
			return err
		}
		n, err := number(ctx, source)
		if err != nil {
			return err
		}
		// Events come first: they tell the new numbers of positions.
		slices.SortStableFunc(tables, func(a, b sqldb.Table) int { return int(sqldb.Flag(b.Name == "event") - sqldb.Flag(a.Name == "event")) })
		c := &copier{progress: progress, phase: Copying, total: total}
		for _, table := range tables {
			if err := c.copy(ctx, source, to.Write, table, n.renumber(table)); err != nil {
				return err
			}
		}
		c.progress.tell(Copying, c.done, c.done)
		return to.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return forget(ctx, tx, alone) })
	})
	return errors.Join(err, to.Close())
}

// shared lists the tables, with their columns, that a source and a target both
// have, and the names of those that one of them has alone.
func shared(ctx context.Context, source *sqldb.Tx, target *sqldb.DB) (both []sqldb.Table, alone []string, err error) {
	from, err := source.Tables(ctx)
	if err != nil {
		return nil, nil, err
	}
	from = portable(from)
	var into []sqldb.Table
	var virtual []string
	err = target.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if into, err = tx.Tables(ctx); err != nil {
			return err
		}
		into = portable(into)
		if tx.Dialect() != sqldb.SQLite {
			return nil
		}
		rows, err := tx.Query(ctx, `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual'`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			virtual = append(virtual, name)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, nil, err
	}
	byName := func(list []sqldb.Table, name string) int {
		return slices.IndexFunc(list, func(t sqldb.Table) bool { return t.Name == name })
	}
	for _, t := range from {
		i := byName(into, t.Name)
		if i < 0 {
			alone = append(alone, t.Name)
			continue
		}
		t.Columns = slices.DeleteFunc(t.Columns, func(c sqldb.Column) bool { return !slices.Contains(into[i].Columns, c) })
		both = append(both, t)
	}
	for _, t := range into {
		if byName(from, t.Name) < 0 {
			alone = append(alone, t.Name)
		}
	}
	return both, append(alone, virtual...), nil
}

// forget leaves out the cursors of the readers that fill tables which were not
// carried over.
func forget(ctx context.Context, tx *sqldb.Tx, alone []string) error {
	for _, table := range alone {
		if _, err := tx.Exec(ctx, `DELETE FROM reader_cursor WHERE reader = $1 OR substr($1, 1, length(reader) + 1) = reader || '_'`, table); err != nil {
			return fmt.Errorf("leave out the reader of %s: %w", table, err)
		}
	}
	return nil
}

func estimate(ctx context.Context, tx *sqldb.Tx, tables []sqldb.Table) (total int64, err error) {
	for _, t := range tables {
		var n int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+t.Name).Scan(&n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// copier copies tables row by row, some thousand rows a command.
type copier struct {
	progress    Progress
	phase       Phase
	done, total int64
}

const copyBatch, copyBytes = 2000, 8 << 20

type writeFunc func(context.Context, func(context.Context, *sqldb.Tx) error) error

func (c *copier) copy(ctx context.Context, source *sqldb.Tx, write writeFunc, table sqldb.Table, change func([]any) error) error {
	var rows [][]any
	size := 0
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		err := write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.Insert(ctx, table.Name, table.Names(), rows, "")
		})
		c.done += int64(len(rows))
		c.progress.tell(c.phase, c.done, c.total)
		rows, size = rows[:0], 0
		return err
	}
	err := eachRow(ctx, source, table, func(row []any) error {
		if err := change(row); err != nil {
			return err
		}
		for _, v := range row {
			switch v := v.(type) {
			case string:
				size += len(v)
			case []byte:
				size += len(v)
			}
		}
		if rows = append(rows, row); len(rows) >= copyBatch || size > copyBytes {
			return flush()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("copy %s: %w", table.Name, err)
	}
	return flush()
}

// numbering gives events the numbers 1, 2… of their tenant in the journal's
// order, and positions of seals and cursors the number of the event they name.
type numbering struct {
	wanted map[int64][]journal.Pos // by tenant, sorted: positions not yet passed
	number map[int64]map[journal.Pos]int64
	last   map[int64]int64 // by tenant
}

func number(ctx context.Context, tx *sqldb.Tx) (*numbering, error) {
	n := &numbering{wanted: map[int64][]journal.Pos{}, number: map[int64]map[journal.Pos]int64{}, last: map[int64]int64{}}
	for _, query := range []string{`SELECT tenant_id, to_xact, to_seq FROM journal_seal`, `SELECT tenant_id, xact, seq FROM reader_cursor`} {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var tenant int64
			var p journal.Pos
			if err := rows.Scan(&tenant, &p.Xact, &p.Seq); err != nil {
				return nil, err
			}
			n.wanted[tenant] = append(n.wanted[tenant], p)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	for tenant, list := range n.wanted {
		slices.SortFunc(list, journal.Pos.Compare)
		n.wanted[tenant] = slices.Compact(list)
		n.number[tenant] = map[journal.Pos]int64{}
	}
	return n, nil
}

// event numbers the next event of a tenant.
func (n *numbering) event(tenant int64, p journal.Pos) int64 {
	for list := n.wanted[tenant]; len(list) > 0 && list[0].Compare(p) < 0; list = n.wanted[tenant] {
		n.number[tenant][list[0]] = n.last[tenant]
		n.wanted[tenant] = list[1:]
	}
	n.last[tenant]++
	return n.last[tenant]
}

// place gives the number of the last event at or before a position.
func (n *numbering) place(tenant int64, p journal.Pos) int64 {
	if at, ok := n.number[tenant][p]; ok {
		return at
	}
	return n.last[tenant] // at or past the last event
}

// renumber changes the positions in the rows of a table.
func (n *numbering) renumber(table sqldb.Table) func([]any) error {
	names := table.Names()
	column := func(name string) int { return slices.Index(names, name) }
	var xact, seq int
	switch table.Name {
	case "event", "reader_cursor":
		xact, seq = column("xact"), column("seq")
	case "journal_seal":
		xact, seq = column("to_xact"), column("to_seq")
	default:
		return func([]any) error { return nil }
	}
	tenant := column("tenant_id")
	return func(row []any) error {
		var id int64
		var p journal.Pos
		for place, into := range map[int]*int64{tenant: &id, xact: &p.Xact, seq: &p.Seq} {
			v, ok := row[place].(int64)
			if !ok {
				return fmt.Errorf("%s: %v is no number", names[place], row[place])
			}
			*into = v
		}
		row[xact] = int64(0)
		if table.Name == "event" {
			row[seq] = n.event(id, p)
		} else {
			row[seq] = n.place(id, p)
		}
		return nil
	}
}
