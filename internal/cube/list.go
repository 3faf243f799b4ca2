package cube

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
)

// sortKey is what a list can be sorted by. Reversed turns it around (age is
// the time of opening, the other way).
type sortKey struct {
	name     string
	reversed bool
}

var sortKeys = map[string]sortKey{
	"opened":   {name: "opened"},
	"resolved": {name: "resolved"},
	"updated":  {name: "updated"},
	"priority": {name: "priority"},
	"number":   {name: "number"},
	"school":   {name: "school"},
	"age":      {name: "opened", reversed: true},
}

// Sorts lists the words of ListQuery.Sort, without "-".
var Sorts = []string{"opened", "resolved", "updated", "priority", "number", "school", "age"}

// order is a list's sort: by what, and in which direction.
func (q ListQuery) order() (by string, descending bool) {
	word := q.Sort
	if word == "" {
		word = "-opened"
	}
	word, descending = strings.CutPrefix(word, "-")
	k := sortKeys[word]
	return k.name, descending != k.reversed
}

// cursor is the place after which a page begins: the sort key and number of
// the last incident shown. Unknown keys are the largest in both directions.
type cursor struct {
	key uint32
	id  int64
}

const unknownKey = math.MaxUint32

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatUint(uint64(c.key), 10) + "." + strconv.FormatInt(c.id, 10)))
}

func parseCursor(s string) (cursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return cursor{}, fmt.Errorf("cube: cursor: %w", err)
	}
	a, b, ok := strings.Cut(string(raw), ".")
	key, err1 := strconv.ParseUint(a, 10, 32)
	id, err2 := strconv.ParseInt(b, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return cursor{}, errors.New("cube: cursor: not ours")
	}
	return cursor{uint32(key), id}, nil
}

// compare orders two places of a list.
func (c cursor) compare(o cursor, descending bool) int {
	key := cmp.Compare(c.key, o.key)
	if descending && c.key != unknownKey && o.key != unknownKey {
		key = -key
	}
	if key != 0 {
		return key
	}
	if descending {
		return cmp.Compare(o.id, c.id)
	}
	return cmp.Compare(c.id, o.id)
}

func (q ListQuery) limit() int {
	if q.Limit == 0 {
		return 50
	}
	return q.Limit
}

func (q ListQuery) measure() Measure {
	if q.Measure == "" {
		return Count
	}
	return q.Measure
}

// period fixes the days of a list as newPlan does those of a figure.
func (q ListQuery) plan(pred *predicate, today, first calendar.Day) (view, error) {
	p, err := newPlan(Query{Measures: []Measure{q.measure()}, From: q.From, To: q.To}, pred, today, first)
	return view{plan: p, shift: q.Shift}, err
}

// List gives the incidents behind a figure, a page at a time.
func (m *Memory) List(ctx context.Context, scope auth.Scope, q ListQuery) (Page, error) {
	now := m.cfg.Now()
	if err := m.refresh(ctx, now); err != nil {
		return Page{}, err
	}
	if err := q.check(); err != nil {
		return Page{}, err
	}
	pred, err := m.cfg.predicate(ctx, scope, q.Filters, q.Text, nil)
	if err != nil {
		return Page{}, err
	}
	pred.narrow(q.Only)
	m.mu.RLock()
	defer m.mu.RUnlock()
	f := m.facts
	pred.calend = f.tables.weeks
	v, err := q.plan(pred, calendar.DayOf(now, m.cfg.Location), f.firstDay())
	if err != nil {
		return Page{}, err
	}
	page := f.list(v, q)
	page.AsOf = m.pos.String()
	return page, nil
}

func (f *facts) list(v view, q ListQuery) Page {
	meas := q.measure()
	s := f.selectionOf(v.pred, measures[meas].basis, v.first, v.lo(), v.hi(), v.shift)
	f.restrict(&s, meas)
	by, descending := q.order()
	var after *cursor
	if q.After != "" {
		if c, err := parseCursor(q.After); err == nil {
			after = &c
		}
	}
	best := &top{most: q.limit() + 1, descending: descending}
	var page Page
	var buf [chunkRows]uint16
	var known [][]span
	if i := meas.ratedIndex(); i >= 0 {
		known = f.known(v.pred, i)
	}
	for k := range f.chunks {
		// From the end that comes first in the list, so that most rows are seen at
		// once to come after those already kept.
		n := k
		if descending {
			n = len(f.chunks) - 1 - k
		}
		c := f.chunks[n]
		sel, all, _ := s.pick(n, c, buf[:])
		if all {
			sel = buf[:c.n]
			for i := range sel {
				sel[i] = uint16(i)
			}
		}
		if known != nil {
			sel = slices.DeleteFunc(sel, func(i uint16) bool { return !within(known[c.school[i]], calendar.Day(c.openedDay[i])) })
		}
		page.Total += len(sel)
		f.offer(best, c, sel, by, after)
	}
	best.sort()
	if len(best.places) > q.limit() {
		best.places = best.places[:q.limit()]
		page.Next = best.places[q.limit()-1].String()
	}
	page.IDs = make([]int64, len(best.places))
	for i, p := range best.places {
		page.IDs[i] = p.id
	}
	return page
}

