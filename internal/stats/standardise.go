package stats

// Indirect standardisation: what each unit would count if its strata (classes
// of age, models, uses) had the rates of all units together.
//
// Breslow N. E., Day N. E. (1987), Statistical Methods in Cancer Research II,
// IARC, chapter 2.

import "math"

// Stratum is what one unit counted in one stratum.
type Stratum struct {
	Unit, Stratum int // from 0
	Events        int
	Exposure      float64
}

// Standardised is a unit's observed and expected events. Ratio is their
// quotient (NaN where nothing is expected), with exact limits; Crude is the
// events by exposure, which strata are not taken out of.
type Standardised struct {
	Observed int
	Expected float64
	Ratio    float64
	Limits   Interval
	Crude    float64
}

// Standardise compares units by strata; units and strata are numbered from 0.
func Standardise(cells []Stratum, level float64) []Standardised {
	units, strata := 0, 0
	for _, c := range cells {
		units, strata = max(units, c.Unit+1), max(strata, c.Stratum+1)
	}
	events, exposure := make([]float64, strata), make([]float64, strata)
	for _, c := range cells {
		events[c.Stratum] += float64(c.Events)
		exposure[c.Stratum] += c.Exposure
	}
	out := make([]Standardised, units)
	all := make([]float64, units)
	for _, c := range cells {
		u := &out[c.Unit]
		u.Observed += c.Events
		all[c.Unit] += c.Exposure
		if exposure[c.Stratum] > 0 {
			u.Expected += c.Exposure * events[c.Stratum] / exposure[c.Stratum]
		}
	}
	for k := range out {
		u := &out[k]
		u.Ratio, u.Crude = math.NaN(), math.NaN()
		if all[k] > 0 {
			u.Crude = float64(u.Observed) / all[k]
		}
		if u.Expected > 0 {
			u.Ratio = float64(u.Observed) / u.Expected
			u.Limits = PoissonLimits(u.Observed, level).Over(u.Expected)
		}
	}
	return out
}
