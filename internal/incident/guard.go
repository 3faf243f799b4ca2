package incident

import (
	"context"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Guard holds an action back for a reason that another room knows (a mandatory
// item of a check-list that is not done): what it returns is the refusal. It
// runs inside the command's transaction, may run again with it, and only
// reads. Before and after must not be changed.
type Guard func(ctx context.Context, tx *sqldb.Tx, by auth.Identity, action Action, before, after *Incident) error

// Guard adds a guard to every action that somebody takes; imported histories
// pass without it. To be called before the first command.
func (s *Service) Guard(g Guard) { s.guards = append(s.guards, g) }

func (s *Service) guarded(ctx context.Context, tx *sqldb.Tx, by auth.Identity, action Action, before, after *Incident) error {
	for _, g := range s.guards {
		if err := g(ctx, tx, by, action, before, after); err != nil {
			return err
		}
	}
	return nil
}
