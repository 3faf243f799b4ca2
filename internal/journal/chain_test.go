package journal_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func sealed(t testing.TB, db *sqldb.DB, j *journal.Journal, count int64) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for total := int64(0); total < count; {
		n, err := j.Seal(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		if total += n; n == 0 {
			if time.Now().After(deadline) {
				t.Fatalf("%d events of %d were sealed", total, count)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func verify(t testing.TB, db *sqldb.DB) *journal.Verification {
	t.Helper()
	v, err := journal.Verify(t.Context(), db, tenant)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestChainNamesTheFirstBrokenPlace(t *testing.T) {
	t.Parallel()
	type broken struct {
		kind   journal.BreakKind
		seal   int64
		number int64
		n      int64 // in the payload of the event named; -1 for none
	}
	// Two seals of 20 events; event number i (from 1) has n = i.
	for _, test := range []struct {
		name   string
		change string
		args   func(events []journal.Event) []any
		want   broken
		sqlite bool // one engine is enough to see that this field is covered
	}{
		{"payload", `UPDATE event SET data = '{"n":7,"x":1}' WHERE xact = $1 AND seq = $2`, at(7), broken{journal.EventAltered, 1, 7, 7}, false},
		{"instant", `UPDATE event SET at = at + 1 WHERE xact = $1 AND seq = $2`, at(27), broken{journal.EventAltered, 2, 27, 27}, true},
		{"record", `UPDATE event SET recorded_at = recorded_at + 1 WHERE xact = $1 AND seq = $2`, at(1), broken{journal.EventAltered, 1, 1, 1}, true},
		{"actor", `UPDATE event SET actor_id = 5 WHERE xact = $1 AND seq = $2`, at(2), broken{journal.EventAltered, 1, 2, 2}, true},
		{"actor kind", `UPDATE event SET actor_kind = 'account' WHERE xact = $1 AND seq = $2`, at(3), broken{journal.EventAltered, 1, 3, 3}, true},
		{"subject", `UPDATE event SET subject_id = 99 WHERE xact = $1 AND seq = $2`, at(20), broken{journal.EventAltered, 1, 20, 20}, true},
		{"subject kind", `UPDATE event SET subject_kind = 'memo' WHERE xact = $1 AND seq = $2`, at(21), broken{journal.EventAltered, 2, 21, 21}, true},
		{"school", `UPDATE event SET school_id = 1 WHERE xact = $1 AND seq = $2`, at(40), broken{journal.EventAltered, 2, 40, 40}, true},
		{"kind", `UPDATE event SET kind = 'note.burnt' WHERE xact = $1 AND seq = $2`, at(4), broken{journal.EventAltered, 1, 4, 4}, true},
		{"removed", `DELETE FROM event WHERE xact = $1 AND seq = $2`, at(9), broken{journal.EventRemoved, 1, 9, 10}, false},
		{"first removed", `DELETE FROM event WHERE xact = $1 AND seq = $2`, at(1), broken{journal.EventRemoved, 1, 1, 2}, true},
		{"last of a seal removed", `DELETE FROM event WHERE xact = $1 AND seq = $2`, at(20), broken{journal.EventRemoved, 1, 20, -1}, true},
		{"all removed", `DELETE FROM event WHERE xact <> $1 OR seq <> $2`, at(41), broken{journal.EventRemoved, 1, 1, -1}, false},
		{"added", `INSERT INTO event (tenant_id, xact, seq, at, recorded_at, actor_kind, actor_id, subject_kind, subject_id, kind, data)
			VALUES (1, $1, $2, 1, 1, 'system', 0, 'note', 1, 'note.written', '{"n":-5}')`,
			func(events []journal.Event) []any {
				// Between the 5th and the 6th: PostgreSQL leaves room, on SQLite room must be made.
				return []any{events[4].Pos.Xact, events[4].Pos.Seq + 1}
			}, broken{journal.EventAdded, 1, 6, -5}, false},
		{"added before all", `INSERT INTO event (tenant_id, xact, seq, at, recorded_at, actor_kind, actor_id, subject_kind, subject_id, kind, data)
			VALUES (1, $1, $2, 1, 1, 'system', 0, 'note', 1, 'note.written', '{"n":-5}')`,
			func([]journal.Event) []any { return []any{-1, 1} }, broken{journal.EventAdded, 1, 1, -5}, false},
		{"seal's hash", `UPDATE journal_seal SET hash = digests WHERE seal_id IN ($1, $2)`, two(2, 2), broken{journal.SealAltered, 2, 21, -1}, false},
		{"seal removed", `DELETE FROM journal_seal WHERE seal_id IN ($1, $2)`, two(1, 1), broken{journal.SealAltered, 1, 1, -1}, true},
		{"seal moved", `UPDATE journal_seal SET events = events - 1 WHERE seal_id IN ($1, $2)`, two(2, 2), broken{journal.SealAltered, 2, 21, -1}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			onEngines := testkit.Engines
			if test.sqlite {
				onEngines = func(t *testing.T, fn func(*testing.T, *sqldb.DB)) { fn(t, testkit.SQLite(t)) }
			}
			onEngines(t, func(t *testing.T, db *sqldb.DB) {
				j := journal.New(db)
				// On SQLite numbers have no hole: leave one where the test adds.
				for n := int64(1); n <= 41; n++ {
					if n == 6 && db.Dialect() == sqldb.SQLite {
						write(t, db, j, note(0, 0))
						exec(t, db, `DELETE FROM event WHERE subject_id = 0`)
						write(t, db, j, note(0, 0), note(n, n))
						exec(t, db, `DELETE FROM event WHERE subject_id = 0`)
						continue
					}
					write(t, db, j, note(n, n))
					if n == 20 || n == 40 {
						seen(t, j, int(n)) // all of them: one seal, not two
						sealed(t, db, j, 20)
					}
				}
				events := seen(t, j, 41)
				if v := verify(t, db); v.Break != nil || v.Events != 41 || v.Sealed != 40 || v.Seals != 2 || len(v.Hash) != 32 {
					t.Fatalf("before: %+v", v)
				}
				exec(t, db, test.change, test.args(events)...)
				v := verify(t, db)
				if v.Break == nil {
					t.Fatalf("the chain holds: %+v", v)
				}
				got := broken{v.Break.Kind, v.Break.Seal, v.Break.Number, -1}
				if v.Break.Event != nil {
					got.n = number(t, *v.Break.Event)
				}
				if got != test.want {
					t.Errorf("named %+v, want %+v", got, test.want)
				}
				if v.Seals != test.want.seal-1 || v.Sealed != 20*v.Seals {
					t.Errorf("%d seals with %d events hold", v.Seals, v.Sealed)
				}
			})
		})
	}
}

// at gives the position of the event number n.
func at(n int) func([]journal.Event) []any {
	return func(events []journal.Event) []any { return []any{events[n-1].Pos.Xact, events[n-1].Pos.Seq} }
}

func two(a, b int) func([]journal.Event) []any {
	return func([]journal.Event) []any { return []any{a, b} }
}

func exec(t testing.TB, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, query, args...)
		if err == nil && n == 0 {
			t.Fatalf("nothing was changed by %s %v", query, args)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Several sealers at work while several writers write: every event is sealed
// once, and the chain holds.
func TestSealersSealOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var sealers, writers sync.WaitGroup
		for range 3 {
			s := &journal.Sealer{Journal: journal.New(db), Tenant: tenant, Every: time.Millisecond}
			sealers.Go(func() {
				if err := s.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		j := journal.New(db)
		for w := range int64(4) {
			writers.Go(func() {
				for n := range int64(50) {
					write(t, db, j, note(w, n), note(w, n))
				}
			})
		}
		writers.Wait()
		deadline := time.Now().Add(90 * time.Second)
		for verify(t, db).Sealed < 400 && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		sealers.Wait()
		if v := verify(t, db); v.Break != nil || v.Sealed != 400 || v.Events != 400 {
			t.Errorf("%+v", v)
		}
	})
}

func TestAnEmptyChainHolds(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		if n, err := journal.New(db).Seal(t.Context(), tenant); n != 0 || err != nil {
			t.Errorf("sealed %d events, %v", n, err)
		}
		if v := verify(t, db); v.Break != nil || v.Seals != 0 || v.Hash != nil {
			t.Errorf("%+v", v)
		}
	})
}

func BenchmarkSealAndVerify(b *testing.B) {
	run := func(b *testing.B, db *sqldb.DB) {
		j := journal.New(db)
		events := make([]journal.Event, 20_000)
		for i := range events {
			events[i] = note(int64(i), int64(i))
		}
		write(b, db, j, events...)
		sealed(b, db, j, int64(len(events)))
		for b.Loop() {
			if v := verify(b, db); v.Break != nil || v.Sealed != int64(len(events)) {
				b.Fatalf("%+v", v)
			}
		}
		b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("SQLite", func(b *testing.B) { run(b, testkit.SQLite(b)) })
	b.Run("PostgreSQL", func(b *testing.B) { run(b, testkit.PostgreSQL(b)) })
}
