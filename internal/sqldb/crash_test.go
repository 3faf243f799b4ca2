package sqldb_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"statincidents/internal/sqldb"
)

const crashEnv = "SQLDB_TEST_CRASH"

// crashing writes from eight goroutines, and says each number once its command
// was told "ok", until it is killed.
func crashing(place string) error {
	cfg := sqldb.Config{Dir: place}
	if strings.HasPrefix(place, "postgres:") {
		cfg = sqldb.Config{URL: place}
	}
	ctx := context.Background()
	db, err := sqldb.Open(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Println("open")
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			for {
				var id int64
				err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
					var err error
					if id, err = tx.NextIDs(ctx, 1, "team", 1); err != nil {
						return err
					}
					return team(ctx, tx, id)
				})
				if err != nil {
					errs <- err
					return
				}
				os.Stdout.WriteString(strconv.FormatInt(id, 10) + "\n") // one system call: nothing waits in a buffer
			}
		})
	}
	wg.Wait()
	return <-errs
}

// A process is killed at a random moment while eight writers write: what was
// told "ok" is there, and the next process goes on.
func TestNothingToldOKIsLostByAKill(t *testing.T) {
	t.Parallel()
	places(t, func(t *testing.T, cfg sqldb.Config) {
		told := map[int64]bool{}
		for range 6 {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), crashEnv+"="+cfg.Dir+cfg.URL)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			if !lines.Scan() || lines.Text() != "open" {
				t.Fatalf("the child says %q", lines.Text())
			}
			timer := time.AfterFunc(time.Duration(30+rand.IntN(150))*time.Millisecond, func() { cmd.Process.Kill() })
			for lines.Scan() {
				// The last line may be cut by the kill.
				if id, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
					told[id] = true
				}
			}
			timer.Stop()
			cmd.Wait()
		}
		if len(told) < 50 {
			t.Fatalf("only %d commands were told ok: the test shows nothing", len(told))
		}
		db := open(t, cfg)
		var stored, highest int64
		err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			rows, err := tx.Query(ctx, `SELECT team_id FROM team ORDER BY team_id`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if err := rows.Scan(&highest); err != nil {
					return err
				}
				stored++
				delete(told, highest)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(told) > 0 {
			t.Errorf("%d commands were told ok and are lost", len(told))
		}
		if stored != highest {
			t.Errorf("%d rows, but the last is number %d: a number was lost", stored, highest)
		}
	})
}
