package directory

import (
	"context"
	"fmt"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// The Ensure commands make sure, in one transaction, that things exist, and
// give their identifiers. What is already there is left as it is; only what is
// new makes an event. They serve imports and the demonstration.

// ensure creates what is missing of a list. key tells things apart; known
// holds those that exist; create numbers one and makes its event.
func ensure[K comparable, T any](ctx context.Context, tx *sqldb.Tx, tenant int64, subject string, in []T, known map[K]int64,
	key func(T) K, create func(T, int64) change,
) ([]change, error) {
	var missing []T
	seen := map[K]bool{}
	for _, item := range in {
		k := key(item)
		if _, ok := known[k]; ok || seen[k] {
			continue
		}
		seen[k] = true
		missing = append(missing, item)
	}
	if len(missing) == 0 {
		return nil, nil
	}
	first, err := tx.NextIDs(ctx, tenant, subject, int64(len(missing)))
	if err != nil {
		return nil, err
	}
	changes := make([]change, len(missing))
	for i, item := range missing {
		id := first + int64(i)
		known[key(item)] = id
		changes[i] = create(item, id)
	}
	return changes, nil
}

// tidyAll tidies and checks a list; the first refusal says which item it is.
func tidyAll[T any](in []T, tidy func(T) T, check func(T) error) ([]T, error) {
	out := make([]T, len(in))
	for i, item := range in {
		out[i] = tidy(item)
		if err := check(out[i]); err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return out, nil
}

// EnsureSchools makes sure that schools exist and gives the identifier of each
// UAI asked for. IDs in the input are ignored; a missing name is the UAI.
func (s *Service) EnsureSchools(ctx context.Context, by auth.Identity, in []School) (map[string]int64, error) {
	list, err := tidyAll(in, School.tidy, School.check)
	if err != nil {
		return nil, err
	}
	var known map[string]int64
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		known = map[string]int64{}
		err := each(ctx, tx, `SELECT uai, school_id FROM school WHERE tenant_id = $1`, []any{by.Tenant}, func(scan func(...any) error) error {
			var uai string
			var id int64
			err := scan(&uai, &id)
			known[uai] = id
			return err
		})
		if err != nil {
			return nil, err
		}
		return ensure(ctx, tx, by.Tenant, SubjectSchool, list, known, func(s School) string { return s.UAI }, func(s School, id int64) change {
			s.ID = id
			return s.saved()
		})
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(in))
	for i, s := range in {
		out[s.UAI] = known[list[i].UAI]
	}
	return out, nil
}

// EnsureRooms makes sure that rooms exist and gives the identifier of each
// (school, name) asked for.
func (s *Service) EnsureRooms(ctx context.Context, by auth.Identity, in []Room) (map[RoomKey]int64, error) {
	list, err := tidyAll(in, Room.tidy, Room.check)
	if err != nil {
		return nil, err
	}
	var known map[RoomKey]int64
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		ids, err := knownIDs(ctx, tx, `SELECT school_id FROM school WHERE tenant_id = $1`, by.Tenant)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if !ids[r.School] {
				return nil, fault.InvalidField("school", "error.directory.school_not_found")
			}
		}
		stored, err := rooms(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		known = make(map[RoomKey]int64, len(stored)+len(list))
		for _, r := range stored {
			known[RoomKey{r.School, r.Name}] = r.ID
		}
		return ensure(ctx, tx, by.Tenant, SubjectRoom, list, known, func(r Room) RoomKey { return RoomKey{r.School, r.Name} }, func(r Room, id int64) change {
			r.ID = id
			return r.saved()
		})
	})
	if err != nil {
		return nil, err
	}
	out := make(map[RoomKey]int64, len(in))
	for i, r := range in {
		out[RoomKey{r.School, r.Name}] = known[RoomKey{r.School, list[i].Name}]
	}
	return out, nil
}

// EnsurePeople makes sure that people exist, told apart by their External key,
// and gives the identifier of each key asked for. A missing name is the key.
func (s *Service) EnsurePeople(ctx context.Context, by auth.Identity, in []Person) (map[string]int64, error) {
	list, err := tidyAll(in, Person.tidy, func(p Person) error {
		if p.External == "" {
			return fault.InvalidField("external", "error.field.required")
		}
		return p.check()
	})
	if err != nil {
		return nil, err
	}
	var known map[string]int64
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		ids, err := knownIDs(ctx, tx, `SELECT school_id FROM school WHERE tenant_id = $1`, by.Tenant)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			if p.School != 0 && !ids[p.School] {
				return nil, fault.InvalidField("school", "error.directory.school_not_found")
			}
		}
		known = map[string]int64{}
		err = each(ctx, tx, `SELECT external, person_id FROM person WHERE tenant_id = $1 AND external <> ''`, []any{by.Tenant}, func(scan func(...any) error) error {
			var key string
			var id int64
			err := scan(&key, &id)
			known[key] = id
			return err
		})
		if err != nil {
			return nil, err
		}
		return ensure(ctx, tx, by.Tenant, SubjectPerson, list, known, func(p Person) string { return p.External }, func(p Person, id int64) change {
			p.ID = id
			return p.saved()
		})
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(in))
	for i, p := range in {
		out[p.External] = known[list[i].External]
	}
	return out, nil
}

// EnsureTeams makes sure that teams exist and gives the identifier of each
// name asked for.
func (s *Service) EnsureTeams(ctx context.Context, by auth.Identity, names []string) (map[string]int64, error) {
	in := make([]Team, len(names))
	for i, name := range names {
		in[i] = Team{Name: name}
	}
	list, err := tidyAll(in, func(t Team) Team { t.Name = clean(t.Name); return t }, Team.check)
	if err != nil {
		return nil, err
	}
	var known map[string]int64
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := teams(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		known = make(map[string]int64, len(stored)+len(list))
		for _, t := range stored {
			known[t.Name] = t.ID
		}
		return ensure(ctx, tx, by.Tenant, SubjectTeam, list, known, func(t Team) string { return t.Name }, func(t Team, id int64) change {
			t.ID = id
			return t.saved()
		})
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(names))
	for i, name := range names {
		out[name] = known[list[i].Name]
	}
	return out, nil
}
