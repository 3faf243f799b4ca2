package conform_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"statincidents/internal/sqldb"
	"statincidents/internal/sqldb/conform"
	"statincidents/internal/testkit"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	conform.Run(t, func(t *testing.T) *sqldb.DB { return testkit.SQLite(t) })
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	testkit.PostgreSQL(t) // skips once where there is no cluster
	conform.Run(t, func(t *testing.T) *sqldb.DB { return testkit.PostgreSQL(t) })
}

func engines(b *testing.B, fn func(b *testing.B, db *sqldb.DB)) {
	b.Helper()
	b.Run("SQLite", func(b *testing.B) { fn(b, testkit.SQLite(b)) })
	b.Run("PostgreSQL", func(b *testing.B) { fn(b, testkit.PostgreSQL(b)) })
}

func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			engines(b, func(b *testing.B, db *sqldb.DB) { conform.BenchmarkWrite(b, db, writers) })
		})
	}
}

// Rows like those of the journal, 1,000 a command.
func BenchmarkInsert(b *testing.B) {
	columns := []string{"tenant_id", "seq", "at", "recorded_at", "actor_kind", "actor_id", "subject_kind", "subject_id", "school_id", "kind", "data"}
	data := `{"set":{"state":"resolved","title":"` + strings.Repeat("x", 200) + `"}}`
	engines(b, func(b *testing.B, db *sqldb.DB) {
		n := int64(0)
		for b.Loop() {
			rows := make([][]any, 1000)
			for i := range rows {
				n++
				rows[i] = []any{int64(1), n, n, n, "person", n % 1000, "incident", n / 6, int64(3), "incident.updated", data}
			}
			err := db.Write(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				return tx.Insert(ctx, "event", columns, rows, "")
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
	})
}
