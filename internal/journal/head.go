package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"statincidents/internal/sqldb"
)

// Sealing says how far the hash chain reaches, without verifying it (see
// Verify).
type Sealing struct {
	At   time.Time // of the last seal; zero before the first
	Open int64     // events that wait for the next one
}

// Sealing tells when a tenant's journal was last sealed and what waits.
func (j *Journal) Sealing(ctx context.Context, tenant int64) (Sealing, error) {
	var s Sealing
	err := j.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var to Pos
		var at int64
		err := tx.QueryRow(ctx, `SELECT to_xact, to_seq, sealed_at FROM journal_seal WHERE tenant_id = $1 ORDER BY seal_id DESC LIMIT 1`, tenant).
			Scan(&to.Xact, &to.Seq, &at)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		s.At = sqldb.Time(at)
		return tx.QueryRow(ctx, `SELECT count(*) FROM event WHERE tenant_id = $1 AND (xact, seq) > ($2, $3)`, tenant, to.Xact, to.Seq).Scan(&s.Open)
	})
	return s, err
}

// Head is the last position that a reader could be shown now, read on its own
// snapshot.
func (j *Journal) Head(ctx context.Context, tenant int64) (Pos, error) {
	var p Pos
	err := j.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		p, err = Head(ctx, tx, tenant)
		return err
	})
	return p, err
}
