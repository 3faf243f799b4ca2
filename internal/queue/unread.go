package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// marked is how far back unread incidents are marked: what has not moved for
// longer is nobody's news.
const marked = 30 * 24 * time.Hour

// Mark says what an incident's page holds that somebody has not read.
type Mark string

// The marks.
const (
	Known   Mark = ""
	Unseen  Mark = "new"     // never opened
	Changed Mark = "changed" // opened, and changed since
)

// Read notes that somebody has read an incident as it stands.
func (s *Service) Read(ctx context.Context, by auth.Identity, i incident.Incident) error {
	if by.Account == 0 {
		return nil
	}
	var version int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.QueryRow(ctx, `SELECT version FROM incident_read WHERE tenant_id = $1 AND account_id = $2 AND incident_id = $3`, by.Tenant, by.Account, i.ID).Scan(&version)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err == nil && version < i.Version {
		err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.Upsert(ctx, "incident_read", []string{"tenant_id", "account_id", "incident_id"}, []string{"tenant_id", "account_id", "incident_id", "version", "read_at"},
				[][]any{{by.Tenant, by.Account, i.ID, i.Version, sqldb.Millis(sqldb.Now())}})
		})
	}
	if err != nil {
		return fmt.Errorf("queue: read: %w", err)
	}
	return nil
}

// ReadAll moves to now the instant since when somebody's unread incidents are
// marked, and gives where it was, for an undo (ReadSince).
func (s *Service) ReadAll(ctx context.Context, by auth.Identity) (was time.Time, err error) {
	if was, err = s.since(ctx, by); err != nil {
		return time.Time{}, err
	}
	return was, s.ReadSince(ctx, by, sqldb.Now())
}

// ReadSince sets the instant since when somebody's unread incidents are
// marked; one in the future is now.
func (s *Service) ReadSince(ctx context.Context, by auth.Identity, since time.Time) error {
	if now := sqldb.Now(); since.After(now) {
		since = now
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Upsert(ctx, "read_since", []string{"tenant_id", "account_id"}, []string{"tenant_id", "account_id", "since_at"}, [][]any{{by.Tenant, by.Account, sqldb.Millis(since)}})
	})
	if err != nil {
		return fmt.Errorf("queue: read since: %w", err)
	}
	return nil
}

// since is the instant since when somebody's unread incidents are marked. For
// somebody who comes for the first time that is a day ago: a list where
// everything is unread says nothing.
func (s *Service) since(ctx context.Context, by auth.Identity) (time.Time, error) {
	var at int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.QueryRow(ctx, `SELECT since_at FROM read_since WHERE tenant_id = $1 AND account_id = $2`, by.Tenant, by.Account).Scan(&at)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("queue: read since: %w", err)
	}
	now := sqldb.Now()
	if at == 0 {
		first := now.Add(-24 * time.Hour)
		return first, s.ReadSince(ctx, by, first)
	}
	if since, oldest := sqldb.Time(at), now.Add(-marked); since.After(oldest) {
		return since, nil
	}
	return now.Add(-marked), nil
}

// Marks says which incidents of a list somebody has not read; those that are
// known are left out. One read for the whole list.
func (s *Service) Marks(ctx context.Context, by auth.Identity, list []incident.Incident) (map[int64]Mark, error) {
	if by.Account == 0 || len(list) == 0 {
		return nil, nil
	}
	since, err := s.since(ctx, by)
	if err != nil {
		return nil, err
	}
	marks := map[int64]Mark{}
	args := []any{by.Tenant, by.Account}
	var places []string
	versions := map[int64]int64{}
	for k := range list {
		i := &list[k]
		if !i.UpdatedAt.After(since) {
			continue
		}
		marks[i.ID], versions[i.ID] = Unseen, i.Version
		args = append(args, i.ID)
		places = append(places, "$"+strconv.Itoa(len(args)))
	}
	if len(marks) == 0 {
		return nil, nil
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT incident_id, version FROM incident_read WHERE tenant_id = $1 AND account_id = $2 AND incident_id IN (`+strings.Join(places, ", ")+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, version int64
			if err := rows.Scan(&id, &version); err != nil {
				return err
			}
			marks[id] = Known
			if version < versions[id] {
				marks[id] = Changed
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("queue: marks: %w", err)
	}
	for id, m := range marks {
		if m == Known {
			delete(marks, id)
		}
	}
	return marks, nil
}
