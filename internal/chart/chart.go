// Package chart draws figures: plain data in, a Scene out, SVG on the page.
//
// Every mark is a link to the incidents behind it, says its exact figures in
// its title and takes the keyboard. Colours and fonts are classes of
// ui/css/chart.css; there is no inline style and no script. A chart is drawn
// once for each width class that its place on the page may have (Render), each
// with the number of ticks, the layout and the abbreviations that fit, and the
// style sheet shows the one that fits its container: text is never scaled
// beyond 0.85 to 1.4.
package chart

import (
	"html/template"
	"math"
	"strconv"
	"time"
)

// Chart draws itself in a box of a given width; the height follows.
type Chart interface {
	Scene(f Format, width float64) *Scene
	head() *Head
}

// Format writes numbers, dates and words in the reader's language.
// locale.Printer does.
type Format interface {
	Num(v float64, decimals int) string
	Pct(share float64, decimals int) string
	Hours(h float64) string
	MediumDate(t time.Time) string
	MonthYear(t time.Time) string
	ShortMonth(m time.Month) string
	T(key string, args ...any) string
}

// Head is what every chart has.
type Head struct {
	ID    string // unique in the page; letters, digits and dashes
	Label string // accessible name, one line: the chart's title
	Desc  string // accessible description: the finding, or where the table is; may be empty
	Unit  Unit   // how its values are written
}

func (h *Head) head() *Head { return h }

// Unit is the nature of values: it decides how they are written and which
// steps an axis takes.
type Unit uint8

// The units.
const (
	Number Unit = iota // counts and rates
	Share              // of 1, written in per cent
	Hours              // lengths of time in hours
)

// write gives a value for an axis or a label: as precise as is useful.
func (u Unit) write(f Format, v float64) string {
	switch {
	case math.IsNaN(v):
		return "—"
	case u == Hours:
		return f.Hours(v)
	case u == Share:
		return f.Pct(v, decimals(v*100))
	}
	return f.Num(v, decimals(v))
}

// writer writes values that are read together with the same number of
// decimals: as many as the values need, fewer when one of them is large.
func (u Unit) writer(f Format, values []float64) func(float64) string {
	if u == Hours {
		return func(v float64) string { return u.write(f, v) }
	}
	scale := 1.0
	if u == Share {
		scale = 100
	}
	n, most := 0, 0.0
	for _, v := range values {
		if known(v) {
			n, most = max(n, decimals(v*scale)), math.Max(most, math.Abs(v*scale))
		}
	}
	switch {
	case most >= 10:
		n = min(n, 1)
	case most >= 1:
		n = min(n, 2)
	}
	return func(v float64) string {
		switch {
		case !known(v):
			return "—"
		case u == Share:
			return f.Pct(v, n)
		}
		return f.Num(v, n)
	}
}

func decimals(v float64) int {
	a := math.Abs(v)
	switch {
	case a == math.Trunc(a) || a >= 100:
		return 0
	case a >= 1 || a >= 0.095 && math.Abs(a*10-math.Round(a*10)) < 1e-9:
		return 1
	case a >= 0.095:
		return 2
	}
	return 3
}

// Width is a class of container widths, in CSS pixels.
type Width uint8

// The widths. A chart drawn for a width is shown when its container is between
// some 0.85 and 1.4 times its Units.
const (
	Narrow Width = iota // phone: below 440
	Medium              // half a laptop's column: 440 to 700
	Large               // a laptop's column: 700 to 1100
	Wide                // a wide or a wall screen: from 1100
)

// Units is the width of the scene.
func (w Width) Units() float64 { return [...]float64{320, 520, 820, 1280}[min(w, Wide)] }

func (w Width) class() string { return [...]string{"n", "m", "l", "w"}[min(w, Wide)] }

// Half is for a chart in half of a page's column, Full for the whole column,
// Wall for a wall screen.
var (
	Half = []Width{Narrow, Medium}
	Full = []Width{Narrow, Medium, Large, Wide}
	Wall = []Width{Large, Wide}
)

// Render gives the HTML of a chart: one <svg> for each width, of which the
// style sheet shows one. The others are out of the page for everybody, also
// for the keyboard and for screen readers.
func Render(c Chart, f Format, widths []Width) template.HTML {
	if len(widths) == 0 {
		widths = Half
	}
	b := make([]byte, 0, 16<<10)
	b = append(b, `<div class="drawing`...)
	for _, w := range widths {
		b = append(b, " has-"...)
		b = append(b, w.class()...)
	}
	b = append(b, `">`...)
	for _, w := range widths {
		s := c.Scene(f, w.Units())
		b = s.AppendSVG(b, c.head().ID+"-"+w.class(), "draw-"+w.class())
	}
	b = append(b, `</div>`...)
	return template.HTML(b) //nolint:gosec // every text and address was escaped by AppendSVG
}

// scene begins a drawing.
func (h *Head) scene(width float64) *Scene {
	return &Scene{W: width, Label: h.Label, Desc: h.Desc}
}

// empty is the drawing of no data: a sentence, never a bare axis.
func (h *Head) empty(f Format, width float64) *Scene {
	s := h.scene(width)
	s.H = 64
	s.add(Text{X: width / 2, Y: 38, S: f.T("chart.empty"), Anchor: Middle, Class: textLabel + " muted"})
	return s
}

// Cat is the class of a category's colour: 1 to 8; 0 is the accent, anything
// else is "others".
func Cat(category int) string {
	if category >= 0 && category <= 8 {
		return "c-cat" + strconv.Itoa(category)
	}
	return "c-other"
}

// None is a value that is not known, for the optional values of marks.
func None() float64 { return math.NaN() }

func known(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// State is how a mark takes part in the page's filters.
type State uint8

// The states.
const (
	Plain State = iota
	On          // chosen as a filter
	Off         // not chosen while another is
)

func (s State) class() string {
	switch s {
	case On:
		return " is-on"
	case Off:
		return " is-off"
	case Plain:
	}
	return ""
}

// title is the sentence of a mark: its own, else "label: value".
func title(f Format, own, label, value string) string {
	if own != "" {
		return own
	}
	if label == "" {
		return value
	}
	return f.T("chart.point", "label", label, "value", value)
}
