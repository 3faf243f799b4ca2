package visit

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

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// SubjectTime and SubjectTimer are the journal's subject kinds of time spent
// (an entry) and of running timers (identified by the technician).
const (
	SubjectTime  = "work_time"
	SubjectTimer = "work_timer"
)

// Kinds of event about time. The first three carry the Time as it then stands.
const (
	EventTimeLogged    = Subject + ".time_logged"
	EventTimeCorrected = Subject + ".time_corrected"
	EventTimeWithdrawn = Subject + ".time_withdrawn"
	EventTimerStarted  = SubjectTimer + ".started"
	EventTimerStopped  = SubjectTimer + ".stopped"
)

// Presets are the minutes that one click logs.
var Presets = []int{5, 15, 30, 60}

// Limits of time spent.
const (
	MaxTimeNote = 500
	MaxLogged   = 24 * 60 // minutes of one entry
	// MaxTimer is the longest that a timer counts: past it somebody forgot it,
	// and what it logs is to be corrected.
	MaxTimer = 8 * time.Hour
	// MaxEntries bounds what is read of one incident or visit.
	MaxEntries = 500
)

// Time is time spent on an incident, during a visit or not, or on a visit as a
// whole (Incident 0).
type Time struct {
	ID         int64        `json:"id"`
	Visit      int64        `json:"visit,omitempty"`
	Incident   int64        `json:"incident,omitempty"`
	School     int64        `json:"school"`
	Technician int64        `json:"technician"`
	Day        calendar.Day `json:"day"` // on which it was spent
	Minutes    int          `json:"minutes"`
	Note       string       `json:"note,omitempty"`
	Withdrawn  bool         `json:"withdrawn,omitempty"` // it does not count
	LoggedAt   time.Time    `json:"logged_at"`
}

// Timer is a timer that runs.
type Timer struct {
	Technician int64     `json:"technician"`
	Visit      int64     `json:"visit,omitempty"`
	Incident   int64     `json:"incident,omitempty"`
	Since      time.Time `json:"since"`
}

// On says what time is spent on: an incident, a visit, or both.
type On struct{ Visit, Incident int64 }

// LogTime records time spent. Technician 0 is who logs it, day 0 is today.
func (s *Service) LogTime(ctx context.Context, by auth.Identity, in Time) (Time, error) {
	at := sqldb.Now()
	if err := by.Require(auth.HandleIncident); err != nil {
		return Time{}, err
	}
	if in.Technician == 0 {
		in.Technician = by.Person
	}
	if err := s.checkTime(ctx, by, &in, at); err != nil {
		return Time{}, err
	}
	in.ID, in.Withdrawn, in.LoggedAt = 0, false, at
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.putTime(ctx, tx, by, EventTimeLogged, &in, at)
	})
	if err != nil {
		return Time{}, err
	}
	return in, nil
}

// checkTime completes and judges an entry.
func (s *Service) checkTime(ctx context.Context, by auth.Identity, in *Time, at time.Time) error {
	var bad fault.Fields
	school, err := s.schoolOf(ctx, by, On{in.Visit, in.Incident})
	if err != nil {
		return err
	}
	in.School, in.Note = school, line(in.Note)
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	if p, ok := places.Person(in.Technician); !ok || p.Kind != directory.Staff {
		bad.Add("technician", "error.visit.no_technician")
	}
	today := calendar.DayOf(at, places.Settings().Location())
	if in.Day == 0 {
		in.Day = today
	}
	if in.Day > today || in.Day < today-PastDays {
		bad.Add("day", "error.visit.time_day")
	}
	if in.Minutes < 1 || in.Minutes > MaxLogged {
		bad.Add("minutes", "error.field.range", "min", 1, "max", MaxLogged)
	}
	tooLong(&bad, "note", in.Note, MaxTimeNote)
	return bad.Err()
}

