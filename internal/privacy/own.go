package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"statincidents/internal/directory"
	"statincidents/internal/intake/mail/parse"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// byAddress runs a query of numbers for a person, then for each of the
// addresses: $2 is the person, $3 the address.
func (s *Service) byAddress(ctx context.Context, tx *sqldb.Tx, query string, person int64, emails []string) ([]int64, error) {
	var all []int64
	for _, address := range append([]string{""}, emails...) {
		list, err := ids(ctx, tx, query, s.tenant, person, strings.ToLower(address))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		person = 0
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (s *Service) ownMails(ctx context.Context, tx *sqldb.Tx, person int64, w Wanted) ([]int64, error) {
	return s.byAddress(ctx, tx, `SELECT message_id FROM mail_message WHERE tenant_id = $1 AND (person_id = $2 AND person_id <> 0 OR from_email <> '' AND lower(from_email) = $3)`, person, w.Emails)
}

func (s *Service) ownLetters(ctx context.Context, tx *sqldb.Tx, person int64, w Wanted) ([]int64, error) {
	return s.byAddress(ctx, tx, `SELECT message_id FROM notify_message WHERE tenant_id = $1 AND (person_id = $2 AND person_id <> 0 OR address <> '' AND lower(address) = $3)`, person, w.Emails)
}

func (s *Service) ownFiles(ctx context.Context, tx *sqldb.Tx, e Erasure) ([]int64, error) {
	return ids(ctx, tx, `SELECT attachment_id FROM attachment WHERE tenant_id = $1 AND purged_at = 0
		AND (put_by_kind = 'account' AND put_by_id = $2 AND put_by_id <> 0 OR put_by_kind = 'person' AND put_by_id = $3 AND put_by_id <> 0)`, s.tenant, e.Account, e.Person)
}

// eraseOwn takes away what is the person's own: the account's ways in, the
// person's card, their messages.
func (s *Service) eraseOwn(ctx context.Context, tx *sqldb.Tx, e Erasure, d draft) error {
	name := e.Name()
	if e.Account != 0 {
		if _, err := tx.Exec(ctx, `UPDATE account SET login = $3, name = $4, password_hash = '', provider = '', subject = '', locale = '', theme = '', disabled = 1, session_epoch = session_epoch + 1
			WHERE tenant_id = $1 AND account_id = $2`, s.tenant, e.Account, erasedLogin+strconv.FormatInt(e.ID, 10), name); err != nil {
			return err
		}
		for _, table := range []string{"session", "api_token", "account_factor", "account_recovery", "account_school", "idempotency", "incident_read", "read_since", "incident_presence"} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE tenant_id = $1 AND account_id = $2`, s.tenant, e.Account); err != nil {
				return fmt.Errorf("privacy: erase %s: %w", table, err)
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM saved_view WHERE tenant_id = $1 AND account_id = $2 AND audience = 'own'`, s.tenant, e.Account); err != nil {
			return err
		}
	}
	if e.Person != 0 {
		if err := s.eraseCard(ctx, tx, e.Person, name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM signal_wish WHERE tenant_id = $1 AND person_id = $2`, s.tenant, e.Person); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM notify_preference WHERE tenant_id = $1 AND person_id = $2`, s.tenant, e.Person); err != nil {
			return err
		}
	}
	mails, err := s.ownMails(ctx, tx, e.Person, d.Wanted)
	if err != nil {
		return err
	}
	for _, id := range mails {
		// What waits would be read, and what was refused could be given back: it goes
		// whole. What became an incident stays as a trace without its words.
		for _, query := range []string{
			`DELETE FROM mail_raw WHERE tenant_id = $1 AND message_id = $2`,
			`DELETE FROM mail_message WHERE tenant_id = $1 AND message_id = $2 AND state <> 'done'`,
			`UPDATE mail_message SET from_email = '', from_name = '', subject = '', preview = '', cc = '', plan = '', error = '' WHERE tenant_id = $1 AND message_id = $2`,
		} {
			if _, err := tx.Exec(ctx, query, s.tenant, id); err != nil {
				return fmt.Errorf("privacy: erase a message: %w", err)
			}
		}
	}
	letters, err := s.ownLetters(ctx, tx, e.Person, d.Wanted)
	if err != nil {
		return err
	}
	for _, id := range letters {
		for _, query := range []string{
			`DELETE FROM notify_outbox WHERE tenant_id = $1 AND message_id = $2`,
			`UPDATE notify_message SET address = '', subject = '', reason = '' WHERE tenant_id = $1 AND message_id = $2`,
		} {
			if _, err := tx.Exec(ctx, query, s.tenant, id); err != nil {
				return fmt.Errorf("privacy: erase a letter: %w", err)
			}
		}
	}
	for _, address := range d.Wanted.Emails {
		for _, query := range []string{
			`DELETE FROM notify_bounce WHERE tenant_id = $1 AND lower(address) = $2`,
			`DELETE FROM notify_outbox WHERE tenant_id = $1 AND lower(address) = $2`,
			`DELETE FROM mail_refused WHERE tenant_id = $1 AND lower(sender) = $2`,
			`UPDATE label_report SET name = '', email = '' WHERE tenant_id = $1 AND lower(email) = $2`,
		} {
			if _, err := tx.Exec(ctx, query, s.tenant, address); err != nil {
				return fmt.Errorf("privacy: erase an address: %w", err)
			}
		}
	}
	return sqldb.TouchAll(ctx, tx, s.tenant)
}

// eraseCard takes the name, address, telephone and key off a person of the
// directory, in the state and in every event that held them. What kind of
// person they are and their school stay: statistics count by them.
func (s *Service) eraseCard(ctx context.Context, tx *sqldb.Tx, person int64, name string) error {
	events, err := journal.Of(ctx, tx, s.tenant, journal.Subject{Kind: directory.SubjectPerson, ID: person})
	if err != nil {
		return err
	}
	var changes []journal.Redaction
	for k := range events {
		var p directory.Person
		if err := json.Unmarshal(events[k].Data, &p); err != nil {
			return fmt.Errorf("privacy: person %d: %w", person, err)
		}
		p.Name, p.Email, p.Phone, p.External = name, "", "", ""
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if string(data) != string(events[k].Data) {
			changes = append(changes, journal.Redaction{Pos: events[k].Pos, Actor: events[k].Actor, Data: data})
		}
	}
	for part := range slices.Chunk(changes, pageSize) {
		if err := s.Journal.Redact(ctx, tx, s.tenant, journal.Actor{Kind: journal.BySystem}, "erasure", part); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE person SET name = $3, email = '', phone = '', external = '' WHERE tenant_id = $1 AND person_id = $2`, s.tenant, person, name)
	return err
}

var unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderConcurrency(1))

// raws counts the messages kept as they came that name somebody; drop is
// called with the number of each, nil to count only. A message says a name in
// many encodings: it is read as the mail room reads it, and its bytes are
// looked at too.
func (s *Service) raws(ctx context.Context, w *words, drop func(context.Context, int64) error) (int64, error) {
	var found int64
	for after := int64(0); ; {
		var list []int64
		err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			list, err = ids(ctx, tx, `SELECT DISTINCT message_id FROM mail_raw WHERE tenant_id = $1 AND message_id > $2 ORDER BY message_id LIMIT 50`, s.tenant, after)
			return err
		})
		if err != nil || len(list) == 0 {
			return found, err
		}
		for _, id := range list {
			raw, err := s.raw(ctx, id)
			if err != nil {
				return found, err
			}
			if raw == nil || !namesIn(raw, w) {
				continue
			}
			found++
			if drop != nil {
				if err := drop(ctx, id); err != nil {
					return found, err
				}
			}
		}
		after = list[len(list)-1]
	}
}

// raw gives a message as it came; nil if it cannot be unpacked.
func (s *Service) raw(ctx context.Context, id int64) ([]byte, error) {
	var packed []byte
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT data FROM mail_raw WHERE tenant_id = $1 AND message_id = $2 ORDER BY chunk`, s.tenant, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var piece []byte
			if err := rows.Scan(&piece); err != nil {
				return err
			}
			packed = append(packed, piece...)
		}
		return rows.Err()
	})
	if err != nil || len(packed) == 0 {
		return nil, err
	}
	data, err := unpacker.DecodeAll(packed, nil)
	if err != nil {
		return packed, nil //nolint:nilerr // what cannot be read is looked at as it is
	}
	return data, nil
}

func namesIn(raw []byte, w *words) bool {
	if len(w.find(strings.ToValidUTF8(string(raw), " "))) > 0 {
		return true
	}
	m := parse.Parse(raw)
	texts := []string{m.Subject, m.From.String(), m.ReplyTo.String(), m.Body.Whole()}
	for _, a := range slices.Concat(m.To, m.Cc) {
		texts = append(texts, a.String())
	}
	for _, f := range m.Files {
		texts = append(texts, f.Name)
		if strings.HasPrefix(f.Type, "text/") {
			texts = append(texts, strings.ToValidUTF8(string(f.Content), " "))
		}
	}
	return slices.ContainsFunc(texts, func(t string) bool { return len(w.find(t)) > 0 })
}
