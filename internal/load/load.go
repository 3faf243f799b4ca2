// Package load simulates the people of a département against a running
// server: readers who look at pages and ask for figures, declarants who report
// incidents, and screens that stay open and wait for news. It reports what
// they had to wait.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Config is one simulation. The server must be on this machine or be one that
// the administrator owns: this is a load generator.
type Config struct {
	URL      string // of the server: http://127.0.0.1:8045
	Token    string // API token of an account that may declare and handle
	Login    string // with Password: pages are visited signed in; without, the API alone
	Password string
	Rate     int           // requests a second, all kinds together
	Duration time.Duration // bounded: at most an hour
	Screens  int           // open live streams
	Seed     uint64        // the same seed asks the same questions in the same order
	Progress io.Writer     // may be nil
}

// Figures are what one kind of request had to wait.
type Figures struct {
	Name          string
	Requests      int
	Errors        int
	P50, P95, P99 time.Duration
	Max           time.Duration
	FirstError    string
}

// Report is the outcome of a simulation.
type Report struct {
	All     Figures
	Kinds   []Figures // by name
	Screens Screens
	Bytes   int64 // received, streams aside
}

// Limits of a simulation.
const (
	maxRate     = 5_000
	maxScreens  = 5_000
	maxDuration = time.Hour
)

// Run simulates until the duration has passed or ctx ends.
func Run(ctx context.Context, cfg Config) (Report, error) {
	switch {
	case cfg.Rate < 1 || cfg.Rate > maxRate:
		return Report{}, fmt.Errorf("load: the rate must be from 1 to %d requests a second", maxRate)
	case cfg.Duration <= 0 || cfg.Duration > maxDuration:
		return Report{}, fmt.Errorf("load: the duration must be from 1s to %s", maxDuration)
	case cfg.Screens < 0 || cfg.Screens > maxScreens:
		return Report{}, fmt.Errorf("load: there can be from 0 to %d screens", maxScreens)
	case cfg.Token == "":
		return Report{}, errors.New("load: an API token is needed (statincidents admin token)")
	}
	base, err := url.Parse(strings.TrimRight(cfg.URL, "/"))
	if err != nil || base.Host == "" {
		return Report{}, fmt.Errorf("load: %q is not the address of a server", cfg.URL)
	}
	mix, err := newMix(ctx, base, cfg)
	if err != nil {
		return Report{}, err
	}
	screens := newWall(base, cfg.Token, cfg.Screens)
	if err := screens.open(ctx); err != nil {
		return Report{}, err
	}
	defer screens.close()
	mix.declared = screens.declared

	kinds := &tally{}
	attacker := vegeta.NewAttacker(
		vegeta.Workers(32), vegeta.MaxWorkers(512), vegeta.Connections(512),
		vegeta.Timeout(30*time.Second), vegeta.Redirects(vegeta.NoFollow),
		vegeta.Client(&http.Client{Transport: &noting{mix: mix, tally: kinds, next: &http.Transport{MaxIdleConnsPerHost: 512}},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 30 * time.Second}),
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		<-ctx.Done()
		attacker.Stop()
	}()
	results := attacker.Attack(mix.target, vegeta.Rate{Freq: cfg.Rate, Per: time.Second}, cfg.Duration, "load")
	var bytes int64
	begun := time.Now()
	shown := begun
	for res := range results {
		bytes += int64(res.BytesIn)
		if cfg.Progress != nil && time.Since(shown) > 5*time.Second {
			shown = time.Now()
			fmt.Fprintf(cfg.Progress, "%4.0f s of %s, %d requests\n", time.Since(begun).Seconds(), cfg.Duration, kinds.count())
		}
	}
	screens.settle(ctx)
	report := kinds.report()
	report.Bytes = bytes
	report.Screens = screens.report()
	return report, nil
}

// noting measures each request from the moment it was sent to the end of its
// body, by kind, and tells the wall which incidents were declared when.
type noting struct {
	mix   *mix
	tally *tally
	next  http.RoundTripper
}

// RoundTrip sends the request and reads the whole answer.
func (n *noting) RoundTrip(req *http.Request) (*http.Response, error) {
	kind := req.Header.Get(kindHeader)
	req.Header.Del(kindHeader)
	begun := time.Now()
	resp, err := n.next.RoundTrip(req)
	var body []byte
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(resp.Body, 64<<20))
		resp.Body.Close()
		resp.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	failure := ""
	switch {
	case err != nil:
		failure = err.Error()
	case resp.StatusCode >= 400:
		failure = fmt.Sprintf("%s %s: %d %.200s", req.Method, req.URL.Path, resp.StatusCode, body)
	}
	n.tally.add(kind, time.Since(begun), failure)
	if failure == "" && kind == kindDeclare {
		n.mix.noteDeclared(body, begun)
	}
	return resp, err
}

// tally gathers waits by kind.
type tally struct {
	mu    sync.Mutex
	kinds map[string]*waits
}

type waits struct {
	all    []time.Duration
	errors int
	first  string
}

func (t *tally) add(kind string, wait time.Duration, failure string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kinds == nil {
		t.kinds = map[string]*waits{}
	}
	w := t.kinds[kind]
	if w == nil {
		w = &waits{}
		t.kinds[kind] = w
	}
	w.all = append(w.all, wait)
	if failure != "" {
		w.errors++
		if w.first == "" {
			w.first = failure
		}
	}
}

func (t *tally) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, w := range t.kinds {
		n += len(w.all)
	}
	return n
}

func (t *tally) report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	var r Report
	total := &waits{}
	for name, w := range t.kinds {
		r.Kinds = append(r.Kinds, w.figures(name))
		total.all = append(total.all, w.all...)
		total.errors += w.errors
		if total.first == "" {
			total.first = w.first
		}
	}
	sort.Slice(r.Kinds, func(i, j int) bool { return r.Kinds[i].Name < r.Kinds[j].Name })
	r.All = total.figures("all")
	return r
}

func (w *waits) figures(name string) Figures {
	f := Figures{Name: name, Requests: len(w.all), Errors: w.errors, FirstError: w.first}
	f.P50, f.P95, f.P99, f.Max = quantiles(w.all)
	return f
}

// quantiles gives the 50th, 95th and 99th hundredth and the greatest: the
// smallest wait that at least so many of the requests did not exceed.
func quantiles(all []time.Duration) (p50, p95, p99, most time.Duration) {
	if len(all) == 0 {
		return 0, 0, 0, 0
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	at := func(p int) time.Duration { return sorted[(len(sorted)*p+99)/100-1] }
	return at(50), at(95), at(99), sorted[len(sorted)-1]
}

// draw is a seeded source of choices, safe for vegeta's workers.
type draw struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (d *draw) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}
