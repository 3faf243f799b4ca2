package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"statincidents/internal/sqldb"
)

// channel is the PostgreSQL notification channel that wakes readers.
const channel = "statincidents_journal"

// Journal gives access to the events of every tenant.
type Journal struct {
	db   *sqldb.DB
	mu   sync.Mutex
	wait chan struct{} // closed and replaced at each wake-up
	tell chan struct{} // asks Listen to wake the other processes
}

// New gives the journal of a database.
func New(db *sqldb.DB) *Journal {
	return &Journal{db: db, wait: make(chan struct{}), tell: make(chan struct{}, 1)}
}

// Append writes events of one tenant in the caller's transaction, in order,
// and fills a zero RecordedAt. Their positions are given by the database and
// known to readers only, after the commit, which wakes them.
//
// Call it after the state it explains was locked (tx.ForUpdate) or written: on
// PostgreSQL the order of the events of one subject is then the order in which
// its state changed (see ordered).
func (j *Journal) Append(ctx context.Context, tx *sqldb.Tx, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	now := sqldb.Now()
	columns := []string{"tenant_id", "at", "recorded_at", "actor_kind", "actor_id", "subject_kind", "subject_id", "school_id", "kind", "data"}
	rows := make([][]any, len(events))
	for i := range events {
		e := &events[i]
		if err := e.check(events[0].Tenant); err != nil {
			return fmt.Errorf("journal: append: %w", err)
		}
		if e.RecordedAt.IsZero() {
			e.RecordedAt = now
		}
		data := e.Data
		if data == nil {
			data = []byte("{}")
		}
		rows[i] = []any{e.Tenant, sqldb.Millis(e.At), sqldb.Millis(e.RecordedAt), e.Actor.Kind, e.Actor.ID,
			e.Subject.Kind, e.Subject.ID, e.School, e.Kind, string(data)}
	}
	if tx.Dialect() == sqldb.SQLite {
		// One writer: the next number is the last one plus one. PostgreSQL
		// numbers by column defaults (migration 00006).
		var last int64
		if err := tx.QueryRow(ctx, `SELECT coalesce(max(seq), 0) FROM event WHERE tenant_id = $1 AND xact = 0`, events[0].Tenant).Scan(&last); err != nil {
			return fmt.Errorf("journal: append: %w", err)
		}
		columns = append(columns, "seq")
		for i := range rows {
			rows[i] = append(rows[i], last+1+int64(i))
		}
	}
	if err := tx.Insert(ctx, "event", columns, rows, ""); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	if tx.Dialect() == sqldb.PostgreSQL {
		if err := ordered(ctx, tx, events); err != nil {
			return err
		}
	}
	tx.OnCommit(j.committed)
	return nil
}

