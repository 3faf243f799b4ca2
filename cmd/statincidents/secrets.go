package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"statincidents/internal/locale"
	"statincidents/internal/secrets"
	"statincidents/internal/sqldb"
	"statincidents/internal/vault"
)

// secretsCmd is about what is sealed in the database.
type secretsCmd struct {
	Status secretsStatusCmd `cmd:"" help:"Say how many secrets are sealed, and which cannot be opened."`
	Rotate secretsRotateCmd `cmd:"" help:"Make a new key and seal everything under it."`
	Forget secretsForgetCmd `cmd:"" help:"Drop the secrets whose key is lost, so that they can be given again."`
}

type secretsStatusCmd struct{ place }

func (c secretsStatusCmd) Run(ctx context.Context) error {
	return c.look(ctx, func(st secrets.State) error {
		fmt.Printf("%d sealed, %d as they are, %d that cannot be opened.\n", st.Sealed, st.Plain, len(st.Lost))
		return nil
	})
}

// look reads how the secrets stand.
func (p place) look(ctx context.Context, fn func(secrets.State) error) (err error) {
	db, err := p.asIs(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var st secrets.State
	if err := db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		st, err = secrets.Look(ctx, tx, db.Vault())
		return err
	}); err != nil {
		return err
	}
	sayEach(st.Lost)
	return fn(st)
}

// sayLost names, after a restore, what must be given again.
func (p place) sayLost(ctx context.Context) error {
	return p.look(ctx, func(st secrets.State) error {
		if len(st.Lost) > 0 {
			fmt.Printf("These %d were sealed under a key that is not in %q. Put the copy of that file back before the first start; or start, run « statincidents secrets forget », and give them again.\n", len(st.Lost), p.config().KeyPath())
		}
		return nil
	})
}

func sayEach(list []secrets.Secret) {
	say := locale.For("en", nil)
	for _, s := range list {
		fmt.Printf("  %s (%s)\n", say.T("secrets.kind."+s.Kind), s.Name)
	}
}

type secretsRotateCmd struct{ place }

// Run may be killed anywhere: until everything is sealed under the new key the
// file keeps the old one too.
func (c secretsRotateCmd) Run(ctx context.Context) (err error) {
	path := c.config().KeyPath()
	if path == "" {
		return errors.New("say where the key is: --secret-key-file FILE")
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: c.Data, URL: c.DB, Exclusive: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	v, err := vault.AddKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		v, err = vault.Make(path)
	}
	if err != nil {
		return err
	}
	n, lost, err := secrets.Seal(ctx, db, v)
	if err != nil {
		return err
	}
	sayEach(lost)
	if len(lost) > 0 {
		return fmt.Errorf("%d secrets are sealed under the new key; those above are not, and %s keeps the old keys", n, path)
	}
	if err := vault.DropOld(path); err != nil {
		return err
	}
	fmt.Printf("%d secrets are sealed under a new key. Keep a copy of %s apart; a backup made before opens with the old one only.\n", n, path)
	return nil
}

type secretsForgetCmd struct {
	place
	Yes bool `help:"Do it; without it, only say what would be dropped."`
}

func (c secretsForgetCmd) Run(ctx context.Context) (err error) {
	if !c.Yes {
		return c.look(ctx, func(st secrets.State) error {
			fmt.Printf("%d would be dropped: with --yes.\n", len(st.Lost))
			return nil
		})
	}
	db, err := c.asIs(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	dropped, err := secrets.Forget(ctx, db, db.Vault())
	if err != nil {
		return err
	}
	sayEach(dropped)
	fmt.Printf("%d dropped. Restart the server; type passwords again, have second factors set again.\n", len(dropped))
	return nil
}
