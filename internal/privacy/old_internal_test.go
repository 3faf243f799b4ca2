package privacy

import (
	"context"

	"statincidents/internal/sqldb"
)

// PurgeOld takes a grave kind out at once.
func (s *Service) PurgeOld(ctx context.Context, k Kind, days int) error {
	return s.purgeOld(ctx, k, days, sqldb.Now())
}

// Flush writes what NoteOften counts.
func (s *Service) Flush(ctx context.Context) error { return s.flush(ctx) }
