package visit

import (
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"pgregory.net/rapid"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func entries() []CalendarEntry {
	start := time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	return []CalendarEntry{
		{
			Visit:   Visit{ID: 7, Sequence: 3, State: Planned, Start: start, Minutes: 90, UpdatedAt: start.Add(-time.Hour)},
			Summary: "Collège Étienne-Dolet; salles 12, 14 : " + strings.Repeat("vidéoprojecteur à changer ", 6), Place: `12, rue de l'École\n45000 Orléans; bât. "B"`,
			Description: "#4812 Vidéoprojecteur noir\nSalle 12, clé à la loge; \\ voir M. Petit", Address: "https://stat.example/visits/7",
		},
		{Visit: Visit{ID: 8, State: Cancelled, Start: start, Minutes: 30, UpdatedAt: start}, Summary: "Annulée"},
	}
}

// What a calendar program reads back is what was written.
func TestCalendarIsReadBack(t *testing.T) {
	t.Parallel()
	raw := string(Calendar(1, "Interventions, Tech Un", entries()))
	for n, l := range strings.Split(strings.TrimSuffix(raw, "\r\n"), "\r\n") {
		if len(l) > 75 || strings.ContainsAny(l, "\r\n") {
			t.Errorf("line %d is %d octets: %q", n, len(l), l)
		}
	}
	cal, err := ics.ParseCalendar(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	events := cal.Events()
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	for k, want := range entries() {
		e := events[k]
		text := func(p ics.ComponentProperty) string {
			if e.GetProperty(p) == nil {
				return ""
			}
			return e.GetProperty(p).Value
		}
		if e.Id() != UID(1, want.Visit.ID) {
			t.Errorf("UID %q", e.Id())
		}
		start, err := e.GetStartAt()
		end, endErr := e.GetEndAt()
		if err != nil || endErr != nil || !start.Equal(want.Visit.Start) || !end.Equal(want.Visit.End()) {
			t.Errorf("from %s to %s", start, end)
		}
		for p, w := range map[ics.ComponentProperty]string{ics.ComponentPropertySummary: want.Summary, ics.ComponentPropertyLocation: want.Place, ics.ComponentPropertyDescription: want.Description} {
			if got := text(p); got != w {
				t.Errorf("%s\n got %q\nwant %q", p, got, w)
			}
		}
	}
	for k, want := range []string{"CONFIRMED", "CANCELLED"} {
		if got := events[k].GetProperty(ics.ComponentPropertyStatus).Value; got != want {
			t.Errorf("status %s, want %s", got, want)
		}
	}
	if got := events[0].GetProperty(ics.ComponentPropertySequence).Value; got != "3" {
		t.Errorf("sequence %s", got)
	}
	for _, must := range []string{"METHOD:PUBLISH", "VERSION:2.0", "PRODID:", "DTSTAMP:20260303T070000Z", "DTSTART:20260303T080000Z", `X-WR-CALNAME:Interventions\, Tech Un`} {
		if !strings.Contains(raw, must+"\r\n") && !strings.Contains(raw, must) {
			t.Errorf("no %q in\n%s", must, raw)
		}
	}
}

// Whatever people type, the file is read back and nothing of it becomes a
// property of its own.
func TestCalendarHoldsAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("aé日\U0001F4BB,;:\\\"' \nBEGIN"))).Draw(t, "text")
		raw := Calendar(1, "x", []CalendarEntry{{Visit: Visit{ID: 1, State: Planned, Start: time.Unix(0, 0), Minutes: 5}, Summary: s, Description: s}})
		cal, err := ics.ParseCalendar(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		properties := 10
		if s == "" {
			properties = 9 // no description
		}
		if len(cal.Events()) != 1 || len(cal.Events()[0].Properties) != properties {
			t.Fatalf("%q gives %d events, %d properties", s, len(cal.Events()), len(cal.Events()[0].Properties))
		}
		if got := cal.Events()[0].GetProperty(ics.ComponentPropertyDescription); s != "" && got.Value != s {
			t.Fatalf("%q is read as %q", s, got.Value)
		}
	})
}

func TestFeed(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		h := build(t, db)
		v := h.plan(t, h.workday(t, 9))
		read := func(generation int64) ([]Visit, error) {
			return h.FeedVisits(ctx, 1, h.tech.Person, generation, sqldb.Now())
		}
		if _, err := read(0); !fault.Is(err, fault.NotFound) {
			t.Errorf("no link opens: %v", err)
		}
		first := must[Feed](t)(h.RenewFeed(ctx, h.tech))
		if got := must[[]Visit](t)(read(first.Generation)); len(got) != 1 || got[0].ID != v.ID || got[0].Note == "" {
			t.Errorf("the link shows %+v", got)
		}
		second := must[Feed](t)(h.RenewFeed(ctx, h.tech))
		if _, err := read(first.Generation); !fault.Is(err, fault.NotFound) {
			t.Errorf("the former link opens: %v", err)
		}
		must[Visit](t)(h.Act(ctx, h.tech, v.ID, 0, Cancel))
		if got := must[[]Visit](t)(read(second.Generation)); len(got) != 1 || got[0].State != Cancelled {
			t.Errorf("a cancelled visit is shown as %+v", got)
		}
		must[Feed](t)(h.CloseFeed(ctx, h.tech))
		if _, err := read(second.Generation); !fault.Is(err, fault.NotFound) {
			t.Errorf("the closed link opens: %v", err)
		}
		if f := must[Feed](t)(h.Feed(ctx, h.tech)); f.Open {
			t.Error("the closed link is open")
		}
		h.rebuilt(t)
	})
}
