package imapin_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	mailin "statincidents/internal/intake/mail"
	imapin "statincidents/internal/intake/mail/imap"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var root = auth.System(1)

const people = 100

// office is a département whose people have addresses, and its door.
type office struct {
	t         *testing.T
	db        *sqldb.DB
	door      *mailin.Service
	jobs      *jobs.Service
	incidents *incident.Service
	log       safeBuffer
	mu        sync.Mutex
	reports   []error
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, db: testkit.SQLite(t)}
	j := journal.New(o.db)
	places := directory.New(o.db, j)
	accounts := auth.New(o.db, j, auth.Config{Tenant: 1})
	o.incidents = incident.NewService(o.db, j, places, catalog.New(o.db, j), time.UTC)
	schools, err := places.EnsureSchools(t.Context(), root, []directory.School{{UAI: "0450001A", Name: "Collège Rousseau"}})
	if err != nil {
		t.Fatal(err)
	}
	var list []directory.Person
	for n := range people {
		list = append(list, directory.Person{Name: fmt.Sprintf("Personne %d", n), Email: address(n), Kind: directory.Teacher, School: schools["0450001A"], External: fmt.Sprint("p", n)})
	}
	if _, err := places.EnsurePeople(t.Context(), root, list); err != nil {
		t.Fatal(err)
	}
	o.jobs = jobs.New(o.db, jobs.Config{Tenant: 1, Alone: true, Poll: 50 * time.Millisecond})
	o.door = mailin.New(mailin.Config{Tenant: 1, DB: o.db, Journal: j, Directory: places, Incidents: o.incidents, Auth: accounts, Jobs: o.jobs})
	return o
}

func address(n int) string { return fmt.Sprintf("personne%d@college.example", n) }

func letter(n int, more string) string {
	return fmt.Sprintf("From: Personne <%s>\r\nTo: incidents@dep.example\r\nSubject: Panne %d\r\nMessage-ID: <%d@college.example>\r\nDate: Tue, 3 Mar 2026 08:12:41 +0100\r\n\r\nLe poste ne démarre plus.\r\n%s", address(n%people), n, n, more)
}

// watch runs a watcher until the test ends.
func (o *office) watch(box imapin.Box, change ...func(*imapin.Config)) {
	o.t.Helper()
	cfg := imapin.Config{
		Door: o.door, Log: slog.New(slog.NewTextHandler(&o.log, nil)), Look: time.Hour, Poll: 100 * time.Millisecond, Retry: 20 * time.Millisecond,
		Box: func(context.Context) (imapin.Box, bool, error) { return box, true, nil },
		Report: func(_ context.Context, err error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.reports = append(o.reports, err)
		},
	}
	for _, fn := range change {
		fn(&cfg)
	}
	o.run(imapin.New(cfg).Run)
}

func (o *office) run(fn func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := fn(ctx); err != nil {
			o.t.Error(err)
		}
	}()
	o.t.Cleanup(func() { stop(); <-done })
}

func (o *office) count(states ...mailin.State) int {
	o.t.Helper()
	counts, err := o.door.Counts(context.Background())
	if err != nil {
		o.t.Fatal(err)
	}
	n := 0
	for state, c := range counts {
		for _, s := range states {
			if s == state {
				n += c
			}
		}
	}
	return n
}

func (o *office) kept() int { return o.count(mailin.States...) }

// await waits for something, within a bound.
func (o *office) await(what string, bound time.Duration, fn func() bool) {
	o.t.Helper()
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if fn() {
			return
		}
	}
	o.t.Fatalf("%s: not within %s; kept %d; log:\n%s", what, bound, o.kept(), o.log.String())
}

func (o *office) well() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.reports) > 0 && o.reports[len(o.reports)-1] == nil
}

// Only the server can tell of it: the watcher looks for itself once an hour.
func TestNewMailComesByIdle(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, ""), newOffice(t)
	d.deliver(letter(1, "")) // was there before
	o.watch(d.box())
	o.await("the first message", 20*time.Second, func() bool { return o.kept() == 1 && o.well() })
	time.Sleep(300 * time.Millisecond) // let it fall into IDLE; if it has not, it looks anyway
	began := time.Now()
	d.deliver(letter(2, ""))
	o.await("a message by IDLE", 20*time.Second, func() bool { return o.kept() == 2 })
	t.Logf("kept %s after its delivery", time.Since(began).Round(time.Millisecond))
	o.await("both are marked as read", 10*time.Second, func() bool { return d.unseen() == 0 })
}

func TestStartTLS(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, ""), newOffice(t)
	box := d.box()
	box.Address, box.StartTLS = fmt.Sprintf("127.0.0.1:%d", d.port), true
	o.watch(box)
	d.deliver(letter(1, ""))
	o.await("a message", 20*time.Second, func() bool { return o.kept() == 1 })
}

func TestServerWithoutIdleIsPolled(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, "IMAP4rev1"), newOffice(t)
	o.watch(d.box())
	o.await("a session", 20*time.Second, o.well)
	d.deliver(letter(1, ""))
	o.await("a message", 20*time.Second, func() bool { return o.kept() == 1 })
}

