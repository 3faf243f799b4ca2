package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
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
	Items []map[string]json.RawMessage `json:"items"`
	Next  string                       `json:"next,omitempty"`
	Total int                          `json:"total"`
	AsOf  string                       `json:"as_of"`
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

// usualMembers leave the long texts out.
var usualMembers = slices.DeleteFunc(slices.Clone(members), func(m string) bool { return m == "description" || m == "resolution" })

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
		text("sort", "opened, resolved, updated, priority, number, school or age; descending with - before. -opened if absent."),
		text("after", "The next of the page before."),
		text("fields", "Members to show, with commas between; all but description and resolution if absent. id is always there."),
		{Name: "limit", In: "query", Description: "Incidents of one page; 50 if absent.", Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: &one, Maximum: &most}},
	}
	for _, d := range cube.Dims {
		params = append(params, text(string(d), "Only that "+strings.ReplaceAll(string(d), "_", " ")+" (a question's key; empty: not known). May be given several times. "+string(d)+".not leaves out, "+string(d)+".from and "+string(d)+".to bound."))
	}
	registry := a.huma.OpenAPI().Components.Schemas
	registry.RegisterTypeAlias(reflect.TypeFor[listed](), reflect.TypeFor[wire.IncidentPage]())
	op := huma.Operation{OperationID: "list-incidents", Method: http.MethodGet, Path: Prefix + "/incidents", Tags: []string{"incidents"}, Parameters: params,
		Summary:     "Incidents",
		Description: "The incidents of the account's scope, page by page. The filters are those of a question: the list and the figure always agree. Merged and cancelled incidents are left out unless state names them."}
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
	out := listed{Items: make([]map[string]json.RawMessage, 0, len(found)), Next: page.Next, Total: page.Total, AsOf: page.AsOf}
	for k := range found {
		raw, err := json.Marshal(s.incident(&found[k]))
		if err != nil {
			return listed{}, err
		}
		var item map[string]json.RawMessage
		if err := json.Unmarshal(raw, &item); err != nil {
			return listed{}, err
		}
		maps.DeleteFunc(item, func(name string, _ json.RawMessage) bool { return !slices.Contains(fields, name) })
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// readList reads the address of a list.
func readList(values url.Values) (q cube.ListQuery, fields []string, err error) {
	var f fault.Fields
	fields = usualMembers
	q.Limit = usualPage
	filters := map[cube.Dim]*cube.Filter{}
	filter := func(d cube.Dim) *cube.Filter {
		if filters[d] == nil {
			filters[d] = &cube.Filter{Dim: d}
		}
		return filters[d]
	}
	for name, given := range values {
		last := given[len(given)-1]
		switch name {
		case "q":
			q.Text = last
		case "from":
			q.From = readDay(&f, name, last)
		case "to":
			q.To = readDay(&f, name, last)
		case "measure":
			q.Measure = cube.Measure(last)
		case "sort":
			q.Sort = last
		case "after":
			q.After = last
		case "limit":
			n, err := strconv.Atoi(last)
			if err != nil || n < 1 || n > maxPage {
				f.Add(name, "error.field.range", "min", 1, "max", maxPage)
			}
			q.Limit = n
		case "fields":
			fields = append(strings.Split(last, ","), "id")
			for _, m := range fields {
				if !slices.Contains(members, m) {
					f.Add(name, "error.field.unknown")
				}
			}
		default:
			dim, how, _ := strings.Cut(name, ".")
			d := cube.Dim(dim)
			switch {
			case !d.Valid():
				f.Add(name, "error.api.unexpected")
			case how == "":
				filter(d).In = given
			case how == "not":
				filter(d).NotIn = given
			case how == "from":
				filter(d).From = last
			case how == "to":
				filter(d).To = last
			default:
				f.Add(name, "error.api.unexpected")
			}
		}
	}
	for _, d := range cube.Dims {
		if filters[d] != nil {
			q.Filters = append(q.Filters, *filters[d])
		}
	}
	return q, fields, f.Err()
}
