package incident

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"

	"statincidents/internal/auth"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Text is what an incident says, and to whom.
type Text struct {
	ID                                                  int64
	Title, Description, Machine, Resolution, ExternalID string
	Comments                                            []string // public ones, oldest first
	Internal                                            []string // those for the unit only
	School, Room                                        int64
	People                                              []int64 // who sees it wherever they are: its declarant and who has it too
}

// Texts reads the texts of some incidents for a reader of the journal that
// indexes them. It takes no scope: what is made of it must keep to the scope
// of whoever asks.
func Texts(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64) ([]Text, error) {
	found, err := load(ctx, tx, tenant, ids)
	if err != nil {
		return nil, err
	}
	events, err := journal.OfMany(ctx, tx, tenant, Subject, ids)
	if err != nil {
		return nil, err
	}
	comments, internal := map[int64][]string{}, map[int64][]string{}
	for k := range events {
		e := &events[k]
		if !bytes.Contains(e.Data, []byte(`"comment"`)) {
			continue
		}
		var p Payload
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return nil, fmt.Errorf("incident %d: event %s: %w", e.Subject.ID, e.Pos, err)
		}
		switch {
		case p.Comment == "":
		case p.Internal:
			internal[e.Subject.ID] = append(internal[e.Subject.ID], p.Comment)
		default:
			comments[e.Subject.ID] = append(comments[e.Subject.ID], p.Comment)
		}
	}
	texts := make([]Text, 0, len(found))
	for _, id := range ids {
		if i := found[id]; i != nil {
			t := Text{ID: i.ID, Title: i.Title, Description: i.Description, Machine: i.Machine, Resolution: i.Resolution, ExternalID: i.ExternalID,
				Comments: comments[id], Internal: internal[id], School: i.School, Room: i.Room}
			if i.Declarant != 0 {
				t.People = append(t.People, i.Declarant)
			}
			t.People = append(t.People, i.Affected.People()...)
			texts = append(texts, t)
		}
	}
	return texts, nil
}

// NumbersAt are those of the incidents of a school, or of one of its rooms, for a reader of
// the journal that reads them again. It takes no scope.
func NumbersAt(ctx context.Context, tx *sqldb.Tx, tenant, school, room int64) ([]int64, error) {
	cond, args := "", []any{tenant, school}
	if room != 0 {
		cond, args = " AND room_id = $3", append(args, room)
	}
	return numbers(ctx, tx, "SELECT incident_id FROM incident WHERE tenant_id = $1 AND school_id = $2"+cond, args...)
}

// NumbersBelow gives up to limit numbers of incidents below one, the highest
// first; for below 0 the highest of all. It takes no scope.
func NumbersBelow(ctx context.Context, tx *sqldb.Tx, tenant, below int64, limit int) ([]int64, error) {
	if below <= 0 {
		below = math.MaxInt64
	}
	return numbers(ctx, tx, "SELECT incident_id FROM incident WHERE tenant_id = $1 AND incident_id < $2 ORDER BY incident_id DESC LIMIT $3", tenant, below, limit)
}

func numbers(ctx context.Context, tx *sqldb.Tx, query string, args ...any) ([]int64, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("incident: numbers: %w", err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Says gives the comments of some incidents that a person may read: internal
// ones to those who handle incidents only. The caller has checked that the
// person sees the incidents.
func (s *Service) Says(ctx context.Context, by auth.Identity, ids []int64) (map[int64][]string, error) {
	var texts []Text
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		texts, err = Texts(ctx, tx, by.Tenant, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	said := make(map[int64][]string, len(texts))
	for k := range texts {
		t := &texts[k]
		said[t.ID] = t.Comments
		if by.Can(auth.HandleIncident) {
			said[t.ID] = append(said[t.ID], t.Internal...)
		}
	}
	return said, nil
}