// ordered makes the journal's order agree with the order in which the state
// of a subject changed. Positions begin with the transaction's number, which
// PostgreSQL gives at its first write: a transaction that wrote something
// first, then waited for a subject that a younger one held, would place its
// event before the younger one's although it changed the state after it. Such
// a transaction is run again, with a new number.
func ordered(ctx context.Context, tx *sqldb.Tx, events []Event) error {
	subjects := map[string][]int64{}
	for i := range events {
		s := events[i].Subject
		if ids := subjects[s.Kind]; len(ids) == 0 || ids[len(ids)-1] != s.ID {
			subjects[s.Kind] = append(ids, s.ID)
		}
	}
	for kind, ids := range subjects {
		var late bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM event WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id = ANY($3)
			AND xact > pg_current_xact_id()::text::bigint)`, events[0].Tenant, kind, ids).Scan(&late)
		if err != nil {
			return fmt.Errorf("journal: append: %w", err)
		}
		if late {
			return fmt.Errorf("journal: append to %s: %w", kind, sqldb.ErrRetry)
		}
	}
	return nil
}

// check refuses what no reader could understand later.
func (e *Event) check(tenant int64) error {
	switch {
	case e.Tenant != tenant:
		return fmt.Errorf("events of tenants %d and %d in one call", tenant, e.Tenant)
	case e.Tenant == 0, e.Kind == "", e.Subject.Kind == "", e.Actor.Kind == "":
		return fmt.Errorf("event %q of %s %d: tenant, kind, subject and actor are needed", e.Kind, e.Subject.Kind, e.Subject.ID)
	case e.At.IsZero():
		return fmt.Errorf("event %q of %s %d: no instant", e.Kind, e.Subject.Kind, e.Subject.ID)
	case e.Data != nil && (!utf8.Valid(e.Data) || !json.Valid(e.Data)):
		return fmt.Errorf("event %q of %s %d: the payload is not JSON in UTF-8", e.Kind, e.Subject.Kind, e.Subject.ID)
	}
	return nil
}

// committed wakes this process's readers and, if this process listens (see
// Listen), those of the others.
func (j *Journal) committed() {
	j.wake()
	select {
	case j.tell <- struct{}{}:
	default: // one notification waits already; it will speak for this commit too
	}
}

func (j *Journal) wake() {
	j.mu.Lock()
	close(j.wait)
	j.wait = make(chan struct{})
	j.mu.Unlock()
}

const selectEvent = `SELECT tenant_id, xact, seq, at, recorded_at, actor_kind, actor_id, subject_kind, subject_id, school_id, kind, data, sealed FROM event `

// Read gives up to limit events of a tenant after a position, in order, and
// only those that no transaction in flight can still precede. It may give
// fewer than there are (big payloads make short pages): none means the end.
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
	return scanAll(rows)
}

// OfMany gives the histories of some subjects of one kind, in the journal's
// order.
func OfMany(ctx context.Context, tx *sqldb.Tx, tenant int64, kind string, ids []int64) ([]Event, error) {
	var all []Event
	for part := range slices.Chunk(ids, 500) {
		args := []any{tenant, kind}
		var marks strings.Builder
		for k, id := range part {
			args = append(args, id)
			fmt.Fprintf(&marks, ", $%d", k+3)
		}
		rows, err := tx.Query(ctx, selectEvent+`WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id IN (`+marks.String()[2:]+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("journal: histories: %w", err)
		}
		events, err := scanAll(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	// Sorted here: ORDER BY could lead PostgreSQL to read the whole journal in
	// its order.
	slices.SortFunc(all, func(a, b Event) int { return a.Pos.Compare(b.Pos) })
	return all, nil
}

// Head is the last position that a reader could be shown now.
func Head(ctx context.Context, tx *sqldb.Tx, tenant int64) (Pos, error) {
	return last(ctx, tx, tenant, horizon(tx))
}

// Last is the position of the last event that the transaction sees; readers
// may still have to wait for an older one.
func Last(ctx context.Context, tx *sqldb.Tx, tenant int64) (Pos, error) {
	return last(ctx, tx, tenant, "")
}

func last(ctx context.Context, tx *sqldb.Tx, tenant int64, below string) (Pos, error) {
	var p Pos
	err := tx.QueryRow(ctx, `SELECT xact, seq FROM event WHERE tenant_id = $1`+below+` ORDER BY xact DESC, seq DESC LIMIT 1`, tenant).Scan(&p.Xact, &p.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return Pos{}, nil
	}
	if err != nil {
		return Pos{}, fmt.Errorf("journal: head: %w", err)
	}
	return p, nil
}

// maxBytes bounds the payloads that one read brings into memory: a page ends
// with the event that goes past it.
const maxBytes = 8 << 20

func scan(rows *sql.Rows) ([]Event, error) { return scanUpTo(rows, maxBytes) }

func scanAll(rows *sql.Rows) ([]Event, error) { return scanUpTo(rows, math.MaxInt) }

func scanUpTo(rows *sql.Rows, most int) ([]Event, error) {
	defer rows.Close()
	var events []Event
	for size := 0; size < most && rows.Next(); {
		var e Event
		var at, recorded int64
		var data string
		if err := rows.Scan(&e.Tenant, &e.Pos.Xact, &e.Pos.Seq, &at, &recorded, &e.Actor.Kind, &e.Actor.ID,
			&e.Subject.Kind, &e.Subject.ID, &e.School, &e.Kind, &data, &e.sealed); err != nil {
			return nil, fmt.Errorf("journal: scan: %w", err)
		}
		e.At, e.RecordedAt, e.Data = sqldb.Time(at), sqldb.Time(recorded), []byte(data)
		events = append(events, e)
		size += len(data)
	}
	return events, rows.Err()
}
