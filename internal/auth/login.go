package auth

import (
	"context"
	"database/sql"
	"errors"
	"time"
	"unicode/utf8"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Authenticate says who signs in with a login and a password. From is the
// client's network address ("192.0.2.7" or "192.0.2.7:51234"), for throttling.
//
// An unknown login, a disabled account and a wrong password are the same
// refusal (Unauthenticated) after the same work. Too many failures are
// TooMany, with the seconds to wait in Args["seconds"].
func (s *Service) Authenticate(ctx context.Context, login, password, from string) (Identity, error) {
	login = foldLogin(login)
	if wait := s.throttle.begin(login, from, sqldb.Now()); wait > 0 {
		s.log.Warn("sign-in throttled", "from", addressKey(from), "wait", wait.Round(time.Second))
		return Identity{}, tooMany(wait)
	}
	var id, disabled, epoch int64
	var stored, provider string
	// What could never be a login is not looked up, but costs the same work.
	if login != "" && utf8.ValidString(login) && utf8.RuneCountInString(login) <= MaxLogin {
		err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			err := tx.QueryRow(ctx, `SELECT account_id, password_hash, disabled, session_epoch, provider FROM account WHERE tenant_id = $1 AND login = $2`, s.cfg.Tenant, login).Scan(&id, &stored, &disabled, &epoch, &provider)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			return err
		})
		if err != nil {
			return Identity{}, wrap(err, "authenticate")
		}
	}
	if who, known, err := s.fromDirectory(ctx, id, Provider(provider), login, password, from); known || err != nil {
		return who, err
	}
	ok, err := s.hasher.verify(ctx, stored, password)
	if err != nil {
		return Identity{}, wrap(err, "authenticate")
	}
	if !ok || disabled != 0 {
		s.log.Warn("sign-in refused", "from", addressKey(from))
		return Identity{}, fault.New(fault.Unauthenticated, "error.auth.bad_credentials")
	}
	s.throttle.succeed(login, from)
	if outdated(stored) {
		s.rehash(ctx, id, stored, password)
	}
	who, err := s.IdentityOf(ctx, id)
	who.epoch = epoch // a password changed since then has ended this sign-in too
	return who, err
}

// fromDirectory asks the directory about a login that has no password here.
// Known is false when it is not for the directory to say, or when the
// directory does not know: the refusal is then the usual one.
func (s *Service) fromDirectory(ctx context.Context, account int64, provider Provider, login, password, from string) (who Identity, known bool, err error) {
	if s.voucher == nil || account != 0 && provider != ByLDAP || login == "" || password == "" {
		return Identity{}, false, nil
	}
	set, err := s.Settings(ctx)
	if err != nil || !set.LDAP.Enabled {
		return Identity{}, false, err
	}
	outsider, found, err := s.voucher(ctx, set.LDAP, login, password)
	if err != nil {
		s.log.Error("auth: the directory does not answer", "error", err)
		return Identity{}, false, &fault.Error{Code: fault.Unavailable, Key: "error.auth.outside.down", Err: err}
	}
	if !found {
		return Identity{}, false, nil
	}
	s.throttle.succeed(login, from)
	who, err = s.Admit(ctx, outsider)
	return who, err == nil, err
}

// rehash brings a hash to today's parameters; failing to is not the caller's
// concern.
func (s *Service) rehash(ctx context.Context, id int64, former, password string) {
	hash, err := s.hasher.hash(ctx, password)
	if err == nil {
		err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE account SET password_hash = $3 WHERE tenant_id = $1 AND account_id = $2 AND password_hash = $4`, s.cfg.Tenant, id, hash, former)
			return err
		})
	}
	if err != nil {
		s.log.Warn("auth: rehash", "account", id, "error", err)
	}
}

// IdentityOf is who an account is now: its role and schools are read each
// time, so that a change takes effect at the account's next request. A disabled
// or unknown account is Unauthenticated.
func (s *Service) IdentityOf(ctx context.Context, account int64) (Identity, error) {
	a, err := s.load(ctx, account)
	if fault.Is(err, fault.NotFound) || err == nil && a.Disabled {
		return Identity{}, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	if err != nil {
		return Identity{}, wrap(err, "identity")
	}
	set, err := s.Settings(ctx)
	if err != nil {
		return Identity{}, err
	}
	return s.identity(a, set), nil
}

func (s *Service) identity(a Account, set Settings) Identity {
	return Identity{
		Tenant: s.cfg.Tenant, Account: a.ID, Person: a.Person, Login: a.Login, Name: a.Name, Role: a.Role,
		Schools: a.Schools, Locale: a.Locale, Theme: a.Theme, epoch: a.epoch,
		Factor: a.Factor, MustFactor: !a.Factor && a.Provider != ByOIDC && set.needsFactor(a.Role), Provider: a.Provider,
	}
}

// one turns "no row" into NotFound.
func (s *Service) one(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "error.not_found")
	}
	return err
}

// tooMany is the refusal of a throttled attempt; the wait is rounded up.
func tooMany(wait time.Duration) error {
	return fault.New(fault.TooMany, "error.too_many", "seconds", int((wait+time.Second-1)/time.Second))
}
