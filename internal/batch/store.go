package batch

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Get reads a batch. It is NotFound for anybody but who asked for it.
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (Batch, error) {
	b := Batch{ID: id, Account: by.Account}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var change string
		var started, ended int64
		err := tx.QueryRow(ctx, `SELECT change, started_at, ended_at FROM batch WHERE tenant_id = $1 AND batch_id = $2 AND account_id = $3`, by.Tenant, id, by.Account).Scan(&change, &started, &ended)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "error.not_found")
		}
		if err != nil {
			return fmt.Errorf("batch: read: %w", err)
		}
		if err := json.Unmarshal([]byte(change), &b.Change); err != nil {
			return fmt.Errorf("batch %d: %w", id, err)
		}
		b.Started, b.Ended = sqldb.Time(started), sqldb.Time(ended)
		b.Items, err = items(ctx, tx, by.Tenant, id)
		return err
	})
	return b, err
}

func items(ctx context.Context, tx *sqldb.Tx, tenant, id int64) ([]Item, error) {
	rows, err := tx.Query(ctx, `SELECT incident_id, outcome, version, reason FROM batch_item WHERE tenant_id = $1 AND batch_id = $2 ORDER BY item_id`, tenant, id)
	if err != nil {
		return nil, fmt.Errorf("batch: items: %w", err)
	}
	defer rows.Close()
	var all []Item
	for rows.Next() {
		var i Item
		var reason string
		if err := rows.Scan(&i.Incident, &i.Outcome, &i.Version, &reason); err != nil {
			return nil, fmt.Errorf("batch: items: %w", err)
		}
		if reason != "" {
			var why why
			if err := json.Unmarshal([]byte(reason), &why); err != nil {
				return nil, fmt.Errorf("batch %d: %w", id, err)
			}
			i.Reason = why.refusal()
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

// why is a refusal as it is kept: what can be said again in any language.
type why struct {
	Code   fault.Code     `json:"code"`
	Key    string         `json:"key"`
	Args   map[string]any `json:"args,omitempty"`
	Fields []fault.Field  `json:"fields,omitempty"`
}

func (w why) refusal() *fault.Error {
	return &fault.Error{Code: w.Code, Key: w.Key, Args: w.Args, Fields: w.Fields}
}

// note keeps what became of one incident.
func (s *Service) note(ctx context.Context, tenant, id int64, i Item) error {
	reason := ""
	if i.Reason != nil {
		said, err := json.Marshal(why{i.Reason.Code, i.Reason.Key, i.Reason.Args, i.Reason.Fields})
		if err != nil {
			return err
		}
		reason = string(said)
	}
	return s.db.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE batch_item SET outcome = $4, version = $5, reason = $6 WHERE tenant_id = $1 AND batch_id = $2 AND incident_id = $3`,
			tenant, id, i.Incident, string(i.Outcome), i.Version, reason)
		return err
	})
}

func (s *Service) end(ctx context.Context, tenant, id int64) error {
	return s.db.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE batch SET ended_at = $3 WHERE tenant_id = $1 AND batch_id = $2`, tenant, id, sqldb.Millis(sqldb.Now()))
		return err
	})
}
