package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Wanted is what names somebody.
type Wanted struct {
	Names  []string `json:"names,omitempty"`
	Emails []string `json:"emails,omitempty"`
	Phones []string `json:"phones,omitempty"`
	Keys   []string `json:"keys,omitempty"` // logins, numbers in other software
	// Shared are names that somebody else has too: they are never taken for
	// this person without being asked.
	Shared []string `json:"shared,omitempty"`
}

// Somebody is whom an export or an erasure is about: an account, a person of
// the directory, both, or only an address that wrote to us.
type Somebody struct {
	Wanted

	Account int64
	Person  int64
	Login   string
	Name    string // as shown
	Role    auth.Role
	School  int64
	Erased  bool // nothing is left to erase
}

// Key names somebody in an address: "account.3", "person.12", "address.x@y.fr".
func (p Somebody) Key() string {
	switch {
	case p.Account != 0:
		return "account." + strconv.FormatInt(p.Account, 10)
	case p.Person != 0:
		return "person." + strconv.FormatInt(p.Person, 10)
	case len(p.Emails) > 0:
		return "address." + p.Emails[0]
	}
	return ""
}

// Confirmation is what has to be typed before an erasure: the login, else the
// address, else the name.
func (p Somebody) Confirmation() string {
	switch {
	case p.Login != "":
		return p.Login
	case len(p.Emails) > 0:
		return p.Emails[0]
	}
	return p.Name
}

const maxFound = 30

// Look finds people by a part of their login, name or address.
func (s *Service) Look(ctx context.Context, by auth.Identity, text string) ([]Somebody, error) {
	if err := s.mayManage(by); err != nil {
		return nil, err
	}
	text = strings.TrimSpace(text)
	if len(text) > 200 {
		return nil, fault.InvalidField("q", "error.field.too_long", "max", 200)
	}
	wanted := fold(text).text
	if wanted == "" {
		return nil, nil
	}
	var found []Somebody
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		seen := map[int64]bool{}
		rows, err := tx.Query(ctx, `SELECT a.account_id, a.person_id, a.login, COALESCE(NULLIF(a.name, ''), NULLIF(p.name, ''), a.login), a.role, COALESCE(p.email, ''), COALESCE(p.school_id, 0)
			FROM account a LEFT JOIN person p ON p.tenant_id = a.tenant_id AND p.person_id = a.person_id WHERE a.tenant_id = $1 ORDER BY a.login`, s.tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p Somebody
			var role, email string
			if err := rows.Scan(&p.Account, &p.Person, &p.Login, &p.Name, &role, &email, &p.School); err != nil {
				return err
			}
			p.Role = auth.Role(role)
			seen[p.Person] = true
			if email != "" {
				p.Emails = []string{email}
			}
			if len(found) < maxFound && strings.Contains(fold(p.Login+" "+p.Name+" "+email).text, wanted) {
				found = append(found, p)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		people, err := tx.Query(ctx, `SELECT person_id, name, email, school_id FROM person WHERE tenant_id = $1 ORDER BY name`, s.tenant)
		if err != nil {
			return err
		}
		defer people.Close()
		for people.Next() {
			var p Somebody
			var email string
			if err := people.Scan(&p.Person, &p.Name, &email, &p.School); err != nil {
				return err
			}
			if email != "" {
				p.Emails = []string{email}
			}
			if len(found) < maxFound && !seen[p.Person] && strings.Contains(fold(p.Name+" "+email).text, wanted) {
				found = append(found, p)
			}
		}
		if err := people.Err(); err != nil {
			return err
		}
		people.Close()
		if !strings.Contains(text, "@") || slices.ContainsFunc(found, func(p Somebody) bool {
			return slices.ContainsFunc(p.Emails, func(e string) bool { return strings.EqualFold(e, text) })
		}) {
			return nil
		}
		known, err := s.knowsAddress(ctx, tx, strings.ToLower(text))
		if err == nil && known {
			found = append(found, Somebody{Name: strings.ToLower(text), Wanted: Wanted{Emails: []string{strings.ToLower(text)}}})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("privacy: look: %w", err)
	}
	return found, nil
}

// knowsAddress tells whether an address without account or person wrote to us,
// or was written to.
func (s *Service) knowsAddress(ctx context.Context, tx *sqldb.Tx, address string) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, whole+`SELECT (SELECT count(*) FROM mail_message WHERE tenant_id = $1 AND lower(from_email) = $2)
		+ (SELECT count(*) FROM notify_message WHERE tenant_id = $1 AND lower(address) = $2)
		+ (SELECT count(*) FROM label_report WHERE tenant_id = $1 AND lower(email) = $2)`, s.tenant, address).Scan(&n)
	return n > 0, err
}

