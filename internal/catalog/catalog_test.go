package catalog_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

func setup(t *testing.T, db *sqldb.DB) (*catalog.Service, func() *catalog.Index) {
	t.Helper()
	s := catalog.New(db, journal.New(db))
	return s, func() *catalog.Index {
		t.Helper()
		x, err := s.Index(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func events(t *testing.T, db *sqldb.DB) int {
	t.Helper()
	var n int
	err := db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM event`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCategoryTree(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		ids, err := s.EnsureCategoryPaths(ctx, system, [][]string{{"Logiciels", " Pronote "}, {"Logiciels"}, {"Réseau", "Wi-Fi", "Borne"}, {}})
		if err != nil {
			t.Fatal(err)
		}
		before := events(t, db)
		if before != 5 {
			t.Errorf("%d events for 5 new categories", before)
		}
		again, err := s.EnsureCategoryPaths(ctx, system, [][]string{{"Logiciels", "Pronote"}, {"Logiciels"}, {"Réseau", "Wi-Fi", "Borne"}, {}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ids, again); diff != "" {
			t.Errorf("the same paths, other categories:\n%s", diff)
		}
		if n := events(t, db); n != before {
			t.Errorf("%d events for nothing new", n-before)
		}
		x := index()
		if got := x.PathLabels(ids[2], "fr"); !cmp.Equal(got, []string{"Réseau", "Wi-Fi", "Borne"}) {
			t.Errorf("path of the third: %v", got)
		}
		if c, ok := x.CategoryByPath("Logiciels", "Pronote"); !ok || c.ID != ids[0] {
			t.Errorf("Logiciels, Pronote: %v %v, want %d", c, ok, ids[0])
		}

		refused := []struct {
			name, field string
			in          catalog.Category
		}{
			{"no label", "label", catalog.Category{Label: "  "}},
			{"label of a sibling", "label", catalog.Category{Label: "Pronote", Parent: ids[1]}},
			{"parent that is not there", "parent", catalog.Category{Label: "x", Parent: 999}},
			{"fourth level", "parent", catalog.Category{Label: "x", Parent: ids[2]}},
			{"under itself", "parent", catalog.Category{ID: ids[1], Label: "Logiciels", Parent: ids[0]}},
			{"a branch pushed too deep", "parent", catalog.Category{ID: x.Path(ids[2])[0], Label: "Réseau", Parent: ids[1]}},
		}
		for _, c := range refused {
			_, err := s.SaveCategory(ctx, system, c.in)
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Code != fault.Invalid || e.Fields[0].Name != c.field {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if _, err := s.SaveCategory(ctx, system, catalog.Category{ID: 999, Label: "x"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("change of nothing: %v", err)
		}
		if _, err := s.SaveCategory(ctx, auth.Identity{Tenant: 1, Role: auth.Technician}, catalog.Category{Label: "x"}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a technician edits the tree: %v", err)
		}
		saved, err := s.SaveCategory(ctx, system, catalog.Category{ID: ids[0], Parent: ids[1], Label: "Pronote", LabelEN: "School records", Archived: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := index().Category(ids[0]); got != saved || got.In("en") != "School records" || got.In("fr") != "Pronote" {
			t.Errorf("saved %+v, indexed %+v", saved, got)
		}
	})
}

func TestCodesAndMatrix(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		ids, err := s.EnsureCodes(ctx, system, catalog.Cause, []string{"Usure", "Choc", "Usure"})
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) != 2 || events(t, db) != 2 {
			t.Errorf("ids %v, %d events", ids, events(t, db))
		}
		if _, err := s.EnsureCodes(ctx, system, catalog.Resolution, []string{"Usure"}); err != nil {
			t.Errorf("the same label in another kind: %v", err)
		}
		if _, err := s.SaveCode(ctx, system, catalog.Code{Kind: catalog.Cause, Label: "Choc"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a label twice in a kind: %v", err)
		}
		if _, err := s.SaveCode(ctx, system, catalog.Code{ID: ids["Choc"], Kind: catalog.Waiting, Label: "Choc"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a code changes kind: %v", err)
		}
		x := index()
		if c, ok := x.CodeByLabel(catalog.Cause, "Choc"); !ok || c.ID != ids["Choc"] || x.CodeLabel(c.ID, "en") != "Choc" {
			t.Errorf("Choc: %+v %v", c, ok)
		}
		if x.Matrix() != catalog.DefaultMatrix {
			t.Errorf("a new département's matrix: %v", x.Matrix())
		}
		want := catalog.Matrix{{1, 1, 2}, {2, 3, 4}, {4, 5, 5}}
		if err := s.SaveMatrix(ctx, system, want); err != nil {
			t.Fatal(err)
		}
		if got := index().Matrix(); got != want {
			t.Errorf("matrix %v, want %v", got, want)
		}
		if err := s.SaveMatrix(ctx, system, catalog.Matrix{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("priority 0: %v", err)
		}
	})
}

func TestSeedOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		if _, err := s.EnsureCategoryPaths(ctx, system, [][]string{{"ENT"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Seed(ctx, system); err != nil {
			t.Fatal(err)
		}
		before := events(t, db)
		if err := s.Seed(ctx, system); err != nil {
			t.Fatal(err)
		}
		if n := events(t, db); n != before {
			t.Errorf("seeding again made %d events", n-before)
		}
		x := index()
		c, ok := x.CategoryByPath("Réseau et Wi-Fi", "Pas d'accès à Internet", "Tout le collège")
		if !ok || x.PathLabels(c.ID, "en")[0] != "Network and Wi-Fi" {
			t.Errorf("a leaf of three levels: %+v %v %v", c, ok, x.PathLabels(c.ID, "en"))
		}
		for _, kind := range catalog.CodeKinds {
			if len(x.Codes(kind)) < 5 {
				t.Errorf("%s: %d codes", kind, len(x.Codes(kind)))
			}
		}
		for _, c := range x.Categories() {
			if c.Label != "ENT" && c.LabelEN == "" {
				t.Errorf("%s has no English", c.Label)
			}
		}
	})
}
