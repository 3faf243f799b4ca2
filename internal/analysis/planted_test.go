package analysis

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/demo"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// planted is the demonstration of docs/demo.md, made once for the tests of
// this package: they read it and change nothing.
type planted struct {
	*Service

	world *World
	set   *demo.Dataset
}

var plantOnce = sync.OnceValues(newPlanted)

var plantedIn string // the folder of its database

func TestMain(m *testing.M) {
	code := m.Run()
	if plantedIn != "" {
		_ = os.RemoveAll(plantedIn) // of the system's temporary folder anyway
	}
	os.Exit(code)
}

func plant(tb testing.TB) *planted {
	tb.Helper()
	p, err := plantOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func newPlanted() (*planted, error) {
	ctx := context.Background()
	paris, err := time.LoadLocation(demo.TimeZone)
	if err != nil {
		return nil, err
	}
	if plantedIn, err = os.MkdirTemp("", "statincidents-planted-"); err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: plantedIn})
	if err != nil {
		return nil, err
	}
	now := time.Date(2026, time.November, 24, 15, 5, 0, 0, paris)
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	incidents := incident.NewService(db, j, places, words, paris)
	set := demo.Generate(demo.DefaultSeed, now)
	if err := demo.Load(ctx, 1, demo.Services{Directory: places, Catalog: words, Incidents: incidents}, set, nil); err != nil {
		return nil, err
	}
	clock := func() time.Time { return now }
	memory := cube.NewMemory(cube.Config{DB: db, Journal: j, Tenant: 1, Directory: places, Catalog: words, Location: paris, Now: clock})
	if err := memory.Load(ctx); err != nil {
		return nil, err
	}
	s := New(Parts{DB: db, Jobs: jobs.New(db, jobs.Config{}), Cube: memory, Places: places, Words: words, Incidents: incidents}, Config{Tenant: 1, Location: paris, Now: clock})
	w, err := s.World(ctx)
	if err != nil {
		return nil, err
	}
	return &planted{s, w, set}, nil
}
