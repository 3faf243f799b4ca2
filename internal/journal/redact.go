package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"statincidents/internal/sqldb"
)

// Redaction takes words out of an event: the erasure of a person. It is the
// only change of the past that there is, and the chain shows it:
//
//   - the event keeps the digest under which it was sealed, so that every seal
//     goes on holding;
//   - an event EventRedacted, sealed in its turn, attests the digest of the
//     event as it now stands. Without it Verify names the event as altered: who
//     redacts behind the program's back is found as before.
//
// What was redacted is gone: a digest does not give it back (who guesses the
// whole event right can still confirm the guess).
type Redaction struct {
	Pos   Pos
	Actor Actor           // who caused it, as it is to stand
	Data  json.RawMessage // as it is to stand
}

// SubjectJournal is the kind of subject of what happens to the journal itself.
const SubjectJournal = "journal"

// EventRedacted attests that events were redacted.
const EventRedacted = SubjectJournal + ".redacted"

// EventForgotten says that redactions came to their end: whoever keeps words or
// persons of the past in memory reads them anew.
const EventForgotten = SubjectJournal + ".forgotten"

// Forgotten appends EventForgotten.
func (j *Journal) Forgotten(ctx context.Context, tx *sqldb.Tx, tenant int64) error {
	return j.Append(ctx, tx, Event{
		Tenant: tenant, At: sqldb.Now(), Actor: Actor{Kind: BySystem}, Subject: Subject{Kind: SubjectJournal, ID: tenant}, Kind: EventForgotten, Data: json.RawMessage(`{}`),
	})
}

// attestation is the payload of EventRedacted.
type attestation struct {
	Why    string     `json:"why"`
	Events []attested `json:"events"`
}

type attested struct {
	Was string `json:"was"` // the digest that was sealed
	Is  string `json:"is"`  // the digest of what stands now
}

// maxRedactions bounds the events of one EventRedacted.
const maxRedactions = 1000

// Redact replaces the words of events of a tenant in the caller's transaction
// and attests it. Why is a code, not a person.
func (j *Journal) Redact(ctx context.Context, tx *sqldb.Tx, tenant int64, by Actor, why string, changes []Redaction) error {
	if len(changes) == 0 {
		return nil
	}
	if len(changes) > maxRedactions {
		return fmt.Errorf("journal: redact: %d events at once, at most %d", len(changes), maxRedactions)
	}
	note := attestation{Why: why}
	for _, c := range changes {
		e, err := eventAt(ctx, tx, tenant, c.Pos)
		if err != nil {
			return err
		}
		if e.sealed == "" {
			was := e.content()
			e.sealed = hex.EncodeToString(was[:])
		}
		e.Actor, e.Data = c.Actor, c.Data
		if err := e.check(tenant); err != nil {
			return fmt.Errorf("journal: redact: %w", err)
		}
		if _, err := tx.Exec(ctx, `UPDATE event SET data = $4, actor_kind = $5, actor_id = $6, sealed = $7 WHERE tenant_id = $1 AND xact = $2 AND seq = $3`,
			tenant, c.Pos.Xact, c.Pos.Seq, string(e.Data), e.Actor.Kind, e.Actor.ID, e.sealed); err != nil {
			return fmt.Errorf("journal: redact event %s: %w", c.Pos, err)
		}
		is := e.content()
		note.Events = append(note.Events, attested{Was: e.sealed, Is: hex.EncodeToString(is[:])})
	}
	data, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("journal: redact: %w", err)
	}
	now := sqldb.Now()
	return j.Append(ctx, tx, Event{Tenant: tenant, At: now, Actor: by, Subject: Subject{Kind: SubjectJournal, ID: tenant}, Kind: EventRedacted, Data: data})
}

func eventAt(ctx context.Context, tx *sqldb.Tx, tenant int64, p Pos) (*Event, error) {
	rows, err := tx.Query(ctx, selectEvent+`WHERE tenant_id = $1 AND xact = $2 AND seq = $3`+tx.ForUpdate(), tenant, p.Xact, p.Seq)
	if err != nil {
		return nil, fmt.Errorf("journal: redact: %w", err)
	}
	events, err := scan(rows)
	if err == nil && len(events) != 1 {
		err = errors.New("there is no such event")
	}
	if err != nil {
		return nil, fmt.Errorf("journal: redact event %s: %w", p, err)
	}
	return &events[0], nil
}

type sum = [sha256.Size]byte

// attestations lists what was redacted: for each digest that was sealed, the
// last digest that was attested in its place.
func attestations(ctx context.Context, tx *sqldb.Tx, tenant int64) (map[sum]sum, error) {
	all := map[sum]sum{}
	for after := (Pos{-1, -1}); ; {
		rows, err := tx.Query(ctx, selectEvent+`WHERE tenant_id = $1 AND subject_kind = $2 AND subject_id = $3 AND (xact, seq) > ($4, $5) ORDER BY xact, seq LIMIT 100`,
			tenant, SubjectJournal, tenant, after.Xact, after.Seq)
		if err != nil {
			return nil, fmt.Errorf("journal: redactions: %w", err)
		}
		events, err := scan(rows)
		if err != nil || len(events) == 0 {
			return all, err
		}
		for k := range events {
			var note attestation
			if events[k].Kind != EventRedacted || json.Unmarshal(events[k].Data, &note) != nil {
				continue // what cannot be read attests nothing
			}
			for _, a := range note.Events {
				was, ok := parseSum(a.Was)
				is, also := parseSum(a.Is)
				if ok && also {
					all[was] = is
				}
			}
		}
		after = events[len(events)-1].Pos
	}
}

func parseSum(s string) (out sum, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(out) {
		return out, false
	}
	return sum(b), true
}

// asSealed is the digest of an event in the chain. That of a redacted event is
// the one under which it was sealed, if the redaction is attested.
func (e *Event) asSealed(redacted map[sum]sum) sum {
	now := e.content()
	if e.sealed == "" {
		return now
	}
	was, ok := parseSum(e.sealed)
	if is, known := redacted[was]; !ok || !known || is != now {
		return now
	}
	return was
}

// Redacted tells whether words were taken out of the event.
func (e *Event) Redacted() bool { return e.sealed != "" }
