package csvin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"statincidents/internal/locale"
)

// rejectFile is the file of the rejected rows: four columns of ours (line,
// column, reason, how to mend), then the row as it was. Once mended it is
// imported like any other: our columns are passed over.
type rejectFile struct {
	path    string
	printer *locale.Printer
	file    *os.File
	w       *bufio.Writer
	sep     string
}

// rejectPath is where the rejected rows of a file go: beside it, under a name
// that is not taken.
func rejectPath(file string) string {
	base := strings.TrimSuffix(file, ".gz")
	base = strings.TrimSuffix(base, filepath.Ext(base))
	path := base + ".rejects.csv"
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); err != nil {
			return path
		}
		path = base + ".rejects-" + strconv.Itoa(n) + ".csv"
	}
}

// write adds a row; the file appears with its first one.
func (f *rejectFile) write(header []string, sep rune, p *Problem) error {
	if f.w == nil {
		var err error
		if f.file, err = os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return fmt.Errorf("csvin: file of rejected rows: %w", err)
		}
		if err := f.begin(f.file, header, sep); err != nil {
			return err
		}
	}
	row := []string{
		strconv.Itoa(p.Line), p.Column,
		f.printer.T("intake.reason."+string(p.Reason), p.Args...),
		f.printer.T("intake.mend."+string(p.Reason), p.Args...),
	}
	return writeRow(f.w, append(row, withoutOwn(header, p.Row)...), f.sep)
}

// begin writes the titles.
func (f *rejectFile) begin(out io.Writer, header []string, sep rune) error {
	f.w = bufio.NewWriter(out)
	f.sep = string(sep)
	// The mark tells spreadsheets that the file is UTF-8.
	if _, err := f.w.WriteString("\uFEFF"); err != nil {
		return fmt.Errorf("csvin: file of rejected rows: %w", err)
	}
	own := make([]string, 0, 4+len(header))
	for _, key := range []string{"line", "column", "reason", "mend"} {
		own = append(own, ownColumn+f.printer.T("intake.reject."+key))
	}
	return writeRow(f.w, append(own, withoutOwn(header, header)...), f.sep)
}

// withoutOwn drops the values of our own columns, when the file is itself one
// of rejected rows.
func withoutOwn(header, row []string) []string {
	kept := make([]string, 0, len(row))
	for i, v := range row {
		if i >= len(header) || !strings.HasPrefix(header[i], ownColumn) {
			kept = append(kept, v)
		}
	}
	return kept
}

func (f *rejectFile) close() error {
	if f == nil || f.file == nil {
		return nil
	}
	if err := errors.Join(f.w.Flush(), f.file.Close()); err != nil {
		return fmt.Errorf("csvin: file of rejected rows: %w", err)
	}
	return nil
}

// writeRow writes a row of delimited text. Values keep what they begin with:
// they are to be imported again, not calculated.
func writeRow(w io.Writer, fields []string, sep string) error {
	var b strings.Builder
	for i, v := range fields {
		if i > 0 {
			b.WriteString(sep)
		}
		if strings.ContainsAny(v, "\"\n\r") || strings.Contains(v, sep) || v != strings.TrimSpace(v) {
			b.WriteString(`"` + strings.ReplaceAll(v, `"`, `""`) + `"`)
		} else {
			b.WriteString(v)
		}
	}
	b.WriteByte('\n')
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("csvin: file of rejected rows: %w", err)
	}
	return nil
}
