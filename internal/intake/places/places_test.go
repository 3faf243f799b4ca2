package places_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/intake/places"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

func setup(tb testing.TB, db *sqldb.DB) (*directory.Service, func() *directory.Index) {
	tb.Helper()
	s := directory.New(db, journal.New(db))
	return s, func() *directory.Index {
		tb.Helper()
		x, err := s.Index(context.Background(), 1)
		if err != nil {
			tb.Fatal(err)
		}
		return x
	}
}

func shared(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open(testkit.Shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

type counts struct{ Add, Change, Remove, Same, Skipped, Rejected int }

func count(r *places.Report) counts {
	return counts{r.Count(places.Add), r.Count(places.Change), r.Count(places.Remove), r.Same, r.Skipped, len(r.Rejected)}
}

func TestLoiretSchools(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		dir, index := setup(t, db)
		const file = "schools-fr/colleges_publics_loiret.csv"
		preview, err := places.PreviewSchools(ctx, dir, system, shared(t, file), places.SchoolOptions{})
		if err != nil {
			t.Fatal(err)
		}
		// 58 schools, 56 of them with their pupils of 2020.
		if diff := cmp.Diff(counts{Add: 58 + 56}, count(preview)); diff != "" {
			t.Errorf("preview:\n%s\n%+v", diff, preview.Rejected)
		}
		if n := len(index().Schools()); n != 0 {
			t.Fatalf("the preview made %d schools", n)
		}
		if _, err := places.ImportSchools(ctx, dir, system, shared(t, file), places.SchoolOptions{}); err != nil {
			t.Fatal(err)
		}
		x := index()
		pupils := 0
		for _, s := range x.Schools() {
			if !s.Located || s.Commune == "" || s.INSEE == "" || s.Opened == 0 {
				t.Errorf("%+v", s)
			}
			e, _ := x.ExposureAt(s.ID, calendar.Date(2021, 1, 1))
			pupils += e.Pupils
		}
		if len(x.Schools()) != 58 || pupils != 30_573 {
			t.Errorf("%d schools, %d pupils; want 58 and 30,573", len(x.Schools()), pupils)
		}
		again, err := places.ImportSchools(ctx, dir, system, shared(t, file), places.SchoolOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(counts{Same: 58 + 56}, count(again)); diff != "" {
			t.Errorf("the second import:\n%s", diff)
		}
		version := x.Version()
		if index().Version() == version {
			t.Error("the second import did not pass through the commands")
		}

		// The nation's own file names its columns otherwise and has everything.
		raw := "schools-fr/etablissements_colleges_france_raw.csv.gz"
		national, err := places.PreviewSchools(ctx, dir, system, shared(t, raw), places.SchoolOptions{Departement: "45", PublicOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		got := count(national)
		if got.Add != 0 || got.Rejected != 0 || got.Change+got.Same != 58 || national.Rows != 7654 {
			t.Errorf("national file: %d rows, %+v", national.Rows, got)
		}
		for _, step := range national.Steps {
			for _, d := range step.Fields {
				if d.Field == "position" || d.Field == "insee" || d.Field == "commune" {
					t.Errorf("%s: %+v", step.What, d)
				}
			}
		}
	})
}

// The file of exam results names its columns in a third way, with a nameless
// first column, and has schools that are not ours.
func TestEffectifs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir, index := setup(t, testkit.SQLite(t))
	if _, err := places.ImportSchools(ctx, dir, system, shared(t, "schools-fr/colleges_publics_loiret.csv"), places.SchoolOptions{}); err != nil {
		t.Fatal(err)
	}
	report, err := places.ImportExposures(ctx, dir, system, shared(t, "schools-fr/effectifs_rentree2020_dnb2021_ips_colleges_loiret.csv"), places.ExposureOptions{From: calendar.Date(2020, 9, 1)})
	if err != nil {
		t.Fatal(err)
	}
	// 69 rows: the 56 known, all with the same pupils; 12 private ones and the one that closed in 2021 are unknown.
	if diff := cmp.Diff(counts{Same: 56, Rejected: 13}, count(report)); diff != "" {
		t.Errorf("%s\n%+v", diff, report.Steps)
	}
	if len(index().Schools()) != 58 {
		t.Error("schools were made of denominators")
	}
}

func TestNationalFileHasNothingToReject(t *testing.T) {
	t.Parallel()
	dir, _ := setup(t, testkit.SQLite(t))
	report, err := places.PreviewSchools(context.Background(), dir, system, shared(t, "schools-fr/etablissements_colleges_france_raw.csv.gz"), places.SchoolOptions{PublicOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	// 5,417 public collèges were open (or to open) in December 2024.
	if got := count(report); got.Add != 5417 || got.Rejected != 0 {
		t.Errorf("%+v, rejected %+v", got, report.Rejected[:min(3, len(report.Rejected))])
	}
	if report.Format.Separator != ';' || !report.Format.BOM || !report.Format.Compressed {
		t.Errorf("format %+v", report.Format)
	}
}

func TestAnySchoolFile(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		dir, index := setup(t, db)
		file := "Clé;Établissement;Ville;Postes;Coord\r\n" +
			"0450937Z;Collège Robert Schuman;Amilly;1 204;47.98, 2.76\r\n" +
			"0450937Z;deux fois;;;\r\n" +
			"0450937A;lettre fausse;;;\r\n" +
			";sans code;;;\r\n" +
			"0450003J;Jean Moulin;Artenay;beaucoup;\r\n" +
			"0451787Y;Collège à venir;;12;91, 0\r\n" +
			"0451788Z;trop;de;champs;;;x\r\n"
		file, err := charmap.Windows1252.NewEncoder().String(file)
		if err != nil {
			t.Fatal(err)
		}
		o := places.SchoolOptions{Options: places.Options{Mapping: places.Mapping{"uai": "Clé", "position": "Coord"}}, From: calendar.Date(2025, 9, 1)}
		report, err := places.ImportSchools(ctx, dir, system, strings.NewReader(file), o)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range report.Rejected {
			got = append(got, strings.Join([]string{string(rune('0' + r.Line)), r.Column, r.Key}, " "))
		}
		want := []string{
			"3 Clé places.error.twice", "4 Clé places.error.uai", "5 Clé places.error.missing",
			"6 Postes places.error.count", "7 Coord places.error.position", "8  places.error.row.field_count",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		x := index()
		s, ok := x.SchoolByUAI("0450937Z")
		e, _ := x.ExposureAt(s.ID, calendar.Date(2026, 1, 1))
		if !ok || len(x.Schools()) != 1 || s.Commune != "Amilly" || e.Computers != 1204 || !s.Located {
			t.Errorf("%+v %+v of %d", s, e, len(x.Schools()))
		}
		// A file that says less leaves the rest as it is.
		if _, err := places.ImportSchools(ctx, dir, system, strings.NewReader("uai,nom\n0450937Z,Collège Schuman\n"), places.SchoolOptions{}); err != nil {
			t.Fatal(err)
		}
		if s, _ := index().SchoolByUAI("0450937Z"); s.Name != "Collège Schuman" || s.Commune != "Amilly" {
			t.Errorf("%+v", s)
		}
	})
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir, _ := setup(t, testkit.SQLite(t))
	nobody := auth.Identity{Tenant: 1, Role: auth.Technician}
	cases := []struct {
		name, file string
		by         auth.Identity
		o          places.SchoolOptions
		want       fault.Code
		field      string
	}{
		{"empty", "", system, places.SchoolOptions{}, fault.Invalid, ""},
		{"no code", "nom,ville\na,b\n", system, places.SchoolOptions{}, fault.Invalid, "uai"},
		{"a column that is not there", "uai\n", system, places.SchoolOptions{Options: places.Options{Mapping: places.Mapping{"name": "Appellation"}}}, fault.Invalid, "name"},
		{"a field that is none", "uai\n", system, places.SchoolOptions{Options: places.Options{Mapping: places.Mapping{"colour": "uai"}}}, fault.Invalid, "colour"},
		{"a technician", "uai\n", nobody, places.SchoolOptions{}, fault.Forbidden, ""},
	}
	for _, c := range cases {
		_, err := places.ImportSchools(ctx, dir, c.by, strings.NewReader(c.file), c.o)
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Code != c.want || c.field != "" && (len(e.Fields) != 1 || e.Fields[0].Name != c.field) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestExposures(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		dir, index := setup(t, db)
		ids, err := dir.EnsureSchools(ctx, system, []directory.School{{UAI: "0450937Z"}})
		if err != nil {
			t.Fatal(err)
		}
		a := ids["0450937Z"]
		first := "uai;date;postes\n0450937Z;01/01/2024;150\n0450937Z;1/9/2024;160\n9999999A;2024-01-01;3\n0450937Z;hier;3\n0450937Z;2025-01-01;\n"
		report, err := places.ImportExposures(ctx, dir, system, strings.NewReader(first), places.ExposureOptions{Source: "inventaire"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(counts{Add: 2, Rejected: 3}, count(report)); diff != "" {
			t.Errorf("%s\n%+v", diff, report.Rejected)
		}
		// Pupils come from another file; computers carry over, and the later row
		// that knew no pupils takes them over.
		if _, err := places.ImportExposures(ctx, dir, system, strings.NewReader("uai,date,eleves\n0450937Z,2023-2024,700\n0450937Z,2024-03-01,720\n"), places.ExposureOptions{}); err != nil {
			t.Fatal(err)
		}
		want := []directory.Exposure{
			{School: a, From: calendar.Date(2023, 9, 1), Computers: 0, Pupils: 700, Source: "import"},
			{School: a, From: calendar.Date(2024, 1, 1), Computers: 150, Pupils: 700, Source: "inventaire"},
			{School: a, From: calendar.Date(2024, 3, 1), Computers: 150, Pupils: 720, Source: "import"},
			{School: a, From: calendar.Date(2024, 9, 1), Computers: 160, Pupils: 720, Source: "inventaire"},
		}
		if diff := cmp.Diff(want, index().Exposures(a)); diff != "" {
			t.Error(diff)
		}
		again, err := places.ImportExposures(ctx, dir, system, strings.NewReader(first), places.ExposureOptions{Source: "inventaire"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(counts{Same: 2, Rejected: 3}, count(again)); diff != "" {
			t.Errorf("the second time:\n%s", diff)
		}
	})
}

// The program's own holidays and the ministry's file must be the same facts.
func TestOfficialHolidaysChangeNothingInASeededCalendar(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		dir, _ := setup(t, db)
		const file = "calendar-fr/fr-en-calendrier-scolaire.csv"
		fresh, err := places.PreviewSchoolHolidays(ctx, dir, system, shared(t, file), places.HolidayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if fresh.Rows != 2138 || fresh.Count(places.Add) != 3*53 || len(fresh.Rejected) != 0 {
			t.Errorf("%d rows, %+v", fresh.Rows, count(fresh))
		}
		if err := dir.SeedCalendar(ctx, system); err != nil {
			t.Fatal(err)
		}
		report, err := places.ImportSchoolHolidays(ctx, dir, system, shared(t, file), places.HolidayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Steps) != 0 || report.Same != 3*53 {
			t.Errorf("%+v: %+v", count(report), report.Steps)
		}
		zone, err := places.PreviewSchoolHolidays(ctx, dir, system, shared(t, "calendar-fr/vacances_zone_b_2009_2027.csv"), places.HolidayOptions{Zones: []string{"B"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range zone.Steps { // 2009 to 2014 are not built in
			if step.Action != places.Add || !strings.Contains(step.What, ", 20") || strings.Contains(step.What, ", 2015") || strings.Contains(step.What, ", 202") {
				t.Errorf("%+v", step)
			}
		}
		public, err := places.ImportPublicHolidays(ctx, dir, system, shared(t, "calendar-fr/jours_feries_metropole.csv"), places.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range public.Steps { // 2006 to 2009 are not built in
			if step.Action != places.Add || step.What > "2010" {
				t.Errorf("%+v", step)
			}
		}
	})
}

const icsFile = "\ufeffBEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//FR\r\n" +
	"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20251018\r\nDTEND;VALUE=DATE:20251103\r\nSUMMARY:Vacances de la Toussaint - Zones A,B\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:2\r\nDTSTART:20260213T230000Z\r\nDTEND:20260301T230000Z\r\nSUMMARY:Vacances d'Hiver\r\nLOCATION:Zone B\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:3\r\nDTSTART;VALUE=DATE:2026\r\nSUMMARY:sans jour\r\nEND:VEVENT\r\n" +
	"END:VCALENDAR\r\n"

func TestICalendar(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir, index := setup(t, testkit.SQLite(t))
	for i, want := range []counts{{Add: 3, Rejected: 1}, {Same: 3, Rejected: 1}} {
		report, err := places.ImportSchoolHolidays(ctx, dir, system, strings.NewReader(icsFile), places.HolidayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, count(report)); diff != "" {
			t.Errorf("time %d:\n%s\n%+v", i+1, diff, report.Steps)
		}
	}
	want := []directory.HolidayPeriod{
		{Zone: "B", First: calendar.Date(2025, 10, 18), Last: calendar.Date(2025, 11, 2), Name: "Vacances de la Toussaint"},
		{Zone: "B", First: calendar.Date(2026, 2, 14), Last: calendar.Date(2026, 3, 1), Name: "Vacances d'hiver"},
	}
	if diff := cmp.Diff(want, index().SchoolHolidays("B")); diff != "" {
		t.Error(diff)
	}
	file := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260714\nSUMMARY:14 juillet\nEND:VEVENT\nEND:VCALENDAR\n"
	report, err := places.ImportPublicHolidays(ctx, dir, system, strings.NewReader(file), places.Options{})
	if err != nil || report.Count(places.Add) != 1 {
		t.Errorf("%+v %v", report, err)
	}
	if _, err := places.ImportPublicHolidays(ctx, dir, system, strings.NewReader("BEGIN:VCALENDAR\nBEGIN:VEVENT\n"), places.Options{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unfinished calendar: %v", err)
	}
}

func TestValidUAI(t *testing.T) {
	t.Parallel()
	f, err := gzip.NewReader(shared(t, "schools-fr/colleges_publics_france.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(all)), "\n")[1:]
	for _, line := range lines {
		if code, _, _ := strings.Cut(line, ","); !places.ValidUAI(code) {
			t.Errorf("%s is refused", code)
		}
	}
	if len(lines) != 5417 || places.ValidUAI("0450937A") || places.ValidUAI("450937Z") || places.ValidUAI("") {
		t.Error("a wrong code is accepted, or the file is short")
	}
}

// Whatever comes in, an import ends, and what was taken is taken again as the same.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		icsFile,
		"uai,nom,lat,lon,eleves_rentree2020,date,postes\n0450937Z,Schuman,47.9,2.7,800,2024-01-01,7\n",
		"Description;Population;Date de début;Date de fin;Zones\nVacances;-;2017-10-20T22:00:00+00:00;2017-11-05T23:00:00+00:00;Zone A\nDébut des Vacances d'Été;;2026-07-03T22:00:00Z;;Zone B\n",
		"date,nom\n14/7/2026,Fête\n",
	} {
		f.Add([]byte(seed))
	}
	ctx := context.Background()
	dir, _ := setup(f, testkit.SQLite(f))
	if _, err := dir.EnsureSchools(ctx, system, []directory.School{{UAI: "0450937Z"}}); err != nil {
		f.Fatal(err)
	}
	type run = func(io.Reader) (*places.Report, error)
	imports := map[string][2]run{
		"schools": {func(r io.Reader) (*places.Report, error) {
			return places.PreviewSchools(ctx, dir, system, r, places.SchoolOptions{FreeCodes: true})
		}, func(r io.Reader) (*places.Report, error) {
			return places.ImportSchools(ctx, dir, system, r, places.SchoolOptions{FreeCodes: true})
		}},
		"exposures": {func(r io.Reader) (*places.Report, error) {
			return places.PreviewExposures(ctx, dir, system, r, places.ExposureOptions{})
		}, func(r io.Reader) (*places.Report, error) {
			return places.ImportExposures(ctx, dir, system, r, places.ExposureOptions{})
		}},
		"school holidays": {func(r io.Reader) (*places.Report, error) {
			return places.PreviewSchoolHolidays(ctx, dir, system, r, places.HolidayOptions{})
		}, func(r io.Reader) (*places.Report, error) {
			return places.ImportSchoolHolidays(ctx, dir, system, r, places.HolidayOptions{})
		}},
		"public holidays": {func(r io.Reader) (*places.Report, error) {
			return places.PreviewPublicHolidays(ctx, dir, system, r, places.Options{})
		}, func(r io.Reader) (*places.Report, error) {
			return places.ImportPublicHolidays(ctx, dir, system, r, places.Options{})
		}},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, do := range imports {
			preview, load := do[0], do[1]
			first, err := preview(bytes.NewReader(data))
			if err != nil {
				if fault.CodeOf(err) == fault.Internal && !strings.Contains(err.Error(), "table:") {
					t.Fatalf("%s: %v", name, err)
				}
				continue
			}
			if len(first.Steps) == 0 {
				continue
			}
			if _, err := load(bytes.NewReader(data)); err != nil {
				t.Fatalf("%s: previewed, then refused: %v", name, err)
			}
			again, err := preview(bytes.NewReader(data))
			if err != nil {
				t.Fatalf("%s, again: %v", name, err)
			}
			if len(again.Steps) != 0 || len(again.Rejected) != len(first.Rejected) {
				t.Fatalf("%s: importing again does %+v; first %+v", name, again.Steps, first.Steps)
			}
		}
	})
}
