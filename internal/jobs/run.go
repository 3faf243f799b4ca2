package jobs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"statincidents/internal/sqldb"
)

func newWorkerName() string {
	var b [6]byte
	rand.Read(b[:])
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	return host + "-" + strconv.Itoa(os.Getpid()) + "-" + hex.EncodeToString(b[:])
}

// run is a job in this process's hands.
type run struct {
	id      int64
	kind    *kind
	args    json.RawMessage
	attempt int
	most    int
	due     int64
	stop    context.CancelCauseFunc
	ended   atomic.Bool // by Finish, in the work's own transaction
}

// patience is how long a stopping server waits for the jobs in hand; what is
// not done by then is done again at the next start.
const patience = 10 * time.Second

// Run works until ctx ends, then lets the jobs in hand finish.
func (s *Service) Run(ctx context.Context) error {
	if s.cfg.Alone {
		if err := s.rescue(ctx, sqldb.Now().Add(time.Hour)); err != nil && ctx.Err() == nil {
			return err
		}
	}
	// The work outlives ctx by the patience above.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	leading := make(chan struct{})
	go func() {
		defer close(leading)
		s.lead(ctx)
	}()
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		s.beat(working)
	}()
	for ctx.Err() == nil {
		wait, err := s.start(ctx, working)
		if err != nil && ctx.Err() == nil {
			// The database may be busy or away for a moment: the jobs wait for it.
			s.log.Error("jobs: look for work", "error", err)
			wait = 5 * s.cfg.Poll
		}
		pause(ctx, s.wake, wait)
	}
	<-leading
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.hands.Wait()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		s.stopAll(context.Canceled)
		<-done
	}
	stop()
	<-beating
	return nil
}

func pause(ctx context.Context, woken <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-woken:
	case <-t.C:
	}
}

// free lists the kinds that this process can take one more of.
func (s *Service) free() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := map[string]int{}
	for name, k := range s.kinds {
		if n := k.Concurrency - k.inUse; n > 0 {
			room[name] = n
		}
	}
	return room
}

// start takes the jobs that are due and runs them; it tells how long nothing
// else is due.
func (s *Service) start(ctx, working context.Context) (time.Duration, error) {
	room := s.free()
	if len(room) == 0 {
		return s.cfg.Poll, nil // the end of a job wakes
	}
	now := sqldb.Now()
	// Look first without the writer: an idle process must not take its turn.
	next, err := s.nextDue(ctx, room)
	if err != nil || next.IsZero() {
		return s.cfg.Poll, err
	}
	if wait := next.Sub(now); wait > 0 {
		return min(wait, s.cfg.Poll), nil
	}
	taken, err := s.claim(ctx, now, room)
	if err != nil {
		return 0, err
	}
	for _, r := range taken {
		s.hands.Go(func() { s.work(working, r) })
	}
	if len(taken) == 0 {
		return s.cfg.Poll, nil
	}
	return 0, nil
}

func kindList(next int, room map[string]int) (marks string, args []any) {
	var b strings.Builder
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range room {
			if !yield(name) {
				return
			}
		}
	}) {
		if len(args) > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(next+len(args)))
		args = append(args, name)
	}
	return b.String(), args
}

