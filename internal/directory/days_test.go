package directory_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	v, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func date(t *testing.T, s string) calendar.Day {
	t.Helper()
	d, err := calendar.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSchoolCalendars(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		ids, err := s.EnsureSchools(ctx, system, []directory.School{{UAI: "A"}, {UAI: "B"}, {UAI: "C", Zone: "A"}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.SeedCalendar(ctx, system); err != nil {
				t.Fatal(err)
			}
		}
		x := index()
		if n := len(x.PublicHolidays()); n < 330 {
			t.Errorf("%d public holidays over 31 years", n)
		}
		if x.Calendar(ids["A"]) != x.Calendar(ids["B"]) || x.Calendar(ids["A"]) == x.Calendar(ids["C"]) {
			t.Error("schools of one zone share a calendar, others do not")
		}
		before := x.Calendar(ids["A"])
		if _, err := s.SaveClosure(ctx, system, directory.Closure{School: ids["A"], First: date(t, "2026-03-02"), Last: date(t, "2026-03-02"), Reason: "Travaux électriques"}); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveHours(ctx, system, ids["B"], calendar.Week{{{From: 600, To: 660}}}); err != nil {
			t.Fatal(err)
		}
		x = index()
		if x.Calendar(ids["A"]) == before {
			t.Error("the calendar did not change with a closure")
		}
		cases := []struct {
			name, school, from, to string
			want                   int
		}{
			{"a Monday of term", "C", "2026-03-02 00:00", "2026-03-03 00:00", 510},
			{"the same, closed for works", "A", "2026-03-02 00:00", "2026-03-03 00:00", 0},
			{"the same, own hours", "B", "2026-03-02 00:00", "2026-03-03 00:00", 60},
			{"a Tuesday with own hours on Monday only", "B", "2026-03-03 00:00", "2026-03-04 00:00", 0},
			{"zone B's winter holidays", "A", "2026-02-16 00:00", "2026-02-17 00:00", 0},
			{"the same day in zone A", "C", "2026-02-16 00:00", "2026-02-17 00:00", 0},
			{"zone A's, when zone B works", "A", "2026-02-09 00:00", "2026-02-10 00:00", 510},
			{"Armistice", "A", "2025-11-11 00:00", "2025-11-12 00:00", 0},
		}
		for _, c := range cases {
			if got := x.Calendar(ids[c.school]).OpenMinutes(at(t, c.from), at(t, c.to)); got != c.want {
				t.Errorf("%s: %d open minutes, want %d", c.name, got, c.want)
			}
		}
		same := x.Calendar(ids["A"])
		if _, err := s.EnsureTeams(ctx, system, []string{"Nord"}); err != nil {
			t.Fatal(err)
		}
		if index().Calendar(ids["A"]) != same {
			t.Error("a new team made the calendars anew")
		}
		if err := s.SaveHours(ctx, system, ids["B"], calendar.Week{}); err != nil {
			t.Fatal(err)
		}
		if _, own := index().Hours(ids["B"]); own {
			t.Error("an empty week does not give back the département's hours")
		}

		checkRebuild(t, db, s)
	})
}

func TestSchoolHolidaysReplaceWhatTheyOverlap(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		spring := directory.HolidayPeriod{Zone: "B", First: date(t, "2021-04-24"), Last: date(t, "2021-05-09"), Name: "Vacances de printemps"}
		other := directory.HolidayPeriod{Zone: "A", First: date(t, "2021-04-24"), Last: date(t, "2021-05-09"), Name: "Vacances de printemps"}
		moved := directory.HolidayPeriod{Zone: "B", First: date(t, "2021-04-10"), Last: date(t, "2021-04-25"), Name: "Vacances de printemps"}
		steps := []struct {
			in             []directory.HolidayPeriod
			added, dropped int
		}{
			{[]directory.HolidayPeriod{spring, other, spring}, 2, 0},
			{[]directory.HolidayPeriod{spring, other}, 0, 0},
			{[]directory.HolidayPeriod{moved}, 1, 1},
			{[]directory.HolidayPeriod{moved}, 0, 0},
		}
		for i, step := range steps {
			added, dropped, err := s.SaveSchoolHolidays(ctx, system, step.in)
			if err != nil || added != step.added || dropped != step.dropped {
				t.Errorf("step %d: %d added, %d dropped, %v", i+1, added, dropped, err)
			}
		}
		if diff := cmp.Diff([]directory.HolidayPeriod{moved}, index().SchoolHolidays("B")); diff != "" {
			t.Error(diff)
		}
		if err := s.RemoveSchoolHoliday(ctx, system, "B", moved.First); err != nil {
			t.Fatal(err)
		}
		if err := s.RemoveSchoolHoliday(ctx, system, "B", moved.First); !fault.Is(err, fault.NotFound) {
			t.Errorf("removed twice: %v", err)
		}
		if n := len(index().SchoolHolidays("")); n != 1 {
			t.Errorf("%d periods left", n)
		}
	})
}

func TestPublicHolidaysAndClosures(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		s, index := setup(t, db)
		two := []directory.PublicHoliday{{Day: date(t, "2008-05-01"), Name: "Ascension"}, {Day: date(t, "2008-05-01"), Name: "1er mai"}}
		for i, want := range []int{1, 0} {
			if n, err := s.SavePublicHolidays(ctx, system, two); err != nil || n != want {
				t.Errorf("time %d: %d, %v", i+1, n, err)
			}
		}
		if got := index().PublicHolidays(); len(got) != 1 || got[0].Name != "Ascension, 1er mai" {
			t.Errorf("%+v", got)
		}
		if err := s.RemovePublicHoliday(ctx, system, two[0].Day); err != nil {
			t.Error(err)
		}
		c, err := s.SaveClosure(ctx, system, directory.Closure{First: 10, Last: 12, Reason: "Neige"})
		if err != nil {
			t.Fatal(err)
		}
		c.Last = 13
		if _, err := s.SaveClosure(ctx, system, c); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]directory.Closure{c}, index().Closures(7)); diff != "" {
			t.Error(diff)
		}
		if err := s.RemoveClosure(ctx, system, c.ID); err != nil {
			t.Error(err)
		}
		for name, err := range map[string]error{
			"a closure that ends before it begins": func() error {
				_, err := s.SaveClosure(ctx, system, directory.Closure{First: 10, Last: 9, Reason: "x"})
				return err
			}(),
			"hours past midnight": s.SaveHours(ctx, system, 0, calendar.Week{{{From: 600, To: 1500}}}),
			"hours of no school":  s.SaveHours(ctx, system, 99, calendar.Week{}),
		} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.RemoveClosure(ctx, system, c.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("removed twice: %v", err)
		}
	})
}
