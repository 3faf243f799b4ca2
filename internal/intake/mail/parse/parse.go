// Package parse reads an e-mail that anybody may have sent: bounded, without
// trust, and without losing a word. It is pure: bytes in, a Message out; what
// could not be understood is said in Flaws, never an error.
package parse

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// The bounds. What exceeds one is cut or left out, and a Flaw says so.
const (
	MaxSize     = 25 << 20  // bytes of a message as it came
	MaxHeader   = 256 << 10 // bytes of the header of a message or part
	MaxFields   = 1000      // header fields of a message or part
	MaxDepth    = 10        // parts within parts
	MaxParts    = 200       // parts in all
	MaxDecoded  = 40 << 20  // bytes of all parts, decoded
	MaxText     = 1 << 20   // bytes of readable text
	MaxFiles    = 50        // attachments
	MaxPeople   = 200       // recipients kept
	maxCalendar = 256 << 10
)

// Flaw is something about a message that could not be read as it should.
type Flaw string

// The flaws; "mailin.flaw.NAME" is the sentence of each.
const (
	FlawSize     Flaw = "size"     // over MaxSize: the rest was not read
	FlawHeader   Flaw = "header"   // a header over its bounds or malformed
	FlawDepth    Flaw = "depth"    // parts nested too deep
	FlawParts    Flaw = "parts"    // too many parts
	FlawDecoded  Flaw = "decoded"  // more content than is read
	FlawText     Flaw = "text"     // text was cut
	FlawFiles    Flaw = "files"    // attachments were left out
	FlawEncoding Flaw = "encoding" // broken base64 or quoted-printable
	FlawCharset  Flaw = "charset"  // bytes that are not of the charset that was said
)

// Hostile tells whether a flaw is one of construction, that no honest mail
// program makes: a person looks at the message before anything is done with it.
func (f Flaw) Hostile() bool {
	return f == FlawDepth || f == FlawParts || f == FlawDecoded || f == FlawHeader
}

// Address is somebody's name and mailbox.
type Address struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"` // lower case
}

// String is the address as people write it.
func (a Address) String() string {
	if a.Name == "" {
		return a.Email
	}
	return a.Name + " <" + a.Email + ">"
}

// Domain is what follows the @.
func (a Address) Domain() string {
	_, domain, _ := strings.Cut(a.Email, "@")
	return domain
}

// File is an attachment or an inline image.
type File struct {
	Name    string
	Type    string // as the sender said, not to be trusted
	Inline  bool   // shown inside the text by its sender
	Refused string // why it is kept out ("winmail"), "" if it is not
	Content []byte
}

// Message is an e-mail as read.
type Message struct {
	ID         string   // Message-ID without its brackets, "" if it has none
	Parents    []string // In-Reply-To and References, the nearest first
	From       Address
	ReplyTo    Address // zero if the sender did not say
	To, Cc     []Address
	Subject    string // as written
	Title      string // the subject without "Re:", "TR:", "[SPAM]"…
	IsReply    bool   // the subject says so
	IsForward  bool
	Date       time.Time // zero if unknown
	Body       Body
	Files      []File
	Invitation *Invitation // of a calendar, nil if none
	Bounce     *Bounce     // a delivery report, nil if it is none
	Automatic  Automatic   // why it is not from a person, "" if it is
	// Forged says that the receiving server found the sender's domain to
	// disown the message.
	Forged bool
	Digest string // of what does not change from one delivery of it to another
	Flaws  []Flaw
}

// Hostile tells whether the message is built as no honest one is.
func (m *Message) Hostile() bool { return slices.ContainsFunc(m.Flaws, Flaw.Hostile) }

func (m *Message) flaw(f Flaw) {
	if !slices.Contains(m.Flaws, f) {
		m.Flaws = append(m.Flaws, f)
	}
}

// Parse reads a message. It always gives one: of bytes that make no sense, a
// message whose text they are.
func Parse(raw []byte) *Message {
	m := &Message{}
	if len(raw) > MaxSize {
		raw = raw[:MaxSize]
		m.flaw(FlawSize)
	}
	r := &reader{m: m}
	head, body := cut(raw)
	h := r.header(head)
	m.head(h)
	r.part(h, body, 0)
	m.Body = fold(r.text(), m.IsForward)
	m.Automatic = automatic(h, m)
	if m.Title == "" {
		m.Title = firstWords(m.Body.Said())
	}
	m.Digest = digest(h, body)
	return m
}

// digest is over what the sender wrote: the fields that servers add on the way
// are left out, so that a message that comes by two ways is one.
func digest(h header, body []byte) string {
	sum := sha256.New()
	for _, name := range []string{"Message-Id", "From", "Date", "Subject"} {
		sum.Write([]byte(h.Get(name)))
		sum.Write([]byte{0})
	}
	sum.Write(bytes.TrimRight(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), "\n"))
	return hex.EncodeToString(sum.Sum(nil))
}

// cut parts a header from what follows it.
func cut(raw []byte) (head, body []byte) {
	// A line "From …" of a mailbox file may come first.
	if bytes.HasPrefix(raw, []byte("From ")) {
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			raw = raw[i+1:]
		}
	}
	for at := 0; at < len(raw); {
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			return raw, nil
		}
		line := bytes.TrimRight(raw[at:at+end], "\r")
		if len(line) == 0 {
			return raw[:at], raw[at+end+1:]
		}
		at += end + 1
	}
	return raw, nil
}
