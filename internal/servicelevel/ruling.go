package servicelevel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/sqldb"
)

// counters name the versions of all that clocks depend on.
var counters = [...]string{"servicelevel.version", "directory.version", "catalog.version"}

// ruling is a tenant's rules with the versions of what they were made from.
type ruling struct {
	Rules

	versions [len(counters)]int64
}

// ruling gives the rules as they stand.
func (s *Service) ruling(ctx context.Context, tenant int64) (*ruling, error) {
	own, err := s.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	places, err := s.places.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	words, err := s.words.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	// A calendar is asked for at each stretch: once a school is enough.
	known := map[int64]*calendar.Calendar{}
	return &ruling{
		versions: [...]int64{own.version, places.Version(), words.Version()},
		Rules: Rules{
			Targets: own.Targets, Warn: own.Warn, Path: words.Path, Pauses: words.Pauses,
			Calendar: func(school int64) *calendar.Calendar {
				c := known[school]
				if c == nil {
					c = places.Calendar(school)
					known[school] = c
				}
				return c
			},
		},
	}, nil
}

// errStale says that the rules have changed since they were read.
var errStale = errors.New("servicelevel: the rules have changed meanwhile")

// current is errStale unless the rules are those that the transaction sees.
func (r *ruling) current(ctx context.Context, tx *sqldb.Tx, tenant int64) error {
	for k, name := range counters {
		var version int64
		err := tx.QueryRow(ctx, `SELECT next FROM counter WHERE tenant_id = $1 AND name = $2`, tenant, name).Scan(&version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("servicelevel: %s: %w", name, err)
		}
		if version != r.versions[k] {
			return errStale
		}
	}
	return nil
}

// ruled runs fn with the rules as they stand, again as long as it finds that
// they have changed.
func (s *Service) ruled(ctx context.Context, tenant int64, fn func(*ruling) error) error {
	for {
		r, err := s.ruling(ctx, tenant)
		if err != nil {
			return err
		}
		if err := fn(r); !errors.Is(err, errStale) {
			return err
		}
		pause(ctx, 50*time.Millisecond) // another process's change takes a moment to be seen
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
