package analysis

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/stats"
)

// What have some incidents in common? Those of a list (the cases) are compared
// with the other incidents of the same period, by all that incidents carry:
// one by one and by pairs. What is counted are machines touched, not
// incidents, where a machine is known: one that breaks every day does not
// accuse its model.

// What the answer is made with.
const (
	FactorLeastCases     = 8   // units touched by the list
	FactorLeastSet       = 8   // units of a set
	FactorLeastIn        = 5   // cases of a set
	FactorReplicates     = 999 // draws
	FactorSeed           = 45
	FactorP              = 0.05
	FactorMost           = 4    // answers
	factorCases          = 3000 // units of the list that are looked at, drawn if there are more
	factorOthers         = 6000 // … and of the others
	factorSets           = 2500 // sets that are scanned, those that hold most cases first
	factorIDs            = 300  // incidents that an answer names
	FactorTime           = 5 * time.Second
	factorRange          = 366 // days: a longer period is cut to its end
	FewCases         Why = "cases"
	NoOthers         Why = "others"
)

// Attribute is something that an incident carries, by which incidents may have
// something in common. The list is open: Attributes is what is looked at.
type Attribute struct {
	// Name is its name ("factor.attribute.NAME").
	Name string
	// Of gives the incident's value, "" if it has none; it is written by Label.
	Of func(w *FactorWorld, f *cube.Fact) string
	// Dims are the dimensions of figures that say as much: a list that a filter
	// on one of them makes has this in common by construction.
	Dims []cube.Dim
	// Filter gives the condition that a list of incidents needs to keep a
	// value; nil where no condition says it.
	Filter func(value string) cube.Filter
}

// FactorWorld is what attributes read.
type FactorWorld struct {
	Places   *directory.Index
	Words    *catalog.Index
	Location *time.Location
}

// Attributes are what incidents may have in common, one a line so that rooms
// to come (inventories) add theirs. What was done in the end is not among
// them: it follows from what is common, and would always come first.
var Attributes = []Attribute{
	{Name: "batch", Of: func(_ *FactorWorld, f *cube.Fact) string { return Batch(f.Machine) }, Filter: func(v string) cube.Filter {
		return cube.Filter{Dim: cube.DimMachine, From: v, To: v + "\uffff"}
	}, Dims: []cube.Dim{cube.DimMachine}},
	{Name: "school", Of: func(_ *FactorWorld, f *cube.Fact) string { return number(f.School) }, Filter: is(cube.DimSchool), Dims: []cube.Dim{cube.DimSchool, cube.DimRoom}},
	{Name: "commune", Of: func(w *FactorWorld, f *cube.Fact) string {
		school, _ := w.Places.School(f.School)
		return school.Commune
	}, Filter: is(cube.DimCommune), Dims: []cube.Dim{cube.DimCommune, cube.DimSchool, cube.DimRoom}},
	{Name: "room_kind", Of: func(w *FactorWorld, f *cube.Fact) string { return RoomKind(w.Places.RoomName(f.Room)) }, Dims: []cube.Dim{cube.DimRoom}},
	{Name: "network", Of: func(_ *FactorWorld, f *cube.Fact) string { return f.Network }, Filter: is(cube.DimNetwork), Dims: []cube.Dim{cube.DimNetwork, cube.DimRoom}},
	{Name: "category", Of: level(0), Filter: is(cube.DimCategory), Dims: []cube.Dim{cube.DimCategory, cube.DimCategory2, cube.DimCategory3}},
	{Name: "category2", Of: level(1), Filter: is(cube.DimCategory2), Dims: []cube.Dim{cube.DimCategory, cube.DimCategory2, cube.DimCategory3}},
	{Name: "category3", Of: level(2), Filter: is(cube.DimCategory3), Dims: []cube.Dim{cube.DimCategory, cube.DimCategory2, cube.DimCategory3}},
	{Name: "cause", Of: func(_ *FactorWorld, f *cube.Fact) string { return number(f.Cause) }, Filter: is(cube.DimCause), Dims: []cube.Dim{cube.DimCause}},
	{Name: "origin", Of: func(_ *FactorWorld, f *cube.Fact) string { return string(f.Origin) }, Filter: is(cube.DimOrigin), Dims: []cube.Dim{cube.DimOrigin}},
	{Name: "weekday", Of: func(_ *FactorWorld, f *cube.Fact) string { return strconv.Itoa(f.Day.Weekday() + 1) }, Filter: is(cube.DimWeekday), Dims: []cube.Dim{cube.DimWeekday, cube.DimDay}},
	{Name: "hour", Of: func(w *FactorWorld, f *cube.Fact) string {
		return fmt.Sprintf("%02d", time.Unix(f.Opened, 0).In(w.Location).Hour())
	}, Filter: is(cube.DimHour), Dims: []cube.Dim{cube.DimHour}},
	{Name: "week", Of: func(_ *FactorWorld, f *cube.Fact) string { return f.Day.Week().String() }, Dims: []cube.Dim{cube.DimWeek, cube.DimDay, cube.DimMonth, cube.DimSchoolWeek}, Filter: func(v string) cube.Filter {
		monday, _ := calendar.ParseDay(v)
		return cube.Filter{Dim: cube.DimDay, From: v, To: (monday + 6).String()}
	}},
}

