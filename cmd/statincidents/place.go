package main

import (
	"context"
	"errors"

	"statincidents/internal/app"
)

// place says where the data is; every sub-command that touches it has one.
type place struct {
	Data string `type:"path" placeholder:"DIR" env:"STATINCIDENTS_DATA" help:"Data folder of the embedded database."`
	DB   string `placeholder:"URL" env:"STATINCIDENTS_DB" help:"PostgreSQL address (postgres://…) instead of a data folder."`

	SecretKeyFile string `type:"path" placeholder:"FILE" env:"STATINCIDENTS_SECRET_KEY_FILE" help:"File of the key that seals passwords in the database; secret.key in the data folder if not given. Made at the first start."`
}

// Validate refuses a command line that names no place, or two.
func (p place) Validate() error {
	switch {
	case p.Data == "" && p.DB == "":
		return errors.New("say where the data is: --data DIR for the embedded database, or --db postgres://… for PostgreSQL")
	case p.Data != "" && p.DB != "":
		return errors.New("--data and --db exclude each other: one place holds the data")
	}
	return nil
}

func (p place) config() app.Config {
	return app.Config{Dir: p.Data, DB: p.DB, KeyFile: p.SecretKeyFile}
}

// with opens the program on the place for the length of fn; a server may run
// on it at the same time.
func (p place) with(ctx context.Context, fn func(*app.App) error) error {
	return p.open(ctx, app.Config{}, fn)
}

// alone is with, as the only server of the place.
func (p place) alone(ctx context.Context, fn func(*app.App) error) error {
	return p.open(ctx, app.Config{Exclusive: true}, fn)
}

// serving is alone, with the statistics' executor chosen.
func (p place) serving(ctx context.Context, inSQL bool, fn func(*app.App) error) error {
	return p.open(ctx, app.Config{Exclusive: true, CubeInSQL: inSQL}, fn)
}

func (p place) open(ctx context.Context, how app.Config, fn func(*app.App) error) (err error) {
	cfg := p.config()
	cfg.Exclusive, cfg.CubeInSQL = how.Exclusive, how.CubeInSQL
	a, err := app.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return fn(a)
}
