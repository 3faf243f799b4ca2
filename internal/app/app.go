// Package app puts the house together: it opens the database, makes the
// services, runs the readers of the journal and serves the doors. Only app and
// cmd know everything; tests start the real thing with it.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"statincidents/internal/analysis"
	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/auth/ldap"
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
	"statincidents/internal/label"
	"statincidents/internal/live"
	"statincidents/internal/machine"
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
	"statincidents/internal/similar"
	"statincidents/internal/sqldb"
	"statincidents/internal/stock"
	"statincidents/internal/visit"
)

// Tenant is the département that one process serves.
const Tenant int64 = 1

// Config is what an administrator chooses.
type Config struct {
	Dir string // data folder of the embedded database; exclusive with DB
	DB  string // PostgreSQL address
	Log *slog.Logger

	// KeyFile holds the key of the secrets, "secret.key" of the data folder if
	// empty. Without a folder and a file secrets are kept as they are.
	KeyFile string

	// Exclusive says that this process is the folder's server: a second one is
	// refused. Tools that may run beside a server leave it false.
	Exclusive bool
	// CubeInSQL answers statistics by SQL instead of from memory, for volumes
	// past one machine's memory.
	CubeInSQL bool
	// ShowMail keeps messages in an outbox that pages show, while no SMTP server
	// is set: for the demonstration.
	ShowMail bool
}

// App is the program: its services, ready to be used, and the readers and
// doors that Serve starts.
type App struct {
	Log       *slog.Logger
	DB        *sqldb.DB
	Journal   *journal.Journal
	Auth      *auth.Service
	FirstRun  *auth.FirstRun
	LDAP      ldap.Directory
	Directory *directory.Service
	Catalog   *catalog.Service
	Problems  *problem.Service
	Batches   *batch.Service
	Presets   *preset.Service
	Incidents *incident.Service
	Files     *attachment.Service
	Visits    *visit.Service
	Stock     *stock.Service
	Machines  *machine.Service
	Checks    *checklist.Service
	Search    *search.Service
	Similar   *similar.Service
	Knowledge *knowledge.Service
	Find      *find.Service
	Service   *servicelevel.Service
	Routing   *routing.Service
	Signals   *signal.Service
	Imports   *csvin.Importer
	Importing *csvin.Runner
	Cube      cube.Executor
	Analysis  *analysis.Service
	Hub       *live.Hub
	Queue     *queue.Service
	Jobs      *jobs.Service
	Signer    *auth.Signer
	Mailbox   *mailbox.Service
	Notify    *notify.Service
	Labels    *label.Service
	Mail      *mailin.Service
	Privacy   *privacy.Service
	Location  *time.Location // of the département

	site   atomic.Pointer[string] // where Serve listens
	memory *cube.Memory           // nil when statistics are answered by SQL
	sealer *journal.Sealer
}

