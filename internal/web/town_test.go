package web

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"statincidents/internal/analysis"
	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/catalog"
	"statincidents/internal/checklist"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/find"
	"statincidents/internal/incident"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/knowledge"
	"statincidents/internal/label"
	"statincidents/internal/live"
	"statincidents/internal/machine"
	"statincidents/internal/preset"
	"statincidents/internal/problem"
	"statincidents/internal/routing"
	"statincidents/internal/search"
	"statincidents/internal/servicelevel"
	"statincidents/internal/signal"
	"statincidents/internal/similar"
	"statincidents/internal/sqldb"
	"statincidents/internal/stock"
	"statincidents/internal/testkit"
	"statincidents/internal/visit"
)

// town is a site with two schools, their people, and an account for each role
// (the login is the role's name): the referent and the declarant belong to
// school a.
type town struct {
	*site

	incidents *incident.Service
	files     *attachment.Service
	stock     *stock.Service
	memory    *cube.Memory
	analysis  *analysis.Service
	service   *servicelevel.Service
	rules     *routing.Service
	words     *search.Service
	catalog   *catalog.Service
	hub       *live.Hub
	similar   *similar.Service
	signals   *signal.Service
	knowledge *knowledge.Service

	a, b               int64 // schools
	roomA, roomB       int64
	computer, printing int64 // categories
	cause, fix, reason int64 // codes
	team               int64
	technician         int64 // people
	second             int64
	teacher, neighbour int64 // declare in a, in b

	own     int64 // declared by the teacher in a
	beside  int64 // declared by somebody else in a
	foreign int64 // declared by the neighbour in b

	screen               stock.Item
	depot                stock.Place
	received             int64 // the movement by which ten screens came into the depot
	advice, secretAdvice int64 // articles, the second for technicians

	file, foreignFile, hiddenFile int64 // joined to own, to foreign, to own for the unit
	visits                        *visit.Service
	visitA                        int64 // a visit in a, of no incident
	visitB                        int64 // another in b

	labels        *label.Service
	label         string // token of the label (number 1) of roomA; number 2 is of roomB
	confirmations []label.Confirmation
}

var system = auth.System(1)

