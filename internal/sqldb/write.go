package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

const (
	// maxGroup and maxGroupTime bound how many commands share one commit, and
	// so how long the first of them waits for its "ok".
	maxGroup     = 128
	maxGroupTime = 20 * time.Millisecond
	// slowCommand is when a command is named in the log: it kept every other
	// writer waiting.
	slowCommand = time.Second
)

// Write runs fn in one transaction and returns once it is on disk. If fn
// returns an error (or panics) nothing of it is kept. On PostgreSQL fn runs
// again after a serialization failure, a deadlock or ErrRetry, so it must have
// no effect outside tx; functions given to tx.OnCommit run once, after the
// commit. Until fn has begun the caller can give up by ending ctx; from then
// on, on SQLite, fn runs to its end, so that what Write returns is what
// happened.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	ctx, leave, err := db.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if db.dialect == PostgreSQL {
		return db.writePostgres(ctx, fn)
	}
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case db.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	}
	<-j.done
	if j.err != nil {
		return j.err
	}
	for _, h := range j.hooks {
		h()
	}
	return nil
}

type job struct {
	ctx   context.Context
	fn    func(context.Context, *Tx) error
	err   error
	hooks []func()
	done  chan struct{}
}

// writer is the only user of the SQLite write connection.
type writer struct {
	conn       *sql.Conn
	statements *statements
	log        *slog.Logger
	queue      <-chan *job
	seen       func(query string)
}

func (w *writer) work() {
	for j := range w.queue {
		w.group(j)
	}
}

// group runs first and whatever else waits in one transaction and commits
// them together: "ok" is said to each only after the shared disk flush.
func (w *writer) group(first *job) {
	jobs := []*job{first}
	defer func() {
		for _, j := range jobs {
			close(j.done)
		}
	}()
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		first.err = fmt.Errorf("sqldb: begin: %w", err)
		return
	}
	began := time.Now()
	lost := w.run(first)
	for lost == nil && len(jobs) < maxGroup && time.Since(began) < maxGroupTime {
		select {
		case j, ok := <-w.queue:
			if ok {
				jobs = append(jobs, j)
				lost = w.run(j)
				continue
			}
		default:
		}
		break
	}
	if lost == nil {
		if err := w.exec("COMMIT"); err != nil {
			lost = fmt.Errorf("sqldb: commit: %w", err)
		}
	}
	if lost != nil {
		w.exec("ROLLBACK") //nolint:errcheck // lost says what went wrong; there may be nothing left to roll back
		w.log.Error("a group of commands was rolled back", "commands", len(jobs), "error", lost)
		for _, j := range jobs {
			if j.err == nil {
				j.err = lost
			}
		}
	}
}

// run gives a command its savepoint. A failed command is undone alone; lost
// says that the whole transaction is gone: on a full disk, for instance,
// SQLite undoes all of it.
func (w *writer) run(j *job) (lost error) {
	if err := j.ctx.Err(); err != nil {
		j.err = err
		return nil
	}
	if err := w.exec("SAVEPOINT command"); err != nil {
		return fmt.Errorf("sqldb: savepoint: %w", err)
	}
	// The command runs to its end even if its caller goes away; the end of
	// this context closes rows left open.
	ctx, cancel := context.WithCancel(context.WithoutCancel(j.ctx))
	defer cancel()
	began := time.Now()
	tx := &Tx{dialect: SQLite, run: w.conn, statements: w.statements, seen: w.seen}
	j.err = guard(ctx, j.fn, tx)
	if d := time.Since(began); d > slowCommand {
		w.log.Warn("a command kept the other writers waiting", "duration", d)
	}
	if j.err != nil {
		if err := w.exec("ROLLBACK TO command"); err != nil {
			return fmt.Errorf("sqldb: roll back a command: %w", errors.Join(err, j.err))
		}
	}
	if err := w.exec("RELEASE command"); err != nil {
		return fmt.Errorf("sqldb: end a command: %w", err)
	}
	j.hooks = tx.hooks
	return nil
}

func (w *writer) exec(query string) error {
	ctx := context.Background()
	known, err := w.statements.get(ctx, query)
	if err != nil {
		return err
	}
	_, err = known.stmt.ExecContext(ctx)
	return err
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
