package stats

// How good forecasts are, and whether one is really better than another.
//
// Hyndman R. J., Koehler A. B. (2006), Another look at measures of forecast
// accuracy, Int. J. Forecast. 22, 679-688; Diebold F. X., Mariano R. S. (1995),
// J. Bus. Econ. Stat. 13, 253-263, with the correction of Harvey D., Leybourne
// S., Newbold P. (1997), Int. J. Forecast. 13, 281-291.

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// NaiveError is the mean absolute error of taking each value for that of so
// many steps later: what forecasts are measured by. NaN when the series is too
// short.
func NaiveError(x []float64, lag int) float64 {
	if lag < 1 || len(x) <= lag {
		return math.NaN()
	}
	sum := 0.0
	for k := lag; k < len(x); k++ {
		sum += math.Abs(x[k] - x[k-lag])
	}
	return sum / float64(len(x)-lag)
}

// MeanError is the mean absolute error of forecasts.
func MeanError(actual, forecast []float64) float64 {
	sum := 0.0
	for k := range actual {
		sum += math.Abs(actual[k] - forecast[k])
	}
	return sum / float64(len(actual))
}

// Better is the Diebold-Mariano test of two series of errors.
type Better struct {
	Statistic float64 // below 0: the first errs less
	P         float64 // two-sided
}

// DieboldMariano tells whether the errors of two forecasts, so many steps ahead,
// really differ, with losses |error|^power. It is refused when the series are
// too short, or when the errors never differ.
func DieboldMariano(first, second []float64, ahead int, power float64) (Better, bool) {
	n := len(first)
	if n != len(second) || ahead < 1 || n < 2*ahead+2 {
		return Better{}, false
	}
	d := make([]float64, n)
	mean := 0.0
	for k := range d {
		d[k] = math.Pow(math.Abs(first[k]), power) - math.Pow(math.Abs(second[k]), power)
		mean += d[k] / float64(n)
	}
	variance := 0.0
	for lag := range ahead {
		c := 0.0
		for k := lag; k < n; k++ {
			c += (d[k] - mean) * (d[k-lag] - mean) / float64(n)
		}
		if lag > 0 {
			c *= 2
		}
		variance += c
	}
	h, m := float64(ahead), float64(n)
	if !(variance > 0) { // overlapping horizons can make it negative: as if one step ahead
		if ahead > 1 {
			return DieboldMariano(first, second, 1, power)
		}
		return Better{}, false
	}
	k := math.Sqrt((m + 1 - 2*h + h*(h-1)/m) / m)
	b := Better{Statistic: mean / math.Sqrt(variance/m) * k}
	b.P = 2 * distuv.StudentsT{Sigma: 1, Nu: m - 1}.Survival(math.Abs(b.Statistic))
	return b, true
}
