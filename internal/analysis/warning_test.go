package analysis

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/calendar"
	"statincidents/internal/stats"
	"statincidents/internal/trial"
)

// What is planted for the early warning is found in its weeks, with its
// figures, since when, and the words that are new.
func TestEarlyWarningFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	p := plant(t)
	in := gatherPanel(p.world)
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var read WarningInput
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	out, err := warn(t.Context(), read, EarlyWarning.Seed) // as it is done again
	if err != nil || out.Refusal != nil {
		t.Fatal(err, out.Refusal)
	}
	if _, err := json.Marshal(out); err != nil {
		t.Fatal(err) // no infinity
	}
	if got := in.Events + in.Outside; got < 27_000 || in.Outside > 2_000 || len(in.Schools) != 58 || len(out.Weeks) < 30 {
		t.Errorf("%d incidents, %d of them outside, %d schools, %d weeks", got, in.Outside, len(in.Schools), len(out.Weeks))
	}
	category := func(name string) int64 {
		c, ok := p.world.Words.CategoryByPath(name)
		if !ok {
			t.Fatal("no type ", name)
		}
		return c.ID
	}
	school := func(uai string) int64 {
		s, ok := p.world.Places.SchoolByUAI(uai)
		if !ok {
			t.Fatal("no school ", uai)
		}
		return s.ID
	}
	find := func(list []Warned, school, category int64) *Warned {
		for k := range list {
			if list[k].School == school && list[k].Category == category && list[k].Alert {
				return &list[k]
			}
		}
		return nil
	}
	at := func(monday calendar.Day) *JudgedWeek {
		k := slices.IndexFunc(out.Weeks, func(w JudgedWeek) bool { return w.Monday == monday })
		if k < 0 {
			t.Fatal("no week ", monday)
		}
		return &out.Weeks[k]
	}
	computers, network := category("Ordinateur"), category("Réseau et Wi-Fi")

	// The failed update: the whole département, in its very week.
	week := at(calendar.Date(2026, 3, 16))
	update := find(week.Found, 0, computers)
	if update == nil || update.Weeks != 1 || update.Observed < 140 || update.P > 1e-10 || update.Since == nil || update.Since.Monday != week.Monday || update.Low < 2 {
		t.Errorf("the update: %+v", update)
	}

	// The zone: most of its schools by the second of its weeks, each on its own.
	week = at(calendar.Date(2026, 11, 9))
	found := 0
	for _, uai := range []string{"0451788Z", "0451787Y", "0450004K", "0450063Z", "0450787L", "0450006M"} {
		if w := find(week.Found, school(uai), network); w != nil {
			found++
		}
	}
	if found < 4 {
		t.Errorf("%d of the six schools of the zone are told", found)
	}
	zone := find(week.Found, 0, network)
	if zone == nil || zone.Since == nil {
		t.Fatalf("the zone in the département: %+v", zone)
	}
	words, err := p.world.EmergingWords(t.Context(), week.Monday+7, []Warned{*zone})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(words[0], func(w stats.Word) bool {
		return strings.HasPrefix(w.Word, "coupure") || strings.HasPrefix(w.Word, "instable") || w.Word == "répétition"
	}) {
		t.Errorf("new words: %+v", words[0])
	}

	// The drift: told as one, since spring at the latest, and going on.
	last := out.Weeks[len(out.Weeks)-1]
	drift := find(last.Drifts, school("0450005L"), computers)
	if drift == nil || drift.First > calendar.Date(2026, 6, 1) || drift.Since == nil || drift.Since.After < 1.5*drift.Since.Before {
		t.Errorf("the drift: %+v", drift)
	}
	if len(last.Drifts) > 6 {
		t.Errorf("%d rises that last", len(last.Drifts))
	}

	// Little else: weeks without a story hold few alerts.
	quiet, alerts := 0, 0
	for _, w := range out.Weeks {
		if w.Monday < calendar.Date(2026, 4, 20) || w.Monday > calendar.Date(2026, 10, 5) {
			continue
		}
		quiet++
		for _, f := range w.Found {
			if f.Alert && f.School != school("0450005L") {
				alerts++
			}
		}
	}
	if float64(alerts) > float64(quiet) {
		t.Errorf("%d alerts in %d weeks without a story", alerts, quiet)
	}
	for _, w := range out.Weeks {
		for _, f := range w.Found {
			if f.Observed < 0 || f.Expected <= 0 || f.Low > f.High || f.Weeks < 1 || f.First > w.Monday || len(f.History) == 0 || math.IsNaN(f.P) {
				t.Fatalf("%+v", f)
			}
		}
	}
}

// The bench on the demonstration's own past: the detector in use says little
// and finds much; what dashboards do says a lot.
func TestDetectorBench(t *testing.T) {
	t.Parallel()
	p := plant(t)
	out, err := putToTest(t.Context(), gatherPanel(p.world), DetectorBench.Seed)
	if err != nil || out.Refusal != nil {
		t.Fatal(err, out.Refusal)
	}
	if _, err := json.Marshal(out); err != nil {
		t.Fatal(err)
	}
	rows := map[string]trial.Row{}
	for _, r := range out.Table.Rows {
		rows[r.Detector] = r
		if r.Silent {
			t.Errorf("%s is silent", r.Detector)
		}
		n := 0
		for _, k := range r.ByWeek {
			n += k
		}
		if len(r.ByWeek) != len(out.Mondays) || math.Abs(float64(n)/float64(len(out.Mondays))-r.Usual) > 1e-9 {
			t.Errorf("%s: %v a week, by week %v", r.Detector, r.Usual, r.ByWeek)
		}
	}
	if ours, ears := rows[trial.Ours].Usual, rows[trial.EARS1].Usual; ears < 3*ours || out.Table.Rule.Usual > 2 {
		t.Errorf("alarms a week: ours %v, by its rule %v, EARS C1 %v", ours, out.Table.Rule.Usual, ears)
	}
	if found := out.Table.Rule.Found[2][2]; found < 0.85 {
		t.Errorf("%v of the great outbreaks are found", found)
	}
	if too, err := putToTest(t.Context(), WarningInput{}, 1); err != nil || too.Refusal == nil || too.Refusal.Why != FewWeeks {
		t.Errorf("nothing at all: %+v %v", too, err)
	}
}
