// Package similar remembers what was reported and what worked: from the words
// of a new incident it proposes its category, and beside an incident it shows
// the resolved ones that are like it and the solutions that held.
//
// What it knows is an index in memory, of the tenant's most recent incidents,
// made from the tables at start and kept by a reader of the journal. It can be
// made anew at any time. Reads obey the scope of whoever asks, except
// Classify, which tells nothing of any incident.
package similar

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Limit is how many incidents of a tenant are remembered, the most recent
// first: past it the oldest are forgotten. One costs about 250 bytes.
const Limit = 600_000

// Service is the memory of every tenant, and the verdicts on suggestions.
//
// Reads: Classify, Solutions, Verdicts. Commands: Refuse, Restore, Applied.
type Service struct {
	db     *sqldb.DB
	j      *journal.Journal
	places *directory.Service
	words  *catalog.Service
	limit  int
	now    func() time.Time

	mu      sync.Mutex
	tenants map[int64]*tenant
}

// tenant is the memory of one tenant; m is replaced as a whole when it is made
// anew.
type tenant struct {
	keeping sync.Mutex // one load or catch-up at a time

	mu  sync.RWMutex
	m   *memory // nil until loaded
	pos journal.Pos
}

// New makes the service; it knows nothing until Run or CatchUp.
func New(db *sqldb.DB, j *journal.Journal, places *directory.Service, words *catalog.Service) *Service {
	return &Service{db: db, j: j, places: places, words: words, limit: Limit, now: sqldb.Now, tenants: map[int64]*tenant{}}
}

func (s *Service) tenant(id int64) *tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenants[id]
	if t == nil {
		t = &tenant{}
		s.tenants[id] = t
	}
	return t
}

// Run makes a tenant's memory and keeps it current until ctx ends.
func (s *Service) Run(ctx context.Context, id int64) error {
	t := s.tenant(id)
	if err := s.Load(ctx, id); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	t.mu.RLock()
	pos := t.pos
	t.mu.RUnlock()
	return s.j.Follow(ctx, id, pos, func(ctx context.Context, events []journal.Event) error {
		err := s.follow(ctx, id, t, events)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end was asked for
		}
		return err
	})
}

// CatchUp brings a tenant's memory up to what the journal shows now, loading
// it first if need be: for tools and tests that do not run Run.
func (s *Service) CatchUp(ctx context.Context, id int64) error {
	t := s.tenant(id)
	t.mu.RLock()
	loaded := t.m != nil
	t.mu.RUnlock()
	if !loaded {
		if err := s.Load(ctx, id); err != nil {
			return err
		}
	}
	for {
		t.mu.RLock()
		pos := t.pos
		t.mu.RUnlock()
		events, err := s.j.Read(ctx, id, pos, 1000)
		if err != nil || len(events) == 0 {
			return err
		}
		if err := s.follow(ctx, id, t, events); err != nil {
			return err
		}
	}
}

// loadPage is how many incidents one statement of a load asks for.
const loadPage = 2_000

// maxRefusals is how many refusals are remembered.
const maxRefusals = 20_000

// Load makes a tenant's memory from the tables, in place of what it was.
func (s *Service) Load(ctx context.Context, id int64) error {
	t := s.tenant(id)
	t.keeping.Lock()
	defer t.keeping.Unlock()
	return s.load(ctx, id, t)
}

func (s *Service) load(ctx context.Context, id int64, t *tenant) error {
	m, err := s.blank(ctx, id)
	if err != nil {
		return err
	}
	var pos journal.Pos
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		if pos, err = journal.Head(ctx, tx, id); err != nil {
			return err
		}
		for below := int64(1) << 62; len(m.at) < s.limit; {
			page, err := incident.Before(ctx, tx, id, below, min(loadPage, s.limit-len(m.at)))
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			below = page[len(page)-1].ID
			all := make([]*incident.Incident, len(page))
			for k := range page {
				all[k] = &page[k]
			}
			if err := m.take(ctx, tx, id, all); err != nil {
				return err
			}
		}
		return m.takeRefusals(ctx, tx, id, maxRefusals)
	})
	if err != nil {
		return fmt.Errorf("similar: load: %w", err)
	}
	m.model.calibration = m.model.settle(m)
	t.mu.Lock()
	t.m, t.pos = m, pos
	t.mu.Unlock()
	return nil
}

