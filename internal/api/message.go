package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
)

// registerMessages are the operations on what people were written.
func (a *API) registerMessages() {
	register(a, huma.Operation{OperationID: "list-incident-messages", Method: http.MethodGet, Path: "/incidents/{id}/messages", Tags: []string{"incidents"},
		Summary: "Which messages were made about an incident", Description: "For those who handle incidents. Oldest first, 500 at most."},
		func(ctx context.Context, in *ByID) (*output[[]wire.Message], error) {
			log, err := a.deps.Notify.Log(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			list := make([]wire.Message, 0, len(log))
			for _, e := range log {
				m := wire.Message{ID: e.ID, Kind: e.Kind, Person: e.Person, Address: e.Address, State: string(e.State), Reason: e.Reason, Tries: e.Tries, CreatedAt: e.CreatedAt}
				if !e.SentAt.IsZero() {
					m.SentAt = &e.SentAt
				}
				list = append(list, m)
			}
			return &output[[]wire.Message]{Body: list}, nil
		})
}
