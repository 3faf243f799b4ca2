package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Projection rebuilds the incidents from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "incident", Subjects: []string{Subject}, Tables: []string{"incident", "incident_follower", "incident_mention"}, Apply: s.apply}
}

// apply folds events, in the journal's order, into the table.
func (s *Service) apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	if len(events) == 0 {
		return nil
	}
	tenant := events[0].Tenant
	var ids []int64
	seen := map[int64]bool{}
	for k := range events {
		if id := events[k].Subject.ID; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	joined := map[int64]*Incident{}
	state, err := load(ctx, tx, tenant, ids)
	if err != nil {
		return err
	}
	for k := range events {
		i := state[events[k].Subject.ID]
		if i == nil {
			i = &Incident{ID: events[k].Subject.ID}
			state[i.ID] = i
		}
		circle := i.Affected
		if err := i.Fold(&events[k]); err != nil {
			return err
		}
		if i.Affected != circle {
			joined[i.ID] = i
		}
		called, err := mentions(&events[k])
		if err != nil {
			return err
		}
		if err := saveMentions(ctx, tx, tenant, i.ID, i.Version, events[k].At, called); err != nil {
			return err
		}
	}
	all := make([]*Incident, len(ids))
	for k, id := range ids {
		all[k] = state[id]
	}
	if err := save(ctx, tx, tenant, s.loc, all); err != nil {
		return err
	}
	return saveFollowers(ctx, tx, tenant, slices.Collect(maps.Values(joined)))
}

// Again makes the state of some incidents anew from their events, in the
// caller's transaction: what the events say was redacted.
func (s *Service) Again(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64) error {
	for part := range slices.Chunk(ids, perStatement) {
		events, err := journal.OfMany(ctx, tx, tenant, Subject, part)
		if err != nil {
			return err
		}
		args := []any{tenant}
		for _, id := range part {
			args = append(args, id)
		}
		for _, table := range []string{"incident", "incident_follower", "incident_mention"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE tenant_id = $1 AND incident_id IN ("+marks(2, len(part))+")", args...); err != nil {
				return fmt.Errorf("incident: again: %w", err)
			}
		}
		if err := s.apply(ctx, tx, events); err != nil {
			return err
		}
	}
	return nil
}

// Fold applies one of the incident's own events to it. From a zero Incident
// with its ID, folding every event gives the stored state.
func (i *Incident) Fold(e *journal.Event) error {
	var p Payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return fmt.Errorf("incident %d: event %s: %w", i.ID, e.Pos, err)
	}
	p.Set.Apply(i)
	i.stamp(e.At)
	return nil
}
