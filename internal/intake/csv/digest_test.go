package csvin

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/intake/table"
	"statincidents/internal/testkit"
)

// heard keeps all that a digest tells.
type heard struct {
	rejects    []*Problem
	doubts     []*Problem
	duplicates int
	rows       int
	tickets    []ticket
}

func (h *heard) rejected(p *Problem) error          { h.rejects = append(h.rejects, p); return nil }
func (h *heard) doubtful(p *Problem)                { h.doubts = append(h.doubts, p) }
func (h *heard) duplicate(n int)                    { h.duplicates += n }
func (h *heard) read(int64) error                   { return nil }
func (h *heard) refuse(*record, table.Row) *Problem { return nil }
func (h *heard) understood(n int)                   { h.rows += n }
func (h *heard) ticket(t ticket) error              { h.tickets = append(h.tickets, t); return nil }

func profile(tb testing.TB, name string) Profile {
	tb.Helper()
	p, err := Named(name)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// final folds the steps of a ticket.
func final(t ticket) [targetCount]cell {
	var now [targetCount]cell
	for _, s := range t.steps {
		for to, c := range s.set {
			if c.said {
				now[to] = c
			}
		}
	}
	return now
}

// TestUCI: the real log gives exactly the figures printed in its provenance,
// before any database sees it.
func TestUCI(t *testing.T) {
	t.Parallel()
	f, err := os.Open(testkit.Shared(t, "incidents-uci498/incident_event_log.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var h heard
	d := digest{profile: profile(t, "servicenow"), to: &h}
	if err := d.run(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	type figures struct {
		Rows, Tickets, Rejects, Duplicates, States100, Reopened, Missed int
		Months                                                          map[string]int
		Priorities                                                      map[int64]int
		Locations, Categories                                           map[string]int
		Unused                                                          []string
		ClosedMedian, ClosedMean, ResolvedMedian, ResolvedMean          string
		Resolved                                                        int
	}
	got := figures{Months: map[string]int{}, Priorities: map[int64]int{}, Locations: map[string]int{}, Categories: map[string]int{}}
	got.Rows, got.Tickets, got.Rejects, got.Duplicates, got.Unused = d.rows, len(h.tickets), len(h.rejects), h.duplicates, d.plan.unused
	for _, p := range h.doubts {
		if p.Reason == UnknownValue && p.Args[1] == "-100" {
			got.States100++
		}
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	var closing, resolving []float64
	for _, ticket := range h.tickets {
		c := final(ticket)
		if c[toReopenCount].n > 0 {
			got.Reopened++
		}
		if c[toTarget].text == "missed" {
			got.Missed++
		}
		got.Months[c[toOpened].at().In(paris).Format("2006-01")]++
		got.Priorities[c[toPriority].n]++
		got.Locations[c[toSchool].text]++
		category, _, _ := strings.Cut(c[toCategory].text, pathMark)
		got.Categories[category]++
		closing = append(closing, c[toClosed].at().Sub(c[toOpened].at()).Hours())
		if c[toResolved].n != 0 {
			resolving = append(resolving, c[toResolved].at().Sub(c[toOpened].at()).Hours())
		}
		if c[toState].text != "closed" {
			t.Errorf("%s ends %s", ticket.id, c[toState].text)
		}
	}
	got.Resolved = len(resolving)
	got.ClosedMedian, got.ClosedMean = medianMean(closing)
	got.ResolvedMedian, got.ResolvedMean = medianMean(resolving)
	top(got.Locations, 2140)
	top(got.Categories, 2432)
	want := figures{
		Rows: 141_712, Tickets: 24_918, States100: 5, Reopened: 275, Missed: 9_115, Resolved: 23_362,
		Months: map[string]int{"2016-02": 207, "2016-03": 8995, "2016-04": 7934, "2016-05": 7508, "2016-06": 5, "2016-07": 14,
			"2016-08": 15, "2016-09": 12, "2016-10": 16, "2016-11": 26, "2016-12": 37, "2017-01": 94, "2017-02": 55},
		Priorities:   map[int64]int{1: 270, 2: 408, 3: 23_466, 4: 774},
		Locations:    map[string]int{"Location 204": 5554, "Location 161": 4002, "Location 143": 3276, "Location 108": 2140},
		Categories:   map[string]int{"Category 42": 3558, "Category 26": 3338, "Category 53": 2678, "Category 46": 2432},
		ClosedMedian: "145.87", ClosedMean: "315.33", ResolvedMedian: "22.10", ResolvedMean: "178.17",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func top(counts map[string]int, least int) {
	for k, n := range counts {
		if n < least {
			delete(counts, k)
		}
	}
}

func medianMean(v []float64) (median, mean string) {
	slices.Sort(v)
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	m := v[len(v)/2]
	if len(v)%2 == 0 {
		m = (m + v[len(v)/2-1]) / 2
	}
	return format2(m), format2(sum / float64(len(v)))
}

func format2(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
