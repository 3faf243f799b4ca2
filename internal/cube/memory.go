package cube

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Config is what an executor works with.
type Config struct {
	Tenant    int64
	DB        *sqldb.DB
	Journal   *journal.Journal
	Directory *directory.Service
	Catalog   *catalog.Service
	Text      TextIndex // nil: a text finds nothing
	Location  *time.Location

	// Weeks gives the numbers of school weeks, asked again when the directory
	// changes; nil: those of the directory's usual school.
	Weeks func(ctx context.Context) (SchoolWeeks, error)
	// Now is the clock, sqldb.Now if nil.
	Now func() time.Time
	Log *slog.Logger
}

func (c Config) filled() Config {
	if c.Now == nil {
		c.Now = sqldb.Now
	}
	if c.Location == nil {
		c.Location = time.UTC
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) tables(ctx context.Context) (*tables, error) {
	dir, err := c.Directory.Index(ctx, c.Tenant)
	if err != nil {
		return nil, fmt.Errorf("cube: directory: %w", err)
	}
	cat, err := c.Catalog.Index(ctx, c.Tenant)
	if err != nil {
		return nil, fmt.Errorf("cube: catalog: %w", err)
	}
	weeks := SchoolWeeks(dir.Calendar(0))
	if c.Weeks != nil {
		if weeks, err = c.Weeks(ctx); err != nil {
			return nil, fmt.Errorf("cube: calendar: %w", err)
		}
	}
	return newTables(dir, cat, weeks), nil
}

// predicate makes a question's conditions ready; the text is looked up here,
// before any lock.
func (c Config) predicate(ctx context.Context, scope auth.Scope, filters []Filter, text string, weeks SchoolWeeks) (*predicate, error) {
	if scope.Tenant() != c.Tenant {
		scope = auth.Scope{} // another département's reader sees nothing here
	}
	p := newPredicate(scope, filters, weeks)
	if text == "" {
		return p, nil
	}
	p.text = true
	if c.Text == nil {
		return p, nil
	}
	var err error
	if p.ids, err = c.Text.Match(ctx, c.Tenant, text); err != nil {
		return nil, fmt.Errorf("cube: text: %w", err)
	}
	return p, nil
}

// Memory answers from columns in memory, loaded from the incident table and
// kept current from the journal. It serves one tenant.
//
// One lock stands between readers and the follower of the journal: a question
// holds it for reading for the milliseconds that it takes, the follower takes
// it for a few events at a time.
type Memory struct {
	cfg     Config
	watch   []func([]journal.Event)
	ready   atomic.Bool
	loading sync.Mutex // one load or catch-up at a time

	mu    sync.RWMutex
	facts *facts
	pos   journal.Pos

	// Under loading: how far the table of clocks was followed, and clocks of
	// incidents whose declaration has not come by yet.
	stamp int64
	early map[int64]clocks
}

// NewMemory makes an executor that is not loaded yet: Start does that.
func NewMemory(cfg Config) *Memory { return &Memory{cfg: cfg.filled(), early: map[int64]clocks{}} }

// Watch calls fn after each batch of events has been applied, in order; fn
// must be quick. To be called before Start.
func (m *Memory) Watch(fn func([]journal.Event)) { m.watch = append(m.watch, fn) }

// Ready tells whether questions are answered; until then they are refused as
// fault.Unavailable.
func (m *Memory) Ready() bool { return m.ready.Load() }

// AsOf is the position of the last event applied.
func (m *Memory) AsOf() journal.Pos {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.pos
}

// Start loads the columns and follows the journal until ctx ends.
func (m *Memory) Start(ctx context.Context) error {
	began := m.cfg.Now()
	if err := m.Load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	m.mu.RLock()
	rows, size := m.facts.rows, m.facts.bytes()
	m.mu.RUnlock()
	m.cfg.Log.Info("statistics are ready", "incidents", rows, "bytes", size, "seconds", m.cfg.Now().Sub(began).Seconds())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return m.cfg.Journal.Follow(ctx, m.cfg.Tenant, m.AsOf(), m.apply) })
	group.Go(func() error {
		tick := time.NewTicker(clocksEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			if err := m.followClocks(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	})
	return group.Wait()
}

// clocksEvery is how often the table of clocks is looked at: no event says that
// it has changed.
const clocksEvery = time.Second

// Load fills the columns from the database, in place of what they held.
func (m *Memory) Load(ctx context.Context) error {
	m.loading.Lock()
	defer m.loading.Unlock()
	return m.reload(ctx)
}

func (m *Memory) reload(ctx context.Context) error {
	t, err := m.cfg.tables(ctx)
	if err != nil {
		return err
	}
	f := newFacts(m.cfg.Location, t)
	pos, err := m.load(ctx, f)
	if err != nil {
		return fmt.Errorf("cube: load: %w", err)
	}
	f.linkAll()
	m.mu.Lock()
	m.facts, m.pos = f, pos
	m.mu.Unlock()
	m.ready.Store(true)
	return nil
}

// CatchUp applies the events written so far, for tests and tools that do not
// run Start.
func (m *Memory) CatchUp(ctx context.Context) error {
	for {
		events, err := m.cfg.Journal.Read(ctx, m.cfg.Tenant, m.AsOf(), 1000)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return m.followClocks(ctx)
		}
		if err := m.apply(ctx, events); err != nil {
			return err
		}
	}
}

