package sqldb

import (
	"context"
	"database/sql"
	"fmt"
)

// Tx is a transaction (Write) or a snapshot (Read). It is used by one
// goroutine, inside the function it was given to.
type Tx struct {
	dialect    Dialect
	run        runner
	conn       *sql.Conn   // PostgreSQL, Write: the transaction's connection
	statements *statements // SQLite, Write
	hooks      []func()
	seen       func(query string) // nil: nobody watches
}

type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Dialect tells the engine, for the rare statement that must differ.
func (tx *Tx) Dialect() Dialect { return tx.dialect }

// ForUpdate is the end of a SELECT whose rows this command is going to change
// after having judged them: " FOR UPDATE" on PostgreSQL, so that two commands
// on the same row follow one another; nothing on SQLite, where all do.
func (tx *Tx) ForUpdate() string {
	if tx.dialect == PostgreSQL {
		return " FOR UPDATE"
	}
	return ""
}

// OnCommit registers fn to run once, after the transaction is on disk, before
// Write returns.
func (tx *Tx) OnCommit(fn func()) { tx.hooks = append(tx.hooks, fn) }

// Exec runs a statement and returns the number of rows it touched.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := tx.exec(ctx, query, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (tx *Tx) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	tx.tell(query)
	if tx.statements == nil {
		return tx.run.ExecContext(ctx, query, args...)
	}
	known, err := tx.statements.get(ctx, query)
	if err != nil {
		return nil, err
	}
	// A command that has begun is not interrupted, so nothing watches ctx.
	return known.stmt.ExecContext(context.WithoutCancel(ctx), args...)
}

// Query runs a query; the caller closes the rows before its next statement.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	tx.tell(query)
	return tx.run.QueryContext(ctx, query, args...)
}

// QueryRow runs a query of one row at most; scan it before the next statement.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	tx.tell(query)
	if tx.statements != nil {
		if known, err := tx.statements.get(ctx, query); err == nil {
			return known.stmt.QueryRowContext(ctx, args...)
		}
		// The query is refused: running it gives the caller the reason.
	}
	return tx.run.QueryRowContext(ctx, query, args...)
}

func (tx *Tx) tell(query string) {
	if tx.seen != nil {
		tx.seen(query)
	}
}

// NextIDs reserves n consecutive identifiers of a tenant's counter and returns
// the first. The reservation is part of the transaction: a rollback gives the
// numbers back, and on PostgreSQL two transactions that number the same kind
// of thing follow one another.
func (tx *Tx) NextIDs(ctx context.Context, tenant int64, counter string, n int64) (int64, error) {
	if n < 1 {
		return 0, fmt.Errorf("sqldb: number %s: %d identifiers asked", counter, n)
	}
	var next int64
	err := tx.QueryRow(ctx, `INSERT INTO counter (tenant_id, name, next) VALUES ($1, $2, $3 + 1)
		ON CONFLICT (tenant_id, name) DO UPDATE SET next = counter.next + $3 RETURNING next`, tenant, counter, n).Scan(&next)
	if err != nil {
		return 0, fmt.Errorf("sqldb: number %s: %w", counter, err)
	}
	return next - n, nil
}

// PlanAfresh makes the rest of the transaction look rows up by index, with a
// plan made for each statement. It is for bulk work on a table that has just
// been filled: PostgreSQL has no statistics of it yet, and a plan kept from
// when it was empty reads it whole for each lookup. SQLite needs nothing.
func (tx *Tx) PlanAfresh(ctx context.Context) error {
	if tx.dialect == SQLite {
		return nil
	}
	_, err := tx.Exec(ctx, "SELECT set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)")
	return err
}
