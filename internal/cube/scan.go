package cube

import (
	"context"
	"sync"

	"statincidents/internal/calendar"
	"statincidents/internal/fault"
)

const (
	// maxDense is the largest product of cardinalities that gets an array; a
	// hash table takes over beyond.
	maxDense = 1 << 18
	// maxBacklog bounds groups × buckets of a backlog, which has a figure in each.
	maxBacklog = 1 << 23
	// maxGroups bounds the groups of one question before any is folded.
	maxGroups = 1 << 22
	// parallelRows is from how many rows on a scan is worth a second core.
	parallelRows = 1 << 17
)

// tally is what is accumulated for each group, by the group's index.
type tally struct {
	opened, ended []uint32
	plus, minus   []uint32 // backlog: begins in a run, ends in a run
	rated         [2][]uint32
	timed         [timings]timed
	marked        [marks][]uint32
	had           [quantities]summed
	excluded      int
}

// passAxis is an axis as a pass reads it, with its weight in the composite code.
type passAxis struct {
	col    column
	table  []uint32 // nil: the column's own code
	weight uint64
}

// pass goes over the rows of one basis.
type pass struct {
	sel   selection
	axes  []passAxis
	parts part
	minus bool // the end of a backlog
	known [2][][]span
}

// cubeAxis is a dimension of By over the columns: its place and cardinality.
type cubeAxis struct {
	by   int
	card int
	key  func(code uint32) string
}

// base is everything that one view of a question needs, by the finest groups:
// the composite code of a group is Σ code × weight, the run first (weight 1).
type base struct {
	axes   []cubeAxis // without the buckets of time
	runs   []run
	codes  []uint64 // of each group
	t      tally
	starts [timings][]uint32 // durations sorted by group: where each group begins
}

// scan fills the base of a view.
func (f *facts) scan(ctx context.Context, v view) (*base, error) {
	all := make([]int, len(v.q.By))
	for i := range all {
		all[i] = i
	}
	b := &base{runs: v.runs(all)}
	passes := f.passes(v, b)

	total := uint64(len(b.runs))
	dense := true
	for _, a := range b.axes {
		total *= uint64(a.card)
		dense = dense && total <= maxDense
	}
	dense = dense && total <= maxDense
	size := 0
	if dense {
		size = int(total)
	}
	rows := 0
	for _, c := range f.chunks {
		if f.wanted(c, passes) {
			rows += c.n
		}
	}
	workers := 1
	if rows >= parallelRows && parallel(ctx) {
		workers = 2
	}
	ws := make([]*worker, workers)
	for i := range ws {
		ws[i] = newWorker(passes, dense, size)
	}
	if workers == 1 {
		ws[0].run(f.chunks, 0, 1)
	} else {
		var wg sync.WaitGroup
		for i, w := range ws {
			wg.Go(func() { w.run(f.chunks, i, workers) })
		}
		wg.Wait()
		ws[0].merge(ws[1])
	}
	w := ws[0]
	if w.full {
		return nil, fault.New(fault.TooLarge, "error.cube.too_many_rows", "rows", maxGroups, "max", MaxRows)
	}
	b.t = w.t
	if dense {
		b.codes = make([]uint64, size)
		for i := range b.codes {
			b.codes[i] = uint64(i)
		}
	} else {
		b.codes = w.codes
	}
	for k := range timings {
		b.starts[k] = bySlot(&b.t.timed[k].in, &b.t.timed[k].values, len(b.codes))
	}
	return b, nil
}

func (f *facts) wanted(c *chunk, passes []pass) bool {
	for i := range passes {
		if s := &passes[i].sel; !s.none && !s.skip(c) {
			return true
		}
	}
	return false
}

