package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"statincidents/internal/sqldb"
)

// The hash chain makes a change of the past visible. Each event has a digest of
// everything that was written of it; a seal covers a run of events, and its
// hash covers their digests and the hash of the seal before. Positions are not
// in it: they change when a backup is restored, the order of the events, which
// the chain proves, does not.
//
// The chain shows what was changed behind the program's back by someone who
// did not also rewrite every later seal. Against one who did, keep the last
// hash (Verification.Hash, also in each backup) elsewhere.

// maxSeal bounds the events of one seal, and so what Verify holds at a time.
const maxSeal = 4096

// digestSize is how much of each digest a seal keeps, to name the event that
// changed. The proof itself is the seal's hash, over whole digests.
const digestSize = 8

// content is the SHA-256 of an event's canonical encoding, version 1: each
// number as 8 bytes big-endian, each text as its length and its bytes, in this
// order.
func (e *Event) content() sum {
	b := make([]byte, 0, 256+len(e.Data))
	b = append(b, 1)
	number := func(n int64) { b = binary.BigEndian.AppendUint64(b, uint64(n)) }
	text := func(s string) {
		number(int64(len(s)))
		b = append(b, s...)
	}
	number(e.Tenant)
	number(sqldb.Millis(e.At))
	number(sqldb.Millis(e.RecordedAt))
	text(e.Actor.Kind)
	number(e.Actor.ID)
	text(e.Subject.Kind)
	number(e.Subject.ID)
	number(e.School)
	text(e.Kind)
	text(string(e.Data))
	return sha256.Sum256(b)
}

// link is the hash of a seal over the digests of its events.
func link(previous []byte, digests []sum) []byte {
	h := sha256.New()
	h.Write([]byte("statincidents seal 1\n"))
	h.Write(previous)
	for i := range digests {
		h.Write(digests[i][:])
	}
	return h.Sum(nil)
}

type seal struct {
	id      int64
	to      Pos
	events  int64
	hash    []byte
	digests []byte
}

func lastSeal(ctx context.Context, tx *sqldb.Tx, tenant int64) (seal, error) {
	var s seal
	err := tx.QueryRow(ctx, `SELECT seal_id, to_xact, to_seq, events, hash FROM journal_seal WHERE tenant_id = $1 ORDER BY seal_id DESC LIMIT 1`, tenant).
		Scan(&s.id, &s.to.Xact, &s.to.Seq, &s.events, &s.hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return seal{}, fmt.Errorf("journal: last seal: %w", err)
	}
	return s, nil
}

