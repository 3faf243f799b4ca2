package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"strings"
	"sync"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// NeedsFirstAdministrator tells whether there has never been an administrator
// in office: nobody could then create accounts.
func (s *Service) NeedsFirstAdministrator(ctx context.Context) (bool, error) {
	var n int
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		n, err = s.administrators(ctx, tx)
		return err
	})
	return n == 0, wrap(err, "first administrator")
}

// FirstRun lets whoever reads the server's output create the first
// administrator on a page: the program prints Code at start, the page asks for
// it. The code serves once and dies with the process.
type FirstRun struct {
	service *Service
	code    string

	mu    sync.Mutex
	tries int
}

// maxTries bounds wrong codes: past it only a restart gives another code. The
// code has 80 random bits, this is for the log's sake.
const maxTries = 100

// NewFirstRun makes the code of this start.
func (s *Service) NewFirstRun() *FirstRun {
	// rand.Text is 26 characters of base 32; 16 of them are 80 bits.
	t := rand.Text()
	return &FirstRun{service: s, code: t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:16]}
}

// Code is what to print, in groups of four.
func (f *FirstRun) Code() string { return f.code }

// Needed tells whether the page has something to do.
func (f *FirstRun) Needed(ctx context.Context) (bool, error) {
	return f.service.NeedsFirstAdministrator(ctx)
}

// Claim creates the first administrator. A wrong code is a refusal of the
// field "code"; once there is an administrator, by whatever way, every code is
// Forbidden. The account's role is Administrator whatever in says.
func (f *FirstRun) Claim(ctx context.Context, code string, in NewAccount) (Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tries >= maxTries {
		return Identity{}, fault.New(fault.Forbidden, "error.auth.first_run.exhausted")
	}
	if subtle.ConstantTimeCompare([]byte(plainCode(code)), []byte(plainCode(f.code))) != 1 {
		f.tries++
		return Identity{}, fault.InvalidField("code", "error.auth.first_run.wrong_code")
	}
	in.Role = Administrator
	s := f.service
	a, err := s.create(ctx, System(s.cfg.Tenant), in, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := s.administrators(ctx, tx)
		if err == nil && n > 0 {
			return fault.New(fault.Forbidden, "error.auth.first_run.done")
		}
		return err
	})
	if err != nil {
		return Identity{}, err
	}
	return s.IdentityOf(ctx, a.ID)
}

// plainCode forgives what people do when they copy a code.
func plainCode(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "", "\u00a0", "").Replace(code))
}
