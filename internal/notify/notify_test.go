package notify_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/notify"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func TestThreadIsFoundAgain(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		id := must[string](t)(h.MessageID(ctx, 4812, 17))
		if again := must[string](t)(h.MessageID(ctx, 4812, 17)); again != id {
			t.Errorf("%s, then %s", id, again)
		}
		for _, text := range []string{id, strings.Trim(id, "<>"), " " + strings.ToUpper(id) + " "} {
			if got, ok := h.OfMessageID(ctx, text); !ok || got != 4812 {
				t.Errorf("%q: %d %v", text, got, ok)
			}
		}
		for _, text := range []string{"", "<x@y>", strings.Replace(id, "4812", "4813", 1), strings.Replace(id, ".17.", ".18.", 1), strings.Replace(id, "@", ".@", 1)} {
			if got, ok := h.OfMessageID(ctx, text); ok {
				t.Errorf("%q was taken for one of ours, of incident %d", text, got)
			}
		}
		token := must[string](t)(h.ReplyToken(ctx, 4812, 77))
		for _, subject := range []string{token, "Re: RE: Incident 4812 " + token, "TR: " + strings.ToUpper(token) + " [externe]", "[#1-1-aaaaaaaa] " + token} {
			if got, person, ok := h.OfReplyToken(ctx, subject); !ok || got != 4812 || person != 77 {
				t.Errorf("%q: %d %d %v", subject, got, person, ok)
			}
		}
		for _, subject := range []string{"", "Incident 4812", strings.Replace(token, "4812", "4813", 1), strings.Replace(token, "-77-", "-78-", 1), id} {
			if _, _, ok := h.OfReplyToken(ctx, subject); ok {
				t.Errorf("%q was taken for a token", subject)
			}
		}
	})
}

func TestSendWithItsTransaction(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if err := h.Send(ctx, tx, notify.Message{To: "not an address", Subject: "x", Body: notify.Paragraphs("x")}); err == nil {
				t.Error("a text that is no address was accepted")
			}
			return h.Send(ctx, tx, notify.Message{To: "passante@example.org", Name: "Passante", Subject: "Confirmez\r\nBcc: tous@example.org", Body: notify.Paragraphs("Bonjour,", "Confirmez.")})
		})
		if err != nil {
			t.Fatal(err)
		}
		h.work(t)
		m := h.last(t, notify.KindDirect)
		if m.Address != "passante@example.org" || len(m.Body.Blocks) != 2 {
			t.Errorf("%+v", m)
		}
	})
}

