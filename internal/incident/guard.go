package incident

import (
	"context"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
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

// Filer is told of the files that come with a change, inside the command's
// transaction: the room that keeps them refuses those that are unknown or of
// somebody else, and notes what they belong to. Internal ones are for the unit.
type Filer func(ctx context.Context, tx *sqldb.Tx, by auth.Identity, i *Incident, attachments []int64, internal bool) error

// OnAttach sets who keeps the files. Without it every attachment is unknown.
// To be called before the first command.
func (s *Service) OnAttach(f Filer) { s.attach = f }

func (s *Service) attached(ctx context.Context, tx *sqldb.Tx, by auth.Identity, i *Incident, attachments []int64, internal bool) error {
	if len(attachments) == 0 {
		return nil
	}
	if s.attach == nil {
		return fault.InvalidField(string(FieldAttachments), "error.field.unknown")
	}
	return s.attach(ctx, tx, by, i, attachments, internal)
}
