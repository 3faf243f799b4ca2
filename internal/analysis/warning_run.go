package analysis

import (
	"context"
	"math"
	"slices"

	"statincidents/internal/calendar"
	"statincidents/internal/stats"
)

// WarningOutput is what was found in each of the last open weeks, the oldest
// first.
type WarningOutput struct {
	Refusal *Refusal `json:",omitempty"`
	Weeks   []JudgedWeek
	Series  int // that were judged in the last week
	Learned int // open weeks that teach
	Late    float64
}

// JudgedWeek is a week with what was found in it: the alerts, and the series
// that were alerts in one of the weeks shown and are not back to normal.
type JudgedWeek struct {
	Monday  calendar.Day
	Partial bool `json:",omitempty"` // under way: up to yesterday
	Tested  int
	Found   []Warned `json:",omitempty"` // the largest excess first
	Drifts  []Warned `json:",omitempty"` // small rises that last
}

// Warned is a series in a week. School or Category is 0 for all of them.
type Warned struct {
	School, Category int64
	Alert            bool
	// Over the window: Weeks open weeks from that of First on.
	Weeks    int
	First    calendar.Day
	Observed int
	Expected float64
	Low      float64 // limits of the ratio of the two, of 90 %
	High     float64
	P        float64 `json:",omitempty"` // chance of so many; none for a drift
	Adjusted float64 `json:",omitempty"` // share of false alerts accepted to tell it
	Sum      float64 `json:",omitempty"` // of a drift: the evidence
	Since    *Since  `json:",omitempty"`
	History  []PastWeek
}

// Excess is how many more there were than expected.
func (w *Warned) Excess() float64 { return float64(w.Observed) - w.Expected }

// PastWeek is a week of a series beside what is usual: nine in ten are between
// Low and High.
type PastWeek struct {
	Monday    calendar.Day
	Observed  int
	Expected  float64
	Low, High int
}

// Since is when the pace of a series changed: between From and To with 95
// chances in 100, in incidents a full open week.
type Since struct {
	Monday, From, To calendar.Day
	Before, After    float64
	P                float64
}

// warn judges the last weeks of the panel.
func warn(ctx context.Context, in WarningInput, seed uint64) (WarningOutput, error) {
	var out WarningOutput
	e := stats.UsualExceedance()
	open := 0
	for t := range in.Mondays {
		if in.judged(t) {
			open++
		}
	}
	switch {
	case open < LeastWeeks+e.Guard+1:
		out.Refusal = &Refusal{Why: FewWeeks, Have: float64(open), Least: float64(LeastWeeks + e.Guard + 1)}
		return out, nil
	case in.Events < LeastEvents:
		out.Refusal = &Refusal{Why: FewEvents, Have: float64(in.Events), Least: LeastEvents}
		return out, nil
	}
	told := map[[2]int64]bool{}
	drifting := map[[2]int64]bool{}
	for t := max(0, len(in.Mondays)-warnedWeeks); t < len(in.Mondays); t++ {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		b, ok := e.Baseline(&in.Panel, t)
		if !ok {
			continue
		}
		week := JudgedWeek{Monday: in.Mondays[t], Partial: in.Partial && t == len(in.Mondays)-1}
		for _, r := range b.Judge() {
			if r.Tested {
				week.Tested++
			}
			key, named := in.key(r.School, r.Category)
			if !r.Tested || !named || !r.Alert && (!told[key] || r.P >= StayP) {
				continue
			}
			told[key] = told[key] || r.Alert
			week.Found = append(week.Found, in.warned(b, &r, t, seed))
		}
		slices.SortStableFunc(week.Found, func(x, y Warned) int { return compareExcess(&x, &y) })
		if t >= len(in.Mondays)-driftWeeks {
			week.Drifts = in.drifts(t, drifting, seed)
		}
		out.Weeks = append(out.Weeks, week)
		out.Series = week.Tested
	}
	out.Learned = min(open-e.Guard-1, e.History-e.Guard)
	if n := len(in.Panel.Completeness); n > 0 {
		out.Late = 1 - in.Panel.Completeness[n-1]
	}
	return out, nil
}

func compareExcess(x, y *Warned) int {
	switch dx, dy := x.Excess(), y.Excess(); {
	case dx > dy:
		return -1
	case dx < dy:
		return 1
	}
	return 0
}

// judged tells whether some school was open enough in a week.
func (in *WarningInput) judged(t int) bool {
	for s := range in.Schools {
		if in.Panel.Openness[s][t] > stats.UsualExceedance().Openness && in.Panel.Computers[s][t] > 0 {
			return true
		}
	}
	return false
}

// key names a series; what has no category is counted, and not named.
func (in *WarningInput) key(school, category int) (key [2]int64, named bool) {
	if school != stats.All {
		key[0] = in.Schools[school]
	}
	if category != stats.All {
		key[1] = in.Categories[category]
	}
	return key, category == stats.All || key[1] != 0
}

func (in *WarningInput) warned(b *stats.Baseline, r *stats.Reading, t int, seed uint64) Warned {
	key, _ := in.key(r.School, r.Category)
	limits := r.Limits(RatioLevel)
	w := Warned{
		School: key[0], Category: key[1], Alert: r.Alert, Weeks: r.Window, Observed: r.WindowObserved, Expected: r.WindowExpected,
		Low: limits.Low, High: min(limits.High, 1e6), P: r.P, Adjusted: r.Adjusted,
	}
	w.History, w.First = in.history(b, r.School, r.Category, r.Window)
	if w.Since = in.since(b.Course(r.School, r.Category, sinceWeeks), r.School, seed); w.Since != nil && w.Since.After < w.Since.Before {
		w.Since = nil // what goes down since then is not this rise
	}
	if w.First == 0 {
		w.First = in.Mondays[t]
	}
	return w
}

