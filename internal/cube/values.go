package cube

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/calendar"
	"statincidents/internal/fault"
)

// A question in an address:
//
//	measure=count&measure=backlog      measures (also measure=count,backlog)
//	by=category&by=month               dimensions (also by=category,month)
//	school=12&school=13                keep these keys of a dimension
//	school.not=14                      drop these
//	priority.from=1&priority.to=2      a range of keys
//	q=imprimante                       text
//	from=2016-03-01&to=2016-06-01      first day, first day after
//	order=-count&limit=10&compare=previous
//
// The key of "not known" is written "~" (an empty value is what a form sends
// for "any", and is ignored); a key that begins with "~" gets another "~"
// before it.
const (
	paramMeasure = "measure"
	paramBy      = "by"
	paramText    = "q"
	paramFrom    = "from"
	paramTo      = "to"
	paramOrder   = "order"
	paramLimit   = "limit"
	paramCompare = "compare"
	paramShift   = "shift"
	paramSort    = "sort"
	paramAfter   = "after"

	suffixNot  = ".not"
	suffixFrom = ".from"
	suffixTo   = ".to"
)

// EncodeValues writes a question as the parameters of an address. Several
// filters on one dimension become one that says the same.
func EncodeValues(q Query) url.Values {
	v := url.Values{}
	for _, m := range q.Measures {
		v.Add(paramMeasure, string(m))
	}
	for _, d := range q.By {
		v.Add(paramBy, string(d))
	}
	encodeFilters(v, q.Filters)
	encodePeriod(v, q.Text, q.From, q.To)
	put(v, paramOrder, q.Order)
	put(v, paramCompare, string(q.Compare))
	if q.Limit > 0 {
		v.Set(paramLimit, strconv.Itoa(q.Limit))
	}
	return v
}

// EncodeList writes a list's question as the parameters of an address.
func EncodeList(q ListQuery) url.Values {
	v := url.Values{}
	encodeFilters(v, q.Filters)
	encodePeriod(v, q.Text, q.From, q.To)
	put(v, paramMeasure, string(q.Measure))
	put(v, paramSort, q.Sort)
	put(v, paramAfter, q.After)
	if q.Shift > 0 {
		v.Set(paramShift, strconv.Itoa(q.Shift))
	}
	if q.Limit > 0 {
		v.Set(paramLimit, strconv.Itoa(q.Limit))
	}
	return v
}

func put(v url.Values, name, value string) {
	if value != "" {
		v.Set(name, value)
	}
}

func encodePeriod(v url.Values, text string, from, to calendar.Day) {
	put(v, paramText, text)
	put(v, paramFrom, from.String())
	put(v, paramTo, to.String())
}

func encodeFilters(v url.Values, filters []Filter) {
	for _, f := range MergeFilters(filters) {
		name := string(f.Dim)
		for _, k := range f.In {
			v.Add(name, EscapeKey(k))
		}
		for _, k := range f.NotIn {
			v.Add(name+suffixNot, EscapeKey(k))
		}
		put(v, name+suffixFrom, f.From)
		put(v, name+suffixTo, f.To)
	}
}

// EscapeKey writes a key as the value of a parameter: the address of a filter.
func EscapeKey(key string) string {
	if key == "" || key[0] == '~' {
		return "~" + key
	}
	return key
}

// MergeFilters says the same with one filter a dimension, in the order in
// which the dimensions are met.
func MergeFilters(filters []Filter) []Filter {
	var out []Filter
	for _, f := range filters {
		i := slices.IndexFunc(out, func(o Filter) bool { return o.Dim == f.Dim })
		if i < 0 {
			f.In, f.NotIn = slices.Clone(f.In), slices.Clone(f.NotIn)
			out = append(out, f)
			continue
		}
		o := &out[i]
		switch {
		case len(o.In) == 0:
			o.In = slices.Clone(f.In)
		case len(f.In) > 0:
			both := slices.DeleteFunc(slices.Clone(o.In), func(k string) bool { return !slices.Contains(f.In, k) })
			if len(both) == 0 { // nothing is in both: keep a filter that keeps nothing
				both = o.In[:1]
				o.NotIn = append(o.NotIn, both[0])
			}
			o.In = both
		}
		for _, k := range f.NotIn {
			if !slices.Contains(o.NotIn, k) {
				o.NotIn = append(o.NotIn, k)
			}
		}
		if f.From != "" && (o.From == "" || f.Dim.compareKeys(f.From, o.From) > 0) {
			o.From = f.From
		}
		if f.To != "" && (o.To == "" || f.Dim.compareKeys(f.To, o.To) < 0) {
			o.To = f.To
		}
	}
	return out
}

