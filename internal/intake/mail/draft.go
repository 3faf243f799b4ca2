package mailin

import (
	"context"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
)

// Draft is what a form that makes an incident of a message begins with.
func (s *Service) Draft(ctx context.Context, by auth.Identity, id int64) (NewIncident, error) {
	m, err := s.Parsed(ctx, by, id)
	if err != nil {
		return NewIncident{}, err
	}
	places, err := s.Directory.Index(ctx, s.Tenant)
	if err != nil {
		return NewIncident{}, err
	}
	d := NewIncident{Title: titleOf(m), Description: m.Body.Said(), Name: m.From.Name}
	if senders := sendersOf(places, m); len(senders) > 0 {
		d.School = senders[0].School
	}
	if d.School == 0 {
		d.School = schoolIn(m.Title+"\n"+m.Body.Whole(), places.Schools())
	}
	if d.School == 0 {
		d.School = schoolOfDomain(places, m.From.Domain())
	}
	return d, nil
}

// schoolOfDomain is the school to which everybody with an address of that
// domain belongs; 0 when there are several, or nobody.
func schoolOfDomain(places *directory.Index, domain string) int64 {
	if domain == "" {
		return 0
	}
	school := int64(0)
	for _, p := range places.People() {
		if p.School == 0 || !strings.HasSuffix(strings.ToLower(p.Email), "@"+domain) {
			continue
		}
		if school != 0 && school != p.School {
			return 0
		}
		school = p.School
	}
	return school
}
