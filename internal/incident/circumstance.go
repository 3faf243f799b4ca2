package incident

import (
	"context"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Circumstance is what the statistics need of an incident beside its columns in
// the cube.
type Circumstance struct {
	ID       int64
	Occurred time.Time // when it happened, before it was declared
	Parent   int64     // the main incident that it is a part of, 0 if none
}

// Circumstances calls fn with every incident that happened before it was
// declared or is a part of another one. It reads the whole table: for the
// night's work, on behalf of a reader who sees everything.
func (s *Service) Circumstances(ctx context.Context, scope auth.Scope, fn func(Circumstance)) error {
	if !scope.All() {
		return fault.New(fault.Forbidden, "error.forbidden")
	}
	return s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `/* whole */ SELECT incident_id, occurred_at, parent_id FROM incident
			WHERE tenant_id = $1 AND (parent_id <> 0 OR occurred_at > 0 AND occurred_at < opened_at)`, scope.Tenant())
		if err != nil {
			return fmt.Errorf("incident: circumstances: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var c Circumstance
			var occurred int64
			if err := rows.Scan(&c.ID, &occurred, &c.Parent); err != nil {
				return fmt.Errorf("incident: circumstances: %w", err)
			}
			c.Occurred = sqldb.Time(occurred)
			fn(c)
		}
		return rows.Err()
	})
}
