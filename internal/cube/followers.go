package cube

import (
	"context"
	"fmt"

	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// followers is who sees which incidents for having joined them, beside those
// that they declared.
type followers struct {
	of map[uint32][]int64        // persons by incident
	by map[int64]map[uint32]bool // incidents by person
}

// set says who follows an incident from now on.
func (f *followers) set(id uint32, people []int64) {
	for _, person := range f.of[id] {
		if delete(f.by[person], id); len(f.by[person]) == 0 {
			delete(f.by, person)
		}
	}
	delete(f.of, id)
	if len(people) > 0 {
		f.of[id] = people
	}
	for _, person := range people {
		if f.by[person] == nil {
			f.by[person] = map[uint32]bool{}
		}
		f.by[person][id] = true
	}
}

// read fills empty followers from the database.
func (f *followers) read(ctx context.Context, tx *sqldb.Tx, tenant int64) error {
	rows, err := tx.Query(ctx, `SELECT incident_id, affected FROM incident WHERE tenant_id = $1 AND incident_id IN (SELECT incident_id FROM incident_follower WHERE tenant_id = $1)`, tenant)
	if err != nil {
		return fmt.Errorf("cube: followers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var circle incident.Circle
		if err := rows.Scan(&id, &circle); err != nil {
			return fmt.Errorf("cube: followers: %w", err)
		}
		f.set(uint32(id), circle.People())
	}
	return rows.Err()
}
