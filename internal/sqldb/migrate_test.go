package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// upTo are the migrations of a program of the past, or with more, of the
// future.
func upTo(t *testing.T, last int, more fstest.MapFS) fs.FS {
	t.Helper()
	own := fstest.MapFS{}
	for name, version := range numbered(t) {
		if version > last {
			continue
		}
		raw, err := fs.ReadFile(sqldb.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		own[name] = &fstest.MapFile{Data: raw}
	}
	maps.Copy(own, more)
	return own
}

func numbered(t *testing.T) map[string]int {
	t.Helper()
	names, err := fs.Glob(sqldb.Migrations(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, name := range names {
		n, err := strconv.Atoi(name[:5])
		if err != nil || name[5] != '_' {
			t.Errorf("migration %q is not named 00000_what.sql", name)
		}
		all[name] = n
	}
	return all
}

var future = fstest.MapFS{"99999_future.sql": {Data: []byte("-- +goose Up\nCREATE TABLE future (tenant_id BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (tenant_id, n)) STRICT;\n")}}

// places gives an empty database of each engine, by its configuration.
func places(t *testing.T, fn func(t *testing.T, cfg sqldb.Config)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		fn(t, sqldb.Config{Dir: t.TempDir()})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		fn(t, sqldb.Config{URL: testkit.EmptyPostgresURL(t)})
	})
}

// outline is the whole schema in text.
func outline(t *testing.T, db *sqldb.DB) []string {
	t.Helper()
	queries := []string{`SELECT coalesce(sql, name) FROM sqlite_master`}
	if db.Dialect() == sqldb.PostgreSQL {
		queries = []string{
			`SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
			 FROM information_schema.columns WHERE table_schema = 'public'`,
			`SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'`,
			`SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace`,
			`SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'`,
		}
	}
	var lines []string
	for _, q := range queries {
		err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			rows, err := tx.Query(ctx, q)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var line string
				if err := rows.Scan(&line); err != nil {
					return err
				}
				lines = append(lines, line)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(lines)
	return lines
}

// Whatever version a database comes from, it ends as a fresh one.
func TestUpgradeEqualsFreshInstall(t *testing.T) {
	t.Parallel()
	var versions []int
	for _, v := range numbered(t) {
		versions = append(versions, v)
	}
	slices.Sort(versions)
	versions = slices.Compact(versions)
	fresh := map[sqldb.Dialect][]string{sqldb.SQLite: outline(t, testkit.SQLite(t))}
	var once sync.Once
	for _, from := range versions[:len(versions)-1] {
		t.Run(fmt.Sprint("from ", from), func(t *testing.T) {
			places(t, func(t *testing.T, cfg sqldb.Config) {
				if cfg.URL != "" {
					once.Do(func() { fresh[sqldb.PostgreSQL] = outline(t, testkit.PostgreSQL(t)) })
				}
				old := open(t, sqldb.WithMigrations(cfg, upTo(t, from, nil)))
				if err := old.Close(); err != nil {
					t.Fatal(err)
				}
				db := open(t, cfg)
				if diff := cmp.Diff(fresh[db.Dialect()], outline(t, db)); diff != "" {
					t.Errorf("upgraded from %d (-fresh +upgraded):\n%s", from, diff)
				}
			})
		})
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	places(t, func(t *testing.T, cfg sqldb.Config) {
		db := open(t, sqldb.WithMigrations(cfg, upTo(t, 99999, future)))
		putTeam(t, db, 1)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := sqldb.Open(t.Context(), cfg)
		if !errors.Is(err, sqldb.ErrNewerSchema) || !strings.Contains(err.Error(), "99999") {
			t.Errorf("told %v", err)
		}
		cfg.AsIs = true
		asIs := open(t, cfg)
		if current, target, err := asIs.Schema(t.Context()); err != nil || current != 99999 || target >= current {
			t.Errorf("schema %d of %d, %v", current, target, err)
		}
		if teams(t, asIs) != 1 {
			t.Error("as it is, the database does not show its rows")
		}
	})
}

func TestSQLiteIsCopiedAsideBeforeAnUpgrade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asides := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "before-schema-*.db"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	db := open(t, sqldb.Config{Dir: dir})
	putTeam(t, db, 1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := asides(); len(got) != 0 {
		t.Fatalf("a fresh database was copied aside: %v", got)
	}
	broken := fstest.MapFS{"99999_future.sql": {Data: []byte("-- +goose Up\nCREATE TABLE half (n BIGINT) STRICT;\nCREATE TABLE half (n BIGINT) STRICT;\n")}}
	if _, err := sqldb.Open(t.Context(), sqldb.WithMigrations(sqldb.Config{Dir: dir}, upTo(t, 99999, broken))); err == nil {
		t.Fatal("a broken migration was accepted")
	}
	// The failed upgrade changed nothing: the old program still starts, and
	// the repaired new one is not stopped by the first copy.
	old := open(t, sqldb.Config{Dir: dir})
	putTeam(t, old, 2)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	upgraded := open(t, sqldb.WithMigrations(sqldb.Config{Dir: dir}, upTo(t, 99999, future)))
	if teams(t, upgraded) != 2 {
		t.Error("rows were lost")
	}
	copies := asides()
	if len(copies) != 2 {
		t.Fatalf("copies aside: %v", copies)
	}
	last := t.TempDir()
	if err := sqldb.Publish(copies[1], filepath.Join(last, sqldb.FileName)); err != nil {
		t.Fatal(err)
	}
	if got := teams(t, open(t, sqldb.Config{Dir: last})); got != 2 {
		t.Errorf("the copy aside has %d rows of 2", got)
	}
}

func TestASchemaDoesNotChangeUnderAServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, sqldb.Config{Dir: dir, Exclusive: true})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		db, err := sqldb.Open(ctx, sqldb.WithMigrations(sqldb.Config{Dir: dir}, upTo(t, 99999, future)))
		if err == nil {
			db.Close()
		}
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("a newer program opened beside a server: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("told %v", err)
	}
}

func TestSeveralProgramsStartAtOnce(t *testing.T) {
	t.Parallel()
	places(t, func(t *testing.T, cfg sqldb.Config) {
		var wg sync.WaitGroup
		for i := range int64(4) {
			wg.Go(func() {
				db, err := sqldb.Open(t.Context(), cfg)
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				err = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return team(ctx, tx, i) })
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := teams(t, open(t, cfg)); got != 4 {
			t.Errorf("%d rows of 4", got)
		}
	})
}

func TestAsIsCreatesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := sqldb.Open(t.Context(), sqldb.Config{Dir: dir, AsIs: true}); !errors.Is(err, sqldb.ErrNoDatabase) {
		t.Errorf("told %v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*")); len(found) > 0 {
		t.Errorf("created %v", found)
	}
}

func TestEveryTableBeginsItsKeyWithTheTenant(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			tables, err := tx.Tables(ctx)
			if err != nil {
				return err
			}
			if len(tables) < 20 {
				t.Errorf("only %d tables", len(tables))
			}
			for _, table := range tables {
				if len(table.Key) == 0 || table.Key[0] != "tenant_id" {
					t.Errorf("table %s has key %v", table.Name, table.Key)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
