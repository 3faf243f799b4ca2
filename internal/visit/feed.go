package visit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// SubjectFeed is the journal's subject kind of calendar links, identified by
// the technician.
const SubjectFeed = "visit_feed"

// Kinds of event of a calendar link. Each carries the Feed as it then stands.
const (
	EventFeedRenewed = SubjectFeed + ".renewed"
	EventFeedClosed  = SubjectFeed + ".closed"
)

// Feed is a technician's calendar link: the signed link carries the person and
// the generation, and only the present generation opens.
type Feed struct {
	Technician int64     `json:"technician"`
	Generation int64     `json:"generation"`
	Open       bool      `json:"open"`
	Changed    time.Time `json:"changed"`
}

// How far a calendar link reaches.
const (
	feedPast   = 92 * 24 * time.Hour
	feedFuture = 366 * 24 * time.Hour
)

// RenewFeed opens the calendar link of the actor, or makes a new one that ends
// the former.
func (s *Service) RenewFeed(ctx context.Context, by auth.Identity) (Feed, error) {
	return s.changeFeed(ctx, by, EventFeedRenewed)
}

// CloseFeed ends the actor's calendar link.
func (s *Service) CloseFeed(ctx context.Context, by auth.Identity) (Feed, error) {
	return s.changeFeed(ctx, by, EventFeedClosed)
}

func (s *Service) changeFeed(ctx context.Context, by auth.Identity, kind string) (Feed, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Feed{}, err
	}
	if by.Person == 0 {
		return Feed{}, fault.New(fault.Conflict, "error.visit.no_person")
	}
	at := sqldb.Now()
	var f Feed
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		was, err := feed(ctx, tx, by.Tenant, by.Person, true)
		if err != nil {
			return err
		}
		f = Feed{Technician: by.Person, Generation: was.Generation + 1, Open: kind == EventFeedRenewed, Changed: at}
		data, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("visit: payload of %s: %w", kind, err)
		}
		e := journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: SubjectFeed, ID: by.Person}, Kind: kind, Data: data}
		if err := applyFeed(ctx, tx, &e); err != nil {
			return err
		}
		return s.j.Append(ctx, tx, e)
	})
	return f, err
}

func applyFeed(ctx context.Context, tx *sqldb.Tx, e *journal.Event) error {
	var f Feed
	if err := json.Unmarshal(e.Data, &f); err != nil {
		return fmt.Errorf("visit: calendar link: event %s: %w", e.Pos, err)
	}
	return tx.Upsert(ctx, "visit_feed", []string{"tenant_id", "technician_id"}, []string{"tenant_id", "technician_id", "generation", "is_open", "changed_at"},
		[][]any{{e.Tenant, f.Technician, f.Generation, sqldb.Flag(f.Open), sqldb.Millis(f.Changed)}})
}

func feed(ctx context.Context, tx *sqldb.Tx, tenant, person int64, forUpdate bool) (Feed, error) {
	q := `SELECT technician_id, generation, is_open, changed_at FROM visit_feed WHERE tenant_id = $1 AND technician_id = $2`
	if forUpdate {
		q += tx.ForUpdate()
	}
	var f Feed
	var open, changed int64
	err := tx.QueryRow(ctx, q, tenant, person).Scan(&f.Technician, &f.Generation, &open, &changed)
	if errors.Is(err, sql.ErrNoRows) {
		return Feed{Technician: person}, nil
	}
	if err != nil {
		return Feed{}, fmt.Errorf("visit: calendar link: %w", err)
	}
	f.Open, f.Changed = open != 0, sqldb.Time(changed)
	return f, nil
}

// Feed is the actor's calendar link; not open if there is none.
func (s *Service) Feed(ctx context.Context, by auth.Identity) (Feed, error) {
	return s.feedOf(ctx, by.Tenant, by.Person)
}

func (s *Service) feedOf(ctx context.Context, tenant, person int64) (Feed, error) {
	var f Feed
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		f, err = feed(ctx, tx, tenant, person, false)
		return err
	})
	return f, err
}

// FeedVisits are the visits that a calendar link shows: those of the person,
// cancelled ones too, from three months ago to a year ahead. A link of another
// generation, a closed one and one of somebody who has left the unit are
// NotFound.
func (s *Service) FeedVisits(ctx context.Context, tenant, person, generation int64, now time.Time) ([]Visit, error) {
	f, err := s.feedOf(ctx, tenant, person)
	if err != nil {
		return nil, err
	}
	places, err := s.places.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	p, ok := places.Person(person)
	if !f.Open || f.Generation != generation || !ok || p.Kind != directory.Staff {
		return nil, fault.New(fault.NotFound, "error.link.unknown")
	}
	return s.List(ctx, auth.System(tenant), Filter{From: now.Add(-feedPast), To: now.Add(feedFuture), Technician: person})
}
