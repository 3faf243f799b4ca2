package mailin

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/intake/mail/parse"
	"statincidents/internal/sqldb"
)

// claimTime is how long a message that somebody began to sort is theirs.
const claimTime = 2 * time.Minute

// MaxBulk is how many messages one command sorts.
const MaxBulk = 200

// NewIncident is what a person decides of a message that becomes an incident.
type NewIncident struct {
	Title       string
	Description string
	School      int64
	Room        int64
	Category    int64
	// Remember adds the sender to the directory as a person of the school, so
	// that their next messages pass by themselves. Name is theirs.
	Remember bool
	Name     string
	Kind     directory.PersonKind
}

// claim reserves a message that waits for a person.
func (s *Service) claim(ctx context.Context, id int64) (Message, error) {
	var m Message
	now := sqldb.Now()
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE mail_message SET claimed_at = $3 WHERE tenant_id = $1 AND message_id = $2 AND state IN ('quarantined', 'failed', 'refused') AND claimed_at < $4`,
			s.Tenant, id, sqldb.Millis(now), sqldb.Millis(now.Add(-claimTime)))
		if err != nil {
			return err
		}
		m, err = scanMessage(tx.QueryRow(ctx, `SELECT `+messageColumns+` FROM mail_message WHERE tenant_id = $1 AND message_id = $2`, s.Tenant, id).Scan)
		if err == nil && n == 0 {
			err = conflict()
		}
		return err
	})
	return m, s.found(err)
}

func (s *Service) release(ctx context.Context, id int64) {
	err := s.DB.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE mail_message SET claimed_at = 0 WHERE tenant_id = $1 AND message_id = $2`, s.Tenant, id)
		return err
	})
	if err != nil {
		s.Log.Error("mailin: release a message", "error", err)
	}
}

// MakeIncident makes an incident of a message that waits. Refusals: Forbidden,
// NotFound, Conflict "error.mailin.sorted", Invalid with the fields of a
// declaration, "name" and "kind" of a sender to remember.
func (s *Service) MakeIncident(ctx context.Context, by auth.Identity, id int64, in NewIncident) (i incident.Incident, err error) {
	if err := by.Require(auth.SortMail); err != nil {
		return i, err
	}
	if _, err := s.Get(ctx, by, id); err != nil {
		return i, err
	}
	row, err := s.claim(ctx, id)
	if err != nil {
		return i, err
	}
	defer func() {
		if err != nil {
			s.release(ctx, id)
		}
	}()
	raw, err := s.raw(ctx, id)
	if err != nil {
		return i, err
	}
	m := parse.Parse(raw)
	places, err := s.Directory.Index(ctx, s.Tenant)
	if err != nil {
		return i, err
	}
	p, err := s.printer(ctx)
	if err != nil {
		return i, err
	}
	d := incident.Declaration{Title: in.Title, School: in.School, Room: in.Room, Category: in.Category, Origin: incident.Email, Machine: machineIn(in.Title + "\n" + in.Description), OccurredAt: occurred(m)}
	if d.Room == 0 {
		d.Room = roomIn(in.Title+"\n"+in.Description, places.Rooms(in.School))
	}
	person := row.Person
	if senders := sendersOf(places, m); person == 0 && len(senders) > 0 {
		person = senders[0].ID
	}
	if in.Remember && person == 0 {
		if _, known := places.School(in.School); !known {
			return i, fault.InvalidField("school", "error.field.required")
		}
		if person, err = s.remember(ctx, row, in); err != nil {
			return i, err
		}
	}
	var notes []string
	if d.Attachments, notes, err = s.keep(ctx, p, m); err != nil {
		return i, err
	}
	d.Declarant = person
	d.Description = compose(p, &parse.Message{Invitation: m.Invitation}, in.Description, notes)
	if person == 0 {
		// Nobody of the directory: who wrote stays with the incident.
		d.Description = strings.TrimSpace(d.Description + "\n\n" + p.T("mailin.note.sender", "who", row.From.String()))
	}
	if i, err = s.Incidents.Declare(ctx, by, d); err != nil {
		return i, err
	}
	v := verdict{state: Done, outcome: MadeIncident, incident: i.ID, person: person}
	if err := s.conclude(ctx, id, v, by); err != nil {
		return i, err
	}
	if in.Remember && row.From.Email != "" {
		s.again(ctx, row.From.Email)
	}
	return i, nil
}

// occurred is when a message was sent, where that can be when it began.
func occurred(m *parse.Message) time.Time {
	now := sqldb.Now()
	if m.Date.IsZero() || m.Date.After(now) || now.Sub(m.Date) > 30*24*time.Hour {
		return time.Time{}
	}
	return m.Date
}

