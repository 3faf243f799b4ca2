package servicelevel

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"statincidents/internal/calendar"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/testkit"
)

var paris = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return loc
}()

// local is an instant by the clocks of Paris.
func local(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, paris)
	if err != nil {
		panic(err)
	}
	return t
}

// The reasons of these tests: 1 stops the clocks, 2 does not. School 1 has
// usual hours and no holidays; school 2 is open in the mornings only.
const (
	part     = 1
	decision = 2
)

var (
	usual    = calendar.New(calendar.Rules{Location: paris, Hours: calendar.DefaultHours, Public: []calendar.Day{calendar.Date(2026, 5, 8)}, Holidays: []calendar.Range{{First: calendar.Date(2026, 4, 11), Last: calendar.Date(2026, 4, 26)}}})
	mornings = calendar.New(calendar.Rules{Location: paris, Hours: calendar.Week{{{From: 480, To: 720}}, {{From: 480, To: 720}}, {{From: 480, To: 720}}, {{From: 480, To: 720}}, {{From: 480, To: 720}}}})
)

func rules(list ...Target) Rules {
	return Rules{
		Targets: NewTargets(list), Warn: DefaultWarn,
		Path:   func(c int64) []int64 { return map[int64][]int64{1: {1}, 11: {1, 11}, 111: {1, 11, 111}}[c] },
		Pauses: func(w int64) bool { return w != decision },
		Calendar: func(school int64) *calendar.Calendar {
			if school == 2 {
				return mornings
			}
			return usual
		},
	}
}

// told makes the events of a story: each entry is an instant, a kind and what
// becomes.
type happened struct {
	at    string
	kind  string
	set   incident.Patch
	actor string
	steps []string
}

func told(t testing.TB, list ...happened) Story {
	t.Helper()
	var events []journal.Event
	for n, h := range list {
		if h.actor == "" {
			h.actor = journal.ByAccount
		}
		at := local(h.at)
		if n == 0 {
			h.set.OpenedAt = &at
			if h.set.State == nil {
				h.set.State = new(incident.New)
			}
			if h.set.School == nil {
				h.set.School = new(int64(1))
			}
			if h.set.Priority == nil {
				h.set.Priority = new(3)
			}
		}
		data, err := json.Marshal(incident.Payload{Set: h.set, Steps: h.steps})
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, journal.Event{Tenant: 1, At: at, Actor: journal.Actor{Kind: h.actor}, Subject: journal.Subject{Kind: incident.Subject, ID: 7}, Kind: h.kind, Data: data})
	}
	s, err := StoryOf(events)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// declared, taken… write stories shortly.
func declared(at string) happened { return happened{at: at, kind: incident.EventDeclared} }
func taken(at string) happened {
	return happened{at: at, kind: incident.EventAssigned, set: incident.Patch{State: new(incident.Assigned), Assignee: new(int64(5))}}
}
func held(at string, why int64) happened {
	return happened{at: at, kind: incident.EventHeld, set: incident.Patch{State: new(incident.Waiting), WaitingCode: &why}}
}
func resumed(at string) happened {
	return happened{at: at, kind: incident.EventResumed, set: incident.Patch{State: new(incident.Assigned), WaitingCode: new(int64(0))}}
}
func became(at, kind string, state incident.State) happened {
	return happened{at: at, kind: kind, set: incident.Patch{State: &state}}
}
func edited(at string, set incident.Patch) happened {
	return happened{at: at, kind: incident.EventEdited, set: set}
}

