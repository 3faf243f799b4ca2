package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"statincidents/internal/sqldb"
)

// row is a message as it is stored.
type row struct {
	ID        int64
	Incident  int64
	Person    int64
	Address   string
	Kind      string
	Event     int64 // sequence of the event that it tells of
	Visit     int64 // whose event that is; 0 for the incident's
	Signal    int64 // … or this one's
	State     State
	Reason    string
	Subject   string
	Tries     int
	CreatedAt time.Time
	SentAt    time.Time
	DueAt     time.Time
	Digest    int64
}

var rowColumns = []string{"tenant_id", "message_id", "incident_id", "person_id", "address", "kind", "event_seq", "state", "reason", "subject", "tries", "created_at", "sent_at", "due_at", "digest_id", "visit_id", "signal_id"}

const selectRow = `SELECT message_id, incident_id, person_id, address, kind, event_seq, state, reason, subject, tries, created_at, sent_at, due_at, digest_id, visit_id, signal_id FROM notify_message WHERE tenant_id = $1`

func insertRows(ctx context.Context, tx *sqldb.Tx, tenant int64, rows []row) error {
	values := make([][]any, len(rows))
	for k, r := range rows {
		values[k] = []any{tenant, r.ID, r.Incident, r.Person, r.Address, r.Kind, r.Event, string(r.State), r.Reason, r.Subject, r.Tries,
			sqldb.Millis(r.CreatedAt), sqldb.Millis(r.SentAt), sqldb.Millis(r.DueAt), r.Digest, r.Visit, r.Signal}
	}
	return tx.Insert(ctx, "notify_message", rowColumns, values, "")
}

func rowsOf(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]row, error) {
	rows, err := tx.Query(ctx, selectRow+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("notify: messages: %w", err)
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		var r row
		var created, sent, due int64
		if err := rows.Scan(&r.ID, &r.Incident, &r.Person, &r.Address, &r.Kind, &r.Event, &r.State, &r.Reason, &r.Subject, &r.Tries, &created, &sent, &due, &r.Digest, &r.Visit, &r.Signal); err != nil {
			return nil, fmt.Errorf("notify: messages: %w", err)
		}
		r.CreatedAt, r.SentAt, r.DueAt = sqldb.Time(created), sqldb.Time(sent), sqldb.Time(due)
		list = append(list, r)
	}
	return list, rows.Err()
}

// messageOf reads one message.
func (s *Service) messageOf(ctx context.Context, id int64) (r row, found bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		list, err := rowsOf(ctx, tx, ` AND message_id = $2`, s.cfg.Tenant, id)
		if len(list) == 1 {
			r, found = list[0], true
		}
		return err
	})
	return r, found, err
}

// Bounce is an address that gave messages back.
type Bounce struct {
	Address         string
	Permanent       bool // nothing is sent there any more
	Bounces         int
	FirstAt, LastAt time.Time
	Reason          string
}

const selectBounce = `SELECT address, permanent, bounces, first_at, last_at, reason FROM notify_bounce WHERE tenant_id = $1`

func scanBounce(scan func(...any) error) (Bounce, error) {
	var b Bounce
	var permanent, first, last int64
	err := scan(&b.Address, &permanent, &b.Bounces, &first, &last, &b.Reason)
	b.Permanent, b.FirstAt, b.LastAt = permanent == 1, sqldb.Time(first), sqldb.Time(last)
	return b, err
}

func bounceOf(ctx context.Context, tx *sqldb.Tx, tenant int64, address string) (Bounce, bool, error) {
	b, err := scanBounce(tx.QueryRow(ctx, selectBounce+` AND address = $2`, tenant, address).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Bounce{}, false, nil
	}
	if err != nil {
		return Bounce{}, false, fmt.Errorf("notify: bounce: %w", err)
	}
	return b, true, nil
}
