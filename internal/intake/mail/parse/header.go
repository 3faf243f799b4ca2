package parse

import (
	"bytes"
	"io"
	"mime"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/mail"
)

// header is a header's fields, decoded when asked for.
type header struct{ mail.Header }

// header reads a header, bounded. A line that is no field is left out.
func (r *reader) header(head []byte) header {
	if len(head) > MaxHeader {
		r.m.flaw(FlawHeader)
		head = head[:MaxHeader]
	}
	h := header{}
	// The fields are added from the last to the first: Add puts on top.
	type field struct{ name, value string }
	var all []field
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		text := plain(line)
		if line[0] == ' ' || line[0] == '\t' {
			if len(all) > 0 {
				all[len(all)-1].value += " " + strings.TrimSpace(text)
			}
			continue
		}
		n, v, ok := strings.Cut(text, ":")
		n = strings.TrimSpace(n)
		if !ok || !token(n) {
			continue
		}
		all = append(all, field{n, strings.TrimSpace(v)})
	}
	if len(all) > MaxFields {
		r.m.flaw(FlawHeader)
		all = all[:MaxFields]
	}
	for _, f := range slices.Backward(all) {
		h.Add(f.name, f.value)
	}
	return h
}

func token(name string) bool {
	return name != "" && len(name) <= 100 && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// plain makes valid UTF-8 of bytes that should be ASCII or UTF-8 and sometimes
// are of Windows.
func plain(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return windows(b)
}

// words decodes the encoded words of a field.
func words(s string) string {
	d := mime.WordDecoder{CharsetReader: func(name string, in io.Reader) (io.Reader, error) {
		b, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		text, _ := decodeCharset(name, b)
		return strings.NewReader(text), nil
	}}
	out, err := d.DecodeHeader(s)
	if err == nil && out == s && strings.Contains(s, "=?") && !strings.HasSuffix(s, "?=") {
		out, err = d.DecodeHeader(strings.TrimRight(s, "?") + "?=") // cut short on the way
	}
	if err != nil {
		out = s
	}
	return line(out)
}

// line makes one clean line of a text.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r) || invisible(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// invisible are characters that only serve to deceive the eye: directions and
// blanks without width.
func invisible(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200b || r == 0xfeff || r == 0x00ad
}

func shorten(s string, characters int) string {
	if utf8.RuneCountInString(s) <= characters {
		return s
	}
	return string([]rune(s)[:characters-1]) + "…"
}

// head reads the message's own header.
func (m *Message) head(h header) {
	m.ID = strings.Trim(h.Get("Message-Id"), "<> \t")
	if i := strings.IndexAny(m.ID, "<> \t\r\n"); i >= 0 {
		m.ID = m.ID[:i]
	}
	m.ID = shorten(line(m.ID), 500)
	m.Parents = parents(h)
	if list := addresses(h, "From"); len(list) > 0 {
		m.From = list[0]
	} else if list := addresses(h, "Sender"); len(list) > 0 {
		m.From = list[0]
	}
	if list := addresses(h, "Reply-To"); len(list) > 0 {
		m.ReplyTo = list[0]
	}
	m.To, m.Cc = addresses(h, "To"), addresses(h, "Cc")
	m.Subject = shorten(words(h.Get("Subject")), 1000)
	m.Title, m.IsReply, m.IsForward = title(m.Subject)
	m.Date = date(h.Get("Date"))
	m.Forged = disowned(h)
}

var messageID = regexp.MustCompile(`<([^<>\s]{1,500})>`)

// parents are the messages that this one answers, the nearest first.
func parents(h header) []string {
	var ids []string
	add := func(id string) {
		if id = line(id); !slices.Contains(ids, id) && len(ids) < 100 {
			ids = append(ids, id)
		}
	}
	for _, m := range messageID.FindAllStringSubmatch(h.Get("In-Reply-To"), 100) {
		add(m[1])
	}
	for _, m := range slices.Backward(messageID.FindAllStringSubmatch(h.Get("References"), 1000)) {
		add(m[1])
	}
	return ids
}

var (
	inBrackets = regexp.MustCompile(`<\s*([^<>\s@,;]{1,120}@[^<>\s@,;]{1,200})\s*>`)
	bare       = regexp.MustCompile(`[^<>\s@,;:"()]{1,120}@[^<>\s@,;:"()]{1,200}`)
)

// addresses reads a list of addresses, also a malformed one.
func addresses(h header, name string) []Address {
	var list []Address
	add := func(who, email string) {
		email = strings.ToLower(line(email))
		if email == "" || !strings.Contains(email, "@") || len(email) > 320 || len(list) >= MaxPeople {
			return
		}
		who = shorten(strings.Trim(words(who), `"' `), 200)
		if strings.EqualFold(who, email) {
			who = ""
		}
		if !slices.ContainsFunc(list, func(a Address) bool { return a.Email == email }) {
			list = append(list, Address{who, email})
		}
	}
	for _, value := range h.Values(name) {
		value = shorten(value, 60_000)
		if read, err := mail.ParseAddressList(value); err == nil {
			for _, a := range read {
				add(a.Name, a.Address)
			}
			continue
		}
		for piece := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ';' }) {
			if m := inBrackets.FindStringSubmatch(piece); m != nil {
				who, _, _ := strings.Cut(piece, "<")
				add(who, m[1])
			} else if email := bare.FindString(piece); email != "" {
				add("", email)
			}
		}
	}
	return list
}

