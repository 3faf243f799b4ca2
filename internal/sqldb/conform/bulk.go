package conform

import (
	"context"
	"strings"
	"testing"

	"statincidents/internal/sqldb"
)

func bulk(t *testing.T, b *bundle) {
	for _, size := range []int64{0, 1, 19, 20, 99, 100, 101, 2345} {
		b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
			if _, err := tx.Exec(ctx, `DELETE FROM conform`); err != nil {
				return err
			}
			rows := make([][]any, size)
			for i := range rows {
				rows[i] = []any{i, sqldb.Flag(i%2 == 0), "row", nil} // an int, as callers have
			}
			return tx.Insert(ctx, "conform", []string{"id", "n", "s", "b"}, rows, "")
		})
		if got := int64(len(b.ids(t))); got != size {
			t.Errorf("%d rows of %d were stored", got, size)
		}
	}
	err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		rows := make([][]any, 500)
		for i := range rows {
			rows[i] = []any{5000 + i, 1}
		}
		rows[444][0] = 1
		return tx.Insert(ctx, "conform", []string{"id", "n"}, rows, "")
	})
	if err == nil {
		t.Error("a key was stored twice")
	}
	if got := int64(len(b.ids(t))); got != 2345 {
		t.Errorf("%d rows after a refused insert, want 2345", got)
	}
}

func bulkConflict(t *testing.T, b *bundle) {
	rows := make([][]any, 250)
	for i := range rows {
		rows[i] = []any{i, 1}
	}
	upsert := "ON CONFLICT (id) DO UPDATE SET n = conform.n + excluded.n"
	for range 2 {
		b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.Insert(ctx, "conform", []string{"id", "n"}, rows, upsert)
		})
	}
	err := b.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var n, sum int64
		err := tx.QueryRow(ctx, `SELECT count(*), sum(n) FROM conform`).Scan(&n, &sum)
		if n != 250 || sum != 500 {
			t.Errorf("%d rows with sum %d, want 250 with 500", n, sum)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func upserts(t *testing.T, b *bundle) {
	for _, n := range []int64{1, 7} {
		b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.Upsert(ctx, "conform", []string{"id"}, []string{"id", "n"}, [][]any{{1, n}, {n + 10, n}})
		})
	}
	// With nothing but the key there is nothing to replace.
	for range 2 {
		b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
			key := []string{"tenant_id", "account_id", "school_id"}
			return tx.Upsert(ctx, "account_school", key, key, [][]any{{1, 2, 3}})
		})
	}
	b.expect(t, 1, 11, 17)
	err := b.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var n int64
		err := tx.QueryRow(ctx, `SELECT n FROM conform WHERE id = 1`).Scan(&n)
		if n != 7 {
			t.Errorf("the row holds %d", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func bulkWidth(t *testing.T, b *bundle) {
	err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Insert(ctx, "conform", []string{"id", "n"}, [][]any{{1, 1}, {2}}, "")
	})
	if err == nil || !strings.Contains(err.Error(), "1 values for 2 columns") {
		t.Errorf("told %v", err)
	}
	b.expect(t)
}
