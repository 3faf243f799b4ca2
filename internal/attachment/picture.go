package attachment

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// Bounds of pictures. What a decoder would take in memory is told from the
// header, before anything is decoded.
const (
	maxSide        = 2560 // pixels of the longer side, as kept
	thumbSide      = 480
	maxPixels      = 120_000_000
	maxDecoded     = 200 << 20 // bytes in memory, of one picture being decoded
	decoders       = 2         // pictures decoded at once
	photoQuality   = 85
	thumbQuality   = 78
	maxPNG         = 3 << 20 // an opaque picture whose PNG is longer is a photo: it is kept as JPEG
	maxHeaderBytes = 1 << 20 // of a JPEG, before its picture
)

// picture is a picture made anew: its bytes, and those of its thumbnail.
type picture struct {
	t                       Type
	data, thumb             []byte
	width, height           int
	thumbWidth, thumbHeight int
}

// remake decodes a picture and encodes it again, upright, no larger than it is
// useful, without anything that a camera wrote beside it.
func (s *Service) remake(ctx context.Context, src io.ReaderAt, size int64, format string) (*picture, error) {
	turn, err := weigh(src, size, format)
	if err != nil {
		return nil, err
	}
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return remake(src, size, format, turn)
}

func remake(src io.ReaderAt, size int64, format string, turn int) (*picture, error) {
	full, err := decode(bufio.NewReaderSize(io.NewSectionReader(src, 0, size), 64<<10), format)
	if err != nil {
		return nil, errBroken
	}
	opaque := true
	if o, ok := full.(interface{ Opaque() bool }); ok {
		opaque = o.Opaque()
	}
	kept := upright(shrink(full, maxSide), turn)
	p := &picture{width: kept.Rect.Dx(), height: kept.Rect.Dy()}
	var b bytes.Buffer
	if format != "jpeg" && (format != "webp" || !opaque) {
		if err := png.Encode(&b, kept); err != nil {
			return nil, fmt.Errorf("attachment: encode: %w", err)
		}
		p.t = PNG
	}
	if p.t == "" || opaque && b.Len() > maxPNG {
		b.Reset()
		if err := jpeg.Encode(&b, kept, &jpeg.Options{Quality: photoQuality}); err != nil {
			return nil, fmt.Errorf("attachment: encode: %w", err)
		}
		p.t = JPEG
	}
	p.data = b.Bytes()
	small := shrink(kept, thumbSide)
	onWhite := image.NewRGBA(small.Rect)
	draw.Draw(onWhite, onWhite.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(onWhite, onWhite.Rect, small, small.Rect.Min, draw.Over)
	var t bytes.Buffer
	if err := jpeg.Encode(&t, onWhite, &jpeg.Options{Quality: thumbQuality}); err != nil {
		return nil, fmt.Errorf("attachment: encode: %w", err)
	}
	p.thumb, p.thumbWidth, p.thumbHeight = t.Bytes(), onWhite.Rect.Dx(), onWhite.Rect.Dy()
	return p, nil
}

// weigh refuses from its header a picture that would take too much to decode,
// and tells how to turn it upright (the EXIF orientation, 1 if unknown).
func weigh(src io.ReaderAt, size int64, format string) (turn int, err error) {
	turn = 1
	perPixel := 8.0 // of a PNG in 16 bits a channel, the worst of all but JPEG
	var width, height int
	if format == "jpeg" {
		h, err := jpegHeader(src, size)
		if err != nil {
			return 0, err
		}
		width, height, turn, perPixel = h.width, h.height, h.turn, h.perPixel
	} else {
		cfg, err := header(io.NewSectionReader(src, 0, size), format)
		if err != nil {
			return 0, errBroken
		}
		width, height = cfg.Width, cfg.Height
		if format == "png" && !deep(src) || format == "gif" {
			perPixel = 4
		}
	}
	pixels := float64(width) * float64(height)
	switch {
	case width <= 0 || height <= 0:
		return 0, errBroken
	case pixels > maxPixels || pixels*perPixel > maxDecoded:
		return 0, errPixels
	}
	return turn, nil
}

func header(r io.Reader, format string) (image.Config, error) {
	switch format {
	case "png":
		return png.DecodeConfig(r)
	case "gif":
		return gif.DecodeConfig(r)
	case "webp":
		return webp.DecodeConfig(r)
	}
	return image.Config{}, errors.New("attachment: no such format")
}

func decode(r io.Reader, format string) (img image.Image, err error) {
	// A decoder that panics on bytes made to break it must not take the server
	// along.
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("attachment: a decoder of %s failed: %v", format, p)
		}
	}()
	switch format {
	case "jpeg":
		return jpeg.Decode(r)
	case "png":
		return png.Decode(r)
	case "gif":
		return gif.Decode(r) // the first picture
	case "webp":
		return webp.Decode(r)
	}
	return nil, errors.New("attachment: no such format")
}

// deep tells whether a PNG has 16 bits a channel.
func deep(src io.ReaderAt) bool {
	var b [25]byte
	_, err := src.ReadAt(b[:], 0)
	return err == nil && b[24] == 16
}

// jpegLooks is what the header of a JPEG says.
type jpegLooks struct {
	width, height, turn int
	perPixel            float64 // bytes that decoding takes
}

