// Package jobs does work after the command that asked for it: once, in the
// order of its urgency, again when it fails, in spite of crashes.
//
// A job is a row, inserted in the transaction of the command that asks for it:
// either both are there after a crash or neither. Any number of processes work
// on one database; a job is run by one of them at a time. A job whose process
// died is run again: work must bear being done twice, or finish its job in its
// own transaction (Finish).
//
//	available ──► running ──► completed
//	     ▲           │ error ──► retryable ──► running … ──► discarded
//	     └─ Snooze ──┘ Cancel ──► cancelled
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"statincidents/internal/sqldb"
)

// State is where a job stands.
type State string

// The states.
const (
	Available State = "available" // to be run at its instant
	Running   State = "running"
	Retryable State = "retryable" // failed, to be tried again at its instant
	Completed State = "completed"
	Discarded State = "discarded" // failed too often
	Cancelled State = "cancelled" // by its own work or by an administrator
)

// States lists every state.
var States = []State{Available, Running, Retryable, Completed, Discarded, Cancelled}

// Ended tells whether nothing more will happen to a job by itself.
func (s State) Ended() bool { return s == Completed || s == Discarded || s == Cancelled }

// Priorities: lower comes first. What is between may be used too.
const (
	Urgent = 1
	Normal = 2
	Later  = 4
)

// Limits on what is stored.
const (
	maxKind  = 100
	maxArgs  = 256 << 10 // bytes of JSON
	maxKey   = 200
	maxError = 2000 // characters
)

// Options say how a kind of job is run; zero values are the defaults.
type Options struct {
	Timeout     time.Duration // of one attempt; 1 min if 0
	MaxAttempts int           // before it is discarded; 16 if 0, which is two and a half days
	Concurrency int           // at once in this process; 4 if 0
}

// Insertion says when and how a job is to be run; the zero Insertion: at once,
// with normal priority, whatever else waits.
type Insertion struct {
	At       time.Time // not before
	Priority int       // Normal if 0
	// Key makes the job unique: while one of the same kind and key waits or
	// runs, another is not added.
	Key string
}

// Config tunes a Service; the zero Config is right for production.
type Config struct {
	Tenant int64 // 1 if 0
	Log    *slog.Logger
	// Location is where the clocks of periodic jobs stand; UTC if nil.
	Location *time.Location
	// Alone says that no other process works on this database: jobs found
	// running at the start are those of a process that died.
	Alone bool
	Poll  time.Duration // between looks, when nothing wakes; 1 s if 0
	Beat  time.Duration // between signs of life; 5 s if 0
	// Lost is the silence after which a process is taken for dead; 1 min if 0.
	Lost time.Duration
	Keep time.Duration // of what is completed; 3 days if 0. Failures stay ten times as long.
}

// Service runs the jobs of one département.
type Service struct {
	db     *sqldb.DB
	cfg    Config
	log    *slog.Logger
	worker string // this process, in this life

	mu      sync.Mutex
	kinds   map[string]*kind
	periods []period
	wake    chan struct{}
	running map[int64]*run
	hands   sync.WaitGroup
}

type kind struct {
	name string
	Options
	work  func(ctx context.Context, args json.RawMessage) error
	inUse int
}

