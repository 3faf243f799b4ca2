package csvin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// errStopping is why an import ends when its server does: it is interrupted,
// not cancelled by someone.
var errStopping = errors.New("csvin: the server stops")

// errCancelled is why an import ends when someone stops it.
var errCancelled = errors.New("csvin: stopped by someone")

// Runner makes imports in the background, one at a time, of files that were
// uploaded: it keeps them in a folder until they are imported to their end. A
// server that stops in the middle leaves the import interrupted and the file
// in place: starting it again completes it.
type Runner struct {
	importer *Importer
	dir      string
	log      *slog.Logger

	mu    sync.Mutex
	task  *task            // in hand, or the last one
	tried map[string]*task // the last dry run of each upload
	work  sync.WaitGroup
	stop  bool
}

// NewRunner keeps its files in a folder, made when first needed.
func NewRunner(importer *Importer, dir string, log *slog.Logger) *Runner {
	return &Runner{importer: importer, dir: dir, log: log, tried: map[string]*task{}}
}

// TaskState is how far an import in the background is, or how it ended.
type TaskState struct {
	Upload   string // "" for rejected rows imported again
	Run      int64  // 0 in a dry run
	Dry      bool
	Running  bool
	Progress Progress
	Rate     float64       // rows a second, once rows are written
	Left     time.Duration // 0 if not known
	Report   Report        // when it ended
	Err      error         // why it failed
}

// Share is what is done, from 0 to 1: reading the file is the first tenth.
func (t TaskState) Share() float64 {
	const reading = 0.1
	p := t.Progress
	switch {
	case !t.Running && t.Err == nil:
		return 1
	case p.Total > 0:
		return reading + (1-reading)*min(1, float64(p.Rows)/float64(p.Total))
	case p.Size > 0:
		return reading * min(1, float64(p.Bytes)/float64(p.Size))
	}
	return 0
}

// task is an import in the background.
type task struct {
	state  TaskState
	cancel context.CancelCauseFunc
	wrote  time.Duration // when the writing began
}

// Run sweeps the folder, then waits for the end and stops the import in hand,
// which is then interrupted.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.sweep(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	<-ctx.Done()
	r.mu.Lock()
	r.stop = true
	if r.task != nil && r.task.state.Running {
		r.task.cancel(errStopping)
	}
	r.mu.Unlock()
	r.work.Wait()
	return nil
}

// State tells of the import of a run that this process makes or made last.
func (r *Runner) State(run int64) (TaskState, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.task == nil || run == 0 || r.task.state.Run != run {
		return TaskState{}, false
	}
	return r.task.state, true
}

// Trial tells of the dry run of an upload, the one in hand or the last one.
func (r *Runner) Trial(upload string) (TaskState, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.tried[upload]
	if !ok {
		return TaskState{}, false
	}
	return t.state, true
}

// Busy tells whether an import is in hand.
func (r *Runner) Busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.task != nil && r.task.state.Running
}

// Start imports an uploaded file in the background and gives the number of the
// run, 0 for a dry run. One import at a time: another one in hand is a
// fault.Conflict. The printer writes reasons.
func (r *Runner) Start(ctx context.Context, by auth.Identity, upload string, dry bool, p *locale.Printer) (int64, error) {
	u, err := r.Upload(by, upload)
	if err != nil {
		return 0, err
	}
	if err := u.Profile.Check(); err != nil {
		return 0, err
	}
	return r.start(ctx, TaskState{Upload: u.ID, Dry: dry}, func(ctx context.Context, o Options) (Report, error) {
		f, err := r.open(u)
		if err != nil {
			return Report{}, err
		}
		defer f.Close()
		o.Profile, o.FileName, o.FileSize, o.DryRun, o.Printer = u.Profile, u.Name, u.Size, dry, p
		return r.importer.Import(ctx, by, f, o)
	}, func(run int64) {
		u.Run = run
		if err := r.note(u); err != nil {
			r.log.Error("csvin: note the run of an upload", "error", err)
		}
	})
}

