package parse

import (
	"bytes"
	"mime"
	"path"
	"strings"
)

// reader walks a message's parts.
type reader struct {
	m       *Message
	parts   int
	decoded int
	said    []string // texts, in the order of the parts
	size    int
}

func (r *reader) text() string { return strings.Join(r.said, "\n\n") }

// say adds to the readable text.
func (r *reader) say(text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	if r.size+len(text) > MaxText {
		r.m.flaw(FlawText)
		text = strings.ToValidUTF8(text[:max(0, MaxText-r.size)], "")
		if text == "" {
			return
		}
	}
	r.size += len(text)
	r.said = append(r.said, text)
}

// kind is a part's content type, as far as it can be read.
func kind(h header) (string, map[string]string) {
	value := h.Get("Content-Type")
	if value == "" {
		return "text/plain", nil
	}
	t, params, err := mime.ParseMediaType(value)
	if err != nil {
		// Keep what stands before the fault: "text/html; charset=".
		t, _, _ = strings.Cut(value, ";")
		t = strings.ToLower(strings.TrimSpace(t))
		if b := boundaryLoose.FindStringSubmatch(value); b != nil {
			params = map[string]string{"boundary": b[1]}
		}
	}
	if !strings.Contains(t, "/") {
		t = "text/plain"
	}
	return t, params
}

// part reads one part and what it holds.
func (r *reader) part(h header, body []byte, depth int) {
	if r.parts++; r.parts > MaxParts {
		r.m.flaw(FlawParts)
		return
	}
	if depth > MaxDepth {
		r.m.flaw(FlawDepth)
		return
	}
	t, params := kind(h)
	disposition, name := fileName(h, params)
	switch {
	case strings.HasPrefix(t, "multipart/"):
		r.multipart(h, t, params["boundary"], body, depth)
	case t == "message/rfc822" && disposition != "attachment":
		r.nested(h, body, depth)
	case t == "text/calendar":
		r.calendar(h, params, body, name)
	case t == "application/ms-tnef" || strings.EqualFold(name, "winmail.dat"):
		r.file(h, body, File{Name: "winmail.dat", Type: t, Refused: "winmail"})
	case (t == "text/plain" || t == "text/html") && disposition != "attachment" && name == "":
		r.readable(h, t, params["charset"], body)
	case t == "message/delivery-status" || t == "message/disposition-notification" || t == "text/rfc822-headers":
		// Read by report, of the multipart/report that holds it.
		r.say(tidy(plain(r.decode(h, body))))
	default:
		r.file(h, body, File{Name: name, Type: t, Inline: disposition == "inline" || h.Get("Content-Id") != "" && disposition == ""})
	}
}

func (r *reader) readable(h header, t, charset string, body []byte) {
	text, ok := decodeCharset(charset, r.decode(h, body))
	if !ok {
		r.m.flaw(FlawCharset)
	}
	if t == "text/html" {
		text = plainText(text)
	}
	r.say(tidy(text))
}

// multipart reads the parts of a part. Of alternatives the plain text is
// preferred, unless it is empty or only says that there is another.
func (r *reader) multipart(h header, t, boundary string, body []byte, depth int) {
	if boundary == "" {
		r.say(tidy(plain(body)))
		return
	}
	pieces := split(body, boundary, MaxParts+1)
	if len(pieces) == 0 {
		// The boundary never comes: nothing is dropped.
		r.say(tidy(plain(body)))
		return
	}
	if t == "multipart/report" {
		r.report(h, pieces)
	}
	if t == "multipart/alternative" {
		r.alternative(pieces, depth)
		return
	}
	for _, p := range pieces {
		head, rest := cut(p)
		r.part(r.header(head), rest, depth+1)
	}
}

