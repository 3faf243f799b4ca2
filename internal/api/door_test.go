package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"statincidents/internal/api"
	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
)

func TestWhoMayEnter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		// A signed-in browser.
		who, err := w.auth.Authenticate(ctx, "lead", password, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		sessions := w.deps.Sessions
		sctx, err := sessions.Load(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := sessions.SignIn(sctx, who); err != nil {
			t.Fatal(err)
		}
		token, _, err := sessions.Commit(sctx)
		if err != nil {
			t.Fatal(err)
		}
		cookie := sessions.Cookie.Name + "=" + token
		bearer := "Bearer " + w.tokens["lead"]
		for _, c := range []struct {
			name, method, path string
			headers            []string
			want               int
		}{
			{"nobody", "GET", "/me", nil, 401},
			{"a token", "GET", "/me", []string{"Authorization", bearer}, 200},
			{"a token, scheme in small letters", "GET", "/me", []string{"Authorization", "bearer " + w.tokens["lead"]}, 200},
			{"a wrong token", "GET", "/me", []string{"Authorization", bearer + "x"}, 401},
			{"a password", "GET", "/me", []string{"Authorization", "Basic bGVhZDpjb3JyZWN0"}, 401},
			{"a wrong token and a session", "GET", "/me", []string{"Authorization", "Bearer x", "Cookie", cookie}, 401},
			{"a session", "GET", "/me", []string{"Cookie", cookie}, 200},
			{"a session, our page", "GET", "/me", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 200},
			{"a session, another site", "GET", "/me", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 401},
			{"a session, a sister site", "GET", "/me", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site"}, 401},
			{"a session that writes", "POST", "/incidents", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 401},
			{"a made-up session", "GET", "/me", []string{"Cookie", sessions.Cookie.Name + "=x"}, 401},
			{"the document", "GET", "/openapi.json", nil, 200},
			{"the page", "GET", "/docs", nil, 200},
			{"nowhere, nobody", "GET", "/nowhere", nil, 401},
			{"nowhere", "GET", "/nowhere", []string{"Authorization", bearer}, 404},
			{"another method", "DELETE", "/me", []string{"Authorization", bearer}, 405},
		} {
			a := w.ask(t, "", c.method, api.Prefix+c.path, "", c.headers...)
			if a.status != c.want {
				t.Errorf("%s: status %d, want %d: %s", c.name, a.status, c.want, a.body)
			}
			if a.status >= 400 {
				p := a.problem(t)
				if p.Status != a.status || p.RequestID == "" || p.RequestID != a.header.Get("X-Request-ID") || strings.Contains(p.Detail, "error.") || strings.Contains(p.Title, "api.") {
					t.Errorf("%s: %s", c.name, a.body)
				}
			}
			if a.status == 401 && a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no WWW-Authenticate", c.name)
			}
			if a.status == 405 && a.header.Get("Allow") != "GET" {
				t.Errorf("%s: Allow %q", c.name, a.header.Get("Allow"))
			}
		}
		// Revoked, or its account disabled: at once.
		tokens, err := w.auth.Tokens(ctx, system, w.accounts["lead"].ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.auth.RevokeToken(ctx, system, tokens[0].ID); err != nil {
			t.Fatal(err)
		}
		if a := w.ask(t, "lead", "GET", api.Prefix+"/me", ""); a.status != 401 {
			t.Errorf("revoked: status %d", a.status)
		}
		yes := true
		if _, err := w.auth.UpdateAccount(ctx, system, w.accounts["technician"].ID, auth.AccountPatch{Disabled: &yes}); err != nil {
			t.Fatal(err)
		}
		if a := w.ask(t, "technician", "GET", api.Prefix+"/me", ""); a.status != 401 {
			t.Errorf("disabled: status %d", a.status)
		}
	})
}

