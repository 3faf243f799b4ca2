package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrClosed is returned by Write after Close.
var ErrClosed = errors.New("sqldb: the database is closed")

// ErrRetry wrapped in the error of a command on PostgreSQL asks Write to run
// the command again in a new transaction.
var ErrRetry = errors.New("sqldb: the transaction must run again")

// ErrNested is returned by a Write or Read that is called with the context of
// another one: on SQLite it would wait for itself, on PostgreSQL it could take
// the last connection while holding one. Use the transaction at hand.
var ErrNested = errors.New("sqldb: Write or Read inside Write or Read")

type insideKey struct{}

// enter marks a context as being inside a transaction.
func enter(ctx context.Context) (context.Context, error) {
	if ctx.Value(insideKey{}) != nil {
		return nil, ErrNested
	}
	return context.WithValue(ctx, insideKey{}, true), nil
}

// maxGroup bounds how many commands share one commit.
const maxGroup = 128

type job struct {
	ctx   context.Context
	fn    func(context.Context, *Tx) error
	err   error
	hooks []func()
	done  chan struct{}
}

// Write runs fn in one transaction and returns once it is on disk. If fn
// returns an error (or panics) nothing of it is kept. On PostgreSQL fn runs
// again after a serialization failure or a deadlock, so it must have no effect
// outside tx; functions given to tx.OnCommit run once, after the commit.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	ctx, err := enter(ctx)
	if err != nil {
		return err
	}
	if db.dialect == PostgreSQL {
		return db.writePostgres(ctx, fn)
	}
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case <-db.closed:
		return ErrClosed
	default:
	}
	select {
	case db.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-db.closed:
		return ErrClosed
	}
	select {
	case <-j.done:
	case <-db.done: // the writer has gone; it may have finished this job first
		select {
		case <-j.done:
		default:
			return ErrClosed
		}
	}
	if j.err != nil {
		return j.err
	}
	for _, h := range j.hooks {
		h()
	}
	return nil
}

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
	raw, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("sqldb: begin: %w", err)
	}
	defer raw.Rollback() //nolint:errcheck // after a commit this is a no-op
	tx := &Tx{dialect: PostgreSQL, tx: raw}
	if err := guard(ctx, fn, tx); err != nil {
		return nil, err
	}
	if err := raw.Commit(); err != nil {
		return nil, fmt.Errorf("sqldb: commit: %w", err)
	}
	return tx.hooks, nil
}

// writer is the only user of the SQLite write connection.
func (db *DB) writer() {
	defer close(db.done)
	for {
		select {
		case j := <-db.queue:
			db.group(j)
		case <-db.closed:
			for {
				select {
				case j := <-db.queue:
					db.group(j)
				default:
					return
				}
			}
		}
	}
}

// group runs first and whatever else waits in one transaction and commits
// them together: "ok" is said to each only after the shared disk flush.
func (db *DB) group(first *job) {
	jobs := []*job{first}
	defer func() {
		for _, j := range jobs {
			close(j.done)
		}
	}()
	// The transaction outlives any single caller's context: a caller that
	// goes away must not roll back its neighbours.
	ctx := context.Background()
	raw, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		first.err = fmt.Errorf("sqldb: begin: %w", err)
		return
	}
	db.inSavepoint(raw, first)
	for len(jobs) < maxGroup {
		select {
		case j := <-db.queue:
			jobs = append(jobs, j)
			db.inSavepoint(raw, j)
			continue
		default:
		}
		break
	}
	if err := raw.Commit(); err != nil {
		for _, j := range jobs {
			if j.err == nil {
				j.err = fmt.Errorf("sqldb: commit: %w", err)
			}
		}
		raw.Rollback() //nolint:errcheck // the commit's own error is the one to report
	}
}

func (db *DB) inSavepoint(raw *sql.Tx, j *job) {
	if err := j.ctx.Err(); err != nil {
		j.err = err
		return
	}
	ctx := context.WithoutCancel(j.ctx)
	if _, err := raw.ExecContext(ctx, "SAVEPOINT command"); err != nil {
		j.err = fmt.Errorf("sqldb: savepoint: %w", err)
		return
	}
	tx := &Tx{dialect: SQLite, tx: raw}
	j.err = guard(ctx, j.fn, tx)
	if j.err != nil {
		if _, err := raw.ExecContext(ctx, "ROLLBACK TO command"); err != nil {
			j.err = errors.Join(j.err, fmt.Errorf("sqldb: roll back: %w", err))
		}
	}
	if _, err := raw.ExecContext(ctx, "RELEASE command"); err != nil && j.err == nil {
		j.err = fmt.Errorf("sqldb: release: %w", err)
	}
	j.hooks = tx.hooks
}

// guard turns a panic inside a command into an error, so that the writer
// lives and the neighbours of the command are kept.
func guard(ctx context.Context, fn func(context.Context, *Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("sqldb: panic in a command: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(ctx, tx)
}
