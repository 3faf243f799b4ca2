package visit

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Service is the visits and the time spent, of every tenant.
//
// Commands: Plan, Change, Act, Add, Undo; LogTime, CorrectTime, StartTimer,
// StopTimer; RenewFeed, CloseFeed. Reads: Get, List, OfIncident, Clashes,
// TimeOn, Minutes, Timer, Feed.
type Service struct {
	db        *sqldb.DB
	j         *journal.Journal
	places    *directory.Service
	incidents *incident.Service
	accounts  *auth.Service // nil: what was left unsettled is settled by the system
	log       *slog.Logger
	guards    []Guard
}

// New makes the service.
func New(db *sqldb.DB, j *journal.Journal, places *directory.Service, incidents *incident.Service, accounts *auth.Service, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: db, j: j, places: places, incidents: incidents, accounts: accounts, log: log}
}

// Guard adds a guard to every action on a visit. To be called before the first
// command.
func (s *Service) Guard(g Guard) { s.guards = append(s.guards, g) }

// Draft is a visit in the making.
type Draft struct {
	Kind       Kind
	School     int64
	Technician int64
	Start      time.Time
	Minutes    int
	Purpose    string
	Note       string
	Incidents  []int64
}

// Edit is what changes of a visit: nil is untouched.
type Edit struct {
	Kind       *Kind
	Technician *int64
	Start      *time.Time
	Minutes    *int
	Purpose    *string
	Note       *string
	Report     *string
	Incidents  *[]int64
}

func notFound() error { return fault.New(fault.NotFound, "error.visit.not_found") }

// Plan records a visit to come (or one that took place already). Its open
// incidents become planned with it.
func (s *Service) Plan(ctx context.Context, by auth.Identity, d Draft) (Visit, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Visit{}, err
	}
	at := sqldb.Now()
	v := Visit{
		Version: 0, State: Planned, Kind: d.Kind, School: d.School, Technician: d.Technician, Start: instant(d.Start), Minutes: d.Minutes,
		Purpose: line(d.Purpose), Note: text(d.Note), Incidents: distinct(d.Incidents),
	}
	if err := s.check(ctx, by, &v, nil, at); err != nil {
		return Visit{}, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		id, err := tx.NextIDs(ctx, by.Tenant, Subject, 1)
		if err != nil {
			return err
		}
		v.ID, v.Version, v.Sequence = id, 0, 0
		return s.record(ctx, tx, by, EventPlanned, &v, nil, at)
	})
	if err != nil {
		return Visit{}, err
	}
	s.settleNow(ctx, by, v.Incidents)
	return v, nil
}

// Change corrects or moves a visit. Base is the version that the person was
// looking at, 0 for whatever stands; a change made on another one is a
// Conflict.
func (s *Service) Change(ctx context.Context, by auth.Identity, id, base int64, e Edit) (Visit, error) {
	return s.command(ctx, by, id, base, func(at time.Time, before, after *Visit) (string, error) {
		if e.Kind != nil {
			after.Kind = *e.Kind
		}
		if e.Technician != nil {
			after.Technician = *e.Technician
		}
		if e.Start != nil {
			after.Start = instant(*e.Start)
		}
		if e.Minutes != nil {
			after.Minutes = *e.Minutes
		}
		if e.Purpose != nil {
			after.Purpose = line(*e.Purpose)
		}
		if e.Note != nil {
			after.Note = text(*e.Note)
		}
		if e.Report != nil {
			after.Report = text(*e.Report)
		}
		if e.Incidents != nil {
			after.Incidents = distinct(*e.Incidents)
		}
		moved := !after.Start.Equal(before.Start) || after.Minutes != before.Minutes || after.Technician != before.Technician
		if moved && !before.State.Active() {
			return "", fault.New(fault.Conflict, "error.visit.ended")
		}
		if moved {
			return EventMoved, nil
		}
		return EventEdited, nil
	})
}

// Add gives a visit further incidents of its school.
func (s *Service) Add(ctx context.Context, by auth.Identity, id int64, incidents ...int64) (Visit, error) {
	return s.command(ctx, by, id, 0, func(_ time.Time, before, after *Visit) (string, error) {
		if !before.State.Active() {
			return "", fault.New(fault.Conflict, "error.visit.ended")
		}
		after.Incidents = distinct(append(slices.Clone(before.Incidents), incidents...))
		return EventEdited, nil
	})
}

