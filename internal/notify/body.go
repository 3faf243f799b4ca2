package notify

import (
	"bytes"
	"html/template"
	"strings"
	"unicode/utf8"

	"statincidents/internal/locale"
)

// Body is what a message says, written once for both of its parts.
type Body struct {
	Blocks []Block
	Footer []string // small lines at the end: why one gets it, how to stop
}

// Block is a paragraph, a quotation, or a line of links.
type Block struct {
	Text  string
	Quote bool   // what somebody wrote
	Mute  bool   // of less weight
	Links []Link // after the text, the first as a button
	Title string // of a section of a digest
}

// Link is an address with its name.
type Link struct {
	Label string
	Href  string
	Plain bool // not as a button
}

// Paragraphs makes a body of plain paragraphs.
func Paragraphs(texts ...string) Body {
	var b Body
	for _, t := range texts {
		b.Blocks = append(b.Blocks, Block{Text: t})
	}
	return b
}

func (b Body) size() int {
	n := 0
	for _, k := range b.Blocks {
		n += utf8.RuneCountInString(k.Text) + utf8.RuneCountInString(k.Title)
		for _, l := range k.Links {
			n += len(l.Label) + len(l.Href)
		}
	}
	return n
}

// Text is the plain part: lines are left to the reader's window.
func (b Body) Text() string {
	var t strings.Builder
	for k, block := range b.Blocks {
		if k > 0 {
			t.WriteString("\n")
		}
		if block.Title != "" {
			t.WriteString(strings.ToUpper(block.Title) + "\n")
		}
		for line := range strings.SplitSeq(block.Text, "\n") {
			switch {
			case block.Text == "":
			case block.Quote:
				t.WriteString("> " + line + "\n")
			default:
				t.WriteString(line + "\n")
			}
		}
		for _, l := range block.Links {
			t.WriteString(l.Label + "\n" + l.Href + "\n")
		}
	}
	if len(b.Footer) > 0 {
		t.WriteString("\n-- \n" + strings.Join(b.Footer, "\n") + "\n")
	}
	return t.String()
}

// HTML is the part that most people see: simple, in the reader's own size,
// without pictures or anything to fetch.
func (b Body) HTML(lang locale.Lang, subject string) (string, error) {
	var out bytes.Buffer
	err := htmlPart.Execute(&out, struct {
		Body
		Lang    string
		Subject string
	}{b, string(lang), subject})
	return out.String(), err
}

// Lines cuts a text where its author did.
func (b Block) Lines() []string { return strings.Split(b.Text, "\n") }

// Colours have a contrast of 7 at least, on white and inverted by dark readers.
var htmlPart = template.Must(template.New("mail").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5">
<div style="max-width:36em;margin:0 auto">
{{range .Blocks}}{{with .Title}}<h2 style="font-size:18px;margin:24px 0 8px">{{.}}</h2>
{{end}}{{if .Text}}{{if .Quote}}<blockquote style="margin:0 0 16px;padding:0 0 0 12px;border-left:3px solid #4a7c86">{{range $n, $line := .Lines}}{{if $n}}<br>{{end}}{{$line}}{{end}}</blockquote>
{{else}}<p style="margin:0 0 16px{{if .Mute}};font-size:14px{{end}}">{{range $n, $line := .Lines}}{{if $n}}<br>{{end}}{{$line}}{{end}}</p>
{{end}}{{end}}{{range .Links}}<p style="margin:0 0 12px">{{if .Plain}}<a href="{{.Href}}">{{.Label}}</a>{{else}}<a href="{{.Href}}" style="display:inline-block;padding:10px 18px;border-radius:6px;background:#0a5566;color:#ffffff;text-decoration:none;font-weight:600">{{.Label}}</a>{{end}}</p>
{{end}}{{end}}{{if .Footer}}<hr style="border:0;border-top:1px solid #8a9499;margin:24px 0 12px">
<p style="margin:0;font-size:14px">{{range $n, $line := .Footer}}{{if $n}}<br>{{end}}{{$line}}{{end}}</p>
{{end}}</div>
</body>
</html>
`))
