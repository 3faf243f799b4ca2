package attachment

import (
	"context"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

const (
	collectEvery = 20 * time.Minute
	unready      = 2 * time.Hour // a content that is not ready by then never will be
)

// Run collects what was never attached, until ctx ends.
func (s *Service) Run(ctx context.Context, tenant int64) error {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		if _, err := s.Collect(ctx, tenant, sqldb.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn("attachments that nobody attached could not be collected", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Collect forgets what was put more than a day before an instant and never
// attached, and what a cut left half written. It gives the number of
// attachments forgotten.
func (s *Service) Collect(ctx context.Context, tenant int64, now time.Time) (int, error) {
	var old []Attachment
	var half []int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if old, err = query(ctx, tx, " AND incident_id = 0 AND put_at < $2 ORDER BY attachment_id LIMIT 1000", tenant, sqldb.Millis(now.Add(-orphanAge))); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT content_id FROM attachment_content WHERE tenant_id = $1 AND ready = 0 AND created_at < $2`, tenant, sqldb.Millis(now.Add(-unready)))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			half = append(half, id)
		}
		return rows.Err()
	})
	if err != nil {
		return 0, err
	}
	by := auth.System(tenant).Actor()
	for k := range old {
		if err := s.purge(ctx, tenant, by, &old[k], EventForgotten); err != nil {
			return k, err
		}
	}
	s.drop(ctx, tenant, half)
	return len(old), nil
}

// Usage is what attachments take.
type Usage struct {
	Files int64 // shown or removed, not purged
	Bytes int64 // of their contents, each once
	Lost  int64 // attachments whose content is not there
}

// Usage counts what attachments take in the database.
func (s *Service) Usage(ctx context.Context, by auth.Identity) (Usage, error) {
	var u Usage
	if err := by.Require(auth.ViewSystem); err != nil {
		return u, err
	}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.QueryRow(ctx, `SELECT count(*), coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM attachment_content c WHERE c.tenant_id = a.tenant_id AND c.sha256 = a.sha256 AND c.ready = 1) THEN 0 ELSE 1 END), 0)
			FROM attachment a WHERE a.tenant_id = $1 AND a.purged_at = 0`, by.Tenant).Scan(&u.Files, &u.Lost)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT coalesce(sum(size), 0) FROM attachment_content WHERE tenant_id = $1`, by.Tenant).Scan(&u.Bytes)
	})
	return u, err
}
