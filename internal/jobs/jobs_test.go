package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/jobs"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

const tenant = 1

var admin = auth.System(tenant)

// quick makes a service that looks often, so that tests do not wait.
func quick(db *sqldb.DB) *jobs.Service {
	return jobs.New(db, jobs.Config{Tenant: tenant, Poll: 10 * time.Millisecond, Beat: 20 * time.Millisecond, Lost: 300 * time.Millisecond})
}

func insert(t *testing.T, db *sqldb.DB, s *jobs.Service, kind string, args any, in jobs.Insertion) int64 {
	t.Helper()
	var id int64
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		id, err = s.Insert(ctx, tx, kind, args, in)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// running runs a service until the returned function is called.
func running(t *testing.T, s *jobs.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// await waits until a job is in a state.
func await(t *testing.T, s *jobs.Service, id int64, state jobs.State) jobs.Job {
	t.Helper()
	var last jobs.Job
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		list, err := s.List(t.Context(), admin, jobs.Filter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range list {
			if j.ID == id {
				last = j
			}
		}
		if last.State == state {
			return last
		}
	}
	t.Fatalf("job %d is %+v, want %s", id, last, state)
	return last
}

func TestAJobIsThereWithItsTransactionOnly(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := quick(db)
		ran := make(chan string, 10)
		jobs.Handle(s, "say", jobs.Options{}, func(_ context.Context, word string) error {
			ran <- word
			return nil
		})
		running(t, s)
		boom := errors.New("boom")
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if _, err := s.Insert(ctx, tx, "say", "never", jobs.Insertion{Priority: jobs.Urgent}); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		id := insert(t, db, s, "say", "hello", jobs.Insertion{})
		if got := <-ran; got != "hello" {
			t.Errorf("ran %q", got)
		}
		await(t, s, id, jobs.Completed)
		if len(ran) != 0 {
			t.Errorf("ran %q of a transaction that was given up", <-ran)
		}
	})
}

func TestWhatWorkAnswers(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := quick(db)
		var tries atomic.Int32
		s.Register("fails", jobs.Options{MaxAttempts: 1}, func(context.Context, json.RawMessage) error { return errors.New("the server said no") })
		s.Register("mends", jobs.Options{}, func(context.Context, json.RawMessage) error {
			if tries.Add(1) < 2 {
				return errors.New("not yet")
			}
			return nil
		})
		s.Register("hopeless", jobs.Options{}, func(context.Context, json.RawMessage) error { return jobs.Cancel(errors.New("no such person")) })
		s.Register("panics", jobs.Options{MaxAttempts: 1}, func(context.Context, json.RawMessage) error { panic("oh") })
		s.Register("slow", jobs.Options{MaxAttempts: 1, Timeout: 20 * time.Millisecond}, func(ctx context.Context, _ json.RawMessage) error {
			<-ctx.Done()
			return ctx.Err()
		})
		var snoozed atomic.Int32
		s.Register("later", jobs.Options{MaxAttempts: 1}, func(context.Context, json.RawMessage) error {
			if snoozed.Add(1) == 1 {
				return jobs.Snooze(time.Second)
			}
			return nil
		})
		jobs.Handle(s, "typed", jobs.Options{}, func(context.Context, int) error { return nil })
		running(t, s)
		for _, c := range []struct {
			kind  string
			state jobs.State
			err   string
		}{
			{"fails", jobs.Discarded, "the server said no"},
			{"hopeless", jobs.Cancelled, "no such person"},
			{"panics", jobs.Discarded, "panic: oh"},
			{"slow", jobs.Discarded, context.DeadlineExceeded.Error()},
			{"mends", jobs.Completed, ""},
			{"later", jobs.Completed, ""},
			{"typed", jobs.Cancelled, "arguments: json"},
		} {
			id := insert(t, db, s, c.kind, "args", jobs.Insertion{})
			j := await(t, s, id, c.state)
			if len(j.Error) < len(c.err) || j.Error[:len(c.err)] != c.err || c.err == "" && j.Error != "" {
				t.Errorf("%s: error %q, want %q", c.kind, j.Error, c.err)
			}
		}
		if tries.Load() != 2 || snoozed.Load() != 2 {
			t.Errorf("mends tried %d times, later %d times; want 2 and 2", tries.Load(), snoozed.Load())
		}
	})
}