// New opens and migrates the database and makes the services. Nothing runs
// yet: command-line tools stop here, the server goes on with Serve.
func New(ctx context.Context, cfg Config) (*App, error) {
	log := cfg.Log
	if log == nil {
		log = slog.Default()
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: cfg.Dir, URL: cfg.DB, Log: log, Exclusive: cfg.Exclusive})
	if err != nil {
		return nil, err
	}
	if err := openSecrets(ctx, db, cfg, log); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	a := &App{Log: log, DB: db, Journal: journal.New(db)}
	if cfg.Exclusive {
		// A database that pg_dump moved to a younger cluster has positions that
		// its readers would wait for in vain.
		if moved, err := journal.Settle(ctx, db); err != nil {
			return nil, errors.Join(fmt.Errorf("settle the journal: %w", err), db.Close())
		} else if moved {
			log.Info("the journal was settled after a move to another PostgreSQL cluster")
		}
	}
	a.Auth = auth.New(db, a.Journal, auth.Config{Tenant: Tenant, Log: log})
	a.FirstRun = a.Auth.NewFirstRun()
	a.Directory = directory.New(db, a.Journal)
	a.LDAP = ldap.Directory{Password: func(ctx context.Context) (string, error) { return a.Auth.Secret(ctx, auth.LDAPPassword) }}
	a.Auth.Vouch(a.LDAP.Vouch)
	a.Auth.Provision(a.provision)
	a.Catalog = catalog.New(db, a.Journal)
	settings, err := a.Directory.Settings(ctx, Tenant)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("settings: %w", err), db.Close())
	}
	a.Location = settings.Location()
	a.Jobs = jobs.New(db, jobs.Config{Tenant: Tenant, Log: log, Location: a.Location, Alone: cfg.Exclusive && db.Dialect() == sqldb.SQLite})
	a.Incidents = incident.NewService(db, a.Journal, a.Directory, a.Catalog, a.Location)
	a.Problems = problem.New(db, a.Journal, a.Directory, a.Catalog, a.Incidents)
	a.Presets = preset.New(db, a.Journal)
	a.Signals = signal.New(db, a.Journal, Tenant, a.Location)
	a.Batches = batch.New(db, a.Incidents, a.Problems, log)
	a.Files = attachment.New(db, a.Journal, a.Incidents, log)
	a.Signer = auth.NewSigner(db, Tenant)
	a.Mailbox = mailbox.New(db, a.Journal, Tenant)
	a.Visits = visit.New(db, a.Journal, a.Directory, a.Incidents, a.Auth, log)
	a.Notify = notify.New(notify.Parts{
		DB: db, Journal: a.Journal, Jobs: a.Jobs, Mailbox: a.Mailbox, Signer: a.Signer, Accounts: a.Auth, Places: a.Directory, Words: a.Catalog, Incidents: a.Incidents, Visits: a.Visits, Signals: a.Signals,
	}, notify.Config{Tenant: Tenant, Location: a.Location, Log: log, Show: cfg.ShowMail, Site: a.address})
	a.Stock = stock.New(db, a.Journal, a.Incidents)
	a.Machines = machine.New(db, a.Journal, a.Directory)
	a.Checks = checklist.New(db, a.Journal, a.Incidents, a.Visits)
	a.Search = search.New(db, a.Journal, a.Directory)
	a.Similar = similar.New(db, a.Journal, a.Directory, a.Catalog)
	a.Knowledge = knowledge.New(db, a.Journal, a.Catalog)
	a.Find = find.New(a.Search, a.Incidents, a.Directory, a.Problems, a.Knowledge)
	a.Service = servicelevel.New(db, a.Journal, a.Directory, a.Catalog, a.Incidents)
	a.Labels = a.newLabels(cfg.ShowMail)
	a.Routing = routing.New(db, a.Journal, a.Directory, a.Catalog, a.Incidents, a.Jobs)
	counting := cube.Config{
		Tenant: Tenant, DB: db, Journal: a.Journal, Directory: a.Directory, Catalog: a.Catalog,
		Location: a.Location, Weeks: a.schoolWeeks, Text: a.Search, Log: log,
	}
	if cfg.CubeInSQL {
		a.Cube = cube.NewSQL(counting)
	} else {
		a.memory = cube.NewMemory(counting)
		a.Cube = a.memory
	}
	a.Analysis = analysis.New(analysis.Parts{
		DB: db, Jobs: a.Jobs, Cube: a.Cube, Places: a.Directory, Words: a.Catalog, Incidents: a.Incidents, Clocks: a.Service, Machines: a.Machines,
	}, analysis.Config{Tenant: Tenant, Location: a.Location, Log: log})
	a.signals()
	a.Imports = csvin.New(db, a.Directory, a.Catalog, a.Incidents)
	uploads := filepath.Join(cfg.Dir, "imports")
	if cfg.Dir == "" {
		uploads = filepath.Join(os.TempDir(), "statincidents-imports")
	}
	a.Importing = csvin.NewRunner(a.Imports, uploads, log)
	a.Queue = queue.New(db, log)
	a.Hub = live.New(live.Config{Tenant: Tenant, Journal: a.Journal, Incidents: a.Incidents, Clock: sqldb.Now, Log: log})
	a.Mail = a.newMail(log)
	a.Privacy = privacy.New(privacy.Parts{
		DB: db, Journal: a.Journal, Jobs: a.Jobs, Places: a.Directory, Incidents: a.Incidents, Files: a.Files, Search: a.Search,
	}, privacy.Config{Tenant: Tenant, Location: a.Location, Log: log})
	a.sealer = &journal.Sealer{Journal: a.Journal, Tenant: Tenant}
	return a, nil
}

// address is where this process answers, "" before it does.
func (a *App) address() string {
	if at := a.site.Load(); at != nil {
		return *at
	}
	return ""
}

// Projections are what the journal rebuilds, in an order in which each finds
// what it refers to.
func (a *App) Projections() []journal.Projection {
	return []journal.Projection{
		a.Directory.Projection(),
		a.Catalog.Projection(),
		a.Incidents.Projection(),
		a.Problems.Projection(),
		a.Presets.Projection(),
		a.Files.Projection(),
		a.Service.Projection(),
		a.Routing.Projection(),
		a.Similar.Projection(),
		a.Visits.Projection(),
		a.Checks.Projection(),
		a.Knowledge.Projection(),
		a.Stock.Projection(),
		a.Machines.Projection(),
		a.Labels.Projection(),
		a.Signals.Projection(),
	}
}

// Close releases the database; what was said "ok" is on disk already.
func (a *App) Close() error { return a.DB.Close() }

// schoolWeeks gives the département's calendar, which numbers school weeks.
func (a *App) schoolWeeks(ctx context.Context) (cube.SchoolWeeks, error) {
	return a.Directory.Calendar(ctx, Tenant, 0)
}
