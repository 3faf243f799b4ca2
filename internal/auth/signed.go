package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Signer makes and reads signed links: what a link carries (which room, which
// answer to which incident) is readable by all and can be changed by none. It
// gives no right by itself: whoever accepts a link decides what it opens, for
// how long, and how often.
type Signer struct {
	db     *sqldb.DB
	tenant int64
	key    atomic.Pointer[[]byte]
}

// NewSigner makes the signer of a département. Its key is made at the first
// signature and kept in the database, so that every server reads the links of
// the others and a restored backup those made before it.
func NewSigner(db *sqldb.DB, tenant int64) *Signer { return &Signer{db: db, tenant: tenant} }

const (
	signatureSize = 16 // bytes of the HMAC kept: 128 bits
	maxSigned     = 1 << 10
)

// Sign gives the text of a link, safe in an address: payload (at most 1 KiB),
// signed for one purpose; what was signed for another is not accepted. A zero
// until never ends.
func (s *Signer) Sign(ctx context.Context, purpose, payload string, until time.Time) (string, error) {
	if len(payload) > maxSigned {
		return "", fmt.Errorf("auth: sign: %d bytes, at most %d", len(payload), maxSigned)
	}
	key, err := s.secret(ctx)
	if err != nil {
		return "", err
	}
	var end uint64
	if !until.IsZero() {
		end = uint64(max(1, until.Unix()))
	}
	text := append(binary.AppendUvarint(nil, end), payload...)
	return base64.RawURLEncoding.EncodeToString(append(text, s.mac(key, purpose, text)...)), nil
}

// Open gives the payload of a link signed for that purpose. Refusals, both
// NotFound: "error.link.unknown" of what was never signed, "error.link.expired"
// of what has ended.
func (s *Signer) Open(ctx context.Context, purpose, link string, now time.Time) (payload string, err error) {
	unknown := fault.New(fault.NotFound, "error.link.unknown")
	if len(link) > base64.RawURLEncoding.EncodedLen(binary.MaxVarintLen64+maxSigned+signatureSize) {
		return "", unknown
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(link)
	if err != nil || len(raw) <= signatureSize {
		return "", unknown
	}
	key, err := s.secret(ctx)
	if err != nil {
		return "", err
	}
	text, mac := raw[:len(raw)-signatureSize], raw[len(raw)-signatureSize:]
	if !hmac.Equal(mac, s.mac(key, purpose, text)) {
		return "", unknown
	}
	end, n := binary.Uvarint(text)
	if n <= 0 {
		return "", unknown
	}
	if end != 0 && now.Unix() > int64(end) {
		return "", fault.New(fault.NotFound, "error.link.expired")
	}
	return string(text[n:]), nil
}

func (s *Signer) mac(key []byte, purpose string, text []byte) []byte {
	// A key for each purpose: no text can be moved from one to another.
	own := hmac.New(sha256.New, key)
	own.Write([]byte(purpose))
	h := hmac.New(sha256.New, own.Sum(nil))
	h.Write(text)
	return h.Sum(nil)[:signatureSize]
}

// SigningKey is the name of the secret that links are signed with.
const SigningKey = "link.signing"

// SecretName is what a row of the table of secrets is sealed under.
func SecretName(tenant int64, name string) string {
	return "secret/" + strconv.FormatInt(tenant, 10) + "/" + name
}

// FactorName is what an account's TOTP secret is sealed under.
func FactorName(tenant, account int64) string {
	return "factor/" + strconv.FormatInt(tenant, 10) + "/" + strconv.FormatInt(account, 10)
}

// secret reads the key, or makes it.
func (s *Signer) secret(ctx context.Context) ([]byte, error) {
	if key := s.key.Load(); key != nil {
		return *key, nil
	}
	key, err := readSecret(ctx, s.db, s.tenant)
	if errors.Is(err, sql.ErrNoRows) {
		if err := makeSecret(ctx, s.db, s.tenant); err != nil {
			return nil, err
		}
		// Of two servers that make it at once, one is kept.
		key, err = readSecret(ctx, s.db, s.tenant)
	}
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	s.key.Store(&key)
	return key, nil
}

func readSecret(ctx context.Context, db *sqldb.DB, tenant int64) (key []byte, err error) {
	err = db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var text string
		if err := tx.QueryRow(ctx, `SELECT value FROM secret WHERE tenant_id = $1 AND name = $2`, tenant, SigningKey).Scan(&text); err != nil {
			return err
		}
		if text, err = db.Vault().Open(SecretName(tenant, SigningKey), text); err != nil {
			return err
		}
		key, err = base64.StdEncoding.DecodeString(text)
		return err
	})
	return key, err
}

func makeSecret(ctx context.Context, db *sqldb.DB, tenant int64) error {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return fmt.Errorf("auth: signing key: %w", err)
	}
	text, err := db.Vault().Seal(SecretName(tenant, SigningKey), base64.StdEncoding.EncodeToString(random))
	if err != nil {
		return fmt.Errorf("auth: signing key: %w", err)
	}
	err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO secret (tenant_id, name, value, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, name) DO NOTHING`,
			tenant, SigningKey, text, sqldb.Millis(sqldb.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("auth: signing key: %w", err)
	}
	return nil
}