// restrict adds to a selection what a measure looks at beside its basis.
func (f *facts) restrict(s *selection, m Measure) {
	list := measures[m].list
	add := func(c cond) { s.conds = append(s.conds, c) }
	switch list {
	case toResolution.part():
		add(cond{kind: condReached, col: colResolvedAt, not: m == Unresolved})
	case toClosing.part():
		add(cond{kind: condReached, col: colClosedAt})
	case toResponse.part():
		add(cond{kind: condWhere, where: func(c *chunk, i int) bool { return c.responseSpent[i] != unspent }})
	case toMending.part():
		add(cond{kind: condWhere, where: func(c *chunk, i int) bool { return c.resolutionSpent[i] != unspent }})
	}
	for k := range marks {
		if list == k.part() {
			flags := &markFlags[k]
			add(cond{kind: condTable, col: flags.col, table: flags.table[:]})
		}
	}
	for q := range quantities {
		if list == q.part() {
			add(cond{kind: condWhere, where: func(c *chunk, i int) bool { return c.had(q, i) != 0 }})
		}
	}
}

// ratedIndex is which denominator a rate needs: 0 computers, 1 pupils, -1 none.
func (m Measure) ratedIndex() int {
	switch m {
	case Per100Computers:
		return 0
	case Per100Pupils:
		return 1
	}
	return -1
}

// known gives, by the code of each school that the reader sees, the days on
// which its computers (0) or pupils (1) are known.
func (f *facts) known(p *predicate, i int) [][]span {
	known := make([][]span, len(f.schools.keys))
	for code, id := range f.schools.keys {
		if p.scope.SeesSchool(id) {
			known[code] = f.tables.exposures.known(id, i)
		}
	}
	return known
}

func within(spans []span, day calendar.Day) bool {
	for _, s := range spans {
		if day >= s.from && day < s.to {
			return true
		}
	}
	return false
}

// offer shows the rows of a selection to the best of a list.
func (f *facts) offer(best *top, c *chunk, sel []uint16, by string, after *cursor) {
	for k := range sel {
		if best.descending {
			k = len(sel) - 1 - k
		}
		i := sel[k]
		key := f.sortKey(c, int(i), by)
		if len(best.places) == best.most && best.beyond(key) {
			continue
		}
		p := cursor{key, int64(c.id[i])}
		if after == nil || p.compare(*after, best.descending) > 0 {
			best.offer(p)
		}
	}
}

// beyond tells whether a key comes after all that a full list keeps.
func (t *top) beyond(key uint32) bool {
	last := t.places[0].key
	if t.descending && key != unknownKey && last != unknownKey {
		return key < last
	}
	return key > last
}

func (f *facts) sortKey(c *chunk, i int, by string) uint32 {
	var key uint32
	switch by {
	case "opened":
		key = c.opened[i]
	case "updated":
		key = c.updated[i]
	case "priority":
		key = uint32(c.severity[i] & 7)
	case "number":
		return c.id[i]
	case "school":
		key = f.tables.rank[f.schools.keys[c.school[i]]]
	case "resolved":
		if key = c.resolved[i]; key == 0 {
			key = c.closed[i]
		}
	}
	if key == 0 {
		return unknownKey
	}
	return key
}

// top keeps the first few places of a list, in a heap whose root is the last.
type top struct {
	most       int
	descending bool
	places     []cursor
}

func (t *top) less(i, j int) bool { return t.places[i].compare(t.places[j], t.descending) > 0 }

func (t *top) offer(p cursor) {
	if len(t.places) < t.most {
		t.places = append(t.places, p)
		for i := len(t.places) - 1; i > 0; {
			up := (i - 1) / 2
			if !t.less(i, up) {
				return
			}
			t.places[i], t.places[up] = t.places[up], t.places[i]
			i = up
		}
		return
	}
	if p.compare(t.places[0], t.descending) >= 0 {
		return
	}
	t.places[0] = p
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(t.places) {
			return
		}
		if down+1 < len(t.places) && t.less(down+1, down) {
			down++
		}
		if !t.less(down, i) {
			return
		}
		t.places[i], t.places[down] = t.places[down], t.places[i]
		i = down
	}
}

func (t *top) sort() {
	slices.SortFunc(t.places, func(a, b cursor) int { return a.compare(b, t.descending) })
}
