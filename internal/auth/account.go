package auth

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Subject is the journal's subject kind for accounts.
const Subject = "account"

// Kinds of account event. None carries a login, a name or a secret.
const (
	EventCreated         = Subject + ".created"
	EventUpdated         = Subject + ".updated"
	EventDisabled        = Subject + ".disabled"
	EventEnabled         = Subject + ".enabled"
	EventPasswordChanged = Subject + ".password_changed"
	EventTokenCreated    = Subject + ".token_created"
	EventTokenRevoked    = Subject + ".token_revoked"
)

// EventData is the payload of created, updated, disabled and enabled: the
// account's reach after the event.
type EventData struct {
	Role     Role    `json:"role"`
	Person   int64   `json:"person,omitempty"`
	Schools  []int64 `json:"schools,omitempty"`
	Disabled bool    `json:"disabled,omitempty"`
}

// Account is one account as administrators see it.
type Account struct {
	ID        int64
	Login     string // folded
	Name      string // as shown: its own, or its person's, or the login
	Person    int64  // of the directory, 0 if none
	Role      Role
	Schools   []int64 // sorted; of referents and declarants
	Locale    string
	Theme     string
	Disabled  bool
	CreatedAt time.Time
	Provider  Provider // who vouches for it
	Factor    bool     // it has a second factor

	epoch int64 // of its sessions
}

// NewAccount is what creating an account takes.
type NewAccount struct {
	Login    string
	Name     string // optional
	Password string
	Role     Role
	Person   int64   // required for a declarant: their scope is what that person declared
	Schools  []int64 // required for a referent; ignored for the roles that see every school
	Locale   string  // "", "fr", "en"

	provider Provider // of somebody from outside, who has no password here
	subject  string
}

// AccountPatch is a change by an administrator; nil leaves as is.
type AccountPatch struct {
	Login    *string
	Name     *string
	Role     *Role
	Person   *int64
	Schools  *[]int64
	Locale   *string
	Disabled *bool
}

// MaxLogin is the longest login, in characters.
const MaxLogin = 100

// foldLogin is the form in which logins are stored and compared: compatibility
// forms and letter case make no difference.
func foldLogin(login string) string {
	return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(login)))
}

func checkLogin(f *fault.Fields, login string) {
	switch {
	case login == "":
		f.Add("login", "error.auth.login.missing")
	case !utf8.ValidString(login) || utf8.RuneCountInString(login) > MaxLogin:
		f.Add("login", "error.auth.login.long", "max", MaxLogin)
	case strings.ContainsFunc(login, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune(".-_@+'", r)
	}):
		f.Add("login", "error.auth.login.characters")
	}
}

// checkReach notes what a role lacks and gives the schools that it keeps.
func checkReach(f *fault.Fields, role Role, person int64, schools []int64) []int64 {
	switch role {
	case Administrator, Lead, Technician:
		return nil
	case Referent:
		if len(schools) == 0 {
			f.Add("schools", "error.auth.account.school_missing")
		}
	case Declarant:
		if person == 0 {
			f.Add("person", "error.auth.account.person_missing")
		}
	default:
		f.Add("role", "error.auth.account.role_unknown")
	}
	schools = slices.Clone(schools)
	slices.Sort(schools)
	return slices.Compact(schools)
}

// CreateAccount makes an account. It refuses a login that differs from another
// one's by case only.
func (s *Service) CreateAccount(ctx context.Context, by Identity, in NewAccount) (Account, error) {
	if err := s.mayManage(by); err != nil {
		return Account{}, err
	}
	return s.create(ctx, by, in, nil)
}

