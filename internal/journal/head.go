package journal

import (
	"context"

	"statincidents/internal/sqldb"
)

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
