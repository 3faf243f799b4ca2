package queue

import (
	"context"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// presenceLife is how long somebody counts as there after the last sign;
// screens give one every PresenceEvery.
const presenceLife = 45 * time.Second

// PresenceEvery is how often an open page says that somebody is there.
const PresenceEvery = 15 * time.Second

// Present is somebody else who has the incident open.
type Present struct {
	Account int64
	Writing bool
}

// Here notes that somebody has an incident open, writing or not, and tells who
// else has. The caller has made sure that they may see it, and shows others
// only to people of the unit.
func (s *Service) Here(ctx context.Context, by auth.Identity, incident int64, writing bool) ([]Present, error) {
	var others []Present
	now := sqldb.Now()
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Upsert(ctx, "incident_presence", []string{"tenant_id", "incident_id", "account_id"}, []string{"tenant_id", "incident_id", "account_id", "writing", "until_at"},
			[][]any{{by.Tenant, incident, by.Account, sqldb.Flag(writing), sqldb.Millis(now.Add(presenceLife))}})
	})
	if err == nil {
		err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			others = nil
			rows, err := tx.Query(ctx, `SELECT account_id, writing FROM incident_presence WHERE tenant_id = $1 AND incident_id = $2 AND account_id <> $3 AND until_at > $4 ORDER BY account_id LIMIT 20`, by.Tenant, incident, by.Account, sqldb.Millis(now))
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var p Present
				var writing int64
				if err := rows.Scan(&p.Account, &writing); err != nil {
					return err
				}
				p.Writing = writing != 0
				others = append(others, p)
			}
			return rows.Err()
		})
	}
	if err != nil {
		return nil, fmt.Errorf("queue: presence: %w", err)
	}
	return others, nil
}

// Gone notes that somebody has closed an incident's page.
func (s *Service) Gone(ctx context.Context, by auth.Identity, incident int64) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM incident_presence WHERE tenant_id = $1 AND incident_id = $2 AND account_id = $3`, by.Tenant, incident, by.Account)
		return err
	})
	if err != nil {
		return fmt.Errorf("queue: presence: %w", err)
	}
	return nil
}
