package privacy

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Door is a way out.
type Door string

// The doors.
const (
	Pages   Door = "web"
	Program Door = "api" // a program, by its token
	Command Door = "cli" // the command line of the server
)

// Doors lists every door.
var Doors = []Door{Pages, Program, Command}

// Record is that somebody took something away.
type Record struct {
	ID       int64
	Account  int64 // 0: by a link without an account, or by the command line
	Door     Door  // Pages if empty
	What     string
	Format   string
	Question string // the query of the address, or what the command was given
	Scope    string // the role whose reach it was
	Address  string // shortened: see Shorten
	Entries  int64
	Times    int64 // the same question within the hour counts here
	First    time.Time
	At       time.Time
}

const maxQuestion = 1000

// Shorten keeps of an address what tells a network, not a machine.
func Shorten(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil {
		port, err := netip.ParseAddrPort(address)
		if err != nil {
			return ""
		}
		at = port.Addr()
	}
	bits := 24
	if at = at.Unmap(); at.Is6() {
		bits = 48
	}
	p, err := at.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// key is what makes two notes of an hour the same.
type noteKey struct {
	account                       int64
	door                          Door
	what, format, question, scope string
	address                       string
	hour                          int64
}

func (s *Service) noteKey(by auth.Identity, r Record, now time.Time) noteKey {
	if q := []rune(r.Question); len(q) > maxQuestion {
		r.Question = string(q[:maxQuestion])
	}
	if r.Door == "" {
		r.Door = Pages
	}
	return noteKey{by.Account, r.Door, r.What, r.Format, r.Question, string(by.Role), Shorten(r.Address), now.Unix() / 3600}
}

// Note keeps that something was taken away. The doors call it in one place.
func (s *Service) Note(ctx context.Context, by auth.Identity, r Record) error {
	now := sqldb.Now()
	return s.note(ctx, s.noteKey(by, r, now), by.Person, counts{times: 1, entries: r.Entries, at: now})
}

// NoteIn is Note for a tool that has a database and not the program on it.
func NoteIn(ctx context.Context, db *sqldb.DB, tenant int64, r Record) error {
	s := &Service{Parts: Parts{DB: db}, tenant: tenant}
	return s.Note(ctx, auth.System(tenant), r)
}

type counts struct {
	times, entries int64
	person         int64
	at             time.Time
}

func (s *Service) note(ctx context.Context, k noteKey, person int64, c counts) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE export_record SET times = times + $9, entries = entries + $10, last_at = $11
			WHERE tenant_id = $1 AND hour = $2 AND account_id = $3 AND door = $4 AND what = $5 AND format = $6 AND question = $7 AND address = $8`,
			s.tenant, k.hour, k.account, string(k.door), k.what, k.format, k.question, k.address, c.times, c.entries, sqldb.Millis(c.at))
		if err != nil || n > 0 {
			return err
		}
		id, err := tx.NextIDs(ctx, s.tenant, "export_record", 1)
		if err != nil {
			return err
		}
		return tx.Insert(ctx, "export_record", []string{"tenant_id", "record_id", "account_id", "person_id", "door", "what", "format", "question", "scope", "address", "entries", "times", "hour", "first_at", "last_at"},
			[][]any{{s.tenant, id, k.account, person, string(k.door), k.what, k.format, k.question, k.scope, k.address, c.entries, c.times, k.hour, sqldb.Millis(c.at), sqldb.Millis(c.at)}}, "")
	})
	if err != nil {
		return fmt.Errorf("privacy: note an export: %w", err)
	}
	return nil
}

// notes holds back what is asked again and again.
type notes struct {
	mu      sync.Mutex
	waiting map[noteKey]counts // a key without counts has its row already
}

// maxNotes bounds the questions that are remembered.
const maxNotes = 10_000

// NoteOften is Note for who asks many times a second: the first of an hour is
// written at once, the others are counted together every few seconds (Run).
func (s *Service) NoteOften(ctx context.Context, by auth.Identity, r Record) error {
	now := sqldb.Now()
	k := s.noteKey(by, r, now)
	s.often.mu.Lock()
	c, known := s.often.waiting[k]
	if known {
		s.often.waiting[k] = counts{c.times + 1, c.entries + r.Entries, by.Person, now}
	}
	s.often.mu.Unlock()
	if known {
		return nil
	}
	if err := s.note(ctx, k, by.Person, counts{times: 1, entries: r.Entries, at: now}); err != nil {
		return err
	}
	s.often.mu.Lock()
	defer s.often.mu.Unlock()
	if _, known := s.often.waiting[k]; !known && len(s.often.waiting) < maxNotes {
		s.often.waiting[k] = counts{}
	}
	return nil
}

// notesEvery is how often what NoteOften counts is written.
const notesEvery = 5 * time.Second

// Run writes what NoteOften counts, until ctx ends; then what is left.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(notesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), notesEvery)
			defer cancel()
			return s.flush(last)
		case <-tick.C:
			if err := s.flush(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("what was read could not be noted; it is tried again", "error", err)
			}
		}
	}
}

func (s *Service) flush(ctx context.Context) error {
	hour := sqldb.Now().Unix() / 3600
	s.often.mu.Lock()
	due := map[noteKey]counts{}
	for k, c := range s.often.waiting {
		if c.times > 0 {
			due[k] = c
			s.often.waiting[k] = counts{}
		} else if k.hour != hour {
			delete(s.often.waiting, k)
		}
	}
	s.often.mu.Unlock()
	var failed error
	for k, c := range due {
		if err := s.note(ctx, k, c.person, c); err != nil {
			failed = err
			s.often.mu.Lock()
			now := s.often.waiting[k]
			s.often.waiting[k] = counts{now.times + c.times, now.entries + c.entries, c.person, c.at}
			s.often.mu.Unlock()
		}
	}
	return failed
}

// RecordFilter narrows the list of what was taken away; zero values do not.
type RecordFilter struct {
	Account  int64
	Door     Door
	What     string    // exactly
	From, To time.Time // [From, To)
	Before   int64     // records below one, for the next page
	Limit    int       // 300 if 0
}

// Records lists what was taken away, the latest first.
func (s *Service) Records(ctx context.Context, by auth.Identity, f RecordFilter) ([]Record, error) {
	if err := s.mayManage(by); err != nil {
		return nil, err
	}
	if f.Limit == 0 {
		f.Limit = 300
	}
	if f.Before == 0 {
		f.Before = math.MaxInt64
	}
	to := int64(math.MaxInt64)
	if !f.To.IsZero() {
		to = sqldb.Millis(f.To)
	}
	var list []Record
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, whole+`SELECT record_id, account_id, door, what, format, question, scope, address, entries, times, first_at, last_at FROM export_record
			WHERE tenant_id = $1 AND ($2 = 0 OR account_id = $2) AND ($3 = '' OR door = $3) AND ($4 = '' OR what = $4) AND last_at >= $5 AND last_at < $6 AND record_id < $7 ORDER BY record_id DESC LIMIT $8`,
			s.tenant, f.Account, string(f.Door), f.What, sqldb.Millis(f.From), to, f.Before, f.Limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Record
			var first, at int64
			if err := rows.Scan(&r.ID, &r.Account, &r.Door, &r.What, &r.Format, &r.Question, &r.Scope, &r.Address, &r.Entries, &r.Times, &first, &at); err != nil {
				return err
			}
			r.First, r.At = sqldb.Time(first), sqldb.Time(at)
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

// Takers lists who took something away and what: what a filter can be set to.
func (s *Service) Takers(ctx context.Context, by auth.Identity) (accounts []int64, whats []string, err error) {
	if err := s.mayManage(by); err != nil {
		return nil, nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if accounts, err = ids(ctx, tx, `SELECT DISTINCT account_id FROM export_record WHERE tenant_id = $1 AND account_id <> 0 ORDER BY account_id LIMIT 500`, s.tenant); err != nil {
			return err
		}
		whats, err = texts(ctx, tx, `SELECT DISTINCT what FROM export_record WHERE tenant_id = $1 ORDER BY what LIMIT 500`, s.tenant)
		return err
	})
	return accounts, whats, err
}
