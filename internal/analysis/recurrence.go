package analysis

import (
	"context"
	"math"
	"slices"

	"statincidents/internal/calendar"
	"statincidents/internal/stats"
)

// What comes back: machines and rooms that break more than their like, causes
// whose repairs do not hold, lots of machines that come back more than others,
// reports that say the same thing.

// What a judgement about what comes back is made with.
const (
	RecurrenceYears  = 3    // of history looked at
	RecurrenceWindow = 365  // days over which machines and rooms are compared
	ReturnWithin     = 30   // open days after an end: the parameter of the page, by default
	MostWithin       = 180  // and at most
	LemonRatio       = 2    // times the rate of its like…
	LemonChance      = 0.95 // … with this chance
	LemonLeast       = 3    // incidents in the window
	RecurrenceLevel  = 0.9  // of the intervals of ratios
	ModelHorizon     = 180  // open days after a first incident: a school year
	ModelMachines    = 10   // machines of a lot that is judged
	modelLevel       = 0.998
	trendLeast       = 4    // incidents without which no trend is looked for
	trendChance      = 0.05 // of as great a departure, either way
	leastPeers       = 10   // machines or rooms of a kind
	curvePoints      = 60
)

// RecurrenceInput is what the judgement is made from: no word of any report.
type RecurrenceInput struct {
	Since     calendar.Day      `json:"since"` // first day of the history
	From      calendar.Day      `json:"from"`  // first day of the window
	Today     calendar.Day      `json:"today"`
	OpenDays  int               `json:"open_days"` // of the window, in the département's calendar
	Computers float64           `json:"computers"` // in service, on average over the window; 0 if not known
	Events    []RecurrenceEvent `json:"events"`    // by number
	Rooms     []RecurrenceRoom  `json:"rooms"`
	Until     map[int64]int     `json:"until"` // by school: the number of today among its open days
	Echo      EchoInput         `json:"echo"`
}

// RecurrenceEvent is an incident, with its place among the open days of its
// school since the beginning of the history.
type RecurrenceEvent struct {
	ID      int64        `json:"i"`
	Day     calendar.Day `json:"d"`
	Open    int          `json:"o"`
	End     int          `json:"e"` // -1 while it is open
	School  int64        `json:"s"`
	Room    int64        `json:"r,omitempty"`
	Family  int64        `json:"f,omitempty"` // top of its category
	Type    int64        `json:"t,omitempty"` // second level of its category, or the top
	Cause   int64        `json:"c,omitempty"`
	Machine string       `json:"m,omitempty"`
}

// RecurrenceRoom is a room in use.
type RecurrenceRoom struct {
	ID     int64  `json:"i"`
	School int64  `json:"s"`
	Kind   string `json:"k"`
}

// Recurrence is what was found, of the whole département.
type Recurrence struct {
	Refusal  *Refusal       `json:"refusal,omitempty"`
	From     calendar.Day   `json:"from"`
	Today    calendar.Day   `json:"today"`
	Families []Family       `json:"families,omitempty"`
	Machines []CameBack     `json:"machines,omitempty"` // the most avoidable first
	Rooms    []CameBack     `json:"rooms,omitempty"`
	Models   []Model        `json:"models,omitempty"`
	Returns  []Return       `json:"returns,omitempty"` // of the incidents that ended in the window
	Causes   map[int64]Tend `json:"causes,omitempty"`
	Echoes   []Echo         `json:"echoes,omitempty"`

	Labelled int `json:"labelled"` // incidents of the window that name a machine
	Roomed   int `json:"roomed"`   // … or a room
	Events   int `json:"events"`   // of the window
}

// Family are machines compared with one another: those whose lot mostly has
// incidents of one top category.
type Family struct {
	Category  int64   `json:"category"`
	Machines  int     `json:"machines"`
	Counted   bool    `json:"counted,omitempty"` // from the number of computers in service; otherwise those that incidents have named
	Incidents int     `json:"incidents"`
	Rate      float64 `json:"rate"`            // incidents for one machine and window
	Share     float64 `json:"share,omitempty"` // of machines that are unlike most
	Judged    bool    `json:"judged,omitempty"`
}