func atSchool(at string) happened {
	h := declared(at)
	h.set.Level = new(incident.AtSchoolLevel)
	return h
}
func handedOver(at string) happened {
	return happened{at: at, kind: incident.EventHandedOver, set: incident.Patch{State: new(incident.New), Assignee: new(int64(0)), Level: new(incident.HandedOver)}}
}
func handedBack(at string) happened {
	return happened{at: at, kind: incident.EventHandedBack, set: incident.Patch{State: new(incident.New), Assignee: new(int64(0)), Level: new(incident.AtSchoolLevel)}}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	p3 := Target{Priority: 3, Response: 60, Resolution: 600}
	type want struct {
		phase      Phase
		spent, of  int
		due, late  string // of the resolution; "" for none
		response   Phase
		responseIn int
	}
	for _, tc := range []struct {
		name  string
		story []happened
		now   string
		want  want
	}{
		{"running through noon and night", []happened{declared("2026-03-02 10:00"), taken("2026-03-02 10:30")}, "2026-03-03 09:00",
			want{Running, 390 + 60, 600, "2026-03-03 11:30", "2026-03-03 11:31", Stopped, 30}},
		{"a part is waited for", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), held("2026-03-02 10:00", part)}, "2026-03-20 10:00",
			want{Paused, 120, 600, "", "", Stopped, 10}},
		{"the unit waits for itself", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), held("2026-03-02 10:00", decision)}, "2026-03-02 12:00",
			want{Running, 240, 600, "2026-03-03 09:30", "2026-03-03 09:31", Stopped, 10}},
		{"resolved in time", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-02 11:00", incident.EventResolved, incident.Resolved)}, "2026-03-20 10:00",
			want{Stopped, 180, 600, "", "", Stopped, 10}},
		{"the last minute is in time", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-03 09:30", incident.EventResolved, incident.Resolved)}, "2026-03-20 10:00",
			want{Stopped, 600, 600, "2026-03-03 09:30", "", Stopped, 10}},
		{"resolved too late", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-03 10:00", incident.EventResolved, incident.Resolved)}, "2026-03-20 10:00",
			want{Stopped, 630, 600, "2026-03-03 09:30", "2026-03-03 09:31", Stopped, 10}},
		{"reopened: what lies between does not count", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-02 11:00", incident.EventResolved, incident.Resolved), became("2026-03-05 08:00", incident.EventReopened, incident.Assigned)}, "2026-03-05 09:00",
			want{Running, 240, 600, "2026-03-05 16:00", "2026-03-05 16:01", Stopped, 10}},
		{"closed and reopened", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-02 11:00", incident.EventResolved, incident.Resolved), became("2026-03-03 11:00", incident.EventClosed, incident.Closed), became("2026-03-05 08:00", incident.EventReopened, incident.Assigned)}, "2026-03-05 09:00",
			want{Running, 240, 600, "2026-03-05 16:00", "2026-03-05 16:01", Stopped, 10}},
		{"cancelled: nothing is judged", []happened{declared("2026-03-02 08:00"), became("2026-03-09 08:00", incident.EventCancelled, incident.Cancelled)}, "2026-03-20 10:00",
			want{Void, 2280, 600, "", "", Void, 2280}},
		{"merged: nothing is judged", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-02 09:00", incident.EventMerged, incident.Merged)}, "2026-03-20 10:00",
			want{Void, 60, 600, "", "", Stopped, 10}},
		{"another priority midway changes the target, not what was spent", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), edited("2026-03-02 09:00", incident.Patch{Priority: new(1)})}, "2026-03-02 10:00",
			want{Running, 120, 120, "2026-03-02 10:00", "2026-03-02 10:01", Stopped, 10}},
		{"a category corrected after the resolution judges nothing again", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-02 11:00", incident.EventResolved, incident.Resolved), edited("2026-03-02 12:00", incident.Patch{Priority: new(1)})}, "2026-03-20 10:00",
			want{Stopped, 180, 600, "", "", Stopped, 10}},
		{"another school midway: each counts its own hours", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), edited("2026-03-02 10:00", incident.Patch{School: new(int64(2))})}, "2026-03-02 16:00",
			want{Running, 120 + 120, 600, "2026-03-04 10:00", "2026-03-04 10:01", Stopped, 10}},
		{"a resolution taken back was none", []happened{declared("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-02 09:00", incident.EventResolved, incident.Resolved), became("2026-03-02 09:01", incident.EventUndone, incident.Assigned)}, "2026-03-02 10:00",
			want{Running, 120, 600, "2026-03-03 09:30", "2026-03-03 09:31", Stopped, 10}},
		{"a rule that assigns does not answer", []happened{declared("2026-03-02 08:00"), {at: "2026-03-02 08:00", kind: incident.EventAssigned, actor: journal.BySystem, set: incident.Patch{State: new(incident.Assigned), Assignee: new(int64(5))}}}, "2026-03-02 09:30",
			want{Running, 90, 600, "2026-03-03 09:30", "2026-03-03 09:31", Running, 90}},
		{"who was named says that they know", []happened{declared("2026-03-02 08:00"), {at: "2026-03-02 08:00", kind: incident.EventAssigned, actor: journal.BySystem, set: incident.Patch{State: new(incident.Assigned), Assignee: new(int64(5))}}, {at: "2026-03-02 08:25", kind: incident.EventAcknowledged}}, "2026-03-02 09:30",
			want{Running, 90, 600, "2026-03-03 09:30", "2026-03-03 09:31", Stopped, 25}},
		{"at school: nothing counts, whatever the referent does", []happened{atSchool("2026-03-02 08:00"), taken("2026-03-02 08:10")}, "2026-03-04 12:00",
			want{Paused, 0, 600, "", "", Paused, 0}},
		{"handed over: both clocks begin", []happened{atSchool("2026-03-02 08:00"), taken("2026-03-02 08:10"), handedOver("2026-03-03 08:00"), taken("2026-03-03 08:30")}, "2026-03-03 10:00",
			want{Running, 120, 600, "2026-03-04 09:30", "2026-03-04 09:31", Stopped, 30}},
		{"handed back: what was spent stays", []happened{atSchool("2026-03-02 08:00"), handedOver("2026-03-03 08:00"), handedBack("2026-03-03 09:00")}, "2026-03-10 10:00",
			want{Paused, 60, 600, "", "", Paused, 60}},
		{"resolved at school: nothing is judged", []happened{atSchool("2026-03-02 08:00"), taken("2026-03-02 08:10"), became("2026-03-04 08:00", incident.EventResolved, incident.Resolved), became("2026-03-05 08:00", incident.EventClosed, incident.Closed)}, "2026-03-20 10:00",
			want{Void, 0, 600, "", "", Void, 0}},
		{"reopened and handed over after all", []happened{atSchool("2026-03-02 08:00"), became("2026-03-04 08:00", incident.EventResolved, incident.Resolved), became("2026-03-05 08:00", incident.EventReopened, incident.New), handedOver("2026-03-05 09:00")}, "2026-03-05 10:00",
			want{Running, 60, 600, "2026-03-06 10:30", "2026-03-06 10:31", Running, 60}},
		{"another team's queue is no answer", []happened{declared("2026-03-02 08:00"), {at: "2026-03-02 08:30", kind: incident.EventAssigned, set: incident.Patch{Team: new(int64(2))}}}, "2026-03-02 09:30",
			want{Running, 90, 600, "2026-03-03 09:30", "2026-03-03 09:31", Running, 90}},
		{"a comment is no answer", []happened{declared("2026-03-02 08:00"), {at: "2026-03-02 08:30", kind: incident.EventCommented}}, "2026-03-02 09:30",
			want{Running, 90, 600, "2026-03-03 09:30", "2026-03-03 09:31", Running, 90}},
		{"imported steps are people's", []happened{declared("2026-03-02 08:00"), {at: "2026-03-02 08:40", kind: incident.EventUpdated, actor: journal.BySystem, steps: []string{"x"}, set: incident.Patch{State: new(incident.Assigned)}}}, "2026-03-02 09:30",
			want{Running, 90, 600, "2026-03-03 09:30", "2026-03-03 09:31", Stopped, 40}},
		{"declared in the holidays: the clock begins when the school opens", []happened{declared("2026-04-20 10:00")}, "2026-04-27 09:00",
			want{Running, 60, 600, "2026-04-28 09:30", "2026-04-28 09:31", Running, 60}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := rules(p3, Target{Priority: 1, Resolution: 120})
			story, now := told(t, tc.story...), local(tc.now)
			c := Compute(story, r, now)
			got := want{c.Resolution.Phase, c.Resolution.Spent, c.Resolution.Target, words(c.Resolution.Due), words(c.Resolution.LateAt), c.Response.Phase, c.Response.Spent}
			if got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
			coherent(t, story, r, now)
		})
	}
}

