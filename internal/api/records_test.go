package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/api/wire"
)

// Every list that a program reads leaves its row, and one incident does not;
// the next page counts with the first.
func TestListsReadByProgramsAreNoted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.objects(t)
		for _, path := range []string{"/api/v1/incidents?open=yes&limit=1", "/api/v1/incidents?open=yes&limit=2", "/api/v1/incidents/1", "/api/v1/schools", "/api/v1/no-such-thing"} {
			w.ask(t, "technician", http.MethodGet, path, "")
		}
		w.ask(t, "declarant", http.MethodGet, "/api/v1/jobs", "") // refused
		w.ask(t, "technician", http.MethodPost, "/api/v1/stats/query", `{"measures":["count"],"by":["school"]}`)
		var page wire.Exports
		a := w.ask(t, "administrator", http.MethodGet, "/api/v1/exports", "")
		if err := json.Unmarshal(a.body, &page); err != nil {
			t.Fatalf("%v: %s", err, a.body)
		}
		got := map[string]int64{}
		for _, e := range page.Items {
			got[strings.TrimPrefix(e.What, "/api/v1")] += e.Entries
			if e.Door != "api" || e.Account == 0 || strings.Contains(e.Question, "limit") {
				t.Errorf("%+v", e)
			}
		}
		if len(got) != 3 || got["/incidents"] != 1 || got["/schools"] == 0 || got["/stats/query"] == 0 {
			t.Errorf("%v (%s)", got, a.body)
		}
	})
}
