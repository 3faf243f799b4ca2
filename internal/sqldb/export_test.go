package sqldb

import (
	"context"
	"database/sql"
	"io/fs"
)

// WithMigrations makes a configuration use other migrations.
func WithMigrations(cfg Config, source fs.FS) Config {
	cfg.migrations = source
	return cfg
}

// Migrations are the embedded ones.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err)
	}
	return sub
}

// Readers and Writers give the pools.
func Readers(db *DB) *sql.DB { return db.read }

// Writers gives SQLite's writing connection pool of one.
func Writers(db *DB) *sql.DB { return db.write }

// Lose makes SQLite give up the whole transaction inside a command, as it does
// when the disk is full.
func Lose(ctx context.Context, tx *Tx) error {
	_, err := tx.run.ExecContext(ctx, "ROLLBACK")
	return err
}
