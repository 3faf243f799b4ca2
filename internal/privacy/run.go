package privacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// place is how far an erasure has come. It is written in the transaction of
// the work that leads there: after a kill the next attempt goes on from it.
type place struct {
	Step  step     `json:"step"`
	Table string   `json:"table,omitempty"`
	Key   []string `json:"key,omitempty"`
	Pos   string   `json:"pos,omitempty"`
	Round int      `json:"round,omitempty"`
}

type step int

const (
	stepOwn    step = iota // account, card, messages
	stepTables             // every text of every table
	stepEvents             // every event
	stepRaws               // messages of others, as they came
	stepFiles              // what the person joined
	stepCheck              // nothing may be left; else once more
	stepEnd
)

// rounds bounds how often the whole is gone through: what somebody writes
// while an erasure goes on is found by the next round.
const rounds = 3

// erasing is one erasure at work.
type erasing struct {
	*Service
	Erasure

	draft draft
	at    place
	words *words
}

// rewrite takes the person's names out of a text that belongs to a unit.
func (e *erasing) rewrite(of, text string) string {
	out, _ := e.words.replace(text, func(m span) string {
		switch m.what {
		case anEmail:
			return "[adresse effacée]"
		case aPhone:
			return "[téléphone effacé]"
		default:
			return e.Name()
		}
	})
	for _, g := range e.draft.Chosen {
		if g.Unit == of {
			out = replaceWord(out, g.Text, e.Name())
		}
	}
	return out
}

// replaceWord replaces a text as written where it is not a part of a word.
func replaceWord(s, old, with string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, old)
		if i < 0 || old == "" {
			b.WriteString(s)
			return b.String()
		}
		end := i + len(old)
		if bounded(s, i, end, aName) {
			b.WriteString(s[:i] + with)
		} else {
			b.WriteString(s[:end])
		}
		s = s[end:]
	}
}

// erase does an erasure from where it stands.
func (s *Service) erase(ctx context.Context, args erasureArgs) error {
	e := &erasing{Service: s}
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		e.Erasure, e.draft, e.at, err = scanErasure(tx.QueryRow(ctx, selectErasure+` AND erasure_id = $2`, s.tenant, args.Erasure).Scan)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return jobs.Cancel(err)
	}
	if err != nil || e.State != Running {
		return err
	}
	e.words = newWords(e.draft.Wanted)
	if e.Counts.Total == 0 {
		if e.Counts.Total, err = s.size(ctx); err != nil {
			return err
		}
	}
	for e.at.Step != stepEnd {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.next(ctx); err != nil {
			return fmt.Errorf("privacy: erasure %d, step %d: %w", e.ID, e.at.Step, err)
		}
	}
	return e.end(ctx)
}

