package cube

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/calendar"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// What the package comment says of one incident, in SQL. i is the incident.
const (
	isOpen = `i.state IN ('new', 'assigned', 'planned', 'waiting')`

	endedDay = `CASE WHEN ` + isOpen + ` THEN 0
		WHEN i.resolved_at > 0 THEN CASE WHEN i.resolved_day > i.opened_day THEN i.resolved_day ELSE i.opened_day END
		WHEN i.closed_at > 0 AND i.closed_day > i.opened_day THEN i.closed_day
		ELSE i.opened_day END`

	resolutionSeconds = `CASE WHEN ` + isOpen + ` OR i.resolved_at = 0 THEN NULL
		WHEN i.resolved_at / 1000 > i.opened_at / 1000 THEN i.resolved_at / 1000 - i.opened_at / 1000 ELSE 0 END`

	closingSeconds = `CASE WHEN ` + isOpen + ` OR i.closed_at = 0 THEN NULL
		WHEN i.closed_at / 1000 > i.opened_at / 1000 THEN i.closed_at / 1000 - i.opened_at / 1000 ELSE 0 END`

	earlier = ` AND q.state NOT IN ('merged', 'cancelled') AND q.opened_at >= (i.opened_at / 1000 - 2592000) * 1000
		AND (q.opened_at / 1000 < i.opened_at / 1000 OR q.opened_at / 1000 = i.opened_at / 1000 AND q.incident_id < i.incident_id))`

	isRepeat = `(i.machine_label <> '' AND EXISTS (SELECT 1 FROM incident q WHERE q.tenant_id = i.tenant_id AND q.machine_label = i.machine_label
			AND q.machine_label <> ''` + earlier + `
		OR i.room_id <> 0 AND i.category_id <> 0 AND EXISTS (SELECT 1 FROM incident q WHERE q.tenant_id = i.tenant_id AND q.room_id = i.room_id
			AND q.room_id <> 0 AND q.category_id = i.category_id` + earlier + `)`
)

// The levels of every category, from the top down.
const categoryLevels = `level(category_id, l1, l2, l3, depth) AS (
	SELECT category_id, category_id, CAST(0 AS BIGINT), CAST(0 AS BIGINT), 1 FROM category WHERE tenant_id = $1 AND parent_id = 0
	UNION ALL
	SELECT c.category_id, u.l1, CASE WHEN u.depth = 1 THEN c.category_id ELSE u.l2 END, CASE WHEN u.depth = 2 THEN c.category_id ELSE u.l3 END, u.depth + 1
	FROM category c JOIN level u ON u.category_id = c.parent_id WHERE c.tenant_id = $1)`

// statement builds one SELECT on the incidents that a view keeps.
type statement struct {
	s      *sqlSource
	conds  []string
	args   []any
	none   bool // nothing can be found
	joins  map[string]bool
	ranked bool // schools have their rank
}

func (s *sqlSource) statement() *statement {
	return &statement{s: s, args: []any{s.tenant}, conds: []string{"i.tenant_id = $1"}, joins: map[string]bool{}}
}

func (st *statement) and(cond string) { st.conds = append(st.conds, "("+cond+")") }

// arg adds an argument and gives its placeholder.
func (st *statement) arg(v any) string {
	st.args = append(st.args, v)
	return "$" + strconv.Itoa(len(st.args))
}