func TestProblemsSpeakTheReadersLanguage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct{ accept, title string }{
			{"", "Introuvable"}, {"fr-FR,fr;q=0.9", "Introuvable"}, {"en-GB,en;q=0.9,fr;q=0.5", "Not found"}, {"de", "Introuvable"},
		} {
			p := w.ask(t, "lead", "GET", api.Prefix+"/schools/999", "", "Accept-Language", c.accept, "X-Request-ID", "trace-7").problem(t)
			if p.Title != c.title || p.Code != "not_found" || p.Type != "/api/v1/docs#not_found" || p.Instance != "/api/v1/schools/999" || p.RequestID != "trace-7" {
				t.Errorf("%q: %+v", c.accept, p)
			}
		}
		a := w.ask(t, "lead", "GET", api.Prefix+"/codes?kind=other&limit=0&colour=red", "", "Accept-Language", "en")
		p := a.problem(t)
		var fields []string
		for _, e := range p.Errors {
			fields = append(fields, e.Field)
			if strings.Contains(e.Detail, "error.") || e.Detail == "" {
				t.Errorf("field %+v", e)
			}
		}
		if a.status != 422 || !slices.Contains(fields, "colour") {
			t.Errorf("status %d, fields %v", a.status, fields)
		}
		a = w.ask(t, "lead", "GET", api.Prefix+"/codes?kind=other&limit=0", "")
		if p := a.problem(t); a.status != 422 || len(p.Errors) != 2 {
			t.Errorf("status %d: %s", a.status, a.body)
		}
	})
}

func TestRateLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		deps := w.deps
		deps.Rate, deps.Burst = 0.5, 3
		w.url = w.serve(t, api.New(deps))
		var got []int
		for range 5 {
			a := w.ask(t, "lead", "GET", api.Prefix+"/me", "")
			got = append(got, a.status)
			if a.status == 429 && a.header.Get("Retry-After") != "2" {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
		}
		if !slices.Equal(got, []int{200, 200, 200, 429, 429}) {
			t.Errorf("statuses %v", got)
		}
		if a := w.ask(t, "technician", "GET", api.Prefix+"/me", ""); a.status != 200 {
			t.Errorf("another token pays: status %d", a.status)
		}
	})
}

func TestReference(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		lead, declarant := w.as(t, "lead"), w.as(t, "declarant")
		me, err := declarant.Me(ctx)
		if err != nil || me.Role != "declarant" || me.Person != w.teacher || !slices.Equal(me.Rights, []string{"incident.declare", "incident.comment", "incident.confirm"}) {
			t.Errorf("me %+v, %v", me, err)
		}
		all := list(t, lead.Schools(ctx))
		if len(all) != 2 || all[0].UAI != "0450001A" || *all[0].Computers != 200 || *all[0].Latitude != 47.9 || all[1].Latitude != nil || all[1].Computers != nil {
			t.Errorf("schools %+v", all)
		}
		// A declarant may declare in A, and is told no figure of it.
		mine := list(t, declarant.Schools(ctx))
		if len(mine) != 1 || mine[0].ID != w.schoolA || mine[0].Computers != nil {
			t.Errorf("a declarant's schools %+v", mine)
		}
		if rooms := list(t, declarant.Rooms(ctx, w.schoolA)); len(rooms) != 1 || rooms[0].Name != "Salle 12" || rooms[0].Network != "teaching" {
			t.Errorf("rooms %+v", rooms)
		}
		if categories := list(t, lead.Categories(ctx)); len(categories) != 2 || categories[0].Label != "Impression" {
			t.Errorf("categories %+v", categories)
		}
		if codes := list(t, lead.Codes(ctx, "")); len(codes) != 3 {
			t.Errorf("codes %+v", codes)
		}
		if codes := list(t, lead.Codes(ctx, "waiting")); len(codes) != 1 || codes[0].ID != w.waiting {
			t.Errorf("waiting codes %+v", codes)
		}
		if teams := list(t, lead.Teams(ctx)); len(teams) != 1 || teams[0].ID != w.team {
			t.Errorf("teams %+v", teams)
		}
		if people := list(t, lead.Technicians(ctx)); len(people) != 1 || people[0].ID != w.technician {
			t.Errorf("technicians %+v", people)
		}
		english := w.ask(t, "lead", "GET", api.Prefix+"/categories", "", "Accept-Language", "en")
		if !strings.Contains(string(english.body), `"Printing"`) {
			t.Errorf("in English: %s", english.body)
		}
		// Page by page.
		var names []string
		after := ""
		for {
			var page wire.Page[wire.School]
			if err := json.Unmarshal(w.ask(t, "lead", "GET", api.Prefix+"/schools?limit=1&after="+after, "").body, &page); err != nil {
				t.Fatal(err)
			}
			for _, s := range page.Items {
				names = append(names, s.Name)
			}
			if page.Total != 2 {
				t.Errorf("total %d", page.Total)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if !slices.Equal(names, []string{"Collège Alain", "Collège Bichat"}) {
			t.Errorf("pages %v", names)
		}
		if a := w.ask(t, "lead", "GET", api.Prefix+"/schools?after=nonsense", ""); a.status != 422 {
			t.Errorf("a made-up cursor: %d", a.status)
		}
	})
}

