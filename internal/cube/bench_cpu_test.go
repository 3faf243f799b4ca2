//go:build unix

package cube

import (
	"syscall"
	"testing"
)

// cpuTime is the processor time that the process has used, in nanoseconds:
// what a benchmark says beside the wall clock when others share the machine.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
