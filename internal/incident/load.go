package incident

import (
	"context"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Loads counts the open incidents that some people of the unit have; nobody is
// absent from the answer who has one.
func (s *Service) Loads(ctx context.Context, scope auth.Scope, people []int64) (map[int64]int, error) {
	loads := make(map[int64]int, len(people))
	if len(people) == 0 || !scope.All() {
		return loads, nil
	}
	args := []any{scope.Tenant()}
	for _, id := range people {
		args = append(args, id)
	}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT assignee_id, count(*) FROM incident WHERE tenant_id = $1 AND state IN ('new', 'assigned', 'planned', 'waiting')
			AND assignee_id IN (`+marks(2, len(people))+`) GROUP BY assignee_id`, args...)
		if err != nil {
			return fmt.Errorf("incident: loads: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var n int
			if err := rows.Scan(&id, &n); err != nil {
				return err
			}
			loads[id] = n
		}
		return rows.Err()
	})
	return loads, err
}

// OpenedSince reads the incidents in scope that were declared since an
// instant, the newest first, most at most.
func (s *Service) OpenedSince(ctx context.Context, scope auth.Scope, since time.Time, most int) ([]Incident, error) {
	if scope.Nothing() {
		return nil, nil
	}
	cond, args := scope.SQL("school_id", "declarant_id", 4)
	var all []Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = query(ctx, tx, " AND opened_at >= $2 AND "+cond+" ORDER BY opened_at DESC, incident_id DESC LIMIT $3",
			append([]any{scope.Tenant(), sqldb.Millis(since), most}, args...)...)
		return err
	})
	return all, err
}
