package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// memoTrust is how long a value is believed without asking the database
// whether another process has written. This process's own writes are seen at
// once.
const memoTrust = 200 * time.Millisecond

// Memo keeps in memory, for each tenant, an immutable value computed from
// tables whose every writer calls Touch in its transaction. Get costs two
// atomic loads, plus one indexed read at most every 200 ms.
type Memo[T any] struct {
	db      *DB
	counter string
	load    func(ctx context.Context, tx *Tx, tenant, version int64) (*T, error)
	tenants sync.Map // int64 → *memo[T]
}

type memo[T any] struct {
	touched atomic.Int64 // writes committed by this process
	current atomic.Pointer[memoValue[T]]
	loading sync.Mutex
}

type memoValue[T any] struct {
	value   *T
	version int64
	touched int64        // of the memo, read before the database was
	asked   atomic.Int64 // when the version was last read, milliseconds
}

// NewMemo makes a memo. The counter, which ends in ".version", names its version
// among the tenant's counters; load computes the value in one snapshot, where
// version was read.
func NewMemo[T any](db *DB, counter string, load func(ctx context.Context, tx *Tx, tenant, version int64) (*T, error)) *Memo[T] {
	if !strings.HasSuffix(counter, versionSuffix) {
		panic("sqldb: the counter of a memo ends in " + versionSuffix + ": " + counter)
	}
	return &Memo[T]{db: db, counter: counter, load: load}
}

func (m *Memo[T]) of(tenant int64) *memo[T] {
	if found, ok := m.tenants.Load(tenant); ok {
		return found.(*memo[T])
	}
	made, _ := m.tenants.LoadOrStore(tenant, &memo[T]{})
	return made.(*memo[T])
}

// Touch says that the transaction changes what the value is computed from. It
// must come before the writer's first read: on PostgreSQL it also makes the
// tenant's writers of these tables follow one another, so that a rule checked
// by one still holds when it commits.
func (m *Memo[T]) Touch(ctx context.Context, tx *Tx, tenant int64) error {
	if tx.Dialect() == PostgreSQL {
		// Before the transaction gets its number: transactions are then numbered
		// in the order in which they hold the turn, and so are their events.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext($1), $2::int)`, m.counter, tenant); err != nil {
			return fmt.Errorf("sqldb: take a turn at %s: %w", m.counter, err)
		}
	}
	if _, err := tx.NextIDs(ctx, tenant, m.counter, 1); err != nil {
		return err
	}
	tx.OnCommit(func() { m.of(tenant).touched.Add(1) })
	return nil
}

// versionSuffix ends the name of every memo's counter.
const versionSuffix = ".version"

// TouchAll makes every memo of a tenant, in every process, load again: for a
// command that rewrites tables whatever they are.
func TouchAll(ctx context.Context, tx *Tx, tenant int64) error {
	_, err := tx.Exec(ctx, `UPDATE counter SET next = next + 1 WHERE tenant_id = $1 AND name LIKE $2`, tenant, "%"+versionSuffix)
	return err
}

// Get gives the tenant's present value; the caller must not change it.
func (m *Memo[T]) Get(ctx context.Context, tenant int64) (*T, error) {
	t := m.of(tenant)
	if v := t.current.Load(); v.fresh(t) {
		return v.value, nil
	}
	t.loading.Lock()
	defer t.loading.Unlock()
	old := t.current.Load()
	if old.fresh(t) {
		return old.value, nil
	}
	touched := t.touched.Load()
	var next *memoValue[T]
	err := m.db.Read(ctx, func(ctx context.Context, tx *Tx) error {
		next = &memoValue[T]{touched: touched}
		err := tx.QueryRow(ctx, `SELECT next FROM counter WHERE tenant_id = $1 AND name = $2`, tenant, m.counter).Scan(&next.version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if old != nil && old.version == next.version {
			next.value = old.value
			return nil
		}
		next.value, err = m.load(ctx, tx, tenant, next.version)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sqldb: load %s: %w", m.counter, err)
	}
	next.asked.Store(Millis(Now()))
	t.current.Store(next)
	return next.value, nil
}

func (v *memoValue[T]) fresh(t *memo[T]) bool {
	return v != nil && v.touched == t.touched.Load() && Millis(Now())-v.asked.Load() < memoTrust.Milliseconds()
}
