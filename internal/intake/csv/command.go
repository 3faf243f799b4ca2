package csvin

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/locale"
)

// Command is the command line of an import: its arguments, by kong's tags.
type Command struct {
	Profile  string `required:"" placeholder:"NAME|FILE.toml" help:"How the file is to be read: the name of a profile (servicenow, or one of your own), or a TOML file."`
	DryRun   bool   `help:"Write nothing, and tell what would happen."`
	Rejects  string `placeholder:"FILE" help:"Where the rejected rows go; beside the file if not said."`
	Language string `enum:"en,fr" default:"en" help:"Language of what is printed and of the file of rejected rows: en or fr."`
	File     string `arg:"" help:"The file, compressed by gzip or not."`
}

// Import runs the command. On a terminal it draws a bar; otherwise it prints a
// line now and then. It ends with the counts of what was done.
func (c Command) Import(ctx context.Context, s *Importer, by auth.Identity, out io.Writer, terminal bool) error {
	p, err := c.profile(ctx, s, by)
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	defer f.Close()
	o := Options{Profile: p, FileName: filepath.Base(c.File), DryRun: c.DryRun, RejectFile: c.Rejects}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		o.FileSize = info.Size()
	}
	if o.RejectFile == "" && !c.DryRun {
		o.RejectFile = rejectPath(c.File)
	}
	if _, err := os.Lstat(o.RejectFile); err == nil {
		return fmt.Errorf("%s is there already: choose another file for the rejected rows", o.RejectFile)
	}
	o.Printer = locale.For(locale.Lang(c.Language), time.Local)
	bar := &bar{out: out, terminal: terminal, p: o.Printer}
	o.Progress = bar.show
	report, err := s.Import(ctx, by, f, o)
	bar.clear()
	if err == nil || report.Rows > 0 {
		report.write(out, o.Printer)
	}
	return err
}

func (c Command) profile(ctx context.Context, s *Importer, by auth.Identity) (Profile, error) {
	if !strings.HasSuffix(c.Profile, ".toml") && !strings.ContainsAny(c.Profile, `/\`) {
		return s.Profile(ctx, by, c.Profile)
	}
	return ReadProfile(c.Profile)
}

// ReadProfile reads a profile from a file.
func ReadProfile(path string) (Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return Profile{}, fmt.Errorf("open the profile: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxProfile+1))
	if err != nil {
		return Profile{}, fmt.Errorf("read the profile: %w", err)
	}
	return ParseProfile(string(text))
}

// GuessCommand is the command line that guesses a profile.
type GuessCommand struct {
	File string `arg:"" help:"The file, compressed by gzip or not."`
}

// Guess prints a profile guessed from the beginning of the file, to be
// corrected and given to an import.
func (c GuessCommand) Guess(out io.Writer) error {
	f, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	defer f.Close()
	sample, err := TakeSample(f, File{}, 1000)
	if err != nil {
		return err
	}
	text, err := Suggest(sample).TOML()
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, text)
	return err
}

// bar shows how far an import is.
type bar struct {
	out      io.Writer
	terminal bool
	p        *locale.Printer
	last     time.Duration
	drawn    bool
	rows     float64 // rows a second, smoothed
	before   Progress
}

func (b *bar) show(p Progress) {
	every := 5 * time.Second
	if b.terminal {
		every = 100 * time.Millisecond
	}
	if b.drawn && p.Elapsed-b.last < every && (p.Total == 0 || p.Rows < p.Total) {
		return
	}
	if dt := (p.Elapsed - b.before.Elapsed).Seconds(); dt > 0 && p.Total > 0 {
		now := float64(p.Rows-b.before.Rows) / dt
		if b.rows == 0 {
			b.rows = now
		}
		b.rows += 0.3 * (now - b.rows)
	}
	b.before, b.last, b.drawn = p, p.Elapsed, true
	line, share := b.line(p)
	if !b.terminal {
		fmt.Fprintln(b.out, line)
		return
	}
	const width = 24
	full := min(width, int(share*width))
	fmt.Fprintf(b.out, "\r\x1b[K%s%s %s", strings.Repeat("█", full), strings.Repeat("░", width-full), line)
}

// line is the bar in words, and the share that is done.
func (b *bar) line(p Progress) (string, float64) {
	if p.Total == 0 {
		share := 0.0
		if p.Size > 0 {
			share = min(1, float64(p.Bytes)/float64(p.Size))
		}
		return b.p.T("intake.progress.reading", "share", b.p.Pct(share, 0)), share
	}
	share := float64(p.Rows) / float64(p.Total)
	left := time.Duration(0)
	if b.rows > 0 {
		left = time.Duration(float64(p.Total-p.Rows) / b.rows * float64(time.Second)).Round(time.Second)
	}
	return b.p.T("intake.progress.writing", "share", b.p.Pct(share, 0), "rows", p.Rows, "total", p.Total,
		"rate", int(b.rows), "left", left.String()), share
}

func (b *bar) clear() {
	if b.terminal && b.drawn {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}

// write prints the counts.
func (r Report) write(w io.Writer, p *locale.Printer) {
	for _, line := range r.Lines(p) {
		fmt.Fprintln(w, line)
	}
}

// Lines says what the import did, or would do, in sentences.
func (r Report) Lines(p *locale.Printer) []string {
	var lines []string
	line := func(key string, args ...any) { lines = append(lines, p.T(key, args...)) }
	if r.DryRun {
		line("intake.report.dry_run")
	}
	rate := 0
	if s := r.Elapsed.Seconds(); s > 0 {
		rate = int(float64(r.Rows) / s)
	}
	line("intake.report.rows", "rows", r.Rows, "tickets", r.Tickets, "elapsed", r.Elapsed.Round(10*time.Millisecond).String(), "rate", rate)
	line("intake.report.tickets", "created", r.Created, "updated", r.Updated, "unchanged", r.Unchanged, "events", r.Events)
	m := r.Made
	line("intake.report.made", "schools", m.Schools, "rooms", m.Rooms, "categories", m.Categories, "people", m.People, "teams", m.Teams, "codes", m.Codes)
	if r.Duplicates > 0 {
		line("intake.report.duplicates", "n", r.Duplicates)
	}
	if r.Recoded > 0 {
		line("intake.report.recoded", "n", r.Recoded)
	}
	for _, d := range r.Doubts {
		line("intake.report.doubt", "rows", d.Rows, "line", d.Line, "column", d.Column, "what", d.words(p))
	}
	if len(r.Unused) > 0 {
		line("intake.report.unused", "columns", strings.Join(r.Unused, ", "))
	}
	line("intake.report.rejected", "n", r.Rejected)
	reasons := make([]string, 0, len(r.Reasons))
	for reason := range r.Reasons {
		reasons = append(reasons, string(reason))
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		line("intake.report.reason", "rows", r.Reasons[Reason(reason)], "what", p.T("intake.why."+reason))
	}
	if r.RejectFile != "" {
		line("intake.report.reject_file", "file", r.RejectFile)
	}
	return lines
}

// words says what a doubt is about.
func (d Doubt) words(p *locale.Printer) string {
	text := p.T("intake.why." + string(d.Reason))
	if d.Value != "" {
		text += " (" + d.Value + ")"
	}
	return text
}