func TestUniqueWhileItWaits(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := quick(db)
		s.Register("digest", jobs.Options{}, func(context.Context, json.RawMessage) error { return nil })
		first := insert(t, db, s, "digest", 1, jobs.Insertion{Key: "person 7"})
		if second := insert(t, db, s, "digest", 2, jobs.Insertion{Key: "person 7"}); first == 0 || second != 0 {
			t.Errorf("the same key gave jobs %d and %d", first, second)
		}
		if other := insert(t, db, s, "digest", 2, jobs.Insertion{Key: "person 8"}); other == 0 {
			t.Error("another key was refused")
		}
		running(t, s)
		await(t, s, first, jobs.Completed)
		if again := insert(t, db, s, "digest", 3, jobs.Insertion{Key: "person 7"}); again == 0 {
			t.Error("the key of an ended job was refused")
		}
	})
}

func TestAdministratorsRetryAndCancel(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := quick(db)
		var works atomic.Bool
		s.Register("mail", jobs.Options{MaxAttempts: 1}, func(context.Context, json.RawMessage) error {
			if !works.Load() {
				return errors.New("down")
			}
			return nil
		})
		later := insert(t, db, s, "mail", 1, jobs.Insertion{At: sqldb.Now().Add(time.Hour)})
		if err := s.Cancel(t.Context(), admin, later); err != nil {
			t.Fatal(err)
		}
		id := insert(t, db, s, "mail", 1, jobs.Insertion{Key: "one"})
		stop := running(t, s)
		await(t, s, id, jobs.Discarded)
		if err := s.Cancel(t.Context(), admin, id); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("cancel what was given up: %v", err)
		}
		teacher := auth.Identity{Tenant: tenant, Role: auth.Technician}
		if err := s.Retry(t.Context(), teacher, id); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("a technician retries: %v", err)
		}
		if err := s.Retry(t.Context(), admin, 99999); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("retry what is not: %v", err)
		}
		queues, err := s.Overview(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		if len(queues) != 1 || queues[0].Failing() != 1 || queues[0].Count[jobs.Cancelled] != 1 {
			t.Errorf("queues: %+v", queues)
		}
		works.Store(true)
		if err := s.Retry(t.Context(), admin, id); err != nil {
			t.Fatal(err)
		}
		await(t, s, id, jobs.Completed)
		stop()
		works.Store(false)
		// A key that another job has taken meanwhile holds the old one back.
		if err := s.Retry(t.Context(), admin, id); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("retry what is completed: %v", err)
		}
	})
}

// Two processes on one database: no job is run by both, none is forgotten.
func TestTwoProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		const n = 300
		var mu sync.Mutex
		runs, at := map[int]int{}, map[int]bool{}
		work := func(_ context.Context, k int) error {
			mu.Lock()
			if at[k] {
				mu.Unlock()
				return fmt.Errorf("job %d runs twice at once", k)
			}
			at[k] = true
			runs[k]++
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			at[k] = false
			mu.Unlock()
			return nil
		}
		first, second := quick(db), quick(db)
		for _, s := range []*jobs.Service{first, second} {
			jobs.Handle(s, "count", jobs.Options{MaxAttempts: 1, Concurrency: 8}, work)
		}
		running(t, first)
		running(t, second)
		for k := range n {
			insert(t, db, first, "count", k, jobs.Insertion{})
		}
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			queues, err := first.Overview(t.Context(), admin)
			if err != nil {
				t.Fatal(err)
			}
			if queues[0].Count[jobs.Discarded] > 0 || time.Now().After(end) {
				t.Fatalf("queues: %+v", queues)
			}
			if queues[0].Count[jobs.Completed] == n {
				break
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for k := range n {
			if runs[k] != 1 {
				t.Errorf("job %d ran %d times", k, runs[k])
			}
		}
	})
}

