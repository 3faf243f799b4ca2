package cube

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/incident"
	"statincidents/internal/testkit"
)

// TestRealIncidents counts the 24,918 incidents of UCI data set 498 (the last
// row of each) and compares with the figures published beside the file. The
// file says no time zone: UTC here, so that durations are those of its clock.
func TestRealIncidents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	cfg := w.config()
	cfg.Location = time.UTC
	cfg.Now = func() time.Time { return time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC) }
	m := NewMemory(cfg)
	tables, err := cfg.tables(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	f := newFacts(time.UTC, tables)
	for _, r := range lastRows(t, testkit.Shared(t, "incidents-uci498/incident_event_log.csv.gz")) {
		if err := f.upsert(&r); err != nil {
			t.Fatal(err)
		}
	}
	m.facts = f
	m.ready.Store(true)
	run := func(q Query) Result {
		t.Helper()
		res, err := m.Run(context.Background(), auth.ScopeAll(w.tenant), q)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	figures := func(res Result) string {
		var list []string
		for _, r := range res.Rows {
			if r.Values[0].V > 0 && !r.Others {
				list = append(list, r.Keys[0]+":"+strconv.Itoa(int(r.Values[0].V)))
			}
		}
		return strings.Join(list, " ")
	}

	total := run(Query{Measures: []Measure{Count, Reopened, Unresolved, ResolutionMedian, ResolutionMean, ClosingMedian, ClosingMean, Backlog}}).Total.Values
	// Durations are published with one or two decimals.
	for k, want := range []struct{ v, within float64 }{
		{24_918, 0}, {275, 0}, {24_918 - 23_362, 0}, {22.1, 0.05}, {178.17, 0.005}, {145.87, 0.005}, {315.33, 0.005}, {0, 0},
	} {
		if got := total[k].V; math.Abs(got-want.v) > want.within {
			t.Errorf("figure %d is %v, want %v", k, got, want.v)
		}
	}
	if n := total[3].N; n != 23_362 {
		t.Errorf("the median resolution rests on %d incidents, want 23,362", n)
	}
	for name, c := range map[string]struct {
		q    Query
		want string
	}{
		"months": {
			Query{Measures: []Measure{Count}, By: []Dim{DimMonth}},
			"2016-02:207 2016-03:8995 2016-04:7934 2016-05:7508 2016-06:5 2016-07:14 2016-08:15 2016-09:12 2016-10:16 2016-11:26 2016-12:37 2017-01:94 2017-02:55",
		},
		"schools":    {Query{Measures: []Measure{Count}, By: []Dim{DimSchool}, Limit: 4}, "204:5554 161:4002 143:3276 108:2140"},
		"priorities": {Query{Measures: []Measure{Count}, By: []Dim{DimPriority}, Order: "-count"}, "3:23466 4:774 2:408 1:270"},
		"target":     {Query{Measures: []Measure{Count}, By: []Dim{DimTarget}, Filters: []Filter{{Dim: DimTarget, In: []string{"missed"}}}}, "missed:9115"},
		"teams":      {Query{Measures: []Measure{Count}, By: []Dim{DimTeam}, Limit: 4}, "42:3558 26:3338 53:2678 46:2432"},
		"spring": {
			Query{Measures: []Measure{Count}, By: []Dim{DimMonth}, From: calendar.Date(2016, 3, 1), To: calendar.Date(2016, 6, 1)},
			"2016-03:8995 2016-04:7934 2016-05:7508",
		},
	} {
		if got := figures(run(c.q)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// lastRows reads the last state of each incident. The category (which the
// catalog would own) stands in the team, to be counted all the same.
func lastRows(t *testing.T, path string) []record {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(unzipped)
	head, err := rows.Read()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range head {
		column[name] = i
	}
	number := func(s string) int64 {
		n, _ := strconv.ParseInt(s[strings.LastIndexByte(s, ' ')+1:], 10, 64) // "?" is 0
		return n
	}
	instant := func(s string) uint32 {
		at, err := time.Parse("2/1/2006 15:04", s)
		if err != nil {
			return 0
		}
		return uint32(at.Unix())
	}
	last, order := map[string]int64{}, []string{}
	found := map[string]record{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		get := func(name string) string { return row[column[name]] }
		id, mods := get("number"), number(get("sys_mod_count"))
		if before, ok := last[id]; ok && before > mods {
			continue
		} else if !ok {
			order = append(order, id)
		}
		last[id] = mods
		r := record{
			id: number(" " + strings.TrimPrefix(id, "INC")), state: incident.Closed, origin: incident.Import,
			school: number(get("location")), team: number(get("category")), reopened: int(number(get("reopen_count"))),
			priority: int(get("priority")[0] - '0'), target: "met",
			opened: instant(get("opened_at")), resolved: instant(get("resolved_at")), closed: instant(get("closed_at")),
		}
		if get("made_sla") == "false" {
			r.target = "missed"
		}
		found[id] = r
	}
	slices.Sort(order)
	out := make([]record, len(order))
	for i, id := range order {
		out[i] = found[id]
		out[i].id = int64(i + 1)
	}
	return out
}