// DecodeValues reads what EncodeValues wrote and checks it as Run would. A
// parameter that is neither a question's nor in own (the page's other
// parameters) is refused.
func DecodeValues(v url.Values, own ...string) (Query, error) {
	d := decoder{v: v, own: own}
	q := Query{
		Measures: listOf[Measure](d.list(paramMeasure)), By: listOf[Dim](d.list(paramBy)),
		Text: d.one(paramText), From: d.day(paramFrom), To: d.day(paramTo),
		Order: d.one(paramOrder), Limit: d.int(paramLimit), Compare: Compare(d.one(paramCompare)), Filters: d.filters(),
	}
	if err := d.end(); err != nil {
		return Query{}, err
	}
	return q, q.check()
}

// DecodeList reads what EncodeList wrote and checks it as List would.
func DecodeList(v url.Values, own ...string) (ListQuery, error) {
	d := decoder{v: v, own: own}
	q := ListQuery{
		Measure: Measure(d.one(paramMeasure)), Text: d.one(paramText), From: d.day(paramFrom), To: d.day(paramTo),
		Shift: d.int(paramShift), Sort: d.one(paramSort), After: d.one(paramAfter), Limit: d.int(paramLimit), Filters: d.filters(),
	}
	if err := d.end(); err != nil {
		return ListQuery{}, err
	}
	return q, q.check()
}

// decoder reads parameters and remembers which it knew.
type decoder struct {
	v      url.Values
	own    []string
	known  []string
	faults fault.Fields
}

func (d *decoder) one(name string) string {
	d.known = append(d.known, name)
	values := slices.DeleteFunc(slices.Clone(d.v[name]), func(s string) bool { return s == "" })
	if len(values) == 0 {
		return ""
	}
	if len(values) > 1 {
		d.faults.Add(name, "error.cube.twice", "value", name)
	}
	return values[0]
}

func (d *decoder) list(name string) []string {
	d.known = append(d.known, name)
	var out []string
	for _, value := range d.v[name] {
		for part := range strings.SplitSeq(value, ",") {
			if part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

func listOf[T ~string](words []string) []T {
	var out []T
	for _, w := range words {
		out = append(out, T(w))
	}
	return out
}

func (d *decoder) day(name string) calendar.Day {
	day, err := calendar.ParseDay(d.one(name))
	if err != nil {
		d.faults.Add(name, "error.field.date")
	}
	return day
}

func (d *decoder) int(name string) int {
	text := d.one(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		d.faults.Add(name, "error.field.format")
		return 0
	}
	return n
}

func (d *decoder) filters() []Filter {
	var out []Filter
	for _, dim := range Dims {
		name := string(dim)
		f := Filter{Dim: dim, In: d.keys(name), NotIn: d.keys(name + suffixNot), From: d.one(name + suffixFrom), To: d.one(name + suffixTo)}
		if f.In != nil || f.NotIn != nil || f.From != "" || f.To != "" {
			out = append(out, f)
		}
	}
	return out
}

func (d *decoder) keys(name string) []string {
	d.known = append(d.known, name)
	var out []string
	for _, value := range d.v[name] {
		if value != "" {
			out = append(out, strings.TrimPrefix(value, "~"))
		}
	}
	return out
}

// end refuses what nobody knew.
func (d *decoder) end() error {
	for name := range d.v {
		if !slices.Contains(d.known, name) && !slices.Contains(d.own, name) {
			d.faults.Add(short(name), "error.cube.parameter", "value", short(name))
		}
	}
	return d.faults.Err()
}

// UnescapeKey reads what EscapeKey wrote.
func UnescapeKey(value string) string {
	if value != "" && value[0] == '~' {
		return value[1:]
	}
	return value
}
