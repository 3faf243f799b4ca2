package similar

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

// house is a département with two schools and the default catalogue.
type house struct {
	*Service
	j          *journal.Journal
	places     *directory.Service
	words      *catalog.Service
	incidents  *incident.Service
	schools    []int64
	rooms      []int64 // of the first school
	staff      []int64
	categories []int64
	codes      []int64
	causes     []int64
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx := context.Background()
	j := journal.New(db)
	h := &house{j: j, places: directory.New(db, j), words: catalog.New(db, j)}
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	schools, err := h.places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}, {UAI: "0450002B", Name: "Collège B"}})
	must(err)
	h.schools = []int64{schools["0450001A"], schools["0450002B"]}
	rooms, err := h.places.EnsureRooms(ctx, system, []directory.Room{{School: h.schools[0], Name: "Salle 1"}, {School: h.schools[0], Name: "Salle 2"}})
	must(err)
	for _, name := range []string{"Salle 1", "Salle 2"} {
		h.rooms = append(h.rooms, rooms[directory.RoomKey{School: h.schools[0], Name: name}])
	}
	people, err := h.places.EnsurePeople(ctx, system, []directory.Person{{Name: "Une", Kind: directory.Staff, External: "t1"}, {Name: "Deux", Kind: directory.Staff, External: "t2"}, {Name: "Trois", Kind: directory.Staff, External: "t3"}})
	must(err)
	h.staff = []int64{people["t1"], people["t2"], people["t3"]}
	must(h.words.Seed(ctx, system))
	index, err := h.words.Index(ctx, 1)
	must(err)
	for _, path := range [][]string{{"Impression et copieur", "Bourrage papier"}, {"Impression et copieur", "N'imprime pas"}, {"Réseau et Wi-Fi"}} {
		c, ok := index.CategoryByPath(path...)
		if !ok {
			tb.Fatal(path)
		}
		h.categories = append(h.categories, c.ID)
	}
	for _, c := range index.Codes(catalog.Resolution) {
		h.codes = append(h.codes, c.ID)
	}
	for _, c := range index.Codes(catalog.Cause) {
		h.causes = append(h.causes, c.ID)
	}
	h.incidents = incident.NewService(db, j, h.places, h.words, time.UTC)
	h.Service = New(db, j, h.places, h.words)
	return h
}

func (h *house) fresh(tb testing.TB) {
	tb.Helper()
	ctx := context.Background()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if err := h.CatchUp(ctx, 1); err != nil {
			tb.Fatal(err)
		}
		var last journal.Pos
		if err := h.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			last, err = journal.Last(ctx, tx, 1)
			return err
		}); err != nil {
			tb.Fatal(err)
		}
		if t := h.tenant(1); t.pos.Compare(last) >= 0 {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatal("not up to date after a minute")
		}
	}
}

// digest writes what a memory knows, whatever the order in which it learned it.
func (m *memory) digest() map[string]string {
	stems := make([]string, m.words.size())
	for s, t := range m.words.stem {
		stems[t] = s
	}
	labels := make([]string, len(m.label)+1)
	for l, n := range m.label {
		labels[n] = l
	}
	say := func(s span) string {
		var words []string
		for _, c := range m.terms(s) {
			words = append(words, fmt.Sprint(stems[c.term], "×", c.times))
		}
		slices.Sort(words)
		return strings.Join(words, " ")
	}
	d := map[string]string{"solved": fmt.Sprint(m.solved, m.length, m.model.learned)}
	for id, at := range m.at {
		r := m.records[at]
		if r.id != id {
			d[fmt.Sprint("lost ", id)] = "!"
		}
		text := fmt.Sprint(r.opened, r.resolved, r.school, r.room, r.declarant, r.assignee, r.category, r.code, r.cause, labels[r.machine], r.length, r.priority, r.state, say(r.text), say(r.solution))
		for _, a := range r.attempts {
			text += fmt.Sprint("; ", a.code, a.cause, a.assignee, say(a.solution))
		}
		d[fmt.Sprint("incident ", id)] = text
	}
	for t, list := range m.postings {
		var at []string
		for _, p := range list {
			if r := m.records[p>>5]; r.id != 0 && r.state == isSolved {
				at = append(at, fmt.Sprint(r.id, "×", p&31))
			}
		}
		slices.Sort(at)
		if len(at) != int(m.df[t]) {
			d["frequency of "+stems[t]] = fmt.Sprint(len(at), " but ", m.df[t])
		}
		if len(at) > 0 {
			d["posting "+stems[t]] = strings.Join(at, " ")
		}
	}
	for t, list := range m.things {
		var at []string
		for _, s := range list {
			at = append(at, fmt.Sprint(m.records[s].id))
		}
		slices.Sort(at)
		name := fmt.Sprint("room ", t.id)
		if !t.room {
			name = "machine " + labels[t.id]
		}
		d[fmt.Sprint(t.school, " ", name)] = strings.Join(at, " ")
	}
	for from, b := range m.model.branching {
		for t, cells := range b.bayes.cells {
			for _, c := range cells {
				d[fmt.Sprint(from, "→", b.child[c.class], " ", stems[t])] = fmt.Sprint(c.times)
			}
		}
	}
	return d
}