// New makes the service. Kinds and schedules are registered before Run.
func New(db *sqldb.DB, cfg Config) *Service {
	or := func(d *time.Duration, standing time.Duration) {
		if *d <= 0 {
			*d = standing
		}
	}
	or(&cfg.Poll, time.Second)
	or(&cfg.Beat, 5*time.Second)
	or(&cfg.Lost, time.Minute)
	or(&cfg.Keep, 3*24*time.Hour)
	if cfg.Tenant == 0 {
		cfg.Tenant = 1
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	return &Service{
		db: db, cfg: cfg, log: cfg.Log, worker: newWorkerName(),
		kinds: map[string]*kind{}, wake: make(chan struct{}, 1), running: map[int64]*run{},
	}
}

// Register says what the work of a kind of job is. The context given to work
// ends when the attempt has lasted too long, when the job is lost to another
// process, and some seconds after the server was asked to stop.
func (s *Service) Register(name string, o Options, work func(ctx context.Context, args json.RawMessage) error) {
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.MaxAttempts <= 0 {
		o.MaxAttempts = 16
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 4
	}
	if name == "" || len(name) > maxKind {
		panic("jobs: kind " + name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kinds[name] != nil {
		panic("jobs: kind " + name + " is registered twice")
	}
	s.kinds[name] = &kind{name: name, Options: o, work: work}
}

// Handle is Register for work whose arguments have a type. Arguments that do
// not read as that type cancel the job: trying again would not mend them.
func Handle[T any](s *Service, name string, o Options, work func(ctx context.Context, args T) error) {
	s.Register(name, o, func(ctx context.Context, raw json.RawMessage) error {
		var args T
		if err := json.Unmarshal(raw, &args); err != nil {
			return Cancel(fmt.Errorf("arguments: %w", err))
		}
		return work(ctx, args)
	})
}

// Insert adds a job in the caller's transaction: it is run after the commit,
// and is not there if there is none. It gives the job's number; 0 when Key
// found one waiting or running.
func (s *Service) Insert(ctx context.Context, tx *sqldb.Tx, name string, args any, in Insertion) (int64, error) {
	data, err := json.Marshal(args)
	if err != nil {
		return 0, fmt.Errorf("jobs: arguments of %s: %w", name, err)
	}
	switch {
	case len(data) > maxArgs:
		return 0, fmt.Errorf("jobs: arguments of %s: %d bytes, at most %d", name, len(data), maxArgs)
	case len(in.Key) > maxKey:
		return 0, fmt.Errorf("jobs: key of %s: %d bytes, at most %d", name, len(in.Key), maxKey)
	}
	if in.Priority == 0 {
		in.Priority = Normal
	}
	now := sqldb.Now()
	if in.At.IsZero() {
		in.At = now
	}
	attempts := 16
	s.mu.Lock()
	if k := s.kinds[name]; k != nil {
		attempts = k.MaxAttempts
	}
	s.mu.Unlock()
	if in.Key != "" {
		var before int64
		err := tx.QueryRow(ctx, `SELECT count(*) FROM job WHERE tenant_id = $1 AND kind = $2 AND unique_key = $3 AND unique_key <> ''
			AND state IN ('available', 'running', 'retryable')`, s.cfg.Tenant, name, in.Key).Scan(&before)
		if err != nil {
			return 0, fmt.Errorf("jobs: insert %s: %w", name, err)
		}
		if before > 0 {
			return 0, nil
		}
	}
	id, err := tx.NextIDs(ctx, s.cfg.Tenant, "job", 1)
	if err != nil {
		return 0, err
	}
	// ON CONFLICT: on PostgreSQL another transaction may add the same key
	// between the look above and here.
	added, err := tx.Exec(ctx, `INSERT INTO job (tenant_id, job_id, kind, args, state, priority, max_attempts, unique_key, scheduled_at, created_at)
		VALUES ($1, $2, $3, $4, 'available', $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		s.cfg.Tenant, id, name, string(data), in.Priority, attempts, in.Key, sqldb.Millis(in.At), sqldb.Millis(now))
	if err != nil {
		return 0, fmt.Errorf("jobs: insert %s: %w", name, err)
	}
	if added == 0 {
		return 0, nil
	}
	tx.OnCommit(s.Wake)
	return id, nil
}

// Wake makes this process look for work now.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// cancelError and snoozeError are what work answers instead of a failure.
type cancelError struct{ error }

func (e cancelError) Unwrap() error { return e.error }

type snoozeError struct{ wait time.Duration }

func (e snoozeError) Error() string { return "snoozed for " + e.wait.String() }

// Cancel wraps the error of work that trying again would not mend: the job is
// cancelled, with that error.
func Cancel(err error) error { return cancelError{err} }

// Snooze is returned by work that is to be done later, without having failed:
// the attempt does not count.
func Snooze(wait time.Duration) error { return snoozeError{max(wait, time.Second)} }

// backoff is how long to wait after a failed attempt: attempt⁴ seconds, a
// tenth more or less, so that what failed together does not come back together.
// Share is in [0, 1).
func backoff(attempt int, share float64) time.Duration {
	a := float64(min(max(attempt, 1), 30))
	return time.Duration(a * a * a * a * (0.9 + 0.2*share) * float64(time.Second))
}

var errNotRunning = errors.New("jobs: the job is no longer this process's")
