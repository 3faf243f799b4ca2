package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"statincidents/internal/sqldb"
)

func (e *examination) integrity(ctx context.Context, tx *sqldb.Tx) error {
	rows, err := tx.Query(ctx, "PRAGMA quick_check(5)")
	if err != nil {
		return err
	}
	defer rows.Close()
	var first string
	for n := 0; rows.Next() && n < manyProblems; n++ {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if n == 0 {
			first = line
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if first == "ok" {
		e.add("integrity", OK, "doctor.integrity.ok", "")
	} else {
		e.add("integrity", Failed, "doctor.integrity.broken", "doctor.integrity.broken.remedy", "problem", first)
	}
	return nil
}

func (e *examination) fileSize(context.Context, *sqldb.Tx) error {
	size, err := sizeOf(filepath.Join(e.db.Dir(), sqldb.FileName))
	if err != nil {
		return err
	}
	wal, err := sizeOf(filepath.Join(e.db.Dir(), sqldb.FileName+"-wal"))
	if err != nil {
		return err
	}
	if wal > bigLog {
		e.add("size", Warning, "doctor.size.log", "doctor.size.log.remedy", "megabytes", megabytes(size), "log", megabytes(wal))
	} else {
		e.add("size", OK, "doctor.size.ok", "", "megabytes", megabytes(size))
	}
	return nil
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (e *examination) disk(context.Context, *sqldb.Tx) error {
	free, err := freeDisk(e.db.Dir())
	if err != nil {
		return err
	}
	size, err := sizeOf(filepath.Join(e.db.Dir(), sqldb.FileName))
	if err != nil {
		return err
	}
	e.judgeDisk(free, size)
	return nil
}

// judgeDisk wants room for a copy of the database: an upgrade makes one.
func (e *examination) judgeDisk(free, size int64) {
	switch {
	case free < noDisk:
		e.add("disk", Failed, "doctor.disk.full", "doctor.disk.remedy", "megabytes", megabytes(free))
	case free < littleDisk, free < 2*size:
		e.add("disk", Warning, "doctor.disk.little", "doctor.disk.remedy", "megabytes", megabytes(free))
	default:
		e.add("disk", OK, "doctor.disk.ok", "", "megabytes", megabytes(free))
	}
}
