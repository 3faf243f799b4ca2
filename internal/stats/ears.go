package stats

// EARS C1 to C3, the usual alarms of dashboards: kept to compare with.
//
// Hutwagner L., Thompson W., Seeman G. M., Treadwell T. (2003), The
// bioterrorism preparedness and response Early Aberration Reporting System
// (EARS), J. Urban Health 80, i89-i96; Fricker R. D., Hegler B. L., Dunfee D.
// A. (2008), Stat. Med. 27, 3407-3429.

import "math"

// EARS are the parameters: how many past values the mean and the deviation
// are taken of, the least deviation, and the normal quantiles of the alarms.
type EARS struct {
	Baseline int
	Least    float64
	Z1, Z2   float64 // of C1 and C2
	Z3       float64
}

// UsualEARS are the parameters in general use: seven past values, one false
// alarm in a thousand for C1 and C2, 25 for C3.
func UsualEARS() EARS {
	z := func(alpha float64) float64 { return math.Sqrt2 * math.Erfinv(1-2*alpha) }
	return EARS{Baseline: 7, Z1: z(0.001), Z2: z(0.001), Z3: z(0.025)}
}

// EARSPoint holds, for one value, how far it is in deviations from the mean
// (C3: what is beyond one deviation, summed over three values) and the bounds
// that it would have to exceed. NaN where the past is too short.
type EARSPoint struct {
	C1, C2, C3             float64
	Bound1, Bound2, Bound3 float64
}

// Run follows a series of counts.
func (e EARS) Run(counts []int) []EARSPoint {
	out := make([]EARSPoint, len(counts))
	for t, y := range counts {
		p := EARSPoint{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		if t >= e.Baseline {
			mean, deviation := e.moments(counts[t-e.Baseline : t])
			p.C1, p.Bound1 = distance(float64(y), mean, deviation), mean+e.Z1*deviation
		}
		if t >= e.Baseline+2 {
			mean, deviation := e.moments(counts[t-e.Baseline-2 : t-2])
			p.C2, p.Bound2 = distance(float64(y), mean, deviation), mean+e.Z2*deviation
			if t >= e.Baseline+4 {
				before := max(0, out[t-1].C2-1) + max(0, out[t-2].C2-1)
				p.C3 = max(0, p.C2-1) + before
				// The reference has the value itself where the mean would be expected.
				p.Bound3 = max(0, float64(y)+deviation*(e.Z3-before))
			}
		}
		out[t] = p
	}
	return out
}

func (e EARS) moments(past []int) (mean, deviation float64) {
	for _, y := range past {
		mean += float64(y)
	}
	mean /= float64(len(past))
	for _, y := range past {
		deviation += (float64(y) - mean) * (float64(y) - mean)
	}
	return mean, max(math.Sqrt(deviation/float64(len(past)-1)), e.Least)
}

// distance in deviations; without deviation, none for the mean itself.
func distance(y, mean, deviation float64) float64 {
	if y == mean {
		return 0
	}
	return (y - mean) / deviation
}
