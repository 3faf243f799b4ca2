package notify_test

import (
	"context"
	"slices"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/notify"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// Who is told that a clock is about to be late, or is; at once or in the
// morning does not matter here.
func TestDeadlinesAreTold(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		say := func(id int64, kind string) {
			t.Helper()
			err := h.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				return h.journal.Append(ctx, tx, journal.Event{Tenant: 1, At: sqldb.Now(), Actor: system.Actor(), Subject: journal.Subject{Kind: "servicelevel", ID: id},
					School: h.schoolA, Kind: kind, Data: []byte(`{"clock":"resolution","target":60,"due":"2026-03-02T10:00:00Z"}`)})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		nobodys, theirs := h.declare(t, h.teacher), h.declare(t, h.teacher)
		h.act(t, h.technician, incident.Change{Incident: theirs.ID, Action: incident.Take})
		for _, i := range []incident.Incident{nobodys, theirs} {
			say(i.ID, "servicelevel.warned")
			say(i.ID, "servicelevel.breached")
		}
		h.work(t)
		names := map[int64]string{h.technician.Person: "technician", h.second.Person: "second", h.lead.Person: "lead", h.teacher.Person: "teacher", h.referent.Person: "referent"}
		for _, c := range []struct {
			id   int64
			kind string
			want []string
		}{
			{nobodys.ID, notify.KindWarned, []string{"lead", "second", "technician"}},
			{nobodys.ID, notify.KindBreached, []string{"lead", "second", "technician"}},
			{theirs.ID, notify.KindWarned, []string{"technician"}},
			{theirs.ID, notify.KindBreached, []string{"lead", "technician"}},
		} {
			var got []string
			for _, m := range must[[]notify.Entry](t)(h.Log(ctx, auth.Identity{Tenant: 1, Role: auth.Lead}, c.id)) {
				if m.Kind == c.kind {
					got = append(got, names[m.Person])
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("incident %d, %s: %v, want %v", c.id, c.kind, got, c.want)
			}
		}
	})
}
