package live_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/live"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

const tenant = 1

var (
	all      = live.Audience{Scope: auth.ScopeAll(tenant), Internal: true, Account: 100}
	schoolA  = live.Audience{Scope: auth.ScopeSchools(tenant, 1), Account: 101}
	schoolB  = live.Audience{Scope: auth.ScopeSchools(tenant, 2), Account: 102}
	declares = live.Audience{Scope: auth.ScopeOwn(tenant, 7), Account: 103}
)

// world is a journal with its hub, and where each incident stands: the folded
// school and declarant, which is all that the hub asks of incidents.
type world struct {
	db      *sqldb.DB
	journal *journal.Journal
	hub     *live.Hub

	mu   sync.Mutex
	now  map[int64]incident.Incident
	stop context.CancelFunc
}

// Many gives the incidents that exist, in the order of ids.
func (w *world) Many(_ context.Context, scope auth.Scope, ids []int64) ([]incident.Incident, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []incident.Incident
	for _, id := range ids {
		if i, ok := w.now[id]; ok && scope.Sees(i.School, i.Declarant) {
			list = append(list, i)
		}
	}
	return list, nil
}

func newWorld(tb testing.TB, db *sqldb.DB) *world {
	tb.Helper()
	w := &world{db: db, journal: journal.New(db), now: map[int64]incident.Incident{}}
	w.hub = w.newHub(tb)
	return w
}

// newHub starts one more process's hub on the same journal.
func (w *world) newHub(tb testing.TB) *live.Hub {
	tb.Helper()
	h := live.New(live.Config{Tenant: tenant, Journal: w.journal, Incidents: w, Clock: sqldb.Now})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Run(ctx); err != nil {
			tb.Errorf("hub: %v", err)
		}
	}()
	w.stop = stop
	tb.Cleanup(func() { stop(); <-done })
	return h
}

// happen writes an event about an incident and folds it.
func (w *world) happen(tb testing.TB, id int64, kind string, set, was incident.Patch, comment string, internal bool) {
	tb.Helper()
	data, err := json.Marshal(incident.Payload{Set: set, Was: was, Comment: comment, Internal: internal})
	if err != nil {
		tb.Fatal(err)
	}
	w.mu.Lock()
	i := w.now[id]
	i.ID = id
	i.Version++
	if set.School != nil {
		i.School = *set.School
	}
	if set.Declarant != nil {
		i.Declarant = *set.Declarant
	}
	if set.Affected != nil {
		i.Affected = *set.Affected
	}
	w.now[id] = i
	w.mu.Unlock()
	w.append(tb, journal.Event{Tenant: tenant, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.ByAccount, ID: 9},
		Subject: journal.Subject{Kind: incident.Subject, ID: id}, School: i.School, Kind: kind, Data: data})
}

func (w *world) append(tb testing.TB, e journal.Event) {
	tb.Helper()
	err := w.db.Write(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error { return w.journal.Append(ctx, tx, e) })
	if err != nil {
		tb.Fatal(err)
	}
}

func (w *world) declare(tb testing.TB, id, school, declarant int64) {
	tb.Helper()
	title := fmt.Sprint("Panne ", id)
	w.happen(tb, id, incident.EventDeclared, incident.Patch{School: &school, Declarant: &declarant, Title: &title}, incident.Patch{}, "", false)
}

