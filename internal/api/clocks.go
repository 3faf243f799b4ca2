package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/servicelevel"
)

func (a *API) registerClocks() {
	tag := []string{"service levels"}
	register(a, huma.Operation{OperationID: "get-clock", Method: http.MethodGet, Path: "/incidents/{id}/clock", Tags: tag,
		Summary: "The service clocks of an incident", Description: "Computed from its story, line by line."},
		func(ctx context.Context, in *struct{ ByID }) (*output[wire.Clock], error) {
			who := identity(ctx)
			c, err := a.deps.Service.Clock(ctx, who.Scope(), in.ID, a.deps.Clock())
			if err != nil {
				return nil, err
			}
			return &output[wire.Clock]{wire.Clock{Response: wireClock(who, &c.Response), Resolution: wireClock(who, &c.Resolution)}}, nil
		})
	register(a, huma.Operation{OperationID: "list-service-targets", Method: http.MethodGet, Path: "/service-targets", Tags: tag,
		Summary: "What is promised", Description: "At most 500, the most general first. For accounts that handle incidents."},
		func(ctx context.Context, _ *struct{}) (*output[wire.ServiceTargets], error) {
			who := identity(ctx)
			if err := who.Require(auth.HandleIncident); err != nil {
				return nil, err
			}
			index, err := a.deps.Service.Index(ctx, who.Tenant)
			if err != nil {
				return nil, err
			}
			out := wire.ServiceTargets{Items: []wire.ServiceTarget{}, Warn: index.Warn}
			for _, t := range index.Targets.All() {
				one := wire.ServiceTarget{Priority: t.Priority, Category: t.Category, Response: t.Response, Resolution: t.Resolution}
				if t.From != 0 {
					one.From = t.From.String()
				}
				out.Items = append(out.Items, one)
			}
			return &output[wire.ServiceTargets]{out}, nil
		})
	register(a, huma.Operation{OperationID: "save-service-target", Method: http.MethodPut, Path: "/service-targets", Tags: tag, DefaultStatus: http.StatusNoContent,
		Summary: "Promise something from a day on", Description: "Sets a target, or changes the one that begins that day; what is past does not change. The clocks that it concerns are computed again."},
		func(ctx context.Context, in *struct{ Body wire.ServiceTarget }) (*struct{}, error) {
			b := &in.Body
			var f fault.Fields
			t := servicelevel.Target{Priority: b.Priority, Category: b.Category, From: readDay(&f, "from", b.From), Response: b.Response, Resolution: b.Resolution}
			if err := f.Err(); err != nil {
				return nil, err
			}
			return nil, a.deps.Service.SaveTarget(ctx, identity(ctx), t)
		})
	register(a, huma.Operation{OperationID: "remove-service-target", Method: http.MethodDelete, Path: "/service-targets", Tags: tag, DefaultStatus: http.StatusNoContent,
		Summary: "Take a target back", Description: "One that begins today or later."},
		func(ctx context.Context, in *struct {
			Priority int    `query:"priority" minimum:"0" maximum:"5"`
			Category int64  `query:"category" minimum:"0"`
			From     string `query:"from" format:"date" required:"true"`
		}) (*struct{}, error) {
			var f fault.Fields
			from := readDay(&f, "from", in.From)
			if err := f.Err(); err != nil {
				return nil, err
			}
			return nil, a.deps.Service.RemoveTarget(ctx, identity(ctx), servicelevel.Key{Priority: in.Priority, Category: in.Category}, from)
		})
}

func wireClock(who auth.Identity, p *servicelevel.Part) wire.ClockPart {
	out := wire.ClockPart{Phase: string(p.Phase), Target: p.Target, Spent: p.Spent, Due: instant(p.Due), Late: p.Late, Lines: []wire.ClockLine{}}
	if p.Target > 0 {
		out.Remaining = &p.Remaining
	}
	for _, l := range p.Lines {
		line := wire.ClockLine{From: l.From, To: l.To, Kind: string(l.Kind), Minutes: l.Minutes, State: string(l.State), Waiting: l.Waiting}
		if who.Can(auth.HandleIncident) {
			line.Assignee = l.Assignee
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}
