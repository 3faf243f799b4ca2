package csvin_test

import (
	"os"
	"testing"

	"statincidents/internal/testkit"
)

// BenchmarkImportUCI brings the whole real log into an empty SQLite database.
func BenchmarkImportUCI(b *testing.B) {
	path := testkit.Shared(b, uciFile)
	for b.Loop() {
		b.StopTimer()
		h := build(b, testkit.SQLite(b))
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		r := h.bring(b, named(b, "servicenow"), f, false)
		b.ReportMetric(float64(r.Rows)/r.Elapsed.Seconds(), "rows/s")
		f.Close()
	}
}
