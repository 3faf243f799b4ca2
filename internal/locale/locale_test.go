package locale

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/calendar"
	"statincidents/internal/fault"
)

func paris(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// plain makes no-break spaces visible and easy to write in expectations:
// "_" is U+00A0, "'" stays, "~" is U+202F.
func plain(s string) string {
	return strings.NewReplacer(nbsp, "_", nnbsp, "~").Replace(s)
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		preferred, header string
		want              Lang
	}{
		{"", "", French},
		{"en", "fr-FR", English},
		{"fr", "en", French},
		{"de", "en-GB,en;q=0.8", English},
		{"", "en-US,en;q=0.9,fr;q=0.8", English},
		{"", "fr-CA;q=0.9, en;q=0.2", French},
		{"", "de-DE", French},
		{"", ";;;,,,=", French},
	} {
		if got := Match(c.preferred, c.header); got != c.want {
			t.Errorf("Match(%q, %q) = %q, want %q", c.preferred, c.header, got, c.want)
		}
	}
}

func TestWriting(t *testing.T) {
	t.Parallel()
	fr, en := For(French, paris(t)), For(English, paris(t))
	at := time.Date(2026, 3, 3, 13, 5, 0, 0, time.UTC)
	first := time.Date(2026, 5, 1, 7, 0, 0, 0, time.UTC)
	for _, c := range []struct{ name, fr, en, wantFr, wantEn string }{
		{"int", fr.Int(1234567), en.Int(1234567), "1~234~567", "1,234,567"},
		{"int64", fr.Int(int64(-1200)), en.Int(uint8(12)), "−1~200", "12"},
		{"num", fr.Num(1234.55, 1), en.Num(-1234.5, 1), "1~234,5", "−1,234.5"},
		{"num zero", fr.Num(-0.04, 1), en.Num(math.NaN(), 1), "0,0", "—"},
		{"pct", fr.Pct(0.183, 0), en.Pct(0.183, 1), "18~%", "18.3%"},
		{"signed", fr.Signed(12, 0), fr.Signed(0.2, 0), "+12", "0"},
		{"signed pct", fr.SignedPct(0.12, 0), fr.SignedPct(-0.12, 0), "+12~%", "−12~%"},
		{"minutes", fr.Hours(40.0 / 60), en.Hours(0), "40_min", "0_min"},
		{"hours", fr.Hours(5 + 40.0/60), en.Hours(5 + 40.0/60), "5_h_40", "5_h_40_min"},
		{"hours round", fr.Hours(1.999999), fr.Hours(0.999), "2_h", "1_h"},
		{"hours padded", fr.Hours(5 + 4.0/60), fr.Hours(0.001), "5_h_04", "<_1_min"},
		{"days", fr.Hours(76), en.Hours(76), "3_j_4_h", "3_d_4_h"},
		{"one day", fr.Hours(23.9999), fr.Hours(3000), "1_j", "125_j"},
		{"negative", fr.Hours(-5), fr.Hours(math.Inf(1)), "−5_h", "—"},
		{"duration", fr.Duration(1500 * time.Millisecond), fr.Duration(2 * time.Second), "1,5_s", "2_s"},
		{"duration ms", fr.Duration(420 * time.Millisecond), fr.Duration(59 * time.Second), "420_ms", "59_s"},
		{"date", fr.Date(at), en.Date(at), "mardi 3_mars 2026", "Tuesday 3_March 2026"},
		{"first", fr.Date(first), en.MediumDate(first), "vendredi 1er_mai 2026", "1_May 2026"},
		{"short", fr.ShortDate(at), en.ShortDate(at), "03/03/2026", "03_Mar_2026"},
		{"time", fr.Time(at), en.Time(at), "14_h_05", "14:05"},
		{"date time", fr.DateTime(at), en.DateTime(at), "mardi 3_mars 2026, 14_h_05", "Tuesday 3_March 2026, 14:05"},
		{"short date time", fr.ShortDateTime(at), en.ShortDateTime(at), "03/03/2026, 14_h_05", "03_Mar_2026, 14:05"},
		{"zero", fr.DateTime(time.Time{}), en.Relative(time.Time{}, at), "—", "—"},
		{"day", fr.Day(calendar.Date(2026, 3, 3)), fr.ShortDay(calendar.Date(2026, 12, 31)), "mardi 3_mars 2026", "31/12/2026"},
		{"month", fr.MonthYear(at), fr.ShortMonth(time.February), "mars_2026", "févr."},
		{"weekday", fr.Weekday(time.Sunday), fr.ShortWeekday(time.Monday), "dimanche", "lun."},
		{"bytes", fr.Bytes(1_230_000), en.Bytes(512), "1,2_Mo", "512_B"},
		{"bytes edge", fr.Bytes(999_999), fr.Bytes(43_000_000_000), "1,0_Mo", "43_Go"},
		{"list", fr.List([]string{"a", "b", "c"}), en.List([]string{"a", "b"}), "a, b et c", "a and b"},
		{"quote", fr.Quote("oui"), en.Quote("yes"), "«~oui~»", "“yes”"},
		{"label", fr.Label("Collège"), en.Label("School"), "Collège~: ", "School: "},
		{"school year", fr.SchoolYear(2025), fr.Hour(9), "2025-2026", "9_h"},
		{"plural 0", fr.N("common.results", 0), en.N("common.results", 0), "0 résultat", "0 results"},
		{"plural 1", fr.N("common.results", 1), en.N("common.results", 1), "1 résultat", "1 result"},
		{"plural many", fr.N("common.results", 1200), en.N("common.results", 12_000_001), "1~200 résultats", "12,000,001 results"},
		{"value", fr.Value(2.5), fr.Value(Key("common.yes")), "2,5", "oui"},
	} {
		if got := plain(c.fr); got != c.wantFr {
			t.Errorf("%s: first = %q, want %q", c.name, got, c.wantFr)
		}
		if got := plain(c.en); got != c.wantEn {
			t.Errorf("%s: second = %q, want %q", c.name, got, c.wantEn)
		}
	}
}

