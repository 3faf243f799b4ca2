package stats

// Early warning: each week's counts by school and category against what is
// usual there, at this time of the school year, for so many computers in
// service.
//
// The mean is that of the département, pulled towards the school's own past:
// Clayton D., Kaldor J. (1987), Biometrics 43, 671-681; the variance between
// schools is DerSimonian R., Laird N. (1986), Control. Clin. Trials 7,
// 177-188. The tail is that of the negative binomial, as in Noufaily A. et al.
// (2013), Stat. Med. 32, 1206-1222; the many tests are paid for as in
// Benjamini Y., Hochberg Y. (1995), J. R. Stat. Soc. B 57, 289-300.

import (
	"iter"
	"math"
	"slices"
)

// All stands for every school, or every category, of a panel.
const All = -1

// Panel holds weekly counts. Weeks are school weeks in order; those in which
// no school is open much teach nothing and are as if they were not there.
type Panel struct {
	// Number is the number of each week in its school year, from 1 on.
	Number []int
	// Counts holds the incidents by school, category and week.
	Counts [][][]int
	// Computers holds those in service by school and week: none where a school
	// was not there.
	Computers [][]float64
	// Openness is the share of each week in which each school was open.
	Openness [][]float64
	// Completeness is the share of each week's incidents that have been entered
	// by now; nil: all.
	Completeness []float64
	// Outbreaks are weeks whose excess was judged true: they teach nothing of
	// what is usual.
	Outbreaks []Cell
}

// Cell is a week of a school and a category; either may be All.
type Cell struct{ School, Category, Week int }

// Exceedance holds the parameters of the detector.
type Exceedance struct {
	History  int     // weeks that teach
	Guard    int     // the last of these that do not
	Decay    float64 // weight of a week by that of the next
	Season   float64 // incidents' worth of belief in no season
	Windows  int     // longest run of weeks looked at
	Openness float64 // a week open so little is not judged
	Share    float64 // of false alerts accepted
	Recent   int     // incidents needed in the last two weeks
	Strict   bool    // Benjamini-Yekutieli
}

// UsualExceedance are the parameters in use.
func UsualExceedance() Exceedance {
	return Exceedance{History: 108, Guard: 3, Decay: 0.985, Season: 20, Windows: 3, Openness: 0.3, Share: 0.10, Recent: 3}
}

// leastHistory is the number of open weeks without which nothing is usual.
const leastHistory = 8

// Reading is what is said of a series in the judged week: of a school and a
// category, of all categories of a school, or of a category in all schools.
type Reading struct {
	School, Category int
	Tested           bool
	// This week: the count, the mean expected, and the size of the negative
	// binomial around it.
	Observed       int
	Expected, Size float64
	// Window is the number of weeks, up to this one, in which the excess is the
	// least likely, with their sums.
	Window                     int
	WindowObserved             int
	WindowExpected, WindowSize float64
	P                          float64 // of so many over the best of the windows
	Adjusted                   float64 // P once the whole family of tests is paid for
	Recent                     int     // incidents in the last two weeks
	Usual                      float64 // the series' own level by that of all
	Alert                      bool
}

// Excess is what is above expectation in the window.
func (r *Reading) Excess() float64 { return float64(r.WindowObserved) - r.WindowExpected }

// Ratio is observed by expected in the window.
func (r *Reading) Ratio() float64 { return float64(r.WindowObserved) / r.WindowExpected }

// Limits are those of the ratio at a level such as 0.9.
func (r *Reading) Limits(level float64) Interval {
	return NBRatio(r.WindowObserved, r.WindowExpected, r.WindowSize, level)
}

// Baseline is what is usual in a panel before a week, and after it as far as
// it goes.
type Baseline struct {
	with    Exceedance
	panel   *Panel
	at      int
	weeks   []int       // the open ones up to the judged one, in order
	x       [][]float64 // exposure by school and open week; none where it is not judged
	by      []*layer    // by category: all schools
	totals  *layer      // all categories, by school
	overall []*layer    // by category, schools together
}

