package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"statincidents/internal/calendar"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// table says how the state of one kind of subject is stored. The key columns
// come first.
type table struct {
	name    string
	key     []string
	columns []string
	row     func(tenant int64, data []byte) ([]any, error)
}

// rowOf decodes an event's state and lays it out as a row.
func rowOf[T any](lay func(tenant int64, state T) []any) func(int64, []byte) ([]any, error) {
	return func(tenant int64, data []byte) ([]any, error) {
		var state T
		if err := json.Unmarshal(data, &state); err != nil {
			return nil, err
		}
		return lay(tenant, state), nil
	}
}

var tables = map[string]table{
	SubjectTenant: {
		name: "tenant", key: []string{"tenant_id"}, columns: []string{"tenant_id", "name", "settings"},
		row: rowOf(func(t int64, s Settings) []any { return []any{t, s.Name, s.encode()} }),
	},
	SubjectSchool: {
		name: "school", key: []string{"tenant_id", "school_id"},
		columns: []string{"tenant_id", "school_id", "uai", "name", "commune", "insee", "postal_code", "address", "lat", "lon", "located", "zone", "opened_day", "closed_day"},
		row: rowOf(func(t int64, s School) []any {
			return []any{t, s.ID, s.UAI, s.Name, s.Commune, s.INSEE, s.PostalCode, s.Address, s.Lat, s.Lon, sqldb.Flag(s.Located), s.Zone, int64(s.Opened), int64(s.Closed)}
		}),
	},
	SubjectRoom: {
		name: "room", key: []string{"tenant_id", "room_id"},
		columns: []string{"tenant_id", "room_id", "school_id", "name", "network", "archived"},
		row: rowOf(func(t int64, r Room) []any {
			return []any{t, r.ID, r.School, r.Name, string(r.Network), sqldb.Flag(r.Archived)}
		}),
	},
	SubjectPerson: {
		name: "person", key: []string{"tenant_id", "person_id"},
		columns: []string{"tenant_id", "person_id", "name", "kind", "school_id", "email", "phone", "external", "team_id"},
		row: rowOf(func(t int64, p Person) []any {
			return []any{t, p.ID, p.Name, string(p.Kind), p.School, p.Email, p.Phone, p.External, p.Team}
		}),
	},
	SubjectTeam: {
		name: "team", key: []string{"tenant_id", "team_id"}, columns: []string{"tenant_id", "team_id", "name", "archived"},
		row: rowOf(func(t int64, team Team) []any { return []any{t, team.ID, team.Name, sqldb.Flag(team.Archived)} }),
	},
	SubjectExposure: {
		name: "exposure", key: []string{"tenant_id", "school_id", "from_day"},
		columns: []string{"tenant_id", "school_id", "from_day", "computers", "pupils", "source"},
		row: rowOf(func(t int64, e Exposure) []any {
			return []any{t, e.School, int64(e.From), e.Computers, e.Pupils, e.Source}
		}),
	},
	SubjectSchoolHoliday: {
		name: "school_holiday", key: []string{"tenant_id", "zone", "first_day"},
		columns: []string{"tenant_id", "zone", "first_day", "last_day", "name"},
		row:     rowOf(func(t int64, h HolidayPeriod) []any { return []any{t, h.Zone, int64(h.First), int64(h.Last), h.Name} }),
	},
	SubjectPublicHoliday: {
		name: "public_holiday", key: []string{"tenant_id", "day"}, columns: []string{"tenant_id", "day", "name"},
		row: rowOf(func(t int64, h PublicHoliday) []any { return []any{t, int64(h.Day), h.Name} }),
	},
	SubjectClosure: {
		name: "closure", key: []string{"tenant_id", "closure_id"},
		columns: []string{"tenant_id", "closure_id", "school_id", "first_day", "last_day", "reason"},
		row: rowOf(func(t int64, c Closure) []any {
			return []any{t, c.ID, c.School, int64(c.First), int64(c.Last), c.Reason}
		}),
	},
	SubjectSupport: {
		name: "school_support", key: []string{"tenant_id", "school_id"},
		columns: []string{"tenant_id", "school_id", "first", "categories", "hours"},
		row: rowOf(func(t int64, s Support) []any {
			return []any{t, s.School, sqldb.Flag(s.First), categoryList(s.Categories), s.Hours}
		}),
	},
	// A school's hours are several rows, replaced together: see applyHours.
	SubjectHours: {name: "opening_hours"},
}

