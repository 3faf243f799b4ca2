package trial_test

import (
	"context"
	"math"
	"reflect"
	"testing"

	"statincidents/internal/trial"
)

// measured are the shares found within 1, 2 and 3 weeks for outbreaks of 2, 4
// and 7 more incidents a week, at one false alarm a week over 696 series, that
// a study made before this program with other generators found.
var measured = map[string][3][3]float64{
	trial.Ours:           {{.21, .49, .65}, {.59, .83, .95}, {.82, .97, .99}},
	trial.OursOne:        {{.25, .47, .60}, {.62, .82, .92}, {.85, .97, .99}},
	trial.Poisson:        {{.23, .45, .57}, {.60, .82, .91}, {.84, .97, 1}},
	trial.CUSUM:          {{.12, .48, .73}, {.48, .81, .92}, {.75, .96, .99}},
	trial.FarringtonOpen: {{.22, .42, .53}, {.54, .73, .83}, {.73, .90, .95}},
	trial.EARS3:          {{.13, .30, .45}, {.35, .66, .76}, {.58, .82, .89}},
	trial.EARS2:          {{.15, .32, .41}, {.45, .63, .71}, {.67, .79, .85}},
	trial.EARS1:          {{.17, .26, .28}, {.45, .51, .51}, {.70, .72, .72}},
}

func run(t *testing.T, kind func(uint64) trial.Case, cases int, plan trial.Plan) (trial.Table, map[string]trial.Row) {
	t.Helper()
	table, err := trial.Run(t.Context(), trial.Invented(kind, cases, 45), plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]trial.Row{}
	for _, r := range table.Rows {
		rows[r.Detector] = r
	}
	return table, rows
}

// The size of the study: each figure has a standard error of three points or
// less on both sides, so single ones may be 8 away, their mean may not be 3.
func TestAgreesWithTheStudy(t *testing.T) {
	t.Parallel()
	table, rows := run(t, trial.Like, 6, trial.UsualPlan())
	if table.Series != 696 || table.Judged != 216 || table.Outbreaks != 240 || table.Low < 0.66 || table.Low > 0.75 {
		t.Errorf("%d series, %d weeks, %d outbreaks, %.2f of the series low", table.Series, table.Judged, table.Outbreaks, table.Low)
	}
	sum, n := 0.0, 0.0
	for name, want := range measured {
		of := 0.0
		for size := range want {
			for w, share := range want[size] {
				d := rows[name].Found[size][w] - share
				of, sum, n = of+d, sum+math.Abs(d), n+1
				if math.Abs(d) > 0.09 {
					t.Errorf("%s, size %d, week %d: %.2f, the study found %.2f", name, table.Sizes[size], w+1, rows[name].Found[size][w], share)
				}
			}
		}
		if math.Abs(of)/9 > 0.04 {
			t.Errorf("%s: %.3f away on the average", name, of/9)
		}
		if rows[name].AtOne > 1 {
			t.Errorf("%s: %.2f false alarms a week", name, rows[name].AtOne)
		}
	}
	if sum/n > 0.03 {
		t.Errorf("%.3f away on the average", sum/n)
	}
	if u := rows[trial.Ours].Usual; u < 0.1 || u > 0.4 {
		t.Errorf("%.2f false alarms a week at one in a thousand", u)
	}
	if table.Rule.Usual > 0.2 || table.Busy.Usual > 0.5 {
		t.Errorf("the whole rule: %.2f and %.2f false alarms a week", table.Rule.Usual, table.Busy.Usual)
	}
}

// Where nothing is as the detector supposes, it must stay usable: the rule
// gives about one false alarm a week.
func TestUnlike(t *testing.T) {
	t.Parallel()
	plan := trial.UsualPlan()
	plan.Outbreaks = 80
	table, rows := run(t, trial.Unlike, 2, plan)
	if table.Rule.Usual > 1.5 {
		t.Errorf("%.2f false alarms a week", table.Rule.Usual)
	}
	if ours, ears := rows[trial.Ours].Found[1][2], rows[trial.EARS1].Found[1][2]; ours < ears+0.1 {
		t.Errorf("found within three weeks: %.2f, EARS C1 %.2f", ours, ears)
	}
}

func TestSameSeedSameTable(t *testing.T) {
	t.Parallel()
	plan := trial.UsualPlan()
	plan.Outbreaks = 20
	one, _ := run(t, trial.Like, 1, plan)
	two, _ := run(t, trial.Like, 1, plan)
	if !reflect.DeepEqual(one, two) {
		t.Errorf("%+v\n%+v", one, two)
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := trial.Run(ctx, trial.Invented(trial.Like, 1, 1), trial.UsualPlan(), nil); err == nil {
		t.Error("a trial that was stopped ends well")
	}
}

func BenchmarkTrial(b *testing.B) {
	cases := trial.Invented(trial.Like, 1, 45)
	for b.Loop() {
		if _, err := trial.Run(b.Context(), cases, trial.UsualPlan(), nil); err != nil {
			b.Fatal(err)
		}
	}
}
