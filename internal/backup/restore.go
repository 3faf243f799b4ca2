package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Restored is what Restore made.
type Restored struct {
	Manifest *Manifest
	// Chains is the verification of each tenant's journal in the new database.
	// A break was in the backed-up database already: it is told, and restored
	// as it was.
	Chains map[int64]*journal.Verification
}

// Restore makes a database from a backup: a new data folder, which must be
// empty or missing, or a PostgreSQL database without any row of ours. The
// backup is read whole and checked first. An older schema is brought up to
// this program's. It is all done or not at all.
//
// On PostgreSQL the restored events come, in their order, before every
// transaction of the new database.
func Restore(ctx context.Context, path string, target sqldb.Config, progress Progress) (*Restored, error) {
	r, err := restore(ctx, path, target, progress)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return r, nil
}

func restore(ctx context.Context, path string, target sqldb.Config, progress Progress) (*Restored, error) {
	m, err := Check(ctx, path, progress)
	if err != nil {
		return nil, err
	}
	target.Exclusive, target.AsIs = true, false
	if target.Dir != "" {
		err = restoreFolder(ctx, path, target, progress)
	} else {
		err = restorePostgres(ctx, path, target, m, progress)
	}
	if err != nil {
		return nil, err
	}
	// Opened anew, as the server will: this also migrates a restored folder.
	db, err := sqldb.Open(ctx, target)
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // it only read
	r := &Restored{Manifest: m, Chains: map[int64]*journal.Verification{}}
	for i, tenant := range m.Tenants {
		progress.tell(Verifying, int64(i), int64(len(m.Tenants)))
		v, err := journal.Verify(ctx, db, tenant.ID)
		if err != nil {
			return nil, err
		}
		if v.Events != tenant.Events {
			return nil, fmt.Errorf("%d events of tenant %d were restored, the backup has %d", v.Events, tenant.ID, tenant.Events)
		}
		r.Chains[tenant.ID] = v
	}
	progress.tell(Verifying, int64(len(m.Tenants)), int64(len(m.Tenants)))
	return r, nil
}

// restoreFolder gives the file its place: a backup is an SQLite database.
func restoreFolder(ctx context.Context, path string, target sqldb.Config, progress Progress) error {
	switch inside, err := os.ReadDir(target.Dir); {
	case err == nil && len(inside) > 0:
		return fmt.Errorf("%w: %s holds %s", ErrNotEmpty, target.Dir, inside[0].Name())
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(target.Dir, 0o750); err != nil {
		return err
	}
	part := filepath.Join(target.Dir, sqldb.FileName+".part")
	if err := copyFile(ctx, path, part, progress); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	file, err := sqldb.OpenFile(ctx, part, false)
	if err == nil {
		err = file.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "DROP TABLE "+manifestTable)
			return err
		})
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return sqldb.Publish(part, filepath.Join(target.Dir, sqldb.FileName))
}

func copyFile(ctx context.Context, from, to string, progress Progress) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	for done := int64(0); err == nil; {
		if err = ctx.Err(); err != nil {
			break
		}
		var n int64
		n, err = io.CopyN(out, in, 4<<20)
		done += n
		progress.tell(Restoring, done, info.Size())
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, out.Close())
}

func restorePostgres(ctx context.Context, path string, target sqldb.Config, m *Manifest, progress Progress) error {
	db, err := sqldb.Open(ctx, target)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // what was written is committed
	_, schema, err := db.Schema(ctx)
	if err != nil {
		return err
	}
	source, done, err := openAt(ctx, path, m, schema, progress)
	if err != nil {
		return err
	}
	defer done()
	return source.Read(ctx, func(ctx context.Context, from *sqldb.Tx) error {
		tables, alone, err := shared(ctx, from, db)
		if err != nil {
			return err
		}
		total, err := estimate(ctx, from, tables)
		if err != nil {
			return err
		}
		return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := empty(ctx, tx); err != nil {
				return err
			}
			c := &copier{progress: progress, phase: Restoring, total: total}
			for _, table := range tables {
				here := func(ctx context.Context, fn func(context.Context, *sqldb.Tx) error) error { return fn(ctx, tx) }
				if err := c.copy(ctx, from, here, table, func([]any) error { return nil }); err != nil {
					return err
				}
			}
			if err := forget(ctx, tx, alone); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `SELECT setval('event_seq', greatest(1, (SELECT coalesce(max(seq), 0) FROM event)))`)
			return err
		})
	})
}

// openAt opens a backup for reading at this program's schema: an older one is
// copied and migrated in a temporary folder.
func openAt(ctx context.Context, path string, m *Manifest, schema int64, progress Progress) (db *sqldb.DB, done func(), err error) {
	if m.Schema == schema {
		db, err = sqldb.OpenFile(ctx, path, true)
		return db, func() { db.Close() }, err //nolint:errcheck // it only read
	}
	dir, err := os.MkdirTemp("", "statincidents-restore-")
	if err != nil {
		return nil, nil, err
	}
	clean := func() { os.RemoveAll(dir) } //nolint:errcheck // a temporary folder
	folder := sqldb.Config{Dir: filepath.Join(dir, "data"), Scratch: true, Exclusive: true}
	if err = restoreFolder(ctx, path, folder, progress); err == nil {
		db, err = sqldb.Open(ctx, folder)
	}
	if err != nil {
		clean()
		return nil, nil, err
	}
	return db, func() { db.Close(); clean() }, nil //nolint:errcheck // it only read
}

// empty refuses a database that holds a row of ours, and keeps others from
// writing until the end of the transaction.
func empty(ctx context.Context, tx *sqldb.Tx) error {
	tables, err := tx.Tables(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(tables, func(a, b sqldb.Table) int { return int(sqldb.Flag(b.Name == "event") - sqldb.Flag(a.Name == "event")) })
	for _, t := range tables {
		if _, err := tx.Exec(ctx, "LOCK TABLE "+t.Name+" IN EXCLUSIVE MODE"); err != nil {
			return err
		}
		var some bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+t.Name+")").Scan(&some); err != nil {
			return err
		}
		if some {
			return fmt.Errorf("%w: table %s has rows", ErrNotEmpty, t.Name)
		}
	}
	return nil
}
