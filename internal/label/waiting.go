package label

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// Pending is a report that waits, as those who look after the labels see it.
type Pending struct {
	ID int64
	Place
	Category                        int64
	Title, Description, Name, Email string
	ReceivedAt, ExpiresAt           time.Time
}

// maxListed bounds the list of what waits.
const maxListed = 200

// Waiting lists the reports that wait for their confirmation in the schools
// that one looks after, the oldest first.
func (s *Service) Waiting(ctx context.Context, by auth.Identity) ([]Pending, error) {
	if err := by.Require(auth.ManageLabels); err != nil {
		return nil, err
	}
	cond, args := by.Scope().SQL("school_id", "school_id", 3)
	var out []Pending
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		out = out[:0]
		found, err := reports(ctx, tx, " AND state = 'waiting' AND expires_at > $2 AND "+cond+" ORDER BY received_at, report_id LIMIT "+strconv.Itoa(maxListed), append([]any{s.tenant, sqldb.Millis(sqldb.Now())}, args...)...)
		if err != nil {
			return err
		}
		labels, err := query(ctx, tx, " AND label_id IN (SELECT label_id FROM label_report WHERE tenant_id = $1 AND state = 'waiting')", s.tenant)
		if err != nil {
			return err
		}
		places := map[int64]Place{}
		for _, l := range labels {
			places[l.ID] = l.Place
		}
		for _, k := range found {
			out = append(out, Pending{ID: k.id, Place: places[k.label], Category: k.category, Title: k.title, Description: k.description, Name: k.name, Email: k.email, ReceivedAt: k.received, ExpiresAt: k.expires})
		}
		return nil
	})
	return out, err
}

// Decide confirms or refuses a report in the name of the school or of the unit.
func (s *Service) Decide(ctx context.Context, by auth.Identity, report int64, accept bool) (Receipt, error) {
	if err := by.Require(auth.ManageLabels); err != nil {
		return Receipt{}, err
	}
	k, _, err := s.report(ctx, report)
	if err != nil {
		return Receipt{}, err
	}
	if !manages(by, k.school) {
		return Receipt{}, notFound()
	}
	if accept {
		return s.confirm(ctx, by, report)
	}
	err = s.decide(ctx, by, k, Refused, sqldb.Now())
	if errors.Is(err, errDecided) {
		return Receipt{}, fault.New(fault.Conflict, "error.label.decided")
	}
	return Receipt{State: Refused}, err
}

// Expire ends the wait of what nobody confirmed, and forgets what is old:
// decided reports and counts. It is called from time to time.
func (s *Service) Expire(ctx context.Context) error {
	now := sqldb.Now()
	var ended []kept
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		ended, err = reports(ctx, tx, " AND state = 'waiting' AND expires_at <= $2 LIMIT 1000", s.tenant, sqldb.Millis(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("label: expire: %w", err)
	}
	for _, k := range ended {
		if err := s.decide(ctx, auth.System(s.tenant), k, Expired, now); err != nil && !errors.Is(err, errDecided) {
			return fmt.Errorf("label: expire: %w", err)
		}
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM label_report WHERE tenant_id = $1 AND state <> 'waiting' AND decided_at < $2`, s.tenant, sqldb.Millis(now.Add(-reportKept))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM label_tally WHERE tenant_id = $1 AND since < $2`, s.tenant, sqldb.Millis(now.Add(-tallyKept)))
		return err
	})
}

// Standing is all that a follow link tells.
type Standing struct {
	State   incident.State
	Planned time.Time // when work is planned; zero if it is not
	Due     time.Time // when it is to be solved, as far as is promised; zero if nothing is
	Moved   time.Time // when it last changed
	School  bool      // its school handles it first
}

func (s *Service) follow(ctx context.Context, id int64) (string, error) {
	return s.Signer.Sign(ctx, purposeFollow, strconv.FormatInt(id, 36), sqldb.Now().Add(FollowFor))
}

// Follow tells how the incident of a follow link stands, and nothing else of
// it. A merged incident stands as the one it was merged into.
func (s *Service) Follow(ctx context.Context, token, from string) (Standing, error) {
	now := sqldb.Now()
	if err := s.take(ctx, now, tried{following, fromKey(from)}); err != nil {
		return Standing{}, err
	}
	payload, err := s.Signer.Open(ctx, purposeFollow, token, now)
	if err != nil {
		return Standing{}, err
	}
	id, err := strconv.ParseInt(payload, 36, 64)
	if err != nil {
		return Standing{}, notFound()
	}
	all := auth.ScopeAll(s.tenant) // whoever holds the link; what is told is below
	i, err := s.Incidents.Get(ctx, all, id)
	for range 5 {
		if err != nil || i.State != incident.Merged || i.MergedInto == 0 {
			break
		}
		i, err = s.Incidents.Get(ctx, all, i.MergedInto)
	}
	if err != nil {
		return Standing{}, err
	}
	st := Standing{State: i.State, Planned: i.PlannedAt, Moved: i.UpdatedAt, School: i.AtSchool()}
	if s.Expect != nil && i.State.Open() {
		st.Due, err = s.Expect(ctx, i.ID)
	}
	return st, err
}

// Here tells what is open at a label's place, for a stranger: how it stands
// and what kind of trouble it is, no title.
func (s *Service) Here(ctx context.Context, l Label, category int64) ([]incident.Known, error) {
	known, err := s.Incidents.KnownAt(ctx, auth.System(s.tenant), incident.About{School: l.School, Room: l.Room, Machine: l.Machine, Category: category}, sqldb.Now())
	if err != nil {
		return nil, err
	}
	var here []incident.Known
	for _, k := range known {
		if k.Same == incident.SameMatter {
			continue // elsewhere in the school: not a stranger's business
		}
		k.Title, k.ID = "", 0
		here = append(here, k)
	}
	return here, nil
}

// Look counts an opening of a label's page.
func (s *Service) Look(ctx context.Context, from string) error {
	return s.take(ctx, sqldb.Now(), tried{openings, fromKey(from)})
}

const selectReport = `SELECT report_id, label_id, school_id, category_id, title, description, name, email, language, state, incident_id, received_at, expires_at FROM label_report WHERE tenant_id = $1`

func reports(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]kept, error) {
	rows, err := tx.Query(ctx, selectReport+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("label: %w", err)
	}
	defer rows.Close()
	var all []kept
	for rows.Next() {
		var k kept
		var received, expires int64
		if err := rows.Scan(&k.id, &k.label, &k.school, &k.category, &k.title, &k.description, &k.name, &k.email, &k.lang, &k.state, &k.incident, &received, &expires); err != nil {
			return nil, fmt.Errorf("label: %w", err)
		}
		k.received, k.expires = sqldb.Time(received), sqldb.Time(expires)
		all = append(all, k)
	}
	return all, rows.Err()
}
