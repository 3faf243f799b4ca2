package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/jobs"
)

// ByJob is the address of one job.
type ByJob struct {
	ID int64 `path:"id" doc:"The job's number."`
}

func (a *API) registerJobs() {
	tag := []string{"jobs"}
	register(a, huma.Operation{OperationID: "list-jobs", Method: http.MethodGet, Path: "/jobs", Tags: tag,
		Summary: "What the program does by itself", Description: "Jobs and how each kind stands. For administrators."},
		func(ctx context.Context, in *struct {
			Kind  string   `query:"kind" maxLength:"100"`
			State []string `query:"state" enum:"available,running,retryable,completed,discarded,cancelled"`
			Limit int      `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		}) (*output[wire.Jobs], error) {
			f := jobs.Filter{Kind: in.Kind, Limit: in.Limit}
			for _, s := range in.State {
				f.States = append(f.States, jobs.State(s))
			}
			all, err := a.deps.Jobs.List(ctx, identity(ctx), f)
			if err != nil {
				return nil, err
			}
			queues, err := a.deps.Jobs.Overview(ctx, identity(ctx))
			if err != nil {
				return nil, err
			}
			out := wire.Jobs{Items: make([]wire.Job, len(all)), Queues: make([]wire.JobQueue, len(queues))}
			for k, j := range all {
				out.Items[k] = wire.Job{ID: j.ID, Kind: j.Kind, State: string(j.State), Attempt: j.Attempt, MaxAttempts: j.MaxAttempts, At: j.At, CreatedAt: j.CreatedAt, FinishedAt: instant(j.FinishedAt), Error: j.Error}
			}
			for k, q := range queues {
				one := wire.JobQueue{Kind: q.Kind, Counts: map[string]int{}, Oldest: instant(q.Oldest)}
				for state, n := range q.Count {
					one.Counts[string(state)] = n
				}
				out.Queues[k] = one
			}
			return &output[wire.Jobs]{out}, nil
		})
	register(a, huma.Operation{OperationID: "retry-job", Method: http.MethodPost, Path: "/jobs/{id}/retry", Tags: tag, DefaultStatus: http.StatusNoContent,
		Summary: "Try a job again now", Description: "One that waits, failed, was given up or was cancelled."},
		func(ctx context.Context, in *ByJob) (*struct{}, error) {
			return nil, a.deps.Jobs.Retry(ctx, identity(ctx), in.ID)
		})
	register(a, huma.Operation{OperationID: "cancel-job", Method: http.MethodPost, Path: "/jobs/{id}/cancel", Tags: tag, DefaultStatus: http.StatusNoContent,
		Summary: "Keep a waiting job from being run"},
		func(ctx context.Context, in *ByJob) (*struct{}, error) {
			return nil, a.deps.Jobs.Cancel(ctx, identity(ctx), in.ID)
		})
}
