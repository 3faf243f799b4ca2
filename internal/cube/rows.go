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
