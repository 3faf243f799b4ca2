package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

const tenant = 1

// note is an event about a subject of its own making, with n in its payload.
func note(subject, n int64) journal.Event {
	return journal.Event{
		Tenant: tenant, At: time.UnixMilli(1_700_000_000_000 + n), Actor: journal.Actor{Kind: journal.BySystem},
		Subject: journal.Subject{Kind: "note", ID: subject}, Kind: "note.written", Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)),
	}
}

func number(t testing.TB, e journal.Event) int64 {
	t.Helper()
	var data struct{ N int64 }
	if err := json.Unmarshal(e.Data, &data); err != nil {
		t.Fatal(err)
	}
	return data.N
}

func numbers(t testing.TB, events []journal.Event) []int64 {
	t.Helper()
	var ns []int64
	for _, e := range events {
		ns = append(ns, number(t, e))
	}
	return ns
}

func write(t testing.TB, db *sqldb.DB, j *journal.Journal, events ...journal.Event) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return j.Append(ctx, tx, events...) })
	if err != nil {
		t.Fatal(err)
	}
}

// seen reads until count events were given. Elsewhere in the test cluster a
// transaction may be in flight, which holds the tail back for its time.
func seen(t testing.TB, j *journal.Journal, count int) []journal.Event {
	t.Helper()
	var all []journal.Event
	deadline := time.Now().Add(90 * time.Second)
	var after journal.Pos
	for len(all) < count && time.Now().Before(deadline) {
		events, err := j.Read(t.Context(), tenant, after, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
		if len(events) > 0 {
			after = events[len(events)-1].Pos
			continue
		}
		time.Sleep(5 * time.Millisecond)
	}
	return all
}

func TestAppendKeepsOrderAndContent(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := journal.New(db)
		var events []journal.Event
		for n := range int64(1234) {
			events = append(events, note(n%7, n))
		}
		write(t, db, j, events[:1000]...)
		write(t, db, j, events[1000:]...)
		got := seen(t, j, len(events))
		if len(got) != len(events) {
			t.Fatalf("%d events read, %d written", len(got), len(events))
		}
		for i, e := range got {
			if number(t, e) != int64(i) {
				t.Fatalf("event %d is number %d", i, number(t, e))
			}
			if i > 0 && e.Pos.Compare(got[i-1].Pos) <= 0 {
				t.Fatalf("position %v follows %v", e.Pos, got[i-1].Pos)
			}
		}
		want := events[1001]
		want.RecordedAt, want.Pos, want.At = got[1001].RecordedAt, got[1001].Pos, want.At.UTC()
		if fmt.Sprintf("%+v", got[1001]) != fmt.Sprintf("%+v", want) {
			t.Errorf("event read back as %+v, written as %+v", got[1001], want)
		}
		if late := time.Since(want.RecordedAt); late < 0 || late > time.Minute {
			t.Errorf("recorded at %v", want.RecordedAt)
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	j := journal.New(db)
	for name, change := range map[string]func(*journal.Event){
		"no tenant":     func(e *journal.Event) { e.Tenant = 0 },
		"no kind":       func(e *journal.Event) { e.Kind = "" },
		"no subject":    func(e *journal.Event) { e.Subject.Kind = "" },
		"no actor":      func(e *journal.Event) { e.Actor.Kind = "" },
		"no instant":    func(e *journal.Event) { e.At = time.Time{} },
		"not JSON":      func(e *journal.Event) { e.Data = []byte(`{"n":`) },
		"not UTF-8":     func(e *journal.Event) { e.Data = []byte("{\"n\":\"\xff\"}") },
		"other tenants": func(e *journal.Event) { e.Tenant = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			e := note(1, 1)
			change(&e)
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return j.Append(ctx, tx, note(1, 0), e) })
			if err == nil {
				t.Error("accepted")
			}
		})
	}
	if left := count(t, db); left != 0 {
		t.Errorf("%d events were kept", left)
	}
}

func count(t testing.TB, db *sqldb.DB) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM event WHERE tenant_id = $1`, tenant).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A transaction with the lower sequence commits after one with the higher: the
// tail waits for it, then gives both in order.
func TestTailNeverSkipsALateCommit(t *testing.T) {
	t.Parallel()
	db := testkit.PostgreSQL(t)
	j := journal.New(db)
	appended, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if err := j.Append(ctx, tx, note(1, 1)); err != nil {
				return err
			}
			close(appended)
			<-release
			return j.Append(ctx, tx, note(1, 3))
		})
	}()
	<-appended
	write(t, db, j, note(2, 2)) // a higher sequence than event 1, a lower one than event 3
	var after journal.Pos
	for range 20 {
		events, err := j.Read(t.Context(), tenant, after, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) > 0 {
			t.Fatalf("the tail showed %v while an older transaction is in flight", numbers(t, events))
		}
		time.Sleep(5 * time.Millisecond)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, seen(t, j, 3)); !slices.Equal(got, []int64{1, 3, 2}) {
		t.Errorf("the tail gave %v, not 1, 3 (the older transaction), 2", got)
	}
}

// The older transaction reaches a subject after the younger one changed it and
// committed: it must not be placed before it.
func TestOrderOfASubjectIsTheOrderOfItsState(t *testing.T) {
	t.Parallel()
	db := testkit.PostgreSQL(t)
	j := journal.New(db)
	lock := func(ctx context.Context, tx *sqldb.Tx, name string) error {
		_, err := tx.NextIDs(ctx, tenant, name, 1)
		return err
	}
	held, proceed, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	runs := 0
	go func() {
		done <- db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			runs++
			if err := lock(ctx, tx, "something else"); err != nil { // gives the transaction its number
				return err
			}
			if runs == 1 {
				close(held)
				<-proceed
			}
			if err := lock(ctx, tx, "subject"); err != nil {
				return err
			}
			return j.Append(ctx, tx, note(7, 2))
		})
	}()
	<-held
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		if err := lock(ctx, tx, "subject"); err != nil {
			return err
		}
		return j.Append(ctx, tx, note(7, 1))
	})
	if err != nil {
		t.Fatal(err)
	}
	close(proceed)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if runs != 2 {
		t.Errorf("the older transaction ran %d times", runs)
	}
	if got := numbers(t, seen(t, j, 2)); !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("events of the subject come as %v", got)
	}
}

func TestRolledBackEventsNeverHappened(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		j := journal.New(db)
		write(t, db, j, note(1, 1))
		refused := errors.New("refused")
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if err := j.Append(ctx, tx, note(1, 2)); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
		write(t, db, j, note(1, 3))
		if got := numbers(t, seen(t, j, 2)); !slices.Equal(got, []int64{1, 3}) {
			t.Errorf("journal holds %v", got)
		}
	})
}