// jpegHeader walks the segments of a JPEG up to its frame.
func jpegHeader(src io.ReaderAt, size int64) (jpegLooks, error) {
	h := jpegLooks{turn: 1}
	r := bufio.NewReader(io.NewSectionReader(src, 2, min(size, maxHeaderBytes)))
	for {
		c, err := r.ReadByte()
		if err != nil {
			return h, errBroken
		}
		if c != 0xff {
			continue // filling between segments
		}
		for c == 0xff {
			if c, err = r.ReadByte(); err != nil {
				return h, errBroken
			}
		}
		if c == 0 || c == 1 || c >= 0xd0 && c <= 0xd8 {
			continue // no length
		}
		if c == 0xd9 || c == 0xda {
			return h, errBroken // the picture begins without a frame
		}
		var length [2]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return h, errBroken
		}
		n := int(binary.BigEndian.Uint16(length[:])) - 2
		if n < 0 {
			return h, errBroken
		}
		segment := make([]byte, n)
		if _, err := io.ReadFull(r, segment); err != nil {
			return h, errBroken
		}
		switch {
		case c == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")):
			h.turn = orientation(segment[6:])
		case c >= 0xc0 && c <= 0xcf && c != 0xc4 && c != 0xc8 && c != 0xcc:
			return h, h.frame(segment, c == 0xc2)
		}
	}
}

// frame reads the size and the sampling of a JPEG.
func (h *jpegLooks) frame(b []byte, progressive bool) error {
	if len(b) < 6 || len(b) < 6+3*int(b[5]) || b[5] == 0 {
		return errBroken
	}
	h.height, h.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	var most, sum int
	for k := range int(b[5]) {
		sampling := b[6+3*k+1]
		n := int(sampling>>4) * int(sampling&15)
		most, sum = max(most, n), sum+n
	}
	if most == 0 {
		return errBroken
	}
	h.perPixel = float64(sum) / float64(most)
	if progressive {
		h.perPixel *= 5 // every coefficient is kept, in four bytes
	}
	if b[5] == 4 {
		h.perPixel += 4 // turned into colours of a screen
	}
	return nil
}

// orientation reads from EXIF how a picture was held; 1 if it does not say.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
	default:
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := int(order.Uint16(tiff[at:]))
	for k := range entries {
		e := at + 2 + 12*int64(k)
		if e+12 > int64(len(tiff)) {
			return 1
		}
		if order.Uint16(tiff[e:]) == 0x0112 {
			if v := int(order.Uint16(tiff[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// shrink draws a picture so that its longer side is at most that long: each
// pixel is the mean of those that it covers, row by row, so that little more
// than the result is in memory. A smaller picture is only copied.
func shrink(src image.Image, side int) *image.RGBA {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	longer := max(w, h)
	if longer <= side {
		out := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.Draw(out, out.Rect, src, b.Min, draw.Src)
		return out
	}
	dw, dh := max(1, w*side/longer), max(1, h*side/longer)
	out := image.NewRGBA(image.Rect(0, 0, dw, dh))
	row := image.NewRGBA(image.Rect(0, 0, w, 1))
	across := make([]float32, 4*dw) // the row, shrunk
	sum := make([]float32, 4*dw)    // of the rows of one pixel
	scaleX, scaleY := float64(dw)/float64(w), float64(dh)/float64(h)
	y := 0
	flush := func() {
		line := out.Pix[y*out.Stride:]
		for k := range sum {
			line[k] = uint8(min(255, max(0, sum[k]+0.5)))
			sum[k] = 0
		}
		y++
	}
	for sy := range h {
		draw.Draw(row, row.Rect, src, image.Pt(b.Min.X, b.Min.Y+sy), draw.Src)
		shrinkRow(row.Pix, across, w, dw, scaleX)
		top, bottom := float64(sy)*scaleY, float64(sy+1)*scaleY
		edge := float64(y + 1)
		first := float32(min(bottom, edge) - top)
		for k := range sum {
			sum[k] += across[k] * first
		}
		if bottom >= edge-1e-9 && y < dh-1 {
			flush()
			if rest := float32(bottom - edge); rest > 0 {
				for k := range sum {
					sum[k] += across[k] * rest
				}
			}
		}
	}
	flush()
	return out
}

// shrinkRow averages a row of w pixels into dw.
func shrinkRow(row []uint8, across []float32, w, dw int, scale float64) {
	clear(across)
	for x := range w {
		left, right := float64(x)*scale, float64(x+1)*scale
		i := min(int(left), dw-1)
		p := row[4*x : 4*x+4 : 4*x+4]
		edge := float64(i + 1)
		part := float32(min(right, edge) - left)
		to := across[4*i : 4*i+4 : 4*i+4]
		for k := range to {
			to[k] += float32(p[k]) * part
		}
		if rest := float32(right - edge); rest > 0 && i+1 < dw {
			to := across[4*i+4 : 4*i+8 : 4*i+8]
			for k := range to {
				to[k] += float32(p[k]) * rest
			}
		}
	}
}

// upright turns a picture as its EXIF orientation says.
func upright(src *image.RGBA, turn int) *image.RGBA {
	if turn <= 1 || turn > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	rect := src.Rect
	if turn >= 5 {
		rect = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(rect)
	for y := range h {
		for x := range w {
			dx, dy := x, y
			switch turn {
			case 2:
				dx = w - 1 - x
			case 3:
				dx, dy = w-1-x, h-1-y
			case 4:
				dy = h - 1 - y
			case 5:
				dx, dy = y, x
			case 6:
				dx, dy = h-1-y, x
			case 7:
				dx, dy = h-1-y, w-1-x
			case 8:
				dx, dy = y, w-1-x
			}
			copy(out.Pix[dy*out.Stride+4*dx:][:4], src.Pix[y*src.Stride+4*x:][:4])
		}
	}
	return out
}
