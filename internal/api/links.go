package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
)

// registerLinks are the operations on what incidents have to do with each
// other, and on what people say of them.
func (a *API) registerLinks() {
	tag := []string{"incidents"}
	type ends struct {
		ByID

		Other int64 `path:"other" doc:"Number of the other incident."`
	}
	register(a, huma.Operation{OperationID: "relate-incidents", Method: http.MethodPut, Path: "/incidents/{id}/related/{other}", Tags: tag,
		Summary: "Note that two incidents have to do with each other", Description: "Said once, it stands on both. Merging and attaching to a main incident are steps of an incident's life: act-on-incident."},
		func(ctx context.Context, in *ends) (*tagged, error) {
			after, err := a.deps.Incidents.Relate(ctx, identity(ctx), in.ID, in.Other)
			if err != nil {
				return nil, err
			}
			return a.tag(ctx, after)
		})
	register(a, huma.Operation{OperationID: "unrelate-incidents", Method: http.MethodDelete, Path: "/incidents/{id}/related/{other}", Tags: tag,
		Summary: "Take that back"},
		func(ctx context.Context, in *ends) (*tagged, error) {
			after, err := a.deps.Incidents.Unrelate(ctx, identity(ctx), in.ID, in.Other)
			if err != nil {
				return nil, err
			}
			return a.tag(ctx, after)
		})
	register(a, huma.Operation{OperationID: "split-incident", Method: http.MethodPost, Path: "/incidents/{id}/split", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary:     "Take a second incident out of one",
		Description: "For the same declarant, in the same school, related both ways. Comments named by their place in the story are told again in the new incident; nothing leaves the first. Gives the new incident."},
		func(ctx context.Context, in *struct {
			ByID

			Body wire.Split
		}) (*tagged, error) {
			part := incident.Split{Title: in.Body.Title, Description: in.Body.Description, Category: in.Body.Category, Room: in.Body.Room}
			for _, text := range in.Body.Comments {
				pos, err := journal.ParsePos(text)
				if err != nil {
					return nil, fault.InvalidField("comments", "error.field.unknown")
				}
				part.Comments = append(part.Comments, pos)
			}
			fresh, err := a.deps.Incidents.Split(ctx, identity(ctx), in.ID, part)
			if err != nil {
				return nil, err
			}
			out, err := a.tag(ctx, fresh)
			if err != nil {
				return nil, err
			}
			out.Status, out.Location = http.StatusCreated, Prefix+"/incidents/"+strconv.FormatInt(fresh.ID, 10)
			return out, nil
		})
	register(a, huma.Operation{OperationID: "rate-incident", Method: http.MethodPut, Path: "/incidents/{id}/rating", Tags: tag,
		Summary: "Say whether one is satisfied", Description: "The declarant's answer to the one question asked after closing; it may be changed for twelve hours."},
		func(ctx context.Context, in *struct {
			ByID

			Body wire.Rating
		}) (*tagged, error) {
			after, err := a.deps.Incidents.Rate(ctx, identity(ctx), in.ID, incident.Rating(in.Body.Rating), in.Body.Comment)
			if err != nil {
				return nil, err
			}
			return a.tag(ctx, after)
		})
	register(a, huma.Operation{OperationID: "list-mentions", Method: http.MethodGet, Path: "/mentions", Tags: tag,
		Summary: "Comments that call the account's person", Description: "The latest 100, of incidents that it sees, latest first."},
		func(ctx context.Context, _ *struct{}) (*output[wire.Mentions], error) {
			all, err := a.deps.Incidents.Mentions(ctx, identity(ctx))
			if err != nil {
				return nil, err
			}
			var out wire.Mentions
			for _, m := range all {
				out.Items = append(out.Items, wire.Mention{Incident: m.Incident.ID, Title: m.Incident.Title, At: m.Entry.At, Comment: m.Entry.Comment, Internal: m.Entry.Internal})
			}
			return &output[wire.Mentions]{out}, nil
		})
}
