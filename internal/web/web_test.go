package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/andybalholm/cascadia"
	"github.com/jba/templatecheck"
	"golang.org/x/net/html"

	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/catalog"
	"statincidents/internal/checklist"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/find"
	"statincidents/internal/incident"
	csvin "statincidents/internal/intake/csv"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/knowledge"
	"statincidents/internal/locale"
	"statincidents/internal/mailbox"
	"statincidents/internal/notify"
	"statincidents/internal/preset"
	"statincidents/internal/privacy"
	"statincidents/internal/problem"
	"statincidents/internal/queue"
	"statincidents/internal/routing"
	"statincidents/internal/search"
	"statincidents/internal/servicelevel"
	"statincidents/internal/signal"
	"statincidents/internal/sqldb"
	"statincidents/internal/stock"
	"statincidents/internal/testkit"
	"statincidents/internal/visit"
)

// Every template fits its page's struct.
func TestTemplates(t *testing.T) {
	t.Parallel()
	if len(checked) < 8 {
		t.Fatalf("only %d views are known", len(checked))
	}
	for _, c := range checked {
		if err := templatecheck.CheckHTML(c.t, c.zero); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// site is a running server with its accounts; the password of each is its
// login twice.
type site struct {
	*httptest.Server

	auth     *auth.Service
	mail     *mailin.Service
	log      *strings.Builder
	patterns []string // of every page
}

const secret = "une phrase assez longue"

func newSite(t *testing.T, change ...func(*Deps)) *site {
	t.Helper()
	if built.missing != nil {
		t.Skip("SKIPPED, NOT TESTED: the user interface is not built; run `make ui`")
	}
	db := testkit.SQLite(t)
	return newSiteOn(t, db, journal.New(db), change...)
}

// newSiteOn is a site on a database of the test's own.
func newSiteOn(t *testing.T, db *sqldb.DB, j *journal.Journal, change ...func(*Deps)) *site {
	t.Helper()
	accounts := auth.New(db, j, auth.Config{})
	var log strings.Builder
	d := Deps{
		Log: slog.New(slog.NewTextHandler(&log, nil)), Auth: accounts, Sessions: accounts.NewSessions(false), FirstRun: accounts.NewFirstRun(),
		Directory: directory.New(db, j), Catalog: catalog.New(db, j), Journal: j, Tenant: 1, Now: sqldb.Now, Version: "test", Demo: true,
	}
	d.Incidents = incident.NewService(db, j, d.Directory, d.Catalog, time.UTC)
	d.Signals = signal.New(db, j, 1, time.UTC)
	d.Problems = problem.New(db, j, d.Directory, d.Catalog, d.Incidents)
	d.Batches = batch.New(db, d.Incidents, d.Problems, nil)
	d.Service = servicelevel.New(db, j, d.Directory, d.Catalog, d.Incidents)
	t.Cleanup(d.Batches.Close)
	d.Presets = preset.New(db, j)
	d.Routing = routing.New(db, j, d.Directory, d.Catalog, d.Incidents, jobs.New(db, jobs.Config{}))
	d.Files = attachment.New(db, j, d.Incidents, d.Log)
	d.Signer = auth.NewSigner(db, 1)
	d.Visits = visit.New(db, j, d.Directory, d.Incidents, accounts, d.Log)
	d.Jobs, d.Mailbox = jobs.New(db, jobs.Config{Tenant: 1}), mailbox.New(db, j, 1)
	d.Notify = notify.New(notify.Parts{DB: db, Journal: j, Jobs: d.Jobs, Mailbox: d.Mailbox, Signer: d.Signer, Accounts: accounts, Places: d.Directory, Words: d.Catalog, Incidents: d.Incidents},
		notify.Config{Tenant: 1, Show: true, Grace: -1, Site: func() string { return "http://incidents.example" }})
	d.Stock = stock.New(db, j, d.Incidents)
	d.Checks = checklist.New(db, j, d.Incidents, d.Visits)
	d.Queue = queue.New(db, d.Log)
	d.Find = find.New(search.New(db, j, d.Directory), d.Incidents, d.Directory, d.Problems, knowledge.New(db, j, d.Catalog))
	d.Privacy = privacy.New(privacy.Parts{DB: db, Journal: j, Jobs: d.Jobs, Places: d.Directory, Incidents: d.Incidents, Files: d.Files, Search: search.New(db, j, d.Directory)}, privacy.Config{Tenant: 1})
	d.Service = servicelevel.New(db, j, d.Directory, d.Catalog, d.Incidents)
	d.Imports = csvin.New(db, d.Directory, d.Catalog, d.Incidents)
	d.Importing = csvin.NewRunner(d.Imports, t.TempDir(), d.Log)
	figures := cube.NewMemory(cube.Config{Tenant: 1, DB: db, Journal: j, Directory: d.Directory, Catalog: d.Catalog})
	if err := figures.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Cube = figures
	for _, fn := range change {
		fn(&d)
	}
	if d.Mail == nil {
		d.Mail = mailin.New(mailin.Config{Tenant: 1, DB: db, Journal: j, Directory: d.Directory, Incidents: d.Incidents, Auth: d.Auth, Jobs: jobs.New(db, jobs.Config{Tenant: 1})})
	}
	server := newServer(d)
	patterns := slices.Clone(server.patterns)
	server.page("POST /test/upload", func(r *Request) error {
		f, err := r.Typed()
		if err == nil {
			_, err = io.WriteString(r.W, strconv.Itoa(len(f.Get("text"))))
		}
		return err
	}, accepts(10_000))
	server.page("GET /test/slow", func(r *Request) error {
		<-r.Context().Done()
		return r.Context().Err()
	}, lasts(time.Millisecond))
	server.page("GET /test/accounts", func(*Request) error { return nil }, needs(auth.ManageAccounts))
	s := &site{Server: httptest.NewServer(server.chain(server.mux)), auth: accounts, mail: d.Mail, log: &log, patterns: patterns}
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			t.Log(s.log)
		}
	})
	return s
}