// layer is one set of series that borrow strength from one another.
type layer struct {
	y         [][]int
	x         [][]float64
	season    []float64 // by open week
	known     []float64 // incidents' worth of knowledge of the season, by open week
	rate      float64
	rateKnown float64
	level     []float64 // by series: its own level by that of all
	levelKnow []float64 // incidents' worth of knowledge of it
	kappa     float64   // dispersion from week to week
	alone     bool      // one series: nothing to borrow from
}

// Baseline learns what is usual before week at (an index of the panel's
// weeks). ok is false with fewer than eight open weeks to learn from.
func (e Exceedance) Baseline(p *Panel, at int) (b *Baseline, ok bool) {
	b = &Baseline{with: e, panel: p, at: at}
	for t := range at + 1 {
		for s := range p.Openness {
			if p.Computers[s][t] > 0 && p.Openness[s][t] > e.Openness {
				b.weeks = append(b.weeks, t)
				break
			}
		}
	}
	if n := len(b.weeks); n == 0 || b.weeks[n-1] != at || n-1-e.Guard < leastHistory {
		return nil, false
	}
	schools := len(p.Counts)
	categories := 0
	if schools > 0 {
		categories = len(p.Counts[0])
	}
	flat := make([]float64, schools*len(b.weeks))
	b.x = make([][]float64, schools)
	for s := range b.x {
		b.x[s] = flat[s*len(b.weeks) : (s+1)*len(b.weeks)]
		for k, t := range b.weeks {
			if o := p.Openness[s][t]; o > e.Openness {
				b.x[s][k] = p.Computers[s][t] * o
				if p.Completeness != nil {
					b.x[s][k] *= p.Completeness[t]
				}
			}
		}
	}
	sums := newCounts(schools, len(b.weeks))
	together := make([][]int, categories)
	for c := range categories {
		y := newCounts(schools, len(b.weeks))
		together[c] = make([]int, len(b.weeks))
		for s := range schools {
			row := p.Counts[s][c]
			for k, t := range b.weeks {
				if b.x[s][k] > 0 {
					y[s][k] = row[t]
					sums[s][k] += row[t]
					together[c][k] += row[t]
				}
			}
		}
		out := b.outbreaks(c)
		b.by = append(b.by, e.learn(y, b.x, out, b.numbers()))
		b.overall = append(b.overall, e.learnTogether(y, b.x, together[c], out, b.numbers()))
	}
	b.totals = e.learn(sums, b.x, b.outbreaks(All), b.numbers())
	return b, true
}

func newCounts(rows, columns int) [][]int {
	flat := make([]int, rows*columns)
	out := make([][]int, rows)
	for r := range out {
		out[r] = flat[r*columns : (r+1)*columns]
	}
	return out
}

func (b *Baseline) numbers() []int {
	out := make([]int, len(b.weeks))
	for k, t := range b.weeks {
		out[k] = b.panel.Number[t]
	}
	return out
}

// outbreaks lists the open weeks by school that teach nothing of a category,
// or of all together. nil: none.
func (b *Baseline) outbreaks(category int) [][]bool {
	var out [][]bool
	place := map[int]int{}
	for k, t := range b.weeks {
		place[t] = k
	}
	for _, cell := range b.panel.Outbreaks {
		k, open := place[cell.Week]
		if !open || category != All && cell.Category != All && cell.Category != category {
			continue
		}
		if out == nil {
			out = make([][]bool, len(b.x))
			for s := range out {
				out[s] = make([]bool, len(b.weeks))
			}
		}
		for s := range out {
			if cell.School == All || cell.School == s {
				out[s][k] = true
			}
		}
	}
	return out
}