// What is learned event by event is what is learned at once from the tables.
func TestIncrementalEqualsRebuilt(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		lexicon := strings.Fields("imprimante copieur bourrage papier réseau câble écran noir toner élève salle panne")
		var ids []int64
		rapid.Check(t, func(rt *rapid.T) {
			phrase := func(name string) string {
				return strings.Join(rapid.SliceOfN(rapid.SampledFrom(lexicon), 1, 6).Draw(rt, name), " ")
			}
			for range rapid.IntRange(1, 4).Draw(rt, "declared") {
				i, err := h.incidents.Declare(ctx, system, incident.Declaration{
					Title: phrase("title"), Description: phrase("description"), School: h.schools[0], Room: rapid.SampledFrom([]int64{0, h.rooms[0], h.rooms[1]}).Draw(rt, "room"),
					Machine: rapid.SampledFrom([]string{"", "PC-1", "PC-2"}).Draw(rt, "machine"), Category: rapid.SampledFrom(append([]int64{0}, h.categories...)).Draw(rt, "category"),
				})
				if err != nil {
					rt.Fatal(err)
				}
				ids = append(ids, i.ID)
			}
			for range rapid.IntRange(1, 8).Draw(rt, "actions") {
				c := incident.Change{Incident: rapid.SampledFrom(ids).Draw(rt, "incident"), Action: rapid.SampledFrom([]incident.Action{
					incident.Resolve, incident.Resolve, incident.Close, incident.Reopen, incident.Edit, incident.Cancel, incident.Assign, incident.Comment,
				}).Draw(rt, "action")}
				switch c.Action {
				case incident.Resolve:
					c.Set.ResolutionCode, c.Set.CauseCode, c.Set.Resolution = &h.codes[rapid.IntRange(0, 3).Draw(rt, "code")], &h.causes[0], new(phrase("resolution"))
				case incident.Assign:
					c.Set.Assignee = &h.staff[rapid.IntRange(0, 2).Draw(rt, "who")]
				case incident.Edit:
					c.Set.Category = &h.categories[rapid.IntRange(0, 2).Draw(rt, "to")]
					if rapid.Bool().Draw(rt, "words") {
						c.Set.Title = new(phrase("title"))
					}
					if rapid.Bool().Draw(rt, "moved") {
						c.Set.Machine = new(rapid.SampledFrom([]string{"", "PC-1", "PC-3"}).Draw(rt, "machine"))
					}
				case incident.Reopen, incident.Cancel, incident.Comment:
					c.Comment = "parce que"
				default:
				}
				i, err := h.incidents.Act(ctx, system, c)
				if err == nil && rapid.IntRange(0, 3).Draw(rt, "undo") == 0 {
					_, _ = h.incidents.Undo(ctx, system, i.ID, i.Version) // what cannot be taken back stays
				}
			}
			h.fresh(t)
			again := New(db, h.j, h.places, h.words)
			if err := again.Load(ctx, 1); err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(again.tenant(1).m.digest(), h.tenant(1).m.digest()); diff != "" {
				rt.Fatalf("-at once +event by event:\n%s", diff)
			}
		})
		if m := h.tenant(1).m; m.solved == 0 || len(m.things) == 0 {
			t.Error("nothing was learned: the test proves nothing")
		}
	})
}

func TestLimitForgetsTheOldest(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	h.limit = 20
	for k := range 30 {
		if _, err := h.incidents.Declare(context.Background(), system, incident.Declaration{Title: fmt.Sprint("panne ", k), School: h.schools[0]}); err != nil {
			t.Fatal(err)
		}
		h.fresh(t)
	}
	m := h.tenant(1).m
	if len(m.at) > 22 || len(m.at) < 20 {
		t.Errorf("%d incidents are remembered, limit %d", len(m.at), h.limit)
	}
	if _, ok := m.at[30]; !ok {
		t.Error("the last one is forgotten")
	}
	if _, ok := m.at[1]; ok {
		t.Error("the first one is remembered")
	}
}

func FuzzPack(f *testing.F) {
	f.Add("imprimante imprimante copieur du CDI, salle 12")
	f.Fuzz(func(t *testing.T, text string) {
		v := newVocabulary()
		terms := read(v.learn, text)
		if diff := cmp.Diff(terms, unpack(pack(nil, terms)), cmp.AllowUnexported(count{})); diff != "" && len(terms) > 0 {
			t.Fatal(diff)
		}
	})
}
