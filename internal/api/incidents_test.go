package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"statincidents/internal/api"
	"statincidents/internal/api/client"
	"statincidents/internal/api/wire"
)

func (w *world) declaration() wire.NewIncident {
	return wire.NewIncident{Title: "Le vidéoprojecteur reste noir", School: wire.SchoolRef{UAI: "0450001A"}, Room: w.room, Category: w.category, Impact: 2, Urgency: 1}
}

// declare makes an incident in school A for an account.
func (w *world) declare(tb testing.TB, account string) wire.Incident {
	tb.Helper()
	return must[wire.Incident](tb)(w.as(tb, account).Declare(tb.Context(), w.declaration()))
}

func TestLifeOfAnIncident(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		teacher, tech := w.as(t, "declarant"), w.as(t, "technician")
		made := w.declare(t, "declarant")
		if made.State != "new" || made.Version != 1 || made.Priority != 2 || made.Declarant.Name != "Anne Durand" || made.School.Name != "Collège Alain" ||
			made.Room.Name != "Salle 12" || made.Network != "teaching" || made.Category.Name != "Impression" || made.Origin != "portal" || !made.Open {
			t.Errorf("declared %+v", made)
		}
		if len(made.Actions) == 0 || slices.ContainsFunc(made.Actions, func(a wire.Action) bool { return a.Action == "take" }) {
			t.Errorf("a declarant may %+v", made.Actions)
		}
		seen, err := tech.Incident(ctx, made.ID)
		if err != nil || !slices.ContainsFunc(seen.Actions, func(a wire.Action) bool {
			return a.Action == "resolve" && a.To == "resolved" && slices.Contains(a.Required, "resolution_code")
		}) {
			t.Errorf("a technician may %+v, %v", seen.Actions, err)
		}
		taken, err := tech.Act(ctx, made.ID, seen.Version, wire.Transition{Action: "take"})
		if err != nil || taken.State != "assigned" || taken.Assignee.ID != w.technician || taken.Version != 2 {
			t.Fatalf("taken %+v, %v", taken, err)
		}
		if _, err := tech.Comment(ctx, made.ID, wire.NewComment{Text: "le câble, encore", Internal: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := teacher.Comment(ctx, made.ID, wire.NewComment{Text: "toujours noir ce matin"}); err != nil {
			t.Fatal(err)
		}
		_, err = teacher.Comment(ctx, made.ID, wire.NewComment{Text: "secret", Internal: true})
		if !client.Is(err, "forbidden") {
			t.Errorf("a declarant's internal comment: %v", err)
		}
		_, err = tech.Act(ctx, made.ID, 4, wire.Transition{Action: "resolve"})
		p := refusal(t, err, http.StatusUnprocessableEntity)
		if !hasField(p, "resolution_code") || !hasField(p, "cause_code") {
			t.Errorf("resolved without codes: %+v", p)
		}
		words := "câble remplacé"
		done, err := tech.Act(ctx, made.ID, 4, wire.Transition{Action: "resolve", ResolutionCode: &w.done, CauseCode: &w.cause, Resolution: &words})
		if err != nil || done.State != "resolved" || done.ResolvedAt == nil || done.ResolutionCode.Name != "Pièce changée" || done.Open {
			t.Fatalf("resolved %+v, %v", done, err)
		}
		if closed, err := teacher.Act(ctx, made.ID, done.Version, wire.Transition{Action: "confirm"}); err != nil || closed.State != "closed" {
			t.Errorf("confirmed %+v, %v", closed, err)
		}
		// An action that the state no longer allows.
		_, err = tech.Act(ctx, made.ID, 6, wire.Transition{Action: "take"})
		refusal(t, err, http.StatusConflict)

		full, err := tech.Story(ctx, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(full); !slices.Equal(got, []string{"declared", "assigned", "commented: le câble, encore", "commented: toujours noir ce matin", "resolved", "closed"}) {
			t.Errorf("story %v", got)
		}
		if e := full.Entries[1]; e.By != "Théo Martin" || len(e.Changes) == 0 {
			t.Errorf("entry %+v", e)
		}
		public, err := teacher.Story(ctx, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(public); !slices.Equal(got, []string{"declared", "assigned", "commented: toujours noir ce matin", "resolved", "closed"}) {
			t.Errorf("the declarant's story %v", got)
		}
	})
}

func kinds(s wire.Story) []string {
	var list []string
	for _, e := range s.Entries {
		k := strings.TrimPrefix(e.Kind, "incident.")
		if e.Comment != "" {
			k += ": " + e.Comment
		}
		list = append(list, k)
	}
	return list
}

// refusal checks a client's error and gives its problem.
func refusal(tb testing.TB, err error, status int) *wire.Problem {
	tb.Helper()
	p, ok := err.(*wire.Problem) //nolint:errorlint // the client gives it unwrapped
	if !ok || p.Status != status {
		tb.Fatalf("error %v, want a problem of status %d", err, status)
	}
	return p
}

func hasField(p *wire.Problem, field string) bool {
	return slices.ContainsFunc(p.Errors, func(f wire.ProblemField) bool { return f.Field == field })
}

func TestVersions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		tech, lead := w.as(t, "technician"), w.as(t, "lead")
		made := w.declare(t, "technician")
		path := fmt.Sprintf("%s/incidents/%d", api.Prefix, made.ID)

		got := w.ask(t, "lead", "GET", path, "")
		if got.header.Get("ETag") != `"1"` {
			t.Errorf("ETag %q", got.header.Get("ETag"))
		}
		if again := w.ask(t, "lead", "GET", path, "", "If-None-Match", `"1"`); again.status != http.StatusNotModified || len(again.body) != 0 {
			t.Errorf("unchanged: %d %s", again.status, again.body)
		}
		for name, c := range map[string]struct {
			match  string
			status int
			code   string
		}{
			"no version":        {"", 428, "precondition_required"},
			"not a version":     {"1", 422, "invalid"},
			"any":               {"*", 422, "invalid"},
			"a future version":  {`"9"`, 422, "invalid"},
			"the present one":   {`"1"`, 200, ""},
			"weak, never given": {`W/"1"`, 422, "invalid"},
		} {
			for _, route := range []struct{ method, path, body string }{{"PATCH", path, `{}`}, {"POST", path + "/transitions", `{"action":"take"}`}} {
				if name == "the present one" && route.method == "POST" {
					continue
				}
				headers := []string{}
				if c.match != "" {
					headers = []string{"If-Match", c.match}
				}
				a := w.ask(t, "technician", route.method, route.path, route.body, headers...)
				if a.status != c.status || c.code != "" && a.problem(t).Code != c.code {
					t.Errorf("%s %s: %d %s", name, route.method, a.status, a.body)
				}
			}
		}
		// Two people on the same version: different fields are merged…
		title, machine, other := "Vidéoprojecteur noir", "KVP-12", "Écran noir"
		if _, err := tech.Edit(ctx, made.ID, 1, wire.IncidentEdit{Title: &title}); err != nil {
			t.Fatal(err)
		}
		merged, err := lead.Edit(ctx, made.ID, 1, wire.IncidentEdit{Machine: &machine})
		if err != nil || merged.Title != title || merged.Machine != machine || merged.Version != 3 {
			t.Errorf("merged %+v, %v", merged, err)
		}
		// … the same field is a conflict that shows what stands now…
		_, err = lead.Edit(ctx, made.ID, 1, wire.IncidentEdit{Title: &other})
		if p := refusal(t, err, http.StatusConflict); len(p.Errors) != 1 || p.Errors[0].Field != "title" || p.Errors[0].Theirs != title {
			t.Errorf("conflict %+v", p)
		}
		// … and the same change twice is one.
		if same, err := lead.Edit(ctx, made.ID, 1, wire.IncidentEdit{Title: &title}); err != nil || same.Version != 3 {
			t.Errorf("the same again: version %d, %v", same.Version, err)
		}
	})
}

