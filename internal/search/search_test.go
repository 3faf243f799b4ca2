package search

import (
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

type house struct {
	*Service
	db        *sqldb.DB
	incidents *incident.Service
	school    int64
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	j := journal.New(db)
	places := directory.New(db, j)
	schools, err := places.EnsureSchools(context.Background(), system, []directory.School{{UAI: "0450001A", Name: "Collège A"}})
	if err != nil {
		tb.Fatal(err)
	}
	return &house{New(db, j, places), db, incident.NewService(db, j, places, catalog.New(db, j), time.UTC), schools["0450001A"]}
}

func (h *house) declare(tb testing.TB, title, description string) int64 {
	tb.Helper()
	i, err := h.incidents.Declare(context.Background(), system, incident.Declaration{Title: title, Description: description, School: h.school})
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

// fresh waits until the index has seen everything: on PostgreSQL a transaction
// of another test may hide the last events for a moment.
func (h *house) fresh(tb testing.TB) {
	tb.Helper()
	ctx := context.Background()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err := h.Fresh(ctx, 1); err != nil {
			tb.Fatal(err)
		}
		var behind int
		err := h.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, `SELECT count(*) FROM event e LEFT JOIN reader_cursor c ON c.tenant_id = e.tenant_id AND c.reader = $1
				WHERE c.reader IS NULL OR (e.xact, e.seq) > (c.xact, c.seq)`, Reader).Scan(&behind)
		})
		if err != nil {
			tb.Fatal(err)
		}
		if behind == 0 {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%d events not indexed after a minute", behind)
		}
	}
}

func (h *house) match(tb testing.TB, text string) []int64 {
	tb.Helper()
	ids, err := h.Match(context.Background(), 1, text)
	if err != nil {
		tb.Fatalf("%q: %v", text, err)
	}
	return ids
}

func TestMatch(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		projector := h.declare(t, "Vidéoprojecteur noir", "L'écran reste noir depuis ce matin, qu'il soit branché ou non.")
		printer := h.declare(t, "Imprimante du CDI", "Les élèves n'impriment plus ; l’écran affiche « erreur 12 ».")
		network := h.declare(t, "Réseau coupé", "Œuvre du câble ?")
		h.act(t, incident.Change{Incident: printer, Action: incident.Comment, Comment: "Toner commandé"})
		h.act(t, incident.Change{Incident: printer, Action: incident.Comment, Comment: "confidentiel", Internal: true})
		h.act(t, incident.Change{Incident: network, Action: incident.Edit, Set: incident.Patch{Machine: new("KPC-ADMIN-01"), Title: new("Wi-Fi coupé")}})
		h.fresh(t)
		for text, want := range map[string][]int64{
			"noir":                     {projector},
			"VIDEOPROJECTEURS":         {projector},
			"vidéoproj":                {projector},
			"ecran":                    {projector, printer},
			"l'écran":                  {projector, printer},
			"écran noir":               {projector},
			"noir écran":               {projector},
			"imprime":                  {printer},
			"impression":               nil, // another stem
			"oeuvre":                   {network},
			"œuvres":                   {network},
			"toner command":            {printer},
			"confidentiel":             nil,
			"réseau":                   nil, // the title has changed
			"wifi":                     nil, // wi-fi is two words
			"wi-fi":                    {network},
			"kpc admin":                {network},
			"kpc-admin-01":             {network},
			"#" + fmt.Sprint(printer):  {printer},
			`"reste noir depuis"`:      {projector},
			`"noir reste"`:             nil,
			`"vidéoprojecteur noir l"`: {projector}, // one letter counts for nothing, and a phrase stays in its text:
			`"noir ecran"`:             nil,
			`«écran reste» brancher`:   {projector},
			`"ecran reste`:             {projector},
			"":                         nil,
			"à l'":                     nil,
			"'; DROP TABLE --":         nil,
			`stems : "noir" OR a*`:     nil,
			"noir & !écran":            {projector},
			"erreur 12":                {printer},
			"erreur 1":                 {printer}, // unfinished
			"12 erreurs":               {printer},
		} {
			if diff := cmp.Diff(want, h.match(t, text)); diff != "" {
				t.Errorf("%q:\n%s", text, diff)
			}
		}
		if ids, err := h.Match(context.Background(), 2, "noir"); err != nil || ids != nil {
			t.Errorf("another département finds %v, %v", ids, err)
		}
		for _, text := range []string{strings.Repeat("é", MaxQuery+1), strings.Repeat("ab ", MaxTerms+1)} {
			if _, err := h.Match(context.Background(), 1, text); !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", text, err)
			}
		}
		if err := h.Remake(context.Background(), 1); err != nil {
			t.Fatal(err)
		}
		if ids := h.match(t, "noir"); ids != nil {
			t.Errorf("an emptied index finds %v", ids)
		}
		h.fresh(t)
		if diff := cmp.Diff([]int64{projector}, h.match(t, "noir")); diff != "" {
			t.Errorf("made anew:\n%s", diff)
		}
	})
}

