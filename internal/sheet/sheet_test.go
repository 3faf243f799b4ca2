package sheet

import (
	"bytes"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

var columns = []Column{{Title: "N°", Kind: Number}, {Title: "Titre", Kind: Text}, {Title: "Déclaré", Kind: DateTime}, {Title: "Jour", Kind: Date}, {Title: "Part", Kind: Percent}}

func french(t *testing.T) Style {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return Style{Location: paris, French: true}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := NewCSV(&b, columns, french(t))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 3, 13, 5, 0, 0, time.UTC)
	for _, row := range [][]any{
		{int64(12), `Écran « noir » ; salle "12"`, at, at, 0.125},
		{math.NaN(), "=1+1", time.Time{}, time.Time{}, nil},
	} {
		if err := w.Row(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffN°;Titre;Déclaré;Jour;Part\r\n12;\"Écran « noir » ; salle \"\"12\"\"\";2026-03-03 14:05:00;2026-03-03;0,125\r\n;'=1+1;;;\r\n"
	if b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
	if err := w.Row("one cell"); err == nil {
		t.Error("a row of the wrong length was taken")
	}
}

func TestXLSX(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := NewXLSX(&b, "Incidents / mars : une très longue période", columns, french(t))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 7, 3, 13, 5, 0, 0, time.UTC)
	if err := w.Row(12, "@SUM(A1)", at, at, 0.5); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := f.GetSheetName(0)
	for cell, want := range map[string]string{"A2": "12", "B2": "'@SUM(A1)", "C2": "03/07/2026 15:05", "D2": "03/07/2026", "E2": "50.0%"} {
		if got, err := f.GetCellValue(name, cell); err != nil || got != want {
			t.Errorf("%s = %q (%v), want %q", cell, got, err, want)
		}
	}
	if kind, err := f.GetCellType(name, "A2"); err != nil || (kind != excelize.CellTypeNumber && kind != excelize.CellTypeUnset) {
		t.Errorf("A2 is of type %v (%v), not a number", kind, err)
	}
	if tables, err := f.GetTables(name); err != nil || len(tables) != 1 {
		t.Errorf("%d native tables (%v)", len(tables), err)
	}
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "salle": "salle", "=A1": "'=A1", "+33": "'+33", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "3-4": "3-4"} {
		if got := harmless(in); got != want {
			t.Errorf("harmless(%q) = %q, want %q", in, got, want)
		}
	}
}

// A long export must stream: 50,000 rows stay far below what they would weigh.
func BenchmarkXLSX(b *testing.B) {
	text := strings.Repeat("Le vidéoprojecteur reste noir. ", 3)
	at := time.Date(2026, 3, 3, 13, 5, 0, 0, time.UTC)
	for b.Loop() {
		w, err := NewXLSX(discard{}, "export", columns, Style{Location: time.UTC})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 50_000 {
			if err := w.Row(i, text, at, at, 0.5); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapSys)/1e6, "heap-MB")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
