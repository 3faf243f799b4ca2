// Package batch asks one change of many incidents: it runs the incidents' own
// command on each, keeps what became of every one, and takes the whole back.
//
// A batch is a gesture, not a fact: what it did is in the journal of each
// incident. Its tables say how far it is and what was refused, and why.
package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// Max is how many incidents one batch holds.
const Max = 500

// Outcome is what became of one incident of a batch.
type Outcome string

// The outcomes.
const (
	Waiting   Outcome = "waiting"   // its turn has not come
	Done      Outcome = "done"      // it changed
	Unchanged Outcome = "unchanged" // everything asked was already so
	Refused   Outcome = "refused"   // the rules said no: Reason says why
	Undone    Outcome = "undone"    // it changed and was taken back
	Kept      Outcome = "kept"      // it changed and could not be taken back
)

// Outcomes lists every outcome, what needs reading first.
var Outcomes = []Outcome{Refused, Kept, Done, Undone, Unchanged, Waiting}

// Batch is one change asked of many incidents.
type Batch struct {
	ID      int64
	Account int64
	Change  Change
	Started time.Time
	Ended   time.Time // zero while it runs, or if the program stopped meanwhile
	Items   []Item
}

// Change is what is asked of each.
type Change struct {
	Action   incident.Action `json:"action"`
	Set      incident.Patch  `json:"set"`
	Comment  string          `json:"comment,omitempty"`
	Internal bool            `json:"internal,omitempty"`
	Problem  int64           `json:"problem,omitempty"` // instead of an action: link to this problem
}

// Item is one incident of a batch.
type Item struct {
	Incident int64
	Outcome  Outcome
	Version  int64 // the incident's after it changed
	Reason   *fault.Error
}

// Count gives how many have an outcome.
func (b *Batch) Count(o Outcome) int {
	n := 0
	for _, i := range b.Items {
		if i.Outcome == o {
			n++
		}
	}
	return n
}

// Linker ties incidents to problems, which another room keeps.
type Linker interface {
	Link(ctx context.Context, by auth.Identity, problem, incident int64) (changed bool, err error)
	Unlink(ctx context.Context, by auth.Identity, problem, incident int64) (changed bool, err error)
}

// Service runs batches.
type Service struct {
	db        *sqldb.DB
	incidents *incident.Service
	problems  Linker
	log       *slog.Logger

	mu      sync.Mutex
	running map[int64]bool
	wait    sync.WaitGroup
	ctx     context.Context //nolint:containedctx // the life of the program: a batch outlives the request that asked for it
	stop    context.CancelFunc
}

// New makes the service. Without problems no batch links to one.
func New(db *sqldb.DB, incidents *incident.Service, problems Linker, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Service{db: db, incidents: incidents, problems: problems, log: log, running: map[int64]bool{}, ctx: ctx, stop: stop}
}

// Run lets batches run until ctx ends, and then waits for the incident in hand
// of each.
func (s *Service) Run(ctx context.Context) error {
	<-ctx.Done()
	s.Close()
	return nil
}

// Close stops the batches that run, each after the incident in hand.
func (s *Service) Close() {
	s.stop()
	s.wait.Wait()
}

