package auth

import "slices"

// Scope is what a reader may see. Every read of incidents, statistics, lists,
// exports, streams and search takes one. The zero Scope sees nothing.
type Scope struct {
	tenant  int64
	kind    scopeKind
	schools []int64 // sorted, for scopeSchools
	person  int64   // for scopeOwn
}

type scopeKind int

const (
	scopeNothing scopeKind = iota
	scopeAll
	scopeSchools
	scopeOwn
)

// ScopeAll sees the whole département.
func ScopeAll(tenant int64) Scope { return Scope{tenant: tenant, kind: scopeAll} }

// ScopeSchools sees what belongs to some schools.
func ScopeSchools(tenant int64, schools ...int64) Scope {
	s := slices.Clone(schools)
	slices.Sort(s)
	return Scope{tenant: tenant, kind: scopeSchools, schools: slices.Compact(s)}
}

// ScopeOwn sees what one person declared.
func ScopeOwn(tenant, person int64) Scope {
	return Scope{tenant: tenant, kind: scopeOwn, person: person}
}

// Tenant is the département that the scope is confined to.
func (s Scope) Tenant() int64 { return s.tenant }

// All tells whether nothing in the département is hidden.
func (s Scope) All() bool { return s.kind == scopeAll }

// Nothing tells whether everything is hidden.
func (s Scope) Nothing() bool {
	return s.kind == scopeNothing || s.kind == scopeSchools && len(s.schools) == 0 || s.kind == scopeOwn && s.person == 0
}

// Schools gives the visible schools when the scope is by school (ok), sorted.
func (s Scope) Schools() (ids []int64, ok bool) { return s.schools, s.kind == scopeSchools }

// Own gives the declarant when the scope is one person's own declarations (ok).
func (s Scope) Own() (person int64, ok bool) { return s.person, s.kind == scopeOwn }

// Sees tells whether a thing of that school, declared by that person, is visible.
func (s Scope) Sees(school, declarant int64) bool {
	switch s.kind {
	case scopeAll:
		return true
	case scopeSchools:
		_, ok := slices.BinarySearch(s.schools, school)
		return ok
	case scopeOwn:
		return declarant == s.person && s.person != 0
	}
	return false
}

// SeesSchool tells whether the school itself (its page, its rooms) is visible:
// a declarant sees no school's figures.
func (s Scope) SeesSchool(school int64) bool {
	return s.kind == scopeAll || s.kind == scopeSchools && s.Sees(school, 0)
}

// SQL gives a condition (to be joined by AND) on a table's school and declarant
// columns, with its arguments numbered from $next on. The tenant condition is
// the caller's.
func (s Scope) SQL(schoolColumn, declarantColumn string, next int) (cond string, args []any) {
	switch s.kind {
	case scopeAll:
		return "1 = 1", nil
	case scopeSchools:
		if len(s.schools) == 0 {
			return "1 = 0", nil
		}
		args = make([]any, len(s.schools))
		for i, id := range s.schools {
			args[i] = id
		}
		return schoolColumn + " IN (" + placeholders(next, len(args)) + ")", args
	case scopeOwn:
		if s.person == 0 {
			return "1 = 0", nil
		}
		return declarantColumn + " = " + placeholders(next, 1), []any{s.person}
	}
	return "1 = 0", nil
}