// CameBack is a machine or a room that has more incidents than its like.
type CameBack struct {
	Machine   string  `json:"machine,omitempty"`
	Room      int64   `json:"room,omitempty"`
	Kind      string  `json:"kind,omitempty"` // of room
	School    int64   `json:"school"`
	Category  int64   `json:"category"` // family of the machine, type of the room's incidents
	Incidents int     `json:"n"`
	Expected  float64 `json:"expected"` // of one of its like
	Peers     int     `json:"peers"`
	Ratio     float64 `json:"ratio"` // its true rate over that of its like: mean of what is believed
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Chance    float64 `json:"chance"`  // that it is above LemonRatio
	Avoided   float64 `json:"avoided"` // incidents a year that a replacement would spare
	Tend      Tend    `json:"tend"`
}

// Tend tells whether incidents come closer together, against the pace of all
// that is alike in the département: the September wave is no trend.
type Tend struct {
	N       int     `json:"n"`
	U       float64 `json:"u,omitempty"` // Laplace
	P       float64 `json:"p,omitempty"`
	Beta    float64 `json:"beta,omitempty"` // of the power law
	Verdict Tending `json:"verdict"`
}

// Tending is what is concluded of a trend.
type Tending string

// The verdicts. "recurrence.trend.NAME" is the translation key.
const (
	Worse      Tending = "worse"
	Better     Tending = "better"
	NoEvidence Tending = "none"
	TooFew     Tending = "few"
)

// Model is a lot of machines: how many incidents more follow a first one.
type Model struct {
	Name     string  `json:"name"`
	Category int64   `json:"category"`
	Machines int     `json:"machines"` // that had an incident
	Schools  []int64 `json:"schools"`
	// More follow a first incident within Horizon open days, on average; and
	// those of the other lots of its family.
	Horizon     float64     `json:"horizon"`
	More        float64     `json:"more"`
	Low         float64     `json:"low"`
	High        float64     `json:"high"`
	Others      float64     `json:"others"`
	OthersLow   float64     `json:"others_low"`
	OthersHigh  float64     `json:"others_high"`
	Difference  float64     `json:"difference"`
	Least       float64     `json:"least"` // of the difference, 998 times in 1,000
	Most        float64     `json:"most"`
	Verdict     Verdict     `json:"verdict"`
	Curve       []CurveStep `json:"curve"`
	OthersCurve []CurveStep `json:"others_curve"`
}

// CurveStep is a step of a mean cumulative function.
type CurveStep struct {
	Age    float64 `json:"t"` // open days since the first incident
	Mean   float64 `json:"m"`
	Low    float64 `json:"l"`
	High   float64 `json:"h"`
	AtRisk int     `json:"n"`
}

// Return is what followed the end of an incident: the next one on the same
// machine or, where no machine was named, of the same type in the same room.
type Return struct {
	ID     int64 `json:"i"`
	Next   int64 `json:"x,omitempty"` // what came back; 0: nothing yet
	School int64 `json:"s"`
	Cause  int64 `json:"c,omitempty"`
	Room   bool  `json:"r,omitempty"` // judged by its room
	Gap    int   `json:"g"`           // open days until then, or until today
}

// WhatComesBack is asked each night.
var WhatComesBack = Method[RecurrenceInput, Recurrence]{Name: "recurrence", Version: 1, Gather: gatherRecurrence, Run: func(_ context.Context, in RecurrenceInput, _ uint64) (Recurrence, error) {
	return judgeRecurrence(&in), nil
}}

func judgeRecurrence(in *RecurrenceInput) Recurrence {
	out := Recurrence{From: in.From, Today: in.Today}
	for k := range in.Events {
		e := &in.Events[k]
		if e.Day < in.From {
			continue
		}
		out.Events++
		if e.Machine != "" {
			out.Labelled++
		}
		if e.Room != 0 {
			out.Roomed++
		}
	}
	if out.Events < LeastEvents {
		out.Refusal = &Refusal{FewEvents, float64(out.Events), LeastEvents}
		return out
	}
	pace := newPace(in)
	machines := gatherMachines(in)
	out.Families, out.Machines = lemons(in, machines, pace)
	out.Models = models(in, machines)
	out.Rooms = rooms(in, pace)
	out.Returns = returns(in)
	out.Causes = causeTrends(in, pace)
	out.Echoes = echoes(&in.Echo)
	return out
}

// watched is a machine with its incidents, by number.
type watched struct {
	label, batch string
	family       int64
	events       []*RecurrenceEvent
}

