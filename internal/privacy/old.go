package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// What is taken out of incidents that were closed long ago, never unless an
// administrator has looked at what it would be and said so.
const (
	People Kind = "old_people" // who declared, called, joined in; who handled and has left
	Words  Kind = "old_words"  // descriptions, comments, names of files
)

// Grave tells whether a kind is set apart from the others: nothing of it comes
// back, and it is kept for ever unless somebody chose.
func (k Kind) Grave() bool { return k == People || k == Words }

// LeastOld is the shortest duration of a grave kind, in days.
const LeastOld = 180

// oldPortion is how many incidents one transaction looks at.
const oldPortion = 50

// ended is that nobody has to act any more, nor will without opening it again.
const ended = `i.state IN ('closed', 'cancelled', 'merged')`

// oldDue selects the incidents from which a kind is still to be taken out. One
// that has changed since is due again.
func oldDue(k Kind) string {
	return `SELECT i.incident_id FROM incident i WHERE i.tenant_id = $1 AND ` + ended + ` AND i.updated_at < $2
		AND NOT EXISTS (SELECT 1 FROM privacy_old d WHERE d.tenant_id = i.tenant_id AND d.what = '` + string(k) + `' AND d.incident_id = i.incident_id AND d.at >= i.updated_at)`
}

// Old is what taking out of old incidents would do now.
type Old struct {
	Kind      Kind
	Days      int
	Incidents int
	People    int      // declarants and those who joined, of the kind People
	Handlers  []string // who handled and has left, of the kind People
	Before    time.Time
}

// PreviewOld says what a duration would take out today.
func (s *Service) PreviewOld(ctx context.Context, by auth.Identity, k Kind, days int) (Old, error) {
	if err := s.mayManage(by); err != nil {
		return Old{}, err
	}
	if err := checkOld(map[Kind]int{k: days}); err != nil || days == 0 {
		return Old{Kind: k}, err
	}
	now := sqldb.Now()
	out := Old{Kind: k, Days: days, Before: now.AddDate(0, 0, -days)}
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.QueryRow(ctx, whole+`SELECT count(*) FROM (`+oldDue(k)+`) due`, s.tenant, before(now, days)).Scan(&out.Incidents); err != nil || k != People {
			return err
		}
		err := tx.QueryRow(ctx, whole+`SELECT count(DISTINCT p.person_id) FROM person p WHERE p.tenant_id = $1 AND p.kind <> 'technician' AND p.external NOT LIKE 'pseudonym:%' AND p.person_id IN (
			SELECT i.declarant_id FROM incident i WHERE i.tenant_id = $1 AND i.incident_id IN (`+oldDue(k)+`)
			UNION SELECT f.person_id FROM incident_follower f WHERE f.tenant_id = $1 AND f.incident_id IN (`+oldDue(k)+`))`, s.tenant, before(now, days)).Scan(&out.People)
		if err != nil {
			return err
		}
		left, err := s.left(ctx, tx, before(now, days))
		for _, h := range left {
			out.Handlers = append(out.Handlers, h.name)
		}
		return err
	})
	if err != nil {
		return Old{}, fmt.Errorf("privacy: preview: %w", err)
	}
	return out, nil
}

func checkOld(days map[Kind]int) error {
	var f fault.Fields
	for k, n := range days {
		if !k.Grave() {
			f.Add(string(k), "error.field.unknown")
		} else if n != 0 && (n < LeastOld || n > MaxDays) {
			f.Add(string(k), "error.privacy.old_days", "min", LeastOld, "max", MaxDays)
		}
	}
	return f.Err()
}

// SetOld sets the durations of the grave kinds, in days; 0 is for ever. One
// that is not 0 must be confirmed.
func (s *Service) SetOld(ctx context.Context, by auth.Identity, days map[Kind]int, confirmed bool) error {
	if err := s.mayManage(by); err != nil {
		return err
	}
	if err := checkOld(days); err != nil {
		return err
	}
	for _, n := range days {
		if n != 0 && !confirmed {
			return fault.InvalidField("confirm", "error.privacy.old_confirm")
		}
	}
	return s.setDays(ctx, by, days)
}

type handler struct {
	person int64
	name   string
}

