package directory

import (
	"context"
	"encoding/json"
	"regexp"
	"time"
	_ "time/tzdata" // the program finds its time zone on any machine

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Settings are a département's own words and choices.
type Settings struct {
	Name     string `json:"name"`      // "Loiret"
	TimeZone string `json:"time_zone"` // IANA name
	Zone     string `json:"zone"`      // school-holiday zone of the schools that name none
	Accent   string `json:"accent"`    // colour "#rrggbb"; empty for the product's own
	Language string `json:"language"`  // "fr" or "en", for readers who chose none
}

// DefaultSettings are those of a new département.
var DefaultSettings = Settings{TimeZone: "Europe/Paris", Zone: "B", Language: "fr"}

var accent = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func (s Settings) encode() string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // five strings can always be written
	}
	return string(data)
}

// Location is the place whose clocks the département reads.
func (s Settings) Location() *time.Location {
	loc, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Settings gives the département's choices, the defaults for what was not chosen.
func (s *Service) Settings(ctx context.Context, tenant int64) (Settings, error) {
	index, err := s.Index(ctx, tenant)
	if err != nil {
		return Settings{}, err
	}
	return index.Settings(), nil
}

// SaveSettings changes the département's choices.
func (s *Service) SaveSettings(ctx context.Context, by auth.Identity, in Settings) error {
	in.Name = clean(in.Name)
	var fields fault.Fields
	checkText(&fields, "name", in.Name, maxName, true)
	if _, err := time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "" || in.TimeZone == "Local" {
		fields.Add("time_zone", "error.directory.time_zone")
	}
	if !validZone(in.Zone) || in.Zone == "" {
		fields.Add("zone", "error.directory.zone")
	}
	if in.Accent != "" && !accent.MatchString(in.Accent) {
		fields.Add("accent", "error.directory.accent")
	}
	if in.Language != "fr" && in.Language != "en" {
		fields.Add("language", "error.directory.language")
	}
	if err := fields.Err(); err != nil {
		return err
	}
	return s.command(ctx, by, func(context.Context, *sqldb.Tx) ([]change, error) {
		return []change{{subject: journal.Subject{Kind: SubjectTenant, ID: by.Tenant}, verb: saved, state: in}}, nil
	})
}

// validZone tells whether a school-holiday zone is one of the ministry's, a
// name of its own ("Corse", "La Réunion"), or none.
func validZone(zone string) bool { return len([]rune(zone)) <= 40 && zone == clean(zone) }

func settings(ctx context.Context, tx *sqldb.Tx, tenant int64) (Settings, error) {
	s := DefaultSettings
	err := each(ctx, tx, `SELECT name, settings FROM tenant WHERE tenant_id = $1`, []any{tenant}, func(scan func(...any) error) error {
		var name, data string
		if err := scan(&name, &data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &s); err != nil {
			return err
		}
		s.Name = name
		return nil
	})
	return s, err
}