// create checks and writes a new account; guard, if any, runs first in the
// same transaction.
func (s *Service) create(ctx context.Context, by Identity, in NewAccount, guard func(context.Context, *sqldb.Tx) error) (Account, error) {
	var f fault.Fields
	login := foldLogin(in.Login)
	checkLogin(&f, login)
	if in.provider == ByPassword {
		checkPassword(&f, "password", login, in.Password)
	}
	checkName(&f, in.Name)
	checkLocale(&f, in.Locale)
	schools := checkReach(&f, in.Role, in.Person, in.Schools)
	if err := f.Err(); err != nil {
		return Account{}, err
	}
	var hash string // empty is no password: it never equals one
	var err error
	if in.provider == ByPassword {
		if hash, err = s.hasher.hash(ctx, in.Password); err != nil {
			return Account{}, err
		}
	}
	var a Account
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The number's row serialises the transactions that change accounts.
		id, err := tx.NextIDs(ctx, s.cfg.Tenant, "account", 1)
		if err != nil {
			return err
		}
		if guard != nil {
			if err := guard(ctx, tx); err != nil {
				return err
			}
		}
		a = Account{
			ID: id, Login: login, Name: strings.TrimSpace(in.Name), Person: in.Person, Role: in.Role, Schools: schools,
			Locale: in.Locale, CreatedAt: sqldb.Now(), Provider: in.provider,
		}
		if err := s.checkReferences(ctx, tx, a); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO account (tenant_id, account_id, login, name, person_id, role, password_hash, locale, created_at, provider, subject)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			s.cfg.Tenant, a.ID, a.Login, a.Name, a.Person, string(a.Role), hash, a.Locale, sqldb.Millis(a.CreatedAt), string(in.provider), in.subject); err != nil {
			return err
		}
		if err := s.putSchools(ctx, tx, a.ID, a.Schools); err != nil {
			return err
		}
		return s.append(ctx, tx, by, EventCreated, a.ID, eventData(a))
	})
	if err != nil {
		return Account{}, wrap(err, "create account")
	}
	if a.Name == "" {
		return s.load(ctx, a.ID)
	}
	return a, nil
}

// UpdateAccount changes an account. The last administrator in office can be
// neither disabled nor given another role, nor can anyone do so to their own
// account. What was changed takes effect on the account's next request;
// disabling it ends its sessions.
func (s *Service) UpdateAccount(ctx context.Context, by Identity, id int64, p AccountPatch) (Account, error) {
	if err := s.mayManage(by); err != nil {
		return Account{}, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.lockAccounts(ctx, tx); err != nil {
			return err
		}
		was, err := s.loadTx(ctx, tx, id)
		if err != nil {
			return err
		}
		a := was
		a.Schools = slices.Clone(was.Schools)
		// The shown name may be the person's: read the account's own.
		if err := tx.QueryRow(ctx, `SELECT name FROM account WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, id).Scan(&a.Name); err != nil {
			return err
		}
		var f fault.Fields
		if p.Login != nil {
			a.Login = foldLogin(*p.Login)
			checkLogin(&f, a.Login)
		}
		if p.Name != nil {
			a.Name = strings.TrimSpace(*p.Name)
			checkName(&f, a.Name)
		}
		if p.Role != nil {
			a.Role = *p.Role
		}
		if p.Person != nil {
			a.Person = *p.Person
		}
		if p.Schools != nil {
			a.Schools = *p.Schools
		}
		if p.Locale != nil {
			a.Locale = *p.Locale
			checkLocale(&f, a.Locale)
		}
		if p.Disabled != nil {
			a.Disabled = *p.Disabled
		}
		if id == by.Account {
			keepOneself(&f, was, a)
		}
		a.Schools = checkReach(&f, a.Role, a.Person, a.Schools)
		if err := f.Err(); err != nil {
			return err
		}
		if err := s.checkReferences(ctx, tx, a); err != nil {
			return err
		}
		if err := s.keepAnAdministrator(ctx, tx, was, a); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE account SET login = $3, name = $4, person_id = $5, role = $6, disabled = $7, locale = $8 WHERE tenant_id = $1 AND account_id = $2`,
			s.cfg.Tenant, id, a.Login, a.Name, a.Person, string(a.Role), sqldb.Flag(a.Disabled), a.Locale); err != nil {
			return err
		}
		if err := s.putSchools(ctx, tx, id, a.Schools); err != nil {
			return err
		}
		kind := EventUpdated
		if a.Disabled != was.Disabled {
			kind = EventEnabled
			if a.Disabled {
				kind = EventDisabled
				if err := s.endSessions(ctx, tx, id); err != nil {
					return err
				}
			}
		}
		return s.append(ctx, tx, by, kind, id, eventData(a))
	})
	if err != nil {
		return Account{}, wrap(err, "update account")
	}
	return s.load(ctx, id)
}

// SetPreferences keeps the caller's language ("", "fr", "en") and theme ("",
// "light", "dark").
func (s *Service) SetPreferences(ctx context.Context, by Identity, locale, theme string) error {
	if err := s.own(by); err != nil {
		return err
	}
	var f fault.Fields
	checkLocale(&f, locale)
	if !slices.Contains([]string{"", "light", "dark"}, theme) {
		f.Add("theme", "error.auth.account.theme_unknown")
	}
	if err := f.Err(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE account SET locale = $3, theme = $4 WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, by.Account, locale, theme)
		return err
	})
}

