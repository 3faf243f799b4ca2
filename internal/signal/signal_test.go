package signal

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func must[T any](tb interface {
	Helper()
	Fatal(args ...any)
},
) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

const (
	schoolA, schoolB = 11, 12
	printing         = 3
)

var (
	lead     = auth.Identity{Tenant: 1, Account: 1, Role: auth.Lead}
	referent = auth.Identity{Tenant: 1, Account: 2, Role: auth.Referent, Schools: []int64{schoolA}}
	teacher  = auth.Identity{Tenant: 1, Account: 3, Role: auth.Declarant, Person: 5, Schools: []int64{schoolA}}
	monday   = calendar.Date(2026, time.March, 2)
)

func build(db *sqldb.DB) *Service { return New(db, journal.New(db), 1, time.UTC) }

func rebuilt(t *testing.T, s *Service) {
	t.Helper()
	replay := must[*journal.Replay](t)(journal.CheckRebuild(t.Context(), s.db, 1, []journal.Projection{s.Projection()}, nil))
	for _, d := range replay.Differences {
		t.Error(d.String())
	}
}

// found is a finding about one school and printing.
func found(school int64, observed, expected, p float64, flagged bool) Finding {
	return Finding{
		Series: fmt.Sprintf("school %d category %d", school, printing), About: About{Schools: []int64{school}, Category: printing}, Flagged: flagged,
		Figures: Figures{Observed: observed, Expected: expected, Ratio: observed / expected, Low: 1.2, High: 9, P: p},
		Words:   []Word{{Word: "bourrage", N: 3, Score: 4.1}}, History: []Point{{Week: monday, Observed: observed, Expected: expected}},
	}
}

func observe(t *testing.T, s *Service, week calendar.Day, f ...Finding) {
	t.Helper()
	if err := s.Observe(t.Context(), Warning, week, f, Among(696)); err != nil {
		t.Fatal(err)
	}
}

