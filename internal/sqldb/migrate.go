package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewerSchema is returned by Open when a newer program has already changed
// the database.
var ErrNewerSchema = errors.New("the database was made by a newer program")

// migrationWait is how long a start waits for another process that migrates
// the same folder.
const migrationWait = 30 * time.Second

func (db *DB) provider() (*goose.Provider, error) {
	source := db.cfg.migrations
	if source == nil {
		var err error
		if source, err = fs.Sub(migrations, "migrations"); err != nil {
			return nil, err
		}
	}
	dialect := goose.DialectSQLite3
	opts := []goose.ProviderOption{goose.WithLogger(goose.NopLogger())}
	if db.dialect == PostgreSQL {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, fmt.Errorf("sqldb: migration lock: %w", err)
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db.write, translatedFS{source, db.dialect}, opts...)
	if err != nil {
		return nil, fmt.Errorf("sqldb: migrations: %w", err)
	}
	return provider, nil
}

// Schema tells the version of the database's schema (0: none yet) and the
// version that this program works with.
func (db *DB) Schema(ctx context.Context) (current, target int64, err error) {
	provider, err := db.provider()
	if err != nil {
		return 0, 0, err
	}
	for _, source := range provider.ListSources() {
		target = max(target, source.Version)
	}
	table := `SELECT count(*) FROM sqlite_master WHERE name = 'goose_db_version'`
	if db.dialect == PostgreSQL {
		table = `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'goose_db_version'`
	}
	var exists int64
	if err := db.read.QueryRowContext(ctx, table).Scan(&exists); err != nil {
		return 0, 0, fmt.Errorf("sqldb: schema version: %w", err)
	}
	if exists == 0 {
		return 0, target, nil
	}
	if err := db.read.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&current); err != nil {
		return 0, 0, fmt.Errorf("sqldb: schema version: %w", err)
	}
	return current, target, nil
}

// migrate brings the schema to this program's version. There is no way back:
// on SQLite the file is first copied aside, on PostgreSQL the administrator's
// backup is the way back.
func (db *DB) migrate(ctx context.Context) error {
	current, target, err := db.Schema(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return fmt.Errorf("sqldb: %w: its schema is %d, this program knows %d; start the newer program", ErrNewerSchema, current, target)
	}
	if current == target {
		return nil
	}
	if db.dialect == SQLite {
		unlock, err := db.lockMigration(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		if current, _, err = db.Schema(ctx); err != nil {
			return err
		}
		if current > 0 && current < target {
			if err := db.copyAside(ctx, target); err != nil {
				return fmt.Errorf("sqldb: copy aside before migrating: %w", err)
			}
		}
	}
	provider, err := db.provider()
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("sqldb: migrate: %w", err)
	}
	db.log.Info("schema migrated", "from", current, "to", target, "steps", len(results))
	return nil
}

// lockMigration holds the SQLite folder while its schema changes: no server of
// the former schema may be running, and of two new ones one migrates.
func (db *DB) lockMigration(ctx context.Context) (unlock func(), err error) {
	if db.lock != nil {
		return func() {}, nil
	}
	for deadline := time.Now().Add(migrationWait); ; {
		l, err := lockFolder(db.cfg.Dir)
		if err == nil {
			return func() { l.release() }, nil //nolint:errcheck // closing the file gives the lock back in any case
		}
		if !errors.Is(err, ErrInUse) || time.Now().After(deadline) {
			return nil, fmt.Errorf("sqldb: the schema must change first: %w", err)
		}
		// The other one may just be migrating.
		if current, target, err := db.Schema(ctx); err == nil && current == target {
			return func() {}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (db *DB) copyAside(ctx context.Context, target int64) error {
	name := fmt.Sprintf("before-schema-%d-%s.db", target, Now().Format("20060102-150405.000"))
	if err := db.CopyTo(ctx, filepath.Join(db.cfg.Dir, name)); err != nil {
		return err
	}
	db.log.Info("database copied aside before migration", "file", name)
	return nil
}

// CopyTo writes a consistent copy of the SQLite database, complete and flushed
// once it bears its name; the file must not exist. Writers go on meanwhile.
func (db *DB) CopyTo(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sqldb: copy to %s: %w", path, errors.Join(fs.ErrExist, err))
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sqldb: copy to %s: %w", path, err)
	}
	if err := db.SnapshotTo(ctx, part); err != nil {
		os.Remove(part) //nolint:errcheck // it may not exist
		return err
	}
	return Publish(part, path)
}

// SnapshotTo writes a consistent copy of the SQLite database into a file that
// does not exist, without flushing it. Writers go on meanwhile.
func (db *DB) SnapshotTo(ctx context.Context, path string) error {
	if db.dialect != SQLite {
		return errors.New("sqldb: only an SQLite database is a file to copy")
	}
	// Its own connection: the readers' may write nowhere, the writer's is busy.
	own, err := sql.Open("sqlite", sqliteDSN(db.path, pragmas))
	if err != nil {
		return fmt.Errorf("sqldb: copy to %s: %w", path, err)
	}
	defer own.Close() //nolint:errcheck // it only read
	if _, err := own.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		return fmt.Errorf("sqldb: copy to %s: %w", path, err)
	}
	return nil
}

// Publish flushes a finished file and gives it its name, in the same folder,
// so that the name is either absent or complete, also after a power cut.
func Publish(part, path string) error {
	if err := os.Chmod(part, private); err != nil {
		return err
	}
	if err := flush(part); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return flushFolder(filepath.Dir(path))
}

func flush(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
