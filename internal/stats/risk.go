package stats

// Will this one last too long? The chance that what has lasted until some age
// lasts beyond a limit, from what became of others like it, the open ones
// counted as censored (see survival.go).
//
// Strata are nested, the widest first, and each is pulled towards the one
// around it as 20 more cases would: p = (x + 20 p0)/(n + 20), the m-estimate
// of Cestnik B. (1990), ECAI 90, 147-149. Calibration: Brier G. W. (1950),
// Mon. Weather Rev. 78, 1-3; Murphy A. H. (1973), J. Appl. Meteorol. 12,
// 595-600; area under the curve: Hanley J. A., McNeil B. J. (1982), Radiology
// 143, 29-36. Exact limits of a share: Clopper C. J., Pearson E. S. (1934),
// Biometrika 26, 404-413.

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// RiskSpell is a length, over or not, with the strata that it is in: codes
// from the widest to the narrowest.
type RiskSpell struct {
	Spell

	Strata []int
}

// RiskModel knows how long things last, in all and by stratum.
type RiskModel struct {
	all    Survival
	strata []map[int]Survival
}

// riskWeight is how many cases the wider stratum counts for.
const riskWeight = 20

// NewRiskModel learns from lengths; it is refused without any.
func NewRiskModel(spells []RiskSpell) (*RiskModel, bool) {
	var all []Spell
	var by []map[int][]Spell
	for _, s := range spells {
		all = append(all, s.Spell)
		for k, code := range s.Strata {
			if k == len(by) {
				by = append(by, map[int][]Spell{})
			}
			by[k][code] = append(by[k][code], s.Spell)
		}
	}
	m := &RiskModel{}
	var ok bool
	if m.all, ok = KaplanMeier(all); !ok {
		return nil, false
	}
	for _, groups := range by {
		curves := map[int]Survival{}
		for code, group := range groups {
			if c, ok := KaplanMeier(group); ok {
				curves[code] = c
			}
		}
		m.strata = append(m.strata, curves)
	}
	return m, true
}

// Risk is the chance that something which has lasted until an age lasts longer
// than a limit, and how many of its narrowest known stratum lasted that long.
// Past the limit it is 1. It is refused where nothing lasted until that age.
func (m *RiskModel) Risk(strata []int, age, limit float64) (p float64, known int, ok bool) {
	if age > limit {
		return 1, 0, true
	}
	p, ok = m.all.Longer(limit, age)
	if !ok {
		return 0, 0, false
	}
	known = m.all.beyond(age)
	for k, code := range strata {
		if k >= len(m.strata) {
			break
		}
		c, met := m.strata[k][code]
		if !met {
			break
		}
		n := c.beyond(age)
		own, ok := c.Longer(limit, age)
		if !ok || n == 0 {
			break
		}
		p = (float64(n)*own + riskWeight*p) / (float64(n) + riskWeight)
		known = n
	}
	return p, known, true
}

// beyond is how many were still watched after a time.
func (s Survival) beyond(t float64) int {
	step := s.At(t)
	return step.AtRisk - step.Events - step.Censored
}

// Announced is a chance that was announced, and what happened.
type Announced struct {
	P        float64
	Happened bool
}

// Calibrated is what happened to those to which a chance between two bounds
// was announced.
type Calibrated struct {
	Low, High float64
	N         int
	Mean      float64 // of the chances announced
	Happened  int
	Limits    Interval // of the share that happened, exact
}

// Observed is the share that happened.
func (c Calibrated) Observed() float64 {
	if c.N == 0 {
		return math.NaN()
	}
	return float64(c.Happened) / float64(c.N)
}

// Calibration sorts announcements by their chance into classes that begin at 0
// and at each bound; the last ends at 1, included.
func Calibration(list []Announced, bounds []float64, level float64) []Calibrated {
	out := make([]Calibrated, len(bounds)+1)
	for k := range out {
		out[k].High = 1
		if k > 0 {
			out[k].Low = bounds[k-1]
		}
		if k < len(bounds) {
			out[k].High = bounds[k]
		}
	}
	for _, a := range list {
		k, found := slices.BinarySearch(bounds, a.P)
		if found {
			k++
		}
		out[k].N++
		out[k].Mean += a.P
		if a.Happened {
			out[k].Happened++
		}
	}
	for k := range out {
		if out[k].N > 0 {
			out[k].Mean /= float64(out[k].N)
		}
		out[k].Limits = ShareLimits(out[k].Happened, out[k].N, level)
	}
	return out
}

// ShareLimits are the exact limits of a share: so many of n.
func ShareLimits(happened, n int, level float64) Interval {
	limits, a := Interval{0, 1}, (1-level)/2
	if happened > 0 {
		limits.Low = mathext.InvRegIncBeta(float64(happened), float64(n-happened+1), a)
	}
	if happened < n {
		limits.High = mathext.InvRegIncBeta(float64(happened+1), float64(n-happened), 1-a)
	}
	return limits
}

// Brier is the mean squared error of announced chances: 0 is perfect, the
// chance of the whole announced to everybody gives its own variance.
func Brier(list []Announced) float64 {
	var sum float64
	for _, a := range list {
		d := a.P - number(a.Happened)
		sum += d * d
	}
	return sum / float64(len(list))
}

// Discrimination is the chance that of two cases, one of which happened, the
// higher chance was announced to that one (area under the curve); ties count
// for half. It is refused unless some happened and some did not.
func Discrimination(list []Announced) (area float64, ok bool) {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Announced) int { return cmp.Compare(a.P, b.P) })
	var ranks, yes float64
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j].P == sorted[i].P {
			j++
		}
		rank := float64(i+j+1) / 2
		for _, a := range sorted[i:j] {
			if a.Happened {
				ranks, yes = ranks+rank, yes+1
			}
		}
		i = j
	}
	no := float64(len(sorted)) - yes
	if yes == 0 || no == 0 {
		return 0, false
	}
	return (ranks - yes*(yes+1)/2) / (yes * no), true
}
