package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Kind is a kind of data that is kept for a time. "privacy.kind.NAME" is its
// word, "privacy.kind.NAME.why" the reason for its standing duration.
type Kind string

// The kinds.
const (
	Raws       Kind = "raws"       // originals of messages that were treated
	Mails      Kind = "mails"      // who wrote what, of messages that were treated
	Quarantine Kind = "quarantine" // messages that wait for a person, or were refused
	Letters    Kind = "letters"    // log of messages sent, answers to them
	Outbox     Kind = "outbox"     // messages kept whole while no server sends them
	Removed    Kind = "removed"    // files that were removed from an incident
	Files      Kind = "files"      // files of incidents closed long ago
	Reports    Kind = "reports"    // reports by label, decided or never confirmed
	Tokens     Kind = "tokens"     // access tokens revoked or ended
	Rejects    Kind = "rejects"    // rows refused by imports, as they were in the file
	Reads      Kind = "reads"      // who read which incident up to where
	Records    Kind = "records"    // who took what away
	Drafts     Kind = "drafts"     // erasures that nobody confirmed
)

// rule says how a kind is purged: what is old enough is found, a portion at a
// time, and taken away.
type rule struct {
	kind Kind
	days int // standing duration
	// find selects the numbers of what is older than $2, for a count and for a
	// portion; then are the statements for each number ($2).
	find string
	then []string
	// run replaces all of it, where the order or the portions are its own.
	run func(s *Service, ctx context.Context, k Kind, days int, now time.Time) error
	do  func(s *Service, ctx context.Context, found []int64, before int64) (int, error) // instead of then
}

const mailEnded = `SELECT message_id FROM mail_message WHERE tenant_id = $1 AND state = 'done' AND ended_at < $2`

// rules are in the order in which they are shown. The durations are those that
// the CNIL's guides suggest for a service desk, shorter where the program has
// no use for the data any more.
var rules = []rule{
	{kind: Raws, days: 180, find: mailEnded + ` AND EXISTS (SELECT 1 FROM mail_raw r WHERE r.tenant_id = mail_message.tenant_id AND r.message_id = mail_message.message_id)`,
		then: []string{`DELETE FROM mail_raw WHERE tenant_id = $1 AND message_id = $2`}},
	{kind: Mails, days: 400, find: mailEnded + ` AND from_email <> ''`,
		then: []string{`DELETE FROM mail_raw WHERE tenant_id = $1 AND message_id = $2`, `UPDATE mail_message SET from_email = '', from_name = '', subject = '', preview = '', cc = '' WHERE tenant_id = $1 AND message_id = $2`}},
	{kind: Quarantine, days: 90, find: `SELECT message_id FROM mail_message WHERE tenant_id = $1 AND state IN ('quarantined', 'refused', 'failed') AND received_at < $2`,
		then: []string{`DELETE FROM mail_raw WHERE tenant_id = $1 AND message_id = $2`, `DELETE FROM mail_message WHERE tenant_id = $1 AND message_id = $2`}},
	{kind: Letters, days: 400, find: `SELECT message_id FROM notify_message WHERE tenant_id = $1 AND created_at < $2 AND state <> 'queued' AND state <> 'held'`,
		then: []string{
			`DELETE FROM notify_outbox WHERE tenant_id = $1 AND message_id = $2`,
			`DELETE FROM notify_answer WHERE tenant_id = $1 AND incident_id = (SELECT incident_id FROM notify_message WHERE tenant_id = $1 AND message_id = $2)
				AND person_id = (SELECT person_id FROM notify_message WHERE tenant_id = $1 AND message_id = $2)
				AND at < (SELECT created_at FROM notify_message WHERE tenant_id = $1 AND message_id = $2) + 86400000`,
			`DELETE FROM notify_message WHERE tenant_id = $1 AND message_id = $2`,
		}},
	{kind: Outbox, days: 30, find: `SELECT message_id FROM notify_outbox WHERE tenant_id = $1 AND at < $2`,
		then: []string{`DELETE FROM notify_outbox WHERE tenant_id = $1 AND message_id = $2`}},
	{kind: Removed, days: 30, find: `SELECT attachment_id FROM attachment WHERE tenant_id = $1 AND removed_at > 0 AND removed_at < $2 AND purged_at = 0`, do: (*Service).purgeFiles},
	{kind: Files, days: 3 * 365, find: `SELECT a.attachment_id FROM attachment a JOIN incident i ON i.tenant_id = a.tenant_id AND i.incident_id = a.incident_id
		WHERE a.tenant_id = $1 AND a.purged_at = 0 AND i.state IN ('closed', 'cancelled', 'merged') AND i.updated_at < $2`, do: (*Service).purgeFiles},
	{kind: Reports, days: 30, find: `SELECT report_id FROM label_report WHERE tenant_id = $1 AND (state <> 'waiting' AND decided_at < $2 OR state = 'waiting' AND expires_at < $2)`,
		then: []string{`DELETE FROM label_report WHERE tenant_id = $1 AND report_id = $2`}},
	{kind: Tokens, days: 365, find: `SELECT token_id FROM api_token WHERE tenant_id = $1 AND (revoked_at > 0 AND revoked_at < $2 OR expires_at > 0 AND expires_at < $2)`,
		then: []string{`DELETE FROM api_token WHERE tenant_id = $1 AND token_id = $2`}},
	{kind: Rejects, days: 90, find: `SELECT DISTINCT r.run_id FROM import_reject r JOIN import_run m ON m.tenant_id = r.tenant_id AND m.run_id = r.run_id WHERE r.tenant_id = $1 AND m.ended_at > 0 AND m.ended_at < $2`,
		then: []string{`DELETE FROM import_reject WHERE tenant_id = $1 AND run_id = $2`}},
	{kind: Reads, days: 400, find: `SELECT DISTINCT account_id FROM incident_read WHERE tenant_id = $1 AND read_at < $2`, do: (*Service).purgeReads},
	{kind: Records, days: 365, find: `SELECT record_id FROM export_record WHERE tenant_id = $1 AND last_at < $2`,
		then: []string{`DELETE FROM export_record WHERE tenant_id = $1 AND record_id = $2`}},
	{kind: People, find: oldDue(People), run: (*Service).purgeOld},
	{kind: Words, find: oldDue(Words), run: (*Service).purgeOld},
	{kind: Drafts, days: 7, find: `SELECT erasure_id FROM privacy_erasure WHERE tenant_id = $1 AND state IN ('searching', 'ready') AND asked_at < $2`,
		then: []string{`DELETE FROM privacy_erasure WHERE tenant_id = $1 AND erasure_id = $2`}},
}

