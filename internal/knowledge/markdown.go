package knowledge

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown reads the part of Markdown that articles may use: paragraphs,
// headings, lists, emphasis, quotations, code, links. HTML is shown as it was
// typed, pictures as their words, and links lead only to pages of ours, to the
// web and to mail boxes.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
		parser.WithASTTransformers(util.Prioritized(tame{}, 100)),
	)),
	goldmark.WithRendererOptions(html.WithHardWraps()),
)

// Render makes the HTML of an article's body. Whatever is in it, what comes out
// is inert: only elements of text, and links that Refused lets pass.
func Render(body string) string {
	var b bytes.Buffer
	if err := markdown.Convert([]byte(body), &b); err != nil {
		return "" // writing to memory does not fail
	}
	return b.String()
}

// tame makes a document harmless before it is written.
type tame struct{}

// Transform moves headings below those of the page, and turns pictures, and
// links that lead elsewhere than they may, into their words.
func (tame) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var replace []ast.Node
	highest := 6 // whichever level an author begins with comes just below the page's title
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			highest = min(highest, h.Level)
		}
	}
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = min(max(n.Level-highest, 0)+2, 4)
		case *ast.Image:
			replace = append(replace, n)
		case *ast.Link:
			n.Title = nil
			if !allowedLink(string(n.Destination)) {
				replace = append(replace, n)
			} else if !strings.HasPrefix(string(n.Destination), "/") {
				n.SetAttributeString("rel", []byte("noopener noreferrer"))
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range replace {
		parent := n.Parent()
		for c := n.FirstChild(); c != nil; {
			next := c.NextSibling()
			parent.InsertBefore(parent, n, c)
			c = next
		}
		parent.RemoveChild(parent, n)
	}
}

// allowedLink tells whether a link may be followed: a page of ours, the web,
// a mail box.
func allowedLink(to string) bool {
	u, err := url.Parse(to)
	if err != nil || strings.ContainsAny(to, "\\\x00\n\r\t") {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return true
	case "":
		return u.Host == "" && strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//")
	}
	return false
}

// Refused gives the first link of a body that may not be followed, or the
// first picture, "" if there is none: what Render would show as mere words.
func Refused(body string) string {
	refused := ""
	doc := checking.Parse(text.NewReader([]byte(body)))
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Image:
			refused = string(n.Destination)
			if refused == "" {
				refused = "!"
			}
		case *ast.Link:
			if !allowedLink(string(n.Destination)) {
				refused = string(n.Destination)
				if refused == "" {
					refused = "()"
				}
			}
		}
		if refused != "" {
			return ast.WalkStop, nil
		}
		return ast.WalkContinue, nil
	})
	return refused
}

// checking reads links as Render does, and leaves them as they are.
var checking = parser.NewParser(
	parser.WithBlockParsers(parser.DefaultBlockParsers()...),
	parser.WithInlineParsers(
		util.Prioritized(parser.NewCodeSpanParser(), 100),
		util.Prioritized(parser.NewLinkParser(), 200),
	),
	parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
)