// do runs a piece of work and writes how far it leads, together.
func (e *erasing) do(ctx context.Context, fn func(ctx context.Context, tx *sqldb.Tx, to *place, c *Counts) error) error {
	var to place
	var c Counts
	err := e.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		to, c = e.at, e.Counts
		if err := fn(ctx, tx, &to, &c); err != nil {
			return err
		}
		at, err := json.Marshal(to)
		if err != nil {
			return err
		}
		done, err := json.Marshal(c)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE privacy_erasure SET place = $3, done = $4 WHERE tenant_id = $1 AND erasure_id = $2 AND state = $5`, e.tenant, e.ID, string(at), string(done), string(Running))
		if err == nil && n == 0 {
			err = jobs.Cancel(errors.New("the erasure is no longer at work"))
		}
		return err
	})
	if err == nil {
		e.at, e.Counts = to, c
	}
	return err
}

func (e *erasing) next(ctx context.Context) error {
	switch e.at.Step {
	case stepOwn:
		return e.do(ctx, func(ctx context.Context, tx *sqldb.Tx, to *place, c *Counts) error {
			to.Step = stepTables
			return e.eraseOwn(ctx, tx, e.Erasure, e.draft)
		})
	case stepTables:
		return e.tables(ctx)
	case stepEvents:
		return e.events(ctx)
	case stepRaws:
		n, err := e.raws(ctx, e.words, e.dropRaw)
		if err != nil {
			return err
		}
		return e.do(ctx, func(_ context.Context, _ *sqldb.Tx, to *place, c *Counts) error {
			to.Step = stepFiles
			c.Raws += n
			return nil
		})
	case stepFiles:
		return e.files(ctx)
	default:
		return e.check(ctx)
	}
}

// tables goes through a page of a table.
func (e *erasing) tables(ctx context.Context) error {
	x, err := e.Places.Index(ctx, e.tenant)
	if err != nil {
		return err
	}
	return e.do(ctx, func(ctx context.Context, tx *sqldb.Tx, to *place, c *Counts) error {
		all, err := walked(ctx, tx)
		if err != nil {
			return err
		}
		k := slices.IndexFunc(all, func(t sqldb.Table) bool { return t.Name >= to.Table })
		if k < 0 {
			*to = place{Step: stepEvents, Round: to.Round}
			return nil
		}
		t := all[k]
		if t.Name != to.Table {
			to.Table, to.Key = t.Name, nil
		}
		list, err := e.rowsAfter(ctx, tx, t, to.Key)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			to.Table, to.Key = t.Name+" ", nil // the table after it
			return nil
		}
		var again []int64
		for _, r := range list {
			changed, err := e.row(ctx, tx, t, r)
			if err != nil {
				return err
			}
			if !changed {
				continue
			}
			c.Texts++
			if id, err := strconv.ParseInt(strings.Join(r.key, ""), 10, 64); err == nil && t.Name == incident.Subject {
				again = append(again, id)
			}
		}
		if len(again) > 0 {
			if err := e.Search.Again(ctx, tx, e.tenant, x, again); err != nil {
				return err
			}
		}
		if t.Name == "person" || t.Name == "school" || t.Name == "room" || t.Name == "team" || t.Name == "tenant" {
			if err := sqldb.TouchAll(ctx, tx, e.tenant); err != nil {
				return err
			}
		}
		c.Seen += int64(len(list))
		to.Key = list[len(list)-1].key
		return nil
	})
}

// row takes the names out of a row; one whose key names the person goes whole.
func (e *erasing) row(ctx context.Context, tx *sqldb.Tx, t sqldb.Table, r row) (bool, error) {
	for k, part := range r.key {
		if columnOf(t, t.Key[k+1]).Type == sqldb.Text && len(e.words.find(part)) > 0 {
			return true, e.change(ctx, tx, t, r, nil)
		}
	}
	of := r.unit(t)
	to := map[string]string{}
	for name, text := range r.text {
		if out := mapText(text, func(s string) string { return e.rewrite(of, s) }); out != text {
			to[name] = out
		}
	}
	if len(to) == 0 {
		return false, nil
	}
	return true, e.change(ctx, tx, t, r, to)
}

// events goes through a page of the journal.
func (e *erasing) events(ctx context.Context) error {
	x, err := e.Places.Index(ctx, e.tenant)
	if err != nil {
		return err
	}
	return e.do(ctx, func(ctx context.Context, tx *sqldb.Tx, to *place, c *Counts) error {
		var after journal.Pos
		if to.Pos != "" {
			var err error
			if after, err = journal.ParsePos(to.Pos); err != nil {
				return err
			}
		}
		events, err := e.eventsAfter(ctx, tx, after)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			to.Step, to.Pos = stepRaws, ""
			return nil
		}
		var changes []journal.Redaction
		var again []int64
		for k := range events {
			ev := &events[k]
			of := unit(ev.Subject.Kind, ev.Subject.ID)
			data := mapStrings(ev.Data, func(s string) string { return e.rewrite(of, s) })
			if string(data) == string(ev.Data) {
				continue
			}
			changes = append(changes, journal.Redaction{Pos: ev.Pos, Actor: ev.Actor, Data: data})
			if ev.Subject.Kind == incident.Subject && !slices.Contains(again, ev.Subject.ID) {
				again = append(again, ev.Subject.ID)
			}
		}
		if err := e.Journal.Redact(ctx, tx, e.tenant, journal.Actor{Kind: journal.BySystem}, "erasure", changes); err != nil {
			return err
		}
		if len(again) > 0 {
			if err := e.Search.Again(ctx, tx, e.tenant, x, again); err != nil {
				return err
			}
		}
		c.Events += int64(len(changes))
		c.Seen += int64(len(events))
		to.Pos = events[len(events)-1].Pos.String()
		return nil
	})
}

func (e *erasing) dropRaw(ctx context.Context, id int64) error {
	return e.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM mail_raw WHERE tenant_id = $1 AND message_id = $2`, e.tenant, id)
		return err
	})
}

