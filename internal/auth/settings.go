package auth

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Settings are how people sign in.
type Settings struct {
	// FactorRoles must have a second factor: an account of such a role that has
	// none sees nothing but the page where it gets one.
	FactorRoles []Role `json:"factor_roles,omitempty"`
	LDAP        LDAP   `json:"ldap"`
	OIDC        OIDC   `json:"oidc"`
	// Rules give a role and schools to who comes from outside. The first role
	// in the order of Roles wins; the schools of all its rules add up.
	Rules []Rule `json:"rules,omitempty"`
}

// LDAP is a directory (OpenLDAP, Active Directory) whose passwords are
// accepted.
type LDAP struct {
	Enabled  bool   `json:"enabled,omitempty"`
	URL      string `json:"url,omitempty"` // ldaps://host or ldap://host[:port]
	StartTLS bool   `json:"start_tls,omitempty"`
	CA       string `json:"ca,omitempty"`      // PEM of the authority, when the system does not know it
	BindDN   string `json:"bind_dn,omitempty"` // who searches; its password is a secret apart
	BaseDN   string `json:"base_dn,omitempty"`
	// Filter finds a person by login, which stands for %s, escaped:
	// (uid=%s), (sAMAccountName=%s).
	Filter  string `json:"filter,omitempty"`
	Key     string `json:"key,omitempty"`     // attribute that never changes: entryUUID, objectGUID
	Name    string `json:"name,omitempty"`    // attribute shown: displayName, cn
	Mail    string `json:"mail,omitempty"`    // attribute
	Groups  string `json:"groups,omitempty"`  // attribute of the person that lists groups: memberOf; "" for a search
	Members string `json:"members,omitempty"` // filter of a search of groups, %s is the person's DN: (member=%s)
}

// OIDC is an identity provider to which sign-in is left.
type OIDC struct {
	Enabled  bool     `json:"enabled,omitempty"`
	Label    string   `json:"label,omitempty"` // of its button
	Issuer   string   `json:"issuer,omitempty"`
	ClientID string   `json:"client_id,omitempty"` // the client's secret is kept apart
	Scopes   []string `json:"scopes,omitempty"`    // beside openid
	Login    string   `json:"login,omitempty"`     // claim: preferred_username
	Groups   string   `json:"groups,omitempty"`    // claim: groups
}

// Rule gives a role to the members of a group. {uai} in the group's name
// stands for a school's code: "referents-{uai}".
type Rule struct {
	Group string `json:"group"`
	Role  Role   `json:"role"`
	UAI   string `json:"uai,omitempty"` // a fixed school
}

// Names of the secrets of the settings.
const (
	LDAPPassword = "ldap.password"
	OIDCSecret   = "oidc.secret"
)

const settingsName = "sign-in"

// defaults fill what an administrator leaves empty.
func (s Settings) defaults() Settings {
	set := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	set(&s.LDAP.Filter, "(uid=%s)")
	set(&s.LDAP.Key, "entryUUID")
	set(&s.LDAP.Name, "displayName")
	set(&s.LDAP.Mail, "mail")
	set(&s.OIDC.Login, "preferred_username")
	set(&s.OIDC.Groups, "groups")
	if s.OIDC.Scopes == nil {
		s.OIDC.Scopes = []string{"profile", "email"}
	}
	return s
}

// check judges the settings: what is switched on must be whole.
func (s Settings) check() error {
	var f fault.Fields
	for _, role := range s.FactorRoles {
		if !role.Valid() {
			f.Add("factor_roles", "error.auth.account.role_unknown")
		}
	}
	if s.LDAP.Enabled {
		s.LDAP.check(&f)
	}
	if s.OIDC.Enabled {
		if !isURL(s.OIDC.Issuer, "https", "http") {
			f.Add("oidc_issuer", "error.auth.settings.url")
		}
		if s.OIDC.ClientID == "" {
			f.Add("oidc_client", "error.field.required")
		}
	}
	if len(s.Rules) > maxRules {
		f.Add("rules", "error.field.list_long", "max", maxRules)
	}
	for _, rule := range s.Rules {
		if rule.Group == "" || !rule.Role.Valid() {
			f.Add("rules", "error.auth.settings.rule")
			break
		}
	}
	if (s.LDAP.Enabled || s.OIDC.Enabled) && len(s.Rules) == 0 {
		f.Add("rules", "error.auth.settings.no_rule")
	}
	return f.Err()
}

const maxRules = 500

// Settings gives how people sign in.
func (s *Service) Settings(ctx context.Context) (Settings, error) {
	found, err := s.settings.Get(ctx, s.cfg.Tenant)
	if err != nil {
		return Settings{}, wrap(err, "settings")
	}
	return *found, nil
}

func (s *Service) loadSettings(ctx context.Context, tx *sqldb.Tx, tenant, _ int64) (*Settings, error) {
	var text string
	var found Settings
	err := tx.QueryRow(ctx, `SELECT value FROM auth_setting WHERE tenant_id = $1 AND name = $2`, tenant, settingsName).Scan(&text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &found)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	found = found.defaults()
	return &found, nil
}

// EventSettings is the change of how people sign in; it carries no value.
const EventSettings = Subject + ".settings_changed"

// SaveSettings changes how people sign in. Secrets holds the passwords to
// replace, by name (LDAPPassword, OIDCSecret); one that is absent stays.
func (s *Service) SaveSettings(ctx context.Context, by Identity, in Settings, secrets map[string]string) error {
	if err := s.mayManage(by); err != nil {
		return err
	}
	in = in.defaults()
	if err := in.check(); err != nil {
		return err
	}
	data, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("auth: settings: %w", err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.settings.Touch(ctx, tx, s.cfg.Tenant); err != nil {
			return err
		}
		if err := tx.Upsert(ctx, "auth_setting", []string{"tenant_id", "name"}, []string{"tenant_id", "name", "value"}, [][]any{{s.cfg.Tenant, settingsName, string(data)}}); err != nil {
			return err
		}
		for _, name := range []string{LDAPPassword, OIDCSecret} {
			value, given := secrets[name]
			if !given {
				continue
			}
			text, err := s.db.Vault().Seal(SecretName(s.cfg.Tenant, name), base64.StdEncoding.EncodeToString([]byte(value)))
			if err != nil {
				return err
			}
			row := []any{s.cfg.Tenant, name, text, sqldb.Millis(sqldb.Now())}
			if err := tx.Upsert(ctx, "secret", []string{"tenant_id", "name"}, []string{"tenant_id", "name", "value", "created_at"}, [][]any{row}); err != nil {
				return err
			}
		}
		return s.append(ctx, tx, by, EventSettings, by.Account, nil)
	})
	return wrap(err, "save settings")
}

// Secret gives a secret of the settings, "" if it was never given.
func (s *Service) Secret(ctx context.Context, name string) (string, error) {
	var text string
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.QueryRow(ctx, `SELECT value FROM secret WHERE tenant_id = $1 AND name = $2`, s.cfg.Tenant, name).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return "", wrap(err, "secret")
	}
	if text, err = s.db.Vault().Open(SecretName(s.cfg.Tenant, name), text); err != nil {
		return "", wrap(err, "secret "+name)
	}
	value, err := base64.StdEncoding.DecodeString(text)
	return string(value), err
}

// needsFactor tells whether an account of that role must have a second factor.
func (s Settings) needsFactor(role Role) bool { return slices.Contains(s.FactorRoles, role) }
