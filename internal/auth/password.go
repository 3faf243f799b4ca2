package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"statincidents/internal/fault"
)

// Limits of a password, in characters after NFKC normalisation.
const (
	MinPassword = 12
	MaxPassword = 200
)

// argon2id parameters: OWASP's recommendation of 19 MiB, two passes, one lane.
const (
	argonMemory = 19 * 1024 // KiB
	argonPasses = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
)

// normalPassword makes the same password of what different keyboards send.
func normalPassword(password string) string { return norm.NFKC.String(password) }

// checkPassword notes what is wrong with a new password.
func checkPassword(f *fault.Fields, field, login, password string) {
	p := normalPassword(password)
	switch n := utf8.RuneCountInString(p); {
	case !utf8.ValidString(password) || n < MinPassword:
		f.Add(field, "error.auth.password.short", "min", MinPassword)
	case n > MaxPassword:
		f.Add(field, "error.auth.password.long", "max", MaxPassword)
	case foldLogin(p) == login:
		f.Add(field, "error.auth.password.is_login")
	}
}

// NewPassword makes a password to be told to someone and changed by them:
// eighty random bits, in four groups without letters or digits that are taken
// for others.
func NewPassword() string {
	const alphabet = "abcdefghjkmnpqrstuvwxyz23456789x" // 32, so that no remainder favours any
	random := make([]byte, 16)
	rand.Read(random) // never fails, says its documentation
	var b strings.Builder
	for i, r := range random {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[int(r)%len(alphabet)])
	}
	return b.String()
}

// hasher computes password hashes, a few at a time: each takes 19 MiB and a
// core for some tens of milliseconds, and anybody can ask for one.
type hasher struct {
	slots   chan struct{}
	waiting atomic.Int64
	dummy   string // what an unknown login's password is compared with
}

// maxWaiting bounds the queue for a slot: past it a sign-in is told to come back.
const maxWaiting = 128

func newHasher() *hasher {
	h := &hasher{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))}
	h.dummy = phc(rand.Text())
	return h
}

func (h *hasher) slot(ctx context.Context) (release func(), err error) {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return nil, fault.New(fault.TooMany, "error.too_many", "seconds", 2)
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hash makes the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	release, err := h.slot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return phc(normalPassword(password)), nil
}

// verify compares a password with a PHC string. An empty stored string (no
// such account) costs the same time and is never equal.
func (h *hasher) verify(ctx context.Context, stored, password string) (bool, error) {
	release, err := h.slot(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	known := stored != ""
	if !known {
		stored = h.dummy
	}
	if utf8.RuneCountInString(password) > 4*MaxPassword { // never a password that was accepted
		password, known = "", false
	}
	ok, err := comparePHC(stored, normalPassword(password))
	return ok && known, err
}

func phc(password string) string {
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never fails, says its documentation
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, argonKey)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errPHC = errors.New("auth: a stored password hash cannot be read")

// comparePHC recomputes with the string's own parameters, so that hashes made
// with former ones still serve.
func comparePHC(stored, password string) (bool, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return false, errPHC
	}
	var version int
	var memory, passes uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, errPHC
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return false, errPHC
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) < 16 || len(key) > 128 || memory > 1<<20 || passes < 1 || passes > 16 || lanes < 1 {
		return false, errPHC
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}

// outdated tells whether a hash was made with other parameters than today's.
func outdated(stored string) bool {
	return !strings.HasPrefix(stored, fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, argonMemory, argonPasses, argonLanes))
}