func words(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(paris).Format("2006-01-02 15:04")
}

// coherent checks what holds of any story at any instant not before its last
// step.
func coherent(t interface {
	Helper()
	Errorf(format string, args ...any)
}, s Story, r Rules, now time.Time) {
	t.Helper()
	c, tally := Compute(s, r, now), TallyOf(s, r)
	for _, one := range []struct {
		name string
		part Part
		read Reading
	}{{"response", c.Response, tally.Response}, {"resolution", c.Resolution, tally.Resolution}} {
		if one.part.Reading != one.read {
			t.Errorf("%s: the computation %+v is not the tally %+v", one.name, one.part.Reading, one.read)
		}
		if got := one.read.SpentAt(r.Calendar(tally.School), now); got != one.part.Spent {
			t.Errorf("%s: the tally spent %d, the lines %d", one.name, got, one.part.Spent)
		}
		if of := one.part.Target; of > 0 && one.part.Phase != Void && one.part.Late != (one.part.Spent > of) {
			t.Errorf("%s: %d of %d minutes, late %v", one.name, one.part.Spent, of, one.part.Late)
		}
		sum, at := 0, s.Opened
		for _, l := range one.part.Lines {
			if !l.From.Equal(at) || !l.To.After(l.From) {
				t.Errorf("%s: a line from %v to %v follows %v", one.name, l.From, l.To, at)
			}
			if l.Kind != Counted && l.Minutes != 0 || l.Kind == Counted && l.Minutes <= 0 {
				t.Errorf("%s: a %s line of %d minutes", one.name, l.Kind, l.Minutes)
			}
			at = l.To
			sum += l.Minutes
		}
		if sum != one.part.Spent {
			t.Errorf("%s: lines of %d minutes, %d spent", one.name, sum, one.part.Spent)
		}
	}
}

