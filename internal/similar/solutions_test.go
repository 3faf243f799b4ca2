package similar

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// BM25 as Lucene writes it, on thirty tickets and five queries.
func TestBM25IsTheReference(t *testing.T) {
	t.Parallel()
	var want struct {
		Queries []string    `json:"queries_normalised"`
		Scores  [][]float64 `json:"bm25_lucene_k1_1.2_b_0.75"`
	}
	reference(t, "oracles/25-text-similarity/expected.json", &want)
	m := newMemory()
	number := map[string]term{}
	for k, text := range normalised(t) {
		for w := range strings.FieldsSeq(text) {
			if _, ok := number[w]; !ok {
				number[w] = term(len(number))
				m.postings, m.df = append(m.postings, nil), append(m.df, 0)
			}
		}
		words := len(strings.Fields(text))
		m.records = append(m.records, record{id: int64(k + 1), state: isSolved, length: uint16(words)})
		m.solved, m.length = m.solved+1, m.length+uint64(words)
		for _, c := range counts(number, text) {
			m.df[c.term]++
			m.postings[c.term] = append(m.postings[c.term], uint32(k)<<5|uint32(c.times))
		}
	}
	for q, text := range want.Queries {
		scores, _ := m.bm25(counts(number, text))
		for k, got := range scores {
			if math.Abs(float64(got)-want.Scores[q][k]) > 1e-6 { // kept in 32 bits
				t.Errorf("%q, ticket %d: %v, want %v", text, k+1, got, want.Scores[q][k])
			}
		}
	}
}

// The bound is that of scipy's and gonum's Beta, and of its own definition.
func TestBoundIsTheReference(t *testing.T) {
	t.Parallel()
	var want struct {
		Posterior []struct {
			Q05 float64 `json:"q05"`
		} `json:"posterior_beta_prior_2_1"`
	}
	reference(t, "oracles/29-success-intervals/expected.json", &want)
	f, err := os.Open(testkit.Shared(t, "oracles/29-success-intervals/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows[1:] {
		k, _ := strconv.ParseFloat(row[0], 64)
		n, _ := strconv.ParseFloat(row[1], 64)
		if got := Bound(k, n); math.Abs(got-want.Posterior[i].Q05) > 1e-9 {
			t.Errorf("%v of %v: %v, want %v", k, n, got, want.Posterior[i].Q05)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 5000).Draw(rt, "n")
		k := rapid.IntRange(0, n).Draw(rt, "k")
		got := Bound(float64(k), float64(n))
		beta := distuv.Beta{Alpha: float64(k) + 2, Beta: float64(n-k) + 1}
		if math.Abs(beta.CDF(got)-0.05) > 1e-9 || math.Abs(beta.Quantile(0.05)-got) > 1e-9 {
			rt.Fatalf("%d of %d: %v, gonum %v", k, n, got, beta.Quantile(0.05))
		}
		if k < n && Bound(float64(k+1), float64(n)) <= got || Bound(float64(k), float64(n+1)) >= got {
			rt.Fatalf("%d of %d: one success more must raise it, one failure more lower it", k, n)
		}
	})
}

// bare is a directory of two schools, for memories without a database.
func bare(tb testing.TB) (*directory.Index, *catalog.Index) {
	tb.Helper()
	h := build(tb, testkit.SQLite(tb))
	if err := h.places.SeedCalendar(context.Background(), system); err != nil {
		tb.Fatal(err)
	}
	places, err := h.places.Index(context.Background(), 1)
	if err != nil {
		tb.Fatal(err)
	}
	index, err := h.words.Index(context.Background(), 1)
	if err != nil {
		tb.Fatal(err)
	}
	return places, index
}

var monday = time.Date(2025, 10, 6, 9, 0, 0, 0, time.UTC)

// fixed is a repair: what was reported, what was done, by whom, when.
func fixed(id int64, what, done string, code, cause, by int64, day int) incident.Incident {
	at := monday.AddDate(0, 0, day)
	return incident.Incident{ID: id, State: incident.Closed, Title: what, Resolution: done, ResolutionCode: code, CauseCode: cause, Assignee: by, School: 1, Room: 1,
		Machine: "M" + strconv.FormatInt(id, 10), Priority: 4, OpenedAt: at, ResolvedAt: at.Add(time.Hour), ClosedAt: at.Add(2 * time.Hour)}
}

