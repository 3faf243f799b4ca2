package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"statincidents/internal/auth"
)

// send posts a form with a file; the texts come first, as in the page.
func (b *reader) send(path, field, name, content string, pairs ...string) *answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, b.base+path, &body)
	if err == nil {
		req.Header.Set("Content-Type", w.FormDataContentType())
	}
	return b.do(req, err)
}

// filled lists what a browser would send of a form, in pairs.
func (a *answer) filled(form string) (pairs []string) {
	a.t.Helper()
	root := cascadia.Query(a.doc, cascadia.MustCompile(form))
	if root == nil {
		a.t.Fatalf("no form %s: %s", form, a.text("main"))
	}
	attr := func(n *html.Node, name string) (string, bool) {
		for _, at := range n.Attr {
			if at.Key == name {
				return at.Val, true
			}
		}
		return "", false
	}
	for _, n := range cascadia.QueryAll(root, cascadia.MustCompile("input, select, textarea")) {
		name, _ := attr(n, "name")
		value, _ := attr(n, "value")
		kind, _ := attr(n, "type")
		_, checked := attr(n, "checked")
		switch {
		case n.Data == "select":
			value = ""
			for i, o := range cascadia.QueryAll(n, cascadia.MustCompile("option")) {
				v, _ := attr(o, "value")
				if _, chosen := attr(o, "selected"); chosen || i == 0 {
					value = v
				}
			}
		case n.Data == "textarea":
			value = ""
			if n.FirstChild != nil {
				value = strings.TrimPrefix(n.FirstChild.Data, "\n")
			}
		case (kind == "radio" || kind == "checkbox") && !checked, kind == "file":
			continue
		}
		pairs = append(pairs, name, value)
	}
	return pairs
}

// with replaces values among pairs, or adds them.
func with(pairs []string, changes ...string) []string {
	out := append([]string{}, pairs...)
	for i := 0; i+1 < len(changes); i += 2 {
		found := false
		for j := 0; j+1 < len(out); j += 2 {
			if out[j] == changes[i] {
				out[j+1], found = changes[i+1], true
			}
		}
		if !found {
			out = append(out, changes[i], changes[i+1])
		}
	}
	return out
}

const exported = `Ref;Sujet;Statut;Ouvert le;Lieu
A1;Écran noir;En cours;03/03/2026 14:05;Collège Neuf
A2;Imprimante;Zombie;04/03/2026 08:00;Collège Neuf
A3;Souris;Clos;un jour;Collège Neuf
`

