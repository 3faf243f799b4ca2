package locale

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every key is in every language with the same placeholders; only a singular
// may leave out its {n} ("un jour").
func TestLanguagesAgree(t *testing.T) {
	t.Parallel()
	cats, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Keys(French), Keys(English)); d != "" {
		t.Errorf("keys (-fr +en):\n%s", d)
	}
	for key, fr := range cats[French] {
		en := cats[English][key]
		a, b := fr.placeholders(), en.placeholders()
		if strings.HasSuffix(key, ".one") {
			a = slices.DeleteFunc(a, func(n string) bool { return n == "n" })
			b = slices.DeleteFunc(b, func(n string) bool { return n == "n" })
			if _, ok := cats[French][strings.TrimSuffix(key, ".one")+".other"]; !ok {
				t.Errorf("%s has no plural .other", key)
			}
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s: placeholders (-fr +en):\n%s", key, d)
		}
		for lang, s := range map[Lang]sentence{French: fr, English: en} {
			text := strings.Join(s.literals, "{}")
			if strings.TrimSpace(text) == "" || text != strings.TrimSpace(text) {
				t.Errorf("%s %s is empty or has a space at an end: %q", lang, key, text)
			}
			if strings.Contains(text, `"`) {
				t.Errorf("%s %s has straight quotation marks: %q", lang, key, text)
			}
		}
	}
}

// use is a key, or the prefix of built keys, met in the sources.
type use struct {
	key     string
	prefix  bool
	counted bool // asked through N
	where   string
}

var (
	errorKey  = regexp.MustCompile(`^error\.[a-z0-9_.]*[a-z0-9_]$`)
	inHTML    = regexp.MustCompile("\\.(T|N)\\s+[\"`]([^\"`]+)[\"`]")
	printHTML = regexp.MustCompile("\\.(T|N)\\s+\\(printf?\\s+[\"`]([^\"`%]+)")
)

// Every key written in the sources has its sentence: T("…"), N("…"), Key("…"),
// any string that looks like a refusal's key, and .T "…" in templates. For a
// key built at run time (T("state."+s)) at least one key has that beginning.
func TestSourcesKnowTheirKeys(t *testing.T) {
	t.Parallel()
	var uses []use
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		switch {
		case d.IsDir() && (name == "node_modules" || name == "testdata" || name == "bin" || strings.HasPrefix(name, ".") && len(name) > 2):
			return filepath.SkipDir
		case d.IsDir():
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			found, err := usesInGo(path)
			uses = append(uses, found...)
			return err
		case strings.HasSuffix(name, ".html") || strings.HasSuffix(name, ".tmpl"):
			found, err := usesInHTML(path)
			uses = append(uses, found...)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(uses) < 10 {
		t.Fatalf("only %d uses found: the scan does not see the sources", len(uses))
	}
	keys := Keys(French)
	for _, u := range uses {
		i, ok := slices.BinarySearch(keys, u.key)
		plural := i < len(keys) && slices.Contains(keys, u.key+".other")
		switch {
		case u.prefix:
			if i == len(keys) || !strings.HasPrefix(keys[i], u.key) {
				t.Errorf("%s: no key begins with %q", u.where, u.key)
			}
		case u.counted && !plural:
			t.Errorf("%s: no plural key %q.other", u.where, u.key)
		case !ok && !plural:
			t.Errorf("%s: no key %q", u.where, u.key)
		}
	}
}

func usesInGo(path string) ([]use, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var uses []use
	note := func(e ast.Expr, counted bool) {
		prefix := false
		if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
			for ok { // the leftmost term
				e = sum.X
				sum, ok = e.(*ast.BinaryExpr)
			}
			prefix = true
		}
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if key, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(key, ".") {
				uses = append(uses, use{key, prefix, counted, fset.Position(lit.Pos()).String()})
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if len(n.Args) == 0 {
				return true
			}
			name := ""
			switch f := n.Fun.(type) {
			case *ast.SelectorExpr:
				name = f.Sel.Name
			case *ast.Ident:
				name = f.Name
			}
			if name == "T" || name == "N" || name == "Key" {
				note(n.Args[0], name == "N")
			}
		case *ast.BasicLit:
			if n.Kind != token.STRING {
				return true
			}
			if key, err := strconv.Unquote(n.Value); err == nil && errorKey.MatchString(key) {
				uses = append(uses, use{key: key, where: fset.Position(n.Pos()).String()})
			}
		}
		return true
	})
	return uses, nil
}

func usesInHTML(path string) ([]use, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var uses []use
	for _, m := range inHTML.FindAllStringSubmatch(string(text), -1) {
		uses = append(uses, use{key: m[2], counted: m[1] == "N", where: path})
	}
	for _, m := range printHTML.FindAllStringSubmatch(string(text), -1) {
		uses = append(uses, use{key: m[2], prefix: true, where: path})
	}
	return uses, nil
}
