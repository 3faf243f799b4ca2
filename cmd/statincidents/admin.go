package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// adminCmd groups what an administrator does on the machine itself, beside a
// running server if need be.
type adminCmd struct {
	CreateUser  createUserCmd  `cmd:"" help:"Create an account."`
	SetPassword setPasswordCmd `cmd:"" help:"Give an account a new password; its sessions end."`
	Token       tokenCmd       `cmd:"" help:"Make an API token for an account and print it."`
}

type createUserCmd struct {
	place
	Role          string   `required:"" enum:"administrator,lead,technician,referent,declarant" help:"What the account is for: ${enum}."`
	Name          string   `help:"Name as shown."`
	School        []string `placeholder:"UAI" help:"Schools of a referent or a declarant, by UAI code."`
	Person        int64    `help:"Person of the directory (number) that the account is for. Without it one is made, but for an administrator."`
	PasswordStdin bool     `help:"Read the password from standard input instead of asking."`
	Login         string   `arg:"" help:"Name to sign in with."`
}

func (c createUserCmd) Run(ctx context.Context) error {
	password, err := readPassword(c.PasswordStdin)
	if err != nil {
		return err
	}
	return c.with(ctx, func(a *app.App) error {
		by := auth.System(app.Tenant)
		in := auth.NewAccount{Login: c.Login, Name: c.Name, Password: password, Role: auth.Role(c.Role), Person: c.Person}
		places, err := a.Directory.Index(ctx, app.Tenant)
		if err != nil {
			return err
		}
		for _, code := range c.School {
			school, ok := places.SchoolByUAI(strings.ToUpper(code))
			if !ok {
				return fmt.Errorf("there is no school %q: import the schools first", code)
			}
			in.Schools = append(in.Schools, school.ID)
		}
		if _, err := a.Auth.AccountByLogin(ctx, by, c.Login); c.Person == 0 && fault.Is(err, fault.NotFound) && utf8.RuneCountInString(password) >= auth.MinPassword {
			if in.Person, err = newPerson(ctx, a, in); err != nil {
				return explain(err)
			}
		}
		account, err := a.Auth.CreateAccount(ctx, by, in)
		if err != nil {
			return explain(err)
		}
		fmt.Printf("Account %s created (%s).\n", account.Login, account.Role)
		return nil
	})
}

// newPerson makes the person that an account acts as: who declares, whom an
// incident is given to. An administrator needs none.
func newPerson(ctx context.Context, a *app.App, in auth.NewAccount) (int64, error) {
	kind, ok := map[auth.Role]directory.PersonKind{
		auth.Lead: directory.Staff, auth.Technician: directory.Staff, auth.Referent: directory.ITReferent, auth.Declarant: directory.Teacher,
	}[in.Role]
	if !ok || in.Role == auth.Referent && len(in.Schools) == 0 {
		return 0, nil // the account says what is missing
	}
	p := directory.Person{Name: cmp.Or(in.Name, in.Login), Kind: kind}
	if len(in.Schools) == 1 {
		p.School = in.Schools[0]
	}
	p, err := a.Directory.SavePerson(ctx, auth.System(app.Tenant), p)
	return p.ID, err
}

type setPasswordCmd struct {
	place
	PasswordStdin bool   `help:"Read the password from standard input instead of asking."`
	Login         string `arg:"" help:"The account's name."`
}

func (c setPasswordCmd) Run(ctx context.Context) error {
	password, err := readPassword(c.PasswordStdin)
	if err != nil {
		return err
	}
	return c.with(ctx, func(a *app.App) error {
		by := auth.System(app.Tenant)
		account, err := a.Auth.AccountByLogin(ctx, by, c.Login)
		if err != nil {
			return unknown(err, c.Login)
		}
		if err := a.Auth.SetPassword(ctx, by, account.ID, password); err != nil {
			return explain(err)
		}
		fmt.Printf("Password of %s changed; its sessions have ended.\n", account.Login)
		return nil
	})
}

type tokenCmd struct {
	place
	Label string        `default:"command line" help:"What the token is for, shown in the list of tokens."`
	Life  time.Duration `help:"How long the token serves (for example 2160h); without it, until it is revoked."`
	Login string        `arg:"" help:"The account that the token acts for."`
}

func (c tokenCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		by := auth.System(app.Tenant)
		account, err := a.Auth.AccountByLogin(ctx, by, c.Login)
		if err != nil {
			return unknown(err, c.Login)
		}
		secret, _, err := a.Auth.CreateToken(ctx, by, account.ID, c.Label, c.Life)
		if err != nil {
			return explain(err)
		}
		// The token alone on standard output, so that a script can take it.
		fmt.Println(secret)
		return nil
	})
}

// unknown says which account was not found; a page would not tell.
func unknown(err error, login string) error {
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("there is no account named %q", login)
	}
	return explain(err)
}

// readPassword takes one line of standard input, without echo on a terminal.
func readPassword(fromStdin bool) (string, error) {
	if fd := int(os.Stdin.Fd()); !fromStdin && term.IsTerminal(fd) {
		fmt.Fprint(os.Stderr, "Password: ")
		raw, err := term.ReadPassword(fd)
		fmt.Fprintln(os.Stderr)
		return string(raw), err
	}
	if !fromStdin {
		return "", errors.New("standard input is not a terminal: give the password with --password-stdin")
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
