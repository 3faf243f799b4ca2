package stats

// Farrington flexible: a count against those of the same season of past years.
// Kept to compare with, and as a cross-check of long series.
//
// Farrington C. P., Andrews N. J., Beale A. D., Catchpole M. A. (1996), A
// statistical algorithm for the early detection of outbreaks of infectious
// disease, J. R. Stat. Soc. A 159, 547-563; Noufaily A. et al. (2013), An
// improved algorithm for outbreak detection in multiple surveillance systems,
// Stat. Med. 32, 1206-1222.
//
// The regression has one level by season and at most a slope, so the levels
// follow from the slope: it is fitted by Newton's method in one unknown, which
// settles where a season without any event makes the general fit of glm.go
// (rightly) refuse.

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Farrington holds the parameters.
type Farrington struct {
	Years     int // past years
	Around    int // weeks on both sides of the same week of past years
	Seasons   int // levels in a year, the present season among them; 1: only the weeks around
	Recent    int // last weeks that teach nothing
	PerYear   int // weeks in a year
	Threshold float64
	Trend     bool
	TrendP    float64 // the slope is kept when its p-value is below
	Alpha     float64 // one-sided
}

// UsualFarrington are Noufaily's parameters.
func UsualFarrington() Farrington {
	return Farrington{Years: 5, Around: 3, Seasons: 10, Recent: 26, PerYear: 52, Threshold: 2.58, Trend: true, TrendP: 0.05, Alpha: 0.005}
}

// FarringtonWeek is what is said of a week: the mean expected and the
// dispersion (at least 1), the largest usual count (negative binomial
// quantile), the chance of so many, whether a trend was kept, and the standard
// error of the log of the mean at the fitted dispersion.
type FarringtonWeek struct {
	Expected, Phi float64
	Bound         int
	P             float64
	Trend         bool
	Error         float64
}

// fewRecent are the events needed in the last four weeks, this one included,
// for an alarm.
const fewRecent, fewWeeks = 5, 4

// At judges the count of week t (from 0) by those before it; exposure may be
// nil. ok is false when a past year is missing.
func (f Farrington) At(counts []int, exposure []float64, t int) (w FarringtonWeek, ok bool) {
	now := 1.0
	if exposure != nil {
		now = exposure[t]
	}
	d, ok := f.data(counts, exposure, t)
	if !ok || !(now > 0) {
		return FarringtonWeek{}, false
	}
	fit, ok := d.robust(f.Trend, f.Threshold)
	if !ok {
		return FarringtonWeek{}, false
	}
	if f.Trend {
		mean, _ := fit.predict(t, now)
		slope := 1.0
		if fit.curvature > 0 {
			slope = 2 * studentAbove(math.Abs(fit.slope)/math.Sqrt(fit.phi()/fit.curvature), len(d.y)-d.levels-1)
		}
		if f.Years < 3 || !(slope < f.TrendP) || mean > d.most() {
			if fit, ok = d.robust(false, f.Threshold); !ok {
				return FarringtonWeek{}, false
			}
		} else {
			w.Trend = true
		}
	}
	w.Phi = fit.phi()
	var variance float64
	w.Expected, variance = fit.predict(t, now)
	w.Error = math.Sqrt(variance * w.Phi)
	size := math.Inf(1)
	if w.Phi > 1 {
		size = w.Expected / (w.Phi - 1)
	}
	if w.Expected > 0 {
		w.Bound = NBQuantile(1-f.Alpha, w.Expected, size)
		w.P = NBAtLeast(counts[t], w.Expected, size)
	} else if counts[t] == 0 {
		w.P = 1
	}
	return w, true
}

// Alarm tells whether a week's count is above the bound, with enough events
// lately.
func (f Farrington) Alarm(counts []int, t int, w FarringtonWeek) bool {
	lately := 0
	for k := max(0, t-fewWeeks+1); k <= t; k++ {
		lately += counts[k]
	}
	return counts[t] > w.Bound && lately >= fewRecent
}

// farringtonData are the past weeks that teach, each with its season's level;
// the present season is level 0.
type farringtonData struct {
	y, x   []float64
	week   []float64
	level  []int
	levels int
}

func (f Farrington) data(counts []int, exposure []float64, t int) (farringtonData, bool) {
	if t-f.Years*f.PerYear < 0 {
		return farringtonData{}, false
	}
	// The levels of the weeks between two same weeks: the first ones have one
	// week more where they do not divide.
	seasons := make([]int, t+1)
	for k := range seasons {
		seasons[k] = -1
	}
	for k := max(0, t-f.Around); k <= t; k++ {
		seasons[k] = 0
	}
	for b := f.Years; b >= 1; b-- {
		same := t - b*f.PerYear
		for k := max(0, same-f.Around); k <= same+f.Around; k++ {
			seasons[k] = 0
		}
		if f.Seasons > 1 {
			between := f.PerYear - 2*f.Around - 1
			k := same + f.Around + 1
			for s := 1; s < f.Seasons; s++ {
				n := between / (f.Seasons - 1)
				if s <= between%(f.Seasons-1) {
					n++
				}
				for range n {
					seasons[k] = s
					k++
				}
			}
		}
	}
	d := farringtonData{levels: f.Seasons}
	for k, s := range seasons[:max(0, t-f.Recent)] {
		e := 1.0
		if exposure != nil {
			e = exposure[k]
		}
		if s >= 0 && e > 0 {
			d.y, d.x = append(d.y, float64(counts[k])), append(d.x, e)
			d.week, d.level = append(d.week, float64(k)), append(d.level, s)
		}
	}
	return d, len(d.y) > d.levels+1
}

