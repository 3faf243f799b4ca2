package csvin_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	csvin "statincidents/internal/intake/csv"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var french = locale.For(locale.French, time.UTC)

// tickets is a file of n incidents, one a row; every bad-th has no date.
func tickets(n, bad int) string {
	var b strings.Builder
	b.WriteString("Numéro;Titre;Statut;Date d'ouverture\n")
	for i := 1; i <= n; i++ {
		date := "03/03/2026 14:05"
		if bad > 0 && i%bad == 0 {
			date = "hier"
		}
		fmt.Fprintf(&b, "T%d;Écran noir %d;En cours;%s\n", i, i, date)
	}
	return b.String()
}

func runner(t *testing.T, h *house, dir string) (r *csvin.Runner, stop func()) {
	t.Helper()
	r = csvin.NewRunner(h.Importer, dir, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stopped := false
	stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return r, stop
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not after 30 s", what)
		}
	}
}

func status(t *testing.T, h *house, run int64) csvin.Status {
	t.Helper()
	r, err := h.Importer.Run(context.Background(), system, run)
	if err != nil {
		t.Fatal(err)
	}
	return r.Status
}

func TestUploadTriedImportedMended(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		r, _ := runner(t, h, t.TempDir())
		u, err := r.Keep(ctx, system, "C:/export.csv", "", strings.NewReader(tickets(20, 10)))
		if err != nil {
			t.Fatal(err)
		}
		if u.Profile.Fields["state"].Values["En cours"] != "assigned" || !u.Guessed {
			t.Errorf("guessed %+v", u.Profile)
		}
		if _, err := r.Start(ctx, system, u.ID, true, french); err != nil {
			t.Fatal(err)
		}
		await(t, "dry run", func() bool { s, _ := r.Trial(u.ID); return !s.Running })
		if s, _ := r.Trial(u.ID); s.Err != nil || s.Report.Created != 18 || s.Report.Rejected != 2 || s.Share() != 1 {
			t.Errorf("dry run: %+v", s)
		}
		run, err := r.Start(ctx, system, u.ID, false, french)
		if err != nil || run == 0 {
			t.Fatalf("run %d: %v", run, err)
		}
		await(t, "import", func() bool { s, _ := r.State(run); return !s.Running })
		if got := status(t, h, run); got != csvin.Done {
			t.Errorf("status %s", got)
		}
		if list, err := r.Uploads(system); err != nil || len(list) != 0 {
			t.Errorf("the imported file stays: %v %v", list, err)
		}
		var file bytes.Buffer
		if err := h.WriteRejects(ctx, system, run, &file, french); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Split(strings.TrimSpace(file.String()), "\n"); len(lines) != 3 || !strings.Contains(lines[1], "hier") || !strings.Contains(lines[0], ";Numéro;") {
			t.Errorf("rejected rows:\n%s", file.String())
		}
		// The file, mended, is imported like any other.
		mended, err := r.Keep(ctx, system, "rejects.csv", "", strings.NewReader(strings.ReplaceAll(file.String(), ";hier", ";04/03/2026 08:00")))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := r.Sample(mended, 10); err != nil || len(s.Rows) != 2 {
			t.Errorf("sample of the mended file: %d rows, %v", len(s.Rows), err)
		}
		rejects, err := h.Rejects(ctx, system, run, 0, 10)
		if err != nil || len(rejects) != 2 {
			t.Fatalf("%d rejects, %v", len(rejects), err)
		}
		row := append([]string{}, rejects[0].Row...)
		row[3] = "05/03/2026 09:00"
		again, err := r.StartReplay(ctx, system, run, map[int64][]string{rejects[0].ID: row}, csvin.Profile{}, french)
		if err != nil {
			t.Fatal(err)
		}
		await(t, "replay", func() bool { s, _ := r.State(again); return !s.Running })
		if s, _ := r.State(again); s.Err != nil || s.Report.Created != 1 || s.Report.Rejected != 1 {
			t.Errorf("replay: %+v", s)
		}
	})
}

func TestUploadRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := build(t, testkit.SQLite(t))
	r, _ := runner(t, h, t.TempDir())
	if _, err := r.Keep(ctx, auth.Identity{Tenant: 1, Role: auth.Technician}, "a.csv", "", strings.NewReader("a")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a technician: %v", err)
	}
	if _, err := r.Keep(ctx, system, "a.csv", "", strings.NewReader("")); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := r.Keep(ctx, system, "a.csv", "nobody", strings.NewReader("a;b\n1;2\n")); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown profile: %v", err)
	}
	for _, id := range []string{"", "..", "../x", "nothere"} {
		if _, err := r.Upload(system, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("upload %q: %v", id, err)
		}
	}
	u, err := r.Keep(ctx, system, "a.csv", "", strings.NewReader("a;b\n1;2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(ctx, system, u.ID, false, french); !fault.Is(err, fault.Invalid) {
		t.Errorf("an incomplete profile: %v", err)
	}
	if _, err := r.Upload(auth.System(2), u.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another département's file: %v", err)
	}
	if err := r.Forget(system, u.ID); err != nil {
		t.Fatal(err)
	}
	if list, err := r.Uploads(system); err != nil || len(list) != 0 {
		t.Errorf("forgotten: %v %v", list, err)
	}
}

// A server that stops leaves the import interrupted, with its file; the next
// one completes it without writing anything twice.
func TestImportInterruptedAndResumed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testkit.SQLite(t)
	h := build(t, db)
	dir := t.TempDir()
	const n = 6000
	r, stop := runner(t, h, dir)
	u, err := r.Keep(ctx, system, "export.csv", "", strings.NewReader(tickets(n, 0)))
	if err != nil {
		t.Fatal(err)
	}
	run, err := r.Start(ctx, system, u.ID, false, french)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(ctx, system, u.ID, false, french); !fault.Is(err, fault.Conflict) {
		t.Errorf("two at once: %v", err)
	}
	await(t, "the first tickets", func() bool { s, _ := r.State(run); return s.Progress.Tickets > 0 || !s.Running })
	stop()
	if s, _ := r.State(run); s.Err == nil {
		t.Skip("the import ended before it could be interrupted")
	}
	if got := status(t, h, run); got != csvin.Interrupted {
		t.Fatalf("status %s", got)
	}
	// A server that was killed could not say so: its successor does.
	if err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE import_run SET status = 'running'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r, _ = runner(t, h, dir)
	await(t, "the sweep", func() bool { return status(t, h, run) == csvin.Interrupted })
	u, ok, err := r.UploadOf(system, run)
	if err != nil || !ok {
		t.Fatalf("the file is gone: %v", err)
	}
	again, err := r.Start(ctx, system, u.ID, false, french)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the rest", func() bool { s, _ := r.State(again); return !s.Running })
	s, _ := r.State(again)
	if s.Err != nil || s.Report.Created+s.Report.Unchanged != n || s.Report.Created == 0 || s.Report.Unchanged == 0 {
		t.Errorf("resumed: %+v", s.Report)
	}
	if got := h.table(t, `SELECT count(*) FROM incident`); got[0] != fmt.Sprint(n) {
		t.Errorf("%s incidents, want %d", got[0], n)
	}
}

func TestImportCancelled(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := build(t, testkit.SQLite(t))
	r, _ := runner(t, h, t.TempDir())
	u, err := r.Keep(ctx, system, "export.csv", "", strings.NewReader(tickets(6000, 0)))
	if err != nil {
		t.Fatal(err)
	}
	run, err := r.Start(ctx, system, u.ID, false, french)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Cancel(system, run, ""); err != nil {
		t.Fatal(err)
	}
	await(t, "the end", func() bool { s, _ := r.State(run); return !s.Running })
	if got := status(t, h, run); got != csvin.Cancelled {
		t.Errorf("status %s", got)
	}
	if err := r.Cancel(system, run, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("cancelled twice: %v", err)
	}
	if err := r.Forget(system, u.ID); err != nil {
		t.Error(err)
	}
}
