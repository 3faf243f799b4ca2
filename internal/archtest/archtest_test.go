// Package archtest holds the rules of the house as tests: which room may
// import which, and what every file owes its reader.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"statincidents/internal/testkit"
)

// foundations may be imported by every room above them.
var foundations = []string{"fault", "sqldb", "journal", "auth", "calendar", "vault"}

// around are the rooms around an incident that both doors may send commands and
// questions to, one a line so that two can be added at once.
var around = []string{
	"attachment",
	"batch",
	"catalog",
	"checklist",
	"directory",
	"find",
	"incident",
	"jobs",
	"knowledge",
	"label",
	"locale",
	"mailbox",
	"notify",
	"preset",
	"privacy",
	"problem",
	"queue",
	"routing",
	"servicelevel",
	"signal",
	"similar",
	"stock",
	"machine",
	"visit",
}

// doors may import the rooms around an incident, and some more.
func doors(more ...string) []string { return slices.Concat([]string{"…"}, around, more) }

// allowed says, for each room, which rooms of ours it may import (foundations
// are listed where they are allowed as a whole by "…"). A room that is not
// here fails the test: decide where it stands.
var allowed = map[string][]string{
	"fault":     {},
	"calendar":  {},
	"chart":     {},
	"stats":     {},
	"trial":     {"stats"},
	"geo":       {},
	"sheet":     {},
	"qr":        {},
	"vault":     {},
	"sqldb":     {"vault"},
	"locale":    {"fault", "calendar"},
	"journal":   {"sqldb"},
	"auth":      {"fault", "sqldb", "journal"},
	"directory": {"…"},
	"catalog":   {"…"},
	"incident":  {"…", "directory", "catalog"},
	"jobs":      {"…"},
	"mailbox":   {"…"},
	"notify":    {"…", "directory", "catalog", "incident", "jobs", "locale", "mailbox", "signal", "visit"},
	"label":     {"…", "directory", "catalog", "incident"},
	"search":    {"…", "directory", "incident"},
	"knowledge": {"…", "catalog", "search"},
	"find":      {"…", "directory", "incident", "knowledge", "problem", "search"},
	"similar":   {"…", "directory", "catalog", "incident", "search", "stats"},
	"cube":      {"…", "directory", "catalog", "incident", "locale"},
	"analysis":  {"…", "directory", "catalog", "incident", "cube", "jobs", "machine", "servicelevel", "similar", "stats", "trial"},
	"live":      {"…", "incident"},
	"backup":    {"…"},
	"doctor":    {"…", "secrets"},
	"secrets":   {"…", "mailbox"},
	"demo":      {"…", "directory", "catalog", "incident", "knowledge", "attachment", "stock", "visit", "checklist", "problem", "preset", "routing", "label", "machine", "queue"},
	"intake":    {"…", "directory", "catalog", "incident", "jobs", "locale"},
	"load":      {"fault", "api", "calendar"},
	"api":       doors("search", "cube", "live", "analysis", "intake", "privacy"),
	"web":       doors("search", "cube", "live", "analysis", "chart", "geo", "sheet", "qr", "intake", "stats", "trial"),
	"app":       {"*"},

	// Rooms around an incident.
	"queue":        {"…", "incident"},
	"routing":      {"…", "directory", "catalog", "incident", "jobs", "locale"},
	"visit":        {"…", "directory", "incident"},
	"checklist":    {"…", "incident", "visit"},
	"batch":        {"…", "incident"},
	"problem":      {"…", "directory", "catalog", "incident"},
	"preset":       {"…", "incident"},
	"privacy":      {"…", "attachment", "directory", "incident", "intake", "jobs", "locale", "search"},
	"servicelevel": {"…", "directory", "catalog", "incident"},
	"signal":       {"…", "directory", "catalog", "locale"},
	"attachment":   {"…", "incident"},
	"stock":        {"…", "incident"},
	"machine":      {"…", "directory"},

	// Only tests import these.
	"testkit":  {"sqldb"},
	"e2e":      {"*"},
	"archtest": {"testkit"},
}

