package auth

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Config tunes a Service; the zero Config is right for production.
type Config struct {
	Tenant      int64         // the département, 1 if 0
	SessionIdle time.Duration // a session unused for so long ends, 12 h if 0
	SessionLife time.Duration // a session ends after so long in any case, 7 days if 0
	Log         *slog.Logger  // refused sign-ins, without the login; discarded if nil
}

// Service holds the accounts of one département, their sessions and tokens.
//
// Accounts are not rebuilt from the journal: their secrets (password and token
// hashes) are never written in it, nor their names and logins, so that a
// person can be erased. The account tables are part of the backup like the
// rest; the journal tells who changed which account's role and when.
type Service struct {
	db       *sqldb.DB
	journal  *journal.Journal
	cfg      Config
	log      *slog.Logger
	hasher   *hasher
	throttle *throttle
	settings *sqldb.Memo[Settings]

	voucher     Voucher
	provisioner Provisioner

	mu           sync.Mutex
	seenSessions map[string]time.Time // token hash → last seen, not yet in the table
	usedTokens   map[int64]time.Time  // token → last used, not yet in the table
}

// New makes the service. Run must run beside it for idle sessions to be purged
// and "last used" to be written.
func New(db *sqldb.DB, j *journal.Journal, cfg Config) *Service {
	if cfg.Tenant == 0 {
		cfg.Tenant = 1
	}
	if cfg.SessionIdle == 0 {
		cfg.SessionIdle = 12 * time.Hour
	}
	if cfg.SessionLife == 0 {
		cfg.SessionLife = 7 * 24 * time.Hour
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		db: db, journal: j, cfg: cfg, log: cfg.Log,
		hasher:       newHasher(),
		throttle:     newThrottle(),
		seenSessions: map[string]time.Time{},
		usedTokens:   map[int64]time.Time{},
	}
	s.settings = sqldb.NewMemo(db, "auth.version", s.loadSettings)
	return s
}

// flushEvery bounds how old "last seen" and "last used" may be in the tables,
// and so what a crash forgets of them.
const flushEvery = 30 * time.Second

// Run writes what was seen and used, and purges ended sessions, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		if err := s.Tidy(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("auth: tidy", "error", err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return s.Tidy(last)
		case <-tick.C:
		}
	}
}

// Tidy does once what Run does periodically.
func (s *Service) Tidy(ctx context.Context) error {
	s.mu.Lock()
	sessions, tokens := s.seenSessions, s.usedTokens
	s.seenSessions, s.usedTokens = map[string]time.Time{}, map[int64]time.Time{}
	s.mu.Unlock()
	now := sqldb.Now()
	// Look first without the writer: most ticks have nothing to do.
	ended, err := s.endedSessions(ctx, now)
	if err != nil || len(sessions)+len(tokens)+ended == 0 {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for hash, at := range sessions {
			if _, err := tx.Exec(ctx, `UPDATE session SET seen_at = $3 WHERE tenant_id = $1 AND token_hash = $2 AND seen_at < $3`,
				s.cfg.Tenant, hash, sqldb.Millis(at)); err != nil {
				return err
			}
		}
		for id, at := range tokens {
			if _, err := tx.Exec(ctx, `UPDATE api_token SET last_used_at = $3 WHERE tenant_id = $1 AND token_id = $2 AND last_used_at < $3`,
				s.cfg.Tenant, id, sqldb.Millis(at)); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `DELETE FROM session WHERE tenant_id = $1 AND (expires_at <= $2 OR seen_at <= $3)`,
			s.cfg.Tenant, sqldb.Millis(now), sqldb.Millis(now.Add(-s.cfg.SessionIdle)))
		return err
	})
	if err != nil {
		return fmt.Errorf("auth: tidy: %w", err)
	}
	return nil
}

func (s *Service) endedSessions(ctx context.Context, now time.Time) (int, error) {
	var n int
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM session WHERE tenant_id = $1 AND (expires_at <= $2 OR seen_at <= $3)`,
			s.cfg.Tenant, sqldb.Millis(now), sqldb.Millis(now.Add(-s.cfg.SessionIdle))).Scan(&n)
	})
	return n, err
}

// append writes one account event.
func (s *Service) append(ctx context.Context, tx *sqldb.Tx, by Identity, kind string, account int64, data []byte) error {
	return s.journal.Append(ctx, tx, journal.Event{
		Tenant: s.cfg.Tenant, At: sqldb.Now(), Actor: by.Actor(),
		Subject: journal.Subject{Kind: Subject, ID: account}, Kind: kind, Data: data,
	})
}

// own refuses an identity of another département.
func (s *Service) own(by Identity) error {
	if by.Tenant != s.cfg.Tenant {
		return fault.New(fault.Forbidden, "error.forbidden")
	}
	return nil
}
