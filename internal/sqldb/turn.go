package sqldb

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// turns bounds the names of one statement.
const turns = 500

// Turn makes commands that name the same things follow one another until the
// end of their transactions. It must come before anything is written: on
// PostgreSQL the journal's order is that of the transactions' numbers, and a
// transaction gets its number at its first write, before it would wait for a
// row. SQLite has one writer. Begin the names with the room's own.
func (tx *Tx) Turn(ctx context.Context, tenant int64, names ...string) error {
	if tx.dialect == SQLite {
		return nil
	}
	keys := make([]int64, len(names))
	for k, name := range names {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s/%d", name, tenant)
		keys[k] = int64(h.Sum64())
	}
	slices.Sort(keys) // the same order for everybody, or two commands wait for each other
	for part := range slices.Chunk(slices.Compact(keys), turns) {
		args := make([]any, len(part))
		calls := make([]string, len(part))
		for k, key := range part {
			args[k] = key
			calls[k] = fmt.Sprintf("pg_advisory_xact_lock($%d::bigint)", k+1)
		}
		if _, err := tx.Exec(ctx, "SELECT "+strings.Join(calls, ","), args...); err != nil {
			return fmt.Errorf("sqldb: take turns: %w", err)
		}
	}
	return nil
}
