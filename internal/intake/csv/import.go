package csvin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/intake/table"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
)

// Importer brings files in, through the commands of the directory, the catalog
// and the incidents. Its own tables keep what was imported, what was rejected,
// and the département's own profiles.
type Importer struct {
	db  *sqldb.DB
	dir *directory.Service
	cat *catalog.Service
	inc *incident.Service
}

// New makes an importer.
func New(db *sqldb.DB, dir *directory.Service, cat *catalog.Service, inc *incident.Service) *Importer {
	return &Importer{db: db, dir: dir, cat: cat, inc: inc}
}

// Options says what to import and how.
type Options struct {
	Profile  Profile
	FileName string // as the person knows it
	FileSize int64  // in bytes; 0 if not known: no time left is told
	DryRun   bool   // write nothing, and tell what would be
	Parent   int64  // the run whose rejected rows these are, mended; 0 if none

	// RejectFile is where the rejected rows go, made with the first one; it
	// must not exist. "" keeps them in the database only.
	RejectFile string
	// Printer writes the reasons in the file of rejected rows; French if nil.
	Printer *locale.Printer
	// Started, if any, is told the number of the run before anything is read.
	Started func(run int64)
	// Progress, if any, is told how far the import is, several times a second,
	// from one goroutine at a time.
	Progress func(Progress)
}

// Progress is how far an import is. The file is first read whole (Bytes of
// Size), then its rows are written (Rows of Total), ticket by ticket.
type Progress struct {
	Bytes, Size int64
	Rows, Total int
	Tickets     int
	Rejected    int
	Elapsed     time.Duration
}

// Report is what an import did, or would do.
type Report struct {
	Run        int64          `json:"-"` // 0 in a dry run
	SHA256     string         `json:"-"` // of the file
	DryRun     bool           `json:"-"`
	Encoding   string         `json:"encoding,omitempty"`
	Separator  string         `json:"separator,omitempty"`
	Rows       int            `json:"rows"`                 // read, the rejected ones included
	Tickets    int            `json:"tickets"`              // met in the file
	Created    int            `json:"created"`              // incidents that were not there
	Updated    int            `json:"updated"`              // that were, and changed
	Unchanged  int            `json:"unchanged"`            // that were, and did not
	Events     int            `json:"events"`               // written in the journal
	Duplicates int            `json:"duplicates,omitempty"` // rows that were in the file twice
	Recoded    int            `json:"recoded,omitempty"`    // bytes that were not in the file's encoding
	Made       Made           `json:"made"`                 // in the directory and the catalog
	Rejected   int            `json:"rejected"`
	Reasons    map[Reason]int `json:"reasons,omitempty"` // of the rejected rows
	Doubts     []Doubt        `json:"doubts,omitempty"`  // about rows that were kept
	Unused     []string       `json:"unused,omitempty"`  // columns that the profile neither reads nor ignores
	Truncated  bool           `json:"truncated,omitempty"`
	Error      string         `json:"error,omitempty"` // why it failed
	RejectFile string         `json:"-"`               // "" if there is none
	Elapsed    time.Duration  `json:"elapsed"`
}

// Doubt counts the rows that were kept in spite of the same doubt.
type Doubt struct {
	Reason Reason `json:"reason"`
	Column string `json:"column"`
	Value  string `json:"value,omitempty"` // what the doubt is about, when it is a value
	Rows   int    `json:"rows"`
	Line   int    `json:"line"` // the first one
}

// maxDoubts bounds the kinds of doubt that a report tells apart.
const maxDoubts = 200

// batch is what is written at once: some tickets, and what was met on the way.
type batch struct {
	tickets    []ticket
	rows       int // understood since the last batch, the rejected ones included
	rejects    []*Problem
	duplicates int
	bytes      int64 // of the file, while it is read
	total      int   // rows of the file; known after the first pass
}

// Sizes of a batch: enough for the commits not to count, little enough for
// other writers not to wait long and for memory.
const (
	batchTickets = 500
	batchRows    = 5000
	batchRejects = 500
)

