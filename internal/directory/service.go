package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Service is the directory of every tenant: its commands, and the Index that
// answers reads from memory.
type Service struct {
	db      *sqldb.DB
	journal *journal.Journal
	index   *sqldb.Memo[Index]
	days    sync.Map // tenant → the *days of its last Index
}

// New gives the directory kept in a database.
func New(db *sqldb.DB, j *journal.Journal) *Service {
	s := &Service{db: db, journal: j}
	s.index = sqldb.NewMemo(db, "directory.version", s.load)
	return s
}

// Index gives the tenant's directory as it stands: this process's writes are
// in it at once, another's within a fifth of a second. It is immutable and
// cheap enough to ask for at each request. The caller keeps to what the reader
// may see (SchoolsIn).
func (s *Service) Index(ctx context.Context, tenant int64) (*Index, error) {
	return s.index.Get(ctx, tenant)
}

// Kinds of subject in the journal.
const (
	SubjectTenant        = "tenant"
	SubjectSchool        = "school"
	SubjectRoom          = "room"
	SubjectPerson        = "person"
	SubjectTeam          = "team"
	SubjectExposure      = "exposure"       // identified by its school
	SubjectSchoolHoliday = "school_holiday" // identified by its first day
	SubjectPublicHoliday = "public_holiday" // identified by its day
	SubjectHours         = "opening_hours"  // identified by its school, 0 for the département
	SubjectClosure       = "closure"
)

// Every event is "saved" with the whole new state of its subject, or "removed"
// with the state that it had.
const (
	saved   = ".saved"
	removed = ".removed"
)

// change is one event in the making.
type change struct {
	subject journal.Subject
	school  int64
	verb    string
	state   any
}

// record writes changes as events and applies them to the state, in the
// caller's transaction.
func (s *Service) record(ctx context.Context, tx *sqldb.Tx, by auth.Identity, changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	now := sqldb.Now()
	events := make([]journal.Event, len(changes))
	for i, c := range changes {
		data, err := json.Marshal(c.state)
		if err != nil {
			return fmt.Errorf("directory: write %s: %w", c.subject.Kind, err)
		}
		events[i] = journal.Event{
			Tenant: by.Tenant, At: now, Actor: by.Actor(), Subject: c.subject, School: c.school,
			Kind: c.subject.Kind + c.verb, Data: data,
		}
	}
	if err := apply(ctx, tx, events); err != nil {
		return err
	}
	return s.journal.Append(ctx, tx, events...)
}

// command runs fn in one transaction on behalf of someone who may edit the
// directory, and writes the changes that fn decides on.
func (s *Service) command(ctx context.Context, by auth.Identity, fn func(ctx context.Context, tx *sqldb.Tx) ([]change, error)) error {
	if !by.Can(auth.ImportData) {
		if err := by.Require(auth.EditDirectory); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.index.Touch(ctx, tx, by.Tenant); err != nil {
			return err
		}
		changes, err := fn(ctx, tx)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, by, changes)
	})
}

// clean is a name as it is kept: no spaces around, none doubled inside.
func clean(name string) string { return strings.Join(strings.Fields(name), " ") }

// Limits on what people type, in characters.
const (
	maxName = 200
	maxText = 500
)

// checkText notes a text that is too long, or missing where it must not be.
func checkText(fields *fault.Fields, field, value string, limit int, required bool) {
	if required && value == "" {
		fields.Add(field, "error.field.required")
	}
	if len([]rune(value)) > limit {
		fields.Add(field, "error.field.too_long", "max", limit)
	}
}

func notFound(kind string) error {
	return fault.New(fault.NotFound, "error.directory."+kind+"_not_found")
}

// Projection rebuilds the directory's tables from the journal.
func (s *Service) Projection() journal.Projection {
	p := journal.Projection{Name: "directory", Apply: apply}
	for subject, t := range tables {
		p.Subjects = append(p.Subjects, subject)
		p.Tables = append(p.Tables, t.name)
	}
	slices.Sort(p.Subjects)
	slices.Sort(p.Tables)
	return p
}