// MaxDays is the longest duration that can be set; 0 keeps for ever.
const MaxDays = 20 * 365

const jobPurge = "privacy.purge"

// Retention is how long a kind is kept, and how it stands.
type Retention struct {
	Kind     Kind
	Days     int // 0: for ever
	Standing int // the duration when nobody chose
	Due      int // what the next purge takes away
	Last     time.Time
	Purged   int       // by the last purge that took something away
	At       time.Time // when that was
}

func (s *Service) days(ctx context.Context, tx *sqldb.Tx) (map[Kind]int, error) {
	chosen := map[Kind]int{}
	for _, r := range rules {
		chosen[r.kind] = r.days
	}
	rows, err := tx.Query(ctx, `SELECT kind, days FROM privacy_retention WHERE tenant_id = $1`, s.tenant)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k Kind
		var n int
		if err := rows.Scan(&k, &n); err != nil {
			return nil, err
		}
		chosen[k] = n
	}
	return chosen, rows.Err()
}

// Retentions says how long each kind is kept, what the next purge would take
// away now, and what the last ones did.
func (s *Service) Retentions(ctx context.Context, by auth.Identity) ([]Retention, error) {
	if err := s.mayManage(by); err != nil {
		return nil, err
	}
	now := sqldb.Now()
	var list []Retention
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		days, err := s.days(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rules {
			out := Retention{Kind: r.kind, Days: days[r.kind], Standing: r.days}
			if out.Days > 0 {
				if err := tx.QueryRow(ctx, whole+`SELECT count(*) FROM (`+r.find+`) due`, s.tenant, before(now, out.Days)).Scan(&out.Due); err != nil {
					return fmt.Errorf("%s: %w", r.kind, err)
				}
			}
			var last, at int64
			if err := tx.QueryRow(ctx, `SELECT coalesce(max(at), 0), coalesce(max(CASE WHEN purged > 0 THEN at ELSE 0 END), 0) FROM privacy_purge WHERE tenant_id = $1 AND kind = $2`, s.tenant, string(r.kind)).Scan(&last, &at); err != nil {
				return err
			}
			out.Last, out.At = sqldb.Time(last), sqldb.Time(at)
			if at > 0 {
				if err := tx.QueryRow(ctx, `SELECT coalesce(sum(purged), 0) FROM privacy_purge WHERE tenant_id = $1 AND kind = $2 AND at = $3`, s.tenant, string(r.kind), at).Scan(&out.Purged); err != nil {
					return err
				}
			}
			list = append(list, out)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("privacy: retention: %w", err)
	}
	return list, nil
}

func before(now time.Time, days int) int64 {
	return sqldb.Millis(now.AddDate(0, 0, -days))
}

// SetRetention changes durations, in days. A kind that is absent stays.
func (s *Service) SetRetention(ctx context.Context, by auth.Identity, days map[Kind]int) error {
	if err := s.mayManage(by); err != nil {
		return err
	}
	var f fault.Fields
	for _, r := range rules {
		if n, ok := days[r.kind]; ok && r.kind.Grave() {
			f.Add(string(r.kind), "error.privacy.old_confirm")
		} else if ok && (n < 0 || n > MaxDays) {
			f.Add(string(r.kind), "error.privacy.days", "max", MaxDays)
		}
	}
	if err := f.Err(); err != nil {
		return err
	}
	return s.setDays(ctx, by, days)
}

func (s *Service) setDays(ctx context.Context, by auth.Identity, days map[Kind]int) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := sqldb.Now()
		was, err := s.days(ctx, tx)
		if err != nil {
			return err
		}
		changed := map[Kind][2]int{}
		for _, r := range rules {
			n, ok := days[r.kind]
			if !ok || n == was[r.kind] {
				continue
			}
			changed[r.kind] = [2]int{was[r.kind], n}
			if err := tx.Upsert(ctx, "privacy_retention", []string{"tenant_id", "kind"}, []string{"tenant_id", "kind", "days", "account_id", "set_at"},
				[][]any{{s.tenant, string(r.kind), n, by.Account, sqldb.Millis(now)}}); err != nil {
				return err
			}
		}
		if len(changed) == 0 {
			return nil
		}
		data, err := json.Marshal(changed)
		if err != nil {
			return err
		}
		return s.Journal.Append(ctx, tx, journal.Event{Tenant: s.tenant, At: now, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject}, Kind: EventRetention, Data: data})
	})
}

