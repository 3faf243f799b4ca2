package directory

import (
	"context"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// tidy puts a school as it is kept.
func (s School) tidy() School {
	s.UAI = strings.ToUpper(clean(s.UAI))
	s.Name, s.Commune, s.INSEE, s.PostalCode, s.Address, s.Zone = clean(s.Name), clean(s.Commune), clean(s.INSEE), clean(s.PostalCode), clean(s.Address), clean(s.Zone)
	if s.Name == "" {
		s.Name = s.UAI
	}
	if !s.Located {
		s.Lat, s.Lon = 0, 0
	}
	return s
}

func (s School) check() error {
	var fields fault.Fields
	checkText(&fields, "uai", s.UAI, 64, true)
	checkText(&fields, "name", s.Name, maxName, true)
	checkText(&fields, "commune", s.Commune, maxName, false)
	checkText(&fields, "insee", s.INSEE, 10, false)
	checkText(&fields, "postal_code", s.PostalCode, 20, false)
	checkText(&fields, "address", s.Address, maxText, false)
	if s.Located && !(s.Lat >= -90 && s.Lat <= 90) {
		fields.Add("lat", "error.directory.latitude")
	}
	if s.Located && !(s.Lon >= -180 && s.Lon <= 180) {
		fields.Add("lon", "error.directory.longitude")
	}
	if !validZone(s.Zone) {
		fields.Add("zone", "error.directory.zone")
	}
	if s.Closed != 0 && s.Closed < s.Opened {
		fields.Add("closed", "error.directory.closed_before_opened")
	}
	return fields.Err()
}

func (s School) saved() change {
	return change{subject: journal.Subject{Kind: SubjectSchool, ID: s.ID}, school: s.ID, verb: saved, state: s}
}

// SaveSchool creates a school (ID 0) or changes the one of that ID, and gives
// it as kept. The UAI must be free.
func (s *Service) SaveSchool(ctx context.Context, by auth.Identity, in School) (School, error) {
	in = in.tidy()
	if err := in.check(); err != nil {
		return School{}, err
	}
	isNew := in.ID == 0
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		if taken, err := exists(ctx, tx, `SELECT 1 FROM school WHERE tenant_id = $1 AND uai = $2 AND school_id <> $3`, by.Tenant, in.UAI, in.ID); err != nil {
			return nil, err
		} else if taken {
			return nil, fault.InvalidField("uai", "error.directory.uai_taken", "uai", in.UAI)
		}
		if err := s.identify(ctx, tx, by.Tenant, SubjectSchool, &in.ID, isNew); err != nil {
			return nil, err
		}
		return []change{in.saved()}, nil
	})
	return in, err
}

// identify numbers a new thing, or makes sure that the changed one is there.
func (s *Service) identify(ctx context.Context, tx *sqldb.Tx, tenant int64, subject string, id *int64, isNew bool) error {
	if isNew {
		var err error
		*id, err = tx.NextIDs(ctx, tenant, subject, 1)
		return err
	}
	t := tables[subject]
	found, err := exists(ctx, tx, `SELECT 1 FROM `+t.name+` WHERE tenant_id = $1 AND `+t.key[1]+` = $2`, tenant, *id)
	if err == nil && !found {
		err = notFound(subject)
	}
	return err
}

func (r Room) tidy() Room {
	r.Name = clean(r.Name)
	return r
}

func (r Room) check() error {
	var fields fault.Fields
	checkText(&fields, "name", r.Name, maxName, true)
	if r.Network != NetworkUnknown && !slices.Contains(Networks, r.Network) {
		fields.Add("network", "error.directory.network")
	}
	if r.School == 0 {
		fields.Add("school", "error.field.required")
	}
	return fields.Err()
}

func (r Room) saved() change {
	return change{subject: journal.Subject{Kind: SubjectRoom, ID: r.ID}, school: r.School, verb: saved, state: r}
}

