package journal

import (
	"context"
	"fmt"
	"sync"
	"time"

	"statincidents/internal/sqldb"
)

const (
	batch = 1000
	// poll bounds how late a reader can be if a wake-up is lost or was for
	// another process.
	poll = 250 * time.Millisecond
	// quick is how soon a woken reader on PostgreSQL looks again when an older
	// transaction in flight still hides what woke it; it then doubles up to poll.
	quick = 2 * time.Millisecond
)

// patience is how long a reader waits that found nothing.
type patience struct {
	next  time.Duration
	first time.Duration
}

func (j *Journal) patience() patience {
	if j.db.Dialect() == sqldb.PostgreSQL {
		return patience{poll, quick}
	}
	return patience{poll, poll} // the only writer has committed when it wakes
}

// pause waits for a wake-up or for its turn to look again; false when ctx has
// ended.
func (p *patience) pause(ctx context.Context, woken <-chan struct{}) bool {
	if wait(ctx, woken, p.next) {
		p.next = p.first
	} else {
		p.next = min(2*p.next, poll)
	}
	return ctx.Err() == nil
}

// wait waits for a wake-up, told by true, for d at most.
func wait(ctx context.Context, woken <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-woken:
		return true
	case <-ctx.Done():
	case <-t.C:
	}
	return false
}

// Follow calls fn with each batch of events after a position, in order, until
// ctx ends (then it returns nil) or fn fails. It suits readers that keep their
// own position (in memory, or in the client as Last-Event-ID). A position past
// the end, as a client can hold of a database that was restored since, counts
// as the end.
func (j *Journal) Follow(ctx context.Context, tenant int64, after Pos, fn func(context.Context, []Event) error) error {
	after, err := j.clamp(ctx, tenant, after)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	p := j.patience()
	for {
		woken := j.woken()
		events, err := j.Read(ctx, tenant, after, batch)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if len(events) > 0 {
			if err := fn(ctx, events); err != nil {
				return err
			}
			after = events[len(events)-1].Pos
			p.next = p.first
			continue
		}
		if !p.pause(ctx, woken) {
			return nil
		}
	}
}

func (j *Journal) clamp(ctx context.Context, tenant int64, after Pos) (Pos, error) {
	err := j.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		head, err := Head(ctx, tx, tenant)
		if err == nil && after.Compare(head) > 0 {
			after = head
		}
		return err
	})
	return after, err
}

// Run follows the journal for a named reader whose position is kept in the
// database: fn's effects and the new position are committed together, so each
// event takes effect once.
func (j *Journal) Run(ctx context.Context, tenant int64, reader string, fn func(context.Context, *sqldb.Tx, []Event) error) error {
	p := j.patience()
	for {
		woken := j.woken()
		n, err := j.step(ctx, tenant, reader, fn)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("journal: reader %s: %w", reader, err)
		}
		if n == 0 && !p.pause(ctx, woken) {
			return nil
		}
	}
}

// CatchUp runs a named reader until it has seen everything, then returns.
func (j *Journal) CatchUp(ctx context.Context, tenant int64, reader string, fn func(context.Context, *sqldb.Tx, []Event) error) error {
	for {
		n, err := j.step(ctx, tenant, reader, fn)
		if err != nil || n == 0 {
			return err
		}
	}
}

func (j *Journal) step(ctx context.Context, tenant int64, reader string, fn func(context.Context, *sqldb.Tx, []Event) error) (int, error) {
	var n int
	// Look first without the writer: an idle reader must not take its turn.
	after, err := j.Cursor(ctx, tenant, reader)
	if err != nil {
		return 0, err
	}
	if probe, err := j.Read(ctx, tenant, after, 1); err != nil || len(probe) == 0 {
		return 0, err
	}
	err = j.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n = 0
		if err := lockReader(ctx, tx, tenant, reader); err != nil {
			return err
		}
		var after Pos
		if err := tx.QueryRow(ctx, `SELECT xact, seq FROM reader_cursor WHERE tenant_id = $1 AND reader = $2`, tenant, reader).Scan(&after.Xact, &after.Seq); err != nil {
			return err
		}
		events, err := ReadTx(ctx, tx, tenant, after, batch)
		if err != nil || len(events) == 0 {
			return err
		}
		if err := fn(ctx, tx, events); err != nil {
			return err
		}
		last := events[len(events)-1].Pos
		n = len(events)
		_, err = tx.Exec(ctx, `UPDATE reader_cursor SET xact = $3, seq = $4, updated_at = $5 WHERE tenant_id = $1 AND reader = $2`,
			tenant, reader, last.Xact, last.Seq, sqldb.Millis(sqldb.Now()))
		return err
	})
	return n, err
}

