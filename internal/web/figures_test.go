package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Every figure that is a link opens as many incidents as it says.
func TestFiguresOpenTheirIncidents(t *testing.T) {
	t.Parallel()
	w := crowd(t, 60)
	for _, login := range []string{"lead", "referent"} {
		b := w.as(t, login)
		followed := 0
		for _, page := range []string{
			"/overview?period=all", "/overview?period=30d", "/explore?period=all", "/explore?period=30d&by=school&compare=previous", "/explore?period=all&by=state&by=priority",
			"/explore?period=30d&by=day&measure=resolved", "/explore?period=all&by=none&measure=backlog", "/explore?period=30d&by=weekday&by=hour",
			"/explore?period=all&by=category&limit=1", "/explore?period=all&by=category&by=assignee&by=open", "/explore?period=all&by=assignee&measure=repeat",
		} {
			a := b.get(page).wantStatus(http.StatusOK)
			links := a.all(".table td.num a")
			if len(links) == 0 && !strings.Contains(page, "by=none") && !strings.Contains(page, "overview") {
				t.Errorf("%s: no figure opens anything", page)
			}
			// The ends of the tables, and some in between.
			for i, n := range links {
				if i > 3 && i < len(links)-4 && i%17 != 0 {
					continue
				}
				text := textOf(n)
				if strings.ContainsAny(text, ",%h-") || strings.Contains(text, "min") {
					continue // a rate or a delay: not a length
				}
				href := attribute(n, "href")
				list := b.get(href).wantStatus(http.StatusOK)
				if list.total() != number(t, text) {
					t.Errorf("%s as %s: %q opens %d incidents: %s", page, login, text, list.total(), href)
				}
				followed++
			}
			if behind := a.attr(".list-summary a", "href"); behind != "" {
				if got, want := b.get(behind).total(), number(t, a.text(".list-summary")); got != want {
					t.Errorf("%s as %s: %d behind the figures, %d said", page, login, got, want)
				}
			}
		}
		if followed < 30 {
			t.Errorf("%s: only %d figures followed", login, followed)
		}
	}
}

// The address holds the whole question, and a click adds to it what a second
// one takes away.
func TestExploreAddress(t *testing.T) {
	t.Parallel()
	w := crowd(t, 24)
	b := w.as(t, "lead")
	a := b.get("/explore?by=school&by=category&chart=bars&limit=5&measure=count&period=30d&priority=3&q=panne").wantStatus(http.StatusOK)
	chosen := url.Values{}
	for _, n := range a.all(".explore-ask select, .explore-ask input") {
		value := attribute(n, "value")
		for o := range n.Descendants() {
			if o.Data == "option" {
				for _, at := range o.Attr {
					if at.Key == "selected" {
						value = attribute(o, "value")
					}
				}
			}
		}
		if value != "" {
			chosen.Add(attribute(n, "name"), value)
		}
	}
	if got := chosen.Encode(); got != "by=school&by=category&chart=bars&limit=5&measure=count&period=30d&priority=3&q=panne" {
		t.Errorf("the form would ask %s", got)
	}
	again := b.get("/explore?" + chosen.Encode())
	if again.text(".table") != a.text(".table") || a.text(".table") == "" {
		t.Error("the form asks something else than the address")
	}
	// A click filters, again releases.
	a = b.get("/explore?period=all&by=category")
	before := a.text(".table")
	marks := a.hrefs("#answer svg a")
	if len(marks) == 0 {
		t.Fatal("no mark to click on")
	}
	filtered := b.get(marks[0]).wantStatus(http.StatusOK)
	if rows := filtered.all(".table tbody tr"); len(rows) != 1 || !strings.Contains(filtered.Request.URL.RawQuery, "category=") {
		t.Fatalf("a click leaves %d rows at %s", len(rows), filtered.Request.URL)
	}
	released := b.get(filtered.hrefs("#answer svg a")[0])
	if released.text(".table") != before {
		t.Errorf("a second click leads to %s", released.Request.URL)
	}
	// Others: a click keeps what is not among the first.
	a = b.get("/explore?period=all&by=category&limit=1&chart=x")
	if !strings.Contains(a.text(".table"), "Autres") {
		t.Fatalf("no others: %s", a.text(".table"))
	}
}

