package privacy_test

import (
	"testing"
	"time"

	"statincidents/internal/fault"
	"statincidents/internal/privacy"
)

// What is read often is one row an hour, with every reading counted; the list
// is found by who, what, by which way and when.
func TestWhatIsTakenAwayIsCountedAndFound(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		list := privacy.Record{Door: privacy.Program, What: "/api/v1/incidents", Format: "json", Question: "school=3", Address: "192.0.2.14", Entries: 50}
		for range 7 {
			if err := h.Privacy.NoteOften(ctx, h.techs, list); err != nil {
				t.Fatal(err)
			}
		}
		// The first is there at once, the others once they are written together.
		if got := must[[]privacy.Record](t)(h.Privacy.Records(ctx, h.boss, privacy.RecordFilter{})); len(got) != 1 || got[0].Times != 1 {
			t.Errorf("%+v", got)
		}
		if err := h.Privacy.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if err := h.Privacy.Note(ctx, h.boss, privacy.Record{What: "/stock", Format: "csv", Entries: 3}); err != nil {
			t.Fatal(err)
		}
		got := must[[]privacy.Record](t)(h.Privacy.Records(ctx, h.boss, privacy.RecordFilter{Door: privacy.Program}))
		if len(got) != 1 || got[0].Times != 7 || got[0].Entries != 350 || got[0].Address != "192.0.2.0/24" || got[0].Account != h.techs.Account {
			t.Errorf("%+v", got)
		}
		now := time.Now()
		for name, c := range map[string]struct {
			f privacy.RecordFilter
			n int
		}{
			"everything":    {privacy.RecordFilter{}, 2},
			"an account":    {privacy.RecordFilter{Account: h.techs.Account}, 1},
			"a thing":       {privacy.RecordFilter{What: "/stock"}, 1},
			"the pages":     {privacy.RecordFilter{Door: privacy.Pages}, 1},
			"the server":    {privacy.RecordFilter{Door: privacy.Command}, 0},
			"the last hour": {privacy.RecordFilter{From: now.Add(-time.Hour), To: now.Add(time.Hour)}, 2},
			"yesterday":     {privacy.RecordFilter{To: now.Add(-24 * time.Hour)}, 0},
			"a second page": {privacy.RecordFilter{Before: got[0].ID + 1, Limit: 1}, 1},
		} {
			if found := must[[]privacy.Record](t)(h.Privacy.Records(ctx, h.boss, c.f)); len(found) != c.n {
				t.Errorf("%s: %+v", name, found)
			}
		}
		if _, err := h.Privacy.Records(ctx, h.techs, privacy.RecordFilter{}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a technician: %v", err)
		}
	})
}
