package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// lockAccounts makes the transactions that change accounts follow one another
// on PostgreSQL (SQLite has one writer), so that rules over several accounts
// hold: taking a number of a counter waits for whoever took the one before.
func (s *Service) lockAccounts(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.NextIDs(ctx, s.cfg.Tenant, "account_turn", 1)
	return err
}

// keepOneself refuses that people shut themselves out of what they are using.
func keepOneself(f *fault.Fields, was, a Account) {
	if a.Disabled && !was.Disabled {
		f.Add("disabled", "error.auth.account.oneself_disabled")
	}
	if slices.Contains(was.Role.Rights(), ManageAccounts) && !slices.Contains(a.Role.Rights(), ManageAccounts) {
		f.Add("role", "error.auth.account.oneself_role")
	}
}

func (s *Service) keepAnAdministrator(ctx context.Context, tx *sqldb.Tx, was, a Account) error {
	if was.Role != Administrator || was.Disabled || a.Role == Administrator && !a.Disabled {
		return nil
	}
	n, err := s.administrators(ctx, tx)
	if err != nil {
		return err
	}
	if n > 1 {
		return nil
	}
	if a.Disabled {
		return fault.InvalidField("disabled", "error.auth.account.last_administrator")
	}
	return fault.InvalidField("role", "error.auth.account.last_administrator")
}

func (s *Service) administrators(ctx context.Context, tx *sqldb.Tx) (int, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE tenant_id = $1 AND role = $2 AND disabled = 0`, s.cfg.Tenant, string(Administrator)).Scan(&n)
	return n, err
}

// checkReferences refuses a taken login, and a person or school that is not in
// the directory.
func (s *Service) checkReferences(ctx context.Context, tx *sqldb.Tx, a Account) error {
	var f fault.Fields
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE tenant_id = $1 AND login = $2 AND account_id <> $3`, s.cfg.Tenant, a.Login, a.ID).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		f.Add("login", "error.auth.login.taken")
	}
	if a.Person != 0 {
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM person WHERE tenant_id = $1 AND person_id = $2`, s.cfg.Tenant, a.Person).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			f.Add("person", "error.auth.account.person_unknown")
		}
	}
	for _, school := range a.Schools {
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM school WHERE tenant_id = $1 AND school_id = $2`, s.cfg.Tenant, school).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			f.Add("schools", "error.auth.account.school_unknown")
			break
		}
	}
	return f.Err()
}

func (s *Service) putSchools(ctx context.Context, tx *sqldb.Tx, id int64, schools []int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM account_school WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, id); err != nil {
		return err
	}
	rows := make([][]any, len(schools))
	for i, school := range schools {
		rows[i] = []any{s.cfg.Tenant, id, school}
	}
	return tx.Insert(ctx, "account_school", []string{"tenant_id", "account_id", "school_id"}, rows, "")
}

// selectAccount shows an account under its own name, else its person's, else
// its login.
const selectAccount = `SELECT a.account_id, a.login, COALESCE(NULLIF(a.name, ''), NULLIF(p.name, ''), a.login), a.person_id, a.role, a.locale, a.theme, a.disabled, a.created_at, a.session_epoch, a.provider, COALESCE(f.confirmed_at, 0)
	FROM account a LEFT JOIN person p ON p.tenant_id = a.tenant_id AND p.person_id = a.person_id
	LEFT JOIN account_factor f ON f.tenant_id = a.tenant_id AND f.account_id = a.account_id`

func scanAccount(row interface{ Scan(...any) error }) (Account, error) {
	var a Account
	var role, provider string
	var disabled, created, factor int64
	err := row.Scan(&a.ID, &a.Login, &a.Name, &a.Person, &role, &a.Locale, &a.Theme, &disabled, &created, &a.epoch, &provider, &factor)
	a.Role, a.Disabled, a.CreatedAt = Role(role), disabled != 0, sqldb.Time(created)
	a.Provider, a.Factor = Provider(provider), factor != 0
	return a, err
}

func (s *Service) load(ctx context.Context, id int64) (Account, error) {
	var a Account
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		a, err = s.loadTx(ctx, tx, id)
		return err
	})
	return a, err
}

func (s *Service) loadTx(ctx context.Context, tx *sqldb.Tx, id int64) (Account, error) {
	a, err := scanAccount(tx.QueryRow(ctx, selectAccount+` WHERE a.tenant_id = $1 AND a.account_id = $2`, s.cfg.Tenant, id))
	if err != nil {
		return Account{}, s.one(err)
	}
	if a.Role == Referent || a.Role == Declarant {
		schools, err := s.schools(ctx, tx, id)
		if err != nil {
			return Account{}, err
		}
		a.Schools = schools[id]
	}
	return a, nil
}

// schools gives the schools of an account, or of all (0), sorted.
func (s *Service) schools(ctx context.Context, tx *sqldb.Tx, id int64) (map[int64][]int64, error) {
	rows, err := tx.Query(ctx, `SELECT account_id, school_id FROM account_school WHERE tenant_id = $1 AND ($2 = 0 OR account_id = $2) ORDER BY account_id, school_id`, s.cfg.Tenant, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	m := map[int64][]int64{}
	for rows.Next() {
		var account, school int64
		if err := rows.Scan(&account, &school); err != nil {
			return nil, err
		}
		m[account] = append(m[account], school)
	}
	return m, rows.Err()
}

func eventData(a Account) []byte {
	data, err := json.Marshal(EventData{Role: a.Role, Person: a.Person, Schools: a.Schools, Disabled: a.Disabled})
	if err != nil {
		panic(err) // plain fields always encode
	}
	return data
}

// wrap says which call failed, leaving refusals as they are.
func wrap(err error, call string) error {
	if err == nil || fault.CodeOf(err) != fault.Internal {
		return err
	}
	return fmt.Errorf("auth: %s: %w", call, err)
}