// PurgeNow has the nightly purge run at once.
func (s *Service) PurgeNow(ctx context.Context, by auth.Identity) error {
	if err := s.mayManage(by); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := s.Jobs.Insert(ctx, tx, jobPurge, struct{}{}, jobs.Insertion{Key: "now", Priority: jobs.Urgent})
		return err
	})
}

// portion bounds what one transaction of a purge takes away.
const portion = 200

// purge takes away what each kind has kept long enough. A portion is a
// transaction with its row in the log: after a kill the next attempt goes on
// with what is left.
func (s *Service) purge(ctx context.Context, _ struct{}) error {
	now := sqldb.Now()
	var days map[Kind]int
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		days, err = s.days(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range rules {
		if days[r.kind] == 0 {
			continue
		}
		run := r.run
		if run == nil {
			run = func(s *Service, ctx context.Context, _ Kind, days int, now time.Time) error {
				return s.purgeKind(ctx, r, days, now)
			}
		}
		if err := run(s, ctx, r.kind, days[r.kind], now); err != nil {
			return fmt.Errorf("privacy: purge of %s: %w", r.kind, err)
		}
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The log of purges itself: two years.
		_, err := tx.Exec(ctx, `DELETE FROM privacy_purge WHERE tenant_id = $1 AND at < $2`, s.tenant, before(now, 2*365))
		return err
	})
}

func (s *Service) purgeKind(ctx context.Context, r rule, days int, now time.Time) error {
	for first := true; ; first = false {
		var due []int64
		err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			due, err = ids(ctx, tx, r.find+` LIMIT `+strconv.Itoa(portion), s.tenant, before(now, days))
			return err
		})
		if err != nil || len(due) == 0 && !first {
			return err
		}
		n := len(due)
		if r.do != nil && n > 0 {
			if n, err = r.do(s, ctx, due, before(now, days)); err != nil {
				return err
			}
		}
		err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			for _, id := range due {
				for _, query := range r.then {
					if _, err := tx.Exec(ctx, query, s.tenant, id); err != nil {
						return err
					}
				}
			}
			id, err := tx.NextIDs(ctx, s.tenant, "privacy_purge", 1)
			if err != nil {
				return err
			}
			return tx.Insert(ctx, "privacy_purge", []string{"tenant_id", "purge_id", "kind", "days", "purged", "at"}, [][]any{{s.tenant, id, string(r.kind), days, n, sqldb.Millis(now)}}, "")
		})
		if err != nil || len(due) < portion {
			return err
		}
		if r.do != nil && n == 0 {
			return nil // nothing more can be done to what is found
		}
	}
}

// purgeFiles drops contents through the room that keeps them, which says so in
// the journal.
func (s *Service) purgeFiles(ctx context.Context, list []int64, _ int64) (int, error) {
	return s.Parts.Files.Purge(ctx, auth.System(s.tenant), sqldb.Time(1), list...)
}

// purgeReads drops old marks of whole accounts.
func (s *Service) purgeReads(ctx context.Context, _ []int64, before int64) (int, error) {
	var n int64
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		n, err = tx.Exec(ctx, `DELETE FROM incident_read WHERE tenant_id = $1 AND read_at < $2`, s.tenant, before)
		return err
	})
	return int(n), err
}

// Kinds lists every kind but the grave ones, in the order in which they are shown.
func Kinds() []Kind {
	var list []Kind
	for _, r := range rules {
		if !r.kind.Grave() {
			list = append(list, r.kind)
		}
	}
	return list
}

// Key is the kind's key of words.
func (k Kind) Key() string { return "privacy.kind." + strings.ToLower(string(k)) }
