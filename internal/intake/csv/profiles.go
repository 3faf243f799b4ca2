package csvin

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Stored is a profile that can be chosen: one that comes with the program, or
// one that the département made or corrected (which hides the other of its name).
type Stored struct {
	Profile Profile
	Own     bool
}

// Profiles lists the profiles that can be chosen, by name.
func (s *Importer) Profiles(ctx context.Context, by auth.Identity) ([]Stored, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return nil, err
	}
	var list []Stored
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT toml FROM import_profile WHERE tenant_id = $1 ORDER BY name`, by.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			p, err := ParseProfile(text)
			if err != nil {
				return err
			}
			list = append(list, Stored{p, true})
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	for _, name := range BuiltIn() {
		if slices.ContainsFunc(list, func(o Stored) bool { return o.Profile.Name == name }) {
			continue
		}
		p, err := Named(name)
		if err != nil {
			return nil, err
		}
		list = append(list, Stored{p, false})
	}
	slices.SortFunc(list, func(a, b Stored) int { return strings.Compare(a.Profile.Name, b.Profile.Name) })
	return list, nil
}

// Profile gives the profile of a name: the département's own, else the
// program's.
func (s *Importer) Profile(ctx context.Context, by auth.Identity, name string) (Profile, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return Profile{}, err
	}
	var text string
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT toml FROM import_profile WHERE tenant_id = $1 AND name = $2`, by.Tenant, name).Scan(&text)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Named(name)
	}
	if err != nil {
		return Profile{}, err
	}
	return ParseProfile(text)
}

// SaveProfile keeps a profile under its name, in place of any other.
func (s *Importer) SaveProfile(ctx context.Context, by auth.Identity, p Profile) error {
	if err := by.Require(auth.ImportData); err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	text, err := p.TOML()
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Insert(ctx, "import_profile", []string{"tenant_id", "name", "toml", "updated_at", "account_id"},
			[][]any{{by.Tenant, p.Name, text, sqldb.Millis(sqldb.Now()), by.Account}},
			"ON CONFLICT (tenant_id, name) DO UPDATE SET toml = excluded.toml, updated_at = excluded.updated_at, account_id = excluded.account_id")
	})
}

// RemoveProfile forgets a profile of the département's own.
func (s *Importer) RemoveProfile(ctx context.Context, by auth.Identity, name string) error {
	if err := by.Require(auth.ImportData); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM import_profile WHERE tenant_id = $1 AND name = $2`, by.Tenant, name)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "error.intake.profile.not_found", "name", name, "names", strings.Join(BuiltIn(), ", "))
		}
		return err
	})
}
