package visit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// How incidents follow their visits. A visit's command writes, in its own
// transaction, which incidents it concerns (owe); after the commit they are
// brought into line at once, as who acted (settleNow). What a crash left is
// made up for by Run. An incident is told by its present visits, so that doing
// it twice does it once.

// owe notes the incidents that have to follow a visit.
func (s *Service) owe(ctx context.Context, tx *sqldb.Tx, by auth.Identity, v, before *Visit, at time.Time) error {
	said := v.Start
	ids := slices.Clone(v.Incidents)
	if before != nil {
		if public(before) == public(v) && before.State == v.State && slices.Equal(before.Incidents, v.Incidents) {
			return nil
		}
		said = before.Start
		ids = distinct(append(ids, before.Incidents...))
	}
	if len(ids) == 0 {
		return nil
	}
	rows := make([][]any, len(ids))
	for k, id := range ids {
		rows[k] = []any{by.Tenant, id, sqldb.Millis(said), by.Account, sqldb.Millis(at)}
	}
	return tx.Upsert(ctx, "visit_settlement", []string{"tenant_id", "incident_id"}, []string{"tenant_id", "incident_id", "planned_at", "account_id", "since_at"}, rows)
}

type debt struct {
	incident int64
	said     time.Time
	account  int64
}

func (s *Service) debts(ctx context.Context, tenant int64, until time.Time) ([]debt, error) {
	var all []debt
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		all = nil
		rows, err := tx.Query(ctx, `SELECT incident_id, planned_at, account_id FROM visit_settlement WHERE tenant_id = $1 AND since_at <= $2 ORDER BY incident_id LIMIT 500`, tenant, sqldb.Millis(until))
		if err != nil {
			return fmt.Errorf("visit: unsettled: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var d debt
			var said int64
			if err := rows.Scan(&d.incident, &said, &d.account); err != nil {
				return fmt.Errorf("visit: unsettled: %w", err)
			}
			d.said = sqldb.Time(said)
			all = append(all, d)
		}
		return rows.Err()
	})
	return all, err
}

// settleNow brings the incidents of a command into line as who acted. A
// failure is left to Run: the command itself is done.
func (s *Service) settleNow(ctx context.Context, by auth.Identity, ids []int64) {
	if len(ids) == 0 {
		return
	}
	owed, err := s.debts(ctx, by.Tenant, sqldb.Now())
	if err == nil {
		for _, d := range owed {
			if slices.Contains(ids, d.incident) {
				if err = s.settle(ctx, by, d); err != nil {
					break
				}
			}
		}
	}
	if err != nil {
		s.log.WarnContext(ctx, "visit: incidents do not follow yet", "error", err)
	}
}

// settle brings one incident into line with its visits.
func (s *Service) settle(ctx context.Context, by auth.Identity, d debt) error {
	i, err := s.incidents.Get(ctx, auth.ScopeAll(by.Tenant), d.incident)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err == nil && i.State.Open() {
		if err := s.follow(ctx, by, i, d.said); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM visit_settlement WHERE tenant_id = $1 AND incident_id = $2 AND planned_at = $3`, by.Tenant, d.incident, sqldb.Millis(d.said))
		return err
	})
}

// follow plans an open incident for its next visit, or frees it when it was
// planned for one that no longer is.
func (s *Service) follow(ctx context.Context, by auth.Identity, i incident.Incident, said time.Time) error {
	visits, err := s.List(ctx, auth.System(by.Tenant), Filter{Incident: i.ID, States: []State{Planned, Started}})
	if err != nil {
		return err
	}
	c := incident.Change{Incident: i.ID}
	switch {
	case len(visits) > 0:
		v := next(visits, sqldb.Now())
		if i.State == incident.Planned && i.PlannedAt.Equal(v.Start) && i.Assignee == v.Technician {
			return nil
		}
		c.Action = incident.Plan
		c.Set.PlannedAt = &v.Start
		if i.Assignee != v.Technician {
			c.Set.Assignee = &v.Technician
		}
	case i.State == incident.Planned && i.PlannedAt.Equal(said):
		c.Action = incident.Resume
	default:
		return nil
	}
	_, err = s.incidents.Act(ctx, by, c)
	if err != nil && fault.CodeOf(err) != fault.Internal {
		// The incident has moved on, or the technician has left: people see it.
		s.log.InfoContext(ctx, "visit: an incident does not follow", "incident", i.ID, "error", err)
		return nil
	}
	return err
}

// Run makes up for what was left unsettled by a crash or a failure, until ctx
// ends.
func (s *Service) Run(ctx context.Context, tenant int64) error {
	const every = 30 * time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	grace := time.Duration(0) // at start nobody else is at it
	for {
		if err := s.SettleAll(ctx, tenant, sqldb.Now().Add(-grace)); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "visit: incidents do not follow yet", "error", err)
		}
		grace = 10 * time.Second
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// SettleAll brings into line every incident that has been waiting since before
// an instant, as the account that acted, or as the system if it may no longer.
func (s *Service) SettleAll(ctx context.Context, tenant int64, until time.Time) error {
	owed, err := s.debts(ctx, tenant, until)
	if err != nil {
		return err
	}
	for _, d := range owed {
		by := auth.System(tenant)
		if s.accounts != nil && d.account != 0 {
			if who, err := s.accounts.IdentityOf(ctx, d.account); err == nil && who.Can(auth.HandleIncident) {
				by = who
			}
		}
		if err := s.settle(ctx, by, d); err != nil {
			return err
		}
	}
	return nil
}

// next is the first visit that is not over at an instant; the last one if they
// all should be.
func next(visits []Visit, now time.Time) *Visit {
	for k := range visits {
		if visits[k].End().After(now) {
			return &visits[k]
		}
	}
	return &visits[len(visits)-1]
}
