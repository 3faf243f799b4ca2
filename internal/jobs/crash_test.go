package jobs_test

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"statincidents/internal/jobs"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// The variables by which the test's own program, started again, becomes a
// process that works on jobs until it is killed.
const (
	workerDir = "STATINCIDENTS_TEST_JOBS_DIR"
	workerURL = "STATINCIDENTS_TEST_JOBS_URL"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerDir) != "" || os.Getenv(workerURL) != "" {
		if err := worker(); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// worker inserts jobs and says their numbers, once they are promised; the work
// of each notes it in the table of counters, with its end.
func worker() error {
	ctx := context.Background()
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: os.Getenv(workerDir), URL: os.Getenv(workerURL), Exclusive: true})
	if err != nil {
		return err
	}
	s := jobs.New(db, jobs.Config{Tenant: tenant, Poll: 5 * time.Millisecond, Alone: db.Dialect() == sqldb.SQLite, Lost: 500 * time.Millisecond, Beat: 50 * time.Millisecond})
	jobs.Handle(s, "note", jobs.Options{Concurrency: 8}, func(ctx context.Context, key string) error {
		return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if _, err := tx.NextIDs(ctx, tenant, key, 1); err != nil {
				return err
			}
			return s.Finish(ctx, tx)
		})
	})
	go s.Run(ctx) // until it is killed
	for n := 0; ; n++ {
		key := "note-" + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(n)
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := s.Insert(ctx, tx, "note", key, jobs.Insertion{})
			return err
		})
		if err != nil {
			return err
		}
		os.Stdout.WriteString(key + "\n")
	}
}

// TestKilledProcessesLoseNoJob kills processes at random moments: every job
// that was promised is done, and its effect is there once.
func TestKilledProcessesLoseNoJob(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: crash rounds take some seconds an engine (-short)")
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		killRounds(t, workerDir+"="+dir, sqldb.Config{Dir: dir})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		url := testkit.PostgresURL(t)
		killRounds(t, workerURL+"="+url, sqldb.Config{URL: url})
	})
}

func killRounds(t *testing.T, place string, cfg sqldb.Config) {
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 3)) // chooses moments
	var promised []string
	for range 8 {
		program := exec.CommandContext(t.Context(), os.Args[0]) // this test itself
		program.Env = append(os.Environ(), place)
		out, err := program.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		program.Stderr = &said
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		first := make(chan struct{})
		var read sync.WaitGroup
		read.Go(func() {
			lines := bufio.NewScanner(out)
			for n := 0; lines.Scan(); n++ {
				promised = append(promised, lines.Text())
				if n == 0 {
					close(first)
				}
			}
		})
		select {
		case <-first:
		case <-time.After(60 * time.Second):
			t.Fatalf("the process does nothing: %s", said.String())
		}
		time.Sleep(time.Duration(20+rng.IntN(200)) * time.Millisecond)
		if err := program.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		read.Wait()
		program.Wait() // it was killed: it has no good ending
	}
	if len(promised) < 16 {
		t.Fatalf("only %d jobs in all: the test did not exercise the queue", len(promised))
	}
	db, err := sqldb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	finishAll(t, db)
	done := map[string]int64{}
	err = db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT name, next FROM counter WHERE tenant_id = $1 AND name LIKE 'note-%'`, tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var next int64
			if err := rows.Scan(&name, &next); err != nil {
				return err
			}
			done[name] = next - 1
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range promised {
		if done[key] != 1 {
			t.Errorf("%s was done %d times", key, done[key])
		}
	}
	t.Logf("8 kills, %d jobs promised, each done once", len(promised))
}

// finishAll works here until nothing is left.
func finishAll(t *testing.T, db *sqldb.DB) {
	t.Helper()
	s := jobs.New(db, jobs.Config{Tenant: tenant, Poll: 5 * time.Millisecond, Alone: true, Lost: 500 * time.Millisecond, Beat: 50 * time.Millisecond})
	jobs.Handle(s, "note", jobs.Options{Concurrency: 8}, func(ctx context.Context, key string) error {
		return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if _, err := tx.NextIDs(ctx, tenant, key, 1); err != nil {
				return err
			}
			return s.Finish(ctx, tx)
		})
	})
	running(t, s)
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		left, err := s.List(t.Context(), admin, jobs.Filter{States: []jobs.State{jobs.Available, jobs.Running, jobs.Retryable}, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
	}
	t.Fatal("the jobs left do not end")
}