// SaveRoom creates a room (ID 0) or changes the one of that ID. The name must
// be free in the school.
func (s *Service) SaveRoom(ctx context.Context, by auth.Identity, in Room) (Room, error) {
	in = in.tidy()
	if err := in.check(); err != nil {
		return Room{}, err
	}
	isNew := in.ID == 0
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		if err := requireSchool(ctx, tx, by.Tenant, in.School); err != nil {
			return nil, err
		}
		if taken, err := exists(ctx, tx, `SELECT 1 FROM room WHERE tenant_id = $1 AND school_id = $2 AND name = $3 AND room_id <> $4`, by.Tenant, in.School, in.Name, in.ID); err != nil {
			return nil, err
		} else if taken {
			return nil, fault.InvalidField("name", "error.directory.name_taken", "name", in.Name)
		}
		if err := s.identify(ctx, tx, by.Tenant, SubjectRoom, &in.ID, isNew); err != nil {
			return nil, err
		}
		return []change{in.saved()}, nil
	})
	return in, err
}

func requireSchool(ctx context.Context, tx *sqldb.Tx, tenant, school int64) error {
	found, err := schoolExists(ctx, tx, tenant, school)
	if err == nil && !found {
		err = fault.InvalidField("school", "error.directory.school_not_found")
	}
	return err
}

func (p Person) tidy() Person {
	p.Name, p.Email, p.Phone, p.External = clean(p.Name), clean(p.Email), clean(p.Phone), clean(p.External)
	if p.Name == "" {
		p.Name = p.External
	}
	if p.Kind == "" {
		p.Kind = OtherPerson
	}
	return p
}

func (p Person) check() error {
	var fields fault.Fields
	checkText(&fields, "name", p.Name, maxName, true)
	checkText(&fields, "email", p.Email, maxName, false)
	checkText(&fields, "phone", p.Phone, 60, false)
	checkText(&fields, "external", p.External, maxName, false)
	if p.Email != "" && !strings.Contains(p.Email, "@") {
		fields.Add("email", "error.directory.email")
	}
	if p.Team != 0 && p.Kind != Staff {
		fields.Add("team", "error.directory.person_team")
	}
	if !slices.Contains(PersonKinds, p.Kind) {
		fields.Add("kind", "error.directory.person_kind")
	}
	return fields.Err()
}

func (p Person) saved() change {
	return change{subject: journal.Subject{Kind: SubjectPerson, ID: p.ID}, school: p.School, verb: saved, state: p}
}

// SavePerson creates a person (ID 0) or changes the one of that ID.
func (s *Service) SavePerson(ctx context.Context, by auth.Identity, in Person) (Person, error) {
	in = in.tidy()
	if err := in.check(); err != nil {
		return Person{}, err
	}
	isNew := in.ID == 0
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		if in.School != 0 {
			if err := requireSchool(ctx, tx, by.Tenant, in.School); err != nil {
				return nil, err
			}
		}
		if in.Team != 0 {
			if found, err := exists(ctx, tx, `SELECT 1 FROM team WHERE tenant_id = $1 AND team_id = $2`, by.Tenant, in.Team); err != nil {
				return nil, err
			} else if !found {
				return nil, fault.InvalidField("team", "error.field.unknown")
			}
		}
		if taken, err := exists(ctx, tx, `SELECT 1 FROM person WHERE tenant_id = $1 AND external = $2 AND external <> '' AND person_id <> $3`, by.Tenant, in.External, in.ID); err != nil {
			return nil, err
		} else if taken {
			return nil, fault.InvalidField("external", "error.directory.external_taken", "external", in.External)
		}
		if err := s.identify(ctx, tx, by.Tenant, SubjectPerson, &in.ID, isNew); err != nil {
			return nil, err
		}
		return []change{in.saved()}, nil
	})
	return in, err
}

func (t Team) check() error {
	var fields fault.Fields
	checkText(&fields, "name", t.Name, maxName, true)
	return fields.Err()
}

func (t Team) saved() change {
	return change{subject: journal.Subject{Kind: SubjectTeam, ID: t.ID}, verb: saved, state: t}
}

