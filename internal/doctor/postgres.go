package doctor

import (
	"context"

	"statincidents/internal/sqldb"
)

// durability looks for settings with which a commit is not on disk: what was
// answered "ok" could be lost in a power cut.
func (e *examination) durability(ctx context.Context, tx *sqldb.Tx) error {
	bad := false
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		if err := tx.QueryRow(ctx, `SELECT current_setting($1)`, name).Scan(&value); err != nil {
			return err
		}
		if value == "off" {
			bad = true
			e.add("durability", Failed, "doctor.durability.off", "doctor.durability.off.remedy", "setting", name)
		}
	}
	if !bad {
		e.add("durability", OK, "doctor.durability.ok", "")
	}
	return nil
}

func (e *examination) encoding(ctx context.Context, tx *sqldb.Tx) error {
	var value string
	if err := tx.QueryRow(ctx, `SELECT current_setting('server_encoding')`).Scan(&value); err != nil {
		return err
	}
	if value == "UTF8" {
		e.add("encoding", OK, "doctor.encoding.ok", "")
	} else {
		e.add("encoding", Failed, "doctor.encoding.other", "doctor.encoding.other.remedy", "encoding", value)
	}
	return nil
}

func (e *examination) databaseSize(ctx context.Context, tx *sqldb.Tx) error {
	var size int64
	if err := tx.QueryRow(ctx, `SELECT pg_database_size(current_database())`).Scan(&size); err != nil {
		return err
	}
	e.add("size", OK, "doctor.size.ok", "", "megabytes", megabytes(size))
	return nil
}

// transactions looks for one that has been writing for long, in any database
// of the cluster: readers of the journal wait for it.
func (e *examination) transactions(ctx context.Context, tx *sqldb.Tx) error {
	var seconds *float64
	err := tx.QueryRow(ctx, `SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::float8 FROM pg_stat_activity WHERE backend_xid IS NOT NULL`).Scan(&seconds)
	if err != nil {
		return err
	}
	if seconds != nil && *seconds > longWrite.Seconds() {
		e.add("transactions", Warning, "doctor.transactions.long", "doctor.transactions.long.remedy", "seconds", int64(*seconds))
	} else {
		e.add("transactions", OK, "doctor.transactions.ok", "")
	}
	return nil
}
