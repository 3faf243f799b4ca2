//go:build unix

package cube

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// The benchmarks ask the same questions of memory and of SQL on both engines,
// at growing sizes. STATINCIDENTS_BENCH_MOST bounds the sizes: 1000000 unless
// told (10000000 takes a minute to make and 700 MB).
func benchMost() int {
	if n, err := strconv.Atoi(os.Getenv("STATINCIDENTS_BENCH_MOST")); err == nil {
		return n
	}
	return 1_000_000
}

// sizes runs the benchmarks of each size, from a name like "100k".
func sizes(b *testing.B, fn func(b *testing.B, n int), all ...int) {
	b.Helper()
	for _, n := range all {
		if n > benchMost() {
			continue
		}
		name := fmt.Sprintf("%dk", n/1000)
		if n >= 1_000_000 {
			name = fmt.Sprintf("%dM", n/1_000_000)
		}
		b.Run(name, func(b *testing.B) { fn(b, n) })
	}
}

// benchRecord draws incident number id of n, over five school years, in the
// order of opening, with the repeated machines and rooms of 58 collèges.
func benchRecord(w *world, r *rand.Rand, id, n int) incident.Incident {
	begin, end := time.Date(2011, 9, 1, 8, 0, 0, 0, paris), time.Date(2016, 8, 31, 18, 0, 0, 0, paris)
	opened := begin.Add(time.Duration(float64(end.Sub(begin)) * (float64(id) + r.Float64()) / float64(n))).Truncate(time.Second)
	skew := func(k int) int { return int(float64(k) * r.Float64() * r.Float64()) }
	school := skew(len(w.schools)-1) + 1
	room := (school-1)*35 + skew(35) + 1
	i := incident.Incident{
		ID: int64(id + 1), Version: 1, Title: "Vidéoprojecteur noir", State: incident.Closed,
		School: w.schools[school], Room: w.rooms[room], Category: w.categories[1+skew(len(w.categories)-1)],
		Machine: fmt.Sprintf("PC-%02d-%03d", school, skew(170)), Network: directory.Networks[min(r.IntN(4), 1)],
		Impact: 1 + r.IntN(3), Urgency: 1 + r.IntN(3), Priority: 1 + skew(5), Origin: incident.Origins[skew(4)],
		Declarant: w.people[1+skew(len(w.people)-1)], Assignee: w.people[1+skew(25)], Team: w.teams[1+r.IntN(2)],
		CauseCode: w.causes[r.IntN(3)], ResolutionCode: w.solutions[r.IntN(3)],
		OccurredAt: opened, OpenedAt: opened, ReopenCount: r.IntN(20) / 19,
	}
	i.ResolvedAt = opened.Add(time.Duration(r.ExpFloat64()*float64(r.IntN(5)+1)*12) * time.Hour).Add(time.Duration(r.IntN(3600)) * time.Second)
	i.ClosedAt = i.ResolvedAt.Add(5 * 24 * time.Hour)
	i.UpdatedAt = i.ClosedAt
	switch k := r.IntN(200); {
	case k < 3:
		i.State = incident.Cancelled
	case k == 3:
		i.State = incident.Merged
	case k == 4 || i.ResolvedAt.After(end):
		i.State, i.ResolvedAt, i.ClosedAt = incident.Assigned, time.Time{}, time.Time{}
	}
	return i
}