// schoolOf is the school of what time is spent on, which the actor must see.
func (s *Service) schoolOf(ctx context.Context, by auth.Identity, on On) (int64, error) {
	var school int64
	if on.Visit != 0 {
		v, err := s.Get(ctx, by, on.Visit)
		if err != nil {
			return 0, err
		}
		if on.Incident != 0 && !v.Handles(on.Incident) {
			return 0, fault.InvalidField("incident", "error.visit.not_of_visit")
		}
		school = v.School
	}
	if on.Incident != 0 {
		i, err := s.incidents.Get(ctx, by.Scope(), on.Incident)
		if err != nil {
			return 0, err
		}
		school = i.School
	}
	if on == (On{}) {
		return 0, fault.InvalidField("incident", "error.field.required")
	}
	return school, nil
}

func (s *Service) putTime(ctx context.Context, tx *sqldb.Tx, by auth.Identity, kind string, t *Time, at time.Time) error {
	if t.ID == 0 {
		id, err := tx.NextIDs(ctx, by.Tenant, SubjectTime, 1)
		if err != nil {
			return err
		}
		t.ID = id
	}
	data, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("visit: payload of %s: %w", kind, err)
	}
	if err := saveTimes(ctx, tx, by.Tenant, []*Time{t}); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: SubjectTime, ID: t.ID}, School: t.School, Kind: kind, Data: data})
}

// CorrectTime changes the minutes, the day and the note of an entry, or
// withdraws it and brings it back (minutes, day and note of a withdrawal stay).
// Technicians correct their own entries, leads and administrators everybody's.
func (s *Service) CorrectTime(ctx context.Context, by auth.Identity, in Time) (Time, error) {
	at := sqldb.Now()
	if err := by.Require(auth.HandleIncident); err != nil {
		return Time{}, err
	}
	was, err := s.timeByID(ctx, by.Tenant, in.ID)
	if err != nil {
		return Time{}, err
	}
	if was.Technician != by.Person && !by.Can(auth.EditService) {
		return Time{}, fault.New(fault.Forbidden, "error.visit.not_your_time")
	}
	next, kind := was, EventTimeCorrected
	if in.Withdrawn {
		next.Withdrawn, kind = true, EventTimeWithdrawn
	} else {
		next.Withdrawn, next.Minutes, next.Day, next.Note = false, in.Minutes, in.Day, in.Note
		if err := s.checkTime(ctx, by, &next, at); err != nil {
			return Time{}, err
		}
	}
	if next == was {
		return was, nil
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.putTime(ctx, tx, by, kind, &next, at)
	})
	if err != nil {
		return Time{}, err
	}
	return next, nil
}

// StartTimer starts the actor's timer. One that runs already is stopped first,
// and what it counted is logged (stopped).
func (s *Service) StartTimer(ctx context.Context, by auth.Identity, on On) (t Timer, stopped *Time, err error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Timer{}, nil, err
	}
	if by.Person == 0 {
		return Timer{}, nil, fault.New(fault.Conflict, "error.visit.no_person")
	}
	school, err := s.schoolOf(ctx, by, on)
	if err != nil {
		return Timer{}, nil, err
	}
	if running, err := s.Timer(ctx, by); err != nil {
		return Timer{}, nil, err
	} else if running != nil {
		entry, err := s.StopTimer(ctx, by)
		if err != nil {
			return Timer{}, nil, err
		}
		stopped = &entry
	}
	at := sqldb.Now()
	t = Timer{Technician: by.Person, Visit: on.Visit, Incident: on.Incident, Since: at}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return s.putTimer(ctx, tx, by, EventTimerStarted, t, school, at)
	})
	return t, stopped, err
}

// StopTimer stops the actor's timer and logs what it counted, in started
// minutes, at most MaxTimer.
func (s *Service) StopTimer(ctx context.Context, by auth.Identity) (Time, error) {
	at := sqldb.Now()
	if err := by.Require(auth.HandleIncident); err != nil {
		return Time{}, err
	}
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return Time{}, err
	}
	none := fault.New(fault.Conflict, "error.visit.no_timer")
	running, err := s.Timer(ctx, by)
	if err != nil {
		return Time{}, err
	}
	if running == nil {
		return Time{}, none
	}
	school, err := s.schoolOf(ctx, by, On{running.Visit, running.Incident})
	if fault.Is(err, fault.Invalid) {
		// The incident has left the visit meanwhile: the time was spent on it.
		running.Visit = 0
		school, err = s.schoolOf(ctx, by, On{0, running.Incident})
	}
	if err != nil {
		return Time{}, err
	}
	var out Time
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		t, err := timer(ctx, tx, by.Tenant, by.Person, true)
		if err != nil {
			return err
		}
		if t == nil || !t.Since.Equal(running.Since) {
			return none // stopped from another screen
		}
		spent := min(at.Sub(t.Since), MaxTimer)
		out = Time{
			Visit: running.Visit, Incident: running.Incident, School: school, Technician: by.Person, Day: calendar.DayOf(t.Since, places.Settings().Location()),
			Minutes: max(1, int((spent+time.Minute-1)/time.Minute)), LoggedAt: at,
		}
		if err := s.putTimer(ctx, tx, by, EventTimerStopped, *t, school, at); err != nil {
			return err
		}
		return s.putTime(ctx, tx, by, EventTimeLogged, &out, at)
	})
	if err != nil {
		return Time{}, err
	}
	return out, nil
}

