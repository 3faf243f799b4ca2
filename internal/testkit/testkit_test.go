package testkit

import (
	"context"
	"testing"

	"statincidents/internal/sqldb"
)

func TestEnginesAreMigrated(t *testing.T) {
	t.Parallel()
	Engines(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
			var n int
			return tx.QueryRow(ctx, `SELECT count(*) FROM incident`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