// StartReplay imports the rejected rows of a run again in the background (see
// Importer.Replay), with another profile unless its name is empty.
func (r *Runner) StartReplay(ctx context.Context, by auth.Identity, run int64, mended map[int64][]string, profile Profile, p *locale.Printer) (int64, error) {
	if _, err := r.importer.Run(ctx, by, run); err != nil {
		return 0, err
	}
	return r.start(ctx, TaskState{}, func(ctx context.Context, o Options) (Report, error) {
		o.Profile, o.Printer = profile, p
		return r.importer.Replay(ctx, by, run, mended, o)
	}, nil)
}

// start runs fn in the background; it returns when the run has its number, or
// at once for a dry run.
func (r *Runner) start(ctx context.Context, s TaskState, fn func(context.Context, Options) (Report, error), started func(run int64)) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop {
		return 0, fault.New(fault.Unavailable, "error.unavailable")
	}
	if r.task != nil && r.task.state.Running {
		return 0, fault.New(fault.Conflict, "error.intake.running")
	}
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	t := &task{state: s, cancel: cancel}
	t.state.Running = true
	r.task = t
	if s.Dry {
		r.tried[s.Upload] = t
	}
	numbered := make(chan int64, 1)
	ended := make(chan error, 1)
	o := Options{
		Progress: func(p Progress) { r.tell(t, p) },
		Started: func(run int64) {
			if started != nil {
				started(run)
			}
			numbered <- run
		},
	}
	r.work.Go(func() {
		report, err := fn(work, o)
		cancel(nil)
		ended <- err // before end, which waits for start
		r.end(t, report, err)
	})
	if s.Dry {
		return 0, nil
	}
	select {
	case run := <-numbered:
		t.state.Run = run
		return run, nil
	case err := <-ended: // refused before it was numbered
		select {
		case run := <-numbered:
			t.state.Run = run
			return run, nil
		default:
			return 0, err
		}
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (r *Runner) tell(t *task, p Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.state.Progress = p
	if p.Total == 0 {
		return
	}
	if t.wrote == 0 {
		t.wrote = p.Elapsed
	}
	if took := (p.Elapsed - t.wrote).Seconds(); took > 0.2 && p.Rows > 0 {
		t.state.Rate = float64(p.Rows) / took
		t.state.Left = time.Duration(float64(max(0, p.Total-p.Rows)) / t.state.Rate * float64(time.Second))
	}
}

func (r *Runner) end(t *task, report Report, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.state.Running, t.state.Report, t.state.Err = false, report, err
	if err != nil && fault.CodeOf(err) == fault.Internal && !errors.Is(err, context.Canceled) {
		r.log.Error("csvin: import in the background", "run", report.Run, "error", err)
	}
	if err == nil && !t.state.Dry && t.state.Upload != "" {
		// Its rejected rows are in the database.
		delete(r.tried, t.state.Upload)
		if err := os.RemoveAll(filepath.Join(r.dir, t.state.Upload)); err != nil {
			r.log.Error("csvin: delete an imported file", "error", err)
		}
	}
}

// Cancel stops an import in hand: the run of that number, or the dry run of an
// upload. What was written stays.
func (r *Runner) Cancel(by auth.Identity, run int64, upload string) error {
	if err := by.Require(auth.ImportData); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.task
	if t == nil || !t.state.Running || (run == 0 || t.state.Run != run) && (upload == "" || t.state.Upload != upload) {
		return fault.New(fault.NotFound, "error.intake.run_not_found")
	}
	t.cancel(errCancelled)
	return nil
}

// WriteRejects writes the rejected rows of a run as a file that can be mended
// and imported: our columns (line, column, reason, how to mend), then the row
// as it was. Rows that were brought in since are left out.
func (s *Importer) WriteRejects(ctx context.Context, by auth.Identity, run int64, out io.Writer, p *locale.Printer) error {
	former, err := s.Run(ctx, by, run)
	if err != nil {
		return err
	}
	f := &rejectFile{printer: p}
	if err := f.begin(out, former.Header, ';'); err != nil {
		return err
	}
	const page = 500
	for after := int64(0); ; {
		list, err := s.Rejects(ctx, by, run, after, page)
		if err != nil {
			return err
		}
		for _, r := range list {
			after = r.ID
			if r.MendedBy != 0 {
				continue
			}
			if err := f.write(former.Header, ';', &r.Problem); err != nil {
				return err
			}
		}
		if len(list) < page {
			return f.w.Flush()
		}
	}
}
