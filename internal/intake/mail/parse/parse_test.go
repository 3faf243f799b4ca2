package parse

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write what the samples give")

var paris = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return loc
}()

// describe tells everything that was read of a message.
func describe(m *Message) string {
	var b strings.Builder
	p := func(form string, args ...any) { fmt.Fprintf(&b, form+"\n", args...) }
	p("id %s", m.ID)
	p("parents %s", strings.Join(m.Parents, " "))
	p("from %s", m.From)
	if m.ReplyTo.Email != "" {
		p("reply-to %s", m.ReplyTo)
	}
	for _, a := range m.To {
		p("to %s", a)
	}
	for _, a := range m.Cc {
		p("cc %s", a)
	}
	p("subject %s", m.Subject)
	p("title %s (reply %t, forward %t)", m.Title, m.IsReply, m.IsForward)
	if !m.Date.IsZero() {
		p("date %s", m.Date.Format(time.RFC3339))
	}
	p("automatic %q flaws %v", m.Automatic, m.Flaws)
	if m.Bounce != nil {
		p("bounce %+v", *m.Bounce)
	}
	if m.Invitation != nil {
		p("invitation %s", strings.ReplaceAll(m.Invitation.Text(paris), "\n", " / "))
	}
	for _, f := range m.Files {
		p("file %s %s inline %t refused %q %d bytes", f.Name, f.Type, f.Inline, f.Refused, len(f.Content))
	}
	for _, part := range m.Body {
		p("=== %s\n%s", part.Kind, part.Text)
	}
	return b.String()
}

// Every sample, as French mail programs write them, against what it should give.
func TestSamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < 10 {
		t.Fatalf("samples: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".eml"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(Parse(raw))
			// Ends of line of the network change nothing.
			sizes := regexp.MustCompile(`\d+ bytes`)
			if crlf := describe(Parse(bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")))); sizes.ReplaceAllString(crlf, "") != sizes.ReplaceAllString(got, "") {
				t.Errorf("with CRLF:\n%s", crlf)
			}
			golden := strings.TrimSuffix(file, ".eml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Folding never loses, moves or changes a line.
func TestFoldingLosesNothing(t *testing.T) {
	t.Parallel()
	line := rapid.SampledFrom([]string{
		"", "Bonjour,", "Cordialement,", "-- ", "> cité", ">> cité deux fois", "Le 3 mars 2026 à 14:05, Jean a écrit :", "De : Jean <a@b.example>", "Envoyé : mardi", "Objet : x",
		"-----Message d'origine-----", "________________________________", "Envoyé de mon iPhone", "P.S. : salle 12", "La salle 12 est en panne.", "---------- Forwarded message ---------",
		"Le lun. 9 mars 2026 à 18:02, Incidents <", "incidents@departement.example> a écrit :", "Ce message est confidentiel", "\tindenté",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 30).Draw(t, "lines"), "\n")
		body := fold(text, rapid.Bool().Draw(t, "forward"))
		if body.Whole() != text {
			t.Fatalf("whole is %q, was %q", body.Whole(), text)
		}
		if strings.TrimSpace(text) != "" && strings.TrimSpace(body.Said()) == "" {
			t.Fatalf("nothing is said of %q", text)
		}
	})
}

func TestTitles(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]string{
		"Re: panne":                           "panne",
		"RE : RE: TR: panne":                  "panne",
		"Re[2]: panne":                        "panne",
		"[SPAM] Re: panne":                    "panne",
		"*****SPAM***** panne":                "panne",
		"Tr\u00a0: [EXTERNE] panne":           "panne",
		"Fwd: Fwd: panne":                     "panne",
		"Repas froid: panne":                  "Repas froid: panne",
		"[#12] panne":                         "[#12] panne",
		"Trop lent":                           "Trop lent",
		"":                                    "",
		"Réf: 12":                             "12",
		"Re:":                                 "",
		"RE: [Externe] - Wifi coupé":          "Wifi coupé",
		"[salle 12] Re: sur la table":         "[salle 12] Re: sur la table",
		"Ré : vidéoprojecteur":                "vidéoprojecteur",
		strings.Repeat("Re: ", 200) + "panne": "panne",
	} {
		if got, _, _ := title(line(subject)); got != want {
			t.Errorf("%q: %q, want %q", subject, got, want)
		}
	}
}

// A day's worst mail: each is read within its bounds, and says what is wrong.
func TestBadDays(t *testing.T) {
	t.Parallel()
	endless := func(depth int) []byte {
		var b bytes.Buffer
		b.WriteString("From: a@b.example\nSubject: arbre\n")
		for i := range depth {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		b.WriteString("Content-Type: text/plain\n\nau fond\n")
		return b.Bytes()
	}
	wide := func(parts int) []byte {
		var b bytes.Buffer
		b.WriteString("From: a@b.example\nSubject: large\nContent-Type: multipart/mixed; boundary=b\n\n")
		for range parts {
			b.WriteString("--b\nContent-Type: text/plain\n\nx\n")
		}
		return append(b.Bytes(), "--b--\n"...)
	}
	nested := func(depth int) []byte {
		return []byte("From: a@b.example\nSubject: poupées\n" + strings.Repeat("Content-Type: message/rfc822\n\nSubject: dedans\n", depth) + "\nfin\n")
	}
	for _, c := range []struct {
		name string
		raw  []byte
		flaw Flaw
	}{
		{"endless MIME tree", endless(50_000), FlawDepth},
		{"two hundred thousand parts", wide(200_000), FlawParts},
		{"messages in messages", nested(20_000), FlawDepth},
		{"60 MB attachment", append([]byte("From: a@b.example\nSubject: lourd\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n"), bytes.Repeat([]byte("QUJD"), 15<<20)...), FlawSize},
		{"a header without end", append([]byte("From: a@b.example\nSubject: "), bytes.Repeat([]byte("a"), 5<<20)...), FlawHeader},
		{"a million header fields", append([]byte("From: a@b.example\n"), bytes.Repeat([]byte("X: y\n"), 1_000_000)...), FlawHeader},
		{"a boundary that never comes", []byte("From: a@b.example\nContent-Type: multipart/mixed; boundary=zzz\n\nLe texte est là.\n"), ""},
		{"no bytes", nil, ""},
		{"only a body", []byte("\n\nbonjour"), ""},
		{"text of ten megabytes", append([]byte("From: a@b.example\n\n"), bytes.Repeat([]byte("une ligne de texte\n"), 550_000)...), FlawText},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := Parse(c.raw)
			if c.flaw != "" && !slices.Contains(m.Flaws, c.flaw) {
				t.Errorf("flaws %v, want %s", m.Flaws, c.flaw)
			}
			bounded(t, m)
		})
	}
}

