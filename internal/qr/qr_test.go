package qr_test

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	reader "github.com/makiuchi-d/gozxing/qrcode"

	"statincidents/internal/qr"
)

func TestWhatIsDrawnIsRead(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "https://incidents.example/q/AbC-_09?x=é", strings.Repeat("long ", 60)} {
		c, err := qr.New(text)
		if err != nil {
			t.Fatal(err)
		}
		const scale = 4
		side := (c.Size + 2*qr.Quiet) * scale
		img := image.NewGray(image.Rect(0, 0, side, side))
		for k := range img.Pix {
			img.Pix[k] = 0xff
		}
		c.Runs(func(x, y, length int) {
			for dy := range scale {
				for dx := range length * scale {
					img.SetGray((x+qr.Quiet)*scale+dx, (y+qr.Quiet)*scale+dy, color.Gray{})
				}
			}
		})
		bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		got, err := reader.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || got.GetText() != text {
			t.Errorf("read %v, %v; drew %q", got, err, text)
		}
		if strings.Count(c.Path(), "M") < c.Size {
			t.Errorf("the path has %d runs for %d lines", strings.Count(c.Path(), "M"), c.Size)
		}
	}
	if _, err := qr.New(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text of any length was encoded")
	}
}
