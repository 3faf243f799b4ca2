package journal_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var errEnough = errors.New("enough")

// follow collects the numbers of the events after a position until there are
// count of them.
func follow(t testing.TB, j *journal.Journal, after journal.Pos, count int) []journal.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []journal.Event
	err := j.Follow(ctx, tenant, after, func(_ context.Context, events []journal.Event) error {
		if got = append(got, events...); len(got) >= count {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	return got
}

func TestFollowResumesAnywhere(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := journal.New(db)
		for n := range int64(30) {
			write(t, db, j, note(n, 3*n), note(n, 3*n+1), note(n, 3*n+2))
		}
		all := follow(t, j, journal.Pos{}, 90)
		for i, e := range all {
			if number(t, e) != int64(i) {
				t.Fatalf("event %d is number %d", i, number(t, e))
			}
		}
		for _, at := range []int{0, 1, 44, 88} {
			back, err := journal.ParsePos(all[at].Pos.String())
			if err != nil || back != all[at].Pos {
				t.Fatalf("position %v is read back as %v, %v", all[at].Pos, back, err)
			}
			rest := follow(t, j, back, 89-at)
			if len(rest) != 89-at || number(t, rest[0]) != int64(at+1) {
				t.Errorf("after event %d come %d events", at, len(rest))
			}
		}
		// A position of another life of the database is the end of this one.
		later := make(chan []journal.Event)
		go func() {
			far := all[89].Pos
			far.Xact, far.Seq = far.Xact+1_000_000, far.Seq+1_000_000
			later <- follow(t, j, far, 1)
		}()
		time.Sleep(50 * time.Millisecond)
		write(t, db, j, note(1, 90))
		if got := <-later; len(got) != 1 || number(t, got[0]) != 90 {
			t.Errorf("past the end: %d events", len(got))
		}
	})
}

func TestPositionsAreReadOrRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "1.", ".1", "1.2.3", "1 2", "99999999999999999999"} {
		if p, err := journal.ParsePos(s); err == nil {
			t.Errorf("%q is read as %v", s, p)
		}
	}
	for _, p := range []journal.Pos{{}, {Seq: 12}, {Xact: 7034, Seq: 12}, {Xact: -5, Seq: 1}} {
		if back, err := journal.ParsePos(p.String()); err != nil || back != p {
			t.Errorf("%v is read back as %v, %v", p, back, err)
		}
	}
}

