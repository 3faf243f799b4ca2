package mailin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/sqldb"
)

// Cursor is how far a mailbox was read: every message up to UID was looked at,
// as long as the server's UIDValidity is the same. The zero Cursor is of a
// mailbox that was never read.
type Cursor struct {
	UIDValidity, UID uint32
	Backlog          int // messages seen on the server and not kept yet
	UpdatedAt        time.Time
}

// Cursor gives how far a mailbox was read.
func (s *Service) Cursor(ctx context.Context, box string) (Cursor, error) {
	var c Cursor
	var at int64
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT uid_validity, uid, backlog, updated_at FROM mail_cursor WHERE tenant_id = $1 AND box = $2`, s.Tenant, box).Scan(&c.UIDValidity, &c.UID, &c.Backlog, &at)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	c.UpdatedAt = sqldb.Time(at)
	return c, err
}

// SaveCursor notes how far a mailbox was read.
func (s *Service) SaveCursor(ctx context.Context, box string, c Cursor) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO mail_cursor (tenant_id, box, uid_validity, uid, backlog, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant_id, box) DO UPDATE SET uid_validity = excluded.uid_validity, uid = excluded.uid, backlog = excluded.backlog, updated_at = excluded.updated_at`,
			s.Tenant, box, int64(c.UIDValidity), int64(c.UID), int64(c.Backlog), sqldb.Millis(sqldb.Now()))
		return err
	})
}

// Hold makes a process the one that reads a mailbox, for a while; false when
// another one is.
func (s *Service) Hold(ctx context.Context, box, holder string, d time.Duration) (bool, error) {
	now := sqldb.Now()
	var n int64
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		n, err = tx.Exec(ctx, `INSERT INTO mail_cursor (tenant_id, box, uid_validity, uid, holder, held_until, updated_at) VALUES ($1, $2, 0, 0, $3, $4, 0)
			ON CONFLICT (tenant_id, box) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
			WHERE mail_cursor.holder = excluded.holder OR mail_cursor.held_until < $5`,
			s.Tenant, box, holder, sqldb.Millis(now.Add(d)), sqldb.Millis(now))
		return err
	})
	return n > 0, err
}

// Known tells which of a mailbox's messages are kept already.
func (s *Service) Known(ctx context.Context, box string, uidValidity uint32, uids []uint32) (map[uint32]bool, error) {
	known := map[uint32]bool{}
	const most = 500
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for part := range slices.Chunk(uids, most) {
			if err := s.known(ctx, tx, box, uidValidity, part, known); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("mailin: known messages: %w", err)
	}
	return known, nil
}

func (s *Service) known(ctx context.Context, tx *sqldb.Tx, box string, uidValidity uint32, uids []uint32, known map[uint32]bool) error {
	args := []any{s.Tenant, box, int64(uidValidity)}
	marks := make([]string, len(uids))
	for i, u := range uids {
		args = append(args, int64(u))
		marks[i] = "$" + strconv.Itoa(i+4)
	}
	rows, err := tx.Query(ctx, `SELECT uid FROM mail_message WHERE tenant_id = $1 AND box = $2 AND uid_validity = $3 AND uid <> 0 AND uid IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var u uint32
		if err := rows.Scan(&u); err != nil {
			return err
		}
		known[u] = true
	}
	return rows.Err()
}

// Backlog is how many messages wait on the servers, as last seen.
func (s *Service) Backlog(ctx context.Context) (n int, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(SUM(backlog), 0) FROM mail_cursor WHERE tenant_id = $1`, s.Tenant).Scan(&n)
	})
	return n, err
}
