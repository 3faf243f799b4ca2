package chart

import (
	"math"
	"slices"
	"time"
)

// Strip shows a series of weekly counts beside what was expected of it: bars
// for what was counted, a stepped line for what was expected, a band for what
// chance alone would do, a mark on the weeks that were out of the ordinary.
// Weeks that are not given (holidays) are empty: shade them.
type Strip struct {
	Head
	Period
	Weeks []StripWeek
	// What the legend says.
	Counted, Expected, Band, Alert string
}

// StripWeek is a bucket of the period.
type StripWeek struct {
	At       time.Time
	Counted  float64
	Expected float64 // NaN when not known
	Low      float64 // of the band, drawn when High > Low
	High     float64
	Out      bool // it was out of the ordinary
	Href     string
	Title    string
}

// Scene draws the strip.
func (c *Strip) Scene(f Format, width float64) *Scene {
	buckets := c.buckets()
	if len(buckets) == 0 || len(c.Weeks) == 0 {
		return c.empty(f, width)
	}
	b := newBounds()
	b.take(0)
	marked := false
	for _, w := range c.Weeks {
		b.take(w.Counted, w.Expected)
		if w.High > w.Low {
			b.take(w.High)
		}
		marked = marked || w.Out
	}
	if marked {
		b.take(b.hi * 1.08) // room for the marks over the bars
	}
	s := c.scene(width)
	legend, top := c.legend(width, marked)
	s.add(legend)
	fr := newFrame(f, &c.Period, c.Unit, b, width, 0, top)
	s.H = fr.height
	s.add(Group{Hidden: true, Items: fr.under})
	at := map[int]time.Time{}
	for _, t := range buckets {
		at[civilDay(t)] = t
	}
	var bars, marks []Node
	var line, upper, lower []Pt
	var bands []Node
	flush := func() {
		for _, p := range slices.Backward(lower) {
			upper = append(upper, p)
		}
		if len(upper) > 0 {
			upper[len(upper)-1].Close = true
			bands = append(bands, Path{Pts: upper, Class: "band " + Cat(3)})
		}
		upper, lower = nil, nil
	}
	end, banded := math.Inf(-1), math.Inf(-1)
	for _, w := range c.Weeks {
		t, ok := at[civilDay(c.Grain.start(w.At))]
		if !ok {
			continue
		}
		x1, x2 := fr.x.at(t), fr.x.at(c.Grain.next(t))
		if known(w.Expected) {
			y := fr.y.at(w.Expected)
			line = append(line, Pt{X: x1, Y: y, Up: x1 > end+0.5}, Pt{X: x2, Y: y})
			end = x2
		}
		if w.High > w.Low {
			if x1 > banded+0.5 {
				flush()
			}
			upper = append(upper, Pt{X: x1, Y: fr.y.at(w.High), Up: len(upper) == 0}, Pt{X: x2, Y: fr.y.at(w.High)})
			lower = append(lower, Pt{X: x1, Y: fr.y.at(w.Low)}, Pt{X: x2, Y: fr.y.at(w.Low)})
			banded = x2
		}
		bars = append(bars, c.bar(f, fr, &w, t, x1, x2))
		if w.Out {
			x, y := (x1+x2)/2, fr.y.at(math.Max(w.Counted, 0))-8
			marks = append(marks, Path{Pts: []Pt{{X: x, Y: y - 5, Up: true}, {X: x + 5, Y: y}, {X: x, Y: y + 5}, {X: x - 5, Y: y, Close: true}}, Class: "mark disc " + Cat(2)})
		}
	}
	flush()
	s.add(Group{Hidden: true, Items: bands})
	s.add(bars...)
	if len(line) > 0 {
		marks = append([]Node{Path{Pts: line, Class: "line " + Cat(3)}}, marks...)
	}
	zero := fr.y.at(0)
	marks = append(marks, Line{X1: fr.left, Y1: zero, X2: fr.right, Y2: zero, Class: "axis"})
	s.add(Group{Hidden: true, Items: marks})
	s.add(fr.above...)
	return s
}

// bar is the count of a week, chosen over its whole height.
func (c *Strip) bar(f Format, fr *frame, w *StripWeek, t time.Time, x1, x2 float64) Node {
	class := "mark seg " + Cat(0)
	if w.Out {
		class = "mark seg " + Cat(2)
	}
	if c.unfinished(t) {
		class += " partial"
	}
	gap := math.Min((x2-x1)*0.2, 6)
	link := Link{Href: w.Href, Class: "pt", Title: title(f, w.Title, c.bucketName(f, t), c.Unit.write(f, w.Counted)), Items: []Node{
		Rect{X: x1, Y: fr.top, W: x2 - x1, H: fr.bottom - fr.top, Class: "hit"},
	}}
	if known(w.Counted) && w.Counted > 0 {
		y := fr.y.at(w.Counted)
		link.Items = append(link.Items, Rect{X: x1 + gap/2, Y: y, W: math.Max(x2-x1-gap, 0.5), H: math.Max(fr.y.at(0)-y, 0.5), Class: class})
	}
	return link
}

// legend names what is drawn, each by its shape.
func (c *Strip) legend(width float64, marked bool) (Group, float64) {
	g := Group{Class: "legend", Hidden: true}
	x, y := 0.0, 0.0
	key := func(label string, draw func(x, y float64) Node) {
		if label == "" {
			return
		}
		text := fit(label, width-24, textSmall)
		w := 24 + textWidth(text, textSmall)
		if x > 0 && x+w > width {
			x, y = 0, y+18
		}
		g.Items = append(g.Items, draw(x, y), Text{X: x + 23, Y: y + 12.5, S: text, Class: textSmall})
		x += w + 14
	}
	key(c.Counted, func(x, y float64) Node { return Rect{X: x + 4, Y: y + 3, W: 10, H: 10, R: 2, Class: "mark " + Cat(0)} })
	key(c.Expected, func(x, y float64) Node {
		return Path{Pts: []Pt{{X: x, Y: y + 8, Up: true}, {X: x + 18, Y: y + 8}}, Class: "line " + Cat(3)}
	})
	key(c.Band, func(x, y float64) Node { return Rect{X: x, Y: y + 2, W: 18, H: 12, Class: "band " + Cat(3)} })
	if marked {
		key(c.Alert, func(x, y float64) Node {
			return Path{Pts: []Pt{{X: x + 9, Y: y + 3, Up: true}, {X: x + 14, Y: y + 8}, {X: x + 9, Y: y + 13}, {X: x + 4, Y: y + 8, Close: true}}, Class: "mark disc " + Cat(2)}
		})
	}
	if len(g.Items) == 0 {
		return g, 0
	}
	return g, y + 20
}
