package find_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/find"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/knowledge"
	"statincidents/internal/problem"
	"statincidents/internal/search"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

// house is two schools with their rooms and people.
type house struct {
	*find.Service

	words     *search.Service
	places    *directory.Service
	incidents *incident.Service
	problems  *problem.Service
	articles  *knowledge.Service

	moulin, rostand             directory.School
	cdi                         directory.Room
	teacher, neighbour, dupont  directory.Person
	lead, referent, own, beside auth.Identity
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx, j := context.Background(), journal.New(db)
	h := &house{places: directory.New(db, j)}
	words := catalog.New(db, j)
	h.words = search.New(db, j, h.places)
	h.incidents = incident.NewService(db, j, h.places, words, time.UTC)
	h.problems = problem.New(db, j, h.places, words, h.incidents)
	h.articles = knowledge.New(db, j, words)
	h.Service = find.New(h.words, h.incidents, h.places, h.problems, h.articles)
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	var err error
	h.moulin, err = h.places.SaveSchool(ctx, system, directory.School{UAI: "0450937Z", Name: "Collège Jean Moulin", Commune: "Artenay"})
	must(err)
	h.rostand, err = h.places.SaveSchool(ctx, system, directory.School{UAI: "0450003J", Name: "Collège Jean Rostand", Commune: "Orléans"})
	must(err)
	h.cdi, err = h.places.SaveRoom(ctx, system, directory.Room{School: h.moulin.ID, Name: "CDI"})
	must(err)
	_, err = h.places.SaveRoom(ctx, system, directory.Room{School: h.rostand.ID, Name: "CDI"})
	must(err)
	h.teacher, err = h.places.SavePerson(ctx, system, directory.Person{Name: "Odile Garçon", Kind: directory.Teacher, School: h.moulin.ID})
	must(err)
	h.neighbour, err = h.places.SavePerson(ctx, system, directory.Person{Name: "Paul Voisin", Kind: directory.Teacher, School: h.rostand.ID})
	must(err)
	h.dupont, err = h.places.SavePerson(ctx, system, directory.Person{Name: "Anne Dupont", Kind: directory.Staff})
	must(err)
	h.lead = auth.Identity{Tenant: 1, Account: 1, Role: auth.Lead}
	h.referent = auth.Identity{Tenant: 1, Account: 2, Role: auth.Referent, Schools: []int64{h.moulin.ID}}
	h.own = auth.Identity{Tenant: 1, Account: 3, Role: auth.Declarant, Person: h.teacher.ID, Schools: []int64{h.moulin.ID}}
	h.beside = auth.Identity{Tenant: 1, Account: 4, Role: auth.Referent, Schools: []int64{h.rostand.ID}}
	return h
}

func (h *house) declare(tb testing.TB, d incident.Declaration) int64 {
	tb.Helper()
	i, err := h.incidents.Declare(context.Background(), system, d)
	if err != nil {
		tb.Fatal(err)
	}
	return i.ID
}

func (h *house) act(tb testing.TB, c incident.Change) {
	tb.Helper()
	if _, err := h.incidents.Act(context.Background(), system, c); err != nil {
		tb.Fatal(err)
	}
}

// fresh waits for the index: on PostgreSQL the transaction of another test may
// hide the last events for a moment.
func (h *house) fresh(tb testing.TB, want int64, text string) {
	tb.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err := h.words.Fresh(context.Background(), 1); err != nil {
			tb.Fatal(err)
		}
		ids, err := h.words.Newest(context.Background(), search.Ask{Text: text, Scope: system.Scope(), Inner: true, Limit: 1000})
		if err != nil {
			tb.Fatal(err)
		}
		if slices.Contains(ids, want) {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%q does not find %d after a minute", text, want)
		}
	}
}

