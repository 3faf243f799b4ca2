package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Table is what the database says of one of our tables.
type Table struct {
	Name    string
	Columns []Column // in the order of the table
	Key     []string // columns of the primary key, in its order
}

// Column is one column; Type is one of the four that migrations use.
type Column struct {
	Name string
	Type ColumnType
}

// ColumnType is how a column's values are stored, the same on both engines.
type ColumnType int

// The types, as migrations write them. Other is an engine's own (a text search
// vector), which cannot be carried to the other engine.
const (
	Other     ColumnType = iota
	Integer              // BIGINT
	Double               // DOUBLE PRECISION
	Text                 // TEXT
	ByteArray            // BYTEA
)

// Names lists the columns' names.
func (t Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// Tables lists the tables that migrations made, by name: without the ones that
// keep the schema's version, views, virtual tables and what these keep inside.
func (tx *Tx) Tables(ctx context.Context) ([]Table, error) {
	query := `SELECT t.name, c.name, c.type, c.pk FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
		WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND t.name <> 'goose_db_version'
		ORDER BY t.name, c.cid`
	if tx.dialect == PostgreSQL {
		query = `SELECT c.table_name, c.column_name, c.data_type, coalesce((
				SELECT array_position(i.indkey::int[], a.attnum::int) + 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
				WHERE i.indrelid = format('%I.%I', c.table_schema, c.table_name)::regclass AND i.indisprimary AND a.attname = c.column_name), 0)
			FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
			WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name <> 'goose_db_version'
			ORDER BY c.table_name COLLATE "C", c.ordinal_position`
	}
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("sqldb: tables: %w", err)
	}
	defer rows.Close()
	var tables []Table
	keys := map[string]map[int]string{}
	for rows.Next() {
		var table, column, kind string
		var key int
		if err := rows.Scan(&table, &column, &kind, &key); err != nil {
			return nil, fmt.Errorf("sqldb: tables: %w", err)
		}
		if len(tables) == 0 || tables[len(tables)-1].Name != table {
			tables = append(tables, Table{Name: table})
			keys[table] = map[int]string{}
		}
		t := &tables[len(tables)-1]
		t.Columns = append(t.Columns, Column{column, columnType(kind)})
		if key > 0 {
			keys[table][key] = column
		}
	}
	for i := range tables {
		of := keys[tables[i].Name]
		places := make([]int, 0, len(of))
		for place := range of {
			places = append(places, place)
		}
		slices.Sort(places)
		for _, place := range places {
			tables[i].Key = append(tables[i].Key, of[place])
		}
	}
	return tables, rows.Err()
}

func columnType(declared string) ColumnType {
	switch strings.ToUpper(declared) {
	case "INTEGER", "BIGINT":
		return Integer
	case "REAL", "DOUBLE PRECISION":
		return Double
	case "TEXT":
		return Text
	case "BLOB", "BYTEA":
		return ByteArray
	}
	return Other
}
