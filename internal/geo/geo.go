// Package geo holds the outlines of territories and the plane they are drawn
// on. An outline is a file of figures (outlines/CODE.json, with its source);
// an administrator may supply another as GeoJSON.
package geo

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"sync"
)

// The map of a département comes from github.com/gregoiredavid/france-geojson
// (departements/45-loiret); MAPS is the folder that holds it.
//go:generate go run ./simplify -points 320 -code 45 -name Loiret -source "IGN Admin Express COG 2018, INSEE 2018 (Licence Ouverte), by github.com/gregoiredavid/france-geojson" -o outlines/45.json $MAPS/departement-45-loiret.geojson

//go:embed outlines/*.json
var files embed.FS

// LonLat is a position in degrees, WGS 84: longitude then latitude.
type LonLat [2]float64

// Shape is the outline of a territory: closed rings (the last point is not the
// first again), the largest first. Holes and islands are rings alike: a filled
// path with the even-odd rule draws both.
type Shape struct {
	Code   string     `json:"code"`
	Name   string     `json:"name"`
	Source string     `json:"source"`
	Rings  [][]LonLat `json:"rings"`
}

// Points counts the points of all rings.
func (s *Shape) Points() int {
	n := 0
	for _, r := range s.Rings {
		n += len(r)
	}
	return n
}

var known sync.Map // code to *Shape

// Outline gives the outline of a territory by its code ("45"), or false when
// none is known. The shape is shared: do not change it.
func Outline(code string) (*Shape, bool) {
	if s, ok := known.Load(code); ok {
		return s.(*Shape), true
	}
	if len(code) > 8 {
		return nil, false
	}
	for _, c := range code {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return nil, false
		}
	}
	b, err := files.ReadFile("outlines/" + code + ".json")
	if err != nil {
		return nil, false
	}
	var s Shape
	if err := json.Unmarshal(b, &s); err != nil {
		panic(fmt.Sprintf("geo: outline %s: %v", code, err)) // embedded: a test reads them all
	}
	known.Store(code, &s)
	return &s, true
}

// Projection sets positions on a plane in kilometres, x to the east and y to
// the south, by the equirectangular projection about a latitude: distances are
// true to some half a per cent over a département.
type Projection struct {
	lon, lat float64 // the plane's origin, degrees
	kx, ky   float64 // kilometres per degree
}

// earth is the mean radius in kilometres (IUGG).
const earth = 6371.0088

// ProjectionAt is the projection about a position.
func ProjectionAt(p LonLat) Projection {
	degree := earth * math.Pi / 180
	return Projection{lon: p[0], lat: p[1], kx: degree * math.Cos(p[1]*math.Pi/180), ky: degree}
}

// Projection is the projection about the middle of the outline.
func (s *Shape) Projection() Projection {
	west, south, east, north := 180.0, 90.0, -180.0, -90.0
	for _, r := range s.Rings {
		for _, p := range r {
			west, east = math.Min(west, p[0]), math.Max(east, p[0])
			south, north = math.Min(south, p[1]), math.Max(north, p[1])
		}
	}
	if east < west {
		return ProjectionAt(LonLat{})
	}
	return ProjectionAt(LonLat{(west + east) / 2, (south + north) / 2})
}

// XY is the place of a position on the plane.
func (p Projection) XY(at LonLat) (x, y float64) {
	return (at[0] - p.lon) * p.kx, (p.lat - at[1]) * p.ky
}
