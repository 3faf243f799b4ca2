package cube

import (
	"context"

	"statincidents/internal/calendar"
)

// worker accumulates a share of the chunks for every pass of a scan.
type worker struct {
	passes []pass
	dense  bool
	t      tally
	full   bool // more groups than a question may have

	// hash of composite codes, when not dense
	codes []uint64
	slots []uint32 // index + 1 in codes, 0 free
	shift uint

	sel   [chunkRows]uint16
	group [chunkRows]uint32
	wide  []uint64
}

func newWorker(passes []pass, dense bool, size int) *worker {
	w := &worker{passes: passes, dense: dense}
	if dense {
		w.t.grow(passes, size)
		return w
	}
	w.wide = make([]uint64, chunkRows)
	w.slots = make([]uint32, 1<<12)
	w.shift = 64 - 12
	return w
}

// grow makes every array that the passes need n long.
func (t *tally) grow(passes []pass, n int) {
	wide := func(a *[]uint32) {
		if len(*a) < n {
			*a = append(*a, make([]uint32, n-len(*a))...)
		}
	}
	long := func(a *[]int64) {
		if len(*a) < n {
			*a = append(*a, make([]int64, n-len(*a))...)
		}
	}
	for i := range passes {
		p := passes[i].parts
		if p&partOpened != 0 {
			wide(&t.opened)
		}
		if p&partEnded != 0 {
			wide(&t.ended)
		}
		if p&partBacklog != 0 {
			wide(&t.plus)
			wide(&t.minus)
		}
		for k := range timings {
			if p&k.part() != 0 {
				wide(&t.timed[k].n)
				long(&t.timed[k].sum)
			}
		}
		for k := range marks {
			if p&k.part() != 0 {
				wide(&t.marked[k])
			}
		}
		for k := range quantities {
			if p&k.part() != 0 {
				wide(&t.had[k].n)
				long(&t.had[k].sum)
			}
		}
		if p&partComputers != 0 {
			wide(&t.rated[0])
		}
		if p&partPupils != 0 {
			wide(&t.rated[1])
		}
	}
}

// run takes the chunks first, first + step, …
func (w *worker) run(chunks []*chunk, first, step int) {
	for n := first; n < len(chunks); n += step {
		for i := range w.passes {
			w.chunk(n, chunks[n], &w.passes[i])
			if w.full {
				return
			}
		}
	}
}

func (w *worker) chunk(n int, c *chunk, p *pass) {
	sel, all, left := p.sel.pick(n, c, w.sel[:])
	if p.parts&partOpened != 0 {
		w.t.excluded += left
	}
	if !all && len(sel) == 0 {
		return
	}
	if w.dense && len(p.axes) <= 1 && p.parts&^(partEnded|partBacklog) == p.parts&partOpened && w.single(c, p, sel, all) {
		return
	}
	group := w.groups(c, p, sel, all)
	if w.full {
		return
	}
	t := &w.t
	if p.parts&partOpened != 0 {
		tallyUp(t.opened, group)
	}
	if p.parts&partEnded != 0 {
		tallyUp(t.ended, group)
	}
	if p.parts&partBacklog != 0 {
		if p.minus {
			tallyUp(t.minus, group)
		} else {
			tallyUp(t.plus, group)
		}
	}
	for k := range timings {
		if p.parts&k.part() == 0 {
			continue
		}
		keep := p.parts&k.median() != 0 || k == toResolution && p.parts&partResolutionP90 != 0
		switch k {
		case toResolution:
			t.timed[k].durations(c, c.resolved[:c.n], sel, group, keep)
		case toClosing:
			t.timed[k].durations(c, c.closed[:c.n], sel, group, keep)
		case toResponse:
			t.timed[k].minutes(c, false, sel, group, keep)
		case toMending:
			t.timed[k].minutes(c, true, sel, group, keep)
		}
	}
	for k := range marks {
		if p.parts&k.part() != 0 {
			tallyMark(t.marked[k], group, c.flags(markFlags[k].col), sel, &markFlags[k].table)
		}
	}
	for k := range quantities {
		if p.parts&k.part() != 0 {
			t.had[k].add(c, k, sel, group)
		}
	}
	for i := range p.known {
		if p.known[i] != nil {
			tallyKnown(t.rated[i], group, c, sel, p.known[i])
		}
	}
}