// patch is the part of incident.Payload that the columns hold.
type patch struct {
	Set struct {
		State          *incident.State  `json:"state"`
		School         *int64           `json:"school"`
		Room           *int64           `json:"room"`
		Network        *string          `json:"network"`
		Machine        *string          `json:"machine"`
		Category       *int64           `json:"category"`
		Impact         *int             `json:"impact"`
		Urgency        *int             `json:"urgency"`
		Priority       *int             `json:"priority"`
		Declarant      *int64           `json:"declarant"`
		Assignee       *int64           `json:"assignee"`
		Team           *int64           `json:"team"`
		Origin         *incident.Origin `json:"origin"`
		CauseCode      *int64           `json:"cause_code"`
		ResolutionCode *int64           `json:"resolution_code"`
		Target         *string          `json:"target"`
		Level          *incident.Level  `json:"level"`
		ReopenCount    *int             `json:"reopen_count"`
		OpenedAt       *time.Time       `json:"opened_at"`
		ResolvedAt     *time.Time       `json:"resolved_at"`
		ClosedAt       *time.Time       `json:"closed_at"`
		Affected       *incident.Circle `json:"affected"`
		WaitingCode    *int64           `json:"waiting_code"`
		Rating         *incident.Rating `json:"rating"`
		ReassignCount  *int             `json:"reassign_count"`
	} `json:"set"`
}

// change applies one event to a record.
func (r *record) change(e *journal.Event) error {
	var p patch
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return fmt.Errorf("cube: event %s: %w", e.Pos, err)
	}
	s := &p.Set
	set(&r.state, s.State)
	set(&r.school, s.School)
	set(&r.room, s.Room)
	set(&r.network, s.Network)
	set(&r.machine, s.Machine)
	set(&r.category, s.Category)
	set(&r.impact, s.Impact)
	set(&r.urgency, s.Urgency)
	set(&r.priority, s.Priority)
	set(&r.declarant, s.Declarant)
	set(&r.assignee, s.Assignee)
	set(&r.team, s.Team)
	set(&r.origin, s.Origin)
	set(&r.cause, s.CauseCode)
	set(&r.solution, s.ResolutionCode)
	set(&r.target, s.Target)
	set(&r.level, s.Level)
	set(&r.reopened, s.ReopenCount)
	set(&r.waiting, s.WaitingCode)
	set(&r.rating, s.Rating)
	set(&r.reassigned, s.ReassignCount)
	for to, from := range map[*uint32]*time.Time{&r.opened: s.OpenedAt, &r.resolved: s.ResolvedAt, &r.closed: s.ClosedAt} {
		if from != nil {
			*to = seconds(sqldb.Millis(*from))
		}
	}
	if s.Affected != nil {
		r.joined, r.people = true, s.Affected.People()
	}
	r.updated = max(r.updated, seconds(sqldb.Millis(e.At)))
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// eventsALock is how many events are applied before readers get their turn.
const eventsALock = 64

// apply takes a batch of the journal into the columns. When the past was
// redacted they are read anew: who declared an incident may be somebody else.
func (m *Memory) apply(ctx context.Context, events []journal.Event) error {
	m.loading.Lock()
	defer m.loading.Unlock()
	all, at := events, m.AsOf()
	events = slices.DeleteFunc(slices.Clone(events), func(e journal.Event) bool { return e.Pos.Compare(at) <= 0 }) // a load was ahead
	if err := m.take(ctx, events); err != nil {
		return err
	}
	if slices.ContainsFunc(events, func(e journal.Event) bool { return e.Kind == journal.EventForgotten }) {
		if err := m.reload(ctx); err != nil {
			return err
		}
	}
	for _, fn := range m.watch {
		fn(all)
	}
	return nil
}

