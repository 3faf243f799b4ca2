package geo

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Limits of a GeoJSON file.
const (
	MaxBytes  = 20 << 20
	maxPoints = 2_000_000
	maxRings  = 20_000
	maxDepth  = 8 // of collections within collections
)

// ErrTooLarge is the refusal of a file past the limits.
var ErrTooLarge = errors.New("the map is too large")

type geoJSON struct {
	Type        string            `json:"type"`
	Features    []json.RawMessage `json:"features"`
	Geometries  []json.RawMessage `json:"geometries"`
	Geometry    json.RawMessage   `json:"geometry"`
	Coordinates json.RawMessage   `json:"coordinates"`
	Properties  map[string]any    `json:"properties"`
}

// ParseGeoJSON reads the polygons of a GeoJSON file (RFC 7946: a geometry, a
// feature or a collection) and simplifies them to at most that many points. The
// code and the name are the first found in the properties "code" and "nom" or
// "name". Rings too small to be seen at that precision are left out. An error
// says what is wrong; ErrTooLarge is one.
func ParseGeoJSON(r io.Reader, points int) (*Shape, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading a GeoJSON file: %w", err)
	}
	if len(b) > MaxBytes {
		return nil, ErrTooLarge
	}
	var s Shape
	left := maxPoints
	if err := s.read(b, &left, 0); err != nil {
		return nil, err
	}
	if len(s.Rings) == 0 {
		return nil, errors.New("the file holds no polygon")
	}
	s.simplify(max(points, 4))
	if len(s.Rings) == 0 {
		return nil, errors.New("the polygons have no surface")
	}
	return &s, nil
}

func (s *Shape) read(b json.RawMessage, left *int, depth int) error {
	if depth > maxDepth {
		return ErrTooLarge
	}
	var g geoJSON
	if err := json.Unmarshal(b, &g); err != nil {
		return fmt.Errorf("not GeoJSON: %w", err)
	}
	if s.Code == "" {
		s.Code, _ = g.Properties["code"].(string)
	}
	for _, key := range []string{"nom", "name"} {
		if s.Name == "" {
			s.Name, _ = g.Properties[key].(string)
		}
	}
	switch g.Type {
	case "FeatureCollection", "GeometryCollection":
		for _, part := range append(g.Features, g.Geometries...) {
			if err := s.read(part, left, depth+1); err != nil {
				return err
			}
		}
		return nil
	case "Feature":
		if len(g.Geometry) == 0 || string(g.Geometry) == "null" {
			return nil
		}
		return s.read(g.Geometry, left, depth+1)
	case "Polygon":
		var rings [][][]float64
		if err := json.Unmarshal(g.Coordinates, &rings); err != nil {
			return fmt.Errorf("coordinates of a polygon: %w", err)
		}
		return s.take(rings, left)
	case "MultiPolygon":
		var polygons [][][][]float64
		if err := json.Unmarshal(g.Coordinates, &polygons); err != nil {
			return fmt.Errorf("coordinates of polygons: %w", err)
		}
		for _, rings := range polygons {
			if err := s.take(rings, left); err != nil {
				return err
			}
		}
		return nil
	case "Point", "MultiPoint", "LineString", "MultiLineString":
		return nil // not an outline
	}
	return fmt.Errorf("not GeoJSON: type %q", g.Type)
}

func (s *Shape) take(rings [][][]float64, left *int) error {
	for _, ring := range rings {
		if *left -= len(ring); *left < 0 || len(s.Rings) >= maxRings {
			return ErrTooLarge
		}
		out := make([]LonLat, 0, len(ring))
		for _, p := range ring {
			if len(p) < 2 || !(math.Abs(p[0]) <= 180) || !(math.Abs(p[1]) <= 90) {
				return errors.New("a position is not a longitude and a latitude in degrees")
			}
			out = append(out, LonLat{p[0], p[1]})
		}
		if n := len(out); n > 1 && out[0] == out[n-1] {
			out = out[:n-1]
		}
		if len(out) >= 3 {
			s.Rings = append(s.Rings, out)
		}
	}
	return nil
}

// simplify keeps at most n points, shared among rings by what each point is
// worth (Visvalingam), largest ring first, to a ten-thousandth of a degree
// (some ten metres).
func (s *Shape) simplify(n int) {
	pr := s.Projection()
	type worth struct {
		ring, point int
		area        float64
	}
	var all []worth
	for i, ring := range s.Rings {
		for k, area := range visvalingam(ring, pr) {
			all = append(all, worth{i, k, area})
		}
	}
	slices.SortStableFunc(all, func(a, b worth) int { return cmp.Compare(b.area, a.area) })
	keep := make([][]int, len(s.Rings))
	for _, w := range all[:min(n, len(all))] {
		if w.area > 0 {
			keep[w.ring] = append(keep[w.ring], w.point)
		}
	}
	var rings [][]LonLat
	for i, points := range keep {
		if len(points) < 3 {
			continue
		}
		slices.Sort(points)
		ring := make([]LonLat, 0, len(points))
		for _, k := range points {
			p := s.Rings[i][k]
			ring = append(ring, LonLat{round(p[0]), round(p[1])})
		}
		rings = append(rings, ring)
	}
	slices.SortStableFunc(rings, func(a, b []LonLat) int { return cmp.Compare(surface(b, pr), surface(a, pr)) })
	s.Rings = rings
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// surface of a ring in square kilometres (shoelace).
func surface(ring []LonLat, pr Projection) float64 {
	sum := 0.0
	for i := range ring {
		x1, y1 := pr.XY(ring[i])
		x2, y2 := pr.XY(ring[(i+1)%len(ring)])
		sum += x1*y2 - x2*y1
	}
	return math.Abs(sum) / 2
}