// remember adds a sender to the directory. The right to sort is enough: it is
// one person, whose address was seen.
func (s *Service) remember(ctx context.Context, row Message, in NewIncident) (int64, error) {
	if in.Kind == "" {
		in.Kind = directory.OtherPerson
	}
	name := strings.TrimSpace(in.Name)
	if name == "" {
		return 0, fault.InvalidField("name", "error.field.required")
	}
	if in.Kind == directory.Staff {
		return 0, fault.InvalidField("kind", "error.field.unknown")
	}
	p, err := s.Directory.SavePerson(ctx, auth.System(s.Tenant), directory.Person{Name: name, Kind: in.Kind, School: in.School, Email: row.From.Email})
	return p.ID, err
}

// again reads the other messages of a sender who is known from now on.
func (s *Service) again(ctx context.Context, email string) {
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ids, err := s.ids(ctx, tx, `state = 'quarantined' AND reason = 'unknown_sender' AND from_email = $2 AND claimed_at = 0`, email)
		if err != nil {
			return err
		}
		return s.replay(ctx, tx, ids)
	})
	if err != nil {
		s.Log.Error("mailin: read the other messages of a sender", "error", err)
	}
}

func (s *Service) ids(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]int64, error) {
	rows, err := tx.Query(ctx, `SELECT message_id FROM mail_message WHERE tenant_id = $1 AND `+condition+` ORDER BY message_id LIMIT `+strconv.Itoa(MaxBulk), append([]any{s.Tenant}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// AttachTo makes a comment of a message, signed by who sorts it, with the name
// of who wrote it.
func (s *Service) AttachTo(ctx context.Context, by auth.Identity, id, number int64) (i incident.Incident, err error) {
	if err := by.Require(auth.SortMail); err != nil {
		return i, err
	}
	if _, err := s.Get(ctx, by, id); err != nil {
		return i, err
	}
	if _, err := s.Incidents.Get(ctx, by.Scope(), number); err != nil {
		if fault.Is(err, fault.NotFound) {
			err = fault.InvalidField("incident", "error.incident.not_found")
		}
		return i, err
	}
	row, err := s.claim(ctx, id)
	if err != nil {
		return i, err
	}
	defer func() {
		if err != nil {
			s.release(ctx, id)
		}
	}()
	raw, err := s.raw(ctx, id)
	if err != nil {
		return i, err
	}
	c, err := s.commentOf(ctx, parse.Parse(raw), number)
	if err != nil {
		return i, err
	}
	p, err := s.printer(ctx)
	if err != nil {
		return i, err
	}
	text := p.T("mailin.comment.of", "who", row.From.String()) + "\n" + c.Text
	if i, err = s.Incidents.Act(ctx, by, incident.Change{Incident: number, Action: incident.Comment, Comment: text, Attachments: c.Attachments}); err != nil {
		return i, err
	}
	return i, s.conclude(ctx, id, verdict{state: Done, outcome: MadeComment, incident: number, person: row.Person}, by)
}

// Refuse ends messages that wait, without an incident. Block, if not empty, is
// a sender or "@domain" that is refused from then on.
func (s *Service) Refuse(ctx context.Context, by auth.Identity, ids []int64, block string) (n int, err error) {
	if err := by.Require(auth.SortMail); err != nil {
		return 0, err
	}
	if err := bounded(ids); err != nil {
		return 0, err
	}
	if block = strings.ToLower(strings.TrimSpace(block)); block != "" && !sender.MatchString(block) {
		return 0, fault.InvalidField("block", "error.mailin.sender")
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n = 0
		for _, id := range ids {
			row, err := scanMessage(tx.QueryRow(ctx, `SELECT `+messageColumns+` FROM mail_message WHERE tenant_id = $1 AND message_id = $2`+tx.ForUpdate(), s.Tenant, id).Scan)
			if err != nil {
				return err
			}
			if row.State != Quarantined && row.State != Failed {
				continue // sorted by somebody else meanwhile
			}
			if err := s.end(ctx, tx, id, verdict{state: Refused, reason: ReasonSorted, incident: row.Incident, person: row.Person}, by); err != nil {
				return err
			}
			n++
		}
		if block == "" {
			return nil
		}
		return tx.Insert(ctx, "mail_refused", []string{"tenant_id", "sender", "account_id", "created_at"},
			[][]any{{s.Tenant, block, by.Account, sqldb.Millis(sqldb.Now())}}, "ON CONFLICT (tenant_id, sender) DO NOTHING")
	})
	return n, s.found(err)
}

// sender is an address or "@domain".
var sender = regexp.MustCompile(`^[^@\s]{0,120}@[^@\s]{3,200}$`)

// GiveBack puts refused messages where a person sorts them, and an incident
// that was made of one and that nobody touched is cancelled. It undoes what
// Refuse and MakeIncident did.
func (s *Service) GiveBack(ctx context.Context, by auth.Identity, ids []int64) (n int, err error) {
	if err := by.Require(auth.SortMail); err != nil {
		return 0, err
	}
	if err := bounded(ids); err != nil {
		return 0, err
	}
	for _, id := range ids {
		row, err := s.Get(ctx, by, id)
		if err != nil {
			return n, err
		}
		v := verdict{state: Quarantined, reason: ReasonGivenBack, person: row.Person}
		switch {
		case row.State == Refused:
		case row.State == Done && row.Outcome == MadeIncident:
			if err := s.cancel(ctx, by, row.Incident); err != nil {
				return n, err
			}
		default:
			return n, conflict()
		}
		if err := s.conclude(ctx, id, v, by); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *Service) cancel(ctx context.Context, by auth.Identity, number int64) error {
	i, err := s.Incidents.Get(ctx, by.Scope(), number)
	if err != nil {
		return err
	}
	if i.State == incident.Cancelled {
		return nil
	}
	if i.State != incident.New {
		return conflict()
	}
	p, err := s.printer(ctx)
	if err != nil {
		return err
	}
	_, err = s.Incidents.Act(ctx, by, incident.Change{Incident: number, Base: i.Version, Action: incident.Cancel, Comment: p.T("mailin.note.given_back")})
	return err
}

// Replay reads messages again: after a failure, or when the directory has
// learnt of their sender. Those that are done are left as they are.
func (s *Service) Replay(ctx context.Context, by auth.Identity, ids []int64) (n int, err error) {
	if err := by.Require(auth.SortMail); err != nil {
		return 0, err
	}
	if err := bounded(ids); err != nil {
		return 0, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var waiting []int64
		for _, id := range ids {
			row, err := scanMessage(tx.QueryRow(ctx, `SELECT `+messageColumns+` FROM mail_message WHERE tenant_id = $1 AND message_id = $2`+tx.ForUpdate(), s.Tenant, id).Scan)
			if err != nil {
				return err
			}
			if row.State == Quarantined || row.State == Failed || row.State == Received || row.State == Refused && row.Reason != ReasonTooLarge {
				waiting = append(waiting, id)
			}
		}
		n = len(waiting)
		return s.replay(ctx, tx, waiting)
	})
	return n, s.found(err)
}

// ReplayAll reads again every message that failed, or that waits for want of
// knowing its sender or school; it gives how many, MaxBulk at most.
func (s *Service) ReplayAll(ctx context.Context, by auth.Identity) (n int, err error) {
	if err := by.Require(auth.SortMail); err != nil {
		return 0, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ids, err := s.ids(ctx, tx, `(state IN ('failed', 'received') OR state = 'quarantined' AND reason IN ('unknown_sender', 'no_school', 'ambiguous', 'flood', 'rejected'))`)
		if err != nil {
			return err
		}
		n = len(ids)
		return s.replay(ctx, tx, ids)
	})
	return n, err
}

func (s *Service) replay(ctx context.Context, tx *sqldb.Tx, ids []int64) error {
	for _, id := range ids {
		if _, err := tx.Exec(ctx, `UPDATE mail_message SET state = 'received', reason = '', error = '', ended_at = 0, claimed_at = 0 WHERE tenant_id = $1 AND message_id = $2`, s.Tenant, id); err != nil {
			return fmt.Errorf("mailin: replay: %w", err)
		}
		if err := s.queue(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

func bounded(ids []int64) error {
	switch {
	case len(ids) == 0:
		return fault.InvalidField("message", "error.mailin.none")
	case len(ids) > MaxBulk:
		return fault.New(fault.TooLarge, "error.mailin.too_many", "max", MaxBulk)
	}
	return nil
}

// Block is a sender or domain whose messages are refused.
type Block struct {
	Sender  string // an address, or "@domain"
	Account int64  // who refused it
	At      time.Time
}

// Blocked lists what is refused, by name.
func (s *Service) Blocked(ctx context.Context, by auth.Identity) ([]Block, error) {
	if err := by.Require(auth.SortMail); err != nil {
		return nil, err
	}
	var list []Block
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT sender, account_id, created_at FROM mail_refused WHERE tenant_id = $1 ORDER BY sender LIMIT 1000`, s.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var b Block
			var at int64
			if err := rows.Scan(&b.Sender, &b.Account, &at); err != nil {
				return err
			}
			b.At = sqldb.Time(at)
			list = append(list, b)
		}
		return rows.Err()
	})
	return list, err
}

// Unblock takes a sender's messages again.
func (s *Service) Unblock(ctx context.Context, by auth.Identity, name string) error {
	if err := by.Require(auth.SortMail); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM mail_refused WHERE tenant_id = $1 AND sender = $2`, s.Tenant, strings.ToLower(strings.TrimSpace(name)))
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "error.mailin.not_found")
		}
		return err
	})
}