func events(t *testing.T, s *Service) int {
	t.Helper()
	var n int
	err := s.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM event WHERE tenant_id = 1`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A signal opens when it is flagged, stays while p is below 0.2, closes after
// two calm weeks, and comes back as another.
func TestLife(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := build(db)
		ctx := t.Context()
		week := func(n int) calendar.Day { return monday + calendar.Day(7*n) }
		observe(t, s, week(0), found(schoolA, 3, 2, 0.15, false))
		if all := must[[]Signal](t)(s.List(ctx, lead, Filter{})); len(all) != 0 {
			t.Fatalf("%d signals of what was not flagged", len(all))
		}
		observe(t, s, week(1), found(schoolA, 9, 2, 0.0025, true))
		observe(t, s, week(2), found(schoolA, 4, 2, 0.19, false))
		observe(t, s, week(3))
		all := must[[]Signal](t)(s.List(ctx, lead, Filter{State: Open}))
		if len(all) != 1 || all[0].First() != week(1) || all[0].Last() != week(2) || all[0].Lasts() != 2 || all[0].Peak().Observed != 9 {
			t.Fatalf("%+v", all)
		}
		observe(t, s, week(4), found(schoolA, 2, 2, 0.5, false))
		one := must[Signal](t)(s.Get(ctx, lead, all[0].ID))
		if one.State != Closed || one.ClosedAt.IsZero() || one.Observed() != week(4) {
			t.Errorf("%+v", one)
		}
		// A report that comes late the same week undoes the closing.
		observe(t, s, week(4), found(schoolA, 6, 2, 0.01, false))
		if one = must[Signal](t)(s.Get(ctx, lead, one.ID)); one.State != Open || !one.ClosedAt.IsZero() || one.Last() != week(4) {
			t.Errorf("%+v", one)
		}
		observe(t, s, week(5))
		observe(t, s, week(6))
		observe(t, s, week(7), found(schoolA, 8, 2, 0.003, true))
		if all = must[[]Signal](t)(s.List(ctx, lead, Filter{})); len(all) != 2 || all[0].State != Open || all[1].State != Closed || all[0].ID == all[1].ID {
			t.Errorf("%+v", all)
		}
		if w := must[[]Watch](t)(s.Watched(ctx, referent)); len(w) != 1 || w[0].Series != 696 || w[0].Week != week(7) {
			t.Errorf("%+v", w)
		}
		rebuilt(t, s)
	})
}

// Whatever the weeks are, the episodes are those of the plain rule, and weeks
// seen again, also old ones, change nothing: a run cut short is run again.
func TestLifeIsTheRule(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	tenant := int64(100)
	rapid.Check(t, func(t *rapid.T) {
		tenant++
		s := New(db, journal.New(db), tenant, time.UTC)
		who := auth.Identity{Tenant: tenant, Role: auth.Lead}
		type episode struct {
			first, last calendar.Day
			open        bool
		}
		var want []episode
		calm := 0
		weeks := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 14).Draw(t, "weeks")
		var said [][]Finding
		for k, what := range weeks {
			week := monday + calendar.Day(7*k)
			var f []Finding
			switch what {
			case 1:
				f = []Finding{found(schoolA, 2, 2, rapid.Float64Range(StayP, 1).Draw(t, "p"), false)}
			case 2:
				f = []Finding{found(schoolA, 4, 2, rapid.Float64Range(1e-6, StayP-1e-9).Draw(t, "p"), false)}
			case 3:
				f = []Finding{found(schoolA, 9, 2, rapid.Float64Range(1e-9, 0.5).Draw(t, "p"), true)}
			}
			said = append(said, f)
			if n := len(want) - 1; n >= 0 && want[n].open {
				if calm++; what >= 2 {
					want[n].last, calm = week, 0
				}
				want[n].open = calm < CalmWeeks
			} else if what == 3 {
				want, calm = append(want, episode{week, week, true}), 0
			}
			for again := rapid.IntRange(max(0, k-3), k).Draw(t, "from"); again <= k; again++ {
				if err := s.Observe(context.Background(), Warning, monday+calendar.Day(7*again), said[again]); err != nil {
					t.Fatal(err)
				}
			}
		}
		all := must[[]Signal](t)(s.List(context.Background(), who, Filter{}))
		slices.SortFunc(all, func(a, b Signal) int { return int(a.ID - b.ID) })
		var got []episode
		for k := range all {
			got = append(got, episode{all[k].First(), all[k].Last(), all[k].State == Open})
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("weeks %v: episodes %+v, want %+v", weeks, got, want)
		}
	})
}

// Seeing the same again writes nothing, in any order of the findings.
func TestSameAgain(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := build(db)
		a, b := found(schoolA, 9, 2, 0.0025, true), found(schoolB, 12, 3, 0.001, true)
		b.Schools = []int64{schoolB, schoolA, schoolB}
		observe(t, s, monday, a, b)
		before, all := events(t, s), must[[]Signal](t)(s.List(t.Context(), lead, Filter{}))
		observe(t, s, monday, b, a)
		observe(t, s, monday-7, found(schoolA, 99, 2, 1e-9, true))
		if n := events(t, s); n != before {
			t.Errorf("%d events more", n-before)
		}
		if again := must[[]Signal](t)(s.List(t.Context(), lead, Filter{})); !reflect.DeepEqual(all, again) {
			t.Errorf("%+v, then %+v", all, again)
		}
		if len(all) != 2 || all[0].Series != b.Series || !slices.Equal(all[0].Schools, []int64{schoolA, schoolB}) {
			t.Errorf("not by excess: %+v", all)
		}
		rebuilt(t, s)
	})
}

// A referent sees what is about their school alone, a declarant nothing.
func TestWhoSees(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := build(db)
		ctx := t.Context()
		both, all := found(schoolA, 20, 3, 0.001, true), found(0, 30, 9, 0.001, true)
		both.Series, both.Schools = "both", []int64{schoolA, schoolB}
		all.Series, all.Schools = "all", nil
		observe(t, s, monday, found(schoolA, 9, 2, 0.0025, true), found(schoolB, 12, 3, 0.001, true), both, all)
		seen := must[[]Signal](t)(s.List(ctx, referent, Filter{}))
		if len(seen) != 1 || !slices.Equal(seen[0].Schools, []int64{schoolA}) {
			t.Fatalf("%+v", seen)
		}
		if share := must[Share](t)(s.Share(ctx, referent, sqldb.Now())); share.Unjudged != 1 {
			t.Errorf("%+v", share)
		}
		for _, one := range must[[]Signal](t)(s.List(ctx, lead, Filter{})) {
			_, err := s.Get(ctx, referent, one.ID)
			if own := one.ID == seen[0].ID; own != (err == nil) || !own && !fault.Is(err, fault.NotFound) {
				t.Errorf("signal %d: %v", one.ID, err)
			}
			if _, err := s.Story(ctx, referent, one.ID); (one.ID == seen[0].ID) != (err == nil) {
				t.Errorf("story %d: %v", one.ID, err)
			}
		}
		for name, err := range map[string]error{
			"list": second(s.List(ctx, teacher, Filter{})), "get": second(s.Get(ctx, teacher, seen[0].ID)), "watched": second(s.Watched(ctx, teacher)),
			"share": second(s.Share(ctx, teacher, sqldb.Now())), "judge": third(s.Judge(ctx, teacher, seen[0].ID, True, "")), "judge as a referent": third(s.Judge(ctx, referent, seen[0].ID, True, "")),
		} {
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if school := must[[]Signal](t)(s.List(ctx, lead, Filter{School: schoolB})); len(school) != 2 {
			t.Errorf("%d signals with the school", len(school))
		}
	})
}

// What a person thinks is kept with who and when, can be changed and taken
// back, is counted, and tells the methods what not to learn from.
func TestJudge(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := build(db)
		ctx := t.Context()
		week := (calendar.DayOf(sqldb.Now(), time.UTC) - 14).Week()
		observe(t, s, week, found(schoolA, 9, 2, 0.0025, true), found(schoolB, 12, 3, 0.001, true))
		observe(t, s, week+7, found(schoolA, 9, 2, 0.0025, true))
		one := must[[]Signal](t)(s.List(ctx, lead, Filter{School: schoolA}))[0]
		for name, c := range map[string]struct {
			verdict Verdict
			note    string
		}{"no such verdict": {"maybe", ""}, "too long": {True, string(make([]rune, MaxNote+1)) + "x"}} {
			if name == "too long" {
				c.note = fmt.Sprintf("%0*d", MaxNote+1, 0)
			}
			if err := third(s.Judge(ctx, lead, one.ID, c.verdict, c.note)); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		judge := func(v Verdict, note string) Judgement {
			t.Helper()
			_, before, err := s.Judge(ctx, lead, one.ID, v, note)
			if err != nil {
				t.Fatal(err)
			}
			return before
		}
		if before := judge(False, " fausse alerte "); before.Verdict != "" {
			t.Errorf("%+v", before)
		}
		if before := judge(True, "imprimante remplacée"); before.Verdict != False || before.Note != "fausse alerte" || before.By.ID != lead.Account {
			t.Errorf("%+v", before)
		}
		n := events(t, s)
		judge(True, "imprimante remplacée")
		if events(t, s) != n {
			t.Error("the same judgement was written twice")
		}
		learned := must[[]Lesson](t)(s.Learned(ctx))
		if len(learned) != 1 || learned[0].Series != one.Series || learned[0].First != week || learned[0].To != week+14 {
			t.Errorf("%+v", learned)
		}
		if share := must[Share](t)(s.Share(ctx, lead, sqldb.Now())); share.True != 1 || share.Unjudged != 1 || share.Judged() != 1 {
			t.Errorf("%+v", share)
		}
		if all := must[[]Signal](t)(s.List(ctx, lead, Filter{Verdict: Unjudged})); len(all) != 1 || all[0].ID == one.ID {
			t.Errorf("%+v", all)
		}
		rebuilt(t, s)
		judge("", "rien")
		if now := must[Signal](t)(s.Get(ctx, lead, one.ID)); now.Judgement != (Judgement{}) {
			t.Errorf("%+v", now.Judgement)
		}
		if learned := must[[]Lesson](t)(s.Learned(ctx)); len(learned) != 0 {
			t.Errorf("%+v", learned)
		}
		if story := must[[]Step](t)(s.Story(ctx, lead, one.ID)); len(story) != 4 || story[0].Kind != EventOpened || story[2].Judgement.Verdict != True {
			t.Errorf("%+v", story)
		}
		if err := third(s.Judge(ctx, lead, 999, True, "")); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		rebuilt(t, s)
	})
}

// A zone that gains or loses a school is the same zone.
func TestZoneMoves(t *testing.T) {
	t.Parallel()
	s := build(testkit.SQLite(t))
	zone := func(name string, schools ...int64) Finding {
		return Finding{Series: name, About: About{Schools: schools, Category: printing}, Figures: Figures{Observed: 40, Expected: 20, P: 0.001}, Flagged: true}
	}
	see := func(week calendar.Day, f ...Finding) []Signal {
		t.Helper()
		if err := s.Observe(t.Context(), Zone, week, f); err != nil {
			t.Fatal(err)
		}
		return must[[]Signal](t)(s.List(t.Context(), lead, Filter{}))
	}
	see(monday, zone("around 1", 1, 2, 3))
	if all := see(monday+7, zone("around 2", 2, 3, 4, 5)); len(all) != 1 || !slices.Equal(all[0].Schools, []int64{2, 3, 4, 5}) {
		t.Errorf("%+v", all)
	}
	if all := see(monday+14, zone("around 2", 2, 3, 4, 5), zone("around 9", 8, 9)); len(all) != 2 {
		t.Errorf("%+v", all)
	}
	rebuilt(t, s)
}

// Old weeks are dated at their end, so that nobody is told of them now.
func TestOldWeeksAreOld(t *testing.T) {
	t.Parallel()
	s := build(testkit.SQLite(t))
	now := sqldb.Now()
	old, late := (calendar.DayOf(now, time.UTC) - 70).Week(), calendar.DayOf(now, time.UTC).Week()
	observe(t, s, old, found(schoolA, 9, 2, 0.0025, true))
	observe(t, s, late, found(schoolB, 9, 2, 0.0025, true))
	all := must[[]Signal](t)(s.List(t.Context(), lead, Filter{}))
	slices.SortFunc(all, func(a, b Signal) int { return int(a.ID - b.ID) })
	if !all[0].OpenedAt.Equal((old + 7).Start(time.UTC)) || all[1].OpenedAt.Before(now) {
		t.Errorf("%v, %v", all[0].OpenedAt, all[1].OpenedAt)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := build(testkit.SQLite(t))
	ctx := t.Context()
	twice := []Finding{found(schoolA, 9, 2, 0.1, true), found(schoolA, 9, 2, 0.1, true)}
	for name, err := range map[string]error{
		"a series twice":   s.Observe(ctx, Warning, monday, twice),
		"unknown method":   s.Observe(ctx, "astrology", monday, nil),
		"without a reason": s.Refuse(ctx, Warning, monday, "", nil),
		"not a number":     s.Observe(ctx, Warning, monday, []Finding{{Series: "x", Figures: Figures{Expected: 0, Ratio: 1 / zero}}}),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := s.Refuse(ctx, Warning, monday, "signal.refused.history", map[string]any{"n": 5}); err != nil {
		t.Fatal(err)
	}
	if w := must[[]Watch](t)(s.Watched(ctx, lead)); len(w) != 1 || w[0].Refused != "signal.refused.history" {
		t.Errorf("%+v", w)
	}
	rebuilt(t, s)
}

var zero float64

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

// A week under way closes nothing, and opens what it flags.
func TestWeekUnderWay(t *testing.T) {
	t.Parallel()
	s := build(testkit.SQLite(t))
	observe(t, s, monday, found(schoolA, 9, 2, 0.0025, true))
	observe(t, s, monday+7)
	partly := func(f ...Finding) []Signal {
		t.Helper()
		if err := s.Observe(t.Context(), Warning, monday+14, f, Partly()); err != nil {
			t.Fatal(err)
		}
		return must[[]Signal](t)(s.List(t.Context(), lead, Filter{}))
	}
	if all := partly(); len(all) != 1 || all[0].State != Open || all[0].Observed() != monday+7 {
		t.Errorf("%+v", all)
	}
	if all := partly(found(schoolB, 9, 2, 0.0025, true)); len(all) != 2 {
		t.Errorf("%+v", all)
	}
	observe(t, s, monday+14, found(schoolB, 9, 2, 0.0025, true))
	if all := must[[]Signal](t)(s.List(t.Context(), lead, Filter{State: Open})); len(all) != 1 || all[0].Schools[0] != schoolB {
		t.Errorf("%+v", all)
	}
	rebuilt(t, s)
}

// Parts stand under the whole that holds them; nothing is lost.
func TestTogether(t *testing.T) {
	t.Parallel()
	one := func(id int64, category int64, excess float64, schools ...int64) Signal {
		return Signal{ID: id, Method: Warning, State: Open, About: About{Schools: schools, Category: category}, Entries: []Entry{{Week: monday, Figures: Figures{Observed: excess}}}}
	}
	groups := Together([]Signal{one(1, 3, 90), one(2, 0, 20, schoolA), one(3, 3, 15, schoolA), one(4, 3, 12, schoolB), one(5, 4, 9, schoolA), one(6, 4, 8, schoolB)})
	var got [][]int64
	for _, g := range groups {
		ids := []int64{g.ID}
		for _, p := range g.Parts {
			ids = append(ids, p.ID)
		}
		got = append(got, ids)
	}
	if want := [][]int64{{1, 3, 4}, {2, 5}, {6}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
