package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
)

// count is how many elements a selector finds.
func (a *answer) count(selector string) int {
	a.t.Helper()
	return len(cascadia.QueryAll(a.doc, cascadia.MustCompile(selector)))
}

// Each part is for who has its right, and for nobody else.
func TestAdminRights(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	readers := map[auth.Role]*reader{}
	for _, role := range []auth.Role{auth.Administrator, auth.Lead, auth.Technician} {
		s.account(t, string(role), role)
		readers[role] = s.reader(t)
		readers[role].signIn(string(role))
	}
	pages := []struct {
		path  string
		right auth.Right
	}{
		{"/admin/accounts", auth.ManageAccounts}, {"/admin/accounts/new", auth.ManageAccounts}, {"/admin/accounts/1", auth.ManageAccounts},
		{"/admin/imports", auth.ImportData}, {"/admin/calendar", auth.EditDirectory}, {"/admin/settings", auth.EditDirectory}, {"/admin/catalog", auth.EditCatalog}, {"/admin/catalog?tab=matrix", auth.EditCatalog}, {"/admin/catalog/category/new", auth.EditCatalog},
	}
	for role, b := range readers {
		for _, p := range pages {
			want := http.StatusForbidden
			if (auth.Identity{Role: role}).Can(p.right) {
				want = http.StatusOK
			}
			if got := b.get(p.path).StatusCode; got != want {
				t.Errorf("%s at %s: %d, want %d", role, p.path, got, want)
			}
		}
	}
	index := readers[auth.Lead].get("/admin").wantStatus(http.StatusOK)
	if strings.Contains(index.text(".admin-parts"), "Comptes") || index.count(".admin-system") != 0 || index.attr("a[href='/admin'][aria-current]", "class") == "" {
		t.Errorf("the lead's administration: %s", index.text("main"))
	}
	index = readers[auth.Administrator].get("/admin").wantStatus(http.StatusOK)
	if !strings.Contains(index.text(".admin-state"), "3 comptes en service") || index.count(".admin-system dt") < 3 {
		t.Errorf("the administrator's administration: %s", index.text("main"))
	}
	readers[auth.Technician].get("/admin").wantStatus(http.StatusForbidden)
	if readers[auth.Technician].get("/account").count("a[href='/admin']") != 0 {
		t.Error("the technician is shown the administration")
	}
}

func TestAdminAccounts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "chef", auth.Administrator)
	b := s.reader(t)
	b.signIn("chef")

	a := b.post("/admin/accounts/new", "login", "nouveau", "name", "M. Nouveau", "role", "referent").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-schools-error") == "" || a.attr("#f-name", "value") != "M. Nouveau" {
		t.Errorf("a referent without a school: %s", a.text("main"))
	}
	a = b.post("/admin/accounts/new", "login", "nouveau", "name", "M. Nouveau", "role", "technician").wantStatus(http.StatusCreated)
	given := a.text("code.secret")
	if len(given) != 19 {
		t.Fatalf("the password given is %q", given)
	}
	other := s.reader(t)
	if a = other.post("/login", "login", "nouveau", "password", given, "next", "/account"); a.Request.URL.Path != "/account" {
		t.Fatalf("the password given does not open: %s", a.text("main"))
	}
	if a = b.get("/admin/accounts?q=nouv"); a.count("#main tbody tr") < 1 || a.attr(".row-link", "href") != "/admin/accounts/2" {
		t.Errorf("search: %s", a.text("main"))
	}
	if a = b.get("/admin/accounts?q=zzz"); a.text(".empty h2") == "" {
		t.Error("nothing found says nothing")
	}

	a = b.post("/admin/accounts/2", "login", "nouveau", "name", "M. Neuf", "role", "lead", "locale", "en").wantStatus(http.StatusOK)
	if a.text("h1") != "M. Neuf" || a.attr(".notice input[name=name]", "value") != "M. Nouveau" || a.attr(".notice input[name=role]", "value") != "technician" {
		t.Errorf("saved: %s", a.text("main"))
	}
	if a = other.get("/account"); a.attr("html", "lang") != "en" {
		t.Errorf("the language given is not the account's: %s", a.attr("html", "lang"))
	}
	a = b.post("/admin/accounts/2", "login", "nouveau", "role", "lead", "person", "Personne De Connu").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-person-error") == "" || a.attr("#f-person", "value") != "Personne De Connu" {
		t.Errorf("an unknown person: %s", a.text("main"))
	}
	b.post("/admin/accounts/2", "login", "nouveau", "role", "lead", "disabled", "1").wantStatus(http.StatusOK)
	if a = other.get("/account"); a.Request.URL.Path != "/login" {
		t.Error("a disabled account stays signed in")
	}

	// Nobody shuts themselves out.
	a = b.post("/admin/accounts/1", "login", "chef", "role", "lead").wantStatus(http.StatusUnprocessableEntity)
	if a.text(".field-error") == "" {
		t.Errorf("one's own right: %s", a.text("main"))
	}
	b.post("/admin/accounts/1", "login", "chef", "role", "administrator", "disabled", "1").wantStatus(http.StatusUnprocessableEntity)
	if a = b.post("/admin/accounts/1/password", "password", "court").wantStatus(http.StatusUnprocessableEntity); a.text("#f-new-password-error") == "" {
		t.Errorf("a short password: %s", a.text("main"))
	}
	if a = b.post("/admin/accounts/1/password").wantStatus(http.StatusOK); a.text("code.secret") == "" {
		t.Errorf("no password given: %s", a.text("main"))
	}
	b.get("/admin/accounts").wantStatus(http.StatusOK)

	secret, token, err := s.auth.CreateToken(t.Context(), auth.Identity{Tenant: 1, Account: 1, Role: auth.Administrator}, 1, "Tableur", 0)
	if err != nil {
		t.Fatal(err)
	}
	path := "/admin/accounts/1/tokens/" + id(token.ID)
	if a = b.get(path); !strings.Contains(a.text("h1"), "Tableur") {
		t.Errorf("confirmation: %s", a.text("main"))
	}
	b.post("/admin/accounts/2/tokens/" + id(token.ID)).wantStatus(http.StatusNotFound)
	b.post(path).wantStatus(http.StatusOK)
	if _, _, err := s.auth.IdentityOfToken(t.Context(), secret); err == nil {
		t.Error("the revoked token still serves")
	}
}

