package live_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/live"
	"statincidents/internal/testkit"
)

// BenchmarkFanOut is the time from writing an event to the moment when the
// last of 1,000 subscribers has it in hand, without a network: 700 who see
// everything, 200 referents of 50 schools, 100 declarants.
func BenchmarkFanOut(b *testing.B) {
	for _, size := range []int{100, 1_000, 10_000} {
		b.Run(sizeName(size), func(b *testing.B) {
			w := newWorld(b, testkit.SQLite(b))
			var watching sync.WaitGroup
			subs := make([]*live.Subscription, size)
			for i := range subs {
				who := live.Audience{Scope: auth.ScopeAll(tenant), Internal: true}
				switch {
				case i%10 >= 9:
					who = live.Audience{Scope: auth.ScopeOwn(tenant, int64(i+1))}
				case i%10 >= 7:
					who = live.Audience{Scope: auth.ScopeSchools(tenant, int64(i%50+1))}
				}
				subs[i] = w.subscribe(b, who, "")
			}
			b.ReportAllocs()
			var id int64
			for b.Loop() {
				id++
				watching.Add(size * 7 / 10)
				var once sync.WaitGroup
				for i, s := range subs {
					if i%10 < 7 {
						once.Go(func() {
							for {
								<-s.Ready()
								if got, _ := s.Take(nil); len(got) > 0 {
									watching.Done()
									return
								}
							}
						})
					} else {
						s.Take(nil)
					}
				}
				w.declare(b, id, id%50+1, 0)
				watching.Wait()
				once.Wait()
			}
		})
	}
}

func sizeName(n int) string {
	switch n {
	case 100:
		return "100"
	case 1_000:
		return "1k"
	}
	return "10k"
}

// BenchmarkThousandScreens is the time from writing an event to its arrival at
// each of 1,000 clients connected over loopback, p50 and p99 of all arrivals.
func BenchmarkThousandScreens(b *testing.B) {
	const screens = 1_000
	w := newWorld(b, testkit.SQLite(b))
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := w.hub.Serve(rw, r, live.Audience{Scope: auth.ScopeAll(tenant), Internal: true}, live.Options{}); err != nil {
			b.Error(err)
		}
	}))
	defer srv.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: screens}}
	arrived := make(chan time.Time, screens)
	var watching sync.WaitGroup
	for range screens {
		watching.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
			if err != nil {
				b.Error(err)
				return
			}
			res, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			defer res.Body.Close()
			sc := bufio.NewScanner(res.Body)
			for sc.Scan() {
				if strings.HasPrefix(sc.Text(), "data: ") {
					arrived <- time.Now()
				}
			}
		})
	}
	for w.hub.Subscribers() < screens {
		time.Sleep(10 * time.Millisecond)
	}
	var delays []time.Duration
	var id int64
	for b.Loop() {
		id++
		began := time.Now()
		w.declare(b, id, 1, 0)
		for range screens {
			delays = append(delays, (<-arrived).Sub(began))
		}
	}
	cancel()
	watching.Wait()
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds())/1000, "p99-ms")
}