// learnTogether is a category in all schools taken as one series: what teaches
// is the sum over the schools and weeks that teach.
func (e Exceedance) learnTogether(y [][]int, x [][]float64, sum []int, out [][]bool, number []int) *layer {
	all := make([]float64, len(sum))
	taught, exposure := make([]int, len(sum)), make([]float64, len(sum))
	for s := range x {
		for k, v := range x[s] {
			all[k] += v
			if out == nil || !out[s][k] {
				taught[k] += y[s][k]
				exposure[k] += v
			}
		}
	}
	l := e.fit([][]int{taught}, [][]float64{exposure}, number, true)
	l.y, l.x = [][]int{sum}, [][]float64{all}
	return l
}

// learn is a set of series by school.
func (e Exceedance) learn(y [][]int, x [][]float64, out [][]bool, number []int) *layer {
	ty, tx := y, x
	if out != nil {
		ty = newCounts(len(y), len(number))
		tx = make([][]float64, len(x))
		for s := range x {
			tx[s] = make([]float64, len(number))
			for k := range x[s] {
				if !out[s][k] {
					ty[s][k], tx[s][k] = y[s][k], x[s][k]
				}
			}
		}
	}
	l := e.fit(ty, tx, number, false)
	l.y, l.x = y, x
	return l
}

// fit learns from the weeks before the last one: y and x hold nothing in the
// weeks that teach nothing.
func (e Exceedance) fit(y [][]int, x [][]float64, number []int, alone bool) *layer {
	last := len(number) - 1
	first, end := max(0, last-e.History), last-e.Guard // the weeks [first, end) teach
	l := &layer{alone: alone, level: make([]float64, len(y)), levelKnow: make([]float64, len(y))}

	// The season by the number of the week and its two neighbours.
	most := 0
	for _, n := range number {
		most = max(most, n)
	}
	counts, exposure := make([]float64, most+3), make([]float64, most+3)
	sumY, sumX := 0.0, 0.0
	for k := first; k < end; k++ {
		for s := range y {
			counts[number[k]] += float64(y[s][k])
			exposure[number[k]] += x[s][k]
		}
	}
	for n := range counts {
		sumY, sumX = sumY+counts[n], sumX+exposure[n]
	}
	l.season, l.known = make([]float64, len(number)), make([]float64, len(number))
	for k, n := range number {
		o, m := counts[n]+counts[n+1], exposure[n]+exposure[n+1]
		if n > 0 {
			o, m = o+counts[n-1], m+exposure[n-1]
		}
		l.season[k], l.known[k] = 1, o+e.Season
		if sumX > 0 {
			l.season[k] = (o + e.Season) / (m*sumY/sumX + e.Season)
		}
	}

	// The rate of all, by computer and full week; the last weeks count more.
	weight := make([]float64, len(number))
	for k := first; k < end; k++ {
		weight[k] = math.Pow(e.Decay, float64(last-k))
	}
	o, m, know := make([]float64, len(y)), make([]float64, len(y)), make([]float64, len(y))
	var allO, allM, allK float64
	for s, row := range y {
		exposed := x[s]
		for k := first; k < end; k++ {
			v := weight[k] * l.season[k] * exposed[k]
			o[s] += weight[k] * float64(row[k])
			m[s] += v
			know[s] += weight[k] * v
		}
		allO, allM, allK = allO+o[s], allM+m[s], allK+know[s]
	}
	if !(allM > 0) {
		return l
	}
	// What was never seen is rare, not impossible: half an incident.
	l.rate = max(allO, 0.5) / allM
	l.rateKnown = max(allO, 0.5) / (allK / allM)

	// How schools differ, by moments; k turns weighted counts into incidents'
	// worth of knowledge.
	var q, sumM, squares, chance float64
	for s := range y {
		m[s] *= l.rate
		if m[s] <= 0 {
			continue
		}
		know[s] = know[s] * l.rate / m[s]
		q += (o[s] - m[s]) * (o[s] - m[s]) / m[s]
		sumM, squares = sumM+m[s], squares+m[s]*m[s]
	}
	for s := range y {
		if m[s] > 0 {
			chance += know[s] * (1 - m[s]/sumM)
		}
	}
	between := 1e-3
	if spread := sumM - squares/sumM; spread > 0 {
		between = max(between, (q-chance)/spread)
	}
	for s := range y {
		l.level[s], l.levelKnow[s] = 1, 1/between
		if m[s] > 0 && !l.alone {
			l.level[s] = (1/between + o[s]/know[s]) / (1/between + m[s]/know[s])
			l.levelKnow[s] = 1/between + o[s]/know[s]
		}
	}

	// How much more than by chance weeks differ.
	var excess, means float64
	for s, row := range y {
		exposed := x[s]
		for k := first; k < end; k++ {
			mean := exposed[k] * l.rate * l.season[k] * l.level[s]
			d := float64(row[k]) - mean
			excess += d*d - mean
			means += mean * mean
		}
	}
	l.kappa = 0.01
	if means > 0 {
		l.kappa = min(max(excess/means, 0.01), 2)
	}
	return l
}