// Start begins a batch and gives its number; it goes on while nobody looks.
// Only who may handle incidents may, on at most Max of them.
func (s *Service) Start(ctx context.Context, by auth.Identity, ids []int64, c Change) (int64, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return 0, err
	}
	switch {
	case len(ids) == 0:
		return 0, fault.InvalidField("incidents", "error.batch.nothing")
	case len(ids) > Max:
		return 0, fault.InvalidField("incidents", "error.batch.too_many", "max", Max)
	case c.Problem != 0 && s.problems == nil:
		return 0, fault.InvalidField("problem", "error.field.unknown")
	}
	asked, err := json.Marshal(c)
	if err != nil {
		return 0, err
	}
	now := sqldb.Now()
	var id int64
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if id, err = tx.NextIDs(ctx, by.Tenant, "batch", 1); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO batch (tenant_id, batch_id, account_id, change, started_at) VALUES ($1, $2, $3, $4, $5)`, by.Tenant, id, by.Account, string(asked), sqldb.Millis(now)); err != nil {
			return err
		}
		seen := map[int64]bool{}
		var rows [][]any
		for n, one := range ids {
			if !seen[one] {
				seen[one] = true
				rows = append(rows, []any{by.Tenant, id, int64(n), one, string(Waiting)})
			}
		}
		return tx.Insert(ctx, "batch_item", []string{"tenant_id", "batch_id", "item_id", "incident_id", "outcome"}, rows, "")
	})
	if err != nil {
		return 0, fmt.Errorf("batch: start: %w", err)
	}
	s.mu.Lock()
	s.running[id] = true
	s.mu.Unlock()
	s.wait.Go(func() { s.work(by, id, c) })
	return id, nil
}

// Working tells whether a batch runs in this process.
func (s *Service) Working(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[id]
}

// work does the change on each incident in turn.
func (s *Service) work(by auth.Identity, id int64, c Change) {
	defer func() {
		s.mu.Lock()
		delete(s.running, id)
		s.mu.Unlock()
	}()
	ctx := s.ctx
	b, err := s.Get(ctx, by, id)
	if err != nil {
		s.log.Error("batch: read", "batch", id, "error", err)
		return
	}
	for _, item := range b.Items {
		if ctx.Err() != nil {
			return
		}
		done := s.one(ctx, by, item, c)
		if err := s.note(ctx, by.Tenant, id, done); err != nil {
			s.log.Error("batch: note", "batch", id, "incident", item.Incident, "error", err)
			return
		}
	}
	if err := s.end(ctx, by.Tenant, id); err != nil {
		s.log.Error("batch: end", "batch", id, "error", err)
	}
}

func (s *Service) one(ctx context.Context, by auth.Identity, item Item, c Change) Item {
	var err error
	changed := false
	if c.Problem != 0 {
		changed, err = s.problems.Link(ctx, by, c.Problem, item.Incident)
	} else {
		var before, after incident.Incident
		if before, err = s.incidents.Get(ctx, by.Scope(), item.Incident); err == nil {
			after, err = s.incidents.Act(ctx, by, incident.Change{Incident: item.Incident, Action: c.Action, Set: c.Set, Comment: c.Comment, Internal: c.Internal})
			item.Version, changed = after.Version, after.Version > before.Version
		}
	}
	return s.judge(item, changed, err, Done, Unchanged)
}

// judge writes down how one went.
func (s *Service) judge(item Item, changed bool, err error, yes, no Outcome) Item {
	refusal, known := errors.AsType[*fault.Error](err)
	switch {
	case err == nil && changed:
		item.Outcome = yes
	case err == nil:
		item.Outcome = no
	case known && refusal.Code != fault.Internal:
		item.Outcome, item.Reason = Refused, refusal
	default:
		s.log.Error("batch: incident", "incident", item.Incident, "error", err)
		item.Outcome, item.Reason = Refused, fault.New(fault.Internal, "error.internal")
	}
	return item
}

// Undo takes the batch back: each incident that it changed and that nobody has
// changed since, while the time to undo lasts. What cannot be is kept, and says
// why. Only who asked for the batch may. It gives the batch as it then is.
func (s *Service) Undo(ctx context.Context, by auth.Identity, id int64) (Batch, error) {
	b, err := s.Get(ctx, by, id)
	if err != nil {
		return Batch{}, err
	}
	if s.Working(id) || b.Ended.IsZero() {
		return Batch{}, fault.New(fault.Conflict, "error.batch.running")
	}
	for _, item := range slices.Backward(b.Items) {
		if item.Outcome != Done {
			continue
		}
		var err error
		if b.Change.Problem != 0 {
			_, err = s.problems.Unlink(ctx, by, b.Change.Problem, item.Incident)
		} else {
			_, err = s.incidents.Undo(ctx, by, item.Incident, item.Version)
		}
		item = s.judge(item, true, err, Undone, Undone)
		if item.Outcome == Refused {
			item.Outcome = Kept
		}
		if err := s.note(ctx, by.Tenant, id, item); err != nil {
			return Batch{}, err
		}
	}
	return s.Get(ctx, by, id)
}

// MayUndo tells whether something of the batch can still be taken back.
func (b *Batch) MayUndo(at time.Time) bool {
	return !b.Ended.IsZero() && at.Sub(b.Ended) < incident.UndoTime && b.Count(Done) > 0 && b.Change.Action != incident.Comment
}