func TestSolutionsAreCountedAsTheyHeld(t *testing.T) {
	t.Parallel()
	places, index := bare(t)
	copier, _ := index.CategoryByPath("Impression et copieur", "Bourrage papier")
	screen, _ := index.CategoryByPath("Ordinateur", "Écran")
	m := newMemory()
	m.seed(index)
	put := func(i incident.Incident, attempts ...incident.Attempt) {
		if i.Category == 0 {
			i.Category = copier.ID
		}
		m.put(&i, attempts)
	}
	for k := range int64(10) {
		put(fixed(k+1, "Bourrage papier sur le copieur", "Rouleaux nettoyés", 101, 201, 1+k%2, int(k)))
	}
	// The third machine failed again twelve days later, the fourth of another
	// kind of trouble, the fifth after the school year's twenty open days.
	again := fixed(50, "Bourrage de nouveau", "Rouleaux changés", 102, 201, 1, 14)
	again.Machine = "M3"
	put(again)
	other := fixed(51, "Écran rayé", "Écran changé", 103, 201, 1, 8)
	other.Machine, other.Category = "M4", screen.ID
	put(other)
	late := fixed(52, "Bourrage papier", "Rouleaux changés", 102, 201, 1, 100)
	late.Machine = "M5"
	put(late)
	// One was resolved in vain by a restart, then by cleaning.
	put(fixed(53, "Bourrage papier sur copieur", "Rouleaux nettoyés à fond", 101, 201, 2, 5), incident.Attempt{ResolutionCode: 104, CauseCode: 201, Resolution: "Redémarrage", Assignee: 2})
	// Too recent to be judged, and in the future.
	put(fixed(54, "Bourrage papier sur le copieur", "Rouleaux nettoyés", 101, 201, 1, 118))
	put(fixed(55, "Bourrage papier sur le copieur", "Rouleaux nettoyés", 101, 201, 1, 300))

	asked := incident.Incident{ID: 99, State: incident.New, Title: "Le copieur fait un bourrage papier", Category: copier.ID, School: 1, Priority: 4}
	got := m.suggest(&asked, auth.ScopeAll(1), places, seconds(monday.AddDate(0, 0, 120)), nil)
	if len(got.Solutions) != MaxSolutions {
		t.Fatalf("%+v", got)
	}
	best := got.Solutions[0]
	if best.Code != 101 || best.Uses != 11 || best.Held != 10 || best.Recent != 1 || best.OneTechnician || best.Minutes == 0 {
		t.Errorf("the best is %+v", best)
	}
	if want := Bound(10, 11); best.Least > want || best.Least < want-0.06 {
		t.Errorf("at least %v, raw bound %v", best.Least, want)
	}
	if !best.Last.Equal(monday.AddDate(0, 0, 118).Add(time.Hour)) {
		t.Errorf("last used %v", best.Last)
	}
	if i := slices.IndexFunc(got.Solutions, func(s Solution) bool { return s.Code == 104 }); i < 0 || got.Solutions[i].Uses != 1 || got.Solutions[i].Held != 0 {
		t.Errorf("the restart that did not hold: %+v", got.Solutions)
	}
	if slices.Contains(best.Incidents, 55) || slices.Contains(best.Incidents, 99) {
		t.Errorf("rests on %v", best.Incidents)
	}

	m.refuse(98, Saying{Code: 101, Cause: 201, Words: best.Key, Category: copier.ID}, true)
	refused := m.suggest(&asked, auth.ScopeAll(1), places, seconds(monday.AddDate(0, 0, 120)), []Verdict{{Code: 101, Cause: 201, Key: best.Key, Refused: true}})
	if slices.ContainsFunc(refused.Solutions, func(s Solution) bool { return s.Code == 101 }) || len(refused.SetAside) != 1 || refused.SetAside[0].Refused != 1 {
		t.Errorf("set aside: %+v", refused)
	}
	if refused.SetAside[0].Score >= best.Score || refused.SetAside[0].Least != best.Least {
		t.Error("a refusal elsewhere must lower the rank, and not what was seen to hold")
	}

	few := m.suggest(&incident.Incident{ID: 98, Title: "Climatisation bruyante", School: 2}, auth.ScopeAll(1), places, seconds(monday.AddDate(0, 0, 120)), nil)
	if len(few.Solutions) != 0 {
		t.Errorf("something is said of what nothing is known: %+v", few)
	}
}

