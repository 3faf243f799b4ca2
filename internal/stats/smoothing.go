package stats

// Exponential smoothing and its kin.
//
// Hyndman R. J., Koehler A. B., Ord J. K., Snyder R. D. (2008), Forecasting
// with Exponential Smoothing, Springer; Holt C. C. (1957, reprinted 2004), Int.
// J. Forecast. 20, 5-10; Winters P. R. (1960), Manage. Sci. 6, 324-342; Gardner
// E. S., McKenzie E. (1985), Forecasting trends in time series, Manage. Sci.
// 31, 1237-1246; Assimakopoulos V., Nikolopoulos K. (2000), The theta model,
// Int. J. Forecast. 16, 521-530, as Hyndman R. J., Billah B. (2003), ibid. 19,
// 287-290 read it. Intermittent demand: Croston J. D. (1972), Oper. Res. Q. 23,
// 289-303; Syntetos A. A., Boylan J. E. (2005), Int. J. Forecast. 21, 303-314;
// Teunter R. H., Syntetos A. A., Babai M. Z. (2011), Eur. J. Oper. Res. 214,
// 606-615.

import (
	"math"

	"gonum.org/v1/gonum/optimize"
)

// Level is a series followed by simple exponential smoothing: its last level is
// the forecast of every week to come.
type Level struct {
	Alpha, Start, Last float64
	Fitted             []float64
	SSE                float64
}

// Smooth follows a series with a given alpha from a given start.
func Smooth(x []float64, alpha, start float64) Level {
	l := Level{Alpha: alpha, Start: start, Last: start, Fitted: make([]float64, len(x))}
	for k, v := range x {
		l.Fitted[k] = l.Last
		e := v - l.Last
		l.SSE += e * e
		l.Last += alpha * e
	}
	return l
}

// SmoothBest follows a series with the alpha within bounds, and the start, of
// least squares. No series, no level.
func SmoothBest(x []float64, low, high float64) Level {
	if len(x) == 0 {
		return Level{Alpha: low}
	}
	// The errors are linear in the start: its best value is known for each alpha.
	at := func(alpha float64) Level {
		zero, unit, top, bottom := 0.0, 1.0, 0.0, 0.0
		for _, v := range x {
			e := v - zero
			top += unit * e
			bottom += unit * unit
			zero += alpha * e
			unit *= 1 - alpha
		}
		return Smooth(x, alpha, top/bottom)
	}
	best := at(low)
	const steps = 40
	for k := range steps + 1 {
		if l := at(low + (high-low)*float64(k)/steps); l.SSE < best.SSE {
			best = l
		}
	}
	a, b := max(low, best.Alpha-(high-low)/steps), min(high, best.Alpha+(high-low)/steps)
	for range 60 {
		c, d := b-(b-a)/math.Phi, a+(b-a)/math.Phi
		if at(c).SSE < at(d).SSE {
			b = d
		} else {
			a = c
		}
	}
	if l := at((a + b) / 2); l.SSE < best.SSE {
		best = l
	}
	return best
}

// Theta forecasts so many steps: smoothing with half of the slope of the whole
// series as drift.
func Theta(x []float64, ahead int) []float64 {
	n := float64(len(x))
	if n < 3 {
		return nil
	}
	l := SmoothBest(x, 1e-4, 0.9999)
	var sx, sxx, sy, sxy float64
	for k, v := range x {
		t := float64(k)
		sx, sxx, sy, sxy = sx+t, sxx+t*t, sy+v, sxy+t*v
	}
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	out := make([]float64, ahead)
	for h := range out {
		out[h] = l.Last + slope/2*(float64(h)+(1-math.Pow(1-l.Alpha, n))/l.Alpha)
	}
	return out
}

// Trend is a series followed with a trend that dies out.
type Trend struct {
	Alpha, Beta, Phi, Level, Slope float64 // Level and Slope are those of the end
	MSE                            float64
}

// Ahead forecasts h steps from the end, 1 the next.
func (t Trend) Ahead(h int) float64 {
	sum, power := 0.0, 1.0
	for range h {
		power *= t.Phi
		sum += power
	}
	return t.Level + sum*t.Slope
}