// benchWorld is the directory and catalog of the benchmarks: 58 schools of 35
// rooms, 1,000 people, 60 categories.
func benchWorld(tb testing.TB, db *sqldb.DB) *world {
	tb.Helper()
	ctx := context.Background()
	w := newWorld(tb, db)
	w.now = time.Date(2016, 8, 31, 16, 0, 0, 0, time.UTC)
	by := auth.System(w.tenant)
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	var schools []directory.School
	for i := range 58 {
		schools = append(schools, directory.School{UAI: fmt.Sprintf("B%04d", i), Name: fmt.Sprintf("Collège %d", i), Commune: fmt.Sprintf("Commune %d", i*2/3)})
	}
	ids, err := w.dir.EnsureSchools(ctx, by, schools)
	must(err)
	w.schools = w.schools[:1]
	var rooms []directory.Room
	var exposures []directory.Exposure
	for _, s := range schools {
		id := ids[s.UAI]
		w.schools = append(w.schools, id)
		exposures = append(exposures, directory.Exposure{School: id, From: calendar.Date(2011, 9, 1), Computers: 170, Pupils: 540})
		for k := range 36 {
			rooms = append(rooms, directory.Room{School: id, Name: fmt.Sprintf("Salle %d", k)})
		}
	}
	_, err = w.dir.SaveExposures(ctx, by, exposures)
	must(err)
	byRoom, err := w.dir.EnsureRooms(ctx, by, rooms)
	must(err)
	w.rooms = w.rooms[:1]
	for _, r := range rooms {
		w.rooms = append(w.rooms, byRoom[directory.RoomKey{School: r.School, Name: r.Name}])
	}
	var people []directory.Person
	for i := range 1000 {
		people = append(people, directory.Person{Name: fmt.Sprint("P ", i), Kind: directory.Teacher, External: fmt.Sprint("b", i)})
	}
	byKey, err := w.dir.EnsurePeople(ctx, by, people)
	must(err)
	for _, p := range people {
		w.people = append(w.people, byKey[p.External])
	}
	var paths [][]string
	for i := range 60 {
		paths = append(paths, []string{fmt.Sprint("Type ", i%8), fmt.Sprint("Sous-type ", i)})
	}
	more, err := w.cat.EnsureCategoryPaths(ctx, by, paths)
	must(err)
	w.categories = append(w.categories, more...)
	w.index, err = w.dir.Index(ctx, w.tenant)
	must(err)
	w.tree, err = w.cat.Index(ctx, w.tenant)
	must(err)
	return w
}

// toRecord is an incident as the columns take it.
func toRecord(i *incident.Incident) record {
	sec := func(t time.Time) uint32 { return seconds(sqldb.Millis(t)) }
	return record{
		id: i.ID, state: i.State, school: i.School, room: i.Room, category: i.Category, network: string(i.Network), target: string(i.Target),
		machine: i.Machine, impact: i.Impact, urgency: i.Urgency, priority: i.Priority, reopened: i.ReopenCount,
		declarant: i.Declarant, assignee: i.Assignee, team: i.Team, cause: i.CauseCode, solution: i.ResolutionCode, origin: i.Origin,
		opened: sec(i.OpenedAt), resolved: sec(i.ResolvedAt), closed: sec(i.ClosedAt), updated: sec(i.UpdatedAt),
	}
}

// inMemory gives columns of n incidents, made without a database.
func inMemory(b *testing.B, w *world, n int) *Memory {
	b.Helper()
	m := NewMemory(w.config())
	t, err := m.cfg.tables(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	f := newFacts(paris, t)
	r := seeded(1)
	for id := range n {
		i := benchRecord(w, r, id, n)
		rec := toRecord(&i)
		if err := f.add(&rec); err != nil {
			b.Fatal(err)
		}
		k := benchClocks(&i, r)
		f.setClocks(uint32(id), &k, math.MaxUint32)
		if id%10 == 0 { // one in ten had a visit or a part
			f.setDesk(uint32(id), desk{visits: 1, minutes: 35})
		}
	}
	f.linkAll()
	m.facts = f
	m.ready.Store(true)
	return m
}

// benchClocks is how the clocks of an incident stand: one in five was late.
func benchClocks(i *incident.Incident, r *rand.Rand) clocks {
	k := clocks{id: i.ID, response: clock{code: clockKept, spent: int64(r.IntN(500))}, resolution: clock{code: clockKept, spent: int64(r.IntN(5000))}}
	if r.IntN(5) == 0 {
		k.resolution.late = 1
	}
	return k
}

// The questions.

func oneGroupBy() Query { return Query{Measures: []Measure{Count}, By: []Dim{DimSchool}} }

func twoFiltered() Query {
	return Query{
		Measures: []Measure{Count}, By: []Dim{DimCategory, DimMonth}, From: calendar.Date(2014, 9, 1), To: calendar.Date(2016, 7, 1),
		Filters: []Filter{{Dim: DimPriority, In: []string{"1", "2", "3"}}, {Dim: DimNetwork, In: []string{"teaching"}}},
	}
}

// dashboard is a screen of twelve results, filtered by what the reader clicked.
func dashboard(from, to calendar.Day) []Query {
	filters := []Filter{
		{Dim: DimNetwork, In: []string{"teaching"}},
		{Dim: DimPriority, In: []string{"1", "2", "3"}},
	}
	q := func(limit int, by []Dim, ms ...Measure) Query {
		return Query{Measures: ms, By: by, Filters: filters, From: from, To: to, Limit: limit}
	}
	key := q(0, nil, Count, Resolved, Backlog, ResolutionMedian)
	if from != 0 {
		key.Compare = CompareSchoolYear
	}
	return []Query{
		key,
		q(0, []Dim{DimMonth}, Opened, Resolved, Backlog),
		q(0, []Dim{DimSchool}, Count, Per100Computers),
		q(10, []Dim{DimCategory}, Count, ResolutionMedian),
		q(0, []Dim{DimHour, DimWeekday}, Count),
		q(0, []Dim{DimPriority}, Count, ResolutionMedian, ResolutionP90),
		q(0, []Dim{DimCause}, Count, ResolutionMedian),
		q(0, []Dim{DimOrigin}, Count),
		q(0, []Dim{DimTeam}, Count, ResolutionMedian),
		q(20, []Dim{DimMachine}, Count, Repeat),
		q(10, []Dim{DimCommune}, Count, ResolutionMedian),
		q(0, []Dim{DimWeek}, Count, ResolutionMedian),
	}
}

func ask(b *testing.B, e Executor, w *world, qs ...Query) {
	b.Helper()
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		if _, err := e.RunAll(context.Background(), auth.ScopeAll(w.tenant), qs); err != nil {
			b.Fatal(err)
		}
	}
}

