// Command pgcluster runs a command with a throw-away PostgreSQL cluster:
//
//	go run ./internal/testkit/pgcluster -- go test ./...
//
// The cluster listens on a socket in a temporary folder only, keeps nothing on
// disk that must survive (fsync off), and is stopped and deleted at the end.
// PostgreSQL refuses to run as root: then it is started as user "postgres".
// Where PostgreSQL is missing the command runs without it, after a loud word.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"syscall"

	"statincidents/internal/testkit"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: pgcluster -- COMMAND [ARG ...]")
		os.Exit(2)
	}
	os.Exit(run(args))
}

func run(args []string) int {
	env := os.Environ()
	if os.Getenv(testkit.PostgresEnv) == "" {
		url, stop, err := start()
		if err != nil {
			fmt.Fprintf(os.Stderr, "\n*** PostgreSQL cannot be started: %v\n*** Every PostgreSQL test will be SKIPPED.\n\n", err)
		} else {
			defer stop()
			env = append(env, testkit.PostgresEnv+"="+url)
		}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	// An interrupt reaches the child too; we stay to stop the cluster.
	signal.Ignore(os.Interrupt)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return max(1, exit.ExitCode())
	default:
		fmt.Fprintln(os.Stderr, "pgcluster:", err)
		return 1
	}
}

// start makes and starts a cluster; stop ends it and deletes its folder.
func start() (url string, stop func(), err error) {
	bin, err := binaries()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "statincidents-pg-")
	if err != nil {
		return "", nil, err
	}
	clean := func() { os.RemoveAll(dir) } //nolint:errcheck // a temporary folder
	as := func(name string, arg ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), arg...)
		cmd.Dir = dir
		return cmd
	}
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			clean()
			return "", nil, fmt.Errorf("running as root and no user postgres to run it: %w", err)
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			clean()
			return "", nil, err
		}
		plain := as
		as = func(name string, arg ...string) *exec.Cmd {
			cmd := plain(name, arg...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
			return cmd
		}
	}
	data := filepath.Join(dir, "data")
	if out, err := as("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput(); err != nil {
		clean()
		return "", nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	options := "-c listen_addresses='' -c unix_socket_directories='" + dir + "' -c fsync=off -c synchronous_commit=off" +
		" -c full_page_writes=off -c max_connections=300 -c shared_buffers=128MB"
	if out, err := as("pg_ctl", "-D", data, "-l", filepath.Join(dir, "log"), "-o", options, "-w", "start").CombinedOutput(); err != nil {
		clean()
		return "", nil, fmt.Errorf("pg_ctl start: %w: %s", err, out)
	}
	stop = func() {
		if out, err := as("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "pgcluster: stop: %v: %s\n", err, out)
		}
		clean()
	}
	return "postgres:///postgres?host=" + dir + "&user=postgres", stop, nil
}

// binaries finds the newest server binaries: Debian keeps them off the PATH.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errors.New("initdb is not installed (Debian package postgresql)")
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) > version(found[j]) })
	return filepath.Dir(found[0]), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}