// history is the series beside what is usual, and the Monday of the first of
// its last weeks.
func (in *WarningInput) history(b *stats.Baseline, school, category, window int) ([]PastWeek, calendar.Day) {
	var out []PastWeek
	for _, week := range b.Strip(school, category, historyWeeks) {
		if week.Open {
			out = append(out, PastWeek{in.Mondays[week.Week], week.Observed, math.Round(1000*week.Expected) / 1000, week.Low, week.High})
		}
	}
	if window == 0 || len(out) < window {
		return out, 0
	}
	return out, out[len(out)-window].Monday
}

// since finds when the pace changed; nil when it may not have.
func (in *WarningInput) since(c stats.Course, school int, seed uint64) *Since {
	expected, open := 0.0, 0.0
	counts := slices.Clone(c.Counts)
	for k, mean := range c.Mean {
		if mean <= 0 {
			counts[k] = 0
			continue
		}
		expected += mean
		open += in.openness(school, c.Weeks[k])
	}
	change, ok := stats.ChangePoint(counts, c.Mean, sinceDraws, seed)
	if !ok || change.P >= sinceBelow || open == 0 || len(change.Set) == 0 {
		return nil
	}
	week := expected / open // a usual full week, in incidents
	return &Since{
		Monday: in.Mondays[c.Weeks[change.At]], From: in.Mondays[c.Weeks[change.Set[0]]], To: in.Mondays[c.Weeks[change.Set[len(change.Set)-1]]],
		Before: change.Before * week, After: change.After * week, P: change.P,
	}
}

// openness of a school, or on the average of those that are open.
func (in *WarningInput) openness(school, t int) float64 {
	if school != stats.All {
		return in.Panel.Openness[school][t]
	}
	sum, n := 0.0, 0.0
	for s := range in.Schools {
		if in.Panel.Computers[s][t] > 0 {
			sum, n = sum+in.Panel.Openness[s][t], n+1
		}
	}
	return sum / max(1, n)
}

// drifts follows the sums over the year before a week, from what was usual
// before that year: categories over all schools, and schools by category beside
// what all schools do. The limits leave at most one false drift a school year
// over each family, whatever the series (Lorden's bound).
func (in *WarningInput) drifts(t int, drifting map[[2]int64]bool, seed uint64) []Warned {
	e := stats.UsualExceedance()
	e.Guard, e.Decay = warnedWeeks, 1
	e.History += warnedWeeks
	if t < warnedWeeks+driftLearning {
		return nil
	}
	b, ok := e.Baseline(&in.Panel, t)
	if !ok {
		return nil
	}
	var out []Warned
	follow := func(school, category, family int, whole float64) {
		c := b.Course(school, category, warnedWeeks)
		counts := make([]int, len(c.Mean))
		for k := range c.Mean {
			c.Mean[k] *= whole
			counts[k] = c.Counts[k]
			if c.Mean[k] > 0 {
				// A great week is not a small rise: beyond three deviations it counts no more.
				most := c.Mean[k] + 3*math.Sqrt(c.Mean[k]+c.Mean[k]*c.Mean[k]/c.Size[k]) + 1
				counts[k] = min(counts[k], int(most))
			}
		}
		limit := math.Log(float64(family) * warnedWeeks)
		points := stats.CUSUM{Factor: driftFactor, Limit: limit, Hold: limit + 2}.Run(counts, c.Mean, c.Size)
		key, named := in.key(school, category)
		if len(points) == 0 || !named {
			return
		}
		last := points[len(points)-1]
		if !last.Alarm && !(drifting[key] && last.Sum > limit/2) {
			return
		}
		// The rise began where the sum last left 0.
		from := len(points) - 1
		for from > 0 && points[from-1].Sum > 0 {
			from--
		}
		w := Warned{School: key[0], Category: key[1], Alert: last.Alarm, Sum: last.Sum, Weeks: len(points) - from, First: in.Mondays[c.Weeks[from]]}
		for k := from; k < len(points); k++ {
			if c.Mean[k] > 0 {
				w.Observed += c.Counts[k]
				w.Expected += c.Mean[k]
			}
		}
		// A series that was told stays while it is clearly above what it was.
		if w.Expected <= 0 || float64(w.Observed) < driftAtLeast*w.Expected {
			return
		}
		limits := stats.NBRatio(w.Observed, w.Expected, c.Size[len(c.Size)-1]*float64(w.Weeks), RatioLevel)
		w.Low, w.High = limits.Low, min(limits.High, 1e6)
		drifting[key] = drifting[key] || w.Alert
		w.History, _ = in.history(b, school, category, 0)
		c.Counts = counts
		if w.Since = in.since(c, school, seed); w.Since != nil && w.Since.After < w.Since.Before {
			w.Since = nil // what goes down since then is not this rise
		}
		out = append(out, w)
	}
	for c := range in.Categories {
		follow(stats.All, c, len(in.Categories), 1)
	}
	for c := range in.Categories {
		all := b.Course(stats.All, c, warnedWeeks)
		observed, expected := 0.0, 0.0
		for k, mean := range all.Mean {
			observed, expected = observed+float64(all.Counts[k]), expected+mean
		}
		whole := 1.0
		if expected > 0 {
			whole = max(1, observed/expected)
		}
		for s := range in.Schools {
			follow(s, c, len(in.Schools)*len(in.Categories), whole)
		}
	}
	slices.SortStableFunc(out, func(x, y Warned) int { return compareExcess(&x, &y) })
	return out
}
