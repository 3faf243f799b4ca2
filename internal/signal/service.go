package signal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Service is the signals of one département.
//
// Commands: Observe, Refuse (the program's own), Judge, Subscribe. Reads: Get,
// List, Watched, Share, Learned, Story, Subscription.
type Service struct {
	db     *sqldb.DB
	j      *journal.Journal
	tenant int64
	loc    *time.Location
}

// New makes the service.
func New(db *sqldb.DB, j *journal.Journal, tenant int64, loc *time.Location) *Service {
	return &Service{db: db, j: j, tenant: tenant, loc: loc}
}

func notFound() error { return fault.New(fault.NotFound, "error.signal.not_found") }

// Watch is what a method last looked at.
type Watch struct {
	Method Method       `json:"method"`
	Week   calendar.Day `json:"week"`             // the last one, its Monday
	Series int          `json:"series,omitempty"` // how many were looked at
	// Refused says why the method does not conclude: a translation key with its
	// arguments; "" when it does.
	Refused string         `json:"refused,omitempty"`
	Args    map[string]any `json:"args,omitempty"`
	At      time.Time      `json:"-"`

	partial bool
}

// Option tells more of an observation.
type Option func(*Watch)

// Among says how many series the method looked at, when its findings are fewer.
func Among(series int) Option { return func(w *Watch) { w.Series = series } }

// Partly says that the week is under way: what is calm so far may not be at its
// end, so that nothing is closed.
func Partly() Option { return func(w *Watch) { w.partial = true } }

// Observe takes what a method found in an open week (its Monday): it opens the
// episodes that are flagged, goes on with those that are not calm, and closes
// the others. It must be called for each open week in order; a week may be seen
// again, and gives the same when the findings are the same. A week older than
// the last one seen changes nothing, so that a run that was cut short is simply
// run again. All of it is one transaction.
func (s *Service) Observe(ctx context.Context, method Method, week calendar.Day, findings []Finding, more ...Option) error {
	w := Watch{Method: method, Week: week.Week(), Series: len(findings)}
	for _, option := range more {
		option(&w)
	}
	found, err := s.prepare(method, findings)
	if err != nil {
		return err
	}
	now := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		late, err := s.watched(ctx, tx, w, now)
		if err != nil || late {
			return err
		}
		going, err := s.going(ctx, tx, method, w.Week)
		if err != nil {
			return err
		}
		return s.observe(ctx, tx, w, going, found, s.seenAt(w.Week, now))
	})
}

// Refuse notes that a method does not conclude this week, and why. Its open
// signals stay as they are.
func (s *Service) Refuse(ctx context.Context, method Method, week calendar.Day, key string, args map[string]any) error {
	if !method.Valid() || key == "" {
		return fmt.Errorf("signal: method %q refuses without a reason", method)
	}
	w := Watch{Method: method, Week: week.Week(), Refused: key, Args: args}
	now := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := s.watched(ctx, tx, w, now)
		return err
	})
}

// seenAt is the instant of an observation: now, or the end of the week when it
// is one of the past, so that old weeks seen for the first time are no news.
func (s *Service) seenAt(week calendar.Day, now time.Time) time.Time {
	if end := (week + 7).Start(s.loc); now.Sub(end) > 7*24*time.Hour {
		return end
	}
	return now
}

func (s *Service) prepare(method Method, findings []Finding) ([]Finding, error) {
	switch {
	case !method.Valid():
		return nil, fmt.Errorf("signal: unknown method %q", method)
	case len(findings) > maxFound:
		return nil, fmt.Errorf("signal: %d findings, at most %d", len(findings), maxFound)
	}
	found := slices.Clone(findings)
	names := map[string]bool{}
	for k := range found {
		f := &found[k]
		if f.Series == "" || len(f.Series) > maxSeries || names[f.Series] {
			return nil, fmt.Errorf("signal: %s: series %q has no name of its own", method, f.Series)
		}
		names[f.Series] = true
		for _, v := range []float64{f.Observed, f.Expected, f.Ratio, f.Low, f.High, f.P} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("signal: %s: series %q: a figure is %v", method, f.Series, v)
			}
		}
		f.tidy()
	}
	// The largest excess first, so that numbers follow what matters.
	slices.SortStableFunc(found, func(a, b Finding) int {
		switch x, y := a.Excess(), b.Excess(); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return strings.Compare(a.Series, b.Series)
	})
	return found, nil
}

// watched notes what was looked at; late when a younger week was already.
func (s *Service) watched(ctx context.Context, tx *sqldb.Tx, w Watch, now time.Time) (late bool, err error) {
	if err := tx.Turn(ctx, s.tenant, Subject); err != nil {
		return false, err
	}
	all, err := watches(ctx, tx, s.tenant)
	if err != nil {
		return false, err
	}
	raw, err := json.Marshal(w)
	if err != nil {
		return false, fmt.Errorf("signal: watch: %w", err)
	}
	for _, before := range all {
		if before.Method != w.Method {
			continue
		}
		if before.Week > w.Week {
			return true, nil
		}
		if same, err := json.Marshal(before); err != nil || bytes.Equal(same, raw) {
			return false, err
		}
	}
	e := journal.Event{Tenant: s.tenant, At: now, Actor: auth.System(s.tenant).Actor(), Subject: journal.Subject{Kind: WatchSubject, ID: 1}, Kind: EventWatched, Data: raw}
	if err := saveWatch(ctx, tx, &e); err != nil {
		return false, err
	}
	return false, s.j.Append(ctx, tx, e)
}

