package label

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode/qr"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"statincidents/internal/fault"
)

// Sticker is what one label says.
type Sticker struct {
	Link    string // in its QR code
	Where   string // "Salle 12"
	Machine string // asset number, "" for a room
	School  string
	Call    string // "Un problème ? Scannez."
}

// Mark is something drawn on a sheet: a rectangle, or a text when Text is set.
// Lengths are in millimetres from the top left corner of the sheet.
type Mark struct {
	X, Y, W, H float64 // a text stands on the line Y from X on
	Text       string
	Size       float64 // of a text, in points
	Bold       bool
}

// Sheet is one page of labels.
type Sheet struct {
	Grid  Grid
	Marks []Mark
}

// Sizes of what is read at arm's length, in points.
const (
	sizeWhere   = 13.0
	sizeLeast   = 7.5
	sizeSchool  = 8.5
	sizeMachine = 10.0
	sizeCall    = 8.0

	pt      = 25.4 / 72 // millimetres
	quiet   = 4         // modules of white around a QR code, as its standard asks
	padding = 1.5       // millimetres between the edge of a label and what is on it
	maxQR   = 34.0      // millimetres: larger does not read better
)

// Sheets lays stickers out on sheets, from the given position of the first
// sheet on (1 is the first label): a sheet begun before can be finished.
func Sheets(g Grid, start int, stickers []Sticker) ([]Sheet, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	if start < 1 || start > g.PerPage() {
		return nil, fault.InvalidField("start", "error.label.start", "max", g.PerPage())
	}
	if len(stickers) > MaxAtOnce {
		return nil, fault.New(fault.TooLarge, "error.label.too_many", "max", MaxAtOnce)
	}
	var sheets []Sheet
	for i, sticker := range stickers {
		at := start - 1 + i
		page, cell := at/g.PerPage(), at%g.PerPage()
		for len(sheets) <= page {
			sheets = append(sheets, Sheet{Grid: g})
		}
		x := g.Left + float64(cell%g.Columns)*g.StepX
		y := g.Top + float64(cell/g.Columns)*g.StepY
		marks, err := sticker.draw(x, y, g.W, g.H)
		if err != nil {
			return nil, err
		}
		sheets[page].Marks = append(sheets[page].Marks, marks...)
	}
	return sheets, nil
}

// draw puts the QR code on the left and the words beside it.
func (s Sticker) draw(x, y, w, h float64) ([]Mark, error) {
	side := min(h-2*padding, w*0.5, maxQR)
	marks, err := code(s.Link, x+padding, y+(h-side)/2, side)
	if err != nil {
		return nil, err
	}
	left := x + padding + side + 1
	room := x + w - padding - left
	type line struct {
		text string
		size float64
		bold bool
	}
	var lines []line
	add := func(text string, size float64, bold bool, most int) {
		if text == "" {
			return
		}
		for size > sizeLeast && len(wrap(text, size, bold, room)) > most {
			size -= 0.5
		}
		parts := wrap(text, size, bold, room)
		if len(parts) > most {
			parts = parts[:most]
			parts[most-1] = cut(parts[most-1]+"…", size, bold, room)
		}
		for _, part := range parts {
			lines = append(lines, line{part, size, bold})
		}
	}
	add(s.Where, sizeWhere, true, 2)
	if s.Machine != "" {
		add(s.Machine, sizeMachine, true, 1)
	}
	add(s.School, sizeSchool, false, 2)
	add(s.Call, sizeCall, false, 2)
	const leading = 1.22
	height := func() (sum float64) {
		for _, l := range lines {
			sum += l.size * leading * pt
		}
		return sum
	}
	for len(lines) > 1 && height() > h-2*padding {
		lines = lines[:len(lines)-1] // what is said last matters least
	}
	at := y + (h-height())/2
	for _, l := range lines {
		at += l.size * leading * pt
		marks = append(marks, Mark{X: left, Y: at - l.size*pt*0.28, Text: l.text, Size: l.size, Bold: l.bold})
	}
	return marks, nil
}

// code draws a QR code, its quiet zone included, as rectangles: runs of dark
// modules of each row.
func code(link string, x, y, side float64) ([]Mark, error) {
	c, err := qr.Encode(link, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("label: QR code: %w", err)
	}
	n := c.Bounds().Dx()
	module := side / float64(n+2*quiet)
	dark := func(i, j int) bool {
		r, _, _, _ := c.At(c.Bounds().Min.X+i, c.Bounds().Min.Y+j).RGBA()
		return r == 0
	}
	var marks []Mark
	for j := range n {
		for i := 0; i < n; i++ {
			if !dark(i, j) {
				continue
			}
			from := i
			for i < n && dark(i, j) {
				i++
			}
			marks = append(marks, Mark{X: x + float64(quiet+from)*module, Y: y + float64(quiet+j)*module, W: float64(i-from) * module, H: module})
		}
	}
	return marks, nil
}

// faces measure text.
var faces = sync.OnceValue(func() [2]*sfnt.Font {
	var f [2]*sfnt.Font
	for i, data := range [][]byte{goregular.TTF, gobold.TTF} {
		parsed, err := sfnt.Parse(data)
		if err != nil {
			panic("label: the font that is part of the program: " + err.Error())
		}
		f[i] = parsed
	}
	return f
})

