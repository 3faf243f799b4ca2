// Package sqldb is the one place that knows which database engine runs.
//
// A DB has one way to write and one way to read. Write runs a command in one
// transaction; on SQLite a single writer runs the waiting commands one after
// the other inside one transaction (each in its savepoint) and commits them
// together, so that one disk flush serves them all. Read gives a consistent
// snapshot to any number of readers.
//
// SQL is written once for both engines: parameters as $1, $2…, instants in
// UTC milliseconds (Millis), booleans as 0/1 (Flag), tenant_id first in every
// key.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the embedded engine
)

// FileName is the SQLite database's file inside the data folder.
const FileName = "statincidents.db"

// Config says where the data is: exactly one of Dir and URL is set.
type Config struct {
	Dir string // data folder of the embedded SQLite database, created if missing
	URL string // PostgreSQL address: postgres://…
	Log *slog.Logger
}

// DB is an open, migrated database.
type DB struct {
	dialect Dialect
	cfg     Config
	log     *slog.Logger
	read    *sql.DB // many readers
	write   *sql.DB // SQLite: one connection, used by the writer goroutine only; PostgreSQL: same as read
	pg      *pgxpool.Pool

	queue  chan *job // SQLite commands waiting for the writer
	done   chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Open opens the database, copies an SQLite file aside if migrations are due,
// and runs them.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if (cfg.Dir == "") == (cfg.URL == "") {
		return nil, errors.New("sqldb: give either a data folder or a PostgreSQL address")
	}
	db := &DB{cfg: cfg, log: cfg.Log}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if cfg.URL != "" {
		err = db.openPostgres(ctx)
	} else {
		err = db.openSQLite(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) openSQLite(ctx context.Context) error {
	db.dialect = SQLite
	if err := os.MkdirAll(db.cfg.Dir, 0o750); err != nil {
		return fmt.Errorf("sqldb: data folder: %w", err)
	}
	path := filepath.Join(db.cfg.Dir, FileName)
	// Pragmas live in the address so that every connection of the pool has
	// them; busy_timeout comes first because the others may meet a lock.
	const common = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32768)&_pragma=mmap_size(268435456)"
	var err error
	if db.write, err = sql.Open("sqlite", "file:"+path+common+"&_txlock=immediate"); err != nil {
		return fmt.Errorf("sqldb: open %s: %w", path, err)
	}
	db.write.SetMaxOpenConns(1)
	if err := db.write.PingContext(ctx); err != nil {
		return fmt.Errorf("sqldb: open %s: %w", path, err)
	}
	if db.read, err = sql.Open("sqlite", "file:"+path+common+"&_pragma=query_only(1)"); err != nil {
		return fmt.Errorf("sqldb: open %s: %w", path, err)
	}
	n := max(4, runtime.GOMAXPROCS(0)*2)
	db.read.SetMaxOpenConns(n)
	db.read.SetMaxIdleConns(n)
	db.queue = make(chan *job, 256)
	db.done = make(chan struct{})
	db.closed = make(chan struct{})
	go db.writer()
	return nil
}

func (db *DB) openPostgres(ctx context.Context) error {
	db.dialect = PostgreSQL
	conf, err := pgxpool.ParseConfig(db.cfg.URL)
	if err != nil {
		return errors.New("sqldb: the PostgreSQL address cannot be read") // the cause may show a password
	}
	conf.MaxConns = int32(max(16, runtime.GOMAXPROCS(0)*4))
	if db.pg, err = pgxpool.NewWithConfig(ctx, conf); err != nil {
		return fmt.Errorf("sqldb: open PostgreSQL: %w", err)
	}
	if err := db.pg.Ping(ctx); err != nil {
		db.pg.Close()
		return fmt.Errorf("sqldb: reach PostgreSQL: %w", err)
	}
	db.read = stdlib.OpenDBFromPool(db.pg)
	db.write = db.read
	db.closed = make(chan struct{})
	return nil
}

// Dialect tells the engine.
func (db *DB) Dialect() Dialect { return db.dialect }

// Dir is the data folder on SQLite, empty on PostgreSQL.
func (db *DB) Dir() string { return db.cfg.Dir }

// Pool gives the native PostgreSQL pool (for LISTEN), nil on SQLite.
func (db *DB) Pool() *pgxpool.Pool { return db.pg }

// Closed is closed when Close begins.
func (db *DB) Closed() <-chan struct{} { return db.closed }

// Close waits for the commands in hand and closes the connections.
func (db *DB) Close() error {
	var err error
	db.once.Do(func() {
		close(db.closed)
		if db.queue != nil {
			<-db.done
			err = errors.Join(db.read.Close(), db.write.Close())
			return
		}
		err = db.read.Close()
		db.pg.Close()
	})
	return err
}

// Read runs fn on one consistent, read-only snapshot, taken at fn's first
// statement.
func (db *DB) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	ctx, err := enter(ctx)
	if err != nil {
		return err
	}
	opts := &sql.TxOptions{ReadOnly: true}
	if db.dialect == PostgreSQL {
		opts.Isolation = sql.LevelRepeatableRead
	}
	raw, err := db.read.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("sqldb: begin read: %w", err)
	}
	defer raw.Rollback() //nolint:errcheck // a read has nothing to commit
	return fn(ctx, &Tx{dialect: db.dialect, tx: raw})
}

// Now is the single clock of the stored world; tests replace nothing here,
// they pass instants to the rules.
func Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
