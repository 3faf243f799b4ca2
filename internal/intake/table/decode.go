package table

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The encodings that a file can be read in. UTF8 is lenient: a byte that is
// not UTF-8 is read as Windows-1252, because files glued together from two
// programs exist.
const (
	UTF8        = "utf-8"
	Windows1252 = "windows-1252"
	UTF16LE     = "utf-16le"
	UTF16BE     = "utf-16be"
)

// Encodings lists the encodings by name.
var Encodings = []string{UTF8, Windows1252, UTF16LE, UTF16BE}

// sampleSize is how much of the start of a file is looked at to detect its
// encoding, separator and line ends.
const sampleSize = 64 << 10

// counter counts the bytes taken from the file itself (compressed ones, when
// it is compressed); another goroutine may read it to show progress.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// cut turns the damage of a compressed file (truncated, corrupt) into its end,
// and remembers it: what came before is still good.
type cut struct {
	r   io.Reader
	err error
}

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && damage(err) {
		c.err = err
		err = io.EOF
	}
	return n, err
}

func damage(err error) bool {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
		return true
	}
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt
}

// unzip decompresses a gzip stream and leaves anything else as it is.
func unzip(r *bufio.Reader) (*cut, bool, error) {
	head, err := r.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("table: read: %w", err)
	}
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return &cut{r: r}, false, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		if damage(err) || errors.Is(err, io.EOF) {
			return &cut{r: bytes.NewReader(nil), err: io.ErrUnexpectedEOF}, true, nil
		}
		return nil, false, fmt.Errorf("table: decompress: %w", err)
	}
	return &cut{r: z}, true, nil
}

// detectEncoding tells the encoding of a file from its first bytes, and how
// many of them are a byte-order mark.
func detectEncoding(sample []byte) (name string, bom int) {
	switch {
	case bytes.HasPrefix(sample, []byte{0xEF, 0xBB, 0xBF}):
		return UTF8, 3
	case bytes.HasPrefix(sample, []byte{0xFF, 0xFE}):
		return UTF16LE, 2
	case bytes.HasPrefix(sample, []byte{0xFE, 0xFF}):
		return UTF16BE, 2
	}
	// Text in UTF-16 without a mark is mostly Latin: every second byte is 0.
	var zero [2]int
	for i, b := range sample {
		if b == 0 {
			zero[i%2]++
		}
	}
	quarter := len(sample) / 4
	switch {
	case zero[1] > quarter && zero[1] > 4*zero[0]:
		return UTF16LE, 0
	case zero[0] > quarter && zero[0] > 4*zero[1]:
		return UTF16BE, 0
	}
	if validPrefix(sample) {
		return UTF8, 0
	}
	return Windows1252, 0
}

// validPrefix tells whether b is UTF-8, but for a character cut at its end.
func validPrefix(b []byte) bool {
	for range utf8.UTFMax {
		if utf8.Valid(b) {
			return true
		}
		if len(b) == 0 {
			break
		}
		last := b[len(b)-1]
		b = b[:len(b)-1]
		if last < utf8.RuneSelf { // not the middle of a character
			return false
		}
	}
	return false
}

// decoder gives UTF-8 text from bytes of a named encoding.
func decoder(name string, r io.Reader) (io.Reader, *lenient, error) {
	var e encoding.Encoding
	switch name {
	case UTF8:
		l := &lenient{}
		return transform.NewReader(r, l), l, nil
	case Windows1252:
		e = charmap.Windows1252
	case UTF16LE:
		e = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case UTF16BE:
		e = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	default:
		return nil, nil, fmt.Errorf("table: unknown encoding %q", name)
	}
	return transform.NewReader(r, e.NewDecoder()), nil, nil
}

// lenient passes UTF-8 through and reads each byte that is not UTF-8 as
// Windows-1252, counting them.
type lenient struct{ recoded int }

func (l *lenient) Reset() { l.recoded = 0 }

func (l *lenient) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		// The longest run of good text that fits.
		n := min(len(src)-nSrc, len(dst)-nDst)
		if n == 0 {
			return nDst, nSrc, transform.ErrShortDst
		}
		good := validRun(src[nSrc : nSrc+n])
		copy(dst[nDst:], src[nSrc:nSrc+good])
		nDst += good
		nSrc += good
		if good == n {
			continue
		}
		rest := src[nSrc:]
		if !utf8.FullRune(rest) && !atEOF {
			return nDst, nSrc, transform.ErrShortSrc
		}
		if r, size := utf8.DecodeRune(rest); r != utf8.RuneError || size > 1 {
			return nDst, nSrc, transform.ErrShortDst // a whole character that dst has no room for
		}
		r := charmap.Windows1252.DecodeByte(rest[0])
		if len(dst)-nDst < utf8.RuneLen(r) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc++
		l.recoded++
	}
	return nDst, nSrc, nil
}

// validRun is the length of the longest valid UTF-8 prefix.
func validRun(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	n := 0
	for n < len(b) {
		if b[n] < utf8.RuneSelf {
			n++
			continue
		}
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		n += size
	}
	return n
}
