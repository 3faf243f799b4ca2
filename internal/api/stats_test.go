package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"statincidents/internal/api"
	"statincidents/internal/api/wire"
	"statincidents/internal/testkit"
)

func TestStatistics(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		lead := w.as(t, "lead")
		for k := range 12 {
			in := wire.NewIncident{Title: "Panne " + strconv.Itoa(k), School: wire.SchoolRef{ID: w.schoolA}, Impact: 1 + k%3, Urgency: 2}
			if k%4 == 0 {
				in.School = wire.SchoolRef{ID: w.schoolB}
			}
			if k%2 == 0 {
				in.Category = w.category
			}
			must[wire.Incident](t)(lead.Declare(ctx, in))
		}
		w.settle(t)
		// The question of the specification, on days that hold everything.
		a := w.ask(t, "lead", "POST", api.Prefix+"/stats/query",
			`{"measures":["count"],"by":["category"],"filters":[{"dim":"priority","in":["3"]}],"from":"2016-03-01","to":"2099-06-01","order":"-count","limit":20}`)
		var res wire.StatsResult
		if err := json.Unmarshal(a.body, &res); err != nil || a.status != http.StatusOK {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		total := 0.0
		for _, row := range res.Rows {
			total += *row.Values["count"]
			key := row.Keys["category"]
			label := map[string]string{"": "Non renseigné", strconv.FormatInt(w.category, 10): "Impression"}[key]
			if key == "" {
				key = "~"
			}
			if row.Labels["category"] != label {
				t.Errorf("label %q of %q", row.Labels["category"], key)
			}
			page, err := lead.Incidents(ctx, url.Values{"category": {key}, "priority": {"3"}, "from": {"2016-03-01"}, "to": {"2099-06-01"}, "limit": {"1"}})
			if err != nil || float64(page.Total) != *row.Values["count"] || row.N["count"] != page.Total {
				t.Errorf("row %v: %v, and %d in its list, %v", row.Keys, *row.Values["count"], page.Total, err)
			}
		}
		if len(res.Rows) != 2 {
			t.Errorf("rows %s", a.body)
		}
		if total != *res.Total.Values["count"] || res.Population != int(total) || total == 0 || res.AsOf == "" || res.From != "2016-03-01" || res.To != "2099-06-01" {
			t.Errorf("answer %s", a.body)
		}
		if !slices.IsSortedFunc(res.Rows, func(a, b wire.StatsRow) int { return int(*b.Values["count"] - *a.Values["count"]) }) {
			t.Errorf("order of %s", a.body)
		}
		// A measure without anything to compute it from is null.
		none, err := lead.Query(ctx, wire.StatsQuery{Measures: []string{"resolution_median", "unresolved"}})
		if err != nil || none.Total.Values["resolution_median"] != nil || *none.Total.Values["unresolved"] != 12 {
			t.Errorf("durations %+v, %v", none.Total, err)
		}
		for name, body := range map[string]string{
			"no measure":           `{"measures":[]}`,
			"unknown measure":      `{"measures":["sum"]}`,
			"unknown dimension":    `{"measures":["count"],"by":["colour"]}`,
			"unknown filter":       `{"measures":["count"],"filters":[{"dim":"colour","in":["x"]}]}`,
			"empty filter":         `{"measures":["count"],"filters":[{"dim":"state"}]}`,
			"not a date":           `{"measures":["count"],"from":"2016-02-30"}`,
			"a period backwards":   `{"measures":["count"],"from":"2016-03-01","to":"2016-02-01"}`,
			"four dimensions":      `{"measures":["count"],"by":["school","state","hour","month"]}`,
			"a limit too large":    `{"measures":["count"],"limit":100000}`,
			"compare without from": `{"measures":["count"],"compare":"previous"}`,
			"unknown member":       `{"measures":["count"],"sort":"x"}`,
		} {
			a := w.ask(t, "lead", "POST", api.Prefix+"/stats/query", body)
			if p := a.problem(t); a.status != http.StatusUnprocessableEntity || len(p.Errors) == 0 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}

func TestList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		lead := w.as(t, "lead")
		for k := range 25 {
			must[wire.Incident](t)(lead.Declare(ctx, wire.NewIncident{Title: "Panne " + strconv.Itoa(k), Description: "longue histoire", School: wire.SchoolRef{ID: w.schoolA}, Impact: 1 + k%3}))
		}
		w.settle(t)
		var ids []int64
		for _, i := range list(t, lead.AllIncidents(ctx, url.Values{"limit": {"10"}, "sort": {"-number"}})) {
			ids = append(ids, i.ID)
			if i.Description != "" || i.Title == "" || i.School.Name != "Collège Alain" {
				t.Errorf("item %+v", i)
			}
		}
		if len(ids) != 25 || !slices.IsSortedFunc(ids, func(a, b int64) int { return int(b - a) }) {
			t.Errorf("pages give %v", ids)
		}
		a := w.ask(t, "lead", "GET", api.Prefix+"/incidents?limit=1&fields=title,description", "")
		var page struct{ Items []map[string]any }
		if err := json.Unmarshal(a.body, &page); err != nil || len(page.Items) != 1 || len(page.Items[0]) != 3 || page.Items[0]["description"] != "longue histoire" {
			t.Errorf("fields: %s", a.body)
		}
		few, err := lead.Incidents(ctx, url.Values{"impact": {"1", "2"}, "impact.not": {"2"}, "state": {"new"}, "priority.from": {"1"}, "priority.to": {"5"}})
		if err != nil || few.Total != 9 {
			t.Errorf("filtered: %d, %v", few.Total, err)
		}
		for query, field := range map[string]string{
			"limit=0": "limit", "limit=9999": "limit", "limit=x": "limit", "colour=red": "colour", "state.like=n": "state.like", "fields=secret": "fields",
			"from=yesterday": "from", "sort=colour": "sort", "after=nonsense": "after", "measure=colour": "measure", "state=colour": "",
		} {
			a := w.ask(t, "lead", "GET", api.Prefix+"/incidents?"+query, "")
			if p := a.problem(t); a.status != http.StatusUnprocessableEntity || len(p.Errors) != 1 || field != "" && p.Errors[0].Field != field || strings.Contains(string(a.body), "error.field.") && p.Errors[0].Detail == p.Errors[0].Key {
				t.Errorf("%s: %d %s", query, a.status, a.body)
			}
		}
	})
}

