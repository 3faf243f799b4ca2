// Package secrets knows every secret that the database keeps and that must be
// read again (passwords of other servers, TOTP secrets, keys), and sees to it
// that each is sealed (package vault): at start, when the key is changed, in
// doctor.
package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/mailbox"
	"statincidents/internal/sqldb"
	"statincidents/internal/vault"
)

// Secret is one secret as it is kept.
type Secret struct {
	Name string // under which it is sealed: "secret/1/ldap.password"
	Kind string // what it is, the end of the key "secrets.kind.…": "factor"
	Text string

	set    string // statement that replaces it, $1 the text
	drop   string // statement that forgets it
	args   []any
	inside func(text string) (string, error) // for one inside of a JSON text
}

// kinds are what is in table secret, by name.
var kinds = map[string]string{
	auth.LDAPPassword: "ldap", auth.OIDCSecret: "oidc", auth.SigningKey: "signing", "privacy.pseudonym": "pseudonym",
}

// All lists every secret, sealed or not.
func All(ctx context.Context, tx *sqldb.Tx) ([]Secret, error) {
	var all []Secret
	err := each(ctx, tx, `SELECT tenant_id, name, value FROM secret ORDER BY tenant_id, name`, func(scan func(...any) error) error {
		var tenant int64
		var name, text string
		if err := scan(&tenant, &name, &text); err != nil {
			return err
		}
		kind := kinds[name]
		if kind == "" {
			kind = "other"
		}
		all = append(all, Secret{Name: auth.SecretName(tenant, name), Kind: kind, Text: text, args: []any{tenant, name},
			set: `UPDATE secret SET value = $1 WHERE tenant_id = $2 AND name = $3`, drop: `DELETE FROM secret WHERE tenant_id = $1 AND name = $2`})
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT tenant_id, account_id, secret FROM account_factor ORDER BY tenant_id, account_id`, func(scan func(...any) error) error {
		var tenant, account int64
		var text string
		if err := scan(&tenant, &account, &text); err != nil {
			return err
		}
		all = append(all, Secret{Name: auth.FactorName(tenant, account), Kind: "factor", Text: text, args: []any{tenant, account},
			set: `UPDATE account_factor SET secret = $1 WHERE tenant_id = $2 AND account_id = $3`, drop: `DELETE FROM account_factor WHERE tenant_id = $1 AND account_id = $2`})
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT tenant_id, settings FROM mailbox ORDER BY tenant_id`, func(scan func(...any) error) error {
		var tenant int64
		var text string
		if err := scan(&tenant, &text); err != nil {
			return err
		}
		var sides map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &sides); err != nil {
			return fmt.Errorf("settings of the mailbox of tenant %d: %w", tenant, err)
		}
		for _, side := range []string{mailbox.SendingSide, mailbox.ReceivingSide} {
			var s struct {
				Password string `json:"password"`
			}
			if len(sides[side]) == 0 || json.Unmarshal(sides[side], &s) != nil || s.Password == "" {
				continue
			}
			all = append(all, Secret{Name: mailbox.PasswordName(tenant, side), Kind: side, Text: s.Password, args: []any{tenant}, set: `UPDATE mailbox SET settings = $1 WHERE tenant_id = $2`,
				inside: func(password string) (string, error) { return withPassword(ctx, tx, tenant, side, password) }})
		}
		return nil
	})
	return all, err
}

// withPassword gives the settings of a mailbox with another password.
func withPassword(ctx context.Context, tx *sqldb.Tx, tenant int64, side, password string) (string, error) {
	var text string
	if err := tx.QueryRow(ctx, `SELECT settings FROM mailbox WHERE tenant_id = $1`, tenant).Scan(&text); err != nil {
		return "", err
	}
	var all map[string]json.RawMessage
	var one map[string]any
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return "", err
	}
	if err := json.Unmarshal(all[side], &one); err != nil {
		return "", err
	}
	one["password"] = password
	data, err := json.Marshal(one)
	if err != nil {
		return "", err
	}
	all[side] = data
	data, err = json.Marshal(all)
	return string(data), err
}

func each(ctx context.Context, tx *sqldb.Tx, query string, fn func(scan func(...any) error) error) error {
	rows, err := tx.Query(ctx, "/* whole */ "+query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *Secret) write(ctx context.Context, tx *sqldb.Tx, text string) error {
	if s.inside != nil {
		var err error
		if text, err = s.inside(text); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, s.set, append([]any{text}, s.args...)...)
	return err
}

// Seal seals under the present key what is not: plain texts, and what another
// key of the vault opens. It gives how many it sealed, and those that no key
// opens, which stay as they are. It may be repeated.
func Seal(ctx context.Context, db *sqldb.DB, v *vault.Vault) (sealed int, lost []Secret, err error) {
	if v == nil {
		return 0, nil, nil
	}
	err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		sealed, lost = 0, nil
		all, err := All(ctx, tx)
		if err != nil {
			return err
		}
		for k := range all {
			s := &all[k]
			if s.Text == "" || v.Current(s.Text) {
				if _, err := v.Open(s.Name, s.Text); err != nil {
					lost = append(lost, *s)
				}
				continue
			}
			plain, err := v.Open(s.Name, s.Text)
			if err != nil {
				lost = append(lost, *s)
				continue
			}
			text, err := v.Seal(s.Name, plain)
			if err != nil {
				return err
			}
			if err := s.write(ctx, tx, text); err != nil {
				return err
			}
			sealed++
		}
		return nil
	})
	if err != nil {
		return 0, nil, fmt.Errorf("secrets: seal: %w", err)
	}
	if sealed > 0 {
		if err := db.Scrub(ctx, "secret", "account_factor", "mailbox"); err != nil && !strings.Contains(err.Error(), sqldb.ErrBusy.Error()) {
			return sealed, lost, err
		}
	}
	return sealed, lost, nil
}

// Forget drops the secrets that no key opens: keys are made anew when they are
// wanted, passwords and second factors must be given again.
func Forget(ctx context.Context, db *sqldb.DB, v *vault.Vault) (dropped []Secret, err error) {
	err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		dropped = nil
		all, err := All(ctx, tx)
		if err != nil {
			return err
		}
		for k := range all {
			s := &all[k]
			if _, err := v.Open(s.Name, s.Text); err == nil {
				continue
			}
			if s.drop == "" {
				err = s.write(ctx, tx, "")
			} else {
				_, err = tx.Exec(ctx, s.drop, s.args...)
			}
			if err != nil {
				return err
			}
			dropped = append(dropped, *s)
		}
		return nil
	})
	return dropped, err
}

// State is how the secrets of a database stand with a vault.
type State struct {
	Sealed, Plain int
	Lost          []Secret // that no key opens
}

// Look says how the secrets stand.
func Look(ctx context.Context, tx *sqldb.Tx, v *vault.Vault) (State, error) {
	var st State
	all, err := All(ctx, tx)
	for _, s := range all {
		_, err := v.Open(s.Name, s.Text)
		switch {
		case err != nil:
			st.Lost = append(st.Lost, s)
		case vault.Sealed(s.Text):
			st.Sealed++
		case s.Text != "":
			st.Plain++
		}
	}
	return st, err
}

// Kinds counts secrets by kind, in the order in which they come: "factor ×3".
func Kinds(list []Secret) []string {
	var order []string
	count := map[string]int{}
	for _, s := range list {
		if count[s.Kind] == 0 {
			order = append(order, s.Kind)
		}
		count[s.Kind]++
	}
	for k, kind := range order {
		if n := count[kind]; n > 1 {
			order[k] = kind + " ×" + strconv.Itoa(n)
		}
	}
	return order
}
