package cube

import (
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
)

// predicate is what a question keeps, made ready for an executor: the reader's
// scope, the filters sorted by what they look at, and the text's incidents.
type predicate struct {
	scope   auth.Scope
	keys    []Filter // on dimensions that are not of time
	buckets []timeFilter
	weeks   []timeFilter // on school weeks
	weekday [7]bool      // Monday first
	hour    [24]bool
	counted bool // merged and cancelled incidents are left out
	text    bool // only the incidents of ids
	ids     []int64
	calend  SchoolWeeks
}

// timeFilter is a filter on a dimension of time, by ord.
type timeFilter struct {
	dim       Dim
	in, notIn map[int]bool // nil when not asked
	lo, hi    int          // bounds, when asked
	bounded   bool
}

func (f timeFilter) keeps(ord int) bool {
	if f.in != nil && !f.in[ord] || f.notIn[ord] {
		return false
	}
	return !f.bounded || ord >= f.lo && ord <= f.hi
}

// newPredicate makes filters that were checked ready.
func newPredicate(scope auth.Scope, filters []Filter, weeks SchoolWeeks) *predicate {
	p := &predicate{scope: scope, counted: true, calend: weeks}
	for i := range p.weekday {
		p.weekday[i] = true
	}
	for i := range p.hour {
		p.hour[i] = true
	}
	for _, f := range filters {
		switch {
		case f.Dim == DimHour:
			t := newTimeFilter(f)
			for h := range p.hour {
				p.hour[h] = p.hour[h] && t.keeps(h)
			}
		case f.Dim == DimWeekday:
			t := newTimeFilter(f)
			for d := range p.weekday {
				p.weekday[d] = p.weekday[d] && t.keeps(d+1)
			}
		case f.Dim == DimSchoolWeek:
			p.weeks = append(p.weeks, newTimeFilter(f))
		case f.Dim.bucket():
			p.buckets = append(p.buckets, newTimeFilter(f))
		default:
			p.keys = append(p.keys, f)
			if f.Dim == DimState && (len(f.In) > 0 || f.From != "" || f.To != "") {
				p.counted = false
			}
		}
	}
	return p
}

func newTimeFilter(f Filter) timeFilter {
	t := timeFilter{dim: f.Dim, lo: -1 << 31, hi: 1 << 31}
	ord := func(key string) int {
		n, _ := f.Dim.ordOf(key) // keys were checked; "" is 0, a school week that is none
		return n
	}
	set := func(keys []string) map[int]bool {
		if len(keys) == 0 {
			return nil
		}
		m := make(map[int]bool, len(keys))
		for _, k := range keys {
			m[ord(k)] = true
		}
		return m
	}
	t.in, t.notIn = set(f.In), set(f.NotIn)
	if f.From != "" {
		t.lo, t.bounded = ord(f.From), true
	}
	if f.To != "" {
		t.hi, t.bounded = ord(f.To), true
	}
	if f.Dim == DimSchoolWeek && t.bounded {
		t.lo = max(t.lo, 1) // holidays are in no range
	}
	return t
}

// span is the days [from, to).
type span struct{ from, to calendar.Day }

// days gives the days of [from, to) that the filters on buckets (seen shift
// days later) keep, and those on school weeks when weeks is set, as spans in
// order. Weekdays and hours are looked at elsewhere.
func (p *predicate) days(from, to calendar.Day, shift int, weeks bool) []span {
	if len(p.buckets) == 0 && (len(p.weeks) == 0 || !weeks) {
		if from >= to {
			return nil
		}
		return []span{{from, to}}
	}
	var out []span
	for d := from; d < to; d++ {
		keep := true
		for _, f := range p.buckets {
			keep = keep && f.keeps(f.dim.ord(d+calendar.Day(shift), nil))
		}
		if weeks {
			for _, f := range p.weeks {
				keep = keep && f.keeps(f.dim.ord(d, p.calend))
			}
		}
		switch {
		case !keep:
		case len(out) > 0 && out[len(out)-1].to == d:
			out[len(out)-1].to++
		default:
			out = append(out, span{d, d + 1})
		}
	}
	return out
}

func (p *predicate) allWeekdays() bool { return !slices.Contains(p.weekday[:], false) }
func (p *predicate) allHours() bool    { return !slices.Contains(p.hour[:], false) }

// accepts tells whether a key passes a filter.
func (f Filter) accepts(key string) bool {
	if len(f.In) > 0 && !slices.Contains(f.In, key) || slices.Contains(f.NotIn, key) {
		return false
	}
	if f.From == "" && f.To == "" {
		return true
	}
	return key != "" && (f.From == "" || f.Dim.compareKeys(key, f.From) >= 0) && (f.To == "" || f.Dim.compareKeys(key, f.To) <= 0)
}

// narrow keeps the incidents that a list asks for by number.
func (p *predicate) narrow(only []int64) {
	if only == nil {
		return
	}
	wanted := slices.Clone(only)
	slices.Sort(wanted)
	if p.text {
		wanted = slices.DeleteFunc(wanted, func(id int64) bool { _, ok := slices.BinarySearch(p.ids, id); return !ok })
	}
	p.text, p.ids = true, slices.Compact(wanted)
}
