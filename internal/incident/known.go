package incident

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/sqldb"
)

// Known is what somebody who declares in a school may learn of an incident
// that is open there, whoever declared it: enough to say "I have it too", and
// nothing that names a person or tells the story.
type Known struct {
	ID        int64 // to say "I have it too"; opens nothing to who does not see the incident
	Title     string
	Room      int64 // 0 when of the whole school, or not said
	State     State
	PlannedAt time.Time // when work is planned; zero if it is not
	Category  int64
	Same      Sameness
}

// Sameness is what a known incident has in common with a declaration.
type Sameness int

// From the weakest to the strongest.
const (
	SameMatter        Sameness = iota + 1 // the same kind of thing, elsewhere in the school
	SameRoom                              // something else in the room
	SameRoomAndMatter                     // the same kind of thing in the room, or in the whole school
	SameMachine                           // the machine itself
)

// About is what a declaration is going to say, as far as it is known.
type About struct {
	School, Room, Category int64
	Machine                string
}

// How far back open incidents are looked for, how far when only the matter is
// the same, and how many are shown.
const (
	knownWithin  = 180 * 24 * time.Hour
	matterWithin = 21 * 24 * time.Hour
	maxKnown     = 4
)

// KnownAt lists the open incidents that a declaration may repeat, the most
// alike first. It has a scope of its own, narrower in what it tells and wider
// in which incidents: those of a school where the reader may declare. Of any
// other school nothing is known.
func (s *Service) KnownAt(ctx context.Context, by auth.Identity, a About, now time.Time) ([]Known, error) {
	if a.School == 0 || !by.MayDeclareIn(a.School) {
		return nil, nil
	}
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	var open []Incident
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		open, err = query(ctx, tx, " AND school_id = $2 AND opened_at > $3 AND state IN ('new', 'assigned', 'planned', 'waiting') ORDER BY opened_at DESC LIMIT 500",
			by.Tenant, a.School, sqldb.Millis(now.Add(-knownWithin)))
		return err
	})
	if err != nil {
		return nil, err
	}
	var known []Known
	for k := range open {
		i := &open[k]
		same := a.same(i, words)
		if same == 0 || same == SameMatter && i.OpenedAt.Before(now.Add(-matterWithin)) {
			continue
		}
		known = append(known, Known{ID: i.ID, Title: i.Title, Room: i.Room, State: i.State, PlannedAt: i.PlannedAt, Category: i.Category, Same: same})
	}
	slices.SortStableFunc(known, func(x, y Known) int { return cmp.Compare(y.Same, x.Same) })
	return known[:min(len(known), maxKnown)], nil
}

// same tells how much an open incident is like what is being declared.
func (a About) same(i *Incident, words *catalog.Index) Sameness {
	machine := a.Machine != "" && strings.EqualFold(line(a.Machine), i.Machine)
	room := a.Room != 0 && i.Room == a.Room
	matter := a.Category != 0 && i.Category != 0 && words.Path(a.Category) != nil && words.Path(i.Category) != nil && words.Path(a.Category)[0] == words.Path(i.Category)[0]
	switch {
	case machine:
		return SameMachine
	case matter && (room || i.Room == 0):
		return SameRoomAndMatter
	case room:
		return SameRoom
	case matter:
		return SameMatter
	}
	return 0
}

// RecentRooms lists the rooms of a school where the reader declared lately,
// the last one first.
func (s *Service) RecentRooms(ctx context.Context, by auth.Identity, school int64, most int) ([]int64, error) {
	if by.Person == 0 {
		return nil, nil
	}
	var rooms []int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rooms = rooms[:0]
		rows, err := tx.Query(ctx, `SELECT room_id, max(opened_at) AS last FROM incident
			WHERE tenant_id = $1 AND declarant_id = $2 AND declarant_id <> 0 AND school_id = $3 AND room_id <> 0 GROUP BY room_id ORDER BY last DESC, room_id LIMIT $4`,
			by.Tenant, by.Person, school, most)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var room, last int64
			if err := rows.Scan(&room, &last); err != nil {
				return err
			}
			rooms = append(rooms, room)
		}
		return rows.Err()
	})
	return rooms, err
}

// Repeats tells whether the reader has already declared something under an
// idempotency key: what is sent again is not asked about again.
func (s *Service) Repeats(ctx context.Context, by auth.Identity, key string) (bool, error) {
	if key == "" || len(key) > MaxKey {
		return false, nil
	}
	var id int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		id, _, err = seenKey(ctx, tx, by, key)
		return err
	})
	return id != 0, err
}

// ByDeclarant lists what somebody declared, the last first, as far as the
// scope goes: the calls that a caller made before.
func (s *Service) ByDeclarant(ctx context.Context, scope auth.Scope, person int64, most int) ([]Incident, error) {
	if person == 0 {
		return nil, nil
	}
	return s.some(ctx, scope, " AND declarant_id = $2 ORDER BY opened_at DESC, incident_id DESC LIMIT $3", scope.Tenant(), person, most)
}

// OpenAt lists what is open in a school, the last first, as far as the scope
// goes.
func (s *Service) OpenAt(ctx context.Context, scope auth.Scope, school int64, most int) ([]Incident, error) {
	if school == 0 {
		return nil, nil
	}
	return s.some(ctx, scope, " AND school_id = $2 AND state IN ('new', 'assigned', 'planned', 'waiting') ORDER BY opened_at DESC, incident_id DESC LIMIT $3", scope.Tenant(), school, most)
}

func (s *Service) some(ctx context.Context, scope auth.Scope, condition string, args ...any) ([]Incident, error) {
	var all []Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = query(ctx, tx, condition, args...)
		return err
	})
	return slices.DeleteFunc(all, func(i Incident) bool { return !i.SeenBy(scope) }), err
}
