package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// SubjectSupport is the journal's subject kind for Support, identified by its
// school.
const SubjectSupport = "school_support"

// Support says whether the referent of a school handles first what is declared
// there, before the département.
type Support struct {
	School int64 `json:"school"`
	First  bool  `json:"first"`
	// Categories limits it to some categories and those below them; empty for
	// all, those of no category included.
	Categories []int64 `json:"categories,omitempty"`
	// Hours is after how many open hours without a gesture of the referent an
	// incident goes to the département by itself; 0 for never.
	Hours int `json:"hours,omitempty"`
}

// Limits on Support.
const (
	MaxSupportHours      = 200 // some five weeks of school
	maxSupportCategories = 100
)

// Support gives a school's choice; the zero one, which is the département's
// turn at once, for a school that made none.
func (x *Index) Support(school int64) Support {
	s := x.support[school]
	s.School = school
	return s
}

// HandlesFirst tells whether a school's referent handles first an incident of
// a category, given with those above it.
func (x *Index) HandlesFirst(school int64, path []int64) bool {
	s := x.support[school]
	if !s.First || len(s.Categories) == 0 {
		return s.First
	}
	return slices.ContainsFunc(path, func(id int64) bool { return slices.Contains(s.Categories, id) })
}

// SaveSupport changes a school's choice. The categories must exist: who calls
// knows the catalog.
func (s *Service) SaveSupport(ctx context.Context, by auth.Identity, in Support) (Support, error) {
	var fields fault.Fields
	if in.Hours < 0 || in.Hours > MaxSupportHours {
		fields.Add("hours", "error.directory.support_hours", "max", MaxSupportHours)
	}
	if len(in.Categories) > maxSupportCategories {
		fields.Add("categories", "error.field.too_many", "max", maxSupportCategories)
	}
	in.Categories = slices.Clone(in.Categories)
	slices.Sort(in.Categories)
	in.Categories = slices.Compact(in.Categories)
	if len(in.Categories) > 0 && in.Categories[0] <= 0 {
		fields.Add("categories", "error.field.unknown")
	}
	if err := fields.Err(); err != nil {
		return Support{}, err
	}
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		if err := requireSchool(ctx, tx, by.Tenant, in.School); err != nil {
			return nil, err
		}
		return []change{{subject: journal.Subject{Kind: SubjectSupport, ID: in.School}, school: in.School, verb: saved, state: in}}, nil
	})
	return in, err
}

func supports(ctx context.Context, tx *sqldb.Tx, tenant int64) (map[int64]Support, error) {
	all := map[int64]Support{}
	err := each(ctx, tx, `SELECT school_id, first, categories, hours FROM school_support WHERE tenant_id = $1`, []any{tenant}, func(scan func(...any) error) error {
		var s Support
		var first int64
		var categories string
		if err := scan(&s.School, &first, &categories, &s.Hours); err != nil {
			return err
		}
		s.First = first == 1
		if err := json.Unmarshal([]byte(categories), &s.Categories); err != nil {
			return fmt.Errorf("support of school %d: %w", s.School, err)
		}
		all[s.School] = s
		return nil
	})
	return all, err
}

// categoryList writes a list as the table keeps it.
func categoryList(ids []int64) string {
	if len(ids) == 0 {
		return "[]"
	}
	data, err := json.Marshal(ids)
	if err != nil {
		panic(err) // numbers can always be written
	}
	return string(data)
}
