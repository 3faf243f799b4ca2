package attachment

import (
	"bytes"
	"errors"
	"image/gif"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever the bytes, a look ends, in a type or in a refusal that has its
// sentence; a picture that passes its weighing is decoded or refused.
func FuzzLook(f *testing.F) {
	small := halves(12, 8)
	var animated bytes.Buffer
	if err := gif.Encode(&animated, small, nil); err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{
		jpegOf(f, small, exif(6)), pngOf(f, small), animated.Bytes(), hugePNG(), hugeJPEG(50_000, true),
		zipOf(f, "[Content_Types].xml", "<x/>", "word/document.xml", "<w/>"), zipOf(f, "mimetype", string(ODS)),
		[]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"),
		[]byte("%PDF-1.4\n"), []byte(message1), []byte("a;b\n1;2\n"), []byte("<svg"), {},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		src := bytes.NewReader(data)
		found, err := look(src, int64(len(data)))
		if err != nil {
			if _, told := errors.AsType[no](err); !told {
				t.Fatalf("no reason: %v", err)
			}
			return
		}
		if extensions[found.t] == nil {
			t.Fatalf("type %q is not on the list", found.t)
		}
		if !found.decode {
			return
		}
		turn, err := weigh(src, int64(len(data)), found.format)
		if err != nil {
			return
		}
		cfg, err := header(bytes.NewReader(data), found.format)
		if found.format != "jpeg" && (err != nil || cfg.Width*cfg.Height > 1<<20) {
			return // allowed, and too long for a fuzzer
		}
		if h, err := jpegHeader(src, int64(len(data))); found.format == "jpeg" && (err != nil || h.width*h.height > 1<<20) {
			return
		}
		p, err := remake(src, int64(len(data)), found.format, turn)
		if err != nil {
			return
		}
		if p.width > maxSide || p.height > maxSide || p.thumbWidth > thumbSide || p.thumbHeight > thumbSide || len(p.data) == 0 || len(p.thumb) == 0 {
			t.Fatalf("%d × %d, thumbnail %d × %d", p.width, p.height, p.thumbWidth, p.thumbHeight)
		}
	})
}

// A name that was cleaned is safe to save and to show, and ends as its type.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"photo.jpg", `..\..\a.png`, "/etc/passwd", "a\u202egnp.exe", "\x00", strings.Repeat("é", 300) + ".docx", "..."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean := cleanName(name)
		if !utf8.ValidString(clean) || strings.ContainsAny(clean, `/\<>:"|?*`) || strings.HasPrefix(clean, ".") || utf8.RuneCountInString(clean) > maxName {
			t.Fatalf("%q becomes %q", name, clean)
		}
		for _, r := range clean {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q holds %U", clean, r)
			}
		}
		for kind, ends := range extensions {
			got := strings.ToLower(named(clean, kind))
			ok := false
			for _, e := range ends {
				ok = ok || strings.HasSuffix(got, e) && len(got) > len(e)
			}
			if !ok {
				t.Fatalf("%q of %s", got, kind)
			}
		}
	})
}