// Find gives somebody by login, by address or by Key.
func (s *Service) Find(ctx context.Context, by auth.Identity, who string) (Somebody, error) {
	if err := s.mayManage(by); err != nil {
		return Somebody{}, err
	}
	var p Somebody
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		p, err = s.find(ctx, tx, strings.TrimSpace(who))
		return err
	})
	return p, err
}

// Self gives the person that somebody signed in is.
func (s *Service) Self(ctx context.Context, by auth.Identity) (Somebody, error) {
	if by.Tenant != s.tenant || by.Account == 0 {
		return Somebody{}, fault.New(fault.Forbidden, "error.forbidden")
	}
	var p Somebody
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p = Somebody{Account: by.Account}
		return s.fill(ctx, tx, &p)
	})
	return p, err
}

func (s *Service) find(ctx context.Context, tx *sqldb.Tx, who string) (Somebody, error) {
	var p Somebody
	kind, rest, _ := strings.Cut(who, ".")
	number, err := strconv.ParseInt(rest, 10, 64)
	switch {
	case kind == "account" && err == nil:
		p.Account = number
	case kind == "person" && err == nil:
		p.Person = number
	default:
		address := strings.ToLower(who)
		if kind == "address" {
			address = strings.ToLower(rest)
		}
		err := tx.QueryRow(ctx, `SELECT account_id FROM account WHERE tenant_id = $1 AND login = $2`, s.tenant, strings.ToLower(who)).Scan(&p.Account)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return p, err
		}
		if p.Account == 0 && strings.Contains(address, "@") {
			if err := tx.QueryRow(ctx, `SELECT coalesce(min(person_id), 0) FROM person WHERE tenant_id = $1 AND lower(email) = $2`, s.tenant, address).Scan(&p.Person); err != nil {
				return p, err
			}
			if p.Person == 0 {
				known, err := s.knowsAddress(ctx, tx, address)
				if err != nil {
					return p, err
				}
				if !known {
					return p, notFound()
				}
				p.Name, p.Emails = address, []string{address}
			}
		}
	}
	if p.Account == 0 && p.Person == 0 && len(p.Emails) == 0 {
		return p, notFound()
	}
	return p, s.fill(ctx, tx, &p)
}

// fill adds everything that names somebody, now and before, but what somebody
// else is named by too.
func (s *Service) fill(ctx context.Context, tx *sqldb.Tx, p *Somebody) error {
	if err := s.name(ctx, tx, p); err != nil {
		return err
	}
	return s.share(ctx, tx, p)
}