// DropTimer stops the actor's timer without logging anything.
func (s *Service) DropTimer(ctx context.Context, by auth.Identity) error {
	at := sqldb.Now()
	if err := by.Require(auth.HandleIncident); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		t, err := timer(ctx, tx, by.Tenant, by.Person, true)
		if err != nil || t == nil {
			return err
		}
		return s.putTimer(ctx, tx, by, EventTimerStopped, *t, 0, at)
	})
}

func (s *Service) putTimer(ctx context.Context, tx *sqldb.Tx, by auth.Identity, kind string, t Timer, school int64, at time.Time) error {
	data, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("visit: payload of %s: %w", kind, err)
	}
	e := journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: SubjectTimer, ID: t.Technician}, School: school, Kind: kind, Data: data}
	if err := applyTimer(ctx, tx, &e); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, e)
}

func applyTimer(ctx context.Context, tx *sqldb.Tx, e *journal.Event) error {
	if _, err := tx.Exec(ctx, `DELETE FROM work_timer WHERE tenant_id = $1 AND technician_id = $2`, e.Tenant, e.Subject.ID); err != nil {
		return fmt.Errorf("visit: timer: %w", err)
	}
	if e.Kind != EventTimerStarted {
		return nil
	}
	var t Timer
	if err := json.Unmarshal(e.Data, &t); err != nil {
		return fmt.Errorf("visit: timer: event %s: %w", e.Pos, err)
	}
	_, err := tx.Exec(ctx, `INSERT INTO work_timer (tenant_id, technician_id, visit_id, incident_id, started_at) VALUES ($1, $2, $3, $4, $5)`,
		e.Tenant, e.Subject.ID, t.Visit, t.Incident, sqldb.Millis(t.Since))
	return err
}

func timer(ctx context.Context, tx *sqldb.Tx, tenant, person int64, forUpdate bool) (*Timer, error) {
	q := `SELECT technician_id, visit_id, incident_id, started_at FROM work_timer WHERE tenant_id = $1 AND technician_id = $2`
	if forUpdate {
		q += tx.ForUpdate()
	}
	var t Timer
	var since int64
	err := tx.QueryRow(ctx, q, tenant, person).Scan(&t.Technician, &t.Visit, &t.Incident, &since)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no timer runs
	}
	if err != nil {
		return nil, fmt.Errorf("visit: timer: %w", err)
	}
	t.Since = sqldb.Time(since)
	return &t, nil
}

// Timer is the actor's running timer, nil if none runs.
func (s *Service) Timer(ctx context.Context, by auth.Identity) (*Timer, error) {
	if by.Person == 0 || !by.Can(auth.HandleIncident) {
		return nil, nil //nolint:nilnil // no timer runs
	}
	var t *Timer
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		t, err = timer(ctx, tx, by.Tenant, by.Person, false)
		return err
	})
	return t, err
}

var timeColumns = []string{"tenant_id", "time_id", "visit_id", "incident_id", "school_id", "technician_id", "day", "minutes", "note", "withdrawn", "logged_at"}

