package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

func TestMinutesAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "8 h 30": 510, "8h30": 510, "8:30": 510, "8\u00a0h\u00a030": 510, "38 h": 2280, "38": 2280, "8,5": 510, "8.5 h": 510, "45 min": 45, "45mn": 45, "1 h 5 min": 65, "0": 0,
		"8 h 75": -1, "demain": -1, "-3": -1, "8 30": -1, "1e9": -1,
	} {
		if got, ok := minutesOf(text); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, ok, want)
		}
	}
}

func TestServiceTargets(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.as(t, "lead")
	if got := b.get("/admin/service").text(".empty h2"); got == "" {
		t.Error("nothing teaches the first step")
	}
	b.post("/admin/service/usual").wantStatus(http.StatusOK)
	if got := b.get("/admin/service").texts(".targets > li"); len(got) != 5 {
		t.Fatalf("%d targets", len(got))
	}
	today := b.get("/admin/service?priority=4&category=0")
	from := attribute(today.all("input[name=from]")[0], "value")
	if got := attribute(today.all("#f-response")[0], "value"); !strings.HasPrefix(got, "17") {
		t.Errorf("the form begins with %q", got)
	}
	b.post("/admin/service", "priority", "4", "category", "0", "from", "2001-01-01", "resolution", "5 h").wantStatus(http.StatusUnprocessableEntity)
	b.post("/admin/service", "priority", "4", "category", "0", "from", from, "response", "1 h", "resolution", "soon").wantStatus(http.StatusUnprocessableEntity)
	b.post("/admin/service", "priority", "4", "category", "0", "from", from, "response", "1 h", "resolution", "5 h").wantStatus(http.StatusOK)
	if got := b.get("/admin/service").text(".targets > li:nth-child(4) .target-times"); !strings.Contains(got, "Résolution 5 h") {
		t.Errorf("the row says %q", got)
	}
	if err := w.service.Fresh(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	if got := b.post("/admin/service/check").wantStatus(http.StatusOK).text(".notice.good"); !strings.Contains(got, "3 incidents") || !strings.Contains(got, "0 différences") {
		t.Errorf("the proof says %q", got)
	}
}
