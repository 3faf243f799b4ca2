package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"
)

// SQLite without statistics takes the first column of an index for a choice of
// some ten rows. Ours is the tenant, which chooses nothing: asked for the
// children of an incident by number, it would follow the primary key through
// half a million rows rather than an index that finds three. Statistics
// gathered by ANALYZE would depend on the moment they were taken, and a
// database that starts empty would keep those of an empty one. So the planner
// is told what we know, the same in a test and after ten years: a tenant has
// everything, and each further column chooses.
const (
	tableRows   = 1_000_000
	partialRows = 100_000 // an index with a condition holds the rows that stand out
)

// chosen is how many rows are left by equality on the second, third… columns
// of an index.
var chosen = []int{1000, 100, 30, 10, 5}

// estimate is a row of sqlite_stat1: rows of the index, then the rows left by
// equality on its first column, its first two…
func estimate(columns []string, unique, partial bool) string {
	rows := tableRows
	if partial {
		rows = partialRows
	}
	var b strings.Builder
	fmt.Fprint(&b, rows)
	next := 0
	for k, column := range columns {
		left := rows
		if column != "tenant_id" || k > 0 {
			left = chosen[min(next, len(chosen)-1)]
			next++
		}
		if unique && k == len(columns)-1 {
			left = 1
		}
		fmt.Fprintf(&b, " %d", left)
	}
	return b.String()
}

// indexes reads the estimates of every index of the schema, by table and name.
func indexes(ctx context.Context, run runner) (map[[2]string]string, error) {
	rows, err := run.QueryContext(ctx, `SELECT t.name, l.name, l."unique", l.partial, coalesce(c.name, '')
		FROM sqlite_schema t, pragma_index_list(t.name) l, pragma_index_info(l.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND t.sql NOT LIKE 'CREATE VIRTUAL%'
		ORDER BY t.name, l.name, c.seqno`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type index struct {
		columns         []string
		unique, partial bool
	}
	all := map[[2]string]*index{}
	for rows.Next() {
		var key [2]string
		var i index
		var column string
		if err := rows.Scan(&key[0], &key[1], &i.unique, &i.partial, &column); err != nil {
			return nil, err
		}
		if all[key] == nil {
			all[key] = &i
		}
		all[key].columns = append(all[key].columns, column)
	}
	out := make(map[[2]string]string, len(all))
	for key, i := range all {
		out[key] = estimate(i.columns, i.unique, i.partial)
	}
	return out, rows.Err()
}

// setEstimates gives SQLite's planner the estimates, if it has not got them.
// It runs before any reader opens: a connection reads them once.
func (db *DB) setEstimates(ctx context.Context) error {
	conn, err := db.write.Conn(ctx)
	if err == nil {
		err = errors.Join(writeEstimates(ctx, conn), conn.Close())
	}
	if err != nil {
		return fmt.Errorf("sqldb: estimates: %w", err)
	}
	return nil
}

func writeEstimates(ctx context.Context, conn *sql.Conn) error {
	want, err := indexes(ctx, conn)
	if err != nil {
		return err
	}
	var known int
	if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'`).Scan(&known); err != nil {
		return err
	}
	if known > 0 {
		if has, err := estimates(ctx, conn); err != nil || maps.Equal(has, want) {
			return err
		}
	} else if _, err := conn.ExecContext(ctx, `ANALYZE counter`); err != nil { // only ANALYZE may make the table
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing to take back after Commit
	if _, err := tx.ExecContext(ctx, `DELETE FROM sqlite_stat1`); err != nil {
		return err
	}
	for key, stat := range want {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ($1, $2, $3)`, key[0], key[1], stat); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `ANALYZE sqlite_schema`) // read them again
	return err
}

func estimates(ctx context.Context, conn *sql.Conn) (map[[2]string]string, error) {
	rows, err := conn.QueryContext(ctx, `SELECT tbl, coalesce(idx, ''), stat FROM sqlite_stat1`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	has := map[[2]string]string{}
	for rows.Next() {
		var key [2]string
		var stat string
		if err := rows.Scan(&key[0], &key[1], &stat); err != nil {
			return nil, err
		}
		has[key] = stat
	}
	return has, rows.Err()
}
