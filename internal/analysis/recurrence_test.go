package analysis

import (
	"encoding/json"
	"slices"
	"testing"

	"statincidents/internal/demo"
)

// What is planted to come back is found, and said to be out of the ordinary.
func TestWhatComesBackIsFound(t *testing.T) {
	t.Parallel()
	p := plant(t)
	in, err := gatherRecurrence(t.Context(), p.world)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var read RecurrenceInput
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	out := judgeRecurrence(&read) // as it is done again
	if out.Refusal != nil {
		t.Fatal(out.Refusal)
	}
	// The projector comes first of all machines, and its room of its kind.
	if len(out.Machines) == 0 || out.Machines[0].Machine != "VP-1038-12" {
		t.Fatalf("the first machine: %+v", out.Machines)
	}
	if m := out.Machines[0]; m.Incidents != 14 || m.Chance < 0.999 || m.Low < 5 || m.Tend.Verdict != Worse {
		t.Errorf("the projector: %+v", m)
	}
	if !slices.ContainsFunc(out.Rooms, func(c CameBack) bool { return c.Room == out.Machines[0].Room && c.Incidents >= 14 }) {
		t.Errorf("its room is not among %d", len(out.Rooms))
	}
	// HX22C is the one lot that comes back more than the others, and some of its
	// machines stand out alone.
	for _, m := range out.Models {
		if (m.Verdict == VerdictAbove) != (m.Name == demo.BadBatch) {
			t.Errorf("lot %s: %s, %.2f more (%.2f to %.2f)", m.Name, m.Verdict, m.Difference, m.Least, m.Most)
		}
		if m.Name == demo.BadBatch && len(m.Schools) != 12 {
			t.Errorf("it is in %d schools", len(m.Schools))
		}
	}
	if !slices.ContainsFunc(out.Machines, func(c CameBack) bool { return Batch(c.Machine) == demo.BadBatch }) {
		t.Errorf("no machine of the lot among %d", len(out.Machines))
	}
	// The drift of Beaugency: its computer rooms are slow, more and more.
	slow, _ := p.world.Words.CategoryByPath("Ordinateur", "Lenteur")
	drift, _ := p.world.Places.SchoolByUAI("0450005L")
	if !slices.ContainsFunc(out.Rooms, func(c CameBack) bool { return c.School == drift.ID && c.Category == slow.ID && c.Tend.Verdict == Worse }) {
		t.Error("the drift is not seen")
	}
	// What is planted nowhere is not found: a handful of machines of ten thousand.
	if len(out.Machines) > 10 || len(out.Rooms) > 60 {
		t.Errorf("%d machines, %d rooms", len(out.Machines), len(out.Rooms))
	}
	t.Logf("%d machines, %d rooms, %d lots, %d echoes of %d reports, %d returns", len(out.Machines), len(out.Rooms), len(out.Models), len(out.Echoes), len(in.Echo.Here), len(out.Returns))
}