// Act takes a visit one step on.
func (s *Service) Act(ctx context.Context, by auth.Identity, id, base int64, action Action) (Visit, error) {
	step, known := steps[action]
	if !known {
		return Visit{}, fault.InvalidField("action", "error.field.unknown")
	}
	return s.guarded(ctx, by, id, base, action, func(at time.Time, before, after *Visit) (string, error) {
		if !slices.Contains(step.from, before.State) {
			return "", fault.New(fault.Conflict, "error.visit.not_possible")
		}
		after.State = step.to
		switch action {
		case Begin:
			after.StartedAt = at
		case Finish:
			after.EndedAt = at
		case Resume:
			after.EndedAt = time.Time{}
			if !after.StartedAt.IsZero() {
				after.State = Started
			}
		case Cancel:
		}
		return step.event, nil
	})
}

// Undo takes back the last thing that happened to a visit, after which it had
// that version. Only who did it may, within UndoTime, while nothing has
// happened since; else it is a Conflict "error.visit.undo". What was only just
// planned is called off.
func (s *Service) Undo(ctx context.Context, by auth.Identity, id, version int64) (Visit, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Visit{}, err
	}
	at := sqldb.Now()
	var out Visit
	var touched []int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now, err := one(ctx, tx, by.Tenant, id, true)
		if err != nil {
			return err
		}
		events, err := journal.Of(ctx, tx, by.Tenant, journal.Subject{Kind: Subject, ID: id})
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return notFound()
		}
		last := events[len(events)-1]
		if now.Version != version || last.Actor != by.Actor() || last.Kind == EventUndone || at.Sub(last.RecordedAt) > UndoTime {
			return fault.New(fault.Conflict, "error.visit.undo")
		}
		out = now
		if len(events) == 1 {
			out.State = Cancelled
		} else if err := json.Unmarshal(events[len(events)-2].Data, &out); err != nil {
			return fmt.Errorf("visit %d: event %s: %w", id, events[len(events)-2].Pos, err)
		}
		out.Version, out.Sequence = now.Version, now.Sequence
		touched = append(slices.Clone(now.Incidents), out.Incidents...)
		return s.record(ctx, tx, by, EventUndone, &out, &now, at)
	})
	if err != nil {
		return Visit{}, err
	}
	s.settleNow(ctx, by, touched)
	return out, nil
}

type change func(at time.Time, before, after *Visit) (event string, err error)

func (s *Service) command(ctx context.Context, by auth.Identity, id, base int64, fn change) (Visit, error) {
	return s.guarded(ctx, by, id, base, "", fn)
}

// guarded runs a change of one visit; what would change nothing writes nothing.
func (s *Service) guarded(ctx context.Context, by auth.Identity, id, base int64, action Action, fn change) (Visit, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Visit{}, err
	}
	at := sqldb.Now()
	// Rules that ask other rooms are judged on what stands before the
	// transaction; the version makes sure that it still does inside.
	seen, err := s.Get(ctx, by, id)
	if err != nil {
		return Visit{}, err
	}
	if base != 0 && base != seen.Version {
		return Visit{}, fault.New(fault.Conflict, "error.visit.changed")
	}
	wanted := seen
	event, err := fn(at, &seen, &wanted)
	if err != nil {
		return Visit{}, err
	}
	if err := s.check(ctx, by, &wanted, &seen, at); err != nil {
		return Visit{}, err
	}
	if same(&seen, &wanted) {
		return seen, nil
	}
	var out Visit
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now, err := one(ctx, tx, by.Tenant, id, true)
		if err != nil {
			return err
		}
		if now.Version != seen.Version {
			return fault.New(fault.Conflict, "error.visit.changed")
		}
		if action != "" {
			for _, g := range s.guards {
				if err := g(ctx, tx, by, action, &now, &wanted); err != nil {
					return err
				}
			}
		}
		out = wanted
		return s.record(ctx, tx, by, event, &out, &now, at)
	})
	if err != nil {
		return Visit{}, err
	}
	s.settleNow(ctx, by, append(slices.Clone(seen.Incidents), out.Incidents...))
	return out, nil
}

// record writes a visit as it now stands, its event, and which incidents have
// to follow.
func (s *Service) record(ctx context.Context, tx *sqldb.Tx, by auth.Identity, kind string, v, before *Visit, at time.Time) error {
	v.Version++
	v.UpdatedAt = at
	if before != nil && public(before) != public(v) {
		v.Sequence++
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("visit: payload of %s: %w", kind, err)
	}
	if err := save(ctx, tx, by.Tenant, []*Visit{v}); err != nil {
		return err
	}
	if err := s.owe(ctx, tx, by, v, before, at); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, journal.Event{
		Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: v.ID}, School: v.School, Kind: kind, Data: data,
	})
}