// mean is what is expected of a series in an open week.
func (l *layer) mean(series, week int) float64 {
	return l.x[series][week] * l.rate * l.season[week] * l.level[series]
}

// size is that of the negative binomial around the mean of so many weeks up to
// one: what is not known of the level, of the rate and, for a series alone, of
// the season, and the dispersion.
func (l *layer) size(series, week, weeks int) float64 {
	unknown := 1/l.rateKnown + l.kappa/float64(weeks)
	if l.alone {
		unknown += 1 / l.known[week]
	} else {
		unknown += 1 / l.levelKnow[series]
	}
	return 1 / unknown
}

// Judge gives the readings of the judged week: categories over all schools and
// totals of schools (one family of tests), then schools by category (another).
func (b *Baseline) Judge() []Reading {
	wide := make([]Reading, 0, len(b.overall)+len(b.x))
	for c, l := range b.overall {
		wide = append(wide, b.read(l, 0, All, c))
	}
	for s := range b.x {
		wide = append(wide, b.read(b.totals, s, s, All))
	}
	narrow := make([]Reading, 0, len(b.x)*len(b.by))
	for s := range b.x {
		for c, l := range b.by {
			narrow = append(narrow, b.read(l, s, s, c))
		}
	}
	b.adjust(wide)
	b.adjust(narrow)
	return append(wide, narrow...)
}

// adjust pays for the tests of a family and tells its alerts.
func (b *Baseline) adjust(family []Reading) {
	var p []float64
	for k := range family {
		if family[k].Tested {
			p = append(p, family[k].P)
		}
	}
	if b.with.Strict {
		p = BenjaminiYekutieli(p)
	} else {
		p = BenjaminiHochberg(p)
	}
	n := 0
	for k := range family {
		r := &family[k]
		r.Adjusted = 1
		if !r.Tested {
			continue
		}
		r.Adjusted = p[n]
		n++
		r.Alert = r.Adjusted <= b.with.Share && r.Recent >= b.with.Recent && r.Observed >= 1
	}
}

// read judges one series.
func (b *Baseline) read(l *layer, series, school, category int) Reading {
	r := Reading{School: school, Category: category, P: 1, Adjusted: 1, Usual: 1}
	best, n := math.Inf(1), 0
	for w := range b.windows(l, series) {
		n = w.Weeks
		if n == 1 {
			r.Tested, r.Usual = true, l.level[series]
			r.Observed, r.Expected, r.Size = w.Observed, w.Expected, w.Size
		}
		if p := NBAtLeast(w.Observed, w.Expected, w.Size); p < best {
			best = p
			r.Window, r.WindowObserved, r.WindowExpected, r.WindowSize = n, w.Observed, w.Expected, w.Size
		}
	}
	if !r.Tested {
		return r
	}
	r.P = min(1, float64(n)*best)
	for k := len(b.weeks) - 1; k >= max(0, len(b.weeks)-2); k-- {
		r.Recent += l.y[series][k]
	}
	return r
}