// follow takes a batch of the journal in. Incidents that it names are read
// again as they stand, so that seeing an event twice changes nothing.
func (s *Service) follow(ctx context.Context, id int64, t *tenant, events []journal.Event) error {
	t.keeping.Lock()
	defer t.keeping.Unlock()
	var ids []int64
	seen := map[int64]bool{}
	for k := range events {
		e := &events[k]
		if e.Subject.Kind != incident.Subject || seen[e.Subject.ID] || e.Kind == incident.EventCommented {
			continue
		}
		seen[e.Subject.ID] = true
		ids = append(ids, e.Subject.ID)
	}
	for k := range events {
		e := &events[k]
		if e.Subject.Kind != Subject {
			continue
		}
		var p Saying
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return fmt.Errorf("similar: event %s: %w", e.Pos, err)
		}
		t.mu.Lock()
		t.m.refuse(e.Subject.ID, p, e.Kind == EventRefused)
		t.mu.Unlock()
	}
	if len(ids) > 0 {
		err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			found, err := incident.These(ctx, tx, id, ids)
			if err != nil {
				return err
			}
			all := make([]*incident.Incident, 0, len(found))
			for _, i := range found {
				all = append(all, i)
			}
			slices.SortFunc(all, func(a, b *incident.Incident) int { return int(a.ID - b.ID) })
			attempts, err := t.m.attempts(ctx, tx, id, all)
			if err != nil {
				return err
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			for _, i := range all {
				t.m.put(i, attempts[i.ID])
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("similar: follow: %w", err)
		}
		if t.m.model.stale() {
			t.mu.RLock()
			settled := t.m.model.settle(t.m)
			t.mu.RUnlock()
			t.mu.Lock()
			t.m.model.calibration = settled
			t.mu.Unlock()
		}
	}
	// What was redacted stands in the words too, even of incidents that are gone.
	redacted := slices.ContainsFunc(events, func(e journal.Event) bool { return e.Kind == journal.EventForgotten })
	if redacted || len(t.m.at) > s.limit+s.limit/10 || t.m.dead > 1000+len(t.m.at)/2 {
		return s.load(ctx, id, t)
	}
	t.mu.Lock()
	t.pos = events[len(events)-1].Pos
	t.mu.Unlock()
	return nil
}

// blank makes a memory that holds nothing yet but the catalogue's words.
func (s *Service) blank(ctx context.Context, id int64) (*memory, error) {
	index, err := s.words.Index(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("similar: catalogue: %w", err)
	}
	m := newMemory()
	m.seed(index)
	return m, nil
}

// use gives fn a tenant's memory, held still, with the catalogue of now;
// before it is loaded, one that holds nothing but the catalogue.
func (s *Service) use(ctx context.Context, id int64, fn func(m *memory) error) error {
	index, err := s.words.Index(ctx, id)
	if err != nil {
		return fmt.Errorf("similar: catalogue: %w", err)
	}
	t := s.tenant(id)
	t.mu.RLock()
	if t.m == nil {
		t.mu.RUnlock()
		m := newMemory()
		m.seed(index)
		return fn(m)
	}
	if t.m.model.catalogue != index {
		t.mu.RUnlock()
		t.mu.Lock()
		if t.m.model.catalogue != index {
			t.m.seed(index)
		}
		t.mu.Unlock()
		t.mu.RLock()
	}
	defer t.mu.RUnlock()
	return fn(t.m)
}
