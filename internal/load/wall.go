package load

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Screens is how news reached the open screens: from the moment a declaration
// was sent to the moment a screen was told of it.
type Screens struct {
	Open          int // that were connected
	Lost          int // connections that ended before the end
	Declared      int // incidents that each screen should have been told of
	Told          int // times that a screen was told
	P50, P95, P99 time.Duration
	Max           time.Duration
}

// wall is a number of live streams.
type wall struct {
	url   *url.URL
	token string
	n     int

	client *http.Client
	cancel context.CancelFunc
	group  sync.WaitGroup
	lost   atomic.Int64
	opened atomic.Int64

	mu      sync.Mutex
	sent    map[int64]time.Time   // incident → when its declaration was sent
	arrived map[int64][]time.Time // incident → when screens were told
}

func newWall(base *url.URL, token string, n int) *wall {
	return &wall{url: base.JoinPath("/api/v1/stream"), token: token, n: n,
		client:  &http.Client{Transport: &http.Transport{MaxConnsPerHost: 0, MaxIdleConnsPerHost: n + 1, DisableCompression: true}},
		sent:    map[int64]time.Time{},
		arrived: map[int64][]time.Time{},
	}
}

// open connects every screen before the load begins, a few at a time.
func (w *wall) open(ctx context.Context) error {
	ctx, w.cancel = context.WithCancel(ctx)
	ready := make(chan error, w.n)
	gate := make(chan struct{}, 50)
	for range w.n {
		w.group.Go(func() { w.watch(ctx, gate, ready) })
	}
	for range w.n {
		select {
		case err := <-ready:
			if err != nil {
				w.close()
				return fmt.Errorf("load: open a screen: %w", err)
			}
		case <-time.After(60 * time.Second):
			w.close()
			return fmt.Errorf("load: only %d of %d screens could be opened in a minute", w.opened.Load(), w.n)
		}
	}
	return nil
}

// watch is one screen: it notes each incident that it is told of.
func (w *wall) watch(ctx context.Context, gate chan struct{}, ready chan<- error) {
	gate <- struct{}{}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url.String(), http.NoBody)
	if err != nil {
		<-gate
		ready <- err
		return
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := w.client.Do(req)
	<-gate
	if err != nil {
		ready <- err
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		ready <- fmt.Errorf("status %d", resp.StatusCode)
		return
	}
	w.opened.Add(1)
	ready <- nil
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 4096), 1<<20)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
			if id, ok := incidentOf(data); ok {
				w.told(id)
			}
		}
	}
	if ctx.Err() == nil {
		w.lost.Add(1)
	}
}

// incidentOf finds the number in a notice without decoding all of it: a
// thousand screens on the same two cores must not measure their own decoding.
func incidentOf(data string) (int64, bool) {
	_, rest, ok := strings.Cut(data, `"incident":`)
	if !ok {
		return 0, false
	}
	rest = strings.TrimLeft(rest, " ")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	id, err := strconv.ParseInt(rest[:end], 10, 64)
	return id, err == nil
}

func (w *wall) told(id int64) {
	now := time.Now()
	w.mu.Lock()
	w.arrived[id] = append(w.arrived[id], now)
	w.mu.Unlock()
}

// declared says that an incident's declaration was sent at that moment.
func (w *wall) declared(id int64, sent time.Time) {
	w.mu.Lock()
	w.sent[id] = sent
	w.mu.Unlock()
}

// settle gives the last news a moment to arrive.
func (w *wall) settle(ctx context.Context) {
	if w.n == 0 {
		return
	}
	deadline := time.Now().Add(3 * time.Second)
	for time.Now().Before(deadline) && ctx.Err() == nil && w.missing() > 0 {
		time.Sleep(50 * time.Millisecond)
	}
}

func (w *wall) missing() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for id := range w.sent {
		n += max(0, w.n-len(w.arrived[id]))
	}
	return n
}

func (w *wall) close() {
	w.cancel()
	w.group.Wait()
}

// report looks at the first news of each incident that this run declared; the
// later ones on the same incident are other changes.
func (w *wall) report() Screens {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Screens{Open: int(w.opened.Load()), Lost: int(w.lost.Load()), Declared: len(w.sent)}
	var waits []time.Duration
	for id, sent := range w.sent {
		told := w.arrived[id]
		if len(told) > w.n {
			told = told[:w.n]
		}
		s.Told += len(told)
		for _, at := range told {
			waits = append(waits, at.Sub(sent))
		}
	}
	s.P50, s.P95, s.P99, s.Max = quantiles(waits)
	return s
}
