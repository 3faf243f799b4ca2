package cube

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// question draws a random, valid question about a world.
func question(r *rand.Rand, w *world) Query {
	var q Query
	for range 1 + r.IntN(4) {
		if m := Measures[r.IntN(len(Measures))]; !m.in(q.Measures) {
			q.Measures = append(q.Measures, m)
		}
	}
	for range r.IntN(4) {
		d := Dims[r.IntN(len(Dims))]
		if d == DimDay && r.IntN(3) > 0 {
			d = DimMonth
		}
		twice := false
		for _, x := range q.By {
			twice = twice || x == d
		}
		if !twice {
			q.By = append(q.By, d)
		}
	}
	q.Filters = filters(r, w)
	switch r.IntN(4) {
	case 0:
	case 1:
		q.From = calendar.Date(2015, 9, 1) + calendar.Day(r.IntN(300))
	case 2:
		q.To = calendar.Date(2015, 10, 1) + calendar.Day(r.IntN(300))
	case 3:
		q.From = calendar.Date(2015, 8, 1) + calendar.Day(r.IntN(300))
		q.To = q.From + 1 + calendar.Day(r.IntN(200))
	}
	if q.From != 0 {
		q.Compare = []Compare{CompareNone, CompareNone, ComparePrevious, CompareSchoolYear}[r.IntN(4)]
	}
	if r.IntN(3) == 0 {
		q.Limit = 1 + r.IntN(3)
	}
	if r.IntN(2) == 0 {
		q.Order = []string{"key", "-key", string(q.Measures[0]), "-" + string(q.Measures[len(q.Measures)-1])}[r.IntN(4)]
	}
	if r.IntN(8) == 0 {
		q.Text = "mot"
	}
	return q
}

// filters draws filters with keys that some incidents have.
func filters(r *rand.Rand, w *world) []Filter {
	var out []Filter
	n := newNaive(w, auth.ScopeAll(w.tenant), Query{})
	for range max(0, r.IntN(5)-1) {
		f := Filter{Dim: Dims[r.IntN(len(Dims))]}
		key := func() string {
			if len(w.incidents) == 0 {
				return f.Dim.key(f.Dim.ord(calendar.Date(2015, 9, 1), nil))
			}
			i := &w.incidents[r.IntN(len(w.incidents))]
			day := openedDay(i)
			if r.IntN(3) == 0 {
				day += calendar.Day(r.IntN(30))
			}
			return n.key(i, f.Dim, day, 0)
		}
		switch r.IntN(5) {
		case 0:
			f.NotIn = []string{key()}
		case 1:
			f.From = key()
		case 2:
			f.From, f.To = key(), key()
		default:
			for range 1 + r.IntN(4) {
				f.In = append(f.In, key())
			}
		}
		if f.In == nil && f.NotIn == nil && f.From == "" && f.To == "" {
			continue
		}
		out = append(out, f)
	}
	return out
}

func scope(r *rand.Rand, w *world) auth.Scope {
	switch r.IntN(5) {
	case 0:
		return auth.ScopeSchools(w.tenant, w.schools[1+r.IntN(3)], w.schools[1+r.IntN(6)])
	case 1:
		return auth.ScopeOwn(w.tenant, w.people[r.IntN(len(w.people))])
	case 2:
		if r.IntN(4) == 0 {
			return auth.Scope{}
		}
	}
	return auth.ScopeAll(w.tenant)
}

func draws(t *rapid.T) *rand.Rand {
	return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), rapid.Uint64().Draw(t, "sequence")))
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// populate draws incidents and a text that finds some of them.
func (w *world) populate(tb testing.TB, r *rand.Rand, most int) {
	tb.Helper()
	n := r.IntN(most)
	all := make([]incident.Incident, n)
	for i := range all {
		all[i] = w.random(r, int64(i+1))
		if r.IntN(4) == 0 {
			w.text["mot"] = append(w.text["mot"], int64(i+1))
		}
	}
	w.store(tb, all)
	if n == 0 {
		return
	}
	if err := w.db.Write(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		for range n * 3 {
			if _, err := w.act(ctx, tx, r, int64(1+r.IntN(n))); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
}

// TestMemoryIsTheNaiveLoop compares every figure of random questions with a
// loop over the incidents.
func TestMemoryIsTheNaiveLoop(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		r := draws(rt)
		w := newWorld(t, db)
		w.populate(t, r, 120)
		m := NewMemory(w.config())
		if err := m.Load(ctx); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			q, s := question(r, w), scope(r, w)
			res, err := m.Run(ctx, s, q)
			if fault.Is(err, fault.TooLarge) {
				continue
			}
			if err != nil {
				rt.Fatalf("%+v: %v", q, err)
			}
			newNaive(w, s, q).check(asking{rt, q}, res)
		}
	})
}

