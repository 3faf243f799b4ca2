package problem

import (
	"testing"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// A proposal is taken up at once with all its incidents, or refused for good;
// the refusal can be taken back, and the journal tells it again.
func TestTogether(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		a, b, c, d := h.declare(t), h.declare(t), h.declare(t), h.declare(t)
		said := func() Together { return must[Together](t)(h.Said(ctx, h.technician, []int64{a, b, c, d})) }
		done := func(numbers ...int64) bool { s := said(); return s.Done(numbers, 3) }
		if done(a, b, c) {
			t.Error("done before anybody spoke")
		}
		refusal := must[int64](t)(h.Refuse(ctx, h.technician, []int64{c, a, b, a}))
		if !done(a, b, c) || !done(a, b, c, d) {
			t.Error("the refusal is forgotten, or one report more brings it back")
		}
		e, f := h.declare(t), h.declare(t)
		if s := must[Together](t)(h.Said(ctx, h.technician, []int64{a, b, c, d, e, f})); s.Done([]int64{a, b, c, d, e, f}, 3) {
			t.Error("three new ones are to be looked at")
		}
		h.rebuilt(t)
		for range 2 {
			if err := h.Restore(ctx, h.technician, refusal); err != nil {
				t.Fatal(err)
			}
		}
		if done(a, b, c) {
			t.Error("the refusal was taken back")
		}
		p := must[Problem](t)(h.OpenWith(ctx, h.technician, Content{Title: "Coupures"}, []int64{a, b, c, a}))
		if p.Incidents != 3 || !done(a, b, c) || done(a, b, c, d) {
			t.Errorf("%+v", p)
		}
		h.rebuilt(t)
	})
}

func TestTogetherRefusals(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := t.Context()
	a, b := h.declare(t), h.declare(t)
	many := make([]int64, MaxTogether+1)
	for k := range many {
		many[k] = int64(k + 1)
	}
	for name, c := range map[string]struct {
		err  error
		code fault.Code
	}{
		"by a declarant":       {second(h.Refuse(ctx, h.teacher, []int64{a, b})), fault.Forbidden},
		"opened by a referent": {second(h.OpenWith(ctx, h.referent, Content{Title: "x"}, []int64{a})), fault.Forbidden},
		"read by a declarant":  {second(h.Said(ctx, h.teacher, []int64{a})), fault.Forbidden},
		"taken back by one":    {h.Restore(ctx, h.teacher, 1), fault.Forbidden},
		"one alone":            {second(h.Refuse(ctx, h.technician, []int64{a})), fault.Invalid},
		"unknown":              {second(h.Refuse(ctx, h.technician, []int64{a, 999})), fault.NotFound},
		"opened with unknown":  {second(h.OpenWith(ctx, h.technician, Content{Title: "x"}, []int64{999})), fault.NotFound},
		"without a title":      {second(h.OpenWith(ctx, h.technician, Content{}, []int64{a})), fault.Invalid},
		"too many":             {second(h.Refuse(ctx, h.technician, many)), fault.TooLarge},
	} {
		if !fault.Is(c.err, c.code) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
}
