package parse

import (
	"bytes"
	"encoding/base64"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
)

var (
	boundaryLoose = regexp.MustCompile(`(?i)boundary\s*=\s*"?([^";\s]{1,100})`)
	nameLoose     = regexp.MustCompile(`(?i)name\*?\s*=\s*"?([^";]{1,300})`)
)

// decode undoes a part's transfer encoding, leniently: what is broken is kept
// as far as it makes sense, and said.
func (r *reader) decode(h header, body []byte) []byte {
	left := MaxDecoded - r.decoded
	var out []byte
	ok := true
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))) {
	case "base64":
		out, ok = fromBase64(body)
	case "quoted-printable":
		out, ok = fromQuoted(body)
	default:
		out = body
	}
	if !ok {
		r.m.flaw(FlawEncoding)
	}
	if len(out) > left {
		r.m.flaw(FlawDecoded)
		out = out[:left]
	}
	r.decoded += len(out)
	return out
}

func fromBase64(body []byte) (out []byte, ok bool) {
	ok = true
	clean := make([]byte, 0, len(body))
	padding := 0
	for _, c := range body {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
			if padding > 0 {
				// Two encoded pieces put end to end.
				piece, good := finish(clean)
				ok = ok && good
				out = append(out, piece...)
				clean, padding = clean[:0], 0
			}
			clean = append(clean, c)
		case c == '=':
			padding++
		case c == '\n', c == '\r', c == ' ', c == '\t':
		default:
			ok = false
		}
	}
	piece, good := finish(clean)
	return append(out, piece...), ok && good
}

func finish(clean []byte) ([]byte, bool) {
	ok := len(clean)%4 != 1
	if !ok {
		clean = clean[:len(clean)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, err := base64.RawStdEncoding.Decode(out, clean)
	return out[:n], ok && err == nil
}

func fromQuoted(body []byte) (out []byte, ok bool) {
	out, ok = make([]byte, 0, len(body)), true
	for l := range bytes.Lines(body) {
		text := bytes.TrimRight(l, " \t\r\n")
		soft := bytes.HasSuffix(text, []byte("="))
		if soft {
			text = text[:len(text)-1]
		}
		for i := 0; i < len(text); i++ {
			if text[i] != '=' {
				out = append(out, text[i])
				continue
			}
			high, low := -1, -1
			if i+2 < len(text) {
				high, low = nibble(text[i+1]), nibble(text[i+2])
			}
			if high < 0 || low < 0 {
				ok = false
				out = append(out, '=')
				continue
			}
			out = append(out, byte(high<<4|low))
			i += 2
		}
		if !soft && bytes.HasSuffix(l, []byte("\n")) {
			out = append(out, '\n')
		}
	}
	return out, ok
}

func nibble(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// decodeCharset makes UTF-8 of a text. A text that is not of the charset that
// it says is read as what Windows writes, and ok is false.
func decodeCharset(name string, b []byte) (text string, ok bool) {
	name = strings.ToLower(strings.Trim(strings.TrimSpace(name), `"'`))
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		if utf8.Valid(b) {
			return string(b), true
		}
		return windows(b), false
	case "iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252":
		// Mail programs say latin-1 and send the quotes of Windows. And some say
		// it and send UTF-8.
		if utf8.Valid(b) && bytes.ContainsFunc(b, func(r rune) bool { return r > 0x7f }) {
			return string(b), true
		}
		return windows(b), true
	}
	in, err := charset.Reader(name, bytes.NewReader(b))
	if err == nil {
		out, err := io.ReadAll(in)
		if err == nil {
			return strings.ToValidUTF8(string(out), "\uFFFD"), true
		}
	}
	if utf8.Valid(b) {
		return string(b), false
	}
	return windows(b), false
}

// windows reads bytes as Windows-1252, which has a character for each.
func windows(b []byte) string {
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

// tidy makes a text safe to show and to keep: ends of line, no control
// characters, no more than two empty lines on end.
func tidy(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case r == 0x2028 || r == 0x2029:
			return '\n'
		case unicode.IsControl(r) || invisible(r):
			return -1
		}
		return r
	}, s)
	var out strings.Builder
	empty := 0
	for l := range strings.Lines(s) {
		trimmed := strings.TrimRight(l, " \t\n\u00a0")
		// A signature's mark keeps its space: "-- ".
		if trimmed == "--" && strings.HasPrefix(l, "-- ") {
			trimmed = "-- "
		}
		if trimmed == "" {
			if empty++; empty > 2 {
				continue
			}
		} else {
			empty = 0
		}
		out.WriteString(trimmed)
		out.WriteByte('\n')
	}
	return strings.Trim(out.String(), "\n")
}