func (s *site) account(t *testing.T, login string, role auth.Role) {
	t.Helper()
	if _, err := s.auth.CreateAccount(context.Background(), auth.System(1), auth.NewAccount{Login: login, Name: "Mme " + login, Password: secret, Role: role}); err != nil {
		t.Fatal(err)
	}
}

// reader is a browser without script.
type reader struct {
	*http.Client

	t    *testing.T
	base string
	lang string
}

func (s *site) reader(t *testing.T) *reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{&http.Client{Jar: jar, Timeout: 10 * time.Second}, t, s.URL, "fr"}
}

type answer struct {
	*http.Response

	t    *testing.T
	body string
	doc  *html.Node
}

func (b *reader) do(req *http.Request, err error) *answer {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept-Language", b.lang)
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	return &answer{resp, b.t, string(body), doc}
}

func (b *reader) get(path string) *answer {
	b.t.Helper()
	return b.do(http.NewRequest(http.MethodGet, b.base+path, http.NoBody))
}

func (b *reader) post(path string, pairs ...string) *answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(req, err)
}

func (b *reader) signIn(login string) {
	b.t.Helper()
	if a := b.post("/login", "login", login, "password", secret, "next", "/account"); a.Request.URL.Path != "/account" {
		b.t.Fatalf("signing in ended at %s: %s", a.Request.URL, a.text(".notice"))
	}
}

// text is what the first element of a selector says.
func (a *answer) text(selector string) string {
	a.t.Helper()
	n := cascadia.Query(a.doc, cascadia.MustCompile(selector))
	if n == nil {
		return ""
	}
	return textOf(n)
}

// textOf is what an element says, spaces put together.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// attr is an attribute of the first element of a selector.
func (a *answer) attr(selector, name string) string {
	a.t.Helper()
	n := cascadia.Query(a.doc, cascadia.MustCompile(selector))
	if n == nil {
		return ""
	}
	for _, at := range n.Attr {
		if at.Key == name {
			return at.Val
		}
	}
	return ""
}

func (a *answer) wantStatus(status int) *answer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.text("main"))
	}
	return a
}

func TestMain(m *testing.M) {
	code := m.Run()
	if missing := locale.Missing(); code == 0 && len(missing) > 0 {
		println("texts without a translation:", strings.Join(missing, ", "))
		code = 1
	}
	os.Exit(code)
}