func (m *Memory) take(ctx context.Context, events []journal.Event) error {
	touched, err := m.touch(ctx, events)
	if err != nil {
		return err
	}
	now := seconds(sqldb.Millis(m.cfg.Now()))
	for from := 0; from < len(events); from += eventsALock {
		part := events[from:min(from+eventsALock, len(events))]
		m.mu.Lock()
		for i := range part {
			if part[i].Subject.Kind != incident.Subject {
				continue
			}
			if err := m.facts.follow(&part[i]); err != nil {
				m.mu.Unlock()
				m.ready.Store(false)
				return err
			}
			m.catch(part[i].Subject.ID, now)
		}
		if from+eventsALock >= len(events) {
			m.facts.take(touched)
		}
		m.pos = part[len(part)-1].Pos
		m.mu.Unlock()
	}
	return nil
}

// catch gives an incident that has just come the clocks that came before it.
func (m *Memory) catch(id int64, now uint32) {
	k, ok := m.early[id]
	if !ok {
		return
	}
	delete(m.early, id)
	if row, found := m.facts.find(uint32(id)); found {
		m.facts.setClocks(row, &k, now)
	}
}

// follow applies one incident event.
func (f *facts) follow(e *journal.Event) error {
	r := record{id: e.Subject.ID}
	if row, ok := f.find(uint32(e.Subject.ID)); ok {
		r = f.get(row)
	}
	if err := r.change(e); err != nil {
		return err
	}
	if err := f.upsert(&r); err != nil {
		return err
	}
	if r.joined {
		f.followers.set(uint32(r.id), r.people)
	}
	return nil
}

var errNotReady = fault.New(fault.Unavailable, "error.unavailable")

// refresh looks the directory and the catalog up again if they have changed,
// so that an answer is of the same state as the names beside it, and marks the
// clocks that are late by now.
func (m *Memory) refresh(ctx context.Context, now time.Time) error {
	if !m.Ready() {
		return errNotReady
	}
	dir, err := m.cfg.Directory.Index(ctx, m.cfg.Tenant)
	if err != nil {
		return fmt.Errorf("cube: directory: %w", err)
	}
	cat, err := m.cfg.Catalog.Index(ctx, m.cfg.Tenant)
	if err != nil {
		return fmt.Errorf("cube: catalog: %w", err)
	}
	at := seconds(sqldb.Millis(now))
	m.mu.RLock()
	same, due := m.facts.tables.directory == dir && m.facts.tables.catalog == cat, m.facts.pending.due(at)
	m.mu.RUnlock()
	if due {
		m.mu.Lock()
		m.facts.ripen(at)
		m.mu.Unlock()
	}
	if same {
		return nil
	}
	t, err := m.cfg.tables(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.facts.use(t)
	m.mu.Unlock()
	return nil
}

// Run answers one question, on two cores if it is large.
func (m *Memory) Run(ctx context.Context, scope auth.Scope, q Query) (Result, error) {
	all, err := m.RunAll(ctx, scope, []Query{q})
	if err != nil {
		return Result{}, err
	}
	return all[0], nil
}

// RunAll answers several questions from the same state, two at a time.
func (m *Memory) RunAll(ctx context.Context, scope auth.Scope, qs []Query) ([]Result, error) {
	now := m.cfg.Now()
	if err := m.refresh(ctx, now); err != nil {
		return nil, err
	}
	preds := make([]*predicate, len(qs))
	for i := range qs {
		if err := qs[i].check(); err != nil {
			return nil, err
		}
		var err error
		if preds[i], err = m.cfg.predicate(ctx, scope, qs[i].Filters, qs[i].Text, nil); err != nil {
			return nil, err
		}
	}
	results, errs := make([]Result, len(qs)), make([]error, len(qs))

	m.mu.RLock()
	defer m.mu.RUnlock()
	f := m.facts
	one := func(ctx context.Context, i int) {
		preds[i].calend = f.tables.weeks
		var p *plan
		if p, errs[i] = newPlan(qs[i], preds[i], calendar.DayOf(now, m.cfg.Location), f.firstDay()); errs[i] != nil {
			return
		}
		if results[i], errs[i] = answer(ctx, p, func(v view) source { return &memorySource{f: f, v: v} }); errs[i] == nil {
			results[i].AsOf, results[i].At = m.pos.String(), now
		}
	}
	if len(qs) == 1 {
		one(ctx, 0)
		return results, errs[0]
	}
	ctx = serial(ctx)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(2, len(qs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(qs); i = int(next.Add(1)) - 1 {
				one(ctx, i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}
