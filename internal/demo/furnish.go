package demo

import (
	"context"
	"errors"
	"fmt"

	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/fault"
	fleet "statincidents/internal/machine"
	"statincidents/internal/stock"
)

// House is everything that a demonstration fills.
type House struct {
	Services
	Desk
	Work

	Auth     *auth.Service
	Stock    *stock.Service
	Machines *fleet.Service
	Files    *attachment.Service
	Note     func(ctx context.Context, by auth.Identity, taken Taken) error // as a page or a program does
	Receive  func(ctx context.Context, letter []byte) error                 // as from the mailbox
}

// Furnish loads the first copies of a département (see LoadTimes), then
// everything else that it shows: accounts, stock, photos, letters, the desk,
// two weeks of visits. Accounts names them by their role, the person of each
// follows. It may be repeated: what is there is left alone. The account of the
// administrator comes last and says that everything is there.
func Furnish(ctx context.Context, tenant int64, h House, ds *Dataset, times int, accounts []auth.NewAccount, progress func(done, total int)) error {
	if err := LoadTimes(ctx, tenant, h.Services, ds, times, progress); err != nil {
		return err
	}
	if err := LoadStock(ctx, tenant, h.Stock, h.Directory, h.Incidents, ds); err != nil {
		return err
	}
	if err := LoadMachines(ctx, tenant, h.Machines, ds); err != nil {
		return err
	}
	if err := LoadPhotos(ctx, tenant, h.Files, h.Incidents); err != nil {
		return err
	}
	places, err := h.Directory.Index(ctx, tenant)
	if err != nil {
		return err
	}
	cast, ok := CastOf(places)
	if !ok {
		return errors.New("the demonstration's people are missing: start again in an empty folder")
	}
	for _, letter := range Letters(cast, places.Schools(), ds.Now) {
		if err := h.Receive(ctx, letter); err != nil {
			return fmt.Errorf("demo: letter: %w", err)
		}
	}
	who := map[auth.Role]auth.Identity{}
	for _, role := range []auth.Role{auth.Lead, auth.Technician, auth.Referent, auth.Declarant, auth.Administrator} {
		if role == auth.Administrator {
			if err := LoadDesk(ctx, h.Services, h.Desk, Players{Lead: who[auth.Lead], Technician: who[auth.Technician], Referent: who[auth.Referent]}, ds); err != nil {
				return err
			}
			if err := LoadVisits(ctx, who[auth.Technician], h.Services, h.Work, ds); err != nil {
				return err
			}
			if err := LoadTaken(ctx, h.Note, Players{Lead: who[auth.Lead], Technician: who[auth.Technician], Referent: who[auth.Referent]}, cast.Referent.School, places.Schools()); err != nil {
				return err
			}
		}
		if who[role], err = account(ctx, tenant, h.Auth, cast, role, accounts); err != nil {
			return err
		}
	}
	return nil
}

// account makes the account of a role, if it is not there yet.
func account(ctx context.Context, tenant int64, accounts *auth.Service, cast Cast, role auth.Role, all []auth.NewAccount) (auth.Identity, error) {
	for _, in := range all {
		if in.Role != role {
			continue
		}
		switch role {
		case auth.Lead:
			in.Person = cast.Lead.ID
		case auth.Technician:
			in.Person = cast.Technician.ID
		case auth.Referent:
			in.Person, in.Schools = cast.Referent.ID, []int64{cast.Referent.School}
		case auth.Declarant:
			in.Person, in.Schools = cast.Declarant.ID, []int64{cast.Declarant.School}
		case auth.Administrator:
		}
		by := auth.System(tenant)
		if _, err := accounts.CreateAccount(ctx, by, in); err != nil && !fault.Is(err, fault.Invalid) {
			return auth.Identity{}, fmt.Errorf("demo: account %s: %w", in.Login, err)
		}
		made, err := accounts.AccountByLogin(ctx, by, in.Login)
		if err != nil {
			return auth.Identity{}, err
		}
		return accounts.IdentityOf(ctx, made.ID)
	}
	return auth.Identity{}, fmt.Errorf("demo: no account for the role %s", role)
}
