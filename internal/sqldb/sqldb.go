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
// key. A command that judges a row before changing it reads it with
// Tx.ForUpdate.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"statincidents/internal/vault"
)

// ErrClosed is returned by Write and Read after Close.
var ErrClosed = errors.New("sqldb: the database is closed")

// ErrNested is returned by a Write or Read that is called with the context of
// another one: on SQLite it would wait for itself, on PostgreSQL it could take
// the last connection while holding one. Use the transaction at hand.
var ErrNested = errors.New("sqldb: Write or Read inside Write or Read")

// Config says where the data is: exactly one of Dir and URL is set.
type Config struct {
	Dir string // data folder of the embedded SQLite database, created if missing
	URL string // PostgreSQL address: postgres://…
	Log *slog.Logger

	// Exclusive keeps every other Exclusive user and every migration out of an
	// SQLite data folder until Close; Open returns ErrInUse when one is there.
	// The server takes it, and so do restore and a rebuild that rewrites.
	// Commands that write little (accounts, tokens) or read (backup, doctor,
	// rebuild --check), and imports, run beside a server without it: SQLite
	// lets one process write at a time and the other waits up to ten seconds.
	// It means nothing on PostgreSQL, which is made for several servers.
	Exclusive bool
	// AsIs opens the schema that is there, however old or new, creates nothing
	// and runs no migration: for doctor and backup. See Schema.
	AsIs bool
	// Scratch is for a throw-away SQLite database: nothing is flushed to disk.
	Scratch bool
	// Seen is told the text of each statement before it runs, from many
	// goroutines: tests look at the plans of what the product really asks.
	Seen func(query string)

	migrations fs.FS // instead of the embedded ones, in tests of the mechanism
}

// DB is an open, migrated database.
type DB struct {
	dialect Dialect
	cfg     Config
	log     *slog.Logger
	read    *sql.DB // many readers
	write   *sql.DB // SQLite: one connection; PostgreSQL: same as read
	pg      *pgxpool.Pool
	path    string      // SQLite: the file
	lock    *folderLock // SQLite, Exclusive

	queue chan *job // SQLite commands waiting for the writer
	done  chan struct{}

	vault *vault.Vault // nil: secrets are kept as they are

	mu     sync.RWMutex // guards the closing of closed
	closed chan struct{}
	users  sync.WaitGroup // transactions in hand
}

// Vault seals the secrets that rooms keep in the database; nil, which seals
// nothing, unless UseVault gave one.
func (db *DB) Vault() *vault.Vault { return db.vault }

// UseVault says with what secrets are sealed; to be called before the database
// is used.
func (db *DB) UseVault(v *vault.Vault) { db.vault = v }

// Open opens the database, copies an SQLite file aside if migrations are due,
// and runs them.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if (cfg.Dir == "") == (cfg.URL == "") {
		return nil, errors.New("sqldb: give either a data folder or a PostgreSQL address")
	}
	db := &DB{cfg: cfg, log: cfg.Log, closed: make(chan struct{})}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if cfg.URL != "" {
		err = db.openPostgres(ctx)
	} else {
		err = db.openSQLite(ctx)
	}
	if err == nil && !cfg.AsIs {
		err = db.migrate(ctx)
		if err == nil && db.dialect == SQLite && db.cfg.migrations == nil {
			err = db.setEstimates(ctx)
		}
	}
	if err == nil && db.dialect == SQLite {
		err = db.startWriter(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Dialect tells the engine.
func (db *DB) Dialect() Dialect { return db.dialect }

// Dir is the data folder on SQLite, empty on PostgreSQL.
func (db *DB) Dir() string { return db.cfg.Dir }

// Pool gives the native PostgreSQL pool (for LISTEN), nil on SQLite.
func (db *DB) Pool() *pgxpool.Pool { return db.pg }

// Closed is closed when Close begins.
func (db *DB) Closed() <-chan struct{} { return db.closed }

// Close refuses new transactions, waits for those in hand and closes the
// connections. A second Close does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	select {
	case <-db.closed:
		db.mu.Unlock()
		return nil
	default:
		close(db.closed)
	}
	db.mu.Unlock()
	db.users.Wait()
	if db.done != nil {
		close(db.queue)
		<-db.done
	}
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil && db.write != db.read {
		errs = append(errs, db.write.Close())
	}
	if db.pg != nil {
		db.pg.Close()
	}
	return errors.Join(append(errs, db.lock.release())...)
}

type insideKey struct{}

// enter counts a user in, marks its context as being inside a transaction, and
// gives what counts it out.
func (db *DB) enter(ctx context.Context) (context.Context, func(), error) {
	if ctx.Value(insideKey{}) == db {
		return nil, nil, ErrNested
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	select {
	case <-db.closed:
		return nil, nil, ErrClosed
	default:
	}
	db.users.Add(1)
	return context.WithValue(ctx, insideKey{}, db), db.users.Done, nil
}

// Read runs fn on one consistent, read-only snapshot, taken at fn's first
// statement.
func (db *DB) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	ctx, leave, err := db.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	opts := &sql.TxOptions{ReadOnly: true}
	if db.dialect == PostgreSQL {
		opts.Isolation = sql.LevelRepeatableRead
	}
	raw, err := db.read.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("sqldb: begin read: %w", err)
	}
	defer raw.Rollback() //nolint:errcheck // a read has nothing to commit
	return fn(ctx, &Tx{dialect: db.dialect, run: raw, seen: db.cfg.Seen})
}

// Now is the single clock of the stored world; tests replace nothing here,
// they pass instants to the rules.
func Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
