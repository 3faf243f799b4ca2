package api

import (
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/live"
)

// registerStream adds the live stream. It stands beside huma: a stream has no
// body to validate and no end to time.
func (a *API) registerStream() {
	path := Prefix + "/stream"
	registry := a.huma.OpenAPI().Components.Schemas
	change := registry.Schema(reflect.TypeFor[wire.Change](), true, "")
	registry.Schema(reflect.TypeFor[wire.Departure](), true, "")
	text := &huma.Schema{Type: huma.TypeString}
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "stream", Method: http.MethodGet, Path: path, Tags: []string{"live"},
		Summary: "What happens to incidents, as it happens",
		Description: "Server-sent events within the account's scope. An event incident has a Change as data; gone (the incident left the scope) has a Departure; clock (for those who handle incidents: a clock is about to be late, or is) has an Alarm; resync says that too much happened to be told: read again.\n\n" +
			"The stream lives for 15 to 30 minutes, then the client comes back. Last-Event-ID resumes without loss or duplicate; a resync comes first if too much was missed. Every 20 seconds a comment says that the connection lives and moves the id.",
		Parameters: []*huma.Param{
			{Name: "Last-Event-ID", In: "header", Schema: text, Description: "The id of the last event that the client has seen."},
			{Name: "after", In: "query", Schema: text, Description: "The same, for a first connection: the as_of of an answer."},
		},
		Responses: map[string]*huma.Response{
			strconv.Itoa(http.StatusOK): {Description: "The stream, until its life is over.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: change}}},
			"default":                   {Description: "Error", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: registry.Schema(reflect.TypeFor[wire.Problem](), true, "")}}},
		},
	})
	a.mux.HandleFunc(http.MethodGet+" "+path, func(w http.ResponseWriter, r *http.Request) {
		opts := a.deps.Stream
		opts.Check = a.still(r)
		if err := a.deps.Hub.Serve(w, r, live.AudienceOf(identity(r.Context())), opts); err != nil {
			a.refuse(w, r, err)
		}
	})
}