// passes makes the passes of a view and the axes of its base.
func (f *facts) passes(v view, b *base) []pass {
	lo, hi := v.lo(), v.hi()
	// The run of each day of the period; the days before it are in the first
	// one, for what was open when it began.
	var runOf []uint32
	if len(b.runs) > 1 {
		runOf = make([]uint32, max(hi, 0))
		for r, x := range b.runs {
			for d := x.from - calendar.Day(v.shift); d < x.to-calendar.Day(v.shift); d++ {
				if d >= 0 {
					runOf[d] = uint32(r)
				}
			}
		}
	}

	type timed struct {
		slot int
		dim  Dim
	}
	var shared []passAxis
	var onDay []timed // axes that read the day of the basis
	weight := uint64(len(b.runs))
	for i, d := range v.q.By {
		if d.bucket() {
			continue
		}
		a := cubeAxis{by: i}
		switch d {
		case DimHour:
			a.card, a.key = 32, func(code uint32) string { return d.key(int(code)) }
			shared = append(shared, passAxis{col: colSource, table: hourTable, weight: weight})
		case DimWeekday:
			a.card, a.key = 8, func(code uint32) string { return d.key(int(code)) }
			onDay = append(onDay, timed{len(shared), d})
			shared = append(shared, passAxis{weight: weight})
		case DimSchoolWeek:
			a.card, a.key = 64, func(code uint32) string { return d.key(int(code)) }
			onDay = append(onDay, timed{len(shared), d})
			shared = append(shared, passAxis{weight: weight})
		default:
			x := f.axis(d)
			a.card, a.key = x.card, x.key
			shared = append(shared, passAxis{col: x.col, table: x.table, weight: weight})
		}
		b.axes = append(b.axes, a)
		weight *= uint64(a.card)
	}
	dayTables := map[Dim][]uint32{}
	for _, t := range onDay {
		table := make([]uint32, max(hi, 0))
		for d := max(v.first, 0); d < hi; d++ {
			table[d] = uint32(t.dim.ord(d, v.pred.calend))
		}
		dayTables[t.dim] = table
	}
	axes := func(runCol column, dayCol column) []passAxis {
		out := append([]passAxis(nil), shared...)
		for _, t := range onDay {
			out[t.slot].col, out[t.slot].table = dayCol, dayTables[t.dim]
		}
		if runOf != nil {
			out = append(out, passAxis{col: runCol, table: runOf, weight: 1})
		}
		return out
	}

	var passes []pass
	opening := pass{
		sel:   f.selectionOf(v.pred, byOpening, v.first, lo, hi, v.shift),
		axes:  axes(colOpenedDay, colOpenedDay),
		parts: v.parts &^ (partEnded | partBacklog),
	}
	for i, p := range []part{partComputers, partPupils} {
		if v.parts&p == 0 {
			continue
		}
		opening.known[i] = f.known(v.pred, i)
	}
	passes = append(passes, opening)
	if v.parts&partEnded != 0 {
		passes = append(passes, pass{
			sel:  f.selectionOf(v.pred, byEnd, v.first, lo, hi, v.shift),
			axes: axes(colEndedDay, colEndedDay), parts: partEnded,
		})
	}
	if v.parts&partBacklog == 0 {
		return passes
	}
	if len(b.runs) == 1 {
		return append(passes, pass{
			sel:  f.selectionOf(v.pred, openAt, v.first, lo, hi, v.shift),
			axes: axes(colOpenedDay, colOpenedDay), parts: partBacklog,
		})
	}
	// Bucket after bucket: what was open when the period began or opened since
	// begins in its run (+), what ended within the period leaves in its own (−);
	// the backlog at the end of a run is the sum so far.
	within := f.selectionOf(v.pred, openAt, v.first, lo, hi, v.shift)
	plus, minus := within, within
	if !within.none {
		plus.skip = func(c *chunk) bool {
			return c.open == 0 && calendar.Day(c.maxEnded) < lo || calendar.Day(c.minOpened) >= hi
		}
		minus.skip = func(c *chunk) bool {
			return calendar.Day(c.maxEnded) < lo || calendar.Day(c.minEnded) >= hi || calendar.Day(c.minOpened) >= hi
		}
		plus.conds = replaceOpenAt(within.conds, cond{kind: condOpenAt, lo: uint16(max(lo, 1))})
		minus.conds = replaceOpenAt(within.conds, cond{kind: condDays, col: colEndedDay, lo: uint16(max(lo, 1)), n: uint16(hi - max(lo, 1))})
	}
	return append(passes,
		pass{sel: plus, axes: axes(colOpenedDay, colOpenedDay), parts: partBacklog},
		pass{sel: minus, axes: axes(colEndedDay, colOpenedDay), parts: partBacklog, minus: true})
}

func replaceOpenAt(conds []cond, by cond) []cond {
	out := append([]cond(nil), conds...)
	for i := range out {
		if out[i].kind == condOpenAt {
			out[i] = by
		}
	}
	return out
}

// bySlot sorts durations by group (a counting sort) and gives where each group
// begins, with the end last.
func bySlot(in, values *[]uint32, groups int) []uint32 {
	if len(*in) == 0 {
		return nil
	}
	starts := make([]uint32, groups+1)
	for _, g := range *in {
		starts[g+1]++
	}
	for g := range groups {
		starts[g+1] += starts[g]
	}
	sorted := borrow(len(*in))[:len(*in)]
	next := append([]uint32(nil), starts...)
	for i, g := range *in {
		sorted[next[g]] = (*values)[i]
		next[g]++
	}
	giveBack(*in)
	giveBack(*values)
	*in, *values = nil, sorted
	return starts
}

// buffers are the arrays of durations of former questions: a few megabytes
// each, which a busy screen would otherwise make and clear all the time.
var buffers sync.Pool

// borrow gives an empty array with room for n values.
func borrow(n int) []uint32 {
	if p, ok := buffers.Get().(*[]uint32); ok && cap(*p) >= n {
		return (*p)[:0]
	}
	return make([]uint32, 0, n)
}

func giveBack(a []uint32) {
	if cap(a) > 0 {
		buffers.Put(&a)
	}
}
