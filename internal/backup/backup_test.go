package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/backup"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// A little context of one table: a team's name, whose events count in payload.
func teams() journal.Projection {
	return journal.Projection{
		Name: "teams", Subjects: []string{"team"}, Tables: []string{"team"},
		Apply: func(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
			for _, e := range events {
				var name string
				if err := json.Unmarshal(e.Data, &name); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `INSERT INTO team (tenant_id, team_id, name) VALUES ($1, $2, $3)
					ON CONFLICT (tenant_id, team_id) DO UPDATE SET name = excluded.name`, e.Tenant, e.Subject.ID, name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// name makes a new team (id 0) or renames one, as a command does.
func name(ctx context.Context, db *sqldb.DB, j *journal.Journal, tenant, id int64, name string) error {
	return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		id := id
		if id == 0 {
			var err error
			if id, err = tx.NextIDs(ctx, tenant, "team", 1); err != nil {
				return err
			}
		}
		data, err := json.Marshal(name)
		if err != nil {
			return err
		}
		e := journal.Event{
			Tenant: tenant, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.BySystem},
			Subject: journal.Subject{Kind: "team", ID: id}, Kind: "team.named", Data: data,
		}
		if err := teams().Apply(ctx, tx, []journal.Event{e}); err != nil {
			return err
		}
		return j.Append(ctx, tx, e)
	})
}

func read(t *testing.T, db *sqldb.DB, fn func(ctx context.Context, tx *sqldb.Tx) error) {
	t.Helper()
	if err := db.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// story is what happened to a tenant, in order, without positions.
func story(t *testing.T, db *sqldb.DB, tenant int64) []string {
	t.Helper()
	var lines []string
	read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT subject_id, recorded_at, data FROM event WHERE tenant_id = $1 ORDER BY xact, seq`, tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, at int64
			var data string
			if err := rows.Scan(&id, &at, &data); err != nil {
				return err
			}
			lines = append(lines, fmt.Sprint(id, " ", at, " ", data))
		}
		return rows.Err()
	})
	return lines
}

func explained(t *testing.T, db *sqldb.DB) {
	t.Helper()
	for _, tenant := range []int64{1, 2} {
		report, err := journal.CheckRebuild(t.Context(), db, tenant, []journal.Projection{teams()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Total != 0 || report.Events == 0 {
			t.Errorf("tenant %d: %d events, %d differences, first %v", tenant, report.Events, report.Total, report.Differences)
		}
	}
}

type engine struct {
	name string
	open func(t *testing.T) sqldb.Config // an empty place
}

var engines = []engine{
	{"SQLite", func(t *testing.T) sqldb.Config { return sqldb.Config{Dir: filepath.Join(t.TempDir(), "data")} }},
	{"PostgreSQL", func(t *testing.T) sqldb.Config { return sqldb.Config{URL: testkit.EmptyPostgresURL(t)} }},
}

func open(t *testing.T, cfg sqldb.Config) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// writers keeps four writers and a sealer at work on two tenants until stop.
func writers(t *testing.T, db *sqldb.DB) (written *atomic.Int64, stop func()) {
	t.Helper()
	j := journal.New(db)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	written = &atomic.Int64{}
	for w := range int64(4) {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := int64(n % 3) // 0: a new one
				if n < 3 {
					id = 0
				}
				if err := name(t.Context(), db, j, 1+w%2, id, fmt.Sprintf("équipe %d de %d", n, w)); err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
			}
		})
	}
	for tenant := range int64(2) {
		s := &journal.Sealer{Journal: j, Tenant: tenant + 1, Every: 5 * time.Millisecond}
		wg.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	return written, func() { cancel(); wg.Wait() }
}

// Every way from an engine to an engine, while four writers write: what is
// restored is a consistent beginning of the story, and the story goes on.
func TestBackupUnderLoadAndRestore(t *testing.T) {
	t.Parallel()
	for _, from := range engines {
		t.Run("from "+from.name, func(t *testing.T) {
			t.Parallel()
			db := open(t, from.open(t))
			written, stop := writers(t, db)
			for written.Load() < 300 {
				time.Sleep(time.Millisecond)
			}
			// A reader that has taken some of it.
			var taken []string
			for len(taken) == 0 {
				err := journal.New(db).CatchUp(t.Context(), 1, "reader", func(_ context.Context, _ *sqldb.Tx, events []journal.Event) error {
					for _, e := range events {
						taken = append(taken, string(e.Data))
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			before := written.Load()
			path := filepath.Join(t.TempDir(), "b.db")
			var phases []backup.Phase
			m, err := backup.Create(t.Context(), db, path, func(p backup.Phase, _, _ int64) { phases = append(phases, p) })
			if err != nil {
				t.Fatal(err)
			}
			during := written.Load() - before
			time.Sleep(20 * time.Millisecond)
			stop()
			t.Logf("%d events in the backup, %d commands during it", m.Events, during)
			if m.Events < before || m.Engine != db.Dialect().String() || len(m.Tenants) != 2 || m.Tenants[0].Hash == "" {
				t.Errorf("manifest %+v", m)
			}
			if got := slices.Compact(phases); !slices.Equal(got, []backup.Phase{backup.Copying, backup.Digesting}) {
				t.Errorf("phases %v", got)
			}
			again, err := backup.Check(t.Context(), path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, again); diff != "" {
				t.Errorf("the manifest reads otherwise: %s", diff)
			}
			for _, to := range engines {
				t.Run("to "+to.name, func(t *testing.T) {
					t.Parallel()
					restored(t, path, to.open(t), m, db, taken)
				})
			}
		})
	}
}

func restored(t *testing.T, path string, target sqldb.Config, m *backup.Manifest, source *sqldb.DB, taken []string) {
	r, err := backup.Restore(t.Context(), path, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, v := range r.Chains {
		want := m.Tenants[id-1]
		if v.Break != nil || v.Events != want.Events || fmt.Sprintf("%x", v.Hash) != want.Hash {
			t.Errorf("chain of tenant %d: %+v, want %+v", id, v, want)
		}
	}
	if _, err := backup.Restore(t.Context(), path, target, nil); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("restored twice: told %v", err)
	}
	db := open(t, target)
	explained(t, db)
	for tenant := int64(1); tenant <= 2; tenant++ {
		got, all := story(t, db, tenant), story(t, source, tenant)
		if int64(len(got)) != m.Tenants[tenant-1].Events || len(got) > len(all) {
			t.Fatalf("tenant %d: %d events restored of %d", tenant, len(got), m.Tenants[tenant-1].Events)
		}
		// On PostgreSQL an older transaction may have committed after the
		// backup, and stands before some that are in it.
		if source.Dialect() == sqldb.SQLite && !slices.Equal(got, all[:len(got)]) {
			t.Errorf("tenant %d: not a beginning of the story", tenant)
		}
		if at := 0; source.Dialect() == sqldb.PostgreSQL {
			for _, line := range all {
				if at < len(got) && got[at] == line {
					at++
				}
			}
			if at != len(got) {
				t.Errorf("tenant %d: event %d is not in the story's order", tenant, at)
			}
		}
	}
	// The story goes on: numbers follow, new events come after, readers resume.
	j := journal.New(db)
	if err := name(t.Context(), db, j, 1, 0, "after"); err != nil {
		t.Fatal(err)
	}
	if err := name(t.Context(), db, j, 1, 1, "after that"); err != nil {
		t.Fatal(err)
	}
	explained(t, db)
	want := story(t, db, 1)
	if last := want[len(want)-1]; last[:2] != "1 " || int64(len(want)) != m.Tenants[0].Events+2 {
		t.Errorf("the story ends with %s after %d events", last, len(want))
	}
	got := slices.Clone(taken)
	deadline := time.Now().Add(90 * time.Second)
	for len(got) < len(want) && time.Now().Before(deadline) {
		err := j.CatchUp(t.Context(), 1, "reader", func(_ context.Context, _ *sqldb.Tx, events []journal.Event) error {
			for _, e := range events {
				got = append(got, string(e.Data))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range want {
		_, rest, _ := cutTwo(want[i])
		if i >= len(got) || got[i] != rest {
			t.Fatalf("the reader's event %d of %d is not the story's of %d", i, len(got), len(want))
		}
	}
	sealed := int64(0)
	for time.Now().Before(deadline) {
		if _, err := j.Seal(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		v, err := journal.Verify(t.Context(), db, 1)
		if err != nil || v.Break != nil {
			t.Fatalf("%+v, %v", v, err)
		}
		if sealed = v.Sealed; sealed == int64(len(want)) {
			break
		}
	}
	if sealed != int64(len(want)) {
		t.Errorf("%d events of %d sealed", sealed, len(want))
	}
}

func cutTwo(line string) (id, rest string, at string) {
	fmt.Sscan(line, &id, &at)
	return id, line[len(id)+len(at)+2:], at
}

// small makes a database with a short story, and its backup.
func small(t *testing.T, e engine) (db *sqldb.DB, path string) {
	t.Helper()
	db = open(t, e.open(t))
	j := journal.New(db)
	for i := range 50 {
		if err := name(t.Context(), db, j, 1, 0, fmt.Sprint("team ", i)); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), "b.db")
	if _, err := backup.Create(t.Context(), db, path, nil); err != nil {
		t.Fatal(err)
	}
	return db, path
}

func TestCreateOverwritesNothing(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			db, path := small(t, e)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Create(t.Context(), db, path, nil); !errors.Is(err, fs.ErrExist) {
				t.Errorf("told %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Error("the file was changed")
			}
			// One that is given up leaves nothing behind.
			ctx, cancel := context.WithCancel(t.Context())
			other := filepath.Join(filepath.Dir(path), "other.db")
			_, err = backup.Create(ctx, db, other, func(backup.Phase, int64, int64) { cancel() })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("told %v", err)
			}
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestRestoreRefusesWhatHoldsSomething(t *testing.T) {
	t.Parallel()
	_, path := small(t, engines[0])
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			cfg := e.open(t)
			db := open(t, cfg)
			if err := name(t.Context(), db, journal.New(db), 1, 0, "mine"); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Restore(t.Context(), path, cfg, nil); !errors.Is(err, backup.ErrNotEmpty) {
				t.Errorf("told %v", err)
			}
			if got := len(story(t, open(t, cfg), 1)); got != 1 {
				t.Errorf("%d events there", got)
			}
		})
	}
	t.Run("a folder with something else", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Restore(t.Context(), path, sqldb.Config{Dir: dir}, nil); !errors.Is(err, backup.ErrNotEmpty) {
			t.Errorf("told %v", err)
		}
	})
}

func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	_, path := small(t, engines[0])
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(needle string) func([]byte) []byte {
		return func(b []byte) []byte {
			i := slices.Index(b, 0)
			for k := range b {
				if k+len(needle) < len(b) && string(b[k:k+len(needle)]) == needle {
					i = k
				}
			}
			b[i+len(needle)-1] ^= 1
			return b
		}
	}
	for name, change := range map[string]func([]byte) []byte{
		"a letter of a payload": flip(`"team 17"`),
		"cut short":             func(b []byte) []byte { return b[:len(b)/2] },
		"empty":                 func([]byte) []byte { return nil },
		"something else": func([]byte) []byte {
			return []byte("a letter to grandmother, long enough to be read as a header of one hundred bytes, is it not, or nearly?")
		},
		"manifest gone": flip(`backup_manifest`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := filepath.Join(t.TempDir(), "bad.db")
			if err := os.WriteFile(bad, change(slices.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			target := filepath.Join(t.TempDir(), "data")
			_, err := backup.Restore(t.Context(), bad, sqldb.Config{Dir: target}, nil)
			if !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrNotABackup) {
				t.Errorf("told %v", err)
			}
			if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
				t.Error("something was restored")
			}
		})
	}
	t.Run("a row changed by hand", func(t *testing.T) {
		t.Parallel()
		bad := filepath.Join(t.TempDir(), "bad.db")
		if err := os.WriteFile(bad, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sqldb.OpenFile(t.Context(), bad, false)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE team SET name = 'other' WHERE team_id = 3`)
			return err
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Check(t.Context(), bad, nil); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("told %v", err)
		}
	})
	if _, err := backup.Inspect(t.Context(), filepath.Join(t.TempDir(), "nowhere.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: told %v", err)
	}
}