func TestInputIsJudgedFieldByField(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			body   string
			status int
			fields []string
		}{
			"not JSON":               {`{`, 400, []string{"body"}},
			"nothing":                {`{}`, 422, []string{"title", "school"}},
			"unknown member":         {`{"title":"x","school":1,"colour":"red"}`, 422, []string{"body.colour", "colour"}},
			"wrong types":            {`{"title":3,"school":true}`, 422, []string{"title", "school"}},
			"a school of no code":    {`{"title":"x","school":"9999999Z"}`, 422, []string{"school"}},
			"a school of no number":  {`{"title":"x","school":999}`, 422, []string{"school"}},
			"a room elsewhere":       {fmt.Sprintf(`{"title":"x","school":"0450002B","room":%d}`, w.room), 422, []string{"room"}},
			"an impact out of range": {`{"title":"x","school":"0450001A","impact":7}`, 422, []string{"impact"}},
			"an empty title":         {`{"title":" ","school":"0450001A"}`, 422, []string{"title"}},
			"a title too long":       {`{"title":"` + strings.Repeat("é", 201) + `","school":"0450001A"}`, 422, []string{"title"}},
			"too large":              {`{"title":"` + strings.Repeat("x", 3<<20) + `","school":"0450001A"}`, 413, nil},
		} {
			a := w.ask(t, "technician", "POST", api.Prefix+"/incidents", c.body)
			p := a.problem(t)
			if a.status != c.status {
				t.Errorf("%s: status %d: %.300s", name, a.status, a.body)
			}
			for _, f := range p.Errors {
				if !slices.Contains(c.fields, f.Field) || f.Detail == "" || strings.HasPrefix(f.Detail, "error.") {
					t.Errorf("%s: %+v", name, f)
				}
			}
			if len(c.fields) > 0 && len(p.Errors) == 0 {
				t.Errorf("%s: no field: %s", name, a.body)
			}
		}
		// The limits themselves are accepted, on both engines.
		body, err := json.Marshal(map[string]any{"title": strings.Repeat("é", 200), "description": strings.Repeat("€", 100_000), "school": w.schoolA})
		if err != nil {
			t.Fatal(err)
		}
		if a := w.ask(t, "technician", "POST", api.Prefix+"/incidents", string(body)); a.status != http.StatusCreated {
			t.Errorf("at the limits: %d %.300s", a.status, a.body)
		}
	})
}