// single counts by one axis (or none) without writing down each row's group.
func (w *worker) single(c *chunk, p *pass, sel []uint16, all bool) bool {
	var into []uint32
	switch {
	case p.parts&partOpened != 0:
		into = w.t.opened
	case p.parts&partEnded != 0:
		into = w.t.ended
	case p.minus:
		into = w.t.minus
	default:
		into = w.t.plus
	}
	if len(p.axes) == 0 {
		if all {
			into[0] += uint32(c.n)
		} else {
			into[0] += uint32(len(sel))
		}
		return true
	}
	a := &p.axes[0]
	switch a.col {
	case colSchool:
		countBy(into, c.school[:c.n], sel, a)
	case colCategory:
		countBy(into, c.category[:c.n], sel, a)
	case colSeverity:
		countBy(into, c.severity[:c.n], sel, a)
	case colStatus:
		countBy(into, c.status[:c.n], sel, a)
	case colSource:
		countBy(into, c.source[:c.n], sel, a)
	case colHandled:
		countBy(into, c.handled[:c.n], sel, a)
	case colOutcome:
		countBy(into, c.outcome[:c.n], sel, a)
	case colWaiting:
		countBy(into, c.waiting[:c.n], sel, a)
	case colOpenedDay:
		countBy(into, c.openedDay[:c.n], sel, a)
	case colEndedDay:
		countBy(into, c.endedDay[:c.n], sel, a)
	default:
		return false
	}
	return true
}

func countBy[T uint8 | uint16 | uint32](into []uint32, data []T, sel []uint16, a *passAxis) {
	table, weight := a.table, uint32(a.weight)
	switch {
	case table == nil && sel == nil:
		for _, v := range data {
			into[uint32(v)*weight]++
		}
	case table == nil:
		for _, i := range sel {
			into[uint32(data[i])*weight]++
		}
	case sel == nil:
		for _, v := range data {
			into[table[v]*weight]++
		}
	default:
		for _, i := range sel {
			into[table[data[i]]*weight]++
		}
	}
}

// groups gives the group's index of each selected row.
func (w *worker) groups(c *chunk, p *pass, sel []uint16, all bool) []uint32 {
	n := len(sel)
	if all {
		n = c.n
	}
	if w.dense {
		group := w.group[:n]
		clear(group)
		for i := range p.axes {
			addAxis(group, c, sel, &p.axes[i])
		}
		return group
	}
	wide := w.wide[:n]
	clear(wide)
	for i := range p.axes {
		addAxis(wide, c, sel, &p.axes[i])
	}
	group := w.group[:n]
	for i, code := range wide {
		group[i] = w.index(code)
	}
	if len(w.codes) > maxGroups {
		w.full = true
	}
	w.t.grow(w.passes, len(w.codes))
	return group
}

// index finds or makes the index of a composite code.
func (w *worker) index(code uint64) uint32 {
	mask := uint64(len(w.slots) - 1)
	h := code * 0x9E3779B97F4A7C15 >> w.shift
	for ; ; h = (h + 1) & mask {
		s := w.slots[h]
		if s == 0 {
			break
		}
		if w.codes[s-1] == code {
			return s - 1
		}
	}
	w.codes = append(w.codes, code)
	w.slots[h] = uint32(len(w.codes))
	if len(w.codes)*2 > len(w.slots) {
		w.rehash()
	}
	return uint32(len(w.codes) - 1)
}

