package cube

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"statincidents/internal/calendar"
	"statincidents/internal/sqldb"
)

// sqlSource groups the incidents of one view by statements in one snapshot.
type sqlSource struct {
	tx     *sqldb.Tx
	tenant int64
	v      view
	tables *tables
	now    uint32 // seconds: what is late by then is late
}

func (s *sqlSource) exposures() *exposures { return s.tables.exposures }

func (s *sqlSource) release() {}

// gathering collects the groups of several statements.
type gathering struct {
	s     *sqlSource
	g     grouping
	cells []cell
	index map[string]int
}

func (a *gathering) acc(keys []string, run int) *acc {
	id := strconv.Itoa(run) + "\x00" + joined(keys)
	i, ok := a.index[id]
	if !ok {
		i = len(a.cells)
		a.index[id] = i
		a.cells = append(a.cells, cell{keys: keys, run: run})
	}
	return &a.cells[i].acc
}

func (s *sqlSource) aggregate(ctx context.Context, g grouping) ([]cell, error) {
	a := &gathering{s: s, g: g, index: map[string]int{}}
	if len(g.by) == 0 {
		a.acc([]string{}, 0)
	}
	if err := a.opening(ctx); err != nil {
		return nil, fmt.Errorf("cube: by opening: %w", err)
	}
	p := s.v.parts
	for t := range timings {
		if qs, set := g.parts.quantilesOf(t); len(qs) > 0 {
			if err := a.quantiles(ctx, t, qs, set); err != nil {
				return nil, fmt.Errorf("cube: durations: %w", err)
			}
		}
	}
	if p&partEnded != 0 {
		st := s.statement()
		keys := a.keys(st, endedDay, endedDay)
		st.where(byEnd)
		err := a.counts(ctx, st, keys, []string{"count(*)"}, func(c *acc, n []int64) { c.ended = int(n[0]) })
		if err != nil {
			return nil, fmt.Errorf("cube: by end: %w", err)
		}
	}
	if p&partBacklog != 0 {
		if err := a.backlog(ctx); err != nil {
			return nil, fmt.Errorf("cube: backlog: %w", err)
		}
	}
	if len(g.by) == 0 && s.v.pred.counted {
		if err := a.excluded(ctx); err != nil {
			return nil, fmt.Errorf("cube: excluded: %w", err)
		}
	}
	return a.cells, nil
}

// keys gives the expressions of the grouping's keys, the run first. A key that
// the top leaves out is NULL.
func (a *gathering) keys(st *statement, runDay, day string) []string {
	exprs := []string{a.runExpr(runDay)}
	for _, i := range a.g.by {
		d := a.s.v.q.By[i]
		if d.bucket() {
			continue
		}
		expr := st.expr(d, day)
		if i == a.g.top {
			marks := make([]string, len(a.g.kept))
			for k, key := range a.g.kept {
				marks[k] = st.arg(d.sqlKey(key))
			}
			cond := "1 = 0"
			if len(marks) > 0 {
				cond = expr + " IN (" + strings.Join(marks, ", ") + ")"
			}
			expr = "CASE WHEN " + cond + " THEN " + expr + " END"
		}
		exprs = append(exprs, expr)
	}
	return exprs
}

// runExpr numbers the run of a day; the days before the period are in the
// first one.
func (a *gathering) runExpr(day string) string {
	steps := make([]step, len(a.g.runs))
	for i, r := range a.g.runs {
		steps[i] = step{r.from - calendar.Day(a.s.v.shift), i}
	}
	return stepExpr(day, steps)
}

// read turns the key columns of a row into keys and a run.
func (a *gathering) read(values []any) (keys []string, run int) {
	keys = make([]string, len(a.g.by))
	n := 1
	for k, i := range a.g.by {
		d := a.s.v.q.By[i]
		if d.bucket() {
			continue
		}
		if values[n] == nil {
			keys[k] = OthersKey
		} else {
			keys[k] = d.keyOf(values[n])
		}
		n++
	}
	r, _ := strconv.Atoi(idKey(asInt(values[0]))) // "" is 0
	return keys, r
}

func asInt(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case int32:
		return int64(v)
	}
	return 0
}

func ordinals(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(i + 1)
	}
	return strings.Join(list, ", ")
}

// counts runs a grouped statement and tells the numbers of each group.
func (a *gathering) counts(ctx context.Context, st *statement, keys, numbers []string, tell func(c *acc, n []int64)) error {
	return a.rows(ctx, st, keys, numbers, func(keys []string, run int, n []int64) { tell(a.acc(keys, run), n) })
}