// lockReader makes the reader's row exist and holds it, so that of several
// processes one at a time advances a reader.
func lockReader(ctx context.Context, tx *sqldb.Tx, tenant int64, reader string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO reader_cursor (tenant_id, reader, xact, seq, updated_at) VALUES ($1, $2, 0, 0, 0)
		ON CONFLICT (tenant_id, reader) DO NOTHING`, tenant, reader); err != nil {
		return err
	}
	if tx.Dialect() == sqldb.SQLite {
		return nil
	}
	_, err := tx.Exec(ctx, `SELECT 1 FROM reader_cursor WHERE tenant_id = $1 AND reader = $2 FOR UPDATE`, tenant, reader)
	return err
}

// Cursor is the stored position of a named reader; the beginning if it never ran.
func (j *Journal) Cursor(ctx context.Context, tenant int64, reader string) (Pos, error) {
	var p Pos
	err := j.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT xact, seq FROM reader_cursor WHERE tenant_id = $1 AND reader = $2`, tenant, reader)
		if err != nil {
			return err
		}
		defer rows.Close()
		if rows.Next() {
			if err := rows.Scan(&p.Xact, &p.Seq); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return p, err
}

func (j *Journal) woken() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.wait
}

// Listen keeps a PostgreSQL connection in LISTEN so that events written by
// other processes wake this one, and wakes them when this one wrote; on SQLite
// it only waits for ctx to end. Without it readers still poll.
func (j *Journal) Listen(ctx context.Context) error {
	if j.db.Pool() == nil {
		<-ctx.Done()
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		// A listener must not hold up Close.
		select {
		case <-j.db.Closed():
		case <-ctx.Done():
		}
		cancel()
	}()
	var speaker sync.WaitGroup
	speaker.Go(func() { j.speak(ctx) })
	for ctx.Err() == nil {
		if err := j.listenOnce(ctx); err != nil && ctx.Err() == nil {
			j.wake() // readers poll meanwhile
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
	speaker.Wait()
	return nil
}

func (j *Journal) listenOnce(ctx context.Context) error {
	conn, err := j.db.Pool().Acquire(ctx)
	if err != nil {
		return err
	}
	// The connection is closed at the end, not given back: it listens.
	own := conn.Hijack()
	defer own.Close(context.WithoutCancel(ctx))
	if _, err := own.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	j.wake() // what was written before LISTEN took hold
	for {
		if _, err := own.WaitForNotification(ctx); err != nil {
			return err
		}
		j.wake()
	}
}

// speak notifies after the commit, not in it: PostgreSQL commits transactions
// that notify one after the other, disk flush included. Commits of the same
// moment share one notification.
func (j *Journal) speak(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.tell:
		}
		if _, err := j.db.Pool().Exec(ctx, "SELECT pg_notify('"+channel+"', '')"); err != nil {
			pauseFor(ctx, poll) // the others poll meanwhile
		}
	}
}

func pauseFor(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Rewind puts a named reader back to the beginning, in the transaction that
// empties what the reader makes.
func Rewind(ctx context.Context, tx *sqldb.Tx, tenant int64, reader string) error {
	if err := lockReader(ctx, tx, tenant, reader); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE reader_cursor SET xact = 0, seq = 0 WHERE tenant_id = $1 AND reader = $2`, tenant, reader)
	return err
}

// Hold makes the rest of the transaction wait for a named reader's turn and
// hold it: for work beside the reader on what it makes.
func Hold(ctx context.Context, tx *sqldb.Tx, tenant int64, reader string) error {
	return lockReader(ctx, tx, tenant, reader)
}

// Skip puts a named reader to the end, in the transaction in which it begins to
// make by other means what it keeps: only what happens from there on is read.
func Skip(ctx context.Context, tx *sqldb.Tx, tenant int64, reader string) error {
	if err := lockReader(ctx, tx, tenant, reader); err != nil {
		return err
	}
	head, err := Head(ctx, tx, tenant)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE reader_cursor SET xact = $3, seq = $4, updated_at = $5 WHERE tenant_id = $1 AND reader = $2`, tenant, reader, head.Xact, head.Seq, sqldb.Millis(sqldb.Now()))
	return err
}
