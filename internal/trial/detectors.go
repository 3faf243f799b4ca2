package trial

import (
	"math"

	"statincidents/internal/stats"
)

// Names of the detectors, in the order of the tables.
const (
	Ours           = "exceedance-123"
	OursOne        = "exceedance-1"
	Poisson        = "poisson-1"
	CUSUM          = "cusum-nb"
	FarringtonOpen = "farrington-open"
	FarringtonAll  = "farrington-calendar"
	EARS3          = "ears-c3"
	EARS2          = "ears-c2"
	EARS1          = "ears-c1"
	EARS1All       = "ears-c1-calendar"
	OursRule       = "exceedance-rule"
	OursBusy       = "exceedance-busy"
)

// detector prepares itself on a case; what it returns scores a week of a
// series whose counts may have been added to (weeks are those of the panel).
// NaN: not judged.
type detector struct {
	name    string
	usual   float64 // its own limit
	prepare func(*prepared) func(series, week int, y []int) float64
	// sums tells that scores are steps of a sum that begins again at the limit.
	sums bool
}

// prepared holds what several detectors need of a case.
type prepared struct {
	Case

	categories int
	windows    [][][]stats.Stretch // by week from First on, by series
}

func (p *prepared) counts(series int) []int {
	return p.Panel.Counts[series/p.categories][series%p.categories]
}

func (p *prepared) series() int { return len(p.Panel.Counts) * p.categories }

// learn runs the baseline before each judged week.
func (p *prepared) learn() {
	p.windows = make([][][]stats.Stretch, len(p.Panel.Number)-p.First)
	for k := range p.windows {
		b, ok := stats.UsualExceedance().Baseline(p.Panel, p.First+k)
		p.windows[k] = make([][]stats.Stretch, p.series())
		for s := range p.windows[k] {
			if ok {
				p.windows[k][s] = b.Windows(s/p.categories, s%p.categories)
			}
		}
	}
}

// surprise of a chance: the limit of one in a thousand, for instance, is
// surprise(0.001).
func surprise(p float64) float64 { return -math.Log(max(p, 1e-300)) }

func detectors() []detector {
	return []detector{
		{name: Ours, usual: surprise(0.001), prepare: func(p *prepared) func(int, int, []int) float64 {
			return func(s, week int, y []int) float64 {
				chance, ok := p.exceedance(s, week, y)
				if !ok {
					return math.NaN()
				}
				return surprise(chance)
			}
		}},
		{name: OursOne, usual: surprise(0.001), prepare: oneWeek(func(w stats.Stretch) float64 { return w.Size })},
		{name: Poisson, usual: surprise(0.001), prepare: oneWeek(func(stats.Stretch) float64 { return math.Inf(1) })},
		{name: CUSUM, usual: 3.75, sums: true, prepare: cusum},
		{name: FarringtonOpen, usual: surprise(0.001), prepare: farringtonOpen},
		{name: FarringtonAll, usual: surprise(0.001), prepare: farringtonCalendar},
		{name: EARS3, usual: stats.UsualEARS().Z3, prepare: ears(func(e stats.EARSPoint) float64 { return e.C3 }, false)},
		{name: EARS2, usual: stats.UsualEARS().Z2, prepare: ears(func(e stats.EARSPoint) float64 { return e.C2 }, false)},
		{name: EARS1, usual: stats.UsualEARS().Z1, prepare: ears(func(e stats.EARSPoint) float64 { return e.C1 }, false)},
		{name: EARS1All, usual: stats.UsualEARS().Z1, prepare: ears(func(e stats.EARSPoint) float64 { return e.C1 }, true)},
	}
}

// exceedance is the chance of the best of the windows, with counts that may
// have been added to. The last weeks teach nothing, so what is usual stays.
func (p *prepared) exceedance(s, week int, y []int) (float64, bool) {
	windows := p.windows[week-p.First][s]
	if len(windows) == 0 {
		return 0, false
	}
	before := p.counts(s)
	least, added, at := 1.0, 0, week
	for _, w := range windows {
		added += y[at] - before[at]
		at--
		least = min(least, stats.NBAtLeast(w.Observed+added, w.Expected, w.Size))
	}
	return min(1, float64(len(windows))*least), true
}

func oneWeek(size func(stats.Stretch) float64) func(*prepared) func(int, int, []int) float64 {
	return func(p *prepared) func(int, int, []int) float64 {
		return func(s, week int, y []int) float64 {
			windows := p.windows[week-p.First][s]
			if len(windows) == 0 {
				return math.NaN()
			}
			return surprise(stats.NBAtLeast(y[week], windows[0].Expected, size(windows[0])))
		}
	}
}