// naive answers a question by reading a document from end to end.
func naive(d text, q question) bool {
	has := func(ok func(word) bool) bool { return slices.ContainsFunc(d, ok) }
	for _, w := range q.words {
		if !has(func(x word) bool { return x.stem == w.stem }) {
			return false
		}
	}
	for _, p := range q.phrases {
		found := false
		for at := 0; at+len(p) <= len(d) && !found; at++ {
			found = true
			for k := range p {
				found = found && d[at+k].folded == p[k]
			}
		}
		if !found {
			return false
		}
	}
	return q.last == word{} || has(func(x word) bool {
		return x.stem == q.last.stem || x.folded != "" && strings.HasPrefix(x.folded, q.last.folded)
	})
}

var lexicon = strings.Fields(`écran ecran écrans noir noire noirs imprimante imprimantes imprimer imprime imprimé réseau réseaux reseau
	l'écran l'imprimante d'alimentation qu'il jusqu'au aujourd'hui Œuvre oeuvre cœur naïf NAÏVE façade été à y a ça 12 1 123 PC-12 KPC-ADMIN-01
	s'éteint éteint éteinte coupé coupure coupures câble câbles élève élèves très ; « » ! — 10.0.0.1 Δέλτα Привет ｆｕｌｌ ﬁche straße İstanbul 3ᵉ`)

// Both engines and the naive reader give the same answer to any question about
// any texts.
func TestEnginesAnswerTheSame(t *testing.T) {
	t.Parallel()
	houses := []*house{build(t, testkit.SQLite(t)), build(t, testkit.PostgreSQL(t))}
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(n int) string {
		var s []string
		for range n {
			s = append(s, lexicon[random.IntN(len(lexicon))])
		}
		return strings.Join(s, " ")
	}
	var documents []text
	for range 150 {
		title, description, said := "x "+draw(3), draw(random.IntN(10)), draw(1+random.IntN(4))
		text := incident.Text{Title: title, Description: strings.TrimSpace(description)}
		for _, h := range houses {
			text.ID = h.declare(t, title, description)
			if c := strings.TrimSpace(said); len(documents)%3 == 0 && c != "" {
				text.Comments = []string{c}
				h.act(t, incident.Change{Incident: text.ID, Action: incident.Comment, Comment: c})
			}
		}
		documents = append(documents, read(&text, "Collège A").open)
	}
	for _, h := range houses {
		h.fresh(t)
	}
	found := 0
	rapid.Check(t, func(rt *rapid.T) {
		parts := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) string {
			w := []rune(rapid.SampledFrom(lexicon).Draw(rt, "word"))
			return string(w[:rapid.IntRange(1, len(w)).Draw(rt, "cut")])
		}), 1, 4).Draw(rt, "words")
		text := strings.Join(parts, " ")
		switch rapid.IntRange(0, 3).Draw(rt, "quotes") {
		case 1:
			text = `"` + text + `"`
		case 2:
			text = `"` + parts[0] + `" ` + text
		case 3:
			text += " " + rapid.StringN(0, 5, -1).Draw(rt, "anything")
		}
		q, err := parse(text)
		if err != nil {
			rt.Skip("too long")
		}
		var want []int64
		for k, d := range documents {
			if !q.empty() && naive(d, q) {
				want = append(want, int64(k+1))
			}
		}
		found += len(want)
		for _, h := range houses {
			if diff := cmp.Diff(want, h.match(t, text)); diff != "" {
				rt.Fatalf("%q on %s (-naive +engine):\n%s", text, h.db.Dialect(), diff)
			}
		}
	})
	if found == 0 {
		t.Error("no question found anything: the test proves nothing")
	}
}