func TestAdminCatalog(t *testing.T) {
	t.Parallel()
	var words *catalog.Service
	s := newSite(t, func(d *Deps) { words = d.Catalog })
	s.account(t, "chef", auth.Lead)
	b := s.reader(t)
	b.signIn("chef")
	order := func(parent int64) string {
		t.Helper()
		x, err := words.Index(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, c := range x.Children(parent) {
			word := c.Label
			if c.Archived {
				word = "(" + word + ")"
			}
			list = append(list, word)
		}
		return strings.Join(list, " ")
	}

	if a := b.get("/admin/catalog").wantStatus(http.StatusOK); a.text(".empty a") == "" {
		t.Error("an empty tree does not teach the next step")
	}
	for _, label := range []string{"Un", "Deux", "Trois"} {
		b.post("/admin/catalog/category/new", "label", label, "parent", "0").wantStatus(http.StatusOK)
	}
	a := b.post("/admin/catalog/category/new", "label", "Un", "label_en", "One", "icon", "monitor").wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-label-error") == "" || a.attr("#f-label_en", "value") != "One" || a.attr(".icon-choices input[checked]", "value") != "monitor" {
		t.Errorf("a taken name: %s", a.text("main"))
	}
	b.post("/admin/catalog/category/new", "label", "Quatre", "icon", "no-such-icon").wantStatus(http.StatusUnprocessableEntity)
	a = b.post("/admin/catalog/category/3/move", "to", "up").wantStatus(http.StatusOK)
	if got := order(0); got != "Un Trois Deux" || a.attr(".notice input[name=to]", "value") != "down" {
		t.Errorf("after a move up: %s, undo %q", got, a.attr(".notice input[name=to]", "value"))
	}
	b.post("/admin/catalog/category/1/move", "to", "up")
	b.post(a.attr(".notice form", "action"), "to", "down")
	if got := order(0); got != "Un Deux Trois" {
		t.Errorf("undone: %s", got)
	}
	b.post("/admin/catalog/category/2", "label", "Deux bis", "parent", "1").wantStatus(http.StatusOK)
	if order(0) != "Un Trois" || order(1) != "Deux bis" {
		t.Errorf("under another: %s / %s", order(0), order(1))
	}
	b.post("/admin/catalog/category/1", "label", "Un", "parent", "2").wantStatus(http.StatusUnprocessableEntity)
	a = b.post("/admin/catalog/category/3/archive", "archived", "1").wantStatus(http.StatusOK)
	if order(0) != "Un (Trois)" || a.count(".word.archived") != 1 {
		t.Errorf("archived: %s", order(0))
	}
	b.post(a.attr(".notice form", "action"), "archived", a.attr(".notice input[name=archived]", "value"))
	if order(0) != "Un Trois" {
		t.Errorf("restored: %s", order(0))
	}

	b.post("/admin/catalog/cause/new", "label", "Usure").wantStatus(http.StatusOK)
	b.post("/admin/catalog/cause/new", "label", "Choc").wantStatus(http.StatusOK)
	b.post("/admin/catalog/cause/2/move", "to", "up").wantStatus(http.StatusOK)
	if a = b.get("/admin/catalog?tab=cause"); a.text(".words .row-link") != "Choc" {
		t.Errorf("first cause: %s", a.text(".words"))
	}
	b.get("/admin/catalog/waiting/1").wantStatus(http.StatusNotFound)
	b.get("/admin/catalog/nothing/1").wantStatus(http.StatusNotFound)

	cells := []string{"m11", "1", "m12", "1", "m13", "3", "m21", "2", "m22", "3", "m23", "4", "m31", "3", "m32", "4", "m33", "5"}
	a = b.post("/admin/catalog/matrix", cells...).wantStatus(http.StatusOK)
	if !strings.Contains(a.text(".notice"), "devient") || a.attr(".notice input[name=m12]", "value") != "2" {
		t.Errorf("what changes is not said: %s", a.text(".notice"))
	}
	x, err := words.Index(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if x.Matrix()[0][1] != 1 {
		t.Errorf("matrix %v", x.Matrix())
	}
	cells[1] = "9"
	if a = b.post("/admin/catalog/matrix", cells...).wantStatus(http.StatusUnprocessableEntity); a.text(".notice.critical") == "" {
		t.Errorf("priority 9: %s", a.text("main"))
	}
}
