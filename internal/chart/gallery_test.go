package chart_test

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"statincidents/internal/chart"
)

// TestGallery writes every sample on one page, in CHART_GALLERY, to be looked
// at. It is skipped without it.
func TestGallery(t *testing.T) {
	dir := os.Getenv("CHART_GALLERY")
	if dir == "" {
		t.Skip("CHART_GALLERY names no folder")
	}
	p := printer(t)
	var css strings.Builder
	for _, name := range []string{"tokens", "chart"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "ui", "css", name+".css"))
		if err != nil {
			t.Fatal(err)
		}
		css.Write(b)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<!doctype html><html lang="fr"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Graphiques</title><style>
@font-face{font-family:"Atkinson Hyperlegible Next Variable";src:url(font.woff2);font-weight:200 800}
%s
body{background:var(--paper);color:var(--ink);font-family:var(--font);margin:0 auto;padding:16px;max-width:1440px}
main{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:40px 48px}
@media(width<900px){main{grid-template-columns:minmax(0,1fr)}}
figure{margin:0;border-top:2px solid var(--ink);padding-top:8px}figure.full{grid-column:1/-1}
h2{font-size:18px;margin:0}figcaption p{margin:2px 0 12px;font-size:13px;color:var(--ink-2)}
</style><main>`, css.String())
	for _, s := range samples(t) {
		class := ""
		if len(s.widths) > 2 {
			class = "full"
		}
		fmt.Fprintf(&b, `<figure class=%q><figcaption><h2>%s</h2><p>%s</p></figcaption>%s</figure>`, class, html.EscapeString(s.headline), html.EscapeString(s.question), chart.Render(s.chart, p, s.widths))
	}
	spark := &chart.Spark{Head: chart.Head{ID: "sp", Label: "en hausse de 12 % sur huit semaines"}, Values: []float64{12, 14, 13, 17, 16, 18, 22, 21}, Ghost: []float64{11, 11, 12, 12, 13, 12, 14, 13}}
	fmt.Fprintf(&b, `<p>143 ouverts %s +12 %%</p></main></html>`, spark.HTML(p))
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
