package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"statincidents/internal/sqldb"
)

// channel is the PostgreSQL notification channel that wakes readers.
const channel = "statincidents_journal"

// Journal gives access to the events of every tenant.
type Journal struct {
	db   *sqldb.DB
	mu   sync.Mutex
	wait chan struct{} // closed and replaced at each wake-up
}

// New gives the journal of a database.
func New(db *sqldb.DB) *Journal { return &Journal{db: db, wait: make(chan struct{})} }

// Append writes events in the caller's transaction, in order, and sets their
// Pos.Seq. Readers are woken after the commit.
func (j *Journal) Append(ctx context.Context, tx *sqldb.Tx, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	now := sqldb.Now()
	columns := []string{"tenant_id", "seq", "at", "recorded_at", "actor_kind", "actor_id", "subject_kind", "subject_id", "school_id", "kind", "data"}
	var first int64
	if tx.Dialect() == sqldb.SQLite {
		var err error
		if first, err = tx.NextIDs(ctx, events[0].Tenant, "event", int64(len(events))); err != nil {
			return fmt.Errorf("journal: append: %w", err)
		}
	} else if err := tx.QueryRow(ctx, `SELECT min(n) FROM (SELECT nextval('event_seq') AS n FROM generate_series(1, $1::bigint)) s`, len(events)).Scan(&first); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	rows := make([][]any, len(events))
	for i := range events {
		e := &events[i]
		if e.Tenant != events[0].Tenant {
			return fmt.Errorf("journal: append: events of tenants %d and %d in one call", events[0].Tenant, e.Tenant)
		}
		e.Pos.Seq = first + int64(i)
		if e.RecordedAt.IsZero() {
			e.RecordedAt = now
		}
		data := e.Data
		if data == nil {
			data = []byte("{}")
		}
		rows[i] = []any{e.Tenant, e.Pos.Seq, sqldb.Millis(e.At), sqldb.Millis(e.RecordedAt), e.Actor.Kind, e.Actor.ID,
			e.Subject.Kind, e.Subject.ID, e.School, e.Kind, string(data)}
	}
	if err := tx.Insert(ctx, "event", columns, rows, ""); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	if tx.Dialect() == sqldb.PostgreSQL {
		if _, err := tx.Exec(ctx, "SELECT pg_notify('"+channel+"', '')"); err != nil {
			return fmt.Errorf("journal: notify: %w", err)
		}
	}
	tx.OnCommit(j.wake)
	return nil
}

func (j *Journal) wake() {
	j.mu.Lock()
	close(j.wait)
	j.wait = make(chan struct{})
	j.mu.Unlock()
}

const selectEvent = `SELECT tenant_id, xact, seq, at, recorded_at, actor_kind, actor_id, subject_kind, subject_id, school_id, kind, data FROM event `

// Read gives up to limit events of a tenant after a position, in order, and
// only those that no transaction in flight can still precede.
func (j *Journal) Read(ctx context.Context, tenant int64, after Pos, limit int) ([]Event, error) {
	var events []Event
	err := j.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		events, err = ReadTx(ctx, tx, tenant, after, limit)
		return err
	})
	return events, err
}

// ReadTx is Read inside the caller's snapshot.
func ReadTx(ctx context.Context, tx *sqldb.Tx, tenant int64, after Pos, limit int) ([]Event, error) {
	query := selectEvent + `WHERE tenant_id = $1 AND (xact, seq) > ($2, $3)` + horizon(tx) + ` ORDER BY xact, seq LIMIT $4`
	rows, err := tx.Query(ctx, query, tenant, after.Xact, after.Seq, limit)
	if err != nil {
		return nil, fmt.Errorf("journal: read: %w", err)
	}
	return scan(rows)
}

// horizon keeps a reader below the oldest transaction in flight. SQLite has a
// single writer: what can be seen is complete.
func horizon(tx *sqldb.Tx) string {
	if tx.Dialect() == sqldb.PostgreSQL {
		return ` AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`
	}
	return ""
}

// Of gives the whole history of a subject, in order, inside the caller's
// snapshot or transaction. The caller has already checked the reader's scope.
func Of(ctx context.Context, tx *sqldb.Tx, tenant int64, subject Subject) ([]Event, error) {
	rows, err := tx.Query(ctx, selectEvent+`WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id = $3 ORDER BY xact, seq`,
		tenant, subject.Kind, subject.ID)
	if err != nil {
		return nil, fmt.Errorf("journal: history: %w", err)
	}
	return scan(rows)
}

// Head is the last position that a reader could be shown now.
func Head(ctx context.Context, tx *sqldb.Tx, tenant int64) (Pos, error) {
	var p Pos
	err := tx.QueryRow(ctx, `SELECT xact, seq FROM event WHERE tenant_id = $1`+horizon(tx)+` ORDER BY xact DESC, seq DESC LIMIT 1`, tenant).Scan(&p.Xact, &p.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return Pos{}, nil
	}
	if err != nil {
		return Pos{}, fmt.Errorf("journal: head: %w", err)
	}
	return p, nil
}

func scan(rows *sql.Rows) ([]Event, error) {
	defer rows.Close()
	var events []Event
	for rows.Next() {
		var e Event
		var at, recorded int64
		var data string
		if err := rows.Scan(&e.Tenant, &e.Pos.Xact, &e.Pos.Seq, &at, &recorded, &e.Actor.Kind, &e.Actor.ID,
			&e.Subject.Kind, &e.Subject.ID, &e.School, &e.Kind, &data); err != nil {
			return nil, fmt.Errorf("journal: scan: %w", err)
		}
		e.At, e.RecordedAt, e.Data = sqldb.Time(at), sqldb.Time(recorded), []byte(data)
		events = append(events, e)
	}
	return events, rows.Err()
}