// said writes an answer in a line: kind:number or title, excerpts in braces.
func said(a find.Answer) string {
	var groups []string
	for _, g := range a.Groups {
		var hits []string
		for _, h := range g.Hits {
			s := fmt.Sprint(h.ID)
			if h.ID == 0 {
				s = search.Plain(h.Title)
			}
			if h.Exact {
				s += "!"
			}
			if len(h.Snippet) > 0 {
				s += "{" + string(h.In) + " " + marked(h.Snippet) + "}"
			}
			hits = append(hits, s)
		}
		if g.Next != "" {
			hits = append(hits, "…")
		}
		groups = append(groups, string(g.Kind)+":"+strings.Join(hits, ","))
	}
	return strings.Join(groups, " ")
}

func marked(pieces []search.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Mark {
			b.WriteString("[" + p.Text + "]")
			continue
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

func (h *house) ask(tb testing.TB, by auth.Identity, q find.Question) string {
	tb.Helper()
	if q.Most == 0 {
		q.Most = 10
	}
	a, err := h.Ask(context.Background(), by, q)
	if err != nil {
		tb.Fatalf("%+v: %v", q, err)
	}
	return said(a)
}

func TestAsk(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := build(t, db), context.Background()
		projector := h.declare(t, incident.Declaration{Title: "Vidéoprojecteur noir", Description: "L'écran <b>reste</b> noir.", School: h.moulin.ID, Room: h.cdi.ID, Machine: "KPC-ADMIN-01", Declarant: h.teacher.ID})
		printer := h.declare(t, incident.Declaration{Title: "Imprimante du CDI", Description: "Plus de toner noir", School: h.rostand.ID, Machine: "KPC-12", Declarant: h.neighbour.ID})
		network := h.declare(t, incident.Declaration{Title: "Réseau coupé", School: h.moulin.ID, Declarant: h.neighbour.ID})
		h.act(t, incident.Change{Incident: network, Action: incident.Comment, Comment: "Le câble orange est débranché"})
		h.act(t, incident.Change{Incident: network, Action: incident.Comment, Comment: "Le digicode est confidentiel", Internal: true})
		if _, err := h.problems.Open(ctx, system, problem.Content{Title: "Toners qui fuient", Cause: "Un lot de toner noir", State: problem.Known, Workaround: "Secouer"}); err != nil {
			t.Fatal(err)
		}
		for _, a := range []knowledge.Article{
			{Title: "Changer le toner", Body: "Ouvrez **le capot**.", Audience: knowledge.Everyone, State: knowledge.Published},
			{Title: "Digicodes du toner", Body: "Secret.", Audience: knowledge.Technicians, State: knowledge.Published},
		} {
			if _, err := h.articles.Save(ctx, system, a); err != nil {
				t.Fatal(err)
			}
		}
		h.fresh(t, network, "confidentiel")
		p, q, n := fmt.Sprint(projector), fmt.Sprint(printer), fmt.Sprint(network)
		for _, c := range []struct {
			by   auth.Identity
			q    find.Question
			want string
		}{
			{h.lead, find.Question{Text: "noir"}, "incident:" + p + "{description L'écran <b>reste</b> [noir].}," + q + "{description Plus de toner [noir]} problem:1{cause Un lot de toner [noir]}"},
			{h.referent, find.Question{Text: "noir"}, "incident:" + p + "{description L'écran <b>reste</b> [noir].}"},
			{h.beside, find.Question{Text: "noir"}, "incident:" + q + "{description Plus de toner [noir]}"},
			{h.own, find.Question{Text: "noir"}, "incident:" + p + "{description L'écran <b>reste</b> [noir].}"},
			{h.lead, find.Question{Text: "#" + q}, "incident:" + q + "!"},
			{h.referent, find.Question{Text: q}, ""},
			{h.own, find.Question{Text: n}, ""},
			{h.referent, find.Question{Text: n}, "incident:" + n + "!"},
			{h.lead, find.Question{Text: "moulin vidéoproj"}, "incident:" + p},
			{h.lead, find.Question{Text: "jean moul"}, "school:1 incident:" + n + "," + p},
			{h.beside, find.Question{Text: "jean moul"}, ""},
			{h.own, find.Question{Text: "jean moul"}, "incident:" + p},
			{h.lead, find.Question{Text: "rostand cdi"}, "room:2 incident:" + q},
			{h.referent, find.Question{Text: "cdi"}, "room:1 incident:" + p},
			{h.lead, find.Question{Text: "kpc"}, "machine:KPC-12,KPC-ADMIN-01 incident:" + q + "{machine [KPC]-12}," + p + "{machine [KPC]-ADMIN-01}"},
			{h.referent, find.Question{Text: "kpc", Kinds: []find.Kind{find.Machine}}, "machine:KPC-ADMIN-01"},
			{h.lead, find.Question{Text: "admin01", Kinds: []find.Kind{find.Machine}}, "machine:KPC-ADMIN-01"},
			{h.own, find.Question{Text: "kpc"}, "incident:" + p + "{machine [KPC]-ADMIN-01}"},
			{h.lead, find.Question{Text: "garcon"}, "person:" + fmt.Sprint(h.teacher.ID)},
			{h.referent, find.Question{Text: "garcon"}, ""},
			{h.lead, find.Question{Text: "digicode"}, "incident:" + n + "{comment Le [digicode] est confidentiel} article:2"},
			{h.referent, find.Question{Text: "digicode"}, ""},
			{h.referent, find.Question{Text: "orange"}, "incident:" + n + "{comment Le câble [orange] est débranché}"},
			{h.own, find.Question{Text: "toner"}, "article:1"},
			{h.lead, find.Question{Text: "p1", Kinds: []find.Kind{find.Problem}}, "problem:1!"},
			{h.lead, find.Question{Text: "noir", School: h.rostand.ID}, "incident:" + q + "{description Plus de toner [noir]}"},
			{h.referent, find.Question{Text: "noir", School: h.rostand.ID}, ""},
			{h.lead, find.Question{Text: "noir", States: []incident.State{incident.Closed}, Kinds: []find.Kind{find.Incident}}, ""},
			{h.lead, find.Question{Text: "noir", From: time.Now().Add(time.Hour), Kinds: []find.Kind{find.Incident}}, ""},
			{h.lead, find.Question{Text: "   "}, ""},
			{h.lead, find.Question{Text: "à l'"}, ""},
			{auth.Identity{Tenant: 2, Role: auth.Lead}, find.Question{Text: "noir"}, ""},
		} {
			if diff := cmp.Diff(c.want, h.ask(t, c.by, c.q)); diff != "" {
				t.Errorf("%s asks %q in %d:\n%s", c.by.Role, c.q.Text, c.q.School, diff)
			}
		}
		if _, err := h.Ask(ctx, h.lead, find.Question{Text: strings.Repeat("é", search.MaxQuery+1)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a long text: %v", err)
		}
		if _, err := h.Ask(ctx, h.lead, find.Question{Text: "noir", After: "x"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a place of nobody's: %v", err)
		}

		// A school that is renamed, an incident that moves to another, a label that
		// is corrected.
		h.moulin.Name = "Collège Simone Veil"
		if _, err := h.places.SaveSchool(ctx, system, h.moulin); err != nil {
			t.Fatal(err)
		}
		h.fresh(t, projector, "veil")
		if got := h.ask(t, h.lead, find.Question{Text: "moulin"}); got != "" {
			t.Errorf("the former name finds %s", got)
		}
		h.act(t, incident.Change{Incident: printer, Action: incident.Edit, Set: incident.Patch{School: &h.moulin.ID, Machine: new("KPC-77")}})
		h.fresh(t, printer, "kpc-77")
		if got := h.ask(t, h.beside, find.Question{Text: "toner", Kinds: []find.Kind{find.Incident}}); got != "" {
			t.Errorf("the former school finds %s", got)
		}
		if got := h.ask(t, h.referent, find.Question{Text: "toner", Kinds: []find.Kind{find.Incident}}); got == "" {
			t.Error("the new school finds nothing")
		}
		if got := h.ask(t, h.lead, find.Question{Text: "kpc", Kinds: []find.Kind{find.Machine}}); got != "machine:KPC-77,KPC-ADMIN-01" {
			t.Errorf("machines: %s", got)
		}
	})
}

// Both engines give the same answers, page after page, to whoever asks, about
// the same incidents: all of them, once each, and none of another school's.
func TestEnginesAnswerTheSame(t *testing.T) {
	t.Parallel()
	houses := []*house{build(t, testkit.SQLite(t)), build(t, testkit.PostgreSQL(t))}
	lexicon := strings.Fields("écran noir imprimante réseau salle câble élève toner panne allume marche souris clavier batterie KPC-12 KPC-77 12 1204")
	random := rand.New(rand.NewPCG(3, 4))
	var all []incident.History
	at := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	for k := range 700 {
		draw := func(n int) string {
			var s []string
			for range n {
				s = append(s, lexicon[random.IntN(min(len(lexicon), 2+random.IntN(20)))])
			}
			return strings.Join(s, " ")
		}
		school := []int64{houses[0].moulin.ID, houses[0].rostand.ID}[random.IntN(2)]
		declarant := []int64{houses[0].teacher.ID, houses[0].neighbour.ID}[random.IntN(2)]
		title, description := "x "+draw(3), draw(random.IntN(8))
		told := incident.History{Source: "x", ExternalID: fmt.Sprint("INC", k), Steps: []incident.Step{{At: at, Set: incident.Patch{School: &school, Declarant: &declarant, Title: &title, Description: &description}}}}
		if random.IntN(3) == 0 {
			state := incident.Closed
			told.Steps = append(told.Steps, incident.Step{At: at.Add(time.Hour), Set: incident.Patch{State: &state, Resolution: new(draw(2))}})
		}
		all = append(all, told)
		at = at.Add(time.Minute)
	}
	for _, h := range houses {
		if _, err := h.incidents.ImportHistories(t.Context(), system, all); err != nil {
			t.Fatal(err)
		}
		h.fresh(t, 700, "INC699")
	}
	people := []auth.Identity{houses[0].lead, houses[0].referent, houses[0].beside, houses[0].own}
	pages, found := 0, 0
	for range 60 {
		q := find.Question{Text: lexicon[random.IntN(len(lexicon))], Kinds: []find.Kind{find.Incident}, Most: 1 + random.IntN(40)}
		if random.IntN(2) == 0 {
			q.Text += " " + lexicon[random.IntN(len(lexicon))]
		}
		runes := []rune(q.Text)
		q.Text = string(runes[:max(1, len(runes)-random.IntN(3))])
		if random.IntN(3) == 0 {
			q.States = []incident.State{incident.Closed}
		}
		by := people[random.IntN(len(people))]
		seen := map[int64]bool{}
		for page := 0; ; page++ {
			var answers []find.Answer
			for _, h := range houses {
				a, err := h.Ask(t.Context(), by, q)
				if err != nil {
					t.Fatal(err)
				}
				answers = append(answers, a)
			}
			if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
				t.Fatalf("%s asks %+v (-SQLite +PostgreSQL):\n%s", by.Role, q, diff)
			}
			pages++
			if len(answers[0].Groups) == 0 {
				break
			}
			g := answers[0].Groups[0]
			for _, hit := range g.Hits {
				found++
				if seen[hit.ID] {
					t.Fatalf("%s asks %+v: %d twice", by.Role, q, hit.ID)
				}
				seen[hit.ID] = true
				if by.Role == auth.Referent && hit.School != by.Schools[0] {
					t.Fatalf("%s asks %q and sees school %d", by.Role, q.Text, hit.School)
				}
			}
			if q.After = g.Next; q.After == "" {
				break
			}
			if page > 1000 {
				t.Fatal("pages without end")
			}
		}
		want := 0
		ids, err := houses[0].words.Newest(t.Context(), search.Ask{Text: q.Text, Scope: by.Scope(), Inner: by.Can(auth.HandleIncident), Limit: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		some, err := houses[0].incidents.Many(t.Context(), by.Scope(), ids)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range some {
			if len(q.States) == 0 || i.State == incident.Closed {
				want++
			}
		}
		if len(seen) != want {
			t.Fatalf("%s asks %+v: %d of %d", by.Role, q, len(seen), want)
		}
	}
	if found < 500 || pages < 100 {
		t.Errorf("%d hits on %d pages prove little", found, pages)
	}
}
