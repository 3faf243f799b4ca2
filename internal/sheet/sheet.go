// Package sheet writes tables that people take away: CSV and XLSX, row by row,
// without holding the table in memory. Numbers stay numbers and dates dates; a
// text that a spreadsheet would run as a formula is made harmless.
package sheet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// Kind is what a column holds.
type Kind int

// The kinds of column, and the Go value that each cell is.
const (
	Text     Kind = iota // string
	Number               // int, int64 or float64; NaN is an empty cell
	Date                 // time.Time, of which the date is shown; zero is an empty cell
	DateTime             // time.Time, shown in the location of the writer
	Percent              // float64, a share of 1
)

// Column is one column of a table.
type Column struct {
	Title string
	Kind  Kind
	Width float64 // in characters, for XLSX; 0 chooses by kind
}

// Writer takes rows. Close ends the table; without it the file is not valid.
type Writer interface {
	Row(cells ...any) error
	Close() error
}

// Style is how a reader writes.
type Style struct {
	Location *time.Location
	French   bool // semicolons and decimal commas in CSV; dates day first
}

// harmless disarms what a spreadsheet takes for a formula (CWE-1236): the text
// is kept, after an apostrophe that spreadsheets do not show.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

var errCells = errors.New("sheet: a row must have one cell a column")

type csvWriter struct {
	w       *csv.Writer
	columns []Column
	style   Style
	record  []string
}

// NewCSV writes UTF-8 with a byte-order mark (spreadsheets need it to see the
// accents), quoted where needed, lines ended by CRLF as RFC 4180 says.
func NewCSV(w io.Writer, columns []Column, style Style) (Writer, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	c := &csvWriter{w: csv.NewWriter(w), columns: columns, style: style, record: make([]string, len(columns))}
	c.w.UseCRLF = true
	if style.French {
		c.w.Comma = ';'
	}
	for i, col := range columns {
		c.record[i] = harmless(col.Title)
	}
	return c, c.w.Write(c.record)
}

func (c *csvWriter) Row(cells ...any) error {
	if len(cells) != len(c.columns) {
		return errCells
	}
	for i, cell := range cells {
		c.record[i] = c.text(c.columns[i].Kind, cell)
	}
	return c.w.Write(c.record)
}

func (c *csvWriter) text(kind Kind, cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case string:
		return harmless(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return ""
		}
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if c.style.French {
			s = strings.Replace(s, ".", ",", 1)
		}
		return s
	case time.Time:
		if v.IsZero() {
			return ""
		}
		if kind == Date {
			return v.Format(time.DateOnly)
		}
		return v.In(c.style.Location).Format("2006-01-02 15:04:05")
	}
	return harmless(fmt.Sprint(cell))
}

func (c *csvWriter) Close() error {
	c.w.Flush()
	return c.w.Error()
}

type xlsxWriter struct {
	out     io.Writer
	file    *excelize.File
	stream  *excelize.StreamWriter
	columns []Column
	style   Style
	formats []int
	row     int
	cells   []any
}

// MaxRows is what one sheet of an XLSX file can hold, its heading aside.
const MaxRows = excelize.TotalRows - 1

// NewXLSX writes one sheet as a native table (sortable, filterable), its
// heading kept in sight.
func NewXLSX(w io.Writer, name string, columns []Column, style Style) (Writer, error) {
	file := excelize.NewFile()
	x := &xlsxWriter{out: w, file: file, columns: columns, style: style, row: 1, cells: make([]any, len(columns))}
	name = sheetName(name)
	if err := file.SetSheetName("Sheet1", name); err != nil {
		return nil, fmt.Errorf("sheet: name: %w", err)
	}
	var err error
	if x.stream, err = file.NewStreamWriter(name); err != nil {
		return nil, fmt.Errorf("sheet: begin: %w", err)
	}
	if err := x.begin(); err != nil {
		return nil, fmt.Errorf("sheet: begin: %w", err)
	}
	return x, nil
}

func (x *xlsxWriter) begin() error {
	day, moment := "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
	if x.style.French {
		day, moment = "dd/mm/yyyy", "dd/mm/yyyy hh:mm"
	}
	patterns := map[Kind]string{Date: day, DateTime: moment, Percent: "0.0%"}
	x.formats = make([]int, len(x.columns))
	for i, col := range x.columns {
		width := col.Width
		if pattern, ok := patterns[col.Kind]; ok {
			id, err := x.file.NewStyle(&excelize.Style{CustomNumFmt: &pattern})
			if err != nil {
				return err
			}
			x.formats[i] = id
		}
		if width == 0 {
			width = map[Kind]float64{Text: 24, Number: 12, Date: 12, DateTime: 17, Percent: 10}[col.Kind]
		}
		if err := x.stream.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
		x.cells[i] = headings(x.columns)[i]
	}
	if err := x.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	return x.stream.SetRow("A1", x.cells)
}

// headings are the columns' titles, each once: a native table refuses doubles.
func headings(columns []Column) []string {
	seen := map[string]int{}
	titles := make([]string, len(columns))
	for i, c := range columns {
		t := c.Title
		if t == "" {
			t = "—"
		}
		if seen[t]++; seen[t] > 1 {
			t += " " + strconv.Itoa(seen[t])
		}
		titles[i] = t
	}
	return titles
}

func (x *xlsxWriter) Row(cells ...any) error {
	if len(cells) != len(x.columns) {
		return errCells
	}
	if x.row > MaxRows {
		return fmt.Errorf("sheet: a sheet holds %d rows at most: take CSV", MaxRows)
	}
	x.row++
	for i, cell := range cells {
		x.cells[i] = x.cell(i, cell)
	}
	return x.stream.SetRow("A"+strconv.Itoa(x.row), x.cells)
}

func (x *xlsxWriter) cell(i int, cell any) any {
	switch v := cell.(type) {
	case string:
		// A string cell is never run, but it may be copied to where it is.
		if len(v) > excelize.TotalCellChars {
			v = strings.ToValidUTF8(v[:excelize.TotalCellChars-3], "") + "…"
		}
		return harmless(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case time.Time:
		if v.IsZero() {
			return nil
		}
		// Spreadsheets know no time zones: the wall clock is what is written.
		at := v.In(x.style.Location)
		if x.columns[i].Kind == Date {
			at = v
		}
		wall := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
		return excelize.Cell{StyleID: x.formats[i], Value: wall}
	}
	if x.formats[i] != 0 {
		return excelize.Cell{StyleID: x.formats[i], Value: cell}
	}
	return cell
}

func (x *xlsxWriter) Close() error {
	defer x.file.Close()
	if x.row > 1 {
		last, err := excelize.CoordinatesToCellName(len(x.columns), x.row)
		if err != nil {
			return err
		}
		if err := x.stream.AddTable(&excelize.Table{Range: "A1:" + last, Name: "data", StyleName: "TableStyleLight1"}); err != nil {
			return fmt.Errorf("sheet: table: %w", err)
		}
	}
	if err := x.stream.Flush(); err != nil {
		return fmt.Errorf("sheet: flush: %w", err)
	}
	return x.file.Write(x.out)
}

// sheetName keeps what a sheet's name may hold: 31 characters, some forbidden.
func sheetName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) {
			return ' '
		}
		return r
	}, name)
	if runes := []rune(clean); len(runes) > 31 {
		clean = string(runes[:31])
	}
	if strings.TrimSpace(clean) == "" {
		return "data"
	}
	return clean
}
