package knowledge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var (
	ctx        = context.Background()
	system     = auth.System(1)
	technician = auth.Identity{Tenant: 1, Account: 2, Role: auth.Technician, Person: 20}
	referent   = auth.Identity{Tenant: 1, Account: 3, Role: auth.Referent, Schools: []int64{1}}
	declarant  = auth.Identity{Tenant: 1, Account: 4, Role: auth.Declarant, Person: 40, Schools: []int64{1}}
)

type house struct {
	*Service
	words *catalog.Service
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	j := journal.New(db)
	words := catalog.New(db, j)
	if err := words.Seed(ctx, system); err != nil {
		tb.Fatal(err)
	}
	return &house{New(db, j, words), words}
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func titles(all []Article) []string {
	var t []string
	for _, a := range all {
		t = append(t, a.Title)
	}
	return t
}

func TestLifeOfAnArticle(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		a := must[Article](t)(h.Save(ctx, technician, Article{Audience: Everyone, Title: "  Le tableau  ne répond plus ", Body: "Rebranchez le câble USB.\r\n", Review: calendar.Date(2027, time.March, 1)}))
		if a.State != Draft || a.Version != 1 || a.Title != "Le tableau ne répond plus" || a.Body != "Rebranchez le câble USB." {
			t.Errorf("%+v", a)
		}
		if _, err := h.Get(ctx, declarant, a.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a draft is read: %v", err)
		}
		a = must[Article](t)(h.Turn(ctx, technician, a.ID, a.Version, Published))
		if got := must[Article](t)(h.Get(ctx, declarant, a.ID)); got.Published.IsZero() || got.Version != 2 {
			t.Errorf("%+v", got)
		}
		edit := a
		edit.Body, edit.Audience = "Débranchez puis rebranchez.", Technicians
		a = must[Article](t)(h.Save(ctx, technician, edit))
		if _, err := h.Save(ctx, technician, edit); !fault.Is(err, fault.Conflict) {
			t.Errorf("a change made on an old version: %v", err)
		}
		if again := must[Article](t)(h.Save(ctx, technician, a)); again.Version != a.Version {
			t.Error("saving what is there already makes a version")
		}
		for _, by := range []auth.Identity{referent, declarant, {}} {
			if _, err := h.Get(ctx, by, a.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s reads what is for technicians: %v", by.Role, err)
			}
			if _, err := h.Save(ctx, by, Article{Title: "x", Body: "y", Audience: Everyone}); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s writes: %v", by.Role, err)
			}
			if _, err := h.Turn(ctx, by, a.ID, a.Version, Retired); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s retires: %v", by.Role, err)
			}
			if _, err := h.Versions(ctx, by, a.ID); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s reads former versions: %v", by.Role, err)
			}
		}
		must[Article](t)(h.Turn(ctx, technician, a.ID, 0, Retired))
		editions := must[[]Edition](t)(h.Versions(ctx, technician, a.ID))
		var kinds []string
		for _, e := range editions {
			kinds = append(kinds, e.Kind)
		}
		if diff := cmp.Diff([]string{EventRetired, EventEdited, EventPublished, EventWritten}, kinds); diff != "" || editions[3].Body != "Rebranchez le câble USB." {
			t.Errorf("%s\n%+v", diff, editions)
		}
		if due := must[[]Article](t)(h.List(ctx, technician, Filter{ReviewDue: time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)})); len(due) != 1 {
			t.Errorf("to be read again: %v", titles(due))
		}
		if err := h.Mark(ctx, technician, a.ID, Helped, 0); err != nil {
			t.Fatal(err)
		}
		checkRebuild(t, db, h.Projection())
	})
}

