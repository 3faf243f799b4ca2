package analysis

import (
	"testing"

	"statincidents/internal/demo"
)

// On the demonstration, the next eight open weeks are foreseen, nothing simpler
// does really better, and the interval holds what it says.
func TestComingWeeksOfTheDemonstration(t *testing.T) {
	t.Parallel()
	in := gatherForecast(inventedWorld(t, demo.DefaultSeed).world)
	out := foresee(in)
	if out.Refusal != nil || len(out.Ahead) != ForecastAhead || len(out.Series) < 8 {
		t.Fatalf("%+v, %d weeks ahead, %d series", out.Refusal, len(out.Ahead), len(out.Series))
	}
	for k := range out.Ahead[1:] {
		if out.Ahead[k+1].Monday <= out.Ahead[k].Monday {
			t.Errorf("weeks ahead: %v", out.Ahead)
		}
	}
	all := out.Series[0]
	if all.Kind != SeriesAll || all.Back == nil || all.Back.Origins < 20 {
		t.Fatalf("%+v", all)
	}
	if simpler, better := all.Simpler(); better {
		t.Errorf("%s errs less: %+v", simpler.Rival, all.Back.Trials)
	}
	if all.Back.Coverage < 0.8 {
		t.Errorf("the interval holds %.0f %%", 100*all.Back.Coverage)
	}
	for _, s := range out.Series {
		if s.Back != nil {
			t.Logf("%s %d: MASE %.2f, coverage %.2f", s.Kind, s.ID, s.Back.Trials[0].MASE, s.Back.Coverage)
			for _, x := range s.Back.Trials[1:] {
				t.Logf("    %s %.2f p %.3f", x.Rival, x.MASE, x.Test.P)
			}
		}
	}
	short := in
	short.Past = in.Past[:5]
	for k := range short.Series {
		short.Series[k].Counts = short.Series[k].Counts[:5]
	}
	if got := foresee(short); got.Refusal == nil || got.Refusal.Why != FewWeeks {
		t.Errorf("five weeks: %+v", got.Refusal)
	}
}
func BenchmarkComingWeeks(b *testing.B) {
	in := gatherForecast(inventedWorld(b, demo.DefaultSeed).world)
	b.ResetTimer()
	for b.Loop() {
		if out := foresee(in); len(out.Series) == 0 {
			b.Fatal(out.Refusal)
		}
	}
}
