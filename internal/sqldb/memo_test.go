package sqldb_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// A writer that was told "ok" reads its own write at once, a value never goes
// back, and what is rolled back is never seen.
func TestMemo(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		type count struct{ n, version int64 }
		memo := sqldb.NewMemo(db, "test.version", func(ctx context.Context, tx *sqldb.Tx, tenant, version int64) (*count, error) {
			c := &count{version: version}
			return c, tx.QueryRow(ctx, `SELECT count(*) FROM team WHERE tenant_id = $1`, tenant).Scan(&c.n)
		})
		get := func() count {
			c, err := memo.Get(ctx, 1)
			if err != nil {
				t.Error(err)
				return count{}
			}
			return *c
		}
		refused := errors.New("refused")
		add := func(id int64, keep bool) error {
			return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				if err := memo.Touch(ctx, tx, 1); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `INSERT INTO team (tenant_id, team_id, name) VALUES (1, $1, $2)`, id, string(rune('a'+id))); err != nil {
					return err
				}
				if !keep {
					return refused
				}
				return nil
			})
		}
		if c := get(); c.n != 0 {
			t.Fatalf("%+v before anything", c)
		}
		if err := add(99, false); !errors.Is(err, refused) {
			t.Fatal(err)
		}
		if c := get(); c.n != 0 {
			t.Errorf("%+v after a refusal", c)
		}
		const writers, each = 4, 5
		var group sync.WaitGroup
		for w := range int64(writers) {
			group.Go(func() {
				last := int64(0)
				for n := range int64(each) {
					if err := add(w*each+n, true); err != nil {
						t.Error(err)
						return
					}
					c := get()
					if c.n < n+1 || c.n < last {
						t.Errorf("writer %d has written %d, sees %d after %d", w, n+1, c.n, last)
					}
					last = c.n
				}
			})
		}
		group.Wait()
		if c := get(); c.n != writers*each {
			t.Errorf("%+v at the end", c)
		}
		if c, err := memo.Get(ctx, 2); err != nil || c.n != 0 {
			t.Errorf("another tenant: %+v %v", c, err)
		}
	})
}
