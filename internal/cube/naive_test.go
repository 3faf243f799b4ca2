package cube

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/incident"
)

// naive answers by looping over the incidents for each figure, from the
// package comment alone. It is the oracle of the executors.
type naive struct {
	w     *world
	scope auth.Scope
	q     Query
	from  calendar.Day
	to    calendar.Day
	first calendar.Day
}

func newNaive(w *world, scope auth.Scope, q Query) *naive {
	n := &naive{w: w, scope: scope, q: q, from: q.From, to: q.To}
	if n.to == 0 {
		n.to = calendar.DayOf(w.now, paris) + 1
	}
	for i := range w.incidents {
		if d := calendar.DayOf(w.incidents[i].OpenedAt, paris); n.first == 0 || d < n.first {
			n.first = d
		}
	}
	if n.from == 0 {
		n.from = n.first
		if n.from == 0 || n.from >= n.to {
			n.from = n.to - 1
		}
	}
	if n.to <= n.from {
		n.to = n.from + 1
	}
	return n
}

func openedDay(i *incident.Incident) calendar.Day { return calendar.DayOf(i.OpenedAt, paris) }

// endDay is the day of the end, 0 while open.
func endDay(i *incident.Incident) calendar.Day {
	if i.State.Open() {
		return 0
	}
	end := openedDay(i)
	switch {
	case !i.ResolvedAt.IsZero():
		end = max(end, calendar.DayOf(i.ResolvedAt, paris))
	case !i.ClosedAt.IsZero():
		end = max(end, calendar.DayOf(i.ClosedAt, paris))
	}
	return end
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// key is the key of an incident; day is that of the basis, shift what moves
// the buckets of time.
func (n *naive) key(i *incident.Incident, d Dim, day calendar.Day, shift int) string {
	level := func(k int) string {
		if p := n.w.tree.Path(i.Category); len(p) > k {
			return number(p[k])
		}
		return ""
	}
	yes := func(b bool) string {
		if b {
			return "yes"
		}
		return "no"
	}
	switch d {
	case DimSchool:
		return number(i.School)
	case DimCommune:
		s, _ := n.w.index.School(i.School)
		return s.Commune
	case DimRoom:
		return number(i.Room)
	case DimNetwork:
		return string(i.Network)
	case DimCategory:
		return level(0)
	case DimCategory2:
		return level(1)
	case DimCategory3:
		return level(2)
	case DimCause:
		return number(i.CauseCode)
	case DimResolution:
		return number(i.ResolutionCode)
	case DimPriority:
		return number(int64(i.Priority))
	case DimImpact:
		return number(int64(i.Impact))
	case DimUrgency:
		return number(int64(i.Urgency))
	case DimState:
		return string(i.State)
	case DimOpen:
		return yes(i.State.Open())
	case DimOrigin:
		return string(i.Origin)
	case DimHandled:
		if i.Level == "" {
			return "direct"
		}
		return string(i.Level)
	case DimTeam:
		return number(i.Team)
	case DimAssignee:
		return number(i.Assignee)
	case DimDeclarant:
		p, _ := n.w.index.Person(i.Declarant)
		return string(p.Kind)
	case DimMachine:
		return i.Machine
	case DimTarget:
		return string(i.Target)
	case DimReopened:
		return yes(i.ReopenCount > 0)
	case DimResponseClock:
		return n.w.did(i.ID).response.word(n.w.now)
	case DimResolutionClock:
		return n.w.did(i.ID).resolution.word(n.w.now)
	case DimWaiting:
		return number(i.WaitingCode)
	case DimRating:
		return string(i.Rating)
	case DimReassigned:
		return fmt.Sprint(min(3, i.ReassignCount))
	case DimHour:
		return i.OpenedAt.In(paris).Format("15")
	}
	return n.dayKey(d, day, shift)
}

func (n *naive) dayKey(d Dim, day calendar.Day, shift int) string {
	moved := (day + calendar.Day(shift)).Time()
	switch d {
	case DimWeekday:
		return fmt.Sprint((int(day.Time().Weekday())+6)%7 + 1)
	case DimSchoolWeek:
		if _, k := n.w.weeks.SchoolWeek(day); k > 0 {
			return fmt.Sprintf("%02d", k)
		}
		return ""
	case DimDay:
		return moved.Format("2006-01-02")
	case DimWeek:
		y, k := moved.ISOWeek()
		return fmt.Sprintf("%d-W%02d", y, k)
	case DimMonth:
		return moved.Format("2006-01")
	case DimYear:
		return moved.Format("2006")
	case DimSchoolYear:
		y := moved.Year()
		if moved.Month() < time.September {
			y--
		}
		return fmt.Sprintf("%d-%d", y, y+1)
	}
	panic(d)
}

// rankOf orders keys of a dimension for ranges.
func rankOf(d Dim, key string) (float64, string) {
	words := map[Dim][]string{
		DimState:   {"new", "assigned", "planned", "waiting", "resolved", "closed", "cancelled", "merged"},
		DimOrigin:  {"portal", "phone", "email", "agent", "monitoring", "import", "label"},
		DimHandled: {"direct", "school", "handed", "lapsed", "taken"},
		DimNetwork: {"administrative", "teaching"}, DimTarget: {"met", "missed"}, DimOpen: {"yes", "no"}, DimReopened: {"yes", "no"},
		DimResponseClock: {"kept", "late", "running"}, DimResolutionClock: {"kept", "late", "running"}, DimRating: {"satisfied", "neutral", "unsatisfied"},
		DimDeclarant: {"teacher", "administrative", "caretaker", "referent", "technician", "other"},
	}
	if list, ok := words[d]; ok {
		return float64(slices.Index(list, key)), ""
	}
	if x, err := strconv.ParseFloat(key, 64); err == nil && !d.Time() && d != DimMachine && d != DimCommune {
		return x, ""
	}
	return 0, key
}

func (n *naive) passes(f Filter, key string) bool {
	if len(f.In) > 0 && !slices.Contains(f.In, key) || slices.Contains(f.NotIn, key) {
		return false
	}
	less := func(a, b string) bool {
		x, s := rankOf(f.Dim, a)
		y, t := rankOf(f.Dim, b)
		return x < y || x == y && s < t
	}
	if f.From != "" && (key == "" || less(key, f.From)) || f.To != "" && (key == "" || less(f.To, key)) {
		return false
	}
	return true
}

// keeps tells whether filters, scope and text keep an incident whose basis is
// on a day; uncounted ones pass when all is set.
func (n *naive) keeps(i *incident.Incident, day calendar.Day, shift int, all bool) bool {
	if !i.SeenBy(n.scope) {
		return false
	}
	if n.q.Text != "" && !slices.Contains(n.w.text[n.q.Text], i.ID) {
		return false
	}
	named := false
	for _, f := range n.q.Filters {
		if !n.passes(f, n.key(i, f.Dim, day, shift)) {
			return false
		}
		named = named || f.Dim == DimState && (len(f.In) > 0 || f.From != "" || f.To != "")
	}
	return all || named || i.State != incident.Merged && i.State != incident.Cancelled
}

// behind lists the incidents behind a measure in the days [from, to) of the
// asked period, seen shift days earlier, that have the given keys.
func (n *naive) behind(m Measure, by []Dim, keys, top []string, topAt int, from, to calendar.Day, shift int) []*incident.Incident {
	var out []*incident.Incident
	for k := range n.w.incidents {
		i := &n.w.incidents[k]
		lo, hi := from-calendar.Day(shift), to-calendar.Day(shift)
		day := openedDay(i)
		switch m {
		case Resolved:
			if day = endDay(i); day == 0 || day < lo || day >= hi {
				continue
			}
		case Backlog:
			if end := endDay(i); day >= hi || end != 0 && end < hi {
				continue
			}
		default:
			if day < lo || day >= hi {
				continue
			}
		}
		if !n.keeps(i, day, shift, false) {
			continue
		}
		same := true
		for b, d := range by {
			if d.bucket() {
				continue // told by from and to
			}
			key := n.key(i, d, day, shift)
			if keys[b] == OthersKey && b == topAt {
				same = same && !slices.Contains(top, key)
			} else {
				same = same && key == keys[b]
			}
		}
		if same && n.part(m, i) {
			out = append(out, i)
		}
	}
	return out
}

func (n *naive) part(m Measure, i *incident.Incident) bool {
	resolved := !i.State.Open() && !i.ResolvedAt.IsZero()
	switch m {
	case ResolutionMedian, ResolutionP90, ResolutionMean:
		return resolved
	case Unresolved:
		return !resolved
	case ClosingMedian, ClosingMean:
		return !i.State.Open() && !i.ClosedAt.IsZero()
	case Reopened, ReopenedShare:
		return i.ReopenCount > 0
	case Repeat, RepeatShare:
		for k := range n.w.incidents {
			o := &n.w.incidents[k]
			if o.ID == i.ID || o.State == incident.Merged || o.State == incident.Cancelled {
				continue
			}
			gap := i.OpenedAt.Unix() - o.OpenedAt.Unix()
			if gap < 0 || gap > 30*86400 || gap == 0 && o.ID > i.ID {
				continue
			}
			if i.Machine != "" && o.Machine == i.Machine || i.Room != 0 && o.Room == i.Room && i.Category != 0 && o.Category == i.Category {
				return true
			}
		}
		return false
	case Per100Computers, Per100Pupils:
		return n.inService(m, i.School, openedDay(i)) > 0
	case ResponseKept:
		return n.key(i, DimResponseClock, 0, 0) == "kept"
	case ResponseLate:
		return n.key(i, DimResponseClock, 0, 0) == "late"
	case ResolutionKept:
		return n.key(i, DimResolutionClock, 0, 0) == "kept"
	case ResolutionLate:
		return n.key(i, DimResolutionClock, 0, 0) == "late"
	case ResponseOpen:
		return n.w.did(i.ID).response.phase == "stopped"
	case ResolutionOpen, ResolutionOpenMean:
		return n.w.did(i.ID).resolution.phase == "stopped"
	case Rated, Satisfaction:
		return i.Rating != ""
	case SatisfiedShare:
		return i.Rating == incident.Satisfied
	case Reassignments, Visits, WorkTime, Parts, PartsCost, Checklists, ChecksFailed:
		return n.w.amount(m, i) != 0
	}
	return true
}

func (n *naive) inService(m Measure, school int64, day calendar.Day) int {
	if !n.scope.SeesSchool(school) {
		return 0
	}
	e, ok := n.w.index.ExposureAt(school, day)
	if !ok {
		return 0
	}
	if m == Per100Computers {
		return e.Computers
	}
	return e.Pupils
}

func typeSeven(x []float64, p float64) float64 {
	sort.Float64s(x)
	h := float64(len(x)-1) * p
	k := int(math.Floor(h + 1e-9))
	if k+1 >= len(x) {
		return x[k]
	}
	return x[k] + (h-float64(k))*(x[k+1]-x[k])
}

// value computes one figure.
func (n *naive) value(m Measure, by []Dim, keys, top []string, topAt int, from, to calendar.Day, shift int) Value {
	list := n.behind(m, by, keys, top, topAt, from, to, shift)
	count := len(list)
	ratio := func(v float64, n int) Value {
		if n == 0 {
			return Value{}
		}
		return Value{V: v, Valid: true, N: n}
	}
	var hours []float64
	sum := 0.0
	for _, i := range list {
		until := i.ResolvedAt
		if m == ClosingMedian || m == ClosingMean {
			until = i.ClosedAt
		}
		h := math.Max(0, float64(until.Unix()-i.OpenedAt.Unix())) / 3600
		switch m {
		case ResponseOpen:
			h = float64(n.w.did(i.ID).response.spent) / 60
		case ResolutionOpen, ResolutionOpenMean:
			h = float64(n.w.did(i.ID).resolution.spent) / 60
		case Satisfaction:
			h = map[incident.Rating]float64{incident.Satisfied: 3, incident.Neutral: 2, incident.Unsatisfied: 1}[i.Rating]
		}
		hours, sum = append(hours, h), sum+h
	}
	total := 0.0
	for _, i := range list {
		total += n.w.amount(m, i)
	}
	of := func(late Measure) Value {
		all := count + len(n.behind(late, by, keys, top, topAt, from, to, shift))
		return ratio(float64(count)/float64(all), all)
	}
	switch m {
	case ResponseKept:
		return of(ResponseLate)
	case ResolutionKept:
		return of(ResolutionLate)
	case SatisfiedShare:
		all := len(n.behind(Rated, by, keys, top, topAt, from, to, shift))
		return ratio(float64(count)/float64(all), all)
	case Reassignments, Visits, WorkTime, Parts, PartsCost, Checklists, ChecksFailed:
		return Value{V: total, Valid: true, N: count}
	case ReopenedShare, RepeatShare:
		all := len(n.behind(Count, by, keys, top, topAt, from, to, shift))
		return ratio(float64(count)/float64(all), all)
	case ResolutionMedian, ClosingMedian, ResponseOpen, ResolutionOpen:
		if count == 0 {
			return Value{}
		}
		return ratio(typeSeven(hours, 0.5), count)
	case ResolutionP90:
		if count == 0 {
			return Value{}
		}
		return ratio(typeSeven(hours, 0.9), count)
	case ResolutionMean, ClosingMean, ResolutionOpenMean, Satisfaction:
		return ratio(sum/float64(count), count)
	case Per100Computers, Per100Pupils:
		days := 0
		for _, s := range n.w.index.Schools() {
			if !n.schoolIn(s.ID, s.Commune, by, keys, top, topAt) {
				continue
			}
			for d := from - calendar.Day(shift); d < to-calendar.Day(shift); d++ {
				if n.bucketsKeep(d, shift) {
					days += n.inService(m, s.ID, d)
				}
			}
		}
		if days == 0 {
			return Value{N: count}
		}
		return Value{V: 100 * float64(count) / (float64(days) / 365.25), Valid: true, N: count}
	}
	return Value{V: float64(count), Valid: true, N: count}
}

func (n *naive) bucketsKeep(d calendar.Day, shift int) bool {
	for _, f := range n.q.Filters {
		if f.Dim.bucket() && !n.passes(f, n.dayKey(f.Dim, d, shift)) {
			return false
		}
	}
	return true
}

func (n *naive) schoolIn(id int64, commune string, by []Dim, keys, top []string, topAt int) bool {
	of := func(d Dim) (string, bool) {
		switch d {
		case DimSchool:
			return number(id), true
		case DimCommune:
			return commune, true
		}
		return "", false
	}
	for _, f := range n.q.Filters {
		if key, ok := of(f.Dim); ok && !n.passes(f, key) {
			return false
		}
	}
	for b, d := range by {
		key, ok := of(d)
		if !ok {
			continue
		}
		if keys[b] == OthersKey && b == topAt {
			if slices.Contains(top, key) {
				return false
			}
		} else if key != keys[b] {
			return false
		}
	}
	return true
}

// bucket finds the days of the asked period that have a row's bucket keys.
func (n *naive) bucket(by []Dim, keys []string) (from, to calendar.Day) {
	for d := n.from; d < n.to; d++ {
		in := true
		for b, dim := range by {
			in = in && (!dim.bucket() || n.dayKey(dim, d, 0) == keys[b])
		}
		if in {
			if from == 0 {
				from = d
			}
			to = d + 1
		}
	}
	return from, to
}

// check compares a result with the loop: every figure, and that no row is
// missing.
func (n *naive) check(t failer, res Result) {
	t.Helper()
	shift := 0
	switch n.q.Compare {
	case ComparePrevious:
		shift = int(n.to - n.from)
	case CompareSchoolYear:
		shift = 364
	}
	if res.From != n.from || res.To != n.to || res.Shift != shift {
		t.Fatalf("period [%s, %s) shift %d, want [%s, %s) shift %d", res.From, res.To, res.Shift, n.from, n.to, shift)
	}
	topAt := -1
	if n.q.Limit > 0 {
		topAt = slices.IndexFunc(n.q.By, func(d Dim) bool { return !d.Time() })
	}
	rows := func(name string, rows []Row, by []Dim, topAt int) {
		t.Helper()
		seen := map[string]bool{}
		for _, r := range rows {
			id := strings.Join(r.Keys, "|")
			if seen[id] {
				t.Fatalf("%s: row %q is there twice", name, id)
			}
			seen[id] = true
			from, to := n.bucket(by, r.Keys)
			for k, m := range n.q.Measures {
				n.same(t, fmt.Sprintf("%s %q %s", name, id, m), r.Values[k], n.value(m, by, r.Keys, res.Top, topAt, from, to, 0))
				if shift > 0 {
					n.same(t, fmt.Sprintf("%s %q %s before", name, id, m), r.Before[k], n.value(m, by, r.Keys, res.Top, topAt, from, to, shift))
				}
			}
		}
		n.complete(t, name, seen, by, res.Top, topAt)
	}
	rows("rows", res.Rows, n.q.By, topAt)
	rows("total", []Row{res.Total}, nil, -1)
	for i, d := range n.q.By {
		if len(n.q.By) > 1 {
			at := -1
			if i == topAt {
				at = 0
			}
			rows("margin of "+string(d), res.Margins[i], []Dim{d}, at)
		}
	}
	population := len(n.behind(Count, nil, nil, nil, -1, n.from, n.to, 0))
	if res.Population != population {
		t.Fatalf("population %d, want %d", res.Population, population)
	}
	excluded := 0
	for k := range n.w.incidents {
		i := &n.w.incidents[k]
		if d := openedDay(i); d >= n.from && d < n.to && n.keeps(i, d, 0, true) {
			excluded++
		}
	}
	if res.Excluded != excluded-population {
		t.Fatalf("excluded %d, want %d", res.Excluded, excluded-population)
	}
}

// complete checks that each incident behind a measure is in a row, and that
// time has no holes.
func (n *naive) complete(t failer, name string, seen map[string]bool, by []Dim, top []string, topAt int) {
	t.Helper()
	for _, m := range n.q.Measures {
		for k := range n.w.incidents {
			i := &n.w.incidents[k]
			day := openedDay(i)
			if m == Resolved {
				day = endDay(i)
			}
			at := day
			if m == Backlog {
				if end := endDay(i); day >= n.to || end != 0 && end < n.to {
					continue
				}
				at = n.to - 1
			}
			if at < n.from || at >= n.to || !n.keeps(i, day, 0, false) {
				continue
			}
			keys := make([]string, len(by))
			for b, d := range by {
				if d.bucket() {
					keys[b] = n.dayKey(d, at, 0)
				} else {
					keys[b] = n.key(i, d, day, 0)
				}
				if b == topAt && !slices.Contains(top, keys[b]) {
					keys[b] = OthersKey
				}
			}
			if !seen[strings.Join(keys, "|")] && (m != Backlog || n.q.To != 0 || n.q.From != 0) {
				t.Fatalf("%s: no row %q for incident %d, behind %s", name, keys, i.ID, m)
			}
		}
	}
	if n.q.From == 0 || len(by) != 1 || !by[0].Time() {
		return
	}
	for d := n.from; d < n.to; d++ {
		if by[0] == DimHour {
			continue
		}
		if key := n.dayKey(by[0], d, 0); !seen[key] && key != "" {
			t.Fatalf("%s: no row for %s", name, key)
		}
	}
}

func (n *naive) same(t failer, what string, got, want Value) {
	t.Helper()
	if got.N != want.N || got.Valid != want.Valid || math.Abs(got.V-want.V) > 1e-9*(1+math.Abs(want.V)) {
		t.Fatalf("%s = %+v, want %+v", what, got, want)
	}
}