// number is an identifier as the keys of the cube write it.
func number(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

func is(dim cube.Dim) func(string) cube.Filter {
	return func(v string) cube.Filter { return cube.Filter{Dim: dim, In: []string{v}} }
}

// level reads the category of an incident at a level of the tree.
func level(n int) func(*FactorWorld, *cube.Fact) string {
	return func(w *FactorWorld, f *cube.Fact) string {
		path := w.Words.Path(f.Category)
		if len(path) <= n {
			return ""
		}
		return number(path[n])
	}
}

// FactorTrait is a value of an attribute.
type FactorTrait struct {
	Attribute string
	Value     string
}

// Factor is something that the list has in common, more than chance makes it.
type Factor struct {
	Traits   []FactorTrait // one, or a pair
	Cases    int           // units of the list that have it
	Others   int           // units outside the list that have it
	Expected float64       // of the list, if it were drawn from all
	LLR      float64
	P        float64
	Share    float64 // of the list
	Usual    float64 // of the others
	Times    float64 // Share over Usual; 0 where no other has it
	Filters  []cube.Filter
	IDs      []int64 // incidents of the list that have it
}

// CommonFactors is the answer.
type CommonFactors struct {
	Refusal   *Refusal
	From, To  calendar.Day
	Cut       bool // the period was cut to its last year
	Incidents int  // of the list
	Cases     int  // units that the list touches
	Others    int  // units that only the others touch
	Machines  int  // of the cases, those that are machines
	Sampled   bool // not all units were looked at
	Sets      int  // that were scanned
	Factors   []Factor
	Left      []string // attributes left out: the list's own filters fix them
}

// unit is a machine, or an incident without one.
type unit struct {
	in      bool
	machine bool
	fact    cube.Fact // the latest of the list, else the latest
	ids     []int64   // of the list
}

// Common compares the incidents of a list with the others of its period, within
// what a reader sees.
func (s *Service) Common(ctx context.Context, scope auth.Scope, q cube.ListQuery) (CommonFactors, error) {
	ctx, stop := context.WithTimeout(ctx, FactorTime)
	defer stop()
	places, err := s.Places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return CommonFactors{}, err
	}
	words, err := s.Words.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return CommonFactors{}, err
	}
	q.Measure, q.Sort, q.After, q.Limit = "", "", "", 0
	today := calendar.DayOf(s.cfg.Now(), s.cfg.Location)
	out := CommonFactors{From: q.From, To: q.To}
	var listed []cube.Fact
	if err := s.Cube.Each(ctx, scope, q, func(f *cube.Fact) { listed = append(listed, *f) }); err != nil {
		return out, err
	}
	// The period of the comparison is the list's, or that of what is in it.
	if out.To == 0 {
		out.To = today + 1
	}
	if out.From == 0 {
		out.From = out.To - 1
		for k := range listed {
			out.From = min(out.From, listed[k].Day)
		}
	}
	if out.To-out.From > factorRange {
		out.From, out.Cut = out.To-factorRange, true
		listed = slices.DeleteFunc(listed, func(f cube.Fact) bool { return f.Day < out.From })
	}
	out.Incidents = len(listed)
	var all []cube.Fact
	if err := s.Cube.Each(ctx, scope, cube.ListQuery{From: out.From, To: out.To}, func(f *cube.Fact) { all = append(all, *f) }); err != nil {
		return out, err
	}
	err = out.find(ctx, &FactorWorld{places, words, s.cfg.Location}, q.Filters, listed, all)
	return out, err
}

