// Package queue is what people have before them: the views of the list of
// incidents that they saved and share, what they have not read yet, and who
// else has the same incident open.
//
// All of it is convenience, none of it is what happened to an incident: it has
// tables, and no events.
package queue

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Service is the queues of every tenant.
type Service struct {
	db  *sqldb.DB
	log *slog.Logger
}

// New makes the service; Run must run beside it for what is past to go.
func New(db *sqldb.DB, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: db, log: log}
}

// Audience says who sees a saved view beside its owner.
type Audience string

// The audiences.
const (
	Own    Audience = "own"
	Unit   Audience = "unit"   // everybody who handles incidents
	Team   Audience = "team"   // who works in a team (Target)
	School Audience = "school" // who sees the figures of a school (Target)
)

// Audiences lists every audience.
var Audiences = []Audience{Own, Team, Unit, School}

// View is a saved view: an address of the list of incidents under a name. It
// only filters: whoever opens it sees what is in their own scope.
type View struct {
	ID       int64
	Owner    int64 // account
	Name     string
	Query    string // of the address, without "?", encoded
	Audience Audience
	Target   int64 // team or school
}

// Limits on saved views.
const (
	MaxName  = 60
	maxQuery = 4000 // bytes
	maxViews = 50   // of one account
)

// Reader is who asks: an identity, and the team in which they work (0 if none).
type Reader struct {
	auth.Identity

	Team int64
}

func (r Reader) sees(v View) bool {
	if v.Owner == r.Account {
		return true
	}
	switch v.Audience {
	case Unit:
		return r.Can(auth.HandleIncident)
	case Team:
		return v.Target == r.Team && r.Can(auth.HandleIncident)
	case School:
		return r.Scope().SeesSchool(v.Target)
	case Own:
	}
	return false
}

// MayChange tells whether the reader may rename or remove a view: its owner,
// and whoever sets up the département for those that are shared.
func (r Reader) MayChange(v View) bool {
	return v.Owner == r.Account || v.Audience != Own && r.Can(auth.EditCatalog) && r.sees(v)
}

// Views lists what the reader sees: their own, then those of others, by name.
func (s *Service) Views(ctx context.Context, r Reader) ([]View, error) {
	var all []View
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		all = nil
		rows, err := tx.Query(ctx, `SELECT view_id, account_id, name, query, audience, target_id FROM saved_view WHERE tenant_id = $1 AND (account_id = $2 OR audience <> $3) ORDER BY view_id`, r.Tenant, r.Account, string(Own))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var v View
			if err := rows.Scan(&v.ID, &v.Owner, &v.Name, &v.Query, &v.Audience, &v.Target); err != nil {
				return err
			}
			if r.sees(v) {
				all = append(all, v)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("queue: views: %w", err)
	}
	slices.SortStableFunc(all, func(a, b View) int {
		if mine := a.Owner == r.Account; mine != (b.Owner == r.Account) {
			if mine {
				return -1
			}
			return 1
		}
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return all, nil
}

// View gives one view that the reader sees.
func (s *Service) View(ctx context.Context, r Reader, id int64) (View, error) {
	all, err := s.Views(ctx, r)
	if err != nil {
		return View{}, err
	}
	for _, v := range all {
		if v.ID == id {
			return v, nil
		}
	}
	return View{}, fault.New(fault.NotFound, "error.queue.view_not_found")
}

func (v View) check(r Reader) error {
	var f fault.Fields
	switch n := utf8.RuneCountInString(v.Name); {
	case n == 0:
		f.Add("name", "error.field.required")
	case n > MaxName || !utf8.ValidString(v.Name):
		f.Add("name", "error.field.too_long", "max", MaxName)
	}
	if _, err := url.ParseQuery(v.Query); err != nil || len(v.Query) > maxQuery {
		f.Add("query", "error.field.format")
	}
	switch v.Audience {
	case Own:
	case Unit:
		if !r.Can(auth.HandleIncident) {
			f.Add("audience", "error.queue.audience")
		}
	case Team:
		if v.Target == 0 || v.Target != r.Team && !r.Can(auth.EditCatalog) {
			f.Add("audience", "error.queue.audience")
		}
	case School:
		if v.Target == 0 || !r.Scope().SeesSchool(v.Target) {
			f.Add("audience", "error.queue.audience")
		}
	default:
		f.Add("audience", "error.field.unknown")
	}
	return f.Err()
}

// SaveView keeps a view (ID 0) or changes one that the reader may change.
func (s *Service) SaveView(ctx context.Context, r Reader, v View) (View, error) {
	v.Name = strings.Join(strings.Fields(v.Name), " ")
	if v.Audience == Own || v.Audience == Unit {
		v.Target = 0
	}
	if err := v.check(r); err != nil {
		return View{}, err
	}
	if v.ID != 0 {
		before, err := s.View(ctx, r, v.ID)
		if err != nil {
			return View{}, err
		}
		if !r.MayChange(before) {
			return View{}, fault.New(fault.Forbidden, "error.queue.not_yours")
		}
		v.Owner = before.Owner
	} else {
		v.Owner = r.Account
	}
	isNew := v.ID == 0
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if isNew {
			var n int
			if err := tx.QueryRow(ctx, `SELECT count(*) FROM saved_view WHERE tenant_id = $1 AND account_id = $2`, r.Tenant, r.Account).Scan(&n); err != nil {
				return err
			}
			if n >= maxViews {
				return fault.InvalidField("name", "error.queue.too_many", "max", maxViews)
			}
			var err error
			if v.ID, err = tx.NextIDs(ctx, r.Tenant, "saved_view", 1); err != nil {
				return err
			}
		}
		return tx.Upsert(ctx, "saved_view", []string{"tenant_id", "view_id"},
			[]string{"tenant_id", "view_id", "account_id", "name", "query", "audience", "target_id", "created_at"},
			[][]any{{r.Tenant, v.ID, v.Owner, v.Name, v.Query, string(v.Audience), v.Target, sqldb.Millis(sqldb.Now())}})
	})
	if err != nil {
		if fault.CodeOf(err) == fault.Internal {
			err = fmt.Errorf("queue: save view: %w", err)
		}
		return View{}, err
	}
	return v, nil
}

// RemoveView takes a view away and gives it back, for an undo.
func (s *Service) RemoveView(ctx context.Context, r Reader, id int64) (View, error) {
	v, err := s.View(ctx, r, id)
	if err != nil {
		return View{}, err
	}
	if !r.MayChange(v) {
		return View{}, fault.New(fault.Forbidden, "error.queue.not_yours")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM saved_view WHERE tenant_id = $1 AND view_id = $2`, r.Tenant, id)
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("queue: remove view: %w", err)
	}
	return v, nil
}

// Run takes away what is past, until ctx ends.
func (s *Service) Run(ctx context.Context, tenant int64) error {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		if err := s.Tidy(ctx, tenant); err != nil && ctx.Err() == nil {
			s.log.Error("queue: tidy", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tidy takes away the presences that have ended, and the marks of what was
// read longer ago than unread marks go back.
func (s *Service) Tidy(ctx context.Context, tenant int64) error {
	now := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM incident_presence WHERE tenant_id = $1 AND until_at < $2`, tenant, sqldb.Millis(now)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM incident_read WHERE tenant_id = $1 AND read_at < $2`, tenant, sqldb.Millis(now.Add(-2*marked)))
		return err
	})
}
