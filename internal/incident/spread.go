package incident

import (
	"context"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// MaxSpread is how many schools a main incident reaches at once.
const MaxSpread = 200

// Spread makes an open incident the main one of a mass incident: in each of
// some schools where it has no part yet, an incident of the same words and
// gravity, with the same people on it, that is a part of it. Its referents and
// principal see theirs. It gives the new parts.
func (s *Service) Spread(ctx context.Context, by auth.Identity, id int64, schools []int64) ([]Incident, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return nil, err
	}
	if len(schools) == 0 {
		return nil, fault.InvalidField("schools", "error.field.required")
	}
	if len(schools) > MaxSpread {
		return nil, fault.InvalidField("schools", "error.field.too_many", "max", MaxSpread)
	}
	at := sqldb.Now()
	check, err := s.checker(ctx, by, at)
	if err != nil {
		return nil, err
	}
	for _, school := range schools {
		if _, ok := check.places.School(school); !ok || !by.MayDeclareIn(school) {
			return nil, fault.InvalidField("schools", "error.field.unknown")
		}
	}
	var made []Incident
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		made = nil
		found, err := s.hold(ctx, tx, by.Tenant, id)
		if err != nil {
			return err
		}
		main := found[id]
		switch {
		case main == nil || !main.SeenBy(by.Scope()):
			return notFound()
		case !main.State.Open():
			return fault.New(fault.Conflict, "error.incident.not_open", "state", string(main.State))
		case main.Parent != 0:
			return fault.InvalidField("schools", "error.incident.parent_is_child", "number", main.Parent)
		}
		parts, err := query(ctx, tx, " AND parent_id = $2 AND parent_id <> 0 AND state <> 'merged' AND state <> 'cancelled'", by.Tenant, id)
		if err != nil {
			return err
		}
		reached := []int64{main.School}
		for k := range parts {
			reached = append(reached, parts[k].School)
		}
		var fresh []*Incident
		for _, school := range schools {
			if slices.Contains(reached, school) {
				continue
			}
			reached = append(reached, school)
			part := Incident{
				State: New, Title: main.Title, Description: main.Description, School: school, Network: main.Network, Category: main.Category,
				Impact: main.Impact, Urgency: main.Urgency, Priority: main.Priority, Declarant: by.Person, Assignee: main.Assignee, Team: main.Team,
				Origin: main.Origin, Parent: main.ID, OccurredAt: main.OccurredAt, OpenedAt: at,
			}
			if part.Assignee != 0 {
				part.State = Assigned
			}
			fresh = append(fresh, &part)
		}
		if len(fresh) == 0 {
			return nil
		}
		first, err := tx.NextIDs(ctx, by.Tenant, Subject, int64(len(fresh)))
		if err != nil {
			return err
		}
		var events []journal.Event
		for n, part := range fresh {
			part.ID = first + int64(n)
			set, was := Diff(&Incident{}, part)
			e, err := event(by, part, EventDeclared, at, Payload{Set: set, Was: was, Other: main.ID})
			if err != nil {
				return err
			}
			events = append(events, e)
			made = append(made, *part)
		}
		if err := save(ctx, tx, by.Tenant, s.loc, fresh); err != nil {
			return err
		}
		return s.j.Append(ctx, tx, events...)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}
