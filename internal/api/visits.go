package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/checklist"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/visit"
)

// ByVisit is the address of one visit.
type ByVisit struct {
	ID int64 `path:"id" doc:"The visit's number."`
}

func (a *API) registerVisits() {
	tag := []string{"visits"}
	register(a, huma.Operation{OperationID: "list-visits", Method: http.MethodGet, Path: "/visits", Tags: tag,
		Summary: "Visits of a period", Description: "By instant, at most 2,000, those of the schools that the account sees. Four weeks from today if no period is given."},
		func(ctx context.Context, in *struct {
			From       time.Time `query:"from" doc:"Visits that end after it."`
			To         time.Time `query:"to" doc:"Visits that begin before it."`
			Technician int64     `query:"technician"`
			School     int64     `query:"school"`
			Incident   int64     `query:"incident"`
			State      []string  `query:"state" enum:"planned,started,done,cancelled"`
		}) (*output[wire.Visits], error) {
			f := visit.Filter{From: in.From, To: in.To, Technician: in.Technician, School: in.School, Incident: in.Incident}
			for _, s := range in.State {
				f.States = append(f.States, visit.State(s))
			}
			if f.From.IsZero() && f.To.IsZero() && f.Incident == 0 {
				f.From = calendar.DayOf(a.deps.Clock(), a.deps.Location).Start(a.deps.Location)
				f.To = f.From.AddDate(0, 0, 28)
			}
			found, err := a.deps.Visits.List(ctx, identity(ctx), f)
			if err != nil {
				return nil, err
			}
			places, err := a.places(ctx)
			if err != nil {
				return nil, err
			}
			out := wire.Visits{Items: make([]wire.Visit, len(found))}
			for k := range found {
				out.Items[k] = visitOut(places, &found[k])
			}
			return &output[wire.Visits]{out}, nil
		})
	register(a, huma.Operation{OperationID: "plan-visit", Method: http.MethodPost, Path: "/visits", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary: "Plan a visit", Description: "Its incidents become planned with it. What speaks against it is told in clashes, and does not forbid it."},
		func(ctx context.Context, in *struct{ Body wire.NewVisit }) (*output[wire.Visit], error) {
			b, by := &in.Body, identity(ctx)
			if err := by.Require(auth.HandleIncident); err != nil {
				return nil, err
			}
			school, err := a.schoolID(ctx, b.School)
			if err != nil {
				return nil, err
			}
			if b.Technician == 0 {
				b.Technician = by.Person
			}
			v, err := a.deps.Visits.Plan(ctx, by, visit.Draft{
				Kind: visit.Kind(b.Kind), School: school, Technician: b.Technician, Start: b.Start, Minutes: b.Minutes, Purpose: b.Purpose, Note: b.Note, Incidents: b.Incidents,
			})
			return a.visit(ctx, v, err)
		})
	register(a, huma.Operation{OperationID: "get-visit", Method: http.MethodGet, Path: "/visits/{id}", Tags: tag, Summary: "One visit"},
		func(ctx context.Context, in *ByVisit) (*output[wire.Visit], error) {
			v, err := a.deps.Visits.Get(ctx, identity(ctx), in.ID)
			return a.visit(ctx, v, err)
		})
	register(a, huma.Operation{OperationID: "change-visit", Method: http.MethodPatch, Path: "/visits/{id}", Tags: tag, Summary: "Move or complete a visit"},
		func(ctx context.Context, in *struct {
			ByVisit

			Body wire.VisitEdit
		}) (*output[wire.Visit], error) {
			b := &in.Body
			v, err := a.deps.Visits.Change(ctx, identity(ctx), in.ID, b.Version, visit.Edit{
				Kind: (*visit.Kind)(b.Kind), Technician: b.Technician, Start: b.Start, Minutes: b.Minutes, Purpose: b.Purpose, Note: b.Note, Report: b.Report, Incidents: b.Incidents,
			})
			return a.visit(ctx, v, err)
		})
	register(a, huma.Operation{OperationID: "act-on-visit", Method: http.MethodPost, Path: "/visits/{id}/actions", Tags: tag,
		Summary: "Start, finish, cancel or restore a visit", Description: "Incidents that it does not solve are free again when it ends. A mandatory item of its check-lists that is not done holds its end back (422)."},
		func(ctx context.Context, in *struct {
			ByVisit

			Body wire.VisitAction
		}) (*output[wire.Visit], error) {
			v, err := a.deps.Visits.Act(ctx, identity(ctx), in.ID, in.Body.Version, visit.Action(in.Body.Action))
			return a.visit(ctx, v, err)
		})
	register(a, huma.Operation{OperationID: "list-time", Method: http.MethodGet, Path: "/incidents/{id}/time", Tags: tag, Summary: "Time spent on an incident", Description: "For the unit."},
		func(ctx context.Context, in *struct{ ByID }) (*output[wire.Times], error) {
			by := identity(ctx)
			if err := by.Require(auth.HandleIncident); err != nil {
				return nil, err
			}
			if _, err := a.deps.Incidents.Get(ctx, by.Scope(), in.ID); err != nil {
				return nil, err
			}
			found, err := a.deps.Visits.TimeOn(ctx, by, visit.On{Incident: in.ID})
			if err != nil {
				return nil, err
			}
			places, err := a.places(ctx)
			if err != nil {
				return nil, err
			}
			out := wire.Times{Items: make([]wire.Time, len(found))}
			for k, t := range found {
				out.Items[k] = timeOut(places, t)
				out.Total += t.Minutes
			}
			return &output[wire.Times]{out}, nil
		})
	register(a, huma.Operation{OperationID: "log-time", Method: http.MethodPost, Path: "/incidents/{id}/time", Tags: tag, DefaultStatus: http.StatusCreated, Summary: "Log time spent on an incident"},
		func(ctx context.Context, in *struct {
			ByID

			Body wire.NewTime
		}) (*output[wire.Time], error) {
			t := visit.Time{Incident: in.ID, Visit: in.Body.Visit, Minutes: in.Body.Minutes, Note: in.Body.Note}
			if in.Body.Day != "" {
				day, err := calendar.ParseDay(in.Body.Day)
				if err != nil {
					return nil, fault.InvalidField("day", "error.field.date")
				}
				t.Day = day
			}
			made, err := a.deps.Visits.LogTime(ctx, identity(ctx), t)
			if err != nil {
				return nil, err
			}
			places, err := a.places(ctx)
			if err != nil {
				return nil, err
			}
			return &output[wire.Time]{timeOut(places, made)}, nil
		})
}

