package web

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
)

// A département may choose its accent. One colour is given, for paper; those
// for the night, for what is pressed and for washes are made of it.

// rgb is a colour, each part from 0 to 1.
type rgb [3]float64

// colourOf reads "rrggbb".
func colourOf(hex string) (rgb, bool) {
	if len(hex) != 6 {
		return rgb{}, false
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return rgb{}, false
	}
	return rgb{float64(n>>16) / 255, float64(n>>8&0xff) / 255, float64(n&0xff) / 255}, true
}

// String is the colour as styles write it.
func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

// mix goes from c towards another colour by a share.
func (c rgb) mix(to rgb, share float64) rgb {
	for i := range c {
		c[i] += (to[i] - c[i]) * share
	}
	return c
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	var l [3]float64
	for i, v := range c {
		if v <= 0.04045 {
			l[i] = v / 12.92
		} else {
			l[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*l[0] + 0.7152*l[1] + 0.0722*l[2]
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// The grounds on which the accent is read, from tokens.css: the lightest and
// the darkest of each theme.
var (
	white      = rgb{1, 1, 1}
	black      = rgb{}
	dayPaper   = must("fbfaf6")
	dayGrounds = []rgb{must("fbfaf6"), must("f3f1ea"), must("ffffff"), must("ece9df")}
	night      = must("15191b")
	nightInk   = must("0d1a1d")
	nightTones = []rgb{must("15191b"), must("1b2022"), must("22282b"), must("293033")}
)

func must(hex string) rgb {
	c, ok := colourOf(hex)
	if !ok {
		panic("web: colour " + hex) // a constant above
	}
	return c
}

// textContrast is what WCAG 2.2 AA asks of text.
const textContrast = 4.5

// theme is what an accent makes.
type theme struct {
	accent, strong, wash, on [2]rgb // by day, by night
}

// themeOf makes the colours of an accent; ok is false if text in it could not
// be read on paper, or on a button.
func themeOf(accent rgb) (t theme, ok bool) {
	t.accent[0] = accent
	t.on = [2]rgb{white, nightInk}
	t.strong[0], t.wash[0] = accent.mix(black, 0.25), dayPaper.mix(accent, 0.1)
	for _, ground := range append([]rgb{t.on[0], t.wash[0]}, dayGrounds...) {
		if contrast(accent, ground) < textContrast {
			return t, false
		}
	}
	// By night the same hue, as light as it must be.
	for share := 0.0; share <= 1; share += 0.02 {
		lit := accent.mix(white, share)
		t.accent[1], t.strong[1], t.wash[1] = lit, lit.mix(white, 0.35), night.mix(accent, 0.3)
		readable := contrast(lit, t.on[1]) >= textContrast && contrast(lit, t.wash[1]) >= textContrast
		for _, ground := range nightTones {
			readable = readable && contrast(lit, ground) >= textContrast
		}
		if readable {
			return t, true
		}
	}
	return t, false
}

// serveTheme serves the styles of the accent in the address: they never change.
func serveTheme(w http.ResponseWriter, r *http.Request) {
	c, ok := colourOf(r.PathValue("accent"))
	t, readable := themeOf(c)
	if !ok || !readable {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	fmt.Fprintf(w, ":root { --accent: light-dark(%s, %s); --accent-strong: light-dark(%s, %s); --accent-wash: light-dark(%s, %s); --on-accent: light-dark(%s, %s); }\n",
		t.accent[0], t.accent[1], t.strong[0], t.strong[1], t.wash[0], t.wash[1], t.on[0], t.on[1])
}