// left are the handlers who have left: no account opens any more, and nothing
// that they handled is younger than before. Until then they keep their name on
// all their incidents, so that nobody becomes two in the figures.
func (s *Service) left(ctx context.Context, tx *sqldb.Tx, before int64) ([]handler, error) {
	rows, err := tx.Query(ctx, whole+`SELECT p.person_id, p.name FROM person p WHERE p.tenant_id = $1 AND p.external NOT LIKE 'pseudonym:%'
		AND NOT EXISTS (SELECT 1 FROM account a WHERE a.tenant_id = p.tenant_id AND a.person_id = p.person_id AND a.disabled = 0)
		AND p.person_id IN (SELECT i.assignee_id FROM incident i WHERE i.tenant_id = $1 AND `+ended+` AND i.updated_at < $2)
		AND p.person_id NOT IN (SELECT i.assignee_id FROM incident i WHERE i.tenant_id = $1 AND NOT (`+ended+` AND i.updated_at < $2))
		AND p.person_id NOT IN (SELECT v.technician_id FROM visit v WHERE v.tenant_id = $1 AND v.end_at >= $2)
		AND p.person_id NOT IN (SELECT e.person_id FROM privacy_erasure e WHERE e.tenant_id = $1)
		ORDER BY p.person_id`, s.tenant, before)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []handler
	for rows.Next() {
		var h handler
		if err := rows.Scan(&h.person, &h.name); err != nil {
			return nil, err
		}
		if !nobody(h.name) {
			all = append(all, h)
		}
	}
	return all, rows.Err()
}

// mostLeft bounds the handlers whose erasure one night begins: each goes
// through everything.
const mostLeft = 5

// sendOff begins the erasure of handlers who have left: their card becomes
// « Technicien parti n° 3 » and keeps its number, which figures go by.
func (s *Service) sendOff(ctx context.Context, before int64) (int, error) {
	n := 0
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n = 0
		all, err := s.left(ctx, tx, before)
		if err != nil {
			return err
		}
		for _, h := range all[:min(len(all), mostLeft)] {
			p := Somebody{Person: h.person}
			if err := s.fill(ctx, tx, &p); err != nil {
				return err
			}
			words, err := draft{Wanted: p.Wanted, Login: p.Login, Name: p.Name}.encode()
			if err != nil {
				return err
			}
			id, err := tx.NextIDs(ctx, s.tenant, "privacy_erasure", 1)
			if err != nil {
				return err
			}
			row := []any{s.tenant, id, p.Person, p.Account, string(Running), words, int64(0), sqldb.Millis(sqldb.Now()), departed}
			if err := tx.Insert(ctx, "privacy_erasure", []string{"tenant_id", "erasure_id", "person_id", "account_id", "state", "words", "by_account", "asked_at", "kind"}, [][]any{row}, ""); err != nil {
				return err
			}
			if _, err := s.Jobs.Insert(ctx, tx, jobErase, erasureArgs{id}, jobs.Insertion{Key: strconv.FormatInt(id, 10)}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// purgeOld takes a grave kind out of what is old enough, a portion at a time.
// Each portion is a transaction with its marks: after a kill the next night
// goes on with what is left.
func (s *Service) purgeOld(ctx context.Context, k Kind, days int, now time.Time) error {
	limit := before(now, days)
	purged := 0
	c := &cast{Service: s}
	if k == People {
		if err := c.read(ctx); err != nil {
			return err
		}
	}
	for after := int64(0); ; {
		var due []int64
		err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			due, err = ids(ctx, tx, oldDue(k)+` AND i.incident_id > $3 ORDER BY i.incident_id LIMIT `+strconv.Itoa(oldPortion), s.tenant, limit, after)
			return err
		})
		if err != nil {
			return err
		}
		if len(due) == 0 {
			break
		}
		after = due[len(due)-1]
		work := func(ctx context.Context, tx *sqldb.Tx) error { return s.wordless(ctx, tx, due) }
		if k == People {
			if err := c.engage(ctx, due); err != nil {
				return err
			}
			work = func(ctx context.Context, tx *sqldb.Tx) error { return c.play(ctx, tx, due) }
		}
		x, err := s.Places.Index(ctx, s.tenant)
		if err != nil {
			return err
		}
		if err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := work(ctx, tx); err != nil {
				return err
			}
			if err := s.Incidents.Again(ctx, tx, s.tenant, due); err != nil {
				return err
			}
			if err := s.Search.Again(ctx, tx, s.tenant, x, due); err != nil {
				return err
			}
			rows := make([][]any, len(due))
			for n, id := range due {
				rows[n] = []any{s.tenant, string(k), id, sqldb.Millis(sqldb.Now())}
			}
			return tx.Upsert(ctx, "privacy_old", []string{"tenant_id", "what", "incident_id"}, []string{"tenant_id", "what", "incident_id", "at"}, rows)
		}); err != nil {
			return err
		}
		purged += len(due)
	}
	if k == People {
		if _, err := s.sendOff(ctx, limit); err != nil {
			return err
		}
	}
	return s.endOld(ctx, k, days, purged, now)
}

