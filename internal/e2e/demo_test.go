package e2e

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/cube"
)

func TestMain(m *testing.M) {
	code := m.Run()
	Clean()
	os.Exit(code)
}

// examples fills the addresses of pages with incidents of the demonstration.
func (s *Site) examples(t *testing.T) *strings.Replacer {
	t.Helper()
	accounts, err := s.Auth.Accounts(t.Context(), auth.System(1))
	if err != nil {
		t.Fatal(err)
	}
	own := auth.Scope{}
	for _, a := range accounts {
		if a.Role == auth.Declarant {
			own = auth.ScopeOwn(1, a.Person)
		}
	}
	first := func(scope auth.Scope, filters ...cube.Filter) string {
		page, err := s.Cube.List(t.Context(), scope, cube.ListQuery{Filters: filters, Limit: 1})
		if err != nil || len(page.IDs) == 0 {
			t.Fatalf("the demonstration has no incident %v: %v", filters, err)
		}
		return strconv.FormatInt(page.IDs[0], 10)
	}
	return strings.NewReplacer(
		"{open}", first(auth.ScopeAll(1), cube.Filter{Dim: cube.DimState, In: []string{"assigned"}}),
		"{resolved}", first(auth.ScopeAll(1), cube.Filter{Dim: cube.DimState, In: []string{"resolved"}}),
		"{own}", first(own),
	)
}

// typical is the number of one of the examples.
func (s *Site) typical(t *testing.T, which string) string {
	t.Helper()
	return s.examples(t).Replace(which)
}
