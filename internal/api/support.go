package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

func showSupport(s directory.Support) wire.Support {
	return wire.Support{School: s.School, First: s.First, Categories: s.Categories, Hours: s.Hours}
}

func (a *API) registerSupport() {
	register(a, huma.Operation{OperationID: "get-school-support", Method: "GET", Path: "/schools/{id}/support", Tags: []string{"reference"},
		Summary: "Whether a school handles first", Description: "Whether the school's referent handles first what is declared there, before the département."},
		func(ctx context.Context, in *struct {
			ID int64 `path:"id" doc:"The school's number."`
		}) (*output[wire.Support], error) {
			places, school, err := a.school(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &output[wire.Support]{showSupport(places.Support(school.ID))}, nil
		})
	register(a, huma.Operation{OperationID: "set-school-support", Method: "PUT", Path: "/schools/{id}/support", Tags: []string{"reference"},
		Summary: "Let a school handle first, or not", Description: "For whoever edits the directory. What is declared from then on begins at the school's referent; what is there already stays where it is."},
		func(ctx context.Context, in *struct {
			ID   int64 `path:"id" doc:"The school's number."`
			Body wire.SupportChoice
		}) (*output[wire.Support], error) {
			if err := identity(ctx).Require(auth.EditDirectory); err != nil {
				return nil, err
			}
			_, school, err := a.school(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			words, err := a.words(ctx)
			if err != nil {
				return nil, err
			}
			for _, k := range in.Body.Categories {
				if _, ok := words.Category(k); !ok {
					return nil, fault.InvalidField("categories", "error.field.unknown")
				}
			}
			kept, err := a.deps.Directory.SaveSupport(ctx, identity(ctx), directory.Support{School: school.ID, First: in.Body.First, Categories: in.Body.Categories, Hours: in.Body.Hours})
			if err != nil {
				return nil, err
			}
			return &output[wire.Support]{showSupport(kept)}, nil
		})
}
