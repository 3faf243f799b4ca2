package cube

import (
	"cmp"
	"context"
	"slices"
	"strconv"
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

// builder makes the rows of a result.
type builder struct {
	*plan
	now, before    source
	shift          calendar.Day
	den, denBefore *denominators
	top            int      // position of the dimension that Limit cuts, or -1
	kept           []string // its keys that stay, when Limit is set
	ranks          []ranking
	population     acc
	lone           *sheet // of the only dimension, when ranking it has made it
}

// ranking orders the keys of one dimension.
type ranking func(a, b string) int

// rank orders the keys of each dimension and chooses those that Limit keeps.
func (b *builder) rank(ctx context.Context) error {
	b.top = -1
	if b.q.Limit > 0 {
		b.top = slices.IndexFunc(b.q.By, func(d Dim) bool { return !d.Time() })
	}
	order, descending := b.q.Order, false
	if rest, ok := strings.CutPrefix(order, "-"); ok {
		order, descending = rest, true
	}
	b.ranks = make([]ranking, len(b.q.By))
	for i, d := range b.q.By {
		natural := d.compareKeys
		switch {
		case order == "key":
			if descending {
				natural = reversed(natural)
			}
			b.ranks[i] = natural
		case d.Ordered() && (len(b.q.By) > 1 || order == ""):
			b.ranks[i] = natural
		default:
			m, down := Measure(order), descending
			if order == "" {
				m, down = b.q.Measures[0], true
			}
			margin, err := b.margin(ctx, i, m)
			if err != nil {
				return err
			}
			values := make(map[string]Value, len(margin.cells))
			for _, s := range margin.lists {
				r := margin.g.runs[s.run]
				values[s.keys[0]] = b.value(m, margin.cells[s.keys[0]], b.den, margin.g.by, s.keys, r.from, r.to)
			}
			nothing := func(key string) Value {
				return b.value(m, &acc{}, b.den, margin.g.by, []string{key}, b.from, b.to)
			}
			b.ranks[i] = byValue(values, nothing, down, natural)
			if i == b.top {
				b.keep(margin)
			}
		}
		if i == b.top && b.kept == nil {
			margin, err := b.margin(ctx, i, Count)
			if err != nil {
				return err
			}
			b.keep(margin)
		}
	}
	return nil
}

// margin groups by one dimension alone, unfolded, with what a measure needs:
// the quantiles only if it is one, or if the sheet is the one that the rows
// are made from.
func (b *builder) margin(ctx context.Context, i int, m Measure) (*sheet, error) {
	by := []int{i}
	g := grouping{by: by, runs: b.runs(by), top: -1, parts: b.parts}
	lone := len(b.q.By) == 1 && b.q.Limit == 0
	if !lone {
		g.parts = b.parts&^quantileParts | measures[m].parts
	}
	s, err := b.sheet(ctx, b.now, g)
	if lone {
		b.lone = s
	}
	return s, err
}

func (b *builder) keep(margin *sheet) {
	keys := make([]string, len(margin.lists))
	for i, s := range margin.lists {
		keys[i] = s.keys[0]
	}
	slices.SortFunc(keys, b.ranks[b.top])
	b.kept = keys[:min(len(keys), b.q.Limit)]
}

// reversed keeps "" (not known) last.
func reversed(r ranking) ranking {
	return func(x, y string) int {
		if x == "" || y == "" {
			return r(x, y)
		}
		return r(y, x)
	}
}

// byValue ranks keys by their figure; nothing gives that of a key that holds
// no incident. What is not valid comes last.
func byValue(values map[string]Value, nothing func(key string) Value, down bool, natural ranking) ranking {
	of := func(key string) Value {
		v, ok := values[key]
		if !ok {
			v = nothing(key)
			values[key] = v
		}
		return v
	}
	return func(x, y string) int {
		a, b := of(x), of(y)
		if a.Valid != b.Valid {
			if a.Valid {
				return -1
			}
			return 1
		}
		order := cmp.Compare(a.V, b.V)
		if down {
			order = -order
		}
		return cmp.Or(order, natural(x, y))
	}
}

// value computes a measure of a group of the period [from, to).
func (b *builder) value(m Measure, a *acc, den *denominators, by []int, keys []string, from, to calendar.Day) Value {
	var e exposureDays
	if m.Rate() {
		dims := make([]Dim, len(by))
		for k, i := range by {
			dims[k] = b.q.By[i]
		}
		e = den.of(matcher(dims, keys, b.kept), from, to)
	}
	return m.value(a, e)
}

// rows makes the rows of a grouping by some positions of By, sorted, with the
// buckets and cycles of time that hold nothing.
func (b *builder) rows(ctx context.Context, by []int) ([]Row, error) {
	g := grouping{by: by, runs: b.runs(by), top: -1, parts: b.parts}
	if b.q.Limit > 0 && slices.Contains(by, b.top) {
		g.top, g.kept = b.top, b.kept
	}
	now := b.lone
	var err error
	if now == nil || len(by) == 0 {
		if now, err = b.sheet(ctx, b.now, g); err != nil {
			return nil, err
		}
	}
	var before *sheet
	if b.before != nil {
		if before, err = b.sheet(ctx, b.before, g); err != nil {
			return nil, err
		}
	}
	if len(by) == 0 {
		if a := now.cells[""]; a != nil {
			b.population = *a
		}
	}
	keys, err := b.keys(now, before)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(keys))
	for i, k := range keys {
		rows[i] = b.row(now, before, k)
	}
	return rows, nil
}

