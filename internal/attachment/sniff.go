package attachment

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/mail"
	"strings"
	"unicode/utf8"
)

// kind is what a look at a content found.
type kind struct {
	t      Type
	decode bool   // a picture, to be made anew
	format string // of that picture: jpeg, png, gif, webp
}

// no is a look that ends in a refusal: the last word of its translation key.
type no string

func (n no) Error() string { return "attachment: " + string(n) }

// The reasons of a refusal.
const (
	errUnknown   no = "unknown"   // not on the list
	errEmpty     no = "empty"     // no byte
	errVideo     no = "video"     // would keep the place where it was taken
	errHEIC      no = "heic"      // a phone can send JPEG
	errArchive   no = "archive"   // a zip, rar, 7z…
	errMacros    no = "macros"    // an office document that runs something
	errEncrypted no = "encrypted" // cannot be looked into
	errBomb      no = "bomb"      // unfolds into far more than it says or than is reasonable
	errBroken    no = "broken"    // not what it begins like
	errPage      no = "page"      // a web page or a drawing that runs scripts
	errProgram   no = "program"
	errOffice    no = "old_office" // .doc, .xls
	errPixels    no = "pixels"     // too many to be decoded
)

const (
	headSize = 3072     // bytes from which the type is told
	textLook = 64 << 10 // bytes read at a time to make sure that a text is one
)

// look tells what a content is, reading no more of it than needed and trusting
// nothing but its bytes.
func look(src io.ReaderAt, size int64) (kind, error) {
	if size == 0 {
		return kind{}, errEmpty
	}
	head := make([]byte, min(size, headSize))
	if _, err := src.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return kind{}, err
	}
	at := func(offset int, magic string) bool {
		return len(head) >= offset+len(magic) && string(head[offset:offset+len(magic)]) == magic
	}
	switch {
	case at(0, "\xff\xd8\xff"):
		return kind{JPEG, true, "jpeg"}, nil
	case at(0, "\x89PNG\r\n\x1a\n"):
		return kind{PNG, true, "png"}, nil
	case at(0, "GIF87a"), at(0, "GIF89a"):
		return kind{PNG, true, "gif"}, nil
	case at(0, "RIFF") && at(8, "WEBP"):
		return kind{JPEG, true, "webp"}, nil
	case at(0, "%PDF-"):
		return kind{t: PDF}, nil
	case at(0, "PK\x03\x04"):
		t, err := lookOffice(src, size)
		return kind{t: t}, err
	case at(0, "PK"), at(0, "Rar!"), at(0, "7z\xbc\xaf\x27\x1c"), at(0, "\x1f\x8b"), at(0, "BZh"), at(0, "\xfd7zXZ"), at(0, "\x28\xb5\x2f\xfd"), at(257, "ustar"):
		return kind{}, errArchive
	case at(4, "ftyp"):
		if bytes.Contains(head[8:min(len(head), 40)], []byte("hei")) || bytes.Contains(head[8:min(len(head), 40)], []byte("mif1")) || bytes.Contains(head[8:min(len(head), 40)], []byte("avif")) {
			return kind{}, errHEIC
		}
		return kind{}, errVideo
	case at(0, "\x1a\x45\xdf\xa3"), at(0, "OggS"), at(0, "RIFF"), at(0, "\x00\x00\x01\xba"), at(0, "\x00\x00\x01\xb3"):
		return kind{}, errVideo
	case at(0, "MZ"), at(0, "\x7fELF"), at(0, "#!"), at(0, "\xca\xfe\xba\xbe"), at(0, "\xcf\xfa\xed\xfe"):
		return kind{}, errProgram
	case at(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return kind{}, errOffice
	}
	return lookText(src, size, head)
}

// lookText tells a text from bytes that only begin like one, and which text it
// is: a message, a table, or just words.
func lookText(src io.ReaderAt, size int64, head []byte) (kind, error) {
	if !plain(head) {
		return kind{}, errUnknown
	}
	if webPage(head) {
		return kind{}, errPage
	}
	// The whole of it: a text has no control characters anywhere.
	r := io.NewSectionReader(src, 0, size)
	part := make([]byte, textLook)
	for {
		n, err := r.Read(part)
		if !plain(part[:n]) {
			return kind{}, errUnknown
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return kind{}, err
		}
	}
	switch {
	case message(head):
		return kind{t: Mail}, nil
	case tabular(head, int64(len(head)) < size):
		return kind{t: CSV}, nil
	}
	return kind{t: Text}, nil
}

// plain tells whether bytes could be a text in UTF-8 or in one byte a letter.
func plain(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return true
}

// webPage tells whether a text would run in a browser if somebody opened it:
// HTML and SVG, at its beginning or after a declaration or a comment.
func webPage(head []byte) bool {
	if t := http.DetectContentType(head); strings.HasPrefix(t, "text/html") {
		return true
	}
	lower := bytes.ToLower(head)
	start := bytes.TrimLeft(bytes.TrimPrefix(lower, []byte("\xef\xbb\xbf")), " \t\r\n\f")
	if !bytes.HasPrefix(start, []byte("<")) {
		return false
	}
	for _, tag := range []string{"<svg", "<html", "<script", "<body", "<iframe", "<!doctype", "<xsl:stylesheet", "xmlns=\"http://www.w3.org/"} {
		if bytes.Contains(lower, []byte(tag)) {
			return true
		}
	}
	return false
}

// message tells whether a text is an e-mail: headers, among which those that
// every message has.
func message(head []byte) bool {
	end := bytes.Index(head, []byte("\n\n"))
	if crlf := bytes.Index(head, []byte("\r\n\r\n")); crlf >= 0 && (end < 0 || crlf < end) {
		end = crlf + 1
	}
	if end < 0 {
		// The headers go on past what was read: enough of whole lines.
		if end = bytes.LastIndexByte(head, '\n'); end < 0 {
			return false
		}
	}
	m, err := mail.ReadMessage(io.MultiReader(bytes.NewReader(head[:end+1]), strings.NewReader("\r\n\r\n")))
	if err != nil {
		return false
	}
	from, date, received := m.Header.Get("From"), m.Header.Get("Date"), m.Header.Get("Received")
	return from != "" && (date != "" || received != "") || received != "" && m.Header.Get("Message-Id") != ""
}

// tabular tells whether the first lines hold the same number of fields.
func tabular(head []byte, more bool) bool {
	lines := strings.Split(strings.TrimRight(string(head), "\r\n"), "\n")
	if more && len(lines) > 1 {
		lines = lines[:len(lines)-1] // the last one may be cut
	}
	if len(lines) < 2 || !utf8.ValidString(lines[0]) && strings.ContainsRune(lines[0], utf8.RuneError) {
		return false
	}
	lines = lines[:min(len(lines), 8)]
	for _, mark := range []string{";", "\t", ","} {
		n := strings.Count(lines[0], mark)
		same := n > 0
		for _, l := range lines[1:] {
			same = same && strings.Count(l, mark) == n
		}
		if same {
			return true
		}
	}
	return false
}
