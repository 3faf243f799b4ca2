package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Sessions are the browser sessions of signed-in accounts: an scs manager
// (Put, Get, Token… may be used for what a page keeps) whose store is the
// session table on either engine, under the SHA-256 of the token. A session
// ends when unused for Config.SessionIdle, and after Config.SessionLife in any
// case. A request writes nothing unless it changes the session.
type Sessions struct {
	*scs.SessionManager

	service *Service
}

// What a session keeps of its account. The epoch is the account's when the
// session began: ending an account's sessions raises it, so that a request in
// flight at that moment cannot bring its session back.
const (
	accountKey = "account"
	epochKey   = "epoch"

	// Of somebody whose second factor is awaited.
	pendingKey   = "pending"
	pendingAtKey = "pending_at"
)

// NewSessions makes the sessions' manager. Secure says that browsers come by
// HTTPS: the cookie is then never sent otherwise.
func (s *Service) NewSessions(secure bool) *Sessions {
	m := scs.New()
	m.Lifetime = s.cfg.SessionLife
	m.HashTokenInStore = true
	m.Cookie.Name = "statincidents_session"
	if secure {
		m.Cookie.Name = "__Host-statincidents_session"
	}
	m.Cookie.Secure = secure
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.HttpOnly = true
	m.Cookie.Path = "/"
	m.Store = &sessionStore{service: s, codec: m.Codec}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		s.log.Error("auth: session", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
	return &Sessions{SessionManager: m, service: s}
}

// SignIn begins the session of an account in a request that went through
// LoadAndSave, under a fresh token.
func (s *Sessions) SignIn(ctx context.Context, id Identity) error {
	if err := s.RenewToken(ctx); err != nil {
		return fmt.Errorf("auth: sign in: %w", err)
	}
	s.Remove(ctx, pendingKey)
	s.Put(ctx, accountKey, id.Account)
	s.Put(ctx, epochKey, id.epoch)
	return nil
}

// pendingLife is how long somebody whose password was right has to give the
// second factor.
const pendingLife = 10 * time.Minute

// Await notes that somebody's password was right and that the second factor is
// awaited: the session is nobody's until SignIn.
func (s *Sessions) Await(ctx context.Context, id Identity) error {
	if err := s.RenewToken(ctx); err != nil {
		return fmt.Errorf("auth: sign in: %w", err)
	}
	s.Remove(ctx, accountKey)
	s.Put(ctx, pendingKey, id.Account)
	s.Put(ctx, pendingAtKey, sqldb.Millis(sqldb.Now()))
	s.Put(ctx, epochKey, id.epoch)
	return nil
}

// Awaited is whose second factor the request's session awaits; Unauthenticated
// if nobody's, or not any more.
func (s *Sessions) Awaited(ctx context.Context) (Identity, error) {
	account, at := s.GetInt64(ctx, pendingKey), sqldb.Time(s.GetInt64(ctx, pendingAtKey))
	if account == 0 || sqldb.Now().Sub(at) > pendingLife {
		return Identity{}, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	id, err := s.service.IdentityOf(ctx, account)
	if err == nil && id.epoch != s.GetInt64(ctx, epochKey) {
		return Identity{}, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	return id, err
}

// SignOut ends the request's session.
func (s *Sessions) SignOut(ctx context.Context) error {
	return s.Destroy(ctx)
}

// Identity is who the request's session belongs to, as of now; Unauthenticated
// if nobody is signed in or the account was disabled.
func (s *Sessions) Identity(ctx context.Context) (Identity, error) {
	account := s.GetInt64(ctx, accountKey)
	if account == 0 {
		return Identity{}, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	id, err := s.service.IdentityOf(ctx, account)
	if err == nil && id.epoch != s.GetInt64(ctx, epochKey) {
		return Identity{}, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	return id, err
}

// endSessions ends every session of an account.
func (s *Service) endSessions(ctx context.Context, tx *sqldb.Tx, account int64) error {
	if _, err := tx.Exec(ctx, `UPDATE account SET session_epoch = session_epoch + 1 WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, account); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM session WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, account)
	return err
}

// sessionStore is scs's store over the session table. Tokens reach it hashed.
type sessionStore struct {
	service *Service
	codec   scs.Codec
}

// FindCtx gives the data of a live session and notes that it was seen; the
// note reaches the table with the next Tidy, so that reading a page writes nothing.
func (st *sessionStore) FindCtx(ctx context.Context, hash string) ([]byte, bool, error) {
	s := st.service
	var data []byte
	var expires, seenMillis int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT data, expires_at, seen_at FROM session WHERE tenant_id = $1 AND token_hash = $2`, s.cfg.Tenant, hash).Scan(&data, &expires, &seenMillis)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("auth: find session: %w", err)
	}
	now := sqldb.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := sqldb.Time(seenMillis)
	if p := s.seenSessions[hash]; p.After(seen) {
		seen = p
	}
	if !now.Before(sqldb.Time(expires)) || now.Sub(seen) >= s.cfg.SessionIdle {
		return nil, false, nil
	}
	s.seenSessions[hash] = now
	return data, true, nil
}

// CommitCtx writes a session that was begun or changed.
func (st *sessionStore) CommitCtx(ctx context.Context, hash string, data []byte, expiry time.Time) error {
	s := st.service
	_, values, err := st.codec.Decode(data)
	if err != nil {
		return fmt.Errorf("auth: commit session: %w", err)
	}
	account, _ := values[accountKey].(int64)
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO session (tenant_id, token_hash, account_id, data, expires_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant_id, token_hash) DO UPDATE SET account_id = excluded.account_id, data = excluded.data, expires_at = excluded.expires_at, seen_at = excluded.seen_at`,
			s.cfg.Tenant, hash, account, data, sqldb.Millis(expiry), sqldb.Millis(sqldb.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("auth: commit session: %w", err)
	}
	return nil
}

// DeleteCtx ends a session.
func (st *sessionStore) DeleteCtx(ctx context.Context, hash string) error {
	s := st.service
	s.mu.Lock()
	delete(s.seenSessions, hash)
	s.mu.Unlock()
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM session WHERE tenant_id = $1 AND token_hash = $2`, s.cfg.Tenant, hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("auth: delete session: %w", err)
	}
	return nil
}

// Find, Commit and Delete satisfy scs.Store, which the manager never calls
// when the methods with a context exist.
func (st *sessionStore) Find(hash string) ([]byte, bool, error) {
	return st.FindCtx(context.Background(), hash)
}

// Commit is CommitCtx without a context.
func (st *sessionStore) Commit(hash string, data []byte, expiry time.Time) error {
	return st.CommitCtx(context.Background(), hash, data, expiry)
}

// Delete is DeleteCtx without a context.
func (st *sessionStore) Delete(hash string) error { return st.DeleteCtx(context.Background(), hash) }
