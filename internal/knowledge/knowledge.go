// Package knowledge is the unit's knowledge base: short articles for
// declarants and for technicians, proposed where they may help, and counted
// when they did.
package knowledge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Subject is the journal's subject kind for articles.
const Subject = "article"

// Kinds of event. All carry an Article as it then stands, but EventUsed and
// EventUnused, which carry a Mark.
const (
	EventWritten   = Subject + ".written" // new
	EventEdited    = Subject + ".edited"
	EventPublished = Subject + ".published"
	EventWithdrawn = Subject + ".withdrawn" // a draft again
	EventRetired   = Subject + ".retired"
	EventUsed      = Subject + ".used"
	EventUnused    = Subject + ".unused" // a mark taken back
)

// Audience is who an article is for.
type Audience string

// The audiences.
const (
	Everyone    Audience = "everyone"    // declarants, and all others
	Technicians Audience = "technicians" // those who handle incidents
)

// Audiences lists every audience.
var Audiences = []Audience{Everyone, Technicians}

// State is where an article stands. Only published ones are read by others
// than those who write them.
type State string

// The states.
const (
	Draft     State = "draft"
	Published State = "published"
	Retired   State = "retired"
)

// States lists every state, in the order of life.
var States = []State{Draft, Published, Retired}

// Limits on what is typed, in characters, and on how many articles a tenant
// has: they are kept in memory.
const (
	MaxTitle     = 150
	MaxBody      = 20_000
	MaxEquipment = 80
	MaxArticles  = 3_000
)

// Article is a piece of advice, in French with its English if there is one.
// Bodies are Markdown (see Render).
type Article struct {
	ID        int64        `json:"id"`
	Version   int64        `json:"version"`
	Audience  Audience     `json:"audience"`
	State     State        `json:"state"`
	Title     string       `json:"title"`
	TitleEN   string       `json:"title_en,omitempty"`
	Body      string       `json:"body"`
	BodyEN    string       `json:"body_en,omitempty"`
	Category  int64        `json:"category,omitempty"`
	Equipment string       `json:"equipment,omitempty"` // kind or model it is about, in words
	Incident  int64        `json:"incident,omitempty"`  // whose resolution it was made from
	Starter   string       `json:"starter,omitempty"`   // key of the starting article it is
	Review    calendar.Day `json:"review,omitempty"`    // when it should be read again; 0 never
	Created   time.Time    `json:"created"`
	Updated   time.Time    `json:"updated"`
	Published time.Time    `json:"published,omitzero"`

	// Uses is what it was good for, counted; no event carries it.
	Uses Uses `json:"-"`
}

// Uses counts what an article was good for.
type Uses struct {
	Helped    int // people who said so
	NotHelped int
	Avoided   int // declarations that were not needed
	Applied   int // incidents that it solved
}

// In gives title and body in a language: the French where there is no other.
func (a *Article) In(language string) (title, body string) {
	title, body = a.Title, a.Body
	if language == "en" {
		if a.TitleEN != "" {
			title = a.TitleEN
		}
		if a.BodyEN != "" {
			body = a.BodyEN
		}
	}
	return title, body
}

// visible tells whether someone may read an article.
func (a *Article) visible(by auth.Identity) bool {
	switch {
	case by.Can(auth.EditKnowledge):
		return true
	case a.State != Published:
		return false
	case a.Audience == Technicians:
		return by.Can(auth.HandleIncident)
	}
	return by.Can(auth.DeclareIncident)
}

// Service is the articles of every tenant.
//
// Commands: Save, Turn, Mark, AddStarters. Reads: Get, List, Propose, Versions.
type Service struct {
	db    *sqldb.DB
	j     *journal.Journal
	words *catalog.Service
	shelf *sqldb.Memo[shelf]
}

// New gives the knowledge base kept in a database.
func New(db *sqldb.DB, j *journal.Journal, words *catalog.Service) *Service {
	return &Service{db: db, j: j, words: words, shelf: sqldb.NewMemo(db, "knowledge.version", load)}
}

func notFound() error { return fault.New(fault.NotFound, "error.knowledge.not_found") }

// Save writes a new article (ID 0), as a draft unless its State is Published,
// or changes the one of that ID, made on its Version (else Conflict); the
// state of one that exists is changed by Turn.
func (s *Service) Save(ctx context.Context, by auth.Identity, in Article) (Article, error) {
	if err := by.Require(auth.EditKnowledge); err != nil {
		return Article{}, err
	}
	in.tidy()
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return Article{}, err
	}
	if err := in.check(words); err != nil {
		return Article{}, err
	}
	now := sqldb.Now()
	var out Article
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error) {
		out = in
		kind := EventEdited
		if in.ID == 0 {
			kind = EventWritten
			if err := room(ctx, tx, by.Tenant, 1); err != nil {
				return nil, err
			}
			var err error
			if out.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
				return nil, err
			}
			if out.State != Published {
				out.State = Draft
			}
			out.Version, out.Created, out.Published = 1, now, time.Time{}
			if out.State == Published {
				out.Published = now
			}
		} else {
			before, err := s.standing(ctx, tx, by, in.ID, in.Version)
			if err != nil {
				return nil, err
			}
			out.State, out.Created, out.Published, out.Incident, out.Starter = before.State, before.Created, before.Published, before.Incident, before.Starter
			out.Updated, out.Uses, before.Uses = before.Updated, Uses{}, Uses{}
			if out == *before {
				return nil, nil
			}
			out.Version = before.Version + 1
		}
		out.Updated = now
		return events(by, kind, now, out)
	})
	return out, err
}

