package mailin

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/intake/mail/parse"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

const messageColumns = `message_id, header_id, state, reason, error, attempts, from_email, from_name, subject, preview, cc, files, size, sent_at, received_at, outcome, incident_id, person_id, account_id, ended_at`

func scanMessage(scan func(...any) error, more ...any) (Message, error) {
	var m Message
	var sent, received, ended int64
	err := scan(append([]any{&m.ID, &m.HeaderID, &m.State, &m.Reason, &m.Error, &m.Attempts, &m.From.Email, &m.From.Name, &m.Subject, &m.Preview, &m.Cc, &m.Files, &m.Size,
		&sent, &received, &m.Outcome, &m.Incident, &m.Person, &m.Account, &ended}, more...)...)
	m.SentAt, m.ReceivedAt, m.EndedAt = sqldb.Time(sent), sqldb.Time(received), sqldb.Time(ended)
	return m, err
}

// begin counts an attempt and gives the message with the plan of a former one;
// nil when nothing is left to do.
func (s *Service) begin(ctx context.Context, id int64) (*Message, *plan, error) {
	var m Message
	var text string
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		m, err = scanMessage(tx.QueryRow(ctx, `SELECT `+messageColumns+`, plan FROM mail_message WHERE tenant_id = $1 AND message_id = $2`+tx.ForUpdate(), s.Tenant, id).Scan, &text)
		if err != nil {
			return err
		}
		if m.State != Received && m.State != Failed {
			return nil
		}
		m.Attempts++
		_, err = tx.Exec(ctx, `UPDATE mail_message SET attempts = attempts + 1 WHERE tenant_id = $1 AND message_id = $2`, s.Tenant, id)
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil, nil // forgotten meanwhile
	case err != nil:
		return nil, nil, fmt.Errorf("mailin: begin message %d: %w", id, err)
	case m.State != Received && m.State != Failed:
		return nil, nil, nil
	case text == "":
		return &m, nil, nil
	}
	p := &plan{}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, nil, fmt.Errorf("mailin: plan of message %d: %w", id, err)
	}
	return &m, p, nil
}

// plan keeps what is about to be done.
func (s *Service) plan(ctx context.Context, id int64, v verdict) error {
	text, err := v.plan.encode()
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE mail_message SET plan = $3, person_id = $4, incident_id = $5 WHERE tenant_id = $1 AND message_id = $2`, s.Tenant, id, text, v.person, v.incident)
		return err
	})
}

// maxError is how much of a failure's words is kept, in characters.
const maxError = 1000

func short(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) > maxError {
		s = string([]rune(s)[:maxError-1]) + "…"
	}
	return s
}

// note keeps a sentence about why a message was not taken.
func (s *Service) note(ctx context.Context, id int64, text string) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE mail_message SET error = $3 WHERE tenant_id = $1 AND message_id = $2`, s.Tenant, id, short(text))
		return err
	})
}

// failed notes that an attempt failed; its job comes again, up to the last.
func (s *Service) failed(ctx context.Context, id int64, cause error) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ended := int64(0)
		if jobs.LastAttempt(ctx) {
			ended = sqldb.Millis(sqldb.Now())
		}
		_, err := tx.Exec(ctx, `UPDATE mail_message SET state = $3, error = $4, ended_at = $5 WHERE tenant_id = $1 AND message_id = $2 AND state IN ('received', 'failed')`,
			s.Tenant, id, string(Failed), short(cause.Error()), ended)
		return err
	})
}

// conclude notes what became of a message.
func (s *Service) conclude(ctx context.Context, id int64, v verdict, by auth.Identity) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return s.end(ctx, tx, id, v, by) })
}

func (s *Service) end(ctx context.Context, tx *sqldb.Tx, id int64, v verdict, by auth.Identity) error {
	now := sqldb.Now()
	clear := ""
	if v.reason != ReasonRejected {
		clear = `, error = ''`
	}
	_, err := tx.Exec(ctx, `UPDATE mail_message SET state = $3, reason = $4, outcome = $5, incident_id = $6, person_id = $7, account_id = $8, ended_at = $9, plan = '', claimed_at = 0`+clear+`
		WHERE tenant_id = $1 AND message_id = $2`, s.Tenant, id, string(v.state), string(v.reason), string(v.outcome), v.incident, v.person, by.Account, sqldb.Millis(now))
	if err != nil {
		return fmt.Errorf("mailin: end of message %d: %w", id, err)
	}
	if by.Account == 0 {
		return nil
	}
	data, err := json.Marshal(map[string]any{"state": v.state, "reason": v.reason, "incident": v.incident})
	if err != nil {
		return err
	}
	return s.Journal.Append(ctx, tx, journal.Event{Tenant: s.Tenant, At: now, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: id}, Kind: EventSorted, Data: data})
}

