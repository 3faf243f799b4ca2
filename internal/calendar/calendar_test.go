package calendar_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/calendar"
	"statincidents/internal/testkit"
)

func paris(tb testing.TB) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func day(tb testing.TB, s string) calendar.Day {
	tb.Helper()
	d, err := calendar.ParseDay(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// reference is the calendar and the answers of the business-hours oracle:
// 229 intervals counted minute by minute by another program.
type reference struct {
	Calendar struct {
		ClosedDays []string    `json:"closed_days"`
		Holidays   [][2]string `json:"school_holidays_inclusive"`
	} `json:"calendar"`
	Minutes         []int `json:"minutes_open"`
	MinutesHolidays []int `json:"minutes_open_school_holidays_closed"`
}

func TestOpenMinutesAgainstReference(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(testkit.Shared(t, "oracles/21-business-hours/expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(raw, &ref); err != nil {
		t.Fatal(err)
	}
	rules := calendar.Rules{Location: paris(t), Hours: calendar.DefaultHours}
	for _, d := range ref.Calendar.ClosedDays {
		rules.Public = append(rules.Public, day(t, d))
	}
	all := calendar.New(rules)
	for _, h := range ref.Calendar.Holidays {
		rules.Holidays = append(rules.Holidays, calendar.Range{First: day(t, h[0]), Last: day(t, h[1])})
	}
	school := calendar.New(rules)

	f, err := os.Open(testkit.Shared(t, "oracles/21-business-hours/input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan()
	n := 0
	for ; lines.Scan(); n++ {
		a, b, _ := strings.Cut(lines.Text(), ",")
		from, err := time.Parse("2006-01-02T15:04Z", a)
		if err != nil {
			t.Fatal(err)
		}
		to, err := time.Parse("2006-01-02T15:04Z", b)
		if err != nil {
			t.Fatal(err)
		}
		if got := all.OpenMinutes(from, to); got != ref.Minutes[n] {
			t.Errorf("%s: %d minutes, reference %d", lines.Text(), got, ref.Minutes[n])
		}
		if got := school.OpenMinutes(from, to); got != ref.MinutesHolidays[n] {
			t.Errorf("%s, school holidays closed: %d minutes, reference %d", lines.Text(), got, ref.MinutesHolidays[n])
		}
	}
	if n != len(ref.Minutes) || n < 200 {
		t.Fatalf("%d intervals, %d answers", n, len(ref.Minutes))
	}
}

// drawn makes any calendar: hours on any day (also through the night of a
// change of clocks), closures around the years of the table's ends.
func drawn(t *rapid.T, loc *time.Location) *calendar.Calendar {
	var week calendar.Week
	for d := range week {
		for range rapid.IntRange(0, 3).Draw(t, "spans") {
			from := rapid.IntRange(0, 24*60-1).Draw(t, "from")
			week[d] = append(week[d], calendar.Span{From: from, To: rapid.IntRange(from+1, 24*60).Draw(t, "to")})
		}
	}
	week, err := week.Tidy()
	if err != nil {
		t.Fatal(err)
	}
	r := calendar.Rules{Location: loc, Hours: week}
	dayGen := rapid.Int32Range(int32(calendar.Date(1998, 1, 1)), int32(calendar.Date(2052, 12, 31)))
	for range rapid.IntRange(0, 5).Draw(t, "ranges") {
		first := calendar.Day(dayGen.Draw(t, "first"))
		r.Holidays = append(r.Holidays, calendar.Range{First: first, Last: first + calendar.Day(rapid.IntRange(0, 60).Draw(t, "length"))})
	}
	r.Public = append(r.Public, calendar.Day(dayGen.Draw(t, "public")))
	return calendar.New(r)
}

func instant(loc *time.Location, first, last int) *rapid.Generator[time.Time] {
	lo, hi := time.Date(first, 1, 1, 0, 0, 0, 0, loc), time.Date(last, 1, 1, 0, 0, 0, 0, loc)
	return rapid.Custom(func(t *rapid.T) time.Time {
		// Half of the instants fall around a change of clocks.
		if rapid.Bool().Draw(t, "near a change") {
			y := rapid.IntRange(first, last-1).Draw(t, "year")
			m := rapid.SampledFrom([]time.Month{time.March, time.October}).Draw(t, "month")
			lastSunday := calendar.Date(y, m, 31) - calendar.Day((calendar.Date(y, m, 31).Weekday()+1)%7)
			return lastSunday.Start(loc).Add(time.Duration(rapid.IntRange(-1500, 3000).Draw(t, "minutes")) * time.Minute)
		}
		return time.Unix(rapid.Int64Range(lo.Unix(), hi.Unix()).Draw(t, "instant"), 0).In(loc)
	})
}

func TestSplittingAnIntervalChangesNothing(t *testing.T) {
	t.Parallel()
	loc := paris(t)
	rapid.Check(t, func(t *rapid.T) {
		c := drawn(t, loc)
		g := instant(loc, 1996, 2056)
		a, b, m := g.Draw(t, "from"), g.Draw(t, "to"), g.Draw(t, "between")
		if whole, parts := c.OpenMinutes(a, b), c.OpenMinutes(a, m)+c.OpenMinutes(m, b); whole != parts {
			t.Fatalf("whole %d, parts %d", whole, parts)
		}
	})
}

func TestOpenMinutesIsTheCountOfOpenMinutes(t *testing.T) {
	t.Parallel()
	loc := paris(t)
	rapid.Check(t, func(t *rapid.T) {
		c := drawn(t, loc)
		from := instant(loc, 2001, 2049).Draw(t, "from").Truncate(time.Minute)
		n := rapid.IntRange(0, 4000).Draw(t, "minutes")
		want := 0
		for i := range n {
			if c.IsOpen(from.Add(time.Duration(i) * time.Minute)) {
				want++
			}
		}
		if got := c.OpenMinutes(from, from.Add(time.Duration(n)*time.Minute)); got != want {
			t.Fatalf("%d open minutes, counted %d", got, want)
		}
	})
}

func TestAddOpenMinutesIsTheInverse(t *testing.T) {
	t.Parallel()
	loc := paris(t)
	rapid.Check(t, func(t *rapid.T) {
		c := drawn(t, loc)
		from := instant(loc, 1996, 2056).Draw(t, "from").Truncate(time.Minute)
		n := rapid.IntRange(1, 200_000).Draw(t, "minutes")
		to := c.AddOpenMinutes(from, n)
		if to.IsZero() {
			if c.OpenMinutes(from, from.AddDate(5, 0, 0)) >= n {
				t.Fatal("said never, but they pass within five years")
			}
			return
		}
		if got := c.OpenMinutes(from, to); got != n {
			t.Fatalf("asked %d, passed %d", n, got)
		}
		if got := c.OpenMinutes(from, to.Add(-time.Minute)); got != n-1 {
			t.Fatalf("%s is not the first such instant: a minute before, %d of %d", to, got, n)
		}
	})
}

func TestNextOpenIsOpenAndTheFirst(t *testing.T) {
	t.Parallel()
	loc := paris(t)
	rapid.Check(t, func(t *rapid.T) {
		c := drawn(t, loc)
		from := instant(loc, 2001, 2049).Draw(t, "from").Truncate(time.Minute)
		next := c.NextOpen(from)
		if next.IsZero() {
			return
		}
		if !c.IsOpen(next) || next.Before(from) || c.OpenMinutes(from, next) != 0 {
			t.Fatalf("from %s: %s, open %v, %d open minutes before it", from, next, c.IsOpen(next), c.OpenMinutes(from, next))
		}
	})
}

func TestFrenchHolidaysAgainstReference(t *testing.T) {
	t.Parallel()
	f, err := os.Open(testkit.Shared(t, "calendar-fr/jours_feries_metropole.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[calendar.Holiday]bool{}
	for _, row := range rows[1:] {
		if want[row[1]] == nil {
			want[row[1]] = map[calendar.Holiday]bool{}
		}
		want[row[1]][calendar.Holiday{Day: day(t, row[0]), Name: row[3]}] = true
	}
	if len(want) != 26 {
		t.Fatalf("%d years", len(want))
	}
	for year := 2006; year <= 2031; year++ {
		got := map[calendar.Holiday]bool{}
		for _, h := range calendar.FrenchHolidays(year) {
			got[h] = true
		}
		if diff := cmp.Diff(want[time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006")], got); diff != "" {
			t.Errorf("%d:\n%s", year, diff)
		}
	}
}

func TestKnownHolidaysAgainstReference(t *testing.T) {
	t.Parallel()
	f, err := os.Open(testkit.Shared(t, "calendar-fr/vacances_zone_b_2009_2027.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	known := map[calendar.Range]bool{}
	for _, p := range calendar.FrenchSchoolHolidays("B") {
		known[p.Range] = true
	}
	for _, row := range rows[1:] {
		r := calendar.Range{First: day(t, row[2]), Last: day(t, row[3])}
		if row[0] >= "2014-2015" && !known[r] {
			t.Errorf("%s, %s: %s to %s is not known", row[0], row[1], r.First, r.Last)
		}
	}
	for _, zone := range []string{"A", "B", "C"} {
		list := calendar.FrenchSchoolHolidays(zone)
		if len(list) < 60 {
			t.Errorf("zone %s: %d holidays", zone, len(list))
		}
		for i, p := range list {
			if p.Last < p.First || i > 0 && p.First <= list[i-1].Last {
				t.Errorf("zone %s: %+v after %+v", zone, p, list[max(0, i-1)])
			}
		}
	}
	if calendar.FrenchSchoolHolidays("Corse") != nil {
		t.Error("holidays of a zone that the program does not know")
	}
}

// schoolCalendar is zone B's, with the default hours.
func schoolCalendar(tb testing.TB) *calendar.Calendar {
	tb.Helper()
	r := calendar.Rules{Location: paris(tb), Hours: calendar.DefaultHours}
	for y := 2014; y <= 2028; y++ {
		for _, h := range calendar.FrenchHolidays(y) {
			r.Public = append(r.Public, h.Day)
		}
	}
	for _, p := range calendar.FrenchSchoolHolidays("B") {
		r.Holidays = append(r.Holidays, p.Range)
	}
	return calendar.New(r)
}

func TestSchoolWeeks(t *testing.T) {
	t.Parallel()
	c := schoolCalendar(t)
	cases := []struct {
		name, day    string
		year, number int
		openness     float64
	}{
		{"the week of the rentrée, from Monday", "2025-09-01", 2025, 1, 1},
		{"the Sunday before it", "2025-08-31", 2024, 0, 0},
		{"a rentrée on a Tuesday: its Monday is in the new year", "2026-08-31", 2026, 1, 7.0 / 9},
		{"the last week before autumn", "2025-10-17", 2025, 7, 1},
		{"autumn", "2025-10-22", 2025, 0, 0},
		{"the first week after autumn follows without a hole", "2025-11-03", 2025, 8, 1},
		{"a Tuesday of armistice", "2025-11-12", 2025, 9, 7.0 / 9},
		{"Ascension and its bridge", "2026-05-13", 2025, 29, 5.0 / 9},
		{"the last week", "2026-07-03", 2025, 36, 1},
		{"summer", "2026-07-14", 2025, 0, 0},
	}
	for _, tc := range cases {
		d := day(t, tc.day)
		year, number := c.SchoolWeek(d)
		if year != tc.year || number != tc.number || c.Openness(d) != tc.openness {
			t.Errorf("%s: year %d week %d openness %v, want %d %d %v", tc.name, year, number, c.Openness(d), tc.year, tc.number, tc.openness)
		}
	}
}

func TestDayKinds(t *testing.T) {
	t.Parallel()
	c := schoolCalendar(t)
	for s, want := range map[string]calendar.DayKind{
		"2025-09-01": calendar.OpenDay, "2025-09-06": calendar.Weekend, "2025-11-11": calendar.PublicHoliday,
		"2025-10-20": calendar.SchoolHoliday, "1980-01-05": calendar.Weekend, "2090-01-02": calendar.OpenDay,
	} {
		if got := c.Kind(day(t, s)); got != want {
			t.Errorf("%s: kind %d, want %d", s, got, want)
		}
	}
	if n := c.DayMinutes(day(t, "2025-09-03")); n != 240 {
		t.Errorf("a Wednesday is open %d minutes", n)
	}
}

func TestTidyWeek(t *testing.T) {
	t.Parallel()
	w, err := calendar.Week{{{600, 700}, {480, 540}, {530, 560}, {700, 710}}}.Tidy()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]calendar.Span{{480, 560}, {600, 710}}, w[0]); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []calendar.Span{{-1, 5}, {5, 5}, {6, 5}, {0, 1441}} {
		if _, err := (calendar.Week{{bad}}).Tidy(); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func BenchmarkOpenMinutes(b *testing.B) {
	c := schoolCalendar(b)
	from := time.Date(2024, 9, 3, 7, 12, 0, 0, time.UTC)
	for name, to := range map[string]time.Time{"a day": from.AddDate(0, 0, 1), "three years": from.AddDate(3, 0, 0)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.OpenMinutes(from, to)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		schoolCalendar(b)
	}
}