// alternative reads each form of the same text and keeps the best one, with
// the files of all.
func (r *reader) alternative(pieces [][]byte, depth int) {
	before, size := r.said, r.size
	var plainSaid, otherSaid []string
	for _, p := range pieces {
		head, rest := cut(p)
		h := r.header(head)
		r.said, r.size = nil, size
		r.part(h, rest, depth+1)
		t, _ := kind(h)
		switch {
		case len(r.said) == 0:
		case t == "text/plain" && plainSaid == nil:
			plainSaid = r.said
		case t != "text/plain":
			otherSaid = r.said // the last is the richest
		}
	}
	best := plainSaid
	if len(best) == 0 || len(otherSaid) > 0 && poor(best[0], otherSaid[0]) {
		best = otherSaid
	}
	r.said, r.size = before, size
	for _, s := range best {
		r.say(s)
	}
}

// poor tells whether a plain text is only a stand-in for the rich one.
func poor(text, rich string) bool {
	return len(text)*4 < len(rich) && len(text) < 200
}

// nested reads a message that another carries: its texts belong to the story.
func (r *reader) nested(h header, body []byte, depth int) {
	body = r.decode(h, body)
	head, rest := cut(body)
	inner := r.header(head)
	var lines []string
	for _, f := range []struct{ label, name string }{{"De", "From"}, {"Date", "Date"}, {"À", "To"}, {"Objet", "Subject"}} {
		if v := words(inner.Get(f.name)); v != "" {
			lines = append(lines, f.label+" : "+shorten(v, 500))
		}
	}
	r.say("-------- Message transféré --------\n" + strings.Join(lines, "\n"))
	r.part(inner, rest, depth+1)
}

// file keeps an attachment.
func (r *reader) file(h header, body []byte, f File) {
	if len(r.m.Files) >= MaxFiles {
		r.m.flaw(FlawFiles)
		return
	}
	f.Content = r.decode(h, body)
	if f.Name == "" {
		f.Name = unnamed(f.Type, len(r.m.Files)+1)
	}
	r.m.Files = append(r.m.Files, f)
}

func unnamed(t string, n int) string {
	ext := ""
	switch t {
	case "image/jpeg":
		ext = ".jpg"
	case "message/rfc822":
		ext = ".eml"
	default:
		if list, err := mime.ExtensionsByType(t); err == nil && len(list) > 0 {
			ext = list[0]
		}
	}
	return "piece-" + string(rune('0'+n/10)) + string(rune('0'+n%10)) + ext
}

// fileName gives how a part is to be shown and the name of its file, without
// any path.
func fileName(h header, params map[string]string) (disposition, name string) {
	value := h.Get("Content-Disposition")
	d, dp, err := mime.ParseMediaType(value)
	if err != nil {
		d, _, _ = strings.Cut(value, ";")
		d = strings.ToLower(strings.TrimSpace(d))
		if m := nameLoose.FindStringSubmatch(value); m != nil {
			dp = map[string]string{"filename": m[1]}
		}
	}
	name = dp["filename"]
	if name == "" {
		name = params["name"]
	}
	if name == "" {
		if m := nameLoose.FindStringSubmatch(h.Get("Content-Type")); m != nil {
			name = m[1]
		}
	}
	name = words(name)
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if name == "." || name == "/" || name == ".." {
		name = ""
	}
	return d, shorten(strings.TrimSpace(name), 200)
}

// split gives the pieces between the lines "--boundary", without what stands
// before the first and after the last.
func split(body []byte, boundary string, most int) [][]byte {
	delimiter := []byte("--" + boundary)
	var pieces [][]byte
	start := -1
	for at := 0; at < len(body); {
		end := bytes.IndexByte(body[at:], '\n')
		next := len(body)
		if end >= 0 {
			next = at + end + 1
		}
		l := body[at:next]
		if bytes.HasPrefix(l, delimiter) {
			rest := bytes.TrimRight(l[len(delimiter):], " \t\r\n")
			closing := string(rest) == "--"
			if closing || len(rest) == 0 {
				if start >= 0 {
					pieces = append(pieces, trimEnd(body[start:at]))
				}
				if closing || len(pieces) >= most {
					return pieces
				}
				start = next
			}
		}
		at = next
	}
	if start >= 0 && start < len(body) {
		// Cut short: the last part is kept as far as it goes.
		pieces = append(pieces, body[start:])
	}
	return pieces
}

// trimEnd takes away the end of line that belongs to the boundary.
func trimEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
