package analysis

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/machine"
)

// inventedFleet is bought over eight years and watched for three; with wear,
// an old machine fails more often.
func inventedFleet(wear bool) (list []machine.Machine, incidents map[string][]calendar.Day, since, today calendar.Day) {
	random := rand.New(rand.NewPCG(3, 0))
	today = calendar.Date(2026, time.November, 24)
	since = today - 3*365
	incidents = map[string][]calendar.Day{}
	for k := range 2000 {
		m := machine.Machine{Label: fmt.Sprintf("M%04d", k), Model: fmt.Sprintf("A%d", k%3), Purchased: today - calendar.Day(random.IntN(8*365))}
		list = append(list, m)
		for d := max(since, m.Purchased) + 1; d <= today; d++ {
			chance := 0.3 / 365.25
			if wear {
				chance *= float64(d-m.Purchased) / 730
			}
			if m.Model == "A2" {
				chance *= 3
			}
			if random.Float64() < chance {
				incidents[m.Label] = append(incidents[m.Label], d)
			}
		}
	}
	return list, incidents, since, today
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	costs := RenewalCosts{New: 700, Repair: 200}
	for _, wear := range []bool{false, true} {
		list, incidents, since, today := inventedFleet(wear)
		incidents["nobody's"] = []calendar.Day{today}
		incidents[list[0].Label] = append(incidents[list[0].Label], list[0].Purchased-1)
		list = append(list, machine.Machine{Label: "undated"})
		out := Renewal{Since: since}
		out.judge(list, incidents, today, costs)
		if out.Refusal != nil || out.Undated != 1 || out.Unknown != 1 || out.Impossible != 1 {
			t.Fatalf("%+v, %d undated, %d unknown, %d impossible", out.Refusal, out.Undated, out.Unknown, out.Impossible)
		}
		if out.Repaired.Ages != wear {
			t.Errorf("wear %t, shape in %v", wear, out.Repaired.Fit.ShapeLimits)
		}
		if wear && (!out.Repaired.Fit.ShapeLimits.Holds(2) || out.Repaired.Best.Never() || !out.Repaired.Doubt.Age.Holds(out.Repaired.Best.Age)) {
			t.Errorf("shape %v, best %+v, %+v", out.Repaired.Fit.ShapeLimits, out.Repaired.Best, out.Repaired.Doubt)
		}
		if out.Models[0].Model != "A2" || out.Models[0].Rate.Limits.Low <= out.Models[1].Rate.Limits.High {
			t.Errorf("the bad model does not stand out: %+v", out.Models[0].Rate)
		}
		if out.Replaced.Refusal == nil || out.Replaced.Refusal.Why != FewFailures {
			t.Errorf("no machine left by failure, and %+v", out.Replaced.Best)
		}
	}
	// Where repairs cost next to nothing, the best age is one that nobody has seen.
	list, incidents, since, today := inventedFleet(true)
	cheap := Renewal{Since: since}
	if cheap.judge(list, incidents, today, RenewalCosts{New: 700, Repair: 1}); !cheap.Repaired.Beyond() {
		t.Errorf("advice beyond what was seen: %+v, oldest %g", cheap.Repaired.Best, cheap.Repaired.Oldest)
	}
	var few Renewal
	few.judge(nil, nil, 20_000, costs)
	if few.Refusal == nil || few.Refusal.Why != FewMachines {
		t.Errorf("%+v", few.Refusal)
	}
}
