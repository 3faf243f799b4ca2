package privacy_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/fault"
	"statincidents/internal/locale"
	"statincidents/internal/privacy"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func TestExportGivesEverything(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, h *house) {
		_, hers := h.fill(t)
		who := must[privacy.Somebody](t)(h.Privacy.Find(t.Context(), h.boss, strings.ToUpper(herEmail)))
		if who.Login != herLogin || len(who.Names) != 2 {
			t.Fatalf("%+v", who)
		}
		files := h.export(t, func(w io.Writer) (int, error) {
			return h.Privacy.Export(t.Context(), h.boss, who, locale.For(locale.French, nil), w)
		})
		var data map[string][]map[string]any
		if err := json.Unmarshal(files["donnees.json"], &struct {
			At string `json:"generated_at"`
		}{}); err != nil {
			t.Fatal(err)
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(files["donnees.json"], &all); err != nil {
			t.Fatal(err)
		}
		delete(all, "generated_at")
		data = map[string][]map[string]any{}
		for key, raw := range all {
			var list []map[string]any
			if err := json.Unmarshal(raw, &list); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			data[key] = list
		}
		for _, key := range []string{"account", "card", "declared", "acts", "history", "mails", "letters", "shown", "files", "named"} {
			if len(data[key]) == 0 {
				t.Errorf("nothing under %s", key)
			}
		}
		if got := data["card"][0]["phone"]; got != herPhone {
			t.Errorf("phone: %v", got)
		}
		page := string(files["donnees.html"])
		for _, want := range []string{herName, herLogin, "Incidents déclarés", "Vidéoprojecteur", "RGPD"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		for _, secret := range []string{"$argon2id$", "password_hash"} {
			if strings.Contains(page, secret) {
				t.Errorf("the page holds %q", secret)
			}
		}
		var eml, file bool
		for name, content := range files {
			eml = eml || strings.HasSuffix(name, ".eml") && bytes.Contains(content, []byte("plus de son en salle 12"))
			file = file || strings.HasPrefix(name, "fichiers/") && bytes.Contains(content, []byte("vu par "+herName))
		}
		if !eml || !file {
			t.Errorf("messages or files are missing: %v", slices.Sorted(func(yield func(string) bool) {
				for name := range files {
					if !yield(name) {
						return
					}
				}
			}))
		}
		// Her own, by herself; nobody else's.
		own := must[privacy.Somebody](t)(h.Privacy.Self(t.Context(), hers))
		if got := h.export(t, func(w io.Writer) (int, error) {
			return h.Privacy.Export(t.Context(), hers, own, locale.For(locale.English, nil), w)
		}); !bytes.Contains(got["donnees.html"], []byte("Declared incidents")) {
			t.Error("her own export is wanting")
		}
		boss := must[privacy.Somebody](t)(h.Privacy.Self(t.Context(), h.boss))
		if _, err := h.Privacy.Export(t.Context(), hers, boss, locale.For(locale.French, nil), io.Discard); !fault.Is(err, fault.Forbidden) {
			t.Errorf("somebody else's: %v", err)
		}
		// An address without an account.
		stranger := must[privacy.Somebody](t)(h.Privacy.Find(t.Context(), h.boss, "inconnue@elsewhere.example"))
		if stranger.Account != 0 || stranger.Person != 0 {
			t.Errorf("%+v", stranger)
		}
		if got := h.export(t, func(w io.Writer) (int, error) {
			return h.Privacy.Export(t.Context(), h.boss, stranger, locale.For(locale.French, nil), w)
		}); !strings.Contains(string(got["donnees.json"]), "Hors sujet") || strings.Contains(string(got["donnees.json"]), "Zylberstein") {
			t.Errorf("%s", got["donnees.json"])
		}
	})
}

func (h *house) export(t testing.TB, fn func(io.Writer) (int, error)) map[string][]byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := fn(&b); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		in.Close()
	}
	return files
}

// A column that refers to people and that nobody thought of fails here: give
// it in an export, or say why not.
func TestEveryColumnIsGiven(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		tables, err := tx.Tables(ctx)
		if err != nil {
			return err
		}
		refers := []string{"account_id", "person_id", "technician_id", "declarant_id", "assignee_id", "owner_id", "by_account", "actor_id", "put_by_id", "removed_id", "email", "from_email", "address", "sender", "phone", "pseudonym_id"}
		n := 0
		for _, table := range tables {
			for _, c := range table.Columns {
				if slices.Contains(refers, c.Name) {
					n++
					if !privacy.Given(table.Name, c.Name) {
						t.Errorf("%s.%s refers to people: put it into sections, or into notGiven with the reason", table.Name, c.Name)
					}
				}
			}
		}
		if n < 40 {
			t.Errorf("only %d columns were looked at", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
