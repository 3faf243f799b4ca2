//go:build unix

package sqldb

import (
	"errors"
	"os"
)

// flushFolder makes a new name in a folder survive a power cut.
func flushFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