func saveTimes(ctx context.Context, tx *sqldb.Tx, tenant int64, entries []*Time) error {
	rows := make([][]any, len(entries))
	for k, t := range entries {
		rows[k] = []any{tenant, t.ID, t.Visit, t.Incident, t.School, t.Technician, int64(t.Day), t.Minutes, t.Note, sqldb.Flag(t.Withdrawn), sqldb.Millis(t.LoggedAt)}
	}
	if err := tx.Upsert(ctx, "work_time", []string{"tenant_id", "time_id"}, timeColumns, rows); err != nil {
		return fmt.Errorf("visit: save time: %w", err)
	}
	return nil
}

func (s *Service) times(ctx context.Context, tenant int64, condition string, args ...any) ([]Time, error) {
	var all []Time
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		all = nil
		rows, err := tx.Query(ctx, `SELECT time_id, visit_id, incident_id, school_id, technician_id, day, minutes, note, withdrawn, logged_at FROM work_time WHERE tenant_id = $1`+
			condition+` ORDER BY day, time_id LIMIT `+strconv.Itoa(MaxEntries), append([]any{tenant}, args...)...)
		if err != nil {
			return fmt.Errorf("visit: time: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var t Time
			var withdrawn, logged int64
			if err := rows.Scan(&t.ID, &t.Visit, &t.Incident, &t.School, &t.Technician, &t.Day, &t.Minutes, &t.Note, &withdrawn, &logged); err != nil {
				return fmt.Errorf("visit: time: %w", err)
			}
			t.Withdrawn, t.LoggedAt = withdrawn != 0, sqldb.Time(logged)
			all = append(all, t)
		}
		return rows.Err()
	})
	return all, err
}

func (s *Service) timeByID(ctx context.Context, tenant, id int64) (Time, error) {
	all, err := s.times(ctx, tenant, ` AND time_id = $2`, id)
	if err == nil && len(all) == 0 {
		err = fault.New(fault.NotFound, "error.visit.time_not_found")
	}
	if err != nil {
		return Time{}, err
	}
	return all[0], nil
}

// GetTime reads one entry.
func (s *Service) GetTime(ctx context.Context, by auth.Identity, id int64) (Time, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Time{}, err
	}
	return s.timeByID(ctx, by.Tenant, id)
}

// TimeOn lists the time spent on an incident, or on a visit and its incidents,
// by day; what was withdrawn is left out. It is the unit's own business.
func (s *Service) TimeOn(ctx context.Context, by auth.Identity, on On) ([]Time, error) {
	if !by.Can(auth.HandleIncident) {
		return nil, nil
	}
	if on.Incident != 0 {
		return s.times(ctx, by.Tenant, ` AND incident_id = $2 AND withdrawn = 0`, on.Incident)
	}
	return s.times(ctx, by.Tenant, ` AND visit_id = $2 AND withdrawn = 0`, on.Visit)
}

// Minutes sums the time spent on incidents. Who may not handle incidents is
// told nothing.
func (s *Service) Minutes(ctx context.Context, by auth.Identity, incidents []int64) (map[int64]int, error) {
	return s.sums(ctx, by, "incident_id", incidents)
}

// Spent sums the time spent on visits, their incidents included, as Minutes
// does.
func (s *Service) Spent(ctx context.Context, by auth.Identity, visits []int64) (map[int64]int, error) {
	return s.sums(ctx, by, "visit_id", visits)
}

func (s *Service) sums(ctx context.Context, by auth.Identity, column string, ids []int64) (map[int64]int, error) {
	sums := make(map[int64]int, len(ids))
	if !by.Can(auth.HandleIncident) {
		return sums, nil
	}
	for part := range slices.Chunk(ids, 500) {
		args := []any{by.Tenant}
		marks := make([]string, len(part))
		for k, id := range part {
			args = append(args, id)
			marks[k] = "$" + strconv.Itoa(k+2)
		}
		err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			rows, err := tx.Query(ctx, `SELECT `+column+`, sum(minutes) FROM work_time WHERE tenant_id = $1 AND withdrawn = 0 AND `+column+` IN (`+strings.Join(marks, ",")+`) GROUP BY `+column, args...)
			if err != nil {
				return fmt.Errorf("visit: time: %w", err)
			}
			defer rows.Close()
			for rows.Next() {
				var id int64
				var minutes int
				if err := rows.Scan(&id, &minutes); err != nil {
					return fmt.Errorf("visit: time: %w", err)
				}
				sums[id] = minutes
			}
			return rows.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}