// endOld has the engine let go of what is gone, once after each run that took
// something out, and writes the run in the log.
func (s *Service) endOld(ctx context.Context, k Kind, days, purged int, now time.Time) error {
	var last, done int64
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, whole+`SELECT coalesce(max(CASE WHEN incident_id <> 0 THEN at END), 0), coalesce(max(CASE WHEN incident_id = 0 THEN at END), 0) FROM privacy_old WHERE tenant_id = $1 AND what = $2`, s.tenant, string(k)).Scan(&last, &done)
	})
	if err != nil {
		return err
	}
	if last > done {
		if err := s.Search.Compact(ctx, s.tenant); err != nil {
			return err
		}
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		id, err := tx.NextIDs(ctx, s.tenant, "privacy_purge", 1)
		if err != nil {
			return err
		}
		if err := tx.Insert(ctx, "privacy_purge", []string{"tenant_id", "purge_id", "kind", "days", "purged", "at"}, [][]any{{s.tenant, id, string(k), days, purged, sqldb.Millis(now)}}, ""); err != nil || last <= done {
			return err
		}
		if err := tx.Upsert(ctx, "privacy_old", []string{"tenant_id", "what", "incident_id"}, []string{"tenant_id", "what", "incident_id", "at"}, [][]any{{s.tenant, string(k), int64(0), last}}); err != nil {
			return err
		}
		if purged > 0 {
			data, err := json.Marshal(map[string]int{"days": days, "incidents": purged})
			if err != nil {
				return err
			}
			if err := s.Journal.Append(ctx, tx, journal.Event{Tenant: s.tenant, At: sqldb.Now(), Actor: journal.Actor{Kind: journal.BySystem}, Subject: journal.Subject{Kind: Subject}, Kind: Subject + "." + string(k), Data: data}); err != nil {
				return err
			}
		}
		return s.Journal.Forgotten(ctx, tx, s.tenant)
	})
	if err != nil || last <= done {
		return err
	}
	return s.scrub(ctx)
}

// redact writes events as they are to stand.
func (s *Service) redact(ctx context.Context, tx *sqldb.Tx, why string, changes []journal.Redaction) error {
	for part := range slices.Chunk(changes, pageSize) {
		if err := s.Journal.Redact(ctx, tx, s.tenant, journal.Actor{Kind: journal.BySystem}, why, part); err != nil {
			return err
		}
	}
	return nil
}

// beside are the tables of what belongs to an incident and has words: their
// names are those of their events' subjects. The query gives their numbers.
var beside = []struct{ table, key, numbers string }{
	{"attachment", "attachment_id", `SELECT attachment_id FROM attachment WHERE tenant_id = $1 AND incident_id = $2`},
	{"checklist", "checklist_id", `SELECT checklist_id FROM checklist WHERE tenant_id = $1 AND incident_id = $2`},
	{"visit", "visit_id", `SELECT visit_id FROM visit_incident WHERE tenant_id = $1 AND incident_id = $2`},
	{"work_time", "time_id", `SELECT time_id FROM work_time WHERE tenant_id = $1 AND incident_id = $2`},
	{"stock_movement", "movement_id", `SELECT movement_id FROM stock_movement WHERE tenant_id = $1 AND incident_id = $2`},
}