func TestAdminImports(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "chef", auth.Lead)
	b := s.reader(t)
	b.signIn("chef")

	if a := b.send("/admin/imports", "file", "", "").wantStatus(http.StatusUnprocessableEntity); a.text("#f-file-error") == "" {
		t.Errorf("no file: %s", a.text("main"))
	}
	if a := b.send("/admin/imports", "file", "empty.csv", "").wantStatus(http.StatusUnprocessableEntity); a.text("#f-file-error") == "" {
		t.Errorf("an empty file: %s", a.text("main"))
	}
	a := b.send("/admin/imports", "file", "export.csv", exported, "profile", "").wantStatus(http.StatusOK)
	path := a.Request.URL.Path
	if a.text("h1") != "export.csv" || !strings.HasPrefix(path, "/admin/imports/files/") {
		t.Fatalf("sent, then %s: %s", path, a.text("main"))
	}
	form := a.filled("form.admin-mapping")
	// The state that nobody knows is asked for, the bad date is told.
	if a.attr("#mapping input[type=hidden][value=Zombie]", "name") == "" {
		t.Errorf("the unknown value is not asked for: %s", a.text("#mapping"))
	}
	if a.text(".admin-problems") == "" || !strings.Contains(a.text(".table"), "Écran noir") {
		t.Errorf("preview: %s", a.text("#mapping"))
	}

	// What a script sends while one corrects is answered by the page itself.
	broken := with(form, "title.from", "")
	a = b.post(path, broken...).wantStatus(http.StatusOK)
	if a.Request.URL.Path != path || !strings.Contains(a.text("#mapping"), "Titre") || a.count("#mapping .table tbody tr") != 0 {
		t.Errorf("without a title: %s", a.text("#mapping"))
	}
	a = b.post(path, with(broken, "then", "import")...).wantStatus(http.StatusUnprocessableEntity)
	if a.text(".notice.critical li") == "" {
		t.Errorf("an import without a title: %s", a.text("main"))
	}

	// Corrected: the unknown state means closed, the school is made.
	zombie := ""
	for i := 0; i+1 < len(form); i += 2 {
		if form[i+1] == "Zombie" {
			zombie = strings.Replace(form[i], ".v.", ".m.", 1)
		}
	}
	form = with(form, zombie, "closed", "school.create", "yes", "name", "lieux", "title", "Lieux")
	a = b.post(path, with(form, "then", "save")...).wantStatus(http.StatusOK)
	if !strings.Contains(a.text(".notice"), "Lieux") {
		t.Fatalf("saved: %s", a.text("main"))
	}
	a = b.get("/admin/imports/profiles/lieux").wantStatus(http.StatusOK)
	if !strings.Contains(a.body, `Zombie = "closed"`) || !strings.Contains(a.Header.Get("Content-Disposition"), "lieux.toml") {
		t.Errorf("exported profile:\n%s", a.body)
	}
	toml := strings.ReplaceAll(a.body, `name = "lieux"`, `name = "autres"`)
	b.send("/admin/imports/profiles", "toml", "x.toml", toml).wantStatus(http.StatusOK)
	b.send("/admin/imports/profiles", "toml", "x.toml", "name = ").wantStatus(http.StatusUnprocessableEntity)
	b.get("/admin/imports/profiles/autres/remove").wantStatus(http.StatusOK)
	b.post("/admin/imports/profiles/autres/remove").wantStatus(http.StatusOK)
	b.get("/admin/imports/profiles/autres").wantStatus(http.StatusNotFound)

	b.post(path, with(form, "then", "try")...).wantStatus(http.StatusOK)
	ended := func(a *answer) bool { return a.count("progress") == 0 }
	a = b.until(path, ended)
	if !strings.Contains(a.text("#trial-part"), "2 nouveaux") || !strings.Contains(a.text("#trial-part"), "Lignes rejetées") {
		t.Errorf("dry run: %s", a.text("#trial-part"))
	}
	a = b.post(path, with(form, "then", "import")...).wantStatus(http.StatusOK)
	run := a.Request.URL.Path
	if !strings.HasPrefix(run, "/admin/imports/runs/") {
		t.Fatalf("import ended at %s: %s", run, a.text("main"))
	}
	a = b.until(run, ended)
	if a.text(".badge") != "terminé" || a.count(".reject") != 1 || !strings.Contains(a.text(".reject"), "un jour") {
		t.Errorf("the run: %s", a.text("main"))
	}
	b.get(path).wantStatus(http.StatusNotFound) // imported to its end
	if got := b.get(run + "/rejects.csv").wantStatus(http.StatusOK).body; !strings.Contains(got, "A3;Souris;Clos;un jour") {
		t.Errorf("rejected rows:\n%s", got)
	}
	again := a.filled("main form[action$=again]")
	for i := 0; i+1 < len(again); i += 2 {
		if again[i+1] == "un jour" {
			again[i+1] = "05/03/2026 09:00"
		}
	}
	a = b.post(run+"/again", again...).wantStatus(http.StatusOK)
	a = b.until(a.Request.URL.Path, ended)
	if a.text(".badge") != "terminé" || a.count(".reject") != 0 {
		t.Errorf("again: %s", a.text("main"))
	}
	if a = b.get(run); a.count(".reject") != 0 {
		t.Errorf("the mended row stays: %s", a.text("main"))
	}
	if a = b.get("/admin/imports").wantStatus(http.StatusOK); a.count(".section tbody tr") != 2 {
		t.Errorf("the imports: %s", a.text("main"))
	}

	// A file that is not wanted after all.
	path = b.send("/admin/imports", "file", "other.csv", exported, "profile", "lieux").wantStatus(http.StatusOK).Request.URL.Path
	if a = b.get("/admin/imports"); !strings.Contains(a.text("main"), "other.csv") {
		t.Errorf("the file that waits: %s", a.text("main"))
	}
	b.get(path + "/remove").wantStatus(http.StatusOK)
	b.post(path + "/remove").wantStatus(http.StatusOK)
	b.get(path).wantStatus(http.StatusNotFound)
}

// until asks for a page until it is as wanted.
func (b *reader) until(path string, done func(*answer) bool) *answer {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a := b.get(path).wantStatus(http.StatusOK)
		if done(a) {
			return a
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s is not as wanted after 20 s: %s", path, a.text("main"))
		}
	}
}
