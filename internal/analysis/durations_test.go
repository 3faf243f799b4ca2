package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/stats"
	"statincidents/internal/testkit"
)

// A group that lasts longer is told, and open incidents are not forgotten.
func TestCurvesOfGroups(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 0))
	draw := func(n int, mean float64) []stats.Spell {
		var list []stats.Spell
		for range n {
			length, seen := random.ExpFloat64()*mean, random.Float64()*3*mean
			list = append(list, stats.Spell{Exit: min(length, seen), Event: length <= seen})
		}
		return list
	}
	d := Durations{Until: 80}
	d.compare(cube.DimTeam, map[int64][]stats.Spell{7: draw(300, 10), 9: draw(200, 25), 11: draw(5, 10)})
	if len(d.Groups) != 2 || d.Groups[0].Key != "7" || d.Left != 1 || !d.Differ() {
		t.Fatalf("%d groups, %d left, p = %g", len(d.Groups), d.Left, d.Test.P)
	}
	slow := d.Groups[1]
	if slow.Median.Limits.Low > 25*math.Ln2 || slow.Median.Limits.High < 25*math.Ln2 {
		t.Errorf("median %g in %v, the truth is %g", slow.Median.Hours, slow.Median.Limits, 25*math.Ln2)
	}
	if slow.Open == 0 || slow.ClosedMedian >= slow.Median.Hours {
		t.Errorf("%d open; closed alone %g, all %g", slow.Open, slow.ClosedMedian, slow.Median.Hours)
	}
	if points := slow.Points(50); len(points) > 2*durationPoints || points[len(points)-1].T > 50 {
		t.Errorf("%d points", len(points))
	}
	same := Durations{Until: 80}
	same.compare(cube.DimTeam, map[int64][]stats.Spell{1: draw(300, 10), 2: draw(300, 10)})
	if same.Differ() && same.Test.P < 1e-4 {
		t.Errorf("alike groups differ: p = %g", same.Test.P)
	}
}

// Whoever sees nothing is told nothing, and few incidents conclude nothing.
func TestDurationsWithinScope(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := newHouse(t, db)
		for range 3 {
			h.declare(t, "Écran noir", time.Hour)
		}
		go func() { _ = h.memory.Start(t.Context()) }()
		deadline := time.Now().Add(20 * time.Second)
		var d Durations
		for {
			var err error
			if d, err = h.Durations(t.Context(), auth.ScopeAll(1), DurationQuestion{}); err == nil {
				break
			} else if !fault.Is(err, fault.Unavailable) || time.Now().After(deadline) {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if d.Refusal == nil || d.Refusal.Why != FewEvents || d.Refusal.Have != 3 {
			t.Errorf("%+v", d.Refusal)
		}
		d, err := h.Durations(t.Context(), auth.ScopeSchools(1, 99), DurationQuestion{})
		if err != nil || d.Refusal == nil || d.Refusal.Have != 0 {
			t.Errorf("of another school: %+v, %v", d.Refusal, err)
		}
		if _, err := h.OpenRisks(t.Context(), auth.Somebody(1, 1, "x", h.school), cube.ListQuery{}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a declarant asks for risks: %v", err)
		}
	})
}

// inventedBreach are incidents of two years whose urgent ones are quick and whose
// others are slow: one in five passes its target.
func inventedBreach(n int) BreachInput {
	random := rand.New(rand.NewPCG(11, 0))
	today := calendar.Date(2026, time.November, 24)
	in := BreachInput{Today: today}
	for k := breachCuts - 1; k >= 0; k-- {
		in.Cuts = append(in.Cuts, today-calendar.Day(60*k+30))
	}
	for k := range n {
		priority := 2 + k%3
		spent := int(random.ExpFloat64() * float64(100*priority))
		in.Opened = append(in.Opened, today-calendar.Day(2+random.IntN(720)))
		in.Spent, in.Over, in.Target = append(in.Spent, spent), append(in.Over, 1), append(in.Target, 480)
		in.Priority, in.Category, in.Team = append(in.Priority, priority), append(in.Category, int64(1+k%4)), append(in.Team, 1)
		in.Asked = append(in.Asked, k%breachTenths)
	}
	return in
}

func TestBreachComesTrue(t *testing.T) {
	t.Parallel()
	out, err := runBreach(t.Context(), inventedBreach(6000), 0)
	if err != nil || out.Refusal != nil {
		t.Fatalf("%+v, %v", out.Refusal, err)
	}
	if !out.Useful() || out.Brier >= out.Base {
		t.Errorf("area %g, Brier %g, base %g", out.Area, out.Brier, out.Base)
	}
	tested := 0
	for _, c := range out.Tenths {
		tested += c.N
		if c.N >= 50 && math.Abs(c.Observed()-c.Mean) > 0.12 {
			t.Errorf("announced %.2f, happened %.2f of %d", c.Mean, c.Observed(), c.N)
		}
	}
	if tested != out.Tested {
		t.Errorf("%d in the table, %d tested", tested, out.Tested)
	}
	out, _ = runBreach(t.Context(), inventedBreach(leastBreach-1), 0)
	if out.Refusal == nil || out.Refusal.Why != FewPast {
		t.Errorf("so few, and %+v", out)
	}
}
