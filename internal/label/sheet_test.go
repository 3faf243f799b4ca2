package label

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"

	"statincidents/internal/fault"
)

// decode reads the QR code among rectangles (in millimetres) as a telephone
// would: from pixels.
func decode(t *testing.T, marks []Mark, x, y, w, h float64) string {
	t.Helper()
	const scale = 12 // pixels a millimetre: 300 dpi
	img := image.NewGray(image.Rect(0, 0, int(w*scale), int(h*scale)))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for _, m := range marks {
		if m.Text != "" {
			continue
		}
		for py := int(math.Round((m.Y - y) * scale)); py < int(math.Round((m.Y+m.H-y)*scale)); py++ {
			for px := int(math.Round((m.X - x) * scale)); px < int(math.Round((m.X+m.W-x)*scale)); px++ {
				img.SetGray(px, py, color.Gray{})
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatalf("the code is not read: %v", err)
	}
	return read.GetText()
}

const link = "https://incidents.loiret.fr/q/AAFrPq3vN0xYb2Zc1r8uWw5kTg"

func sticker(n int) Sticker {
	return Sticker{Link: link + strconv.Itoa(n), Where: "Salle " + strconv.Itoa(n), Machine: "HX20A-" + strconv.Itoa(n), School: "Collège Marguerite-de-Navarre-et-François-de-La-Rochefoucauld", Call: "Un problème ? Scannez, dites-le."}
}

// Every code of a sheet is read back, in the PDF itself, at the place and size
// of its label; the page is A4.
func TestPDF(t *testing.T) {
	t.Parallel()
	for _, g := range Grids {
		t.Run(g.Name, func(t *testing.T) {
			t.Parallel()
			var stickers []Sticker
			for n := range g.PerPage() {
				stickers = append(stickers, sticker(n))
			}
			sheets, err := Sheets(g, 3, stickers)
			if err != nil {
				t.Fatal(err)
			}
			if len(sheets) != 2 {
				t.Fatalf("%d sheets", len(sheets))
			}
			var b bytes.Buffer
			if err := write(&b, "Étiquettes", sheets, false); err != nil {
				t.Fatal(err)
			}
			boxes := regexp.MustCompile(`/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]`).FindAllStringSubmatch(b.String(), -1)
			if len(boxes) == 0 {
				t.Fatal("the PDF says no page size")
			}
			for _, box := range boxes {
				w, _ := strconv.ParseFloat(box[1], 64)
				h, _ := strconv.ParseFloat(box[2], 64)
				if math.Abs(w*pt-210) > 0.1 || math.Abs(h*pt-297) > 0.1 {
					t.Errorf("a page of %.1f × %.1f mm", w*pt, h*pt)
				}
			}
			pages := rectangles(t, b.String())
			if len(pages) != 2 {
				t.Fatalf("%d pages with rectangles", len(pages))
			}
			for n := range stickers {
				at := n + 2
				cell := at % g.PerPage()
				x, y := g.Left+float64(cell%g.Columns)*g.StepX, g.Top+float64(cell/g.Columns)*g.StepY
				var inside []Mark
				for _, m := range pages[at/g.PerPage()] {
					if m.X >= x && m.X+m.W <= x+g.W+1e-6 && m.Y >= y && m.Y+m.H <= y+g.H+1e-6 {
						inside = append(inside, m)
					}
				}
				if n%7 != 0 && n != len(stickers)-1 {
					continue // reading each takes long; the others have the same code
				}
				if got := decode(t, inside, x, y, g.W, g.H); got != stickers[n].Link {
					t.Errorf("label %d says %q", n, got)
				}
			}
		})
	}
}

// rectangles reads the filled rectangles of each page of an uncompressed PDF,
// in millimetres from the top left.
func rectangles(t *testing.T, doc string) [][]Mark {
	t.Helper()
	operator := regexp.MustCompile(`(?m)^([-0-9.]+) ([-0-9.]+) ([-0-9.]+) ([-0-9.]+) re f$`)
	var pages [][]Mark
	for stream := range strings.SplitSeq(doc, "endstream") {
		var page []Mark
		for _, m := range operator.FindAllStringSubmatch(stream, -1) {
			var v [4]float64
			for i := range v {
				v[i], _ = strconv.ParseFloat(m[i+1], 64)
				v[i] *= pt
			}
			page = append(page, Mark{X: v[0], Y: 297 - v[1], W: v[2], H: -v[3]})
		}
		if len(page) > 0 {
			pages = append(pages, page)
		}
	}
	return pages
}

// Nothing leaves its label, no text is too small, and the SVG is well formed.
func TestSheetsStayInside(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		g := rapid.SampledFrom(Grids).Draw(r, "grid")
		words := rapid.StringMatching(`[A-Za-zé'<&>" -]{0,90}`)
		s := Sticker{Link: link, Where: words.Draw(r, "where"), Machine: words.Draw(r, "machine"), School: words.Draw(r, "school"), Call: words.Draw(r, "call")}
		start := rapid.IntRange(1, g.PerPage()).Draw(r, "start")
		sheets, err := Sheets(g, start, []Sticker{s})
		if err != nil {
			r.Fatal(err)
		}
		cell := start - 1
		x, y := g.Left+float64(cell%g.Columns)*g.StepX, g.Top+float64(cell/g.Columns)*g.StepY
		for _, m := range sheets[0].Marks {
			w, top := m.W, m.Y
			if m.Text != "" {
				w, top = width(m.Text, m.Size, m.Bold), m.Y-m.Size*pt*0.75
				if m.Size < sizeLeast {
					r.Fatalf("%q is of %.1f points", m.Text, m.Size)
				}
			}
			if m.X < x || m.X+w > x+g.W || top < y || m.Y+m.H > y+g.H {
				r.Fatalf("%+v leaves the label at %.1f,%.1f", m, x, y)
			}
		}
		var b bytes.Buffer
		if err := sheets[0].SVG(&b); err != nil {
			r.Fatal(err)
		}
		for d := xml.NewDecoder(&b); ; {
			if _, err := d.Token(); err != nil {
				if !errors.Is(err, io.EOF) {
					r.Fatalf("the drawing is not well formed: %v", err)
				}
				return
			}
		}
	})
}

func TestOwnGrid(t *testing.T) {
	t.Parallel()
	g, err := Own(3, 8, 7, 13, 7, 13, 2.5, 0)
	if err != nil || math.Abs(g.W-63.67) > 0.01 || math.Abs(g.H-33.875) > 0.01 {
		t.Errorf("%+v, %v", g, err)
	}
	for name, err := range map[string]error{
		"too many columns":  second(Own(6, 8, 0, 0, 0, 0, 0, 0)),
		"too many rows":     second(Own(2, 20, 0, 0, 0, 0, 0, 0)),
		"no column":         second(Own(0, 8, 0, 0, 0, 0, 0, 0)),
		"a negative margin": second(Own(2, 7, -1, 0, 0, 0, 0, 0)),
		"not a number":      second(Own(2, 7, math.NaN(), 0, 0, 0, 0, 0)),
		"margins of a page": second(Own(2, 7, 60, 60, 60, 60, 60, 60)),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Sheets(Grids[0], 25, []Sticker{sticker(1)}); !fault.Is(err, fault.Invalid) {
		t.Errorf("beyond the sheet: %v", err)
	}
	for _, g := range Grids {
		if err := g.Check(); err != nil {
			t.Errorf("%s: %v", g.Name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
