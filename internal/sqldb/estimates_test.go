package sqldb

import (
	"context"
	"strings"
	"testing"
)

func TestEstimate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		columns         []string
		unique, partial bool
		want            string
	}{
		{"a primary key", []string{"tenant_id", "incident_id"}, true, false, "1000000 1000000 1"},
		{"an index that chooses twice", []string{"tenant_id", "school_id", "opened_at"}, false, false, "1000000 1000000 1000 100"},
		{"an index with a condition", []string{"tenant_id", "parent_id"}, false, true, "100000 100000 1000"},
		{"a key without tenant", []string{"token"}, true, false, "1000000 1"},
		{"many columns", []string{"tenant_id", "a", "b", "c", "d", "e", "f"}, false, false, "1000000 1000000 1000 100 30 10 5 5"},
	} {
		if got := estimate(c.columns, c.unique, c.partial); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The plans are those of a full database from the first day, on the writer's
// connection and on the readers', and when the file is opened again.
func TestTenantChoosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		db, err := Open(t.Context(), Config{Dir: dir, Scratch: true})
		if err != nil {
			t.Fatal(err)
		}
		plan := func(ctx context.Context, tx *Tx) error {
			var id, parent, notUsed int
			var detail string
			err := tx.QueryRow(ctx, `EXPLAIN QUERY PLAN SELECT title FROM incident WHERE tenant_id = $1 AND parent_id = $2 AND parent_id <> 0 ORDER BY incident_id`, 1, 2).Scan(&id, &parent, &notUsed, &detail)
			if err == nil && !strings.Contains(detail, "incident_parent (tenant_id=? AND parent_id=?)") {
				t.Errorf("children by number: %s", detail)
			}
			return err
		}
		if err := db.Read(t.Context(), plan); err != nil {
			t.Error(err)
		}
		if err := db.Write(t.Context(), plan); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
