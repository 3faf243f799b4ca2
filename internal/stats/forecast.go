package stats

// Forecast of weekly counts that knows the school calendar: the average of two
// forecasts of open weeks, one that follows the level once season and openness
// are divided out, one by regression on the calendar. Averages of simple methods
// beat elaborate ones at this size: Makridakis S., Spiliotis E., Assimakopoulos
// V. (2020), The M4 competition, Int. J. Forecast. 36, 54-74. The season index is
// shrunk as in the early warning.

import (
	"math"
	"slices"
)

// SchoolWeek is a week of a school year.
type SchoolWeek struct {
	Number   int     // of the open week since the start of the year, from 1
	Place    int     // in time, holidays counted: weeks since some origin
	Openness float64 // above 0
	Count    int     // incidents; not looked at in a week to come
}

// Foreseen is what is expected of a week, with an interval of 90 %.
type Foreseen struct {
	Mean      float64
	Low, High int
}

// What the forecast is made with.
const (
	seasonWeight = 15   // incidents of a flat season that each week of the index begins with
	lowAlpha     = 0.05 // of the level's smoothing
	highAlpha    = 0.6
	fullYear     = 36 // open weeks from which a season can be learnt
	leastTheta   = 2  // the widest a week is taken to vary
)

// seasonIndex is how busy each week of the school year is beside a flat year,
// over the week and its two neighbours.
func seasonIndex(past []SchoolWeek) func(number int) float64 {
	var sum, open float64
	for _, w := range past {
		sum, open = sum+float64(w.Count), open+w.Openness
	}
	rate := sum / max(open, 1e-9)
	observed, expected := map[int]float64{}, map[int]float64{}
	for _, w := range past {
		for n := w.Number - 1; n <= w.Number+1; n++ {
			observed[n] += float64(w.Count)
			expected[n] += rate * w.Openness
		}
	}
	return func(n int) float64 { return (observed[n] + seasonWeight) / (expected[n] + seasonWeight) }
}

// Followed is what a forecast was made with.
type Followed struct {
	Alpha      float64 // of the level
	Level      float64 // incidents a full, ordinary week
	Theta      float64 // of the weeks, +Inf where Poisson's
	Seasonal   bool    // a season was learnt
	Regression bool    // both forecasts were averaged
}

// ForecastWeeks foresees weeks to come from open weeks of the past, the oldest
// first. Under a year of past the season is flat and the interval wide. It is
// refused without 8 open weeks or any incident.
func ForecastWeeks(past, ahead []SchoolWeek) ([]Foreseen, Followed, bool) {
	past = slices.DeleteFunc(slices.Clone(past), func(w SchoolWeek) bool { return w.Openness <= 0 })
	sum := 0
	for _, w := range past {
		sum += w.Count
	}
	if len(past) < leastWeeks || sum == 0 {
		return nil, Followed{}, false
	}
	f := Followed{Seasonal: len(past) >= fullYear}
	season := func(int) float64 { return 1 }
	if f.Seasonal {
		season = seasonIndex(past)
	}
	x := make([]float64, len(past))
	for k, w := range past {
		x[k] = float64(w.Count) / (w.Openness * season(w.Number))
	}
	level := SmoothBest(x, lowAlpha, highAlpha)
	f.Alpha, f.Level = level.Alpha, max(level.Last, 1e-3)
	rows := func(weeks []SchoolWeek) (rows [][]float64, events []int, open []float64) {
		for _, w := range weeks {
			angle := 2 * math.Pi * float64(w.Number) / 52
			rows = append(rows, []float64{1, math.Exp(-float64(w.Number) / 3), math.Sin(angle), math.Cos(angle), float64(w.Place-past[0].Place) / 52})
			events, open = append(events, w.Count), append(open, w.Openness)
		}
		return rows, events, open
	}
	var regression NBModel
	if f.Seasonal {
		regression, f.Regression = NegativeBinomialRegression(rows(past))
	}
	f.Theta = regression.Theta
	if !f.Regression {
		// By moments around the followed level.
		var excess, weight float64
		for k, w := range past {
			m := max(level.Fitted[k], 1e-3) * w.Openness * season(w.Number)
			d := float64(w.Count) - m
			excess, weight = excess+d*d-m, weight+m*m
		}
		f.Theta = math.Inf(1)
		if excess > 0 {
			f.Theta = weight / excess
		}
	}
	f.Theta = max(f.Theta, leastTheta)
	// How far the level may be from where it is thought, relative, squared: what
	// smoothing leaves, and what it moves by in the weeks between.
	noise := level.SSE / float64(len(x)) / (f.Level * f.Level)
	out := make([]Foreseen, len(ahead))
	design, _, _ := rows(ahead)
	for h, w := range ahead {
		mean := f.Level * season(w.Number) * w.Openness
		if f.Regression {
			eta := 0.0
			for c, v := range design[h] {
				eta += v * regression.Coefficients[c]
			}
			mean = (mean + w.Openness*math.Exp(eta)) / 2
		}
		spread := noise * (f.Alpha/(2-f.Alpha) + float64(h)*f.Alpha*f.Alpha)
		if f.Regression {
			spread /= 2
		}
		size := 1 / max(1/f.Theta+spread, 1e-7)
		out[h] = Foreseen{mean, NBQuantile(0.05, mean, size), NBQuantile(0.95, mean, size)}
		if mean <= 0 {
			out[h] = Foreseen{}
		}
	}
	return out, f, true
}

