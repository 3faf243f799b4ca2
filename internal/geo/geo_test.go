package geo

import (
	"bytes"
	"math"
	"path"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOutlines(t *testing.T) {
	t.Parallel()
	entries, err := files.ReadDir("outlines")
	if err != nil || len(entries) == 0 {
		t.Fatal("no outline", err)
	}
	for _, e := range entries {
		code := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		s, ok := Outline(code)
		if !ok || s.Code != code || s.Name == "" || s.Source == "" {
			t.Fatalf("outline %s: %v %+v", code, ok, s)
		}
		if n := s.Points(); n < 50 || n > 1000 {
			t.Errorf("outline %s has %d points", code, n)
		}
	}
	for _, code := range []string{"", "99", "../geo", "45/", "ABCDEFGHI", "45.json"} {
		if _, ok := Outline(code); ok {
			t.Errorf("Outline(%q) is known", code)
		}
	}
}

// The Loiret is 6,775 square kilometres (INSEE); the outline keeps that within
// a hundredth, which also proves the projection's scale.
func TestSurfaceOf45(t *testing.T) {
	t.Parallel()
	s, _ := Outline("45")
	if got := surface(s.Rings[0], s.Projection()); math.Abs(got-6775)/6775 > 0.01 {
		t.Errorf("surface = %.0f km², want 6,775", got)
	}
}

func TestProjection(t *testing.T) {
	t.Parallel()
	s, _ := Outline("45")
	pr := s.Projection()
	// Orléans to Gien, to the south-east.
	x1, y1 := pr.XY(LonLat{1.9093, 47.9029})
	x2, y2 := pr.XY(LonLat{2.6306, 47.6858})
	want := haversine(47.9029, 1.9093, 47.6858, 2.6306)
	if d := math.Hypot(x2-x1, y2-y1); math.Abs(d-want)/want > 0.005 {
		t.Errorf("Orléans to Gien is %.2f km, want %.2f", d, want)
	}
	if x2 <= x1 || y2 <= y1 {
		t.Error("x is not to the east or y not to the south")
	}
}

func haversine(lat1, lon1, lat2, lon2 float64) float64 {
	r := math.Pi / 180
	a := math.Pow(math.Sin((lat2-lat1)*r/2), 2) + math.Cos(lat1*r)*math.Cos(lat2*r)*math.Pow(math.Sin((lon2-lon1)*r/2), 2)
	return 2 * earth * math.Asin(math.Sqrt(a))
}

func TestParseGeoJSON(t *testing.T) {
	t.Parallel()
	const square = `[[[2,48],[3,48],[3,49],[2,49],[2,48]]]`
	for _, c := range []struct{ name, text, problem string }{
		{"polygon", `{"type":"Polygon","coordinates":` + square + `}`, ""},
		{"feature", `{"type":"Feature","properties":{"code":"45","nom":"Loiret"},"geometry":{"type":"Polygon","coordinates":` + square + `}}`, ""},
		{"collection", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"x"},"geometry":{"type":"MultiPolygon","coordinates":[` + square + `]}},{"type":"Feature","geometry":null},{"type":"Point","coordinates":[1,2]}]}`, ""},
		{"three dimensions", `{"type":"Polygon","coordinates":[[[2,48,0],[3,48,0],[3,49,0],[2,48,0]]]}`, ""},
		{"no polygon", `{"type":"Point","coordinates":[1,2]}`, "no polygon"},
		{"metres", `{"type":"Polygon","coordinates":[[[652000,6860000],[653000,6860000],[653000,6861000]]]}`, "longitude"},
		{"not GeoJSON", `{"type":"Topology"}`, "Topology"},
		{"not JSON", `<svg/>`, "not GeoJSON"},
		{"no surface", `{"type":"Polygon","coordinates":[[[2,48],[2,48],[2,48],[2,48]]]}`, "surface"},
		{"nested too deep", strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 12) + strings.Repeat(`]}`, 12), "too large"},
	} {
		s, err := ParseGeoJSON(strings.NewReader(c.text), 100)
		switch {
		case c.problem == "" && (err != nil || s.Points() < 3):
			t.Errorf("%s: %v %+v", c.name, err, s)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.problem)
		}
	}
	if _, err := ParseGeoJSON(&endless{}, 100); err == nil {
		t.Error("an endless file is accepted")
	}
}

type endless struct{}

func (*endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// Simplifying keeps points of the ring, in order, at most as many as asked, and
// more points stay closer to the true surface.
func TestSimplify(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 200).Draw(t, "n")
		ring := make([]LonLat, n)
		for i := range ring {
			a := 2 * math.Pi * float64(i) / float64(n)
			r := 0.5 + 0.1*rapid.Float64Range(0, 1).Draw(t, "r")
			ring[i] = LonLat{round(2 + r*math.Cos(a)), round(48 + r*math.Sin(a))}
		}
		most := rapid.IntRange(4, 250).Draw(t, "most")
		s := Shape{Rings: [][]LonLat{append([]LonLat(nil), ring...)}}
		s.simplify(most)
		if s.Points() > most {
			t.Fatalf("%d points where %d were asked", s.Points(), most)
		}
		if len(s.Rings) != 1 || len(s.Rings[0]) < 3 {
			t.Fatalf("the ring is lost: %v", s.Rings)
		}
		k := 0
		for _, p := range s.Rings[0] {
			for k < n && ring[k] != p {
				k++
			}
			if k == n {
				t.Fatalf("%v is not a point of the ring, or not in order", p)
			}
			k++
		}
	})
}

func FuzzParseGeoJSON(f *testing.F) {
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[2,48],[3,48],[3,49],[2,48]]]}`))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[2,48],[3,48],[3,49]]],[[]]]}}]}`))
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[1e400,0]]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseGeoJSON(bytes.NewReader(b), 50)
		if err != nil {
			return
		}
		if s.Points() < 3 || s.Points() > 50 {
			t.Errorf("%d points", s.Points())
		}
		pr := s.Projection()
		for _, r := range s.Rings {
			for _, p := range r {
				if x, y := pr.XY(p); math.IsNaN(x) || math.IsNaN(y) {
					t.Error("not a number")
				}
			}
		}
	})
}

func BenchmarkParseGeoJSON(b *testing.B) {
	// A ring of 20,000 points, as a département at full precision.
	var text strings.Builder
	text.WriteString(`{"type":"Polygon","coordinates":[[`)
	for i := range 20_000 {
		a := 2 * math.Pi * float64(i) / 20_000
		r := 0.5 + 0.02*math.Sin(float64(i*i))
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString("[" + strconv.FormatFloat(2+r*math.Cos(a), 'f', 5, 64) + "," + strconv.FormatFloat(48+r*math.Sin(a), 'f', 5, 64) + "]")
	}
	text.WriteString(`]]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseGeoJSON(strings.NewReader(text.String()), 300); err != nil {
			b.Fatal(err)
		}
	}
}
