package api_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/api"
	"statincidents/internal/api/client"
	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/live"
)

var errEnough = errors.New("enough")

// A stream that ends every few events is resumed: nothing is lost, nothing
// comes twice.
func TestStreamResumes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		deps := w.deps
		deps.Stream = live.Options{Life: 30 * time.Millisecond, Heartbeat: 10 * time.Millisecond}
		brief := w.serve(t, api.New(deps))
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		c := must[*client.Client](t)(client.New(brief, w.tokens["lead"]))
		page, err := c.Incidents(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		const total = 40
		writer := w.as(t, "technician")
		go func() {
			for k := range total {
				if _, err := writer.Declare(ctx, wire.NewIncident{Title: fmt.Sprint("Panne ", k), School: wire.SchoolRef{ID: w.schoolA}}); err != nil {
					t.Error(err)
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
		var ids []int64
		after := page.AsOf
		connections := 0
		// Each turn is a client that leaves in the middle and another that goes
		// on from its last event.
		for len(ids) < total {
			connections++
			err := c.Stream(ctx, after, func(e client.Event) error {
				if e.Change == nil || e.Change.Kind != "incident.declared" {
					t.Errorf("event %+v", e)
				}
				ids = append(ids, e.Change.Incident)
				after = e.ID
				if len(ids)%7 == 0 || len(ids) == total {
					return errEnough
				}
				return nil
			})
			if !errors.Is(err, errEnough) {
				t.Fatalf("after %d events: %v", len(ids), err)
			}
		}
		if connections < 5 {
			t.Errorf("only %d connections", connections)
		}
		for k, id := range ids {
			if id != ids[0]+int64(k) {
				t.Fatalf("order %v", ids)
			}
		}
	})
}

func TestStreamKeepsToTheScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		w.settle(t)
		start := w.cube.AsOf().String()
		tech := w.as(t, "technician")
		made := w.declare(t, "declarant") // in A
		must[wire.Incident](t)(tech.Comment(ctx, made.ID, wire.NewComment{Text: "entre nous", Internal: true}))
		must[wire.Incident](t)(tech.Comment(ctx, made.ID, wire.NewComment{Text: "j'arrive"}))
		w.settle(t)
		to := wire.SchoolRef{ID: w.schoolB}
		before := collect(t, ctx, w, "referent", start, 2)
		must[wire.Incident](t)(tech.Edit(ctx, made.ID, 3, wire.IncidentEdit{School: &to})) // moves to B
		far := must[wire.Incident](t)(tech.Declare(ctx, wire.NewIncident{Title: "à Pithiviers", School: to}))
		w.settle(t)
		for account, want := range map[string][]string{
			"technician": {"declared 1", "commented 1 entre nous", "commented 1 j'arrive", "edited 1", "declared 2"},
			"referent":   {"gone 1", "gone 1"}, // declared there, moved away: it is no longer theirs
			"stranger":   {"declared 1", "commented 1 j'arrive", "edited 1", "declared 2"},
			"declarant":  {"declared 1", "commented 1 j'arrive", "edited 1"},
		} {
			got := collect(t, ctx, w, account, start, len(want))
			if account == "referent" {
				got = slices.Compact(got)
				want = []string{"gone 1"}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s is told %v, want %v", account, got, want)
			}
		}
		if !slices.Equal(before, []string{"declared 1", "commented 1 j'arrive"}) {
			t.Errorf("while it was theirs, the referent was told %v", before)
		}
		if far.ID != 2 {
			t.Errorf("incident %d", far.ID)
		}
	})
}

// collect reads n events after a place.
func collect(t *testing.T, ctx context.Context, w *world, account, after string, n int) []string {
	t.Helper()
	var got []string
	err := w.as(t, account).Stream(ctx, after, func(e client.Event) error {
		switch {
		case e.Gone != nil:
			got = append(got, fmt.Sprint("gone ", e.Gone.Incident))
		case e.Resync:
			got = append(got, "resync")
		default:
			word := fmt.Sprint(strings.TrimPrefix(e.Change.Kind, "incident."), " ", e.Change.Incident)
			if e.Change.Comment != "" {
				word += " " + e.Change.Comment
			}
			got = append(got, word)
		}
		if len(got) >= n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("%s, after %v: %v", account, got, err)
	}
	return got
}

// A stream ends with the right to it: the client comes back and is refused.
func TestStreamEndsWithTheAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- w.as(t, "referent").Stream(ctx, "", func(client.Event) error { return nil })
		}()
		for w.hub.Subscribers() == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		yes := true
		if _, err := w.auth.UpdateAccount(ctx, system, w.accounts["referent"].ID, auth.AccountPatch{Disabled: &yes}); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !client.Is(err, "unauthenticated") {
			t.Errorf("the stream ended with %v", err)
		}
	})
}
