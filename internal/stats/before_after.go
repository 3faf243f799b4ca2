package stats

// Did a change do anything? Difference in differences: what happened where the
// change was made, beyond what happened where it was not.
//
// Card D., Krueger A. B. (1994), Am. Econ. Rev. 84, 772-793, for the design;
// on rates by a Poisson regression with exposure (see glm.go).

import "math"

// BeforeAfterWeek is what one group counted in one open week.
type BeforeAfterWeek struct {
	Changed  bool // the group where the change was made
	After    bool // the week is after it
	Events   int
	Exposure float64 // machines times openness
}

// Effect is a ratio of rates that the change goes with: 0.6 is 40 % fewer.
type Effect struct {
	Ratio  float64
	Limits Interval
	P      float64
	Model  Model
}

// interaction is the coefficient of the change, after the intercept, the group
// and the period.
const interaction = 3

// BeforeAfter measures the effect of a change against a control group. It is
// refused when one of the four cells (group by period) has no week, or when
// the counts do not settle it.
func BeforeAfter(weeks []BeforeAfterWeek, level float64) (Effect, bool) {
	rows := make([][]float64, len(weeks))
	events := make([]int, len(weeks))
	exposure := make([]float64, len(weeks))
	for k, w := range weeks {
		g, a := number(w.Changed), number(w.After)
		rows[k] = []float64{1, g, a, g * a}
		events[k], exposure[k] = w.Events, w.Exposure
	}
	m, ok := PoissonRegression(rows, events, exposure)
	if !ok {
		return Effect{}, false
	}
	limits := m.Limits(interaction, level)
	return Effect{
		Ratio: math.Exp(m.Coefficients[interaction]), P: m.P(interaction), Model: m,
		Limits: Interval{math.Exp(limits.Low), math.Exp(limits.High)},
	}, true
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
