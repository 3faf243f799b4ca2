package sheet

import (
	"errors"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"
)

// Bounds of a workbook that is read.
const (
	maxUnzipped = 64 << 20 // bytes, all parts together
	maxPart     = 16 << 20 // bytes of a part in memory
	maxCells    = 200      // of a row
)

// ErrTooLong is returned for a sheet of more rows than asked for.
var ErrTooLong = errors.New("sheet: too many rows")

// Read gives the rows of the first sheet of a workbook, as texts: numbers with
// a point, whatever the workbook shows.
func Read(r io.Reader, most int) ([][]string, error) {
	f, err := excelize.OpenReader(r, excelize.Options{UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxPart, RawCellValue: true})
	if err != nil {
		return nil, fmt.Errorf("sheet: read: %w", err)
	}
	defer f.Close()
	names := f.GetSheetList()
	if len(names) == 0 {
		return nil, errors.New("sheet: a workbook without a sheet")
	}
	rows, err := f.Rows(names[0])
	if err != nil {
		return nil, fmt.Errorf("sheet: read: %w", err)
	}
	defer rows.Close() //nolint:errcheck // as above
	var all [][]string
	for rows.Next() {
		cells, err := rows.Columns()
		if err != nil {
			return nil, fmt.Errorf("sheet: read: %w", err)
		}
		if len(all) >= most {
			return nil, ErrTooLong
		}
		all = append(all, cells[:min(len(cells), maxCells)])
	}
	return all, rows.Error()
}
