package similar

import (
	"bytes"
	"context"
	"slices"
	"time"

	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// slot is a place in the memory's list of records.
type slot uint32

// maxSlots is what a posting has room for beside a count of five bits.
const maxSlots = 1 << 27

// record is what is remembered of one incident. Identifiers are 0 when
// unknown, instants seconds since 1970.
type record struct {
	id                                int64 // 0: the slot is dead
	opened, resolved                  uint32
	school, room, declarant, assignee uint32
	category, code, cause             uint32
	machine                           uint32 // see memory.label
	text, solution                    span   // in the arena: terms of the report, of the resolution
	length                            uint16 // words of the report
	priority                          uint8
	state                             state
	attempts                          []attempt // resolutions that did not hold
}

type state uint8

const (
	isOpen state = iota
	isSolved
	isVoid // cancelled or merged: it counts for nothing
)

// attempt is a resolution after which the incident was reopened.
type attempt struct {
	code, cause, assignee uint32
	solution              span
}

// span is a piece of the arena.
type span struct {
	at  uint32
	len uint16
}

// thing is where an incident can come back: a machine, or a room.
type thing struct {
	school uint32
	id     uint32 // machine or room
	room   bool
}

// memory is what is remembered of a tenant. One goroutine changes it, under
// the lock that keeps readers out.
type memory struct {
	words    *vocabulary
	records  []record
	at       map[int64]slot
	postings [][]uint32 // by term: slot and count of the solved incidents that have it
	df       []uint32   // by term: how many solved incidents have it
	solved   int
	length   uint64 // words of all solved reports
	dead     int
	arena    []byte
	label    map[string]uint32 // machine labels
	things   map[thing][]slot
	having   map[attribute]uint32 // how many solved incidents have a value
	refusals map[resolution][]refusal
	model    *model
}

func newMemory() *memory {
	return &memory{
		words: newVocabulary(), at: map[int64]slot{}, label: map[string]uint32{}, things: map[thing][]slot{},
		having: map[attribute]uint32{}, refusals: map[resolution][]refusal{},
		model: newModel(),
	}
}

func seconds(t time.Time) uint32 {
	if t.IsZero() || t.Unix() < 0 {
		return 0
	}
	return uint32(t.Unix())
}

func instant(s uint32) time.Time { return time.Unix(int64(s), 0).UTC() }

// attempts reads the resolutions that had not held, of the incidents that were
// reopened.
func (m *memory) attempts(ctx context.Context, tx *sqldb.Tx, tenant int64, all []*incident.Incident) (map[int64][]incident.Attempt, error) {
	var reopened []int64
	for _, i := range all {
		if i.ReopenCount > 0 {
			reopened = append(reopened, i.ID)
		}
	}
	if len(reopened) == 0 {
		return nil, nil
	}
	return incident.Attempts(ctx, tx, tenant, reopened)
}

func (m *memory) take(ctx context.Context, tx *sqldb.Tx, tenant int64, all []*incident.Incident) error {
	attempts, err := m.attempts(ctx, tx, tenant, all)
	if err != nil {
		return err
	}
	for _, i := range all {
		m.put(i, attempts[i.ID])
	}
	return nil
}

// put remembers an incident as it stands.
func (m *memory) put(i *incident.Incident, attempts []incident.Attempt) {
	r := record{
		id: i.ID, opened: seconds(i.OpenedAt), resolved: seconds(i.ResolvedAt), school: uint32(i.School), room: uint32(i.Room),
		declarant: uint32(i.Declarant), assignee: uint32(i.Assignee), category: uint32(i.Category), priority: uint8(i.Priority),
		code: uint32(i.ResolutionCode), cause: uint32(i.CauseCode), machine: m.machine(i.Machine),
	}
	var text, solution []count
	switch i.State {
	case incident.Resolved, incident.Closed:
		r.state = isSolved
		text = read(m.words.learn, i.Title, i.Description)
		solution = read(m.words.learn, i.Resolution)
	case incident.Cancelled, incident.Merged:
		r.state = isVoid
	default:
	}
	at, known := m.at[i.ID]
	var was record
	if known {
		m.forget(at)
		was = m.records[at]
		if was.state == isSolved && (r.state != isSolved || !m.says(was.text, text)) {
			// Its words stand in the postings under the old slot.
			m.records[at] = record{}
			m.dead++
			known = false
		}
	}
	if !known {
		if len(m.records) >= maxSlots {
			return // years past every limit: the next load forgets the oldest
		}
		at = slot(len(m.records))
		m.records = append(m.records, record{})
		m.at[i.ID] = at
	}
	fresh := !known || m.records[at].state != isSolved
	r.text, r.solution = m.keep(was.text, text), m.keep(was.solution, solution)
	for k, a := range attempts {
		var before span
		if k < len(was.attempts) {
			before = was.attempts[k].solution
		}
		r.attempts = append(r.attempts, attempt{uint32(a.ResolutionCode), uint32(a.CauseCode), uint32(a.Assignee), m.keep(before, read(m.words.learn, a.Resolution))})
	}
	for _, c := range text {
		r.length += uint16(c.times)
	}
	m.records[at] = r
	for _, t := range r.things() {
		m.things[t] = append(m.things[t], at)
	}
	if r.state != isSolved {
		return
	}
	m.solved++
	m.length += uint64(r.length)
	for _, c := range text {
		for int(c.term) >= len(m.postings) {
			m.postings = append(m.postings, nil)
			m.df = append(m.df, 0)
		}
		m.df[c.term]++
		if fresh {
			m.postings[c.term] = append(m.postings[c.term], uint32(at)<<5|uint32(c.times))
		}
	}
	for _, a := range r.attributes(m.model.catalogue, nil) {
		m.having[a]++
	}
	m.model.learn(&r, text)
}

// forget takes a record out of every count and list but the postings.
func (m *memory) forget(at slot) {
	r := &m.records[at]
	for _, t := range r.things() {
		list := m.things[t]
		if k := slices.Index(list, at); k >= 0 {
			list = slices.Delete(list, k, k+1)
		}
		if len(list) == 0 {
			delete(m.things, t)
		} else {
			m.things[t] = list
		}
	}
	if r.state != isSolved {
		return
	}
	text := m.terms(r.text)
	m.solved--
	m.length -= uint64(r.length)
	for _, c := range text {
		m.df[c.term]--
	}
	for _, a := range r.attributes(m.model.catalogue, nil) {
		if m.having[a]--; m.having[a] == 0 {
			delete(m.having, a)
		}
	}
	m.model.unlearn(r, text)
}

// things are where an incident can come back.
func (r *record) things() []thing {
	switch {
	case r.state == isVoid || r.school == 0:
		return nil
	case r.machine != 0:
		return []thing{{school: r.school, id: r.machine}}
	case r.room != 0:
		return []thing{{school: r.school, id: r.room, room: true}}
	}
	return nil
}

func (m *memory) machine(label string) uint32 {
	if label == "" {
		return 0
	}
	n, ok := m.label[label]
	if !ok {
		n = uint32(len(m.label) + 1)
		m.label[label] = n
	}
	return n
}

// says tells whether a piece of the arena holds these terms.
func (m *memory) says(s span, terms []count) bool {
	return bytes.Equal(m.arena[s.at:][:s.len], pack(nil, terms))
}

// keep writes terms into the arena, unless a piece holds them already.
func (m *memory) keep(before span, terms []count) span {
	if before.len > 0 && m.says(before, terms) {
		return before
	}
	if len(terms) == 0 || len(m.arena) > 1<<32-1<<16 {
		return span{}
	}
	at := len(m.arena)
	m.arena = pack(m.arena, terms)
	return span{uint32(at), uint16(len(m.arena) - at)}
}

func (m *memory) terms(s span) []count { return unpack(m.arena[s.at:][:s.len]) }
