package attachment

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"statincidents/internal/backup"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// A backup holds the contents too, whichever engine it comes from and goes to.
func TestBackupHoldsContents(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		long := bytes.Repeat([]byte("Le poste ne démarre plus. "), 40_000)
		a, p := h.put(t, h.teacher, "note.txt", long), h.put(t, h.teacher, "photo.jpg", jpegOf(t, halves(800, 600), nil))
		if err := h.Attach(ctx, h.teacher, h.own, []int64{a.ID, p.ID}, false); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "backup.db")
		if _, err := backup.Create(ctx, db, file, nil); err != nil {
			t.Fatal(err)
		}
		for name, cfg := range map[string]sqldb.Config{"SQLite": {Dir: t.TempDir()}, "PostgreSQL": {URL: testkit.EmptyPostgresURL(t)}} {
			if _, err := backup.Restore(ctx, file, cfg, nil); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			back, err := sqldb.Open(ctx, cfg)
			if err != nil {
				t.Fatal(err)
			}
			restored := &house{db: back, Service: New(back, journal.New(back), h.incidents, nil)}
			if got := restored.read(t, h.technician, a.ID); !bytes.Equal(got, long) {
				t.Errorf("%s: %d bytes come back of %d", name, len(got), len(long))
			}
			if got := restored.read(t, h.technician, p.ID); int64(len(got)) != p.Size {
				t.Errorf("%s: the photo comes back with %d bytes of %d", name, len(got), p.Size)
			}
			restored.holds(t)
			if err := back.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
