package cube

import (
	"context"
	"slices"
	"strings"

	"statincidents/internal/calendar"
	"statincidents/internal/fault"
)

// plan is a checked question with its period.
type plan struct {
	q        Query
	pred     *predicate
	from, to calendar.Day // [from, to), as answered
	first    calendar.Day // the day of the département's first incident, or from if earlier
	parts    part
}

// view is a plan seen at a period: the asked one (shift 0) or an earlier one.
type view struct {
	*plan
	shift int
}

func (v view) lo() calendar.Day { return v.from - calendar.Day(v.shift) }
func (v view) hi() calendar.Day { return v.to - calendar.Day(v.shift) }

// run is a bucket of time, cut by all the bucket dimensions of a grouping: the
// days [from, to) of the asked period, and the key of each such dimension.
type run struct {
	from, to calendar.Day
	keys     []string
}

// grouping is a way to cut the incidents.
type grouping struct {
	by   []int // positions in Query.By
	runs []run // in order and without holes over the period; one when nothing cuts it
	top  int   // position in Query.By of the dimension whose other keys are folded, -1 for none
	kept []string

	// parts are what is needed of each group; those that a source gathers anyway
	// may be there too. What costs is the quantiles.
	parts part
}

// cell is a group with its key for each position of grouping.by ("" for bucket
// dimensions, which are told by run).
type cell struct {
	keys []string
	run  int
	acc  acc
}

// source cuts the incidents of one view; each executor has its own.
type source interface {
	// aggregate gives the groups that hold something, in any order.
	aggregate(ctx context.Context, g grouping) ([]cell, error)
	exposures() *exposures
	// release gives back what the source holds; it is not asked again.
	release()
}

// newPlan fixes the period of a checked question. Today and first are days of
// the tenant; first is 0 when there is no incident.
func newPlan(q Query, pred *predicate, today, first calendar.Day) (*plan, error) {
	p := &plan{q: q, pred: pred, from: q.From, to: q.To, parts: partsOf(q.Measures)}
	if p.to == 0 {
		p.to = today + 1
	}
	if first == 0 {
		first = p.to - 1
	}
	if p.from == 0 {
		p.from = min(first, p.to-1)
	}
	p.first = min(first, p.from)
	if p.to <= p.from {
		// A period that begins after today and has no end: nothing happened in it.
		p.to = p.from + 1
	}
	if p.to-p.from > MaxPeriod {
		return nil, fault.InvalidField("from", "error.cube.period_long", "max", MaxPeriod)
	}
	if (q.From == 0 || q.To == 0) && Backlog.in(q.Measures) {
		p.parts |= partEnded // to find where the buckets end
	}
	return p, nil
}

// compareShift is how many days back the comparison looks.
func (p *plan) compareShift() int {
	switch p.q.Compare {
	case ComparePrevious:
		return int(p.to - p.from)
	case CompareSchoolYear:
		return 364
	}
	return 0
}

// runs cuts the period by the bucket dimensions among some positions of By.
func (p *plan) runs(by []int) []run {
	var dims []Dim
	for _, i := range by {
		if p.q.By[i].bucket() {
			dims = append(dims, p.q.By[i])
		}
	}
	if len(dims) == 0 {
		return []run{{from: p.from, to: p.to}}
	}
	var runs []run
	ords, last := make([]int, len(dims)), make([]int, len(dims))
	for d := p.from; d < p.to; d++ {
		for i, dim := range dims {
			ords[i] = dim.ord(d, nil)
		}
		if d > p.from && slices.Equal(ords, last) {
			runs[len(runs)-1].to++
			continue
		}
		copy(last, ords)
		r := run{from: d, to: d + 1, keys: make([]string, len(dims))}
		for i, dim := range dims {
			r.keys[i] = dim.key(ords[i])
		}
		runs = append(runs, r)
	}
	return runs
}

// has tells whether a group holds something that the asked measures look at.
func (p *plan) has(a *acc) bool {
	for _, m := range p.q.Measures {
		switch measures[m].basis {
		case byOpening:
			if a.opened > 0 {
				return true
			}
		case byEnd:
			if a.ended > 0 {
				return true
			}
		case openAt:
			if a.backlog > 0 {
				return true
			}
		}
	}
	return false
}

// moves is has for finding the first and last bucket: a backlog moves when an
// incident is opened or ends.
func (p *plan) moves(a *acc) bool {
	for _, m := range p.q.Measures {
		b := measures[m].basis
		if b != byEnd && a.opened > 0 || b != byOpening && a.ended > 0 {
			return true
		}
	}
	return false
}

// sheet is the answer of one view for one grouping: groups by their keys.
type sheet struct {
	g     grouping
	cells map[string]*acc // by joined keys, buckets included
	lists []slot          // the places of the cells that hold something
	runs  [2]int          // first and after-last run in which something moves
}

func joined(keys []string) string { return strings.Join(keys, "\x00") }

func (p *plan) sheet(ctx context.Context, src source, g grouping) (*sheet, error) {
	cells, err := src.aggregate(ctx, g)
	if err != nil {
		return nil, err
	}
	s := &sheet{g: g, cells: make(map[string]*acc, len(cells)), runs: [2]int{len(g.runs), 0}}
	for i := range cells {
		c := &cells[i]
		p.name(c, g)
		if p.moves(&c.acc) {
			s.runs[0], s.runs[1] = min(s.runs[0], c.run), max(s.runs[1], c.run+1)
		}
		s.cells[joined(c.keys)] = &c.acc
		if p.has(&c.acc) {
			s.lists = append(s.lists, slot{c.keys, c.run})
		}
	}
	return s, nil
}

// name writes the keys of a cell's bucket dimensions.
func (p *plan) name(c *cell, g grouping) {
	b := 0
	for k, i := range g.by {
		if p.q.By[i].bucket() {
			c.keys[k] = g.runs[c.run].keys[b]
			b++
		}
	}
}

// answer asks a source (and, for a comparison, a second one) all that a result
// needs. Open gives the source of a view.
func answer(ctx context.Context, p *plan, open func(view) source) (Result, error) {
	now := open(view{plan: p})
	defer now.release()
	shift := p.compareShift()
	b := &builder{plan: p, now: now, shift: calendar.Day(shift)}
	if shift > 0 {
		b.before = open(view{plan: p, shift: shift})
		defer b.before.release()
	}
	if slices.ContainsFunc(p.q.Measures, Measure.Rate) {
		b.den = now.exposures().denominators(p.pred, p.from, p.to, 0)
		if shift > 0 {
			b.denBefore = now.exposures().denominators(p.pred, p.from-b.shift, p.to-b.shift, shift)
		}
	}
	res := Result{Query: p.q, From: p.from, To: p.to, Shift: shift}
	if err := b.rank(ctx); err != nil {
		return res, err
	}
	res.Top = b.kept
	var err error
	all := make([]int, len(p.q.By))
	for i := range all {
		all[i] = i
	}
	if res.Rows, err = b.rows(ctx, all); err != nil {
		return res, err
	}
	if len(all) > 1 {
		res.Margins = make([][]Row, len(all))
		for i := range all {
			if res.Margins[i], err = b.rows(ctx, []int{i}); err != nil {
				return res, err
			}
		}
	}
	total := res.Rows
	if len(all) > 0 {
		if total, err = b.rows(ctx, nil); err != nil {
			return res, err
		}
	}
	res.Total = total[0]
	res.Population, res.Excluded = b.population.opened, b.population.excluded
	if len(all) == 0 {
		res.Rows = []Row{res.Total}
	}
	return res, nil
}
