package label

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// bound is how often something may be tried within a while.
type bound struct {
	name  string
	tries int64
	per   time.Duration
}

// What is bounded. A whole school stands behind one address, and a label may
// be used by everybody who passes: the bounds are those of a bad morning.
var (
	byLabel     = bound{"label", 12, time.Hour}
	byAddress   = bound{"address", 30, time.Hour}
	byRecipient = bound{"recipient", 4, 24 * time.Hour}     // messages to one e-mail address
	codeHere    = bound{"code_here", 6, 15 * time.Minute}   // wrong codes from one address
	codeAnyone  = bound{"code_anyone", 30, 24 * time.Hour}  // wrong codes for one school from everywhere: a million codes would take ninety years
	openings    = bound{"opening", 240, 15 * time.Minute}   // pages of labels opened from one address
	confirming  = bound{"confirming", 60, 15 * time.Minute} // links of confirmation tried from one address
	following   = bound{"following", 240, 15 * time.Minute} // follow links opened from one address
)

const (
	maxWaiting = 20                 // unconfirmed reports of one label
	tallyKept  = 2 * 24 * time.Hour // longer than the longest bound
)

// key names what is counted without keeping it: addresses are personal.
func (b bound) key(what string) string {
	sum := sha256.Sum256([]byte(b.name + "\x00" + what))
	return hex.EncodeToString(sum[:16])
}

// take counts one try of each pair of bound and thing, in a transaction of its
// own, so that a refused try stays counted. A bound that is passed refuses with
// TooMany and how long to wait.
func (s *Service) take(ctx context.Context, now time.Time, what ...tried) error {
	var wait time.Duration
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		wait = 0
		for _, t := range what {
			// In one statement: two servers that count at once both count.
			var since, tries int64
			err := tx.QueryRow(ctx, `INSERT INTO label_tally (tenant_id, tally_key, since, tries) VALUES ($1, $2, $3, 1)
				ON CONFLICT (tenant_id, tally_key) DO UPDATE SET
					tries = CASE WHEN label_tally.since <= $4 OR label_tally.since > $3 THEN 1 ELSE label_tally.tries + 1 END,
					since = CASE WHEN label_tally.since <= $4 OR label_tally.since > $3 THEN $3 ELSE label_tally.since END
				RETURNING since, tries`,
				s.tenant, t.bound.key(t.what), sqldb.Millis(now), sqldb.Millis(now.Add(-t.bound.per))).Scan(&since, &tries)
			if err != nil {
				return err
			}
			if tries > t.bound.tries {
				wait = max(wait, t.bound.per-now.Sub(sqldb.Time(since)))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("label: count: %w", err)
	}
	if wait > 0 {
		return tooMany(wait)
	}
	return nil
}

// giveBack takes tries back that turned out to be right.
func (s *Service) giveBack(ctx context.Context, what ...tried) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, t := range what {
			if _, err := tx.Exec(ctx, `UPDATE label_tally SET tries = tries - 1 WHERE tenant_id = $1 AND tally_key = $2 AND tries > 0`, s.tenant, t.bound.key(t.what)); err != nil {
				return err
			}
		}
		return nil
	})
}

// tooMany is the refusal of a try too many.
func tooMany(wait time.Duration) error {
	return fault.New(fault.TooMany, "error.label.too_often", "seconds", int(wait.Seconds())+1, "minutes", int(wait.Minutes())+1)
}

// tried is one thing that is counted under a bound.
type tried struct {
	bound bound
	what  string
}

// fromKey groups the addresses of one subscriber.
func fromKey(address string) string { return auth.AddressKey(address) }
