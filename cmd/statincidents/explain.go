package main

import (
	"errors"
	"sort"
	"strings"
	"time"

	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// explain turns a refusal into its English sentences; the command line speaks
// English, the screens speak the reader's language.
func explain(err error) error {
	if err == nil || fault.CodeOf(err) == fault.Internal {
		return err
	}
	summary, fields := locale.For("en", time.Local).Error(err)
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString(summary)
	for _, name := range names {
		b.WriteString("\n  " + name + ": " + fields[name])
	}
	return errors.New(b.String())
}
