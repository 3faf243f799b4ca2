package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/fault"
	"statincidents/internal/knowledge"
)

// registerKnowledge adds what helps with an incident: solutions and articles.
func (a *API) registerKnowledge() {
	register(a, huma.Operation{OperationID: "get-solutions", Method: http.MethodGet, Path: "/incidents/{id}/solutions", Tags: []string{"incidents"},
		Summary: "What worked on incidents like one", Description: "Solutions grouped by code, cause and words, with how often they held, of incidents that the account sees."},
		func(ctx context.Context, in *ByID) (*output[wire.Solutions], error) {
			i, err := a.deps.Incidents.Get(ctx, identity(ctx).Scope(), in.ID)
			if err != nil {
				return nil, err
			}
			known, err := a.deps.Similar.Solutions(ctx, identity(ctx), i)
			if err != nil {
				return nil, err
			}
			out := wire.Solutions{Ready: known.Ready, Looked: known.Looked, Alike: []wire.Alike{}, Solutions: []wire.Solution{}}
			for _, l := range known.Alike {
				out.Alike = append(out.Alike, wire.Alike{Incident: l.Incident, Likeness: l.Likeness})
			}
			for k := range known.Solutions {
				s := &known.Solutions[k]
				out.Solutions = append(out.Solutions, wire.Solution{
					ResolutionCode: s.Code, CauseCode: s.Cause, Words: s.Words, Uses: s.Uses, Held: s.Held, TooRecent: s.Recent, AtLeast: s.Least,
					OpenMinutes: s.Minutes, Last: s.Last, OneTechnician: s.OneTechnician, Incidents: s.Incidents,
				})
			}
			return &output[wire.Solutions]{out}, nil
		})
	register(a, huma.Operation{OperationID: "list-articles", Method: http.MethodGet, Path: "/articles", Tags: []string{"knowledge"},
		Summary: "Articles of the knowledge base", Description: "Those that the account may read, the best answer to q first, else the last changed."},
		func(ctx context.Context, in *struct {
			Paging

			Q        string `query:"q" maxLength:"200" doc:"Words."`
			Category int64  `query:"category" minimum:"0" doc:"Of this category or one below it."`
			Language string `query:"language" enum:"fr,en" default:"fr"`
		}) (*output[wire.Page[wire.Article]], error) {
			all, err := a.deps.Knowledge.List(ctx, identity(ctx), knowledge.Filter{Text: in.Q, Category: in.Category})
			if err != nil {
				return nil, err
			}
			return pageOf(all, in.Paging, func(x knowledge.Article) int64 { return x.ID }, func(x knowledge.Article) wire.Article { return articleIn(&x, in.Language) })
		})
	register(a, huma.Operation{OperationID: "get-article", Method: http.MethodGet, Path: "/articles/{id}", Tags: []string{"knowledge"}, Summary: "One article"},
		func(ctx context.Context, in *struct {
			ID       int64  `path:"id" doc:"The article's number."`
			Language string `query:"language" enum:"fr,en" default:"fr"`
		}) (*output[wire.Article], error) {
			x, err := a.deps.Knowledge.Get(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return &output[wire.Article]{articleIn(&x, in.Language)}, nil
		})
	register(a, huma.Operation{OperationID: "write-article", Method: http.MethodPost, Path: "/articles", Tags: []string{"knowledge"}, DefaultStatus: http.StatusCreated, Summary: "Write an article"},
		func(ctx context.Context, in *struct{ Body wire.NewArticle }) (*output[wire.Article], error) {
			return a.saveArticle(ctx, 0, 0, &in.Body)
		})
	register(a, huma.Operation{OperationID: "save-article", Method: http.MethodPut, Path: "/articles/{id}", Tags: []string{"knowledge"},
		Summary: "Change an article", Description: "version is the one that was looked at: if somebody wrote meanwhile it is a conflict."},
		func(ctx context.Context, in *struct {
			ID      int64 `path:"id" doc:"The article's number."`
			Version int64 `query:"version" minimum:"1" required:"true"`
			Body    wire.NewArticle
		}) (*output[wire.Article], error) {
			return a.saveArticle(ctx, in.ID, in.Version, &in.Body)
		})
	register(a, huma.Operation{OperationID: "use-article", Method: http.MethodPost, Path: "/articles/{id}/uses", Tags: []string{"knowledge"}, DefaultStatus: http.StatusNoContent,
		Summary: "Say what an article was good for", Description: "The same again counts once."},
		func(ctx context.Context, in *struct {
			ID   int64 `path:"id" doc:"The article's number."`
			Body wire.ArticleUse
		}) (*struct{}, error) {
			if in.Body.Incident != 0 {
				if _, err := a.deps.Incidents.Get(ctx, identity(ctx).Scope(), in.Body.Incident); err != nil {
					return nil, err
				}
			}
			return nil, a.deps.Knowledge.Mark(ctx, identity(ctx), in.ID, knowledge.Use(in.Body.Use), in.Body.Incident)
		})
}

func (a *API) saveArticle(ctx context.Context, id, version int64, b *wire.NewArticle) (*output[wire.Article], error) {
	var f fault.Fields
	x := knowledge.Article{
		ID: id, Version: version, Title: b.Title, TitleEN: b.TitleEN, Body: b.Body, BodyEN: b.BodyEN, Audience: knowledge.Audience(b.Audience),
		Category: b.Category, Equipment: b.Equipment, Incident: b.Incident, Review: readDay(&f, "review", b.Review),
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	if b.Publish {
		x.State = knowledge.Published
	}
	if b.Incident != 0 {
		if _, err := a.deps.Incidents.Get(ctx, identity(ctx).Scope(), b.Incident); err != nil {
			return nil, err
		}
	}
	saved, err := a.deps.Knowledge.Save(ctx, identity(ctx), x)
	if err != nil {
		return nil, err
	}
	return &output[wire.Article]{articleIn(&saved, "fr")}, nil
}

func articleIn(x *knowledge.Article, language string) wire.Article {
	title, body := x.In(language)
	return wire.Article{
		ID: x.ID, Version: x.Version, Title: title, Body: body, Audience: string(x.Audience), State: string(x.State), Category: x.Category, Equipment: x.Equipment,
		Updated: x.Updated, Helped: x.Uses.Helped, Avoided: x.Uses.Avoided, Applied: x.Uses.Applied,
	}
}