// A clone where the interface was not built says what to do.
func TestNotBuilt(t *testing.T) {
	t.Parallel()
	if _, err := loadAssets(fstest.MapFS{".keep": {}}); err == nil {
		t.Error("an empty folder passes for a built interface")
	}
	if _, err := loadAssets(fstest.MapFS{"manifest.json": {Data: []byte(`{"files":{"app.css":"app-1.css"}}`)}, "app-1.css": {}}); err == nil {
		t.Error("an incomplete manifest passes for a built interface")
	}
	w := httptest.NewRecorder()
	notBuilt{}.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make ui") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestFirstRunThenLogin(t *testing.T) {
	t.Parallel()
	var first *auth.FirstRun
	s := newSite(t, func(d *Deps) { first = d.FirstRun })
	b := s.reader(t)
	a := b.get("/")
	if a.Request.URL.Path != "/first-run" {
		t.Fatalf("a new house opens %s", a.Request.URL)
	}
	a = b.post("/first-run", "code", "AAAA", "name", "Mme Dupont", "login", "dupont", "password", secret).wantStatus(http.StatusUnprocessableEntity)
	if a.text("#f-code-error") == "" || a.attr("#f-name", "value") != "Mme Dupont" || a.attr("#f-password", "value") != "" {
		t.Errorf("the refused form lost its sentence or what was typed: %s", a.text("main"))
	}
	a = b.post("/first-run", "code", strings.ToLower(first.Code()), "name", "Mme Dupont", "login", "dupont", "password", secret)
	if a.Request.URL.Path == "/first-run" || a.attr("html", "lang") != "fr" {
		t.Fatalf("after the first run: %s %s", a.Request.URL, a.Status)
	}
	s.reader(t).get("/first-run").wantStatus(http.StatusNotFound)

	other := s.reader(t)
	a = other.get("/account?tab=x")
	if a.Request.URL.Path != "/login" || a.attr("input[name=next]", "value") != "/account?tab=x" {
		t.Fatalf("a stranger is sent to %s with next %q", a.Request.URL, a.attr("input[name=next]", "value"))
	}
	a = other.post("/login", "login", "dupont", "password", "faux faux faux faux", "next", "/account").wantStatus(http.StatusUnauthorized)
	if a.text(".notice.critical") == "" || a.attr("#f-login", "value") != "dupont" {
		t.Errorf("refused sign-in: %s", a.text("main"))
	}
	if a = other.post("/login", "login", "dupont", "password", secret, "next", "https://elsewhere.example/"); a.Request.URL.Host == "elsewhere.example" {
		t.Error("the next address left the site")
	}
	if a = other.get("/account").wantStatus(http.StatusOK); a.text("h1") != "Mon compte" {
		t.Errorf("heading %q", a.text("h1"))
	}
	if a = other.post("/logout"); a.Request.URL.Path != "/login" {
		t.Errorf("signing out leads to %s", a.Request.URL)
	}
	if a = other.get("/account"); a.Request.URL.Path != "/login" {
		t.Errorf("signed out, the account page is %s", a.Request.URL)
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "lead", auth.Lead)
	b := s.reader(t)
	b.signIn("lead")

	a := b.post("/account/look", "locale", "en", "theme", "dark").wantStatus(http.StatusOK)
	if a.attr("html", "lang") != "en" || a.attr("html", "data-theme") != "dark" || !strings.Contains(a.text(".notice"), "Saved.") {
		t.Errorf("look: lang %q theme %q notice %q", a.attr("html", "lang"), a.attr("html", "data-theme"), a.text(".notice"))
	}
	if a.attr(".notice form", "action") != "/account/look" || a.attr(".notice input[name=theme]", "value") != "" {
		t.Error("the notice has no undo")
	}
	if b.get("/account").text(".notice") != "" {
		t.Error("the notice stays on the next page")
	}
	b.post("/account/look", "locale", "", "theme", "")

	a = b.post("/account/password", "former", "pas le bon mot", "password", "une autre phrase longue").wantStatus(http.StatusUnprocessableEntity)
	if a.text(".field-error") == "" {
		t.Errorf("no sentence beside the field: %s", a.text("main"))
	}
	a = b.post("/account/password", "former", secret, "password", "une autre phrase longue").wantStatus(http.StatusOK)
	if a.Request.URL.Path != "/account" || a.text(".notice") == "" {
		t.Errorf("password changed, then %s %q", a.Request.URL, a.text(".notice"))
	}

	a = b.post("/account/tokens", "label", "Tableur", "life", "30").wantStatus(http.StatusOK)
	token := a.text("code.secret")
	if who, _, err := s.auth.IdentityOfToken(context.Background(), token); err != nil || who.Login != "lead" {
		t.Fatalf("token %q is %v, %v", token, who, err)
	}
	revoke := a.attr("table a", "href")
	if a = b.get(revoke).wantStatus(http.StatusOK); !strings.Contains(a.text("h1"), "Tableur") {
		t.Errorf("confirmation: %s", a.text("main"))
	}
	b.post(revoke).wantStatus(http.StatusOK)
	if _, _, err := s.auth.IdentityOfToken(context.Background(), token); err == nil {
		t.Error("the revoked token still serves")
	}
	b.post("/account/tokens", "label", "", "life", "30").wantStatus(http.StatusUnprocessableEntity)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "tech", auth.Technician)
	b := s.reader(t)
	b.signIn("tech")
	for code, want := range statuses {
		if code == "unauthenticated" {
			continue
		}
		a := b.get("/styleguide/fault/" + string(code)).wantStatus(want)
		if id := a.Header.Get("X-Request-ID"); id == "" || !strings.Contains(a.text("main"), id) {
			t.Errorf("%s: the page does not say its request id %q", code, id)
		}
	}
	a := b.get("/styleguide/fault/internal").wantStatus(http.StatusInternalServerError)
	if strings.Contains(a.body, "style guide:") {
		t.Error("the cause of an internal error is shown")
	}
	b.get("/styleguide/fault/panic").wantStatus(http.StatusInternalServerError)
	a = b.get("/no/such/page").wantStatus(http.StatusNotFound)
	if a.text("h1") != "Page introuvable" {
		t.Errorf("heading %q", a.text("h1"))
	}
	a = b.post("/styleguide/fault", "story", "Le vidéoprojecteur s'éteint au bout de dix minutes", "password", "un secret bien long").wantStatus(http.StatusServiceUnavailable)
	if !strings.Contains(a.text("main"), "s'éteint au bout") || strings.Contains(a.body, "un secret") {
		t.Errorf("what was typed: %s", a.text("main"))
	}
	a = b.post("/account/look", "theme", strings.Repeat("x", bodyLimit+1)).wantStatus(http.StatusRequestEntityTooLarge)
	if a.text("h1") == "" {
		t.Error("no page for a body over the limit")
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "tech", auth.Technician)
	b := s.reader(t)
	b.signIn("tech")
	for _, path := range []string{"/account", "/nothing", "/static/nothing"} {
		a := b.get(path)
		if a.Header.Get("Content-Security-Policy") != policy || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, a.Header)
		}
		if strings.Contains(a.body, "style=") || strings.Contains(a.body, "<style") || strings.Contains(a.body, "onclick") {
			t.Errorf("%s: inline style or script", path)
		}
	}
	a := b.get("/account")
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a private page may be kept: %q", got)
	}
	css := b.get(a.attr("link[rel=stylesheet]", "href")).wantStatus(http.StatusOK)
	if !strings.Contains(css.Header.Get("Cache-Control"), "immutable") || css.Header.Get("ETag") == "" || !css.Uncompressed {
		t.Errorf("styles: %v, compressed %v", css.Header, css.Uncompressed)
	}
	if strings.Contains(s.log.String(), "tech") || !strings.Contains(s.log.String(), `route="GET /account"`) {
		t.Errorf("access log:\n%s", s.log)
	}
}

func TestForeignFormsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "tech", auth.Technician)
	b := s.reader(t)
	b.signIn("tech")
	req, err := http.NewRequest(http.MethodPost, s.URL+"/account/look", strings.NewReader("theme=dark"))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	b.do(req, err).wantStatus(http.StatusForbidden)
	if got := b.get("/account").attr("html", "data-theme"); got != "" {
		t.Errorf("the foreign form changed the theme to %q", got)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "tech", auth.Technician)
	s.account(t, "admin", auth.Administrator)
	b := s.reader(t)
	b.lang = "de, en;q=0.8"
	if a := b.get("/login"); a.attr("html", "lang") != "en" || a.text("h1") != "Sign in" {
		t.Errorf("browser's: %q %q", a.attr("html", "lang"), a.text("h1"))
	}
	if a := b.get("/login?lang=fr"); a.attr("html", "lang") != "fr" {
		t.Errorf("chosen: %q", a.attr("html", "lang"))
	}
	if a := b.get("/login"); a.attr("html", "lang") != "fr" {
		t.Errorf("kept: %q", a.attr("html", "lang"))
	}
}

func TestRouteLimits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "tech", auth.Technician)
	b := s.reader(t)
	b.signIn("tech")
	b.post("/test/upload", "text", strings.Repeat("x", 9_000)).wantStatus(http.StatusOK)
	b.post("/test/upload", "text", strings.Repeat("x", 11_000)).wantStatus(http.StatusRequestEntityTooLarge)
	b.get("/test/slow").wantStatus(http.StatusServiceUnavailable)
	b.get("/test/accounts").wantStatus(http.StatusForbidden)
}

func TestFind(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "tech", auth.Technician)
	b := s.reader(t)
	b.signIn("tech")
	if a := b.get("/search?q=mon+c").wantStatus(http.StatusOK); a.attr(".go-item", "href") != "/account" {
		t.Errorf("search finds %q", a.attr("main .go-item", "href"))
	}
	if a := b.get("/go?q=MON+COMPTE").wantStatus(http.StatusOK); a.attr("[role=option]", "href") != "/account" {
		t.Errorf("palette finds %q", a.body)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("/incidents?state=open&state=new&after=x&sort=-opened")
	if err != nil {
		t.Fatal(err)
	}
	a := NewAddress(u)
	for got, want := range map[string]string{
		a.With("sort", "number").String():         "/incidents?sort=number&state=open&state=new",
		a.With("after", "y").String():             "/incidents?after=y&sort=-opened&state=open&state=new",
		a.Toggle("state", "new").String():         "/incidents?sort=-opened&state=open",
		a.Toggle("state", "gone").String():        "/incidents?sort=-opened&state=open&state=new&state=gone",
		a.Without("state").String():               "/incidents?sort=-opened",
		a.At("/export").With("sort", "").String(): "/export?state=open&state=new",
		a.String(): "/incidents?after=x&sort=-opened&state=open&state=new",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
