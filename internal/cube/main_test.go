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
	if os.Getenv("CI") != "" {
		// A landing does not depend on a draw; new draws are tried at each other run.
		if err := flag.Set("rapid.seed", "20261124"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
