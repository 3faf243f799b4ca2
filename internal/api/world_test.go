package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"statincidents/internal/api"
	"statincidents/internal/api/client"
	"statincidents/internal/api/wire"
	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/checklist"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/live"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
	"statincidents/internal/visit"
)

const (
	tenant   = 1
	password = "correct horse battery"
)

var system = auth.System(tenant)

// world is the whole server behind the API on a fresh database: two schools,
// and an account with a token for each role.
type world struct {
	db        *sqldb.DB
	journal   *journal.Journal
	auth      *auth.Service
	places    *directory.Service
	words     *catalog.Service
	incidents *incident.Service
	files     *attachment.Service
	visits    *visit.Service
	checks    *checklist.Service
	cube      *cube.Memory
	hub       *live.Hub
	deps      api.Deps
	api       *api.API
	url       string

	schoolA, schoolB int64
	room             int64 // in A
	teacher          int64 // person, declarant in A
	steward          int64 // person, referent of A
	farSteward       int64 // person, referent of B
	technician       int64 // person
	team             int64
	category         int64
	cause, done      int64 // codes of cause and resolution
	waiting          int64
	tokens           map[string]string // by account: "administrator", "lead", "technician", "referent" (of A), "declarant" (the teacher), "stranger" (referent of B)
	accounts         map[string]auth.Account
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) { fn(t, newWorld(t, db)) })
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

func newWorld(tb testing.TB, db *sqldb.DB) *world {
	tb.Helper()
	ctx := context.Background()
	j := journal.New(db)
	w := &world{db: db, journal: j, auth: auth.New(db, j, auth.Config{}), places: directory.New(db, j), words: catalog.New(db, j),
		tokens: map[string]string{}, accounts: map[string]auth.Account{}}

	w.schoolA = must[directory.School](tb)(w.places.SaveSchool(ctx, system, directory.School{UAI: "0450001A", Name: "Collège Alain", Commune: "Orléans", Located: true, Lat: 47.9, Lon: 1.9})).ID
	w.schoolB = must[directory.School](tb)(w.places.SaveSchool(ctx, system, directory.School{UAI: "0450002B", Name: "Collège Bichat", Commune: "Pithiviers"})).ID
	must[int](tb)(w.places.SaveExposures(ctx, system, []directory.Exposure{{School: w.schoolA, From: 10_000, Computers: 200, Pupils: 500}}))
	w.room = must[directory.Room](tb)(w.places.SaveRoom(ctx, system, directory.Room{School: w.schoolA, Name: "Salle 12", Network: directory.NetworkTeaching})).ID
	w.teacher = must[directory.Person](tb)(w.places.SavePerson(ctx, system, directory.Person{Name: "Anne Durand", Kind: directory.Teacher, School: w.schoolA})).ID
	w.steward = must[directory.Person](tb)(w.places.SavePerson(ctx, system, directory.Person{Name: "Sam Petit", Kind: directory.Administrative, School: w.schoolA})).ID
	w.farSteward = must[directory.Person](tb)(w.places.SavePerson(ctx, system, directory.Person{Name: "Lou Roy", Kind: directory.Administrative, School: w.schoolB})).ID
	w.technician = must[directory.Person](tb)(w.places.SavePerson(ctx, system, directory.Person{Name: "Théo Martin", Kind: directory.Staff})).ID
	w.team = must[directory.Team](tb)(w.places.SaveTeam(ctx, system, directory.Team{Name: "Unité Collèges"})).ID
	w.category = must[catalog.Category](tb)(w.words.SaveCategory(ctx, system, catalog.Category{Label: "Impression", LabelEN: "Printing"})).ID
	must[catalog.Category](tb)(w.words.SaveCategory(ctx, system, catalog.Category{Label: "Réseau"}))
	w.cause = must[catalog.Code](tb)(w.words.SaveCode(ctx, system, catalog.Code{Kind: catalog.Cause, Label: "Usure"})).ID
	w.done = must[catalog.Code](tb)(w.words.SaveCode(ctx, system, catalog.Code{Kind: catalog.Resolution, Label: "Pièce changée"})).ID
	w.waiting = must[catalog.Code](tb)(w.words.SaveCode(ctx, system, catalog.Code{Kind: catalog.Waiting, Label: "Pièce commandée"})).ID

	for name, in := range map[string]auth.NewAccount{
		"administrator": {Role: auth.Administrator},
		"lead":          {Role: auth.Lead},
		"technician":    {Role: auth.Technician, Person: w.technician},
		"referent":      {Role: auth.Referent, Person: w.steward, Schools: []int64{w.schoolA}},
		"declarant":     {Role: auth.Declarant, Person: w.teacher, Schools: []int64{w.schoolA}},
		"stranger":      {Role: auth.Referent, Person: w.farSteward, Schools: []int64{w.schoolB}},
	} {
		in.Login, in.Password = name, password
		a := must[auth.Account](tb)(w.auth.CreateAccount(ctx, system, in))
		secret, _, err := w.auth.CreateToken(ctx, system, a.ID, "tests", 0)
		if err != nil {
			tb.Fatal(err)
		}
		w.accounts[name], w.tokens[name] = a, secret
	}
	w.start(tb)
	return w
}

// run keeps a background part alive until the end of the test.
func run(tb testing.TB, name string, fn func(context.Context) error) {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			tb.Errorf("%s: %v", name, err)
		}
	}()
	tb.Cleanup(func() { stop(); <-done })
}

// serve puts a handler on a port.
func (w *world) serve(tb testing.TB, h http.Handler) string {
	tb.Helper()
	srv := httptest.NewServer(h)
	tb.Cleanup(srv.Close)
	return srv.URL
}

// as is a client that acts for an account.
func (w *world) as(tb testing.TB, account string) *client.Client {
	tb.Helper()
	return must[*client.Client](tb)(client.New(w.url, w.tokens[account], client.WithRetries(2, 10*time.Millisecond)))
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem reads a refusal.
func (a answer) problem(tb testing.TB) wire.Problem {
	tb.Helper()
	var p wire.Problem
	if err := json.Unmarshal(a.body, &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
		tb.Fatalf("status %d %s: not a problem: %s", a.status, a.header.Get("Content-Type"), a.body)
	}
	return p
}

// ask sends a raw request for an account ("" for nobody). Headers come in
// pairs: name, value.
func (w *world) ask(tb testing.TB, account, method, path, body string, headers ...string) answer {
	tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.url+path, bytes.NewBufferString(body))
	if err != nil {
		tb.Fatal(err)
	}
	if account != "" {
		req.Header.Set("Authorization", "Bearer "+w.tokens[account])
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, raw}
}

// list reads the items of a sequence.
func list[T any](tb testing.TB, seq func(func(T, error) bool)) []T {
	tb.Helper()
	var items []T
	for item, err := range seq {
		if err != nil {
			tb.Fatal(err)
		}
		items = append(items, item)
	}
	return items
}
