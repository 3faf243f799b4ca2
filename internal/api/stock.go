package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/stock"
)

func wireMovement(m stock.Movement) wire.Movement {
	return wire.Movement{
		ID: m.ID, At: m.At, Kind: string(m.Kind), Item: m.Item, From: m.From, To: m.To, Quantity: m.Quantity, Price: m.Price, Incident: m.Incident, School: m.School,
		Reason: m.Reason, Discrepancy: m.Discrepancy, Reverses: m.Reverses, ReversedBy: m.ReversedBy, Actor: wire.Actor{Kind: m.By.Kind, ID: m.By.ID},
	}
}

func wireMovements(all []stock.Movement) wire.Movements {
	out := wire.Movements{Items: make([]wire.Movement, len(all))}
	for k, m := range all {
		out.Items[k] = wireMovement(m)
	}
	return out
}

func (a *API) registerStock() {
	tag := []string{"stock"}
	register(a, huma.Operation{OperationID: "get-stock", Method: http.MethodGet, Path: "/stock", Tags: tag, Summary: "Items, places and quantities", Description: "For whoever manages the stock."},
		func(ctx context.Context, _ *struct{}) (*output[wire.Stock], error) {
			st, err := a.deps.Stock.Stock(ctx, identity(ctx))
			if err != nil {
				return nil, err
			}
			return &output[wire.Stock]{wireStock(st)}, nil
		})
	register(a, huma.Operation{OperationID: "list-movements", Method: http.MethodGet, Path: "/stock/movements", Tags: tag, Summary: "The ledger", Description: "The last booked first."},
		func(ctx context.Context, in *struct {
			Item     int64 `query:"item"`
			Place    int64 `query:"place"`
			Incident int64 `query:"incident"`
			School   int64 `query:"school"`
			Before   int64 `query:"before" doc:"The next of the page before."`
			Limit    int   `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		}) (*output[wire.Movements], error) {
			all, err := a.deps.Stock.Ledger(ctx, identity(ctx), stock.LedgerQuery{Item: in.Item, Place: in.Place, Incident: in.Incident, School: in.School, Before: in.Before, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			page := wireMovements(all)
			if len(all) == in.Limit {
				page.Next = all[len(all)-1].ID
			}
			return &output[wire.Movements]{page}, nil
		})
	register(a, huma.Operation{OperationID: "book-movement", Method: http.MethodPost, Path: "/stock/movements", Tags: tag, DefaultStatus: http.StatusCreated, Summary: "Book a movement",
		Description: "Gives the lines that it made: two when more was taken than there was, and anyway was said. Without it that is a conflict (409), which shows what stands."},
		func(ctx context.Context, in *struct{ Body wire.NewMovement }) (*output[wire.Movements], error) {
			b := &in.Body
			o := stock.Order{Kind: stock.Kind(b.Kind), Item: b.Item, From: b.From, To: b.To, Quantity: b.Quantity, Price: b.Price, Incident: b.Incident, Reason: b.Reason, Anyway: b.Anyway}
			if b.At != nil {
				o.At = *b.At
			}
			done, err := a.deps.Stock.Book(ctx, identity(ctx), o)
			if err != nil {
				return nil, err
			}
			return &output[wire.Movements]{wireMovements(done)}, nil
		})
	register(a, huma.Operation{OperationID: "reverse-movement", Method: http.MethodPost, Path: "/stock/movements/{movement}/reverse", Tags: tag, DefaultStatus: http.StatusCreated, Summary: "Take a movement back", Description: "By the opposite one, once."},
		func(ctx context.Context, in *struct {
			Movement int64 `path:"movement"`
		}) (*output[wire.Movement], error) {
			m, err := a.deps.Stock.Reverse(ctx, identity(ctx), in.Movement)
			if err != nil {
				return nil, err
			}
			return &output[wire.Movement]{wireMovement(m)}, nil
		})
	register(a, huma.Operation{OperationID: "list-used-parts", Method: http.MethodGet, Path: "/incidents/{id}/parts", Tags: tag, Summary: "Parts used on an incident", Description: "Prices are told to whoever manages the stock."},
		func(ctx context.Context, in *struct{ ByID }) (*output[wire.UsedParts], error) {
			used, err := a.deps.Stock.UsedOn(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			list := wire.UsedParts{Items: make([]wire.UsedPart, len(used))}
			for k, u := range used {
				list.Items[k] = wire.UsedPart{Movement: u.Movement, Item: u.Item, Name: u.Name, Quantity: u.Quantity, Price: u.Price}
			}
			return &output[wire.UsedParts]{list}, nil
		})
}

func wireStock(st *stock.Stock) wire.Stock {
	out := wire.Stock{Items: make([]wire.Item, len(st.Items)), Places: make([]wire.StockPlace, len(st.Places))}
	for k, i := range st.Items {
		total := st.Total(i.ID)
		item := wire.Item{
			ID: i.ID, Reference: i.Reference, Name: i.Name, Kind: i.Kind, Unit: i.Unit, Price: i.Price, Supplier: i.Supplier, Note: i.Note, Minimum: i.Minimum, Wanted: i.Wanted, Archived: i.Archived,
			Quantity: total, Short: i.Short(total), Order: i.Order(total), Held: []wire.Held{},
		}
		for _, p := range st.Places {
			if n := st.At(i.ID, p.ID); n > 0 {
				item.Held = append(item.Held, wire.Held{Place: p.ID, Quantity: n})
			}
		}
		out.Items[k] = item
	}
	for k, p := range st.Places {
		out.Places[k] = wire.StockPlace{ID: p.ID, Name: p.Name, Kind: string(p.Kind), Person: p.Person, School: p.School, Archived: p.Archived}
	}
	return out
}
