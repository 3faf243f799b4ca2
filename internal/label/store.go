package label

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// event makes one event.
func (s *Service) event(by auth.Identity, subject string, id, school int64, kind string, at time.Time, payload any) (journal.Event, error) {
	data, err := json.Marshal(payload)
	if err != nil {
		return journal.Event{}, fmt.Errorf("label: write %s: %w", kind, err)
	}
	return journal.Event{Tenant: s.tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: subject, ID: id}, School: school, Kind: kind, Data: data}, nil
}

// record applies events of labels to the table and writes them.
func (s *Service) record(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := apply(ctx, tx, events); err != nil {
		return err
	}
	return s.Journal.Append(ctx, tx, events...)
}

// Projection rebuilds the labels from the journal. Reports, codes and tallies
// are not in it: they hold addresses, and what keeps strangers out.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "label", Subjects: []string{Subject}, Tables: []string{"label"}, Apply: apply}
}

func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	state := map[int64]int{}
	var rows [][]any
	for k := range events {
		e := &events[k]
		var l Label
		if err := json.Unmarshal(e.Data, &l); err != nil {
			return fmt.Errorf("label: read event %s at %s: %w", e.Kind, e.Pos, err)
		}
		row := []any{e.Tenant, l.ID, l.School, l.Room, l.Machine, sqldb.Millis(l.MadeAt), sqldb.Millis(l.RevokedAt)}
		if at, ok := state[l.ID]; ok {
			rows[at] = row
			continue
		}
		state[l.ID] = len(rows)
		rows = append(rows, row)
	}
	return tx.Upsert(ctx, "label", []string{"tenant_id", "label_id"},
		[]string{"tenant_id", "label_id", "school_id", "room_id", "machine_label", "made_at", "revoked_at"}, rows)
}

const selectLabel = `SELECT label_id, school_id, room_id, machine_label, made_at, revoked_at FROM label WHERE tenant_id = $1`

func query(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]Label, error) {
	rows, err := tx.Query(ctx, selectLabel+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("label: %w", err)
	}
	defer rows.Close()
	var all []Label
	for rows.Next() {
		var l Label
		var made, revoked int64
		if err := rows.Scan(&l.ID, &l.School, &l.Room, &l.Machine, &made, &revoked); err != nil {
			return nil, fmt.Errorf("label: %w", err)
		}
		l.MadeAt, l.RevokedAt = sqldb.Time(made), sqldb.Time(revoked)
		all = append(all, l)
	}
	return all, rows.Err()
}

func (s *Service) read(ctx context.Context, condition string, args ...any) ([]Label, error) {
	var all []Label
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = query(ctx, tx, condition, append([]any{s.tenant}, args...)...)
		return err
	})
	return all, err
}

func one(all []Label, err error) (Label, error) {
	if err != nil || len(all) == 0 {
		return Label{}, err
	}
	return all[0], nil
}

// byID is the zero Label when there is none.
func byID(ctx context.Context, tx *sqldb.Tx, tenant, id int64) (Label, error) {
	return one(query(ctx, tx, " AND label_id = $2", tenant, id))
}

// liveAt is the label of a place whose link works, zero if there is none.
func liveAt(ctx context.Context, tx *sqldb.Tx, tenant int64, p Place) (Label, error) {
	return one(query(ctx, tx, " AND school_id = $2 AND room_id = $3 AND machine_label = $4 AND revoked_at = 0 ORDER BY label_id LIMIT 1", tenant, p.School, p.Room, p.Machine))
}