func TestRepeatedDeclarations(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const body = `{"title":"Réseau coupé","school":"0450001A"}`
		// Eight at once, twice over: one incident.
		var mu sync.Mutex
		var wg sync.WaitGroup
		ids, created := map[int64]int{}, 0
		for range 16 {
			wg.Go(func() {
				a := w.ask(t, "technician", "POST", api.Prefix+"/incidents", body, "Idempotency-Key", "k-1")
				var i wire.Incident
				if err := json.Unmarshal(a.body, &i); err != nil || a.status/100 != 2 {
					t.Errorf("status %d: %s", a.status, a.body)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ids[i.ID]++
				if a.status == http.StatusCreated {
					created++
				}
				if want := fmt.Sprintf("%s/incidents/%d", api.Prefix, i.ID); a.header.Get("Location") != want {
					t.Errorf("Location %q", a.header.Get("Location"))
				}
			})
		}
		wg.Wait()
		if len(ids) != 1 || created != 1 {
			t.Errorf("incidents %v, created %d times", ids, created)
		}
		// The same in other words is the same declaration.
		if a := w.ask(t, "technician", "POST", api.Prefix+"/incidents", fmt.Sprintf(`{ "school": %d, "title": "Réseau coupé" }`, w.schoolA), "Idempotency-Key", "k-1"); a.status != http.StatusOK {
			t.Errorf("in other words: %d %s", a.status, a.body)
		}
		a := w.ask(t, "technician", "POST", api.Prefix+"/incidents", `{"title":"Autre chose","school":"0450001A"}`, "Idempotency-Key", "k-1")
		if p := a.problem(t); a.status != http.StatusUnprocessableEntity || p.Code != "idempotency_mismatch" {
			t.Errorf("another body: %d %s", a.status, a.body)
		}
		// A key is its account's own.
		if a := w.ask(t, "lead", "POST", api.Prefix+"/incidents", body, "Idempotency-Key", "k-1"); a.status != http.StatusCreated {
			t.Errorf("another account: %d %s", a.status, a.body)
		}
		if a := w.ask(t, "lead", "POST", api.Prefix+"/incidents", body, "Idempotency-Key", "with spaces in"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a key with spaces: %d", a.status)
		}
		// A refused declaration does not use its key up.
		if a := w.ask(t, "lead", "POST", api.Prefix+"/incidents", `{"title":"","school":"0450001A"}`, "Idempotency-Key", "k-2"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("refused: %d", a.status)
		}
		if a := w.ask(t, "lead", "POST", api.Prefix+"/incidents", body, "Idempotency-Key", "k-2"); a.status != http.StatusCreated {
			t.Errorf("after a refusal: %d %s", a.status, a.body)
		}
	})
}

// An answer that is lost on the way is asked for again by the client, and the
// incident is made once.
func TestClientRepeatsWhatWasLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		lossy := &losing{next: http.DefaultTransport, lose: 3}
		c := must[*client.Client](t)(client.New(w.url, w.tokens["technician"], client.WithHTTP(&http.Client{Transport: lossy}), client.WithRetries(5, 1)))
		made := must[wire.Incident](t)(c.Declare(t.Context(), w.declaration()))
		if lossy.sent != 4 || made.ID != 1 {
			t.Errorf("sent %d times, incident %d", lossy.sent, made.ID)
		}
		next := w.declare(t, "technician")
		if next.ID != 2 {
			t.Errorf("the next incident has number %d", next.ID)
		}
	})
}

// losing delivers requests and loses the first answers.
type losing struct {
	next       http.RoundTripper
	lose, sent int
}

func (l *losing) RoundTrip(r *http.Request) (*http.Response, error) {
	l.sent++
	res, err := l.next.RoundTrip(r)
	if err == nil && l.sent <= l.lose {
		res.Body.Close()
		return nil, fmt.Errorf("answer %d lost", l.sent)
	}
	return res, err
}
