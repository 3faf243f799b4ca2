package doctor_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/doctor"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func exec(t *testing.T, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lived is a database with 30 sealed events and a reader that has seen them.
func lived(t *testing.T, db *sqldb.DB) {
	t.Helper()
	j := journal.New(db)
	e := journal.Event{
		Tenant: 1, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.BySystem},
		Subject: journal.Subject{Kind: "note", ID: 1}, Kind: "note.written",
	}
	for range 30 {
		if err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return j.Append(ctx, tx, e) }); err != nil {
			t.Fatal(err)
		}
	}
	for sealed, deadline := int64(0), time.Now().Add(20*time.Second); sealed < 30; {
		n, err := j.Seal(t.Context(), 1)
		if err != nil || time.Now().After(deadline) {
			t.Fatal("the journal is not sealed in time", err)
		}
		sealed += n
	}
	nothing := func(context.Context, *sqldb.Tx, []journal.Event) error { return nil }
	if err := j.CatchUp(t.Context(), 1, "mail", nothing); err != nil {
		t.Fatal(err)
	}
}

// examine gives the findings by check, each told in both languages. Tests run
// on any machine: its disk, and the test cluster's settings, are left out.
func examine(t *testing.T, db *sqldb.DB, now time.Time) map[string]doctor.Finding {
	t.Helper()
	by := map[string]doctor.Finding{}
	var begun []string
	for _, f := range doctor.Examine(t.Context(), db, now, func(check string) { begun = append(begun, check) }) {
		spoken(t, f)
		if f.Level != doctor.OK && f.Remedy == "" {
			t.Errorf("%s: no remedy", f.Key)
		}
		if old, ok := by[f.Check]; !ok || f.Level > old.Level {
			by[f.Check] = f
		}
	}
	for _, check := range begun {
		if _, ok := by[check]; !ok {
			t.Errorf("the check %s found nothing, not even that all is well", check)
		}
	}
	delete(by, "disk")
	delete(by, "durability")
	delete(by, "transactions")
	return by
}

func spoken(t *testing.T, f doctor.Finding) {
	t.Helper()
	for _, lang := range locale.Langs {
		p := locale.For(lang, time.UTC)
		for _, key := range []string{f.Key, f.Remedy, "doctor.check." + f.Check, "doctor.level." + f.Level.String()} {
			if key == "" {
				continue
			}
			if !p.Has(key) {
				t.Errorf("%s: no sentence %s", lang, key)
			} else if said := p.T(key, f.Args...); strings.Contains(said, "{") {
				t.Errorf("%s: %s says %q", lang, key, said)
			}
		}
	}
}

func TestAHealthyDatabase(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		if got := examine(t, db, sqldb.Now()); got["chain"].Key != "doctor.chain.empty" {
			t.Errorf("an empty database: %+v", got["chain"])
		}
		lived(t, db)
		got := examine(t, db, sqldb.Now())
		want := []string{"secrets", "schema", "size", "order", "clock", "chain", "cursors", "search", "mail"}
		if db.Dialect() == sqldb.SQLite {
			want = append(want, "integrity")
		} else {
			want = append(want, "encoding")
		}
		for _, check := range want {
			if f, ok := got[check]; !ok || f.Level != doctor.OK {
				t.Errorf("%s: %+v", check, f)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d checks, want %d", len(got), len(want))
		}
	})
}

func TestWhatIsWrongIsFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change string
		later  time.Duration
		check  string
		level  doctor.Level
		key    string
	}{
		{"an event changed", `UPDATE event SET data = '{"x":1}' WHERE tenant_id = 1`, 0, "chain", doctor.Failed, "doctor.chain.altered"},
		{"events gone", `DELETE FROM event WHERE tenant_id = 1`, 0, "cursors", doctor.Failed, "doctor.cursors.beyond"},
		{"an event slipped in", `INSERT INTO event (tenant_id, xact, seq, at, recorded_at, actor_kind, actor_id, subject_kind, subject_id, kind, data)
			VALUES (1, 0, -1, 1, 1, 'system', 0, 'note', 1, 'note.written', '{}')`, 0, "chain", doctor.Failed, "doctor.chain.added"},
		{"seals gone", `DELETE FROM journal_seal`, time.Hour, "chain", doctor.Warning, "doctor.chain.late"},
		{"a seal forged", `UPDATE journal_seal SET hash = digests`, 0, "chain", doctor.Failed, "doctor.chain.seal"},
		{"an index half made", `INSERT INTO search_build (tenant_id, version, below) VALUES (1, 2, 40)`, 0, "search", doctor.Warning, "doctor.search.building"},
		{"a reader stopped", `UPDATE reader_cursor SET xact = 0, seq = 0`, time.Hour, "cursors", doctor.Warning, "doctor.cursors.late"},
		{"a reader a moment behind", `UPDATE reader_cursor SET xact = 0, seq = 0`, time.Minute, "cursors", doctor.OK, "doctor.cursors.ok"},
		{"a clock set back", `UPDATE tenant SET name = name`, -time.Hour, "clock", doctor.Failed, "doctor.clock.future"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
				lived(t, db)
				exec(t, db, test.change)
				got := examine(t, db, sqldb.Now().Add(test.later))
				if f := got[test.check]; f.Level != test.level || f.Key != test.key {
					t.Errorf("%+v", f)
				}
			})
		})
	}
}

func TestPostgreSQLOnly(t *testing.T) {
	t.Parallel()
	db := testkit.PostgreSQL(t)
	lived(t, db)
	// The throw-away cluster of the tests does without the disk; whatever the
	// settings are, exactly those that are off are found.
	var found, off []string
	for _, f := range doctor.Examine(t.Context(), db, sqldb.Now(), nil) {
		if f.Check == "durability" && f.Level == doctor.Failed {
			found = append(found, f.Args[1].(string))
			spoken(t, f)
		}
	}
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
			var value string
			if err := tx.QueryRow(ctx, "SHOW "+name).Scan(&value); err != nil {
				return err
			}
			if value == "off" {
				off = append(off, name)
			}
		}
		return nil
	})
	if err != nil || !slices.Equal(found, off) {
		t.Errorf("settings off: %v found, %v are, %v", found, off, err)
	}
	exec(t, db, `UPDATE event SET xact = xact + 4000000000`)
	if f := examine(t, db, sqldb.Now())["order"]; f.Level != doctor.Failed || f.Key != "doctor.order.broken" {
		t.Errorf("%+v", f)
	}
}

func TestADamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sqldb.Open(t.Context(), sqldb.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	lived(t, db)
	var page int
	if err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT rootpage FROM sqlite_schema WHERE name = 'event'`).Scan(&page)
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, sqldb.FileName)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4096 { // not the schema, without which nothing opens
		raw[(page-1)*4096+i] = 0x5a
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err = sqldb.Open(t.Context(), sqldb.Config{Dir: dir, AsIs: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if f := examine(t, db, sqldb.Now())["integrity"]; f.Level != doctor.Failed {
		t.Errorf("%+v", f)
	}
}

// A schema that this program does not know: it says so and looks no further.
func TestAnotherSchema(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		exec(t, db, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (77777, $1)`, true)
		got := examine(t, db, sqldb.Now())
		if f := got["schema"]; f.Level != doctor.Failed || f.Key != "doctor.schema.newer" {
			t.Errorf("%+v", f)
		}
		if _, ok := got["chain"]; ok {
			t.Error("it judged tables that it does not know")
		}
		exec(t, db, `DELETE FROM goose_db_version WHERE version_id > 1`)
		if f := examine(t, db, sqldb.Now())["schema"]; f.Level != doctor.Warning || f.Key != "doctor.schema.older" {
			t.Errorf("%+v", f)
		}
	})
}
