package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"modernc.org/sqlite" // the embedded engine
	sqlite3 "modernc.org/sqlite/lib"
)

// FileName is the SQLite database's file inside the data folder.
const FileName = "statincidents.db"

// openWait is how long an opening waits for another program that makes the
// same file.
const openWait = 10 * time.Second

// primaryCode keeps of an SQLite result code what it says without its detail.
const primaryCode = 0xff

// ErrNoDatabase is returned by Open with AsIs when there is nothing to open.
var ErrNoDatabase = errors.New("sqldb: there is no database in this folder")

// pragmas live in the address so that every connection of a pool has them;
// busy_timeout comes first because the others may meet a lock.
var pragmas = []string{
	"busy_timeout(10000)",
	"journal_mode(WAL)",
	"synchronous(FULL)", // "ok" means on disk
	"foreign_keys(1)",
	"secure_delete(1)", // what is deleted or erased is overwritten in the file
	"temp_store(MEMORY)",
	"cache_size(-32768)",           // KiB a connection
	"mmap_size(268435456)",         // bytes
	"journal_size_limit(67108864)", // a long reader lets the log grow: give the room back afterwards
}

// scratchPragmas are for a database that nobody misses after a crash.
var scratchPragmas = []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(OFF)", "temp_store(MEMORY)", "cache_size(-32768)"}

// filePragmas are for a file that must be complete by itself, without a log
// beside it.
var filePragmas = []string{"busy_timeout(10000)", "journal_mode(DELETE)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-32768)"}

func sqliteDSN(path string, pragmas []string, more ...string) string {
	var b strings.Builder
	b.WriteString("file:" + (&urlPath{path}).String() + "?")
	for _, p := range pragmas {
		b.WriteString("_pragma=" + p + "&")
	}
	return b.String() + strings.Join(more, "&")
}

// urlPath escapes what would end the path part of an SQLite address.
type urlPath struct{ path string }

func (u *urlPath) String() string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(u.path))
}

// private is the mode of a database's files: password hashes are in them.
const private = 0o640

func (db *DB) openSQLite(ctx context.Context) error {
	db.dialect = SQLite
	path := filepath.Join(db.cfg.Dir, FileName)
	if db.cfg.AsIs {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s", ErrNoDatabase, db.cfg.Dir)
		}
	}
	if err := os.MkdirAll(db.cfg.Dir, 0o750); err != nil {
		return fmt.Errorf("sqldb: data folder: %w", err)
	}
	if db.cfg.Exclusive {
		var err error
		if db.lock, err = lockFolder(db.cfg.Dir); err != nil {
			return err
		}
	}
	// SQLite would let everybody on the machine read a file that it makes; the
	// log beside it takes after the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, private)
	if err != nil {
		return fmt.Errorf("sqldb: database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("sqldb: database file: %w", err)
	}
	own := pragmas
	if db.cfg.Scratch {
		own = scratchPragmas
	}
	return db.openFile(ctx, path, own)
}

func (db *DB) openFile(ctx context.Context, path string, pragmas []string, more ...string) error {
	db.path = path
	var err error
	if db.write, err = sql.Open("sqlite", sqliteDSN(path, pragmas, more...)); err != nil {
		return fmt.Errorf("sqldb: open %s: %w", path, err)
	}
	db.write.SetMaxOpenConns(1)
	if err := firstConnection(ctx, db.write); err != nil {
		return fmt.Errorf("sqldb: open %s: %w", path, err)
	}
	if db.read, err = sql.Open("sqlite", sqliteDSN(path, pragmas, append(more, "_pragma=query_only(1)")...)); err != nil {
		return fmt.Errorf("sqldb: open %s: %w", path, err)
	}
	n := max(4, runtime.GOMAXPROCS(0)*2)
	db.read.SetMaxOpenConns(n)
	db.read.SetMaxIdleConns(n)
	return nil
}

// firstConnection makes the pool's first connection, which is the one that
// turns a new file to its write-ahead log. SQLite does not wait for that lock:
// of two programs that start at once on a new folder one is told "busy" at
// once, whatever busy_timeout says, so the wait is here.
func firstConnection(ctx context.Context, pool *sql.DB) error {
	for deadline := time.Now().Add(openWait); ; {
		err := pool.PingContext(ctx)
		var refused *sqlite.Error
		if !errors.As(err, &refused) || refused.Code()&primaryCode != sqlite3.SQLITE_BUSY || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// OpenFile opens an SQLite file that is not in a data folder (a backup), as it
// is: no migration runs. Read-only, the file and its folder may be on a medium
// that refuses writing.
func OpenFile(ctx context.Context, path string, readOnly bool) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("sqldb: %w", err)
	}
	db := &DB{dialect: SQLite, cfg: Config{Dir: filepath.Dir(path), AsIs: true}, log: slog.New(slog.DiscardHandler), closed: make(chan struct{})}
	var err error
	if readOnly {
		err = db.openFile(ctx, path, []string{"busy_timeout(10000)", "query_only(1)", "temp_store(MEMORY)", "cache_size(-32768)"}, "mode=ro")
	} else {
		err = db.openFile(ctx, path, filePragmas)
	}
	if err == nil {
		err = db.startWriter(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) startWriter(ctx context.Context) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqldb: writer: %w", err)
	}
	db.queue = make(chan *job, 256)
	db.done = make(chan struct{})
	w := &writer{conn: conn, log: db.log, queue: db.queue, seen: db.cfg.Seen, statements: newStatements(conn)}
	go func() {
		defer close(db.done)
		w.work()
		w.statements.close()
		if err := conn.Close(); err != nil {
			db.log.Error("close the writer's connection", "error", err)
		}
	}()
	return nil
}