// Eight writers, some of them slow, some refused; a reader that fails at random
// and starts again: every event takes effect once, each writer's in order.
func TestNamedReaderSeesEachEventOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := journal.New(db)
		const writers, each = 8, 40
		var wg sync.WaitGroup
		for w := range int64(writers) {
			wg.Go(func() {
				for n := range int64(each) {
					write(t, db, j, note(w, w*1000+n))
					err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						if err := j.Append(ctx, tx, note(w, -1)); err != nil {
							return err
						}
						if db.Dialect() == sqldb.PostgreSQL { // on SQLite it would only stop the others
							time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
						}
						return errEnough
					})
					if !errors.Is(err, errEnough) {
						t.Error(err)
					}
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		broken := errors.New("the reader broke")
		failures := 0
		for ctx.Err() == nil {
			err := j.Run(ctx, tenant, "copy", func(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
				for _, e := range events {
					id, err := tx.NextIDs(ctx, tenant, "copied", 1)
					if err != nil {
						return err
					}
					if _, err := tx.Exec(ctx, `INSERT INTO team (tenant_id, team_id, name) VALUES ($1, $2, $3)`, tenant, id, string(e.Data)); err != nil {
						return err
					}
					if rand.IntN(60) == 0 {
						return broken
					}
					if id == writers*each {
						tx.OnCommit(cancel)
					}
				}
				return nil
			})
			if errors.Is(err, broken) {
				failures++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		wg.Wait()
		want := seen(t, j, writers*each)
		var copied []string
		err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			rows, err := tx.Query(ctx, `SELECT name FROM team ORDER BY team_id`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var s string
				if err := rows.Scan(&s); err != nil {
					return err
				}
				copied = append(copied, s)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		last := map[int64]int64{}
		for i, e := range want {
			if i >= len(copied) || copied[i] != string(e.Data) {
				t.Fatalf("the reader's event %d of %d is not the journal's", i, len(copied))
			}
			n := number(t, e)
			if before, ok := last[n/1000]; ok && n != before+1 || !ok && n%1000 != 0 {
				t.Fatalf("writer %d: event %d follows %d", n/1000, n, before)
			}
			last[n/1000] = n
		}
		if len(copied) != writers*each {
			t.Errorf("%d events took effect, want %d", len(copied), writers*each)
		}
		if failures == 0 {
			t.Error("the reader never failed: the test shows nothing")
		}
	})
}

func TestCatchUpStopsAtTheEnd(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := journal.New(db)
		var events []journal.Event
		for n := range int64(2500) {
			events = append(events, note(1, n))
		}
		write(t, db, j, events...)
		seen(t, j, 2500) // until nothing in flight hides them
		var got []int64
		for range 2 {
			err := j.CatchUp(t.Context(), tenant, "r", func(_ context.Context, _ *sqldb.Tx, events []journal.Event) error {
				got = append(got, numbers(t, events)...)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != 2500 || !slices.IsSorted(got) {
			t.Errorf("%d events, sorted: %v", len(got), slices.IsSorted(got))
		}
		last := follow(t, j, journal.Pos{}, 2500)[2499].Pos
		if at, err := j.Cursor(t.Context(), tenant, "r"); err != nil || at != last {
			t.Errorf("the cursor is %v, %v, want %v", at, err, last)
		}
		if at, err := j.Cursor(t.Context(), tenant, "another"); err != nil || at != (journal.Pos{}) {
			t.Errorf("the cursor of a reader that never ran is %v, %v", at, err)
		}
	})
}

// Two processes run the same named reader: one at a time advances.
func TestAReaderAdvancesOnceInSeveralProcesses(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		var taken atomic.Int64
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			j := journal.New(db) // as in another process: it shares no wake-up
			wg.Go(func() {
				err := j.Run(ctx, tenant, "r", func(_ context.Context, tx *sqldb.Tx, events []journal.Event) error {
					tx.OnCommit(func() {
						if taken.Add(int64(len(events))) >= 300 {
							cancel()
						}
					})
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		j := journal.New(db)
		for n := range int64(300) {
			write(t, db, j, note(n, n))
		}
		wg.Wait()
		if taken.Load() != 300 {
			t.Errorf("300 events were taken %d times", taken.Load())
		}
	})
}

// latency measures how long after a command's "ok" a follower has its event.
func latency(t *testing.T, db *sqldb.DB, writer, reader *journal.Journal) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan int64, 100)
	stopped := make(chan error, 1)
	go func() {
		stopped <- reader.Follow(ctx, tenant, journal.Pos{}, func(_ context.Context, events []journal.Event) error {
			for _, e := range events {
				got <- number(t, e)
			}
			return nil
		})
	}()
	var all []time.Duration
	for n := range int64(30) {
		time.Sleep(5 * time.Millisecond)
		write(t, db, writer, note(n, n))
		said := time.Now()
		select {
		case <-got:
			all = append(all, time.Since(said))
		case <-time.After(60 * time.Second):
			t.Fatal("the event never came")
		}
	}
	cancel()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func TestReadersAreWokenInTheProcess(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := journal.New(db)
		if all := latency(t, db, j, j); all[len(all)/2] > 100*time.Millisecond {
			t.Errorf("an event comes after %v in the median: nothing wakes the reader", all[len(all)/2])
		}
	})
}

func TestReadersAreWokenFromAnotherProcess(t *testing.T) {
	t.Parallel()
	db := testkit.PostgreSQL(t)
	writer, reader := journal.New(db), journal.New(db)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for _, j := range []*journal.Journal{writer, reader} {
		wg.Go(func() {
			if err := j.Listen(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	if all := latency(t, db, writer, reader); all[len(all)/2] > 100*time.Millisecond {
		t.Errorf("an event comes after %v in the median: nothing wakes the reader", all[len(all)/2])
	}
	cancel()
	wg.Wait()
}

// A listener ends with the database, even if its context does not.
func TestListenDoesNotHoldUpClose(t *testing.T) {
	t.Parallel()
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: testkit.PostgresURL(t)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- journal.New(db).Listen(t.Context()) }()
	time.Sleep(50 * time.Millisecond)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(60 * time.Second):
		t.Error("Listen goes on after Close")
	}
}

func TestBigPayloadsMakeShortPages(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	j := journal.New(db)
	big := `{"n":1,"s":"` + string(slices.Repeat([]byte("x"), 3<<20)) + `"}`
	for range 5 {
		e := note(1, 1)
		e.Data = []byte(big)
		write(t, db, j, e)
	}
	events, err := j.Read(t.Context(), tenant, journal.Pos{}, 100)
	if err != nil || len(events) != 3 {
		t.Errorf("a page of %d events, %v", len(events), err)
	}
	if got := len(follow(t, j, journal.Pos{}, 5)); got != 5 {
		t.Errorf("%d events of 5", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	run := func(b *testing.B, db *sqldb.DB, size int) {
		j := journal.New(db)
		events := make([]journal.Event, size)
		for b.Loop() {
			for i := range events {
				events[i] = note(int64(i), int64(i))
			}
			write(b, db, j, events...)
		}
		b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("1/SQLite", func(b *testing.B) { run(b, testkit.SQLite(b), 1) })
	b.Run("1/PostgreSQL", func(b *testing.B) { run(b, testkit.PostgreSQL(b), 1) })
	b.Run("1000/SQLite", func(b *testing.B) { run(b, testkit.SQLite(b), 1000) })
	b.Run("1000/PostgreSQL", func(b *testing.B) { run(b, testkit.PostgreSQL(b), 1000) })
}
