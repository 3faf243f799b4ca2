package app

import (
	"cmp"
	"context"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
)

// provision gives the person of somebody who comes from a directory or an
// identity provider for the first time: the one of that e-mail address, if
// there is exactly one, else a new one. An administrator needs none.
func (a *App) provision(ctx context.Context, who auth.Outsider, role auth.Role, schools []int64) (int64, error) {
	if role == auth.Administrator {
		return 0, nil
	}
	places, err := a.Directory.Index(ctx, Tenant)
	if err != nil {
		return 0, err
	}
	var same []directory.Person
	for _, p := range places.People() {
		if who.Email != "" && strings.EqualFold(p.Email, who.Email) {
			same = append(same, p)
		}
	}
	if len(same) == 1 {
		return same[0].ID, nil
	}
	p := directory.Person{Name: cmp.Or(who.Name, who.Login), Email: who.Email, Kind: map[auth.Role]directory.PersonKind{
		auth.Lead: directory.Staff, auth.Technician: directory.Staff, auth.Referent: directory.ITReferent, auth.Declarant: directory.Teacher,
	}[role]}
	if len(schools) == 1 {
		p.School = schools[0]
	}
	p, err = a.Directory.SavePerson(ctx, auth.System(Tenant), p)
	return p.ID, err
}