// seen is what a calendar shows of a visit.
type seen struct {
	technician int64
	start      int64
	minutes    int
	cancelled  bool
	kind       Kind
}

func public(v *Visit) seen {
	return seen{v.Technician, sqldb.Millis(v.Start), v.Minutes, v.State == Cancelled, v.Kind}
}

// same tells whether nothing that is kept differs.
func same(a, b *Visit) bool {
	return public(a) == public(b) && a.State == b.State && a.School == b.School && a.Purpose == b.Purpose && a.Note == b.Note && a.Report == b.Report &&
		slices.Equal(a.Incidents, b.Incidents) && a.StartedAt.Equal(b.StartedAt) && a.EndedAt.Equal(b.EndedAt)
}

// check judges a visit; before is nil for a new one. What has not changed is
// not judged again: a technician may have left, an incident may be closed.
func (s *Service) check(ctx context.Context, by auth.Identity, v, before *Visit, at time.Time) error {
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	var bad fault.Fields
	if !slices.Contains(Kinds, v.Kind) {
		bad.Add("kind", "error.field.required")
	}
	if before == nil {
		if v.School == 0 {
			bad.Add("school", "error.field.required")
		} else if _, ok := places.School(v.School); !ok {
			bad.Add("school", "error.field.unknown")
		}
	}
	if before == nil || v.Technician != before.Technician {
		if v.Technician == 0 {
			bad.Add("technician", "error.field.required")
		} else if p, ok := places.Person(v.Technician); !ok || p.Kind != directory.Staff {
			bad.Add("technician", "error.visit.no_technician")
		}
	}
	if before == nil || !v.Start.Equal(before.Start) {
		switch {
		case v.Start.IsZero():
			bad.Add("start", "error.field.required")
		case v.Start.Before(at.AddDate(0, 0, -PastDays)), v.Start.After(at.AddDate(0, 0, FutureDays)):
			bad.Add("start", "error.visit.far")
		}
	}
	if v.Minutes < MinMinutes || v.Minutes > MaxMinutes {
		bad.Add("minutes", "error.field.range", "min", MinMinutes, "max", MaxMinutes)
	}
	tooLong(&bad, "purpose", v.Purpose, MaxPurpose)
	tooLong(&bad, "note", v.Note, MaxNote)
	tooLong(&bad, "report", v.Report, MaxNote)
	if v.Purpose == "" && len(v.Incidents) == 0 {
		bad.Add("purpose", "error.visit.what_for")
	}
	if err := s.checkIncidents(ctx, by, v, before, &bad); err != nil {
		return err
	}
	return bad.Err()
}

// checkIncidents judges the incidents that a visit newly takes on.
func (s *Service) checkIncidents(ctx context.Context, by auth.Identity, v, before *Visit, bad *fault.Fields) error {
	if len(v.Incidents) > MaxIncidents {
		bad.Add("incidents", "error.visit.many", "max", MaxIncidents)
		return nil
	}
	var added []int64
	for _, id := range v.Incidents {
		if before == nil || !before.Handles(id) {
			added = append(added, id)
		}
	}
	found, err := s.incidents.Many(ctx, by.Scope(), added)
	if err != nil {
		return err
	}
	known := make(map[int64]incident.Incident, len(found))
	for _, i := range found {
		known[i.ID] = i
	}
	for _, id := range added {
		switch i, ok := known[id]; {
		case !ok:
			bad.Add("incidents", "error.visit.incident_unknown", "number", id)
		case i.School != v.School:
			bad.Add("incidents", "error.visit.incident_elsewhere", "number", id)
		case !i.State.Open():
			bad.Add("incidents", "error.visit.incident_ended", "number", id)
		}
	}
	return nil
}

func tooLong(bad *fault.Fields, field, value string, limit int) {
	if len([]rune(value)) > limit {
		bad.Add(field, "error.field.too_long", "max", limit)
	}
}

// distinct keeps the first of each number, and none that is not one.
func distinct(ids []int64) []int64 {
	var out []int64
	for _, id := range ids {
		if id > 0 && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// instant is how an instant is kept: UTC, to the millisecond.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// text cleans a text of several lines: valid UTF-8, "\n" line ends, no control
// characters, no spaces around.
func text(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\t':
			return ' '
		case r != '\n' && unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// line cleans a text of one line.
func line(s string) string { return strings.Join(strings.Fields(text(s)), " ") }
