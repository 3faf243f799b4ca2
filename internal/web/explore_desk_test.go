package web

import (
	"context"
	"net/http"
	"testing"

	"statincidents/internal/incident"
	"statincidents/internal/stock"
)

// What the desk does is in the figures as soon as it is done, and a reopening
// takes back what the resolution had said.
func TestTheDeskInTheFigures(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newTown(t)
	w.settle(t)
	catchUp := func() {
		t.Helper()
		if err := w.service.Fresh(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if err := w.memory.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.service.SeedUsual(ctx, system); err != nil {
		t.Fatal(err)
	}
	b := w.as(t, "lead")
	figure := func(measure string) string {
		t.Helper()
		catchUp()
		return b.get("/explore?by=none&period=all&measure=" + measure).wantStatus(http.StatusOK).text(".key-value")
	}
	want := func(when, measure, figures string) {
		t.Helper()
		if got := figure(measure); got != figures {
			t.Errorf("%s: %s is %q, want %q", when, measure, got, figures)
		}
	}
	act := func(c incident.Change) {
		t.Helper()
		c.Incident = w.own
		get1[incident.Incident](t)(w.incidents.Act(ctx, system, c))
	}
	want("at first", "resolution_kept", "–")
	act(incident.Change{Action: incident.Resolve, Set: incident.Patch{ResolutionCode: &w.fix, CauseCode: &w.cause}})
	want("resolved", "resolution_kept", "100,0 %")
	act(incident.Change{Action: incident.Reopen, Comment: "Toujours noir"})
	want("reopened", "resolution_kept", "–")
	want("reopened", "parts", "0")
	get1[[]stock.Movement](t)(w.stock.Book(ctx, system, stock.Order{Kind: stock.Use, Item: w.screen.ID, From: w.depot.ID, Quantity: 2, Price: 1250, Incident: w.own}))
	want("two screens used", "parts", "2")
	want("two screens used", "parts_cost", "25,00 €")
}

// Every ready-made question is one that the page answers, over the period that
// the reader looks at.
func TestReadyQuestions(t *testing.T) {
	t.Parallel()
	w := crowd(t, 12)
	b := w.as(t, "lead")
	links := b.get("/explore?period=30d").wantStatus(http.StatusOK).hrefs(".explore-ready a")
	if len(links) < 10 {
		t.Fatalf("%d ready-made questions", len(links))
	}
	for _, href := range links {
		a := b.get(href).wantStatus(http.StatusOK)
		if len(a.all(".notice.critical")) > 0 || a.text(".explore-ready a[aria-current]") == "" {
			t.Errorf("%s is refused, or does not say that it is asked", href)
		}
	}
}