// Turn publishes an article, makes it a draft again or retires it.
func (s *Service) Turn(ctx context.Context, by auth.Identity, id, version int64, to State) (Article, error) {
	if err := by.Require(auth.EditKnowledge); err != nil {
		return Article{}, err
	}
	kind, ok := map[State]string{Published: EventPublished, Draft: EventWithdrawn, Retired: EventRetired}[to]
	if !ok {
		return Article{}, fault.InvalidField("state", "error.field.unknown")
	}
	now := sqldb.Now()
	var out Article
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error) {
		before, err := s.standing(ctx, tx, by, id, version)
		if err != nil {
			return nil, err
		}
		out = *before
		if out.State == to {
			return nil, nil
		}
		out.State, out.Version, out.Updated = to, before.Version+1, now
		if to == Published {
			out.Published = now
		}
		return events(by, kind, now, out)
	})
	return out, err
}

// standing reads an article that is about to change.
func (s *Service) standing(ctx context.Context, tx *sqldb.Tx, by auth.Identity, id, version int64) (*Article, error) {
	all, err := articles(ctx, tx, by.Tenant, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, notFound()
	}
	if version != 0 && version != all[0].Version {
		return nil, fault.New(fault.Conflict, "error.knowledge.changed")
	}
	return &all[0], nil
}

// room refuses more articles than are kept in memory.
func room(ctx context.Context, tx *sqldb.Tx, tenant int64, more int) error {
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM article WHERE tenant_id = $1`, tenant).Scan(&n); err != nil {
		return fmt.Errorf("knowledge: count: %w", err)
	}
	if n+more > MaxArticles {
		return fault.New(fault.TooLarge, "error.knowledge.full", "max", MaxArticles)
	}
	return nil
}

// command writes what fn decides on: state and events in one transaction.
func (s *Service) command(ctx context.Context, by auth.Identity, fn func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error)) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.shelf.Touch(ctx, tx, by.Tenant); err != nil {
			return err
		}
		events, err := fn(ctx, tx)
		if err != nil || len(events) == 0 {
			return err
		}
		if err := apply(ctx, tx, events); err != nil {
			return err
		}
		return s.j.Append(ctx, tx, events...)
	})
}

func events(by auth.Identity, kind string, at time.Time, all ...Article) ([]journal.Event, error) {
	out := make([]journal.Event, len(all))
	for k := range all {
		data, err := json.Marshal(&all[k])
		if err != nil {
			return nil, fmt.Errorf("knowledge: write article: %w", err)
		}
		out[k] = journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: all[k].ID}, Kind: kind, Data: data}
	}
	return out, nil
}

// tidy cleans what was typed.
func (a *Article) tidy() {
	a.Title, a.TitleEN, a.Equipment = line(a.Title), line(a.TitleEN), line(a.Equipment)
	a.Body, a.BodyEN = lines(a.Body), lines(a.BodyEN)
}

func line(s string) string { return strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ") }

func lines(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}

func (a *Article) check(words *catalog.Index) error {
	var fields fault.Fields
	for _, f := range []struct {
		name, text string
		most       int
		needed     bool
	}{{"title", a.Title, MaxTitle, true}, {"title_en", a.TitleEN, MaxTitle, false}, {"body", a.Body, MaxBody, true}, {"body_en", a.BodyEN, MaxBody, false}, {"equipment", a.Equipment, MaxEquipment, false}} {
		switch {
		case f.needed && f.text == "":
			fields.Add(f.name, "error.field.required")
		case utf8.RuneCountInString(f.text) > f.most:
			fields.Add(f.name, "error.field.too_long", "max", f.most)
		case f.name == "body" || f.name == "body_en":
			if bad := Refused(f.text); bad != "" {
				fields.Add(f.name, "error.knowledge.link", "link", bad)
			}
		}
	}
	if !slices.Contains(Audiences, a.Audience) {
		fields.Add("audience", "error.field.unknown")
	}
	if a.Category != 0 {
		if _, ok := words.Category(a.Category); !ok {
			fields.Add("category", "error.field.unknown")
		}
	}
	if a.Review < 0 || a.Review > calendar.Date(2100, time.January, 1) {
		fields.Add("review", "error.field.date")
	}
	return fields.Err()
}
