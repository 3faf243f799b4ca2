package privacy

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Record is that somebody took something away.
type Record struct {
	Account  int64 // 0: by a link without an account
	What     string
	Format   string
	Question string // the filters, as the address says them
	Scope    string // the role whose reach it was
	Address  string // shortened: see Shorten
	Entries  int64
	Times    int64 // the same question within the hour counts here
	At       time.Time
}

const maxQuestion = 1000

// Shorten keeps of an address what tells a network, not a machine.
func Shorten(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil {
		port, err := netip.ParseAddrPort(address)
		if err != nil {
			return ""
		}
		at = port.Addr()
	}
	bits := 24
	if at = at.Unmap(); at.Is6() {
		bits = 48
	}
	p, err := at.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// Note keeps that something was taken away. The doors call it in one place.
func (s *Service) Note(ctx context.Context, by auth.Identity, r Record) error {
	if q := []rune(r.Question); len(q) > maxQuestion {
		r.Question = string(q[:maxQuestion])
	}
	now := sqldb.Now()
	hour := now.Unix() / 3600
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE export_record SET times = times + 1, entries = entries + $8, last_at = $9
			WHERE tenant_id = $1 AND hour = $2 AND account_id = $3 AND what = $4 AND format = $5 AND question = $6 AND address = $7`,
			s.tenant, hour, by.Account, r.What, r.Format, r.Question, Shorten(r.Address), r.Entries, sqldb.Millis(now))
		if err != nil || n > 0 {
			return err
		}
		id, err := tx.NextIDs(ctx, s.tenant, "export_record", 1)
		if err != nil {
			return err
		}
		return tx.Insert(ctx, "export_record", []string{"tenant_id", "record_id", "account_id", "person_id", "door", "what", "format", "question", "scope", "address", "entries", "times", "hour", "first_at", "last_at"},
			[][]any{{s.tenant, id, by.Account, by.Person, "web", r.What, r.Format, r.Question, string(by.Role), Shorten(r.Address), r.Entries, int64(1), hour, sqldb.Millis(now), sqldb.Millis(now)}}, "")
	})
	if err != nil {
		return fmt.Errorf("privacy: note an export: %w", err)
	}
	return nil
}

// Records lists what was taken away, the latest first; account 0 is anybody.
func (s *Service) Records(ctx context.Context, by auth.Identity, account int64, limit int) ([]Record, error) {
	if err := s.mayManage(by); err != nil {
		return nil, err
	}
	var list []Record
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT account_id, what, format, question, scope, address, entries, times, last_at FROM export_record
			WHERE tenant_id = $1 AND ($2 = 0 OR account_id = $2) ORDER BY record_id DESC LIMIT $3`, s.tenant, account, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Record
			var at int64
			if err := rows.Scan(&r.Account, &r.What, &r.Format, &r.Question, &r.Scope, &r.Address, &r.Entries, &r.Times, &at); err != nil {
				return err
			}
			r.At = sqldb.Time(at)
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}
