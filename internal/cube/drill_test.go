package cube

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// length is how long the list behind a figure must be.
func length(m Measure, v Value) int {
	switch {
	case m.Share():
		return int(math.Round(v.V * float64(v.N)))
	case m.Additive() && !m.Sum():
		return int(v.V)
	}
	return v.N
}

// TestFiguresAreLists opens the list behind every figure of random results, on
// memory and SQL: it is as long as the figure says, has no incident twice, and
// both give the same page after page.
func TestFiguresAreLists(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		rapid.Check(t, func(rt *rapid.T) {
			r := draws(rt)
			w := newWorld(t, db)
			w.populate(t, r, 80)
			m, s := executors(t, w)
			for range 2 {
				q, sc := question(r, w), scope(r, w)
				res, err := m.Run(ctx, sc, q)
				if fault.Is(err, fault.TooLarge) {
					continue
				}
				if err != nil {
					rt.Fatalf("%+v: %v", q, err)
				}
				checkDrill(rt, res, func(lq ListQuery) int {
					lq.Limit = 1 + r.IntN(30)
					if r.IntN(2) == 0 {
						lq.Sort = []string{"", "-"}[r.IntN(2)] + Sorts[r.IntN(len(Sorts))]
					}
					a := pages(rt, m, sc, lq)
					if r.IntN(10) == 0 { // SQL is slow to ask of every cell
						if d := cmp.Diff(a, pages(rt, s, sc, lq)); d != "" {
							rt.Fatalf("list %+v (-memory +SQL):\n%s", lq, d)
						}
						facts := each(rt, m, sc, lq)
						if d := cmp.Diff(facts, each(rt, s, sc, lq)); d != "" {
							rt.Fatalf("facts of %+v (-memory +SQL):\n%s", lq, d)
						}
						if len(facts) != len(a) {
							rt.Fatalf("%d facts of a list of %d: %+v", len(facts), len(a), lq)
						}
					}
					return len(a)
				})
			}
		})
	})
}

func checkDrill(rt *rapid.T, res Result, count func(ListQuery) int) {
	q := res.Query
	check := func(by []Dim, row Row) {
		for k, m := range q.Measures {
			if got, want := count(res.Drill(by, row, m)), length(m, row.Values[k]); got != want {
				rt.Fatalf("%+v: %s of %q is %+v, its list %+v has %d", q, m, row.Keys, row.Values[k], res.Drill(by, row, m), got)
			}
			if res.Shift == 0 {
				continue
			}
			if got, want := count(res.DrillBefore(by, row, m)), length(m, row.Before[k]); got != want {
				rt.Fatalf("%+v: %s of %q was %+v, its list %+v has %d", q, m, row.Keys, row.Before[k], res.DrillBefore(by, row, m), got)
			}
		}
	}
	check(nil, res.Total)
	for i, row := range res.Rows {
		if i%(1+len(res.Rows)/100) == 0 {
			check(q.By, row)
		}
	}
	for i, rows := range res.Margins {
		for k, row := range rows {
			if k%(1+len(rows)/30) == 0 {
				check(q.By[i:i+1], row)
			}
		}
	}
}

// each gives the facts of a list, by number (a late number comes out of turn
// from memory).
func each(rt *rapid.T, e Executor, sc auth.Scope, q ListQuery) []Fact {
	var all []Fact
	if err := e.Each(context.Background(), sc, q, func(f *Fact) { all = append(all, *f) }); err != nil {
		rt.Fatalf("facts of %+v: %v", q, err)
	}
	slices.SortFunc(all, func(a, b Fact) int { return int(a.ID - b.ID) })
	return all
}

// pages reads a whole list page by page.
func pages(rt *rapid.T, e Executor, sc auth.Scope, q ListQuery) []int64 {
	var all []int64
	seen := map[int64]bool{}
	for {
		p, err := e.List(context.Background(), sc, q)
		if err != nil {
			rt.Fatalf("list %+v: %v", q, err)
		}
		for _, id := range p.IDs {
			if seen[id] {
				rt.Fatalf("list %+v shows %d twice", q, id)
			}
			seen[id] = true
		}
		all = append(all, p.IDs...)
		if p.Next == "" {
			if len(all) != p.Total {
				rt.Fatalf("list %+v has %d incidents and says %d", q, len(all), p.Total)
			}
			return all
		}
		q.After = p.Next
	}
}

