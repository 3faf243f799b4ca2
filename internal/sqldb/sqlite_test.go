package sqldb_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func open(t *testing.T, cfg sqldb.Config) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func putTeam(t testing.TB, db *sqldb.DB, id int64) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return team(ctx, tx, id) })
	if err != nil {
		t.Fatal(err)
	}
}

func team(ctx context.Context, tx *sqldb.Tx, id int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO team (tenant_id, team_id, name) VALUES (1, $1, $2)`, id, fmt.Sprint("team ", id))
	return err
}

func teams(t testing.TB, db *sqldb.DB) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM team`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestConfigNeedsOnePlace(t *testing.T) {
	t.Parallel()
	for _, cfg := range []sqldb.Config{{}, {Dir: t.TempDir(), URL: "postgres:///x"}} {
		if db, err := sqldb.Open(t.Context(), cfg); err == nil {
			db.Close()
			t.Errorf("%+v was opened", cfg)
		}
	}
	_, err := sqldb.Open(t.Context(), sqldb.Config{URL: "postgres://u:secret@:bad:/"})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("told %v", err)
	}
}

// Pragmas set once on a pool hold for one connection only: look at each.
func TestEveryConnectionHasThePragmas(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	want := map[string]string{
		"busy_timeout": "10000", "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1",
		"temp_store": "2", "cache_size": "-32768", "journal_size_limit": "67108864",
	}
	check := func(t *testing.T, query func(string) (string, error), more string) {
		t.Helper()
		want := want
		for name, value := range want {
			got, err := query("PRAGMA " + name)
			if err != nil || got != value {
				t.Errorf("%s is %q (%v), want %q", name, got, err, value)
			}
		}
		if got, err := query("PRAGMA query_only"); err != nil || got != more {
			t.Errorf("query_only is %q (%v), want %q", got, err, more)
		}
	}
	pool := sqldb.Readers(db)
	for range pool.Stats().MaxOpenConnections {
		conn, err := pool.Conn(t.Context()) // held, so that the next one is another
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		check(t, func(q string) (s string, err error) {
			err = conn.QueryRowContext(t.Context(), q).Scan(&s)
			return s, err
		}, "1")
	}
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		check(t, func(q string) (s string, err error) {
			err = tx.QueryRow(ctx, q).Scan(&s)
			return s, err
		}, "0")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFolderNamesAreTakenLiterally(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a?b#c%41 d é")
	db := open(t, sqldb.Config{Dir: dir})
	putTeam(t, db, 1)
	if _, err := os.Stat(filepath.Join(dir, sqldb.FileName)); err != nil {
		t.Error(err)
	}
}

// On a full disk SQLite undoes the whole transaction: commands that had been
// done in it must not be told "ok".
func TestALostTransactionIsToldToAll(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	results := make([]error, 9)
	wg.Go(func() {
		results[0] = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			close(held)
			<-hold // the others queue up meanwhile and join this transaction
			return team(ctx, tx, 100)
		})
	})
	<-held
	for i := 1; i < len(results); i++ {
		wg.Go(func() {
			results[i] = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				if err := team(ctx, tx, int64(i)); err != nil {
					return err
				}
				if i == 5 {
					return sqldb.Lose(ctx, tx)
				}
				return nil
			})
		})
	}
	time.Sleep(20 * time.Millisecond)
	close(hold)
	wg.Wait()
	ok := int64(0)
	for _, err := range results {
		if err == nil {
			ok++
		}
	}
	if results[5] == nil {
		t.Error("the command that lost the transaction was told ok")
	}
	if got := teams(t, db); got != ok {
		t.Errorf("%d commands were told ok, %d rows are stored", ok, got)
	}
	putTeam(t, db, 1000) // and life goes on
}

func TestAFolderIsServedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := open(t, sqldb.Config{Dir: dir, Exclusive: true})
	_, err := sqldb.Open(t.Context(), sqldb.Config{Dir: dir, Exclusive: true})
	if !errors.Is(err, sqldb.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("a second server is told %v", err)
	}
	beside := open(t, sqldb.Config{Dir: dir})
	putTeam(t, beside, 1)
	if teams(t, server) != 1 {
		t.Error("the server does not see what was written beside it")
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, sqldb.Config{Dir: dir, Exclusive: true})
}

const childEnv = "SQLDB_TEST_CHILD"

func TestMain(m *testing.M) {
	for name, run := range map[string]func(string) error{childEnv: child, crashEnv: crashing} {
		if place := os.Getenv(name); place != "" {
			if err := run(place); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// child writes beside the parent and then holds the folder until it is killed.
func child(dir string) error {
	ctx := context.Background()
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: dir})
	if err != nil {
		return err
	}
	for i := range int64(100) {
		if err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return team(ctx, tx, 10_000+i) }); err != nil {
			return err
		}
	}
	if err := db.Close(); err != nil {
		return err
	}
	if _, err := sqldb.Open(ctx, sqldb.Config{Dir: dir, Exclusive: true}); err != nil {
		fmt.Println(err)
	} else {
		fmt.Println("holding")
	}
	time.Sleep(time.Minute)
	return nil
}

// Another process writes beside a server, cannot serve the same folder, and
// its lock ends with it even when it is killed.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func() (*exec.Cmd, *bufio.Reader) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, bufio.NewReader(out)
	}
	kill := func(cmd *exec.Cmd) {
		cmd.Process.Kill()
		cmd.Wait()
	}
	server := open(t, sqldb.Config{Dir: dir, Exclusive: true})
	first, said := start()
	for i := range int64(300) {
		putTeam(t, server, i)
	}
	line, err := said.ReadString('\n')
	if err != nil || !strings.Contains(line, "in use by another process") {
		t.Errorf("the second server says %q, %v", line, err)
	}
	kill(first)
	if got := teams(t, server); got != 400 {
		t.Errorf("%d rows of 400 are stored", got)
	}
	err = server.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM team`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	second, said := start()
	if line, err := said.ReadString('\n'); err != nil || line != "holding\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	if _, err := sqldb.Open(t.Context(), sqldb.Config{Dir: dir, Exclusive: true}); !errors.Is(err, sqldb.ErrInUse) {
		t.Errorf("told %v", err)
	}
	kill(second)
	open(t, sqldb.Config{Dir: dir, Exclusive: true})
}

func TestCopyToIsWholeAndNeverOverwrites(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	for i := range int64(50) {
		putTeam(t, db, i)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, sqldb.FileName)
	if err := db.CopyTo(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := db.CopyTo(t.Context(), path); !errors.Is(err, os.ErrExist) {
		t.Errorf("an existing file: told %v", err)
	}
	if got := teams(t, open(t, sqldb.Config{Dir: dir})); got != 50 {
		t.Errorf("the copy has %d rows of 50", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
