package sqldb

import (
	"io"
	"io/fs"
	"strings"
	"time"
)

// Dialect is one of the two engines.
type Dialect int

// The engines.
const (
	SQLite Dialect = iota + 1
	PostgreSQL
)

// String names the engine as documentation does.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case PostgreSQL:
		return "PostgreSQL"
	}
	return "unknown engine"
}

// Millis is how an instant is stored: UTC milliseconds; the zero time is 0.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time is the inverse of Millis.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Flag is how a boolean is stored: 0 or 1.
func Flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// translate turns a migration, written once, into the engine's own type names.
func (d Dialect) translate(sql string) string {
	if d == PostgreSQL {
		return strings.ReplaceAll(sql, ") STRICT;", ");")
	}
	return strings.NewReplacer(
		"BIGINT", "INTEGER",
		"DOUBLE PRECISION", "REAL",
		"BYTEA", "BLOB",
	).Replace(sql)
}

// translatedFS shows the migrations of one engine: common files translated,
// files ending in .sqlite.sql or .postgres.sql only to their engine.
type translatedFS struct {
	fs.FS
	dialect Dialect
}

func (t translatedFS) foreign(name string) bool {
	if t.dialect == SQLite {
		return strings.HasSuffix(name, ".postgres.sql")
	}
	return strings.HasSuffix(name, ".sqlite.sql")
}

// Open returns the file translated for the engine.
func (t translatedFS) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	if t.foreign(name) {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &translatedFile{File: f, r: strings.NewReader(t.dialect.translate(string(raw)))}, nil
}

// Glob lists the files that the engine runs.
func (t translatedFS) Glob(pattern string) ([]string, error) {
	all, err := fs.Glob(t.FS, pattern)
	if err != nil {
		return nil, err
	}
	own := all[:0]
	for _, name := range all {
		if !t.foreign(name) {
			own = append(own, name)
		}
	}
	return own, nil
}

type translatedFile struct {
	fs.File
	r *strings.Reader
}

func (f *translatedFile) Read(p []byte) (int, error) { return f.r.Read(p) }
