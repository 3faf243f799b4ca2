package similar

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Subject is the journal's subject kind for what is said of suggestions; its
// number is that of the incident.
const Subject = "suggestion"

// Kinds of event. Each carries a Saying.
const (
	EventRefused  = Subject + ".refused"
	EventRestored = Subject + ".restored" // a refusal taken back
	EventApplied  = Subject + ".applied"
)

// maxKey bounds a solution's key, in bytes.
const maxKey = 600

// Saying is the payload of the events on suggestions: which solution.
type Saying struct {
	Code     int64  `json:"code"`
	Cause    int64  `json:"cause,omitempty"`
	Words    string `json:"words,omitempty"` // Solution.Key
	Category int64  `json:"category,omitempty"`
}

// Verdict is what was last said of a solution on an incident.
type Verdict struct {
	Code, Cause int64
	Key         string
	Refused     bool // else applied
	At          time.Time
}

// Refuse says that a solution does not suit an incident: it is set aside
// there, and counts a little less on incidents of the same type. What was
// already refused changes nothing.
func (s *Service) Refuse(ctx context.Context, by auth.Identity, i incident.Incident, code, cause int64, key string) error {
	return s.say(ctx, by, i, EventRefused, Saying{code, cause, key, i.Category})
}

// Restore takes a refusal back.
func (s *Service) Restore(ctx context.Context, by auth.Identity, i incident.Incident, code, cause int64, key string) error {
	return s.say(ctx, by, i, EventRestored, Saying{code, cause, key, i.Category})
}

// Applied says that an incident was resolved by a solution that was proposed:
// the resolution itself is the incident's own command.
func (s *Service) Applied(ctx context.Context, by auth.Identity, i incident.Incident, code, cause int64, key string) error {
	return s.say(ctx, by, i, EventApplied, Saying{code, cause, key, i.Category})
}

func (s *Service) say(ctx context.Context, by auth.Identity, i incident.Incident, kind string, said Saying) error {
	if err := by.Require(auth.HandleIncident); err != nil {
		return err
	}
	if !i.SeenBy(by.Scope()) {
		return fault.New(fault.NotFound, "error.incident.not_found")
	}
	index, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	var fields fault.Fields
	if c, ok := index.Code(said.Code); !ok || c.Kind != catalog.Resolution {
		fields.Add("resolution_code", "error.field.unknown")
	}
	if c, ok := index.Code(said.Cause); said.Cause != 0 && (!ok || c.Kind != catalog.Cause) {
		fields.Add("cause_code", "error.field.unknown")
	}
	if said.Words = strings.ToValidUTF8(said.Words, ""); len(said.Words) > maxKey {
		fields.Add("key", "error.field.too_long", "max", maxKey)
	}
	if err := fields.Err(); err != nil {
		return err
	}
	now := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		stands, err := stored(ctx, tx, by.Tenant, i.ID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(stands, func(v Verdict) bool { return v.Code == said.Code && v.Cause == said.Cause && v.Key == said.Words })
		switch {
		case kind == EventRestored && (at < 0 || !stands[at].Refused),
			kind == EventRefused && at >= 0 && stands[at].Refused,
			kind == EventApplied && at >= 0 && !stands[at].Refused:
			return nil
		}
		data, err := json.Marshal(said)
		if err != nil {
			return err
		}
		e := journal.Event{Tenant: by.Tenant, At: now, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: i.ID}, School: i.School, Kind: kind, Data: data}
		if err := apply(ctx, tx, []journal.Event{e}); err != nil {
			return err
		}
		return s.j.Append(ctx, tx, e)
	})
}

// Projection rebuilds what was said of suggestions from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "similar", Subjects: []string{Subject}, Tables: []string{"suggestion"}, Apply: apply}
}

func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for k := range events {
		e := &events[k]
		var p Saying
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return fmt.Errorf("similar: event %s: %w", e.Pos, err)
		}
		verdict := "refused"
		switch e.Kind {
		case EventRestored:
			if _, err := tx.Exec(ctx, `DELETE FROM suggestion WHERE tenant_id = $1 AND incident_id = $2 AND code_id = $3 AND cause_id = $4 AND words = $5`,
				e.Tenant, e.Subject.ID, p.Code, p.Cause, p.Words); err != nil {
				return fmt.Errorf("similar: restore: %w", err)
			}
			continue
		case EventApplied:
			verdict = "applied"
		}
		if err := tx.Upsert(ctx, "suggestion", []string{"tenant_id", "incident_id", "code_id", "cause_id", "words"},
			[]string{"tenant_id", "incident_id", "code_id", "cause_id", "words", "verdict", "category_id", "at"},
			[][]any{{e.Tenant, e.Subject.ID, p.Code, p.Cause, p.Words, verdict, p.Category, sqldb.Millis(e.At)}}); err != nil {
			return fmt.Errorf("similar: verdict: %w", err)
		}
	}
	return nil
}