// The life of an incident, and who is told what of it.
func TestWhoIsToldWhat(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		modes := map[notify.Topic]notify.Mode{notify.TopicQueue: notify.Now}
		if err := h.SetWishes(t.Context(), h.technician, modes); err != nil {
			t.Fatal(err)
		}
		if err := h.SetWishes(t.Context(), h.referent, map[notify.Topic]notify.Mode{notify.TopicSchool: notify.Now}); err != nil {
			t.Fatal(err)
		}
		var i incident.Incident
		assignee, planned := h.second.Person, sqldb.Now().AddDate(0, 0, 3)
		reason := h.reason
		steps := []struct {
			name string
			do   func()
			want []string
		}{
			{"declared", func() { i = h.declare(t, h.teacher) }, []string{"queued tech@departement.example", "received martin@college-a.example", "school_new petit@college-a.example"}},
			{"joined", func() {
				must[incident.Incident](t)(h.incidents.AlsoAffected(t.Context(), h.colleague, i.ID, incident.Affected{}))
			}, nil},
			{"assigned to another", func() {
				h.act(t, h.technician, incident.Change{Incident: i.ID, Action: incident.Assign, Set: incident.Patch{Assignee: &assignee}})
			}, []string{"assigned tech2@departement.example", "taken martin@college-a.example"}},
			{"public comment", func() {
				h.act(t, h.technician, incident.Change{Incident: i.ID, Action: incident.Comment, Comment: "Quelle lampe ?"})
			}, []string{"commented martin@college-a.example", "followed durand@college-a.example", "work_commented tech2@departement.example"}},
			{"internal comment", func() {
				h.act(t, h.technician, incident.Change{Incident: i.ID, Action: incident.Comment, Comment: "Encore eux", Internal: true})
			}, []string{"work_commented tech2@departement.example"}},
			{"planned", func() {
				h.act(t, h.second, incident.Change{Incident: i.ID, Action: incident.Plan, Set: incident.Patch{PlannedAt: &planned}})
			}, []string{"followed durand@college-a.example", "planned martin@college-a.example"}},
			{"waiting", func() {
				h.act(t, h.second, incident.Change{Incident: i.ID, Action: incident.Hold, Set: incident.Patch{WaitingCode: &reason}})
			}, []string{"followed durand@college-a.example", "waiting martin@college-a.example"}},
			{"resolved", func() { h.resolve(t, i.ID) }, []string{"followed durand@college-a.example", "resolved martin@college-a.example", "school_resolved petit@college-a.example"}},
			{"reopened by the declarant", func() {
				h.act(t, h.teacher, incident.Change{Incident: i.ID, Action: incident.Reopen, Comment: "Toujours noir"})
			}, []string{"followed durand@college-a.example", "work_reopened tech2@departement.example"}},
			{"resolved again and confirmed at once", func() {
				h.resolve(t, i.ID)
				h.act(t, h.teacher, incident.Change{Incident: i.ID, Action: incident.Confirm})
			}, []string{"followed durand@college-a.example"}}, // the resolution is overtaken
		}
		before := 0
		for _, step := range steps {
			step.do()
			h.work(t)
			all := h.told(t)
			got := slices.Clone(all[before:])
			before = len(all)
			slices.Sort(got)
			if d := cmp.Diff(step.want, got, cmp.Transformer("nil", func(s []string) []string {
				if s == nil {
					return []string{}
				}
				return s
			})); d != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, d)
			}
		}
		if waiting := h.last(t, notify.KindWaiting); !strings.Contains(waiting.Body.Text(), "Pièce commandée") {
			t.Errorf("the reason is not told:\n%s", waiting.Body.Text())
		}
		for _, m := range must[[]notify.Shown](t)(h.Shown(t.Context(), 300)) {
			if strings.Contains(m.Body.Text(), "Encore eux") && m.Address != "tech2@departement.example" {
				t.Errorf("an internal comment went to %s", m.Address)
			}
			if got, person, ok := h.OfReplyToken(t.Context(), m.Subject); !ok || got != i.ID || person == 0 {
				t.Errorf("%q has no token of its incident", m.Subject)
			}
		}
		if _, err := h.Log(t.Context(), h.teacher, i.ID); err == nil {
			t.Error("a declarant reads the log of messages")
		}
		log := must[[]notify.Entry](t)(h.Log(t.Context(), h.technician, i.ID))
		held := slices.IndexFunc(log, func(e notify.Entry) bool { return e.State == notify.Held && e.Person == h.second.Person })
		if len(log) != before+1 || held < 0 { // the queue waits for the second technician's morning
			t.Errorf("the log has %d messages, want %d: %+v", len(log), before+1, log)
		}
	})
}

// What is hidden from a person at the moment of sending is not sent, whatever
// was decided before.
func TestScopeIsJudgedWhenSending(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		if err := h.SetWishes(t.Context(), h.referent, map[notify.Topic]notify.Mode{notify.TopicSchool: notify.Now}); err != nil {
			t.Fatal(err)
		}
		i := h.declare(t, h.teacher)
		h.resolve(t, i.ID)
		if err := h.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The referent moves to another school before anything is sent.
		schools := []int64{h.schoolB}
		if _, err := h.accounts.UpdateAccount(t.Context(), system, h.referent.Account, auth.AccountPatch{Schools: &schools}); err != nil {
			t.Fatal(err)
		}
		h.work(t)
		for _, told := range h.told(t) {
			if strings.HasSuffix(told, "petit@college-a.example") {
				t.Errorf("told after leaving the school: %s", told)
			}
		}
	})
}

// A mass incident: one message to each school that it reaches, none to the
// queue for each part.
func TestMassIncidentReachesSchools(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		if err := h.SetWishes(t.Context(), h.second, map[notify.Topic]notify.Mode{notify.TopicQueue: notify.Now}); err != nil {
			t.Fatal(err)
		}
		master := h.declare(t, h.technician)
		h.work(t)
		before := len(h.told(t))
		must[[]incident.Incident](t)(h.incidents.Spread(t.Context(), h.technician, master.ID, []int64{h.schoolB}))
		h.work(t)
		if d := cmp.Diff([]string{"school_new grand@college-b.example"}, slices.Sorted(slices.Values(h.told(t)[before:]))); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}
