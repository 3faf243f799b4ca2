package catalog_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func TestMove(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		labels := func(parent int64) (list []string) {
			for _, c := range index().Children(parent) {
				list = append(list, c.Label)
			}
			return list
		}
		var ids []int64
		for _, label := range []string{"c", "a", "b"} { // in the order of their making
			c, err := s.SaveCategory(ctx, system, catalog.Category{Label: label})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, c.ID)
		}
		for _, c := range []struct {
			id    int64
			steps int
			moved bool
			want  []string
		}{
			{ids[0], 0, false, []string{"c", "a", "b"}},
			{ids[0], -1, false, []string{"c", "a", "b"}},
			{ids[2], -1, true, []string{"c", "b", "a"}},
			{ids[0], 1, true, []string{"b", "c", "a"}},
			{ids[2], 9, true, []string{"c", "a", "b"}},
		} {
			moved, err := s.MoveCategory(ctx, system, c.id, c.steps)
			if err != nil || moved != c.moved {
				t.Fatalf("move %d by %d: %v, %v", c.id, c.steps, moved, err)
			}
			if diff := cmp.Diff(c.want, labels(0)); diff != "" {
				t.Errorf("move %d by %d:\n%s", c.id, c.steps, diff)
			}
		}
		if _, err := s.SaveCategory(ctx, system, catalog.Category{ID: ids[0], Label: "c", Parent: ids[1], Position: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SaveCategory(ctx, system, catalog.Category{ID: ids[2], Label: "b", Parent: ids[1], Position: 1}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"c", "b"}, labels(ids[1])); diff != "" {
			t.Errorf("what arrives goes last:\n%s", diff)
		}
		if _, err := s.MoveCategory(ctx, system, 999, 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("move of nothing: %v", err)
		}
		if _, err := s.MoveCode(ctx, auth.Identity{Tenant: 1, Role: auth.Technician}, 1, 1); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a technician moves a code: %v", err)
		}
		if _, err := s.EnsureCodes(ctx, system, catalog.Cause, []string{"x", "y"}); err != nil {
			t.Fatal(err)
		}
		first := index().Codes(catalog.Cause)[0]
		if moved, err := s.MoveCode(ctx, system, first.ID, 1); err != nil || !moved || index().Codes(catalog.Cause)[1] != (catalog.Code{ID: first.ID, Kind: catalog.Cause, Label: "x", Position: 2}) {
			t.Errorf("move of a code: %v %v %v", moved, err, index().Codes(catalog.Cause))
		}
	})
}