// incidentOf is what a message that came in became, by its Message-ID.
func (s *Service) incidentOf(ctx context.Context, headerID string) (id int64, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT incident_id FROM mail_message WHERE tenant_id = $1 AND header_id = $2 AND header_id <> '' AND incident_id <> 0 AND state = 'done' ORDER BY message_id LIMIT 1`,
			s.Tenant, headerID).Scan(&id)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// blocked tells whether a sender, or their domain or one above it, is refused.
func (s *Service) blocked(ctx context.Context, from parse.Address) (bool, error) {
	names := []string{from.Email}
	for domain := from.Domain(); domain != "" && len(names) < 8; {
		names = append(names, "@"+domain)
		_, domain, _ = strings.Cut(domain, ".")
	}
	args := []any{s.Tenant}
	marks := make([]string, len(names))
	for i, n := range names {
		args = append(args, n)
		marks[i] = "$" + strconv.Itoa(i+2)
	}
	var n int
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM mail_refused WHERE tenant_id = $1 AND sender IN (`+strings.Join(marks, ", ")+`)`, args...).Scan(&n)
	})
	return n > 0, err
}

// Filter is what a list of messages shows.
type Filter struct {
	States   []State
	Text     string // part of the sender or of the subject
	Incident int64
	Before   int64 // messages older than this one; 0 for the latest
	Limit    int   // 50 if 0, 200 at most
}

// List gives messages, the latest first.
func (s *Service) List(ctx context.Context, by auth.Identity, f Filter) (list []Message, total int, err error) {
	if err := by.Require(auth.SortMail); err != nil {
		return nil, 0, err
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	where, args := ` WHERE tenant_id = $1`, []any{s.Tenant}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	if len(f.States) > 0 {
		marks := make([]string, len(f.States))
		for i, st := range f.States {
			marks[i] = arg(string(st))
		}
		where += ` AND state IN (` + strings.Join(marks, ", ") + `)`
	}
	if f.Incident != 0 {
		where += ` AND incident_id = ` + arg(f.Incident)
	}
	if text := strings.ToLower(strings.TrimSpace(f.Text)); text != "" {
		mark := arg("%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%")
		where += ` AND (lower(from_email) LIKE ` + mark + ` ESCAPE '\' OR lower(from_name) LIKE ` + mark + ` ESCAPE '\' OR lower(subject) LIKE ` + mark + ` ESCAPE '\')`
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM mail_message`+where, args...).Scan(&total); err != nil {
			return err
		}
		if f.Before != 0 {
			where += ` AND message_id < ` + arg(f.Before)
		}
		rows, err := tx.Query(ctx, `SELECT `+messageColumns+` FROM mail_message`+where+` ORDER BY message_id DESC LIMIT `+strconv.Itoa(f.Limit), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scanMessage(rows.Scan)
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, 0, fmt.Errorf("mailin: list: %w", err)
	}
	return list, total, nil
}

// Get gives one message; NotFound if there is none.
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (Message, error) {
	if err := by.Require(auth.SortMail); err != nil {
		return Message{}, err
	}
	var m Message
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		m, err = scanMessage(tx.QueryRow(ctx, `SELECT `+messageColumns+` FROM mail_message WHERE tenant_id = $1 AND message_id = $2`, s.Tenant, id).Scan)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return m, notFound()
	}
	return m, err
}

// Raw gives a message as it came.
func (s *Service) Raw(ctx context.Context, by auth.Identity, id int64) ([]byte, error) {
	if err := by.Require(auth.SortMail); err != nil {
		return nil, err
	}
	return s.raw(ctx, id)
}

// Parsed reads a message again.
func (s *Service) Parsed(ctx context.Context, by auth.Identity, id int64) (*parse.Message, error) {
	raw, err := s.Raw(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return parse.Parse(raw), nil
}

// Of lists the messages that an incident is made of, oldest first, for who
// handles incidents; nobody else is told who wrote what to whom.
func (s *Service) Of(ctx context.Context, by auth.Identity, incident int64) ([]Message, error) {
	if !by.Can(auth.HandleIncident) || !by.Can(auth.SortMail) {
		return nil, nil
	}
	var list []Message
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+messageColumns+` FROM mail_message WHERE tenant_id = $1 AND incident_id = $2 AND incident_id <> 0 AND state = 'done' ORDER BY message_id LIMIT 50`, s.Tenant, incident)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scanMessage(rows.Scan)
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return rows.Err()
	})
	return list, err
}

// Counts tells how many messages stand in each state.
func (s *Service) Counts(ctx context.Context) (map[State]int, error) {
	counts := map[State]int{}
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT state, count(*) FROM mail_message WHERE tenant_id = $1 GROUP BY state`, s.Tenant)
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
	return counts, err
}

// Last is when the latest message came in; zero if none did.
func (s *Service) Last(ctx context.Context) (time.Time, error) {
	var at *int64
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT received_at FROM mail_message WHERE tenant_id = $1 ORDER BY message_id DESC LIMIT 1`, s.Tenant).Scan(&at)
	})
	if errors.Is(err, sql.ErrNoRows) || at == nil {
		return time.Time{}, nil
	}
	return sqldb.Time(*at), err
}

// found turns "no row" into NotFound.
func (s *Service) found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound()
	}
	return err
}

// conflict says that a message was sorted by somebody else meanwhile.
func conflict() error { return fault.New(fault.Conflict, "error.mailin.sorted") }