// cusum gives the steps of the sum for a mean three times what is expected.
func cusum(p *prepared) func(int, int, []int) float64 {
	one := stats.CUSUM{Factor: 3, Limit: math.Inf(1)}
	return func(s, week int, y []int) float64 {
		windows := p.windows[week-p.First][s]
		if len(windows) == 0 {
			return math.NaN()
		}
		return one.Step(y[week], windows[0].Expected, windows[0].Size)
	}
}

// farringtonOpen knows the calendar: open weeks, with the exposure as offset.
func farringtonOpen(p *prepared) func(int, int, []int) float64 {
	f := farringtonOf(36, 18, p.First)
	return func(s, week int, y []int) float64 {
		school := s / p.categories
		exposure := make([]float64, week+1)
		for k := range exposure {
			exposure[k] = p.Panel.Computers[school][k] * p.Panel.Openness[school][k]
		}
		return farringtonScore(f, y, exposure, week)
	}
}

// farringtonCalendar takes weeks as they come, holidays among them.
func farringtonCalendar(p *prepared) func(int, int, []int) float64 {
	f := farringtonOf(52, 26, p.Place[p.First])
	return func(_, week int, y []int) float64 {
		return farringtonScore(f, p.calendar(y, week), nil, p.Place[week])
	}
}

func farringtonOf(perYear, recent, first int) stats.Farrington {
	f := stats.UsualFarrington()
	f.PerYear, f.Recent, f.Alpha = perYear, recent, 0.001
	f.Years = min(5, max(1, (first-f.Around)/perYear))
	f.Trend = f.Years >= 3
	return f
}

func farringtonScore(f stats.Farrington, y []int, exposure []float64, at int) float64 {
	w, ok := f.At(y, exposure, at)
	if !ok {
		return math.NaN()
	}
	return surprise(w.P)
}

// calendar lays counts of school weeks over all weeks, up to one.
func (p *prepared) calendar(y []int, week int) []int {
	out := make([]int, p.Place[week]+1)
	for k := range week + 1 {
		out[p.Place[k]] = y[k]
	}
	return out
}

func ears(which func(stats.EARSPoint) float64, calendar bool) func(*prepared) func(int, int, []int) float64 {
	e := stats.UsualEARS()
	return func(p *prepared) func(int, int, []int) float64 {
		return func(_, week int, y []int) float64 {
			series := y[:week+1]
			if calendar {
				series = p.calendar(y, week)
			}
			// The last values are all that it looks at.
			series = series[max(0, len(series)-e.Baseline-5):]
			return which(e.Run(series)[len(series)-1])
		}
	}
}

// judge runs a detector over the quiet weeks and those with outbreaks.
func judge(d detector, c Case, outbreaks []outbreak, plan Plan) judged {
	p := &prepared{Case: c, categories: len(c.Panel.Counts[0])}
	switch d.name {
	case Ours, OursOne, Poisson, CUSUM:
		p.learn()
	}
	score := d.prepare(p)
	j := judged{weeks: len(c.Panel.Number) - c.First}
	for _, o := range outbreaks {
		j.sizes = append(j.sizes, o.size)
	}
	if d.sums {
		j.sum(p, score, outbreaks)
		return j
	}
	least := func(v float64, y int) float64 {
		if math.IsNaN(v) || y < plan.Least {
			return math.Inf(-1)
		}
		return v
	}
	for s := range p.series() {
		y := p.counts(s)
		for week := c.First; week < len(c.Panel.Number); week++ {
			// A count below the least needs no score, only to know that it could be judged.
			if c.Panel.Computers[s/p.categories][week] <= 0 || c.Panel.Openness[s/p.categories][week] <= stats.UsualExceedance().Openness {
				continue
			}
			if y[week] < plan.Least && j.tested > 0 {
				j.tested++
				continue
			}
			v := score(s, week, y)
			if math.IsNaN(v) {
				continue
			}
			j.tested++
			if y[week] >= plan.Least {
				j.quiet, j.quietWeek = append(j.quiet, v), append(j.quietWeek, week-c.First)
			}
		}
	}
	for _, o := range outbreaks {
		y := added(p, o)
		scores := make([]float64, len(o.more))
		for w := range scores {
			scores[w] = least(score(o.series, o.week+w, y), y[o.week+w])
		}
		j.added = append(j.added, scores)
	}
	if d.name == Ours {
		j.rule(p, outbreaks)
	}
	return j
}

