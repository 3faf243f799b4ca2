package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"statincidents/internal/api"
	"statincidents/internal/api/wire"
	"statincidents/internal/testkit"
)

// BenchmarkRequests is one request through the whole door, without a network:
// token, scope, rule or figure, JSON. The database holds 500 incidents.
func BenchmarkRequests(b *testing.B) {
	w := newWorld(b, testkit.SQLite(b))
	deps := w.deps
	deps.Rate, deps.Burst, deps.Log = 1e9, 1e9, nil
	h := api.New(deps)
	tech := w.as(b, "technician")
	for k := range 500 {
		must[wire.Incident](b)(tech.Declare(b.Context(), wire.NewIncident{Title: fmt.Sprint("Panne ", k), School: wire.SchoolRef{ID: w.schoolA}, Category: w.category, Room: w.room}))
	}
	w.settle(b)
	for _, c := range []struct{ name, method, path, body string }{
		{"me", "GET", "/me", ""},
		{"incident", "GET", "/incidents/7", ""},
		{"story", "GET", "/incidents/7/story", ""},
		{"list of 50", "GET", "/incidents?limit=50", ""},
		{"list of 500", "GET", "/incidents?limit=500", ""},
		{"statistics", "POST", "/stats/query", `{"measures":["count","resolution_median"],"by":["school","category"],"limit":20}`},
		{"declare", "POST", "/incidents", fmt.Sprintf(`{"title":"Encore","school":%d}`, w.schoolA)},
	} {
		b.Run(strings.ReplaceAll(c.name, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(c.method, api.Prefix+c.path, strings.NewReader(c.body))
				r.Header.Set("Authorization", "Bearer "+w.tokens["technician"])
				r.Header.Set("Content-Type", "application/json")
				res := httptest.NewRecorder()
				h.ServeHTTP(res, r)
				if res.Code != http.StatusOK && res.Code != http.StatusCreated {
					b.Fatalf("status %d: %s", res.Code, res.Body)
				}
			}
		})
	}
}
