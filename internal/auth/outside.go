package auth

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Provider says who vouches for an account.
type Provider string

// The providers.
const (
	ByPassword Provider = "" // its own password, kept here
	ByLDAP     Provider = "ldap"
	ByOIDC     Provider = "oidc"
)

// Outsider is somebody for whom a directory or an identity provider vouches.
type Outsider struct {
	Provider Provider
	Subject  string // names the person there for ever
	Login    string
	Name     string
	Email    string
	Groups   []string // names, or distinguished names
}

// Voucher asks a directory whether a password is somebody's. Found is false
// when there is no such person or the password is wrong; an error says that
// the directory could not answer.
type Voucher func(ctx context.Context, set LDAP, login, password string) (who Outsider, found bool, err error)

// Provisioner gives the directory's person of somebody who comes for the first
// time, made if need be.
type Provisioner func(ctx context.Context, who Outsider, role Role, schools []int64) (person int64, err error)

// Vouch sets the directory that is asked for logins which have no password
// here. To be called before the first sign-in.
func (s *Service) Vouch(v Voucher) { s.voucher = v }

// Provision sets how a newcomer from outside gets a person. To be called
// before the first sign-in.
func (s *Service) Provision(p Provisioner) { s.provisioner = p }

// Admit signs in somebody from outside: the rules of the settings give the role
// and the schools, anew each time. The account is made at the first sign-in.
// Refusals: Forbidden "error.auth.outside.no_group" or "…no_school" when no
// rule fits, Conflict "…login_taken" when a local account has the login,
// Unauthenticated when the account is disabled.
func (s *Service) Admit(ctx context.Context, who Outsider) (Identity, error) {
	if who.Provider == ByPassword || who.Subject == "" || len(who.Subject) > 300 {
		return Identity{}, errors.New("auth: admit: nobody is named")
	}
	set, err := s.Settings(ctx)
	if err != nil {
		return Identity{}, err
	}
	role, uais := set.reach(who.Groups)
	if role == "" {
		return Identity{}, fault.New(fault.Forbidden, "error.auth.outside.no_group")
	}
	schools, err := s.schoolsOf(ctx, uais)
	if err != nil {
		return Identity{}, err
	}
	if role == Referent && len(schools) == 0 {
		return Identity{}, fault.New(fault.Forbidden, "error.auth.outside.no_school")
	}
	var id int64
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.QueryRow(ctx, `SELECT account_id FROM account WHERE tenant_id = $1 AND provider = $2 AND subject = $3`, s.cfg.Tenant, string(who.Provider), who.Subject).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return Identity{}, wrap(err, "admit")
	}
	if id == 0 {
		return s.welcome(ctx, who, role, schools)
	}
	a, err := s.load(ctx, id)
	if err != nil {
		return Identity{}, wrap(err, "admit")
	}
	if a.Disabled {
		return Identity{}, fault.New(fault.Unauthenticated, "error.auth.bad_credentials")
	}
	if role == Administrator || role == Lead || role == Technician {
		schools = nil // they see every school
	}
	if a.Role != role || !slices.Equal(a.Schools, schools) {
		if _, err := s.UpdateAccount(ctx, System(s.cfg.Tenant), id, AccountPatch{Role: &role, Schools: &schools}); err != nil {
			return Identity{}, err
		}
	}
	return s.IdentityOf(ctx, id)
}

// welcome makes the account of somebody who comes for the first time.
func (s *Service) welcome(ctx context.Context, who Outsider, role Role, schools []int64) (Identity, error) {
	var f fault.Fields
	checkLogin(&f, foldLogin(who.Login))
	if f.Err() != nil {
		return Identity{}, fault.New(fault.Forbidden, "error.auth.outside.login")
	}
	var n int
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE tenant_id = $1 AND login = $2`, s.cfg.Tenant, foldLogin(who.Login)).Scan(&n)
	})
	if err != nil {
		return Identity{}, wrap(err, "admit")
	}
	if n > 0 {
		// Whoever names themselves so elsewhere is not thereby the same person.
		return Identity{}, fault.New(fault.Conflict, "error.auth.outside.login_taken")
	}
	in := NewAccount{Login: who.Login, Name: cut(who.Name, 200), Role: role, Schools: schools, provider: who.Provider, subject: who.Subject}
	if s.provisioner != nil {
		if in.Person, err = s.provisioner(ctx, who, role, schools); err != nil {
			return Identity{}, wrap(err, "admit")
		}
	}
	a, err := s.create(ctx, System(s.cfg.Tenant), in, nil)
	if err != nil {
		return Identity{}, err
	}
	s.log.Info("account made for somebody from outside", "account", a.ID, "provider", string(who.Provider), "role", string(role))
	return s.IdentityOf(ctx, a.ID)
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// Reach is what the rules give to the members of groups: the widest role, and
// the codes of the schools. "" if no rule fits.
func (s Settings) reach(groups []string) (role Role, uais []string) {
	for _, rule := range s.Rules {
		pattern := rule.pattern()
		for _, g := range groups {
			for _, name := range []string{g, firstName(g)} {
				m := pattern.FindStringSubmatch(name)
				if m == nil {
					continue
				}
				if role == "" || slices.Index(Roles, rule.Role) < slices.Index(Roles, role) {
					role = rule.Role
				}
				if len(m) > 1 {
					uais = append(uais, strings.ToUpper(m[1]))
				}
				if rule.UAI != "" {
					uais = append(uais, strings.ToUpper(rule.UAI))
				}
			}
		}
	}
	slices.Sort(uais)
	return role, slices.Compact(uais)
}

func (r Rule) pattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^` + strings.Replace(regexp.QuoteMeta(r.Group), `\{uai\}`, `([0-9]{7}[a-z])`, 1) + `$`)
}

// firstName is the value of a distinguished name's first part: "techs" of
// "cn=techs,ou=groups,dc=example".
func firstName(dn string) string {
	first, _, _ := strings.Cut(dn, ",")
	_, value, ok := strings.Cut(first, "=")
	if !ok {
		return dn
	}
	return value
}

// schoolsOf gives the schools of codes; codes that are not in the directory
// give none.
func (s *Service) schoolsOf(ctx context.Context, uais []string) ([]int64, error) {
	var ids []int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ids = nil
		for _, uai := range uais {
			var id int64
			err := tx.QueryRow(ctx, `SELECT school_id FROM school WHERE tenant_id = $1 AND uai = $2`, s.cfg.Tenant, uai).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	slices.Sort(ids)
	return ids, wrap(err, "schools of groups")
}

func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && slices.Contains(schemes, u.Scheme)
}

func (l LDAP) check(f *fault.Fields) {
	if !isURL(l.URL, "ldap", "ldaps") {
		f.Add("ldap_url", "error.auth.settings.ldap_url")
	}
	if l.BaseDN == "" {
		f.Add("ldap_base", "error.field.required")
	}
	if strings.Count(l.Filter, "%s") != 1 || strings.Count(l.Filter, "%") != 1 {
		f.Add("ldap_filter", "error.auth.settings.ldap_filter")
	}
	if l.Members != "" && (strings.Count(l.Members, "%s") != 1 || strings.Count(l.Members, "%") != 1) {
		f.Add("ldap_members", "error.auth.settings.ldap_filter")
	}
}