// text is the whole statement.
func (st *statement) text(selects, tail string) string {
	var with []string
	join := ""
	if st.joins["level"] {
		with = append(with, categoryLevels)
		join += " LEFT JOIN level ON level.category_id = i.category_id"
	}
	if st.joins["school"] {
		join += " LEFT JOIN school s ON s.tenant_id = i.tenant_id AND s.school_id = i.school_id"
	}
	if st.joins["person"] {
		join += " LEFT JOIN person p ON p.tenant_id = i.tenant_id AND p.person_id = i.declarant_id"
	}
	if st.ranked {
		values := []string{"(CAST(-1 AS BIGINT), 0)"}
		for id, n := range st.s.tables.rank {
			values = append(values, fmt.Sprintf("(%d, %d)", id, n))
		}
		with = append(with, "rank(school_id, n) AS (VALUES "+strings.Join(values, ", ")+")")
		join += " LEFT JOIN rank ON rank.school_id = i.school_id"
	}
	if st.joins["clock"] {
		join += " LEFT JOIN service_clock k ON k.tenant_id = i.tenant_id AND k.incident_id = i.incident_id"
	}
	if st.joins["desk"] {
		with = append(with, "desk AS ("+deskSums("")+")")
		join += " LEFT JOIN desk ON desk.incident_id = i.incident_id"
	}
	head := ""
	if len(with) > 0 {
		head = "WITH RECURSIVE " + strings.Join(with, ", ") + " "
	}
	return head + selects + " FROM incident i" + join + " WHERE " + strings.Join(st.conds, " AND ") + " " + tail
}

// expr is the value of a dimension; day is the expression of the basis's day.
func (st *statement) expr(d Dim, day string) string {
	switch d {
	case DimSchool:
		return "i.school_id"
	case DimCommune:
		st.joins["school"] = true
		return "COALESCE(s.commune, '')"
	case DimRoom:
		return "i.room_id"
	case DimNetwork:
		return "i.network"
	case DimCategory, DimCategory2, DimCategory3:
		st.joins["level"] = true
		return "COALESCE(level.l" + map[Dim]string{DimCategory: "1", DimCategory2: "2", DimCategory3: "3"}[d] + ", 0)"
	case DimCause:
		return "i.cause_code_id"
	case DimResolution:
		return "i.resolution_code_id"
	case DimPriority:
		return "i.priority"
	case DimImpact:
		return "i.impact"
	case DimUrgency:
		return "i.urgency"
	case DimState:
		return "i.state"
	case DimOpen:
		return "CASE WHEN " + isOpen + " THEN 'yes' ELSE 'no' END"
	case DimOrigin:
		return "i.origin"
	case DimHandled:
		return "CASE WHEN i.level = '' THEN '" + directWord + "' ELSE i.level END"
	case DimTeam:
		return "i.team_id"
	case DimAssignee:
		return "i.assignee_id"
	case DimDeclarant:
		st.joins["person"] = true
		return "COALESCE(p.kind, '')"
	case DimMachine:
		return "i.machine_label"
	case DimTarget:
		return "i.target"
	case DimReopened:
		return "CASE WHEN i.reopen_count > 0 THEN 'yes' ELSE 'no' END"
	case DimResponseClock:
		return st.outcome("response")
	case DimResolutionClock:
		return st.outcome("resolution")
	case DimWaiting:
		return "i.waiting_code_id"
	case DimRating:
		return "i.rating"
	case DimReassigned:
		return "CASE WHEN i.reassign_count <= 0 THEN '0' WHEN i.reassign_count = 1 THEN '1' WHEN i.reassign_count = 2 THEN '2' ELSE '3' END"
	case DimHour:
		return "i.opened_hour"
	case DimWeekday:
		return "(" + day + " + 3) % 7 + 1"
	case DimSchoolWeek:
		return st.weekExpr(day)
	}
	panic("cube: no expression for " + string(d))
}

// outcome says how a service clock stands, in clockWords.
func (st *statement) outcome(clock string) string {
	st.joins["clock"] = true
	return strings.ReplaceAll(fmt.Sprintf(`CASE WHEN k.CLOCK_target IS NULL OR k.CLOCK_target = 0 OR k.CLOCK_phase = 'void' THEN ''
		WHEN k.CLOCK_late_at / 1000 > 0 AND k.CLOCK_late_at / 1000 <= %d THEN 'late' WHEN k.CLOCK_phase = 'stopped' THEN 'kept' ELSE 'running' END`, st.s.now), "CLOCK", clock)
}

// duration is a timing of an incident, NULL without one.
func (st *statement) duration(t timing) string {
	switch t {
	case toResolution:
		return resolutionSeconds
	case toClosing:
		return closingSeconds
	case toResponse:
		st.joins["clock"] = true
		return "CASE WHEN k.response_phase = 'stopped' THEN k.response_spent END"
	}
	st.joins["clock"] = true
	return "CASE WHEN k.resolution_phase = 'stopped' THEN k.resolution_spent END"
}