func TestLinesTellTheDay(t *testing.T) {
	t.Parallel()
	s := told(t, declared("2026-03-06 16:00"), taken("2026-03-06 17:00"), held("2026-03-09 10:00", part), resumed("2026-03-09 14:00"))
	c := Compute(s, rules(), local("2026-03-09 15:00"))
	type line struct {
		kind     LineKind
		from, to string
		minutes  int
		assignee int64
		day      calendar.DayKind
	}
	want := []line{
		{Counted, "2026-03-06 16:00", "2026-03-06 17:00", 60, 0, 0},
		{Counted, "2026-03-06 17:00", "2026-03-06 17:30", 30, 5, 0},
		{Closed, "2026-03-06 17:30", "2026-03-09 08:00", 0, 5, calendar.Weekend},
		{Counted, "2026-03-09 08:00", "2026-03-09 10:00", 120, 5, 0},
		{Pause, "2026-03-09 10:00", "2026-03-09 14:00", 0, 5, 0},
		{Counted, "2026-03-09 14:00", "2026-03-09 15:00", 60, 5, 0},
	}
	var got []line
	for _, l := range c.Resolution.Lines {
		got = append(got, line{l.Kind, words(l.From), words(l.To), l.Minutes, l.Assignee, l.Day})
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// A year of one stretch is told week by week, not in hundreds of lines.
func TestALongStretchIsToldByWeek(t *testing.T) {
	t.Parallel()
	s := told(t, declared("2025-03-03 09:00"), taken("2025-03-03 09:00"))
	now := local("2026-03-03 09:00")
	if n := len(Compute(s, rules(), now).Resolution.Lines); n > 110 {
		t.Errorf("%d lines for a year", n)
	}
	coherent(t, s, rules(Target{Resolution: 600}), now)
}

func TestTargetsTheMostSpecificOfTheDayWins(t *testing.T) {
	t.Parallel()
	day := func(d int) calendar.Day { return calendar.Date(2026, 3, d) }
	x := NewTargets([]Target{
		{Resolution: 1}, {Priority: 2, Resolution: 2}, {Category: 1, Resolution: 3}, {Category: 11, Priority: 2, Resolution: 4},
		{Category: 11, Priority: 2, From: day(10), Resolution: 5}, {Priority: 4, From: day(10), Resolution: 6}, {Category: 1, From: day(20)},
	})
	for _, tc := range []struct {
		name     string
		priority int
		path     []int64
		day      int
		want     int
	}{
		{"anything", 3, nil, 5, 1},
		{"a priority of its own", 2, nil, 5, 2},
		{"a category before a priority", 2, []int64{1}, 5, 3},
		{"the deepest category", 2, []int64{1, 11, 111}, 5, 4},
		{"the deepest one that holds", 3, []int64{1, 11}, 5, 3},
		{"a later version", 2, []int64{1, 11}, 10, 5},
		{"the day before it", 2, []int64{1, 11}, 9, 4},
		{"not yet", 4, nil, 9, 1},
		{"from its day on", 4, nil, 10, 6},
		{"ended: no target, and not the general one", 3, []int64{1}, 20, 0},
		{"no priority known", 0, nil, 5, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := x.Find(tc.priority, tc.path, day(tc.day)).Resolution; got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

// The reference intervals, as stories that are resolved at their end.
func TestOracleBusinessHours(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(testkit.Shared(t, "oracles/21-business-hours/expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Calendar struct {
			Closed   []string    `json:"closed_days"`
			Holidays [][2]string `json:"school_holidays_inclusive"`
		} `json:"calendar"`
		Open     []int `json:"minutes_open"`
		Holidays []int `json:"minutes_open_school_holidays_closed"`
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	day := func(text string) calendar.Day {
		d, err := calendar.ParseDay(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	all := calendar.Rules{Location: paris, Hours: calendar.DefaultHours}
	for _, d := range want.Calendar.Closed {
		all.Public = append(all.Public, day(d))
	}
	closing := all
	for _, h := range want.Calendar.Holidays {
		closing.Holidays = append(closing.Holidays, calendar.Range{First: day(h[0]), Last: day(h[1])})
	}
	f, err := os.Open(testkit.Shared(t, "oracles/21-business-hours/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for name, ref := range map[string]struct {
		c    *calendar.Calendar
		want []int
	}{"open": {calendar.New(all), want.Open}, "closed in holidays": {calendar.New(closing), want.Holidays}} {
		r := rules(Target{Resolution: 600})
		r.Calendar = func(int64) *calendar.Calendar { return ref.c }
		if len(rows)-1 != len(ref.want) {
			t.Fatalf("%d intervals, %d answers", len(rows)-1, len(ref.want))
		}
		for n, row := range rows[1:] {
			from, to := instantOf(t, row[len(row)-2]), instantOf(t, row[len(row)-1])
			s := Story{Opened: from, Steps: []Step{{At: from, State: incident.New}, {At: to, State: incident.Resolved, Answers: true}}}
			if got := Compute(s, r, to.AddDate(0, 1, 0)).Resolution.Spent; got != ref.want[n] {
				t.Errorf("%s: %v: %d minutes, want %d", name, row, got, ref.want[n])
			}
			coherent(t, s, r, to)
		}
	}
}

func instantOf(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04Z", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// stories draws any life of an incident, in the order of time.
func stories(t *rapid.T) Story {
	at := local("2026-03-02 08:00").Add(time.Duration(rapid.IntRange(0, 60*24*90).Draw(t, "opened")) * time.Minute)
	s := Story{Incident: 1, Opened: at, School: 1}
	n := rapid.IntRange(1, 8).Draw(t, "steps")
	for k := range n {
		if k > 0 {
			at = at.Add(time.Duration(rapid.IntRange(0, 60*24*20).Draw(t, "later")) * time.Minute).Add(time.Duration(rapid.IntRange(0, 59).Draw(t, "seconds")) * time.Second)
		}
		step := Step{
			At: at, State: rapid.SampledFrom(incident.States).Draw(t, "state"), School: int64(rapid.IntRange(1, 2).Draw(t, "school")),
			Priority: rapid.IntRange(1, 5).Draw(t, "priority"), Category: rapid.SampledFrom([]int64{0, 1, 11}).Draw(t, "category"),
			Assignee: int64(rapid.IntRange(0, 3).Draw(t, "assignee")), AtSchool: rapid.IntRange(0, 4).Draw(t, "level") == 0,
		}
		if k == 0 {
			step.State = incident.New
		}
		if step.State == incident.Waiting {
			step.Waiting = int64(rapid.IntRange(1, 2).Draw(t, "reason"))
		}
		step.Answers = k > 0 && slices.Contains(inHand, step.State)
		s.Steps = append(s.Steps, step)
	}
	return s
}

var several = []Target{{Response: 60, Resolution: 510}, {Priority: 1, Response: 30, Resolution: 240}, {Category: 1, Resolution: 2000}, {Category: 11, Priority: 2, Response: 10, Resolution: 100}}

func TestProperties(t *testing.T) {
	t.Parallel()
	r := rules(several...)
	rapid.Check(t, func(t *rapid.T) {
		s := stories(t)
		last := s.Steps[len(s.Steps)-1].At
		now := last.Add(time.Duration(rapid.IntRange(0, 60*24*40).Draw(t, "now")) * time.Minute)
		coherent(t, s, r, now)
		c := Compute(s, r, now)

		// A cut that changes nothing changes nothing.
		k := rapid.IntRange(0, len(s.Steps)-1).Draw(t, "cut")
		end := now
		if k+1 < len(s.Steps) {
			end = s.Steps[k+1].At
		}
		twice := s
		again := s.Steps[k]
		again.Answers = false
		again.At = s.Steps[k].At.Add(time.Duration(rapid.IntRange(0, int(end.Sub(s.Steps[k].At)/time.Second)).Draw(t, "where")) * time.Second)
		twice.Steps = slices.Insert(slices.Clone(s.Steps), k+1, again)
		d := Compute(twice, r, now)
		if d.Resolution.Spent != c.Resolution.Spent || d.Response.Spent != c.Response.Spent || !d.Resolution.Due.Equal(c.Resolution.Due) || !d.Response.LateAt.Equal(c.Response.LateAt) {
			t.Errorf("cutting at %v: %d, %d, due %v became %d, %d, due %v", again.At, c.Response.Spent, c.Resolution.Spent, c.Resolution.Due, d.Response.Spent, d.Resolution.Spent, d.Resolution.Due)
		}

		// A pause never adds.
		paused := s
		paused.Steps = slices.Clone(s.Steps)
		if paused.Steps[k].State.Open() {
			paused.Steps[k].State, paused.Steps[k].Waiting = incident.Waiting, part
		}
		if p := Compute(paused, r, now); p.Resolution.Spent > c.Resolution.Spent || p.Response.Spent > c.Response.Spent {
			t.Errorf("a pause added: %d, %d became %d, %d", c.Response.Spent, c.Resolution.Spent, p.Response.Spent, p.Resolution.Spent)
		}

		// Time never takes back.
		if later := Compute(s, r, now.Add(time.Hour)); later.Resolution.Spent < c.Resolution.Spent || c.Resolution.Late && !later.Resolution.Late {
			t.Errorf("an hour later: %d became %d", c.Resolution.Spent, later.Resolution.Spent)
		}
	})
}

func BenchmarkCompute(b *testing.B) {
	r := rules(several...)
	at := local("2026-03-02 09:00")
	s := Story{Opened: at}
	for k, state := range []incident.State{incident.New, incident.Assigned, incident.Planned, incident.Waiting, incident.Assigned, incident.Resolved} {
		s.Steps = append(s.Steps, Step{At: at.Add(time.Duration(k) * 30 * time.Hour), State: state, School: 1, Priority: 3, Waiting: part, Answers: k > 0})
	}
	now := at.AddDate(0, 1, 0)
	b.Run("lines", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Compute(s, r, now)
		}
	})
	b.Run("tally", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			TallyOf(s, r)
		}
	})
}