// gatherMachines lists the machines of the history, each in the family of its
// lot.
func gatherMachines(in *RecurrenceInput) []*watched {
	at := map[string]*watched{}
	var all []*watched
	families := map[string]map[int64]int{} // of a lot
	for k := range in.Events {
		e := &in.Events[k]
		if e.Machine == "" {
			continue
		}
		m := at[e.Machine]
		if m == nil {
			m = &watched{label: e.Machine, batch: Batch(e.Machine)}
			at[e.Machine] = m
			all = append(all, m)
		}
		m.events = append(m.events, e)
		if families[m.batch] == nil {
			families[m.batch] = map[int64]int{}
		}
		families[m.batch][e.Family]++
	}
	usual := map[string]int64{}
	for batch, n := range families {
		best, most := int64(0), 0
		for family, count := range n {
			if count > most || count == most && family < best {
				best, most = family, count
			}
		}
		usual[batch] = best
	}
	for _, m := range all {
		m.family = usual[m.batch]
	}
	return all
}

// lemons judges machines against those of their family.
func lemons(in *RecurrenceInput, machines []*watched, pace *pace) ([]Family, []CameBack) {
	count := func(m *watched) (n int) {
		for _, e := range m.events {
			if e.Day >= in.From {
				n++
			}
		}
		return n
	}
	members := map[int64][]*watched{}
	for _, m := range machines {
		members[m.family] = append(members[m.family], m)
	}
	var keys []int64
	largest := int64(0)
	for key, list := range members {
		keys = append(keys, key)
		if n := len(members[largest]); len(list) > n || len(list) == n && key < largest {
			largest = key
		}
	}
	slices.Sort(keys)
	var families []Family
	var found []CameBack
	for _, key := range keys {
		f := Family{Category: key, Machines: len(members[key])}
		// Computers are the machines that there are most of: those that no
		// incident has named are counted too.
		if counted := int(math.Round(in.Computers)); key == largest && counted > f.Machines {
			f.Machines, f.Counted = counted, true
		}
		observed, expected := make([]int, f.Machines), make([]float64, f.Machines)
		for k, m := range members[key] {
			observed[k] = count(m)
			f.Incidents += observed[k]
		}
		f.Rate = float64(f.Incidents) / float64(f.Machines)
		for k := range expected {
			expected[k] = f.Rate
		}
		prior, ok := stats.MixedPriorOf(observed, expected)
		if f.Judged = ok && f.Incidents >= LeastEvents && f.Machines >= leastPeers; f.Judged {
			f.Share = prior.Share
			for k, m := range members[key] {
				one, worth := believe(prior, observed[k], f.Rate)
				if !worth {
					continue
				}
				last := m.events[len(m.events)-1]
				one.Machine, one.School, one.Room, one.Category, one.Peers = m.label, last.School, last.Room, key, f.Machines
				one.Tend = pace.tend(m.events, key)
				found = append(found, one)
			}
		}
		families = append(families, f)
	}
	sortCameBack(found)
	return families, found
}

// believe says what is believed of a machine or room, and whether it is worth
// showing.
func believe(prior stats.MixedPrior, observed int, expected float64) (CameBack, bool) {
	if observed < LemonLeast {
		return CameBack{}, false
	}
	b := prior.Shrink(observed, expected, RecurrenceLevel)
	one := CameBack{
		Incidents: observed, Expected: expected, Ratio: b.Ratio, Low: b.Limits.Low, High: b.Limits.High, Chance: b.Above(LemonRatio), Avoided: (b.Ratio - 1) * expected,
	}
	return one, one.Chance > LemonChance
}

func sortCameBack(all []CameBack) {
	slices.SortStableFunc(all, func(a, b CameBack) int {
		switch {
		case a.Avoided > b.Avoided:
			return -1
		case a.Avoided < b.Avoided:
			return 1
		}
		return 0
	})
}

