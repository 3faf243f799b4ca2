package journal

import (
	"context"

	"statincidents/internal/sqldb"
)

// Projection is how a context makes its state from its events. Its commands
// and its Apply write the same rows, so that state is always the fold of the
// journal: Rebuild replays every event through the projections and compares
// (or replaces) the tables.
type Projection struct {
	// Name is the context's: "incident".
	Name string
	// Subjects are the kinds of subject whose events Apply understands.
	Subjects []string
	// Tables are those that Apply alone fills: none is shared with another
	// projection, and none holds what is not in the journal.
	Tables []string
	// Apply folds events, in the journal's order, into the tables. All events
	// are of one tenant and of the projection's subjects.
	Apply func(ctx context.Context, tx *sqldb.Tx, events []Event) error
}
