package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
)

// ListQuery takes the whole query of the address: its filters have the names
// of the dimensions.
type ListQuery struct {
	values url.Values
}

// Resolve keeps the address's query.
func (q *ListQuery) Resolve(c huma.Context) []error {
	u := c.URL()
	q.values = u.Query()
	return nil
}

// listed is a page whose incidents show the members that were asked for.
type listed struct {
	Items []any  `json:"items"`
	Next  string `json:"next,omitempty"`
	Total int    `json:"total"`
	AsOf  string `json:"as_of"`
}

// Limits of a page of incidents.
const (
	usualPage = 50
	maxPage   = 500
)

// members are the names in an incident's JSON, in order.
var members = func() []string {
	var names []string
	for field := range reflect.TypeFor[wire.Incident]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "actions" {
			names = append(names, name)
		}
	}
	return names
}()

func (a *API) registerList() {
	text := func(name, about string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: about, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	one, most := 1.0, float64(maxPage)
	params := []*huma.Param{
		text("q", "Only incidents with these words."),
		text("from", "First day of the period, like 2026-03-01; from the beginning if absent."),
		text("to", "First day after the period; until now if absent."),
		text("measure", "The incidents behind a figure: count (if absent), resolved, backlog, reopened… as in a question's measures."),
		text("shift", "Days by which the period lies earlier: the list behind a comparison."),
		text("sort", "opened, resolved, updated, priority, number, school or age; descending with - before. -opened if absent."),
		text("after", "The next of the page before."),
		text("fields", "Members to show, with commas between; all but description and resolution if absent. id is always there."),
		{Name: "limit", In: "query", Description: "Incidents of one page; 50 if absent.", Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: &one, Maximum: &most}},
	}
	for _, d := range cube.Dims {
		params = append(params, text(string(d), "Filter by the key of that dimension."))
	}
	registry := a.huma.OpenAPI().Components.Schemas
	registry.RegisterTypeAlias(reflect.TypeFor[listed](), reflect.TypeFor[wire.IncidentPage]())
	op := huma.Operation{OperationID: "list-incidents", Method: http.MethodGet, Path: Prefix + "/incidents", Tags: []string{"incidents"}, Parameters: params,
		Summary: "Incidents",
		Description: "The incidents of the account's scope, page by page. The filters are those of a question: the list and the figure always agree. Merged and cancelled incidents are left out unless `state` names them.\n\n" +
			"A filter is a dimension with a key: `priority=3`. Given several times it keeps each of them; the key `~` is: not known. `priority.not=3` leaves out; `priority.from=2` and `priority.to=4` bound, inclusive. All filters must hold."}
	huma.Register(a.huma, op, handler(a, func(ctx context.Context, in *struct{ ListQuery }) (*output[listed], error) {
		q, fields, err := readList(in.values)
		if err != nil {
			return nil, err
		}
		page, err := a.list(ctx, q, fields)
		if err != nil {
			return nil, err
		}
		return &output[listed]{page}, nil
	}))
}

func (a *API) list(ctx context.Context, q cube.ListQuery, fields []string) (listed, error) {
	scope := identity(ctx).Scope()
	page, err := a.deps.Cube.List(ctx, scope, q)
	if err != nil {
		return listed{}, err
	}
	found, err := a.deps.Incidents.Many(ctx, scope, page.IDs)
	if err != nil {
		return listed{}, err
	}
	s, err := a.shower(ctx)
	if err != nil {
		return listed{}, err
	}
	out := listed{Items: make([]any, 0, len(found)), Next: page.Next, Total: page.Total, AsOf: page.AsOf}
	for k := range found {
		i := s.incident(&found[k])
		if fields == nil {
			i.Description, i.Resolution = "", ""
			out.Items = append(out.Items, i)
			continue
		}
		item, err := only(&i, fields)
		if err != nil {
			return listed{}, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// only keeps some members of an incident.
func only(i *wire.Incident, fields []string) (map[string]json.RawMessage, error) {
	raw, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	var item map[string]json.RawMessage
	if err := json.Unmarshal(raw, &item); err != nil {
		return nil, err
	}
	maps.DeleteFunc(item, func(name string, _ json.RawMessage) bool { return !slices.Contains(fields, name) })
	return item, nil
}

// readList reads the address of a list: cube's parameters, and ours.
func readList(values url.Values) (q cube.ListQuery, fields []string, err error) {
	if q, err = cube.DecodeList(values, "fields"); err != nil {
		return q, nil, err
	}
	var f fault.Fields
	switch {
	case values.Has("limit") && (q.Limit < 1 || q.Limit > maxPage):
		f.Add("limit", "error.field.range", "min", 1, "max", maxPage)
	case q.Limit == 0:
		q.Limit = usualPage
	}
	if asked := values.Get("fields"); asked != "" {
		fields = append(strings.Split(asked, ","), "id")
		if slices.ContainsFunc(fields, func(m string) bool { return !slices.Contains(members, m) }) {
			f.Add("fields", "error.field.unknown")
		}
	}
	return q, fields, f.Err()
}
