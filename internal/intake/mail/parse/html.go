package parse

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Elements whose content is not for people.
var silent = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Head: true, atom.Title: true, atom.Template: true, atom.Noscript: true, atom.Object: true,
	atom.Iframe: true, atom.Svg: true, atom.Math: true, atom.Select: true, atom.Textarea: true, atom.Audio: true, atom.Video: true, atom.Canvas: true,
}

// Elements that have no end.
var void = map[atom.Atom]bool{
	atom.Area: true, atom.Base: true, atom.Br: true, atom.Col: true, atom.Embed: true, atom.Hr: true, atom.Img: true, atom.Input: true,
	atom.Link: true, atom.Meta: true, atom.Source: true, atom.Track: true, atom.Wbr: true,
}

// Elements that stand on lines of their own; with true, an empty line around.
var blocks = map[atom.Atom]bool{
	atom.P: true, atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Blockquote: true, atom.Pre: true, atom.Table: true,
	atom.Ul: true, atom.Ol: true, atom.Dl: true,
	atom.Div: false, atom.Section: false, atom.Article: false, atom.Header: false, atom.Footer: false, atom.Li: false, atom.Tr: false, atom.Dt: false, atom.Dd: false,
	atom.Address: false, atom.Center: false, atom.Form: false, atom.Fieldset: false, atom.Main: false, atom.Nav: false, atom.Aside: false, atom.Body: false,
}

var hidden = regexp.MustCompile(`(?i)display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(px|pt|em)?\s*(;|$|!)|mso-hide\s*:\s*all|max-height\s*:\s*0(px)?\s*(;|$)`)

// plainText makes readable text of HTML: nothing is executed, fetched or kept
// but words. Lists, tables, links and quotes stay legible.
func plainText(source string) string {
	w := &htmlText{}
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(1 << 20)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return w.out.String()
		case html.TextToken:
			w.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z.Token())
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(atom.Lookup(name))
		case html.CommentToken, html.DoctypeToken:
		}
		if w.out.Len() > MaxText {
			return w.out.String()
		}
	}
}

type htmlText struct {
	out     strings.Builder
	muted   atom.Atom // inside this, nothing is said
	deep    int       // how many of it are open
	quotes  int       // blockquotes around
	pre     int
	lists   []int // numbers of ordered lists, 0 for others
	href    string
	linked  strings.Builder
	cells   int // in the row
	fresh   bool
	blank   bool // an empty line was just made
	pending bool // a space waits
	begun   bool
}

const deepest = 20 // of quotes and lists told apart

func (w *htmlText) start(t html.Token) {
	a := t.DataAtom
	if w.muted != 0 {
		if a == w.muted && !void[a] && t.Type != html.SelfClosingTagToken {
			w.deep++
		}
		return
	}
	attr := func(name string) string {
		for _, at := range t.Attr {
			if at.Key == name {
				return at.Val
			}
		}
		return ""
	}
	if silent[a] || !void[a] && a != atom.Html && a != atom.Body && a != atom.Table && a != atom.Td && hidden.MatchString(attr("style")) {
		if t.Type != html.SelfClosingTagToken && a != 0 {
			w.muted, w.deep = a, 1
		}
		return
	}
	if apart, ok := blocks[a]; ok {
		w.lineEnd(apart)
	}
	class := attr("class") + " " + attr("id")
	switch a {
	case atom.Br:
		w.newline()
	case atom.Hr:
		w.lineEnd(false)
		w.raw("________________________________")
		w.lineEnd(false)
	case atom.Blockquote:
		w.quotes = min(w.quotes+1, deepest)
	case atom.Pre:
		w.pre++
	case atom.Ul:
		w.lists = append(w.lists, 0)
	case atom.Ol:
		w.lists = append(w.lists, 1)
	case atom.Li:
		w.item()
	case atom.Tr:
		w.cells = 0
	case atom.Td, atom.Th:
		if w.cells++; w.cells > 1 && !w.fresh {
			w.raw(" | ")
		}
	case atom.A:
		if href := strings.TrimSpace(attr("href")); w.href == "" && followable(href) {
			w.href = href
			w.linked.Reset()
		}
	case atom.Img:
		if alt := line(attr("alt")); alt != "" && !strings.Contains(alt, ".") && len(alt) < 200 {
			w.text("[" + alt + "]")
		}
	case atom.Div:
		if strings.Contains(class, "gmail_signature") || strings.Contains(class, "moz-signature") || strings.Contains(class, "ms-outlook-mobile-signature") {
			w.lineEnd(false)
			w.raw("-- ")
			w.newline()
		}
	}
	if len(w.lists) > deepest {
		w.lists = w.lists[:deepest]
	}
}