// SaveTeam creates a team (ID 0) or changes the one of that ID. The name must
// be free.
func (s *Service) SaveTeam(ctx context.Context, by auth.Identity, in Team) (Team, error) {
	in.Name = clean(in.Name)
	if err := in.check(); err != nil {
		return Team{}, err
	}
	isNew := in.ID == 0
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		if taken, err := exists(ctx, tx, `SELECT 1 FROM team WHERE tenant_id = $1 AND name = $2 AND team_id <> $3`, by.Tenant, in.Name, in.ID); err != nil {
			return nil, err
		} else if taken {
			return nil, fault.InvalidField("name", "error.directory.name_taken", "name", in.Name)
		}
		if err := s.identify(ctx, tx, by.Tenant, SubjectTeam, &in.ID, isNew); err != nil {
			return nil, err
		}
		return []change{in.saved()}, nil
	})
	return in, err
}

func (e Exposure) check() error {
	var fields fault.Fields
	if e.School == 0 {
		fields.Add("school", "error.field.required")
	}
	if e.Computers < 0 || e.Computers > 1_000_000 {
		fields.Add("computers", "error.directory.count")
	}
	if e.Pupils < 0 || e.Pupils > 1_000_000 {
		fields.Add("pupils", "error.directory.count")
	}
	checkText(&fields, "source", e.Source, maxName, false)
	return fields.Err()
}

func (e Exposure) event(verb string) change {
	return change{subject: journal.Subject{Kind: SubjectExposure, ID: e.School}, school: e.School, verb: verb, state: e}
}

// SaveExposures sets denominators; a figure of the same school and day is
// replaced. What is already so makes no event. It returns how many changed.
func (s *Service) SaveExposures(ctx context.Context, by auth.Identity, in []Exposure) (int, error) {
	for _, e := range in {
		if err := e.check(); err != nil {
			return 0, err
		}
	}
	var n int
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		known, err := knownIDs(ctx, tx, `SELECT school_id FROM school WHERE tenant_id = $1`, by.Tenant)
		if err != nil {
			return nil, err
		}
		stored, err := exposures(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		type key struct {
			school int64
			from   calendar.Day
		}
		now := make(map[key]Exposure, len(stored))
		for _, e := range stored {
			now[key{e.School, e.From}] = e
		}
		var changes []change
		for _, e := range in {
			if !known[e.School] {
				return nil, fault.InvalidField("school", "error.directory.school_not_found")
			}
			k := key{e.School, e.From}
			if old, ok := now[k]; ok && old == e {
				continue
			}
			now[k] = e
			changes = append(changes, e.event(saved))
		}
		n = len(changes)
		return changes, nil
	})
	return n, err
}

// RemoveExposure forgets a school's denominators of a day.
func (s *Service) RemoveExposure(ctx context.Context, by auth.Identity, school int64, from calendar.Day) error {
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := exposures(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		for _, e := range stored {
			if e.School == school && e.From == from {
				return []change{e.event(removed)}, nil
			}
		}
		return nil, notFound(SubjectExposure)
	})
}

func knownIDs(ctx context.Context, tx *sqldb.Tx, query string, tenant int64) (map[int64]bool, error) {
	ids := map[int64]bool{}
	err := each(ctx, tx, query, []any{tenant}, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids[id] = true
		return err
	})
	return ids, err
}

// UpdateSchools creates or changes many schools in one transaction, told apart
// by their UAI. merge gets the school as it stands (only its UAI for a new one)
// and gives it as it should be; it may run more than once. What does not change
// makes no event.
func (s *Service) UpdateSchools(ctx context.Context, by auth.Identity, uais []string, merge func(School) School) (created, changed int, err error) {
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		created, changed = 0, 0
		stored, err := schools(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		byUAI := make(map[string]School, len(stored))
		for _, school := range stored {
			byUAI[school.UAI] = school
		}
		var changes []change
		for _, uai := range uais {
			uai = School{UAI: uai}.tidy().UAI
			old, known := byUAI[uai]
			old.UAI = uai
			next := merge(old).tidy()
			next.ID, next.UAI = old.ID, uai
			if known && next == old {
				continue
			}
			if err := next.check(); err != nil {
				return nil, err
			}
			if known {
				changed++
			} else {
				created++
				if next.ID, err = tx.NextIDs(ctx, by.Tenant, SubjectSchool, 1); err != nil {
					return nil, err
				}
			}
			byUAI[uai] = next
			changes = append(changes, next.saved())
		}
		return changes, nil
	})
	return created, changed, err
}