// questions asks an executor everything that the sizes compare.
func questions(b *testing.B, e Executor, w *world) {
	b.Helper()
	b.Run("GroupBy", func(b *testing.B) { ask(b, e, w, oneGroupBy()) })
	b.Run("TwoFiltered", func(b *testing.B) { ask(b, e, w, twoFiltered()) })
	b.Run("Dashboard", func(b *testing.B) { ask(b, e, w, dashboard(calendar.Date(2015, 9, 1), calendar.Date(2016, 9, 1))...) })
	b.Run("Desk", func(b *testing.B) {
		ask(b, e, w, Query{Measures: []Measure{ResolutionKept, ResolutionOpen, ResponseKept, SatisfiedShare, WorkTime}, By: []Dim{DimSchool}})
	})
	b.Run("List", func(b *testing.B) {
		b.ReportAllocs()
		defer cpu(b)()
		q := ListQuery{Filters: []Filter{{Dim: DimNetwork, In: []string{"teaching"}}}}
		for b.Loop() {
			if _, err := e.List(context.Background(), auth.ScopeAll(w.tenant), q); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkMemory asks columns of each size, and weighs them.
func BenchmarkMemory(b *testing.B) {
	w := benchWorld(b, testkit.SQLite(b))
	sizes(b, func(b *testing.B, n int) {
		before := heapBytes()
		m := inMemory(b, w, n)
		weight := float64(heapBytes()-before) / float64(n)
		b.Run("Bytes", func(b *testing.B) {
			for b.Loop() {
			}
			b.ReportMetric(weight, "B/incident")
			b.ReportMetric(0, "ns/op")
		})
		questions(b, m, w)
		b.Run("DashboardAll", func(b *testing.B) { ask(b, m, w, dashboard(0, 0)...) })
		b.Run("Event", func(b *testing.B) { benchEvent(b, m, w, n) })
		b.Run("Mixed", func(b *testing.B) { benchMixed(b, m, w, n) })
	}, 10_000, 100_000, 1_000_000, 10_000_000)
}

// cpu reports the processor time of an operation, all cores together.
func cpu(b *testing.B) func() {
	b.Helper()
	before := cpuTime(b)
	return func() { b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op") }
}

// benchMixed asks one question after the other while events come in without a
// pause, 64 at a time, and reports how long one in a hundred questions waits.
func benchMixed(b *testing.B, m *Memory, w *world, n int) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	events := benchEvents(b, w, n)
	applied := make(chan int)
	go func() {
		k := 0
		for ctx.Err() == nil {
			at := k % (len(events) - eventsALock)
			if err := m.apply(ctx, events[at:at+eventsALock]); err != nil {
				b.Error(err)
				break
			}
			k += eventsALock
		}
		applied <- k
	}()
	var waits []time.Duration
	began := time.Now()
	for b.Loop() {
		before := time.Now()
		if _, err := m.Run(ctx, auth.ScopeAll(w.tenant), oneGroupBy()); err != nil {
			b.Fatal(err)
		}
		waits = append(waits, time.Since(before))
	}
	took := time.Since(began)
	stop()
	b.ReportMetric(float64(<-applied)/took.Seconds(), "events/s")
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
}

func heapBytes() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// benchEvent applies one event, alternately a resolution and a reopening of an
// incident anywhere, its JSON included.
func benchEvent(b *testing.B, m *Memory, w *world, n int) {
	b.Helper()
	events := benchEvents(b, w, n)
	b.ReportAllocs()
	defer cpu(b)()
	k := 0
	for b.Loop() {
		if err := m.facts.follow(&events[k%len(events)]); err != nil {
			b.Fatal(err)
		}
		k++
	}
}

func benchEvents(b *testing.B, w *world, n int) []journal.Event {
	b.Helper()
	r := seeded(3)
	events := make([]journal.Event, 4096)
	for i := range events {
		var p incident.Payload
		state, was, at := incident.Assigned, incident.Resolved, time.Time{}
		if i%2 == 0 {
			state, was, at = incident.Resolved, incident.Assigned, w.now
			p.Set.Resolution = new("Câble HDMI remplacé, image revenue ; vérifié avec l'enseignante.")
		}
		p.Set.State, p.Set.ResolvedAt, p.Set.CauseCode = &state, &at, &w.causes[1]
		p.Was.State, p.Comment = &was, "Passage en salle 12 ce matin."
		data, err := json.Marshal(p)
		if err != nil {
			b.Fatal(err)
		}
		events[i] = journal.Event{At: w.now, Subject: journal.Subject{Kind: incident.Subject, ID: 1 + int64(r.IntN(n))}, Data: data}
	}
	return events
}

// BenchmarkSQL asks the same of the incident table on both engines, and reads
// the columns from it: what a start waits for.
func BenchmarkSQL(b *testing.B) {
	for engine, open := range map[string]func(testing.TB) *sqldb.DB{"SQLite": testkit.SQLite, "PostgreSQL": testkit.PostgreSQL} {
		b.Run(engine, func(b *testing.B) {
			sizes(b, func(b *testing.B, n int) {
				w := benchWorld(b, open(b))
				fill(b, w, n)
				b.Run("Load", func(b *testing.B) {
					b.ReportAllocs()
					defer cpu(b)()
					for b.Loop() {
						if err := NewMemory(w.config()).Load(context.Background()); err != nil {
							b.Fatal(err)
						}
					}
				})
				questions(b, NewSQL(w.config()), w)
			}, 10_000, 100_000, 1_000_000)
		})
	}
}

var benchClockColumns = []string{
	"tenant_id", "incident_id", "school_id", "declarant_id", "opened_at", "clock_school_id",
	"response_phase", "response_target", "response_spent", "response_since", "response_due", "response_warn_at", "response_late_at",
	"resolution_phase", "resolution_target", "resolution_spent", "resolution_since", "resolution_due", "resolution_warn_at", "resolution_late_at", "stamp",
}

// fill writes n incidents as fast as each engine takes them.
func fill(b *testing.B, w *world, n int) {
	b.Helper()
	ctx := context.Background()
	r := seeded(1)
	const part = 10_000
	for from := 0; from < n; from += part {
		rows, stands := make([][]any, 0, part), make([][]any, 0, part)
		for id := from; id < min(n, from+part); id++ {
			i := benchRecord(w, r, id, n)
			rows = append(rows, incidentRow(w.tenant, &i))
			k := benchClocks(&i, r)
			stands = append(stands, []any{
				w.tenant, i.ID, i.School, i.Declarant, sqldb.Millis(i.OpenedAt), i.School, "stopped", 240, k.response.spent, 0, 0, 0, 0,
				"stopped", 2400, k.resolution.spent, 0, 0, 0, int64(k.resolution.late) * 1000, i.ID,
			})
		}
		for table, t := range map[string]struct {
			columns []string
			rows    [][]any
		}{"incident": {incidentColumns, rows}, "service_clock": {benchClockColumns, stands}} {
			var err error
			if pool := w.db.Pool(); pool != nil {
				_, err = pool.CopyFrom(ctx, pgx.Identifier{table}, t.columns, pgx.CopyFromRows(t.rows))
			} else {
				err = w.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return tx.Insert(ctx, table, t.columns, t.rows, "") })
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	err := w.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "ANALYZE")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}
