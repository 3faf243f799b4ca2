package web

import (
	"strings"

	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/geo"
)

// places puts an answer by school on the map: discs as large as one measure, as
// dark as another ("" for one colour), inside the outline of the département. A
// map of fewer than two schools says nothing: false.
func (f figures) places(area, shade cube.Measure, title func(directory.School, cube.Row) string) (*chart.Places, bool) {
	by := f.res.Query.By
	var points []geo.LonLat
	m := &chart.Places{}
	for _, row := range f.res.Rows {
		school, ok := f.n.schoolOfKey(row.Keys[0])
		if !ok || !school.Located {
			continue
		}
		// Every name begins with the same word: a map has no room for it.
		name := strings.TrimPrefix(school.Name, "Collège ")
		p := chart.Place{Label: name, Value: size(f.value(row, area)), Shade: chart.None(), Href: f.href(by, row, area), Title: title(school, row)}
		if shade != "" {
			p.Shade = size(f.value(row, shade))
		}
		points = append(points, geo.LonLat{school.Lon, school.Lat})
		m.Items = append(m.Items, p)
	}
	if len(m.Items) < 2 {
		return nil, false
	}
	projection := outline(m, departmentOf(f.n), points[0])
	for i := range m.Items {
		x, y := projection.XY(points[i])
		m.Items[i].At = chart.XY{X: x, Y: y}
	}
	return m, true
}

// outline draws the département on a map and gives its projection, or that
// about a place when no outline is known.
func outline(m *chart.Places, department string, about geo.LonLat) geo.Projection {
	shape, ok := geo.Outline(department)
	if !ok {
		return geo.ProjectionAt(about)
	}
	projection := shape.Projection()
	for _, ring := range shape.Rings {
		var line []chart.XY
		for _, at := range ring {
			x, y := projection.XY(at)
			line = append(line, chart.XY{X: x, Y: y})
		}
		m.Outline = append(m.Outline, line)
	}
	return projection
}

// departmentOf is the code of the département of most schools, from their
// municipalities' codes: the outline to draw.
func departmentOf(n *names) string {
	count, best := map[string]int{}, ""
	for _, s := range n.places.Schools() {
		if len(s.INSEE) < 5 {
			continue
		}
		code := s.INSEE[:2]
		if code == "97" {
			code = s.INSEE[:3]
		}
		if count[code]++; count[code] > count[best] {
			best = code
		}
	}
	return best
}
