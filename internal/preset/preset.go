// Package preset keeps what the unit does again and again: templates, which
// fill a declaration in (a call about a forgotten password), and macros, which
// do one action with its fields and words in one click. Each is somebody's own
// or shared by the unit.
package preset

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Subject is the journal's subject kind for templates and macros.
const Subject = "preset"

// The events: what a preset is from then on, and that it is no more.
const (
	EventSaved   = Subject + ".saved"
	EventRemoved = Subject + ".removed"
)

// Kind is what a preset is for.
type Kind string

// The kinds.
const (
	Template Kind = "template"
	Macro    Kind = "macro"
)

// Limits.
const (
	MaxLabel = 60     // characters
	MaxText  = 20_000 // characters of a description, a resolution, a comment
	MaxOwn   = 200    // presets of one person, and as many shared
)

// Keys are the letters that may trigger a macro: those that the incident's page
// leaves free.
const Keys = "bcdfghlqsvyz"

// Preset is one template or macro.
type Preset struct {
	ID     int64  `json:"-"`
	Kind   Kind   `json:"kind"`
	Owner  int64  `json:"owner,omitempty"` // account; 0 is shared
	Label  string `json:"label"`
	Key    string `json:"key,omitempty"` // of a macro, one of Keys
	Filled Filled `json:"filled,omitzero"`
	Change Change `json:"change,omitzero"`
}

// Filled is what a template says for the person who declares.
type Filled struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Category    int64  `json:"category,omitempty"`
	Impact      int    `json:"impact,omitempty"`
	Urgency     int    `json:"urgency,omitempty"`
}

// Change is what a macro does.
type Change struct {
	Action   incident.Action `json:"action,omitempty"`
	Set      incident.Patch  `json:"set,omitzero"`
	Comment  string          `json:"comment,omitempty"`
	Internal bool            `json:"internal,omitempty"`
}

// Actions are what a macro may do.
var Actions = []incident.Action{incident.Take, incident.Assign, incident.Route, incident.Hold, incident.Resume, incident.Resolve, incident.Close, incident.Comment}

// Service is the presets of every tenant.
//
// Commands: Save, Remove. Reads: Get, List.
type Service struct {
	db *sqldb.DB
	j  *journal.Journal
}

// New makes the service.
func New(db *sqldb.DB, j *journal.Journal) *Service { return &Service{db, j} }

func notFound() error { return fault.New(fault.NotFound, "error.preset.not_found") }

// may tells whether somebody may change a preset: their own, or a shared one
// with the right to.
func may(by auth.Identity, owner int64) error {
	if err := by.Require(auth.HandleIncident); err != nil {
		return err
	}
	switch owner {
	case 0:
		return by.Require(auth.EditService)
	case by.Account:
		return nil
	}
	return notFound()
}

// Save keeps a preset; a new one has no ID. Owner is the account's own number,
// or 0 to share it with the unit.
func (s *Service) Save(ctx context.Context, by auth.Identity, p Preset) (Preset, error) {
	if err := may(by, p.Owner); err != nil {
		return Preset{}, err
	}
	p.clean()
	if err := p.judge(); err != nil {
		return Preset{}, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		all, err := read(ctx, tx, by.Tenant)
		if err != nil {
			return err
		}
		same := 0
		for _, other := range all {
			if other.Owner == p.Owner && other.Kind == p.Kind {
				same++
				if other.ID != p.ID && other.Label == p.Label {
					return fault.InvalidField("label", "error.preset.taken")
				}
			}
		}
		if p.ID == 0 {
			if same >= MaxOwn {
				return fault.New(fault.Conflict, "error.preset.too_many", "max", MaxOwn)
			}
			if p.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
				return err
			}
		} else if err := among(all, by, p.ID); err != nil {
			return err
		}
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		return s.write(ctx, tx, by, p.ID, EventSaved, data)
	})
	return p, err
}

// among finds a preset that somebody may change.
func among(all []Preset, by auth.Identity, id int64) error {
	for _, p := range all {
		if p.ID == id {
			return may(by, p.Owner)
		}
	}
	return notFound()
}

// Remove takes a preset away.
func (s *Service) Remove(ctx context.Context, by auth.Identity, id int64) error {
	if err := by.Require(auth.HandleIncident); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		all, err := read(ctx, tx, by.Tenant)
		if err != nil {
			return err
		}
		if err := among(all, by, id); err != nil {
			return err
		}
		return s.write(ctx, tx, by, id, EventRemoved, []byte("{}"))
	})
}