// observe goes through the episodes that may go on and the findings.
func (s *Service) observe(ctx context.Context, tx *sqldb.Tx, w Watch, going []Signal, found []Finding, at time.Time) error {
	taken := make([]bool, len(found))
	find := func(one *Signal, same bool) int {
		return slices.IndexFunc(found, func(f Finding) bool {
			return (f.Series == one.Series) == same && f.continues(one)
		})
	}
	for k := range going {
		one := &going[k]
		n := find(one, true)
		if n < 0 {
			n = find(one, false)
		}
		p := Payload{Entry: &Entry{Week: w.Week, Calm: true}}
		if n >= 0 && !taken[n] {
			taken[n] = true
			p = found[n].payload(w.Week)
		}
		if p.Entry.Calm && w.partial {
			continue
		}
		if err := s.goOn(ctx, tx, one, p, at); err != nil {
			return err
		}
	}
	for k := range found {
		if taken[k] || !found[k].Flagged {
			continue
		}
		id, err := tx.NextIDs(ctx, s.tenant, Subject, 1)
		if err != nil {
			return err
		}
		p := found[k].payload(w.Week)
		p.Method, p.Series = w.Method, found[k].Series
		if err := s.write(ctx, tx, auth.System(s.tenant), &Signal{ID: id}, EventOpened, at, p); err != nil {
			return err
		}
	}
	return nil
}

// goOn adds a week to an episode, if it says something new.
func (s *Service) goOn(ctx context.Context, tx *sqldb.Tx, one *Signal, p Payload, at time.Time) error {
	after := *one
	after.fold(EventObserved, at, journal.Actor{}, &p)
	same, err := equal(one, &after)
	if err != nil || same {
		return err
	}
	kind := EventObserved
	if after.State == Closed && one.State == Open {
		kind = EventClosed
	}
	return s.write(ctx, tx, auth.System(s.tenant), one, kind, at, p)
}

// equal tells whether two states of a signal say the same.
func equal(a, b *Signal) (bool, error) {
	x, err := json.Marshal(bodyOf(a))
	if err != nil {
		return false, fmt.Errorf("signal: compare: %w", err)
	}
	y, err := json.Marshal(bodyOf(b))
	if err != nil {
		return false, fmt.Errorf("signal: compare: %w", err)
	}
	return a.State == b.State && bytes.Equal(x, y), nil
}

// Judge says what a person thinks of a signal, or, with no verdict, takes the
// judgement back. It gives what was thought before.
func (s *Service) Judge(ctx context.Context, by auth.Identity, id int64, verdict Verdict, note string) (after Signal, before Judgement, err error) {
	if err := by.Require(auth.JudgeSignal); err != nil {
		return Signal{}, Judgement{}, err
	}
	j := Judgement{Verdict: verdict, Note: note}
	if err := j.judge(); err != nil {
		return Signal{}, Judgement{}, err
	}
	at := sqldb.Now()
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Turn(ctx, s.tenant, Subject); err != nil {
			return err
		}
		if after, err = load(ctx, tx, by.Scope(), id); err != nil {
			return err
		}
		before = after.Judgement
		if before.Verdict == j.Verdict && before.Note == j.Note {
			return nil
		}
		return s.write(ctx, tx, by, &after, EventJudged, at, Payload{Judgement: &j})
	})
	return after, before, err
}

// write appends an event and keeps what became of the signal.
func (s *Service) write(ctx context.Context, tx *sqldb.Tx, by auth.Identity, one *Signal, kind string, at time.Time, p Payload) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("signal: payload: %w", err)
	}
	one.fold(kind, at, by.Actor(), &p)
	e := journal.Event{Tenant: s.tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: one.ID}, School: one.school(), Kind: kind, Data: raw}
	if err := save(ctx, tx, s.tenant, one); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, e)
}

// Projection rebuilds the signals from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: Subject, Subjects: []string{Subject, WatchSubject}, Tables: []string{"signal", "signal_watch"}, Apply: apply}
}

func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for k := range events {
		e := &events[k]
		if e.Subject.Kind == WatchSubject {
			if err := saveWatch(ctx, tx, e); err != nil {
				return err
			}
			continue
		}
		one, err := load(ctx, tx, auth.ScopeAll(e.Tenant), e.Subject.ID)
		switch {
		case fault.Is(err, fault.NotFound):
			one = Signal{ID: e.Subject.ID}
		case err != nil:
			return err
		}
		var p Payload
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return fmt.Errorf("signal %d: event %s: %w", e.Subject.ID, e.Pos, err)
		}
		one.fold(e.Kind, e.At, e.Actor, &p)
		if err := save(ctx, tx, e.Tenant, &one); err != nil {
			return err
		}
	}
	return nil
}
