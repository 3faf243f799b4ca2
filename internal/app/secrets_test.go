package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/mailbox"
	"statincidents/internal/secrets"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
	"statincidents/internal/vault"
)

// everything is every value of every table, one text.
func everything(t *testing.T, db *sqldb.DB) string {
	t.Helper()
	var all strings.Builder
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		tables, err := tx.Tables(ctx)
		if err != nil {
			return err
		}
		for _, table := range tables {
			rows, err := tx.Query(ctx, "SELECT * FROM "+table.Name) //nolint:unqueryvet // every column, whatever it is called
			if err != nil {
				return err
			}
			defer rows.Close()
			into := make([]any, len(table.Columns))
			for k := range into {
				into[k] = new(any)
			}
			for rows.Next() {
				if err := rows.Scan(into...); err != nil {
					return err
				}
				for _, v := range into {
					if b, ok := (*v.(*any)).([]byte); ok {
						all.Write(b)
					}
					fmt.Fprintln(&all, *v.(*any))
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Secrets kept by an older program are sealed at start; no table says them any
// more, and everything that needs them still opens them. Another key opens
// nothing, and says so; what is forgotten can be given again.
func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			cfg := Config{Log: slog.New(slog.DiscardHandler), Exclusive: true, KeyFile: filepath.Join(t.TempDir(), vault.FileName)}
			if engine == "SQLite" {
				cfg.Dir = t.TempDir()
			} else {
				cfg.DB = testkit.PostgresURL(t)
			}
			open := func() *App {
				t.Helper()
				a, err := New(ctx, cfg)
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
			shut := func(a *App) {
				t.Helper()
				if err := a.Close(); err != nil {
					t.Fatal(err)
				}
			}
			by := auth.System(Tenant)
			a := open()
			a.DB.UseVault(nil) // as the program before
			set, err := a.Auth.Settings(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Auth.SaveSettings(ctx, by, set, map[string]string{auth.LDAPPassword: "ldap-en-clair", auth.OIDCSecret: "oidc-en-clair"}); err != nil {
				t.Fatal(err)
			}
			box := mailbox.Defaults
			box.Site, box.Address = "https://stat.example", "support@stat.example"
			box.Sending = mailbox.Server{On: true, Host: "smtp.example", Port: 587, Security: mailbox.StartTLS, User: "u", Password: "smtp-en-clair"}
			box.Receiving = mailbox.Server{On: true, Host: "imap.example", Port: 993, Security: mailbox.TLS, User: "u", Password: "imap-en-clair"}
			if err := a.Mailbox.Save(ctx, by, box); err != nil {
				t.Fatal(err)
			}
			made, err := a.Auth.CreateAccount(ctx, by, auth.NewAccount{Login: "chef", Name: "Chef", Password: "une-phrase-assez-longue", Role: auth.Administrator})
			if err != nil {
				t.Fatal(err)
			}
			who, err := a.Auth.IdentityOf(ctx, made.ID)
			if err != nil {
				t.Fatal(err)
			}
			draft, err := a.Auth.DraftFactor(ctx, who)
			if err != nil {
				t.Fatal(err)
			}
			link, err := a.Signer.Sign(ctx, "test", "mot", time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			ldapText := "bGRhcC1lbi1jbGFpcg" // base64, as it was kept
			clear := []string{ldapText, "b2lkYy1lbi1jbGFpcg", "smtp-en-clair", "imap-en-clair", draft.Secret}
			before := everything(t, a.DB)
			for _, s := range clear {
				if !strings.Contains(before, s) {
					t.Fatalf("%q was never there", s)
				}
			}
			shut(a)

			a = open()
			after := everything(t, a.DB)
			for _, s := range clear {
				if strings.Contains(after, s) {
					t.Errorf("%q can still be read", s)
				}
			}
			if cfg.Dir != "" {
				for _, name := range []string{sqldb.FileName, sqldb.FileName + "-wal"} {
					data, err := os.ReadFile(filepath.Join(cfg.Dir, name))
					if err != nil && !errors.Is(err, os.ErrNotExist) {
						t.Fatal(err)
					}
					if strings.Contains(string(data), "imap-en-clair") {
						t.Errorf("%s still holds a password", name)
					}
				}
			}
			opens := func(a *App) {
				t.Helper()
				if got, err := a.Auth.Secret(ctx, auth.LDAPPassword); err != nil || got != "ldap-en-clair" {
					t.Errorf("%q %v", got, err)
				}
				if got, err := a.Mailbox.Settings(ctx); err != nil || got.Sending.Password != "smtp-en-clair" || got.Receiving.Password != "imap-en-clair" {
					t.Errorf("%+v %v", got, err)
				}
				if got, err := a.Auth.DraftFactor(ctx, who); err != nil || got.Secret != draft.Secret {
					t.Errorf("%+v %v", got, err)
				}
				if got, err := a.Signer.Sign(ctx, "test", "mot", time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil || got != link {
					t.Errorf("%q %v", got, err)
				}
			}
			opens(a)
			// A password that is kept when the page leaves it empty stays.
			box.Sending.Password, box.Name = "", "Assistance"
			if err := a.Mailbox.Save(ctx, by, box); err != nil {
				t.Fatal(err)
			}
			opens(a)
			shut(a)

			// Another key, then an old one put back.
			if _, err := vault.AddKey(cfg.KeyFile); err != nil {
				t.Fatal(err)
			}
			a = open() // seals under the new one
			opens(a)
			if err := vault.DropOld(cfg.KeyFile); err != nil {
				t.Fatal(err)
			}
			shut(a)
			a = open()
			opens(a)
			shut(a)
			if err := os.Remove(cfg.KeyFile); err != nil {
				t.Fatal(err)
			}
			a = open()
			defer shut(a)
			if _, err := a.Auth.Secret(ctx, auth.LDAPPassword); !errors.Is(err, vault.ErrKey) {
				t.Errorf("without the key: %v", err)
			}
			if got, err := a.Mailbox.Settings(ctx); err != nil || got.Sending.Password != "" || got.Sending.Host != "smtp.example" {
				t.Errorf("%+v %v", got, err)
			}
			dropped, err := secrets.Forget(ctx, a.DB, a.DB.Vault())
			if err != nil || len(dropped) != 6 {
				t.Errorf("%v %v", secrets.Kinds(dropped), err)
			}
			if _, err := a.Auth.DraftFactor(ctx, who); err != nil {
				t.Errorf("a second factor cannot be set again: %v", err)
			}
		})
	}
}