// A solution is not better because the one who uses it takes the easy cases:
// with the same successes, the one whose user succeeds whatever they do ranks
// below.
func TestEaseIsNoMerit(t *testing.T) {
	t.Parallel()
	places, index := bare(t)
	category, _ := index.CategoryByPath("Ordinateur", "Lenteur")
	m := newMemory()
	m.seed(index)
	id := int64(0)
	put := func(done string, code, by int64, holds bool, times int) {
		for range times {
			id++
			i := fixed(id, "Ordinateur lent au démarrage", done, code, 201, by, 0)
			i.Category = category.ID
			m.put(&i, nil)
			if !holds {
				back := fixed(1000+id, "Encore", "", 0, 0, by, 3)
				back.State, back.Machine, back.Category, back.ResolvedAt = incident.New, i.Machine, category.ID, time.Time{}
				m.put(&back, nil)
			}
		}
	}
	// Technician 1: everything holds. Technician 2: one time in two, but for
	// the second solution, which holds eight times in ten.
	put("Défragmentation du disque", 103, 2, true, 8)
	put("Défragmentation du disque", 103, 2, false, 2)
	put("Vidage de la corbeille", 104, 2, false, 50)
	put("Nettoyage du démarrage", 101, 1, true, 8)
	put("Nettoyage du démarrage", 101, 1, false, 2)
	put("Ajout de mémoire", 102, 1, true, 60)
	asked := incident.Incident{ID: 5000, Title: "Ordinateur lent au démarrage", Category: category.ID, School: 1, Priority: 4}
	got := m.suggest(&asked, auth.ScopeAll(1), places, seconds(monday.AddDate(0, 3, 0)), nil)
	at := func(code int64) int {
		return slices.IndexFunc(got.Solutions, func(s Solution) bool { return s.Code == code })
	}
	if len(got.Solutions) < 3 || at(103) < 0 || at(101) >= 0 && at(101) < at(103) {
		t.Errorf("with equal successes, the easy hand comes first: %+v", got.Solutions)
	}
	if i := at(103); i >= 0 && (got.Solutions[i].Held != 8 || got.Solutions[i].Uses != 10 || !got.Solutions[i].OneTechnician || got.Solutions[i].Least > Bound(8, 10)) {
		t.Errorf("%+v", got.Solutions[i])
	}
}

func TestOpenDays(t *testing.T) {
	t.Parallel()
	places, _ := bare(t)
	cal := places.Calendar(0)
	day := calendar.Date(2025, time.October, 13) // a Monday; holidays from 18 October to 2 November
	if got, want := openDaysAfter(cal, day, 5), calendar.Date(2025, time.November, 3); got != want {
		t.Errorf("five open days after %v is %v, want %v", day, got, want)
	}
	if got := openDaysAfter(calendar.New(calendar.Rules{Location: time.UTC}), day, 5); got > day+366 {
		t.Errorf("without open days it never ends: %v", got)
	}
}

