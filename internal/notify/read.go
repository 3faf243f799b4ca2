package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Entry is a message as those who handle see it: that it was sent, to whom and
// when, never what it said.
type Entry struct {
	ID        int64
	Incident  int64
	Person    int64
	Address   string
	Kind      string
	State     State
	Reason    string
	Tries     int
	CreatedAt time.Time
	SentAt    time.Time
	DueAt     time.Time
}

func entryOf(r row) Entry {
	return Entry{r.ID, r.Incident, r.Person, r.Address, r.Kind, r.State, r.Reason, r.Tries, r.CreatedAt, r.SentAt, r.DueAt}
}

// Log lists the messages about an incident, oldest first. It needs the right
// HandleIncident; NotFound when the incident is out of scope.
func (s *Service) Log(ctx context.Context, by auth.Identity, incident int64) ([]Entry, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return nil, err
	}
	if _, err := s.incidents.Get(ctx, by.Scope(), incident); err != nil {
		return nil, err
	}
	return s.entries(ctx, ` AND incident_id = $2 AND incident_id <> 0 ORDER BY message_id LIMIT 500`, by.Tenant, incident)
}

// Lately lists the last messages of all, the latest first. It needs the right
// ManageAccounts.
func (s *Service) Lately(ctx context.Context, by auth.Identity, state State, limit int) ([]Entry, error) {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return nil, err
	}
	if state == "" {
		return s.entries(ctx, ` ORDER BY message_id DESC LIMIT $2`, by.Tenant, min(max(limit, 1), 500))
	}
	return s.entries(ctx, ` AND state = $2 ORDER BY message_id DESC LIMIT $3`, by.Tenant, string(state), min(max(limit, 1), 500))
}

func (s *Service) entries(ctx context.Context, condition string, args ...any) ([]Entry, error) {
	var list []Entry
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := rowsOf(ctx, tx, condition, args...)
		for _, r := range rows {
			list = append(list, entryOf(r))
		}
		return err
	})
	return list, err
}

// Counts tells how many messages stand where, of those made since an instant.
// It needs the right ManageAccounts.
func (s *Service) Counts(ctx context.Context, by auth.Identity, since time.Time) (map[State]int, error) {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return nil, err
	}
	counts := map[State]int{}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT state, count(*) FROM notify_message WHERE tenant_id = $1 AND (created_at >= $2 OR state IN ('queued', 'held')) GROUP BY state`, by.Tenant, sqldb.Millis(since))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var state State
			var n int
			if err := rows.Scan(&state, &n); err != nil {
				return err
			}
			counts[state] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("notify: counts: %w", err)
	}
	return counts, nil
}

// Bounces lists the addresses that gave messages back, the latest first. It
// needs the right ManageAccounts.
func (s *Service) Bounces(ctx context.Context, by auth.Identity) ([]Bounce, error) {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return nil, err
	}
	var list []Bounce
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, selectBounce+` ORDER BY last_at DESC LIMIT 200`, by.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			b, err := scanBounce(rows.Scan)
			if err != nil {
				return err
			}
			list = append(list, b)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("notify: bounces: %w", err)
	}
	return list, nil
}

// Trust has an address tried again. It needs the right ManageAccounts.
func (s *Service) Trust(ctx context.Context, by auth.Identity, address string) error {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM notify_bounce WHERE tenant_id = $1 AND address = $2`, by.Tenant, fold(address))
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "error.not_found")
		}
		return err
	})
}

// Shown is a message of the outbox of a demonstration.
type Shown struct {
	ID       int64
	Incident int64
	Kind     string
	Name     string
	Address  string
	Subject  string
	Body     Body
	At       time.Time
}

// Shown lists the outbox, the latest first; it is empty but in a demonstration,
// whose people are invented.
func (s *Service) Shown(ctx context.Context, limit int) ([]Shown, error) {
	return s.shown(ctx, ` ORDER BY o.message_id DESC LIMIT $2`, min(max(limit, 1), keepShown))
}

// ShownOne reads one message of the outbox.
func (s *Service) ShownOne(ctx context.Context, id int64) (Shown, error) {
	list, err := s.shown(ctx, ` AND o.message_id = $2`, id)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "error.not_found")
	}
	if err != nil {
		return Shown{}, err
	}
	return list[0], nil
}

