package attachment

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

var columns = []string{
	"tenant_id", "attachment_id", "sha256", "size", "type", "name", "width", "height", "thumb_sha256", "thumb_width", "thumb_height",
	"put_by_kind", "put_by_id", "put_at", "incident_id", "internal", "removed_at", "removed_kind", "removed_id", "purged_at",
}

var selectAttachment = "SELECT " + strings.Join(columns[1:], ", ") + " FROM attachment WHERE tenant_id = $1"

func (a *Attachment) row(tenant int64) []any {
	return []any{
		tenant, a.ID, a.SHA256, a.Size, string(a.Type), a.Name, a.Width, a.Height, a.Thumb.SHA256, a.Thumb.Width, a.Thumb.Height,
		a.By.Kind, a.By.ID, sqldb.Millis(a.At), a.Incident, sqldb.Flag(a.Internal), sqldb.Millis(a.RemovedAt), a.RemovedBy.Kind, a.RemovedBy.ID, sqldb.Millis(a.PurgedAt),
	}
}

// query reads attachments of a tenant under a further condition.
func query(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]Attachment, error) {
	rows, err := tx.Query(ctx, selectAttachment+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("attachment: query: %w", err)
	}
	defer rows.Close()
	var all []Attachment
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

func scan(rows *sql.Rows) (Attachment, error) {
	var a Attachment
	var put, removed, purged, internal int64
	err := rows.Scan(&a.ID, &a.SHA256, &a.Size, &a.Type, &a.Name, &a.Width, &a.Height, &a.Thumb.SHA256, &a.Thumb.Width, &a.Thumb.Height,
		&a.By.Kind, &a.By.ID, &put, &a.Incident, &internal, &removed, &a.RemovedBy.Kind, &a.RemovedBy.ID, &purged)
	if err != nil {
		return a, fmt.Errorf("attachment: scan: %w", err)
	}
	a.At, a.RemovedAt, a.PurgedAt, a.Internal = sqldb.Time(put), sqldb.Time(removed), sqldb.Time(purged), internal != 0
	return a, nil
}

// load reads attachments by number; missing ones are absent. End
// is the end of the statement.
func load(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64, end ...string) (map[int64]*Attachment, error) {
	found := make(map[int64]*Attachment, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	args := []any{tenant}
	var marks strings.Builder
	for k, id := range ids {
		args = append(args, id)
		if k > 0 {
			marks.WriteByte(',')
		}
		marks.WriteString("$" + strconv.Itoa(k+2))
	}
	all, err := query(ctx, tx, " AND attachment_id IN ("+marks.String()+")"+strings.Join(end, ""), args...)
	for k := range all {
		found[all[k].ID] = &all[k]
	}
	return found, err
}

func save(ctx context.Context, tx *sqldb.Tx, tenant int64, all []*Attachment) error {
	rows := make([][]any, len(all))
	for k, a := range all {
		rows[k] = a.row(tenant)
	}
	return tx.Upsert(ctx, "attachment", columns[:2], columns, rows)
}

// Projection rebuilds what is known of attachments from the journal. Their
// contents are not in it.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "attachment", Subjects: []string{Subject}, Tables: []string{"attachment"}, Apply: apply}
}

// apply folds events, in the journal's order, into the table.
func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for part := range parts(events) {
		tenant := part[0].Tenant
		var ids []int64
		for k := range part {
			ids = append(ids, part[k].Subject.ID)
		}
		state, err := load(ctx, tx, tenant, ids)
		if err != nil {
			return err
		}
		for k := range part {
			if err := fold(state, &part[k]); err != nil {
				return err
			}
		}
		var kept []*Attachment
		for _, id := range ids {
			a := state[id]
			if a == nil {
				if _, err := tx.Exec(ctx, `DELETE FROM attachment WHERE tenant_id = $1 AND attachment_id = $2`, tenant, id); err != nil {
					return fmt.Errorf("attachment: forget: %w", err)
				}
				continue
			}
			kept = append(kept, a)
		}
		if err := save(ctx, tx, tenant, kept); err != nil {
			return err
		}
	}
	return nil
}

// parts cuts events so that a statement holds their numbers, and no attachment
// comes twice in one that keeps them.
func parts(events []journal.Event) func(func([]journal.Event) bool) {
	return func(yield func([]journal.Event) bool) {
		for len(events) > 0 {
			n := 0
			seen := map[int64]bool{}
			for n < len(events) && n < 500 && !seen[events[n].Subject.ID] {
				seen[events[n].Subject.ID] = true
				n++
			}
			if !yield(events[:n]) {
				return
			}
			events = events[n:]
		}
	}
}

// fold applies an event to the attachments by number.
func fold(state map[int64]*Attachment, e *journal.Event) error {
	var p payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return fmt.Errorf("attachment %d: event %s: %w", e.Subject.ID, e.Pos, err)
	}
	a := state[e.Subject.ID]
	if a == nil {
		a = &Attachment{ID: e.Subject.ID}
		state[a.ID] = a
	}
	switch e.Kind {
	case EventPut:
		a.SHA256, a.Size, a.Type, a.Name, a.Width, a.Height = p.SHA256, p.Size, p.Type, p.Name, p.Width, p.Height
		if p.Thumb != nil {
			a.Thumb = *p.Thumb
		}
		a.By, a.At = e.Actor, e.At
	case EventAttached:
		a.Incident, a.Internal = p.Incident, p.Internal
	case EventRemoved:
		a.RemovedAt, a.RemovedBy = e.At, e.Actor
	case EventPurged:
		a.PurgedAt = e.At
	case EventForgotten:
		delete(state, e.Subject.ID)
	}
	return nil
}