// A backup on a medium that refuses writing is read all the same.
func TestABackupIsReadWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	_, path := small(t, engines[0])
	if err := errors.Join(os.Chmod(path, 0o400), os.Chmod(filepath.Dir(path), 0o500)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Dir(path), 0o700) })
	if _, err := backup.Check(t.Context(), path, nil); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func BenchmarkCreate(b *testing.B) {
	db := testkit.SQLite(b)
	fill(b, db, 20_000)
	for b.Loop() {
		if _, err := backup.Create(b.Context(), db, filepath.Join(b.TempDir(), "b.db"), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreatePostgreSQL(b *testing.B) {
	db := testkit.PostgreSQL(b)
	fill(b, db, 20_000)
	for b.Loop() {
		if _, err := backup.Create(b.Context(), db, filepath.Join(b.TempDir(), "b.db"), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func fill(b *testing.B, db *sqldb.DB, n int) {
	b.Helper()
	j := journal.New(db)
	err := db.Write(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		events := make([]journal.Event, n)
		for i := range events {
			events[i] = journal.Event{
				Tenant: 1, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.BySystem}, Kind: "x.y",
				Subject: journal.Subject{Kind: "x", ID: int64(i)}, Data: []byte(`{"set":{"state":"resolved","title":"something about a projector in room 12"}}`),
			}
		}
		return j.Append(ctx, tx, events...)
	})
	if err != nil {
		b.Fatal(err)
	}
}

// A backup taken before an upgrade, by the new program, is restored by it into
// its own schema.
func TestABackupOfAnOlderSchemaIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, sqldb.FileName)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := sqldb.OpenFile(t.Context(), file, false)
	if err != nil {
		t.Fatal(err)
	}
	err = old.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		raw, err := os.ReadFile(filepath.Join(testkit.Root(), "internal", "sqldb", "migrations", "00001_ground.sql"))
		if err != nil {
			return err
		}
		for _, statement := range []string{
			strings.NewReplacer("BIGINT", "INTEGER", "BYTEA", "BLOB").Replace(string(raw)),
			`CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`,
			`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1)`,
			`INSERT INTO counter (tenant_id, name, next) VALUES (1, 'team', 41)`,
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	db := open(t, sqldb.Config{Dir: dir, AsIs: true})
	path := filepath.Join(t.TempDir(), "b.db")
	m, err := backup.Create(t.Context(), db, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Schema != 1 {
		t.Errorf("the backup says schema %d", m.Schema)
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			cfg := e.open(t)
			if _, err := backup.Restore(t.Context(), path, cfg, nil); err != nil {
				t.Fatal(err)
			}
			db := open(t, cfg)
			if current, target, err := db.Schema(t.Context()); err != nil || current != target {
				t.Errorf("schema %d of %d, %v", current, target, err)
			}
			if err := name(t.Context(), db, journal.New(db), 1, 0, "next"); err != nil {
				t.Fatal(err)
			}
			if got := story(t, db, 1); len(got) != 1 || got[0][:3] != "41 " {
				t.Errorf("the next number after 40: %v", got)
			}
		})
	}
}