func TestRelative(t *testing.T) {
	t.Parallel()
	p := For(French, paris(t))
	now := time.Date(2026, 3, 10, 9, 0, 0, 0, p.Location())
	for _, c := range []struct {
		ago  time.Duration
		want string
	}{
		{10 * time.Second, "à l’instant"},
		{3 * time.Minute, "il y a 3_min"},
		{59*time.Minute + 40*time.Second, "il y a 1_h"},
		{5 * time.Hour, "il y a 5_h"},
		{14 * time.Hour, "hier"}, // 19 h the evening before
		{30 * time.Hour, "hier"},
		{72 * time.Hour, "il y a 3 jours"},
		{100 * 24 * time.Hour, "il y a 3 mois"},
		{800 * 24 * time.Hour, "il y a 2 ans"},
		{-3 * time.Minute, "dans 3_min"},
		{-24 * time.Hour, "demain"},
		{-72 * time.Hour, "dans 3 jours"},
	} {
		if got := plain(p.Relative(now.Add(-c.ago), now)); got != c.want {
			t.Errorf("%v ago = %q, want %q", c.ago, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	p := For(French, nil)
	got := []string{"Salle 12", "élan", "Étoile", "zèbre", "Salle 2", "eau", "Œuvre", "ouest", "été", "etc"}
	p.Sort(got)
	want := []string{"eau", "élan", "etc", "été", "Étoile", "Œuvre", "ouest", "Salle 2", "Salle 12", "zèbre"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if !slices.IsSortedFunc(got, p.Compare) {
		t.Error("Sort and Compare disagree")
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if p.Compare(a, b) != -p.Compare(b, a) {
			t.Fatal("Compare is not antisymmetric")
		}
		if k := strings.Compare(p.CollationKey(a), p.CollationKey(b)); k != 0 && k != p.Compare(a, b) {
			t.Fatalf("keys say %d, Compare says %d", k, p.Compare(a, b))
		}
	})
}

func TestError(t *testing.T) {
	t.Parallel()
	p := For(French, nil)
	text, fields := p.Error(fmt.Errorf("doing: %w", fault.New(fault.NotFound, "error.incident.not_found")))
	if text != "Cet incident n’existe pas, ou vous n’y avez pas accès." || fields != nil {
		t.Errorf("refusal: %q %v", text, fields)
	}
	secret := errors.New("sql: password is hunter2")
	if text, _ := p.Error(secret); text != p.T("error.internal") {
		t.Errorf("an internal error is explained: %q", text)
	}
	if text, _ := p.Error(&fault.Error{Code: fault.Internal, Key: "error.invalid"}); text != p.T("error.internal") {
		t.Errorf("an internal refusal is explained: %q", text)
	}
	if text, _ := p.Error(&fault.Error{Code: fault.Conflict}); text != p.T("error.conflict") {
		t.Errorf("a refusal without a key: %q", text)
	}
	var f fault.Fields
	f.Add("title", "error.field.too_long", "max", 1200)
	f.Add("title", "error.field.required")
	f.Add("room", "error.field.unknown")
	_, fields = p.Error(f.Err())
	want := map[string]string{"title": "Trop long~: 1~200 caractères au plus. À renseigner.", "room": "Cette valeur n’existe pas ou plus."}
	for k, v := range fields {
		fields[k] = plain(v)
	}
	if d := cmp.Diff(want, fields); d != "" {
		t.Error(d)
	}
}

// Not parallel with tests that read Missing: it leaves its own there.
func TestMissing(t *testing.T) {
	p := For(English, nil)
	if got := p.T("no.such.key", "x", 1); got != "no.such.key" {
		t.Errorf("T = %q", got)
	}
	if got := p.T("common.of", "part", 3); got != "3 of {whole}" {
		t.Errorf("T = %q", got)
	}
	m := Missing()
	for _, want := range []string{"en: no.such.key", "en: common.of {whole}"} {
		if !slices.Contains(m, want) {
			t.Errorf("Missing() = %q lacks %q", m, want)
		}
	}
}

func TestTypeset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, fr, en string }{
		{"L'école d'à côté...", "L’école d’à côté…", "L’école d’à côté…"},
		{"Quoi ? « oui » : 18 % !", "Quoi~? «~oui~»~: 18~%~!", "Quoi ? « oui » : 18 % !"},
		{"http://a.b:80/c?d 12:05", "http://a.b:80/c?d 12:05", "http://a.b:80/c?d 12:05"},
		{"l'{name}, 'x'", "l’{name}, 'x'", "l’{name}, 'x'"},
		{"\xff'a", "\uFFFD'a", "\uFFFD'a"},
	} {
		if got := plain(Typeset(French, c.in)); got != c.fr {
			t.Errorf("fr %q = %q, want %q", c.in, got, c.fr)
		}
		if got := plain(Typeset(English, c.in)); got != c.en {
			t.Errorf("en %q = %q, want %q", c.in, got, c.en)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		once := Typeset(French, rapid.String().Draw(t, "s"))
		if twice := Typeset(French, once); twice != once {
			t.Fatalf("not idempotent: %q then %q", once, twice)
		}
		if !utf8.ValidString(once) {
			t.Fatal("not UTF-8")
		}
	})
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"a key twice in a file":   {"a": `{"k": "x", "k": "y"}`},
		"a key in two areas":      {"a": `{"k": "x"}`, "b": `{"k": "x"}`},
		"a value not a sentence":  {"a": `{"k": 3}`},
		"a placeholder left open": {"a": `{"k": "x {name"}`},
		"a badly named one":       {"a": `{"k": "x {The name}"}`},
		"not an object":           {"a": `[]`},
		"cut short":               {"a": `{"k": "x"`},
		"two objects":             {"a": `{} {}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := fstest.MapFS{}
			for area, text := range files {
				fsys["catalog/fr/"+area+".json"] = &fstest.MapFile{Data: []byte(text)}
			}
			if _, err := load(fsys); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	p := For(French, paris(t))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				p.N("common.results", i)
				p.Compare("été", "eau")
				p.DateTime(time.Unix(int64(i)*86400, 0))
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	f.Add("a {b} c")
	f.Add("{")
	f.Add("}{a}{b}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text)
		if err != nil {
			return
		}
		var b strings.Builder
		for i, n := range s.names {
			b.WriteString(s.literals[i] + "{" + n + "}")
		}
		b.WriteString(s.literals[len(s.names)])
		if b.String() != text {
			t.Errorf("%q came back as %q", text, b.String())
		}
	})
}

func BenchmarkT(b *testing.B) {
	p := For(French, nil)
	b.ReportAllocs()
	for b.Loop() {
		p.T("common.of", "part", 1200, "whole", 31606)
	}
}

func BenchmarkNum(b *testing.B) {
	p := For(French, nil)
	b.ReportAllocs()
	for b.Loop() {
		p.Num(1234567.891, 1)
	}
}