func (a *API) registerChecklists() {
	tag := []string{"check-lists"}
	register(a, huma.Operation{OperationID: "list-checklist-templates", Method: http.MethodGet, Path: "/checklist-templates", Tags: tag, Summary: "What check-lists are made with"},
		func(ctx context.Context, _ *struct{}) (*output[wire.ChecklistTemplates], error) {
			found, err := a.deps.Checks.Templates(ctx, identity(ctx))
			if err != nil {
				return nil, err
			}
			out := wire.ChecklistTemplates{Items: make([]wire.ChecklistTemplate, len(found))}
			for k, t := range found {
				w := wire.ChecklistTemplate{ID: t.ID, Version: t.Version, Title: t.Title, About: t.About, Archived: t.Archived}
				for _, i := range t.Items {
					w.Items = append(w.Items, wire.ChecklistItem{Text: i.Text, Help: i.Help, Kind: string(i.Kind), Mandatory: i.Mandatory})
				}
				out.Items[k] = w
			}
			return &output[wire.ChecklistTemplates]{out}, nil
		})
	register(a, huma.Operation{OperationID: "list-checklists", Method: http.MethodGet, Path: "/incidents/{id}/checklists", Tags: tag, Summary: "The check-lists of an incident", Description: "For the unit."},
		func(ctx context.Context, in *struct{ ByID }) (*output[wire.Checklists], error) {
			by := identity(ctx)
			if err := by.Require(auth.HandleIncident); err != nil {
				return nil, err
			}
			if _, err := a.deps.Incidents.Get(ctx, by.Scope(), in.ID); err != nil {
				return nil, err
			}
			found, err := a.deps.Checks.Of(ctx, by, in.ID)
			if err != nil {
				return nil, err
			}
			out := wire.Checklists{Items: make([]wire.Checklist, len(found))}
			for k := range found {
				out.Items[k] = checklistOut(&found[k])
			}
			return &output[wire.Checklists]{out}, nil
		})
	register(a, huma.Operation{OperationID: "add-checklist", Method: http.MethodPost, Path: "/incidents/{id}/checklists", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary: "Begin a check-list on an incident", Description: "While a mandatory item is not done, the incident cannot be resolved (422, with the items)."},
		func(ctx context.Context, in *struct {
			ByID

			Body wire.NewChecklist
		}) (*output[wire.Checklist], error) {
			l, err := a.deps.Checks.Add(ctx, identity(ctx), in.Body.Template, checklist.On{Incident: in.ID})
			if err != nil {
				return nil, err
			}
			return &output[wire.Checklist]{checklistOut(&l)}, nil
		})
	register(a, huma.Operation{OperationID: "check-item", Method: http.MethodPut, Path: "/checklists/{list}/items/{item}", Tags: tag,
		Summary: "Tick an item of a check-list", Description: "Items are counted from 0. The value is judged by the item's kind; a photo is the number of an attachment of the incident."},
		func(ctx context.Context, in *struct {
			List int64 `path:"list"`
			Item int   `path:"item"`
			Body wire.Check
		}) (*output[wire.Checklist], error) {
			l, err := a.deps.Checks.Set(ctx, identity(ctx), in.List, checklist.Change{Item: in.Item, Done: in.Body.Done, Value: in.Body.Value})
			if err != nil {
				return nil, err
			}
			return &output[wire.Checklist]{checklistOut(&l)}, nil
		})
}

