package privacy_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/unicode/norm"

	"statincidents/internal/app"
	"statincidents/internal/fault"
	"statincidents/internal/privacy"
	"statincidents/internal/sqldb"
)

// plain is a text without case, accents and separators, so that no writing of
// a name hides it.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.IsSpace(r) || strings.ContainsRune(".-_", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(strings.ToValidUTF8(s, "?")))
}

// traces looks for her in every column of every table, whatever its type, the
// hidden tables of the index included.
func (h *house) traces(t testing.TB) []string {
	t.Helper()
	unpack, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unpack.Close()
	var found []string
	err = h.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND sql NOT LIKE 'CREATE VIRTUAL%'`
		if tx.Dialect() == sqldb.PostgreSQL {
			query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
		}
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		var tables []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			tables = append(tables, name)
		}
		rows.Close()
		if len(tables) < 60 {
			t.Fatalf("only %d tables", len(tables))
		}
		for _, table := range tables {
			rows, err := tx.Query(ctx, "SELECT * FROM "+table) //nolint:unqueryvet // every column, whatever it is called
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			for rows.Next() {
				row, into := make([]any, len(columns)), make([]any, len(columns))
				for k := range row {
					into[k] = &row[k]
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
				for k, v := range row {
					text := fmt.Sprint(v)
					if b, ok := v.([]byte); ok {
						text = string(b)
						if un, err := unpack.DecodeAll(b, nil); err == nil {
							text += string(un)
						}
					}
					for _, secret := range []string{"zylberstein", "ezv4711", "0647821933", "33647821933", "ancienno"} {
						if strings.Contains(plain(text), secret) {
							found = append(found, fmt.Sprintf("%s.%s: %.200q", table, columns[k], text))
						}
					}
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
			rows.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// prepared begins an erasure and waits for its preview.
func (h *house) prepared(t testing.TB, who string) privacy.Erasure {
	t.Helper()
	e := must[privacy.Erasure](t)(h.Privacy.Prepare(t.Context(), h.boss, who))
	h.wait(t, "the preview", func() bool {
		e = must[privacy.Erasure](t)(h.Privacy.Erasure(t.Context(), h.boss, e.ID))
		return e.State == privacy.Ready
	})
	return e
}

func (h *house) done(t testing.TB, e privacy.Erasure) privacy.Erasure {
	t.Helper()
	h.wait(t, "the erasure", func() bool {
		e = must[privacy.Erasure](t)(h.Privacy.Erasure(t.Context(), h.boss, e.ID))
		return e.State == privacy.Done
	})
	return e
}

func TestErasureLeavesNothing(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, h *house) {
		her, _ := h.fill(t)
		if _, err := h.Journal.Seal(t.Context(), app.Tenant); err != nil {
			t.Fatal(err)
		}
		if before := h.traces(t); len(before) < 20 {
			t.Fatalf("she is hardly there: %q", before)
		}
		h.sound(t)
		e := h.prepared(t, herLogin)
		if c := e.Counts; c.Declared == 0 || c.Mails != 1 || c.Raws < 2 || c.Letters == 0 || c.Events < 3 || c.Texts < 5 || c.Files != 1 {
			t.Errorf("preview: %+v", c)
		}
		var all []int
		for k, g := range e.Guesses {
			if !strings.Contains(plain(g.Text), "zylberstein") {
				t.Errorf("guess %+v", g)
			}
			all = append(all, k)
		}
		if len(all) < 1 {
			t.Errorf("guesses: %+v", e.Guesses)
		}
		err := h.Privacy.Confirm(t.Context(), h.boss, e.ID, privacy.Decision{Confirmation: "chef", Guesses: all, Files: true})
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("confirmed by another login: %v", err)
		}
		if err := h.Privacy.Confirm(t.Context(), h.boss, e.ID, privacy.Decision{Confirmation: herLogin, Guesses: all, Files: true}); err != nil {
			t.Fatal(err)
		}
		e = h.done(t, e)
		if e.Counts.Left != 0 || len(e.Who.Names) != 0 {
			t.Errorf("%+v", e)
		}
		for _, trace := range h.traces(t) {
			t.Error(trace)
		}
		h.sound(t)
		places, err := h.Directory.Index(t.Context(), app.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		if p, _ := places.Person(her.ID); p.Name != e.Name() || p.Email != "" || p.School != h.school.ID || p.Kind != her.Kind {
			t.Errorf("%+v", p)
		}
		if _, err := h.Privacy.Find(t.Context(), h.boss, herLogin); !fault.Is(err, fault.NotFound) {
			t.Errorf("still found: %v", err)
		}
		if found, err := h.Search.Match(t.Context(), app.Tenant, "zylberstein"); err != nil || len(found) != 0 {
			t.Errorf("%v %v", found, err)
		}
		if found, err := h.Search.Match(t.Context(), app.Tenant, "vidéoprojecteur"); err != nil || len(found) != 1 {
			t.Errorf("%v %v", found, err)
		}
		if h.dir == "" {
			return
		}
		// Nor on the disk: not in free pages, not in the log beside.
		err = filepath.WalkDir(h.dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if err == nil && strings.Contains(strings.ToLower(string(data)), "zylberstein") {
				i := strings.Index(strings.ToLower(string(data)), "zylberstein")
				t.Errorf("%s still holds the name: %q", path, data[max(0, i-60):min(len(data), i+40)])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