func (d *farringtonData) most() float64 {
	most := 0.0
	for _, y := range d.y {
		most = max(most, y)
	}
	return most
}

// farringtonFit is a weighted fit: log mean = log exposure + level + slope·week.
type farringtonFit struct {
	slope, curvature float64 // curvature 0: no slope
	rate             []float64
	information      []float64 // of each level: sum of weight × mean
	center           []float64 // of each level: mean week by weight × mean
	mean, hat        []float64
	dispersion       float64
}

func (f *farringtonFit) phi() float64 { return max(1, f.dispersion) }

// predict gives the mean at a week of level 0 and the variance of its log
// by unit of dispersion.
func (f *farringtonFit) predict(t int, exposure float64) (mean, variance float64) {
	mean = exposure * f.rate[0] * math.Exp(f.slope*(float64(t)-f.origin()))
	if f.information[0] > 0 {
		variance = 1 / f.information[0]
	}
	if f.curvature > 0 {
		off := float64(t) - f.center[0]
		variance += off * off / f.curvature
	}
	return mean, variance
}

func (f *farringtonFit) origin() float64 { return f.center[len(f.center)-1] }

// robust fits, gives less weight to the weeks that stand out, and fits again.
func (d *farringtonData) robust(trend bool, threshold float64) (farringtonFit, bool) {
	weight := make([]float64, len(d.y))
	for k := range weight {
		weight[k] = 1
	}
	fit, ok := d.fit(trend, weight)
	if !ok {
		return fit, false
	}
	sum := 0.0
	for k, y := range d.y {
		weight[k] = 1
		if m := fit.mean[k]; m > 0 && fit.hat[k] < 1 {
			s := 1.5 * (math.Pow(y, 2./3)*math.Pow(m, -1./6) - math.Sqrt(m)) / math.Sqrt(fit.phi()*(1-fit.hat[k]))
			if s > threshold {
				weight[k] = 1 / (s * s)
			}
		}
		sum += weight[k]
	}
	for k := range weight {
		weight[k] *= float64(len(weight)) / sum
	}
	return d.fit(trend, weight)
}

// fit solves for the slope; the levels follow.
func (d *farringtonData) fit(trend bool, weight []float64) (farringtonFit, bool) {
	f := farringtonFit{
		rate: make([]float64, d.levels), information: make([]float64, d.levels), center: make([]float64, d.levels+1),
		mean: make([]float64, len(d.y)), hat: make([]float64, len(d.y)),
	}
	var total, origin float64
	for k, week := range d.week {
		total, origin = total+weight[k], origin+weight[k]*week
	}
	f.center[d.levels] = origin / total
	events := make([]float64, d.levels)
	for k, y := range d.y {
		events[d.level[k]] += weight[k] * y
	}
	for step := 0; ; step++ {
		score := d.means(&f, weight, events)
		if !trend || f.curvature <= 0 {
			f.slope, f.curvature = 0, 0
			break
		}
		move := min(max(score/f.curvature, -0.2), 0.2)
		if math.Abs(move) < 1e-14 || step == 100 {
			break
		}
		f.slope += move
	}
	if !trend {
		d.means(&f, weight, events)
		f.curvature = 0
	}
	freedom := len(d.y) - d.levels
	if trend {
		freedom--
	}
	if freedom < 1 {
		return f, false
	}
	for k, y := range d.y {
		m, level := f.mean[k], d.level[k]
		if m <= 0 {
			continue
		}
		f.dispersion += weight[k] * (y - m) * (y - m) / m / float64(freedom)
		f.hat[k] = weight[k] * m / f.information[level]
		if f.curvature > 0 {
			off := d.week[k] - f.center[level]
			f.hat[k] += weight[k] * m * off * off / f.curvature
		}
	}
	return f, true
}

// means works out levels and means at the slope, and gives the slope's score;
// the curvature is what the levels leave of its information.
func (d *farringtonData) means(f *farringtonFit, weight, events []float64) (score float64) {
	origin := f.origin()
	under := make([]float64, d.levels)
	for k, e := range d.x {
		f.mean[k] = e * math.Exp(f.slope*(d.week[k]-origin))
		under[d.level[k]] += weight[k] * f.mean[k]
	}
	for l := range f.rate {
		f.rate[l], f.information[l], f.center[l] = 0, events[l], origin
		if under[l] > 0 {
			f.rate[l] = events[l] / under[l]
		}
	}
	first, second := make([]float64, d.levels), make([]float64, d.levels)
	for k := range f.mean {
		l := d.level[k]
		f.mean[k] *= f.rate[l]
		off := d.week[k] - origin
		score += weight[k] * (d.y[k] - f.mean[k]) * off
		first[l] += weight[k] * f.mean[k] * off
		second[l] += weight[k] * f.mean[k] * off * off
	}
	f.curvature = 0
	for l := range first {
		if f.information[l] > 0 {
			f.center[l] = origin + first[l]/f.information[l]
			f.curvature += second[l] - first[l]*first[l]/f.information[l]
		}
	}
	return score
}

// studentAbove is the chance of more than t by Student's distribution.
func studentAbove(t float64, freedom int) float64 {
	if freedom < 1 {
		return 1
	}
	return distuv.StudentsT{Sigma: 1, Nu: float64(freedom)}.Survival(t)
}
