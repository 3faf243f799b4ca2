// Package api is the JSON door: /api/v1 with its OpenAPI 3.1 document, its own
// documentation page, and a live stream. It says in HTTP what the contexts'
// services say in Go and holds no rule: each request acts as the account of
// its bearer token, within that account's scope.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"golang.org/x/time/rate"

	"statincidents/internal/api/wire"
	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/catalog"
	"statincidents/internal/checklist"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/find"
	"statincidents/internal/incident"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/jobs"
	"statincidents/internal/knowledge"
	"statincidents/internal/label"
	"statincidents/internal/live"
	"statincidents/internal/notify"
	"statincidents/internal/preset"
	"statincidents/internal/privacy"
	"statincidents/internal/problem"
	"statincidents/internal/queue"
	"statincidents/internal/servicelevel"
	"statincidents/internal/signal"
	"statincidents/internal/similar"
	"statincidents/internal/stock"
	"statincidents/internal/visit"
)

// Prefix is the path under which the API lives.
const Prefix = "/api/v1"

// Deps are the services behind the API.
type Deps struct {
	Auth      *auth.Service
	Sessions  *auth.Sessions // nil: bearer tokens only
	Incidents *incident.Service
	Files     *attachment.Service
	Problems  *problem.Service
	Signals   *signal.Service
	Stock     *stock.Service
	Service   *servicelevel.Service
	Labels    *label.Service
	Presets   *preset.Service
	Batches   *batch.Service
	Queue     *queue.Service
	Jobs      *jobs.Service
	Mail      *mailin.Service
	Notify    *notify.Service
	Visits    *visit.Service
	Checks    *checklist.Service
	Directory *directory.Service
	Catalog   *catalog.Service
	Similar   *similar.Service
	Knowledge *knowledge.Service
	Find      *find.Service
	Cube      cube.Executor
	Privacy   *privacy.Service // notes what is read; nil: nothing is
	Hub       *live.Hub
	Location  *time.Location   // the département's, UTC if nil
	Clock     func() time.Time // of today's figures
	Version   string           // of the program, for the OpenAPI document
	Log       *slog.Logger     // discarded if nil

	// Rate is how many requests a second one token may make in the long run,
	// Burst how many at once; 200 and 1,000 if 0.
	Rate  float64
	Burst int
	// Stream tunes the live streams.
	Stream live.Options

	// ClientAddress says where a request comes from; nil: nobody knows.
	ClientAddress func(*http.Request) string

	// Observe is told of each finished request but live streams, for metrics.
	// Route is the pattern, never the address.
	Observe func(route string, status int, took time.Duration)
}

// Limits of the API.
const (
	timeout = 30 * time.Second // of an answer, streams aside
	maxBody = 2 << 20          // bytes
)

// API is the handler of everything under Prefix.
type API struct {
	deps    Deps
	mux     *http.ServeMux
	huma    huma.API
	limiter *limiter
	public  map[string]bool // patterns that need no identity
}

// New makes the handler; mount it at Prefix + "/".
func New(deps Deps) *API {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Location == nil {
		deps.Location = time.UTC
	}
	if deps.Rate == 0 {
		deps.Rate, deps.Burst = 200, 1000
	}
	a := &API{
		deps: deps, mux: http.NewServeMux(), public: map[string]bool{},
		limiter: &limiter{rate: rate.Limit(deps.Rate), burst: max(1, deps.Burst), buckets: map[[2]int64]*rate.Limiter{}},
	}
	config := huma.DefaultConfig("Stat Incidents", deps.Version)
	// The document and its page are ours: huma's page loads from a CDN.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.Info.Description = description
	config.Info.License = &huma.License{Name: "EUPL-1.2", Identifier: "EUPL-1.2"}
	config.Servers = []*huma.Server{{URL: "/"}}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "An API token: " + auth.TokenPrefix + "…"},
	}
	config.Security = []map[string][]string{{"token": {}}}
	config.Tags = tags
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[wire.SchoolRef](), reflect.TypeFor[schoolRef]())
	a.huma = humago.New(a.mux, config)
	a.registerReference()
	a.registerIncidents()
	a.registerAttachments()
	a.registerProblems()
	a.registerSignals()
	a.registerStock()
	a.registerStockCommands()
	a.registerClocks()
	a.registerLabels()
	a.registerPresets()
	a.registerBatches()
	a.registerViews()
	a.registerJobs()
	a.registerRecords()
	a.registerMail()
	a.registerMessages()
	a.registerVisits()
	a.registerChecklists()
	a.registerStatistics()
	a.registerStream()
	a.registerDocuments()
	a.mux.HandleFunc("/", a.unknown)
	return a
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := a.deps.Clock()
	r, req := a.begin(w, r)
	_, pattern := a.mux.Handler(r)
	o := &outcome{ResponseWriter: w}
	w = o
	defer func() { a.finished(r, pattern, o, begun) }()
	defer a.recover(w, r)
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store") // unless the answer says better
	h.Add("Vary", "Authorization, Cookie, Accept-Language")
	if !a.public[pattern] {
		if err := a.authenticate(r, req); err != nil {
			a.refuse(w, r, err)
			return
		}
		if err := a.limiter.allow(req); err != nil {
			a.refuse(w, r, err)
			return
		}
	}
	a.mux.ServeHTTP(w, r)
}

// recover turns a panic into an internal error.
func (a *API) recover(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	a.deps.Log.ErrorContext(r.Context(), "api: panic", "panic", p, "path", r.URL.Path, "request_id", requestOf(r.Context()).id, "stack", string(debug.Stack()))
	a.refuse(w, r, fault.New(fault.Internal, "error.internal"))
}

// unknown answers what no route does: another method of a known path, or
// nothing at all.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 && !slices.Contains(allowed, r.Method) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.refuse(w, r, fault.New(methodNotAllowed, "error.api.method"))
		return
	}
	a.refuse(w, r, fault.New(fault.NotFound, "error.api.no_route"))
}

// register adds an operation whose handler returns plain errors: they become
// problems in one place. Every answer is bounded in time.
func register[I, O any](a *API, op huma.Operation, fn func(context.Context, *I) (*O, error)) {
	op.Path = Prefix + op.Path
	op.MaxBodyBytes = maxBody
	op.RejectUnknownQueryParameters = true
	huma.Register(a.huma, op, handler(a, fn))
}

func handler[I, O any](a *API, fn func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		out, err := fn(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		requestOf(ctx).entries = entriesOf(out)
		return out, nil
	}
}

// schoolRef is the schema of wire.SchoolRef.
type schoolRef struct{}

// Schema says: a number or a code.
func (schoolRef) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "A school, by its number or by its official code (UAI).", OneOf: []*huma.Schema{{Type: huma.TypeInteger}, {Type: huma.TypeString}}}
}

// OpenAPI is the document that describes the API.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// mustJSON writes a value that always encodes.
func mustJSON(v any) []byte {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		panic(err) // a value of ours
	}
	return data
}
