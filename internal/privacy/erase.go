package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/jobs"
	"statincidents/internal/sqldb"
)

// State is where an erasure stands.
type State string

// The states of an erasure.
const (
	Searching State = "searching" // what names the person is being looked for
	Ready     State = "ready"     // found; waits for a decision
	Running   State = "running"   // being erased
	Done      State = "done"
)

// How an erased person is shown.
const (
	erasedPrefix   = "Personne effacée n°"
	departedPrefix = "Technicien parti n°"
	erasedLogin    = "efface-"
)

// nobody tells whether a name is that of somebody erased.
func nobody(name string) bool {
	return strings.HasPrefix(name, erasedPrefix) || strings.HasPrefix(name, departedPrefix)
}

// departed is the kind of the erasures that retention begins by itself, of
// those who handled incidents and have left.
const departed = "departed"

const (
	jobSearch = "privacy.search"
	jobErase  = "privacy.erase"
)

type erasureArgs struct {
	Erasure int64 `json:"erasure"`
}

// Guess is a place where other people's words may name the person: somebody
// decides on each.
type Guess struct {
	Unit   string `json:"unit"` // "incident:12"
	Text   string `json:"text"` // as written
	Around string `json:"around"`
}

// Kind and ID are what the place is about.
func (g Guess) Kind() string { kind, _, _ := strings.Cut(g.Unit, ":"); return kind }

// ID is the number of what the place is about, as text.
func (g Guess) ID() string { _, id, _ := strings.Cut(g.Unit, ":"); return id }

// Counts says what was found, or done.
type Counts struct {
	Total int64 `json:"total,omitempty"` // rows to look at
	Seen  int64 `json:"seen,omitempty"`

	Texts    int64 `json:"texts,omitempty"`  // rows whose words name the person
	Events   int64 `json:"events,omitempty"` // events of the journal whose words do
	Sessions int64 `json:"sessions,omitempty"`
	Tokens   int64 `json:"tokens,omitempty"`
	Mails    int64 `json:"mails,omitempty"`   // messages received from them
	Raws     int64 `json:"raws,omitempty"`    // of other people, that name them
	Letters  int64 `json:"letters,omitempty"` // messages sent to them
	Files    int64 `json:"files,omitempty"`   // that they joined

	Declared int64 `json:"declared,omitempty"` // incidents: kept, pseudonymous
	Handled  int64 `json:"handled,omitempty"`
	Open     int64 `json:"open,omitempty"` // given to them and not ended
	Guesses  int64 `json:"guesses,omitempty"`
	Left     int64 `json:"left,omitempty"` // places that still name them in the end
}

// Erasure is the erasure of one person.
type Erasure struct {
	ID      int64 // the number in « Personne effacée n° »
	Left    bool  // begun by retention: who handled incidents long ago and has left
	Person  int64
	Account int64
	State   State
	Counts  Counts
	By      int64 // account
	AskedAt time.Time
	EndedAt time.Time

	// Who, Guesses and what was chosen are known until the end only.
	Who     Somebody
	Guesses []Guess
}

// Name is how the person is shown afterwards.
func (e Erasure) Name() string {
	prefix := erasedPrefix
	if e.Left {
		prefix = departedPrefix
	}
	return prefix + "\u00a0" + strconv.FormatInt(e.ID, 10)
}

// MaxGuesses bounds the places that are asked about.
const MaxGuesses = 500

// draft is what is kept of the words while an erasure goes on.
type draft struct {
	Wanted  Wanted  `json:"wanted"`
	Login   string  `json:"login"`
	Name    string  `json:"name"`
	Guesses []Guess `json:"guesses,omitempty"`
	Chosen  []Guess `json:"chosen,omitempty"`
	Files   bool    `json:"files,omitempty"`
}

func (d draft) encode() (string, error) {
	data, err := json.Marshal(d)
	return string(data), err
}

