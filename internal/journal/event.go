// Package journal is the truth of what happened: an append-only, ordered list
// of events, written in the same transaction as the state they explain.
//
// Writers call Append inside their transaction. Readers follow the journal
// from a position (Pos) of their own and may see an event twice after a crash,
// never miss one. On PostgreSQL a transaction that began earlier can commit
// later: positions are therefore ordered by (transaction, sequence), and a
// reader is shown only what lies below the oldest transaction in flight.
package journal

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Pos is a place in the journal. The zero Pos is its beginning. Xact is the
// writing transaction on PostgreSQL; it is 0 on SQLite, where one writer makes
// Seq the order, and for events that were restored from a backup, which come
// before every transaction of this database.
type Pos struct{ Xact, Seq int64 }

// Compare orders positions: negative, zero or positive.
func (p Pos) Compare(q Pos) int {
	switch {
	case p.Xact != q.Xact:
		return cmpInt(p.Xact, q.Xact)
	default:
		return cmpInt(p.Seq, q.Seq)
	}
}

func cmpInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// String is the position's external form ("12" on SQLite, "7034.12" on
// PostgreSQL), used in Last-Event-ID and as_of.
func (p Pos) String() string {
	if p.Xact == 0 {
		return strconv.FormatInt(p.Seq, 10)
	}
	return strconv.FormatInt(p.Xact, 10) + "." + strconv.FormatInt(p.Seq, 10)
}

// ParsePos reads what String wrote.
func ParsePos(s string) (Pos, error) {
	x, q, ok := strings.Cut(s, ".")
	if !ok {
		x, q = "0", s
	}
	xact, err := strconv.ParseInt(x, 10, 64)
	if err != nil {
		return Pos{}, fmt.Errorf("journal: position %q: %w", s, err)
	}
	seq, err := strconv.ParseInt(q, 10, 64)
	if err != nil {
		return Pos{}, fmt.Errorf("journal: position %q: %w", s, err)
	}
	return Pos{xact, seq}, nil
}

// Actor is who caused an event. ID is an account (kind "account"), a person of
// the directory (kind "person", for imported histories), or 0 ("system").
// Names are resolved when shown, so that a person can be erased.
type Actor struct {
	Kind string
	ID   int64
}

// Kinds of actor.
const (
	ByAccount = "account"
	ByPerson  = "person"
	BySystem  = "system"
)

// Subject is what an event is about: kind "incident", "school", "category"…
type Subject struct {
	Kind string
	ID   int64
}

// Event is one thing that happened.
type Event struct {
	Pos        Pos             // set by the journal
	Tenant     int64           // département
	At         time.Time       // when it happened; imported histories keep their own instants
	RecordedAt time.Time       // when it was written here; set by the journal if zero
	Actor      Actor           // who
	Subject    Subject         // about what
	School     int64           // the school concerned, for scope; 0 when of no single school
	Kind       string          // "incident.declared": the subject's kind, a dot, a past participle
	Data       json.RawMessage // the payload, owned by the subject's context

	sealed string // the digest under which it was sealed, if it was redacted since
}
