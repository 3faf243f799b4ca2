package incident

import (
	"context"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// judged runs a command's transaction with a judge of its own: Write may run
// it again.
func (s *Service) judged(ctx context.Context, by auth.Identity, fn func(ctx context.Context, tx *sqldb.Tx, judge *checker, at time.Time) (Incident, error)) (Incident, error) {
	at := sqldb.Now()
	check, err := s.checker(ctx, by, at)
	if err != nil {
		return Incident{}, err
	}
	var out Incident
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		judge := *check
		var err error
		out, err = fn(ctx, tx, &judge, at)
		return err
	})
	if err != nil {
		return Incident{}, err
	}
	return out, nil
}

// locked reads an incident once the commands on it have had their turn; nil if
// there is none. Whoever asks, scope is for the caller to judge.
func locked(ctx context.Context, tx *sqldb.Tx, tenant, id int64) (*Incident, error) {
	if err := lock(ctx, tx, tenant, lockName(id)); err != nil {
		return nil, err
	}
	found, err := load(ctx, tx, tenant, []int64{id})
	return found[id], err
}