// Rival is a simpler forecast, to see whether it does as well.
type Rival string

// The rivals.
const (
	Ours           Rival = "ours"
	LastYear       Rival = "last_year"     // the same week of the year before
	SeasonalMean   Rival = "seasonal_mean" // the mean of that week over the years before
	HoltAndWinters Rival = "holt_winters"
	RecentMean     Rival = "recent_mean" // the mean of the last eight open weeks
)

// Rivals are they, ours first.
var Rivals = []Rival{Ours, LastYear, SeasonalMean, HoltAndWinters, RecentMean}

// rival foresees weeks by a simpler method than ours; NaN where it cannot.
func rival(r Rival, past, ahead []SchoolWeek) []float64 {
	out := make([]float64, len(ahead))
	switch r {
	case LastYear, SeasonalMean:
		for h, w := range ahead {
			sum, n := 0.0, 0
			for _, was := range slices.Backward(past) {
				if was.Number == w.Number {
					sum += float64(was.Count)
					if n++; r == LastYear {
						break
					}
				}
			}
			out[h] = sum / float64(n) // NaN of none
		}
	case HoltAndWinters:
		// On calendar weeks, holidays as zeros, as a spreadsheet would.
		x := make([]float64, past[len(past)-1].Place-past[0].Place+1)
		for _, w := range past {
			x[w.Place-past[0].Place] = float64(w.Count)
		}
		best, ok := Season{SSE: math.Inf(1)}, false
		for _, alpha := range []float64{0.1, 0.3, 0.6} {
			for _, gamma := range []float64{0.1, 0.3, 0.6} {
				if s, fits := HoltWinters(x, 52, alpha, 0.01, gamma); fits && s.SSE < best.SSE {
					best, ok = s, true
				}
			}
		}
		for h, w := range ahead {
			out[h] = math.NaN()
			if ok {
				out[h] = max(0, best.Ahead(w.Place-past[len(past)-1].Place))
			}
		}
	case RecentMean:
		n := min(len(past), 8)
		for _, w := range past[len(past)-n:] {
			for h := range out {
				out[h] += float64(w.Count) / float64(n)
			}
		}
	}
	return out
}

// Trial is how a forecast did on the past.
type Trial struct {
	Rival Rival
	MAE   float64 // incidents a week
	MASE  float64 // beside taking each week for that before; below 1 is better
	// Beside ours, over the origins where both answer.
	Test   Better
	Tested bool
}

// BackTest is how forecasts would have done, made at each week of the last year
// with what was known then.
type BackTest struct {
	Origins  int
	Trials   []Trial // in the order of Rivals; those that never could answer are left out
	Coverage float64 // share of weeks inside our interval of 90 %
	Weeks    int     // that the coverage is of
}

// BackTestWeeks forecasts so many weeks from each of the last origins. It is
// refused (ok false) when there is no room for ten origins after a year of past.
func BackTestWeeks(weeks []SchoolWeek, ahead, origins int) (BackTest, bool) {
	first := max(fullYear, len(weeks)-ahead-origins+1)
	b := BackTest{Origins: len(weeks) - ahead - first + 1}
	if b.Origins < 10 {
		return BackTest{}, false
	}
	x := make([]float64, len(weeks))
	for k, w := range weeks {
		x[k] = float64(w.Count)
	}
	scale := NaiveError(x[:first], 1)
	errors := make([][]float64, len(Rivals)) // mean absolute error of each origin
	inside := 0
	for at := first; at+ahead <= len(weeks); at++ {
		past, next := weeks[:at], weeks[at:at+ahead]
		ours, _, ok := ForecastWeeks(past, next)
		for k, r := range Rivals {
			var found []float64
			if k == 0 {
				for h := range next {
					found = append(found, math.NaN())
					if ok {
						found[h] = ours[h].Mean
					}
				}
			} else {
				found = rival(r, past, next)
			}
			e := 0.0
			for h := range next {
				e += math.Abs(found[h]-float64(next[h].Count)) / float64(ahead)
			}
			errors[k] = append(errors[k], e)
		}
		if ok {
			for h := range next {
				b.Weeks++
				if next[h].Count >= ours[h].Low && next[h].Count <= ours[h].High {
					inside++
				}
			}
		}
	}
	b.Coverage = float64(inside) / float64(max(b.Weeks, 1))
	for k, r := range Rivals {
		var mine, theirs []float64
		for o := range errors[k] {
			if !math.IsNaN(errors[k][o]) && !math.IsNaN(errors[0][o]) {
				mine, theirs = append(mine, errors[0][o]), append(theirs, errors[k][o])
			}
		}
		if len(theirs) < b.Origins/2 {
			continue
		}
		t := Trial{Rival: r}
		for _, e := range theirs {
			t.MAE += e / float64(len(theirs))
		}
		t.MASE = t.MAE / scale
		if k > 0 {
			t.Test, t.Tested = DieboldMariano(mine, theirs, ahead, 1)
		}
		b.Trials = append(b.Trials, t)
	}
	return b, len(b.Trials) > 0 && !math.IsNaN(scale) && scale > 0
}
