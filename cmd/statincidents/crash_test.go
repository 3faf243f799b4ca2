package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"statincidents/internal/app"
	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// crashRounds is how often the server is killed on each engine; the variable
// STATINCIDENTS_CRASH_ROUNDS asks for more or fewer.
const crashRounds = 50

// TestKilledServerLosesNothing kills the real server at random moments while
// eight writers post incidents: each incident that was answered "created" is
// there, once, with its event, and the state still equals the journal.
func TestKilledServerLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: crash rounds take a minute an engine (-short)")
	}
	binary := buildBinary(t)
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		crash(t, binary, app.Config{Dir: t.TempDir()})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		crash(t, binary, app.Config{DB: testkit.PostgresURL(t)})
	})
}

func crash(t *testing.T, binary string, cfg app.Config) {
	rounds := crashRounds
	if s := os.Getenv("STATINCIDENTS_CRASH_ROUNDS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	token := prepare(t, cfg)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	acknowledged := map[string]int64{} // title → number
	var mu sync.Mutex
	kills := 0
	for round := range rounds {
		server, url := startServer(t, binary, cfg)
		var writers sync.WaitGroup
		life, stop := context.WithCancel(ctx)
		for w := range 8 {
			writers.Go(func() {
				for n := 0; life.Err() == nil; n++ {
					title := fmt.Sprintf("tour %d auteur %d n° %d", round, w, n)
					id, err := post(life, url, token, title)
					if err != nil {
						return // the server is gone: this one was not acknowledged
					}
					mu.Lock()
					acknowledged[title] = id
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(20+rng.IntN(230)) * time.Millisecond)
		if err := server.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		server.Wait() // it was killed: it has no good ending
		kills++
		stop()
		writers.Wait()
	}
	if len(acknowledged) < rounds {
		t.Fatalf("only %d incidents were acknowledged in %d rounds: the test did not exercise the server", len(acknowledged), rounds)
	}
	verifyAfterCrash(t, cfg, acknowledged)
	t.Logf("%d kills, %d acknowledged incidents, none lost", kills, len(acknowledged))
}

// verifyAfterCrash looks in the database itself, then replays the journal.
func verifyAfterCrash(t *testing.T, cfg app.Config, acknowledged map[string]int64) {
	t.Helper()
	ctx := t.Context()
	a, err := app.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	byTitle, declared := map[string][]int64{}, map[int64]int{}
	err = a.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT incident_id, title FROM incident WHERE tenant_id = $1`, app.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var title string
			if err := rows.Scan(&id, &title); err != nil {
				return err
			}
			byTitle[title] = append(byTitle[title], id)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		events, err := tx.Query(ctx, `SELECT subject_id, count(*) FROM event WHERE tenant_id = $1 AND kind = $2 GROUP BY subject_id`, app.Tenant, incident.EventDeclared)
		if err != nil {
			return err
		}
		defer events.Close()
		for events.Next() {
			var id int64
			var n int
			if err := events.Scan(&id, &n); err != nil {
				return err
			}
			declared[id] = n
		}
		return events.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for title, id := range acknowledged {
		switch got := byTitle[title]; {
		case len(got) == 0:
			t.Errorf("acknowledged #%d %q is lost", id, title)
		case len(got) > 1:
			t.Errorf("%q is there %d times", title, len(got))
		case got[0] != id:
			t.Errorf("%q was acknowledged as #%d and is #%d", title, id, got[0])
		case declared[id] != 1:
			t.Errorf("#%d has %d declaration events", id, declared[id])
		}
	}
	for title, ids := range byTitle {
		if len(ids) == 1 && declared[ids[0]] != 1 {
			t.Errorf("%q (#%d) has %d declaration events", title, ids[0], declared[ids[0]])
		}
	}
	report, err := journal.CheckRebuild(ctx, a.DB, app.Tenant, a.Projections(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Differences {
		t.Errorf("state and journal differ after the crashes: %s", d)
	}
}

func buildBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "statincidents")
	cmd := exec.Command("go", "build", "-o", binary, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// prepare makes one school and an administrator, and gives an API token.
func prepare(t *testing.T, cfg app.Config) (token string) {
	t.Helper()
	ctx := t.Context()
	a, err := app.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	by := auth.System(app.Tenant)
	if _, err := a.Directory.EnsureSchools(ctx, by, []directory.School{{UAI: "0450001A", Name: "Collège d'essai"}}); err != nil {
		t.Fatal(err)
	}
	account, err := a.Auth.CreateAccount(ctx, by, auth.NewAccount{Login: "essai", Password: "une phrase de passe", Role: auth.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err = a.Auth.CreateToken(ctx, by, account.ID, "essai", 0)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// startServer starts the real program and waits until it says its address.
func startServer(t *testing.T, binary string, cfg app.Config) (server *exec.Cmd, url string) {
	t.Helper()
	args := []string{"serve", "--listen", "127.0.0.1:0"}
	if cfg.Dir != "" {
		args = append(args, "--data", cfg.Dir)
	} else {
		args = append(args, "--db", cfg.DB)
	}
	server = exec.Command(binary, args...)
	var log bytes.Buffer
	server.Stderr = &log
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(address)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if i := strings.Index(lines.Text(), "http://"); i >= 0 {
				address <- strings.Fields(lines.Text()[i:])[0]
				break
			}
		}
		io.Copy(io.Discard, out)
	}()
	select {
	case url, ok := <-address:
		if ok {
			return server, url
		}
	case <-time.After(30 * time.Second):
	}
	server.Process.Kill()
	server.Wait()
	t.Fatalf("the server did not start:\n%s", log.String())
	return nil, ""
}

func post(ctx context.Context, url, token, title string) (id int64, err error) {
	body, err := json.Marshal(map[string]any{"school": "0450001A", "title": title})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/incidents", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var made struct {
		ID int64 `json:"id"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusCreated || made.ID == 0 {
		return 0, fmt.Errorf("status %d", resp.StatusCode)
	}
	return made.ID, nil
}
