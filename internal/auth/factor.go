package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// The second factor is a time-based one-time password (RFC 6238): 6 digits,
// 30 s, SHA-1, which every authenticator knows. A code serves once; those of
// the step before and after are accepted, for clocks that differ.

// Kinds of event of a second factor.
const (
	EventFactorSet     = Subject + ".factor_set"
	EventFactorRemoved = Subject + ".factor_removed"
	EventRecoveryUsed  = Subject + ".recovery_used"
)

const (
	factorPeriod    = 30 // seconds
	recoveryCodes   = 10
	factorIssuer    = "Stat Incidents"
	factorThrottled = "factor:" // before a login, in the throttle
)

// Factor is the second factor of an account.
type Factor struct {
	Since    time.Time // zero if there is none
	Recovery int       // recovery codes left
}

// Draft is a second factor being set up: it counts once a code proves that the
// telephone has it.
type Draft struct {
	Secret string // base 32, for those who type it
	URI    string // otpauth://…, for the picture
}

// FactorOf tells an account's second factor; the caller's own needs no right.
func (s *Service) FactorOf(ctx context.Context, by Identity, account int64) (Factor, error) {
	if by.Account != account || by.Tenant != s.cfg.Tenant {
		if err := s.mayManage(by); err != nil {
			return Factor{}, err
		}
	}
	var f Factor
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var since int64
		err := tx.QueryRow(ctx, `SELECT confirmed_at FROM account_factor WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, account).Scan(&since)
		if errors.Is(err, sql.ErrNoRows) || since == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		f.Since = sqldb.Time(since)
		return tx.QueryRow(ctx, `SELECT count(*) FROM account_recovery WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, account).Scan(&f.Recovery)
	})
	return f, wrap(err, "factor")
}

// DraftFactor gives the caller's second factor to be: the same until it is
// confirmed, so that a page shown again shows the same picture. Conflict if
// there is one in force.
func (s *Service) DraftFactor(ctx context.Context, by Identity) (Draft, error) {
	if err := s.own(by); err != nil {
		return Draft{}, err
	}
	made, err := totp.Generate(totp.GenerateOpts{Issuer: factorIssuer, AccountName: by.Login, Period: factorPeriod})
	if err != nil {
		return Draft{}, wrap(err, "draft factor")
	}
	var secret string
	var since int64
	sealed, err := s.db.Vault().Seal(FactorName(s.cfg.Tenant, by.Account), made.Secret())
	if err != nil {
		return Draft{}, wrap(err, "draft factor")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row := []any{s.cfg.Tenant, by.Account, sealed, sqldb.Millis(sqldb.Now())}
		if err := tx.Insert(ctx, "account_factor", []string{"tenant_id", "account_id", "secret", "created_at"}, [][]any{row}, "ON CONFLICT (tenant_id, account_id) DO NOTHING"); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT secret, confirmed_at FROM account_factor WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, by.Account).Scan(&secret, &since)
	})
	if err != nil {
		return Draft{}, wrap(err, "draft factor")
	}
	if since != 0 {
		return Draft{}, fault.New(fault.Conflict, "error.auth.factor.there")
	}
	if secret, err = s.db.Vault().Open(FactorName(s.cfg.Tenant, by.Account), secret); err != nil {
		return Draft{}, wrap(err, "draft factor")
	}
	uri := strings.Replace(made.URL(), "secret="+made.Secret(), "secret="+secret, 1)
	return Draft{Secret: secret, URI: uri}, nil
}

