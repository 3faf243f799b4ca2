package sqldb

import (
	"context"
	"fmt"
	"strings"
)

// Upsert adds rows, or replaces those whose key (a unique index of the table,
// tenant_id first) is already there. No key may appear twice in rows.
func (tx *Tx) Upsert(ctx context.Context, table string, key, columns []string, rows [][]any) error {
	var set []string
	for _, c := range columns {
		isKey := false
		for _, k := range key {
			isKey = isKey || k == c
		}
		if !isKey {
			set = append(set, c+" = excluded."+c)
		}
	}
	suffix := fmt.Sprintf("ON CONFLICT (%s) DO UPDATE SET %s", strings.Join(key, ", "), strings.Join(set, ", "))
	if len(set) == 0 {
		suffix = fmt.Sprintf("ON CONFLICT (%s) DO NOTHING", strings.Join(key, ", "))
	}
	return tx.Insert(ctx, table, columns, rows, suffix)
}
