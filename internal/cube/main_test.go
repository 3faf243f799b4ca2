package cube

import (
	"flag"
	"os"
	"testing"
)

// TestMain makes fewer random départements by default, each in a real database
// and asked many questions; -rapid.checks asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
