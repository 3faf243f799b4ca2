package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/label"
)

// BySchool is the address of one school.
type BySchool struct {
	ID int64 `path:"id" doc:"The school's number."`
}

func (a *API) registerLabels() {
	tag := []string{"labels"}
	register(a, huma.Operation{OperationID: "list-labels", Method: http.MethodGet, Path: "/schools/{id}/labels", Tags: tag,
		Summary: "QR labels of a school", Description: "Those whose link works, by room then machine. For whoever looks after the school's labels."},
		func(ctx context.Context, in *struct {
			BySchool
			Paging
		}) (*output[wire.Page[wire.Label]], error) {
			all, err := a.deps.Labels.Labels(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			shown, err := a.showLabels(ctx, all)
			if err != nil {
				return nil, err
			}
			return pageOf(shown, in.Paging, func(l wire.Label) int64 { return l.ID }, func(l wire.Label) wire.Label { return l })
		})
	register(a, huma.Operation{OperationID: "make-labels", Method: http.MethodPost, Path: "/schools/{id}/labels", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary: "Make QR labels", Description: "One a place, in order; a place that has one keeps it."},
		func(ctx context.Context, in *struct {
			BySchool

			Body wire.NewLabels
		}) (*output[wire.Page[wire.Label]], error) {
			places := make([]label.Place, len(in.Body.Places))
			for k, p := range in.Body.Places {
				places[k] = label.Place{School: in.ID, Room: p.Room, Machine: p.Machine}
			}
			made, err := a.deps.Labels.Make(ctx, identity(ctx), places)
			if err != nil {
				return nil, err
			}
			shown, err := a.showLabels(ctx, made)
			if err != nil {
				return nil, err
			}
			return &output[wire.Page[wire.Label]]{wire.Page[wire.Label]{Items: shown, Total: len(shown)}}, nil
		})
	register(a, huma.Operation{OperationID: "revoke-label", Method: http.MethodDelete, Path: "/labels/{id}", Tags: tag, DefaultStatus: http.StatusNoContent,
		Summary: "Kill the link of a label"},
		func(ctx context.Context, in *struct {
			ID int64 `path:"id" doc:"The label's number."`
		}) (*struct{}, error) {
			return nil, a.deps.Labels.Revoke(ctx, identity(ctx), in.ID)
		})
}

func (a *API) showLabels(ctx context.Context, all []label.Label) ([]wire.Label, error) {
	out := make([]wire.Label, len(all))
	for k, l := range all {
		token, err := a.deps.Labels.Token(ctx, l)
		if err != nil {
			return nil, err
		}
		out[k] = wire.Label{ID: l.ID, School: l.School, Room: l.Room, Machine: l.Machine, MadeAt: l.MadeAt, Path: "/q/" + token}
	}
	return out, nil
}
