package chart_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/chart"
)

var update = flag.Bool("update", false, "write the golden files anew")

var allWidths = []chart.Width{chart.Narrow, chart.Medium, chart.Large, chart.Wide}

// pretty sets one element a line, so that a change of a drawing reads as such.
func pretty(svg []byte) string {
	return strings.ReplaceAll(string(svg), "><", ">\n<") + "\n"
}

func TestGolden(t *testing.T) {
	t.Parallel()
	p := printer(t)
	for _, s := range samples(t) {
		for _, w := range []chart.Width{chart.Narrow, chart.Medium} {
			name := fmt.Sprintf("%s-%.0f.svg", s.name, w.Units())
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				got := pretty(s.chart.Scene(p, w.Units()).AppendSVG(nil, s.name, "draw"))
				path := filepath.Join("testdata", name)
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), got); d != "" {
					t.Errorf("the drawing changed (run with -update and look at it):\n%s", d)
				}
			})
		}
	}
}

// rect is what a node covers.
type rect struct{ x1, y1, x2, y2 float64 }

func extent(n chart.Node) (rect, bool) {
	switch n := n.(type) {
	case chart.Rect:
		return rect{n.X, n.Y, n.X + n.W, n.Y + n.H}, true
	case chart.Line:
		return rect{min(n.X1, n.X2), min(n.Y1, n.Y2), max(n.X1, n.X2), max(n.Y1, n.Y2)}, true
	case chart.Circle:
		return rect{n.X - n.R, n.Y - n.R, n.X + n.R, n.Y + n.R}, true
	case chart.Path:
		r := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
		for _, p := range n.Pts {
			r = rect{min(r.x1, p.X), min(r.y1, p.Y), max(r.x2, p.X), max(r.y2, p.Y)}
			if math.IsNaN(p.X) || math.IsNaN(p.Y) {
				return rect{math.NaN(), 0, 0, 0}, true
			}
		}
		return r, len(n.Pts) > 0
	case chart.Text:
		return textBox(n), true
	}
	return rect{}, false
}

func textBox(n chart.Text) rect {
	size, _ := chart.Font(n.Class)
	w := chart.TextWidth(n.S, n.Class)
	x := n.X - w*[...]float64{0, 0.5, 1}[n.Anchor]
	return rect{x, n.Y - size*0.75, x + w, n.Y + size*0.2}
}

// check holds what is true of every drawing: numbers are numbers, nothing is
// out of the box, axis labels do not touch each other, a link has its title.
func check(t interface {
	Helper()
	Errorf(string, ...any)
}, name string, s *chart.Scene) {
	t.Helper()
	if !(s.W > 0) || !(s.H > 0) || s.H > 20_000 {
		t.Errorf("%s: box of %g by %g", name, s.W, s.H)
	}
	var labels []chart.Text
	s.Walk(func(n chart.Node) {
		if l, ok := n.(chart.Link); ok && l.Href != "" && strings.TrimSpace(l.Title) == "" {
			t.Errorf("%s: a link without a title: %s", name, l.Href)
		}
		r, ok := extent(n)
		if !ok {
			return
		}
		if !(r.x1 <= r.x2) || !(r.y1 <= r.y2) {
			t.Errorf("%s: not numbers, or a negative size: %+v", name, n)
		}
		const slack = 1.5 // half a stroke
		if r.x1 < -slack || r.y1 < -slack || r.x2 > s.W+slack || r.y2 > s.H+slack {
			t.Errorf("%s: out of the box of %g by %g: %+v covers %+v", name, s.W, s.H, n, r)
		}
		if text, ok := n.(chart.Text); ok {
			if strings.Contains(text.Class, "tick") || strings.Contains(text.Class, "note-t") {
				labels = append(labels, text)
			}
		}
	})
	for i, a := range labels {
		for _, b := range labels[i+1:] {
			x, y := textBox(a), textBox(b)
			if x.x1 < y.x2 && y.x1 < x.x2 && x.y1 < y.y2 && y.y1 < x.y2 {
				t.Errorf("%s: labels %q and %q touch", name, a.S, b.S)
			}
		}
	}
}