// Import brings a file in. It needs the right auth.ImportData. Importing the
// same file again changes nothing; a newer one updates its tickets. When it
// fails or ctx ends, what was written stays, the run says so, and importing the
// file again completes it. The report is right as far as it went, error or not.
func (s *Importer) Import(ctx context.Context, by auth.Identity, r io.Reader, o Options) (Report, error) {
	report := Report{DryRun: o.DryRun, Reasons: map[Reason]int{}}
	if err := by.Require(auth.ImportData); err != nil {
		return report, err
	}
	if err := o.Profile.Check(); err != nil {
		return report, err
	}
	if o.Printer == nil {
		o.Printer = locale.For(locale.French, time.UTC)
	}
	text, err := o.Profile.TOML()
	if err != nil {
		return report, err
	}
	resolve, err := newResolver(ctx, by, s.dir, s.cat, o.Profile, o.DryRun)
	if err != nil {
		return report, err
	}
	var book *ledger
	if !o.DryRun {
		if book, err = s.openLedger(ctx, by, o, text); err != nil {
			return report, err
		}
		report.Run = book.run
		if o.Started != nil {
			o.Started(book.run)
		}
	}
	run := &running{
		importer: s, by: by, options: o, report: &report, resolve: resolve, book: book, started: sqldb.Now(),
		sum: sha256.New(), batches: make(chan *batch, 1), next: &batch{}, doubts: map[Doubt]*Doubt{},
	}
	if o.RejectFile != "" {
		run.file = &rejectFile{path: o.RejectFile, printer: o.Printer}
	}
	err = run.all(ctx, r)
	return report, run.end(ctx, err)
}

// running is an import in hand. Reading and understanding go on in one
// goroutine (the listener's methods), writing in another (write).
type running struct {
	importer *Importer
	by       auth.Identity
	options  Options
	report   *Report
	resolve  *resolver
	book     *ledger
	file     *rejectFile
	started  time.Time
	sum      hash.Hash
	digest   digest

	// Of the reading goroutine.
	next    *batch
	batches chan *batch
	ctx     context.Context //nolint:containedctx // of the reading goroutine, for its callbacks
	doubts  map[Doubt]*Doubt

	// Of the writing goroutine.
	progress Progress
	told     time.Time
	unnoted  []*Problem // rejected rows that the database has not kept yet
	noted    time.Time
}

