// Package conform is what every engine owes the house, as tests: the same suite
// runs on SQLite and on PostgreSQL. It is imported by tests only.
package conform

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"statincidents/internal/sqldb"
)

// Run runs the suite; open gives a fresh, migrated database each time, closed
// at the end of its test.
func Run(t *testing.T, open func(t *testing.T) *sqldb.DB) {
	for _, test := range []struct {
		name string
		fn   func(*testing.T, *bundle)
	}{
		{"values come back as they went in", values},
		{"a command commits", commits},
		{"a refused command leaves nothing", rollsBack},
		{"a panicking command leaves nothing and harms nobody", panics},
		{"a failed statement undoes only its command", isolatesNeighbours},
		{"a caller that gave up before its turn writes nothing", cancelledBefore},
		{"a caller that gives up meanwhile learns the truth", cancelledDuring},
		{"a reader sees one moment", snapshot},
		{"a reader cannot write", readOnly},
		{"a command sees its own writes", ownWrites},
		{"two commands on one row follow one another", forUpdate},
		{"identifiers are given once and without holes", nextIDs},
		{"rows are inserted in bulk and in order", bulk},
		{"a bulk insert obeys its suffix", bulkConflict},
		{"a row of the wrong width is refused", bulkWidth},
		{"an upsert adds or replaces", upserts},
		{"a hook runs once, after the commit", onCommit},
		{"Write or Read inside another is refused", nested},
		{"Close waits for the commands in hand", closeWhileWriting},
		{"a closed database refuses", closed},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			test.fn(t, setup(t, open(t)))
		})
	}
}

type bundle struct{ db *sqldb.DB }

func setup(t *testing.T, db *sqldb.DB) *bundle {
	t.Helper()
	b := &bundle{db}
	kinds := "n BIGINT NOT NULL, x DOUBLE PRECISION, s TEXT, b BYTEA"
	if db.Dialect() == sqldb.SQLite {
		kinds = "n INTEGER NOT NULL, x REAL, s TEXT, b BLOB"
	}
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE conform (id INTEGER PRIMARY KEY, "+kinds+")")
		return err
	})
	return b
}

