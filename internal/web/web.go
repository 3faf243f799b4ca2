// Package web is the door for people: pages made on the server, forms and
// links that work without script, under a strict content policy.
//
// A page is one Go file and one template beside it (page_NAME.go,
// page_NAME.html): a typed struct, a handler that returns an error, a line in
// its routes. docs/web.md says how to add one.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"statincidents/internal/analysis"
	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/auth/ldap"
	"statincidents/internal/auth/oidc"
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
	"statincidents/internal/servicelevel"
	"statincidents/internal/signal"
	"statincidents/internal/similar"
	"statincidents/internal/stock"
	"statincidents/internal/visit"
)

// Deps is what the pages stand on: the services of the house and a few choices
// of the administrator.
type Deps struct {
	Log       *slog.Logger
	Auth      *auth.Service
	Signer    *auth.Signer
	Sessions  *auth.Sessions
	LDAP      ldap.Directory // tried from the administration
	OIDC      *oidc.Client   // nil: nobody signs in elsewhere
	FirstRun  *auth.FirstRun // nil when accounts are made from the command line only
	Directory *directory.Service
	Catalog   *catalog.Service
	Incidents *incident.Service
	Queue     *queue.Service
	Files     *attachment.Service // attachments
	Knowledge *knowledge.Service
	Find      *find.Service
	Batches   *batch.Service
	Problems  *problem.Service
	Signals   *signal.Service
	Presets   *preset.Service
	Privacy   *privacy.Service // personal data
	Similar   *similar.Service // proposes categories and solutions; nil: none are
	Service   *servicelevel.Service
	Routing   *routing.Service
	Visits    *visit.Service
	Stock     *stock.Service
	Machines  *machine.Service
	Checks    *checklist.Service
	Labels    *label.Service
	Cube      cube.Executor
	Analysis  *analysis.Service
	Journal   *journal.Journal
	Imports   *csvin.Importer
	Importing *csvin.Runner
	Mail      *mailin.Service
	Jobs      *jobs.Service
	Mailbox   *mailbox.Service
	Notify    *notify.Service
	Live      *live.Hub // nil: pages show what was true when they were made

	// Site is the address under which people reach us, "" if it was not said:
	// then links that are printed use the address of the request.
	Site func(context.Context) (string, error)

	Tenant  int64
	Now     func() time.Time // the clock; pages show "3 min ago"
	Version string

	Secure bool // browsers come by HTTPS
	Demo   bool // shows the style guide, and says that the data are invented

	// ClientAddress says where a request comes from, for the throttling of
	// sign-ins; RemoteAddr if nil. A server behind a proxy must set it.
	ClientAddress func(*http.Request) string

	// Observe is told of each finished request, for metrics. Route is the
	// pattern, never the address.
	Observe func(route string, status int, took time.Duration)
}

// Server answers browsers.
type Server struct {
	deps    Deps
	log     *slog.Logger
	mux     *http.ServeMux
	entries []entry
	finders []finder
	// patterns are those of every page, for the test that tries them all.
	patterns  []string
	parts     []adminPart
	questions []question
	panels    []panel
	kept      keptFileStore // files between preview and import
}

// New makes the handler of every page. Without the built scripts and styles
// (a clone where `make ui` has not run) it answers every request by saying so.
func New(d Deps) http.Handler {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if built.missing != nil {
		d.Log.Error("web: the user interface is not built; run: make ui", "error", built.missing)
		return notBuilt{}
	}
	s := newServer(d)
	return s.chain(s.mux)
}

func newServer(d Deps) *Server {
	if d.ClientAddress == nil {
		d.ClientAddress = func(r *http.Request) string { return r.RemoteAddr }
	}
	s := &Server{deps: d, log: d.Log, mux: http.NewServeMux()}
	s.routes()
	return s
}

// routes calls every page's own list. A new page adds its line here.
func (s *Server) routes() {
	s.mux.Handle("GET /static/", built)
	s.mux.HandleFunc("GET /theme/{accent}", serveTheme)
	s.loginRoutes()
	s.loginCodeRoutes()
	s.loginOIDCRoutes()
	s.firstRunRoutes()
	s.accountRoutes()
	s.accountFactorRoutes()
	s.menuRoutes()
	s.findRoutes()
	s.liveRoutes()
	s.overviewRoutes()
	s.exploreRoutes()
	s.declareRoutes()
	s.phoneRoutes()
	s.labelRoutes()
	s.labelsRoutes()
	s.incidentsRoutes()
	s.incidentsViewsRoutes()
	s.incidentRoutes()
	s.presenceRoutes()
	s.solutionRoutes()
	s.knowledgeRoutes()
	s.attachmentRoutes()
	s.clockPanelRoutes()
	s.linkRoutes()
	s.splitRoutes()
	s.ratingRoutes()
	s.askedRoutes()
	s.levelRoutes()
	s.mentionRoutes()
	s.visitsRoutes()
	s.visitRoutes()
	s.visitFormRoutes()
	s.visitDayRoutes()
	s.visitFeedRoutes()
	s.checklistRoutes()
	s.checklistsRoutes()
	s.adminChecklistRoutes()
	s.timeRoutes()
	s.adminServiceRoutes()
	s.adminRoutingRoutes()
	s.bulkRoutes()
	s.massRoutes()
	s.problemRoutes()
	s.stockRoutes()
	s.presetRoutes()
	s.schoolsRoutes()
	s.analysesRoutes()
	s.compareRoutes()
	s.ratesRoutes()
	s.effectRoutes()
	s.signalsRoutes()
	s.benchRoutes()
	s.methodRoutes()
	s.timesRoutes()
	s.renewalRoutes()
	s.riskPanelRoutes()
	s.zonesRoutes()
	s.recurrenceRoutes()
	s.forecastRoutes()
	s.commonRoutes()
	s.schoolRoutes()
	s.directoryRoutes()
	s.supportRoutes()
	s.adminRoutes()
	s.adminAccountsRoutes()
	s.adminRolesRoutes()
	s.adminSecurityRoutes()
	s.adminCatalogRoutes()
	s.adminPortalRoutes()
	s.wallRoutes()
	s.adminImportsRoutes()
	s.mailRoutes()
	s.adminCalendarRoutes()
	s.adminSettingsRoutes()
	s.adminMailRoutes()
	s.adminJobsRoutes()
	s.adminPrivacyRoutes()
	s.accountMessagesRoutes()
	s.messagesPanelRoutes()
	s.outboxRoutes()
	s.answerRoutes()
	s.styleGuideRoutes()
	s.page("GET /{$}", s.home)
	s.page("/", s.lost)
}

// notBuilt stands in for the server in a clone without its built interface.
type notBuilt struct{}

func (notBuilt) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Retry-After", "60")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte("This program was built without its user interface.\nRun `make ui`, then build again (`make build` does both).\n"))
}