func TestSamplesKeepTheRules(t *testing.T) {
	t.Parallel()
	p := printer(t)
	for _, s := range samples(t) {
		for _, w := range allWidths {
			check(t, fmt.Sprintf("%s at %.0f", s.name, w.Units()), s.chart.Scene(p, w.Units()))
		}
	}
}

func values() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(0, 2000), func(n int) float64 { return float64(n) }),
		rapid.Float64Range(0, 1e9),
		rapid.Float64Range(0, 1),
		rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), 1e-9}),
	)
}

func TestAnyDataKeepsTheRules(t *testing.T) {
	t.Parallel()
	p := printer(t)
	loc := paris(t)
	name := rapid.OneOf(rapid.String(), rapid.SampledFrom(schools), rapid.StringN(0, 90, -1))
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom(allWidths).Draw(t, "width").Units()
		unit := rapid.SampledFrom([]chart.Unit{chart.Number, chart.Share, chart.Hours}).Draw(t, "unit")
		head := chart.Head{ID: "x", Label: "x", Unit: unit}
		bars := &chart.Bars{Head: head}
		if rapid.Bool().Draw(t, "ghost") {
			bars.Ghost = "avant"
		}
		if rapid.Bool().Draw(t, "ref") {
			bars.Ref = &chart.Ref{Value: values().Draw(t, "ref value"), Label: name.Draw(t, "ref label")}
		}
		if rapid.Bool().Draw(t, "stacked") {
			bars.Parts = []chart.Part{{Label: "a", Category: 1}, {Label: name.Draw(t, "part"), Category: 12}}
		}
		for range rapid.IntRange(0, 8).Draw(t, "bars") {
			low := values().Draw(t, "low")
			bars.Items = append(bars.Items, chart.Bar{
				Label: name.Draw(t, "label"), Value: values().Draw(t, "value"), Ghost: values().Draw(t, "before"), Low: low, High: low * 1.5, Href: "/x", Note: name.Draw(t, "note"),
				Values: []float64{values().Draw(t, "v1"), values().Draw(t, "v2")}, Hrefs: []string{"/y"},
			})
		}
		check(t, "bars", bars.Scene(p, width))

		period := chart.Period{Grain: rapid.SampledFrom([]chart.Grain{chart.Day, chart.Week, chart.Month, chart.Year}).Draw(t, "grain")}
		period.From = time.Date(2015+rapid.IntRange(0, 12).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), 0, 0, 0, 0, loc)
		span := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 420), rapid.IntRange(0, 6000)).Draw(t, "days")
		period.To = period.From.AddDate(0, 0, span)
		within := func(what string) time.Time {
			return period.From.AddDate(0, 0, rapid.IntRange(-3, span+3).Draw(t, what))
		}
		if rapid.Bool().Draw(t, "has until") {
			period.Until = within("until")
		}
		for range rapid.IntRange(0, 4).Draw(t, "notes") {
			period.Notes = append(period.Notes, chart.Note{At: within("at"), Label: name.Draw(t, "note")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "shades") {
			at := within("from")
			period.Shades = append(period.Shades, chart.Shade{From: at, To: at.AddDate(0, 0, 16), Label: name.Draw(t, "shade")})
		}
		series := func() chart.Series {
			s := chart.Series{Label: name.Draw(t, "series"), Category: rapid.IntRange(0, 10).Draw(t, "category"), Gaps: rapid.Bool().Draw(t, "gaps"), Below: rapid.Bool().Draw(t, "below")}
			for range rapid.IntRange(0, 12).Draw(t, "points") {
				v := values().Draw(t, "value")
				s.Points = append(s.Points, chart.Point{At: within("at"), Value: v, Low: v / 2, High: v * rapid.SampledFrom([]float64{0, 2}).Draw(t, "band"), Href: "/x"})
			}
			return s
		}
		all := []chart.Series{series(), series()}[:rapid.IntRange(0, 2).Draw(t, "series")]
		ghost := series()
		check(t, "lines", (&chart.Lines{Head: head, Period: period, Series: all, Ghost: &ghost, Ref: bars.Ref}).Scene(p, width))
		check(t, "columns", (&chart.Columns{Head: head, Period: period, Series: all, Area: rapid.Bool().Draw(t, "area"), Ref: bars.Ref}).Scene(p, width))
		multiples := &chart.Multiples{Head: head, Period: period, Ghost: bars.Ghost}
		for _, s := range all {
			multiples.Panels = append(multiples.Panels, chart.Panel{Label: s.Label, Note: "+12 %", Points: s.Points, Ghost: ghost.Points, Href: "/x"})
		}
		check(t, "multiples", multiples.Scene(p, width))

		heat := &chart.Heat{Head: head, Rows: rapid.SliceOfN(name, 0, 9).Draw(t, "rows"), Cols: rapid.SliceOfN(name, 0, 26).Draw(t, "cols"), Trim: rapid.Bool().Draw(t, "trim")}
		for range heat.Rows {
			row := make([]chart.Cell, rapid.IntRange(0, len(heat.Cols)).Draw(t, "cells"))
			for i := range row {
				row[i] = chart.Cell{Value: values().Draw(t, "cell"), Href: "/x"}
			}
			heat.Cells = append(heat.Cells, row)
		}
		check(t, "heat", heat.Scene(p, width))

		places := &chart.Places{Head: head, SizeLabel: name.Draw(t, "size"), ShadeLabel: name.Draw(t, "what"), Outline: [][]chart.XY{{{X: -50, Y: -30}, {X: 60, Y: -20}, {X: 0, Y: 40}}}}
		for range rapid.IntRange(0, 20).Draw(t, "places") {
			places.Items = append(places.Items, chart.Place{Label: name.Draw(t, "place"), At: chart.XY{X: rapid.Float64Range(-80, 80).Draw(t, "x"), Y: rapid.Float64Range(-50, 60).Draw(t, "y")}, Value: values().Draw(t, "size"), Shade: values().Draw(t, "shade"), Href: "/x"})
		}
		check(t, "places", places.Scene(p, width))
		spark := &chart.Spark{Head: head, Values: rapid.SliceOfN(values(), 0, 40).Draw(t, "spark"), Ghost: rapid.SliceOfN(values(), 0, 40).Draw(t, "spark ghost")}
		check(t, "spark", spark.Scene(p, 120))
	})
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		unit   chart.Unit
		lo, hi float64
		n      int
		whole  bool
		want   []float64
	}{
		{"counts", chart.Number, 0, 143, 4, true, []float64{0, 50, 100, 150}},
		{"few counts take whole steps", chart.Number, 0, 2, 5, true, []float64{0, 1, 2}},
		{"rates may take parts", chart.Number, 0, 2, 4, false, []float64{0, 0.5, 1, 1.5, 2}},
		{"hours by the clock", chart.Hours, 0, 60, 3, false, []float64{0, 24, 48, 72}},
		{"both sides of zero", chart.Number, -40, 90, 3, true, []float64{-50, 0, 50, 100}},
		{"nothing", chart.Number, 0, 0, 4, true, []float64{0, 1}},
		{"not a number", chart.Number, math.NaN(), 3, 4, false, []float64{0, 0.5, 1}},
	} {
		got := chart.Ticks(c.unit, c.lo, c.hi, c.n, c.whole)
		if d := cmp.Diff(c.want, got); d != "" && c.name != "not a number" {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		lo, hi := rapid.Float64Range(-1e6, 0).Draw(t, "lo"), rapid.Float64Range(0, 1e6).Draw(t, "hi")
		n := rapid.IntRange(1, 10).Draw(t, "n")
		ticks := chart.Ticks(chart.Number, lo, hi, n, rapid.Bool().Draw(t, "whole"))
		if len(ticks) > n+3 {
			t.Fatalf("%d ticks where %d steps were asked", len(ticks), n)
		}
		if slack := 1e-8 * (ticks[1] - ticks[0]); ticks[0] > lo+slack || ticks[len(ticks)-1] < hi-slack {
			t.Fatalf("%v does not cover %g…%g", ticks, lo, hi)
		}
	})
}