// Seal seals every event of a tenant that is not sealed yet and tells how many
// it were. Several processes may seal at once: each event is sealed once.
func (j *Journal) Seal(ctx context.Context, tenant int64) (int64, error) {
	var total int64
	for {
		n, err := j.sealOnce(ctx, tenant)
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
}

func (j *Journal) sealOnce(ctx context.Context, tenant int64) (int64, error) {
	var next seal
	err := j.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if tx.Dialect() == sqldb.PostgreSQL {
			// Two processes would do the same work; the key of the seal, below,
			// is what keeps it single.
			var mine bool
			if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(hashtext('statincidents journal seal'), $1::int)`, tenant).Scan(&mine); err != nil || !mine {
				return err
			}
		}
		last, err := lastSeal(ctx, tx, tenant)
		if err != nil {
			return err
		}
		events, err := ReadTx(ctx, tx, tenant, last.to, maxSeal)
		if err != nil || len(events) == 0 {
			return err
		}
		var redacted map[sum]sum
		for i := range events {
			if events[i].sealed != "" { // redacted before it was sealed
				if redacted, err = attestations(ctx, tx, tenant); err != nil {
					return err
				}
				break
			}
		}
		digests := make([]sum, len(events))
		next = seal{id: last.id + 1, to: events[len(events)-1].Pos, events: int64(len(events))}
		for i := range events {
			digests[i] = events[i].asSealed(redacted)
			next.digests = append(next.digests, digests[i][:digestSize]...)
		}
		next.hash = link(last.hash, digests)
		return nil
	})
	if err != nil || next.events == 0 {
		return 0, err
	}
	err = j.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO journal_seal (tenant_id, seal_id, to_xact, to_seq, events, hash, digests, sealed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, seal_id) DO NOTHING`,
			tenant, next.id, next.to.Xact, next.to.Seq, next.events, next.hash, next.digests, sqldb.Millis(sqldb.Now()))
		if n == 0 {
			next.events = 0 // another process was quicker
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("journal: seal: %w", err)
	}
	return next.events, nil
}

// Sealer is the reader that seals the journal of a tenant in batches.
type Sealer struct {
	Journal *Journal
	Tenant  int64
	// Every is the shortest time between two seals; a second if zero.
	Every time.Duration
}

// Run seals until ctx ends, and once more then; it returns the first error.
func (s *Sealer) Run(ctx context.Context) error {
	every := s.Every
	if every == 0 {
		every = time.Second
	}
	for {
		woken := s.Journal.woken()
		if _, err := s.Journal.Seal(ctx, s.Tenant); err != nil && ctx.Err() == nil {
			return err
		}
		pauseFor(ctx, every)
		if ctx.Err() == nil {
			// The journal may also be written by a process that wakes nobody.
			wait(ctx, woken, 10*every)
		}
		if ctx.Err() != nil {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if _, err := s.Journal.Seal(last, s.Tenant); err != nil && !errors.Is(err, sqldb.ErrClosed) {
				return err
			}
			return nil
		}
	}
}

// Verification is what Verify found.
type Verification struct {
	Events int64 // events in the journal
	Sealed int64 // of these, covered by the seals that hold
	Seals  int64 // seals that hold
	// Redacted counts the events whose words were taken out since, as the
	// journal itself attests (see Redaction).
	Redacted int64
	Hash     []byte // of the last seal that holds: keep it elsewhere as a proof
	To       Pos    // of the last event that it covers
	Break    *Break // the first broken place; nil when the chain holds
}

// BreakKind says what was done to the journal.
type BreakKind string

// The kinds of break.
const (
	EventAltered BreakKind = "altered" // the event is not what was sealed
	EventAdded   BreakKind = "added"   // the event was slipped in among sealed ones
	EventRemoved BreakKind = "removed" // an event that stood before Pos is gone
	SealAltered  BreakKind = "seal"    // the seal itself was changed or removed
)

// Break is the first place where the journal is not what was sealed.
type Break struct {
	Kind BreakKind
	Seal int64 // number of the seal that does not hold
	// Number counts the events of the tenant from 1: the one altered or added,
	// or the one that is missing.
	Number int64
	// Pos and Event are of the event altered or added; for a removed one, of
	// the event that stands in its place, if any.
	Pos   Pos
	Event *Event
}

// Verify recomputes the chain of a tenant from its beginning, in one snapshot,
// and names the first broken place.
func Verify(ctx context.Context, db *sqldb.DB, tenant int64) (*Verification, error) {
	var v *Verification
	err := db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		v, err = VerifyTx(ctx, tx, tenant)
		return err
	})
	return v, err
}