const selectErasure = `SELECT erasure_id, person_id, account_id, state, words, place, done, by_account, asked_at, ended_at, kind FROM privacy_erasure WHERE tenant_id = $1`

func scanErasure(scan func(...any) error) (Erasure, draft, place, error) {
	var e Erasure
	var d draft
	var p place
	var words, at, done, kind string
	var asked, ended int64
	if err := scan(&e.ID, &e.Person, &e.Account, &e.State, &words, &at, &done, &e.By, &asked, &ended, &kind); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = notFound()
		}
		return e, d, p, err
	}
	e.Left = kind == departed
	e.AskedAt, e.EndedAt = sqldb.Time(asked), sqldb.Time(ended)
	for _, part := range []struct {
		text string
		into any
	}{{words, &d}, {at, &p}, {done, &e.Counts}} {
		if part.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return e, d, p, fmt.Errorf("privacy: erasure %d: %w", e.ID, err)
		}
	}
	e.Who = Somebody{Wanted: d.Wanted, Account: e.Account, Person: e.Person, Login: d.Login, Name: d.Name}
	e.Guesses = d.Guesses
	return e, d, p, nil
}

func (s *Service) loadErasure(ctx context.Context, tx *sqldb.Tx, id int64) (Erasure, draft, place, error) {
	return scanErasure(tx.QueryRow(ctx, selectErasure+` AND erasure_id = $2`+tx.ForUpdate(), s.tenant, id).Scan)
}

// Erasure gives one erasure.
func (s *Service) Erasure(ctx context.Context, by auth.Identity, id int64) (Erasure, error) {
	if err := s.mayManage(by); err != nil {
		return Erasure{}, err
	}
	var e Erasure
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		e, _, _, err = scanErasure(tx.QueryRow(ctx, selectErasure+` AND erasure_id = $2`, s.tenant, id).Scan)
		return err
	})
	return e, err
}

// Erasures lists them, the latest first.
func (s *Service) Erasures(ctx context.Context, by auth.Identity) ([]Erasure, error) {
	if err := s.mayManage(by); err != nil {
		return nil, err
	}
	var list []Erasure
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, selectErasure+` ORDER BY erasure_id DESC LIMIT 200`, s.tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			e, _, _, err := scanErasure(rows.Scan)
			if err != nil {
				return err
			}
			list = append(list, e)
		}
		return rows.Err()
	})
	return list, err
}

// mayErase refuses what would shut everybody out.
func (s *Service) mayErase(ctx context.Context, tx *sqldb.Tx, by auth.Identity, p Somebody) error {
	switch {
	case p.Erased:
		return fault.New(fault.Conflict, "error.privacy.erased")
	case p.Account != 0 && p.Account == by.Account:
		return fault.New(fault.Conflict, "error.privacy.oneself")
	}
	if p.Account == 0 || p.Role != auth.Administrator {
		return nil
	}
	others, err := ids(ctx, tx, `SELECT account_id FROM account WHERE tenant_id = $1 AND role = $2 AND disabled = 0 AND account_id <> $3`, s.tenant, string(auth.Administrator), p.Account)
	if err == nil && len(others) == 0 {
		err = fault.New(fault.Conflict, "error.privacy.last_administrator")
	}
	return err
}