// Whoever asks sees only incidents of their scope, and nothing is counted that
// they could not open.
func TestScopeNeverLeaks(t *testing.T) {
	t.Parallel()
	places, index := bare(t)
	category, _ := index.CategoryByPath("Réseau et Wi-Fi")
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory()
		m.seed(index)
		all := map[int64]incident.Incident{}
		for k := range int64(rapid.IntRange(0, 60).Draw(rt, "incidents")) {
			i := fixed(k+1, rapid.SampledFrom([]string{"Wi-Fi coupé", "Plus de réseau", "Wi-Fi lent salle 12"}).Draw(rt, "what"), rapid.SampledFrom([]string{"", "Borne redémarrée"}).Draw(rt, "done"), 101, 201, 1, int(k))
			i.Category, i.School, i.Declarant = category.ID, rapid.Int64Range(1, 3).Draw(rt, "school"), rapid.Int64Range(0, 3).Draw(rt, "declarant")
			all[i.ID] = i
			m.put(&i, nil)
		}
		scope := rapid.SampledFrom([]auth.Scope{{}, auth.ScopeAll(1), auth.ScopeSchools(1), auth.ScopeSchools(1, 2), auth.ScopeSchools(1, 1, 3), auth.ScopeOwn(1, 2), auth.ScopeOwn(1, 0)}).Draw(rt, "scope")
		asked := incident.Incident{ID: 999, Title: "Wi-Fi coupé", Category: category.ID, School: 2, Declarant: 2}
		got := m.suggest(&asked, scope, places, seconds(monday.AddDate(1, 0, 0)), nil)
		see := func(id int64) {
			if i := all[id]; !scope.Sees(i.School, i.Declarant) {
				rt.Fatalf("incident %d of school %d, declarant %d is shown", id, i.School, i.Declarant)
			}
		}
		visible := 0
		for _, i := range all {
			if scope.Sees(i.School, i.Declarant) {
				visible++
			}
		}
		if got.Looked > visible {
			rt.Fatalf("%d looked at, %d visible", got.Looked, visible)
		}
		for _, a := range got.Alike {
			see(a.Incident)
		}
		for _, s := range got.Solutions {
			if s.Uses+s.Recent > visible {
				rt.Fatalf("%d uses, %d visible", s.Uses, visible)
			}
			for _, id := range s.Incidents {
				see(id)
			}
		}
	})
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		i, err := h.incidents.Declare(ctx, system, incident.Declaration{Title: "Bourrage papier", School: h.schools[0], Category: h.categories[0]})
		if err != nil {
			t.Fatal(err)
		}
		code, cause := h.codes[0], h.causes[0]
		for _, step := range []error{
			h.Refuse(ctx, system, i, code, cause, "nettoi rouleau"), h.Refuse(ctx, system, i, code, cause, "nettoi rouleau"), h.Restore(ctx, system, i, code, cause, "nettoi rouleau"),
			h.Restore(ctx, system, i, code, cause, "nettoi rouleau"), h.Refuse(ctx, system, i, code, 0, ""), h.Applied(ctx, system, i, code, cause, "nettoi rouleau"),
		} {
			if step != nil {
				t.Fatal(step)
			}
		}
		all, err := h.Verdicts(ctx, system, i)
		if err != nil || len(all) != 2 || !all[0].Refused || all[0].Cause != 0 || all[1].Refused {
			t.Errorf("%+v, %v", all, err)
		}
		if applied, refused, err := h.Used(ctx, 1); applied != 1 || refused != 1 || err != nil {
			t.Errorf("applied %d, refused %d, %v", applied, refused, err)
		}
		referent := auth.Identity{Tenant: 1, Account: 9, Role: auth.Referent, Schools: []int64{h.schools[1]}}
		elsewhere := auth.Identity{Tenant: 1, Account: 8, Role: auth.Declarant, Person: 77}
		for name, err := range map[string]error{
			"a referent handles nothing": h.Refuse(ctx, referent, i, code, cause, ""),
			"an unknown code":            h.Refuse(ctx, system, i, 9999, cause, ""),
			"a cause for a code":         h.Refuse(ctx, system, i, cause, cause, ""),
			"a long key":                 h.Refuse(ctx, system, i, code, cause, strings.Repeat("mot ", 200)),
		} {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, by := range []auth.Identity{referent, elsewhere, {}} {
			if _, err := h.Solutions(ctx, by, i); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s sees the solutions of another school's incident: %v", by.Role, err)
			}
			if _, err := h.Verdicts(ctx, by, i); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s sees its verdicts: %v", by.Role, err)
			}
		}
		h.fresh(t)
		again := New(db, h.j, h.places, h.Service.words)
		if err := again.Load(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if a, b := len(again.tenant(1).m.refusals), len(h.tenant(1).m.refusals); a != 1 || b != 1 {
			t.Errorf("refusals: %d at once, %d event by event", a, b)
		}
	})
}

// BenchmarkSolutions asks beside one incident, with more and more remembered:
// copies of the demonstration, so that words are as frequent as in life.
func BenchmarkSolutions(b *testing.B) {
	places, index := bare(b)
	var all []incident.Incident
	random := rand.New(rand.NewPCG(1, 2))
	now := seconds(time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC))
	_, later := remembered(b, index, time.Time{}, time.Time{})
	for _, i := range later {
		if i.State == incident.Resolved || i.State == incident.Closed {
			i.ResolutionCode, i.CauseCode, i.Resolution = 100+i.Category%5, 200, "Rouleaux nettoyés, vérifié avec l'enseignant"
			all = append(all, i)
		}
	}
	m := newMemory()
	m.seed(index)
	id := int64(0)
	for _, n := range []int{10_000, 100_000, 500_000} {
		for len(m.at) < n {
			i := all[random.IntN(len(all))]
			id++
			i.ID = id
			m.put(&i, nil)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for k := 0; b.Loop(); k++ {
				i := later[(k*7919)%len(later)]
				i.ID = 0
				m.suggest(&i, auth.ScopeAll(1), places, now, nil)
			}
		})
	}
}
