package analysis

import (
	"encoding/json"
	"slices"
	"testing"

	"statincidents/internal/auth"
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
	v := ComesBack{Recurrence: out, Within: ReturnWithin}
	v.returned(true, out.Causes)
	if !v.All.Known || v.All.Limits.Low > v.All.Share || v.All.Limits.High < v.All.Share || len(v.Causes) < 5 {
		t.Errorf("%+v", v.All)
	}
	for _, c := range v.Causes {
		t.Logf("%s %+v", p.world.Words.CodeLabel(c.Cause, "fr"), c)
	}
	t.Logf("%+v %+v %+v", v.All, v.ByMachine, v.ByRoom)
	t.Logf("%d machines, %d rooms, %d lots, %d echoes of %d reports, %d returns", len(out.Machines), len(out.Rooms), len(out.Models), len(out.Echoes), len(in.Echo.Here), len(out.Returns))
}

// A small history by hand: what followed what, within how many open days.
func TestReturns(t *testing.T) {
	t.Parallel()
	in := RecurrenceInput{Since: 100, From: 100, Today: 200, Until: map[int64]int{1: 80}}
	add := func(open, end int, machine string, room, kind, cause int64) {
		in.Events = append(in.Events, RecurrenceEvent{ID: int64(len(in.Events) + 1), Day: 150, Open: open, End: end, School: 1, Machine: machine, Room: room, Type: kind, Cause: cause})
	}
	add(10, 12, "A", 0, 5, 1) // followed by 3, not by 2 which was there before its end
	add(11, 30, "A", 0, 5, 1) // nothing since
	add(20, 21, "A", 0, 6, 0) // another type of incident: the machine is the same
	add(22, 23, "", 7, 5, 2)  // followed by 6, of the same type in its room
	add(24, 25, "", 7, 6, 2)  // another type
	add(26, -1, "", 7, 5, 2)  // still open
	add(27, 28, "", 0, 5, 2)  // nowhere
	got := returns(&in)
	want := []Return{
		{ID: 1, Next: 3, School: 1, Cause: 1, Gap: 8}, {ID: 2, School: 1, Cause: 1, Gap: 50}, {ID: 3, School: 1, Gap: 59},
		{ID: 4, Next: 6, School: 1, Cause: 2, Room: true, Gap: 3}, {ID: 5, School: 1, Cause: 2, Room: true, Gap: 55},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	r := Recurrence{Returns: got}
	mine := r.seenBy(auth.ScopeSchools(1, 2))
	if len(mine.Returns) != 0 {
		t.Errorf("another school sees %+v", mine.Returns)
	}
}

// Too few incidents: nothing is concluded, and nothing breaks.
func TestRecurrenceRefuses(t *testing.T) {
	t.Parallel()
	out := judgeRecurrence(&RecurrenceInput{From: 100, Today: 200, Events: []RecurrenceEvent{{ID: 1, Day: 150, Machine: "A"}}})
	if out.Refusal == nil || out.Refusal.Why != FewEvents {
		t.Errorf("%+v", out)
	}
	v := ComesBack{Recurrence: out, Within: 30}
	v.returned(true, nil)
	if v.All.Known {
		t.Errorf("%+v", v.All)
	}
}

// Reports are a group when they are alike, of one type and more than usual:
// not because there are many of what there are always many of.
func TestEchoes(t *testing.T) {
	t.Parallel()
	in := EchoInput{From: 100, Open: 15, Year: 180}
	for k := range 4 {
		in.Here = append(in.Here, EchoReport{ID: int64(k + 1), Day: 101, School: int64(k%2 + 1), Type: 5})
		if k > 0 {
			in.Links = append(in.Links, EchoLink{k - 1, k, 0.8})
		}
	}
	if got := echoes(&in); len(got) != 1 || !slices.Equal(got[0].IDs, []int64{1, 2, 3, 4}) || !slices.Equal(got[0].Schools, []int64{1, 2}) {
		t.Errorf("%+v", got)
	}
	in.Usual = []EchoUsual{{0, 5, 60}}
	if got := echoes(&in); len(got) != 0 {
		t.Errorf("five a fortnight are usual: %+v", got)
	}
	for k := range in.Here {
		in.Here[k].School = 3
	}
	if got := echoes(&in); len(got) != 1 || len(got[0].Schools) != 1 {
		t.Errorf("in this school there are none: %+v", got)
	}
}