// stored reads what was said on one incident.
func stored(ctx context.Context, tx *sqldb.Tx, tenant, id int64) ([]Verdict, error) {
	rows, err := tx.Query(ctx, `SELECT code_id, cause_id, words, verdict, at FROM suggestion WHERE tenant_id = $1 AND incident_id = $2 ORDER BY at, code_id, cause_id, words`, tenant, id)
	if err != nil {
		return nil, fmt.Errorf("similar: verdicts: %w", err)
	}
	defer rows.Close()
	var all []Verdict
	for rows.Next() {
		var v Verdict
		var verdict string
		var at int64
		if err := rows.Scan(&v.Code, &v.Cause, &v.Key, &verdict, &at); err != nil {
			return nil, fmt.Errorf("similar: verdicts: %w", err)
		}
		v.Refused, v.At = verdict == "refused", sqldb.Time(at)
		all = append(all, v)
	}
	return all, rows.Err()
}

// Verdicts lists what was said of suggestions on an incident that the reader
// sees, oldest first.
func (s *Service) Verdicts(ctx context.Context, by auth.Identity, i incident.Incident) ([]Verdict, error) {
	if by.Tenant == 0 || !i.SeenBy(by.Scope()) {
		return nil, fault.New(fault.NotFound, "error.incident.not_found")
	}
	var all []Verdict
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = stored(ctx, tx, by.Tenant, i.ID)
		return err
	})
	return all, err
}

// Used counts, since the beginning, the solutions that were applied from a
// suggestion and those set aside, as far as the refusals stand.
func (s *Service) Used(ctx context.Context, tenant int64) (applied, refused int, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(sum(CASE verdict WHEN 'applied' THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE verdict WHEN 'refused' THEN 1 ELSE 0 END), 0)
			FROM suggestion WHERE tenant_id = $1`, tenant).Scan(&applied, &refused)
	})
	return applied, refused, err
}

// refusal is a refusal as the memory counts it.
type refusal struct {
	incident int64
	category uint32
	key      string
	words    []count
}

// refuse remembers or forgets a refusal.
func (m *memory) refuse(id int64, s Saying, stands bool) {
	r := resolution{uint32(s.Code), uint32(s.Cause)}
	m.refusals[r] = slices.DeleteFunc(m.refusals[r], func(x refusal) bool { return x.incident == id && x.key == s.Words })
	if stands {
		m.refusals[r] = append(m.refusals[r], refusal{id, uint32(s.Category), s.Words, m.unkey(s.Words)})
	}
	if len(m.refusals[r]) == 0 {
		delete(m.refusals, r)
	}
}

// refused counts the refusals of a solution on incidents of a category.
func (m *memory) refused(g *group, category uint32) int {
	n := 0
	for _, r := range m.refusals[g.resolution] {
		if r.category == category && sameWords(r.words, g.words) {
			n++
		}
	}
	return n
}

// sameAs tells whether a verdict is about a solution.
func (m *memory) sameAs(v *Verdict, s *rankedSolution) bool {
	return v.Code == s.Code && v.Cause == s.Cause && (v.Key == s.Key || sameWords(m.unkey(v.Key), s.words))
}

// key names the words of a solution: their stems, sorted.
func (m *memory) key(words []count) string {
	stems := make([]string, 0, len(words))
	for _, c := range words {
		stems = append(stems, m.words.name[c.term])
	}
	slices.Sort(stems)
	key := strings.Join(stems, " ")
	for len(key) > maxKey {
		key = key[:strings.LastIndexByte(key, ' ')]
	}
	return key
}

// unkey reads a key again; stems that are no longer known are left out.
func (m *memory) unkey(key string) []count {
	var words []count
	for s := range strings.FieldsSeq(key) {
		if t, ok := m.words.stem[s]; ok && len(words) < maxTerms {
			words = append(words, count{t, 1})
		}
	}
	slices.SortFunc(words, func(a, b count) int { return int(a.term) - int(b.term) })
	return words
}

// refusals reads every refusal that stands, for a memory that begins.
func (m *memory) takeRefusals(ctx context.Context, tx *sqldb.Tx, tenant int64, limit int) error {
	rows, err := tx.Query(ctx, `SELECT incident_id, code_id, cause_id, words, category_id FROM suggestion WHERE tenant_id = $1 AND verdict = 'refused' ORDER BY at DESC LIMIT $2`, tenant, limit)
	if err != nil {
		return fmt.Errorf("similar: refusals: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var s Saying
		if err := rows.Scan(&id, &s.Code, &s.Cause, &s.Words, &s.Category); err != nil {
			return fmt.Errorf("similar: refusals: %w", err)
		}
		m.refuse(id, s, true)
	}
	return rows.Err()
}

// texts reads some incidents within a scope.
func (s *Service) texts(ctx context.Context, scope auth.Scope, ids []int64) (map[int64]*incident.Incident, error) {
	var found map[int64]*incident.Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		found, err = incident.These(ctx, tx, scope.Tenant(), ids)
		return err
	})
	for id, i := range found {
		if !i.SeenBy(scope) {
			delete(found, id)
		}
	}
	return found, err
}
