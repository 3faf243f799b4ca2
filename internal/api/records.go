package api

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/privacy"
)

// entriesOf counts what a list holds: its items, or the rows of an answer of
// statistics; -1 for what is no list.
func entriesOf(out any) int {
	v := reflect.Indirect(reflect.ValueOf(out))
	if v.Kind() != reflect.Struct {
		return -1
	}
	if body := v.FieldByName("Body"); body.IsValid() {
		v = reflect.Indirect(body)
	}
	if v.Kind() == reflect.Interface {
		v = reflect.Indirect(v.Elem())
	}
	if v.Kind() != reflect.Struct {
		return -1
	}
	for _, name := range []string{"Items", "Rows"} {
		if list := v.FieldByName(name); list.IsValid() && list.Kind() == reflect.Slice {
			return list.Len()
		}
	}
	return -1
}

// note keeps that a program read a list, took a file or follows the stream.
// What our own pages read through the API is shown, not taken away.
func (a *API) note(r *http.Request, route string, o *outcome, status int) {
	req := requestOf(r.Context())
	file := strings.HasPrefix(o.Header().Get("Content-Disposition"), "attachment")
	stream := route == "GET "+Prefix+"/stream"
	reads := r.Method == http.MethodGet || route == "POST "+Prefix+"/stats/query"
	if a.deps.Privacy == nil || req.token == 0 || status >= http.StatusBadRequest || !file && !stream && (!reads || req.entries < 0) {
		return
	}
	format, _, err := mime.ParseMediaType(o.Header().Get("Content-Type"))
	if err != nil || strings.HasSuffix(format, "json") {
		format = "json"
	}
	q := r.URL.Query()
	for _, own := range []string{"after", "limit"} {
		delete(q, own)
	}
	address := ""
	if a.deps.ClientAddress != nil {
		address = a.deps.ClientAddress(r)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	err = a.deps.Privacy.NoteOften(ctx, req.who, privacy.Record{
		Door: privacy.Program, What: r.URL.Path, Format: format, Question: q.Encode(), Address: address, Entries: int64(max(0, req.entries)),
	})
	if err != nil {
		a.deps.Log.ErrorContext(ctx, "what was read could not be noted", "error", err, "id", req.id)
	}
}

func (a *API) registerRecords() {
	register(a, huma.Operation{OperationID: "list-exports", Method: http.MethodGet, Path: "/exports", Tags: []string{"privacy"},
		Summary: "Who took what away", Description: "Files taken from the pages, lists read by programs, exports and backups made on the server; the latest first. For administrators."},
		func(ctx context.Context, in *struct {
			Account int64     `query:"account" minimum:"1" doc:"Of one account."`
			Door    string    `query:"door" enum:"web,api,cli"`
			What    string    `query:"what" maxLength:"300" doc:"The path of what was taken, exactly."`
			From    time.Time `query:"from" doc:"Taken at that instant or later."`
			To      time.Time `query:"to" doc:"Taken before that instant."`
			After   string    `query:"after" maxLength:"20" doc:"The next of the page before."`
			Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		}) (*output[wire.Exports], error) {
			if a.deps.Privacy == nil {
				return nil, identity(ctx).Require(auth.ManagePrivacy)
			}
			f := privacy.RecordFilter{Account: in.Account, Door: privacy.Door(in.Door), What: in.What, From: in.From, To: in.To, Limit: in.Limit + 1}
			f.Before, _ = strconv.ParseInt(in.After, 10, 64) // what is no number begins at the first
			list, err := a.deps.Privacy.Records(ctx, identity(ctx), f)
			if err != nil {
				return nil, err
			}
			out := wire.Exports{Items: []wire.Export{}}
			if len(list) > in.Limit {
				list = list[:in.Limit]
				out.Next = strconv.FormatInt(list[in.Limit-1].ID, 10)
			}
			for _, n := range list {
				filters, err := url.ParseQuery(n.Question)
				if err != nil {
					filters = nil
				}
				for _, values := range filters {
					slices.Sort(values)
				}
				out.Items = append(out.Items, wire.Export{ID: n.ID, Account: n.Account, Door: string(n.Door), What: n.What, Format: n.Format, Question: n.Question, Filters: filters, Role: n.Scope, Network: n.Address, Entries: n.Entries, Times: n.Times, First: n.First, Last: n.At})
			}
			return &output[wire.Exports]{out}, nil
		})
}
