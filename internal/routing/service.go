package routing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Subject is the journal's kind for rules: they are "saved", each with its
// whole new state, or "removed".
const Subject = "routing_rule"

const (
	saved   = ".saved"
	removed = ".removed"
)

// Limits.
const (
	MaxRules = 100
	maxName  = 100
	maxWords = 30
	maxWord  = 60 // characters
	maxList  = 1000
)

// Service is the rules of every tenant.
//
// Commands: Save, Move, Switch, Remove. Reads: Rules, Try, History. Run asks
// for the work on each incident as it is declared.
type Service struct {
	db        *sqldb.DB
	j         *journal.Journal
	places    *directory.Service
	words     *catalog.Service
	incidents *incident.Service
	jobs      *jobs.Service
	index     *sqldb.Memo[[]Rule]
}

// New gives the rules kept in a database, and registers their work.
func New(db *sqldb.DB, j *journal.Journal, places *directory.Service, words *catalog.Service, incidents *incident.Service, work *jobs.Service) *Service {
	s := &Service{db: db, j: j, places: places, words: words, incidents: incidents, jobs: work, index: sqldb.NewMemo(db, "routing.version", load)}
	jobs.Handle(work, jobRoute, jobs.Options{Concurrency: 1}, func(ctx context.Context, a routed) error {
		_, err := s.Route(ctx, a.Tenant, a.Incident)
		return err
	})
	return s
}

func load(ctx context.Context, tx *sqldb.Tx, tenant, _ int64) (*[]Rule, error) {
	all, err := rules(ctx, tx, tenant)
	return &all, err
}

func rules(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Rule, error) {
	rows, err := tx.Query(ctx, `SELECT rule FROM routing_rule WHERE tenant_id = $1 ORDER BY position, rule_id`, tenant)
	if err != nil {
		return nil, fmt.Errorf("routing: rules: %w", err)
	}
	defer rows.Close()
	var all []Rule
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		var r Rule
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return nil, fmt.Errorf("routing: rules: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// Rules lists a tenant's rules in their order; the list must not be changed.
func (s *Service) Rules(ctx context.Context, tenant int64) ([]Rule, error) {
	all, err := s.index.Get(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return *all, nil
}

// Projection rebuilds the rules from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "routing", Subjects: []string{Subject}, Tables: []string{"routing_rule"}, Apply: apply}
}

func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for k := range events {
		e := &events[k]
		var r Rule
		if err := json.Unmarshal(e.Data, &r); err != nil {
			return fmt.Errorf("routing: event %s: %w", e.Pos, err)
		}
		if e.Kind == Subject+removed {
			if _, err := tx.Exec(ctx, `DELETE FROM routing_rule WHERE tenant_id = $1 AND rule_id = $2`, e.Tenant, r.ID); err != nil {
				return err
			}
			continue
		}
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := tx.Upsert(ctx, "routing_rule", []string{"tenant_id", "rule_id"}, []string{"tenant_id", "rule_id", "position", "rule"},
			[][]any{{e.Tenant, r.ID, r.Position, string(text)}}); err != nil {
			return err
		}
	}
	return nil
}

// command runs fn for who may edit service rules; it gives the rules that
// change, and those that go.
func (s *Service) command(ctx context.Context, by auth.Identity, fn func(ctx context.Context, tx *sqldb.Tx, stored []Rule) (change, gone []Rule, err error)) error {
	if err := by.Require(auth.EditService); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.index.Touch(ctx, tx, by.Tenant); err != nil {
			return err
		}
		stored, err := rules(ctx, tx, by.Tenant)
		if err != nil {
			return err
		}
		change, gone, err := fn(ctx, tx, stored)
		if err != nil {
			return err
		}
		now := sqldb.Now()
		var events []journal.Event
		add := func(r Rule, verb string) error {
			data, err := json.Marshal(r)
			events = append(events, journal.Event{Tenant: by.Tenant, At: now, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: r.ID}, Kind: Subject + verb, Data: data})
			return err
		}
		for _, r := range change {
			if err := add(r, saved); err != nil {
				return err
			}
		}
		for _, r := range gone {
			if err := add(r, removed); err != nil {
				return err
			}
		}
		if err := apply(ctx, tx, events); err != nil {
			return err
		}
		return s.j.Append(ctx, tx, events...)
	})
}

// Save creates a rule (ID 0), off and last, or changes the one of that ID; its
// order and whether it is on stay as they are.
func (s *Service) Save(ctx context.Context, by auth.Identity, in Rule) (Rule, error) {
	in.Name = strings.Join(strings.Fields(in.Name), " ")
	var words []string
	for _, w := range in.Words {
		if w = strings.Join(strings.Fields(w), " "); fold(w) != "" {
			words = append(words, w)
		}
	}
	in.Words = words
	if err := s.check(ctx, by, &in); err != nil {
		return Rule{}, err
	}
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx, stored []Rule) ([]Rule, []Rule, error) {
		k := slices.IndexFunc(stored, func(r Rule) bool { return r.ID == in.ID })
		switch {
		case in.ID == 0 && len(stored) >= MaxRules:
			return nil, nil, fault.InvalidField("name", "error.routing.too_many", "max", MaxRules)
		case in.ID == 0:
			var err error
			if in.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
				return nil, nil, err
			}
			in.On, in.Position = false, 1
			for _, r := range stored {
				in.Position = max(in.Position, r.Position+1)
			}
		case k < 0:
			return nil, nil, fault.New(fault.NotFound, "error.not_found")
		default:
			in.On, in.Position = stored[k].On, stored[k].Position
		}
		return []Rule{in}, nil, nil
	})
	return in, err
}

