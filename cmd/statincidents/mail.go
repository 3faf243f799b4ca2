package main

import (
	"context"
	"fmt"
	"os"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/intake/mail/parse"
)

// mailCmd is about what comes in by e-mail.
type mailCmd struct {
	Status mailStatusCmd `cmd:"" help:"Say how many messages stand where."`
	Replay mailReplayCmd `cmd:"" help:"Have failed messages, and those whose sender or school was not known, read again by the running server."`
	Add    mailAddCmd    `cmd:"" help:"Take in messages from files (.eml), as if they had just come."`
}

type mailStatusCmd struct{ place }

func (c mailStatusCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		counts, err := a.Mail.Counts(ctx)
		if err != nil {
			return err
		}
		for _, s := range mailin.States {
			fmt.Printf("%-12s %d\n", s, counts[s])
		}
		return nil
	})
}

type mailReplayCmd struct{ place }

func (c mailReplayCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		n, err := a.Mail.ReplayAll(ctx, auth.System(app.Tenant))
		if err != nil {
			return explain(err)
		}
		fmt.Printf("%d messages will be read again by the server", n)
		if n == mailin.MaxBulk {
			fmt.Print("; there may be more: run this again")
		}
		fmt.Println(".")
		return nil
	})
}

type mailAddCmd struct {
	place
	Files []string `arg:"" type:"existingfile" help:"Messages as mail programs save them."`
}

func (c mailAddCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		fresh := 0
		for _, name := range c.Files {
			info, err := os.Stat(name)
			if err != nil {
				return err
			}
			in := mailin.Incoming{Size: info.Size()}
			if in.Raw, err = head(name, min(info.Size(), parse.MaxSize)); err != nil {
				return err
			}
			n, err := a.Mail.Receive(ctx, in)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fresh += n
		}
		fmt.Printf("%d messages are kept, %d were there already; the server reads them.\n", fresh, len(c.Files)-fresh)
		return nil
	})
}

// head reads the beginning of a file.
func head(name string, size int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if int64(n) == size {
		err = nil
	}
	return data[:n], err
}