// get1 gives the value of a call that must succeed.
func get1[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{}
	var d Deps
	if built.missing != nil {
		t.Skip("SKIPPED, NOT TESTED: the user interface is not built; run `make ui`")
	}
	db := testkit.SQLitePages(t)
	j := journal.New(db)
	w.site = newSiteOn(t, db, j, func(deps *Deps) {
		w.catalog = deps.Catalog
		w.words = search.New(db, j, deps.Directory)
		w.memory = cube.NewMemory(cube.Config{Tenant: 1, DB: db, Journal: j, Directory: deps.Directory, Catalog: deps.Catalog, Location: paris, Text: w.words, Weeks: func(ctx context.Context) (cube.SchoolWeeks, error) {
			return deps.Directory.Calendar(ctx, 1, 0)
		}})
		deps.Incidents = incident.NewService(db, j, deps.Directory, deps.Catalog, paris)
		deps.Problems = problem.New(db, j, deps.Directory, deps.Catalog, deps.Incidents)
		deps.Batches = batch.New(db, deps.Incidents, deps.Problems, nil)
		t.Cleanup(deps.Batches.Close)
		deps.Presets = preset.New(db, j)
		deps.Service = servicelevel.New(db, j, deps.Directory, deps.Catalog, deps.Incidents)
		w.service = deps.Service
		w.rules = routing.New(db, j, deps.Directory, deps.Catalog, deps.Incidents, jobs.New(db, jobs.Config{}))
		deps.Routing = w.rules
		deps.Visits = visit.New(db, j, deps.Directory, deps.Incidents, deps.Auth, nil)
		deps.Checks = checklist.New(db, j, deps.Incidents, deps.Visits)
		deps.Cube = w.memory
		deps.Machines = machine.New(db, j, deps.Directory)
		w.analysis = analysis.New(analysis.Parts{
			DB: db, Jobs: jobs.New(db, jobs.Config{}), Cube: w.memory, Places: deps.Directory, Words: deps.Catalog, Incidents: deps.Incidents, Clocks: deps.Service, Machines: deps.Machines,
		}, analysis.Config{Tenant: 1, Location: paris})
		deps.Analysis = w.analysis
		w.similar = similar.New(db, j, deps.Directory, deps.Catalog)
		deps.Similar = w.similar
		deps.Knowledge = knowledge.New(db, j, deps.Catalog)
		w.knowledge = deps.Knowledge
		deps.Find = find.New(w.words, deps.Incidents, deps.Directory, deps.Problems, deps.Knowledge)
		deps.Files = attachment.New(db, j, deps.Incidents, deps.Log)
		w.files = deps.Files
		deps.Stock = stock.New(db, j, deps.Incidents)
		w.stock = deps.Stock
		w.hub = live.New(live.Config{Tenant: 1, Journal: j, Incidents: deps.Incidents, Clock: sqldb.Now})
		deps.Live = w.hub
		deps.Labels = label.New(label.Parts{
			DB: db, Journal: j, Signer: deps.Signer, Directory: deps.Directory, Catalog: deps.Catalog, Incidents: deps.Incidents,
			Post: func(context.Context) (label.Writer, error) {
				return func(_ context.Context, _ *sqldb.Tx, m label.Confirmation) error {
					w.confirmations = append(w.confirmations, m)
					return nil
				}, nil
			},
		}, 1)
		w.labels = deps.Labels
		d = *deps
	})
	ctx := context.Background()
	settings := directory.DefaultSettings
	settings.Name = "Loiret"
	if err := d.Directory.SaveSettings(ctx, system, settings); err != nil {
		t.Fatal(err)
	}
	w.incidents, w.visits = d.Incidents, d.Visits
	schools := get1[map[string]int64](t)(d.Directory.EnsureSchools(ctx, system, []directory.School{
		{UAI: "0450001A", Name: "Collège A", Commune: "Pithiviers", INSEE: "45252", Located: true, Lat: 48.17, Lon: 2.25},
		{UAI: "0450002B", Name: "Collège B", Commune: "Gien", INSEE: "45155", Located: true, Lat: 47.69, Lon: 2.63},
	}))
	w.a, w.b = schools["0450001A"], schools["0450002B"]
	room := func(school int64, name string) int64 {
		return get1[directory.Room](t)(d.Directory.SaveRoom(ctx, system, directory.Room{School: school, Name: name, Network: directory.NetworkTeaching})).ID
	}
	w.roomA, w.roomB = room(w.a, "Salle 12"), room(w.b, "Salle 9")
	category := func(label string) int64 {
		return get1[catalog.Category](t)(d.Catalog.SaveCategory(ctx, system, catalog.Category{Label: label, Icon: "printer"})).ID
	}
	w.computer, w.printing = category("Ordinateur"), category("Impression")
	code := func(kind catalog.CodeKind, label string) int64 {
		return get1[catalog.Code](t)(d.Catalog.SaveCode(ctx, system, catalog.Code{Kind: kind, Label: label})).ID
	}
	w.cause, w.fix, w.reason = code(catalog.Cause, "Usure"), code(catalog.Resolution, "Remplacé"), code(catalog.Waiting, "Attente d'une pièce")
	w.team = get1[map[string]int64](t)(d.Directory.EnsureTeams(ctx, system, []string{"Unité Collèges"}))["Unité Collèges"]
	person := func(name string, kind directory.PersonKind, school int64) int64 {
		return get1[directory.Person](t)(d.Directory.SavePerson(ctx, system, directory.Person{Name: name, Kind: kind, School: school})).ID
	}
	w.technician, w.second = person("Tech Un", directory.Staff, 0), person("Tech Deux", directory.Staff, 0)
	w.teacher, w.neighbour = person("Mme Martin", directory.Teacher, w.a), person("M. Voisin", directory.Teacher, w.b)
	colleague := person("M. Collègue", directory.Teacher, w.a)
	account := func(login string, role auth.Role, person int64, schools ...int64) {
		if _, err := w.auth.CreateAccount(ctx, system, auth.NewAccount{Login: login, Name: "Mme " + login, Password: secret, Role: role, Person: person, Schools: schools}); err != nil {
			t.Fatal(err)
		}
	}
	account("administrator", auth.Administrator, 0)
	account("lead", auth.Lead, person("Cheffe", directory.Staff, 0))
	account("technician", auth.Technician, w.technician)
	account("second", auth.Technician, w.second)
	account("referent", auth.Referent, person("M. Petit", directory.ITReferent, w.a), w.a)
	account("declarant", auth.Declarant, w.teacher, w.a)
	account("neighbour", auth.Declarant, w.neighbour, w.b)
	w.own = w.declare(t, incident.Declaration{Title: "Le vidéoprojecteur reste noir", Description: "Depuis lundi matin", School: w.a, Room: w.roomA, Category: w.computer, Machine: "HX20A-1", Declarant: w.teacher})
	w.beside = w.declare(t, incident.Declaration{Title: "Bourrage papier", School: w.a, Room: w.roomA, Category: w.printing, Declarant: colleague})
	w.foreign = w.declare(t, incident.Declaration{Title: "Secret de Gien", School: w.b, Room: w.roomB, Category: w.printing, Declarant: w.neighbour})
	w.stocked(t)
	w.file, w.foreignFile, w.hiddenFile = w.join(t, w.own, false), w.join(t, w.foreign, false), w.join(t, w.own, true)
	for school, to := range map[int64]*int64{w.a: &w.visitA, w.b: &w.visitB} {
		*to = get1[visit.Visit](t)(w.visits.Plan(ctx, system, visit.Draft{
			Kind: visit.OnSite, School: school, Technician: w.technician, Start: sqldb.Now().Add(time.Duration(school) * 26 * time.Hour), Minutes: 60, Purpose: "Contrôle annuel", Note: "Clé à la loge",
		})).ID
	}
	w.letter(t, w.mail)
	w.signals = d.Signals
	w.signalled(t)
	stuck := get1[[]label.Label](t)(d.Labels.Make(ctx, system, []label.Place{{School: w.a, Room: w.roomA}, {School: w.b, Room: w.roomB}}))
	w.label = get1[string](t)(d.Labels.Token(ctx, stuck[0]))
	for to, audience := range map[*int64]knowledge.Audience{&w.advice: knowledge.Everyone, &w.secretAdvice: knowledge.Technicians} {
		*to = get1[knowledge.Article](t)(w.knowledge.Save(ctx, system, knowledge.Article{Title: "Le vidéoprojecteur reste noir", Body: "Rebranchez le **câble**.", Audience: audience, State: knowledge.Published})).ID
	}
	w.settle(t)
	return w
}