// checkRebuild replays the journal aside and compares.
func checkRebuild(tb testing.TB, db *sqldb.DB, p journal.Projection) {
	tb.Helper()
	replay, err := journal.CheckRebuild(ctx, db, 1, []journal.Projection{p}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if len(replay.Differences) > 0 {
		tb.Errorf("rebuilt otherwise: %+v", replay.Differences)
	}
}

func TestRefusedArticles(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	for name, c := range map[string]struct {
		change func(*Article)
		field  string
	}{
		"no title":       {func(a *Article) { a.Title = " " }, "title"},
		"long title":     {func(a *Article) { a.Title = strings.Repeat("é", MaxTitle+1) }, "title"},
		"no body":        {func(a *Article) { a.Body = "" }, "body"},
		"long body":      {func(a *Article) { a.Body = strings.Repeat("é", MaxBody+1) }, "body"},
		"script link":    {func(a *Article) { a.Body = "[ici](javascript:alert(1))" }, "body"},
		"picture":        {func(a *Article) { a.BodyEN = "![x](https://example.org/x.png)" }, "body_en"},
		"other audience": {func(a *Article) { a.Audience = "pupils" }, "audience"},
		"category":       {func(a *Article) { a.Category = 9999 }, "category"},
	} {
		a := Article{Title: "Titre", Body: "Corps", Audience: Everyone}
		c.change(&a)
		_, err := h.Save(ctx, system, a)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.field+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStartersAreOfferedAndFound(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		if n := must[int](t)(h.Missing(ctx, 1)); n != 12 {
			t.Fatalf("%d articles are offered", n)
		}
		if n := must[int](t)(h.AddStarters(ctx, technician)); n != 12 {
			t.Errorf("%d articles are added", n)
		}
		if n := must[int](t)(h.AddStarters(ctx, technician)); n != 0 {
			t.Errorf("%d articles are added again", n)
		}
		if _, err := h.AddStarters(ctx, declarant); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a declarant adds: %v", err)
		}
		all := must[[]Article](t)(h.List(ctx, technician, Filter{}))
		for _, a := range all {
			if a.Category == 0 || a.TitleEN == "" || a.BodyEN == "" || Refused(a.Body) != "" || strings.ContainsAny(a.Body, "'") && !strings.Contains(a.Body, "`") {
				t.Errorf("%+v", a)
			}
		}
		if n := len(must[[]Article](t)(h.List(ctx, declarant, Filter{}))); n != 6 {
			t.Errorf("a declarant reads %d articles", n)
		}
		index := must[*catalog.Index](t)(h.words.Index(ctx, 1))
		jam, _ := index.CategoryByPath("Impression et copieur", "N'imprime pas")
		for _, c := range []struct {
			by       auth.Identity
			text     string
			category int64
			want     string // beginning of the first, "" for none
		}{
			{declarant, "Le vidéoprojecteur reste noir en salle 12", 0, "Le vidéoprojecteur n’affiche rien"},
			{declarant, "j'ai oublié mon mot de passe", 0, "Mot de passe oublié"},
			{declarant, "il n'y a plus de son", 0, "Plus de son"},
			{declarant, "rien ne sort", jam.ID, "L’imprimante ne sort rien"},
			{technician, "file d'impression bloquée, spouleur", jam.ID, "File d’impression bloquée"},
			{declarant, "spouleur", 0, ""},
			{declarant, "la chaise est cassée", 0, ""},
			{declarant, "", 0, ""},
			{auth.Identity{}, "mot de passe", 0, ""},
		} {
			got := titles(must[[]Article](t)(h.Propose(ctx, c.by, c.text, c.category)))
			if c.want == "" && len(got) != 0 || c.want != "" && (len(got) == 0 || !strings.HasPrefix(got[0], c.want)) {
				t.Errorf("%q for %s: %q, want %q", c.text, c.by.Role, got, c.want)
			}
		}
		if got := titles(must[[]Article](t)(h.List(ctx, declarant, Filter{Text: "imprimantes"}))); len(got) != 1 {
			t.Errorf("searching finds %q", got)
		}
	})
}