func (w *world) subscribe(tb testing.TB, who live.Audience, after string) *live.Subscription {
	tb.Helper()
	s, err := w.hub.Subscribe(context.Background(), who, after)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// told writes notices as words: "declared 1", "gone 1", "resync".
func told(tb testing.TB, notices []live.Notice) []string {
	tb.Helper()
	var words []string
	for _, n := range notices {
		switch n.Kind {
		case live.Changed:
			var c live.Change
			if err := json.Unmarshal(n.Data, &c); err != nil {
				tb.Fatal(err)
			}
			word := fmt.Sprint(strings.TrimPrefix(c.Kind, "incident."), " ", c.Incident)
			if c.Comment != "" {
				word += ": " + c.Comment
			}
			words = append(words, word)
		case live.Gone:
			var d live.Departure
			if err := json.Unmarshal(n.Data, &d); err != nil {
				tb.Fatal(err)
			}
			words = append(words, fmt.Sprint("gone ", d.Incident))
		default:
			words = append(words, n.Kind)
		}
	}
	return words
}

// until takes notices until there are n, or fails after a while.
func until(tb testing.TB, s *live.Subscription, n int) []live.Notice {
	tb.Helper()
	var got []live.Notice
	deadline := time.After(60 * time.Second)
	for {
		var open bool
		got, open = s.Take(got)
		if len(got) >= n || !open {
			return got
		}
		select {
		case <-s.Ready():
		case <-deadline:
			tb.Fatalf("%d notices, want %d: %v", len(got), n, told(tb, got))
		}
	}
}

// settle waits until the hub has handed out everything that is written.
func (w *world) settle(tb testing.TB) {
	tb.Helper()
	var last int64
	err := w.db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(max(seq), 0) FROM event`).Scan(&last)
	})
	if err != nil {
		tb.Fatal(err)
	}
	for range 2000 {
		if w.hub.Position().Seq >= last {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	tb.Fatal("the hub does not follow")
}

func TestWhoIsToldWhat(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		subs := map[string]*live.Subscription{}
		for name, who := range map[string]live.Audience{"all": all, "a": schoolA, "b": schoolB, "own": declares} {
			subs[name] = w.subscribe(t, who, "")
		}
		one, two, nobody, seven := int64(1), int64(2), int64(0), int64(7)
		state := incident.Waiting
		w.declare(t, 10, 1, 7)
		w.settle(t)
		w.happen(t, 10, incident.EventCommented, incident.Patch{}, incident.Patch{}, "secret", true)
		w.happen(t, 10, incident.EventCommented, incident.Patch{}, incident.Patch{}, "bonjour", false)
		w.happen(t, 10, incident.EventHeld, incident.Patch{State: &state}, incident.Patch{}, "why, for us", true)
		w.settle(t)
		w.happen(t, 10, incident.EventEdited, incident.Patch{School: &two}, incident.Patch{School: &one}, "", false) // moves from A to B
		w.settle(t)
		w.happen(t, 10, incident.EventEdited, incident.Patch{Declarant: &nobody}, incident.Patch{Declarant: &seven}, "", false)
		w.happen(t, 10, incident.EventClosed, incident.Patch{}, incident.Patch{}, "", false)
		w.settle(t)
		for name, want := range map[string][]string{
			"all": {"declared 10", "commented 10: secret", "commented 10: bonjour", "held 10: why, for us", "edited 10", "edited 10", "closed 10"},
			"a":   {"declared 10", "commented 10: bonjour", "held 10", "gone 10"},
			"b":   {"edited 10", "edited 10", "closed 10"},
			"own": {"declared 10", "commented 10: bonjour", "held 10", "edited 10", "gone 10"},
		} {
			notices, _ := subs[name].Take(nil)
			if got := told(t, notices); !slices.Equal(got, want) {
				t.Errorf("%s is told\n%v, want\n%v", name, got, want)
			}
			for _, n := range notices {
				if n.Kind == live.Gone && string(n.Data) != `{"incident":10}` {
					t.Errorf("%s: gone tells %s", name, n.Data)
				}
				if name != "all" && strings.Contains(string(n.Data), "internal") {
					t.Errorf("%s: %s", name, n.Data)
				}
			}
		}
	})
}

// Clocks are the unit's affair.
func TestClocksAreToldToTheUnit(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		unit, school, owner := w.subscribe(t, all, ""), w.subscribe(t, schoolA, ""), w.subscribe(t, declares, "")
		w.declare(t, 10, 1, 7)
		for _, kind := range []string{"servicelevel.warned", "servicelevel.breached", "servicelevel.told_otherwise"} {
			w.append(t, journal.Event{Tenant: tenant, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.BySystem},
				Subject: journal.Subject{Kind: "servicelevel", ID: 10}, School: 1, Kind: kind, Data: []byte(`{"clock":"response","target":60}`)})
		}
		w.settle(t)
		for name, c := range map[string]struct {
			sub  *live.Subscription
			want []string
		}{"unit": {unit, []string{"declared 10", "clock", "clock"}}, "school": {school, []string{"declared 10"}}, "declarant": {owner, []string{"declared 10"}}} {
			notices, _ := c.sub.Take(nil)
			if got := told(t, notices); !slices.Equal(got, c.want) {
				t.Errorf("%s is told %v, want %v", name, got, c.want)
			}
			for _, n := range notices {
				var alarm live.Alarm
				if err := json.Unmarshal(n.Data, &alarm); n.Kind == live.Clock && (err != nil || alarm.Incident != 10 || alarm.Clock != "response") {
					t.Errorf("alarm %s: %v", n.Data, err)
				}
			}
		}
	})
}

// A signal is told to who sees it: of one school, to its people who read
// statistics and to the unit; of several, to the unit.
func TestSignalsAreToldInScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	unit, school, owner := w.subscribe(t, all, ""), w.subscribe(t, schoolA, ""), w.subscribe(t, declares, "")
	for _, about := range []int64{1, 2, 0} {
		w.append(t, journal.Event{Tenant: tenant, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.BySystem}, Subject: journal.Subject{Kind: "signal", ID: 40 + about}, School: about, Kind: "signal.opened", Data: []byte(`{}`)})
	}
	w.settle(t)
	for name, c := range map[string]struct {
		sub  *live.Subscription
		want []int64
	}{"unit": {unit, []int64{41, 42, 40}}, "school": {school, []int64{41}}, "declarant": {owner, nil}} {
		notices, _ := c.sub.Take(nil)
		var got []int64
		for _, n := range notices {
			var s live.Sighting
			if err := json.Unmarshal(n.Data, &s); n.Kind != live.Signal || err != nil || s.Kind != "signal.opened" {
				t.Errorf("%s: %s %s, %v", name, n.Kind, n.Data, err)
			}
			got = append(got, s.Signal)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s is told of %v, want %v", name, got, c.want)
		}
	}
}

// Who joins an incident is told of it from then on, and nobody is told who it
// was but those who handle; who takes it back is told that it is gone.
func TestWhoJoins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	own, school, handles := w.subscribe(t, declares, ""), w.subscribe(t, schoolA, ""), w.subscribe(t, all, "")
	in, out := incident.CircleOf(incident.Member{Person: 7, Room: 3}), incident.Circle("")
	w.declare(t, 10, 1, 8)
	w.happen(t, 10, incident.EventAffected, incident.Patch{Affected: &in}, incident.Patch{Affected: &out}, "", false)
	w.settle(t)
	w.happen(t, 10, incident.EventCommented, incident.Patch{}, incident.Patch{}, "bonjour", false)
	w.settle(t)
	w.happen(t, 10, incident.EventUndone, incident.Patch{Affected: &out}, incident.Patch{Affected: &in}, "", false)
	w.settle(t)
	notices, _ := own.Take(nil)
	if got, want := told(t, notices)[len(notices)-3:], []string{"affected 10", "commented 10: bonjour", "gone 10"}; !slices.Equal(got, want) {
		t.Errorf("who joined is told %v, want %v", got, want)
	}
	for name, s := range map[string]*live.Subscription{"who joined": own, "the school": school} {
		seen := notices
		if s == school {
			seen, _ = s.Take(nil)
		}
		for _, n := range seen {
			if strings.Contains(string(n.Data), "7@3") || strings.Contains(string(n.Data), "incident.affected") && strings.Contains(string(n.Data), `"id":9`) {
				t.Errorf("%s is told who has it too: %s", name, n.Data)
			}
		}
	}
	all, _ := handles.Take(nil)
	if len(all) != 4 || !strings.Contains(string(all[1].Data), "7@3") {
		t.Errorf("who handles is told %v", told(t, all))
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		s := w.subscribe(t, all, "")
		w.declare(t, 1, 1, 0)
		w.declare(t, 2, 2, 0)
		first := until(t, s, 2)
		s.Close()
		w.declare(t, 3, 1, 0)
		w.declare(t, 4, 2, 0)
		w.settle(t)
		after := first[1].Pos.String()
		if got := told(t, until(t, w.subscribe(t, all, after), 2)); !slices.Equal(got, []string{"declared 3", "declared 4"}) {
			t.Errorf("all: %v", got)
		}
		if got := told(t, until(t, w.subscribe(t, schoolB, first[0].Pos.String()), 2)); !slices.Equal(got, []string{"declared 2", "declared 4"}) {
			t.Errorf("b: %v", got)
		}
		for name, after := range map[string]string{"not a position": "x", "another database": "999999999999.999999999999"} {
			if got := told(t, until(t, w.subscribe(t, all, after), 1)); !slices.Equal(got, []string{"resync"}) {
				t.Errorf("%s: %v", name, got)
			}
		}
		// A process that is behind does not tell again what another has told.
		behind := until(t, w.subscribe(t, all, after), 2)
		other := w.newHub(t)
		again, err := other.Subscribe(t.Context(), all, behind[1].Pos.String())
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		w.declare(t, 5, 1, 0)
		if got := told(t, until(t, again, 1)); !slices.Equal(got, []string{"declared 5"}) {
			t.Errorf("other process: %v", got)
		}
		// Away for too long.
		for i := range int64(150) {
			w.declare(t, 100+i, 1, 0)
		}
		w.settle(t)
		if got := told(t, until(t, w.subscribe(t, all, after), 1)); !slices.Equal(got, []string{"resync"}) {
			t.Errorf("away for long: %v", got)
		}
		if got := told(t, until(t, w.subscribe(t, schoolB, after), 1)); !slices.Equal(got, []string{"declared 4"}) {
			t.Errorf("b away for long: %v", got)
		}
	})
}

// A reader that takes at random, leaves and comes back, sees every event once
// and in order, or is told to read again: never a hole.
func TestNoLossNoDuplicate(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	w := newWorld(t, db)
	var next int64
	rapid.Check(t, func(rt *rapid.T) {
		w.settle(t)
		s := w.subscribe(t, all, "")
		seen, start := []int64{}, next
		var pos string
		resynced := false
		take := func() {
			notices, _ := s.Take(nil)
			for _, n := range notices {
				pos = n.Pos.String()
				if n.Kind == live.Resync {
					resynced, seen = true, seen[:0]
					continue
				}
				var c live.Change
				if err := json.Unmarshal(n.Data, &c); err != nil {
					rt.Fatal(err)
				}
				seen = append(seen, c.Incident)
			}
			if p, ok := s.Position(); ok {
				pos = p.String()
			}
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"declare", "declare", "take", "return"}).Draw(rt, "step") {
			case "declare":
				for range rapid.IntRange(1, 40).Draw(rt, "n") {
					next++
					w.declare(t, next, 1, 0)
				}
			case "take":
				take()
			case "return":
				take()
				s.Close()
				s = w.subscribe(t, all, pos)
			}
		}
		w.settle(t)
		take()
		take()
		for i := 1; i < len(seen); i++ {
			if seen[i] != seen[i-1]+1 {
				rt.Fatalf("after %d comes %d", seen[i-1], seen[i])
			}
		}
		if !resynced && int64(len(seen)) != next-start {
			rt.Fatalf("%d of %d seen", len(seen), next-start)
		}
		if len(seen) > 0 && seen[len(seen)-1] != next {
			rt.Fatalf("last seen %d, last declared %d", seen[len(seen)-1], next)
		}
		s.Close()
	})
}

func TestSlowReadersAndBurstsResync(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	w := newWorld(t, db)
	s := w.subscribe(t, all, "")
	for i := range int64(200) {
		w.declare(t, 1+i, 1, 0)
		if i%50 == 0 {
			w.settle(t)
		}
	}
	w.settle(t)
	notices, _ := s.Take(nil)
	if got := told(t, notices); !slices.Equal(got, []string{"resync"}) {
		t.Fatalf("told %d notices", len(got))
	}
	w.declare(t, 300, 1, 0)
	if got := told(t, until(t, s, 1)); !slices.Equal(got, []string{"declared 300"}) {
		t.Errorf("after the resync: %v", got)
	}
	// One batch of many: a burst.
	events := make([]journal.Event, 900)
	for i := range events {
		events[i] = journal.Event{Tenant: tenant, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.BySystem}, Subject: journal.Subject{Kind: incident.Subject, ID: int64(i + 1)}, Kind: incident.EventUpdated, Data: []byte(`{}`)}
	}
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return w.journal.Append(ctx, tx, events...) })
	if err != nil {
		t.Fatal(err)
	}
	if got := told(t, until(t, s, 1)); !slices.Equal(got, []string{"resync"}) {
		t.Errorf("burst: %d notices", len(got))
	}
}

func TestWhoMaySubscribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	for name, scope := range map[string]auth.Scope{"nothing": {}, "no school": auth.ScopeSchools(tenant), "nobody": auth.ScopeOwn(tenant, 0), "elsewhere": auth.ScopeAll(2)} {
		if _, err := w.hub.Subscribe(t.Context(), live.Audience{Scope: scope}, ""); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 64 {
		w.subscribe(t, schoolA, "")
	}
	if _, err := w.hub.Subscribe(t.Context(), schoolA, ""); !fault.Is(err, fault.TooMany) {
		t.Errorf("one too many: %v", err)
	}
	if n := w.hub.Subscribers(); n != 64 {
		t.Errorf("%d subscribers", n)
	}
	// A changed account ends its streams, and only its own.
	b := w.subscribe(t, schoolB, "")
	a := w.subscribe(t, all, "")
	w.append(t, journal.Event{Tenant: tenant, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.BySystem}, Subject: journal.Subject{Kind: auth.Subject, ID: schoolB.Account}, Kind: auth.EventDisabled})
	w.settle(t)
	if _, open := b.Take(nil); open {
		t.Error("the disabled account still streams")
	}
	if _, open := a.Take(nil); !open {
		t.Error("another account's stream ended")
	}
	w.stop()
	for range 500 {
		if w.hub.Subscribers() == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, open := a.Take(nil); open {
		t.Error("the hub stopped and the subscription stays open")
	}
}

// sse reads a stream's events until ctx ends or n have come.
func sse(tb testing.TB, ctx context.Context, url, lastID string, n int) (events []string, last string, header http.Header) {
	tb.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	sc := bufio.NewScanner(res.Body)
	for (n == 0 || len(events) < n) && sc.Scan() {
		switch key, value, _ := strings.Cut(sc.Text(), ": "); key {
		case "id":
			last = value
		case "event":
			events = append(events, value)
		}
	}
	return events, last, res.Header
}

func TestServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := w.hub.Serve(rw, r, all, live.Options{Heartbeat: 100 * time.Millisecond, Life: 700 * time.Millisecond}); err != nil {
			t.Error(err)
		}
	}))
	// The server's own limits must not cut a stream.
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	srv.Start()
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	began := time.Now()
	events, last, header := sse(t, ctx, srv.URL, "", 0) // to the end of its life
	if lived := time.Since(began); lived < 700*time.Millisecond || lived > 5*time.Second {
		t.Errorf("lived %s", lived)
	}
	if len(events) != 0 || last == "" {
		t.Errorf("quiet stream: %v, at %q", events, last)
	}
	for k, v := range map[string]string{"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-store"} {
		if header.Get(k) != v {
			t.Errorf("%s: %q", k, header.Get(k))
		}
	}
	w.declare(t, 1, 1, 0)
	w.declare(t, 2, 1, 0)
	for _, how := range []struct{ url, id string }{{srv.URL, last}, {srv.URL + "?after=" + last, ""}} {
		if events, _, _ := sse(t, ctx, how.url, how.id, 2); !slices.Equal(events, []string{"incident", "incident"}) {
			t.Errorf("resumed: %v", events)
		}
	}
}