// The wire breaks in the middle of messages, many times: none is lost, none
// is doubled.
func TestConnectionKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, ""), newOffice(t)
	const n = 120
	for i := range n {
		d.deliver(letter(i, strings.Repeat("Une ligne de plus.\r\n", 100)))
	}
	box := d.box()
	wire := newCutter(t, box.Address)
	box.Address = wire.Addr().String()
	wire.after.Store(20_000)
	go func() {
		// Each connection lives a little longer than the one before.
		for t.Context().Err() == nil {
			time.Sleep(50 * time.Millisecond)
			wire.after.Store(20_000 + wire.cuts.Load()*7_919)
		}
	}()
	o.watch(box, func(c *imapin.Config) { c.Retry = time.Millisecond })
	o.await("every message", 60*time.Second, func() bool { return o.kept() == n && d.unseen() == 0 })
	if wire.cuts.Load() < 3 {
		t.Errorf("the wire broke %d times only", wire.cuts.Load())
	}
	t.Logf("the wire broke %d times", wire.cuts.Load())
}

func TestServerDownAndBack(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, ""), newOffice(t)
	o.watch(d.box())
	d.deliver(letter(1, ""))
	o.await("a message", 20*time.Second, func() bool { return o.kept() == 1 })
	d.stop()
	o.await("the failure is reported", 20*time.Second, func() bool { return !o.well() })
	d.deliver(letter(2, ""))
	d.start()
	o.await("what came meanwhile", 40*time.Second, func() bool { return o.kept() == 2 && o.well() })
}

// A restored mailbox numbers its messages anew.
func TestUIDValidityChanges(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, ""), newOffice(t)
	o.watch(d.box())
	for i := range 10 {
		d.deliver(letter(i, ""))
	}
	o.await("ten messages", 20*time.Second, func() bool { return o.kept() == 10 && d.unseen() == 0 })
	d.stop()
	for _, name := range []string{"dovecot-uidlist", "dovecot-uidvalidity*", "dovecot.index*"} {
		files, err := filepath.Glob(filepath.Join(d.dir, "mail/box", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			os.Remove(f)
		}
	}
	time.Sleep(1100 * time.Millisecond) // the server makes its new number of the clock's seconds
	d.deliver(letter(10, ""))
	d.start()
	o.await("the eleventh", 40*time.Second, func() bool { return o.kept() >= 11 && o.well() && d.unseen() == 0 })
	if o.kept() != 11 {
		t.Errorf("%d kept, want 11", o.kept())
	}
}

// Over the limit: its header only is fetched, and says so.
func TestTooLargeMessage(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, ""), newOffice(t)
	d.deliver(letter(1, strings.Repeat("lourd lourd lourd lourd lourd lourd lourd lourd lourd lourd lou\r\n", 1_000_000)))
	d.deliver(letter(2, ""))
	o.watch(d.box())
	o.await("both", 60*time.Second, func() bool { return o.kept() == 2 && d.unseen() == 0 })
	list, _, err := o.door.List(t.Context(), root, mailin.Filter{States: []mailin.State{mailin.Refused}})
	if err != nil || len(list) != 1 || list[0].Reason != mailin.ReasonTooLarge || list[0].Size < 60<<20 || list[0].Subject != "Panne 1" {
		t.Fatalf("%+v, %v", list, err)
	}
	raw, err := o.door.Raw(t.Context(), root, list[0].ID)
	if err != nil || len(raw) > 300<<10 {
		t.Errorf("%d bytes kept, %v", len(raw), err)
	}
}

func TestWrongPasswordIsSaidWithoutIt(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, ""), newOffice(t)
	box := d.box()
	box.Password = "un-mot-de-passe-faux"
	o.watch(box)
	o.await("a report", 20*time.Second, func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return len(o.reports) > 0
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.reports[0]; err == nil || !strings.Contains(err.Error(), "sign in") || strings.Contains(err.Error(), box.Password) {
		t.Errorf("report: %v", err)
	}
	if strings.Contains(o.log.String(), box.Password) {
		t.Error("the password is in the log")
	}
}

// Of two processes one watches; the other takes over when it ends.
func TestOneProcessWatches(t *testing.T) {
	t.Parallel()
	d, o := newDovecot(t, ""), newOffice(t)
	o.watch(d.box())
	o.watch(d.box())
	for i := range 60 {
		d.deliver(letter(i, ""))
	}
	o.await("every message", 30*time.Second, func() bool { return o.kept() == 60 && d.unseen() == 0 })
}

// Two thousand messages at once become two thousand incidents, from the
// delivery to the last one.
func TestTwoThousandMailsAtOnce(t *testing.T) {
	d, o := newDovecot(t, ""), newOffice(t)
	const n = 2000
	for i := range n {
		d.deliver(letter(i, ""))
	}
	o.run(o.jobs.Run)
	began := time.Now()
	o.watch(d.box())
	o.await("every message kept", 4*time.Minute, func() bool { return o.kept() == n })
	kept := time.Since(began)
	o.await("every message read", 8*time.Minute, func() bool { return o.count(mailin.Done) == n })
	took := time.Since(began)
	o.await("every message marked", 10*time.Second, func() bool { return d.unseen() == 0 })
	t.Logf("%d messages: kept in %s, incidents in %s, %.0f a minute", n, kept.Round(time.Millisecond), took.Round(time.Millisecond), n/took.Minutes())
	seen := map[string]bool{}
	err := o.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT title FROM incident WHERE tenant_id = 1`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var title string
			if err := rows.Scan(&title); err != nil {
				return err
			}
			if seen[title] {
				t.Errorf("%s twice", title)
			}
			seen[title] = true
		}
		return rows.Err()
	})
	if err != nil || len(seen) != n {
		t.Errorf("%d incidents, want %d; %v", len(seen), n, err)
	}
}
