package notify_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/mailbox"
	"statincidents/internal/notify"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// morning makes what is held due, and runs the digests.
func (h *house) morning(t *testing.T) {
	t.Helper()
	err := h.db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE notify_message SET due_at = 1 WHERE tenant_id = 1 AND state = 'held'`); err != nil {
			return err
		}
		_, err := h.jobs.Insert(ctx, tx, "notify.digest", struct{}{}, jobs.Insertion{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.work(t)
}

// A digest is one message of what a person may still see when it leaves.
func TestMorningDigest(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		first, second := h.declare(t, h.teacher), h.declare(t, h.teacher)
		h.work(t)
		h.resolve(t, first.ID)
		h.work(t)
		h.morning(t)
		h.morning(t) // nothing is left
		var mine []notify.Shown
		for _, m := range must[[]notify.Shown](t)(h.Shown(t.Context(), 300)) {
			if m.Address == "petit@college-a.example" {
				mine = append(mine, m)
			}
		}
		if len(mine) != 1 || mine[0].Kind != notify.KindDigest {
			t.Fatalf("the referent got %+v", mine)
		}
		text := mine[0].Body.Text()
		for _, i := range []incident.Incident{first, second} {
			if link := "/incidents/" + strconv.FormatInt(i.ID, 10); strings.Count(text, link+"\n") != 1 {
				t.Errorf("the digest names incident %d %d times:\n%s", i.ID, strings.Count(text, link), text)
			}
		}

		// What waits when the referent leaves the school is not sent.
		h.declare(t, h.teacher)
		h.work(t)
		schools := []int64{h.schoolB}
		if _, err := h.accounts.UpdateAccount(t.Context(), system, h.referent.Account, auth.AccountPatch{Schools: &schools}); err != nil {
			t.Fatal(err)
		}
		h.morning(t)
		n := 0
		for _, told := range h.told(t) {
			if strings.HasSuffix(told, "petit@college-a.example") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("the referent got %d messages, of a school left behind", n)
		}
	})
}

// Past so many messages in an hour the rest is one digest.
func TestFloodBecomesADigest(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		s := mailbox.Defaults
		s.PerHour = 3
		if err := h.box.Save(t.Context(), system, s); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			h.declare(t, h.teacher)
		}
		h.work(t)
		h.morning(t)
		var got []string
		for _, told := range h.told(t) {
			if kind, address, _ := strings.Cut(told, " "); address == "martin@college-a.example" {
				got = append(got, kind)
			}
		}
		slices.Sort(got)
		// Two may pass at the same moment.
		if n := len(got); n < 4 || n > 3+1+3 || got[0] != notify.KindDigest || got[1] == notify.KindDigest {
			t.Errorf("the declarant got %v", got)
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return h.Send(ctx, tx, notify.Message{To: "martin@college-a.example", Subject: "encore", Body: notify.Paragraphs("x")})
		})
		if err != nil {
			t.Fatal(err)
		}
		h.work(t)
		last := must[[]notify.Entry](t)(h.Lately(t.Context(), system, "", 1))[0]
		if last.State != notify.Skipped || last.Reason != notify.ReasonStorm {
			t.Errorf("%+v", last)
		}
	})
}

func TestBouncesStopAnAddress(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		for k := range 3 {
			h.declare(t, h.teacher)
			h.work(t)
			if n := len(h.told(t)); n != k+1 {
				t.Fatalf("%d messages after %d bounces", n, k)
			}
			if err := h.Bounced(ctx, "MARTIN@college-a.example ", false, "mailbox full\r\nX: y"); err != nil {
				t.Fatal(err)
			}
		}
		h.declare(t, h.teacher)
		h.work(t)
		if n := len(h.told(t)); n != 3 {
			t.Errorf("%d messages after three bounces", n)
		}
		if err := h.Trust(ctx, system, "martin@college-a.example"); err != nil {
			t.Fatal(err)
		}
		h.declare(t, h.teacher)
		h.work(t)
		if n := len(h.told(t)); n != 4 {
			t.Errorf("%d messages after the address is trusted again", n)
		}
		// Nothing is ever sent to ourselves.
		s := mailbox.Defaults
		s.Address = "martin@college-a.example"
		if err := h.box.Save(ctx, system, s); err != nil {
			t.Fatal(err)
		}
		h.declare(t, h.teacher)
		h.work(t)
		if n := len(h.told(t)); n != 4 {
			t.Error("a message went to our own mailbox")
		}
	})
}

// Who declared several children of a mass incident is told once of what they
// do together.
func TestMassIncidentTellsOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		master, one, two := h.declare(t, h.technician), h.declare(t, h.teacher), h.declare(t, h.teacher)
		h.work(t)
		for _, i := range []incident.Incident{one, two} {
			h.act(t, h.technician, incident.Change{Incident: i.ID, Action: incident.Attach, Set: incident.Patch{Parent: &master.ID}})
		}
		for _, i := range []incident.Incident{master, one, two} {
			h.resolve(t, i.ID)
		}
		h.work(t)
		n := 0
		for _, told := range h.told(t) {
			if told == "resolved martin@college-a.example" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

func TestDigestLeavesInTheMorning(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ now, at, want string }{
		{"2026-11-24T05:00:00Z", "07:30", "2026-11-24T06:30:00Z"},
		{"2026-11-24T06:30:00Z", "07:30", "2026-11-25T06:30:00Z"},
		{"2026-03-28T12:00:00Z", "07:30", "2026-03-29T05:30:00Z"}, // summer time begins that night
		{"2026-03-28T12:00:00Z", "nonsense", "2026-03-29T05:30:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := notify.NextDigest(now, c.at, paris).Format(time.RFC3339); got != c.want {
			t.Errorf("after %s at %s: %s, want %s", c.now, c.at, got, c.want)
		}
	}
}