// TestFollowingIsLoading writes random events, with the rows that they make,
// and compares columns kept current from the journal with columns loaded anew.
func TestFollowingIsLoading(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		rapid.Check(t, func(rt *rapid.T) {
			r := draws(rt)
			w := newWorld(t, db)
			w.populate(t, r, 40)
			m := NewMemory(w.config())
			if err := m.Load(ctx); err != nil {
				t.Fatal(err)
			}
			for range 4 {
				w.catchUp(t, m, w.live(t, r, 1+r.IntN(25)))
			}
			fresh := NewMemory(w.config())
			if err := fresh.Load(ctx); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(rows(fresh.facts), rows(m.facts)); d != "" {
				rt.Fatalf("columns (-loaded +followed):\n%s", d)
			}
			for range 5 {
				q, s := question(r, w), scope(r, w)
				a, err := fresh.Run(ctx, s, q)
				if fault.Is(err, fault.TooLarge) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				b, err := m.Run(ctx, s, q)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(a, b); d != "" {
					rt.Fatalf("%+v (-loaded +followed):\n%s", q, d)
				}
				newNaive(w, s, q).check(asking{rt, q}, b)
			}
		})
	})
}

// TestLoadInRanges loads numbers with holes, by several statements on two
// connections.
func TestLoadInRanges(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		r := seeded(11)
		var all []incident.Incident
		for k := range 60 {
			all = append(all, w.random(r, int64(1+k*k*loadRange/400)))
		}
		w.store(t, all)
		m, s := executors(t, w)
		if m.facts.rows != len(all) || len(m.facts.late) > 0 {
			t.Fatalf("%d incidents loaded, %d of them out of order, want %d in order", m.facts.rows, len(m.facts.late), len(all))
		}
		q := Query{Measures: Measures[:MaxMeasures], By: []Dim{DimCategory}}
		a, err := m.Run(context.Background(), auth.ScopeAll(w.tenant), q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Run(context.Background(), auth.ScopeAll(w.tenant), q)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a.Rows, b.Rows); d != "" {
			t.Errorf("(-memory +SQL):\n%s", d)
		}
	})
}

// TestDirectoryChanges moves a school to another commune, a category under
// another, and changes a person's kind and the computers of a school: memory
// counts as SQL and the loop do at once.
func TestDirectoryChanges(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		w := newWorld(t, db)
		w.populate(t, seeded(5), 300)
		m, s := executors(t, w)
		by := auth.System(w.tenant)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		compare := func() {
			t.Helper()
			var err error
			w.index, err = w.dir.Index(ctx, w.tenant)
			must(err)
			w.tree, err = w.cat.Index(ctx, w.tenant)
			must(err)
			for _, d := range []Dim{DimCommune, DimCategory, DimCategory2, DimDeclarant} {
				q := Query{Measures: []Measure{Count, Per100Computers}, By: []Dim{d}, From: calendar.Date(2015, 9, 1), To: calendar.Date(2016, 9, 1)}
				a, err := m.Run(ctx, auth.ScopeAll(w.tenant), q)
				must(err)
				b, err := s.Run(ctx, auth.ScopeAll(w.tenant), q)
				must(err)
				if d := cmp.Diff(a.Rows, b.Rows); d != "" {
					t.Errorf("by %v (-memory +SQL):\n%s", q.By, d)
				}
				newNaive(w, auth.ScopeAll(w.tenant), q).check(t, a)
			}
		}
		compare()
		school, _ := w.index.School(w.schools[1])
		school.Commune = "Gien"
		_, err := w.dir.SaveSchool(ctx, by, school)
		must(err)
		compare()
		person, _ := w.index.Person(w.people[1])
		person.Kind = directory.Caretaker
		_, err = w.dir.SavePerson(ctx, by, person)
		must(err)
		_, err = w.dir.SaveExposures(ctx, by, []directory.Exposure{{School: w.schools[4], From: calendar.Date(2016, 1, 1), Computers: 40}})
		must(err)
		compare()
		category, _ := w.tree.Category(w.categories[6])
		category.Parent = w.categories[4]
		_, err = w.cat.SaveCategory(ctx, by, category)
		must(err)
		compare()
	})
}

// line is everything that the columns say of one incident.
type line struct {
	record
	day, end uint16
	hour     uint8
	repeat   bool
	clocks   string
	desk     desk
}

func rows(f *facts) map[int64]string {
	out := map[int64]string{}
	for row := range uint32(f.rows) {
		c, i := f.at(row)
		r := f.get(row)
		l := line{record: r, day: c.openedDay[i], end: c.endedDay[i], hour: c.source[i] >> 3, repeat: c.severity[i]&repeatBit != 0}
		for q := range quantities {
			*l.desk.at(q) = c.had(q, i)
		}
		for _, resolution := range []bool{false, true} {
			minutes, stopped := c.spent(resolution, i)
			l.clocks += fmt.Sprint(minutes, stopped, " ")
		}
		l.clocks += fmt.Sprint(c.outcome[i]&clockBits, f.pending.at[c.id[i]])
		out[r.id] = fmt.Sprintf("%+v", l)
	}
	return out
}