// HoltDamped follows a series with a damped trend of least squares: alpha in
// (0, 1), beta in (0, alpha), phi between 0.8 and 0.98.
func HoltDamped(x []float64) (Trend, bool) {
	if len(x) < 6 {
		return Trend{}, false
	}
	run := func(alpha, beta, phi, l, b float64) Trend {
		t := Trend{Alpha: alpha, Beta: beta, Phi: phi, Level: l, Slope: b}
		for _, v := range x {
			e := v - t.Level - phi*t.Slope
			t.MSE += e * e / float64(len(x))
			t.Level, t.Slope = t.Level+phi*t.Slope+alpha*e, phi*t.Slope+beta*e
		}
		return t
	}
	// The errors are linear in both starts.
	best := func(alpha, beta, phi float64) Trend {
		var a11, a12, a22, b1, b2 float64
		var c, l, b [2]float64 // of the data, of a start of 1 each
		l[0], b[1] = 1, 1
		for _, v := range x {
			e := v - c[0] - phi*c[1]
			e1, e2 := -l[0]-phi*l[1], -b[0]-phi*b[1]
			a11, a12, a22, b1, b2 = a11+e1*e1, a12+e1*e2, a22+e2*e2, b1-e1*e, b2-e2*e
			c[0], c[1] = c[0]+phi*c[1]+alpha*e, phi*c[1]+beta*e
			l[0], l[1] = l[0]+phi*l[1]+alpha*e1, phi*l[1]+beta*e1
			b[0], b[1] = b[0]+phi*b[1]+alpha*e2, phi*b[1]+beta*e2
		}
		det := a11*a22 - a12*a12
		if !(det > 1e-12*a11*a22) {
			return run(alpha, beta, phi, x[0], 0)
		}
		return run(alpha, beta, phi, (b1*a22-b2*a12)/det, (a11*b2-a12*b1)/det)
	}
	squash := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	from := func(v []float64) (alpha, beta, phi float64) {
		alpha = 1e-4 + 0.9998*squash(v[0])
		return alpha, 1e-4 + (alpha-1e-4)*squash(v[1]), 0.8 + 0.18*squash(v[2])
	}
	top := Trend{MSE: math.Inf(1)}
	for _, start := range [][]float64{{-2, -3, 1}, {0, -1, 0}, {-4, -6, 0}} {
		found, err := optimize.Minimize(optimize.Problem{Func: func(v []float64) float64 { return best(from(v)).MSE }}, start, &optimize.Settings{MajorIterations: 400}, &optimize.NelderMead{})
		if found == nil || err != nil && found.X == nil {
			continue
		}
		if t := best(from(found.X)); t.MSE < top.MSE {
			top = t
		}
	}
	return top, !math.IsInf(top.MSE, 0)
}

// Season is a series with an additive season: Holt and Winters.
type Season struct {
	Alpha, Beta, Gamma float64
	Level, Slope       float64
	Index              []float64 // of the next step, the one after …
	SSE                float64
}

// Ahead forecasts h steps from the end, 1 the next.
func (s Season) Ahead(h int) float64 {
	return s.Level + float64(h)*s.Slope + s.Index[(h-1)%len(s.Index)]
}

