package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/incident"
	"statincidents/internal/preset"
)

// ByPreset is the address of one preset.
type ByPreset struct {
	ID int64 `path:"id" doc:"The preset's number."`
}

func (a *API) registerPresets() {
	tag := []string{"presets"}
	register(a, huma.Operation{OperationID: "list-presets", Method: http.MethodGet, Path: "/presets", Tags: tag,
		Summary: "Templates or macros", Description: "Those that the account may use: its own and the shared ones."},
		func(ctx context.Context, in *struct {
			Kind string `query:"kind" enum:"template,macro" default:"template"`
		}) (*output[wire.Presets], error) {
			all, err := a.deps.Presets.List(ctx, identity(ctx), preset.Kind(in.Kind))
			if err != nil {
				return nil, err
			}
			out := wire.Presets{Items: make([]wire.Preset, len(all))}
			for k := range all {
				out.Items[k] = showPreset(&all[k])
			}
			return &output[wire.Presets]{out}, nil
		})
	register(a, huma.Operation{OperationID: "add-preset", Method: http.MethodPost, Path: "/presets", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary: "Keep a template or a macro", Description: "Sharing one needs the right to set up the service."},
		func(ctx context.Context, in *struct{ Body wire.Preset }) (*output[wire.Preset], error) {
			return a.savePreset(ctx, 0, &in.Body)
		})
	register(a, huma.Operation{OperationID: "save-preset", Method: http.MethodPut, Path: "/presets/{id}", Tags: tag, Summary: "Change a template or a macro"},
		func(ctx context.Context, in *struct {
			ByPreset

			Body wire.Preset
		}) (*output[wire.Preset], error) {
			return a.savePreset(ctx, in.ID, &in.Body)
		})
	register(a, huma.Operation{OperationID: "remove-preset", Method: http.MethodDelete, Path: "/presets/{id}", Tags: tag, DefaultStatus: http.StatusNoContent, Summary: "Take a template or a macro away"},
		func(ctx context.Context, in *ByPreset) (*struct{}, error) {
			return nil, a.deps.Presets.Remove(ctx, identity(ctx), in.ID)
		})
}

func (a *API) savePreset(ctx context.Context, id int64, b *wire.Preset) (*output[wire.Preset], error) {
	p := preset.Preset{ID: id, Kind: preset.Kind(b.Kind), Label: b.Label, Key: b.Key}
	if !b.Shared {
		p.Owner = identity(ctx).Account
	}
	if f := b.Filled; f != nil {
		p.Filled = preset.Filled{Title: f.Title, Description: f.Description, Category: f.Category, Impact: f.Impact, Urgency: f.Urgency}
	}
	if c := b.Change; c != nil {
		p.Change = preset.Change{Action: incident.Action(c.Action), Set: patchOf(c), Comment: c.Comment, Internal: c.Internal}
	}
	saved, err := a.deps.Presets.Save(ctx, identity(ctx), p)
	if err != nil {
		return nil, err
	}
	return &output[wire.Preset]{showPreset(&saved)}, nil
}

func showPreset(p *preset.Preset) wire.Preset {
	out := wire.Preset{ID: p.ID, Kind: string(p.Kind), Shared: p.Owner == 0, Label: p.Label, Key: p.Key}
	if p.Kind == preset.Template {
		f := p.Filled
		out.Filled = &wire.PresetFilled{Title: f.Title, Description: f.Description, Category: f.Category, Impact: f.Impact, Urgency: f.Urgency}
		return out
	}
	c := showChange(p.Change.Action, &p.Change.Set, p.Change.Comment, p.Change.Internal)
	out.Change = &c
	return out
}

// patchOf are the fields that a step sets.
func patchOf(b *wire.Transition) incident.Patch {
	return incident.Patch{Assignee: b.Assignee, Team: b.Team, PlannedAt: b.PlannedAt, WaitingCode: b.WaitingCode, CauseCode: b.CauseCode,
		ResolutionCode: b.ResolutionCode, Resolution: b.Resolution, MergedInto: b.MergedInto, Parent: b.Parent, Tried: b.Tried}
}

// showChange writes a step as it was asked.
func showChange(action incident.Action, p *incident.Patch, comment string, internal bool) wire.Transition {
	return wire.Transition{Action: string(action), Assignee: p.Assignee, Team: p.Team, PlannedAt: p.PlannedAt, WaitingCode: p.WaitingCode, CauseCode: p.CauseCode,
		ResolutionCode: p.ResolutionCode, Resolution: p.Resolution, MergedInto: p.MergedInto, Parent: p.Parent, Tried: p.Tried, Comment: comment, Internal: internal}
}
