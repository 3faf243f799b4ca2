package web

import (
	"net/http"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
)

func TestAdminCalendar(t *testing.T) {
	t.Parallel()
	var dir *directory.Service
	s := newSite(t, func(d *Deps) { dir = d.Directory })
	if err := dir.SeedCalendar(t.Context(), auth.System(1)); err != nil {
		t.Fatal(err)
	}
	school, err := dir.SaveSchool(t.Context(), auth.System(1), directory.School{UAI: "0450001A", Name: "Collège Neuf"})
	if err != nil {
		t.Fatal(err)
	}
	s.account(t, "chef", auth.Lead)
	b := s.reader(t)
	b.signIn("chef")
	index := func() *directory.Index {
		t.Helper()
		x, err := dir.Index(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}

	a := b.get("/admin/calendar?year=2025").wantStatus(http.StatusOK)
	if a.count("table.month") != 12 || a.count("td.day-open")+a.count("td.day-weekend")+a.count("td.day-holiday")+a.count("td.day-public") != 365 {
		t.Errorf("a year of %d months", a.count("table.month"))
	}
	// 11 November 2025 was a Tuesday; 14 July 2026 is in the holidays and a public one.
	if got := a.attr(".months table:nth-of-type(3) td.day-public", "title"); !strings.Contains(got, "Toussaint") {
		t.Errorf("the first public holiday of November 2025 is %q", got)
	}

	a = b.post("/admin/calendar/hours", "school", id(school.ID), "day1", "8h - 12h30 et 13h30 à 17h", "day2", "le matin").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-day2-error") == "" || a.attr("#f-day1", "value") != "8h - 12h30 et 13h30 à 17h" || a.count("#f-day1-error") != 0 {
		t.Errorf("hours refused: %s", a.text("main"))
	}
	a = b.post("/admin/calendar/hours", "school", id(school.ID), "day1", "8h - 12h30 et 13h30 à 17h", "day2", "9-12").wantStatus(http.StatusOK)
	week, own := index().Hours(school.ID)
	if !own || len(week[0]) != 2 || week[0][1] != (calendar.Span{From: 13*60 + 30, To: 17 * 60}) || week[1][0] != (calendar.Span{From: 540, To: 720}) || week[2] != nil {
		t.Errorf("hours %v own %v", week, own)
	}
	if a.attr(".notice input[name=usual]", "value") != "1" {
		t.Error("undoing does not give the usual hours back")
	}
	b.post("/admin/calendar/hours", "school", id(school.ID), "usual", "1").wantStatus(http.StatusOK)
	if _, own = index().Hours(school.ID); own {
		t.Error("the school keeps its hours")
	}

	a = b.post("/admin/calendar/closures/add", "school", id(school.ID), "reason", "Travaux", "first", "2026-03-10", "last", "2026-03-09").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-last-error") == "" || a.attr("#f-reason", "value") != "Travaux" {
		t.Errorf("closure refused: %s", a.text("main"))
	}
	a = b.post("/admin/calendar/closures/add", "school", id(school.ID), "reason", "Travaux", "first", "2026-03-09", "last", "2026-03-10").wantStatus(http.StatusOK)
	closure := index().Closures(-1)
	if len(closure) != 1 || closure[0].Reason != "Travaux" {
		t.Fatalf("closures %v", closure)
	}
	undo := a.filled(".notice form")
	if a = b.get("/admin/calendar?tab=count&school=" + id(school.ID) + "&from=2026-03-06T16:00&to=2026-03-11T09:00"); !strings.Contains(a.text("#answer"), "150 minutes") || !strings.Contains(a.text("main"), "Travaux") {
		t.Errorf("counted: %s", a.text("main"))
	}
	if a = b.get("/admin/calendar?tab=count&from=2026-03-11T09:00&to=2026-03-06T16:00"); a.text(".field-error") == "" {
		t.Errorf("backwards: %s", a.text("main"))
	}
	b.post("/admin/calendar/closures/remove", undo...).wantStatus(http.StatusOK)
	if got := index().Closures(-1); len(got) != 0 {
		t.Errorf("undone: %v", got)
	}
	a = b.post("/admin/calendar/public/remove", "first", "2026-07-14", "name", "14 juillet").wantStatus(http.StatusOK)
	before := len(index().PublicHolidays())
	b.post(a.attr(".notice form", "action"), a.filled(".notice form")...).wantStatus(http.StatusOK)
	if got := len(index().PublicHolidays()); got != before+1 {
		t.Errorf("%d public holidays, then %d", before, got)
	}
	b.post("/admin/calendar/nothing/add").wantStatus(http.StatusNotFound)

	const ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20250101T000000Z\r\nDTSTART;VALUE=DATE:20301221\r\nDTEND;VALUE=DATE:20310106\r\nSUMMARY:Vacances de Noël\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	had := len(index().SchoolHolidays("B"))
	a = b.send("/admin/calendar/import", "file", "zone-b.ics", ics, "kind", "holidays", "zone", "B").wantStatus(http.StatusOK)
	if !strings.Contains(a.text("main"), "Vacances de Noël") || len(index().SchoolHolidays("B")) != had {
		t.Fatalf("preview: %s", a.text("main"))
	}
	b.post("/admin/calendar/import/confirm", "key", a.attr("input[name=key]", "value")).wantStatus(http.StatusOK)
	if got := len(index().SchoolHolidays("B")); got != had+1 {
		t.Errorf("%d holidays, want %d", got, had+1)
	}
	b.send("/admin/calendar/import", "file", "x.csv", "a;b\n1;2\n", "kind", "public").wantStatus(http.StatusUnprocessableEntity)
}

func TestAdminSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "chef", auth.Lead)
	b := s.reader(t)
	b.signIn("chef")
	given := []string{"name", "Loiret", "time_zone", "Europe/Paris", "zone", "B", "language", "fr", "accent", ""}
	a := b.post("/admin/settings", with(given, "accent", "#ffee00", "name", "Le Loiret")...).wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-accent-error") == "" || a.attr("#f-name", "value") != "Le Loiret" {
		t.Errorf("a yellow accent: %s", a.text("main"))
	}
	b.post("/admin/settings", with(given, "time_zone", "Paris")...).wantStatus(http.StatusUnprocessableEntity)
	a = b.post("/admin/settings", with(given, "accent", "#7a1f5c")...).wantStatus(http.StatusOK)
	if a.text(".brand-place") != "Loiret" || a.count("link[href='/theme/7a1f5c']") != 1 || a.attr(".notice input[name=time_zone]", "value") != "Europe/Paris" {
		t.Errorf("saved: %s", a.text("main"))
	}
	// Also for who is not signed in.
	if a = s.reader(t).get("/login"); a.count("link[href='/theme/7a1f5c']") != 1 {
		t.Error("the page to sign in has not the accent")
	}
	if a = b.get("/theme/7a1f5c").wantStatus(http.StatusOK); !strings.Contains(a.body, "--accent: light-dark(#7a1f5c,") || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/css") {
		t.Errorf("styles: %s", a.body)
	}
	for _, bad := range []string{"ffee00", "7a1f5", "7a1f5c;x", "zzzzzz"} {
		b.get("/theme/" + bad).wantStatus(http.StatusNotFound)
	}
}

// Whatever accent is taken, text in it can be read by day and by night.
func TestThemeIsReadable(t *testing.T) {
	t.Parallel()
	taken := 0
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for blue := 0; blue < 256; blue += 15 {
				c := rgb{float64(r) / 255, float64(g) / 255, float64(blue) / 255}
				th, ok := themeOf(c)
				if !ok {
					continue
				}
				taken++
				for i, grounds := range [][]rgb{dayGrounds, nightTones} {
					for _, ground := range append([]rgb{th.on[i], th.wash[i]}, grounds...) {
						if got := contrast(th.accent[i], ground); got < textContrast {
							t.Fatalf("%s: %s on %s is %.2f", c, th.accent[i], ground, got)
						}
					}
					if got := contrast(th.strong[i], th.wash[i]); got < textContrast {
						t.Fatalf("%s: strong %s on wash %s is %.2f", c, th.strong[i], th.wash[i], got)
					}
				}
			}
		}
	}
	if taken < 200 {
		t.Errorf("only %d accents are readable", taken)
	}
	if got := contrast(white, black); got < 20.9 || got > 21.1 {
		t.Errorf("white on black is %.2f", got)
	}
}
