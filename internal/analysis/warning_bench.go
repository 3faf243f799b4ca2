package analysis

import (
	"context"
	"math"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/stats"
	"statincidents/internal/trial"
)

// DetectorBench puts the early warning to the test on the département's own
// past: what each detector would have said of its last school year, and which
// of the outbreaks that are added to it each would have found.
var DetectorBench = Method[WarningInput, BenchOutput]{
	Name: "detector-bench", Version: 1, Seed: 45,
	Gather: func(_ context.Context, w *World) (WarningInput, error) { return gatherPanel(w), nil },
	Run:    putToTest,
}

// What the bench needs.
const (
	benchWeeks  = 36 // whole open weeks judged, at most
	benchLearn  = 16 // … before them, at least
	benchLeast  = 12 // … judged, at least
	benchSeries = 20 // series that hold something, at least
	benchAdded  = 240
)

// BenchOutput is the outcome of the bench.
type BenchOutput struct {
	Refusal  *Refusal `json:",omitempty"`
	From, To calendar.Day
	Mondays  []calendar.Day // of the judged weeks
	Table    trial.Table
}

func putToTest(ctx context.Context, in WarningInput, seed uint64) (BenchOutput, error) {
	var out BenchOutput
	// Whole weeks in which schools are open, as if the others were not there.
	var keep []int
	for t := range in.Mondays {
		if in.judged(t) && (!in.Partial || t < len(in.Mondays)-1) {
			keep = append(keep, t)
		}
	}
	judged := min(benchWeeks, len(keep)-benchLearn)
	switch {
	case judged < benchLeast:
		out.Refusal = &Refusal{Why: FewWeeks, Have: float64(len(keep)), Least: benchLearn + benchLeast}
		return out, nil
	case len(in.Schools)*len(in.Categories) < benchSeries:
		out.Refusal = &Refusal{Why: FewSchools, Have: float64(len(in.Schools)), Least: math.Ceil(benchSeries / float64(max(1, len(in.Categories))))}
		return out, nil
	case in.Events < LeastEvents:
		out.Refusal = &Refusal{Why: FewEvents, Have: float64(in.Events), Least: LeastEvents}
		return out, nil
	}
	c := trial.Case{Panel: in.pick(keep), First: len(keep) - judged}
	for _, t := range keep {
		c.Place = append(c.Place, int(in.Mondays[t]-in.Mondays[keep[0]])/7)
	}
	for _, t := range keep[c.First:] {
		out.Mondays = append(out.Mondays, in.Mondays[t])
	}
	out.From, out.To = out.Mondays[0], out.Mondays[len(out.Mondays)-1]+7
	plan := trial.UsualPlan()
	plan.Seed, plan.Outbreaks = seed, benchAdded
	var err error
	out.Table, err = trial.Run(ctx, []trial.Case{c}, plan, nil)
	return out, err
}

// pick keeps some weeks of the panel.
func (in *WarningInput) pick(keep []int) *stats.Panel {
	p := &stats.Panel{}
	place := map[int]int{}
	for k, t := range keep {
		place[t] = k
		p.Number = append(p.Number, in.Panel.Number[t])
		if in.Panel.Completeness != nil {
			p.Completeness = append(p.Completeness, in.Panel.Completeness[t])
		}
	}
	floats := func(row []float64) []float64 {
		out := make([]float64, len(keep))
		for k, t := range keep {
			out[k] = row[t]
		}
		return out
	}
	for s := range in.Schools {
		rows := make([][]int, len(in.Categories))
		for c := range rows {
			rows[c] = make([]int, len(keep))
			for k, t := range keep {
				rows[c][k] = in.Panel.Counts[s][c][t]
			}
		}
		p.Counts = append(p.Counts, rows)
		p.Computers, p.Openness = append(p.Computers, floats(in.Panel.Computers[s])), append(p.Openness, floats(in.Panel.Openness[s]))
	}
	for _, o := range in.Panel.Outbreaks {
		if k, ok := place[o.Week]; ok {
			p.Outbreaks = append(p.Outbreaks, stats.Cell{School: o.School, Category: o.Category, Week: k})
		}
	}
	return p
}

// Bench gives the bench of the last night to who sees all schools: its figures
// are those of all together.
func (s *Service) Bench(ctx context.Context, by auth.Identity) (BenchOutput, Made, error) {
	if err := by.Require(auth.ViewStatistics); err != nil {
		return BenchOutput{}, Made{}, err
	}
	if !by.Scope().All() {
		return BenchOutput{}, Made{}, fault.New(fault.NotFound, "error.not_found")
	}
	return Latest(ctx, s, DetectorBench)
}