// Prepare begins an erasure: a job looks for everything that names the person,
// and nothing changes before Confirm.
func (s *Service) Prepare(ctx context.Context, by auth.Identity, who string) (Erasure, error) {
	if err := s.mayManage(by); err != nil {
		return Erasure{}, err
	}
	var id int64
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p, err := s.find(ctx, tx, strings.TrimSpace(who))
		if err != nil {
			return err
		}
		if err := s.mayErase(ctx, tx, by, p); err != nil {
			return err
		}
		if p.Account != 0 || p.Person != 0 {
			before, err := ids(ctx, tx, `SELECT erasure_id FROM privacy_erasure WHERE tenant_id = $1 AND person_id = $2 AND account_id = $3 AND state <> $4`, s.tenant, p.Person, p.Account, string(Done))
			if err != nil {
				return err
			}
			if len(before) > 0 {
				id = before[0]
				return nil
			}
		}
		words, err := draft{Wanted: p.Wanted, Login: p.Login, Name: p.Name}.encode()
		if err != nil {
			return err
		}
		if id, err = tx.NextIDs(ctx, s.tenant, "privacy_erasure", 1); err != nil {
			return err
		}
		row := []any{s.tenant, id, p.Person, p.Account, string(Searching), words, by.Account, sqldb.Millis(sqldb.Now())}
		if err := tx.Insert(ctx, "privacy_erasure", []string{"tenant_id", "erasure_id", "person_id", "account_id", "state", "words", "by_account", "asked_at"}, [][]any{row}, ""); err != nil {
			return err
		}
		_, err = s.Jobs.Insert(ctx, tx, jobSearch, erasureArgs{id}, jobs.Insertion{Key: strconv.FormatInt(id, 10), Priority: jobs.Urgent})
		return err
	})
	if err != nil {
		return Erasure{}, err
	}
	return s.Erasure(ctx, by, id)
}

// Decision is what is decided after the preview.
type Decision struct {
	Confirmation string // the login, address or name, typed
	Guesses      []int  // which of the guesses are the person
	Files        bool   // the contents of the files that they joined go too
}

// Confirm has a person erased: it cannot be undone.
func (s *Service) Confirm(ctx context.Context, by auth.Identity, id int64, in Decision) error {
	if err := s.mayManage(by); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		e, d, _, err := s.loadErasure(ctx, tx, id)
		if err != nil {
			return err
		}
		if e.State != Ready {
			return fault.New(fault.Conflict, "error.privacy.state")
		}
		if fold(strings.TrimSpace(in.Confirmation)).text != fold(e.Who.Confirmation()).text {
			return fault.InvalidField("confirmation", "error.privacy.confirmation", "expected", e.Who.Confirmation())
		}
		if err := s.mayErase(ctx, tx, by, e.Who); err != nil {
			return err
		}
		d.Files = in.Files
		for _, k := range in.Guesses {
			if k >= 0 && k < len(d.Guesses) && !slices.Contains(d.Chosen, d.Guesses[k]) {
				d.Chosen = append(d.Chosen, d.Guesses[k])
			}
		}
		words, err := d.encode()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE privacy_erasure SET state = $3, words = $4, by_account = $5, place = '', done = '{}' WHERE tenant_id = $1 AND erasure_id = $2`, s.tenant, id, string(Running), words, by.Account); err != nil {
			return err
		}
		_, err = s.Jobs.Insert(ctx, tx, jobErase, erasureArgs{id}, jobs.Insertion{Key: strconv.FormatInt(id, 10), Priority: jobs.Urgent})
		return err
	})
}

// Cancel gives up an erasure that was not confirmed; what was found is forgotten.
func (s *Service) Cancel(ctx context.Context, by auth.Identity, id int64) error {
	if err := s.mayManage(by); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM privacy_erasure WHERE tenant_id = $1 AND erasure_id = $2 AND state IN ($3, $4)`, s.tenant, id, string(Searching), string(Ready))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "error.privacy.state")
		}
		return err
	})
}