func (s *Service) check(ctx context.Context, by auth.Identity, in *Rule) error {
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	var fields fault.Fields
	if in.Name == "" {
		fields.Add("name", "error.field.required")
	}
	if utf8.RuneCountInString(in.Name) > maxName {
		fields.Add("name", "error.field.too_long", "max", maxName)
	}
	unknown := func(field string, n int, known func(k int) bool) {
		for k := range n {
			if n > maxList || !known(k) {
				fields.Add(field, "error.field.unknown")
				return
			}
		}
	}
	unknown("schools", len(in.Schools), func(k int) bool { _, ok := places.School(in.Schools[k]); return ok })
	unknown("categories", len(in.Categories), func(k int) bool { _, ok := words.Category(in.Categories[k]); return ok })
	unknown("priorities", len(in.Priorities), func(k int) bool { return in.Priorities[k] >= 1 && in.Priorities[k] <= 5 })
	unknown("origins", len(in.Origins), func(k int) bool { return slices.Contains(incident.Origins, in.Origins[k]) })
	if in.Network != "" && !slices.Contains(directory.Networks, in.Network) {
		fields.Add("network", "error.field.unknown")
	}
	if len(in.Words) > maxWords {
		fields.Add("words", "error.field.too_many", "max", maxWords)
	}
	for _, w := range in.Words {
		if utf8.RuneCountInString(w) > maxWord {
			fields.Add("words", "error.field.too_long", "max", maxWord)
			break
		}
	}
	if team, ok := places.Team(in.Team); in.Team != 0 && (!ok || team.Archived) {
		fields.Add("team", "error.field.unknown")
	}
	if p, ok := places.Person(in.Person); in.Person != 0 && (!ok || p.Kind != directory.Staff) {
		fields.Add("person", "error.field.unknown")
	}
	switch {
	case in.Team == 0 && in.Person == 0:
		fields.Add("team", "error.routing.nobody")
	case in.Least && in.Team == 0:
		fields.Add("team", "error.field.required")
	}
	in.Least = in.Least && in.Person == 0
	return fields.Err()
}

// Switch turns a rule on or off.
func (s *Service) Switch(ctx context.Context, by auth.Identity, id int64, on bool) (Rule, error) {
	var out Rule
	err := s.command(ctx, by, func(_ context.Context, _ *sqldb.Tx, stored []Rule) ([]Rule, []Rule, error) {
		k := slices.IndexFunc(stored, func(r Rule) bool { return r.ID == id })
		if k < 0 {
			return nil, nil, fault.New(fault.NotFound, "error.not_found")
		}
		out = stored[k]
		if out.On == on {
			return nil, nil, nil
		}
		out.On = on
		return []Rule{out}, nil, nil
	})
	return out, err
}

// Move moves a rule by some steps in the order, and tells whether it moved.
func (s *Service) Move(ctx context.Context, by auth.Identity, id int64, steps int) (bool, error) {
	moved := false
	err := s.command(ctx, by, func(_ context.Context, _ *sqldb.Tx, stored []Rule) ([]Rule, []Rule, error) {
		from := slices.IndexFunc(stored, func(r Rule) bool { return r.ID == id })
		if from < 0 {
			return nil, nil, fault.New(fault.NotFound, "error.not_found")
		}
		to := min(max(from+steps, 0), len(stored)-1)
		if moved = to != from; !moved {
			return nil, nil, nil
		}
		r := stored[from]
		stored = slices.Insert(slices.Delete(stored, from, from+1), to, r)
		var change []Rule
		for k := range stored {
			if stored[k].Position != k+1 {
				stored[k].Position = k + 1
				change = append(change, stored[k])
			}
		}
		return change, nil, nil
	})
	return moved, err
}

// Remove takes a rule away; the journal keeps what it said.
func (s *Service) Remove(ctx context.Context, by auth.Identity, id int64) (Rule, error) {
	var out Rule
	err := s.command(ctx, by, func(_ context.Context, _ *sqldb.Tx, stored []Rule) ([]Rule, []Rule, error) {
		k := slices.IndexFunc(stored, func(r Rule) bool { return r.ID == id })
		if k < 0 {
			return nil, nil, fault.New(fault.NotFound, "error.not_found")
		}
		out = stored[k]
		return nil, []Rule{out}, nil
	})
	return out, err
}

// Entry is one change of a rule.
type Entry struct {
	At      time.Time
	Actor   journal.Actor
	Rule    Rule // as the change left it
	Removed bool
}

// History tells what was done to a rule, the newest first.
func (s *Service) History(ctx context.Context, by auth.Identity, id int64) ([]Entry, error) {
	if err := by.Require(auth.EditService); err != nil {
		return nil, err
	}
	var events []journal.Event
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		events, err = journal.Of(ctx, tx, by.Tenant, journal.Subject{Kind: Subject, ID: id})
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []Entry
	for k := range slices.Backward(events) {
		e := Entry{At: events[k].At, Actor: events[k].Actor, Removed: events[k].Kind == Subject+removed}
		if err := json.Unmarshal(events[k].Data, &e.Rule); err != nil {
			return nil, fmt.Errorf("routing: event %s: %w", events[k].Pos, err)
		}
		all = append(all, e)
	}
	return all, nil
}
