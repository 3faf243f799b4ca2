// Package qr draws QR codes as vectors.
package qr

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// Code is a QR code as a grid of modules. Around it a reader needs Quiet
// modules of nothing on each side.
type Code struct {
	Size int // modules a side
	dark []bool
}

// Quiet is the empty margin that the standard asks for, in modules.
const Quiet = 4

// New encodes a text with medium error correction (15 % may be missing).
func New(text string) (Code, error) {
	image, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return Code{}, fmt.Errorf("qr: %w", err)
	}
	size := image.Bounds().Dx()
	c := Code{Size: size, dark: make([]bool, size*size)}
	for y := range size {
		for x := range size {
			r, _, _, _ := image.At(x, y).RGBA()
			c.dark[y*size+x] = r == 0
		}
	}
	return c, nil
}

// Dark tells whether a module is dark; x to the right, y downwards, from 0.
func (c Code) Dark(x, y int) bool { return c.dark[y*c.Size+x] }

// Runs gives the dark modules as horizontal runs, for renderers that draw
// rectangles.
func (c Code) Runs(draw func(x, y, length int)) {
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			from := x
			for x < c.Size && c.Dark(x, y) {
				x++
			}
			if x > from {
				draw(from, y, x-from)
			}
		}
	}
}

// Path is the code as the data of one SVG path, in modules, without margin.
func (c Code) Path() string {
	var b strings.Builder
	c.Runs(func(x, y, length int) { fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, length, length) })
	return b.String()
}
