package incident

import (
	"context"
	"fmt"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// These reads some incidents as they stand, for a reader of the journal that
// keeps its own picture of them; missing ones are absent. It takes no scope:
// what is made of it must keep to the scope of whoever asks.
func These(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64) (map[int64]*Incident, error) {
	return load(ctx, tx, tenant, ids)
}

// Before reads up to limit incidents with a number below one, the highest
// first, for a reader of the journal that begins. Like These it takes no scope.
func Before(ctx context.Context, tx *sqldb.Tx, tenant, below int64, limit int) ([]Incident, error) {
	return query(ctx, tx, " AND incident_id < $2 ORDER BY incident_id DESC LIMIT $3", tenant, below, limit)
}

// Attempt is a resolution that did not hold: what was done before the incident
// was reopened.
type Attempt struct {
	ResolutionCode, CauseCode int64
	Resolution                string
	Assignee                  int64
}

// Attempts gives, for incidents that were reopened, the resolutions that had
// not held, oldest first. A reopening that was taken back is none.
func Attempts(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64) (map[int64][]Attempt, error) {
	events, err := journal.OfMany(ctx, tx, tenant, Subject, ids)
	if err != nil {
		return nil, err
	}
	state := make(map[int64]*Incident, len(ids))
	attempts := make(map[int64][]Attempt, len(ids))
	for k := range events {
		id := events[k].Subject.ID
		i := state[id]
		if i == nil {
			i = &Incident{ID: id}
			state[id] = i
		}
		before := *i
		if err := i.Fold(&events[k]); err != nil {
			return nil, fmt.Errorf("incident: attempts: %w", err)
		}
		switch {
		case i.ReopenCount > before.ReopenCount:
			attempts[id] = append(attempts[id], Attempt{before.ResolutionCode, before.CauseCode, before.Resolution, before.Assignee})
		case i.ReopenCount < before.ReopenCount && len(attempts[id]) > 0:
			attempts[id] = attempts[id][:len(attempts[id])-1]
		}
	}
	return attempts, nil
}