// Each kind of question gets a chart that suits it, or the table alone.
func TestExploreCharts(t *testing.T) {
	t.Parallel()
	w := crowd(t, 24)
	b := w.as(t, "lead")
	for query, want := range map[string]struct {
		chart bool
		word  string // in "how to read"
	}{
		"by=category":                               {true, "Chaque barre part de zéro."},
		"by=month":                                  {true, "Le temps va"},
		"by=month&measure=resolution_median":        {true, "Le temps va"},
		"by=month&by=category":                      {true, "Le temps va"},
		"by=month&by=category&chart=columns":        {true, "Le temps va"},
		"by=month&by=category&chart=heat":           {true, "foncée"},
		"by=category&by=priority":                   {true, "foncée"},
		"by=category&by=priority&chart=bars":        {true, "se partage"},
		"by=category&by=priority&by=open":           {false, ""},
		"by=none":                                   {false, ""},
		"by=school&measure=per_100_computers":       {true, "Chaque barre part de zéro."},
		"by=weekday&by=hour&measure=count&chart=no": {true, "foncée"},
	} {
		a := b.get("/explore?period=12m&" + query).wantStatus(http.StatusOK)
		if got := len(a.all("#answer svg")) > 0; got != want.chart {
			t.Errorf("%s: chart %v", query, got)
		}
		if !strings.Contains(a.text("#answer .chart-foot"), want.word) {
			t.Errorf("%s: read as %q", query, a.text("#answer .chart-foot"))
		}
	}
	// Comparison: what was, and the change.
	a := b.get("/explore?period=30d&by=category&compare=previous")
	if got := strings.Join(a.texts(".table thead th"), " "); got != "Type de problème Incidents Avant Évolution" {
		t.Errorf("columns %q", got)
	}
	if a = b.get("/explore?period=30d&q=zzz"); a.text(".empty h2") == "" || len(a.all(".list-summary")) != 0 {
		t.Errorf("nothing to count is not said: %s", a.text("main"))
	}
	b.get("/explore?by=nonsense").wantStatus(http.StatusUnprocessableEntity)
	a = b.get("/explore.csv?period=30d&by=category").wantStatus(http.StatusOK)
	if lines := strings.Count(strings.TrimSpace(a.body), "\n"); lines != 3 {
		t.Errorf("the export has %d lines under its head:\n%s", lines, a.body)
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	w := crowd(t, 60)
	b := w.as(t, "lead")
	a := b.get("/overview?period=30d").wantStatus(http.StatusOK)
	if n := len(a.all(".keys > .key")); n != 6 {
		t.Errorf("%d key figures", n)
	}
	for _, chart := range []string{"flow", "schools", "types", "hours", "map"} {
		if len(a.all("#"+chart+" svg")) == 0 {
			t.Errorf("no drawing of %s", chart)
		}
		if len(a.all("#"+chart+" table")) == 0 {
			t.Errorf("%s has no table", chart)
		}
	}
	if got := len(a.numbers()); got != 8 {
		t.Errorf("%d latest incidents", got)
	}
	if got := b.get(a.attr("#latest", "data-live-src")).wantStatus(http.StatusOK).numbers(); len(got) != 8 {
		t.Errorf("the live part has %v", got)
	}
	if open := a.hrefs(".key-value a"); len(open) == 0 || b.get(open[0]).total() != number(t, a.text(".key-value")) {
		t.Errorf("the first figure %q opens something else", a.text(".key-value"))
	}
	if a = b.get("/overview?period=30d&q=zzz"); a.text(".empty h2") == "" {
		t.Error("nothing found is not said")
	}
}
