package servicelevel

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Subjects of the journal. Targets and settings are "saved" (or a target
// "removed"); Subject is identified by the incident whose clock is told of.
const (
	SubjectTarget  = "service_target"
	SubjectSetting = "service_setting" // identified by the tenant
	Subject        = "servicelevel"

	saved   = ".saved"
	removed = ".removed"
)

// Kinds of event about an incident's clock, each once for a clock: its data is
// a Said.
const (
	EventWarned   = Subject + ".warned"   // a share of the target is used, the clock runs
	EventBreached = Subject + ".breached" // the target is used up, the clock runs
)

// Service is the service levels of every tenant.
//
// Commands: SaveTarget, RemoveTarget, SaveWarn, SeedUsual. Reads: Index,
// Clock, Standings, Pressing, WhatIf, Check. Run keeps the table of clocks, and
// tells of those that are about to be late.
type Service struct {
	db        *sqldb.DB
	j         *journal.Journal
	places    *directory.Service
	words     *catalog.Service
	incidents *incident.Service
	index     *sqldb.Memo[Index]
}

// New gives the service levels kept in a database.
func New(db *sqldb.DB, j *journal.Journal, places *directory.Service, words *catalog.Service, incidents *incident.Service) *Service {
	return &Service{db: db, j: j, places: places, words: words, incidents: incidents, index: sqldb.NewMemo(db, "servicelevel.version", loadIndex)}
}

// Index is a tenant's targets and settings in memory. It never changes.
type Index struct {
	Targets Targets
	Warn    int // percent of a target after which people are warned
	version int64
}

// Index gives the tenant's targets and settings as they stand.
func (s *Service) Index(ctx context.Context, tenant int64) (*Index, error) {
	return s.index.Get(ctx, tenant)
}

// Projection rebuilds targets, settings and what was told.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{
		Name:     "servicelevel",
		Subjects: []string{SubjectTarget, SubjectSetting, Subject},
		Tables:   []string{"service_target", "service_setting", "service_said"},
		Apply:    apply,
	}
}

// Settings are what a département chooses beside its targets.
type Settings struct {
	Warn int `json:"warn"` // percent
}

// Bounds of a target.
const (
	MaxMinutes = 60 * 24 * 365
	MaxTargets = 500
)

// MinWarn and MaxWarn bound the share of a target after which people are
// warned, in percent.
const (
	MinWarn = 10
	MaxWarn = 99
)

// command runs fn in one transaction for who may edit service levels.
func (s *Service) command(ctx context.Context, by auth.Identity, fn func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error)) error {
	if err := by.Require(auth.EditService); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.index.Touch(ctx, tx, by.Tenant); err != nil {
			return err
		}
		events, err := fn(ctx, tx)
		if err != nil || len(events) == 0 {
			return err
		}
		if err := apply(ctx, tx, events); err != nil {
			return err
		}
		return s.j.Append(ctx, tx, events...)
	})
}

func event(by auth.Identity, kind string, id int64, verb string, at time.Time, state any) (journal.Event, error) {
	data, err := json.Marshal(state)
	if err != nil {
		return journal.Event{}, fmt.Errorf("servicelevel: write %s: %w", kind, err)
	}
	return journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: kind, ID: id}, Kind: kind + verb, Data: data}, nil
}

// subjectID numbers the incidents that a target is about.
func (t Target) subjectID() int64 { return t.Category*10 + int64(t.Priority) }