// VerifyTx is Verify in the caller's snapshot.
func VerifyTx(ctx context.Context, tx *sqldb.Tx, tenant int64) (*Verification, error) {
	v := &Verification{}
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM event WHERE tenant_id = $1`, tenant).Scan(&v.Events); err != nil {
		return nil, fmt.Errorf("journal: verify: %w", err)
	}
	redacted, err := attestations(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	v.Redacted = int64(len(redacted))
	var last seal
	for {
		next, err := sealAfter(ctx, tx, tenant, last.id)
		if err != nil {
			return nil, err
		}
		if next == nil {
			return v, nil
		}
		if v.Break, err = last.check(ctx, tx, tenant, next, v.Sealed, redacted); err != nil {
			return nil, err
		}
		if v.Break != nil {
			return v, nil
		}
		v.Seals++
		v.Sealed += next.events
		v.Hash, v.To = next.hash, next.to
		last = *next
	}
}

func sealAfter(ctx context.Context, tx *sqldb.Tx, tenant, id int64) (*seal, error) {
	s := &seal{}
	err := tx.QueryRow(ctx, `SELECT seal_id, to_xact, to_seq, events, hash, digests FROM journal_seal
		WHERE tenant_id = $1 AND seal_id > $2 ORDER BY seal_id LIMIT 1`, tenant, id).
		Scan(&s.id, &s.to.Xact, &s.to.Seq, &s.events, &s.hash, &s.digests)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal: verify: %w", err)
	}
	return s, nil
}

// check recomputes the seal that follows s; before is the number of events
// sealed so far.
func (s *seal) check(ctx context.Context, tx *sqldb.Tx, tenant int64, next *seal, before int64, redacted map[sum]sum) (*Break, error) {
	if next.id != s.id+1 || next.to.Compare(s.to) <= 0 || next.events < 1 || next.events > maxSeal || int64(len(next.digests)) != next.events*digestSize {
		return &Break{Kind: SealAltered, Seal: s.id + 1, Number: before + 1, Pos: s.to}, nil
	}
	var digests []sum
	var places []Pos
	// As many as were sealed and one more: enough to see that one was added.
	after := s.to
	if s.id == 0 {
		after = Pos{math.MinInt64, math.MinInt64} // no honest event stands there
	}
	for int64(len(digests)) <= next.events {
		events, err := between(ctx, tx, tenant, after, next.to, int(next.events)+1-len(digests))
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			break
		}
		for i := range events {
			digests = append(digests, events[i].asSealed(redacted))
			places = append(places, events[i].Pos)
		}
		after = places[len(places)-1]
	}
	if int64(len(digests)) == next.events && bytes.Equal(link(s.hash, digests), next.hash) {
		return nil, nil
	}
	at, kind := compare(digests, next.digests)
	broken := &Break{Kind: kind, Seal: next.id, Number: before + int64(at) + 1}
	if kind == SealAltered || at >= len(places) {
		return broken, nil
	}
	broken.Pos = places[at]
	events, err := between(ctx, tx, tenant, Pos{broken.Pos.Xact, broken.Pos.Seq - 1}, broken.Pos, 1)
	if err != nil {
		return nil, err
	}
	if len(events) == 1 {
		broken.Event = &events[0]
	}
	return broken, nil
}

// compare finds the first event that is not what was sealed, and what was done
// to it: the events that follow tell whether one was altered, added or removed.
func compare(now []sum, sealed []byte) (at int, kind BreakKind) {
	n := len(sealed) / digestSize
	same := func(i, k int) bool {
		return i < len(now) && k < n && bytes.Equal(now[i][:digestSize], sealed[k*digestSize:(k+1)*digestSize])
	}
	for at < n && same(at, at) {
		at++
	}
	switch {
	case at == n && len(now) == n:
		return 0, SealAltered // every event is as sealed: the hash was changed
	case at == n:
		return at, EventAdded
	case at == len(now):
		return at, EventRemoved
	case same(at+1, at):
		return at, EventAdded
	case same(at, at+1):
		return at, EventRemoved
	}
	return at, EventAltered
}

func between(ctx context.Context, tx *sqldb.Tx, tenant int64, after, to Pos, limit int) ([]Event, error) {
	rows, err := tx.Query(ctx, selectEvent+`WHERE tenant_id = $1 AND (xact, seq) > ($2, $3) AND (xact, seq) <= ($4, $5) ORDER BY xact, seq LIMIT $6`,
		tenant, after.Xact, after.Seq, to.Xact, to.Seq, limit)
	if err != nil {
		return nil, fmt.Errorf("journal: read: %w", err)
	}
	return scan(rows)
}
