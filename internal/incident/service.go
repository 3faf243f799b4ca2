package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Limits on what is typed or imported, in characters.
const (
	MaxTitle   = 200
	MaxMachine = 100     // label on a machine
	MaxText    = 100_000 // description, resolution, comment
	MaxTried   = 4000    // what a school tried
	MaxKey     = 200     // external source or number, idempotency key
)

// Service is the incidents of every tenant.
//
// Commands: Declare, AlsoAffected, Act, Undo, Relate, Unrelate, Split, Rate,
// ImportHistories. Reads: Get, Many, Current, ByExternal, Story, MergedInto,
// Children, Mentions, Preview. What may be done to an incident: Available.
type Service struct {
	db     *sqldb.DB
	j      *journal.Journal
	places *directory.Service
	words  *catalog.Service
	loc    *time.Location // of the local calendar keys
	guards []Guard
	attach Filer
}

// NewService makes the service. Loc is the tenants' time zone: local days and hours
// of the statistics are counted there.
func NewService(db *sqldb.DB, j *journal.Journal, places *directory.Service, words *catalog.Service, loc *time.Location) *Service {
	return &Service{db: db, j: j, places: places, words: words, loc: loc}
}

// checker prepares the judgement of a command.
func (s *Service) checker(ctx context.Context, by auth.Identity, at time.Time) (*checker, error) {
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	return &checker{by: by, places: places, words: words, loc: s.loc, at: at}, nil
}

// notFound is said alike of what does not exist and of what is out of scope.
func notFound() error { return fault.New(fault.NotFound, "error.incident.not_found") }

// event makes the event of a change, and moves the incident's version and
// update instant as its folding will.
func event(by auth.Identity, i *Incident, kind string, at time.Time, p Payload) (journal.Event, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return journal.Event{}, fmt.Errorf("incident: payload of %s: %w", kind, err)
	}
	i.stamp(at)
	return journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: i.ID}, School: i.School, Kind: kind, Data: data}, nil
}

// stamp counts an event. An imported event older than the last one does not
// turn the clock back.
func (i *Incident) stamp(at time.Time) {
	i.Version++
	if at = instant(at); at.After(i.UpdatedAt) {
		i.UpdatedAt = at
	}
}