// catchUp waits until an executor has applied the event of a sequence number
// (on PostgreSQL, another test's open transaction can hide it for a moment).
func (w *world) catchUp(tb testing.TB, m *Memory, seq int64) {
	tb.Helper()
	for range 500 {
		if err := m.CatchUp(context.Background()); err != nil {
			tb.Fatal(err)
		}
		if m.AsOf().Seq >= seq {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	tb.Fatalf("event %d was not seen within 5 s", seq)
}

// live declares and changes incidents, rows and events together, and gives the
// sequence number of the last event.
func (w *world) live(tb testing.TB, r *rand.Rand, n int) int64 {
	tb.Helper()
	var events []journal.Event
	var rows [][]any
	var stand []incident.Incident
	type step struct {
		row   int // place in rows, or -1
		about int64
	}
	var steps []step
	for range n {
		var from, to incident.Incident
		at := len(w.incidents)
		if at > 0 && r.IntN(3) == 0 {
			steps = append(steps, step{-1, int64(1 + r.IntN(at))})
			continue
		}
		steps = append(steps, step{row: len(rows)})
		if at == 0 || r.IntN(4) == 0 {
			to = w.random(r, int64(at+1))
			w.incidents = append(w.incidents, to)
		} else {
			at = r.IntN(at)
			from = w.incidents[at]
			other := w.random(r, from.ID)
			to = from
			switch r.IntN(4) {
			case 0:
				to.State = other.State
				w.finish(r, &to)
			case 1:
				to.Machine, to.Room, to.Category = other.Machine, other.Room, other.Category
			case 2:
				to.OpenedAt = other.OpenedAt
			case 3:
				to = other
			}
		}
		when := w.now.Add(time.Duration(len(events)) * time.Second)
		to.UpdatedAt = from.UpdatedAt
		if when.After(to.UpdatedAt) {
			to.UpdatedAt = when
		}
		w.incidents[at] = to
		events = append(events, w.event(&from, &to, when))
		rows = append(rows, incidentRow(w.tenant, &to))
		stand = append(stand, to)
	}
	var last int64
	err := w.db.Write(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		for _, step := range steps {
			i := step.row
			if i < 0 {
				more, err := w.act(ctx, tx, r, step.about)
				if err != nil {
					return err
				}
				events = append(events, more...)
				continue
			}
			if _, err := tx.Exec(ctx, `DELETE FROM incident WHERE tenant_id = $1 AND incident_id = $2`, w.tenant, rows[i][1]); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `DELETE FROM incident_follower WHERE tenant_id = $1 AND incident_id = $2`, w.tenant, rows[i][1]); err != nil {
				return err
			}
			if err := tx.Insert(ctx, "incident", incidentColumns, rows[i:i+1], ""); err != nil {
				return err
			}
			if err := tx.Insert(ctx, "incident_follower", followerColumns, followerRows(w.tenant, stand[i:i+1]), ""); err != nil {
				return err
			}
		}
		if err := w.j.Append(ctx, tx, events...); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT COALESCE(max(seq), 0) FROM event WHERE tenant_id = $1`, w.tenant).Scan(&last)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return last
}

// failer is what a comparison tells its failures to.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// asking says the question with the failure.
type asking struct {
	*rapid.T
	q Query
}

// Fatalf fails with the question.
func (a asking) Fatalf(format string, args ...any) {
	a.Helper()
	a.T.Fatalf("%s\nquestion %+v", fmt.Sprintf(format, args...), a.q)
}

// executors gives a world's answers by memory, loaded, and by SQL.
func executors(tb testing.TB, w *world) (*Memory, *SQL) {
	tb.Helper()
	m := NewMemory(w.config())
	if err := m.Load(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return m, NewSQL(w.config())
}

// TestExecutorsAgree compares memory, SQL on each engine and the loop.
func TestExecutorsAgree(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		rapid.Check(t, func(rt *rapid.T) {
			r := draws(rt)
			w := newWorld(t, db)
			w.populate(t, r, 120)
			m, s := executors(t, w)
			for range 8 {
				q, sc := question(r, w), scope(r, w)
				a, errA := m.Run(ctx, sc, q)
				b, errB := s.Run(ctx, sc, q)
				if fault.Is(errA, fault.TooLarge) && fault.Is(errB, fault.TooLarge) {
					continue
				}
				if errA != nil || errB != nil {
					rt.Fatalf("%+v: memory %v, SQL %v", q, errA, errB)
				}
				a.AsOf = b.AsOf
				if d := cmp.Diff(a, b); d != "" {
					rt.Fatalf("%+v (-memory +SQL):\n%s", q, d)
				}
				newNaive(w, sc, q).check(asking{rt, q}, b)
			}
		})
	})
}
