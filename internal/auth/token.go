package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// TokenPrefix begins every API token, so that one left in a file is recognised.
const TokenPrefix = "statinc_"

// Token is an API token as it is listed: its secret is shown once, when made,
// and only its SHA-256 is kept (a random 256-bit secret needs no slow hash).
type Token struct {
	ID        int64
	Account   int64
	Label     string
	CreatedAt time.Time
	ExpiresAt time.Time // zero if it never does
	LastUsed  time.Time // within half a minute; zero if never
	RevokedAt time.Time // zero if in force
}

// maxTokens bounds the tokens in force of one account.
const maxTokens = 50

// CreateToken makes an API token by which programs act as an account: the
// caller's own or, with the right to manage accounts, another's. A life of 0
// never ends. The secret cannot be read again. A token survives a change of
// password and dies with its revocation or while the account is disabled.
func (s *Service) CreateToken(ctx context.Context, by Identity, account int64, label string, life time.Duration) (secret string, t Token, err error) {
	if err := s.mayToken(by, account); err != nil {
		return "", Token{}, err
	}
	var f fault.Fields
	label = strings.TrimSpace(label)
	switch {
	case label == "":
		f.Add("label", "error.auth.token.label_missing")
	case !utf8.ValidString(label) || utf8.RuneCountInString(label) > 100:
		f.Add("label", "error.auth.token.label_long", "max", 100)
	}
	if life < 0 {
		f.Add("expires", "error.auth.token.expires_past")
	}
	if err := f.Err(); err != nil {
		return "", Token{}, err
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails, says its documentation
	secret = TokenPrefix + base64.RawURLEncoding.EncodeToString(random)
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.lockAccounts(ctx, tx); err != nil {
			return err
		}
		a, err := s.loadTx(ctx, tx, account)
		if err != nil {
			return err
		}
		if a.Disabled {
			return fault.New(fault.NotFound, "error.not_found")
		}
		now := sqldb.Now()
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM api_token WHERE tenant_id = $1 AND account_id = $2 AND revoked_at = 0 AND (expires_at = 0 OR expires_at > $3)`,
			s.cfg.Tenant, account, sqldb.Millis(now)).Scan(&n); err != nil {
			return err
		}
		if n >= maxTokens {
			return fault.InvalidField("label", "error.auth.token.too_many", "max", maxTokens)
		}
		id, err := tx.NextIDs(ctx, s.cfg.Tenant, "api_token", 1)
		if err != nil {
			return err
		}
		t = Token{ID: id, Account: account, Label: label, CreatedAt: now}
		if life > 0 {
			t.ExpiresAt = now.Add(life).Truncate(time.Millisecond)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO api_token (tenant_id, token_id, account_id, token_hash, label, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.cfg.Tenant, t.ID, account, tokenHash(secret), label, sqldb.Millis(now), sqldb.Millis(t.ExpiresAt)); err != nil {
			return err
		}
		return s.append(ctx, tx, by, EventTokenCreated, account, tokenData(t.ID))
	})
	if err != nil {
		return "", Token{}, wrap(err, "create token")
	}
	return secret, t, nil
}

// RevokeToken ends a token at once.
func (s *Service) RevokeToken(ctx context.Context, by Identity, id int64) error {
	if err := s.own(by); err != nil {
		return err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var account int64
		if err := s.one(tx.QueryRow(ctx, `SELECT account_id FROM api_token WHERE tenant_id = $1 AND token_id = $2`, s.cfg.Tenant, id).Scan(&account)); err != nil {
			return err
		}
		if s.mayToken(by, account) != nil {
			return fault.New(fault.NotFound, "error.not_found")
		}
		n, err := tx.Exec(ctx, `UPDATE api_token SET revoked_at = $3 WHERE tenant_id = $1 AND token_id = $2 AND revoked_at = 0`, s.cfg.Tenant, id, sqldb.Millis(sqldb.Now()))
		if err != nil || n == 0 {
			return err
		}
		return s.append(ctx, tx, by, EventTokenRevoked, account, tokenData(id))
	})
	return wrap(err, "revoke token")
}

// Tokens lists the tokens of an account, latest first, revoked ones too.
func (s *Service) Tokens(ctx context.Context, by Identity, account int64) ([]Token, error) {
	if err := s.mayToken(by, account); err != nil {
		return nil, err
	}
	var list []Token
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT token_id, account_id, label, created_at, expires_at, last_used_at, revoked_at FROM api_token
			WHERE tenant_id = $1 AND account_id = $2 ORDER BY token_id DESC`, s.cfg.Tenant, account)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t Token
			var created, expires, used, revoked int64
			if err := rows.Scan(&t.ID, &t.Account, &t.Label, &created, &expires, &used, &revoked); err != nil {
				return err
			}
			t.CreatedAt, t.ExpiresAt, t.LastUsed, t.RevokedAt = sqldb.Time(created), sqldb.Time(expires), sqldb.Time(used), sqldb.Time(revoked)
			list = append(list, t)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, wrap(err, "list tokens")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		if used := s.usedTokens[list[i].ID]; used.After(list[i].LastUsed) {
			list[i].LastUsed = used
		}
	}
	return list, nil
}

// IdentityOfToken says who a bearer token acts for, and which token it is (its
// number, for rate limits). Anything but a token in force of an enabled
// account is Unauthenticated.
func (s *Service) IdentityOfToken(ctx context.Context, secret string) (who Identity, token int64, err error) {
	refused := fault.New(fault.Unauthenticated, "error.auth.bad_token")
	if !strings.HasPrefix(secret, TokenPrefix) || len(secret) > 100 {
		return Identity{}, 0, refused
	}
	now := sqldb.Now()
	var a Account
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var account int64
		if err := tx.QueryRow(ctx, `SELECT token_id, account_id FROM api_token
			WHERE tenant_id = $1 AND token_hash = $2 AND revoked_at = 0 AND (expires_at = 0 OR expires_at > $3)`,
			s.cfg.Tenant, tokenHash(secret), sqldb.Millis(now)).Scan(&token, &account); err != nil {
			return err
		}
		a, err = s.loadTx(ctx, tx, account)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) || fault.Is(err, fault.NotFound) || err == nil && a.Disabled {
		return Identity{}, 0, refused
	}
	if err != nil {
		return Identity{}, 0, wrap(err, "token")
	}
	s.mu.Lock()
	s.usedTokens[token] = now
	s.mu.Unlock()
	set, err := s.Settings(ctx)
	if err != nil {
		return Identity{}, 0, err
	}
	return s.identity(a, set), token, nil
}

// mayToken: one's own tokens, or anybody's with the right to manage accounts.
func (s *Service) mayToken(by Identity, account int64) error {
	if err := s.own(by); err != nil {
		return err
	}
	if by.Account == account && account != 0 {
		return nil
	}
	return by.Require(ManageAccounts)
}

func tokenHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func tokenData(id int64) []byte {
	data, err := json.Marshal(map[string]int64{"token": id})
	if err != nil {
		panic(err) // a number always encodes
	}
	return data
}