// Stretch is a run of weeks up to the judged one: the sums of the counts and of
// the means expected, and the size of the negative binomial around these.
type Stretch struct {
	Weeks, Observed int
	Expected, Size  float64
}

// Windows gives those of a series, the shortest first; none where it is not
// judged.
func (b *Baseline) Windows(school, category int) []Stretch {
	l, series := b.layer(school, category)
	if l == nil {
		return nil
	}
	return slices.Collect(b.windows(l, series))
}

func (b *Baseline) windows(l *layer, series int) iter.Seq[Stretch] {
	return func(yield func(Stretch) bool) {
		last := len(b.weeks) - 1
		if l.x[series][last] <= 0 || l.rate <= 0 {
			return
		}
		var w Stretch
		for k := last; k > last-b.with.Windows && k >= 0; k-- {
			if l.x[series][k] <= 0 {
				continue
			}
			w.Weeks++
			w.Observed += l.y[series][k]
			w.Expected += l.mean(series, k)
			w.Size = l.size(series, last, w.Weeks)
			if !yield(w) {
				return
			}
		}
	}
}

// StripWeek is a past week of a series beside what is usual: nine weeks in
// ten are between Low and High. Open is false where it was not judged.
type StripWeek struct {
	Week      int // index in the panel
	Open      bool
	Observed  int
	Expected  float64
	Low, High int
}

// Strip gives the last weeks of a series (school or category may be All, not
// both), oldest first, seen from the judged week.
func (b *Baseline) Strip(school, category, weeks int) []StripWeek {
	l, series := b.layer(school, category)
	if l == nil {
		return nil
	}
	var out []StripWeek
	for k := max(0, len(b.weeks)-weeks); k < len(b.weeks); k++ {
		w := StripWeek{Week: b.weeks[k]}
		if l.x[series][k] > 0 && l.rate > 0 {
			size := l.size(series, k, 1)
			w.Open, w.Observed, w.Expected = true, l.y[series][k], l.mean(series, k)
			w.Low, w.High = NBQuantile(0.05, w.Expected, size), NBQuantile(0.95, w.Expected, size)
		}
		out = append(out, w)
	}
	return out
}

// Course is a series week by week, as a cumulative sum takes it: the weeks
// (indexes in the panel), the counts, and what is expected of each. A week that
// is not judged is expected to hold nothing.
type Course struct {
	Weeks      []int
	Counts     []int
	Mean, Size []float64
}

// Course gives the last weeks of a series, oldest first.
func (b *Baseline) Course(school, category, weeks int) Course {
	var c Course
	l, series := b.layer(school, category)
	if l == nil {
		return c
	}
	for k := max(0, len(b.weeks)-weeks); k < len(b.weeks); k++ {
		c.Weeks, c.Counts = append(c.Weeks, b.weeks[k]), append(c.Counts, l.y[series][k])
		c.Mean = append(c.Mean, l.mean(series, k))
		c.Size = append(c.Size, l.size(series, k, 1))
	}
	return c
}

func (b *Baseline) layer(school, category int) (*layer, int) {
	switch {
	case school == All && category >= 0 && category < len(b.overall):
		return b.overall[category], 0
	case school < 0 || school >= len(b.x):
		return nil, 0
	case category == All:
		return b.totals, school
	case category >= 0 && category < len(b.by):
		return b.by[category], school
	}
	return nil, 0
}

// Dispersion is how much more than by chance the weeks of a series differ.
func (b *Baseline) Dispersion(school, category int) float64 {
	if l, _ := b.layer(school, category); l != nil {
		return l.kappa
	}
	return math.NaN()
}

// Detect judges a week of a panel; ok is false where there is too little to
// learn from, or where no school is open much.
func (e Exceedance) Detect(p *Panel, at int) ([]Reading, bool) {
	b, ok := e.Baseline(p, at)
	if !ok {
		return nil, false
	}
	return b.Judge(), true
}
