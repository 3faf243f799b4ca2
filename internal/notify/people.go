package notify

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
)

// people are those who may be told, as they are now.
type people struct {
	tenant    int64
	places    *directory.Index
	byPerson  map[int64]auth.Identity // of the accounts in office
	someStaff []reader
}

// readers reads the directory and the accounts.
func (s *Service) readers(ctx context.Context) (*people, error) {
	places, err := s.places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return nil, err
	}
	accounts, err := s.accounts.Accounts(ctx, auth.System(s.cfg.Tenant))
	if err != nil {
		return nil, err
	}
	p := &people{tenant: s.cfg.Tenant, places: places, byPerson: map[int64]auth.Identity{}}
	for _, a := range accounts {
		if a.Disabled || a.Person == 0 {
			continue
		}
		id := auth.Identity{Tenant: s.cfg.Tenant, Account: a.ID, Person: a.Person, Login: a.Login, Name: a.Name, Role: a.Role, Schools: a.Schools, Locale: a.Locale}
		// Of several accounts of one person, the one that sees the most.
		if was, several := p.byPerson[a.Person]; !several || slices.Index(auth.Roles, a.Role) < slices.Index(auth.Roles, was.Role) {
			p.byPerson[a.Person] = id
		}
	}
	return p, nil
}

// of gives a person, with what they may see: by their account, else as
// somebody who sees what they declared.
func (p *people) of(person int64) (reader, bool) {
	known, ok := p.places.Person(person)
	if !ok || person == 0 {
		return reader{}, false
	}
	who, account := p.byPerson[person]
	if !account {
		who = auth.Somebody(p.tenant, person, known.Name)
	}
	return reader{person: person, address: known.Email, name: known.Name, team: known.Team, who: who}, true
}

// staff are the people who handle incidents.
func (p *people) staff() []reader {
	if p.someStaff == nil {
		p.someStaff = p.where(func(id auth.Identity) bool { return id.Can(auth.HandleIncident) })
	}
	return p.someStaff
}

// referents are those of a school.
func (p *people) referents(school int64) []reader {
	return p.where(func(id auth.Identity) bool { return id.Role == auth.Referent && slices.Contains(id.Schools, school) })
}

func (p *people) where(keep func(auth.Identity) bool) []reader {
	var list []reader
	for person, id := range p.byPerson {
		if r, ok := p.of(person); ok && keep(id) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b reader) int { return cmp.Compare(a.person, b.person) })
	return list
}

// lang is the language in which a person is written to.
func (r reader) lang(settings directory.Settings) locale.Lang {
	return locale.Match(cmp.Or(r.who.Locale, settings.Language), "")
}

// mode is what a person chose of a topic, else what is the default of their role.
func (s *Service) mode(ctx context.Context, r reader, topic Topic) (Mode, error) {
	if topic == "" {
		return Now, nil
	}
	mode := standing(r.who.Role, topic)
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, q := range []struct {
			query string
			key   any
		}{
			{`SELECT mode FROM notify_default WHERE tenant_id = $1 AND role = $2 AND topic = $3`, string(r.who.Role)},
			{`SELECT mode FROM notify_preference WHERE tenant_id = $1 AND person_id = $2 AND topic = $3`, r.person},
		} {
			err := tx.QueryRow(ctx, q.query, s.cfg.Tenant, q.key, string(topic)).Scan(&mode)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		return nil
	})
	return mode, err
}

func sortedKeys[V any](m map[int64]V) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
