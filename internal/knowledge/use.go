package knowledge

import (
	"context"
	"encoding/json"
	"fmt"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Use is what an article was good for.
type Use string

// The uses.
const (
	Helped    Use = "helped"     // a reader says that it helped
	NotHelped Use = "not_helped" // that it did not
	Avoided   Use = "avoided"    // a declaration that was not needed
	Applied   Use = "applied"    // it solved an incident
)

// Mark is the payload of EventUsed and EventUnused.
type Mark struct {
	Use      Use          `json:"use"`
	Account  int64        `json:"account,omitempty"` // whose opinion
	Incident int64        `json:"incident,omitempty"`
	Day      calendar.Day `json:"day,omitempty"`
}

// Mark counts a use of an article that the person may read. The same again
// counts once: an opinion by account (the last one stands), a declaration
// avoided by account and day, an application by incident (0 when not about
// one), which the caller has checked that the person sees.
func (s *Service) Mark(ctx context.Context, by auth.Identity, id int64, use Use, incident int64) error {
	return s.mark(ctx, by, id, use, incident, EventUsed)
}

// Unmark takes an opinion or an application back.
func (s *Service) Unmark(ctx context.Context, by auth.Identity, id int64, use Use, incident int64) error {
	return s.mark(ctx, by, id, use, incident, EventUnused)
}

func (s *Service) mark(ctx context.Context, by auth.Identity, id int64, use Use, incident int64, kind string) error {
	if _, err := s.Get(ctx, by, id); err != nil {
		return err
	}
	now := sqldb.Now()
	m := Mark{Use: use, Account: by.Account}
	switch use {
	case Helped, NotHelped:
	case Avoided:
		m.Day = calendar.Day(now.Unix() / 86_400)
	case Applied:
		if err := by.Require(auth.HandleIncident); err != nil {
			return err
		}
		if incident <= 0 {
			return fault.InvalidField("incident", "error.field.required")
		}
		m.Account, m.Incident = 0, incident
	default:
		return fault.InvalidField("use", "error.field.unknown")
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error) {
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM article_use WHERE tenant_id = $1 AND article_id = $2 AND use = $3 AND account_id = $4 AND incident_id = $5 AND day = $6`,
			by.Tenant, id, string(m.Use), m.Account, m.Incident, int64(m.Day)).Scan(&n); err != nil {
			return nil, fmt.Errorf("knowledge: mark: %w", err)
		}
		if (n > 0) == (kind == EventUsed) {
			return nil, nil
		}
		return []journal.Event{{Tenant: by.Tenant, At: now, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: id}, Kind: kind, Data: data}}, nil
	})
}
