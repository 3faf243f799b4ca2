package doctor

import (
	"context"

	"statincidents/internal/sqldb"
)

// search tells how far the index of words is: its reader notes what is to be
// read again, and its builder does it a portion at a time.
func (e *examination) search(ctx context.Context, tx *sqldb.Tx) error {
	var waiting, below int64
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM search_again LIMIT $1) AS w`, lateEvents+1).Scan(&waiting); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, `SELECT coalesce(max(below), 0) FROM search_build`).Scan(&below); err != nil {
		return err
	}
	switch {
	case below > 0:
		e.add("search", Warning, "doctor.search.building", "doctor.search.building.remedy", "number", below)
	case waiting > lateEvents:
		e.add("search", Warning, "doctor.search.late", "doctor.search.building.remedy", "n", waiting-1)
	default:
		e.add("search", OK, "doctor.search.ok", "", "n", waiting)
	}
	return nil
}