func (b *bundle) must(t *testing.T, fn func(context.Context, *sqldb.Tx) error) {
	t.Helper()
	if err := b.db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func put(ctx context.Context, tx *sqldb.Tx, id, n int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO conform (id, n) VALUES ($1, $2)`, id, n)
	return err
}

func (b *bundle) ids(t *testing.T) []int64 {
	t.Helper()
	var ids []int64
	err := b.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		ids, err = idsIn(ctx, tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func idsIn(ctx context.Context, tx *sqldb.Tx) ([]int64, error) {
	rows, err := tx.Query(ctx, `SELECT id FROM conform ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (b *bundle) expect(t *testing.T, want ...int64) {
	t.Helper()
	if got := b.ids(t); !slices.Equal(got, want) {
		t.Errorf("rows %v are stored, want %v", got, want)
	}
}

func commits(t *testing.T, b *bundle) {
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := put(ctx, tx, 1, 0); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE conform SET n = 5`)
		if n != 1 {
			t.Errorf("an update of one row touched %d", n)
		}
		return err
	})
	b.expect(t, 1)
}

var errRefused = errors.New("refused")

func rollsBack(t *testing.T, b *bundle) {
	err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		if err := put(ctx, tx, 1, 0); err != nil {
			return err
		}
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Errorf("the caller was told %v", err)
	}
	b.expect(t)
}

func panics(t *testing.T, b *bundle) {
	var wg sync.WaitGroup
	for i := range int64(20) {
		wg.Go(func() {
			err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				if err := put(ctx, tx, i, 0); err != nil {
					return err
				}
				if i%5 == 0 {
					panic("a rule is broken")
				}
				return nil
			})
			if i%5 == 0 && (err == nil || !strings.Contains(err.Error(), "a rule is broken")) {
				t.Errorf("the panic became %v", err)
			}
			if i%5 != 0 && err != nil {
				t.Errorf("a neighbour was harmed: %v", err)
			}
		})
	}
	wg.Wait()
	if got := len(b.ids(t)); got != 16 {
		t.Errorf("%d rows are stored, want 16", got)
	}
}

func isolatesNeighbours(t *testing.T, b *bundle) {
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error { return put(ctx, tx, 1000, 0) })
	var wg sync.WaitGroup
	for i := range int64(60) {
		wg.Go(func() {
			err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				if err := put(ctx, tx, i, 0); err != nil {
					return err
				}
				if i%3 == 0 {
					return put(ctx, tx, 1000, 0) // is there already
				}
				return nil
			})
			if (err != nil) != (i%3 == 0) {
				t.Errorf("command %d ends with %v", i, err)
			}
		})
	}
	wg.Wait()
	var want []int64
	for i := range int64(60) {
		if i%3 != 0 {
			want = append(want, i)
		}
	}
	b.expect(t, append(want, 1000)...)
}

func cancelledBefore(t *testing.T, b *bundle) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return put(ctx, tx, 1, 0) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the caller was told %v", err)
	}
	b.expect(t)
}

func cancelledDuring(t *testing.T, b *bundle) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := b.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := put(ctx, tx, 1, 0); err != nil {
			return err
		}
		cancel()
		return put(ctx, tx, 2, 0)
	})
	if err == nil {
		b.expect(t, 1, 2)
	} else {
		b.expect(t)
	}
	// And the next one is served.
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error { return put(ctx, tx, 3, 0) })
}

func snapshot(t *testing.T, b *bundle) {
	err := b.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		before, err := idsIn(ctx, tx)
		if err != nil {
			return err
		}
		b.must(t, func(ctx context.Context, tx *sqldb.Tx) error { return put(ctx, tx, 1, 0) })
		after, err := idsIn(ctx, tx)
		if !slices.Equal(before, after) {
			t.Errorf("the reader saw %v, then %v", before, after)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.expect(t, 1)
}

func readOnly(t *testing.T, b *bundle) {
	err := b.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return put(ctx, tx, 1, 0) })
	if err == nil {
		t.Error("a reader wrote")
	}
	b.expect(t)
}

func ownWrites(t *testing.T, b *bundle) {
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
		for id := range int64(3) {
			if err := put(ctx, tx, id, 0); err != nil {
				return err
			}
			got, err := idsIn(ctx, tx)
			if err != nil {
				return err
			}
			if len(got) != int(id)+1 {
				t.Errorf("after %d rows the command sees %d", id+1, len(got))
			}
		}
		return nil
	})
}

func forUpdate(t *testing.T, b *bundle) {
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error { return put(ctx, tx, 1, 0) })
	const each = 10
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range each {
				err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					var n int64
					if err := tx.QueryRow(ctx, `SELECT n FROM conform WHERE id = 1`+tx.ForUpdate()).Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, `UPDATE conform SET n = $1 WHERE id = 1`, n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	err := b.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var n int64
		err := tx.QueryRow(ctx, `SELECT n FROM conform WHERE id = 1`).Scan(&n)
		if n != 8*each {
			t.Errorf("%d of %d changes were kept", n, 8*each)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func nextIDs(t *testing.T, b *bundle) {
	var mu sync.Mutex
	given := map[int64]bool{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 10 {
				n := int64(1 + (i+k)%3)
				var first int64
				err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					var err error
					if first, err = tx.NextIDs(ctx, 1, "thing", n); err != nil {
						return err
					}
					if k == 3 {
						return errRefused // these numbers are given again
					}
					return nil
				})
				if k == 3 {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for id := first; id < first+n; id++ {
					if given[id] {
						t.Errorf("identifier %d was given twice", id)
					}
					given[id] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for id := int64(1); id <= int64(len(given)); id++ {
		if !given[id] {
			t.Errorf("identifier %d was never given", id)
		}
	}
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
		if first, err := tx.NextIDs(ctx, 2, "thing", 1); err != nil || first != 1 {
			t.Errorf("another tenant's first identifier is %d, %v", first, err)
		}
		if _, err := tx.NextIDs(ctx, 2, "thing", 0); err == nil {
			t.Error("no identifier at all was given")
		}
		return nil
	})
}

func onCommit(t *testing.T, b *bundle) {
	ran := 0
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
		tx.OnCommit(func() {
			ran++
			b.expect(t, 1)
		})
		return put(ctx, tx, 1, 0)
	})
	if ran != 1 {
		t.Errorf("the hook ran %d times", ran)
	}
	for _, fail := range []func() error{func() error { return errRefused }, func() error { panic("broken") }} {
		err := b.db.Write(t.Context(), func(context.Context, *sqldb.Tx) error { return fail() })
		if err == nil {
			t.Error("accepted")
		}
	}
	err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		tx.OnCommit(func() { t.Error("a hook of a refused command ran") })
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Error(err)
	}
}

func nested(t *testing.T, b *bundle) {
	nothing := func(context.Context, *sqldb.Tx) error { return nil }
	inside := func(ctx context.Context, _ *sqldb.Tx) error {
		if err := b.db.Write(ctx, nothing); !errors.Is(err, sqldb.ErrNested) {
			t.Errorf("a nested Write was told %v", err)
		}
		if err := b.db.Read(ctx, nothing); !errors.Is(err, sqldb.ErrNested) {
			t.Errorf("a nested Read was told %v", err)
		}
		return nil
	}
	b.must(t, inside)
	if err := b.db.Read(t.Context(), inside); err != nil {
		t.Fatal(err)
	}
}

func closeWhileWriting(t *testing.T, b *bundle) {
	var stored, begun atomic.Int64
	var wg sync.WaitGroup
	for i := range int64(8) {
		wg.Go(func() {
			for k := range int64(100_000) {
				err := b.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					begun.Add(1)
					return put(ctx, tx, i*100_000+k, 0)
				})
				if errors.Is(err, sqldb.ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				stored.Add(1)
			}
		})
	}
	for begun.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if begun.Load() != stored.Load() {
		t.Errorf("%d commands had begun, %d were told ok", begun.Load(), stored.Load())
	}
}

func closed(t *testing.T, b *bundle) {
	for range 2 {
		if err := b.db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func(context.Context, *sqldb.Tx) error { return nil }
	if err := b.db.Write(t.Context(), nothing); !errors.Is(err, sqldb.ErrClosed) {
		t.Errorf("Write was told %v", err)
	}
	if err := b.db.Read(t.Context(), nothing); !errors.Is(err, sqldb.ErrClosed) {
		t.Errorf("Read was told %v", err)
	}
}
