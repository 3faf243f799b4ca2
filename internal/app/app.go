// Package app puts the house together: it opens the database, makes the
// services, runs the readers of the journal and serves the doors. Only app and
// cmd know everything; tests start the real thing with it.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Tenant is the département that one process serves.
const Tenant int64 = 1

// Config is what an administrator chooses.
type Config struct {
	Dir string // data folder of the embedded database; exclusive with DB
	DB  string // PostgreSQL address
	Log *slog.Logger
}

// App is the program: its services, ready to be used, and the readers and
// doors that Run starts.
type App struct {
	Log     *slog.Logger
	DB      *sqldb.DB
	Journal *journal.Journal
	Auth    *auth.Service
}

// New opens and migrates the database and makes the services. Nothing runs
// yet: command-line tools stop here, the server goes on with Serve.
func New(ctx context.Context, cfg Config) (*App, error) {
	log := cfg.Log
	if log == nil {
		log = slog.Default()
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: cfg.Dir, URL: cfg.DB, Log: log})
	if err != nil {
		return nil, err
	}
	a := &App{Log: log, DB: db, Journal: journal.New(db)}
	a.Auth = auth.New(db, a.Journal, auth.Config{Tenant: Tenant, Log: log})
	return a, nil
}

// Close releases the database; what was said "ok" is on disk already.
func (a *App) Close() error { return a.DB.Close() }

// background runs long-lived parts until ctx ends. The first that fails stops
// the others: a server without one of its readers would show stale figures.
func background(ctx context.Context, parts map[string]func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type ending struct {
		name string
		err  error
	}
	ends := make(chan ending, len(parts))
	for name, part := range parts {
		go func() { ends <- ending{name, part(ctx)} }()
	}
	var err error
	for range parts {
		if e := <-ends; e.err != nil && !errors.Is(e.err, context.Canceled) {
			err = errors.Join(err, fmt.Errorf("%s: %w", e.name, e.err))
			stop()
		}
	}
	return err
}

// grace is how long a stopping server waits for the requests in hand.
const grace = 10 * time.Second
