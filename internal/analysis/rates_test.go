package analysis

import (
	"math"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/stats"
)

// Rates by school and by type rest on the same incidents as the cube's count,
// whose denominators are open weeks: holidays weigh nothing.
func TestRates(t *testing.T) {
	t.Parallel()
	p := plant(t)
	ctx, all := t.Context(), auth.ScopeAll(1)
	from, to := calendar.Date(2025, 9, 1), calendar.Date(2026, 7, 4)
	res, err := p.Cube.Run(ctx, all, cube.Query{Measures: []cube.Measure{cube.Count}, From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []RateBy{RateBySchool, RateByCategory} {
		out, err := p.Rates(ctx, all, RatesQuery{By: by, From: from, To: to})
		if err != nil || out.Refusal != nil {
			t.Fatalf("%s: %v %v", by, out.Refusal, err)
		}
		sum := 0
		for _, row := range out.Rows {
			sum += row.Rate.Events
			if !row.Rate.Limits.Holds(row.Rate.Value) || row.MidP.Low < row.Rate.Limits.Low || row.MidP.High > row.Rate.Limits.High {
				t.Errorf("%s: %+v", by, row)
			}
		}
		if n := res.Total.Values[0].N; sum+out.Missed != n || out.All.Rate.Events != sum {
			t.Errorf("by %s: %d in rows, %d in all, %d without computers, the cube counts %d", by, sum, out.All.Rate.Events, out.Missed, n)
		}
	}
	// A summer holiday adds no exposure.
	places := p.world.Places
	school := places.Schools()[0].ID
	year, longer := computerWeeks(places, school, from, to), computerWeeks(places, school, from, calendar.Date(2026, 8, 20))
	if year <= 0 || longer > year*1.001 {
		t.Errorf("exposure of the school year %v, with the summer %v", year, longer)
	}
	// Days cut in two add up.
	middle := calendar.Date(2026, 3, 4)
	parts := computerWeeks(places, school, from, middle) + computerWeeks(places, school, middle, to)
	if math.Abs(parts-year) > year*2e-3 {
		t.Errorf("cut on a Wednesday: %v and not %v", parts, year)
	}
	// A referent sees the rates of one school.
	out, err := p.Rates(ctx, auth.ScopeSchools(1, school), RatesQuery{By: RateBySchool, From: from, To: to})
	if err != nil || len(out.Rows) != 1 || out.Rows[0].ID != school {
		t.Errorf("one school: %+v %v", out, err)
	}
}

// What is hidden from a public document cannot be worked out from the total.
func TestPublicRates(t *testing.T) {
	t.Parallel()
	row := func(id int64, events int) RateRow { return RateRow{ID: id, Rate: stats.Rate{Events: events}} }
	for name, c := range map[string]struct {
		rows         []RateRow
		shown, hides int
	}{
		"nothing small":         {[]RateRow{row(1, 9), row(2, 3), row(3, 0)}, 3, 0},
		"one, with its fellow":  {[]RateRow{row(1, 9), row(2, 5), row(3, 1)}, 1, 2},
		"two hide one another":  {[]RateRow{row(1, 9), row(2, 1), row(3, 2)}, 1, 2},
		"nothing to hide it in": {[]RateRow{row(1, 2)}, 0, 1},
	} {
		r := Rates{Rows: c.rows}
		if hidden := r.Public(); hidden != c.hides || len(r.Rows) != c.shown {
			t.Errorf("%s: %d hidden, %+v shown", name, hidden, r.Rows)
		}
	}
}

// An effect that was planted is measured; a change that has no effect is not
// believed to have one.
func TestBeforeAfter(t *testing.T) {
	t.Parallel()
	p := plant(t)
	ctx, all := t.Context(), auth.ScopeAll(1)
	places := p.world.Places
	var changed []int64
	for k, school := range places.Schools() {
		if k%4 == 0 {
			changed = append(changed, school.ID)
		}
	}
	day := calendar.Date(2026, 2, 3)
	quiet, err := p.BeforeAfter(ctx, all, Change{Day: day, Schools: changed})
	if err != nil || quiet.Refusal != nil {
		t.Fatalf("%+v %v", quiet.Refusal, err)
	}
	if quiet.Effect.Ratio < 0.8 || quiet.Effect.Ratio > 1.25 {
		t.Errorf("nothing was changed, and the effect is %+v", quiet.Effect)
	}
	for _, w := range quiet.Weeks {
		if p.world.Places.Calendar(0).Openness(w.Monday) == 0 || w.Monday.Week() == day.Week() {
			t.Errorf("a closed week, or that of the change, is counted: %+v", w)
		}
	}
	// The same with half of what happened there afterwards taken away.
	var b BeforeAfter
	weeks := weeksAround(places.Calendar(0), day, p.world.Today)
	counts := [2]map[calendar.Day]int{{}, {}}
	for k := range weeks {
		counts[0][weeks[k].Monday], counts[1][weeks[k].Monday] = 60, 200
		if weeks[k].After {
			counts[0][weeks[k].Monday] = 30
		}
	}
	b.measure(places, weeks, changed, []int64{places.Schools()[1].ID, places.Schools()[2].ID}, counts)
	if b.Refusal != nil || math.Abs(b.Effect.Ratio-0.5) > 0.05 || !b.Sure() {
		t.Errorf("a halved rate: %+v %+v", b.Refusal, b.Effect)
	}
	for name, c := range map[string]Change{
		string(Future):      {Day: p.world.Today + 30, Schools: changed},
		string(NoneChanged): {Day: day},
		string(FewAfter):    {Day: p.world.Today - 10, Schools: changed},
		string(FewBefore):   {Day: p.world.Weeks[0].Monday - 700, Schools: changed},
	} {
		out, err := p.BeforeAfter(ctx, all, c)
		if err != nil || out.Refusal == nil {
			t.Errorf("%s: %+v %v", name, out.Refusal, err)
		} else if string(out.Refusal.Why) != name && name != string(FewBefore) {
			t.Errorf("%s: refused for %s", name, out.Refusal.Why)
		}
	}
}
