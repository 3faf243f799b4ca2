package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/demo"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/preset"
	"statincidents/internal/problem"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// The pages that people open most, over the demonstration's 30,000 incidents,
// as a signed-in lead gets them (compression left out).
func BenchmarkPages(b *testing.B) {
	if built.missing != nil {
		b.Skip("SKIPPED: the user interface is not built; run `make ui`")
	}
	ctx := context.Background()
	db := testkit.SQLite(b)
	j := journal.New(db)
	accounts := auth.New(db, j, auth.Config{})
	d := Deps{
		Log: slog.New(slog.DiscardHandler), Auth: accounts, Sessions: accounts.NewSessions(false), FirstRun: accounts.NewFirstRun(),
		Directory: directory.New(db, j), Catalog: catalog.New(db, j), Tenant: 1, Now: sqldb.Now, Version: "bench",
	}
	d.Incidents = incident.NewService(db, j, d.Directory, d.Catalog, paris)
	d.Problems = problem.New(db, j, d.Directory, d.Catalog, d.Incidents)
	d.Batches = batch.New(db, d.Incidents, d.Problems, nil)
	d.Presets = preset.New(db, j)
	set := demo.Generate(1, sqldb.Now())
	if err := demo.Load(ctx, 1, demo.Services{Directory: d.Directory, Catalog: d.Catalog, Incidents: d.Incidents}, set, nil); err != nil {
		b.Fatal(err)
	}
	memory := cube.NewMemory(cube.Config{Tenant: 1, DB: db, Journal: j, Directory: d.Directory, Catalog: d.Catalog, Location: paris, Weeks: func(ctx context.Context) (cube.SchoolWeeks, error) {
		return d.Directory.Calendar(ctx, 1, 0)
	}})
	if err := memory.Load(ctx); err != nil {
		b.Fatal(err)
	}
	d.Cube = memory
	if _, err := accounts.CreateAccount(ctx, system, auth.NewAccount{Login: "lead", Password: secret, Role: auth.Lead}); err != nil {
		b.Fatal(err)
	}
	server := newServer(d)
	handler := server.chain(server.mux)
	ask := func(method, address, form string, cookies []*http.Cookie) *httptest.ResponseRecorder {
		req := httptest.NewRequest(method, address, strings.NewReader(form))
		req.Header.Set("Accept-Language", "fr")
		if form != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for _, c := range cookies {
			req.AddCookie(c)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w
	}
	cookies := ask(http.MethodPost, "/login", url.Values{"login": {"lead"}, "password": {secret}}.Encode(), nil).Result().Cookies()
	for name, address := range map[string]string{
		"overview": "/overview", "overview-all": "/overview?period=all", "explore": "/explore?period=all", "explore-cross": "/explore?period=all&by=school&by=category&limit=all",
		"incidents": "/incidents?open=yes", "incident": "/incidents/29000",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				w := ask(http.MethodGet, address, "", cookies)
				if w.Code != http.StatusOK {
					b.Fatalf("%s: %d", address, w.Code)
				}
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/page")
		})
	}
}
