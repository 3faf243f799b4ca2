package search

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestMarked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ asked, text, want string }{
		{"ecran", "L'écran est noir, les écrans aussi", "L'[écran] est noir, les [écrans] aussi"},
		{"noir écr", "L’Écran noir", "L’[Écran] [noir]"},
		{"oeuvre", "Œuvre d'art", "[Œuvre] d'art"},
		{"e\u0301cran", "e\u0301cran noir", "[e\u0301cran] noir"},
		{`"est noir" x`, "il est noirci, est noir", "il [est] noirci, [est] [noir]"},
		{"kpc-12", "<b>KPC-12</b> & co", "<b>[KPC]-[12]</b> & co"},
		{"", "rien", "rien"},
	} {
		var b strings.Builder
		for _, p := range NewTerms(c.asked).Marked(c.text) {
			if p.Mark {
				b.WriteString("[" + p.Text + "]")
				continue
			}
			b.WriteString(p.Text)
		}
		if diff := cmp.Diff(c.want, b.String()); diff != "" {
			t.Errorf("%q in %q:\n%s", c.asked, c.text, diff)
		}
	}
	long := strings.Repeat("autre chose é ", 40) + "le toner rouge manque" + strings.Repeat(" encore là", 40)
	if s := NewTerms("toner rouge").Snippet(long, 80); len(Plain(s)) > 110 || !strings.Contains(Plain(s), "le toner rouge manque") || !strings.HasPrefix(Plain(s), "… ") {
		t.Errorf("snippet %q", Plain(s))
	}
}

// Pieces put together are the text, and what is marked answers a term.
func FuzzMarked(f *testing.F) {
	f.Add("écr noir", "L'écran, e\u0301cran « noir » \xff KPC-12 İstanbul ﬁche 각")
	f.Fuzz(func(t *testing.T, asked, text string) {
		terms := NewTerms(asked)
		pieces := terms.Marked(text)
		if Plain(pieces) != text {
			t.Fatalf("%q became %q", text, Plain(pieces))
		}
		if got := terms.Snippet(text, 50); utf8.ValidString(text) && !utf8.ValidString(Plain(got)) {
			t.Fatalf("snippet %q of %q cuts a letter", Plain(got), text)
		}
	})
}