// bounded holds what is true of every message.
func bounded(t *testing.T, m *Message) {
	t.Helper()
	if n := len(m.Body.Whole()); n > MaxText+1000 {
		t.Errorf("text of %d bytes", n)
	}
	if len(m.Files) > MaxFiles {
		t.Errorf("%d files", len(m.Files))
	}
	size := 0
	for _, f := range m.Files {
		size += len(f.Content)
		if strings.ContainsAny(f.Name, "/\\\n\x00") {
			t.Errorf("file name %q", f.Name)
		}
	}
	if size > MaxDecoded {
		t.Errorf("%d bytes of files", size)
	}
	for _, s := range []string{m.Title, m.Subject, m.From.Name, m.From.Email, m.ID, m.Body.Whole()} {
		if strings.ContainsAny(s, "\x00\x1b\r") || strings.ToValidUTF8(s, "") != s {
			t.Errorf("unclean text %q", s)
		}
	}
	if strings.Contains(m.Title, "\n") {
		t.Errorf("title %q", m.Title)
	}
	if m.Digest == "" {
		t.Error("no digest")
	}
}

// The same message by two ways is one; another text is another message.
func TestDigest(t *testing.T) {
	t.Parallel()
	one := "Message-ID: <x@y>\nFrom: a@b.example\nSubject: s\n\nbonjour\n"
	same := "Return-Path: <a@b.example>\r\nReceived: by mx2\r\nMessage-ID: <x@y>\r\nFrom: a@b.example\r\nX-Spam: no\r\nSubject: s\r\n\r\nbonjour\r\n"
	other := "Message-ID: <x@y>\nFrom: a@b.example\nSubject: s\n\nbonsoir\n"
	if Parse([]byte(one)).Digest != Parse([]byte(same)).Digest {
		t.Error("the way changes the digest")
	}
	if Parse([]byte(one)).Digest == Parse([]byte(other)).Digest {
		t.Error("the text does not change the digest")
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw)
		bounded(t, m)
		if m.Body.Said() == "" && strings.TrimSpace(m.Body.Whole()) != "" {
			t.Error("a text that says nothing")
		}
	})
}

func FuzzInvite(f *testing.F) {
	f.Add("BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nDTSTART:20260317T093000Z\nDTEND;TZID=Europe/Paris:20260317T113000\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n")
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260317\nSUMMARY:a\\,b\\n c\nEND:VEVENT\nEND:VCALENDAR\n")
	f.Add("BEGIN:VEVENT\nEND:VCALENDAR")
	f.Fuzz(func(t *testing.T, text string) {
		if inv := Invite(text); inv != nil && inv.Text(paris) == "" {
			t.Error("an invitation that says nothing")
		}
	})
}

func FuzzHTML(f *testing.F) {
	f.Add("<p>a<br>b<ul><li>c</ul><blockquote><blockquote>d</blockquote>e</blockquote><table><tr><td>1<td>2</table>")
	f.Add("<script>x</script><scr<script>ipt>y</script><a href='javascript:z'>t</a>")
	f.Fuzz(func(t *testing.T, source string) {
		if out := plainText(source); len(out) > 4*len(source)+MaxText {
			t.Errorf("%d bytes of %d", len(out), len(source))
		}
	})
}