var dateForms = []string{time.RFC1123Z, time.RFC1123, time.RFC822Z, time.RFC822, time.RFC850, "Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04 -0700", time.RFC3339}

func date(value string) time.Time {
	if i := strings.IndexByte(value, '('); i > 0 {
		value = value[:i]
	}
	value = strings.Join(strings.Fields(value), " ")
	for _, form := range dateForms {
		if t, err := time.Parse(form, value); err == nil && t.Year() > 1990 && t.Year() < 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// disowned reads the verdict of the server that received the message: the
// first Authentication-Results, which it puts on top.
func disowned(h header) bool {
	verdict := strings.ToLower(h.Get("Authentication-Results"))
	return strings.Contains(verdict, "dmarc=fail")
}

var (
	prefix = regexp.MustCompile(`(?i)^(re|ré|rép|rép\.|réf|aw|antw|fw|fwd|tr|wg|transf)(\s?\[\d{1,3}\]|\s?\(\d{1,3}\))?\s*[:：]\s*`)
	mark   = regexp.MustCompile(`(?i)^(\*{2,}\s*spam\s*\*{2,}|\[\s*(spam|pub|\?+|externe?|external|ext|probable spam|possible spam|spam possible|non sollicité|unverified sender)[^\[\]]{0,20}\]|\{\s*spam\??\s*\})\s*[:：-]?\s*`)
)

// title cleans a subject and says what it announces.
func title(subject string) (clean string, reply, forward bool) {
	clean = subject
	for {
		if m := prefix.FindStringSubmatch(clean); m != nil {
			switch strings.ToLower(m[1]) {
			case "fw", "fwd", "tr", "wg", "transf":
				forward = forward || !reply
			default:
				reply = reply || !forward
			}
			clean = clean[len(m[0]):]
		} else if m := mark.FindString(clean); m != "" {
			clean = clean[len(m):]
		} else {
			break
		}
	}
	return strings.TrimSpace(clean), reply, forward
}

// firstWords makes a title of a text without a subject.
func firstWords(text string) string {
	for l := range strings.Lines(text) {
		if l = line(l); len(l) > 3 && !greeting.MatchString(l) {
			return shorten(l, 80)
		}
	}
	return ""
}

var greeting = regexp.MustCompile(`(?i)^(bonjour|bonsoir|madame|monsieur|mesdames|messieurs|cher|chère|chers|hello|hi|dear)\b.{0,40}$`)
