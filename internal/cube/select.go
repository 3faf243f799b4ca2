package cube

import "statincidents/internal/calendar"

// cond is one condition on a column. A chunk's rows pass through the
// conditions one after the other as a shrinking list of places.
type cond struct {
	kind  condKind
	col   column
	table []uint8 // condTable: 1 for the codes that pass
	lo, n uint16  // condDays: the days [lo, lo+n); condOpenAt: open at the start of day lo
	not   bool    // condReached: those that did not

	// condOwn: declared by one person, if known, or joined by them.
	declarant uint32
	known     bool
	joined    map[uint32]bool

	where func(c *chunk, i int) bool
}

type condKind int

const (
	condTable   condKind = iota
	condDays             // of col, which holds days
	condOpenAt           // not ended, or on lo or after
	condReached          // resolved (colResolvedAt) or closed has an instant
	condOwn
	condWhere // what where says of a row
)

const (
	colResolvedAt column = 100 + iota
	colClosedAt
)

// narrow keeps the places of sel (nil: all n rows) whose value passes a table.
// The table's 0 or 1 is added to the length, so that no branch is guessed.
func narrow[T uint8 | uint16 | uint32](out, sel []uint16, data []T, table []uint8) []uint16 {
	k := 0
	if sel == nil {
		out = out[:len(data)]
		for i, v := range data {
			out[k] = uint16(i)
			k += int(table[v])
		}
		return out[:k]
	}
	out = out[:len(sel)]
	for _, i := range sel {
		out[k] = i
		k += int(table[data[i]])
	}
	return out[:k]
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// narrowDays keeps the places whose day d has d - lo < n (unsigned).
func narrowDays(out, sel, data []uint16, lo, n uint16) []uint16 {
	k := 0
	if sel == nil {
		out = out[:len(data)]
		for i, v := range data {
			out[k] = uint16(i)
			k += bit(v-lo < n)
		}
		return out[:k]
	}
	out = out[:len(sel)]
	for _, i := range sel {
		out[k] = i
		k += bit(data[i]-lo < n)
	}
	return out[:k]
}

func (q *cond) narrowOwn(c *chunk, out, sel []uint16) []uint16 {
	k := 0
	mine := func(i uint16) bool { return q.known && c.declarant[i] == q.declarant || q.joined[c.id[i]] }
	if sel == nil {
		out = out[:c.n]
		for i := range c.n {
			out[k] = uint16(i)
			k += bit(mine(uint16(i)))
		}
		return out[:k]
	}
	out = out[:len(sel)]
	for _, i := range sel {
		out[k] = i
		k += bit(mine(i))
	}
	return out[:k]
}

func narrowWhere(c *chunk, out, sel []uint16, where func(c *chunk, i int) bool) []uint16 {
	k := 0
	if sel == nil {
		for i := range c.n {
			if where(c, i) {
				out[k] = uint16(i)
				k++
			}
		}
		return out[:k]
	}
	for _, i := range sel {
		if where(c, int(i)) {
			out[k] = i
			k++
		}
	}
	return out[:k]
}

func narrowReached(out, sel []uint16, data []uint32, want bool) []uint16 {
	k := 0
	if sel == nil {
		out = out[:len(data)]
		for i, v := range data {
			out[k] = uint16(i)
			k += bit((v != 0) == want)
		}
		return out[:k]
	}
	out = out[:len(sel)]
	for _, i := range sel {
		out[k] = i
		k += bit((data[i] != 0) == want)
	}
	return out[:k]
}

// apply narrows a selection of a chunk by a condition. Out may be sel's array.
func (q *cond) apply(c *chunk, out, sel []uint16) []uint16 {
	n := c.n
	switch q.kind {
	case condDays:
		if q.col == colOpenedDay {
			if sel == nil && c.minOpened-q.lo < q.n && c.maxOpened-q.lo < q.n && c.minOpened >= q.lo {
				return nil
			}
			return narrowDays(out, sel, c.openedDay[:n], q.lo, q.n)
		}
		return narrowDays(out, sel, c.endedDay[:n], q.lo, q.n)
	case condOpenAt:
		// 0 (not ended) becomes the largest day.
		k := 0
		if sel == nil {
			out = out[:n]
			for i, v := range c.endedDay[:n] {
				out[k] = uint16(i)
				k += bit(v-1 >= q.lo-1)
			}
			return out[:k]
		}
		out = out[:len(sel)]
		for _, i := range sel {
			out[k] = i
			k += bit(c.endedDay[i]-1 >= q.lo-1)
		}
		return out[:k]
	case condReached:
		if q.col == colResolvedAt {
			return narrowReached(out, sel, c.resolved[:n], !q.not)
		}
		return narrowReached(out, sel, c.closed[:n], !q.not)
	case condOwn:
		return q.narrowOwn(c, out, sel)
	case condWhere:
		return narrowWhere(c, out, sel, q.where)
	}
	switch q.col {
	case colSchool:
		return narrow(out, sel, c.school[:n], q.table)
	case colCategory:
		return narrow(out, sel, c.category[:n], q.table)
	case colCause:
		return narrow(out, sel, c.cause[:n], q.table)
	case colSolution:
		return narrow(out, sel, c.solution[:n], q.table)
	case colTeam:
		return narrow(out, sel, c.team[:n], q.table)
	case colRoom:
		return narrow(out, sel, c.room[:n], q.table)
	case colMachine:
		return narrow(out, sel, c.machine[:n], q.table)
	case colDeclarant:
		return narrow(out, sel, c.declarant[:n], q.table)
	case colAssignee:
		return narrow(out, sel, c.assignee[:n], q.table)
	case colSeverity:
		return narrow(out, sel, c.severity[:n], q.table)
	case colStatus:
		return narrow(out, sel, c.status[:n], q.table)
	case colSource:
		return narrow(out, sel, c.source[:n], q.table)
	case colHandled:
		return narrow(out, sel, c.handled[:n], q.table)
	case colOutcome:
		return narrow(out, sel, c.outcome[:n], q.table)
	case colWaiting:
		return narrow(out, sel, c.waiting[:n], q.table)
	case colOpenedDay:
		return narrow(out, sel, c.openedDay[:n], q.table)
	case colEndedDay:
		return narrow(out, sel, c.endedDay[:n], q.table)
	}
	panic("cube: no such column")
}

// selection is what a predicate becomes over the columns for one basis.
type selection struct {
	none    bool
	skip    func(*chunk) bool // no row of the chunk can pass
	conds   []cond
	counted bool                // merged and cancelled are left out, after conds
	rows    map[uint32][]uint16 // with a text: the places, by chunk
	text    bool
}

// filters makes the conditions of a predicate on everything but time.
func (f *facts) filters(p *predicate) (conds []cond, none bool) {
	if p.scope.Nothing() {
		return nil, true
	}
	tables := map[column][]uint8{}
	var order []column
	table := func(col column) []uint8 {
		t := tables[col]
		if t == nil {
			t = make([]uint8, f.domain(col))
			for i := range t {
				t[i] = 1
			}
			tables[col] = t
			order = append(order, col)
		}
		return t
	}
	only := func(col column, pass func(code int) bool) {
		t := table(col)
		for i := range t {
			if !pass(i) {
				t[i] = 0
			}
		}
	}
	if ids, ok := p.scope.Schools(); ok {
		seen := map[uint32]bool{}
		for _, id := range ids {
			if code, ok := f.schools.codes[id]; ok {
				seen[code] = true
			}
		}
		only(colSchool, func(code int) bool { return seen[uint32(code)] })
	}
	if person, ok := p.scope.Own(); ok {
		code, known := f.people.codes[person]
		joined := f.followers.by[person]
		switch {
		case !known && len(joined) == 0:
			return nil, true
		case len(joined) == 0:
			only(colDeclarant, func(c int) bool { return c == int(code) })
		default:
			conds = append(conds, cond{kind: condOwn, declarant: code, known: known, joined: joined})
		}
	}
	for _, filter := range p.keys {
		a := f.axis(filter.Dim)
		pass := a.passing(filter)
		only(a.col, func(code int) bool {
			if a.table != nil {
				code = int(a.table[code])
			}
			return code < len(pass) && pass[code] // packed columns have codes that no incident has
		})
	}
	if !p.allHours() {
		only(colSource, func(code int) bool { h := code >> 3; return h < 24 && p.hour[h] })
	}
	for _, col := range order {
		conds = append(conds, cond{kind: condTable, col: col, table: tables[col]})
	}
	return conds, false
}

// passing tells which codes of an axis pass a filter.
func (a axis) passing(f Filter) []bool {
	pass := make([]bool, a.card)
	if len(f.In) > 0 {
		for _, key := range f.In {
			if code, ok := a.code(key); ok {
				pass[code] = true
			}
		}
	} else {
		for i := range pass {
			pass[i] = true
		}
	}
	for _, key := range f.NotIn {
		if code, ok := a.code(key); ok {
			pass[code] = false
		}
	}
	if f.From != "" || f.To != "" {
		for i := range pass {
			pass[i] = pass[i] && f.accepts(a.key(uint32(i)))
		}
	}
	return pass
}

// days makes the condition that a column's day is in [lo, hi) and passes the
// filters on time.
func (p *predicate) daysCond(col column, lo, hi calendar.Day, shift int) (c cond, none bool) {
	spans := p.days(lo, hi, shift, true)
	if len(spans) == 0 {
		return cond{}, true
	}
	if len(spans) == 1 && p.allWeekdays() {
		return cond{kind: condDays, col: col, lo: uint16(spans[0].from), n: uint16(spans[0].to - spans[0].from)}, false
	}
	table := make([]uint8, maxDay+1)
	for _, s := range spans {
		for d := s.from; d < s.to; d++ {
			if p.weekday[d.Weekday()] {
				table[d] = 1
			}
		}
	}
	return cond{kind: condTable, col: col, table: table}, false
}

// selectionOf makes a predicate ready for the columns: the incidents of a
// basis in [lo, hi). For the backlog that is what was open at the start of day
// hi, opened since first.
func (f *facts) selectionOf(p *predicate, b basis, first, lo, hi calendar.Day, shift int) selection {
	s := selection{counted: p.counted, text: p.text}
	conds, none := f.filters(p)
	lo, hi = max(lo, 1), min(hi, maxDay)
	if none || hi <= 0 || lo >= hi {
		return selection{none: true}
	}
	var day cond
	switch b {
	case byOpening:
		day, none = p.daysCond(colOpenedDay, lo, hi, shift)
		s.skip = func(c *chunk) bool { return calendar.Day(c.maxOpened) < lo || calendar.Day(c.minOpened) >= hi }
	case byEnd:
		day, none = p.daysCond(colEndedDay, lo, hi, shift)
		s.skip = func(c *chunk) bool { return calendar.Day(c.maxEnded) < lo || calendar.Day(c.minEnded) >= hi }
	case openAt:
		day, none = p.daysCond(colOpenedDay, max(first, 1), hi, shift)
		s.skip = func(c *chunk) bool {
			return c.open == 0 && calendar.Day(c.maxEnded) < hi || calendar.Day(c.minOpened) >= hi
		}
		s.conds = append(s.conds, cond{kind: condOpenAt, lo: uint16(hi)})
	}
	if none {
		return selection{none: true}
	}
	// Days first: they skip whole chunks and cost a comparison.
	s.conds = append(append([]cond{day}, s.conds...), conds...)
	if p.text {
		s.rows = f.places(p.ids)
	}
	return s
}

// places sorts incidents by chunk.
func (f *facts) places(ids []int64) map[uint32][]uint16 {
	seen := make(map[uint32]bool, len(ids))
	rows := map[uint32][]uint16{}
	for _, id := range ids {
		if row, ok := f.find(uint32(id)); ok && !seen[row] {
			seen[row] = true
			rows[row/chunkRows] = append(rows[row/chunkRows], uint16(row%chunkRows))
		}
	}
	return rows
}

// pick gives the rows of a chunk that pass; nil with all set when every row
// does. Left is how many were left out for being merged or cancelled.
func (s *selection) pick(n int, c *chunk, buf []uint16) (sel []uint16, all bool, left int) {
	if s.none || s.skip != nil && s.skip(c) {
		return nil, false, 0
	}
	if s.text {
		sel = buf[:copy(buf, s.rows[uint32(n)])]
		if len(sel) == 0 {
			return nil, false, 0
		}
	}
	for i := range s.conds {
		sel = s.conds[i].apply(c, buf, sel)
		if sel != nil && len(sel) == 0 {
			return nil, false, 0
		}
	}
	if !s.counted || c.excluded == 0 {
		return sel, sel == nil, 0
	}
	had := c.n
	if sel != nil {
		had = len(sel)
	}
	sel = narrow(buf, sel, c.status[:c.n], notLeftOut[:])
	return sel, false, had - len(sel)
}

var notLeftOut = statusTable(func(s uint8) uint8 { return 1 - leftOut[s] })
