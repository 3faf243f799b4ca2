// Package privacy keeps what the General Data Protection Regulation asks of
// this software in one place: what is held on a person (Export), the erasure
// of a person from every table, index, journal row and raw mail (Prepare,
// Confirm), how long each kind of data is kept (Retention, Purge), and who took
// what away (Record, Records).
//
// It is the one room that looks at the tables of all the others: to find a
// name it must, and to take it out it replaces the same words by the same words
// in the events and in the state that is their fold, so that the journal's
// chain and `rebuild --check` go on holding (docs/adr/0007). It adds nothing to
// anybody's tables and changes no identifier, date, state or number.
package privacy

import (
	"context"
	"log/slog"
	"time"

	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/search"
	"statincidents/internal/sqldb"
)

// Subject is the kind of subject of this room's events; its ID is the number
// of an erasure, 0 for what is of none.
const Subject = "privacy"

// Kinds of event. They hold numbers and codes, no name.
const (
	EventExported  = Subject + ".exported"  // the data of a person were taken away
	EventErased    = Subject + ".erased"    // an erasure came to its end
	EventRetention = Subject + ".retention" // a duration was changed
)

// Parts are what the room stands on.
type Parts struct {
	DB        *sqldb.DB
	Journal   *journal.Journal
	Jobs      *jobs.Service
	Places    *directory.Service
	Incidents *incident.Service
	Files     *attachment.Service
	Search    *search.Service
}

// Config says whose data they are.
type Config struct {
	Tenant   int64
	Location *time.Location
	Log      *slog.Logger
}

// Service answers for personal data.
type Service struct {
	Parts

	tenant int64
	loc    *time.Location
	log    *slog.Logger
	often  notes
}

// New makes the service and registers its work with the jobs.
func New(p Parts, cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	s := &Service{Parts: p, tenant: cfg.Tenant, loc: cfg.Location, log: cfg.Log, often: notes{waiting: map[noteKey]counts{}}}
	jobs.Handle(p.Jobs, jobSearch, jobs.Options{Timeout: 2 * time.Hour, Concurrency: 1}, s.search)
	jobs.Handle(p.Jobs, jobPurge, jobs.Options{Timeout: 2 * time.Hour, Concurrency: 1}, s.purge)
	p.Jobs.Every("privacy.purge", "20 3 * * *", jobPurge, struct{}{})
	jobs.Handle(p.Jobs, jobErase, jobs.Options{Timeout: 4 * time.Hour, Concurrency: 1}, s.erase)
	return s
}

// mayManage refuses who may not look after personal data.
func (s *Service) mayManage(by auth.Identity) error {
	if by.Tenant != s.tenant {
		return fault.New(fault.Forbidden, "error.forbidden")
	}
	return by.Require(auth.ManagePrivacy)
}

func notFound() error { return fault.New(fault.NotFound, "error.not_found") }

// whole begins the statements that may read a whole table: an export and a job
// are the only ones to ask them, and an index for each would cost every write.
const whole = "/* whole */ "

// ids reads one column of numbers.
func ids(ctx context.Context, tx *sqldb.Tx, query string, args ...any) ([]int64, error) {
	rows, err := tx.Query(ctx, whole+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, rows.Err()
}

// words reads one column of text.
func texts(ctx context.Context, tx *sqldb.Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.Query(ctx, whole+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}
