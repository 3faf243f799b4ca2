package sqldb

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to this program's version. There is no way back:
// on SQLite the file is first copied aside, on PostgreSQL the administrator's
// backup is the way back.
func (db *DB) migrate(ctx context.Context) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect := goose.DialectSQLite3
	opts := []goose.ProviderOption{goose.WithLogger(goose.NopLogger())}
	if db.dialect == PostgreSQL {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return fmt.Errorf("sqldb: migration lock: %w", err)
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db.write, translatedFS{sub, db.dialect}, opts...)
	if err != nil {
		return fmt.Errorf("sqldb: migrations: %w", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("sqldb: schema version: %w", err)
	}
	if current > target {
		return fmt.Errorf("sqldb: the database has schema %d, this program knows %d: start a newer program", current, target)
	}
	if current == target {
		return nil
	}
	if db.dialect == SQLite && current > 0 {
		aside := filepath.Join(db.cfg.Dir, fmt.Sprintf("before-schema-%d-%s.db", target, Now().Format(time.DateOnly)))
		if err := db.copyTo(ctx, aside); err != nil {
			return fmt.Errorf("sqldb: copy aside before migrating: %w", err)
		}
		db.log.Info("database copied aside before migration", "file", filepath.Base(aside))
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("sqldb: migrate: %w", err)
	}
	db.log.Info("schema migrated", "from", current, "to", target, "steps", len(results))
	return nil
}

// copyTo writes a consistent copy of the SQLite database; the file must not exist.
func (db *DB) copyTo(ctx context.Context, path string) error {
	_, err := db.write.ExecContext(ctx, "VACUUM INTO $1", path)
	return err
}