// An address outside of the site, or a script, is never a link.
func TestHref(t *testing.T) {
	t.Parallel()
	for href, ok := range map[string]bool{
		"/incidents?a=1&b=2": true, "?dim=school": true, "#x": true,
		"javascript:alert(1)": false, "//evil.example": false, `/\evil.example`: false, "https://evil.example": false, "": false, "\u00a0/x": false,
	} {
		if got := chart.SafeHref(href) != ""; got != ok {
			t.Errorf("%q: link %v, want %v", href, got, ok)
		}
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	p := printer(t)
	ids := regexp.MustCompile(` id="([^"]+)"`)
	for _, s := range samples(t) {
		html := string(chart.Render(s.chart, p, chart.Full))
		if strings.Contains(html, "style=") || strings.Contains(html, "<script") || strings.Contains(html, " on") && regexp.MustCompile(`\son\w+=`).MatchString(html) {
			t.Errorf("%s: inline style or script", s.name)
		}
		if n := strings.Count(html, "<svg"); n != len(chart.Full) {
			t.Errorf("%s: %d drawings for %d widths", s.name, n, len(chart.Full))
		}
		seen := map[string]bool{}
		for _, m := range ids.FindAllStringSubmatch(html, -1) {
			if seen[m[1]] {
				t.Errorf("%s: id %q twice", s.name, m[1])
			}
			seen[m[1]] = true
		}
		for _, svg := range strings.Split(html, "<svg")[1:] {
			links := strings.Contains(svg, "<a ")
			if links != strings.Contains(svg, `role="group"`) || links == strings.Contains(svg, `role="img"`) {
				t.Errorf("%s: a drawing of links must be a group, another an image", s.name)
			}
		}
	}
}

// elements are all that a drawing is made of.
var elements = map[string]bool{"svg": true, "desc": true, "g": true, "a": true, "title": true, "rect": true, "line": true, "path": true, "text": true, "circle": true}

// FuzzLabels draws any text from outside and reads it back as XML.
func FuzzLabels(f *testing.F) {
	f.Add("Collège « Montjoie »", "/incidents?q=a&b=c")
	f.Add(`"><script>alert(1)</script>`, "javascript:alert(1)")
	f.Add("\xff\x00\u202e]]>&amp;", `/x"onload="y`)
	f.Add(strings.Repeat("œ", 400), "//x")
	p := printer(f)
	f.Fuzz(func(t *testing.T, label, href string) {
		for _, width := range []float64{320, 820} {
			c := &chart.Bars{Head: chart.Head{ID: "f", Label: label, Desc: label}, Ghost: label, Ref: &chart.Ref{Value: 1, Label: label}, Items: []chart.Bar{{Label: label, Value: 3, Href: href, Note: label}}}
			s := c.Scene(p, width)
			check(t, "bars", s)
			svg := s.AppendSVG(nil, "f", "draw")
			d := xml.NewDecoder(strings.NewReader(string(svg)))
			for {
				tok, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("not well formed: %v\n%s", err, svg)
				}
				if e, ok := tok.(xml.StartElement); ok {
					if !elements[e.Name.Local] {
						t.Fatalf("element %s", e.Name.Local)
					}
					for _, a := range e.Attr {
						if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || a.Name.Local == "href" && !strings.ContainsAny(a.Value[:1], "/?#") {
							t.Fatalf("attribute %s=%q", a.Name.Local, a.Value)
						}
					}
				}
			}
		}
		if w := chart.TextWidth(chart.Fit(label, 100, "t"), "t"); w > 100 {
			t.Errorf("cut to %g of 100", w)
		}
		for _, line := range chart.Wrap(label, 100, "t", 2) {
			if chart.TextWidth(line, "t") > 100 {
				t.Errorf("line of %g in 100", chart.TextWidth(line, "t"))
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	p := printer(b)
	for _, s := range samples(b) {
		switch s.name {
		case "bars-58", "lines-day", "heat", "map":
		default:
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = len(chart.Render(s.chart, p, chart.Half))
			}
			b.ReportMetric(float64(n), "bytes")
		})
	}
}
