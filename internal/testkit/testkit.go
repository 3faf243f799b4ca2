// Package testkit gives tests the real things: a fresh, migrated database on
// each engine and the shared reference data. It is imported by tests only.
package testkit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"statincidents/internal/sqldb"
)

// PostgresEnv names the variable that holds the address of a throw-away
// cluster (see pgcluster), where tests may create and drop databases.
const PostgresEnv = "STATINCIDENTS_TEST_POSTGRES"

// Engines runs a test on a fresh database of each engine. Without a cluster
// the PostgreSQL half is skipped with its reason.
func Engines(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		fn(t, SQLite(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		fn(t, PostgreSQL(t))
	})
}

// SQLite gives a fresh embedded database, closed at the end of the test.
func SQLite(tb testing.TB) *sqldb.DB {
	tb.Helper()
	return open(tb, sqldb.Config{Dir: tb.TempDir()})
}

// SQLitePages gives a fresh embedded database to a test that opens pages: at
// its end it fails if one of them read a whole table that grows for ever.
func SQLitePages(tb testing.TB) *sqldb.DB {
	tb.Helper()
	watch := &plans{known: map[string]bool{}}
	db := open(tb, sqldb.Config{Dir: tb.TempDir(), Seen: watch.see})
	tb.Cleanup(func() { watch.judge(tb, db) })
	return db
}

// PostgreSQL gives a fresh PostgreSQL database, dropped at the end of the test.
func PostgreSQL(tb testing.TB) *sqldb.DB {
	tb.Helper()
	return open(tb, sqldb.Config{URL: PostgresURL(tb)})
}

func open(tb testing.TB, cfg sqldb.Config) *sqldb.DB {
	tb.Helper()
	db, err := sqldb.Open(context.Background(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close database: %v", err)
		}
	})
	return db
}

// template is migrated once a test binary; each test's database is a copy.
var template = sync.OnceValues(func() (string, error) {
	ctx := context.Background()
	name := "template_" + token()
	if err := admin(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	db, err := sqldb.Open(ctx, sqldb.Config{URL: dbURL(name)})
	if err != nil {
		return "", err
	}
	return name, db.Close()
})

// PostgresURL gives the address of a fresh, migrated PostgreSQL database.
func PostgresURL(tb testing.TB) string {
	tb.Helper()
	needCluster(tb)
	from, err := template()
	if err != nil {
		tb.Fatalf("template database: %v", err)
	}
	return fresh(tb, " TEMPLATE "+from)
}

// EmptyPostgresURL gives the address of a PostgreSQL database without any
// table, for tests of migrations.
func EmptyPostgresURL(tb testing.TB) string {
	tb.Helper()
	needCluster(tb)
	return fresh(tb, "")
}

func needCluster(tb testing.TB) {
	tb.Helper()
	if os.Getenv(PostgresEnv) == "" {
		tb.Skipf("SKIPPED, NOT TESTED ON POSTGRESQL: %s is not set; run through `make test`, which starts a throw-away cluster", PostgresEnv)
	}
}

func fresh(tb testing.TB, how string) string {
	tb.Helper()
	name := "test_" + token()
	if err := admin(context.Background(), "CREATE DATABASE "+name+how); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := admin(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop test database: %v", err)
		}
	})
	return dbURL(name)
}

func dbURL(name string) string {
	u, err := url.Parse(os.Getenv(PostgresEnv))
	if err != nil {
		return ""
	}
	u.Path = "/" + name
	return u.String()
}

func admin(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, os.Getenv(PostgresEnv))
	if err != nil {
		return fmt.Errorf("test cluster: %w", err)
	}
	defer conn.Close(ctx)
	// Copying one template from several tests at once fails unless they take turns.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(4242)"); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return err
}

func token() string {
	var b [6]byte
	rand.Read(b[:]) // never fails, says its documentation
	return hex.EncodeToString(b[:])
}

// Root is the top folder of the project.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Shared gives the path of a file of the shared reference data, which lives
// beside the checkout and is not part of the project; without it the test is
// skipped with its reason.
func Shared(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(Root(), "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("SKIPPED, NOT TESTED: reference data %s is not beside the checkout", name)
	}
	return path
}