// rooms judges rooms, type by type, against the rooms of the same kind.
func rooms(in *RecurrenceInput, pace *pace) []CameBack {
	kind := map[int64]*RecurrenceRoom{}
	size := map[string]int{}
	for k := range in.Rooms {
		room := &in.Rooms[k]
		kind[room.ID] = room
		size[room.Kind]++
	}
	type cell struct {
		kind string
		of   int64
	}
	met := map[cell]map[int64][]*RecurrenceEvent{}
	var order []cell
	for k := range in.Events {
		e := &in.Events[k]
		room := kind[e.Room]
		if e.Day < in.From || room == nil || e.Type == 0 || room.Kind == "" {
			continue
		}
		c := cell{room.Kind, e.Type}
		if met[c] == nil {
			met[c] = map[int64][]*RecurrenceEvent{}
			order = append(order, c)
		}
		met[c][e.Room] = append(met[c][e.Room], e)
	}
	var found []CameBack
	for _, c := range order {
		total, most := 0, 0
		ids := make([]int64, 0, len(met[c]))
		for id, events := range met[c] {
			ids = append(ids, id)
			total += len(events)
			most = max(most, len(events))
		}
		if total < LeastEvents || most < LemonLeast || size[c.kind] < leastPeers {
			continue
		}
		slices.Sort(ids)
		observed, expected := make([]int, size[c.kind]), make([]float64, size[c.kind])
		rate := float64(total) / float64(size[c.kind])
		for k := range expected {
			expected[k] = rate
			if k < len(ids) {
				observed[k] = len(met[c][ids[k]])
			}
		}
		prior, ok := stats.MixedPriorOf(observed, expected)
		if !ok {
			continue
		}
		for k, id := range ids {
			one, worth := believe(prior, observed[k], rate)
			if !worth {
				continue
			}
			one.Room, one.Kind, one.School, one.Category, one.Peers = id, c.kind, kind[id].School, c.of, size[c.kind]
			one.Tend = pace.tend(met[c][id], met[c][id][0].Family)
			found = append(found, one)
		}
	}
	sortCameBack(found)
	return found
}

// models compares lots of machines by what follows a first incident: that
// needs no count of the machines in service.
func models(in *RecurrenceInput, machines []*watched) []Model {
	type lot struct {
		name    string
		family  int64
		lives   []stats.Life
		events  int
		schools map[int64]bool
	}
	at := map[string]*lot{}
	var all []*lot
	for _, m := range machines {
		if m.batch == "" {
			continue
		}
		l := at[m.batch]
		if l == nil {
			l = &lot{name: m.batch, family: m.family, schools: map[int64]bool{}}
			at[m.batch] = l
			all = append(all, l)
		}
		first := m.events[0]
		life := stats.Life{Exit: float64(in.Until[first.School]-first.Open) + 1}
		for _, e := range m.events[1:] {
			life.Events = append(life.Events, float64(max(0, e.Open-first.Open))+0.5)
		}
		l.lives = append(l.lives, life)
		l.events += len(m.events)
		l.schools[first.School] = true
	}
	var out []Model
	for _, l := range all {
		if len(l.lives) < ModelMachines || l.events < LeastEvents {
			continue
		}
		var others []stats.Life
		for _, o := range all {
			if o != l && o.family == l.family {
				others = append(others, o.lives...)
			}
		}
		f, g := stats.MCF(l.lives), stats.MCF(others)
		if len(f) == 0 || len(others) < ModelMachines || len(g) == 0 {
			continue
		}
		// As far as half of the lot's machines have been watched.
		watchedFor := make([]float64, len(l.lives))
		for k := range l.lives {
			watchedFor[k] = l.lives[k].Exit
		}
		slices.Sort(watchedFor)
		m := Model{Name: l.name, Category: l.family, Machines: len(l.lives), Verdict: VerdictUsual, Horizon: min(ModelHorizon, math.Floor(stats.Quantile(watchedFor, 0.5)))}
		for id := range l.schools {
			m.Schools = append(m.Schools, id)
		}
		slices.Sort(m.Schools)
		here, there := stats.CumulativeAt(f, m.Horizon), stats.CumulativeAt(g, m.Horizon)
		mine, theirs := here.Limits(0.95), there.Limits(0.95)
		m.More, m.Low, m.High = here.Mean, mine.Low, mine.High
		m.Others, m.OthersLow, m.OthersHigh = there.Mean, theirs.Low, theirs.High
		d, limits := stats.CumulativeDifference(f, g, m.Horizon, modelLevel)
		m.Difference, m.Least, m.Most = d, limits.Low, limits.High
		switch {
		case limits.Low > 0:
			m.Verdict = VerdictAbove
		case limits.High < 0:
			m.Verdict = VerdictBelow
		}
		m.Curve, m.OthersCurve = curve(f, m.Horizon), curve(g, m.Horizon)
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b Model) int {
		switch {
		case a.Least > b.Least:
			return -1
		case a.Least < b.Least:
			return 1
		}
		return 0
	})
	return out
}

