package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"statincidents/internal/api"
	"statincidents/internal/auth"
	"statincidents/internal/auth/oidc"
	"statincidents/internal/sqldb"
	"statincidents/internal/web"
)

// ServeConfig is how the doors are opened.
type ServeConfig struct {
	Listen  string // address: "127.0.0.1:8045"; port 0 takes a free one
	Secure  bool   // browsers come by HTTPS (through a proxy): cookies are never sent otherwise
	Demo    bool   // the data are invented: pages say so
	Version string
	// Ready is called once, when requests are answered, with the address to open.
	Ready func(url string)
	// Beside runs as long as the server does; may be nil.
	Beside func(context.Context) error
}

// grace is how long a stopping server waits for the requests in hand.
const grace = 10 * time.Second

// Serve runs the readers of the journal and answers requests until ctx ends,
// then finishes what is in hand and returns nil.
func (a *App) Serve(ctx context.Context, cfg ServeConfig) error {
	if err := a.Begin(ctx); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	server := &http.Server{
		Handler:           a.handler(cfg),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute, // an import's file may be long; pages bound their bodies themselves
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	parts := append(a.readers(), part{"http", func(ctx context.Context) error {
		stopped := make(chan error, 1)
		go func() {
			<-ctx.Done()
			// Live streams end with ctx; the rest gets its grace.
			patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
			defer cancel()
			stopped <- server.Shutdown(patience)
		}()
		at := "http://" + listener.Addr().String()
		a.site.Store(&at)
		if cfg.Ready != nil {
			cfg.Ready(at)
		}
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return <-stopped
	}})
	if cfg.Beside != nil {
		parts = append(parts, part{"beside", cfg.Beside})
	}
	return background(ctx, parts)
}

// Begin gives a département what it has none of: categories, a kind of codes,
// a calendar. What stands there is left alone, so that what an administrator
// or an import made stays as it is.
func (a *App) Begin(ctx context.Context) error {
	by := auth.System(Tenant)
	if err := a.Catalog.SeedMissing(ctx, by); err != nil {
		return fmt.Errorf("first words: %w", err)
	}
	if err := a.Checks.Seed(ctx, by); err != nil {
		return fmt.Errorf("first check-lists: %w", err)
	}
	if err := a.Service.SeedUsual(ctx, by); err != nil {
		return fmt.Errorf("first targets: %w", err)
	}
	places, err := a.Directory.Index(ctx, Tenant)
	if err != nil {
		return err
	}
	if len(places.PublicHolidays()) > 0 || len(places.SchoolHolidays(places.Settings().Zone)) > 0 {
		return nil
	}
	if err := a.Directory.SeedCalendar(ctx, by); err != nil {
		return fmt.Errorf("first calendar: %w", err)
	}
	return nil
}

// pages is what the pages stand on. A part that is forgotten here fails a test.
func (a *App) pages(cfg ServeConfig, sessions *auth.Sessions, watched *metrics) web.Deps {
	return web.Deps{
		Log:       a.Log,
		Auth:      a.Auth,
		Sessions:  sessions,
		LDAP:      a.LDAP,
		OIDC:      &oidc.Client{Secret: func(ctx context.Context) (string, error) { return a.Auth.Secret(ctx, auth.OIDCSecret) }},
		FirstRun:  a.FirstRun,
		Directory: a.Directory,
		Catalog:   a.Catalog,
		Signer:    a.Signer,
		Visits:    a.Visits,
		Checks:    a.Checks,
		Similar:   a.Similar,
		Knowledge: a.Knowledge,
		Find:      a.Find,
		Service:   a.Service,
		Routing:   a.Routing,
		Incidents: a.Incidents,
		Labels:    a.Labels,
		Site:      a.Site,
		Signals:   a.Signals,
		Files:     a.Files,
		Stock:     a.Stock,
		Machines:  a.Machines,
		Cube:      a.Cube,
		Analysis:  a.Analysis,
		Journal:   a.Journal,
		Imports:   a.Imports,
		Importing: a.Importing,
		Mail:      a.Mail,
		Batches:   a.Batches, Problems: a.Problems, Presets: a.Presets,
		Jobs:    a.Jobs,
		Mailbox: a.Mailbox,
		Notify:  a.Notify,
		Queue:   a.Queue,
		Privacy: a.Privacy,
		Live:    a.Hub,
		Tenant:  Tenant,
		Now:     sqldb.Now,
		Version: cfg.Version,
		Secure:  cfg.Secure,
		Demo:    cfg.Demo,
		Observe: watched.observe,

		ClientAddress: clientAddress,
	}
}

// handler puts the doors under their paths.
func (a *App) handler(cfg ServeConfig) http.Handler {
	sessions := a.Auth.NewSessions(cfg.Secure)
	watched := a.newMetrics()
	pages := web.New(a.pages(cfg, sessions, watched))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", watched.guarded(a.Auth))
	mux.Handle(api.Prefix+"/", api.New(api.Deps{
		Auth: a.Auth, Sessions: sessions, Incidents: a.Incidents, Files: a.Files, Problems: a.Problems, Signals: a.Signals, Stock: a.Stock, Mail: a.Mail, Directory: a.Directory, Catalog: a.Catalog, Cube: a.Cube, Hub: a.Hub,
		Similar: a.Similar, Knowledge: a.Knowledge, Notify: a.Notify,
		Find:    a.Find,
		Visits:  a.Visits,
		Checks:  a.Checks,
		Service: a.Service,
		Labels:  a.Labels,
		Presets: a.Presets,
		Batches: a.Batches,
		Queue:   a.Queue,
		Jobs:    a.Jobs,
		Privacy: a.Privacy, ClientAddress: clientAddress,
		Location: a.Location, Clock: sqldb.Now, Version: cfg.Version, Log: a.Log,
		Observe: watched.observe,
	}))
	mux.Handle("/", pages)
	return mux
}