// marked is the condition that an incident has a mark.
func (st *statement) marked(m mark) string {
	switch m {
	case isReopened:
		return "i.reopen_count > 0"
	case isRepeated:
		return isRepeat
	case keptResponse:
		return st.outcome("response") + " = 'kept'"
	case lateResponse:
		return st.outcome("response") + " = 'late'"
	case keptResolution:
		return st.outcome("resolution") + " = 'kept'"
	case lateResolution:
		return st.outcome("resolution") + " = 'late'"
	case isRated:
		return "i.rating <> ''"
	case isSatisfied:
		return "i.rating = 'satisfied'"
	}
	return "i.rating = 'unsatisfied'"
}

// had is how much of a quantity an incident has.
func (st *statement) had(q quantity) string {
	if q == ofReassignments {
		return "CASE WHEN i.reassign_count > 0 THEN i.reassign_count ELSE 0 END"
	}
	st.joins["desk"] = true
	return "COALESCE(desk." + map[quantity]string{ofParts: "parts", ofCents: "cents", ofVisits: "visits", ofMinutes: "minutes", ofLists: "lists", ofFailures: "failures"}[q] + ", 0)"
}

// behind is the condition that an incident has what a part is about.
func (st *statement) behind(p part) string {
	for t := range timings {
		if p == t.part() {
			return st.duration(t) + " IS NOT NULL"
		}
	}
	for m := range marks {
		if p == m.part() {
			return st.marked(m)
		}
	}
	for q := range quantities {
		if p == q.part() {
			return st.had(q) + " <> 0"
		}
	}
	panic("cube: no condition for a part")
}

// weekExpr numbers the school week of a day from the first incident to the end
// of the period.
func (st *statement) weekExpr(day string) string {
	v := st.s.v
	var steps []step
	for d := min(v.first, v.lo()); d < v.hi(); d++ {
		if n := DimSchoolWeek.ord(d, v.pred.calend); len(steps) == 0 || steps[len(steps)-1].value != n {
			steps = append(steps, step{d, n})
		}
	}
	return stepExpr(day, steps)
}

// step is a value that holds from a day on.
type step struct {
	from  calendar.Day
	value int
}

// stepExpr chooses the value of a day by halves, so that a few hundred steps
// cost a few comparisons a row on either engine.
func stepExpr(day string, steps []step) string {
	var b strings.Builder
	var write func(part []step)
	write = func(part []step) {
		if len(part) == 1 {
			b.WriteString(strconv.Itoa(part[0].value))
			return
		}
		mid := len(part) / 2
		fmt.Fprintf(&b, "CASE WHEN %s < %d THEN ", day, part[mid].from)
		write(part[:mid])
		b.WriteString(" ELSE ")
		write(part[mid:])
		b.WriteString(" END")
	}
	if len(steps) == 0 {
		return "0"
	}
	write(steps)
	return b.String()
}

// number tells whether the keys of a dimension are numbers in SQL.
func (d Dim) number() bool {
	switch d {
	case DimPriority, DimImpact, DimUrgency:
		return true
	}
	return dimensions[d].kind == kindID
}

// sqlKey is a key as SQL holds it.
func (d Dim) sqlKey(key string) any {
	if !d.number() {
		return key
	}
	if key == "" {
		return int64(0)
	}
	n, _ := strconv.ParseInt(key, 10, 64) // keys were checked
	return n
}

