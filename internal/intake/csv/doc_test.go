package csvin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	csvin "statincidents/internal/intake/csv"
	"statincidents/internal/testkit"
)

// TestGuideIsRight: the profile of docs/import.md is a correct one, and its
// list of fields is the program's.
func TestGuideIsRight(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join(testkit.Root(), "docs", "import.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(guide), "```toml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("no profile in the guide")
	}
	if _, err := csvin.ParseProfile(example); err != nil {
		t.Error(err)
	}
	if want := "<!-- fields -->`" + strings.Join(csvin.Targets(), "`, `") + "`<!-- /fields -->"; !strings.Contains(string(guide), want) {
		t.Errorf("the list of fields should be %s", want)
	}
}
