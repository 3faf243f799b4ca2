// Command statincidents is the server of Stat Incidents and the tools around it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schools keep local time on machines without a zone database

	"github.com/alecthomas/kong"
)

// commands is the whole command line; one file per sub-command holds the rest.
type commands struct {
	Demo    demoCmd    `cmd:"" help:"Show an invented département, in a folder of its own."`
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Admin   adminCmd   `cmd:"" help:"Accounts and tokens."`
	Import  importCmd  `cmd:"" help:"Import incidents, schools, holidays."`
	Mail    mailCmd    `cmd:"" help:"Messages received: where they stand, read them again, take some in from files."`
	Secrets secretsCmd `cmd:"" help:"Passwords and keys that the database keeps sealed."`
	Privacy privacyCmd `cmd:"" help:"Personal data: what is held on somebody."`
	Backup  backupCmd  `cmd:"" help:"Copy everything to one file, while the server runs."`
	Restore restoreCmd `cmd:"" help:"Fill an empty place, of either engine, from a backup."`
	Rebuild rebuildCmd `cmd:"" help:"Make the state again from the journal, or compare them (--check)."`
	Bench   benchCmd   `cmd:"" help:"Measure the methods on the history of a database."`
	Replay  replayCmd  `cmd:"" help:"Do a statistical result again from what its page gave, and compare."`
	Doctor  doctorCmd  `cmd:"" help:"Examine a database and say what to do."`
	Clocks  clocksCmd  `cmd:"" help:"Compute the service clocks again and compare them with the table that lists read (--recompute)."`
	Load    loadCmd    `cmd:"" help:"Simulate readers, declarants and live screens on a running server, and say how long they waited."`
	Version versionCmd `cmd:"" help:"Print the version."`

	LogFormat string `enum:"text,json" default:"text" env:"STATINCIDENTS_LOG_FORMAT" help:"Format of the log on standard error: text or json."`
	LogLevel  string `enum:"debug,info,warn,error" default:"info" env:"STATINCIDENTS_LOG_LEVEL" help:"Least level that is logged."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses and executes one command line and gives the exit code: 0 done,
// 1 failed, 2 used wrongly.
func run(ctx context.Context, args []string) int {
	var cli commands
	parser, err := kong.New(&cli,
		kong.Name("statincidents"),
		kong.Description("Follow and analyse the IT incidents of a département's collèges."),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "statincidents:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		if wrong, ok := errors.AsType[*kong.ParseError](err); ok {
			parser.Stdout = os.Stderr // what was asked for goes there, this was not
			_ = wrong.Context.PrintUsage(len(args) > 0)
			fmt.Fprintln(os.Stderr)
		}
		fmt.Fprintln(os.Stderr, "statincidents:", err)
		return 2
	}
	slog.SetDefault(logger(cli.LogFormat, cli.LogLevel))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "statincidents:", err)
		return 1
	}
	return 0
}

func logger(format, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}
