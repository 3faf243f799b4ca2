package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/problem"
)

// ProblemAndIncident is the address of a tie.
type ProblemAndIncident struct {
	ByID

	Incident int64 `path:"incident" doc:"Number of the incident."`
}

// ByProblem is the address of one problem.
type ByProblem struct {
	ID int64 `path:"id" doc:"The problem's number."`
}

func problemContent(b *wire.NewProblem) problem.Content {
	return problem.Content{
		State: problem.State(b.State), Title: b.Title, Description: b.Description, Cause: b.Cause, Workaround: b.Workaround, Public: b.Public, Category: b.Category, Owner: b.Owner,
	}
}

func (a *API) registerProblems() {
	tag := []string{"problems"}
	register(a, huma.Operation{OperationID: "list-problems", Method: http.MethodGet, Path: "/problems", Tags: tag,
		Summary: "Problems: causes behind several incidents", Description: "Those that strike first, 1,000 at most. For accounts that handle incidents."},
		func(ctx context.Context, _ *struct{}) (*output[wire.ProblemRecords], error) {
			all, err := a.deps.Problems.List(ctx, identity(ctx))
			if err != nil {
				return nil, err
			}
			out := wire.ProblemRecords{Items: []wire.ProblemRecord{}}
			for k := range all {
				out.Items = append(out.Items, wireProblem(&all[k]))
			}
			return &output[wire.ProblemRecords]{out}, nil
		})
	register(a, huma.Operation{OperationID: "open-problem", Method: http.MethodPost, Path: "/problems", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary: "Open a problem"},
		func(ctx context.Context, in *struct{ Body wire.NewProblem }) (*output[wire.ProblemRecord], error) {
			p, err := a.deps.Problems.Open(ctx, identity(ctx), problemContent(&in.Body))
			if err != nil {
				return nil, err
			}
			return &output[wire.ProblemRecord]{wireProblem(&p)}, nil
		})
	register(a, huma.Operation{OperationID: "get-problem", Method: http.MethodGet, Path: "/problems/{id}", Tags: tag, Summary: "One problem"},
		func(ctx context.Context, in *ByProblem) (*output[wire.ProblemRecord], error) {
			p, err := a.deps.Problems.Get(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return &output[wire.ProblemRecord]{wireProblem(&p)}, nil
		})
	register(a, huma.Operation{OperationID: "save-problem", Method: http.MethodPut, Path: "/problems/{id}", Tags: tag,
		Summary: "Change what a problem says", Description: "version is the one that was looked at: if somebody wrote meanwhile it is a conflict."},
		func(ctx context.Context, in *struct {
			ByProblem

			Version int64 `query:"version" minimum:"1" required:"true"`
			Body    wire.NewProblem
		}) (*output[wire.ProblemRecord], error) {
			p, err := a.deps.Problems.Save(ctx, identity(ctx), in.ID, in.Version, problemContent(&in.Body))
			if err != nil {
				return nil, err
			}
			return &output[wire.ProblemRecord]{wireProblem(&p)}, nil
		})
	register(a, huma.Operation{OperationID: "link-problem", Method: http.MethodPut, Path: "/problems/{id}/incidents/{incident}", Tags: tag, DefaultStatus: http.StatusNoContent,
		Summary: "Tie an incident to a problem", Description: "Said twice it changes nothing."},
		func(ctx context.Context, in *ProblemAndIncident) (*struct{}, error) {
			_, err := a.deps.Problems.Link(ctx, identity(ctx), in.ID, in.Incident)
			return nil, err
		})
	register(a, huma.Operation{OperationID: "unlink-problem", Method: http.MethodDelete, Path: "/problems/{id}/incidents/{incident}", Tags: tag, DefaultStatus: http.StatusNoContent,
		Summary: "Untie an incident from a problem"},
		func(ctx context.Context, in *ProblemAndIncident) (*struct{}, error) {
			_, err := a.deps.Problems.Unlink(ctx, identity(ctx), in.ID, in.Incident)
			return nil, err
		})
}

func wireProblem(p *problem.Problem) wire.ProblemRecord {
	return wire.ProblemRecord{
		ID: p.ID, Version: p.Version, State: string(p.State), Title: p.Title, Description: p.Description, Cause: p.Cause, Workaround: p.Workaround,
		Public: p.Public, Category: p.Category, Owner: p.Owner, Incidents: p.Incidents, OpenedAt: p.OpenedAt, EndedAt: instant(p.EndedAt), UpdatedAt: p.UpdatedAt,
	}
}