// width is how long a text is, in millimetres.
func width(text string, size float64, bold bool) float64 {
	f := faces()[0]
	if bold {
		f = faces()[1]
	}
	var b sfnt.Buffer
	var sum fixed.Int26_6
	em := fixed.I(1000)
	for _, r := range text {
		glyph, err := f.GlyphIndex(&b, r)
		if err != nil {
			continue
		}
		if a, err := f.GlyphAdvance(&b, glyph, em, font.HintingNone); err == nil {
			sum += a
		}
	}
	return float64(sum) / 64 / 1000 * size * pt
}

// wrap cuts a text into lines that are no longer than room, between words
// where it can.
func wrap(text string, size float64, bold bool, room float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		joined := strings.TrimSpace(line + " " + word)
		if line != "" && width(joined, size, bold) > room {
			lines = append(lines, line)
			joined = word
		}
		for width(joined, size, bold) > room && utf8.RuneCountInString(joined) > 1 {
			head := joined
			for width(head, size, bold) > room && utf8.RuneCountInString(head) > 1 {
				_, last := utf8.DecodeLastRuneInString(head)
				head = head[:len(head)-last]
			}
			lines = append(lines, head)
			joined = joined[len(head):]
		}
		line = joined
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// cut shortens a text that ends with "…" to room.
func cut(text string, size float64, bold bool, room float64) string {
	for width(text, size, bold) > room {
		short := []rune(strings.TrimSuffix(text, "…"))
		if len(short) < 2 {
			return text
		}
		text = strings.TrimRight(string(short[:len(short)-1]), " ") + "…"
	}
	return text
}

// SVG draws a sheet for the screen, with the edges of its labels.
func (s Sheet) SVG(w io.Writer) error {
	var b strings.Builder
	mm := func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%smm" height="%smm" viewBox="0 0 %s %s"><rect width="100%%" height="100%%" fill="#fff"/>`, mm(s.Grid.PageW), mm(s.Grid.PageH), mm(s.Grid.PageW), mm(s.Grid.PageH))
	for i := range s.Grid.PerPage() {
		fmt.Fprintf(&b, `<rect x="%s" y="%s" width="%s" height="%s" rx="1.5" fill="none" stroke="#b9c4c6" stroke-width="0.2"/>`,
			mm(s.Grid.Left+float64(i%s.Grid.Columns)*s.Grid.StepX), mm(s.Grid.Top+float64(i/s.Grid.Columns)*s.Grid.StepY), mm(s.Grid.W), mm(s.Grid.H))
	}
	for _, m := range s.Marks {
		if m.Text == "" {
			fmt.Fprintf(&b, `<rect x="%s" y="%s" width="%s" height="%s"/>`, mm(m.X), mm(m.Y), mm(m.W), mm(m.H))
			continue
		}
		weight := "400"
		if m.Bold {
			weight = "700"
		}
		fmt.Fprintf(&b, `<text x="%s" y="%s" font-family="Go, 'Lucida Grande', Verdana, sans-serif" font-size="%s" font-weight="%s" textLength="%s" lengthAdjust="spacingAndGlyphs">%s</text>`,
			mm(m.X), mm(m.Y), mm(m.Size*pt), weight, mm(width(m.Text, m.Size, m.Bold)), escape(m.Text))
	}
	b.WriteString("</svg>")
	_, err := io.WriteString(w, b.String())
	return err
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(s string) string {
	return escaper.Replace(strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
			return ' '
		}
		return r
	}, s))
}

// PDF writes sheets to print at their size, codes and letters as vectors.
func PDF(w io.Writer, title string, sheets []Sheet) error {
	return write(w, title, sheets, true)
}

func write(w io.Writer, title string, sheets []Sheet, compress bool) error {
	if len(sheets) == 0 {
		return fault.InvalidField("places", "error.label.none")
	}
	size := fpdf.SizeType{Wd: sheets[0].Grid.PageW, Ht: sheets[0].Grid.PageH}
	doc := fpdf.NewCustom(&fpdf.InitType{OrientationStr: "P", UnitStr: "mm", Size: size})
	doc.SetCompression(compress)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddUTF8FontFromBytes("Go", "", slices.Clone(goregular.TTF))
	doc.AddUTF8FontFromBytes("Go", "B", slices.Clone(gobold.TTF))
	doc.SetTitle(title, true)
	doc.SetLang("fr")
	for _, s := range sheets {
		doc.AddPageFormat("P", fpdf.SizeType{Wd: s.Grid.PageW, Ht: s.Grid.PageH})
		doc.SetFillColor(0, 0, 0)
		doc.SetTextColor(0, 0, 0)
		for _, m := range s.Marks {
			if m.Text == "" {
				doc.Rect(m.X, m.Y, m.W, m.H, "F")
				continue
			}
			style := ""
			if m.Bold {
				style = "B"
			}
			doc.SetFont("Go", style, m.Size)
			doc.Text(m.X, m.Y, m.Text)
		}
	}
	if err := doc.Output(w); err != nil {
		return fmt.Errorf("label: PDF: %w", err)
	}
	return nil
}
