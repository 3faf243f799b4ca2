package doctor

import "testing"

func TestDiskIsJudgedByItsRoomAndTheDatabase(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		free, size int64
		want       Level
	}{
		{100 << 30, 1 << 20, OK}, {100 << 30, 60 << 30, Warning}, {1 << 30, 1 << 20, Warning}, {100 << 20, 1 << 20, Failed}, {0, 0, Failed},
	} {
		e := &examination{}
		e.judgeDisk(test.free, test.size)
		if got := Worst(e.findings); got != test.want {
			t.Errorf("%d bytes free beside %d: %v", test.free, test.size, got)
		}
	}
	if free, err := freeDisk(t.TempDir()); err != nil || free <= 0 {
		t.Errorf("free on this disk: %d, %v", free, err)
	}
	if Worst(nil) != OK {
		t.Error("nothing found is not well")
	}
}