// files drops the contents that the person joined, if that was chosen.
func (e *erasing) files(ctx context.Context) error {
	var n int
	if e.draft.Files {
		var list []int64
		err := e.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			list, err = e.ownFiles(ctx, tx, e.Erasure)
			return err
		})
		if err != nil {
			return err
		}
		for part := range slices.Chunk(list, 200) {
			m, err := e.Files.Purge(ctx, auth.System(e.tenant), sqldb.Time(1), part...)
			n += m
			if err != nil {
				return err
			}
		}
	}
	return e.do(ctx, func(_ context.Context, _ *sqldb.Tx, to *place, c *Counts) error {
		to.Step = stepCheck
		c.Files += int64(n)
		return nil
	})
}

// check looks whether anything still names the person: what was written
// meanwhile is erased by another round.
func (e *erasing) check(ctx context.Context) error {
	var left int64
	err := e.scan(ctx, func(int64) error { return ctx.Err() }, func(_, _, text string) { left += int64(len(e.words.find(text))) })
	if err != nil {
		return err
	}
	return e.do(ctx, func(_ context.Context, _ *sqldb.Tx, to *place, c *Counts) error {
		c.Left = left
		*to = place{Step: stepEnd, Round: to.Round + 1}
		if left > 0 && to.Round < rounds {
			to.Step = stepTables
		}
		return nil
	})
}

// end forgets what was looked for, says in the journal that it was done, and
// has the engine let go of what is gone.
func (e *erasing) end(ctx context.Context) error {
	if err := e.Search.Compact(ctx, e.tenant); err != nil {
		return err
	}
	data, err := json.Marshal(map[string]int64{"account": e.Account, "person": e.Person})
	if err != nil {
		return err
	}
	actor := journal.Actor{Kind: journal.ByAccount, ID: e.By}
	if e.By == 0 {
		actor = journal.Actor{Kind: journal.BySystem}
	}
	err = e.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := sqldb.Now()
		n, err := tx.Exec(ctx, `UPDATE privacy_erasure SET state = $3, words = '', place = '', ended_at = $4 WHERE tenant_id = $1 AND erasure_id = $2 AND state = $5`,
			e.tenant, e.ID, string(Done), sqldb.Millis(now), string(Running))
		if err != nil || n == 0 {
			return err
		}
		if err := sqldb.TouchAll(ctx, tx, e.tenant); err != nil {
			return err
		}
		if err := e.Journal.Append(ctx, tx, journal.Event{Tenant: e.tenant, At: now, Actor: actor, Subject: journal.Subject{Kind: Subject, ID: e.ID}, Kind: EventErased, Data: data}); err != nil {
			return err
		}
		return e.Journal.Forgotten(ctx, tx, e.tenant)
	})
	if err != nil {
		return err
	}
	return e.scrub(ctx)
}

// scrub has the engine let go of what is gone.
func (s *Service) scrub(ctx context.Context) error {
	var tables []sqldb.Table
	if err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		tables, err = walked(ctx, tx)
		return err
	}); err != nil {
		return err
	}
	list := append(names(tables), "event", "session", "mail_raw", "attachment_chunk", "privacy_erasure", "search_index")
	if err := s.DB.Scrub(ctx, list...); err != nil && !errors.Is(err, sqldb.ErrBusy) {
		return err
	} else if err != nil {
		s.log.Warn("the log of the database still holds pages from before an erasure; it is overwritten by what is written next")
	}
	return nil
}