// A process that falls silent loses its jobs to another; when it speaks again
// it does not end what is no longer its own.
func TestSilentProcessLosesItsJobs(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		dead := jobs.New(db, jobs.Config{Tenant: tenant, Poll: 10 * time.Millisecond, Beat: time.Hour, Lost: time.Hour})
		taken, release := make(chan struct{}), make(chan struct{})
		dead.Register("long", jobs.Options{}, func(context.Context, json.RawMessage) error {
			close(taken)
			<-release
			return errors.New("too late")
		})
		stopDead := running(t, dead)
		id := insert(t, db, dead, "long", 1, jobs.Insertion{})
		<-taken
		heir := jobs.New(db, jobs.Config{Tenant: tenant, Poll: 10 * time.Millisecond, Beat: 20 * time.Millisecond, Lost: 50 * time.Millisecond, Alone: true})
		heir.Register("long", jobs.Options{}, func(context.Context, json.RawMessage) error { return nil })
		running(t, heir)
		j := await(t, heir, id, jobs.Completed)
		if j.Attempt != 2 {
			t.Errorf("attempt %d, want 2", j.Attempt)
		}
		close(release)
		stopDead()
		if j := await(t, heir, id, jobs.Completed); j.Error != "" {
			t.Errorf("the dead process wrote %q", j.Error)
		}
	})
}

func TestFinishWithItsEffects(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := quick(db)
		s.Register("step", jobs.Options{}, func(ctx context.Context, _ json.RawMessage) error {
			return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				if _, err := s.Insert(ctx, tx, "next", 1, jobs.Insertion{}); err != nil {
					return err
				}
				return s.Finish(ctx, tx)
			})
		})
		var next atomic.Int32
		s.Register("next", jobs.Options{}, func(context.Context, json.RawMessage) error { next.Add(1); return nil })
		id := insert(t, db, s, "step", 1, jobs.Insertion{})
		running(t, s)
		await(t, s, id, jobs.Completed)
		await(t, s, id+1, jobs.Completed)
		if next.Load() != 1 {
			t.Errorf("the next step ran %d times", next.Load())
		}
	})
}

func TestPeriodicJobsComeOncePerInstant(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		var ran atomic.Int32
		for range 2 {
			s := quick(db)
			s.Register("tick", jobs.Options{}, func(context.Context, json.RawMessage) error { ran.Add(1); return nil })
			s.Every("tick", "@every 1s", "tick", nil)
			running(t, s)
		}
		for end := time.Now().Add(20 * time.Second); ran.Load() < 2; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the periodic job did not come back")
			}
		}
		s := quick(db)
		list, err := s.List(t.Context(), admin, jobs.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for k := 1; k < len(list); k++ {
			if gap := list[k-1].CreatedAt.Sub(list[k].CreatedAt); gap < 500*time.Millisecond {
				t.Errorf("two jobs within %s: both processes lead", gap)
			}
		}
	})
}

func TestScheduleReadsTheLocalClock(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	when, err := jobs.ParseSchedule("30 7 * * 1-5", paris)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, want string }{
		{"2026-11-24T05:00:00Z", "2026-11-24T06:30:00Z"}, // winter
		{"2026-06-12T20:00:00Z", "2026-06-15T05:30:00Z"}, // Friday evening in summer
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := when.Next(from).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("after %s: %s, want %s", c.from, got, c.want)
		}
	}
	if _, err := jobs.ParseSchedule("every morning", paris); err == nil {
		t.Error("nonsense was read as a schedule")
	}
}