// List gives the presets of a kind that somebody may use, their own first, by
// name.
func (s *Service) List(ctx context.Context, by auth.Identity, kind Kind) ([]Preset, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return nil, err
	}
	var all []Preset
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		all, err = read(ctx, tx, by.Tenant)
		return err
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p Preset) bool { return p.Kind != kind || p.Owner != 0 && p.Owner != by.Account })
	slices.SortStableFunc(all, func(a, b Preset) int {
		return cmp.Or(-cmp.Compare(a.Owner, b.Owner), strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label)), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Get gives one that somebody may use.
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (Preset, error) {
	for _, kind := range []Kind{Template, Macro} {
		all, err := s.List(ctx, by, kind)
		if err != nil {
			return Preset{}, err
		}
		for _, p := range all {
			if p.ID == id {
				return p, nil
			}
		}
	}
	return Preset{}, notFound()
}

// clean makes texts safe to store and show, and drops what the kind has not.
func (p *Preset) clean() {
	one := func(s string) string { return strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ") }
	many := func(s string) string {
		return strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n"))
	}
	p.Label, p.Key = one(p.Label), strings.ToLower(one(p.Key))
	if p.Kind == Template {
		p.Key, p.Change = "", Change{}
		p.Filled.Title, p.Filled.Description = one(p.Filled.Title), many(p.Filled.Description)
		return
	}
	p.Filled = Filled{}
	p.Change.Comment = many(p.Change.Comment)
	if p.Change.Set.Resolution != nil {
		text := many(*p.Change.Set.Resolution)
		p.Change.Set.Resolution = &text
	}
}

func (p *Preset) judge() error {
	var fields fault.Fields
	length := func(name, text string, most int) {
		if utf8.RuneCountInString(text) > most {
			fields.Add(name, "error.field.too_long", "max", most)
		}
	}
	if p.Label == "" {
		fields.Add("label", "error.field.required")
	}
	length("label", p.Label, MaxLabel)
	switch p.Kind {
	case Template:
		if p.Filled.Title == "" {
			fields.Add("title", "error.field.required")
		}
		length("title", p.Filled.Title, incident.MaxTitle)
		length("description", p.Filled.Description, MaxText)
		for name, level := range map[string]int{"impact": p.Filled.Impact, "urgency": p.Filled.Urgency} {
			if level < 0 || level > 3 {
				fields.Add(name, "error.field.unknown")
			}
		}
	case Macro:
		if p.Key != "" && (len(p.Key) != 1 || !strings.Contains(Keys, p.Key)) {
			fields.Add("key", "error.preset.key", "keys", strings.Join(strings.Split(Keys, ""), " "))
		}
		length("comment", p.Change.Comment, MaxText)
		if p.Change.Set.Resolution != nil {
			length("resolution", *p.Change.Set.Resolution, MaxText)
		}
		p.Change.judge(&fields)
	default:
		fields.Add("kind", "error.field.unknown")
	}
	return fields.Err()
}

// judge wants an action that macros may do, with what every one of its rows
// requires and nothing that none takes.
func (c *Change) judge(fields *fault.Fields) {
	if !slices.Contains(Actions, c.Action) {
		fields.Add("action", "error.field.required")
		return
	}
	var required, taken []incident.Field
	for _, t := range incident.Transitions {
		if t.Action == c.Action {
			required, taken = append(required, t.Required...), slices.Concat(taken, t.Required, t.Optional)
		}
	}
	slices.Sort(required)
	for _, f := range slices.Compact(required) {
		switch {
		case f == incident.FieldComment:
			if c.Comment == "" {
				fields.Add(string(f), "error.field.required")
			}
		case !c.Set.Has(f):
			fields.Add(string(f), "error.field.required")
		}
	}
	for _, f := range c.Set.Fields() {
		if !slices.Contains(taken, f) {
			fields.Add(string(f), "error.incident.field_not_taken")
		}
	}
}

// write appends an event and does what it says.
func (s *Service) write(ctx context.Context, tx *sqldb.Tx, by auth.Identity, id int64, kind string, data []byte) error {
	e := journal.Event{Tenant: by.Tenant, At: sqldb.Now(), Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: id}, Kind: kind, Data: data}
	if err := apply(ctx, tx, []journal.Event{e}); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, e)
}

// Projection rebuilds the presets from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "preset", Subjects: []string{Subject}, Tables: []string{"preset"}, Apply: apply}
}

func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for k := range events {
		e := &events[k]
		var err error
		switch e.Kind {
		case EventSaved:
			_, err = tx.Exec(ctx, `INSERT INTO preset (tenant_id, preset_id, body, saved_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (tenant_id, preset_id) DO UPDATE SET body = excluded.body, saved_at = excluded.saved_at`, e.Tenant, e.Subject.ID, string(e.Data), sqldb.Millis(e.At.Truncate(time.Millisecond)))
		case EventRemoved:
			_, err = tx.Exec(ctx, `DELETE FROM preset WHERE tenant_id = $1 AND preset_id = $2`, e.Tenant, e.Subject.ID)
		}
		if err != nil {
			return fmt.Errorf("preset %d: %w", e.Subject.ID, err)
		}
	}
	return nil
}

func read(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Preset, error) {
	rows, err := tx.Query(ctx, `SELECT preset_id, body FROM preset WHERE tenant_id = $1 ORDER BY preset_id`, tenant)
	if err != nil {
		return nil, fmt.Errorf("preset: read: %w", err)
	}
	defer rows.Close()
	var all []Preset
	for rows.Next() {
		var id int64
		var body string
		if err := rows.Scan(&id, &body); err != nil {
			return nil, fmt.Errorf("preset: read: %w", err)
		}
		p := Preset{}
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			return nil, fmt.Errorf("preset %d: %w", id, err)
		}
		p.ID = id
		all = append(all, p)
	}
	return all, rows.Err()
}