// SaveTarget sets a target from a day on, or changes the one that begins that
// day. A target never changes what is past: its day is today at the earliest,
// unless the département has no target yet.
func (s *Service) SaveTarget(ctx context.Context, by auth.Identity, in Target) error {
	if err := by.Require(auth.EditService); err != nil {
		return err
	}
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	var fields fault.Fields
	if in.Priority < 0 || in.Priority > 5 {
		fields.Add("priority", "error.field.unknown")
	}
	if _, ok := words.Category(in.Category); !ok && in.Category != 0 {
		fields.Add("category", "error.field.unknown")
	}
	for name, minutes := range map[string]int{"response": in.Response, "resolution": in.Resolution} {
		if minutes < 0 || minutes > MaxMinutes {
			fields.Add(name, "error.service.minutes")
		}
	}
	if in.Response > 0 && in.Resolution > 0 && in.Response > in.Resolution {
		fields.Add("response", "error.service.response_longer")
	}
	if err := fields.Err(); err != nil {
		return err
	}
	now := sqldb.Now()
	today, err := s.today(ctx, by.Tenant, now)
	if err != nil {
		return err
	}
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error) {
		stored, err := targets(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		if in.From < today && len(stored) > 0 {
			return nil, fault.InvalidField("from", "error.service.from_past")
		}
		if len(stored) >= MaxTargets {
			return nil, fault.InvalidField("from", "error.service.too_many", "max", MaxTargets)
		}
		e, err := event(by, SubjectTarget, in.subjectID(), saved, now, in)
		return []journal.Event{e}, err
	})
}

// RemoveTarget takes a target back that begins today or later.
func (s *Service) RemoveTarget(ctx context.Context, by auth.Identity, key Key, from calendar.Day) error {
	if err := by.Require(auth.EditService); err != nil {
		return err
	}
	now := sqldb.Now()
	today, err := s.today(ctx, by.Tenant, now)
	if err != nil {
		return err
	}
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error) {
		stored, err := targets(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		for _, t := range stored {
			if t.Key() != key || t.From != from {
				continue
			}
			if from < today {
				return nil, fault.New(fault.Conflict, "error.service.in_force")
			}
			e, err := event(by, SubjectTarget, t.subjectID(), removed, now, t)
			return []journal.Event{e}, err
		}
		return nil, fault.New(fault.NotFound, "error.not_found")
	})
}

func (s *Service) today(ctx context.Context, tenant int64, now time.Time) (calendar.Day, error) {
	c, err := s.places.Calendar(ctx, tenant, 0)
	if err != nil {
		return 0, err
	}
	return c.Day(now), nil
}

// SaveWarn sets the share of a target after which people are warned.
func (s *Service) SaveWarn(ctx context.Context, by auth.Identity, percent int) error {
	if err := by.Require(auth.EditService); err != nil {
		return err
	}
	if percent < MinWarn || percent > MaxWarn {
		return fault.InvalidField("warn", "error.service.warn", "min", MinWarn, "max", MaxWarn)
	}
	return s.command(ctx, by, func(context.Context, *sqldb.Tx) ([]journal.Event, error) {
		e, err := event(by, SubjectSetting, by.Tenant, saved, sqldb.Now(), Settings{Warn: percent})
		return []journal.Event{e}, err
	})
}

// SeedUsual gives a département without any target the usual ones, for all its
// past too. It does nothing where there is one.
func (s *Service) SeedUsual(ctx context.Context, by auth.Identity) error {
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error) {
		stored, err := targets(ctx, tx, by.Tenant)
		if err != nil || len(stored) > 0 {
			return nil, err
		}
		now := sqldb.Now()
		var events []journal.Event
		for _, t := range Usual {
			e, err := event(by, SubjectTarget, t.subjectID(), saved, now, t)
			if err != nil {
				return nil, err
			}
			events = append(events, e)
		}
		return events, nil
	})
}

// Clock computes the clocks of an incident at an instant from its story. It is
// NotFound when the incident does not exist or is out of scope.
func (s *Service) Clock(ctx context.Context, scope auth.Scope, id int64, now time.Time) (Clock, error) {
	if _, err := s.incidents.Get(ctx, scope, id); err != nil {
		return Clock{}, err
	}
	rules, err := s.ruling(ctx, scope.Tenant())
	if err != nil {
		return Clock{}, err
	}
	var events []journal.Event
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		events, err = journal.Of(ctx, tx, scope.Tenant(), journal.Subject{Kind: incident.Subject, ID: id})
		return err
	})
	if err != nil {
		return Clock{}, err
	}
	story, err := StoryOf(events)
	if err != nil {
		return Clock{}, err
	}
	return Compute(story, rules.Rules, now), nil
}