// slot is the place of a row: its keys and its run.
type slot struct {
	keys []string
	run  int
}

// keys gives the places of the rows of a grouping, sorted.
func (b *builder) keys(now, before *sheet) ([]slot, error) {
	g := now.g
	first, last := 0, len(g.runs)
	if b.cut(g) {
		if b.q.From == 0 {
			first = now.runs[0]
		}
		if b.q.From == 0 && b.q.To == 0 {
			last = now.runs[1]
		}
		first = min(first, last)
	}
	// The keys that are met, time aside, and the cycles that are always there.
	cycles := [][]string{make([]string, len(g.by))}
	for k, i := range g.by {
		d := b.q.By[i]
		if dimensions[d].kind != kindCycle {
			continue
		}
		var next [][]string
		for _, c := range cycles {
			for _, key := range b.cycle(d, k, now, before) {
				n := slices.Clone(c)
				n[k] = key
				next = append(next, n)
			}
		}
		cycles = next
	}
	met := b.met(now, before)
	if n := len(met) * len(cycles) * max(0, last-first); n > MaxRows {
		return nil, fault.New(fault.TooLarge, "error.cube.too_many_rows", "rows", n, "max", MaxRows)
	}
	slots := make([]slot, 0, len(met)*len(cycles)*max(0, last-first))
	for r := first; r < last; r++ {
		for _, c := range cycles {
			for _, m := range met {
				s := slot{keys: make([]string, len(g.by)), run: r}
				bucket := 0
				for k, i := range g.by {
					switch d := b.q.By[i]; {
					case d.bucket():
						s.keys[k] = g.runs[r].keys[bucket]
						bucket++
					case d.Time():
						s.keys[k] = c[k]
					default:
						s.keys[k] = m[k]
					}
				}
				slots = append(slots, s)
			}
		}
	}
	slices.SortFunc(slots, func(x, y slot) int {
		for k, i := range g.by {
			if x.keys[k] == y.keys[k] {
				continue
			}
			if x.keys[k] == OthersKey || y.keys[k] == OthersKey {
				if x.keys[k] == OthersKey {
					return 1
				}
				return -1
			}
			if c := b.ranks[i](x.keys[k], y.keys[k]); c != 0 {
				return c
			}
		}
		return cmp.Compare(x.run, y.run)
	})
	return slots, nil
}

// cut tells whether a grouping is cut by buckets of time.
func (b *builder) cut(g grouping) bool {
	return slices.ContainsFunc(g.by, func(i int) bool { return b.q.By[i].bucket() })
}

// met lists the keys found in the sheets, each combination once, with those of
// time blank.
func (b *builder) met(sheets ...*sheet) [][]string {
	var out [][]string
	seen := map[string]bool{}
	timeOnly := true
	for _, i := range sheets[0].g.by {
		timeOnly = timeOnly && b.q.By[i].Time()
	}
	if timeOnly {
		return [][]string{make([]string, len(sheets[0].g.by))}
	}
	for _, s := range sheets {
		if s == nil {
			continue
		}
		for _, l := range s.lists {
			k := slices.Clone(l.keys)
			for n, i := range s.g.by {
				if b.q.By[i].Time() {
					k[n] = ""
				}
			}
			if j := joined(k); !seen[j] {
				seen[j] = true
				out = append(out, k)
			}
		}
	}
	return out
}

// cycle lists the keys of a dimension of time that comes back.
func (b *builder) cycle(d Dim, k int, sheets ...*sheet) []string {
	var keys []string
	add := func(key string) {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	switch d {
	case DimHour:
		for h := range 24 {
			add(d.key(h))
		}
	case DimWeekday:
		for w := range 7 {
			add(d.key(w + 1))
		}
	case DimSchoolWeek:
		if b.q.From != 0 {
			for day := b.from; day < b.to; day++ {
				if n := d.ord(day, b.pred.calend); n > 0 {
					add(d.key(n))
				}
			}
		}
		for _, s := range sheets {
			if s == nil {
				continue
			}
			for _, l := range s.lists {
				add(l.keys[k])
			}
		}
	}
	return keys
}

func (b *builder) row(now, before *sheet, s slot) Row {
	r := now.g.runs[s.run]
	row := Row{Keys: s.keys, Values: make([]Value, len(b.q.Measures)), Others: slices.Contains(s.keys, OthersKey) && now.g.top >= 0}
	at := func(sh *sheet) *acc {
		if a := sh.cells[joined(s.keys)]; a != nil {
			return a
		}
		return &acc{}
	}
	a := at(now)
	for i, m := range b.q.Measures {
		row.Values[i] = b.value(m, a, b.den, now.g.by, s.keys, r.from, r.to)
	}
	if before != nil {
		a := at(before)
		row.Before = make([]Value, len(b.q.Measures))
		for i, m := range b.q.Measures {
			row.Before[i] = b.value(m, a, b.denBefore, now.g.by, s.keys, r.from-b.shift, r.to-b.shift)
		}
	}
	return row
}

func idKey(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}
