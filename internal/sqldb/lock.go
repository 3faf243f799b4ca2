package sqldb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockName is the file whose lock says that a data folder is taken. The lock
// is the operating system's: it ends with the process, however it ends.
const lockName = "statincidents.lock"

// ErrInUse is returned by Open when another process holds the data folder.
var ErrInUse = errors.New("the data folder is in use by another process")

type folderLock struct{ f *os.File }

// lockFolder takes the folder or returns ErrInUse with what is known of its
// holder.
func lockFolder(dir string) (*folderLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("sqldb: lock the data folder: %w", err)
	}
	if err := tryLock(f); err != nil {
		defer f.Close()
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("sqldb: lock the data folder: %w", err)
		}
		who := ""
		if text, err := io.ReadAll(io.LimitReader(f, 32)); err == nil {
			if pid := strings.TrimSpace(string(text)); pid != "" {
				who = " (process " + pid + ")"
			}
		}
		return nil, fmt.Errorf("sqldb: %w%s: %s", ErrInUse, who, dir)
	}
	// The number only helps a person; failing to write it is no reason to stop.
	if f.Truncate(0) == nil {
		f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) //nolint:errcheck // see above
	}
	return &folderLock{f}, nil
}

func (l *folderLock) release() error {
	if l == nil {
		return nil
	}
	return l.f.Close() // gives the lock back
}

var errLocked = errors.New("locked")
