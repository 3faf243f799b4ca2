package incident

import (
	"context"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Outcome is what a change would do to one incident.
type Outcome struct {
	Incident Incident // as it stands; only its ID if it is not seen
	After    Incident
	Changes  []Field // what would change
	Nothing  bool    // everything asked is already so
	Err      error   // why it would be refused
}

// Preview tells what the same change would do to each of some incidents,
// judged as Act would and without writing anything, in the order of ids. The
// change's own Incident and Base are not looked at.
func (s *Service) Preview(ctx context.Context, by auth.Identity, ids []int64, c Change) ([]Outcome, error) {
	c.Set.clean()
	c.Comment = text(c.Comment)
	check, err := s.checker(ctx, by, sqldb.Now())
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(ids))
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		wanted := slices.Clone(ids)
		for _, other := range []*int64{c.Set.MergedInto, c.Set.Parent} {
			if other != nil && *other != 0 {
				wanted = append(wanted, *other)
			}
		}
		found, err := load(ctx, tx, by.Tenant, wanted)
		if err != nil {
			return err
		}
		for k, id := range ids {
			o := Outcome{Incident: Incident{ID: id}}
			if i := found[id]; i != nil && i.SeenBy(by.Scope()) {
				o.Incident = *i
			}
			one, judge := c, *check
			one.Incident, one.Base = id, 0
			d, err := s.decide(ctx, tx, &judge, one, found)
			switch {
			case err == nil:
				o.After, o.Nothing, o.Changes = d.after, d.nothing, d.payload.Set.Fields()
			case fault.CodeOf(err) == fault.Internal:
				return err
			default:
				o.Err = err
			}
			outcomes[k] = o
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}