// The documentation page stands alone: it lists every operation, has a target
// for each of its links, and needs no script and no other site.
func TestDocumentation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.ask(t, "", "GET", api.Prefix+"/docs", "")
		csp := a.header.Get("Content-Security-Policy")
		if a.status != 200 || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("status %d, CSP %q", a.status, csp)
		}
		root, err := html.Parse(strings.NewReader(string(a.body)))
		if err != nil {
			t.Fatal(err)
		}
		ids, links := map[string]int{}, []string{}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if n.Data == "script" || n.Data == "style" {
				t.Errorf("the page has a %s", n.Data)
			}
			for _, attr := range n.Attr {
				switch {
				case attr.Key == "id":
					ids[attr.Val]++
				case attr.Key == "href":
					links = append(links, attr.Val)
				case attr.Key == "style" || strings.HasPrefix(attr.Key, "on"):
					t.Errorf("%s has an inline %s", n.Data, attr.Key)
				}
			}
		}
		for id, n := range ids {
			if n > 1 {
				t.Errorf("id %q is used %d times", id, n)
			}
		}
		for _, link := range links {
			if target, ok := strings.CutPrefix(link, "#"); ok {
				if ids[target] == 0 {
					t.Errorf("link to %s leads nowhere", link)
				}
				continue
			}
			if strings.Contains(link, "//") {
				t.Errorf("link to another site: %s", link)
			}
			if got := w.ask(t, "", "GET", api.Prefix+"/"+link, ""); got.status != http.StatusOK {
				t.Errorf("link %s: status %d", link, got.status)
			}
		}
		for path, item := range w.api.OpenAPI().Paths {
			for _, op := range operations(item) {
				if ids[op.OperationID] == 0 {
					t.Errorf("%s %s is not on the page", op.Method, path)
				}
			}
		}
		for _, code := range []string{"invalid", "conflict", "internal"} {
			if ids[code] == 0 {
				t.Errorf("code %s is not on the page", code)
			}
		}
		var spec struct {
			OpenAPI string `json:"openapi"`
		}
		doc := w.ask(t, "", "GET", api.Prefix+"/openapi.json", "")
		if err := json.Unmarshal(doc.body, &spec); err != nil || spec.OpenAPI != "3.1.0" || doc.header.Get("Content-Type") != "application/openapi+json" {
			t.Errorf("document %q %v", spec.OpenAPI, err)
		}
		if y := w.ask(t, "", "GET", api.Prefix+"/openapi.yaml", ""); !strings.Contains(string(y.body), "openapi: 3.1.0") {
			t.Errorf("YAML: %.200s", y.body)
		}
	})
}

func TestPanicsAreInternal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		deps := w.deps
		deps.Directory = nil // a programmer's mistake
		w.url = w.serve(t, api.New(deps))
		a := w.ask(t, "lead", "GET", api.Prefix+"/schools", "")
		if p := a.problem(t); a.status != 500 || p.Code != "internal" || strings.Contains(string(a.body), "pointer") {
			t.Errorf("status %d: %s", a.status, a.body)
		}
	})
}
