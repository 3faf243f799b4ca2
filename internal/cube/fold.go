package cube

import (
	"context"
	"slices"

	"statincidents/internal/fault"
)

// memorySource folds the base of a view into the groups that are asked.
type memorySource struct {
	f    *facts
	v    view
	base *base // scanned at the first question
}

func (s *memorySource) exposures() *exposures { return s.f.tables.exposures }

func (s *memorySource) release() {
	if s.base != nil {
		for k := range s.base.t.timed {
			giveBack(s.base.t.timed[k].values)
		}
		s.base = nil
	}
}

func (s *memorySource) aggregate(ctx context.Context, g grouping) ([]cell, error) {
	if s.base == nil {
		var err error
		if s.base, err = s.f.scan(ctx, s.v); err != nil {
			return nil, err
		}
	}
	return s.base.fold(s.v, g)
}

// folding maps the codes of one axis of the base to those of a grouping.
type folding struct {
	axis   cubeAxis
	div    uint64   // weight of the axis in the base
	to     []uint32 // nil: the axis's own codes
	key    func(code uint32) string
	card   uint64 // folded
	weight uint64 // in the folded code
	place  int    // in grouping.by
}

func (b *base) fold(v view, g grouping) ([]cell, error) {
	runs := uint64(len(b.runs))
	foldings, last := b.foldings(g)
	// The run of the grouping that holds each run of the base, and whether it
	// is the last one in it: where the backlog is read.
	runTo, runEnds := make([]uint32, runs), make([]bool, runs)
	r := 0
	for i, x := range b.runs {
		for g.runs[r].to <= x.from {
			r++
		}
		runTo[i], runEnds[i] = uint32(r), x.to == g.runs[r].to
	}

	// The cell of each group of the base.
	t := &b.t
	width := last * uint64(len(g.runs))
	var index []uint32 // dense: cell + 1
	var table map[uint64]uint32
	if width <= maxDense {
		index = make([]uint32, width)
	} else {
		table = map[uint64]uint32{}
	}
	var cells []cell
	find := func(code uint64) uint32 {
		var at uint32
		if index != nil {
			at = index[code]
		} else {
			at = table[code]
		}
		if at != 0 {
			return at - 1
		}
		c := cell{keys: make([]string, len(g.by)), run: int(code % uint64(len(g.runs)))}
		for _, f := range foldings {
			c.keys[f.place] = f.key(uint32(code / f.weight % f.card))
		}
		cells = append(cells, c)
		if index != nil {
			index[code] = uint32(len(cells))
		} else {
			table[code] = uint32(len(cells))
		}
		return uint32(len(cells) - 1)
	}
	target := func(code uint64) uint64 {
		out := uint64(runTo[code%runs])
		for i := range foldings {
			f := &foldings[i]
			own := code / f.div % uint64(f.axis.card)
			if f.to != nil {
				own = uint64(f.to[own])
			}
			out += own * f.weight
		}
		return out
	}

	into := make([]uint32, len(b.codes)) // cell + 1 of each group that holds something
	for i, code := range b.codes {
		if !t.holds(i) {
			continue
		}
		at := find(target(code))
		into[i] = at + 1
		a := &cells[at].acc
		a.opened += at32(t.opened, i)
		a.ended += at32(t.ended, i)
		a.rated[0] += at32(t.rated[0], i)
		a.rated[1] += at32(t.rated[1], i)
		for k := range t.timed {
			if from := &t.timed[k]; from.n != nil {
				a.timed[k].n += int(from.n[i])
				a.timed[k].sum += from.sum[i]
			}
		}
		for k := range t.marked {
			a.marked[k] += at32(t.marked[k], i)
		}
		for k := range t.had {
			if from := &t.had[k]; from.n != nil {
				a.had[k].n += int(from.n[i])
				a.had[k].sum += from.sum[i]
			}
		}
	}
	if v.parts&partBacklog != 0 {
		if err := b.backlog(runEnds, func(code uint64, n int) { cells[find(target(code))].acc.backlog += n }); err != nil {
			return nil, err
		}
	}
	var scratch []uint32
	for k := range timings {
		if qs, set := g.parts.quantilesOf(k); len(qs) > 0 {
			quantilesOf(b.starts[k], t.timed[k].values, into, len(cells), qs, &scratch, func(at int, q []float64) { set(&cells[at].acc, q) })
		}
	}
	if len(g.by) == 0 {
		if len(cells) == 0 {
			cells = []cell{{keys: []string{}}}
		}
		cells[0].acc.excluded = t.excluded
	}
	return cells, nil
}

