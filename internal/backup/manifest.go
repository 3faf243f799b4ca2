// Package backup takes the whole database into one file while it is in use,
// and makes a database of either engine from such a file: it is also the way
// from SQLite to PostgreSQL and back.
//
// A backup is an SQLite file with the tables of the house as they were at one
// moment, and a manifest that tells what is in it, with a digest of every
// table. Taken from PostgreSQL, the events of each tenant are numbered 1, 2… in
// the journal's order, as SQLite numbers them; seals and the cursors of readers
// say the same numbers.
//
// A table that only one engine has (a text index, say) is not carried to the
// other one. It is filled by a reader of the journal, and that reader must bear
// the table's name or its beginning ("search" fills search_text): its cursor is
// left out too, so that it fills the table again.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Errors that a caller tells apart; each is wrapped in what explains it.
var (
	// ErrNotABackup is a file that is no backup, or was made by a newer program.
	ErrNotABackup = errors.New("not a backup that this program can read")
	// ErrDamaged is a backup whose content is not what its manifest says.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrNotEmpty is a target of restore that holds something.
	ErrNotEmpty = errors.New("the target is not empty")
)

// Phase names a part of the work, for a progress display: each is the end of a
// translation key "backup.phase.…".
type Phase string

// The phases, in their order.
const (
	Copying   Phase = "copying"   // reading the database
	Digesting Phase = "digesting" // computing or checking the digests
	Restoring Phase = "restoring" // writing the target
	Verifying Phase = "verifying" // recomputing the chain of events
)

// Progress is told how far each phase is, in rows or, for a copied file, in
// bytes; total is 0 while unknown. It may be nil.
type Progress func(phase Phase, done, total int64)

func (p Progress) tell(phase Phase, done, total int64) {
	if p != nil {
		p(phase, done, total)
	}
}

// Manifest tells what is in a backup.
type Manifest struct {
	Format  int       `json:"format"` // 1
	Engine  string    `json:"engine"` // it was taken from
	Schema  int64     `json:"schema"` // version of the tables
	TakenAt time.Time `json:"taken_at"`
	Events  int64     `json:"events"`
	Tenants []Tenant  `json:"tenants"`
	Tables  []Table   `json:"tables"` // by name
}

// Tenant is the journal of one tenant in a backup.
type Tenant struct {
	ID     int64  `json:"id"`
	Events int64  `json:"events"`
	Head   string `json:"head"`  // position of the last event in the backup
	Sealed int64  `json:"seals"` // number of seals
	Hash   string `json:"hash"`  // of the last seal, in hexadecimal; empty without any
}

// Table is one table of a backup.
type Table struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	Hash string `json:"sha256"` // of its rows in the order of their key, in hexadecimal
}

const format = 1

// manifestTable stands in the file beside the others. Its key is not a tenant:
// it belongs to the backup, and never gets into a database.
const manifestTable = "backup_manifest"

// Inspect reads the manifest of a backup.
func Inspect(ctx context.Context, path string) (*Manifest, error) {
	db, err := openBackup(ctx, path)
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // it only read
	var m *Manifest
	err = db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		m, err = readManifest(ctx, tx)
		return err
	})
	return m, err
}

// openBackup opens a file to read it; a file that can be read and that SQLite
// does not understand is no backup.
func openBackup(ctx context.Context, path string) (*sqldb.DB, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	f.Close()
	db, err := sqldb.OpenFile(ctx, path, true)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("backup: %w: %w", ErrNotABackup, err)
	}
	return db, nil
}

func readManifest(ctx context.Context, tx *sqldb.Tx) (*Manifest, error) {
	var text string
	if err := tx.QueryRow(ctx, `SELECT manifest FROM `+manifestTable).Scan(&text); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("backup: %w: %w", ErrNotABackup, err)
	}
	m := &Manifest{}
	if err := json.Unmarshal([]byte(text), m); err != nil {
		return nil, fmt.Errorf("backup: %w: its manifest: %w", ErrNotABackup, err)
	}
	if m.Format != format {
		return nil, fmt.Errorf("backup: %w: format %d", ErrNotABackup, m.Format)
	}
	return m, nil
}