// The limits of PostgreSQL's positions are ours on both engines.
func TestLongTextsAnswerTheSame(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		repeated := h.declare(t, "répété", strings.Repeat("panne ", 2000)+"unique finale")
		long := h.declare(t, "longue", numbered(7000)+" lointain")
		beyond := h.declare(t, "dépassée", numbered(9000)+" invisible")
		glued := h.declare(t, "collée", strings.Repeat("abcdefgh", 1000))
		h.fresh(t)
		for text, want := range map[string][]int64{
			`"unique finale"`:              {repeated},
			`"panne panne"`:                {repeated},
			`"panne unique"`:               nil, // past maxRepeat the word is not kept
			`"w6999 lointain"`:             {long},
			"invisible":                    nil,
			"dépassée":                     {beyond},
			strings.Repeat("abcdefgh", 20): {glued},
		} {
			if diff := cmp.Diff(want, h.match(t, text)); diff != "" {
				t.Errorf("%.30q:\n%s", text, diff)
			}
		}
	})
}

func numbered(n int) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, "w%d ", k)
	}
	return b.String()
}

// The stemmer is the published one: every word of the French vocabulary of
// Snowball has the stem that comes with it.
func TestStemmerIsSnowballs(t *testing.T) {
	t.Parallel()
	f, err := os.Open(testkit.Shared(t, "oracles/28-french-snowball/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for _, row := range rows[1:] {
		if got := snowball(row[0]); got != row[1] {
			wrong++
			t.Logf("%s: %s, want %s", row[0], got, row[1])
		}
	}
	if wrong > 0 || len(rows) < 20_000 {
		t.Errorf("%d of %d stems differ", wrong, len(rows)-1)
	}
}

func FuzzWords(f *testing.F) {
	for _, w := range lexicon {
		f.Add(w)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range words(text) {
			for _, s := range []string{w.folded, w.stem} {
				if s == "" || len(s) > maxWord || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
					t.Fatalf("%q gives %q", text, s)
				}
			}
		}
	})
}

func BenchmarkIndex(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *sqldb.DB{"SQLite": testkit.SQLite, "PostgreSQL": testkit.PostgreSQL} {
		for _, n := range []int{2_500, 25_000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					h := build(b, open(b))
					h.fill(b, n)
					b.StartTimer()
					h.fresh(b)
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "incidents/s")
			})
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *sqldb.DB{"SQLite": testkit.SQLite, "PostgreSQL": testkit.PostgreSQL} {
		h := build(b, open(b))
		h.fill(b, 25_000)
		h.fresh(b)
		for _, text := range []string{"imprimante", "ecran noi", `"reste noir"`, "symptome 39"} {
			b.Run(name+"/"+text, func(b *testing.B) {
				var n int
				for b.Loop() {
					n = len(h.match(b, text))
				}
				b.ReportMetric(float64(n), "found")
			})
		}
	}
}

// fill imports incidents with the texts and rows of an ordinary life.
func (h *house) fill(tb testing.TB, n int) {
	tb.Helper()
	at := time.Date(2025, 9, 1, 8, 0, 0, 0, time.UTC)
	titles := []string{"Imprimante hors service", "Vidéoprojecteur noir", "Ordinateur lent au démarrage", "Pas de réseau en salle", "Session qui ne s'ouvre pas"}
	for first := 0; first < n; first += 500 {
		var all []incident.History
		for k := first; k < min(first+500, n); k++ {
			told := incident.History{Source: "x", ExternalID: fmt.Sprint("INC", k), Steps: []incident.Step{{At: at, Set: incident.Patch{
				School: &h.school, Title: new(titles[k%5] + " " + fmt.Sprint(k%60)),
				Description: new(fmt.Sprintf("L'écran reste noir depuis ce matin, symptôme %d, les élèves n'ont pas pu travailler pendant l'heure de technologie du groupe %d.", k%398, k%17)),
			}}}}
			for s, state := range []incident.State{incident.Assigned, incident.Waiting, incident.Assigned, incident.Resolved, incident.Closed} {
				told.Steps = append(told.Steps, incident.Step{At: at.Add(time.Duration(s+1) * time.Hour), Set: incident.Patch{State: &state}})
			}
			told.Steps[4].Set.Resolution = new("Câble remplacé, redémarrage, vérifié avec l'enseignant.")
			all = append(all, told)
			at = at.Add(11 * time.Minute)
		}
		if _, err := h.incidents.ImportHistories(context.Background(), system, all); err != nil {
			tb.Fatal(err)
		}
	}
}
