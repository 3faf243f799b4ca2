package catalog_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func TestPortal(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		words := func() (list []string) {
			for _, tile := range index().Tiles() {
				list = append(list, tile.In("fr"))
			}
			return list
		}
		ids, err := s.EnsureCategoryPaths(ctx, system, [][]string{{"Impression"}, {"Impression", "Bourrage"}, {"Réseau"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := words(); !cmp.Equal(got, []string{"Impression", "Réseau"}) {
			t.Errorf("nothing chosen: %v", got)
		}
		if over := index().TileOver(ids[1]); over != ids[0] {
			t.Errorf("nothing chosen, %d stands over the leaf", over)
		}
		save := func(tile catalog.Tile) error {
			_, err := s.SaveTile(ctx, system, tile)
			return err
		}
		if err := save(catalog.Tile{Category: ids[2], Shown: true, Label: "Internet", LabelEN: "Internet access", Advice: "Ne débranchez rien."}); err != nil {
			t.Fatal(err)
		}
		if err := save(catalog.Tile{Category: ids[1], Shown: true, Advice: "Ouvrez le capot."}); err != nil {
			t.Fatal(err)
		}
		if got := words(); !cmp.Equal(got, []string{"Internet", "Bourrage"}) {
			t.Errorf("two chosen: %v", got)
		}
		x := index()
		if x.TileOver(ids[0]) != 0 || x.TileOver(ids[1]) != ids[1] || x.Tile(ids[2]).In("en") != "Internet access" {
			t.Error("tiles over categories, or their English")
		}
		if x.Advice(ids[1], "en") != "Ouvrez le capot." || x.Advice(ids[0], "fr") != "" {
			t.Errorf("advice %q, %q", x.Advice(ids[1], "en"), x.Advice(ids[0], "fr"))
		}
		if moved, err := s.MoveTile(ctx, system, ids[1], -1); err != nil || !moved {
			t.Errorf("moved %v, %v", moved, err)
		}
		if got := words(); !cmp.Equal(got, []string{"Bourrage", "Internet"}) {
			t.Errorf("moved: %v", got)
		}
		for name, c := range map[string]struct {
			err  error
			code fault.Code
		}{
			"unknown category": {save(catalog.Tile{Category: 999}), fault.NotFound},
			"long word":        {save(catalog.Tile{Category: ids[0], Label: strings.Repeat("é", catalog.MaxTileLabel+1)}), fault.Invalid},
			"long advice":      {save(catalog.Tile{Category: ids[0], Advice: strings.Repeat("é", catalog.MaxAdvice+1)}), fault.Invalid},
		} {
			if !fault.Is(c.err, c.code) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
		if _, err := s.SaveTile(ctx, auth.Identity{Tenant: 1, Role: auth.Technician}, catalog.Tile{Category: ids[0]}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a technician changed the portal: %v", err)
		}
		replay, err := journal.CheckRebuild(ctx, db, 1, []journal.Projection{s.Projection()}, nil)
		if err != nil || replay.Total != 0 {
			t.Errorf("rebuilt: %v %v", replay, err)
		}
	})
}

// A new département begins with nine pictures that say what to do meanwhile.
func TestSeedPortal(t *testing.T) {
	t.Parallel()
	s, index := setup(t, testkit.SQLite(t))
	if err := s.SeedMissing(context.Background(), system); err != nil {
		t.Fatal(err)
	}
	tiles := index().Tiles()
	if len(tiles) != 9 || tiles[0].Label != "Ordinateur" || tiles[8].Label != "Autre chose" {
		t.Errorf("%d tiles: %+v", len(tiles), tiles)
	}
	for _, tile := range tiles[:8] {
		if tile.Icon == "" || tile.LabelEN == "" || index().Advice(tile.Category, "en") == index().Advice(tile.Category, "fr") {
			t.Errorf("%s lacks something", tile.Label)
		}
	}
}