// Whatever is sent as a question, the answer is an answer or a refusal that
// says what is wrong: never a failure of the server.
func FuzzStatsQuery(f *testing.F) {
	w := newWorld(f, testkit.SQLite(f))
	w.objects(f)
	w.unlimited(f)
	for _, seed := range []string{
		`{"measures":["count"],"by":["category"],"filters":[{"dim":"priority","in":["3"]}],"from":"2016-03-01","to":"2016-06-01","order":"-count","limit":20}`,
		`{"measures":["backlog","per_100_computers"],"by":["month","school"],"compare":"school_year","from":"2025-09-01"}`,
		`{"measures":["resolution_p90"],"by":["hour","weekday","school_week"],"filters":[{"dim":"week","from":"2026-W01","to":"2026-W53"},{"dim":"open","not_in":["yes",""]}]}`,
		`{"measures":null}`, `[]`, `{"from":"0000-00-00"}`, `{"measures":["count"],"text":"\u0000é"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		a := w.ask(t, "administrator", "POST", api.Prefix+"/stats/query", body)
		switch a.status {
		case http.StatusOK:
			var res wire.StatsResult
			if err := json.Unmarshal(a.body, &res); err != nil {
				t.Errorf("answer %s: %v", a.body, err)
			}
		case http.StatusBadRequest, http.StatusUnprocessableEntity:
			a.problem(t)
		default:
			t.Errorf("status %d for %q: %s", a.status, body, a.body)
		}
	})
}

// FuzzList does the same with the address of a list.
func FuzzList(f *testing.F) {
	w := newWorld(f, testkit.SQLite(f))
	w.objects(f)
	w.unlimited(f)
	for _, seed := range []string{
		"limit=2&sort=-priority&fields=title", "state=new&state.not=&priority.from=1&priority.to=3", "from=2016-03-01&to=2016-06-01&measure=backlog",
		"q=%C3%A9cran+noir", "after=MTc3Mg&sort=age", "school=1&room=&machine=KPC%00", "%zz", "state.=x&.=y",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		a := w.ask(t, "administrator", "GET", api.Prefix+"/incidents?"+values.Encode(), "")
		switch a.status {
		case http.StatusOK:
			var page wire.IncidentPage
			if err := json.Unmarshal(a.body, &page); err != nil {
				t.Errorf("page %s: %v", a.body, err)
			}
		case http.StatusUnprocessableEntity:
			a.problem(t)
		default:
			t.Errorf("status %d for %q: %s", a.status, query, a.body)
		}
	})
}

// unlimited serves the same world without a rate limit.
func (w *world) unlimited(tb testing.TB) {
	deps := w.deps
	deps.Rate, deps.Burst = 1e9, 1e9
	w.url = w.serve(tb, api.New(deps))
}