// Check reads a whole backup and compares it with its manifest.
func Check(ctx context.Context, path string, progress Progress) (*Manifest, error) {
	db, err := openBackup(ctx, path)
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // it only read
	var m *Manifest
	err = db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if m, err = readManifest(ctx, tx); err != nil {
			return err
		}
		tables, err := tx.Tables(ctx)
		if err != nil {
			return damaged(ctx, err)
		}
		tables = portable(tables)
		var total, done int64
		for _, want := range m.Tables {
			total += want.Rows
		}
		if len(tables) != len(m.Tables) {
			return fmt.Errorf("backup: %w: %d tables, the manifest says %d", ErrDamaged, len(tables), len(m.Tables))
		}
		for i, table := range tables {
			got, err := digestTable(ctx, tx, table, func(int64) {
				done++
				if done%1000 == 0 {
					progress.tell(Digesting, done, total)
				}
			})
			if err != nil {
				return damaged(ctx, err)
			}
			if got != m.Tables[i] {
				return fmt.Errorf("backup: %w: table %s has %d rows with digest %.12s, the manifest says %s, %d rows, %.12s",
					ErrDamaged, got.Name, got.Rows, got.Hash, m.Tables[i].Name, m.Tables[i].Rows, m.Tables[i].Hash)
			}
		}
		progress.tell(Digesting, total, total)
		// The rows are whole; the indexes beside them must be too.
		var verdict string
		if err := tx.QueryRow(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
			return damaged(ctx, err)
		}
		if verdict != "ok" {
			return fmt.Errorf("backup: %w: %s", ErrDamaged, verdict)
		}
		return nil
	})
	return m, err
}

// damaged says that a file which cannot be read to its end is damaged, unless
// the caller gave up.
func damaged(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("backup: %w: %w", ErrDamaged, err)
}

// portable keeps the tables and columns that both engines can have.
func portable(tables []sqldb.Table) []sqldb.Table {
	var kept []sqldb.Table
	for _, t := range tables {
		t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c sqldb.Column) bool { return c.Type == sqldb.Other })
		if t.Name != manifestTable {
			kept = append(kept, t)
		}
	}
	return kept
}

// digestTable counts and digests a table's rows in the order of their key.
func digestTable(ctx context.Context, tx *sqldb.Tx, table sqldb.Table, each func(row int64)) (Table, error) {
	h := newDigest()
	t := Table{Name: table.Name}
	err := eachRow(ctx, tx, table, func(row []any) error {
		t.Rows++
		each(t.Rows)
		return h.add(row)
	})
	t.Hash = h.sum()
	return t, err
}

// eachRow reads a table in the order of its key, the same on both engines. The
// row is the callee's.
func eachRow(ctx context.Context, tx *sqldb.Tx, table sqldb.Table, fn func(row []any) error) error {
	order := make([]string, 0, len(table.Key))
	for _, name := range table.Key {
		if i := slices.Index(table.Names(), name); tx.Dialect() == sqldb.PostgreSQL && table.Columns[i].Type == sqldb.Text {
			name += ` COLLATE "C"`
		}
		order = append(order, name)
	}
	rows, err := tx.Query(ctx, "SELECT "+strings.Join(table.Names(), ", ")+" FROM "+table.Name+" ORDER BY "+strings.Join(order, ", "))
	if err != nil {
		return fmt.Errorf("read %s: %w", table.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		row := make([]any, len(table.Columns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("read %s: %w", table.Name, err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// contentDigest is the SHA-256 of rows: each value as a letter for its type,
// then 8 bytes big-endian of the number or of the length, then the bytes.
type contentDigest struct {
	h   hash.Hash
	buf []byte
}

func newDigest() *contentDigest { return &contentDigest{h: sha256.New()} }

func (d *contentDigest) add(row []any) error {
	b := d.buf[:0]
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 's'), uint64(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(v))), v...)
		default:
			return fmt.Errorf("backup: a value of type %T", value)
		}
	}
	d.buf = b
	d.h.Write(append(b, '\n'))
	return nil
}

func (d *contentDigest) sum() string { return hex.EncodeToString(d.h.Sum(nil)) }

// describe computes the manifest of a file that is complete but for it.
func describe(ctx context.Context, tx *sqldb.Tx, engine sqldb.Dialect, schema int64, progress Progress) (*Manifest, error) {
	m := &Manifest{Format: format, Engine: engine.String(), Schema: schema, TakenAt: sqldb.Now()}
	tables, err := tx.Tables(ctx)
	if err != nil {
		return nil, err
	}
	var done int64
	for _, table := range portable(tables) {
		t, err := digestTable(ctx, tx, table, func(int64) {
			done++
			if done%1000 == 0 {
				progress.tell(Digesting, done, 0)
			}
		})
		if err != nil {
			return nil, err
		}
		m.Tables = append(m.Tables, t)
	}
	progress.tell(Digesting, done, done)
	tenants, err := journal.Tenants(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, id := range tenants {
		t := Tenant{ID: id}
		var head journal.Pos
		if err := tx.QueryRow(ctx, `SELECT count(*), coalesce(max(seq), 0) FROM event WHERE tenant_id = $1`, id).Scan(&t.Events, &head.Seq); err != nil {
			return nil, err
		}
		t.Head = head.String()
		var last []byte
		if err := tx.QueryRow(ctx, `SELECT count(*), (SELECT hash FROM journal_seal WHERE tenant_id = $1 ORDER BY seal_id DESC LIMIT 1)
			FROM journal_seal WHERE tenant_id = $1`, id).Scan(&t.Sealed, &last); err != nil {
			return nil, err
		}
		t.Hash = hex.EncodeToString(last)
		m.Events += t.Events
		m.Tenants = append(m.Tenants, t)
	}
	return m, nil
}
