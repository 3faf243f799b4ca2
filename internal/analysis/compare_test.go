package analysis

import "testing"

// A school that truly differs is told from those that chance sets apart.
func TestCompare(t *testing.T) {
	t.Parallel()
	compared := []ComparedSchool{}
	var years float64
	c := Comparison{}
	for k := range 12 {
		one := ComparedSchool{Years: 100 + 10*float64(k), Observed: 20 + 2*k}
		if k == 7 {
			one.Observed = 90
		}
		compared, years, c.Events = append(compared, one), years+one.Years, c.Events+one.Observed
	}
	c.All = len(compared)
	c.judge(compared, years)
	if !c.Differ() {
		t.Errorf("no difference is seen: %+v", c.Tests)
	}
	for k, one := range compared {
		if (one.Verdict == VerdictAbove) != (k == 7) {
			t.Errorf("school %d: %s, %+v", k, one.Verdict, one.Shrunk)
		}
	}
}