// search looks for everything that names the person of an erasure.
func (s *Service) search(ctx context.Context, args erasureArgs) error {
	var e Erasure
	var d draft
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		e, d, _, err = scanErasure(tx.QueryRow(ctx, selectErasure+` AND erasure_id = $2`, s.tenant, args.Erasure).Scan)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return jobs.Cancel(err) // given up meanwhile
	}
	if err != nil || e.State != Searching {
		return err
	}
	c := &e.Counts
	*c = Counts{}
	if c.Total, err = s.size(ctx); err != nil {
		return err
	}
	sure, perhaps := newWords(d.Wanted), newGuesses(d.Wanted)
	d.Guesses = nil
	seen := map[Guess]bool{}
	last, told := "", time.Time{}
	err = s.scan(ctx, func(done int64) error {
		c.Seen = done
		if now := sqldb.Now(); now.Sub(told) > time.Second {
			told = now
			return s.progress(ctx, e.ID, *c)
		}
		return nil
	}, func(of, where, text string) {
		found := sure.find(text)
		if len(found) > 0 {
			if place := where + " " + of; place != last {
				last = place
				if where == "event" {
					c.Events++
				} else {
					c.Texts++
				}
			}
		}
		if !strings.ContainsAny(text, " \n") {
			return // a code, not somebody's words
		}
		for _, m := range perhaps.find(text) {
			if slices.ContainsFunc(found, func(f span) bool { return m.from < f.to && f.from < m.to }) {
				continue
			}
			key := Guess{Unit: of, Text: text[m.from:m.to]}
			if seen[key] || of == unit("person", e.Person) {
				continue
			}
			seen[key] = true
			c.Guesses++
			if len(d.Guesses) < MaxGuesses {
				key.Around = around(text, m)
				d.Guesses = append(d.Guesses, key)
			}
		}
	})
	if err != nil {
		return err
	}
	if err := s.countOwn(ctx, e, d, c); err != nil {
		return err
	}
	if c.Raws, err = s.raws(ctx, sure, nil); err != nil {
		return err
	}
	words, err := d.encode()
	if err != nil {
		return err
	}
	done, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE privacy_erasure SET state = $3, words = $4, done = $5 WHERE tenant_id = $1 AND erasure_id = $2 AND state = $6`,
			s.tenant, e.ID, string(Ready), words, string(done), string(Searching))
		return err
	})
}

// around gives what stands about a place, to judge by.
func around(text string, m span) string {
	const reach = 60
	from, to := max(0, m.from-reach), min(len(text), m.to+reach)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	out := strings.Join(strings.Fields(text[from:to]), " ")
	if from > 0 {
		out = "… " + out
	}
	if to < len(text) {
		out += " …"
	}
	return out
}

func (s *Service) progress(ctx context.Context, id int64, c Counts) error {
	done, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE privacy_erasure SET done = $3 WHERE tenant_id = $1 AND erasure_id = $2`, s.tenant, id, string(done))
		return err
	})
}

// countOwn counts the records that are the person's own.
func (s *Service) countOwn(ctx context.Context, e Erasure, d draft, c *Counts) error {
	return s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, q := range []struct {
			into  *int64
			query string
			id    int64
		}{
			{&c.Sessions, `SELECT count(*) FROM session WHERE tenant_id = $1 AND account_id = $2 AND account_id <> 0`, e.Account},
			{&c.Tokens, `SELECT count(*) FROM api_token WHERE tenant_id = $1 AND account_id = $2`, e.Account},
			{&c.Declared, `SELECT count(*) FROM incident WHERE tenant_id = $1 AND declarant_id = $2 AND declarant_id <> 0`, e.Person},
			{&c.Handled, `SELECT count(*) FROM incident WHERE tenant_id = $1 AND assignee_id = $2 AND assignee_id <> 0`, e.Person},
			{&c.Open, `SELECT count(*) FROM incident WHERE tenant_id = $1 AND assignee_id = $2 AND assignee_id <> 0 AND state IN ('new', 'assigned', 'planned', 'waiting')`, e.Person},
		} {
			if err := tx.QueryRow(ctx, whole+q.query, s.tenant, q.id).Scan(q.into); err != nil {
				return err
			}
		}
		mails, err := s.ownMails(ctx, tx, e.Person, d.Wanted)
		if err != nil {
			return err
		}
		c.Mails = int64(len(mails))
		letters, err := s.ownLetters(ctx, tx, e.Person, d.Wanted)
		if err != nil {
			return err
		}
		c.Letters = int64(len(letters))
		files, err := s.ownFiles(ctx, tx, e)
		c.Files = int64(len(files))
		return err
	})
}