// letter is a message of a stranger, which waits to be sorted: the first one.
func (w *town) letter(t *testing.T, door *mailin.Service) {
	t.Helper()
	raw := "From: Inconnue <nadia@college-a.example>\nTo: incidents@dep.example\nSubject: Wifi <b>coupé</b>\nMessage-ID: <m1@a>\n\nPlus de wifi au CDI.\n\nCordialement,\nNadia\n"
	if _, err := door.Receive(t.Context(), mailin.Incoming{Raw: []byte(raw)}); err != nil {
		t.Fatal(err)
	}
	if err := door.Read(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
}

var paris = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return loc
}()

// declare records an incident as the system.
func (w *town) declare(t *testing.T, d incident.Declaration) int64 {
	t.Helper()
	return get1[incident.Incident](t)(w.incidents.Declare(context.Background(), system, d)).ID
}

// stocked gives the unit a depot with ten screens.
func (w *town) stocked(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	w.screen = get1[stock.Item](t)(w.stock.SaveItem(ctx, system, stock.Item{Name: "Écran 24 pouces", Reference: "E24", Kind: "Écrans", Price: 11990, Minimum: 12, Wanted: 20}))
	w.depot = get1[stock.Place](t)(w.stock.SavePlace(ctx, system, stock.Place{Name: "Dépôt", Kind: stock.Depot}))
	w.received = get1[[]stock.Movement](t)(w.stock.Book(ctx, system, stock.Order{Kind: stock.Receive, Item: w.screen.ID, To: w.depot.ID, Quantity: 10}))[0].ID
}

// join attaches a picture to an incident, as the system.
func (w *town) join(t *testing.T, number int64, internal bool) int64 {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	a := get1[attachment.Attachment](t)(w.files.Put(context.Background(), system, "écran.png", &b))
	if err := w.files.Attach(context.Background(), system, number, []int64{a.ID}, internal); err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// settle waits until figures and words know all that happened.
func (w *town) settle(t *testing.T) {
	t.Helper()
	if err := w.memory.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.analysis.Night(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.words.Fresh(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	if err := w.similar.CatchUp(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
}

// as signs in.
func (w *town) as(t *testing.T, login string) *reader {
	t.Helper()
	b := w.reader(t)
	if login != "" {
		b.signIn(login)
	}
	return b
}

// still is a reader that follows no redirection.
func (b *reader) still() *reader {
	c := *b.Client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &reader{&c, b.t, b.base, b.lang}
}

// all are the elements of a selector.
func (a *answer) all(selector string) []*html.Node {
	a.t.Helper()
	return cascadia.QueryAll(a.doc, cascadia.MustCompile(selector))
}

// hrefs are the addresses of the links of a selector.
func (a *answer) hrefs(selector string) []string {
	a.t.Helper()
	var list []string
	for _, n := range a.all(selector) {
		if href := attribute(n, "href"); href != "" {
			list = append(list, href)
		}
	}
	return list
}

func attribute(n *html.Node, name string) string {
	for _, at := range n.Attr {
		if at.Key == name {
			return at.Val
		}
	}
	return ""
}

// texts are what the elements of a selector say.
func (a *answer) texts(selector string) []string {
	a.t.Helper()
	var list []string
	for _, n := range a.all(selector) {
		list = append(list, textOf(n))
	}
	return list
}

// numbers are the incidents that a list shows, in its order.
func (a *answer) numbers() []int64 {
	a.t.Helper()
	var list []int64
	for _, href := range a.hrefs(".incident-list .row-link") {
		n, err := strconv.ParseInt(href[len("/incidents/"):], 10, 64)
		if err != nil {
			a.t.Errorf("a row leads to %s", href)
		}
		list = append(list, n)
	}
	return list
}

func (a *answer) wantNumbers(want ...int64) *answer {
	a.t.Helper()
	got := a.numbers()
	if !slices.Equal(got, want) {
		a.t.Errorf("%s shows incidents %v, want %v", a.Request.URL, got, want)
	}
	return a
}
