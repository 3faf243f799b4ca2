package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/catalog"
)

// registerPortal adds the pictures of the declaration portal.
func (a *API) registerPortal() {
	register(a, huma.Operation{OperationID: "list-portal-tiles", Method: http.MethodGet, Path: "/portal/tiles", Tags: []string{"reference"},
		Summary: "Pictures of the declaration portal", Description: "In order, each with its word and icon filled from its category where it has none of its own."},
		func(ctx context.Context, in *struct{ Paging }) (*output[wire.Page[wire.Tile]], error) {
			words, err := a.words(ctx)
			if err != nil {
				return nil, err
			}
			return pageOf(words.Tiles(), in.Paging, func(t catalog.Tile) int64 { return t.Category }, tileIn)
		})
	register(a, huma.Operation{OperationID: "save-portal-tile", Method: http.MethodPut, Path: "/portal/tiles/{category}", Tags: []string{"reference"},
		Summary: "Say what the portal says of a category", Description: "Needs the right to edit the catalog. What is absent is emptied."},
		func(ctx context.Context, in *struct {
			Category int64 `path:"category" doc:"The category's number."`
			Body     wire.TileText
		}) (*output[wire.Tile], error) {
			b := in.Body
			t, err := a.deps.Catalog.SaveTile(ctx, identity(ctx), catalog.Tile{Category: in.Category, Shown: b.Shown, Icon: b.Icon, Label: b.Label, LabelEN: b.LabelEN, Advice: b.Advice, AdviceEN: b.AdviceEN})
			if err != nil {
				return nil, err
			}
			return &output[wire.Tile]{tileIn(t)}, nil
		})
	register(a, huma.Operation{OperationID: "move-portal-tile", Method: http.MethodPost, Path: "/portal/tiles/{category}/move", Tags: []string{"reference"}, DefaultStatus: http.StatusOK,
		Summary: "Move a picture on the portal", Description: "Needs the right to edit the catalog."},
		func(ctx context.Context, in *struct {
			Category int64 `path:"category" doc:"The category's number."`
			Body     wire.TileMove
		}) (*output[wire.TileMoved], error) {
			moved, err := a.deps.Catalog.MoveTile(ctx, identity(ctx), in.Category, in.Body.Steps)
			if err != nil {
				return nil, err
			}
			return &output[wire.TileMoved]{wire.TileMoved{Moved: moved}}, nil
		})
}

func tileIn(t catalog.Tile) wire.Tile {
	return wire.Tile{Category: t.Category, Shown: t.Shown, Position: t.Position, Icon: t.Icon, Label: t.Label, LabelEN: t.LabelEN, Advice: t.Advice, AdviceEN: t.AdviceEN}
}
