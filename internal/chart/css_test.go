package chart_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"statincidents/internal/chart"
)

// theme is the colours of one theme by custom property.
type theme map[string][3]float64

func css(t *testing.T, names ...string) string {
	t.Helper()
	var b strings.Builder
	for _, n := range names {
		text, err := os.ReadFile(filepath.Join("..", "..", "ui", "css", n+".css"))
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}

var property = regexp.MustCompile(`(--[a-z0-9-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`)

func themes(t *testing.T) map[string]theme {
	t.Helper()
	out := map[string]theme{"light": {}, "dark": {}}
	for _, m := range property.FindAllStringSubmatch(css(t, "tokens", "chart"), -1) {
		out["light"][m[1]], out["dark"][m[1]] = rgb(m[2]), rgb(m[3])
	}
	return out
}

func rgb(hex string) (c [3]float64) {
	n, _ := strconv.ParseUint(hex[1:], 16, 32)
	for i := range c {
		c[i] = float64(n>>(16-8*i)&255) / 255
	}
	return c
}

// luminance and contrast are those of WCAG 2.2.
func luminance(c [3]float64) float64 {
	for i, v := range c {
		if v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
}

func contrast(a, b [3]float64) float64 {
	x, y := luminance(a)+0.05, luminance(b)+0.05
	return math.Max(x, y) / math.Min(x, y)
}

func TestContrast(t *testing.T) {
	t.Parallel()
	type pair struct {
		fore, back string
		least      float64
	}
	pairs := []pair{
		{"--ink", "--paper", 4.5}, {"--ink-2", "--paper", 4.5}, {"--ink-3", "--paper", 4.5}, {"--ink-3", "--chart-shade", 4.5},
		{"--chart-ref", "--paper", 4.5}, {"--ink", "--chart-land", 4.5},
		{"--chart-axis", "--paper", 3}, {"--chart-ghost-line", "--paper", 3}, {"--chart-ghost-line", "--chart-shade", 2.7}, // dashed, beside a shade
		{"--chart-land-edge", "--paper", 3}, {"--chart-edge", "--chart-land", 3}, {"--accent", "--paper", 3}, {"--accent", "--chart-ghost", 3},
		{"--cat-others", "--paper", 3}, {"--focus", "--paper", 3}, {"--accent", "--chart-land", 3},
		{"--chart-on-middle", "--seq-4", 4.5},
	}
	for i := 1; i <= 8; i++ {
		pairs = append(pairs, pair{"--cat-" + strconv.Itoa(i), "--paper", 3})
	}
	for _, i := range []string{"0", "1", "2", "3"} {
		pairs = append(pairs, pair{"--ink", "--seq-" + i, 4.5})
	}
	for _, i := range []string{"5", "6", "7"} {
		pairs = append(pairs, pair{"--chart-on-strong", "--seq-" + i, 4.5})
	}
	for name, th := range themes(t) {
		for _, p := range pairs {
			fore, ok1 := th[p.fore]
			back, ok2 := th[p.back]
			if !ok1 || !ok2 {
				t.Errorf("%s: %s or %s is not in the style sheets", name, p.fore, p.back)
				continue
			}
			if c := contrast(fore, back); c < p.least {
				t.Errorf("%s: %s on %s is %.2f, want %.1f", name, p.fore, p.back, c, p.least)
			}
		}
		// Intensities go one way, each apart from its neighbour.
		for i := 1; i <= 7; i++ {
			a, b := luminance(th["--seq-"+strconv.Itoa(i-1)]), luminance(th["--seq-"+strconv.Itoa(i)])
			if (name == "light") != (b < a) {
				t.Errorf("%s: --seq-%d goes against the scale", name, i)
			}
			if i > 1 && contrast(th["--seq-"+strconv.Itoa(i-1)], th["--seq-"+strconv.Itoa(i)]) < 1.15 {
				t.Errorf("%s: --seq-%d cannot be told from the one before", name, i)
			}
		}
	}
}

// Every class that a drawing uses has its rule, and texts the size that layouts
// reckon with.
func TestClassesHaveRules(t *testing.T) {
	t.Parallel()
	text := css(t, "chart")
	p := printer(t)
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`\.([a-z][a-z0-9-]*)`).FindAllStringSubmatch(text, -1) {
		known[m[1]] = true
	}
	for _, free := range []string{"row", "pt", "part", "note", "legend", "names"} { // groups, for those who look
		known[free] = true
	}
	classes := regexp.MustCompile(` class="([^"]*)"`)
	for _, s := range samples(t) {
		for _, m := range classes.FindAllStringSubmatch(string(chart.Render(s.chart, p, allWidths)), -1) {
			for c := range strings.FieldsSeq(m[1]) {
				if !known[c] && !regexp.MustCompile(`^(draw|has)-[nmlw]$`).MatchString(c) {
					t.Errorf("%s: class %q has no rule", s.name, c)
				}
			}
		}
	}
	for _, class := range []string{"t", "ts"} {
		m := regexp.MustCompile(`\.drawing \.` + class + ` \{ font-size: ([0-9.]+)px`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no size for .%s", class)
		}
		if size, _ := chart.Font(class); strconv.FormatFloat(size, 'g', -1, 64) != m[1] {
			t.Errorf(".%s is %s px in the style sheet, %g in layouts", class, m[1], size)
		}
	}
}
