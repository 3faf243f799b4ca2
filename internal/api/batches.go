package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// ByBatch is the address of one batch.
type ByBatch struct {
	ID int64 `path:"id" doc:"The batch's number."`
}

func (a *API) registerBatches() {
	tag := []string{"batches"}
	register(a, huma.Operation{OperationID: "preview-batch", Method: http.MethodPost, Path: "/batches/preview", Tags: tag,
		Summary: "What a change would do to many incidents", Description: "Judged as the change itself, and nothing is written. Of a step only."},
		func(ctx context.Context, in *struct{ Body wire.NewBatch }) (*output[wire.BatchPreview], error) {
			who := identity(ctx)
			if err := who.Require(auth.HandleIncident); err != nil {
				return nil, err
			}
			c := in.Body.Change
			if c == nil {
				return nil, fault.InvalidField("change", "error.field.required")
			}
			all, err := a.deps.Incidents.Preview(ctx, who, in.Body.Incidents, incident.Change{Action: incident.Action(c.Action), Set: patchOf(c), Comment: c.Comment, Internal: c.Internal})
			if err != nil {
				return nil, err
			}
			out := wire.BatchPreview{Counts: map[string]int{}, Items: make([]wire.BatchItem, len(all))}
			say := a.printer(ctx)
			for k := range all {
				o := &all[k]
				item := wire.BatchItem{Incident: o.Incident.ID, Outcome: string(batch.Done)}
				switch {
				case o.Err != nil:
					item.Outcome = string(batch.Refused)
					item.Reason, _ = say.Error(o.Err)
				case o.Nothing:
					item.Outcome = string(batch.Unchanged)
				default:
					for _, f := range o.Changes {
						item.Changes = append(item.Changes, string(f))
					}
				}
				out.Counts[item.Outcome]++
				out.Items[k] = item
			}
			return &output[wire.BatchPreview]{out}, nil
		})
	register(a, huma.Operation{OperationID: "start-batch", Method: http.MethodPost, Path: "/batches", Tags: tag, DefaultStatus: http.StatusAccepted,
		Summary: "Change many incidents", Description: "Goes on by itself: read the batch to follow it. Each incident is changed by the ordinary command, and keeps its own story."},
		func(ctx context.Context, in *struct{ Body wire.NewBatch }) (*output[wire.Batch], error) {
			if err := identity(ctx).Require(auth.HandleIncident); err != nil {
				return nil, err
			}
			b := &in.Body
			change := batch.Change{Problem: b.Problem}
			switch {
			case (b.Change == nil) == (b.Problem == 0):
				return nil, fault.InvalidField("change", "error.field.required")
			case b.Change != nil:
				change.Action, change.Set, change.Comment, change.Internal = incident.Action(b.Change.Action), patchOf(b.Change), b.Change.Comment, b.Change.Internal
			}
			id, err := a.deps.Batches.Start(ctx, identity(ctx), b.Incidents, change)
			if err != nil {
				return nil, err
			}
			return a.batch(ctx, id)
		})
	register(a, huma.Operation{OperationID: "get-batch", Method: http.MethodGet, Path: "/batches/{id}", Tags: tag, Summary: "How far a batch is", Description: "For the account that asked for it."},
		func(ctx context.Context, in *ByBatch) (*output[wire.Batch], error) { return a.batch(ctx, in.ID) })
	register(a, huma.Operation{OperationID: "undo-batch", Method: http.MethodPost, Path: "/batches/{id}/undo", Tags: tag, Summary: "Take a batch back",
		Description: "Each incident that it changed and that nobody has changed since, while the time to undo lasts; what cannot be is kept, and says why."},
		func(ctx context.Context, in *ByBatch) (*output[wire.Batch], error) {
			b, err := a.deps.Batches.Undo(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return &output[wire.Batch]{a.showBatch(ctx, &b)}, nil
		})
}

// printer says things in the reader's language.
func (a *API) printer(ctx context.Context) *locale.Printer {
	req := requestOf(ctx)
	return locale.For(req.language, req.location)
}

func (a *API) batch(ctx context.Context, id int64) (*output[wire.Batch], error) {
	b, err := a.deps.Batches.Get(ctx, identity(ctx), id)
	if err != nil {
		return nil, err
	}
	return &output[wire.Batch]{a.showBatch(ctx, &b)}, nil
}

func (a *API) showBatch(ctx context.Context, b *batch.Batch) wire.Batch {
	out := wire.Batch{ID: b.ID, Problem: b.Change.Problem, StartedAt: b.Started, EndedAt: instant(b.Ended), MayUndo: b.MayUndo(a.deps.Clock()), Counts: map[string]int{}, Items: make([]wire.BatchItem, len(b.Items))}
	if b.Change.Problem == 0 {
		c := showChange(b.Change.Action, &b.Change.Set, b.Change.Comment, b.Change.Internal)
		out.Change = &c
	}
	say := a.printer(ctx)
	for k, i := range b.Items {
		item := wire.BatchItem{Incident: i.Incident, Outcome: string(i.Outcome)}
		if i.Reason != nil {
			item.Reason, _ = say.Error(i.Reason)
		}
		out.Counts[item.Outcome]++
		out.Items[k] = item
	}
	return out
}