// foldings maps each axis that a grouping keeps; width is the product of their
// folded cardinalities.
func (b *base) foldings(g grouping) (out []folding, width uint64) {
	div := uint64(len(b.runs))
	width = 1
	weight := uint64(len(g.runs))
	for _, a := range b.axes {
		place := slices.Index(g.by, a.by)
		if place >= 0 {
			f := folding{axis: a, div: div, weight: weight, place: place, card: uint64(a.card), key: a.key}
			if a.by == g.top {
				f.fold(g.kept)
			}
			out = append(out, f)
			weight *= f.card
			width *= f.card
		}
		div *= uint64(a.card)
	}
	return out, width
}

// fold keeps some keys of the axis and puts the others together.
func (f *folding) fold(kept []string) {
	places := make(map[string]uint32, len(kept))
	for i, k := range kept {
		places[k] = uint32(i)
	}
	f.to = make([]uint32, f.axis.card)
	for code := range f.to {
		to, ok := places[f.axis.key(uint32(code))]
		if !ok {
			to = uint32(len(kept))
		}
		f.to[code] = to
	}
	f.card = uint64(len(kept) + 1)
	f.key = func(code uint32) string {
		if int(code) < len(kept) {
			return kept[code]
		}
		return OthersKey
	}
}

func at32(a []uint32, i int) int {
	if a == nil {
		return 0
	}
	return int(a[i])
}

// holds tells whether a group has any incident (the backlog aside).
func (t *tally) holds(i int) bool {
	return at32(t.opened, i) > 0 || at32(t.ended, i) > 0
}

// backlog adds up what begins and what leaves, run after run, for each group
// without its run, and tells the figure at the end of the runs asked.
func (b *base) backlog(ends []bool, tell func(code uint64, n int)) error {
	t := &b.t
	runs := len(b.runs)
	if runs == 1 {
		for i, code := range b.codes {
			if n := at32(t.plus, i); n > 0 {
				tell(code, n)
			}
		}
		return nil
	}
	// Group → its runs' balance. Groups of a dense base lie one after the other.
	balance := map[uint64][]int{}
	for i, code := range b.codes {
		n := at32(t.plus, i) - at32(t.minus, i)
		if n == 0 {
			continue
		}
		key := code / uint64(runs)
		line := balance[key]
		if line == nil {
			if (len(balance)+1)*runs > maxBacklog {
				return fault.New(fault.TooLarge, "error.cube.too_many_rows", "rows", maxBacklog, "max", MaxRows)
			}
			line = make([]int, runs)
			balance[key] = line
		}
		line[code%uint64(runs)] += n
	}
	for key, line := range balance {
		sum := 0
		for r, n := range line {
			sum += n
			if ends[r] && sum != 0 {
				tell(key*uint64(runs)+uint64(r), sum)
			}
		}
	}
	return nil
}

// quantilesOf computes quantiles of the durations of each cell. Starts says
// where the durations of each group of the base begin, into which cell each
// group goes.
func quantilesOf(starts, values, into []uint32, cells int, qs []quantile, scratch *[]uint32, tell func(cell int, q []float64)) {
	if starts == nil {
		return
	}
	if cells == 1 {
		tell(0, quantiles(values, qs, scratch))
		return
	}
	// Groups of each cell, in a chain: most cells have one.
	first, next := make([]int32, cells), make([]int32, len(into))
	for g := len(into) - 1; g >= 0; g-- {
		if c := into[g]; c != 0 && starts[g+1] > starts[g] {
			next[g] = first[c-1]
			first[c-1] = int32(g + 1)
		}
	}
	var gathered []uint32
	for c := range cells {
		g := first[c]
		if g == 0 {
			continue
		}
		part := values[starts[g-1]:starts[g]]
		if next[g-1] != 0 {
			gathered = gathered[:0]
			for ; g != 0; g = next[g-1] {
				gathered = append(gathered, values[starts[g-1]:starts[g]]...)
			}
			part = gathered
		}
		tell(c, quantiles(part, qs, scratch))
	}
}