// ConfirmFactor puts the caller's second factor in force, proven by a code,
// and gives the recovery codes: shown once, kept hashed.
func (s *Service) ConfirmFactor(ctx context.Context, by Identity, code string) (recovery []string, err error) {
	if err := s.own(by); err != nil {
		return nil, err
	}
	if wait := s.throttle.begin(factorThrottled+by.Login, "confirm", sqldb.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	recovery, rows := s.newRecovery(by.Account)
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var secret string
		var since int64
		err := tx.QueryRow(ctx, `SELECT secret, confirmed_at FROM account_factor WHERE tenant_id = $1 AND account_id = $2`+tx.ForUpdate(), s.cfg.Tenant, by.Account).Scan(&secret, &since)
		if errors.Is(err, sql.ErrNoRows) || since != 0 {
			return fault.New(fault.Conflict, "error.auth.factor.there")
		}
		if err != nil {
			return err
		}
		if secret, err = s.db.Vault().Open(FactorName(s.cfg.Tenant, by.Account), secret); err != nil {
			return err
		}
		step, ok := stepOf(secret, code, 0, sqldb.Now())
		if !ok {
			return fault.InvalidField("code", "error.auth.factor.wrong")
		}
		if _, err := tx.Exec(ctx, `UPDATE account_factor SET confirmed_at = $3, last_step = $4 WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, by.Account, sqldb.Millis(sqldb.Now()), step); err != nil {
			return err
		}
		if err := s.putRecovery(ctx, tx, by.Account, rows); err != nil {
			return err
		}
		return s.append(ctx, tx, by, EventFactorSet, by.Account, nil)
	})
	if err != nil {
		return nil, wrap(err, "confirm factor")
	}
	s.throttle.succeed(factorThrottled+by.Login, "confirm")
	return recovery, nil
}

// RenewRecovery replaces the caller's recovery codes, proven by a code.
func (s *Service) RenewRecovery(ctx context.Context, by Identity, code string) ([]string, error) {
	if err := s.own(by); err != nil {
		return nil, err
	}
	if err := s.CheckFactor(ctx, by, code, "renew"); err != nil {
		return nil, refusedCode(err)
	}
	recovery, rows := s.newRecovery(by.Account)
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.putRecovery(ctx, tx, by.Account, rows)
	})
	return recovery, wrap(err, "recovery codes")
}

// RemoveFactor takes the caller's second factor away, proven by a code. A role
// that must have one cannot be without.
func (s *Service) RemoveFactor(ctx context.Context, by Identity, code string) error {
	if err := s.own(by); err != nil {
		return err
	}
	set, err := s.Settings(ctx)
	if err != nil {
		return err
	}
	if set.needsFactor(by.Role) {
		return fault.New(fault.Conflict, "error.auth.factor.required")
	}
	if err := s.CheckFactor(ctx, by, code, "remove"); err != nil {
		return refusedCode(err)
	}
	return s.dropFactor(ctx, by, by.Account)
}

// ResetFactor takes an account's second factor away, for somebody who has lost
// the telephone and the recovery codes; its sessions end.
func (s *Service) ResetFactor(ctx context.Context, by Identity, account int64) error {
	if err := s.mayManage(by); err != nil {
		return err
	}
	if _, err := s.load(ctx, account); err != nil {
		return err
	}
	return s.dropFactor(ctx, by, account)
}

func (s *Service) dropFactor(ctx context.Context, by Identity, account int64) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM account_factor WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, account)
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM account_recovery WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, account); err != nil {
			return err
		}
		if by.Account != account {
			if err := s.endSessions(ctx, tx, account); err != nil {
				return err
			}
		}
		return s.append(ctx, tx, by, EventFactorRemoved, account, nil)
	})
	return wrap(err, "remove factor")
}

// CheckFactor judges the code of somebody whose password was right: one of the
// telephone's, or a recovery code, which it uses up. Unauthenticated
// "error.auth.factor.wrong" if it is neither; TooMany after too many.
func (s *Service) CheckFactor(ctx context.Context, who Identity, code, from string) error {
	if wait := s.throttle.begin(factorThrottled+who.Login, from, sqldb.Now()); wait > 0 {
		return tooMany(wait)
	}
	ok := false
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ok = false
		var secret string
		var since, last int64
		err := tx.QueryRow(ctx, `SELECT secret, confirmed_at, last_step FROM account_factor WHERE tenant_id = $1 AND account_id = $2`+tx.ForUpdate(), s.cfg.Tenant, who.Account).Scan(&secret, &since, &last)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil || since == 0 {
			return err
		}
		// A secret whose key is lost opens nothing; a recovery code still does.
		if secret, err = s.db.Vault().Open(FactorName(s.cfg.Tenant, who.Account), secret); err != nil {
			secret = ""
		}
		if step, found := stepOf(secret, code, last, sqldb.Now()); found && secret != "" {
			ok = true
			_, err := tx.Exec(ctx, `UPDATE account_factor SET last_step = $3 WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, who.Account, step)
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM account_recovery WHERE tenant_id = $1 AND account_id = $2 AND code_hash = $3`, s.cfg.Tenant, who.Account, recoveryHash(code))
		if err != nil || n == 0 {
			return err
		}
		ok = true
		return s.append(ctx, tx, who, EventRecoveryUsed, who.Account, nil)
	})
	if err != nil {
		return wrap(err, "check factor")
	}
	if !ok {
		s.log.Warn("second factor refused", "from", addressKey(from))
		return fault.New(fault.Unauthenticated, "error.auth.factor.wrong")
	}
	s.throttle.succeed(factorThrottled+who.Login, from)
	return nil
}

// refusedCode says beside the field what would else be a refused sign-in.
func refusedCode(err error) error {
	if fault.Is(err, fault.Unauthenticated) {
		return fault.InvalidField("code", "error.auth.factor.wrong")
	}
	return err
}

// stepOf finds the time step of a code among the present one and its
// neighbours, none of which was used.
func stepOf(secret, code string, last int64, now time.Time) (step int64, ok bool) {
	code = digits(code)
	if len(code) != 6 {
		return 0, false
	}
	present := now.Unix() / factorPeriod
	for step := present - 1; step <= present+1; step++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && step > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, true
		}
	}
	return 0, false
}

// digits leaves out the spaces that people and telephones put in codes.
func digits(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		if r == ' ' || r == '\u00a0' || r == '\u202f' {
			return -1
		}
		return 'x'
	}, code)
}

func (s *Service) newRecovery(account int64) (codes []string, rows [][]any) {
	for range recoveryCodes {
		t := strings.ToLower(rand.Text())
		code := t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:16]
		codes = append(codes, code)
		rows = append(rows, []any{s.cfg.Tenant, account, recoveryHash(code)})
	}
	return codes, rows
}

func (s *Service) putRecovery(ctx context.Context, tx *sqldb.Tx, account int64, rows [][]any) error {
	if _, err := tx.Exec(ctx, `DELETE FROM account_recovery WHERE tenant_id = $1 AND account_id = $2`, s.cfg.Tenant, account); err != nil {
		return err
	}
	return tx.Insert(ctx, "account_recovery", []string{"tenant_id", "account_id", "code_hash"}, rows, "")
}

// recoveryHash forgives case and separators.
func recoveryHash(code string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '2' && r <= '7' {
			return r
		}
		return -1
	}, strings.ToLower(code))
	sum := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(sum[:])
}