func (w *worker) rehash() {
	w.slots = make([]uint32, 2*len(w.slots))
	w.shift--
	mask := uint64(len(w.slots) - 1)
	for i, code := range w.codes {
		h := code * 0x9E3779B97F4A7C15 >> w.shift
		for w.slots[h] != 0 {
			h = (h + 1) & mask
		}
		w.slots[h] = uint32(i + 1)
	}
}

func addAxis[G uint32 | uint64](group []G, c *chunk, sel []uint16, a *passAxis) {
	n := c.n
	switch a.col {
	case colSchool:
		addCodes(group, c.school[:n], sel, a)
	case colCategory:
		addCodes(group, c.category[:n], sel, a)
	case colCause:
		addCodes(group, c.cause[:n], sel, a)
	case colSolution:
		addCodes(group, c.solution[:n], sel, a)
	case colTeam:
		addCodes(group, c.team[:n], sel, a)
	case colRoom:
		addCodes(group, c.room[:n], sel, a)
	case colMachine:
		addCodes(group, c.machine[:n], sel, a)
	case colDeclarant:
		addCodes(group, c.declarant[:n], sel, a)
	case colAssignee:
		addCodes(group, c.assignee[:n], sel, a)
	case colSeverity:
		addCodes(group, c.severity[:n], sel, a)
	case colStatus:
		addCodes(group, c.status[:n], sel, a)
	case colSource:
		addCodes(group, c.source[:n], sel, a)
	case colHandled:
		addCodes(group, c.handled[:n], sel, a)
	case colOutcome:
		addCodes(group, c.outcome[:n], sel, a)
	case colWaiting:
		addCodes(group, c.waiting[:n], sel, a)
	case colOpenedDay:
		addCodes(group, c.openedDay[:n], sel, a)
	case colEndedDay:
		addCodes(group, c.endedDay[:n], sel, a)
	default:
		panic("cube: no such column")
	}
}

func addCodes[G uint32 | uint64, T uint8 | uint16 | uint32](group []G, data []T, sel []uint16, a *passAxis) {
	table, weight := a.table, G(a.weight)
	switch {
	case table == nil && sel == nil:
		for i, v := range data {
			group[i] += G(v) * weight
		}
	case table == nil:
		for k, i := range sel {
			group[k] += G(data[i]) * weight
		}
	case sel == nil:
		for i, v := range data {
			group[i] += G(table[v]) * weight
		}
	default:
		for k, i := range sel {
			group[k] += G(table[data[i]]) * weight
		}
	}
}

func tallyUp(into, group []uint32) {
	for _, g := range group {
		into[g]++
	}
}

// tallyMark counts the rows whose flags a table says yes to.
func tallyMark(into, group []uint32, flags []uint8, sel []uint16, table *[256]uint8) {
	if sel == nil {
		for k, g := range group {
			into[g] += uint32(table[flags[k]])
		}
		return
	}
	for k, g := range group {
		into[g] += uint32(table[flags[sel[k]]])
	}
}

// tallyKnown counts the rows whose school's denominator is known that day.
func tallyKnown(into, group []uint32, c *chunk, sel []uint16, known [][]span) {
	for k, g := range group {
		i := k
		if sel != nil {
			i = int(sel[k])
		}
		if within(known[c.school[i]], calendar.Day(c.openedDay[i])) {
			into[g]++
		}
	}
}

// timed is what a timing comes to for each group; values are the durations as
// they come, each with its group (in).
type timed struct {
	n          []uint32
	sum        []int64
	in, values []uint32
}