func (s *Service) nextDue(ctx context.Context, room map[string]int) (time.Time, error) {
	var at int64
	marks, kinds := kindList(2, room)
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT coalesce(min(scheduled_at), 0) FROM job WHERE tenant_id = $1 AND state IN ('available', 'retryable') AND kind IN (`+marks+`)`,
			append([]any{s.cfg.Tenant}, kinds...)...).Scan(&at)
	})
	return sqldb.Time(at), err
}

// claim makes due jobs this process's. On PostgreSQL a job that another
// process is taking at this moment is passed over.
func (s *Service) claim(ctx context.Context, now time.Time, room map[string]int) ([]*run, error) {
	var taken []*run
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		taken = taken[:0]
		skip := ""
		if tx.Dialect() == sqldb.PostgreSQL {
			skip = " FOR UPDATE SKIP LOCKED"
		}
		for name, n := range room {
			part, err := s.claimOf(ctx, tx, now, name, n, skip)
			if err != nil {
				return err
			}
			taken = append(taken, part...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: take: %w", err)
	}
	s.mu.Lock()
	for _, r := range taken {
		r.kind.inUse++
		s.running[r.id] = r
	}
	s.mu.Unlock()
	return taken, nil
}

func (s *Service) claimOf(ctx context.Context, tx *sqldb.Tx, now time.Time, name string, most int, skip string) ([]*run, error) {
	rows, err := tx.Query(ctx, `UPDATE job SET state = 'running', attempt = attempt + 1, attempted_at = $3, beat_at = $3, worker = $4
		WHERE tenant_id = $1 AND job_id IN (SELECT job_id FROM job WHERE tenant_id = $1 AND state IN ('available', 'retryable') AND kind = $2
			AND scheduled_at <= $3 ORDER BY priority, scheduled_at, job_id LIMIT $5`+skip+`)
		RETURNING job_id, args, attempt, max_attempts, scheduled_at`, s.cfg.Tenant, name, sqldb.Millis(now), s.worker, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var taken []*run
	for rows.Next() {
		r := &run{kind: s.kindOf(name)}
		var args string
		if err := rows.Scan(&r.id, &args, &r.attempt, &r.most, &r.due); err != nil {
			return nil, err
		}
		r.args = json.RawMessage(args)
		taken = append(taken, r)
	}
	return taken, rows.Err()
}

func (s *Service) kindOf(name string) *kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kinds[name]
}

type runKey struct{}

// work runs one job and writes how it ended.
func (s *Service) work(ctx context.Context, r *run) {
	ctx, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	r.stop = cancel
	s.mu.Unlock()
	limited, done := context.WithTimeout(context.WithValue(ctx, runKey{}, r), r.kind.Timeout)
	err := guarded(limited, r)
	done()
	cause := context.Cause(ctx)
	cancel(nil)
	s.mu.Lock()
	r.kind.inUse--
	delete(s.running, r.id)
	s.mu.Unlock()
	if !r.ended.Load() && !errors.Is(cause, errNotRunning) {
		s.conclude(ctx, r, err)
	}
	s.Wake()
}

func guarded(ctx context.Context, r *run) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return r.kind.work(ctx, r.args)
}

// conclude writes the end of an attempt; while the database does not answer it
// tries again, for otherwise the work would be done twice.
func (s *Service) conclude(ctx context.Context, r *run, err error) {
	ctx = context.WithoutCancel(ctx)
	for try := range 5 {
		failed := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return s.settle(ctx, tx, r, err) })
		if failed == nil || errors.Is(failed, sqldb.ErrClosed) {
			return
		}
		s.log.Error("jobs: write the end of a job", "job", r.id, "kind", r.kind.name, "error", failed)
		time.Sleep(time.Duration(try*try) * 100 * time.Millisecond)
	}
}

// settle moves a job to where the answer of its work leads.
func (s *Service) settle(ctx context.Context, tx *sqldb.Tx, r *run, err error) error {
	now := sqldb.Now()
	state, attempt, at, finished, text := Completed, r.attempt, sqldb.Time(r.due), now, ""
	if snooze, ok := errors.AsType[snoozeError](err); ok {
		state, attempt, at, finished = Available, r.attempt-1, now.Add(snooze.wait), time.Time{}
	} else if _, ok := errors.AsType[cancelError](err); ok {
		state, text = Cancelled, short(err)
	} else if err != nil {
		text = short(err)
		if r.attempt >= r.most {
			state = Discarded
			s.log.Error("jobs: given up", "job", r.id, "kind", r.kind.name, "attempts", r.attempt, "error", text)
		} else {
			state, at, finished = Retryable, now.Add(backoff(r.attempt, mrand.Float64())), time.Time{}
		}
	}
	n, err := tx.Exec(ctx, `UPDATE job SET state = $4, attempt = $5, scheduled_at = $6, finished_at = $7, error = $8, worker = ''
		WHERE tenant_id = $1 AND job_id = $2 AND worker = $3 AND state = 'running'`,
		s.cfg.Tenant, r.id, s.worker, string(state), attempt, sqldb.Millis(at), sqldb.Millis(finished), text)
	if err != nil {
		return err
	}
	if n == 0 {
		s.log.Warn("jobs: a job had been given to another process before its end was written", "job", r.id, "kind", r.kind.name)
	}
	return nil
}

func short(err error) string {
	text := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "�")
	if utf8.RuneCountInString(text) > maxError {
		text = string([]rune(text)[:maxError-1]) + "…"
	}
	return text
}

// Finish completes the job whose work is running, in the work's own
// transaction: its effects and the end of the job are written together, so
// that a crash repeats neither. The work then returns nil. An error means that
// the job is no longer this process's: give the transaction up.
func (s *Service) Finish(ctx context.Context, tx *sqldb.Tx) error {
	r, ok := ctx.Value(runKey{}).(*run)
	if !ok {
		return errors.New("jobs: Finish is called from the work of a job only")
	}
	n, err := tx.Exec(ctx, `UPDATE job SET state = 'completed', finished_at = $4, error = '', worker = '' WHERE tenant_id = $1 AND job_id = $2 AND worker = $3 AND state = 'running'`,
		s.cfg.Tenant, r.id, s.worker, sqldb.Millis(sqldb.Now()))
	if err != nil {
		return err
	}
	if n == 0 {
		return errNotRunning
	}
	tx.OnCommit(func() { r.ended.Store(true) })
	return nil
}

// LastAttempt tells the work of a job whether a failure will discard it.
func LastAttempt(ctx context.Context) bool {
	r, ok := ctx.Value(runKey{}).(*run)
	return ok && r.attempt >= r.most
}

func (s *Service) stopAll(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.running {
		if r.stop != nil {
			r.stop(cause)
		}
	}
}

// beat gives signs of life for the jobs in hand, and lets go of those that
// were given to another process meanwhile.
func (s *Service) beat(ctx context.Context) {
	for {
		pause(ctx, nil, s.cfg.Beat)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		ids := make([]int64, 0, len(s.running))
		for id := range s.running {
			ids = append(ids, id)
		}
		s.mu.Unlock()
		if len(ids) == 0 {
			continue
		}
		for _, id := range ids {
			var n int64
			err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				var err error
				n, err = tx.Exec(ctx, `UPDATE job SET beat_at = $4 WHERE tenant_id = $1 AND job_id = $2 AND worker = $3 AND state = 'running'`,
					s.cfg.Tenant, id, s.worker, sqldb.Millis(sqldb.Now()))
				return err
			})
			if err != nil {
				if ctx.Err() == nil {
					s.log.Error("jobs: sign of life", "error", err)
				}
				break
			}
			if n == 0 {
				s.mu.Lock()
				if r := s.running[id]; r != nil && r.stop != nil && !r.ended.Load() {
					r.stop(errNotRunning)
				}
				s.mu.Unlock()
			}
		}
	}
}
