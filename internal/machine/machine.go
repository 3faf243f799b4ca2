// Package machine knows the equipment by its asset number, the label stuck on
// it: model, school, when it was bought, when and why it left. It is filled by
// lists that people bring.
package machine

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// SubjectMachine is the subject of the journal.
const SubjectMachine = "machine"

// EventSaved says what a machine has become.
const EventSaved = SubjectMachine + ".saved"

// Limits.
const (
	MaxMachines = 100_000
	MaxText     = 100 // characters
)

// Why is why a machine left.
type Why string

// The reasons.
const (
	Broken  Why = "broken"  // a failure that was not worth repairing
	Renewed Why = "renewed" // replaced by policy
	Lost    Why = "lost"    // lost, stolen
	Other   Why = "other"
)

// Machine is one piece of equipment.
type Machine struct {
	ID         int64        `json:"id"`
	Label      string       `json:"label"`
	Model      string       `json:"model,omitempty"`
	School     int64        `json:"school,omitempty"`
	Purchased  calendar.Day `json:"purchased,omitzero"`
	Retired    calendar.Day `json:"retired,omitzero"`
	RetiredWhy Why          `json:"retired_why,omitempty"`
}

// Service keeps the machines of every tenant.
type Service struct {
	db     *sqldb.DB
	j      *journal.Journal
	places *directory.Service
}

// New makes the service.
func New(db *sqldb.DB, j *journal.Journal, places *directory.Service) *Service {
	return &Service{db: db, j: j, places: places}
}

// Row is a line of a list of machines. A field that the list has no column for
// is left as it is.
type Row struct {
	Line    int
	Machine Machine
	UAI     string          // of the school
	Has     map[string]bool // model, school, purchased, retired, why
	Bad     string          // the field that could not be read; "" for none
}

// Change is what a row does or would do.
type Change struct {
	Line  int
	Label string
	New   bool
	Same  bool
	Err   error // why the row is left out
}

// Import brings a list in: machines are known by their label. Rows that are
// wrong are left out and told, the others are all done or none. Without
// really, nothing is done.
func (s *Service) Import(ctx context.Context, by auth.Identity, rows []Row, really bool) ([]Change, error) {
	if err := by.Require(auth.EditDirectory); err != nil {
		return nil, err
	}
	if len(rows) > MaxMachines {
		return nil, fault.InvalidField("file", "error.machine.too_many", "max", MaxMachines)
	}
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	at := sqldb.Now()
	var changes []Change
	work := func(ctx context.Context, tx *sqldb.Tx) error {
		changes = make([]Change, 0, len(rows))
		stored, err := machines(ctx, tx, by.Tenant)
		if err != nil {
			return err
		}
		known := make(map[string]Machine, len(stored))
		for _, m := range stored {
			known[m.Label] = m
		}
		var made []Machine
		met := map[string]bool{}
		for k := range rows {
			c := Change{Line: rows[k].Line, Label: strings.TrimSpace(rows[k].Machine.Label)}
			before, there := known[c.Label]
			m, err := rows[k].merged(before, places, calendar.DayOf(at, places.Settings().Location()))
			if err == nil && met[c.Label] {
				err = fault.InvalidField("label", "error.field.taken")
			}
			c.Err, c.New, c.Same = err, !there, there && m == before
			met[c.Label] = true
			changes = append(changes, c)
			if c.Err == nil && !c.Same {
				made = append(made, m)
			}
		}
		if !really || len(made) == 0 {
			return nil
		}
		return s.write(ctx, tx, by, at, made)
	}
	if !really {
		err = s.db.Read(ctx, work)
		return changes, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Turn(ctx, by.Tenant, "machines"); err != nil {
			return err
		}
		return work(ctx, tx)
	})
	return changes, err
}