// noSQL are the rooms that speak to people and machines: they send commands
// and questions, and never see a transaction.
var noSQL = []string{"web", "api", "live", "load", "locale", "chart", "geo"}

type source struct {
	path string // from the top folder, with slashes
	room string // first folder below internal, or "cmd"
	test bool
	file *ast.File
	set  *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	root := testkit.Root()
	var all []source
	for _, top := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules") {
				return filepath.SkipDir
			}
			if filepath.Ext(path) != ".go" {
				return nil
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			rel = filepath.ToSlash(rel)
			room := "cmd"
			if parts := strings.Split(rel, "/"); parts[0] == "internal" {
				room = parts[1]
			}
			all = append(all, source{rel, room, strings.HasSuffix(path, "_test.go"), file, set})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d Go files found under %s", len(all), root)
	}
	return all
}

// ours gives the room of one of our own import paths.
func ours(spec *ast.ImportSpec) (room string, ok bool) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(path, "statincidents/internal/")
	room, _, _ = strings.Cut(rest, "/")
	return room, ok
}

func TestArrowsGoDown(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		if src.room == "cmd" {
			continue
		}
		rules, known := allowed[src.room]
		if !known {
			t.Errorf("%s: room %q has no import rule: add it to archtest and to docs/architecture.md", src.path, src.room)
			continue
		}
		if src.test {
			continue
		}
		for _, spec := range src.file.Imports {
			to, ok := ours(spec)
			if !ok || to == src.room || slices.Contains(rules, "*") {
				continue
			}
			if slices.Contains(rules, "…") && slices.Contains(foundations, to) && !slices.Contains(noSQL, src.room) {
				continue
			}
			if slices.Contains(rules, "…") && slices.Contains(foundations, to) && to != "sqldb" {
				continue
			}
			if !slices.Contains(rules, to) {
				t.Errorf("%s: %s may not import %s", src.path, src.room, to)
			}
		}
	}
}

func TestTestRoomsStayOutOfTheProgram(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		if src.test || src.room == "testkit" || src.room == "e2e" {
			continue
		}
		for _, spec := range src.file.Imports {
			if to, ok := ours(spec); ok && (to == "testkit" || to == "e2e" || to == "archtest") {
				t.Errorf("%s: the program imports the test room %s", src.path, to)
			}
		}
	}
}

// Every rule takes time as an argument; the clock is read in one place.
func TestClockIsReadInOnePlace(t *testing.T) {
	t.Parallel()
	edges := []string{"internal/sqldb/", "cmd/", "internal/load/", "internal/testkit/", "internal/e2e/"}
	for _, src := range sources(t) {
		if src.test || slices.ContainsFunc(edges, func(p string) bool { return strings.HasPrefix(src.path, p) }) {
			continue
		}
		ast.Inspect(src.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Now" {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
				t.Errorf("%s: time.Now is read here: take the instant as an argument or a clock", src.set.Position(n.Pos()))
			}
			return true
		})
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, src := range sources(t) {
		dir := filepath.Dir(src.path)
		if src.test && src.room != "archtest" && src.room != "e2e" {
			continue
		}
		documented[dir] = documented[dir] || src.file.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: the package has no doc comment", dir)
		}
	}
}

func TestNamesSaySomething(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		for part := range strings.SplitSeq(strings.TrimSuffix(src.path, ".go"), "/") {
			switch strings.TrimSuffix(part, "_test") {
			case "util", "utils", "common", "helper", "helpers", "manager", "misc", "base":
				t.Errorf("%s: %q names nothing", src.path, part)
			}
		}
	}
}

// A file past this holds more than one thing.
const maxLines = 700

func TestFilesHoldOneThing(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		if lines := src.set.File(src.file.Pos()).LineCount(); !src.test && lines > maxLines {
			t.Errorf("%s has %d lines: split it", src.path, lines)
		}
	}
}
