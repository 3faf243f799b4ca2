package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/queue"
)

// ByView is the address of one saved view.
type ByView struct {
	ID int64 `path:"id" doc:"The view's number."`
}

func (a *API) registerViews() {
	tag := []string{"views"}
	register(a, huma.Operation{OperationID: "list-views", Method: http.MethodGet, Path: "/views", Tags: tag,
		Summary: "Saved views of the list of incidents", Description: "The account's own, and those shared with it."},
		func(ctx context.Context, _ *struct{}) (*output[wire.Views], error) {
			who, err := a.queueReader(ctx)
			if err != nil {
				return nil, err
			}
			all, err := a.deps.Queue.Views(ctx, who)
			if err != nil {
				return nil, err
			}
			out := wire.Views{Items: make([]wire.View, len(all))}
			for k, v := range all {
				out.Items[k] = showView(who, v)
			}
			return &output[wire.Views]{out}, nil
		})
	register(a, huma.Operation{OperationID: "add-view", Method: http.MethodPost, Path: "/views", Tags: tag, DefaultStatus: http.StatusCreated, Summary: "Save a view"},
		func(ctx context.Context, in *struct{ Body wire.View }) (*output[wire.View], error) {
			return a.saveView(ctx, 0, &in.Body)
		})
	register(a, huma.Operation{OperationID: "save-view", Method: http.MethodPut, Path: "/views/{id}", Tags: tag, Summary: "Change a saved view"},
		func(ctx context.Context, in *struct {
			ByView

			Body wire.View
		}) (*output[wire.View], error) {
			return a.saveView(ctx, in.ID, &in.Body)
		})
	register(a, huma.Operation{OperationID: "remove-view", Method: http.MethodDelete, Path: "/views/{id}", Tags: tag, DefaultStatus: http.StatusNoContent, Summary: "Take a saved view away"},
		func(ctx context.Context, in *ByView) (*struct{}, error) {
			who, err := a.queueReader(ctx)
			if err != nil {
				return nil, err
			}
			_, err = a.deps.Queue.RemoveView(ctx, who, in.ID)
			return nil, err
		})
}

// queueReader is who asks, with the team in which they work.
func (a *API) queueReader(ctx context.Context) (queue.Reader, error) {
	who := queue.Reader{Identity: identity(ctx)}
	places, err := a.places(ctx)
	if err != nil {
		return who, err
	}
	if p, ok := places.Person(who.Person); ok {
		who.Team = p.Team
	}
	return who, nil
}

func (a *API) saveView(ctx context.Context, id int64, b *wire.View) (*output[wire.View], error) {
	who, err := a.queueReader(ctx)
	if err != nil {
		return nil, err
	}
	v, err := a.deps.Queue.SaveView(ctx, who, queue.View{ID: id, Name: b.Name, Query: b.Query, Audience: queue.Audience(b.Audience), Target: b.Target})
	if err != nil {
		return nil, err
	}
	return &output[wire.View]{showView(who, v)}, nil
}

func showView(who queue.Reader, v queue.View) wire.View {
	return wire.View{ID: v.ID, Name: v.Name, Query: v.Query, Audience: string(v.Audience), Target: v.Target, Owner: v.Owner, MayChange: who.MayChange(v)}
}
