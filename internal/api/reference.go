package api

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// Paging is how a list of the directory or catalogue is asked.
type Paging struct {
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"Items of one page."`
	After string `query:"after" doc:"The next of the page before."`
}

// output is an answer without more headers.
type output[T any] struct{ Body T }

// pageOf cuts a page from a whole list; the cursor is the last item's number.
func pageOf[S, T any](list []S, in Paging, id func(S) int64, show func(S) T) (*output[wire.Page[T]], error) {
	start := 0
	if in.After != "" {
		raw, err := base64.RawURLEncoding.DecodeString(in.After)
		last, err2 := strconv.ParseInt(string(raw), 10, 64)
		i := slices.IndexFunc(list, func(s S) bool { return id(s) == last })
		if err != nil || err2 != nil || i < 0 {
			return nil, fault.InvalidField("after", "error.api.cursor")
		}
		start = i + 1
	}
	page := wire.Page[T]{Items: []T{}, Total: len(list)}
	end := min(len(list), start+in.Limit)
	for _, s := range list[start:end] {
		page.Items = append(page.Items, show(s))
	}
	if end < len(list) {
		page.Next = base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, id(list[end-1]), 10))
	}
	return &output[wire.Page[T]]{page}, nil
}

func (a *API) registerReference() {
	a.registerSupport()
	register(a, huma.Operation{OperationID: "me", Method: "GET", Path: "/me", Tags: []string{"reference"},
		Summary: "Who the token acts for", Description: "The account, its role and what the role may do."},
		func(ctx context.Context, _ *struct{}) (*output[wire.Me], error) {
			who := identity(ctx)
			me := wire.Me{Account: who.Account, Login: who.Login, Name: who.Name, Role: string(who.Role), Person: who.Person, Schools: who.Schools}
			for _, r := range who.Role.Rights() {
				me.Rights = append(me.Rights, string(r))
			}
			return &output[wire.Me]{me}, nil
		})
	register(a, huma.Operation{OperationID: "list-schools", Method: "GET", Path: "/schools", Tags: []string{"reference"},
		Summary: "Schools", Description: "The schools that the account sees or may declare in, by name."},
		func(ctx context.Context, in *struct{ Paging }) (*output[wire.Page[wire.School]], error) {
			places, err := a.places(ctx)
			if err != nil {
				return nil, err
			}
			who, today := identity(ctx), a.today()
			list := slices.DeleteFunc(slices.Clone(places.Schools()), func(s directory.School) bool { return !knowsSchool(who, s.ID) })
			return pageOf(list, in.Paging, func(s directory.School) int64 { return s.ID },
				func(s directory.School) wire.School { return showSchool(places, who, s, today) })
		})
	register(a, huma.Operation{OperationID: "get-school", Method: "GET", Path: "/schools/{id}", Tags: []string{"reference"}, Summary: "One school"},
		func(ctx context.Context, in *struct {
			ID int64 `path:"id" doc:"The school's number."`
		}) (*output[wire.School], error) {
			places, school, err := a.school(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &output[wire.School]{showSchool(places, identity(ctx), school, a.today())}, nil
		})
	register(a, huma.Operation{OperationID: "list-rooms", Method: "GET", Path: "/schools/{id}/rooms", Tags: []string{"reference"}, Summary: "Rooms of a school"},
		func(ctx context.Context, in *struct {
			Paging

			ID int64 `path:"id" doc:"The school's number."`
		}) (*output[wire.Page[wire.Room]], error) {
			places, school, err := a.school(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return pageOf(places.Rooms(school.ID), in.Paging, func(r directory.Room) int64 { return r.ID },
				func(r directory.Room) wire.Room {
					return wire.Room{ID: r.ID, School: r.School, Name: r.Name, Network: string(r.Network), Archived: r.Archived}
				})
		})
	register(a, huma.Operation{OperationID: "list-categories", Method: "GET", Path: "/categories", Tags: []string{"reference"},
		Summary: "Categories", Description: "The tree of incident types, each parent before its children."},
		func(ctx context.Context, in *struct{ Paging }) (*output[wire.Page[wire.Category]], error) {
			words, err := a.words(ctx)
			if err != nil {
				return nil, err
			}
			language := string(requestOf(ctx).language)
			return pageOf(words.Categories(), in.Paging, func(c catalog.Category) int64 { return c.ID },
				func(c catalog.Category) wire.Category {
					return wire.Category{ID: c.ID, Parent: c.Parent, Label: c.In(language), Archived: c.Archived}
				})
		})
	register(a, huma.Operation{OperationID: "list-codes", Method: "GET", Path: "/codes", Tags: []string{"reference"},
		Summary: "Codes", Description: "The codes of cause, resolution and waiting, in their order."},
		func(ctx context.Context, in *struct {
			Paging

			Kind string `query:"kind" enum:"cause,resolution,waiting" doc:"Only codes of that kind."`
		}) (*output[wire.Page[wire.Code]], error) {
			words, err := a.words(ctx)
			if err != nil {
				return nil, err
			}
			var list []catalog.Code
			for _, kind := range catalog.CodeKinds {
				if in.Kind == "" || in.Kind == string(kind) {
					list = append(list, words.Codes(kind)...)
				}
			}
			language := string(requestOf(ctx).language)
			return pageOf(list, in.Paging, func(c catalog.Code) int64 { return c.ID },
				func(c catalog.Code) wire.Code {
					return wire.Code{ID: c.ID, Kind: string(c.Kind), Label: c.In(language), Archived: c.Archived}
				})
		})
	register(a, huma.Operation{OperationID: "list-teams", Method: "GET", Path: "/teams", Tags: []string{"reference"},
		Summary: "Teams", Description: "For whoever handles incidents."},
		func(ctx context.Context, in *struct{ Paging }) (*output[wire.Page[wire.Team]], error) {
			places, err := a.handlersPlaces(ctx)
			if err != nil {
				return nil, err
			}
			return pageOf(places.Teams(), in.Paging, func(t directory.Team) int64 { return t.ID },
				func(t directory.Team) wire.Team { return wire.Team{ID: t.ID, Name: t.Name, Archived: t.Archived} })
		})
	register(a, huma.Operation{OperationID: "list-technicians", Method: "GET", Path: "/technicians", Tags: []string{"reference"},
		Summary: "Technicians", Description: "The people to whom an incident can be given. For whoever handles incidents."},
		func(ctx context.Context, in *struct{ Paging }) (*output[wire.Page[wire.Technician]], error) {
			places, err := a.handlersPlaces(ctx)
			if err != nil {
				return nil, err
			}
			return pageOf(places.Technicians(), in.Paging, func(p directory.Person) int64 { return p.ID },
				func(p directory.Person) wire.Technician { return wire.Technician{ID: p.ID, Name: p.Name} })
		})
}

func (a *API) places(ctx context.Context) (*directory.Index, error) {
	return a.deps.Directory.Index(ctx, identity(ctx).Tenant)
}

func (a *API) words(ctx context.Context) (*catalog.Index, error) {
	return a.deps.Catalog.Index(ctx, identity(ctx).Tenant)
}

func (a *API) handlersPlaces(ctx context.Context) (*directory.Index, error) {
	if err := identity(ctx).Require(auth.HandleIncident); err != nil {
		return nil, err
	}
	return a.places(ctx)
}

// knowsSchool tells whether someone may know of a school: they see it, or may
// declare in it.
func knowsSchool(who auth.Identity, school int64) bool {
	return who.Scope().SeesSchool(school) || who.MayDeclareIn(school)
}

// school finds a school that the reader may know of.
func (a *API) school(ctx context.Context, id int64) (*directory.Index, directory.School, error) {
	places, err := a.places(ctx)
	if err != nil {
		return nil, directory.School{}, err
	}
	s, ok := places.School(id)
	if !ok || !knowsSchool(identity(ctx), id) {
		return nil, directory.School{}, fault.New(fault.NotFound, "error.api.no_school")
	}
	return places, s, nil
}

// today is the département's present day.
func (a *API) today() calendar.Day {
	return calendar.DayOf(a.deps.Clock(), a.deps.Location)
}

func showSchool(places *directory.Index, who auth.Identity, s directory.School, today calendar.Day) wire.School {
	out := wire.School{ID: s.ID, UAI: s.UAI, Name: s.Name, Commune: s.Commune, INSEE: s.INSEE, PostalCode: s.PostalCode, Address: s.Address,
		Zone: s.Zone, Opened: s.Opened.String(), Closed: s.Closed.String()}
	if s.Located {
		out.Latitude, out.Longitude = &s.Lat, &s.Lon
	}
	if who.Scope().SeesSchool(s.ID) {
		if e, ok := places.ExposureAt(s.ID, today); ok {
			out.Computers, out.Pupils = &e.Computers, &e.Pupils
		}
	}
	return out
}
