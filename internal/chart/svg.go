package chart

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendSVG writes the scene as an <svg> element with that id and class. There
// is no style attribute and no script in it, so that it passes a strict content
// security policy.
//
// A chart whose marks are links is a group for assistive tools (an image hides
// what is inside it), the others are images.
func (s *Scene) AppendSVG(b []byte, id, class string) []byte {
	b = append(b, `<svg class="`...)
	b = appendEscaped(b, class)
	b = append(b, `" viewBox="0 0 `...)
	b = appendNumber(b, s.W)
	b = append(b, ' ')
	b = appendNumber(b, s.H)
	role := "img"
	if s.hasLinks() {
		role = "group"
	}
	b = append(b, `" role="`...)
	b = append(b, role...)
	b = append(b, `" aria-label="`...)
	b = appendEscaped(b, s.Label)
	if s.Desc != "" {
		b = append(b, `" aria-describedby="`...)
		b = appendEscaped(b, id)
		b = append(b, `-d`...)
	}
	b = append(b, `" focusable="false">`...)
	if s.Desc != "" {
		b = append(b, `<desc id="`...)
		b = appendEscaped(b, id)
		b = append(b, `-d">`...)
		b = appendEscaped(b, s.Desc)
		b = append(b, `</desc>`...)
	}
	b = appendNodes(b, s.Items)
	return append(b, `</svg>`...)
}

func appendNodes(b []byte, items []Node) []byte {
	for _, n := range items {
		b = appendNode(b, n)
	}
	return b
}

func appendNode(b []byte, n Node) []byte {
	switch n := n.(type) {
	case Rect:
		b = append(b, `<rect`...)
		b = appendClass(b, n.Class)
		b = appendAttr(b, "x", n.X)
		b = appendAttr(b, "y", n.Y)
		b = appendAttr(b, "width", math.Max(n.W, 0))
		b = appendAttr(b, "height", math.Max(n.H, 0))
		if n.R > 0 {
			b = appendAttr(b, "rx", n.R)
		}
		b = append(b, `/>`...)
	case Line:
		b = append(b, `<line`...)
		b = appendClass(b, n.Class)
		b = appendAttr(b, "x1", n.X1)
		b = appendAttr(b, "y1", n.Y1)
		b = appendAttr(b, "x2", n.X2)
		b = appendAttr(b, "y2", n.Y2)
		b = append(b, `/>`...)
	case Path:
		b = append(b, `<path`...)
		b = appendClass(b, n.Class)
		b = append(b, ` d="`...)
		b = appendPts(b, n.Pts)
		b = append(b, `"/>`...)
	case Circle:
		b = append(b, `<circle`...)
		b = appendClass(b, n.Class)
		b = appendAttr(b, "cx", n.X)
		b = appendAttr(b, "cy", n.Y)
		b = appendAttr(b, "r", n.R)
		b = append(b, `/>`...)
	case Text:
		b = append(b, `<text`...)
		class := n.Class
		switch n.Anchor {
		case Middle:
			class += " mid"
		case End:
			class += " end"
		case Start:
		}
		b = appendClass(b, class)
		b = appendAttr(b, "x", n.X)
		b = appendAttr(b, "y", n.Y)
		b = append(b, '>')
		b = appendEscaped(b, n.S)
		b = append(b, `</text>`...)
	case Group:
		b = append(b, `<g`...)
		b = appendClass(b, n.Class)
		if n.Hidden {
			b = append(b, ` aria-hidden="true"`...)
		}
		b = append(b, '>')
		b = appendNodes(b, n.Items)
		b = append(b, `</g>`...)
	case Link:
		b = appendLink(b, n)
	}
	return b
}

func appendLink(b []byte, n Link) []byte {
	element := `a`
	href := safeHref(n.Href)
	if href == "" {
		element = `g`
	}
	b = append(b, '<')
	b = append(b, element...)
	b = appendClass(b, n.Class+n.State.class())
	if href != "" {
		b = append(b, ` href="`...)
		b = appendEscaped(b, href)
		b = append(b, '"')
	}
	if n.State == On {
		b = append(b, ` aria-current="true"`...)
	}
	b = append(b, '>')
	if n.Title != "" {
		b = append(b, `<title>`...)
		b = appendEscaped(b, n.Title)
		b = append(b, `</title>`...)
	}
	b = appendNodes(b, n.Items)
	b = append(b, `</`...)
	b = append(b, element...)
	return append(b, '>')
}

// safeHref lets through addresses within the site only: a path, a query or a
// fragment. Labels come from imported files, and "javascript:" must not become
// a link if one ever reaches an address.
func safeHref(href string) string {
	switch {
	case strings.HasPrefix(href, "//"), strings.HasPrefix(href, `/\`):
		return ""
	case strings.HasPrefix(href, "/"), strings.HasPrefix(href, "?"), strings.HasPrefix(href, "#"):
		return href
	}
	return ""
}

func appendPts(b []byte, pts []Pt) []byte {
	for i, p := range pts {
		if i == 0 || p.Up {
			b = append(b, 'M')
		} else {
			b = append(b, 'L')
		}
		b = appendNumber(b, p.X)
		b = append(b, ' ')
		b = appendNumber(b, p.Y)
		if p.Close {
			b = append(b, 'Z')
		}
	}
	return b
}

func appendClass(b []byte, class string) []byte {
	if class == "" {
		return b
	}
	b = append(b, ` class="`...)
	b = appendEscaped(b, class)
	return append(b, '"')
}

func appendAttr(b []byte, name string, v float64) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, `="`...)
	b = appendNumber(b, v)
	return append(b, '"')
}

// appendNumber writes a coordinate to a tenth of a unit, which is finer than a
// pixel at every size shown.
func appendNumber(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.Abs(v) > 1e6 {
		return append(b, '0') // never drawn; the properties test that it does not happen
	}
	tenths := int64(math.Round(v * 10))
	if tenths < 0 {
		b = append(b, '-')
		tenths = -tenths
	}
	b = strconv.AppendInt(b, tenths/10, 10)
	if d := tenths % 10; d != 0 {
		b = append(b, '.', byte('0'+d))
	}
	return b
}

// appendEscaped writes text for an element or a quoted attribute, and replaces
// what XML cannot hold, so that a standalone file is well formed.
func appendEscaped(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '&':
			b = append(b, `&amp;`...)
		case r == '<':
			b = append(b, `&lt;`...)
		case r == '>':
			b = append(b, `&gt;`...)
		case r == '"':
			b = append(b, `&#34;`...)
		case r == '\t' || r == '\n' || r == '\r':
			b = append(b, ' ')
		case r < 0x20 || r == 0xFFFE || r == 0xFFFF:
			b = append(b, "\uFFFD"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