// unitsOf puts the incidents of the list and of the period on what they touch.
func unitsOf(listed, all []cube.Fact) []*unit {
	machines := map[string]*unit{}
	met := map[int64]bool{}
	var units []*unit
	take := func(f *cube.Fact, in bool) {
		if met[f.ID] {
			return
		}
		met[f.ID] = true
		u := machines[f.Machine]
		if f.Machine == "" || u == nil {
			u = &unit{in: in, machine: f.Machine != "", fact: *f}
			units = append(units, u)
			if u.machine {
				machines[f.Machine] = u
			}
		}
		if in {
			u.ids = append(u.ids, f.ID)
		}
		if in == u.in && f.Opened > u.fact.Opened {
			u.fact = *f
		}
	}
	for k := range listed {
		take(&listed[k], true)
	}
	for k := range all {
		take(&all[k], false)
	}
	// The order in which incidents come does not matter.
	slices.SortFunc(units, func(a, b *unit) int { return cmp.Compare(a.fact.ID, b.fact.ID) })
	return units
}

// find works the answer out.
func (c *CommonFactors) find(ctx context.Context, w *FactorWorld, filters []cube.Filter, listed, all []cube.Fact) error {
	units := unitsOf(listed, all)
	for _, u := range units {
		if u.in {
			c.Cases++
			if u.machine {
				c.Machines++
			}
		} else {
			c.Others++
		}
	}
	switch {
	case c.Cases < FactorLeastCases:
		c.Refusal = &Refusal{FewCases, float64(c.Cases), FactorLeastCases}
		return nil
	case c.Others < FactorLeastCases:
		c.Refusal = &Refusal{NoOthers, float64(c.Others), FactorLeastCases}
		return nil
	}
	units, c.Sampled = drawn(units, c.Cases, c.Others)
	var attributes []Attribute
	for _, a := range Attributes {
		if slices.ContainsFunc(filters, func(f cube.Filter) bool { return slices.Contains(a.Dims, f.Dim) }) {
			c.Left = append(c.Left, a.Name)
			continue
		}
		attributes = append(attributes, a)
	}
	values := make([][]string, len(units))
	for k, u := range units {
		values[k] = make([]string, len(attributes))
		for n, a := range attributes {
			values[k][n] = a.Of(w, &u.fact)
		}
	}
	left := make([]int, len(units)) // places of the units still looked at
	for k := range left {
		left[k] = k
	}
	for len(c.Factors) < FactorMost {
		best, sets, err := scan(ctx, units, values, left, attributes)
		if err != nil {
			return err
		}
		if len(c.Factors) == 0 {
			c.Sets = sets
		}
		if best == nil {
			return nil
		}
		c.describe(best, units, values, attributes, left)
		// What goes with it is said by it: the next answer is about the rest.
		left = slices.DeleteFunc(left, func(k int) bool { return best.has(values[k]) })
		cases := 0
		for _, k := range left {
			if units[k].in {
				cases++
			}
		}
		if cases < FactorLeastCases || len(left)-cases < FactorLeastCases {
			return nil
		}
	}
	return nil
}

// drawn keeps at most so many units of the list and of the others.
func drawn(units []*unit, cases, others int) ([]*unit, bool) {
	if cases <= factorCases && others <= factorOthers {
		return units, false
	}
	draw := rand.New(rand.NewPCG(FactorSeed, 1))
	order := draw.Perm(len(units))
	var kept []*unit
	in, out := 0, 0
	for _, k := range order {
		switch u := units[k]; {
		case u.in && in < factorCases:
			in++
			kept = append(kept, u)
		case !u.in && out < factorOthers:
			out++
			kept = append(kept, u)
		}
	}
	slices.SortFunc(kept, func(a, b *unit) int { return cmp.Compare(a.fact.ID, b.fact.ID) })
	return kept, true
}

// candidate is a set of units that have something in common.
type candidate struct {
	attributes [2]int // the second is -1 for one alone
	values     [2]string
	members    []int32
	cases      int
	stats.ScanSet
}

func (c *candidate) has(values []string) bool {
	return values[c.attributes[0]] == c.values[0] && (c.attributes[1] < 0 || values[c.attributes[1]] == c.values[1])
}