func (r *running) all(ctx context.Context, file io.Reader) error {
	g, ctx := errgroup.WithContext(ctx)
	r.ctx = ctx
	g.Go(func() error {
		defer close(r.batches)
		hashed := io.TeeReader(file, r.sum)
		r.digest = digest{profile: r.options.Profile, to: r}
		if err := r.digest.run(ctx, hashed, func() error {
			// What follows a compressed stream belongs to the file all the same.
			if _, err := io.Copy(io.Discard, hashed); err != nil {
				return fmt.Errorf("csvin: read: %w", err)
			}
			r.next.total = r.digest.kept
			return r.send()
		}); err != nil {
			return err
		}
		return r.send()
	})
	g.Go(func() error {
		for b := range r.batches {
			if err := r.write(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// The listener.

func (r *running) send() error {
	b := r.next
	r.next = &batch{total: b.total}
	select {
	case r.batches <- b:
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

func (r *running) rejected(p *Problem) error {
	r.next.rejects = append(r.next.rejects, p)
	if len(r.next.rejects) >= batchRejects {
		return r.send()
	}
	return nil
}

func (r *running) doubtful(p *Problem) {
	key := Doubt{Reason: p.Reason, Column: p.Column}
	if p.Reason == UnknownValue {
		for i := 0; i+1 < len(p.Args); i += 2 {
			if p.Args[i] == "value" {
				key.Value, _ = p.Args[i+1].(string)
			}
		}
	}
	d := r.doubts[key]
	if d == nil {
		if len(r.doubts) >= maxDoubts {
			key.Value = "…"
			if d = r.doubts[key]; d != nil {
				d.Rows++
				return
			}
		}
		first := key
		first.Line = p.Line
		d = &first
		r.doubts[key] = d
	}
	d.Rows++
}

func (r *running) duplicate(n int) { r.next.duplicates += n }

func (r *running) read(bytes int64) error {
	r.next.bytes = bytes
	return r.send()
}

func (r *running) understood(rows int) { r.next.rows += rows }

func (r *running) ticket(t ticket) error {
	r.next.tickets = append(r.next.tickets, t)
	if len(r.next.tickets) >= batchTickets || r.next.rows >= batchRows {
		return r.send()
	}
	return nil
}

func (r *running) refuse(rec *record, row table.Row) *Problem {
	return r.resolve.refuse(rec, row, r.digest.plan.column)
}

// The writer.

// write brings one batch in.
func (r *running) write(ctx context.Context, b *batch) error {
	if b.total > 0 && r.report.SHA256 == "" { // the file was read to its end
		r.report.SHA256 = hex.EncodeToString(r.sum.Sum(nil))
		r.report.Recoded = r.digest.recoded
	}
	if len(b.tickets) > 0 {
		refused, err := r.bring(ctx, b.tickets)
		if err != nil {
			return err
		}
		b.rejects = append(b.rejects, refused...)
	}
	slices.SortStableFunc(b.rejects, func(x, y *Problem) int { return cmp.Compare(x.Line, y.Line) })
	for _, p := range b.rejects {
		if p.Reason != Companion {
			r.report.Rejected++
			r.report.Reasons[p.Reason]++
		}
		if p.Reason == Truncated {
			r.report.Truncated = true
		}
		if r.file != nil {
			if err := r.file.write(r.header(), r.digest.format.Separator, p); err != nil {
				return err
			}
		}
	}
	r.report.Tickets += len(b.tickets)
	r.report.Duplicates += b.duplicates
	r.tell(b)
	return r.note(ctx, b.rejects)
}

// note keeps the rejected rows and gives a sign of life, now and then: a run
// that dies between two notes brings the same rows back when it is made again.
func (r *running) note(ctx context.Context, rejects []*Problem) error {
	if r.book == nil {
		return nil
	}
	const often = 2 * time.Second
	r.unnoted = append(r.unnoted, rejects...)
	if time.Since(r.noted) < often && len(r.unnoted) < batchRejects {
		return nil
	}
	r.noted = sqldb.Now()
	rejects, r.unnoted = r.unnoted, nil
	return r.book.write(ctx, r.report, Running, r.header(), rejects)
}

func (r *running) header() []string {
	if r.digest.plan == nil {
		return nil
	}
	return r.digest.plan.header
}

func (r *running) tell(b *batch) {
	p := &r.progress
	p.Size = r.options.FileSize
	p.Bytes = max(p.Bytes, b.bytes)
	p.Rows += b.rows
	p.Total = b.total
	p.Tickets = r.report.Tickets
	p.Rejected = r.report.Rejected
	p.Elapsed = time.Since(r.started)
	const often = 100 * time.Millisecond
	if r.options.Progress != nil && (time.Since(r.told) >= often || p.Total > 0 && p.Rows >= p.Total) {
		r.told = sqldb.Now()
		r.options.Progress(*p)
	}
}

// end closes the run: its report, its status, the file of rejected rows.
func (r *running) end(ctx context.Context, err error) error {
	status := Done
	switch {
	case err == nil:
	case errors.Is(context.Cause(ctx), errStopping):
		status = Interrupted
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		status = Cancelled
	default:
		status = Failed
		r.report.Error = err.Error()
	}
	rep := r.report
	rep.Made = r.resolve.made
	rep.Elapsed = time.Since(r.started).Round(time.Millisecond)
	rep.Doubts = make([]Doubt, 0, len(r.doubts))
	for _, d := range slices.SortedFunc(maps.Values(r.doubts), func(a, b *Doubt) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), strings.Compare(a.Column, b.Column))
	}) {
		rep.Doubts = append(rep.Doubts, *d)
	}
	if d := &r.digest; d.plan != nil {
		rep.Unused, rep.Rows = d.plan.unused, d.rows
		rep.Encoding, rep.Separator = d.format.Encoding, separatorName(d.format.Separator)
	}
	if r.file != nil && r.file.file != nil {
		rep.RejectFile = r.file.path
	}
	// The run is closed even when its context has ended.
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err = errors.Join(err, r.file.close(), r.book.write(closing, rep, status, r.header(), r.unnoted))
	if one, ok := err.(interface{ Unwrap() []error }); ok && len(one.Unwrap()) == 1 {
		return one.Unwrap()[0]
	}
	return err
}