// curve keeps some steps of a function, the last before each of as many ages.
func curve(f []stats.Cumulative, horizon float64) []CurveStep {
	out := make([]CurveStep, 0, curvePoints+1)
	for k := range curvePoints + 1 {
		age := horizon * float64(k) / curvePoints
		c := stats.CumulativeAt(f, age)
		limits := c.Limits(0.95)
		out = append(out, CurveStep{Age: age, Mean: c.Mean, Low: limits.Low, High: limits.High, AtRisk: c.AtRisk})
	}
	return out
}

// returns follows each end of the window to the next incident on the same
// machine, or of the same type in the same room.
func returns(in *RecurrenceInput) []Return {
	type place struct {
		machine string
		room, t int64
	}
	chains := map[place][]*RecurrenceEvent{}
	where := func(e *RecurrenceEvent) (place, bool) {
		if e.Machine != "" {
			return place{machine: e.Machine}, true
		}
		return place{room: e.Room, t: e.Type}, e.Room != 0 && e.Type != 0
	}
	for k := range in.Events {
		if p, ok := where(&in.Events[k]); ok {
			chains[p] = append(chains[p], &in.Events[k])
		}
	}
	var out []Return
	for k := range in.Events {
		e := &in.Events[k]
		p, ok := where(e)
		if !ok || e.End < 0 || e.Day < in.From {
			continue
		}
		r := Return{ID: e.ID, School: e.School, Cause: e.Cause, Room: e.Machine == "", Gap: max(0, in.Until[e.School]-e.End)}
		chain := chains[p]
		at, _ := slices.BinarySearchFunc(chain, e.ID, func(o *RecurrenceEvent, id int64) int { return int(o.ID - id) })
		for _, o := range chain[at+1:] {
			if o.Open >= e.End {
				r.Next, r.Gap = o.ID, o.Open-e.End
				break
			}
		}
		out = append(out, r)
	}
	return out
}

// causeTrends judges whether each cause comes more often than it did.
func causeTrends(in *RecurrenceInput, pace *pace) map[int64]Tend {
	events := map[int64][]*RecurrenceEvent{}
	for k := range in.Events {
		if e := &in.Events[k]; e.Cause != 0 && e.Day >= in.From {
			events[e.Cause] = append(events[e.Cause], e)
		}
	}
	out := map[int64]Tend{}
	for cause, list := range events {
		out[cause] = pace.tend(list, 0)
	}
	return out
}

// pace is the clock by which trends are judged: it goes on by what all that is
// alike has had, so that a wave that everybody goes through is no trend.
type pace struct {
	from  calendar.Day
	until map[int64][]float64 // by family, 0 all: share of the window's incidents by the middle of each day
}

func newPace(in *RecurrenceInput) *pace {
	p := &pace{from: in.From, until: map[int64][]float64{}}
	days := int(in.Today-in.From) + 1
	count := map[int64][]float64{}
	for k := range in.Events {
		e := &in.Events[k]
		d := int(e.Day - in.From)
		if d < 0 || d >= days {
			continue
		}
		for _, f := range [2]int64{0, e.Family} {
			if count[f] == nil {
				count[f] = make([]float64, days)
			}
			count[f][d]++
			if e.Family == 0 {
				break
			}
		}
	}
	for f, n := range count {
		sum := 0.0
		at := make([]float64, days)
		for d := range n {
			at[d] = sum + n[d]/2
			sum += n[d]
		}
		for d := range at {
			at[d] /= sum
		}
		p.until[f] = at
	}
	return p
}

// tend judges the incidents of the window among some.
func (p *pace) tend(events []*RecurrenceEvent, family int64) Tend {
	at := p.until[family]
	var times []float64
	for _, e := range events {
		if d := int(e.Day - p.from); d >= 0 && d < len(at) {
			times = append(times, at[d])
		}
	}
	t := Tend{N: len(times), Verdict: TooFew}
	if t.N < trendLeast {
		return t
	}
	r, ok := stats.TrendOf(times, 1, RecurrenceLevel)
	if !ok {
		return t
	}
	t.U, t.P, t.Beta, t.Verdict = r.Laplace, r.LaplaceP, r.Beta, NoEvidence
	if r.LaplaceP < trendChance {
		t.Verdict = Better
		if r.Laplace > 0 {
			t.Verdict = Worse
		}
	}
	return t
}