func TestUsesAreCountedOnce(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		a := must[Article](t)(h.Save(ctx, system, Article{Audience: Everyone, State: Published, Title: "Titre", Body: "Corps"}))
		for _, err := range []error{
			h.Mark(ctx, declarant, a.ID, Helped, 0), h.Mark(ctx, declarant, a.ID, Helped, 0), h.Mark(ctx, referent, a.ID, Helped, 0), h.Mark(ctx, referent, a.ID, NotHelped, 0),
			h.Mark(ctx, declarant, a.ID, Avoided, 0), h.Mark(ctx, declarant, a.ID, Avoided, 0), h.Mark(ctx, technician, a.ID, Applied, 7), h.Mark(ctx, system, a.ID, Applied, 7),
			h.Mark(ctx, technician, a.ID, Applied, 8), h.Unmark(ctx, technician, a.ID, Applied, 8), h.Unmark(ctx, technician, a.ID, Applied, 9),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := must[Article](t)(h.Get(ctx, system, a.ID)).Uses; got != (Uses{1, 1, 1, 1}) {
			t.Errorf("%+v", got)
		}
		for name, err := range map[string]error{
			"a declarant applies":       h.Mark(ctx, declarant, a.ID, Applied, 7),
			"applied to nothing":        h.Mark(ctx, technician, a.ID, Applied, 0),
			"another use":               h.Mark(ctx, technician, a.ID, "liked", 0),
			"what they may not read":    h.Mark(ctx, declarant, 999, Helped, 0),
			"someone of another tenant": h.Mark(ctx, auth.Identity{Tenant: 2, Role: auth.Technician}, a.ID, Helped, 0),
		} {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Nobody is given an article that is not for them, whatever they ask.
func TestScopeNeverLeaks(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	rapid.Check(t, func(rt *rapid.T) {
		in := Article{Audience: rapid.SampledFrom(Audiences).Draw(rt, "audience"), Title: "Imprimante " + fmt.Sprint(rapid.IntRange(0, 9).Draw(rt, "n")), Body: "Corps"}
		a, err := h.Save(ctx, system, in)
		if err != nil {
			rt.Fatal(err)
		}
		if a, err = h.Turn(ctx, system, a.ID, 0, rapid.SampledFrom(States).Draw(rt, "state")); err != nil {
			rt.Fatal(err)
		}
		for _, by := range []auth.Identity{technician, referent, declarant, {}, {Tenant: 2, Role: auth.Administrator}} {
			_, err := h.Get(ctx, by, a.ID)
			listed, err1 := h.List(ctx, by, Filter{Text: "imprimante"})
			proposed, err2 := h.Propose(ctx, by, "imprimante imprimante", 0)
			if err1 != nil || err2 != nil {
				rt.Fatal(err1, err2)
			}
			may := by.Tenant == 1 && (by.Can(auth.EditKnowledge) || a.State == Published && a.Audience == Everyone && by.Can(auth.DeclareIncident))
			if may == fault.Is(err, fault.NotFound) {
				rt.Fatalf("%s: %s article for %s: %v", by.Role, a.State, a.Audience, err)
			}
			for _, x := range slices.Concat(listed, proposed) {
				if by.Tenant != 1 || !by.Can(auth.EditKnowledge) && (x.State != Published || x.Audience != Everyone) {
					rt.Fatalf("%s is given %+v", by.Role, x)
				}
			}
			for _, x := range proposed {
				if x.State != Published {
					rt.Fatalf("a %s article is proposed", x.State)
				}
			}
		}
	})
}

var inert = map[string]bool{
	"html": true, "head": true, "body": true, // the parser's
	"p": true, "h2": true, "h3": true, "h4": true, "ul": true, "ol": true, "li": true, "strong": true, "em": true, "code": true, "pre": true, "blockquote": true, "hr": true, "br": true, "a": true,
}

func checkInert(tb testing.TB, body string) {
	tb.Helper()
	doc, err := html.Parse(strings.NewReader(Render(body)))
	if err != nil {
		tb.Fatal(err)
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.ElementNode:
			if !inert[n.Data] {
				tb.Errorf("%q makes <%s>", body, n.Data)
			}
			for _, at := range n.Attr {
				ok := n.Data == "a" && (at.Key == "href" && allowedLink(at.Val) || at.Key == "rel") || n.Data == "ol" && at.Key == "start" || n.Data == "code" && at.Key == "class"
				if !ok {
					tb.Errorf("%q makes %s=%q in <%s>", body, at.Key, at.Val, n.Data)
				}
			}
		case html.CommentNode:
			tb.Errorf("%q makes a comment %q", body, n.Data)
		}
	}
}

var nasty = []string{
	"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](data:text/html;base64,xx)", "[x](//evil.example)",
	"![x](https://example.org/t.png)", "[a][r]\n\n[r]: javascript:alert(1)", "[x](/knowledge/1 \"onclick=1\")", "# t\n\n```html\n<b>\n```", "<https://example.org>", "[x](<java\nscript:1>)",
	"a\n<div onclick=x>\n\nb", "[![x](y)](z)", "&lt;script&gt;", "[x](vbscript:1)", "[x](https:\\\\evil)", "`<b>`", "[x](mailto:a@b?subject=x)", "* a\n  * b\n\n1. c", "> q\n\n---",
}

func TestMarkdownIsInert(t *testing.T) {
	t.Parallel()
	for _, body := range nasty {
		checkInert(t, body)
	}
	if got, want := Render("## Étape\n\n1. **Un** [lien](https://example.org/a?b=1&c) et [ici](/knowledge/3)\n2. `code`"),
		"<h2>Étape</h2>\n<ol>\n<li><strong>Un</strong> <a href=\"https://example.org/a?b=1&amp;c\" rel=\"noopener noreferrer\">lien</a> et <a href=\"/knowledge/3\">ici</a></li>\n<li><code>code</code></li>\n</ol>\n"; got != want {
		t.Errorf("%s", cmp.Diff(want, got))
	}
	for body, want := range map[string]bool{
		"[x](javascript:1)": true, "![x](/a.png)": true, "[x](//evil)": true, "[x](ftp://a)": true, "[x](relative)": true,
		"[x](/knowledge/1)": false, "[x](https://a.example)": false, "`[x](javascript:1)`": false, "texte": false, "[x](mailto:a@b.fr)": false,
	} {
		if got := Refused(body) != ""; got != want {
			t.Errorf("%q refused: %v", body, got)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, body := range nasty {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) < 4_000 {
			checkInert(t, body)
		}
	})
}