// removedWords stands for a comment that was taken out.
const removedWords = "[…]"

// wordless takes the free texts out of incidents: descriptions, what the school
// had tried, comments, names of files. The title, the codes and the resolution
// stay: they are what is learnt from.
func (s *Service) wordless(ctx context.Context, tx *sqldb.Tx, due []int64) error {
	events, err := journal.OfMany(ctx, tx, s.tenant, incident.Subject, due)
	if err != nil {
		return err
	}
	var changes []journal.Redaction
	for k := range events {
		e := &events[k]
		var p incident.Payload
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return fmt.Errorf("privacy: event %s: %w", e.Pos, err)
		}
		changed := false
		for _, text := range []*string{p.Set.Description, p.Was.Description, p.Set.Tried, p.Was.Tried} {
			if text != nil && *text != "" {
				*text, changed = "", true
			}
		}
		if p.Comment != "" && p.Comment != removedWords {
			p.Comment, changed = removedWords, true
		}
		if !changed {
			continue
		}
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		changes = append(changes, journal.Redaction{Pos: e.Pos, Actor: e.Actor, Data: data})
	}
	if err := s.redact(ctx, tx, string(Words), changes); err != nil {
		return err
	}
	for _, id := range due {
		files, err := ids(ctx, tx, beside[0].numbers, s.tenant, id)
		if err != nil {
			return err
		}
		if err := s.nameless(ctx, tx, files); err != nil {
			return err
		}
		if err := s.mailless(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// nameless gives files a name that says nothing.
func (s *Service) nameless(ctx context.Context, tx *sqldb.Tx, files []int64) error {
	events, err := journal.OfMany(ctx, tx, s.tenant, beside[0].table, files)
	if err != nil {
		return err
	}
	var changes []journal.Redaction
	for k := range events {
		e := &events[k]
		var p map[string]json.RawMessage
		var name string
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return fmt.Errorf("privacy: event %s: %w", e.Pos, err)
		}
		if err := json.Unmarshal(p["name"], &name); len(p["name"]) == 0 || err != nil {
			continue
		}
		to := strconv.FormatInt(e.Subject.ID, 10)
		if dot := strings.LastIndexByte(name, '.'); dot >= 0 && len(name)-dot <= 6 {
			to += name[dot:]
		}
		if to == name {
			continue
		}
		if p["name"], err = json.Marshal(to); err != nil {
			return err
		}
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		changes = append(changes, journal.Redaction{Pos: e.Pos, Actor: e.Actor, Data: data})
		if _, err := tx.Exec(ctx, `UPDATE attachment SET name = $3 WHERE tenant_id = $1 AND attachment_id = $2`, s.tenant, e.Subject.ID, to); err != nil {
			return err
		}
	}
	return s.redact(ctx, tx, string(Words), changes)
}

// mailless takes out what is kept of the messages that an incident came from
// and gave rise to: senders, addresses, words.
func (s *Service) mailless(ctx context.Context, tx *sqldb.Tx, id int64) error {
	for _, query := range []string{
		`DELETE FROM mail_raw WHERE tenant_id = $1 AND message_id IN (SELECT m.message_id FROM mail_message m WHERE m.tenant_id = $1 AND m.incident_id = $2)`,
		`UPDATE mail_message SET from_email = '', from_name = '', subject = '', preview = '', cc = '', plan = '', error = '', person_id = 0, account_id = 0 WHERE tenant_id = $1 AND incident_id = $2`,
		`DELETE FROM notify_outbox WHERE tenant_id = $1 AND message_id IN (SELECT m.message_id FROM notify_message m WHERE m.tenant_id = $1 AND m.incident_id = $2)`,
		`UPDATE notify_message SET address = '', subject = '', reason = '' WHERE tenant_id = $1 AND incident_id = $2`,
		`UPDATE label_report SET title = '', description = '', name = '', email = '' WHERE tenant_id = $1 AND incident_id = $2`,
	} {
		if _, err := tx.Exec(ctx, whole+query, s.tenant, id); err != nil {
			return fmt.Errorf("privacy: messages of incident %d: %w", id, err)
		}
	}
	return nil
}