// name adds everything that names somebody, now and before.
func (s *Service) name(ctx context.Context, tx *sqldb.Tx, p *Somebody) error {
	add := func(to *[]string, text string) {
		text = strings.TrimSpace(text)
		if text != "" && !nobody(text) && !slices.ContainsFunc(*to, func(have string) bool { return fold(have).text == fold(text).text }) {
			*to = append(*to, text)
		}
	}
	if p.Account == 0 && p.Person != 0 {
		if err := tx.QueryRow(ctx, `SELECT coalesce(min(account_id), 0) FROM account WHERE tenant_id = $1 AND person_id = $2`, s.tenant, p.Person).Scan(&p.Account); err != nil {
			return err
		}
	}
	if p.Account != 0 {
		var role, name, subject string
		err := tx.QueryRow(ctx, `SELECT login, name, person_id, role, subject FROM account WHERE tenant_id = $1 AND account_id = $2`, s.tenant, p.Account).Scan(&p.Login, &name, &p.Person, &role, &subject)
		if errors.Is(err, sql.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		p.Role, p.Name = auth.Role(role), name
		p.Erased = strings.HasPrefix(p.Login, erasedLogin)
		add(&p.Names, name)
		if !p.Erased {
			add(&p.Keys, p.Login)
		}
		add(&p.Keys, subject)
		if strings.Contains(p.Login, "@") {
			add(&p.Emails, p.Login)
		}
	}
	if p.Person != 0 {
		var name, email, phone, external string
		err := tx.QueryRow(ctx, `SELECT name, email, phone, external, school_id FROM person WHERE tenant_id = $1 AND person_id = $2`, s.tenant, p.Person).Scan(&name, &email, &phone, &external, &p.School)
		if errors.Is(err, sql.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if p.Name == "" {
			p.Name = name
		}
		if p.Account == 0 {
			p.Erased = nobody(name)
		}
		events, err := journal.Of(ctx, tx, s.tenant, journal.Subject{Kind: directory.SubjectPerson, ID: p.Person})
		if err != nil {
			return err
		}
		add(&p.Names, name)
		add(&p.Emails, email)
		add(&p.Phones, phone)
		add(&p.Keys, external)
		for k := range events {
			var was directory.Person
			if json.Unmarshal(events[k].Data, &was) == nil {
				add(&p.Names, was.Name)
				add(&p.Emails, was.Email)
				add(&p.Phones, was.Phone)
				add(&p.Keys, was.External)
			}
		}
	}
	for k := range p.Emails {
		p.Emails[k] = strings.ToLower(p.Emails[k])
	}
	for _, e := range p.Emails {
		signed, err := texts(ctx, tx, `SELECT DISTINCT from_name FROM mail_message WHERE tenant_id = $1 AND lower(from_email) = $2
			UNION SELECT DISTINCT name FROM label_report WHERE tenant_id = $1 AND lower(email) = $2`, s.tenant, e)
		if err != nil {
			return err
		}
		for _, name := range signed {
			if t := tokens(name); len(t) >= 2 && (len(p.Names) == 0 || slices.ContainsFunc(p.Names, func(n string) bool { return common(tokens(n), t) })) {
				add(&p.Names, name)
			}
		}
	}
	if p.Name == "" && len(p.Names) > 0 {
		p.Name = p.Names[0]
	}
	return nil
}

func common(a, b []string) bool {
	return slices.ContainsFunc(a, func(t string) bool { return len(t) > 2 && slices.Contains(b, t) })
}

// share sets aside the names, addresses and telephones that somebody else has too.
func (s *Service) share(ctx context.Context, tx *sqldb.Tx, p *Somebody) error {
	rows, err := tx.Query(ctx, `SELECT name, email, phone FROM person WHERE tenant_id = $1 AND person_id <> $2
		UNION ALL SELECT name, '', '' FROM account WHERE tenant_id = $1 AND account_id <> $3 AND name <> ''`, s.tenant, p.Person, p.Account)
	if err != nil {
		return err
	}
	defer rows.Close()
	key := func(name string) string {
		t := tokens(name)
		slices.Sort(t)
		return strings.Join(t, " ")
	}
	names := map[string]bool{}
	for _, n := range p.Names {
		names[key(n)] = true
	}
	for rows.Next() {
		var name, email, phone string
		if err := rows.Scan(&name, &email, &phone); err != nil {
			return err
		}
		if names[key(name)] {
			p.Names = slices.DeleteFunc(p.Names, func(n string) bool {
				same := key(n) == key(name)
				if same && !slices.Contains(p.Shared, n) {
					p.Shared = append(p.Shared, n)
				}
				return same
			})
		}
		if email != "" {
			p.Emails = slices.DeleteFunc(p.Emails, func(e string) bool { return strings.EqualFold(e, email) })
		}
		if d := digits(phone); d != "" {
			p.Phones = slices.DeleteFunc(p.Phones, func(f string) bool { return digits(f) == d })
		}
	}
	return rows.Err()
}
