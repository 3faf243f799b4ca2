package journal_test

import (
	"context"
	"slices"
	"testing"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// A database moved to a younger cluster keeps its order, its seals and its
// readers' places, and goes on.
func TestSettleAfterAMoveToAYoungerCluster(t *testing.T) {
	t.Parallel()
	db := testkit.PostgreSQL(t)
	j := journal.New(db)
	for n := range int64(40) {
		write(t, db, j, note(n%5, 2*n), note(n%5, 2*n+1))
	}
	seen(t, j, 80)
	sealed(t, db, j, 80)
	got := 0
	take := func(_ context.Context, _ *sqldb.Tx, events []journal.Event) error {
		for _, e := range events {
			if number(t, e) != int64(got) {
				t.Errorf("event %d follows %d", number(t, e), got-1)
			}
			got++
		}
		return nil
	}
	if err := j.CatchUp(t.Context(), tenant, "r", take); err != nil || got != 80 {
		t.Fatalf("%d events, %v", got, err)
	}
	if again, err := journal.Settle(t.Context(), db); again || err != nil {
		t.Fatalf("a healthy journal was renumbered: %v, %v", again, err)
	}
	// Ten more that the reader has not seen; then the transactions' numbers
	// come from another cluster's life.
	for n := int64(80); n < 90; n++ {
		write(t, db, j, note(n%5, n))
	}
	for _, query := range []string{
		`UPDATE event SET xact = xact + 4000000000`, `UPDATE journal_seal SET to_xact = to_xact + 4000000000`, `UPDATE reader_cursor SET xact = xact + 4000000000`,
	} {
		exec(t, db, query)
	}
	if again, err := journal.Settle(t.Context(), db); !again || err != nil {
		t.Fatalf("renumbered: %v, %v", again, err)
	}
	if again, err := journal.Settle(t.Context(), db); again || err != nil {
		t.Fatalf("renumbered twice: %v, %v", again, err)
	}
	if v := verify(t, db); v.Break != nil || v.Sealed != 80 {
		t.Errorf("%+v", v)
	}
	write(t, db, j, note(1, 90))
	want := make([]int64, 91)
	for i := range want {
		want[i] = int64(i)
	}
	if all := numbers(t, seen(t, j, 91)); !slices.Equal(all, want) {
		t.Errorf("the journal is now %v", all)
	}
	sealed(t, db, j, 11)
	if err := j.CatchUp(t.Context(), tenant, "r", take); err != nil || got != 91 {
		t.Errorf("the reader has seen %d events of 91, %v", got, err)
	}
	if v := verify(t, db); v.Break != nil || v.Sealed != 91 {
		t.Errorf("%+v", v)
	}
}

func TestTenantsAreThoseWithAJournal(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := journal.New(db)
		for _, id := range []int64{5, 1, 5, 70} {
			e := note(1, 1)
			e.Tenant = id
			write(t, db, j, e)
		}
		var got []int64
		err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			var err error
			got, err = journal.Tenants(ctx, tx)
			return err
		})
		if err != nil || !slices.Equal(got, []int64{1, 5, 70}) {
			t.Errorf("tenants %v, %v", got, err)
		}
	})
}