// added are the counts of a series with an outbreak.
func added(p *prepared, o outbreak) []int {
	y := append([]int(nil), p.counts(o.series)...)
	for w, more := range o.more {
		y[o.week+w] += more
	}
	return y
}

// sum makes a judged whose alarms depend on those before.
func (j *judged) sum(p *prepared, score func(int, int, []int) float64, outbreaks []outbreak) {
	steps := func(s int, y []int) []float64 {
		out := make([]float64, j.weeks)
		for k := range out {
			out[k] = score(s, p.First+k, y)
		}
		return out
	}
	quiet := make([][]float64, p.series())
	for s := range quiet {
		quiet[s] = steps(s, p.counts(s))
		for _, v := range quiet[s] {
			if !math.IsNaN(v) {
				j.tested++
			}
		}
	}
	with := make([][]float64, len(outbreaks))
	for k, o := range outbreaks {
		with[k] = steps(o.series, added(p, o))
	}
	run := func(steps []float64, limit float64) []bool {
		out, sum := make([]bool, len(steps)), 0.0
		for k, v := range steps {
			if math.IsNaN(v) {
				continue
			}
			if sum = max(0, sum+v); sum > limit {
				out[k], sum = true, 0
			}
		}
		return out
	}
	j.by = func(limit float64) []int {
		out := make([]int, j.weeks)
		for s := range quiet {
			for w, alarm := range run(quiet[s], limit) {
				if alarm {
					out[w]++
				}
			}
		}
		return out
	}
	j.at = func(limit float64) (alarms int, found [][]bool) {
		for s := range quiet {
			for _, alarm := range run(quiet[s], limit) {
				if alarm {
					alarms++
				}
			}
		}
		for k, o := range outbreaks {
			found = append(found, run(with[k], limit)[o.week-p.First:][:len(o.more)])
		}
		return alarms, found
	}
}

// rule applies the whole rule of the detector in use: false discoveries over
// the week's series, at least three incidents in two weeks.
func (j *judged) rule(p *prepared, outbreaks []outbreak) {
	e := stats.UsualExceedance()
	recent := func(y []int, week int) bool {
		n := y[week]
		if week > 0 {
			n += y[week-1]
		}
		return n >= e.Recent && y[week] >= 1
	}
	j.ruled, j.busy = make([][]bool, len(outbreaks)), make([][]bool, len(outbreaks))
	j.ruledWeek = make([]int, j.weeks)
	grown := make([][]int, len(outbreaks))
	all := map[int][]int{} // with every outbreak, by series
	for o, b := range outbreaks {
		j.ruled[o], j.busy[o] = make([]bool, len(b.more)), make([]bool, len(b.more))
		grown[o] = added(p, b)
		y, ok := all[b.series]
		if !ok {
			y = append([]int(nil), p.counts(b.series)...)
			all[b.series] = y
		}
		for w, more := range b.more {
			y[b.week+w] += more
		}
	}
	for k := range j.weeks {
		week := p.First + k
		var alone, busy []float64 // chances of the judged series
		var judged []int
		for s := range p.series() {
			v, ok := p.exceedance(s, week, p.counts(s))
			if !ok {
				continue
			}
			judged, alone = append(judged, s), append(alone, v)
			if y, ok := all[s]; ok {
				v, _ = p.exceedance(s, week, y)
			}
			busy = append(busy, v)
		}
		quiet, crowd := stats.BenjaminiHochberg(alone), stats.BenjaminiHochberg(busy)
		place := map[int]int{}
		for at, s := range judged {
			place[s] = at
			if quiet[at] <= e.Share && recent(p.counts(s), week) {
				j.ruledQuiet++
				j.ruledWeek[k]++
			}
			if _, with := all[s]; !with && crowd[at] <= e.Share && recent(p.counts(s), week) {
				j.busyQuiet++
			}
		}
		for o, b := range outbreaks {
			at, ok := place[b.series]
			if w := week - b.week; ok && w >= 0 && w < len(b.more) {
				before := alone[at]
				alone[at], _ = p.exceedance(b.series, week, grown[o])
				j.ruled[o][w] = recent(grown[o], week) && stats.BenjaminiHochberg(alone)[at] <= e.Share
				j.busy[o][w] = recent(all[b.series], week) && crowd[at] <= e.Share
				alone[at] = before
			}
		}
	}
}
