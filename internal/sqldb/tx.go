package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Tx is a transaction (Write) or a snapshot (Read).
type Tx struct {
	dialect Dialect
	tx      *sql.Tx
	hooks   []func()
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
	res, err := tx.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Query runs a query; the caller closes the rows before its next statement.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return tx.tx.QueryContext(ctx, query, args...)
}

// QueryRow runs a query of one row at most.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.tx.QueryRowContext(ctx, query, args...)
}

// maxParams keeps under both engines' limits (SQLite 32,766, PostgreSQL 65,535).
const maxParams = 32_000

// Insert adds rows in as few statements as the engines allow. Suffix, if any,
// follows VALUES ("ON CONFLICT …"). Each row has one value a column.
func (tx *Tx) Insert(ctx context.Context, table string, columns []string, rows [][]any, suffix string) error {
	// 100 rows a statement: past that neither engine gains.
	per := min(100, maxParams/len(columns))
	head := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
	var full string
	args := make([]any, 0, per*len(columns))
	for len(rows) > 0 {
		n := min(per, len(rows))
		args = args[:0]
		for _, row := range rows[:n] {
			if len(row) != len(columns) {
				return fmt.Errorf("sqldb: insert into %s: %d values for %d columns", table, len(row), len(columns))
			}
			args = append(args, row...)
		}
		var query string
		switch {
		case n < per:
			query = head + tuples(n, len(columns)) + " " + suffix
		default:
			if full == "" {
				full = head + tuples(per, len(columns)) + " " + suffix
			}
			query = full
		}
		if _, err := tx.tx.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("sqldb: insert into %s: %w", table, err)
		}
		rows = rows[n:]
	}
	return nil
}

func tuples(rows, columns int) string {
	var b strings.Builder
	p := 1
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c := range columns {
			if c > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "$%d", p)
			p++
		}
		b.WriteByte(')')
	}
	return b.String()
}

// NextIDs reserves n consecutive identifiers of a tenant's counter and returns
// the first. The reservation is part of the transaction: a rollback gives the
// numbers back, and on PostgreSQL two transactions that number the same kind
// of thing follow one another.
func (tx *Tx) NextIDs(ctx context.Context, tenant int64, counter string, n int64) (int64, error) {
	var next int64
	err := tx.tx.QueryRowContext(ctx, `INSERT INTO counter (tenant_id, name, next) VALUES ($1, $2, $3 + 1)
		ON CONFLICT (tenant_id, name) DO UPDATE SET next = counter.next + $3 RETURNING next`, tenant, counter, n).Scan(&next)
	if err != nil {
		return 0, fmt.Errorf("sqldb: number %s: %w", counter, err)
	}
	return next - n, nil
}