func (w *htmlText) item() {
	depth := max(len(w.lists)-1, 0)
	sign := "- "
	if n := len(w.lists); n > 0 && w.lists[n-1] > 0 {
		sign = strconv.Itoa(w.lists[n-1]) + ". "
		w.lists[n-1]++
	}
	w.raw(strings.Repeat("  ", depth) + sign)
	w.fresh = false
	w.pending = false
}

func (w *htmlText) end(a atom.Atom) {
	if w.muted != 0 {
		if a == w.muted {
			if w.deep--; w.deep == 0 {
				w.muted = 0
			}
		}
		return
	}
	switch a {
	case atom.A:
		w.endLink()
	case atom.Blockquote:
		w.lineEnd(false)
		w.quotes = max(w.quotes-1, 0)
	case atom.Pre:
		w.pre = max(w.pre-1, 0)
	case atom.Ul, atom.Ol:
		if n := len(w.lists); n > 0 {
			w.lists = w.lists[:n-1]
		}
	}
	if apart, ok := blocks[a]; ok {
		w.lineEnd(apart && a != atom.Table)
	}
}

// endLink says where a link leads, unless its words say it already.
func (w *htmlText) endLink() {
	href, words := w.href, line(w.linked.String())
	w.href = ""
	if href == "" {
		return
	}
	address := strings.TrimPrefix(href, "mailto:")
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://"), "/")
	if words == "" || strings.Contains(words, bare) || strings.EqualFold(words, address) {
		if words == "" {
			return // an image or nothing
		}
		return
	}
	if len(address) > 300 {
		address = address[:300] + "…"
	}
	w.text(" <" + line(address) + ">")
}

// followable tells whether a link is worth saying: an address, not a script.
func followable(href string) bool {
	href = strings.ToLower(href)
	return strings.HasPrefix(href, "http://") || strings.HasPrefix(href, "https://") || strings.HasPrefix(href, "mailto:")
}

// text says words; blanks fold into one unless the text is preformatted.
func (w *htmlText) text(s string) {
	if w.muted != 0 {
		return
	}
	if w.href != "" && w.linked.Len() < 2000 {
		w.linked.WriteString(s)
	}
	if w.pre > 0 {
		for i, l := range strings.Split(s, "\n") {
			if i > 0 {
				w.newline()
			}
			if l != "" {
				w.raw(l)
			}
		}
		return
	}
	for i, field := range strings.Fields(s) {
		if i > 0 || strings.IndexFunc(s, blank) == 0 {
			w.pending = w.pending || !w.fresh && w.begun
		}
		w.raw(field)
	}
	if strings.TrimFunc(s, blank) == "" && s != "" || strings.LastIndexFunc(s, blank) == len(s)-1 && s != "" {
		w.pending = !w.fresh && w.begun
	}
}

func blank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0' }

// raw writes on the present line, after its quote marks.
func (w *htmlText) raw(s string) {
	if (w.fresh || !w.begun) && w.quotes > 0 {
		w.out.WriteString(strings.Repeat(">", w.quotes) + " ")
	}
	if w.pending && !w.fresh && w.begun {
		w.out.WriteByte(' ')
	}
	w.pending = false
	w.out.WriteString(s)
	w.fresh, w.begun, w.blank = false, true, false
}

func (w *htmlText) newline() {
	w.pending = false
	if w.fresh {
		if w.quotes > 0 {
			w.out.WriteString(strings.Repeat(">", w.quotes))
		}
		w.blank = true
	}
	w.out.WriteByte('\n')
	w.fresh = true
}

// lineEnd ends the line if one is begun, and leaves an empty one if asked.
func (w *htmlText) lineEnd(apart bool) {
	w.pending = false
	if !w.begun {
		return
	}
	if !w.fresh {
		w.newline()
	}
	if apart && !w.blank {
		w.newline()
	}
}
