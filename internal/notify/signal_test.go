package notify_test

import (
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/notify"
	"statincidents/internal/signal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// A signal is told once, to who sees it, asked for such ones and wants to be
// told; old ones are no news.
func TestSignalTold(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		want := func(w signal.Wish, mode notify.Mode, people ...auth.Identity) {
			t.Helper()
			for _, who := range people {
				if err := h.signals.Subscribe(ctx, who, w); err != nil {
					t.Fatal(err)
				}
				if err := h.SetWishes(ctx, who, map[notify.Topic]notify.Mode{notify.TopicSignal: mode}); err != nil {
					t.Fatal(err)
				}
			}
		}
		want(signal.Wish{}, notify.Now, h.lead, h.referent, h.otherReferent)
		want(signal.Wish{Schools: []int64{h.schoolB}}, notify.Now, h.technician)
		week := calendar.DayOf(sqldb.Now(), time.UTC).Week()
		found := signal.Finding{Series: "a", About: signal.About{Schools: []int64{h.schoolA}}, Figures: signal.Figures{Observed: 9, Expected: 2, P: 0.0025}, Flagged: true}
		observe := func(week calendar.Day, f ...signal.Finding) {
			t.Helper()
			if err := h.signals.Observe(ctx, signal.Warning, week, f); err != nil {
				t.Fatal(err)
			}
			h.work(t)
		}
		observe(week-70, signal.Finding{Series: "old", About: found.About, Figures: found.Figures, Flagged: true})
		observe(week - 63)
		observe(week - 56)
		if all := must[[]notify.Shown](t)(h.Shown(ctx, 50)); len(all) != 0 {
			t.Fatalf("old news: %+v", all)
		}
		observe(week, found)
		found.Observed = 12
		observe(week, found) // it goes on
		told := map[string]notify.Shown{}
		for _, m := range must[[]notify.Shown](t)(h.Shown(ctx, 50)) {
			if _, twice := told[m.Address]; twice {
				t.Errorf("%s is told twice", m.Address)
			}
			told[m.Address] = m
		}
		if len(told) != 2 {
			t.Errorf("told %d people: %v", len(told), told)
		}
		lead := told["chef@departement.example"]
		if !strings.Contains(lead.Subject, "Collège A") || !strings.Contains(lead.Body.Text(), "incidents au lieu de 2") || !strings.Contains(lead.Body.Text(), "/signals/") {
			t.Errorf("%s\n%s", lead.Subject, lead.Body.Text())
		}
		if _, ok := told["petit@college-a.example"]; !ok {
			t.Error("the referent of the school is not told")
		}
	})
}

// Who wants a digest is told on Monday, of all at once.
func TestSignalDigest(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := t.Context()
	week := calendar.DayOf(sqldb.Now(), time.UTC).Week()
	one := func(series string, school int64) signal.Finding {
		return signal.Finding{Series: series, About: signal.About{Schools: []int64{school}}, Figures: signal.Figures{Observed: 9, Expected: 2, P: 0.0025}, Flagged: true}
	}
	if err := h.signals.Observe(ctx, signal.Warning, week, []signal.Finding{one("a", h.schoolA), one("b", h.schoolB)}); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if all := must[[]notify.Shown](t)(h.Shown(ctx, 50)); len(all) != 0 {
		t.Fatalf("told before Monday: %+v", all)
	}
	for day := range 14 {
		now := sqldb.Now().AddDate(0, 0, day)
		if due := notify.NextWeekly(now, "07:30", h.paris); due.In(h.paris).Weekday() != time.Monday || !due.After(now) || due.Sub(now) > 8*24*time.Hour {
			t.Errorf("from %v: %v", now, due)
		}
	}
	h.morning(t)
	texts := map[string]string{}
	for _, m := range must[[]notify.Shown](t)(h.Shown(ctx, 50)) {
		texts[m.Address] += m.Subject + "\n" + m.Body.Text()
	}
	if lead := texts["chef@departement.example"]; !strings.Contains(lead, "2 signaux") || strings.Count(lead, "/signals/") != 2 {
		t.Errorf("the lead's digest: %s", lead)
	}
	if referent := texts["petit@college-a.example"]; !strings.Contains(referent, "1 signal") || strings.Contains(referent, "Collège B") {
		t.Errorf("the referent's digest: %s", referent)
	}
}
