package privacy

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// actor is somebody whom an incident shows: a person of the directory, or an
// account without one.
type actor struct{ person, account int64 }

func (a actor) key() string {
	if a.person != 0 {
		return "person:" + strconv.FormatInt(a.person, 10)
	}
	return "account:" + strconv.FormatInt(a.account, 10)
}

// part is whom an actor is shown as, and what names them.
type part struct {
	pseudonym int64 // person
	name      string
	words     *words
}

type login struct {
	person int64
	role   auth.Role
	gone   bool
}

// cast gives everybody who is taken out of old incidents a pseudonym: the same
// for one person for ever, of the same kind, so that every count holds.
type cast struct {
	*Service

	secret []byte
	logins map[int64]login
	places *directory.Index
	parts  map[actor]part
}

const pseudonymSecret = "privacy.pseudonym"

// read looks up what a run needs.
func (c *cast) read(ctx context.Context) (err error) {
	c.parts = map[actor]part{}
	if c.secret, err = c.key(ctx); err != nil {
		return fmt.Errorf("privacy: key of pseudonyms: %w", err)
	}
	if c.places, err = c.Places.Index(ctx, c.tenant); err != nil {
		return err
	}
	c.logins = map[int64]login{}
	return c.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT account_id, person_id, role, login FROM account WHERE tenant_id = $1`, c.tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var l login
			var name string
			if err := rows.Scan(&id, &l.person, &l.role, &name); err != nil {
				return err
			}
			l.gone = strings.HasPrefix(name, erasedLogin)
			c.logins[id] = l
		}
		return rows.Err()
	})
}

// key is the secret that pseudonyms are made with, made once.
func (s *Service) key(ctx context.Context) ([]byte, error) {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	name := auth.SecretName(s.tenant, pseudonymSecret)
	fresh, err := s.DB.Vault().Seal(name, base64.StdEncoding.EncodeToString(random))
	if err != nil {
		return nil, err
	}
	var text string
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		read := func() error {
			return tx.QueryRow(ctx, `SELECT value FROM secret WHERE tenant_id = $1 AND name = $2`, s.tenant, pseudonymSecret).Scan(&text)
		}
		if err := read(); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		row := []any{s.tenant, pseudonymSecret, fresh, sqldb.Millis(sqldb.Now())}
		if err := tx.Insert(ctx, "secret", []string{"tenant_id", "name", "value", "created_at"}, [][]any{row}, "ON CONFLICT (tenant_id, name) DO NOTHING"); err != nil {
			return err
		}
		return read()
	})
	if err != nil {
		return nil, err
	}
	if text, err = s.DB.Vault().Open(name, text); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// pseudonymPrefix begins the name of who is nobody.
const pseudonymPrefix = "Déclarant"

// pseudonym is the directory's card of who stands for an actor.
func (c *cast) pseudonym(a actor) directory.Person {
	mac := hmac.New(sha256.New, c.secret)
	mac.Write([]byte(a.key()))
	code := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:20])
	p := directory.Person{Name: pseudonymPrefix + "\u00a0" + code[:4] + "-" + code[4:8], Kind: directory.OtherPerson, External: directory.PseudonymKey + code}
	if known, ok := c.places.Person(a.person); ok {
		p.Kind = known.Kind
	}
	return p
}

// shown is who stands behind the actor of an event.
func (c *cast) shown(by journal.Actor) actor {
	switch by.Kind {
	case journal.ByPerson:
		return actor{person: by.ID}
	case journal.ByAccount:
		if l, ok := c.logins[by.ID]; ok && l.person != 0 {
			return actor{person: l.person}
		}
		return actor{account: by.ID}
	}
	return actor{}
}

// leaves tells whether somebody is taken out of an incident. Who handles it
// stays: their work is theirs, and figures by handler are counted by it.
func (c *cast) leaves(a actor, handlers []int64) bool {
	if a.person != 0 {
		p, ok := c.places.Person(a.person)
		return ok && p.Kind != directory.Staff && !p.Pseudonym() && !nobody(p.Name) && !slices.Contains(handlers, a.person)
	}
	l, ok := c.logins[a.account]
	return ok && !l.gone && !slices.Contains(l.role.Rights(), auth.HandleIncident)
}

// story is what an incident's journal says of people.
type story struct {
	events   []journal.Event
	payloads []incident.Payload
	aside    map[string][]int64 // numbers of what belongs to it, by table
	others   []journal.Event    // of those
	leaving  []actor
}

// stories reads what some incidents say of people.
func (c *cast) stories(ctx context.Context, tx *sqldb.Tx, due []int64) (map[int64]*story, error) {
	all := map[int64]*story{}
	for _, id := range due {
		all[id] = &story{aside: map[string][]int64{}}
	}
	events, err := journal.OfMany(ctx, tx, c.tenant, incident.Subject, due)
	if err != nil {
		return nil, err
	}
	for k := range events {
		st := all[events[k].Subject.ID]
		var p incident.Payload
		if err := json.Unmarshal(events[k].Data, &p); err != nil {
			return nil, fmt.Errorf("privacy: event %s: %w", events[k].Pos, err)
		}
		st.events, st.payloads = append(st.events, events[k]), append(st.payloads, p)
	}
	for id, st := range all {
		for _, b := range beside {
			found, err := ids(ctx, tx, b.numbers, c.tenant, id)
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				continue
			}
			st.aside[b.table] = found
			others, err := journal.OfMany(ctx, tx, c.tenant, b.table, found)
			if err != nil {
				return nil, err
			}
			st.others = append(st.others, others...)
		}
		c.who(st)
	}
	return all, nil
}

// who finds the people who leave a story.
func (c *cast) who(st *story) {
	var handlers []int64
	seen := map[actor]bool{}
	person := func(id *int64) {
		if id != nil && *id != 0 {
			seen[actor{person: *id}] = true
		}
	}
	for k := range st.payloads {
		for _, p := range []*incident.Patch{&st.payloads[k].Set, &st.payloads[k].Was} {
			if p.Assignee != nil {
				handlers = append(handlers, *p.Assignee)
			}
			person(p.Declarant)
			if p.Affected != nil {
				for _, id := range p.Affected.People() {
					person(&id)
				}
			}
		}
		for _, id := range st.payloads[k].Mentions {
			person(&id)
		}
		seen[c.shown(st.events[k].Actor)] = true
	}
	for k := range st.others {
		seen[c.shown(st.others[k].Actor)] = true
	}
	for a := range seen {
		if a != (actor{}) && c.leaves(a, handlers) {
			st.leaving = append(st.leaving, a)
		}
	}
	slices.SortFunc(st.leaving, func(a, b actor) int {
		return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(a.account, b.account))
	})
}

// engage makes the pseudonyms that some incidents will need.
func (c *cast) engage(ctx context.Context, due []int64) error {
	var fresh []actor
	found := map[actor]Somebody{}
	err := c.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		fresh, found = nil, map[actor]Somebody{}
		all, err := c.stories(ctx, tx, due)
		if err != nil {
			return err
		}
		for _, st := range all {
			for _, a := range st.leaving {
				if _, known := c.parts[a]; known || found[a].Person != 0 || found[a].Account != 0 {
					continue
				}
				p := Somebody{Person: a.person, Account: a.account}
				if err := c.name(ctx, tx, &p); err != nil && !fault.Is(err, fault.NotFound) {
					return err
				}
				found[a] = p
				fresh = append(fresh, a)
			}
		}
		return nil
	})
	if err != nil || len(fresh) == 0 {
		return err
	}
	cards := make([]directory.Person, len(fresh))
	for k, a := range fresh {
		cards[k] = c.pseudonym(a)
	}
	numbers, err := c.Places.EnsurePeople(ctx, auth.System(c.tenant), cards)
	if err != nil {
		return fmt.Errorf("privacy: pseudonyms: %w", err)
	}
	for k, a := range fresh {
		c.parts[a] = part{pseudonym: numbers[cards[k].External], name: cards[k].Name, words: newNear(found[a].Wanted)}
	}
	return nil
}

// play replaces the people who leave some incidents, in their events and in
// what belongs to them.
func (c *cast) play(ctx context.Context, tx *sqldb.Tx, due []int64) error {
	tables, err := walked(ctx, tx)
	if err != nil {
		return err
	}
	all, err := c.stories(ctx, tx, due)
	if err != nil {
		return err
	}
	for _, id := range due {
		st := all[id]
		for _, a := range st.leaving {
			if _, ok := c.parts[a]; !ok {
				return fmt.Errorf("privacy: incident %d changed meanwhile", id)
			}
		}
		if len(st.leaving) == 0 {
			continue
		}
		if err := c.events(ctx, tx, st); err != nil {
			return err
		}
		for _, t := range tables {
			if err := c.besides(ctx, tx, t, st); err != nil {
				return err
			}
		}
		if err := c.rest(ctx, tx, id, st); err != nil {
			return err
		}
	}
	return nil
}

// events redacts what the journal says.
func (c *cast) events(ctx context.Context, tx *sqldb.Tx, st *story) error {
	var changes []journal.Redaction
	add := func(e *journal.Event, data []byte) {
		by := e.Actor
		if p, ok := c.parts[c.shown(by)]; ok && slices.Contains(st.leaving, c.shown(by)) {
			by = journal.Actor{Kind: journal.ByPerson, ID: p.pseudonym}
		}
		data = mapStrings(data, func(text string) string { return c.rewrite(st, text) })
		if by != e.Actor || string(data) != string(e.Data) {
			changes = append(changes, journal.Redaction{Pos: e.Pos, Actor: by, Data: data})
		}
	}
	for k := range st.events {
		data := []byte(st.events[k].Data)
		if c.swap(st, &st.payloads[k]) {
			var err error
			if data, err = json.Marshal(st.payloads[k]); err != nil {
				return err
			}
		}
		add(&st.events[k], data)
	}
	for k := range st.others {
		add(&st.others[k], st.others[k].Data)
	}
	return c.redact(ctx, tx, string(People), changes)
}

// stands gives who stands for a person in a story, themselves if they stay.
func (c *cast) stands(st *story, person int64) int64 {
	if a := (actor{person: person}); slices.Contains(st.leaving, a) {
		return c.parts[a].pseudonym
	}
	return person
}

// swap replaces the people of a payload; it tells whether there were any.
func (c *cast) swap(st *story, p *incident.Payload) bool {
	changed := false
	for _, set := range []*incident.Patch{&p.Set, &p.Was} {
		if set.Declarant != nil {
			to := c.stands(st, *set.Declarant)
			changed = changed || to != *set.Declarant
			set.Declarant = &to
		}
		if set.Affected != nil {
			members := set.Affected.Members()
			for k := range members {
				members[k].Person = c.stands(st, members[k].Person)
			}
			if to := incident.CircleOf(members...); to != *set.Affected {
				set.Affected, changed = &to, true
			}
		}
	}
	for k, person := range p.Mentions {
		to := c.stands(st, person)
		changed = changed || to != person
		p.Mentions[k] = to
	}
	return changed
}

// rewrite takes the names of those who leave out of a text.
func (c *cast) rewrite(st *story, text string) string {
	for _, a := range st.leaving {
		p := c.parts[a]
		text, _ = p.words.replace(text, func(m span) string {
			switch {
			case m.what == anEmail:
				return "[adresse effacée]"
			case m.what == aPhone:
				return "[téléphone effacé]"
			case m.what == aSurname && !nearly(text[m.from:m.to]):
				return text[m.from:m.to]
			}
			return p.name
		})
	}
	return text
}

// besides takes the names out of the rows that belong to an incident.
func (c *cast) besides(ctx context.Context, tx *sqldb.Tx, t sqldb.Table, st *story) error {
	numbers := st.aside[t.Name]
	for _, n := range numbers {
		list, err := c.rowsUpTo(ctx, tx, t, []string{strconv.FormatInt(n-1, 10)}, 1)
		if err != nil {
			return err
		}
		if len(list) == 0 || list[0].key[0] != strconv.FormatInt(n, 10) {
			continue
		}
		to := map[string]string{}
		for name, text := range list[0].text {
			if out := mapText(text, func(s string) string { return c.rewrite(st, s) }); out != text {
				to[name] = out
			}
		}
		if len(to) > 0 {
			if err := c.change(ctx, tx, t, list[0], to); err != nil {
				return err
			}
		}
	}
	return nil
}

// rest takes the people who leave out of the rows that no event makes.
func (c *cast) rest(ctx context.Context, tx *sqldb.Tx, id int64, st *story) error {
	for _, a := range st.leaving {
		to := c.parts[a].pseudonym
		accounts := []int64{a.account}
		if a.person != 0 {
			accounts = nil
			for account, l := range c.logins {
				if l.person == a.person {
					accounts = append(accounts, account)
				}
			}
			for _, query := range []string{
				`UPDATE notify_message SET person_id = $3 WHERE tenant_id = $1 AND incident_id = $2 AND person_id = $4`,
				`UPDATE notify_answer SET person_id = $3 WHERE tenant_id = $1 AND incident_id = $2 AND person_id = $4`,
				`UPDATE attachment SET put_by_id = $3 WHERE tenant_id = $1 AND incident_id = $2 AND put_by_kind = 'person' AND put_by_id = $4`,
				`UPDATE attachment SET removed_id = $3 WHERE tenant_id = $1 AND incident_id = $2 AND removed_kind = 'person' AND removed_id = $4`,
			} {
				if _, err := tx.Exec(ctx, query, c.tenant, id, to, a.person); err != nil {
					return fmt.Errorf("privacy: incident %d: %w", id, err)
				}
			}
		}
		slices.Sort(accounts)
		for _, account := range accounts {
			for _, query := range []string{
				`UPDATE attachment SET put_by_kind = 'person', put_by_id = $3 WHERE tenant_id = $1 AND incident_id = $2 AND put_by_kind = 'account' AND put_by_id = $4`,
				`UPDATE attachment SET removed_kind = 'person', removed_id = $3 WHERE tenant_id = $1 AND incident_id = $2 AND removed_kind = 'account' AND removed_id = $4`,
			} {
				if _, err := tx.Exec(ctx, query, c.tenant, id, to, account); err != nil {
					return fmt.Errorf("privacy: incident %d: %w", id, err)
				}
			}
			for _, table := range []string{"incident_read", "incident_presence"} {
				if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE tenant_id = $1 AND incident_id = $2 AND account_id = $3`, c.tenant, id, account); err != nil {
					return fmt.Errorf("privacy: incident %d: %w", id, err)
				}
			}
		}
	}
	return c.mailless(ctx, tx, id)
}