// merged is the machine after the row.
func (r *Row) merged(m Machine, places *directory.Index, today calendar.Day) (Machine, error) {
	var wrong fault.Fields
	m.Label = strings.TrimSpace(r.Machine.Label)
	if m.Label == "" {
		wrong.Add("label", "error.field.required")
	}
	if r.Bad != "" {
		wrong.Add(r.Bad, "error.machine.unread")
	}
	if r.Has["model"] {
		m.Model = strings.TrimSpace(r.Machine.Model)
	}
	if r.Has["purchased"] {
		m.Purchased = r.Machine.Purchased
	}
	if r.Has["retired"] {
		m.Retired = r.Machine.Retired
	}
	if r.Has["why"] {
		m.RetiredWhy = r.Machine.RetiredWhy
	}
	if m.Retired == 0 {
		m.RetiredWhy = ""
	}
	if r.Has["school"] && strings.TrimSpace(r.UAI) != "" {
		school, ok := places.SchoolByUAI(strings.ToUpper(strings.TrimSpace(r.UAI)))
		if !ok {
			wrong.Add("school", "error.machine.school")
		}
		m.School = school.ID
	}
	for name, text := range map[string]string{"label": m.Label, "model": m.Model} {
		if utf8.RuneCountInString(text) > MaxText {
			wrong.Add(name, "error.field.too_long", "max", MaxText)
		}
	}
	if m.Purchased != 0 && (m.Purchased < calendar.Date(1990, time.January, 1) || m.Purchased > today+366) {
		wrong.Add("purchased", "error.machine.day")
	}
	if m.Retired != 0 && (m.Retired > today || m.Purchased != 0 && m.Retired < m.Purchased) {
		wrong.Add("retired", "error.machine.day")
	}
	return m, wrong.Err()
}

// write records machines, numbering the new ones.
func (s *Service) write(ctx context.Context, tx *sqldb.Tx, by auth.Identity, at time.Time, list []Machine) error {
	fresh := int64(0)
	for _, m := range list {
		if m.ID == 0 {
			fresh++
		}
	}
	next := int64(0)
	if fresh > 0 {
		var err error
		if next, err = tx.NextIDs(ctx, by.Tenant, SubjectMachine, fresh); err != nil {
			return err
		}
	}
	events := make([]journal.Event, len(list))
	for k := range list {
		if list[k].ID == 0 {
			list[k].ID = next
			next++
		}
		data, err := json.Marshal(list[k])
		if err != nil {
			return fmt.Errorf("machine: payload: %w", err)
		}
		events[k] = journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: SubjectMachine, ID: list[k].ID}, School: list[k].School, Kind: EventSaved, Data: data}
	}
	if err := apply(ctx, tx, events); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, events...)
}

// List gives the machines of the schools that a scope sees, by number; those
// of no known school only to who sees them all.
func (s *Service) List(ctx context.Context, scope auth.Scope) ([]Machine, error) {
	if scope.Nothing() {
		return nil, nil
	}
	var seen []Machine
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		all, err := machines(ctx, tx, scope.Tenant())
		seen = all[:0]
		for _, m := range all {
			if scope.All() || m.School != 0 && scope.SeesSchool(m.School) {
				seen = append(seen, m)
			}
		}
		return err
	})
	return seen, err
}

var columns = []string{"tenant_id", "machine_id", "label", "model", "school_id", "purchased_on", "retired_on", "retired_why"}

func machines(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Machine, error) {
	rows, err := tx.Query(ctx, `SELECT machine_id, label, model, school_id, purchased_on, retired_on, retired_why FROM machine WHERE tenant_id = $1 ORDER BY machine_id`, tenant)
	if err != nil {
		return nil, fmt.Errorf("machine: list: %w", err)
	}
	defer rows.Close()
	return scan(rows)
}

func scan(rows *sql.Rows) ([]Machine, error) {
	var all []Machine
	for rows.Next() {
		var m Machine
		if err := rows.Scan(&m.ID, &m.Label, &m.Model, &m.School, &m.Purchased, &m.Retired, &m.RetiredWhy); err != nil {
			return nil, fmt.Errorf("machine: scan: %w", err)
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// Projection rebuilds the machines from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{Name: "machines", Subjects: []string{SubjectMachine}, Tables: []string{"machine"}, Apply: apply}
}

// perUpsert bounds the rows of one statement.
const perUpsert = 500

func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	var rows [][]any
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		err := tx.Upsert(ctx, "machine", columns[:2], columns, rows)
		rows = rows[:0]
		return err
	}
	last := map[int64]bool{}
	for k := range events {
		e := &events[k]
		var m Machine
		if err := json.Unmarshal(e.Data, &m); err != nil {
			return fmt.Errorf("machine: event %s: %w", e.Pos, err)
		}
		if last[e.Subject.ID] || len(rows) == perUpsert { // a row once a statement
			if err := flush(); err != nil {
				return err
			}
			clear(last)
		}
		last[e.Subject.ID] = true
		rows = append(rows, []any{e.Tenant, e.Subject.ID, m.Label, m.Model, m.School, int64(m.Purchased), int64(m.Retired), string(m.RetiredWhy)})
	}
	return flush()
}
