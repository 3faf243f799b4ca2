package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/stock"
)

// ByNumber is the address of an item or a place of the stock.
type ByNumber struct {
	ID int64 `path:"id" doc:"Its number."`
}

func (a *API) registerStockCommands() {
	tag := []string{"stock"}
	register(a, huma.Operation{OperationID: "add-item", Method: http.MethodPost, Path: "/stock/items", Tags: tag, DefaultStatus: http.StatusCreated, Summary: "Add an item"},
		func(ctx context.Context, in *struct{ Body wire.NewItem }) (*output[wire.Made], error) {
			return a.saveItem(ctx, 0, &in.Body)
		})
	register(a, huma.Operation{OperationID: "save-item", Method: http.MethodPut, Path: "/stock/items/{id}", Tags: tag, Summary: "Change an item", Description: "What is not said becomes empty."},
		func(ctx context.Context, in *struct {
			ByNumber

			Body wire.NewItem
		}) (*output[wire.Made], error) {
			return a.saveItem(ctx, in.ID, &in.Body)
		})
	register(a, huma.Operation{OperationID: "add-place", Method: http.MethodPost, Path: "/stock/places", Tags: tag, DefaultStatus: http.StatusCreated, Summary: "Add a place"},
		func(ctx context.Context, in *struct{ Body wire.NewStockPlace }) (*output[wire.Made], error) {
			return a.savePlace(ctx, 0, &in.Body)
		})
	register(a, huma.Operation{OperationID: "save-place", Method: http.MethodPut, Path: "/stock/places/{id}", Tags: tag, Summary: "Change a place", Description: "What is not said becomes empty."},
		func(ctx context.Context, in *struct {
			ByNumber

			Body wire.NewStockPlace
		}) (*output[wire.Made], error) {
			return a.savePlace(ctx, in.ID, &in.Body)
		})
}

func (a *API) saveItem(ctx context.Context, id int64, b *wire.NewItem) (*output[wire.Made], error) {
	i, err := a.deps.Stock.SaveItem(ctx, identity(ctx), stock.Item{
		ID: id, Reference: b.Reference, Name: b.Name, Kind: b.Kind, Unit: b.Unit, Price: b.Price, Supplier: b.Supplier, Note: b.Note, Minimum: b.Minimum, Wanted: b.Wanted, Archived: b.Archived,
	})
	if err != nil {
		return nil, err
	}
	return &output[wire.Made]{wire.Made{ID: i.ID}}, nil
}

func (a *API) savePlace(ctx context.Context, id int64, b *wire.NewStockPlace) (*output[wire.Made], error) {
	p, err := a.deps.Stock.SavePlace(ctx, identity(ctx), stock.Place{ID: id, Name: b.Name, Kind: stock.PlaceKind(b.Kind), Person: b.Person, School: b.School, Archived: b.Archived})
	if err != nil {
		return nil, err
	}
	return &output[wire.Made]{wire.Made{ID: p.ID}}, nil
}
