package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Scrub makes the engine let go of what was erased or deleted. On SQLite the
// database overwrites it at once (secure_delete) and Scrub empties the
// write-ahead log, which holds pages as they were. On PostgreSQL it gives the
// dead rows of the tables back, to be overwritten by what is written next; the
// server's own archives of its log are its administrator's to expire.
func (db *DB) Scrub(ctx context.Context, tables ...string) (err error) {
	if db.dialect == PostgreSQL {
		for _, t := range tables {
			if _, err := db.pg.Exec(ctx, "VACUUM "+t); err != nil {
				return fmt.Errorf("sqldb: scrub %s: %w", t, err)
			}
		}
		return nil
	}
	pool, err := sql.Open("sqlite", sqliteDSN(db.path, []string{"busy_timeout(2000)"}))
	if err != nil {
		return fmt.Errorf("sqldb: scrub: %w", err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	for try := range 10 {
		var busy, pages, moved int
		if err := pool.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
			return fmt.Errorf("sqldb: scrub: %w", err)
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try+1) * 100 * time.Millisecond):
		}
	}
	return ErrBusy
}

// ErrBusy is returned by Scrub when a reader kept the log in use all the time:
// try again.
var ErrBusy = errors.New("sqldb: the log is in use")
