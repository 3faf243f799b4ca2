package chart

import (
	"html/template"
	"math"
)

// Spark is a curve of the size of a word, with its last value as a dot. It is
// one image for assistive tools: Label says what it shows. Its scale begins at
// zero unless Free is set.
type Spark struct {
	Head
	Values []float64 // NaN for a hole
	Ghost  []float64 // comparison, on the same scale
	Free   bool
}

// sparkHeight to sparkWidth is the shape of a sparkline.
const sparkHeight = 28

// Scene draws the curve.
func (c *Spark) Scene(_ Format, width float64) *Scene {
	s := c.scene(width)
	s.H = sparkHeight
	b := newBounds()
	b.take(c.Values...)
	b.take(c.Ghost...)
	if !c.Free {
		b.take(0)
	}
	y := linear{b.lo, b.hi, sparkHeight - 4, 4}
	if b.lo == b.hi {
		y = linear{b.lo - 1, b.lo + 1, sparkHeight - 4, 4}
	}
	n := max(len(c.Values), len(c.Ghost))
	x := linear{0, math.Max(float64(n-1), 1), 3, width - 4}
	var items []Node
	if len(c.Ghost) > 0 {
		items = append(items, Path{Pts: sparkLine(c.Ghost, x, y), Class: "line ghost-l"})
	}
	pts := sparkLine(c.Values, x, y)
	if len(pts) > 0 {
		last := pts[len(pts)-1]
		items = append(items, Path{Pts: pts, Class: "line c-cat0"}, Circle{X: last.X, Y: last.Y, R: 3, Class: "mark c-cat0"})
	}
	s.add(Group{Hidden: true, Items: items})
	return s
}

func sparkLine(values []float64, x, y linear) []Pt {
	var pts []Pt
	up := true
	for i, v := range values {
		if !known(v) {
			up = true
			continue
		}
		pts = append(pts, Pt{X: x.at(float64(i)), Y: y.at(v), Up: up})
		up = false
	}
	return pts
}

// HTML gives the sparkline, 120 by 28 units.
func (c *Spark) HTML(f Format) template.HTML {
	b := c.Scene(f, 120).AppendSVG(make([]byte, 0, 2048), c.ID, "spark")
	return template.HTML(b) //nolint:gosec // every text was escaped by AppendSVG
}