func (s *Service) shown(ctx context.Context, condition string, arg any) ([]Shown, error) {
	if !s.cfg.Show {
		return nil, nil
	}
	var list []Shown
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT o.message_id, m.incident_id, m.kind, o.name, o.address, o.subject, o.body, o.at FROM notify_outbox o
			JOIN notify_message m ON m.tenant_id = o.tenant_id AND m.message_id = o.message_id WHERE o.tenant_id = $1`+condition, s.cfg.Tenant, arg)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m Shown
			var body string
			var at int64
			if err := rows.Scan(&m.ID, &m.Incident, &m.Kind, &m.Name, &m.Address, &m.Subject, &body, &at); err != nil {
				return err
			}
			m.At = sqldb.Time(at)
			if err := json.Unmarshal([]byte(body), &m.Body); err != nil {
				return err
			}
			list = append(list, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("notify: outbox: %w", err)
	}
	return list, nil
}

// Wish is how a person is told of a topic.
type Wish struct {
	Topic    Topic
	Mode     Mode
	Standing Mode // of their role, when they choose nothing
	Own      bool // they chose
}

// Wishes lists what the caller chose, topic by topic.
func (s *Service) Wishes(ctx context.Context, by auth.Identity) (map[Topic]Wish, error) {
	wishes := map[Topic]Wish{}
	for _, g := range GroupsOf(by.Role) {
		for _, topic := range g.Topics {
			stands, err := s.mode(ctx, reader{who: by}, topic)
			if err != nil {
				return nil, err
			}
			w := Wish{Topic: topic, Mode: stands, Standing: stands}
			wishes[topic] = w
		}
	}
	if by.Person == 0 {
		return wishes, nil
	}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT topic, mode FROM notify_preference WHERE tenant_id = $1 AND person_id = $2`, by.Tenant, by.Person)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var topic Topic
			var mode Mode
			if err := rows.Scan(&topic, &mode); err != nil {
				return err
			}
			if w, ok := wishes[topic]; ok {
				w.Mode, w.Own = mode, true
				wishes[topic] = w
			}
		}
		return rows.Err()
	})
	return wishes, err
}

// SetWishes keeps what the caller chooses; a topic that stays as their role has
// it follows the role. The refusals are Invalid: "mode" beside the topic, and
// "person" for an account without a person, which nobody writes to.
func (s *Service) SetWishes(ctx context.Context, by auth.Identity, modes map[Topic]Mode) error {
	if by.Person == 0 {
		return fault.InvalidField("person", "error.notify.no_person")
	}
	wishes, err := s.Wishes(ctx, by)
	if err != nil {
		return err
	}
	var f fault.Fields
	for topic, mode := range modes {
		if _, ok := wishes[topic]; !ok || !slices.Contains(ModesOf(topic), mode) {
			f.Add(string(topic), "error.field.unknown")
		}
	}
	if err := f.Err(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for topic, mode := range modes {
			var err error
			if mode == wishes[topic].Standing {
				_, err = tx.Exec(ctx, `DELETE FROM notify_preference WHERE tenant_id = $1 AND person_id = $2 AND topic = $3`, by.Tenant, by.Person, string(topic))
			} else {
				err = tx.Upsert(ctx, "notify_preference", []string{"tenant_id", "person_id", "topic"}, []string{"tenant_id", "person_id", "topic", "mode"}, [][]any{{by.Tenant, by.Person, string(topic), string(mode)}})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Standing gives the modes of every role, where nobody chose.
func (s *Service) Standing(ctx context.Context, by auth.Identity) (map[auth.Role]map[Topic]Mode, error) {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return nil, err
	}
	all := map[auth.Role]map[Topic]Mode{}
	for _, role := range auth.Roles {
		all[role] = map[Topic]Mode{}
		for _, g := range GroupsOf(role) {
			for _, topic := range g.Topics {
				mode, err := s.mode(ctx, reader{who: auth.Identity{Role: role}}, topic)
				if err != nil {
					return nil, err
				}
				all[role][topic] = mode
			}
		}
	}
	return all, nil
}

// SetStanding changes the modes of a role. It needs the right ManageAccounts.
func (s *Service) SetStanding(ctx context.Context, by auth.Identity, role auth.Role, modes map[Topic]Mode) error {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return err
	}
	var f fault.Fields
	if !role.Valid() {
		f.Add("role", "error.field.unknown")
	}
	for topic, mode := range modes {
		known := slices.ContainsFunc(GroupsOf(role), func(g Group) bool { return slices.Contains(g.Topics, topic) })
		if !known || !slices.Contains(ModesOf(topic), mode) {
			f.Add(string(role)+"."+string(topic), "error.field.unknown")
		}
	}
	if err := f.Err(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for topic, mode := range modes {
			if err := tx.Upsert(ctx, "notify_default", []string{"tenant_id", "role", "topic"}, []string{"tenant_id", "role", "topic", "mode"}, [][]any{{by.Tenant, string(role), string(topic), string(mode)}}); err != nil {
				return err
			}
		}
		return s.wordsChanged(ctx, tx, by)
	})
}