// TestTotalsAndScopes checks that parts add up to totals and margins, and that
// a narrower scope never sees more.
func TestTotalsAndScopes(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		r := draws(rt)
		w := newWorld(t, db)
		w.populate(t, r, 150)
		m, _ := executors(t, w)
		for range 10 {
			q := question(r, w)
			wide, err := m.Run(ctx, auth.ScopeAll(w.tenant), q)
			if fault.Is(err, fault.TooLarge) {
				continue
			}
			if err != nil {
				rt.Fatalf("%+v: %v", q, err)
			}
			checkSums(rt, wide)
			q.Limit = 0 // the keys that a limit keeps depend on the scope
			wide, err = m.Run(ctx, auth.ScopeAll(w.tenant), q)
			if err != nil {
				continue
			}
			narrow, err := m.Run(ctx, scope(r, w), q)
			if err != nil {
				rt.Fatalf("%+v: %v", q, err)
			}
			figures := map[string][]Value{}
			for _, row := range append(wide.Rows, wide.Total) {
				figures[joined(row.Keys)] = row.Values
			}
			for _, row := range append(narrow.Rows, narrow.Total) {
				for k, meas := range q.Measures {
					if v := figures[joined(row.Keys)]; meas.Additive() && meas != PartsCost && meas != Parts && row.Values[k].V > 0 && (v == nil || row.Values[k].V > v[k].V) {
						rt.Fatalf("%+v: %s of %q is %v in a narrower scope, %v in all", q, meas, row.Keys, row.Values[k], v)
					}
				}
			}
		}
	})
}

func checkSums(rt *rapid.T, res Result) {
	buckets := slices.ContainsFunc(res.Query.By, Dim.bucket)
	for k, m := range res.Query.Measures {
		if !m.Additive() || m == Backlog && buckets {
			continue
		}
		sum := 0.0
		for _, row := range res.Rows {
			sum += row.Values[k].V
		}
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
		if !near(sum, res.Total.Values[k].V) {
			rt.Fatalf("%+v: rows of %s add up to %v, the total is %v", res.Query, m, sum, res.Total.Values[k].V)
		}
		for i, rows := range res.Margins {
			sum := 0.0
			for _, row := range rows {
				sum += row.Values[k].V
			}
			if !near(sum, res.Total.Values[k].V) {
				rt.Fatalf("%+v: margin %d of %s adds up to %v, the total is %v", res.Query, i, m, sum, res.Total.Values[k].V)
			}
		}
	}
}

// A list that another room has narrowed keeps to it, whatever else is asked.
func TestOnlyNarrowsAList(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		rapid.Check(t, func(rt *rapid.T) {
			r := draws(rt)
			w := newWorld(t, db)
			w.populate(t, r, 60)
			m, s := executors(t, w)
			all := pages(rt, m, auth.ScopeAll(w.tenant), ListQuery{Limit: 50})
			var only, want []int64
			for _, id := range all {
				if r.IntN(2) == 0 {
					only, want = append(only, id), append(want, id)
				}
			}
			only = append(only, 1<<30)
			for name, e := range map[string]Executor{"memory": m, "SQL": s} {
				if d := cmp.Diff(want, pages(rt, e, auth.ScopeAll(w.tenant), ListQuery{Only: only, Limit: 7})); d != "" {
					rt.Fatalf("%s (-want +got):\n%s", name, d)
				}
				page, err := e.List(ctx, auth.ScopeAll(w.tenant), ListQuery{Only: []int64{}})
				if err != nil || page.Total != 0 {
					rt.Fatalf("%s: none kept: %d, %v", name, page.Total, err)
				}
			}
		})
	})
}
