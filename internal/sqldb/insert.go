package sqldb

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// rowsPerStatement is for PostgreSQL, where each statement is a round trip.
	rowsPerStatement = 100
	// copyFrom is the number of rows from which PostgreSQL's COPY pays.
	copyFrom = 20
	// maxParams keeps under PostgreSQL's limit of 65,535.
	maxParams = 32_000
)

// Insert adds rows in the quickest way of the engine, in order. Suffix, if
// any, follows VALUES ("ON CONFLICT …"; then no key may come twice in rows:
// PostgreSQL refuses it). Each row has one value a column.
//
// On SQLite that is one prepared statement of one row: a statement of many
// rows is slower, its numbered parameters being looked up by name (100,000
// event rows: 0.7 s one by one, 2.5 s by 100, 9 s by 400). On PostgreSQL it is
// COPY, or statements of many rows when there is a suffix.
func (tx *Tx) Insert(ctx context.Context, table string, columns []string, rows [][]any, suffix string) error {
	for _, row := range rows {
		if len(row) != len(columns) {
			return fmt.Errorf("sqldb: insert into %s: %d values for %d columns", table, len(row), len(columns))
		}
	}
	var err error
	switch {
	case tx.dialect == SQLite:
		err = tx.insertEach(ctx, table, columns, rows, suffix)
	case suffix == "" && len(rows) >= copyFrom && tx.conn != nil:
		err = tx.copyRows(ctx, table, columns, rows)
	default:
		err = tx.insertMany(ctx, table, columns, rows, suffix)
	}
	if err != nil {
		return fmt.Errorf("sqldb: insert into %s: %w", table, err)
	}
	return nil
}

func insertHead(table string, columns []string) string {
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
}

func (tx *Tx) insertEach(ctx context.Context, table string, columns []string, rows [][]any, suffix string) error {
	query := insertHead(table, columns) + tuples(1, len(columns)) + " " + suffix
	for _, row := range rows {
		if _, err := tx.exec(ctx, query, row); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) insertMany(ctx context.Context, table string, columns []string, rows [][]any, suffix string) error {
	per := min(rowsPerStatement, maxParams/len(columns))
	head := insertHead(table, columns)
	args := make([]any, 0, per*len(columns))
	for len(rows) > 0 {
		n := min(per, len(rows))
		args = args[:0]
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		if _, err := tx.exec(ctx, head+tuples(n, len(columns))+" "+suffix, args); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (tx *Tx) copyRows(ctx context.Context, table string, columns []string, rows [][]any) error {
	return pgxConn(tx.conn, func(c *stdlib.Conn) error {
		values := make([]any, len(columns))
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
			for k, v := range rows[i] {
				// The same conversions as in any other statement.
				plain, err := driver.DefaultParameterConverter.ConvertValue(v)
				if err != nil {
					return nil, fmt.Errorf("column %s: %w", columns[k], err)
				}
				values[k] = plain
			}
			return values, nil
		}))
		return err
	})
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
