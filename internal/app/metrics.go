package app

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"statincidents/internal/auth"
)

// metrics are what a supervisor watches. Labels are route patterns and status
// codes: few, and without anybody's data.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func (a *App) newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "statincidents_request_seconds", Help: "Time to answer a request, by route and status; live streams aside.",
		Buckets: []float64{.002, .005, .01, .025, .05, .1, .15, .25, .5, 1, 2.5, 10},
	}, []string{"route", "status"})}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	m.registry.MustRegister(
		m.requests,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("statincidents_live_screens", "Open live streams.", func() float64 { return float64(a.Hub.Subscribers()) }),
		gauge("statincidents_statistics_ready", "1 once the statistics are loaded.", func() float64 {
			if a.memory == nil || a.memory.Ready() {
				return 1
			}
			return 0
		}),
	)
	m.registry.MustRegister(a.mailGauges(gauge)...)
	return m
}

// observe notes a finished request.
func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// guarded answers a scraper on the same machine, or one that shows the API
// token of an account with the right to look at the system. A request that
// came through a proxy is not of this machine.
func (m *metrics) guarded(accounts *auth.Service) http.Handler {
	show := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		ip := net.ParseIP(host)
		proxied := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != ""
		if err == nil && ip != nil && ip.IsLoopback() && !proxied {
			show.ServeHTTP(w, r)
			return
		}
		secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok {
			if who, _, err := accounts.IdentityOfToken(r.Context(), secret); err == nil && who.Can(auth.ViewSystem) {
				show.ServeHTTP(w, r)
				return
			}
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "an API token with the right system.view is needed", http.StatusUnauthorized)
	})
}