func (a *gathering) rows(ctx context.Context, st *statement, keys, numbers []string, tell func(keys []string, run int, n []int64)) error {
	if st.none {
		return nil
	}
	casts := make([]string, len(numbers))
	for i, n := range numbers {
		casts[i] = "CAST(" + n + " AS BIGINT)"
	}
	query := st.text("SELECT "+strings.Join(append(append([]string(nil), keys...), casts...), ", "), "GROUP BY "+ordinals(len(keys)))
	rows, err := a.s.tx.Query(ctx, query, st.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	values, n := make([]any, len(keys)), make([]int64, len(numbers))
	into := make([]any, 0, len(keys)+len(numbers))
	for i := range values {
		into = append(into, &values[i])
	}
	for i := range n {
		into = append(into, &n[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		k, run := a.read(values)
		tell(k, run, n)
	}
	return rows.Err()
}

func (a *gathering) opening(ctx context.Context) error {
	st := a.s.statement()
	keys := a.keys(st, "i.opened_day", "i.opened_day")
	st.where(byOpening)
	parts := a.s.v.parts
	when := func(cond string) string { return "COALESCE(sum(CASE WHEN " + cond + " THEN 1 ELSE 0 END), 0)" }
	exprs := []string{"count(*)"}
	tell := []func(*acc, int64){func(c *acc, n int64) { c.opened = int(n) }}
	ask := func(expr string, to func(*acc, int64)) {
		exprs, tell = append(exprs, expr), append(tell, to)
	}
	for t := range timings {
		if parts&t.part() != 0 {
			d := st.duration(t)
			ask("count("+d+")", func(c *acc, n int64) { c.timed[t].n = int(n) })
			ask("COALESCE(sum("+d+"), 0)", func(c *acc, n int64) { c.timed[t].sum = n })
		}
	}
	for m := range marks {
		if parts&m.part() != 0 {
			ask(when(st.marked(m)), func(c *acc, n int64) { c.marked[m] = int(n) })
		}
	}
	for q := range quantities {
		if parts&q.part() != 0 {
			had := st.had(q)
			ask(when(had+" <> 0"), func(c *acc, n int64) { c.had[q].n = int(n) })
			ask("COALESCE(sum("+had+"), 0)", func(c *acc, n int64) { c.had[q].sum = n })
		}
	}
	for i, p := range []part{partComputers, partPupils} {
		if parts&p != 0 {
			ask(when(a.s.knownOn(i)), func(c *acc, n int64) { c.rated[i] = int(n) })
		}
	}
	return a.counts(ctx, st, keys, exprs, func(c *acc, n []int64) {
		for i, to := range tell {
			to(c, n[i])
		}
	})
}

// knownOn is the condition that the number of computers (0) or pupils (1) of
// the incident's school is known on the day of the opening.
func (s *sqlSource) knownOn(i int) string {
	schools := map[span][]string{}
	var order []span
	for _, school := range s.tables.exposures.schools {
		if !s.v.pred.scope.SeesSchool(school.id) {
			continue
		}
		for _, x := range s.tables.exposures.known(school.id, i) {
			if schools[x] == nil {
				order = append(order, x)
			}
			schools[x] = append(schools[x], strconv.FormatInt(school.id, 10))
		}
	}
	if len(order) == 0 {
		return "1 = 0"
	}
	parts := make([]string, len(order))
	for k, x := range order {
		parts[k] = fmt.Sprintf("i.opened_day >= %d AND i.opened_day < %d AND i.school_id IN (%s)", x.from, x.to, strings.Join(schools[x], ", "))
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// quantiles numbers the durations of each group in order and reads those
// around each quantile.
func (a *gathering) quantiles(ctx context.Context, t timing, qs []quantile, tell func(c *acc, q []float64)) error {
	st := a.s.statement()
	keys := a.keys(st, "i.opened_day", "i.opened_day")
	duration := st.duration(t)
	st.where(byOpening)
	if st.none {
		return nil
	}
	st.and(duration + " IS NOT NULL")
	var inner, names []string
	for i, k := range keys {
		name := "k" + strconv.Itoa(i)
		inner, names = append(inner, k+" AS "+name), append(names, name)
	}
	by := strings.Join(names, ", ")
	var wanted []string
	for _, q := range qs {
		at := fmt.Sprintf("(n - 1) * %d / %d", q.num, q.den)
		wanted = append(wanted, at+" + 1", at+" + 2")
	}
	query := "SELECT " + by + ", r, n, v FROM (SELECT " + by + ", v, row_number() OVER (PARTITION BY " + by + " ORDER BY v) AS r, count(*) OVER (PARTITION BY " + by + ") AS n FROM (" +
		st.text("SELECT "+strings.Join(inner, ", ")+", "+duration+" AS v", "") + ") AS d) AS o WHERE r IN (" + strings.Join(wanted, ", ") + ") ORDER BY " + by + ", r"
	rows, err := a.s.tx.Query(ctx, query, st.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	values := make([]any, len(keys))
	into := make([]any, 0, len(keys)+3)
	for i := range values {
		into = append(into, &values[i])
	}
	var r, n, v int64
	into = append(into, &r, &n, &v)
	type group struct {
		keys []string
		run  int
		size int
		at   map[int64]uint32 // by place in order
	}
	groups := map[string]*group{}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		k, run := a.read(values)
		id := strconv.Itoa(run) + "\x00" + joined(k)
		if groups[id] == nil {
			groups[id] = &group{k, run, int(n), map[int64]uint32{}}
		}
		groups[id].at[r-1] = uint32(v)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, g := range groups {
		out := make([]float64, len(qs))
		for k, q := range qs {
			i, weight := q.index(g.size)
			lower := g.at[int64(i)]
			out[k] = float64(lower)
			if weight > 0 {
				out[k] = q.of(lower, g.at[int64(i+1)], weight)
			}
		}
		tell(a.acc(g.keys, g.run), out)
	}
	return nil
}

// backlog counts what was open at the end of each run.
func (a *gathering) backlog(ctx context.Context) error {
	if len(a.g.runs) == 1 {
		st := a.s.statement()
		keys := a.keys(st, "i.opened_day", "i.opened_day")
		st.where(openAt)
		return a.counts(ctx, st, keys, []string{"count(*)"}, func(c *acc, n []int64) { c.backlog = int(n[0]) })
	}
	type line struct {
		keys []string
		runs []int
	}
	lines := map[string]*line{}
	note := func(keys []string, run int, n int) {
		id := joined(keys)
		l := lines[id]
		if l == nil {
			l = &line{keys, make([]int, len(a.g.runs))}
			lines[id] = l
		}
		l.runs[run] += n
	}
	v := a.s.v
	begin := a.s.statement()
	keys := a.keys(begin, "i.opened_day", "i.opened_day")
	begin.whereOpen(fmt.Sprintf("%[1]s = 0 OR %[1]s >= %[2]d", endedDay, v.lo()))
	if err := a.rows(ctx, begin, keys, []string{"count(*)"}, func(keys []string, run int, n []int64) { note(keys, run, int(n[0])) }); err != nil {
		return err
	}
	leave := a.s.statement()
	keys = a.keys(leave, endedDay, "i.opened_day")
	leave.whereOpen(fmt.Sprintf("%[1]s >= %[2]d AND %[1]s < %[3]d", endedDay, v.lo(), v.hi()))
	if err := a.rows(ctx, leave, keys, []string{"count(*)"}, func(keys []string, run int, n []int64) { note(keys, run, -int(n[0])) }); err != nil {
		return err
	}
	for _, l := range lines {
		sum := 0
		for run, n := range l.runs {
			if sum += n; sum != 0 {
				a.acc(append([]string(nil), l.keys...), run).backlog = sum
			}
		}
	}
	return nil
}

// whereOpen adds the conditions of the backlog, with another one on the end.
func (st *statement) whereOpen(end string) {
	st.where(openAt)
	if st.none {
		return
	}
	st.conds[len(st.conds)-1] = "(" + end + ")"
}

func (a *gathering) excluded(ctx context.Context) error {
	st := a.s.statement()
	all := *a.s.v.pred
	all.counted = false
	whole := *a.s
	p := *a.s.v.plan
	p.pred = &all
	whole.v = view{plan: &p, shift: a.s.v.shift}
	st.s = &whole
	st.where(byOpening)
	if st.none {
		return nil
	}
	st.and("i.state IN ('merged', 'cancelled')")
	return a.s.tx.QueryRow(ctx, st.text("SELECT count(*)", ""), st.args...).Scan(&a.cells[0].acc.excluded)
}
