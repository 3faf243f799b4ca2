package csvin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// MaxUpload is the largest file that a page takes, in bytes; the command line
// takes any.
const MaxUpload = 200_000_000

// keptFor is how long a file that nobody imported is kept.
const keptFor = 30 * 24 * time.Hour

// Upload is a file that waits to be imported, with its profile as corrected so
// far, which may still be incomplete.
type Upload struct {
	ID      string
	Tenant  int64
	Name    string // as the person knows the file
	Size    int64
	At      time.Time
	Account int64
	Guessed bool // the profile was guessed from the file
	Profile Profile
	Run     int64 // the last import made of it, 0 before the first
}

const (
	uploadFile = "file"
	uploadNote = "upload.json"
)

// Keep takes in a file that was sent: it is on disk when Keep returns. Its
// profile is the one of that name, or guessed from the file for "".
func (r *Runner) Keep(ctx context.Context, by auth.Identity, name, profile string, in io.Reader) (Upload, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return Upload{}, err
	}
	u := Upload{ID: strings.ToLower(rand.Text()[:16]), Tenant: by.Tenant, Name: filepath.Base(name), At: sqldb.Now(), Account: by.Account}
	dir := filepath.Join(r.dir, u.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Upload{}, fmt.Errorf("csvin: keep upload: %w", err)
	}
	err := r.take(ctx, by, &u, profile, in)
	if err != nil {
		return Upload{}, errors.Join(err, os.RemoveAll(dir))
	}
	return u, nil
}

func (r *Runner) take(ctx context.Context, by auth.Identity, u *Upload, profile string, in io.Reader) error {
	f, err := os.OpenFile(filepath.Join(r.dir, u.ID, uploadFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("csvin: keep upload: %w", err)
	}
	u.Size, err = io.Copy(f, io.LimitReader(in, MaxUpload+1))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("csvin: keep upload: %w", err)
	}
	switch {
	case u.Size > MaxUpload:
		return fault.New(fault.TooLarge, "error.too_large")
	case u.Size == 0:
		return fault.InvalidField("file", "error.intake.empty")
	}
	if profile != "" {
		if u.Profile, err = r.importer.Profile(ctx, by, profile); err != nil {
			return err
		}
		// The file must at least be a table.
		if _, err := r.Sample(*u, 1); err != nil {
			return err
		}
		return r.note(*u)
	}
	s, err := r.Sample(*u, guessedRows)
	if err != nil {
		return err
	}
	u.Profile, u.Guessed = Suggest(s), true
	return r.note(*u)
}

// guessedRows is how many rows a guess looks at.
const guessedRows = 1000

// Sample reads the beginning of an uploaded file as its profile says.
func (r *Runner) Sample(u Upload, rows int) (Sample, error) {
	f, err := r.open(u)
	if err != nil {
		return Sample{}, err
	}
	defer f.Close()
	return TakeSample(f, u.Profile.File, rows)
}

func (r *Runner) open(u Upload) (*os.File, error) {
	f, err := os.Open(filepath.Join(r.dir, u.ID, uploadFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "error.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("csvin: open upload: %w", err)
	}
	return f, nil
}

// note writes what is known of an upload, whole or not at all.
func (r *Runner) note(u Upload) error {
	data, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("csvin: note upload: %w", err)
	}
	path := filepath.Join(r.dir, u.ID, uploadNote)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("csvin: note upload: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("csvin: note upload: %w", err)
	}
	return nil
}

// Upload gives a file that waits; fault.NotFound if there is none.
func (r *Runner) Upload(by auth.Identity, id string) (Upload, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return Upload{}, err
	}
	none := fault.New(fault.NotFound, "error.not_found")
	if id == "" || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return Upload{}, none
	}
	data, err := os.ReadFile(filepath.Join(r.dir, id, uploadNote))
	if errors.Is(err, os.ErrNotExist) {
		return Upload{}, none
	}
	if err != nil {
		return Upload{}, fmt.Errorf("csvin: upload: %w", err)
	}
	var u Upload
	if err := json.Unmarshal(data, &u); err != nil {
		return Upload{}, fmt.Errorf("csvin: upload %s: %w", id, err)
	}
	if u.Tenant != by.Tenant {
		return Upload{}, none
	}
	return u, nil
}

// Uploads lists the files that wait, the latest first.
func (r *Runner) Uploads(by auth.Identity) ([]Upload, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(r.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("csvin: uploads: %w", err)
	}
	var list []Upload
	for _, e := range entries {
		u, err := r.Upload(by, e.Name())
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b Upload) int { return b.At.Compare(a.At) })
	return list, nil
}

// UploadOf finds the file that an import was made of, while it is kept.
func (r *Runner) UploadOf(by auth.Identity, run int64) (Upload, bool, error) {
	list, err := r.Uploads(by)
	i := slices.IndexFunc(list, func(u Upload) bool { return u.Run == run && run != 0 })
	if err != nil || i < 0 {
		return Upload{}, false, err
	}
	return list[i], true, nil
}

// Correct keeps the profile of an upload as a person corrected it. It need not
// be complete yet: starting the import checks it.
func (r *Runner) Correct(by auth.Identity, id string, p Profile) (Upload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, err := r.Upload(by, id)
	if err != nil {
		return Upload{}, err
	}
	u.Profile = p
	return u, r.note(u)
}

// Forget deletes a file that waits.
func (r *Runner) Forget(by auth.Identity, id string) error {
	if _, err := r.Upload(by, id); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.task != nil && r.task.state.Running && r.task.state.Upload == id {
		return fault.New(fault.Conflict, "error.intake.running")
	}
	delete(r.tried, id)
	if err := os.RemoveAll(filepath.Join(r.dir, id)); err != nil {
		return fmt.Errorf("csvin: forget upload: %w", err)
	}
	return nil
}

// sweep deletes what nobody imported for long, and marks the imports that this
// folder's server left in the middle when it ended.
func (r *Runner) sweep(ctx context.Context) error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("csvin: sweep uploads: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(r.dir, e.Name())
		data, err := os.ReadFile(filepath.Join(path, uploadNote))
		var u Upload
		if err == nil {
			err = json.Unmarshal(data, &u)
		}
		if err != nil {
			// A file that was being sent when the server ended.
			if info, err := e.Info(); err == nil && sqldb.Now().Sub(info.ModTime()) > time.Hour {
				_ = os.RemoveAll(path)
			}
			continue
		}
		if sqldb.Now().Sub(u.At) > keptFor {
			_ = os.RemoveAll(path)
			continue
		}
		if u.Run == 0 {
			continue
		}
		if err := r.importer.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE import_run SET status = $4, ended_at = beat_at WHERE tenant_id = $1 AND run_id = $2 AND status = $3`,
				u.Tenant, u.Run, string(Running), string(Interrupted))
			return err
		}); err != nil {
			return fmt.Errorf("csvin: mark interrupted: %w", err)
		}
	}
	return nil
}
