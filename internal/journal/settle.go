package journal

import (
	"context"
	"fmt"
	"math"

	"statincidents/internal/sqldb"
)

// Tenants lists the tenants that have a journal.
func Tenants(ctx context.Context, tx *sqldb.Tx) ([]int64, error) {
	var ids []int64
	for last := int64(math.MinInt64); ; { // from one to the next by the key, not over every event
		var id *int64
		if err := tx.QueryRow(ctx, `SELECT min(tenant_id) FROM event WHERE tenant_id > $1`, last).Scan(&id); err != nil {
			return nil, fmt.Errorf("journal: tenants: %w", err)
		}
		if id == nil {
			return ids, nil
		}
		ids = append(ids, *id)
		last = *id
	}
}

// Settled tells whether every event comes before the next transaction. It does
// not on PostgreSQL when the database was moved, by PostgreSQL's own tools, to
// a cluster that has run fewer transactions than the one it came from: new
// events would then be placed among the old ones. Settle mends it.
func Settled(ctx context.Context, tx *sqldb.Tx) (bool, error) {
	if tx.Dialect() == sqldb.SQLite {
		return true, nil
	}
	tenants, err := Tenants(ctx, tx)
	if err != nil {
		return false, err
	}
	for _, tenant := range tenants {
		var ok bool
		// What a snapshot shows was written below its end.
		if err := tx.QueryRow(ctx, `SELECT max(xact) < pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM event WHERE tenant_id = $1`, tenant).Scan(&ok); err != nil {
			return false, fmt.Errorf("journal: order: %w", err)
		}
		if !ok {
			return false, nil
		}
	}
	return true, nil
}

// Settle makes sure that every event comes before the next transaction, before
// a server begins to write, and tells whether it had to renumber the journal:
// it then gives the events, in their order, the positions that a restored
// backup gives, and seals and cursors with them.
func Settle(ctx context.Context, db *sqldb.DB) (renumbered bool, err error) {
	settled := func(ctx context.Context, tx *sqldb.Tx) error {
		ok, err := Settled(ctx, tx)
		renumbered = !ok
		return err
	}
	if err := db.Read(ctx, settled); err != nil || !renumbered {
		return false, err
	}
	err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE event, journal_seal, reader_cursor IN EXCLUSIVE MODE`); err != nil {
			return err
		}
		if err := settled(ctx, tx); err != nil || !renumbered {
			return err // another server did it while we waited
		}
		for _, query := range []string{
			`CREATE TEMPORARY TABLE place ON COMMIT DROP AS
				SELECT tenant_id, xact, seq, row_number() OVER (PARTITION BY tenant_id ORDER BY xact, seq) AS n FROM event`,
			`CREATE UNIQUE INDEX ON place (tenant_id, xact, seq)`,
			`ANALYZE place`,
			`UPDATE journal_seal s SET to_xact = 0, to_seq = p.n FROM place p
				WHERE (p.tenant_id, p.xact, p.seq) = (s.tenant_id, s.to_xact, s.to_seq)`,
			`UPDATE reader_cursor c SET xact = 0, seq = coalesce((SELECT p.n FROM place p
				WHERE p.tenant_id = c.tenant_id AND (p.xact, p.seq) <= (c.xact, c.seq) ORDER BY p.xact DESC, p.seq DESC LIMIT 1), 0)`,
			// In two steps: a number may be taken until all have moved.
			`UPDATE event e SET xact = -1, seq = p.n FROM place p WHERE (p.tenant_id, p.xact, p.seq) = (e.tenant_id, e.xact, e.seq)`,
			`UPDATE event SET xact = 0`,
			`SELECT setval('event_seq', greatest((SELECT last_value FROM event_seq), (SELECT max(seq) FROM event)))`,
		} {
			if _, err := tx.Exec(ctx, query); err != nil {
				return fmt.Errorf("journal: renumber: %w", err)
			}
		}
		return nil
	})
	return renumbered && err == nil, err
}
