package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"statincidents": main})
}

// TestScripts runs the command line as people do: each file of testdata/script
// says what is typed and what is answered.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			// Nothing of the machine that runs the tests decides.
			env.Setenv("TZ", "Europe/Paris")
			env.Setenv("STATINCIDENTS_LOG_LEVEL", "warn")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":    exitsWith,
			"answers": answers,
		},
	})
}

// exitsWith runs the program and wants an exit code: code 2 statincidents …
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program [argument...]")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ok bool
		if got, ok = exitCode(err); !ok {
			ts.Fatalf("run %s: %v", args[1], err)
		}
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, wanted %s", got, args[0])
	}
}

func exitCode(err error) (int, bool) {
	e, ok := err.(interface{ ExitCode() int })
	if !ok {
		return 0, false
	}
	return e.ExitCode(), true
}

// answers waits until a file names an address ("answers on http://…") and that
// address says that it is ready: answers FILE.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: answers FILE")
	}
	client := http.Client{Timeout: 2 * time.Second}
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		raw, err := os.ReadFile(ts.MkAbs(args[0]))
		if err != nil {
			continue
		}
		_, rest, found := strings.Cut(string(raw), "answers on ")
		url, _, whole := strings.Cut(rest, "\n")
		if !found || !whole {
			continue
		}
		res, err := client.Get(url + "/readyz") //nolint:noctx // the client has its own bound
		if err != nil {
			continue
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
	}
	ts.Fatalf("%s: the server did not get ready", args[0])
}