// keyOf is a key as the cube writes it.
func (d Dim) keyOf(v any) string {
	switch v := v.(type) {
	case int64:
		if dimensions[d].kind == kindCycle {
			return d.key(int(v))
		}
		return idKey(v)
	case int32:
		return d.keyOf(int64(v))
	case []byte:
		return string(v)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// where adds the conditions of the view for a basis.
func (st *statement) where(b basis) {
	v := st.s.v
	p := v.pred
	if p.scope.Nothing() {
		st.none = true
		return
	}
	cond, args := incident.ScopeSQL(p.scope, "i", len(st.args)+1)
	st.args = append(st.args, args...)
	st.and(cond)
	if p.counted {
		st.and("i.state NOT IN ('merged', 'cancelled')")
	}
	if p.text {
		ids, _ := json.Marshal(p.ids) //nolint:errchkjson // a list of numbers can always be written
		if p.ids == nil {
			ids = []byte("[]")
		}
		a := st.arg(string(ids))
		if st.s.tx.Dialect() == sqldb.PostgreSQL {
			st.and("i.incident_id IN (SELECT CAST(x AS BIGINT) FROM json_array_elements_text(CAST(" + a + " AS json)) AS x)")
		} else {
			st.and("i.incident_id IN (SELECT value FROM json_each(" + a + "))")
		}
	}
	for _, f := range p.keys {
		st.filter(f)
	}
	if !p.allHours() {
		var hours []string
		for h, keep := range p.hour {
			if keep {
				hours = append(hours, strconv.Itoa(h))
			}
		}
		st.oneOf("i.opened_hour", hours)
	}
	switch b {
	case byOpening:
		st.days("i.opened_day", v.lo(), v.hi())
	case byEnd:
		st.days(endedDay, v.lo(), v.hi())
	case openAt:
		st.days("i.opened_day", v.first, v.hi())
		st.and(fmt.Sprintf("%[1]s = 0 OR %[1]s >= %[2]d", endedDay, v.hi()))
	}
}

// oneOf adds a condition that an expression has one of some literal numbers.
func (st *statement) oneOf(expr string, list []string) {
	if len(list) == 0 {
		st.none = true
		return
	}
	st.and(expr + " IN (" + strings.Join(list, ", ") + ")")
}

// days adds the condition that a day is in [lo, hi) and passes the filters on time.
func (st *statement) days(expr string, lo, hi calendar.Day) {
	p := st.s.v.pred
	spans := p.days(max(lo, 1), hi, st.s.v.shift, true)
	if len(spans) == 0 {
		st.none = true
		return
	}
	parts := make([]string, len(spans))
	for i, s := range spans {
		parts[i] = fmt.Sprintf("%[1]s >= %[2]d AND %[1]s < %[3]d", expr, s.from, s.to)
	}
	st.and(strings.Join(parts, " OR "))
	if p.allWeekdays() {
		return
	}
	var weekdays []string
	for d, keep := range p.weekday {
		if keep {
			weekdays = append(weekdays, strconv.Itoa(d+1))
		}
	}
	st.oneOf(st.expr(DimWeekday, expr), weekdays)
}

// filter adds a filter on a dimension that is not of time.
func (st *statement) filter(f Filter) {
	expr := st.expr(f.Dim, "")
	list := func(keys []string) string {
		marks := make([]string, len(keys))
		for i, k := range keys {
			marks[i] = st.arg(f.Dim.sqlKey(k))
		}
		return "(" + strings.Join(marks, ", ") + ")"
	}
	if len(f.In) > 0 {
		st.and(expr + " IN " + list(f.In))
	}
	if len(f.NotIn) > 0 {
		st.and(expr + " NOT IN " + list(f.NotIn))
	}
	if f.From == "" && f.To == "" {
		return
	}
	if words := dimensions[f.Dim].words; words != nil {
		bounds := Filter{Dim: f.Dim, From: f.From, To: f.To}
		inside := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !bounds.accepts(w) })
		if len(inside) == 0 {
			st.none = true
			return
		}
		st.and(expr + " IN " + list(inside))
		return
	}
	nothing := any("")
	if f.Dim.number() {
		nothing = int64(0)
	} else if st.s.tx.Dialect() == sqldb.PostgreSQL {
		expr += ` COLLATE "C"` // by bytes, as SQLite compares
	}
	st.and(expr + " <> " + st.arg(nothing))
	if f.From != "" {
		st.and(expr + " >= " + st.arg(f.Dim.sqlKey(f.From)))
	}
	if f.To != "" {
		st.and(expr + " <= " + st.arg(f.Dim.sqlKey(f.To)))
	}
}
