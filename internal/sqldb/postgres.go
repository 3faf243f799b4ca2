package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

func (db *DB) openPostgres(ctx context.Context) error {
	db.dialect = PostgreSQL
	conf, err := pgxpool.ParseConfig(db.cfg.URL)
	if err != nil {
		return errors.New("sqldb: the PostgreSQL address cannot be read") // the cause may show a password
	}
	if !strings.Contains(db.cfg.URL, "pool_max_conns") {
		conf.MaxConns = int32(max(16, runtime.GOMAXPROCS(0)*4))
	}
	for name, value := range map[string]string{
		"application_name": "statincidents",
		// A process that hangs inside a transaction holds back every reader of
		// the journal: it is cut off.
		"idle_in_transaction_session_timeout": "60s",
	} {
		if _, given := conf.ConnConfig.RuntimeParams[name]; !given {
			conf.ConnConfig.RuntimeParams[name] = value
		}
	}
	if db.pg, err = pgxpool.NewWithConfig(ctx, conf); err != nil {
		return fmt.Errorf("sqldb: open PostgreSQL: %w", err)
	}
	if err := db.pg.Ping(ctx); err != nil {
		return fmt.Errorf("sqldb: reach PostgreSQL: %w", err)
	}
	db.read = stdlib.OpenDBFromPool(db.pg)
	db.write = db.read
	return nil
}

// ErrRetry wrapped in the error of a command on PostgreSQL asks Write to run
// the command again in a new transaction.
var ErrRetry = errors.New("sqldb: the transaction must run again")

func (db *DB) writePostgres(ctx context.Context, fn func(context.Context, *Tx) error) error {
	const attempts = 10
	for i := 1; ; i++ {
		hooks, err := db.tryPostgres(ctx, fn)
		if err == nil {
			for _, h := range hooks {
				h()
			}
			return nil
		}
		if i == attempts || !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(i*i) * 5 * time.Millisecond):
		}
	}
}

// again tells whether a command failed only because of its neighbours.
func again(err error) bool {
	if errors.Is(err, ErrRetry) {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

func (db *DB) tryPostgres(ctx context.Context, fn func(context.Context, *Tx) error) ([]func(), error) {
	// The connection is held beside the transaction for COPY, which
	// database/sql does not know.
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqldb: connection: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	raw, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("sqldb: begin: %w", err)
	}
	defer raw.Rollback() //nolint:errcheck // after a commit this is a no-op
	tx := &Tx{dialect: PostgreSQL, run: raw, conn: conn, seen: db.cfg.Seen}
	if err := guard(ctx, fn, tx); err != nil {
		return nil, err
	}
	if err := raw.Commit(); err != nil {
		return nil, fmt.Errorf("sqldb: commit: %w", err)
	}
	return tx.hooks, nil
}

// pgxConn gives the native connection of a write transaction to fn.
func pgxConn(conn *sql.Conn, fn func(*stdlib.Conn) error) error {
	return conn.Raw(func(c any) error {
		own, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("sqldb: unexpected PostgreSQL driver %T", c)
		}
		return fn(own)
	})
}