// scan finds the set that stands out most among the units that are left, nil
// if chance alone would do.
func scan(ctx context.Context, units []*unit, values [][]string, left []int, attributes []Attribute) (*candidate, int, error) {
	type key struct {
		a, b int
		x, y string
	}
	cases := make([]bool, len(left))
	at := map[key]*candidate{}
	var sets []*candidate
	put := func(k key, n int, in bool) {
		c := at[k]
		if c == nil {
			c = &candidate{attributes: [2]int{k.a, k.b}, values: [2]string{k.x, k.y}}
			at[k] = c
			sets = append(sets, c)
		}
		c.members = append(c.members, int32(n))
		if in {
			c.cases++
		}
	}
	// Values that no case of weight has are in no set worth looking at: counted
	// first, so that pairs are made of few.
	count := map[key]int{}
	for n, k := range left {
		cases[n] = units[k].in
		if !cases[n] {
			continue
		}
		for a, v := range values[k] {
			if v != "" {
				count[key{a, -1, v, ""}]++
			}
		}
	}
	for n, k := range left {
		v := values[k]
		for a := range attributes {
			if v[a] == "" || count[key{a, -1, v[a], ""}] < FactorLeastIn {
				continue
			}
			put(key{a, -1, v[a], ""}, n, cases[n])
			for b := a + 1; b < len(attributes); b++ {
				if v[b] != "" && count[key{b, -1, v[b], ""}] >= FactorLeastIn && !nested(attributes[a].Name, attributes[b].Name) {
					put(key{a, b, v[a], v[b]}, n, cases[n])
				}
			}
		}
	}
	sets = slices.DeleteFunc(sets, func(c *candidate) bool { return c.cases < FactorLeastIn || len(c.members) < FactorLeastSet })
	slices.SortStableFunc(sets, func(a, b *candidate) int { return cmp.Compare(b.cases, a.cases) })
	sets = sets[:min(len(sets), factorSets)]
	members := make([][]int32, len(sets))
	for k, c := range sets {
		members[k] = c.members
	}
	found, err := stats.CommonFactor(ctx, cases, members, stats.ScanSettings{Least: FactorLeastIn, Replicates: FactorReplicates, Seed: FactorSeed})
	if err != nil {
		return nil, 0, err
	}
	var best *candidate
	for k, c := range sets {
		c.ScanSet = found[k]
		// Of a pair and one of its own that are the same units, the one says it.
		if best == nil || c.LLR > best.LLR+1e-9 || c.LLR > best.LLR-1e-9 && c.attributes[1] < 0 && best.attributes[1] >= 0 {
			best = c
		}
	}
	if best == nil || best.P > FactorP {
		return nil, len(sets), nil
	}
	return best, len(sets), nil
}

// nested tells whether one attribute says the other: their pair is one of them.
func nested(a, b string) bool {
	families := [][]string{{"category", "category2", "category3"}, {"school", "commune"}}
	return slices.ContainsFunc(families, func(f []string) bool { return slices.Contains(f, a) && slices.Contains(f, b) })
}

func (c *CommonFactors) describe(best *candidate, units []*unit, values [][]string, attributes []Attribute, left []int) {
	f := Factor{Cases: best.Cases, Expected: best.Expected, LLR: best.LLR, P: best.P, Others: len(best.members) - best.Cases}
	for k, a := range best.attributes {
		if a < 0 {
			continue
		}
		f.Traits = append(f.Traits, FactorTrait{attributes[a].Name, best.values[k]})
		if filter := attributes[a].Filter; filter != nil {
			f.Filters = append(f.Filters, filter(best.values[k]))
		}
	}
	if len(f.Filters) < len(f.Traits) {
		f.Filters = nil // no list says it
	}
	cases, others := 0, 0
	for _, k := range left {
		if units[k].in {
			cases++
		} else {
			others++
		}
		if units[k].in && best.has(values[k]) {
			f.IDs = append(f.IDs, units[k].ids...)
		}
	}
	slices.Sort(f.IDs)
	f.IDs = f.IDs[:min(len(f.IDs), factorIDs)]
	f.Share, f.Usual = float64(f.Cases)/float64(cases), float64(f.Others)/float64(others)
	if f.Usual > 0 {
		f.Times = f.Share / f.Usual
	}
	c.Factors = append(c.Factors, f)
}
