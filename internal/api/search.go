package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/find"
	"statincidents/internal/incident"
	"statincidents/internal/search"
)

// registerSearch adds looking for anything.
func (a *API) registerSearch() {
	register(a, huma.Operation{OperationID: "search", Method: http.MethodGet, Path: "/search", Tags: []string{"search"},
		Summary: "Look for anything", Description: "Incidents by their number or words (French stems, accents folded, the last word may be unfinished, quotation marks for words as they are), schools, rooms, machines, people, problems and articles, of what the account sees. Internal comments are looked at for those who may read them."},
		func(ctx context.Context, in *struct {
			Q      string    `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"What is looked for."`
			Kind   []string  `query:"kind" enum:"incident,school,room,machine,person,problem,article" doc:"Only these kinds."`
			School int64     `query:"school" minimum:"0" doc:"Only what is of this school."`
			State  []string  `query:"state" doc:"Incidents in these states."`
			From   time.Time `query:"from" doc:"Incidents declared from then on."`
			To     time.Time `query:"to" doc:"Incidents declared before."`
			Limit  int       `query:"limit" minimum:"1" maximum:"50" default:"10" doc:"Hits of each kind."`
			After  string    `query:"after" maxLength:"40" doc:"next of a former answer."`
			Lang   string    `query:"language" enum:"fr,en" default:"fr"`
		}) (*output[wire.Search], error) {
			q := find.Question{Text: in.Q, School: in.School, From: in.From, To: in.To, Most: in.Limit, After: in.After, Language: in.Lang}
			for _, k := range in.Kind {
				q.Kinds = append(q.Kinds, find.Kind(k))
			}
			for _, s := range in.State {
				q.States = append(q.States, incident.State(s))
			}
			found, err := a.deps.Find.Ask(ctx, identity(ctx), q)
			if err != nil {
				return nil, err
			}
			out := wire.Search{Groups: []wire.SearchGroup{}}
			for _, g := range found.Groups {
				group := wire.SearchGroup{Kind: string(g.Kind), More: g.More, Next: g.Next, Hits: []wire.SearchHit{}}
				for k := range g.Hits {
					group.Hits = append(group.Hits, hitIn(&g.Hits[k]))
				}
				out.Groups = append(out.Groups, group)
			}
			return &output[wire.Search]{out}, nil
		})
}

func hitIn(h *find.Hit) wire.SearchHit {
	out := wire.SearchHit{
		ID: h.ID, Title: search.Plain(h.Title), Marks: piecesIn(h.Title), Field: string(h.In), Exact: h.Exact, School: h.School, Room: h.Room, State: h.State, Count: h.Count,
	}
	if len(h.Snippet) > 0 {
		out.Excerpt = piecesIn(h.Snippet)
	}
	if !h.At.IsZero() {
		out.At = &h.At
	}
	return out
}

func piecesIn(pieces []search.Piece) []wire.SearchPiece {
	out := make([]wire.SearchPiece, len(pieces))
	for k, p := range pieces {
		out[k] = wire.SearchPiece{Text: p.Text, Mark: p.Mark}
	}
	return out
}