// durations adds up the seconds from opening to an instant of those rows that
// reached it and, if kept, notes each with its group.
func (t *timed) durations(c *chunk, reached []uint32, sel []uint16, group []uint32, keep bool) {
	if keep {
		in, values := roomFor(t.in, len(group)), roomFor(t.values, len(group))
		n := len(in)
		in, values = in[:n+len(group)], values[:n+len(group)]
		for k, g := range group {
			i := k
			if sel != nil {
				i = int(sel[k])
			}
			r := reached[i]
			d := since(c.opened[i], r)
			in[n], values[n] = g, d
			hit := bit(r != 0)
			n += hit
			t.n[g] += uint32(hit)
			t.sum[g] += int64(d)
		}
		t.in, t.values = in[:n], values[:n]
		return
	}
	for k, g := range group {
		i := k
		if sel != nil {
			i = int(sel[k])
		}
		r := reached[i]
		t.n[g] += uint32(bit(r != 0))
		t.sum[g] += int64(since(c.opened[i], r))
	}
}

// minutes does the same of the open minutes of a clock that has stopped.
func (t *timed) minutes(c *chunk, resolution bool, sel []uint16, group []uint32, keep bool) {
	if keep {
		t.in, t.values = roomFor(t.in, len(group)), roomFor(t.values, len(group))
	}
	for k, g := range group {
		i := k
		if sel != nil {
			i = int(sel[k])
		}
		d, stopped := c.spent(resolution, i)
		if !stopped {
			continue
		}
		t.n[g]++
		t.sum[g] += int64(d)
		if keep {
			t.in, t.values = append(t.in, g), append(t.values, d)
		}
	}
}

// summed is what a quantity comes to for each group, and of how many incidents.
type summed struct {
	n   []uint32
	sum []int64
}

func (s *summed) add(c *chunk, q quantity, sel []uint16, group []uint32) {
	for k, g := range group {
		i := k
		if sel != nil {
			i = int(sel[k])
		}
		if v := c.had(q, i); v != 0 {
			s.n[g]++
			s.sum[g] += v
		}
	}
}

// since is the time from one instant to a later one, 0 if it is not later.
func since(from, to uint32) uint32 { return max(to, from) - from }

// roomFor makes sure that n more values fit.
func roomFor(a []uint32, n int) []uint32 {
	if cap(a)-len(a) >= n {
		return a
	}
	out := borrow(2*len(a) + max(n, chunkRows))[:len(a)]
	copy(out, a)
	giveBack(a)
	return out
}

// merge adds another worker's tallies to this one's.
func (w *worker) merge(o *worker) {
	w.full = w.full || o.full
	w.t.excluded += o.t.excluded
	place := func(g uint32) uint32 { return g }
	if !w.dense {
		at := make([]uint32, len(o.codes))
		for i, code := range o.codes {
			at[i] = w.index(code)
		}
		w.t.grow(w.passes, len(w.codes))
		place = func(g uint32) uint32 { return at[g] }
	}
	add := func(into, from []uint32) {
		for i, n := range from {
			if n != 0 {
				into[place(uint32(i))] += n
			}
		}
	}
	t, s := &w.t, &o.t
	add(t.opened, s.opened)
	add(t.ended, s.ended)
	add(t.plus, s.plus)
	add(t.minus, s.minus)
	add(t.rated[0], s.rated[0])
	add(t.rated[1], s.rated[1])
	long := func(into, from []int64) {
		for i, n := range from {
			into[place(uint32(i))] += n
		}
	}
	for k := range marks {
		add(t.marked[k], s.marked[k])
	}
	for k := range quantities {
		add(t.had[k].n, s.had[k].n)
		long(t.had[k].sum, s.had[k].sum)
	}
	for k := range timings {
		a, b := &t.timed[k], &s.timed[k]
		add(a.n, b.n)
		long(a.sum, b.sum)
		a.in = roomFor(a.in, len(b.in))
		a.values = append(roomFor(a.values, len(b.values)), b.values...)
		for _, g := range b.in {
			a.in = append(a.in, place(g))
		}
		giveBack(b.in)
		giveBack(b.values)
	}
}

type serialKey struct{}

// serial marks a context whose questions are already shared between cores.
func serial(ctx context.Context) context.Context { return context.WithValue(ctx, serialKey{}, true) }

func parallel(ctx context.Context) bool { return ctx.Value(serialKey{}) == nil }