// SetPassword gives an account a new password (an administrator's act) and
// ends its sessions.
func (s *Service) SetPassword(ctx context.Context, by Identity, id int64, password string) error {
	if err := s.mayManage(by); err != nil {
		return err
	}
	return s.setPassword(ctx, by, id, password)
}

// ChangePassword replaces the caller's own password, proven by the former one,
// and ends all of the account's sessions. To keep the session in which it was
// asked, sign in again with the identity that is returned.
func (s *Service) ChangePassword(ctx context.Context, by Identity, former, password string) (Identity, error) {
	if err := s.own(by); err != nil {
		return Identity{}, err
	}
	if wait := s.throttle.begin(by.Login, "change-password", sqldb.Now()); wait > 0 {
		return Identity{}, tooMany(wait)
	}
	var stored string
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.one(tx.QueryRow(ctx, `SELECT password_hash FROM account WHERE tenant_id = $1 AND account_id = $2 AND disabled = 0`, s.cfg.Tenant, by.Account).Scan(&stored))
	})
	if err != nil {
		return Identity{}, err
	}
	ok, err := s.hasher.verify(ctx, stored, former)
	if err != nil {
		return Identity{}, err
	}
	if !ok {
		return Identity{}, fault.InvalidField("former", "error.auth.password.former_wrong")
	}
	s.throttle.succeed(by.Login, "change-password")
	if err := s.setPassword(ctx, by, by.Account, password); err != nil {
		return Identity{}, err
	}
	return s.IdentityOf(ctx, by.Account)
}

func (s *Service) setPassword(ctx context.Context, by Identity, id int64, password string) error {
	a, err := s.load(ctx, id)
	if err != nil {
		return err
	}
	var f fault.Fields
	if a.Provider != ByPassword {
		f.Add("password", "error.auth.outside.no_password")
	} else {
		checkPassword(&f, "password", a.Login, password)
	}
	if err := f.Err(); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE account SET password_hash = $3 WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, id, hash); err != nil {
			return err
		}
		if err := s.endSessions(ctx, tx, id); err != nil {
			return err
		}
		return s.append(ctx, tx, by, EventPasswordChanged, id, nil)
	})
	return wrap(err, "set password")
}

// Accounts lists every account by login.
func (s *Service) Accounts(ctx context.Context, by Identity) ([]Account, error) {
	if err := s.mayManage(by); err != nil {
		return nil, err
	}
	var list []Account
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, selectAccount+` WHERE a.tenant_id = $1 ORDER BY a.login`, s.cfg.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scanAccount(rows)
			if err != nil {
				return err
			}
			list = append(list, a)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		schools, err := s.schools(ctx, tx, 0)
		for i := range list {
			list[i].Schools = schools[list[i].ID]
		}
		return err
	})
	return list, wrap(err, "list accounts")
}

// Account gives one account; the caller's own needs no right.
func (s *Service) Account(ctx context.Context, by Identity, id int64) (Account, error) {
	if by.Account != id || by.Tenant != s.cfg.Tenant {
		if err := s.mayManage(by); err != nil {
			return Account{}, err
		}
	}
	return s.load(ctx, id)
}

// AccountByLogin finds an account by its login, whatever its case.
func (s *Service) AccountByLogin(ctx context.Context, by Identity, login string) (Account, error) {
	if err := s.mayManage(by); err != nil {
		return Account{}, err
	}
	var id int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.one(tx.QueryRow(ctx, `SELECT account_id FROM account WHERE tenant_id = $1 AND login = $2`, s.cfg.Tenant, foldLogin(login)).Scan(&id))
	})
	if err != nil {
		return Account{}, err
	}
	return s.load(ctx, id)
}

// Names gives the shown name of every account, for the signatures of events.
func (s *Service) Names(ctx context.Context) (map[int64]string, error) {
	names := map[int64]string{}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, selectAccount+` WHERE a.tenant_id = $1`, s.cfg.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scanAccount(rows)
			if err != nil {
				return err
			}
			names[a.ID] = a.Name
		}
		return rows.Err()
	})
	return names, wrap(err, "account names")
}

func (s *Service) mayManage(by Identity) error {
	if err := s.own(by); err != nil {
		return err
	}
	return by.Require(ManageAccounts)
}

func checkName(f *fault.Fields, name string) {
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > 200 {
		f.Add("name", "error.auth.account.name_long", "max", 200)
	}
}

func checkLocale(f *fault.Fields, locale string) {
	if !slices.Contains([]string{"", "fr", "en"}, locale) {
		f.Add("locale", "error.auth.account.locale_unknown")
	}
}