// visit shows a visit with what speaks against it.
func (a *API) visit(ctx context.Context, v visit.Visit, err error) (*output[wire.Visit], error) {
	if err != nil {
		return nil, err
	}
	places, err := a.places(ctx)
	if err != nil {
		return nil, err
	}
	out := visitOut(places, &v)
	if by := identity(ctx); v.State.Active() && by.Can(auth.HandleIncident) {
		clashes, err := a.deps.Visits.Clashes(ctx, by, v)
		if err != nil {
			return nil, err
		}
		for _, c := range clashes {
			out.Clashes = append(out.Clashes, string(c.Kind))
		}
	}
	return &output[wire.Visit]{out}, nil
}

func visitOut(places *directory.Index, v *visit.Visit) wire.Visit {
	return wire.Visit{
		ID: v.ID, Version: v.Version, State: string(v.State), Kind: string(v.Kind), School: ref(v.School, places.SchoolName(v.School)),
		Technician: ref(v.Technician, places.PersonName(v.Technician)), Start: v.Start, End: v.End(), Minutes: v.Minutes,
		Purpose: v.Purpose, Note: v.Note, Report: v.Report, Incidents: append([]int64{}, v.Incidents...),
	}
}

func timeOut(places *directory.Index, t visit.Time) wire.Time {
	return wire.Time{ID: t.ID, Incident: t.Incident, Visit: t.Visit, Technician: ref(t.Technician, places.PersonName(t.Technician)), Day: t.Day.String(), Minutes: t.Minutes, Note: t.Note}
}

func checklistOut(l *checklist.List) wire.Checklist {
	out := wire.Checklist{ID: l.ID, Template: l.Template, Title: l.Title, Incident: l.Incident, Visit: l.Visit, AddedAt: l.AddedAt, Items: make([]wire.ChecklistItem, len(l.Checks))}
	if !l.CompletedAt.IsZero() {
		out.CompletedAt = &l.CompletedAt
	}
	for k := range l.Checks {
		c := &l.Checks[k]
		item := wire.ChecklistItem{Text: c.Text, Help: c.Help, Kind: string(c.Kind), Mandatory: c.Mandatory, Done: c.Done, Value: c.Value}
		if !c.At.IsZero() {
			item.At = &c.At
		}
		out.Items[k] = item
	}
	return out
}
