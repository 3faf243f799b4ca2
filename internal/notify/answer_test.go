package notify_test

import (
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/notify"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// links gives the tokens of a message's buttons by the end of their label's key.
func links(t *testing.T, m notify.Shown) []string {
	t.Helper()
	var tokens []string
	for _, b := range m.Body.Blocks {
		for _, l := range b.Links {
			if _, token, ok := strings.Cut(l.Href, notify.AnswerPath); ok {
				tokens = append(tokens, token)
			}
		}
	}
	return tokens
}

func (h *house) stored(t *testing.T, id int64) incident.Incident {
	t.Helper()
	return must[incident.Incident](t)(h.incidents.Get(t.Context(), auth.ScopeAll(1), id))
}

func TestAnswersByLink(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		i := h.declare(t, h.colleague) // who has no account
		h.resolve(t, i.ID)
		h.work(t)
		tokens := links(t, h.last(t, notify.KindResolved))
		if len(tokens) != 2 {
			t.Fatalf("%d links", len(tokens))
		}
		works, fails := tokens[0], tokens[1]
		before := h.stored(t, i.ID)
		for range 5 { // scanners open links, again and again
			for _, token := range tokens {
				if a := must[notify.Asked](t)(h.Question(t.Context(), token)); a.Over != "" || a.Given != "" {
					t.Fatalf("%+v", a)
				}
			}
		}
		if now := h.stored(t, i.ID); now.Version != before.Version {
			t.Fatal("opening a link changed the incident")
		}
		a := must[notify.Asked](t)(h.Answer(t.Context(), works, "Merci"))
		if a.Given != notify.Works || h.stored(t, i.ID).State != incident.Closed {
			t.Fatalf("%+v, the incident is %s", a, h.stored(t, i.ID).State)
		}
		version := h.stored(t, i.ID).Version
		if must[notify.Asked](t)(h.Answer(t.Context(), works, "")); h.stored(t, i.ID).Version != version {
			t.Error("the same answer twice changed the incident twice")
		}
		rate := must[notify.Block](t)(h.RatingLinks(t.Context(), a))
		if len(rate.Links) != 3 {
			t.Fatalf("%+v", rate)
		}
		_, poor, _ := strings.Cut(rate.Links[2].Href, notify.AnswerPath)
		if a := must[notify.Asked](t)(h.Answer(t.Context(), poor, "Trop long")); a.Rated != incident.Unsatisfied || h.stored(t, i.ID).Rating != incident.Unsatisfied {
			t.Errorf("%+v", a)
		}
		// They change their mind after the time of an undo is gone.
		must[incident.Incident](t)(h.incidents.Act(t.Context(), h.technician, incident.Change{Incident: i.ID, Action: incident.Comment, Comment: "noté", Internal: true}))
		a = must[notify.Asked](t)(h.Answer(t.Context(), fails, "Encore noir"))
		if now := h.stored(t, i.ID); a.Given != notify.Fails || !now.State.Open() {
			t.Fatalf("%+v, the incident is %s", a, now.State)
		}
		story := must[[]incident.Entry](t)(h.incidents.Story(t.Context(), system, i.ID))
		if last := story[len(story)-1]; last.Actor.Kind != "person" || last.Actor.ID != h.colleague.Person || last.Comment != "Encore noir" {
			t.Errorf("the reopening is signed %+v and says %q", last.Actor, last.Comment)
		}
		// A new resolution has its own question; the old links are over.
		h.resolve(t, i.ID)
		h.work(t)
		if a := must[notify.Asked](t)(h.Question(t.Context(), works)); a.Over != "reopened" {
			t.Errorf("an old link: %+v", a)
		}
		if _, err := h.Answer(t.Context(), works, ""); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("an old link was answered: %v", err)
		}
		if fresh := links(t, h.last(t, notify.KindResolved)); fresh[0] == works {
			t.Error("the new message has the old link")
		}
		for _, token := range []string{"", "x", works + "x", "A" + works[1:]} {
			if _, err := h.Question(t.Context(), token); fault.CodeOf(err) != fault.NotFound {
				t.Errorf("%q: %v", token, err)
			}
		}
	})
}