// applyHours replaces the hours of a school.
func applyHours(ctx context.Context, tx *sqldb.Tx, e journal.Event) error {
	var h Hours
	if err := json.Unmarshal(e.Data, &h); err != nil {
		return fmt.Errorf("directory: read event %s at %s: %w", e.Kind, e.Pos, err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM opening_hours WHERE tenant_id = $1 AND school_id = $2`, e.Tenant, h.School); err != nil {
		return fmt.Errorf("directory: replace opening hours: %w", err)
	}
	var rows [][]any
	for weekday, spans := range h.Week {
		for _, s := range spans {
			rows = append(rows, []any{e.Tenant, h.School, weekday, s.From, s.To})
		}
	}
	return tx.Insert(ctx, "opening_hours", []string{"tenant_id", "school_id", "weekday", "from_minute", "to_minute"}, rows, "")
}

// apply brings the tables to the state that the events tell. The commands and
// the rebuilding of the state from the journal both go through it.
func apply(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
	for len(events) > 0 {
		n, err := applyRun(ctx, tx, events)
		if err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// applyRun applies the longest run of events of the first one's kind that
// touches no key twice, in one statement or few, and returns its length.
func applyRun(ctx context.Context, tx *sqldb.Tx, events []journal.Event) (int, error) {
	kind := events[0].Kind
	subject, _, _ := strings.Cut(kind, ".")
	t, ok := tables[subject]
	if !ok {
		return 0, fmt.Errorf("directory: no table for event %s", kind)
	}
	if subject == SubjectHours {
		return 1, applyHours(ctx, tx, events[0])
	}
	seen := map[string]bool{}
	var rows [][]any
	for _, e := range events {
		if e.Kind != kind {
			break
		}
		row, err := t.row(e.Tenant, e.Data)
		if err != nil {
			return 0, fmt.Errorf("directory: read event %s at %s: %w", e.Kind, e.Pos, err)
		}
		key := fmt.Sprint(row[:len(t.key)]...)
		if seen[key] {
			break
		}
		seen[key] = true
		rows = append(rows, row)
	}
	if strings.HasSuffix(kind, removed) {
		return len(rows), t.remove(ctx, tx, rows)
	}
	return len(rows), tx.Upsert(ctx, t.name, t.key, t.columns, rows)
}

func (t table) remove(ctx context.Context, tx *sqldb.Tx, rows [][]any) error {
	var where []string
	for i, k := range t.key {
		where = append(where, fmt.Sprintf("%s = $%d", k, i+1))
	}
	for _, row := range rows {
		if _, err := tx.Exec(ctx, "DELETE FROM "+t.name+" WHERE "+strings.Join(where, " AND "), row[:len(t.key)]...); err != nil {
			return fmt.Errorf("directory: remove from %s: %w", t.name, err)
		}
	}
	return nil
}

// each runs a query and calls scan for each of its rows.
func each(ctx context.Context, tx *sqldb.Tx, query string, args []any, scan func(func(...any) error) error) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return fmt.Errorf("directory: %w", err)
		}
	}
	return rows.Err()
}

const selectSchool = `SELECT school_id, uai, name, commune, insee, postal_code, address, lat, lon, located, zone, opened_day, closed_day FROM school WHERE tenant_id = $1`

func schools(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]School, error) {
	var all []School
	err := each(ctx, tx, selectSchool, []any{tenant}, func(scan func(...any) error) error {
		var s School
		var located int64
		err := scan(&s.ID, &s.UAI, &s.Name, &s.Commune, &s.INSEE, &s.PostalCode, &s.Address, &s.Lat, &s.Lon, &located, &s.Zone, &s.Opened, &s.Closed)
		s.Located = located == 1
		all = append(all, s)
		return err
	})
	return all, err
}

func rooms(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Room, error) {
	var all []Room
	err := each(ctx, tx, `SELECT room_id, school_id, name, network, archived FROM room WHERE tenant_id = $1`, []any{tenant}, func(scan func(...any) error) error {
		var r Room
		var archived int64
		err := scan(&r.ID, &r.School, &r.Name, &r.Network, &archived)
		r.Archived = archived == 1
		all = append(all, r)
		return err
	})
	return all, err
}

func people(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Person, error) {
	var all []Person
	err := each(ctx, tx, `SELECT person_id, name, kind, school_id, email, phone, external, team_id FROM person WHERE tenant_id = $1`, []any{tenant}, func(scan func(...any) error) error {
		var p Person
		err := scan(&p.ID, &p.Name, &p.Kind, &p.School, &p.Email, &p.Phone, &p.External, &p.Team)
		all = append(all, p)
		return err
	})
	return all, err
}

func teams(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Team, error) {
	var all []Team
	err := each(ctx, tx, `SELECT team_id, name, archived FROM team WHERE tenant_id = $1`, []any{tenant}, func(scan func(...any) error) error {
		var t Team
		var archived int64
		err := scan(&t.ID, &t.Name, &archived)
		t.Archived = archived == 1
		all = append(all, t)
		return err
	})
	return all, err
}

func exposures(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Exposure, error) {
	var all []Exposure
	err := each(ctx, tx, `SELECT school_id, from_day, computers, pupils, source FROM exposure WHERE tenant_id = $1 ORDER BY school_id, from_day`, []any{tenant}, func(scan func(...any) error) error {
		var e Exposure
		err := scan(&e.School, &e.From, &e.Computers, &e.Pupils, &e.Source)
		all = append(all, e)
		return err
	})
	return all, err
}

// exists tells whether a query has a row.
func exists(ctx context.Context, tx *sqldb.Tx, query string, args ...any) (bool, error) {
	var found bool
	err := each(ctx, tx, query, args, func(func(...any) error) error {
		found = true
		return nil
	})
	return found, err
}

func schoolExists(ctx context.Context, tx *sqldb.Tx, tenant, id int64) (bool, error) {
	return exists(ctx, tx, `SELECT 1 FROM school WHERE tenant_id = $1 AND school_id = $2`, tenant, id)
}

func holidayPeriods(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]HolidayPeriod, error) {
	var all []HolidayPeriod
	err := each(ctx, tx, `SELECT zone, first_day, last_day, name FROM school_holiday WHERE tenant_id = $1 ORDER BY zone, first_day`, []any{tenant}, func(scan func(...any) error) error {
		var h HolidayPeriod
		err := scan(&h.Zone, &h.First, &h.Last, &h.Name)
		all = append(all, h)
		return err
	})
	return all, err
}

func publicHolidays(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]PublicHoliday, error) {
	var all []PublicHoliday
	err := each(ctx, tx, `SELECT day, name FROM public_holiday WHERE tenant_id = $1 ORDER BY day`, []any{tenant}, func(scan func(...any) error) error {
		var h PublicHoliday
		err := scan(&h.Day, &h.Name)
		all = append(all, h)
		return err
	})
	return all, err
}

// openingHours gives the hours of each school that has its own, and the
// département's under 0.
func openingHours(ctx context.Context, tx *sqldb.Tx, tenant int64) (map[int64]calendar.Week, error) {
	all := map[int64]calendar.Week{}
	err := each(ctx, tx, `SELECT school_id, weekday, from_minute, to_minute FROM opening_hours WHERE tenant_id = $1 ORDER BY school_id, weekday, from_minute`, []any{tenant}, func(scan func(...any) error) error {
		var school int64
		var weekday int
		var span calendar.Span
		if err := scan(&school, &weekday, &span.From, &span.To); err != nil {
			return err
		}
		if weekday < 0 || weekday > 6 {
			return fmt.Errorf("opening hours of school %d: weekday %d", school, weekday)
		}
		week := all[school]
		week[weekday] = append(week[weekday], span)
		all[school] = week
		return nil
	})
	return all, err
}

func closures(ctx context.Context, tx *sqldb.Tx, tenant int64) ([]Closure, error) {
	var all []Closure
	err := each(ctx, tx, `SELECT closure_id, school_id, first_day, last_day, reason FROM closure WHERE tenant_id = $1 ORDER BY first_day, closure_id`, []any{tenant}, func(scan func(...any) error) error {
		var c Closure
		err := scan(&c.ID, &c.School, &c.First, &c.Last, &c.Reason)
		all = append(all, c)
		return err
	})
	return all, err
}