// HoltWinters follows a series with given parameters; it starts from the trend
// and the season of its two first years (moving averages). It needs two.
func HoltWinters(x []float64, period int, alpha, beta, gamma float64) (Season, bool) {
	if period < 2 || len(x) < 2*period+1 {
		return Season{}, false
	}
	s := Season{Alpha: alpha, Beta: beta, Gamma: gamma}
	trend := centred(x[:2*period], period)
	sum, count := make([]float64, period), make([]float64, period)
	var ts, ys []float64
	for k, v := range trend {
		if !math.IsNaN(v) {
			sum[k%period] += x[k] - v
			count[k%period]++
			ts, ys = append(ts, float64(len(ts)+1)), append(ys, v)
		}
	}
	mean := 0.0
	for k := range sum {
		sum[k] /= count[k]
		mean += sum[k] / float64(period)
	}
	for k := range sum {
		sum[k] -= mean
	}
	// A line through the trend.
	var sx, sxx, sy, sxy float64
	n := float64(len(ts))
	for k := range ts {
		sx, sxx, sy, sxy = sx+ts[k], sxx+ts[k]*ts[k], sy+ys[k], sxy+ts[k]*ys[k]
	}
	s.Slope = (n*sxy - sx*sy) / (n*sxx - sx*sx)
	s.Level = (sy - s.Slope*sx) / n
	s.Index = sum
	season := make([]float64, len(x))
	// As R's HoltWinters: the first period gives the start, the rest is followed.
	for k := period; k < len(x); k++ {
		was := sum[k%period]
		if k >= 2*period {
			was = season[k-period]
		}
		e := x[k] - (s.Level + s.Slope + was)
		s.SSE += e * e
		level := alpha*(x[k]-was) + (1-alpha)*(s.Level+s.Slope)
		s.Slope = beta*(level-s.Level) + (1-beta)*s.Slope
		s.Level = level
		season[k] = gamma*(x[k]-level) + (1-gamma)*was
	}
	s.Index = make([]float64, period)
	for h := range period {
		s.Index[h] = season[len(x)-period+h]
	}
	return s, true
}

// centred is the moving average over a period, centred; NaN at the ends.
func centred(x []float64, period int) []float64 {
	out := make([]float64, len(x))
	half := period / 2
	for k := range x {
		out[k] = math.NaN()
		if k < half || k+half >= len(x) {
			continue
		}
		sum := 0.0
		for j := -half; j <= half; j++ {
			w := 1.0
			if period%2 == 0 && (j == -half || j == half) {
				w = 0.5
			}
			sum += w * x[k+j]
		}
		out[k] = sum / float64(period)
	}
	return out
}

// Croston is the demand per step of a series that is mostly zero, by Croston's
// method: sizes and intervals smoothed apart, each from its first value.
func Croston(y []float64, alpha float64) float64 {
	size, interval, gap := 0.0, 0.0, 0
	met := false
	for _, v := range y {
		gap++
		if v == 0 {
			continue
		}
		if !met {
			size, interval, met = v, float64(gap), true
		} else {
			size += alpha * (v - size)
			interval += alpha * (float64(gap) - interval)
		}
		gap = 0
	}
	if !met {
		return 0
	}
	return size / interval
}

// SBA is Croston's method without its bias (Syntetos and Boylan), begun from
// the mean interval.
func SBA(y []float64, alpha float64) float64 { return (1 - alpha/2) * crostonFromMean(y, alpha) }

// crostonFromMean begins with the first size and the mean interval.
func crostonFromMean(y []float64, alpha float64) float64 {
	var sizes, gaps []float64
	gap := 0
	for _, v := range y {
		gap++
		if v != 0 {
			sizes, gaps = append(sizes, v), append(gaps, float64(gap))
			gap = 0
		}
	}
	if len(sizes) == 0 {
		return 0
	}
	interval := 0.0
	for _, g := range gaps {
		interval += g / float64(len(gaps))
	}
	size := sizes[0]
	for k := range sizes {
		if k > 0 {
			size += alpha * (sizes[k] - size)
			interval += alpha * (gaps[k] - interval)
		}
	}
	return size / interval
}

// TSB is the demand per step by Teunter, Syntetos and Babai: the chance of a
// demand is followed at every step, so that it dies out when nothing comes.
func TSB(y []float64, alpha, beta float64) float64 {
	size, met, some := 0.0, false, 0.0
	for _, v := range y {
		if v != 0 {
			if !met {
				size, met = v, true
			}
			some++
		}
	}
	if !met {
		return 0
	}
	p := some / float64(len(y))
	for _, v := range y[1:] { // the start is the state after the first step
		if v == 0 {
			p -= alpha * p
			continue
		}
		p += alpha * (1 - p)
		size += beta * (v - size)
	}
	return p * size
}
